/*
 * stopping.h - how a server ends on SIGTERM and SIGINT
 *
 * What to watch: a handler that only sets a flag is too late for a thread that has just tested the flag and is
 * about to wait. A byte in a pipe is never too late: in every thread, poll waits for the pipe and the socket, and no
 * thread takes the byte out.
 */
#ifndef STOPPING_H
#define STOPPING_H

#include "csapp.h"
#include <poll.h>

static int stop_pipe[2] = {-1, -1};
static volatile sig_atomic_t is_stopping;

static void request_stop(int signum)
{
    int before = errno;

    (void)signum;
    is_stopping = 1;
    if (write(stop_pipe[1], "", 1) < 0)
        errno = 0; /* the pipe is full: it has been said often enough */
    errno = before;
}

/* From here on SIGTERM and SIGINT do not end the program, but have wait_unless_stopped say so. */
static inline void stop_on_signals(void)
{
    if (pipe(stop_pipe) < 0)
        unix_error("pipe error");
    for (int end = 0; end < 2; end++) {
        fcntl(stop_pipe[end], F_SETFD, FD_CLOEXEC);
        fcntl(stop_pipe[end], F_SETFL, O_NONBLOCK);
    }
    Signal(SIGTERM, request_stop);
    Signal(SIGINT, request_stop);
}

/* Waits until fd is readable, for `timeout` milliseconds at most (negative: without limit). 0 if it
   is, -1 if time is up or the server is to stop. */
static inline int wait_unless_stopped(int fd, int timeout)
{
    struct pollfd polled[2] = {{fd, POLLIN, 0}, {stop_pipe[0], POLLIN, 0}};
    int count;

    while ((count = poll(polled, 2, timeout)) < 0 && errno == EINTR)
        ;
    return count > 0 && polled[0].revents != 0 ? 0 : -1;
}

/* Waits until all `count` units of a semaphore are free, for `seconds` at most. */
static inline void wait_for_all(sem_t *free_units, int count, int seconds)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += seconds;
    while (count > 0) {
        if (sem_timedwait(free_units, &end) == 0)
            count--;
        else if (errno != EINTR)
            return;
    }
}

#endif
