/*
 * echoserver_process - sends every line back, with a process for each client
 *
 * What to watch: parent and child share the open connection, so the parent closes its descriptor at once.
 * Otherwise the connection would stay open when the child closes it, and the client would never see its end.
 * A child that has ended stays as a zombie until its parent waits for it. The parent gets a SIGCHLD, but signals do
 * not queue: one may stand for several children, so the handler waits until no ended child is left.
 *
 * usage: echoserver_process PORT        (PORT 0: any free one, which is printed)
 */
#include "echo.h"

static void reap(int signum)
{
    int before = errno;

    (void)signum;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = before;
}

int main(int argc, char **argv)
{
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    Signal(SIGCHLD, reap);
    listenfd = Open_listenfd(argv[1]);
    print_port(listenfd);
    csapp_set_error_handler(csapp_error_return);
    for (;;) {
        int connection = Accept(listenfd, NULL, NULL);

        if (connection < 0) {
            Sleep(1); /* out of descriptors, most likely: some will come back */
            continue;
        }
        if (Fork() == 0) {
            Close(listenfd);
            echo(connection);
            return 0;
        }
        Close(connection);
    }
}
