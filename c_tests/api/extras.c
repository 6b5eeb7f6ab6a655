/* Wrappers that people add (CSAPP_EXTRAS): pthread functions report the code that they return. */
#define _GNU_SOURCE
#define CSAPP_EXTRAS
#include "failing.h"

#define INJECT_CODE(name, parameters, arguments) INJECT(int, name, parameters, arguments, THE_CODE)

INJECT_CODE(pthread_mutex_init, (pthread_mutex_t *mutex, const pthread_mutexattr_t *attr),
            (mutex, attr))
INJECT_CODE(pthread_mutex_trylock, (pthread_mutex_t *mutex), (mutex))
INJECT_CODE(pthread_cond_init, (pthread_cond_t *cond, const pthread_condattr_t *attr), (cond, attr))
INJECT_CODE(pthread_cond_wait, (pthread_cond_t *cond, pthread_mutex_t *mutex), (cond, mutex))
INJECT_CODE(pthread_cond_signal, (pthread_cond_t *cond), (cond))
INJECT_CODE(pthread_cond_broadcast, (pthread_cond_t *cond), (cond))
INJECT_CODE(pthread_cond_destroy, (pthread_cond_t *cond), (cond))
INJECT(int, pipe, (int fds[2]), (fds), MINUS_ONE)
INJECT(int, sem_destroy, (sem_t *sem), (sem), MINUS_ONE)

static pthread_mutex_t mutex;
static pthread_cond_t cond;
static sem_t sem;
static int ends[2];
#define NOWHERE "/nowhere/program"
static char nowhere[] = NOWHERE;
static char *const only_a_name[] = {nowhere, NULL};

/* A mutex that says when it is used wrongly; locked if wanted. */
static pthread_mutex_t *checking_mutex(int is_locked)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attr);
    if (is_locked)
        pthread_mutex_lock(&mutex);
    return &mutex;
}

static const struct timespec *no_time(void)
{
    static const struct timespec too_many_nanoseconds = {0, 1000000000};

    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&cond, NULL);
    pthread_mutex_lock(&mutex);
    return &too_many_nanoseconds;
}

/* A socket's port, as text. */
static const char *port_of(int fd)
{
    static char port[8];
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    if (getsockname(fd, (SA *)&address, &length) != 0)
        abort();
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    return port;
}

/* A port that is taken, so that nobody comes to listen there. */
static const char *refusing_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (SA *)&address, sizeof address) != 0)
        abort();
    return port_of(fd);
}

/* The next call of libc's `name` fails, inside `call`. */
#define FAILING(name, reason, call) NOTHING((FAIL_NEXT(name, reason), call))

