/* Streams to test on, and what happens to real ones: slow peers, timeouts, signals. */
#ifndef STREAMS_H
#define STREAMS_H

#include "support.h"
#include <time.h>

/* A value that no call sets errno to: what success must leave alone. */
#define UNTOUCHED 7777

static inline void sleep_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        continue;
}

/* Milliseconds on a clock that nobody sets. */
static inline long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Two connected sockets. */
static inline void socket_pair(int ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

/* A pipe: ends[0] is read from, ends[1] written to. */
static inline void pipe_pair(int ends[2])
{
    ck_assert_int_eq(pipe(ends), 0);
}

/* A file of these bytes, open for reading and appending, whose name is gone already. */
static inline int file_of(const void *bytes, size_t n)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    int fd = mkstemp(name);

    ck_assert_int_ne(fd, -1);
    ck_assert_int_eq(unlink(name), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_APPEND), 0);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Sends these bytes by one plain write. */
static inline void send_bytes(int fd, const void *bytes, size_t n)
{
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
}

static inline void send_text(int fd, const char *text)
{
    send_bytes(fd, text, strlen(text));
}

static inline void make_nonblocking(int fd)
{
    ck_assert_int_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Gives a socket a time limit; `option` is SO_RCVTIMEO or SO_SNDTIMEO. */
static inline void limit_ms(int fd, int option, long ms)
{
    struct timeval limit = {ms / 1000, ms % 1000 * 1000};

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, option, &limit, sizeof limit), 0);
}

/* Runs body(arg) in a child process, which ends with the status that it returns. */
static inline pid_t in_child(int (*body)(void *), void *arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    ck_assert_int_ne(pid, -1);
    if (pid == 0)
        _exit(body(arg));
    return pid;
}

/* The status with which a child process ended, or 128 + the signal that ended it. */
static inline int status_of(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) == -1)
        ck_assert_int_eq(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static volatile sig_atomic_t interruptions;

static inline void count_interruption(int signum)
{
    (void)signum;
    __atomic_fetch_add(&interruptions, 1, __ATOMIC_RELAXED); /* other threads may look */
}

/* From now on, a signal whose handler has these flags interrupts this process a thousand times a
   second, or every STORM_INTERVAL_US microseconds, where handlers alone would take up that time
   (valgrind). */
static inline void start_storm_with(int flags)
{
    const char *interval = getenv("STORM_INTERVAL_US");
    long us = interval == NULL ? 1000 : atol(interval);
    struct itimerval often = {{0, us}, {0, us}};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = count_interruption;
    action.sa_flags = flags;
    __atomic_store_n(&interruptions, 0, __ATOMIC_RELAXED);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}

/* The usual storm: nothing restarts by itself. */
static inline void start_storm(void)
{
    start_storm_with(0);
}

static inline void end_storm(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};

    setitimer(ITIMER_REAL, &never, NULL);
}

/* n writable bytes, after which comes a page that may not be touched. */
static inline char *before_guard_page(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (n + page - 1) / page * page;
    char *start = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);

    ck_assert_ptr_ne(start, MAP_FAILED);
    ck_assert_int_eq(mprotect(start + whole, page, PROT_NONE), 0);
    return start + whole - n;
}

#endif
