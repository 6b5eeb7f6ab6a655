/*
 * echoserver - sends every line back to the client that it came from
 *
 * It has one thread for each connection. What to watch: an error of one client does not affect the others. With
 * the error handler csapp_error_return, a checked call that fails writes its message to standard error and
 * returns -1. Then echo() leaves its loop, the thread closes the connection, and the server keeps running.
 *
 * usage: echoserver PORT        (PORT 0: any free one, which is printed)
 */
#include "echo.h"

static void *serve(void *argument)
{
    int connection = *(int *)argument;

    free(argument);
    echo(connection);
    Close(connection);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_attr_t detached;
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listenfd = Open_listenfd(argv[1]);
    print_port(listenfd);

    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    csapp_set_error_handler(csapp_error_return);
    for (;;) {
        int connection = Accept(listenfd, NULL, NULL);
        int *argument;
        pthread_t tid;
        int code;

        if (connection < 0) {
            Sleep(1); /* out of descriptors, most likely: some will come back */
            continue;
        }
        argument = Malloc(sizeof *argument);
        if (argument != NULL)
            *argument = connection;
        code = argument ? pthread_create(&tid, &detached, serve, argument) : ENOMEM;
        if (code != 0) {
            posix_error(code, "cannot serve a client");
            free(argument);
            Close(connection);
        }
    }
}
