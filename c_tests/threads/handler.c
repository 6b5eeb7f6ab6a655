/* The library in a signal handler, whatever the program is in the middle of: robust I/O and sio take no
   lock and allocate nothing. */
#include "streams.h"

#define TICKS 1000

static volatile sig_atomic_t ticks, failures;
static int stream[2], block[2];
static rio_t rio;

/* A line and a block, there and back; in between, a failure that only returns. */
static void tick(int signum)
{
    char line[100], expected[100];
    int before = errno;

    (void)signum;
    ticks++;
    sio_dprintf(stream[1], "%s %d\n", "tick", (int)ticks);
    memset(expected, 0, sizeof expected);
    if (rio_readlineb(&rio, line, sizeof line) < 6 || memcmp(line, "tick ", 5) != 0
        || atoi(line + 5) != (int)ticks)
        failures++;
    if (rio_writen(block[1], expected, sizeof expected) != sizeof expected
        || rio_readn(block[0], line, sizeof line) != sizeof line || memcmp(line, expected, sizeof line) != 0)
        failures++;
    if (rio_readn(-1, line, 1) != -1 || errno != EBADF)
        failures++;
    errno = before;
}

static void start_ticking(void)
{
    const struct itimerval often = {{0, 200}, {0, 200}};

    socket_pair(stream);
    pipe_pair(block);
    rio_readinitb(&rio, stream[0]);
    Signal(SIGALRM, tick);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

START_TEST(in_the_middle_of_malloc)
{
    void *blocks[64] = {NULL};
    unsigned i = 0;

    start_ticking();
    while (ticks < TICKS) {
        void **one = &blocks[i++ % 64];

        free(*one);
        *one = malloc(i * 7919 % 5000);
        ck_assert_ptr_nonnull(*one);
    }
    end_storm();
    ck_assert_int_eq(failures, 0);
}
END_TEST

START_TEST(in_the_middle_of_stdio)
{
    FILE *nowhere = fopen("/dev/null", "w");
    int i = 0;

    start_ticking();
    while (ticks < TICKS)
        fprintf(nowhere, "%d %s %f\n", i++, "text", 1.5);
    end_storm();
    ck_assert_int_eq(failures, 0);
}
END_TEST

/* With stdio's own locks held, so that a call that wants one waits forever. */
static void *hold_locks(void *arg)
{
    flockfile(stdout);
    flockfile(stderr);
    V(arg);
    for (;;)
        pause();
    return NULL;
}

static void tick_with_stdio_locked(void *arg)
{
    pthread_t thread;
    sem_t held;
    int i;

    (void)arg;
    Sem_init(&held, 0, 0);
    Pthread_create(&thread, NULL, hold_locks, &held);
    P(&held);
    alarm(20);
    csapp_set_error_handler(csapp_error_return);
    socket_pair(stream);
    pipe_pair(block);
    rio_readinitb(&rio, stream[0]);
    Signal(SIGUSR1, tick);
    for (i = 0; i < 10; i++)
        raise(SIGUSR1);
    Sio_puts("a line\n");
    Rio_readn(-1, &i, 1);
    _exit(failures == 0 && ticks == 10 ? 42 : 43);
}

START_TEST(while_a_thread_holds_the_locks_of_stdio)
{
    struct outcome seen = outcome_of(tick_with_stdio_locked, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "Rio_readn error: Bad file descriptor\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("handler");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, in_the_middle_of_malloc);
    tcase_add_test(tests, in_the_middle_of_stdio);
    tcase_add_test(tests, while_a_thread_holds_the_locks_of_stdio);
    return run_suite("handler", tests);
}
