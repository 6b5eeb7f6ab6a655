/* Leaving a call in the middle: a thread is cancelled or exits in it. It ends as it should, its clean-up
   handlers run, and nothing stays open. */
#define _GNU_SOURCE
#include "connecting.h"

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

START_TEST(a_cancelled_connect_leaves_nothing_behind)
{
    const struct connecting *site = &connecting[_i / 2];
    pthread_t thread;
    void *value = NULL;
    int before;

    silent = silent_server();
    before = open_descriptors();
    ck_assert_int_eq(pthread_create(&thread, NULL, block, (void *)&site->call), 0);
    wait_until_connecting(thread, site, _i % 2);
    ck_assert_int_eq(open_descriptors(), before + site->attempts);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_int_eq(cleaned_up, 1);
    ck_assert_int_eq(lists_given, 1);
    expect_nothing_left(before);
}
END_TEST

static void cancel_this_thread(void)
{
    pthread_cancel(pthread_self());
}

/* A connect acts at once on a cancellation that came before: the socket has been opened then. */
START_TEST(a_thread_that_is_cancelled_before_it_connects_leaves_nothing_behind)
{
    pthread_t thread;
    void *value = NULL;
    int before;

    silent = silent_server();
    before = open_descriptors();
    before_connect = cancel_this_thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, block, (void *)&connecting[_i].call), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_int_eq(attempts, 1);
    expect_nothing_left(before);
}
END_TEST

static struct server refusing;

static int refused_connect(void)
{
    return open_clientfd("127.0.0.1", refusing.port);
}

static int refused_listen(void)
{
    return open_listenfd(refusing.port);
}

static int (*const refused[])(void) = {refused_connect, refused_listen};

static int outcome;

static void *be_refused(void *call)
{
    pthread_cleanup_push(clean_up, &one);
    outcome = (*(int (*const *)(void))call)(); /* Check itself can be cancelled in: no assertions here */
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

static void *be_refused_uncancelled(void *call)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    return be_refused(call);
}

/* A close acts at once on a cancellation that came before, too, and then does not close. */
START_TEST(a_thread_that_is_cancelled_before_it_closes_leaves_nothing_behind)
{
    const int is_uncancelled = _i % 2;
    pthread_t thread;
    void *value = NULL;
    int before;

    refusing = refusing_server();
    before = open_descriptors();
    before_close = cancel_this_thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, is_uncancelled ? be_refused_uncancelled : be_refused,
                                    (void *)&refused[_i / 2]), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    before_close = NULL;
    ck_assert_int_eq(outcome, -1);
    ck_assert_ptr_eq(value, is_uncancelled ? NULL : PTHREAD_CANCELED);
    ck_assert_int_eq(cleaned_up, !is_uncancelled);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_eq(lists_freed, lists_given);
}
END_TEST

static void exit_thread(const char *message)
{
    (void)message;
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
    TCase *tests = tcase_create("cancel");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_thread_can_be_cancelled_in_every_blocking_call, 0, BLOCKING);
    tcase_add_loop_test(tests, a_cancelled_connect_leaves_nothing_behind, 0, 2 * CONNECTING);
    tcase_add_loop_test(tests, a_thread_that_is_cancelled_before_it_connects_leaves_nothing_behind, 0, CONNECTING);
    tcase_add_loop_test(tests, a_thread_that_is_cancelled_before_it_closes_leaves_nothing_behind, 0, 4);
    tcase_add_loop_test(tests, an_error_handler_may_end_its_thread, 0, 2);
    return run_suite("cancel", tests);
}
