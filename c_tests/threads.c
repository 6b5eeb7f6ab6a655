/* Many threads at once, for the thread sanitizer above all. */
#include "streams.h"

#define THREADS 64

/* Reads back the lines that come in on one socket, and checks their number and content. */
static void *read_lines(void *arg)
{
    int i, fd = *(int *)arg;
    char line[32], expected[32];
    rio_t own;

    rio_readinitb(&own, fd);
    for (i = 0; i < 200; i++) {
        snprintf(expected, sizeof expected, "line %d of %d\n", i, fd);
        if (rio_readlineb(&own, line, sizeof line) < 0 || strcmp(line, expected) != 0)
            return arg;
    }
    return NULL;
}

START_TEST(threads_with_a_rio_t_each_do_not_disturb_each_other)
{
    static int pairs[THREADS][2];
    pthread_t threads[THREADS];
    char line[32];
    void *value;
    int i, t;

    for (t = 0; t < THREADS; t++) {
        socket_pair(pairs[t]);
        ck_assert_int_eq(pthread_create(&threads[t], NULL, read_lines, pairs[t]), 0);
    }
    for (i = 0; i < 200; i++)
        for (t = 0; t < THREADS; t++) {
            int len = snprintf(line, sizeof line, "line %d of %d\n", i, pairs[t][0]);

            ck_assert_int_eq(rio_writen(pairs[t][1], line, (size_t)len), len);
        }
    for (t = 0; t < THREADS; t++) {
        ck_assert_int_eq(pthread_join(threads[t], &value), 0);
        ck_assert_ptr_null(value);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");

    tcase_set_timeout(tests, 20);
    tcase_add_test(tests, threads_with_a_rio_t_each_do_not_disturb_each_other);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
