/*
 * echoserver_iterative - sends every line back, one client after the other
 *
 * What to watch: while the server serves one client, the others wait in the kernel's queue of the listening
 * socket. They are connected and can send, but the server does not read what they send until the first
 * client closes its connection. One silent client stops the server. The other echo servers avoid that.
 *
 * usage: echoserver_iterative PORT        (PORT 0: any free one, which is printed)
 */
#include "echo.h"

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
    for (;;) {
        int connection = Accept(listenfd, NULL, NULL);

        if (connection < 0) {
            Sleep(1); /* out of descriptors, most likely: some will come back */
            continue;
        }
        echo(connection);
        Close(connection);
    }
}
