/* Jumps out of a handler, a thousand times; what comes afterwards is no handler. */
#include "csapp.h"

static sigjmp_buf env;

static void leave(int signal)
{
    (void)signal;
    siglongjmp(env, 1);
}

int main(void)
{
    volatile int n = 0;

    Signal(SIGUSR1, leave);
    while (n < 1000)
        if (sigsetjmp(env, 1) == 0)
            Kill(getpid(), SIGUSR1);
        else
            n++;
    printf("ok\n");
    free(malloc(n));
    return 0;
}
