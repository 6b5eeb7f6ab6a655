/* A program of the shell lab's kind: it has a Signal, a unix_error and an app_error of its own,
   which its code uses and the library does not. */
#include "csapp.h"
#include <assert.h>

static int signals, errors;

handler_t *Signal(int signum, handler_t *handler)
{
    signals++;
    return signal(signum, handler);
}

void unix_error(const char *msg)
{
    errors++;
    printf("mine: %s\n", msg);
}

void app_error(const char *msg)
{
    unix_error(msg);
}

int main(void)
{
    int ends[2], status;
    char said[256];
    rio_t rio;
    pid_t pid;

    Signal(SIGUSR1, SIG_IGN);
    Kill(getpid(), SIGUSR1);
    unix_error("unix");
    app_error("application");
    assert(signals == 1 && errors == 2);

    /* A wrapper that fails reports by itself and ends the process. */
    assert(pipe(ends) == 0);
    fflush(stdout);
    if ((pid = Fork()) == 0) {
        Dup2(ends[1], STDERR_FILENO);
        Open("/no/such/file", O_RDONLY, 0);
        _exit(9);
    }
    Close(ends[1]);
    Rio_readinitb(&rio, ends[0]);
    assert(Rio_readlineb(&rio, said, sizeof said) > 0);
    assert(strcmp(said, "Open error: /no/such/file: No such file or directory\n") == 0);
    assert(Rio_readlineb(&rio, said, sizeof said) == 0);
    assert(Waitpid(pid, &status, 0) == pid);
    assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    return 0;
}
