/*
 * unreaped_child - forks a child for each client, and waits for none
 */
#include "csapp.h"

int main(void)
{
    int i;

    for (i = 0; i < 3; i++)
        if (Fork() == 0) /* FAULT: unreaped-child */
            _exit(0);
    usleep(50000);
#ifdef MENDED
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
#endif
    return 0;
}
