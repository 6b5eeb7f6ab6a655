/* The _error functions and the error handler, as csapp.h promises them. */
#include "support.h"

static void fails_with_enoent(void *arg)
{
    (void)arg;
    errno = ENOENT;
    unix_error("Open error");
}

START_TEST(unix_error_writes_one_line_and_exits_1)
{
    struct outcome seen = outcome_of(fails_with_enoent, NULL);

    ck_assert_str_eq(seen.err, "Open error: No such file or directory\n");
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

static void fails_and_returns(void *arg)
{
    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    errno = ENOENT;
    unix_error("Open error");
    _exit(errno == ENOENT ? 42 : 43);
}

START_TEST(with_error_return_the_call_returns_and_errno_is_kept)
{
    struct outcome seen = outcome_of(fails_and_returns, NULL);

    ck_assert_str_eq(seen.err, "Open error: No such file or directory\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");

    tcase_add_test(tests, unix_error_writes_one_line_and_exits_1);
    tcase_add_test(tests, with_error_return_the_call_returns_and_errno_is_kept);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
