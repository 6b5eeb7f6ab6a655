/* Opens until there is no number left, forks and runs a program like that, and closes all again. */
#include "csapp.h"
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = { 32, 32 };
    int fds[32], n = 0, status;

    setrlimit(RLIMIT_NOFILE, &limit);
    while ((fds[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    if (errno != EMFILE)
        return 1;
    if (Fork() == 0)
        _exit(n > 0 ? 0 : 1);
    Wait(&status);
    while (n > 0)
        Close(fds[--n]);
    puts(status == 0 ? "ok" : "not ok");
    return 0;
}
