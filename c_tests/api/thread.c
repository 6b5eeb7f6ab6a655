/* Threads: the reason is the call's own return value, not errno; and ending a thread unwinds. */
#define _GNU_SOURCE
#include "failing.h"

INJECT(int, pthread_create,
       (pthread_t *thread, const pthread_attr_t *attr, void *(*routine)(void *), void *arg),
       (thread, attr, routine, arg), THE_CODE)
INJECT(int, pthread_cancel, (pthread_t thread), (thread), THE_CODE)
INJECT(int, pthread_once, (pthread_once_t *control, void (*routine)(void)), (control, routine),
       THE_CODE)

static pthread_t thread;

static void *sleep_for_ever(void *arg)
{
    for (;;)
        pause();
    return arg;
}

static inline pthread_t detached_thread(void)
{
    pthread_create(&thread, NULL, sleep_for_ever, NULL);
    pthread_detach(thread);
    return thread;
}

#define FAILURES(CALL)                                                                            \
    CALL(Pthread_create, 0, BY_CODE, EAGAIN, NOTHING((FAIL_NEXT(pthread_create, EAGAIN),          \
         Pthread_create(&thread, NULL, sleep_for_ever, NULL))))                                   \
    OF_GLIBC(CALL(Pthread_join, 0, BY_CODE, EDEADLK, NOTHING(Pthread_join(pthread_self(), NULL)))) \
    CALL(Pthread_cancel, 0, BY_CODE, ESRCH, NOTHING((FAIL_NEXT(pthread_cancel, ESRCH),            \
         Pthread_cancel(pthread_self()))))                                                        \
    OF_GLIBC(CALL(Pthread_detach, 0, BY_CODE, EINVAL, NOTHING(Pthread_detach(detached_thread())))) \
    CALL(Pthread_once, 0, BY_CODE, EINVAL, NOTHING((FAIL_NEXT(pthread_once, EINVAL),              \
         Pthread_once(&once, count_once))))

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int onces;

static void count_once(void)
{
    onces++;
}

DEFINE_FAILURES

static void *give_back(void *arg)
{
    return arg;
}

START_TEST(a_thread_runs_and_its_value_is_collected)
{
    void *value;
    int here;

    errno = 77;
    Pthread_create(&thread, NULL, give_back, &here);
    Pthread_join(thread, &value);
    ck_assert_int_eq(errno, 77);
    ck_assert_ptr_eq(value, &here);
    ck_assert(pthread_equal(Pthread_self(), pthread_self()));
}
END_TEST

START_TEST(once_is_once)
{
    Pthread_once(&once, count_once);
    Pthread_once(&once, count_once);
    ck_assert_int_eq(onces, 1);
}
END_TEST

static int cleaned_up;

static void clean_up(void *arg)
{
    cleaned_up += *(int *)arg;
}

static int one = 1, two = 2;

