/*
 * unsafe_in_handler - prints a message in a signal handler, with a function that the signal may have interrupted
 */
#include "csapp.h"

static volatile sig_atomic_t signals;

static void tell(int signal)
{
    (void)signal;
#ifdef MENDED
    Sio_puts("got the signal\n");
#else
    printf("got the signal\n"); /* FAULT: unsafe-in-handler */
#endif
    signals++;
}

int main(void)
{
    Signal(SIGUSR1, tell);
    Kill(getpid(), SIGUSR1);
    return 0;
}
