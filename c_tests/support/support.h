/* What the Check suites share: the header under test, and a way to watch a call that may end
   its process. */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "csapp.h"
#include <check.h>

/* What became of a piece of code that ran in a process of its own. */
struct outcome {
    int status;      /* exit status, or 128 + the signal that ended it */
    char err[16384]; /* what it wrote to standard error, as a string */
    size_t err_len;
};

/* Forks; what the child writes to standard error arrives at ends[0]. */
static inline pid_t fork_with_stderr(const int ends[2])
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    ck_assert_int_ne(pid, -1);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
    }
    close(ends[1]);
    return pid;
}

/* Runs body(arg) in a child process and says what became of it. A body that returns ends
   the child with status 0. */
static inline struct outcome outcome_of(void (*body)(void *), void *arg)
{
    struct outcome seen;
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(pipe(ends), 0);
    pid = fork_with_stderr(ends);
    if (pid == 0) {
        body(arg);
        _exit(0);
    }
    while ((n = read(ends[0], seen.err + seen.err_len, sizeof seen.err - 1 - seen.err_len)) > 0)
        seen.err_len += (size_t)n;
    close(ends[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    seen.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return seen;
}

/* Whether the tests that take minutes are wanted (make check-long). */
static inline int is_long_run(void)
{
    return getenv("CSAPP_LONG") != NULL;
}

/* Whether an emulator runs this (make check-cross). */
static inline int is_emulated(void)
{
    const char *runner = getenv("TEST_RUNNER");

    return runner && strstr(runner, "qemu-");
}

/* What another thread or process may be changing. */
#define counted(place) __atomic_load_n(&(place), __ATOMIC_SEQ_CST)

/* How many entries a table has. */
#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* Adds a test that runs once for each entry of a table. */
#define add_for_each(tests, test, table) tcase_add_loop_test(tests, test, 0, COUNT(table))

/* Runs test cases as the suite of this name: what the main function of a suite ends with. */
static inline int run_cases(const char *name, TCase *const cases[], int count)
{
    Suite *suite = suite_create(name);
    SRunner *runner = srunner_create(suite);
    int failed, i;

    for (i = 0; i < count; i++)
        suite_add_tcase(suite, cases[i]);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define run_suite(name, ...) \
    run_cases(name, (TCase *[]){__VA_ARGS__}, (int)(sizeof (TCase *[]){__VA_ARGS__} / sizeof(TCase *)))

#endif
