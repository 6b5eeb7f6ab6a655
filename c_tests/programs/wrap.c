/* Linked with -Wl,--wrap,fork,--wrap,waitpid, as shell labs do to watch a student's shell: the
   library's own calls go through the program's functions. */
#include "csapp.h"
#include <assert.h>

pid_t __real_fork(void);
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_fork(void);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);

static int forks, waits;

pid_t __wrap_fork(void)
{
    forks++;
    return __real_fork();
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    waits++;
    return __real_waitpid(pid, status, options);
}

int main(void)
{
    int status;
    pid_t pid = Fork();

    if (pid == 0)
        _exit(7);
    assert(Waitpid(pid, &status, 0) == pid);
    assert(WEXITSTATUS(status) == 7);
    printf("%d fork, %d waitpid\n", forks, waits);
    return 0;
}
