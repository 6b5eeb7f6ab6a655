/* Waits for its children, and takes a wait that a signal interrupts for the end of them. */
#include "csapp.h"

static pid_t child(void)
{
    pid_t pid;

    while ((pid = fork()) < 0)
        ; /* there will be room for it */
    return pid;
}

static pid_t any_child(void)
{
    pid_t pid = waitpid(-1, NULL, 0);

#ifdef MENDED
    while (pid < 0 && errno == EINTR)
        pid = waitpid(-1, NULL, 0);
#endif
    return pid;
}

int main(void)
{
    int i, waited = 0;

    for (i = 0; i < 8; i++)
        if (child() == 0)
            _exit(0);
    while (any_child() > 0)
        waited++;
    return waited == 8 ? 0 : 1;
}
