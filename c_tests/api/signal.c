/* Signals: Signal by way of sigaction, and the wrappers for masks and sets. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"

INJECT(int, sigsuspend, (const sigset_t *set), (set), MINUS_ONE)

static sigset_t a_set;

#define FAILURES(CALL)                                                                            \
    CALL(Signal, SIG_ERR, BY_ERRNO, EINVAL, Signal(SIGKILL, SIG_IGN))                             \
    CALL(Sigprocmask, 0, BY_ERRNO, EINVAL, NOTHING(Sigprocmask(12345, &a_set, NULL)))             \
    CALL(Sigemptyset, 0, BY_ERRNO, EFAULT, NOTHING(Sigemptyset(NULL)))                            \
    CALL(Sigfillset, 0, BY_ERRNO, EFAULT, NOTHING(Sigfillset(NULL)))                              \
    CALL(Sigaddset, 0, BY_ERRNO, EINVAL, NOTHING(Sigaddset(&a_set, -1)))                          \
    CALL(Sigdelset, 0, BY_ERRNO, EINVAL, NOTHING(Sigdelset(&a_set, 9999)))                        \
    OF_GLIBC(CALL(Sigismember, -1, BY_ERRNO, EINVAL, Sigismember(&a_set, 0)))                     \
    CALL(Sigsuspend, -1, BY_ERRNO, EFAULT, (FAIL_NEXT(sigsuspend, EFAULT), Sigsuspend(&a_set)))

DEFINE_FAILURES

static volatile sig_atomic_t count, was_blocked;

static void count_signal(int signum)
{
    sigset_t mask;

    count++;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    was_blocked = sigismember(&mask, signum);
}

START_TEST(signal_returns_the_handler_before)
{
    ck_assert(Signal(SIGUSR1, count_signal) == SIG_DFL);
    ck_assert(Signal(SIGUSR1, SIG_IGN) == count_signal);
    ck_assert(Signal(SIGUSR1, SIG_DFL) == SIG_IGN);
}
END_TEST

START_TEST(signal_installs_with_sa_restart_and_an_empty_mask)
{
    struct sigaction action;
    int signum;

    Signal(SIGUSR1, count_signal);
    ck_assert_int_eq(sigaction(SIGUSR1, NULL, &action), 0);
    ck_assert(action.sa_handler == count_signal);
    ck_assert_int_eq(action.sa_flags & (SA_RESTART | SA_RESETHAND | SA_NODEFER | SA_SIGINFO), SA_RESTART);
    for (signum = 1; signum < 32; signum++)
        ck_assert_int_eq(sigismember(&action.sa_mask, signum), 0);
}
END_TEST

START_TEST(the_handler_stays_and_its_signal_is_blocked_while_it_runs)
{
    Signal(SIGUSR1, count_signal);
    raise(SIGUSR1);
    raise(SIGUSR1);
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(was_blocked, 1);
}
END_TEST

static int ends[2];

static void write_a_byte(void)
{
    if (write(ends[1], "x", 1) != 1)
        abort();
}

/* interrupt_until installs without SA_RESTART; then Signal installs the same handler again. */
START_TEST(a_plain_read_restarts_after_a_handler_that_signal_installed)
{
    char byte;

    ck_assert_int_eq(pipe(ends), 0);
    interrupt_until(write_a_byte);
    Signal(SIGALRM, interrupt_call);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    ck_assert_was_interrupted();
}
END_TEST

START_TEST(a_set_that_is_null_is_an_error)
{
    ck_assert_int_eq(REASON_OF(Sigaddset(NULL, SIGUSR1)), EFAULT);
    ck_assert_int_eq(REASON_OF(Sigdelset(NULL, SIGUSR1)), EFAULT);
    ck_assert_int_eq(REASON_OF(Sigismember(NULL, SIGUSR1)), EFAULT);
}
END_TEST

START_TEST(sets_hold_what_was_put_into_them)
{
    sigset_t set;

    Sigemptyset(&set);
    ck_assert_int_eq(Sigismember(&set, SIGINT), 0);
    Sigaddset(&set, SIGINT);
    ck_assert_int_eq(Sigismember(&set, SIGINT), 1);
    ck_assert_int_eq(Sigismember(&set, SIGTERM), 0);
    Sigfillset(&set);
    ck_assert_int_eq(Sigismember(&set, SIGTERM), 1);
    Sigdelset(&set, SIGTERM);
    ck_assert_int_eq(Sigismember(&set, SIGTERM), 0);
}
END_TEST

START_TEST(sigprocmask_holds_a_signal_back)
{
    sigset_t set, before, pending;

    Signal(SIGUSR1, count_signal);
    Sigemptyset(&set);
    Sigaddset(&set, SIGUSR1);
    Sigprocmask(SIG_BLOCK, &set, &before);
    ck_assert_int_eq(sigismember(&before, SIGUSR1), 0);
    raise(SIGUSR1);
    ck_assert_int_eq(count, 0);
    sigpending(&pending);
    ck_assert_int_eq(sigismember(&pending, SIGUSR1), 1);
    Sigprocmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_eq(count, 1);
}
END_TEST

START_TEST(sigsuspend_returns_minus_one_after_a_signal_and_reports_nothing)
{
    sigset_t set, none;

    Signal(SIGUSR1, count_signal);
    Sigemptyset(&none);
    Sigemptyset(&set);
    Sigaddset(&set, SIGUSR1);
    Sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    ck_assert_int_eq(Sigsuspend(&none), -1);
    ck_assert_int_eq(count, 1);
    Sigprocmask(SIG_BLOCK, NULL, &none);
    ck_assert_int_eq(Sigismember(&none, SIGUSR1), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("signal");

    add_failures(tests);
    tcase_add_test(tests, signal_returns_the_handler_before);
    tcase_add_test(tests, signal_installs_with_sa_restart_and_an_empty_mask);
    tcase_add_test(tests, the_handler_stays_and_its_signal_is_blocked_while_it_runs);
    tcase_add_test(tests, a_plain_read_restarts_after_a_handler_that_signal_installed);
    tcase_add_test(tests, a_set_that_is_null_is_an_error);
    tcase_add_test(tests, sets_hold_what_was_put_into_them);
    tcase_add_test(tests, sigprocmask_holds_a_signal_back);
    tcase_add_test(tests, sigsuspend_returns_minus_one_after_a_signal_and_reports_nothing);
    return run_suite("signal", tests);
}
