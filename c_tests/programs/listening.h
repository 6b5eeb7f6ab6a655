/* What the servers here need besides csapp.h: a way to tell the test their port. */
#ifndef LISTENING_H
#define LISTENING_H

#include "csapp.h"

static inline void print_port(int listenfd)
{
    struct sockaddr_in address;
    socklen_t len = sizeof(address);

    if (getsockname(listenfd, (SA *)&address, &len) < 0)
        unix_error("getsockname error");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
}

#endif
