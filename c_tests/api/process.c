/* Processes: the checked wrappers of fork, execve, wait and so on. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"

INJECT(pid_t, fork, (void), (), MINUS_ONE)

static int child_status;

#define FAILURES(CALL)                                                                            \
    CALL(Fork, -1, BY_ERRNO, EAGAIN, (FAIL_NEXT(fork, EAGAIN), Fork()))                           \
    CALL(Execve, 0, BY_ERRNO, ENOENT, NOTHING(Execve("/nowhere/program", no_strings, no_strings)),  \
         ": /nowhere/program")                                                                     \
    CALL(Wait, -1, BY_ERRNO, ECHILD, Wait(&child_status))                                         \
    CALL(Waitpid, -1, BY_ERRNO, ECHILD, Waitpid(-1, &child_status, WNOHANG))                      \
    CALL(Kill, 0, BY_ERRNO, EINVAL, NOTHING(Kill(getpid(), 9999)))                                \
    CALL(Setpgid, 0, BY_ERRNO, EINVAL, NOTHING(Setpgid(0, -1)))

static char *no_strings[] = {NULL};

DEFINE_FAILURES

START_TEST(fork_and_waitpid_give_the_child_and_its_status)
{
    int status;
    pid_t pid = Fork();

    if (pid == 0)
        _exit(7);
    ck_assert_int_gt(pid, 0);
    ck_assert_int_eq(Waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

START_TEST(wait_takes_null_for_a_status_that_nobody_wants)
{
    pid_t pid = Fork();

    if (pid == 0)
        _exit(7);
    ck_assert_int_eq(Wait(NULL), pid);
}
END_TEST

START_TEST(waitpid_gives_0_for_a_child_that_still_runs)
{
    pid_t pid = Fork();

    if (pid == 0) {
        Pause();
        _exit(0);
    }
    errno = 77;
    ck_assert_int_eq(Waitpid(pid, NULL, WNOHANG), 0);
    ck_assert_int_eq(errno, 77);
    Kill(pid, SIGKILL);
    ck_assert_int_eq(Waitpid(pid, &child_status, 0), pid);
    ck_assert_int_eq(WTERMSIG(child_status), SIGKILL);
}
END_TEST

START_TEST(execve_runs_the_program_with_its_arguments_and_environment)
{
    char *argv[] = {"sh", "-c", "exit $CODE", NULL};
    char *envp[] = {"CODE=23", NULL};
    int status;

    if (Fork() == 0)
        Execve("/bin/sh", argv, envp);
    Wait(&status);
    ck_assert_int_eq(WEXITSTATUS(status), 23);
}
END_TEST

static int release_end;

static void release_child(void)
{
    close(release_end);
}

/* A child that ends with status 5 once release_child has run. */
static pid_t held_child(void)
{
    int ends[2];
    char byte;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    if ((pid = Fork()) == 0) {
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 5 : 6);
    }
    close(ends[0]);
    release_end = ends[1];
    return pid;
}

START_TEST(wait_goes_on_after_signals)
{
    pid_t pid = held_child();
    int status;

    interrupt_until(release_child);
    ck_assert_int_eq(Wait(&status), pid);
    ck_assert_was_interrupted();
    ck_assert_int_eq(WEXITSTATUS(status), 5);
}
END_TEST

START_TEST(waitpid_goes_on_after_signals)
{
    pid_t pid = held_child();
    int status;

    interrupt_until(release_child);
    ck_assert_int_eq(Waitpid(pid, &status, 0), pid);
    ck_assert_was_interrupted();
    ck_assert_int_eq(WEXITSTATUS(status), 5);
}
END_TEST

static void release_nothing(void)
{
}

START_TEST(sleep_returns_the_rest_when_a_signal_ends_it)
{
    interrupt_until(release_nothing);
    ck_assert_uint_ge(Sleep(100), 90);
    ck_assert_uint_eq(Sleep(0), 0);
}
END_TEST

static void do_nothing(int signum)
{
    (void)signum;
}

START_TEST(pause_returns_after_a_signal_and_reports_nothing)
{
    static const struct itimerval often = {{0, 20000}, {0, 20000}};

    signal(SIGALRM, do_nothing);
    setitimer(ITIMER_REAL, &often, NULL);
    Pause();
}
END_TEST

START_TEST(alarm_returns_the_seconds_left_of_the_one_before)
{
    ck_assert_uint_eq(Alarm(1000), 0);
    ck_assert_uint_ge(Alarm(0), 999);
}
END_TEST

START_TEST(setpgid_makes_a_process_group_and_getpgrp_tells_it)
{
    int status;

    if (Fork() == 0) {
        Setpgid(0, 0);
        _exit(Getpgrp() == getpid() ? 0 : 1);
    }
    Wait(&status);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(Getpgrp(), getpgrp());
}
END_TEST

START_TEST(kill_sends_the_signal)
{
    pid_t pid = held_child();
    int status;

    /* SIGTERM would meet the handler that the child has from Check. */
    Kill(pid, SIGKILL);
    Wait(&status);
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    Kill(getpid(), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("process");

    add_failures(tests);
    tcase_add_test(tests, fork_and_waitpid_give_the_child_and_its_status);
    tcase_add_test(tests, wait_takes_null_for_a_status_that_nobody_wants);
    tcase_add_test(tests, waitpid_gives_0_for_a_child_that_still_runs);
    tcase_add_test(tests, execve_runs_the_program_with_its_arguments_and_environment);
    tcase_add_test(tests, wait_goes_on_after_signals);
    tcase_add_test(tests, waitpid_goes_on_after_signals);
    tcase_add_test(tests, sleep_returns_the_rest_when_a_signal_ends_it);
    tcase_add_test(tests, pause_returns_after_a_signal_and_reports_nothing);
    tcase_add_test(tests, alarm_returns_the_seconds_left_of_the_one_before);
    tcase_add_test(tests, setpgid_makes_a_process_group_and_getpgrp_tells_it);
    tcase_add_test(tests, kill_sends_the_signal);
    return run_suite("process", tests);
}