#define FAILURES(CALL)                                                                            \
    CALL(Pthread_mutex_init, 0, BY_CODE, ENOMEM,                                                  \
         FAILING(pthread_mutex_init, ENOMEM, Pthread_mutex_init(&mutex, NULL)))                   \
    CALL(Pthread_mutex_lock, 0, BY_CODE, EDEADLK, NOTHING(Pthread_mutex_lock(checking_mutex(1)))) \
    CALL(Pthread_mutex_trylock, EINVAL, BY_CODE, EINVAL,                                          \
         (FAIL_NEXT(pthread_mutex_trylock, EINVAL), Pthread_mutex_trylock(&mutex)))               \
    CALL(Pthread_mutex_unlock, 0, BY_CODE, EPERM, NOTHING(Pthread_mutex_unlock(checking_mutex(0)))) \
    OF_GLIBC(CALL(Pthread_mutex_destroy, 0, BY_CODE, EBUSY,                                       \
         NOTHING(Pthread_mutex_destroy(checking_mutex(1)))))                                      \
    CALL(Pthread_cond_init, 0, BY_CODE, EAGAIN,                                                   \
         FAILING(pthread_cond_init, EAGAIN, Pthread_cond_init(&cond, NULL)))                      \
    CALL(Pthread_cond_wait, 0, BY_CODE, EPERM,                                                    \
         FAILING(pthread_cond_wait, EPERM, Pthread_cond_wait(&cond, &mutex)))                     \
    CALL(Pthread_cond_timedwait, EINVAL, BY_CODE, EINVAL,                                         \
         Pthread_cond_timedwait(&cond, &mutex, no_time()))                                        \
    CALL(Pthread_cond_signal, 0, BY_CODE, EINVAL,                                                 \
         FAILING(pthread_cond_signal, EINVAL, Pthread_cond_signal(&cond)))                        \
    CALL(Pthread_cond_broadcast, 0, BY_CODE, EINVAL,                                              \
         FAILING(pthread_cond_broadcast, EINVAL, Pthread_cond_broadcast(&cond)))                  \
    CALL(Pthread_cond_destroy, 0, BY_CODE, EBUSY,                                                 \
         FAILING(pthread_cond_destroy, EBUSY, Pthread_cond_destroy(&cond)))                       \
    CALL(Pipe, -1, BY_ERRNO, EMFILE, (FAIL_NEXT(pipe, EMFILE), Pipe(ends)))                       \
    CALL(Execvp, 0, BY_ERRNO, ENOENT, NOTHING(Execvp(nowhere, only_a_name)), ": " NOWHERE)        \
    CALL(Sem_destroy, 0, BY_ERRNO, EINVAL, FAILING(sem_destroy, EINVAL, Sem_destroy(&sem)))       \
    CALL(Open_clientfd_r, -2, UNSAID, EAI_SERVICE, Open_clientfd_r("127.0.0.1", "65536"),         \
         ": port 65536: not a number from 0 to 65535, nor a service's name")

DEFINE_FAILURES

/* After pthread functions errno is the code, too, for a program whose handler returns. */
static void fail_by_code(void *arg)
{
    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    Pthread_mutex_unlock(checking_mutex(0));
    _exit(errno == EPERM ? 42 : 43);
}

START_TEST(a_code_is_in_errno_as_well)
{
    ck_assert_int_eq(outcome_of(fail_by_code, NULL).status, 42);
}
END_TEST

#define ROUNDS 10000

static long counted;

static void *count_up(void *arg)
{
    int i;

    for (i = 0; i < ROUNDS; i++) {
        Pthread_mutex_lock(&mutex);
        counted++;
        Pthread_mutex_unlock(&mutex);
    }
    return arg;
}

START_TEST(a_mutex_is_a_lock)
{
    pthread_t threads[4];
    int i;

    errno = 77;
    Pthread_mutex_init(&mutex, NULL);
    for (i = 0; i < 4; i++)
        Pthread_create(&threads[i], NULL, count_up, NULL);
    for (i = 0; i < 4; i++)
        Pthread_join(threads[i], NULL);
    ck_assert_int_eq(counted, 4 * ROUNDS);
    Pthread_mutex_destroy(&mutex);
    ck_assert_int_eq(errno, 77);
}
END_TEST

START_TEST(an_attribute_reaches_the_mutex)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    Pthread_mutex_init(&mutex, &attr);
    Pthread_mutex_lock(&mutex);
    Pthread_mutex_lock(&mutex);
    Pthread_mutex_unlock(&mutex);
    Pthread_mutex_unlock(&mutex);
}
END_TEST

START_TEST(trylock_says_that_the_mutex_is_taken)
{
    errno = 77;
    Pthread_mutex_init(&mutex, NULL);
    ck_assert_int_eq(Pthread_mutex_trylock(&mutex), 0);
    ck_assert_int_eq(Pthread_mutex_trylock(&mutex), EBUSY);
    Pthread_mutex_unlock(&mutex);
    ck_assert_int_eq(Pthread_mutex_trylock(&mutex), 0);
    Pthread_mutex_unlock(&mutex);
    ck_assert_int_eq(errno, 77);
}
END_TEST

