/*
 * quits - waits in read for a byte that does not come; its argument says what it does about SIGQUIT
 */
#include "csapp.h"

static void caught(int signal)
{
    (void)signal;
    Sio_puts("caught\n");
}

int main(int argc, char **argv)
{
    char byte;
    int ends[2];
    sigset_t all;
    const char *way = argc > 1 ? argv[1] : "";

    if (pipe(ends) < 0)
        unix_error("pipe");
    Sigfillset(&all);
    if (strcmp(way, "ignores") == 0)
        Signal(SIGQUIT, SIG_IGN);
    if (strcmp(way, "handles") == 0)
        Signal(SIGQUIT, caught);
    if (strcmp(way, "blocks") == 0)
        Sigprocmask(SIG_BLOCK, &all, NULL);
    if (strcmp(way, "forks") == 0)
        Fork();
    Sio_puts("ready\n");
    Read(ends[0], &byte, 1); /* MARK read */
    return 0;
}
