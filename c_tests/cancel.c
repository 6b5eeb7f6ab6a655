/* Leaving a call in the middle: a thread is cancelled or exits in it. It ends as it should, and its clean-up
   handlers run. */
#define _GNU_SOURCE
#include "blocking.h"

static int cleaned_up;
static int one = 1;

static void clean_up(void *arg)
{
    cleaned_up += *(int *)arg;
}

static void *block(void *call)
{
    pthread_cleanup_push(clean_up, &one);
    thread_id = (pid_t)syscall(SYS_gettid);
    (*(void (*const *)(void))call)();
    pthread_cleanup_pop(0);
    return NULL;
}

START_TEST(a_thread_can_be_cancelled_in_every_blocking_call)
{
    pthread_t thread;
    void *value = NULL;
    pid_t child = prepare_to_block();

    ck_assert_int_eq(pthread_create(&thread, NULL, block, (void *)&blocking[_i]), 0);
    wait_until_blocked();
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    kill(child, SIGKILL);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_int_eq(cleaned_up, 1);
}
END_TEST

static void exit_thread(void)
{
    pthread_exit(&one);
}

static void *fail_in_thread(void *arg)
{
    pthread_cleanup_push(clean_up, &one);
    Rio_readn(-1, bytes, 1);
    pthread_cleanup_pop(0);
    return arg;
}

START_TEST(an_error_handler_may_end_its_thread)
{
    csapp_error_handler_t *const handlers[] = {exit_thread, csapp_error_thread_exit};
    pthread_t thread;
    void *value = &cleaned_up;

    csapp_set_error_handler(handlers[_i]);
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_in_thread, &rio), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, _i == 0 ? &one : NULL);
    ck_assert_int_eq(cleaned_up, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tests = tcase_create("cancel");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_thread_can_be_cancelled_in_every_blocking_call, 0, BLOCKING);
    tcase_add_loop_test(tests, an_error_handler_may_end_its_thread, 0, 2);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
