/*
 * Runs a command and prints its peak resident memory in KiB to stderr. A program of its own because a child's peak
 * counts the memory that its parent had when it started it: this parent has next to none. Usage: peak PROGRAM ARGUMENT...
 */
#include "system.h"

__attribute__((used)) static void start(word *stack)
{
    char **argv = (char **)(stack + 1);
    char **environment = argv + stack[0] + 1;
    const word on_exit_tell_parent = 17; /* SIGCHLD */
    long child = call(SYS_CLONE, on_exit_tell_parent, 0, 0, 0, 0);
    if (child == 0) {
        call(SYS_EXECVE, (word)argv[1], (word)(argv + 1), (word)environment, 0, 0);
        finish(127);
    }
    int status = 0;
    long usage[18] = { 0 }; /* struct rusage: two struct timeval, then ru_maxrss. */
    call(SYS_WAIT4, child, (word)&status, 0, (word)usage, 0);
    char digits[24];
    char *first = digits + sizeof digits;
    for (word peak = usage[4]; peak || first == digits + sizeof digits; peak /= 10)
        *--first = '0' + peak % 10;
    call(SYS_WRITE, 2, (word)first, digits + sizeof digits - first, 0, 0);
    finish(status ? 1 : 0);
}
