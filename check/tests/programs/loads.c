/* A thread loads and unloads a library all the time, others fork, and a handler opens and closes. */
#include "csapp.h"
#include <dlfcn.h>
#include <sys/time.h>

static volatile sig_atomic_t is_over;

static void tick(int signal)
{
    int before = errno, fd = open("/dev/null", O_RDONLY);

    (void)signal;
    close(fd);
    errno = before;
}

static void *load(void *argument)
{
    while (!is_over) {
        void *library = dlopen("libanl.so.1", RTLD_NOW);

        if (library == NULL)
            abort();
        dlclose(library);
    }
    return argument;
}

static void *spawn(void *argument)
{
    int i;

    for (i = 0; i < 40; i++) {
        pid_t pid = Fork();

        if (pid == 0) {
            int fd = open("/dev/null", O_RDONLY);

            close_range(3, ~0u, i % 2 ? CLOSE_RANGE_CLOEXEC : 0);
            if (i % 2)
                close(fd);
            _exit(0);
        }
        Waitpid(pid, NULL, 0);
    }
    return argument;
}

int main(void)
{
    struct itimerval often = { { 0, 300 }, { 0, 300 } }, never = { { 0, 0 }, { 0, 0 } };
    pthread_t loader, spawners[2];
    int i;

    Signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &often, NULL);
    Pthread_create(&loader, NULL, load, NULL);
    for (i = 0; i < 2; i++)
        Pthread_create(&spawners[i], NULL, spawn, NULL);
    for (i = 0; i < 2; i++)
        Pthread_join(spawners[i], NULL);
    is_over = 1;
    Pthread_join(loader, NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    puts("ok");
    return 0;
}
