/*
 * reaped_fewer - a SIGCHLD handler that waits for one child each time it is called
 *
 * Three children end while the signal is blocked: it is delivered once.
 */
#include "csapp.h"

static void reap(int signal)
{
    int before = errno;

    (void)signal;
#ifdef MENDED
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
#else
    waitpid(-1, NULL, 0);
#endif
    errno = before;
}

int main(void)
{
    sigset_t mask;
    int i;

    Signal(SIGCHLD, reap); /* FAULT: reaped-fewer */
    Sigemptyset(&mask);
    Sigaddset(&mask, SIGCHLD);
    Sigprocmask(SIG_BLOCK, &mask, NULL);
    for (i = 0; i < 3; i++)
        if (Fork() == 0)
            _exit(0);
    usleep(100000);
    Sigprocmask(SIG_UNBLOCK, &mask, NULL);
    return 0;
}