static int turn, served;

/* Waits until it is told to go, then says that it went. */
static void *wait_for_turn(void *arg)
{
    Pthread_mutex_lock(&mutex);
    while (turn == 0)
        Pthread_cond_wait(&cond, &mutex);
    served++;
    Pthread_cond_signal(&cond);
    Pthread_mutex_unlock(&mutex);
    return arg;
}

START_TEST(a_condition_wakes_one_thread_or_all)
{
    pthread_t threads[3];
    int i, count = _i;

    Pthread_mutex_init(&mutex, NULL);
    Pthread_cond_init(&cond, NULL);
    for (i = 0; i < count; i++)
        Pthread_create(&threads[i], NULL, wait_for_turn, NULL);
    Pthread_mutex_lock(&mutex);
    turn = 1;
    if (count == 1)
        Pthread_cond_signal(&cond);
    else
        Pthread_cond_broadcast(&cond);
    while (served < count)
        Pthread_cond_wait(&cond, &mutex);
    Pthread_mutex_unlock(&mutex);
    for (i = 0; i < count; i++)
        Pthread_join(threads[i], NULL);
    ck_assert_int_eq(served, count);
    Pthread_cond_destroy(&cond);
    Pthread_mutex_destroy(&mutex);
}
END_TEST

/* Which of the two reached libc. */
START_TEST(signal_and_broadcast_are_two_calls)
{
    Pthread_cond_init(&cond, NULL);
    Pthread_cond_signal(&cond);
    ck_assert_int_eq(pthread_cond_signal_calls, 1);
    ck_assert_int_eq(pthread_cond_broadcast_calls, 0);
    Pthread_cond_broadcast(&cond);
    ck_assert_int_eq(pthread_cond_signal_calls, 1);
    ck_assert_int_eq(pthread_cond_broadcast_calls, 1);
}
END_TEST

static void *signal_for_ever(void *arg)
{
    for (;;) {
        Pthread_mutex_lock(&mutex);
        turn = 1;
        Pthread_cond_signal(&cond);
        Pthread_mutex_unlock(&mutex);
        usleep(1000);
    }
    return arg;
}

START_TEST(timedwait_ends_in_time_or_by_a_signal)
{
    struct timespec when;
    pthread_t thread;
    int code = 0;

    Pthread_mutex_init(&mutex, NULL);
    Pthread_cond_init(&cond, NULL);
    Pthread_mutex_lock(&mutex);
    clock_gettime(CLOCK_REALTIME, &when);
    errno = 77;
    while (code == 0)
        code = Pthread_cond_timedwait(&cond, &mutex, &when);
    ck_assert_int_eq(code, ETIMEDOUT);
    ck_assert_int_eq(errno, 77);

    when.tv_sec += 3600;
    Pthread_create(&thread, NULL, signal_for_ever, NULL);
    for (code = 0; code == 0 && turn == 0;)
        code = Pthread_cond_timedwait(&cond, &mutex, &when);
    ck_assert_int_eq(code, 0);
    Pthread_mutex_unlock(&mutex);
    Pthread_cancel(thread);
    Pthread_join(thread, NULL);
}
END_TEST

/* By the usual clock, which is decades ahead, the time would be over at once. */
START_TEST(an_attribute_reaches_the_condition)
{
    struct timespec when, now;
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    Pthread_cond_init(&cond, &attr);
    Pthread_mutex_init(&mutex, NULL);
    Pthread_mutex_lock(&mutex);
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec++;
    while (Pthread_cond_timedwait(&cond, &mutex, &when) == 0)
        ;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ck_assert(now.tv_sec > when.tv_sec || (now.tv_sec == when.tv_sec && now.tv_nsec >= when.tv_nsec));
}
END_TEST

