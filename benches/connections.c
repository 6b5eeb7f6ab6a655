/* Connecting by number, and small requests over a socketpair: what a proxy does all day. */
#define _GNU_SOURCE
#include "bench.h"
#include "twin.h"

/* A loopback address of our own, whose ports no other program uses up. */
#define LOOPBACK "127.15.2.13"


enum { CONNECTIONS = 40, REQUESTS = 40 };

static struct sockaddr_in server;
static char port[8];
static int listener;

/* Takes what the runs have left in the queue, so that it never gets full. */
static void accept_all(void)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
        close(fd);
}

static int plain_connect(const char *host, const char *service)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)host;
    (void)service;
    if (connect(fd, (SA *)&server, sizeof server) != 0)
        return -1;
    return fd;
}

static int by_name(const char *host, const char *service)
{
    return open_clientfd(host, service);
}

#define CONNECTOR(name, call)                                       \
    static size_t name(void)                                        \
    {                                                               \
        int fds[CONNECTIONS];                                       \
        struct linger at_once = {1, 0};                             \
        size_t i;                                                   \
                                                                    \
        for (i = 0; i < CONNECTIONS; i++)                           \
            if ((fds[i] = call(LOOPBACK, port)) < 0)             \
                break;                                              \
        for (size_t j = 0; j < i; j++) {                            \
            setsockopt(fds[j], SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once); \
            close(fds[j]);                                          \
        }                                                           \
        return i;                                                   \
    }

CONNECTOR(connect_shared, so.connect)
CONNECTOR(connect_static, by_name)
CONNECTOR(connect_twin, twin_open_clientfd)
CONNECTOR(connect_plain, plain_connect)

static const struct contestant connectors[] = {
    {"libcsapp.so", connect_shared},
    {"libcsapp.a", connect_static},
    {"book", connect_twin},
    {"plain", connect_plain},
};

static void connections(void)
{
    socklen_t len = sizeof server;

    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = inet_addr(LOOPBACK);
    must(bind(listener, (SA *)&server, len) == 0 && listen(listener, 4 * CONNECTIONS) == 0,
        "listen");
    must(getsockname(listener, (SA *)&server, &len) == 0, "getsockname");
    snprintf(port, sizeof port, "%d", ntohs(server.sin_port));
    before_run = accept_all;
    take_turns("connect", "by number", connectors, LENGTH(connectors), rounds(60), PROCESSOR,
        CONNECTIONS, CONNECTIONS);
    before_run = NULL;
    close(listener);
}

/* A request of 14 lines, and the answer to it. */
static const char request[] =
    "GET http://www.example.org:8080/courses/15213/schedule.html HTTP/1.1\r\n"
    "Host: www.example.org:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Referer: http://www.example.org:8080/courses/\r\n"
    "DNT: 1\r\n"
    "Connection: keep-alive\r\n"
    "Proxy-Connection: keep-alive\r\n"
    "Cookie: session=9f86d081884c7d659a2feaa0c55ad015\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Cache-Control: max-age=0\r\n"
    "\r\n";
static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";

static int ends[2];

/* Both ends take turns in one thread, so that no scheduler has a say: the client's system calls
   are the same for all. */
#define REQUESTER(name, reader_t, init, readlineb, writen)                     \
    static size_t name(void)                                                   \
    {                                                                          \
        static reader_t reader;                                                \
        char line[MAXLINE], reply[sizeof answer];                              \
        size_t done;                                                           \
                                                                               \
        init(&reader, ends[0]);                                                \
        for (done = 0; done < REQUESTS; done++) {                              \
            if (write(ends[1], request, sizeof request - 1) < 0)               \
                break;                                                         \
            do {                                                               \
                if (readlineb(&reader, line, MAXLINE) <= 0)                    \
                    return done;                                               \
            } while (strcmp(line, "\r\n") != 0);                               \
            writen(ends[0], answer, sizeof answer - 1);                        \
            if (read(ends[1], reply, sizeof reply) <= 0)                       \
                break;                                                         \
        }                                                                      \
        return done;                                                           \
    }

REQUESTER(requests_shared, rio_t, so.readinitb, so.readlineb, so.writen)
REQUESTER(requests_static, rio_t, rio_readinitb, rio_readlineb, rio_writen)
REQUESTER(requests_twin, twin_t, twin_readinitb, twin_readlineb, twin_writen)

static const struct contestant requesters[] = {
    {"libcsapp.so", requests_shared},
    {"libcsapp.a", requests_static},
    {"book", requests_twin},
};

int main(void)
{
    load_shared();
    connections();
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    take_turns("requests", "14 headers", requesters, LENGTH(requesters), rounds(400), PROCESSOR,
        REQUESTS, REQUESTS);
    return 0;
}
