/* Loopback servers to connect to: one that listens, one that refuses, one that never answers. */
#ifndef TCP_H
#define TCP_H

#include "support.h"
#include <sys/syscall.h>

/* A server's socket, its address, and its port as a string. */
struct server {
    int fd;
    struct sockaddr_in address;
    char port[8];
};

/* A socket bound to a free loopback port, on which nobody listens: connections are refused, and
   nobody else gets the port. */
static inline struct server refusing_server(void)
{
    struct server server;
    socklen_t len = sizeof server.address;

    memset(&server, 0, sizeof server);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server.address.sin_family = AF_INET;
    server.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(server.fd, (SA *)&server.address, sizeof server.address), 0);
    ck_assert_int_eq(getsockname(server.fd, (SA *)&server.address, &len), 0);
    snprintf(server.port, sizeof server.port, "%d", ntohs(server.address.sin_port));
    return server;
}

static inline struct server listening_server(int backlog)
{
    struct server server = refusing_server();

    ck_assert_int_eq(listen(server.fd, backlog), 0);
    return server;
}

/* A server whose queue is full: the kernel drops what asks to join it, so that an attempt to connect
   waits for as long as nobody accepts. */
static inline struct server silent_server(void)
{
    struct server server = listening_server(0);
    int i;

    fcntl(server.fd, F_SETFL, O_NONBLOCK);
    for (i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        /* Not by libc's connect, which a suite may have replaced. */
        if (syscall(SYS_connect, fd, &server.address, sizeof server.address) == -1)
            ck_assert_int_eq(errno, EINPROGRESS);
    }
    return server;
}

/* The port that `fd` is bound to, whatever its family. */
static inline int port_of(int fd)
{
    struct sockaddr_in6 address; /* its port is where that of IPv4 is */
    socklen_t len = sizeof address;

    ck_assert_int_eq(getsockname(fd, (SA *)&address, &len), 0);
    return ntohs(address.sin6_port);
}

/* How many descriptors are open. */
static inline int open_descriptors(void)
{
    int fd, count = 0;

    for (fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

#endif
