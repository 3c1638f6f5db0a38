/*
 * Runs a program instruction by instruction and prints the address of each below 16 MiB, once, in the order of its
 * first use; the program's own output goes to stderr. For static programs with fixed addresses, on x86-64.
 * Usage: steps PROGRAM ARGUMENT...
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned char seen[16 << 20];

int main(int count, char **arguments)
{
    pid_t child = fork();
    if (child == 0) {
        dup2(2, 1);
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(arguments[1], arguments + 1);
        _exit(127);
    }
    int status = 0;
    /* The first stop is before the first instruction. */
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        struct user_regs_struct registers;
        ptrace(PTRACE_GETREGS, child, 0, &registers);
        if (registers.rip < sizeof seen && !seen[registers.rip]) {
            seen[registers.rip] = 1;
            printf("%llx\n", registers.rip);
        }
        int signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        ptrace(PTRACE_SINGLESTEP, child, 0, signal);
    }
    return 0;
}
