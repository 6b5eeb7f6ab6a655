/*
 * echoserver_epoll - sends every line back, with one thread that learns from epoll what happens
 *
 * What to watch: no client can make the server wait. If a client has sent half a line, csapp_readlineb with a time
 * limit of 0 returns -1 with ETIMEDOUT and keeps the half; a later call returns the whole line. If a client does not
 * read its answers, the server does not read from it until it does. Both are in client_advance, in echo.h.
 *
 * usage: echoserver_epoll PORT        (PORT 0: any free one, which is printed)
 */
#include "echo.h"
#include <sys/epoll.h>

static int epfd;

static void wait_for(struct client *client, int operation, enum interest interest)
{
    struct epoll_event event;

    memset(&event, 0, sizeof event);
    event.events = interest == WRITABLE ? EPOLLOUT : EPOLLIN;
    event.data.ptr = client;
    if (epoll_ctl(epfd, operation, client->fd, &event) < 0)
        unix_error("epoll_ctl error");
}

static void advance(struct client *client)
{
    enum interest interest = client_advance(client);

    if (interest == NOTHING) {
        Close(client->fd); /* with its last descriptor, it leaves the epoll set as well */
        Free(client);
    } else
        wait_for(client, EPOLL_CTL_MOD, interest);
}

static void welcome(int listenfd)
{
    int fd = csapp_accept(listenfd, NULL, NULL, 0);
    struct client *client;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            Sleep(1); /* some descriptors will come back */
        return;
    }
    client = Malloc(sizeof *client);
    if (client == NULL) {
        Close(fd);
        return;
    }
    client_init(client, fd);
    wait_for(client, EPOLL_CTL_ADD, READABLE);
}

int main(int argc, char **argv)
{
    enum { EVENTS = 256 };
    struct epoll_event events[EVENTS];
    struct client listener;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listener.fd = Open_listenfd(argv[1]);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0)
        unix_error("epoll_create1 error");
    wait_for(&listener, EPOLL_CTL_ADD, READABLE);
    print_port(listener.fd);
    csapp_set_error_handler(csapp_error_return);
    for (;;) {
        int n = epoll_wait(epfd, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;

            if (client == &listener)
                welcome(listener.fd);
            else
                advance(client);
        }
    }
}
