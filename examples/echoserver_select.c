/*
 * echoserver_select - sends every line back, with one thread that waits for all clients by select
 *
 * What to watch: in every round the program passes all its descriptors to select, and the kernel examines each, so
 * a round costs time in proportion to the clients. (With epoll, it is in proportion to the events.) A descriptor of
 * FD_SETSIZE (1,024) or above does not fit into the set, and FD_SET would write past its end: the server refuses such
 * clients. And select does not know which lines are already in a rio_t, so client_advance in echo.h reads until
 * none is left.
 *
 * usage: echoserver_select PORT        (PORT 0: any free one, which is printed)
 */
#include "echo.h"

static struct client *clients[FD_SETSIZE]; /* by descriptor */
static fd_set readable, writable;          /* what is waited for */

static void end(int fd)
{
    FD_CLR(fd, &readable);
    FD_CLR(fd, &writable);
    Free(clients[fd]);
    clients[fd] = NULL;
    Close(fd);
}

static void advance(int fd)
{
    enum interest interest = client_advance(clients[fd]);

    FD_CLR(fd, &readable);
    FD_CLR(fd, &writable);
    if (interest == READABLE)
        FD_SET(fd, &readable);
    else if (interest == WRITABLE)
        FD_SET(fd, &writable);
    else
        end(fd);
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
    client = fd < FD_SETSIZE ? Malloc(sizeof *client) : NULL;
    if (client == NULL) {
        Close(fd);
        return;
    }
    client_init(client, fd);
    clients[fd] = client;
    FD_SET(fd, &readable);
}

int main(int argc, char **argv)
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listenfd = Open_listenfd(argv[1]);
    print_port(listenfd);
    csapp_set_error_handler(csapp_error_return);
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(listenfd, &readable);
    for (;;) {
        fd_set can_read = readable, can_write = writable;

        if (Select(FD_SETSIZE, &can_read, &can_write, NULL, NULL) < 0)
            continue;
        for (int fd = 0; fd < FD_SETSIZE; fd++) {
            if (clients[fd] != NULL && (FD_ISSET(fd, &can_read) || FD_ISSET(fd, &can_write)))
                advance(fd);
        }
        if (FD_ISSET(listenfd, &can_read))
            welcome(listenfd);
    }
}