static void *exit_in_the_middle(void *arg)
{
    pthread_cleanup_push(clean_up, &one);
    pthread_cleanup_push(clean_up, &two);
    Pthread_exit(arg);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

START_TEST(pthread_exit_runs_the_clean_up_handlers_and_leaves_a_value)
{
    void *value;

    Pthread_create(&thread, NULL, exit_in_the_middle, &one);
    Pthread_join(thread, &value);
    ck_assert_ptr_eq(value, &one);
    ck_assert_int_eq(cleaned_up, 3);
}
END_TEST

static sem_t never, begun;
static pthread_t endless;
static int pipe_ends[2];

/* Blocks in one of the checked wrappers. */
static void block_in(int wrapper)
{
    fd_set set;
    char byte;

    switch (wrapper) {
    case 0:
        P(&never);
        break;
    case 1:
        Read(pipe_ends[0], &byte, 1);
        break;
    case 2:
        Pause();
        break;
    case 3:
        Sleep(1000);
        break;
    case 4:
        FD_ZERO(&set);
        FD_SET(pipe_ends[0], &set);
        Select(pipe_ends[0] + 1, &set, NULL, NULL, NULL);
        break;
    case 5:
        Accept(Open_listenfd("0"), NULL, NULL);
        break;
    case 6:
        Waitpid(-1, NULL, 0);
        break;
    case 7:
        Wait(NULL);
        break;
    case 8:
        Pthread_join(endless, NULL);
        break;
    }
}
/* There, a thread that is cancelled in glibc 2.36's pthread_join runs no clean-up handler, with or
   without this library. */
#ifdef __riscv
#define BLOCKING 8
#else
#define BLOCKING 9
#endif

static void *block(void *wrapper)
{
    pthread_cleanup_push(clean_up, &one);
    sem_post(&begun);
    block_in(*(int *)wrapper);
    pthread_cleanup_pop(0);
    return NULL;
}

START_TEST(a_thread_that_blocks_in_a_wrapper_can_be_cancelled)
{
    int wrapper = _i;
    void *value;
    pid_t child;

    Sem_init(&never, 0, 0);
    Sem_init(&begun, 0, 0);
    ck_assert_int_eq(pipe(pipe_ends), 0);
    if ((child = fork()) == 0)
        sleep_for_ever(NULL);
    pthread_create(&endless, NULL, sleep_for_ever, NULL);
    Pthread_create(&thread, NULL, block, &wrapper);
    P(&begun);
    usleep(20000);
    Pthread_cancel(thread);
    Pthread_join(thread, &value);
    kill(child, SIGKILL);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_int_eq(cleaned_up, 1);
}
END_TEST

static void *fail_between_clean_up_handlers(void *arg)
{
    pthread_cleanup_push(clean_up, &one);
    Close(-1);
    pthread_cleanup_pop(0);
    return arg;
}

static void end_a_thread_by_a_failure(void *arg)
{
    (void)arg;
    csapp_set_error_handler(csapp_error_thread_exit);
    pthread_create(&thread, NULL, fail_between_clean_up_handlers, NULL);
    pthread_join(thread, NULL);
    _exit(cleaned_up == 1 ? 42 : 43);
}

START_TEST(a_failure_that_ends_the_thread_runs_its_clean_up_handlers)
{
    ck_assert_int_eq(outcome_of(end_a_thread_by_a_failure, NULL).status, 42);
}
END_TEST

static sem_t started;

static int is_detached(pthread_t id)
{
    pthread_attr_t attr;
    int state;

    ck_assert_int_eq(pthread_getattr_np(id, &attr), 0);
    ck_assert_int_eq(pthread_attr_getdetachstate(&attr, &state), 0);
    pthread_attr_destroy(&attr);
    return state == PTHREAD_CREATE_DETACHED;
}

static void *say_that_it_runs(void *arg)
{
    V(&started);
    return arg;
}

START_TEST(detaching_leaves_nobody_to_join)
{
    Sem_init(&started, 0, 0);
    Pthread_create(&thread, NULL, sleep_for_ever, NULL);
    ck_assert(!is_detached(thread));
    Pthread_detach(thread);
    ck_assert(is_detached(thread));
    Pthread_create(&thread, NULL, say_that_it_runs, NULL);
    Pthread_detach(thread);
    P(&started);
}
END_TEST

START_TEST(attributes_reach_the_thread)
{
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    Pthread_create(&thread, &attr, sleep_for_ever, NULL);
    ck_assert(is_detached(thread));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("thread");

    add_failures(tests);
    tcase_add_test(tests, a_thread_runs_and_its_value_is_collected);
    tcase_add_test(tests, once_is_once);
    tcase_add_test(tests, pthread_exit_runs_the_clean_up_handlers_and_leaves_a_value);
    tcase_add_loop_test(tests, a_thread_that_blocks_in_a_wrapper_can_be_cancelled, 0, BLOCKING);
    tcase_add_test(tests, a_failure_that_ends_the_thread_runs_its_clean_up_handlers);
    tcase_add_test(tests, detaching_leaves_nobody_to_join);
    tcase_add_test(tests, attributes_reach_the_thread);
    return run_suite("thread", tests);
}
