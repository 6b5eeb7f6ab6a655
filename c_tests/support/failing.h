/* Tables of wrapper calls that fail, and what each of them has to do then under every ready-made
   error handler. A suite lists its calls as FAILURES(CALL), one line each:

       CALL(Open, -1, BY_ERRNO, ENOENT, Open("/nowhere/file", O_RDONLY, 0), ": /nowhere/file")

   (the wrapper's name, its failing value, where the reason comes from, the reason, the call, and what the message
   names behind "Open error", if anything: here ": /nowhere/file"), then says DEFINE_FAILURES, and adds the tests with add_failures. */
#ifndef FAILING_H
#define FAILING_H

#include "support.h"
#include <dlfcn.h>
#include <stdint.h>

/* A line of the table for glibc alone: elsewhere this call does not fail, or may do anything. */
#ifdef __GLIBC__
#define OF_GLIBC(line) line
#else
#define OF_GLIBC(line)
#endif

/* Where a wrapper's reason comes from. UNSAID: the message says it all. */
enum reason { BY_ERRNO, BY_CODE, BY_RESOLVER, BY_HOST, UNSAID };

struct failing_call {
    const char *name;
    intptr_t value;
    enum reason from;
    int reason;
    intptr_t (*call)(void);
    const char *on;
};

/* The call of a wrapper that returns nothing, as an expression. */
#define NOTHING(call) ((call), 0)

#define DEFINE_CALL(name, value, from, reason, expression, ...) \
    static intptr_t name##_that_fails(void)                     \
    {                                                           \
        return (intptr_t)(expression);                          \
    }
#define LIST_CALL(name, value, from, reason, expression, ...) \
    {#name, (intptr_t)(value), from, reason, name##_that_fails, "" __VA_ARGS__},
/* Stands in for libc's function `name`: while name_left is above 0, a call counts it down
   and gives what `failing` says. The library calls libc by undefined symbols, so the program's
   definition is the one it finds, with the shared library and with the static one. */
#define INJECT(type, name, parameters, arguments, failing)   \
    static int name##_left, name##_reason, name##_calls;     \
    type name parameters                                     \
    {                                                        \
        type(*real) parameters;                              \
                                                             \
        name##_calls++;                                      \
        if (name##_left > 0) {                               \
            name##_left--;                                   \
            return failing(name##_reason);                   \
        }                                                    \
        *(void **)&real = dlsym(RTLD_NEXT, #name);           \
        return real arguments;                               \
    }
#define MINUS_ONE(reason) (errno = (reason), -1)
#define THE_CODE(reason) (reason)

/* As an expression: the next call of libc's `name` fails with `code`. */
#define FAIL_NEXT(name, code) (name##_reason = (code), name##_left = 1)

/* As an expression: the errno that a failing call leaves, here where the error handler returns. */
#define REASON_OF(call) (csapp_set_error_handler(csapp_error_return), errno = 0, (void)(call), errno)

/* The line that a failing call has to write. */
static inline void report_of(const struct failing_call *failing, char *line, size_t size)
{
    const char *text = failing->from == BY_RESOLVER ? gai_strerror(failing->reason)
                       : failing->from == BY_HOST   ? hstrerror(failing->reason)
                                                    : strerror(failing->reason);

    if (failing->from == UNSAID)
        snprintf(line, size, "%s error%s\n", failing->name, failing->on);
    else
        snprintf(line, size, "%s error%s: %s\n", failing->name, failing->on, text);
}

static inline void expect_outcome(const struct failing_call *failing, void (*body)(void *), int status)
{
    struct outcome seen = outcome_of(body, (void *)failing);
    char line[256];

    report_of(failing, line, sizeof line);
    ck_assert_msg(strcmp(seen.err, line) == 0, "%s wrote \"%s\", not \"%s\"", failing->name,
                  seen.err, line);
    ck_assert_msg(seen.status == status, "%s: status %d, not %d", failing->name, seen.status, status);
}

static inline void fail_with_default_handler(void *arg)
{
    const struct failing_call *failing = (const struct failing_call *)arg;

    failing->call();
    _exit(99);
}

/* Status 42: the value and errno are right; 43: the value is not; 44: errno is not. */
static inline void fail_and_go_on(void *arg)
{
    const struct failing_call *failing = (const struct failing_call *)arg;
    intptr_t value;

    csapp_set_error_handler(csapp_error_return);
    errno = 0;
    value = failing->call();
    if (failing->from == BY_ERRNO || failing->from == BY_CODE ? errno != failing->reason : errno == 0)
        _exit(44);
    _exit(value == failing->value ? 42 : 43);
}

static inline void *call_in_thread(void *arg)
{
    const struct failing_call *failing = (const struct failing_call *)arg;

    failing->call();
    return arg;
}

/* Status 42: only the thread has ended; 43: it went on behind the call. */
static inline void fail_in_thread(void *arg)
{
    pthread_t thread;
    void *result = arg;

    csapp_set_error_handler(csapp_error_thread_exit);
    if (pthread_create(&thread, NULL, call_in_thread, arg) != 0
        || pthread_join(thread, &result) != 0)
        _exit(98);
    _exit(result == NULL ? 42 : 43);
}

/* Adds the three tests for each call of a suite's table. */
#define add_failures(tests)                                                                      \
    do {                                                                                         \
        const int count = COUNT(failures);                                                       \
        tcase_add_loop_test(tests, a_failure_is_one_line_and_ends_with_status_1, 0, count);      \
        tcase_add_loop_test(tests, with_error_return_the_failing_value_comes_back, 0, count);    \
        tcase_add_loop_test(tests, with_error_thread_exit_only_the_thread_ends, 0, count);       \
    } while (0)

#define DEFINE_FAILURES                                                        \
    FAILURES(DEFINE_CALL)                                                      \
    static const struct failing_call failures[] = {FAILURES(LIST_CALL)}; \
    START_TEST(a_failure_is_one_line_and_ends_with_status_1)                   \
    {                                                                          \
        expect_outcome(&failures[_i], fail_with_default_handler, 1);           \
    }                                                                          \
    END_TEST                                                                   \
    START_TEST(with_error_return_the_failing_value_comes_back)                 \
    {                                                                          \
        expect_outcome(&failures[_i], fail_and_go_on, 42);                     \
    }                                                                          \
    END_TEST                                                                   \
    START_TEST(with_error_thread_exit_only_the_thread_ends)                    \
    {                                                                          \
        expect_outcome(&failures[_i], fail_in_thread, 42);                     \
    }                                                                          \
    END_TEST

#endif
