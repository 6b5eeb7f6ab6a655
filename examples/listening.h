/* What the servers here begin with. */
#ifndef LISTENING_H
#define LISTENING_H

#include "csapp.h"

/* Prints the port that a listening socket was given, and returns it. */
static inline int print_port(int listenfd)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    char port[NI_MAXSERV];

    if (getsockname(listenfd, (SA *)&address, &len) < 0)
        unix_error("getsockname error");
    Getnameinfo((SA *)&address, len, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    printf("listening on port %s\n", port);
    fflush(stdout);
    return atoi(port);
}

#endif
