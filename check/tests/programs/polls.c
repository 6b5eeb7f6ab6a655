/* Looks now and then whether its children have ended, and ends before it has found that. */
#include "csapp.h"

int main(void)
{
    int ends[2], i;
    char byte;
    siginfo_t info;
    pid_t pids[2];

    if (pipe(ends) < 0)
        return 1;
    for (i = 0; i < 2; i++)
        if ((pids[i] = Fork()) == 0) {
            Close(ends[1]);
            Read(ends[0], &byte, 1);
            exit(0);
        }
    if (waitpid(-1, NULL, WNOHANG) != 0)
        return 2;
    Close(ends[1]);
    for (i = 0; i < 2; i++)
        waitid(P_PID, pids[i], &info, WEXITED | WNOWAIT);
    puts("ok");
    return 0;
}
