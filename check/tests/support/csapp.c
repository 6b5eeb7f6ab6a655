/*
 * A csapp.c as a course hands it out: the functions that the broken examples call, by the book's algorithm. It stands
 * for the copy that most programs have compiled in.
 */
#include "csapp.h"

static void die(const char *what, int code)
{
    fprintf(stderr, "%s: %s\n", what, strerror(code));
    exit(1);
}

void unix_error(const char *what)
{
    die(what, errno);
}

static int checked(int result, const char *what)
{
    if (result < 0)
        unix_error(what);
    return result;
}

int Open(const char *path, int flags, mode_t mode)
{
    return checked(open(path, flags, mode), "Open error");
}

void Close(int fd)
{
    checked(close(fd), "Close error");
}

ssize_t Read(int fd, void *buffer, size_t n)
{
    ssize_t came = read(fd, buffer, n);

    checked(came < 0 ? -1 : 0, "Read error");
    return came;
}

ssize_t Write(int fd, const void *buffer, size_t n)
{
    ssize_t went = write(fd, buffer, n);

    checked(went < 0 ? -1 : 0, "Write error");
    return went;
}

pid_t Fork(void)
{
    return checked(fork(), "Fork error");
}

pid_t Wait(int *status)
{
    return checked(wait(status), "Wait error");
}

void Kill(pid_t pid, int signal)
{
    checked(kill(pid, signal), "Kill error");
}

handler_t *Signal(int number, handler_t *handler)
{
    struct sigaction action, old;

    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    checked(sigaction(number, &action, &old), "Signal error");
    return old.sa_handler;
}

void Sigemptyset(sigset_t *set)
{
    checked(sigemptyset(set), "Sigemptyset error");
}

void Sigaddset(sigset_t *set, int signal)
{
    checked(sigaddset(set, signal), "Sigaddset error");
}

void Sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    checked(sigprocmask(how, set, old), "Sigprocmask error");
}

void Pthread_create(pthread_t *tid, const pthread_attr_t *attributes, void *(*start)(void *), void *argument)
{
    int code = pthread_create(tid, attributes, start, argument);

    if (code != 0)
        die("Pthread_create error", code);
}

void Pthread_join(pthread_t tid, void **result)
{
    int code = pthread_join(tid, result);

    if (code != 0)
        die("Pthread_join error", code);
}

void Pthread_detach(pthread_t tid)
{
    int code = pthread_detach(tid);

    if (code != 0)
        die("Pthread_detach error", code);
}

void Sem_init(sem_t *semaphore, int shared, unsigned value)
{
    checked(sem_init(semaphore, shared, value), "Sem_init error");
}

void P(sem_t *semaphore)
{
    checked(sem_wait(semaphore), "P error");
}

void V(sem_t *semaphore)
{
    checked(sem_post(semaphore), "V error");
}

ssize_t Sio_puts(const char *text)
{
    return write(STDOUT_FILENO, text, strlen(text));
}

void rio_readinitb(rio_t *rio, int fd)
{
    rio->rio_fd = fd;
    rio->rio_cnt = 0;
    rio->rio_bufptr = rio->rio_buf;
}

/* At most n bytes, with one read at most. */
static ssize_t take(rio_t *rio, char *to, size_t n)
{
    size_t count;

    while (rio->rio_cnt <= 0) {
        rio->rio_cnt = (int)read(rio->rio_fd, rio->rio_buf, sizeof rio->rio_buf);
        if (rio->rio_cnt == 0)
            return 0;
        if (rio->rio_cnt > 0)
            rio->rio_bufptr = rio->rio_buf;
        else if (errno != EINTR)
            return -1;
    }
    count = (size_t)rio->rio_cnt < n ? (size_t)rio->rio_cnt : n;
    memcpy(to, rio->rio_bufptr, count);
    rio->rio_bufptr += count;
    rio->rio_cnt -= (int)count;
    return (ssize_t)count;
}

ssize_t rio_readlineb(rio_t *rio, void *line, size_t maxlen)
{
    char *to = line;
    size_t n = 0;

    while (n + 1 < maxlen) {
        ssize_t came = take(rio, to + n, 1);

        if (came < 0)
            return -1;
        if (came == 0)
            break;
        if (to[n++] == '\n')
            break;
    }
    to[n] = 0;
    return (ssize_t)n;
}

void Rio_readinitb(rio_t *rio, int fd)
{
    rio_readinitb(rio, fd);
}

ssize_t Rio_readlineb(rio_t *rio, void *line, size_t maxlen)
{
    ssize_t n = rio_readlineb(rio, line, maxlen);

    checked(n < 0 ? -1 : 0, "Rio_readlineb error");
    return n;
}
