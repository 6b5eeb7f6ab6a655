/* Loopback servers to connect to: one that listens, one that refuses, one that never answers. */
#ifndef TCP_H
#define TCP_H

#include "streams.h"
#include <netinet/tcp.h>
#include <sys/resource.h>
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

/* How many clients of a listening socket wait to be accepted. */
static inline int in_queue(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return (int)info.tcpi_unacked;
}

/* A server whose queue is full: the kernel drops what asks to join it, so that an attempt to connect
   waits for as long as nobody accepts. */
static inline struct server silent_server(void)
{
    struct server server = listening_server(0);
    const struct timespec shortly = {0, 1000000};
    int i;

    fcntl(server.fd, F_SETFL, O_NONBLOCK);
    for (i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

        /* Not by libc's connect, which a suite may have replaced. */
        if (syscall(SYS_connect, fd, &server.address, sizeof server.address) == -1)
            ck_assert_int_eq(errno, EINPROGRESS);
        /* A busy kernel may let more than one in, if they come before the first has joined. */
        while (in_queue(server.fd) == 0)
            syscall(SYS_nanosleep, &shortly, NULL);
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

/* Leaves this process `count` descriptors. */
static inline void leave_descriptors(int count)
{
    const struct rlimit few = {64, 64};
    int last = -1, fd;

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while ((fd = dup(STDERR_FILENO)) != -1)
        last = fd;
    ck_assert_int_eq(errno, EMFILE);
    for (; count > 0; count--)
        close(last--);
}

static inline int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* What every socket that comes out of the library is. */
static inline void expect_plain_socket(int fd)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
}

/* The other end of `client`, which has just connected to `listener`; bytes go both ways. */
static inline void expect_connection(int client, int listener)
{
    char byte = 0;
    int other;

    expect_plain_socket(client);
    other = accept(listener, NULL, NULL);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_int_eq(read(other, &byte, 1), 1);
    ck_assert_int_eq(write(other, "y", 1), 1);
    ck_assert_int_eq(read(client, &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    close(other);
}

/* As a string, the port that `fd` is bound to. */
static inline const char *port_text(int fd)
{
    static char text[8];

    snprintf(text, sizeof text, "%d", port_of(fd));
    return text;
}

/* The calls that open sockets, as functions of a host and a port. */
static inline int connect_in_5_s(const char *host, const char *port)
{
    return csapp_connect(host, port, 5000);
}

static inline int connect_without_limit(const char *host, const char *port)
{
    return csapp_connect(host, port, -1);
}

/* Not open_clientfd itself, which may be a macro of the header. */
static inline int connect_by_the_book(const char *host, const char *port)
{
    return open_clientfd(host, port);
}

static inline int connect_checked(const char *host, const char *port)
{
    return Open_clientfd(host, port);
}

static int (*const connects[])(const char *, const char *) = {
    connect_by_the_book, connect_in_5_s, connect_without_limit, connect_checked};

/* csapp_connect gives up after `limit` milliseconds, before `bound`, and leaves nothing open. */
static inline void expect_time_out(const char *host, const char *port, int limit, long bound)
{
    int before = open_descriptors();
    long start = now_ms();

    ck_assert_int_eq(csapp_connect(host, port, limit), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(now_ms() - start, limit);
    ck_assert_int_lt(now_ms() - start, bound);
    ck_assert_int_eq(open_descriptors(), before);
}

#endif
