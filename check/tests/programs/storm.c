/* Signals all the time, in threads that open, write, read, close, fork and wait. */
#include "csapp.h"
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void tick(int signal)
{
    int before = errno;
    char byte = (char)signal;
    int fd = open("/dev/null", O_WRONLY);

    if (fd >= 0) {
        if (write(fd, &byte, 1) == 1)
            ticks++;
        close(fd);
    }
    errno = before;
}

static void *work(void *argument)
{
    char byte;
    int ends[2], i, status;
    pid_t pid;

    (void)argument;
    for (i = 0; i < 200; i++) {
        if (pipe(ends) < 0)
            abort();
        Rio_writen(ends[1], "x", 1);
        if (Rio_readn(ends[0], &byte, 1) != 1)
            abort();
        Close(ends[0]);
        Close(ends[1]);
        if (i % 20 == 0) {
            if ((pid = Fork()) == 0)
                _exit(0);
            Waitpid(pid, &status, 0);
        }
    }
    return NULL;
}

int main(void)
{
    struct itimerval often = { { 0, 500 }, { 0, 500 } };
    pthread_t tids[4];
    int i;

    Signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &often, NULL);
    for (i = 0; i < 4; i++)
        Pthread_create(&tids[i], NULL, work, NULL);
    for (i = 0; i < 4; i++)
        Pthread_join(tids[i], NULL);
    memset(&often, 0, sizeof often);
    setitimer(ITIMER_REAL, &often, NULL);
    Sio_puts(ticks > 0 ? "ok\n" : "no ticks\n");
    return 0;
}
