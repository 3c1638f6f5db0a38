/*
 * The least that one read over IMDSv2 can cost: one process without a C library, one TCP connection, one GET with a
 * token that is already there, one write. Usage: floor PORT TOKEN PATH
 */
#include "system.h"

static char buffer[65536];

static char *append(char *end, const char *text)
{
    while (*text)
        *end++ = *text++;
    return end;
}

__attribute__((used)) static void start(word *stack)
{
    char **argv = (char **)(stack + 1);
    if (stack[0] != 4)
        finish(2);
    word port = 0;
    for (const char *digit = argv[1]; *digit; digit++)
        port = port * 10 + (*digit - '0');
    /* struct sockaddr_in: AF_INET, port and 127.0.0.1 in network order. */
    unsigned char address[16] = { 2, 0, port >> 8, port, 127, 0, 0, 1 };
    char *end = append(buffer, "GET ");
    end = append(end, argv[3]);
    end = append(end, " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-aws-ec2-metadata-token: ");
    end = append(end, argv[2]);
    end = append(end, "\r\n\r\n");
    long socket = call(SYS_SOCKET, 2, 1, 0, 0, 0);
    if (call(SYS_CONNECT, socket, (word)address, sizeof address, 0, 0) < 0)
        finish(4);
    call(SYS_WRITE, socket, (word)buffer, end - buffer, 0, 0);
    long length = 0, count;
    while ((count = call(SYS_READ, socket, (word)buffer + length, sizeof buffer - length, 0, 0)) > 0)
        length += count;
    for (long at = 0; at + 4 <= length; at++)
        if (buffer[at] == '\r' && buffer[at + 1] == '\n' && buffer[at + 2] == '\r' && buffer[at + 3] == '\n') {
            call(SYS_WRITE, 1, (word)buffer + at + 4, length - at - 4, 0, 0);
            finish(0);
        }
    finish(1);
}
