/*
 * errno_in_handler - a handler whose own failed call replaces the errno of the code that it interrupts
 */
#include "csapp.h"

static void reap(int signal)
{
#ifdef MENDED
    int before = errno;
#endif

    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
#ifdef MENDED
    errno = before;
#endif
}

int main(void)
{
    Signal(SIGCHLD, reap); /* FAULT: errno-in-handler */
    errno = 0;
    if (Fork() == 0)
        _exit(0);
    sleep(5); /* until the signal comes */
    return 0;
}
