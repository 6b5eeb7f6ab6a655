/* Looks now and then whether its child has ended, and ends before it has found that. */
#include "csapp.h"

int main(void)
{
    int ends[2];
    char byte;
    siginfo_t info;
    pid_t pid;

    if (pipe(ends) < 0)
        return 1;
    if ((pid = Fork()) == 0) {
        Close(ends[1]);
        Read(ends[0], &byte, 1);
        exit(0);
    }
    if (waitpid(pid, NULL, WNOHANG) != 0)
        return 2;
    Close(ends[1]);
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    puts("ok");
    return 0;
}
