/* A blocking call that signals interrupt: a handler without SA_RESTART runs in the middle of it
   three times, and the third time makes the call able to end. */
#ifndef INTERRUPTED_H
#define INTERRUPTED_H

#include "support.h"

#define INTERRUPTIONS 3

static volatile sig_atomic_t interruptions;
static void (*release_call)(void);

static inline void interrupt_call(int signum)
{
    static const struct itimerval never;
    int before = errno;

    (void)signum;
    if (++interruptions == INTERRUPTIONS) {
        setitimer(ITIMER_REAL, &never, NULL);
        release_call();
    }
    errno = before;
}

/* From now on the calling process is interrupted every 20 ms; the last time, release() runs. */
static inline void interrupt_until(void (*release)(void))
{
    const struct itimerval often = {{0, 20000}, {0, 20000}};
    struct sigaction action;

    interruptions = 0;
    release_call = release;
    memset(&action, 0, sizeof action);
    action.sa_handler = interrupt_call;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

/* To be said after the call: it has ended because of release(), and not before. */
#define ck_assert_was_interrupted() ck_assert_int_eq(interruptions, INTERRUPTIONS)

#endif