START_TEST(a_pipe_carries_bytes)
{
    char text[8];

    errno = 77;
    ck_assert_int_eq(Pipe(ends), 0);
    ck_assert_int_eq(errno, 77);
    Write(ends[1], "through", sizeof text);
    Close(ends[1]);
    ck_assert_int_eq(Read(ends[0], text, sizeof text), sizeof text);
    ck_assert_str_eq(text, "through");
    ck_assert_int_eq(Read(ends[0], text, sizeof text), 0);
    Close(ends[0]);
}
END_TEST

/* The shell is found along PATH, and inherits the environment. */
static void become_a_shell(void *arg)
{
    char shell[] = "sh", option[] = "-c", command[] = "echo $CSAPP_WORD >&2; exit 7";
    char *const arguments[] = {shell, option, command, NULL};

    setenv("CSAPP_WORD", (const char *)arg, 1);
    Execvp("sh", arguments);
}

START_TEST(execvp_looks_along_the_path)
{
    char word[] = "inherited";
    struct outcome seen = outcome_of(become_a_shell, word);

    ck_assert_int_eq(seen.status, 7);
    ck_assert_str_eq(seen.err, "inherited\n");
}
END_TEST

START_TEST(sem_destroy_ends_a_semaphore)
{
    errno = 77;
    Sem_init(&sem, 0, 1);
    Sem_destroy(&sem);
    ck_assert_int_eq(sem_destroy_calls, 1);
    ck_assert_int_eq(errno, 77);
}
END_TEST

START_TEST(the_re_entrant_names_connect)
{
    int server = open_listenfd("0"), plain, checked;
    const char *port = port_of(server);

    errno = 77;
    plain = open_clientfd_r("127.0.0.1", port);
    checked = Open_clientfd_r("127.0.0.1", port);
    ck_assert_int_eq(errno, 77);
    ck_assert_int_ge(plain, 0);
    ck_assert_int_ge(checked, 0);
    Close(Accept(server, NULL, NULL));
    Close(Accept(server, NULL, NULL));
    Close(plain);
    Close(checked);
    Close(server);
}
END_TEST

START_TEST(open_clientfd_r_fails_without_ending_the_program)
{
    errno = 0;
    ck_assert_int_eq(open_clientfd_r("127.0.0.1", refusing_port()), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(open_clientfd_r("127.0.0.1", "65536"), -2);
}
END_TEST

static void connect_to_no_port(void *arg)
{
    Open_clientfd_r("127.0.0.1", (const char *)arg);
    _exit(99);
}

START_TEST(open_clientfd_r_reports_the_resolvers_reason)
{
    char port[] = "65536";
    struct outcome seen = outcome_of(connect_to_no_port, port);

    ck_assert_int_eq(seen.status, 1);
    ck_assert_str_eq(seen.err, "Open_clientfd_r error: port 65536: not a number from 0 to 65535, nor a service's name\n");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("extras");

    add_failures(tests);
    tcase_add_test(tests, a_code_is_in_errno_as_well);
    tcase_add_test(tests, a_mutex_is_a_lock);
    tcase_add_test(tests, an_attribute_reaches_the_mutex);
    tcase_add_test(tests, trylock_says_that_the_mutex_is_taken);
    tcase_add_loop_test(tests, a_condition_wakes_one_thread_or_all, 1, 4);
    tcase_add_test(tests, signal_and_broadcast_are_two_calls);
    tcase_add_test(tests, timedwait_ends_in_time_or_by_a_signal);
    tcase_add_test(tests, an_attribute_reaches_the_condition);
    tcase_add_test(tests, a_pipe_carries_bytes);
    tcase_add_test(tests, execvp_looks_along_the_path);
    tcase_add_test(tests, sem_destroy_ends_a_semaphore);
    tcase_add_test(tests, the_re_entrant_names_connect);
    tcase_add_test(tests, open_clientfd_r_fails_without_ending_the_program);
    tcase_add_test(tests, open_clientfd_r_reports_the_resolvers_reason);
    return run_suite("extras", tests);
}
