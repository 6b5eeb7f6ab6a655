/* Leaving a call out of a signal handler, by a jump or by pthread_exit. Not for the thread sanitizer: it holds a signal back until
   the call that waits has returned, which it never does. */
#define _GNU_SOURCE
#include "blocking.h"

static sigjmp_buf out;

static void jump_out(int signum)
{
    (void)signum;
    siglongjmp(out, 1);
}

/* Interrupts the main thread once it is blocked. */
static void *interrupt_main_thread(void *arg)
{
    wait_until_blocked();
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

/* Every part of the library does its work. */
static void expect_it_works(void)
{
    struct server server = listening_server(5);
    char line[100];
    int here, there, pair[2];
    pid_t child;

    here = open_clientfd("127.0.0.1", server.port);
    ck_assert_int_ge(here, 0);
    there = Accept(server.fd, NULL, NULL);
    ck_assert_int_ge(csapp_connect("127.0.0.1", server.port, 60000), 0);
    ck_assert_int_eq(rio_writen(here, "a line\nblock", 12), 12);
    Rio_readinitb(&rio, there);
    ck_assert_int_eq(Rio_readlineb(&rio, line, sizeof line), 7);
    ck_assert_str_eq(line, "a line\n");
    ck_assert_int_eq(Rio_readnb(&rio, line, 5), 5);
    ck_assert_mem_eq(line, "block", 5);
    socket_pair(pair);
    ck_assert_int_eq(sio_dprintf(pair[1], "%d\n", 42), 3);
    ck_assert_int_eq(rio_readn(pair[0], line, 3), 3);
    ck_assert_mem_eq(line, "42\n", 3);
    V(&never);
    P(&never);
    child = Fork();
    if (child == 0)
        _exit(3);
    ck_assert_int_eq(Waitpid(child, NULL, 0), child);
}

START_TEST(a_signal_handler_may_jump_out_of_every_blocking_call)
{
    pthread_t self = pthread_self(), thread;
    volatile pid_t child; /* it is read behind the jump */
    volatile int times;

    Signal(SIGUSR1, jump_out);
    for (times = 0; times < 3; times++) {
        child = prepare_to_block();
        thread_id = (pid_t)syscall(SYS_gettid);
        if (sigsetjmp(out, 1) == 0) {
            ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_main_thread, &self), 0);
            blocking[_i]();
            ck_abort_msg("the call came back");
        }
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        expect_it_works();
        kill(child, SIGKILL);
        status_of(child);
    }
}
END_TEST

/* What had come of a line before the jump is lost with it; what comes later is not. */
START_TEST(behind_a_jump_the_same_rio_t_reads_on)
{
    pthread_t self = pthread_self(), thread;
    char line[16];

    socket_pair(ends);
    rio_readinitb(&rio, ends[0]);
    Signal(SIGUSR1, jump_out);
    thread_id = (pid_t)syscall(SYS_gettid);
    if (sigsetjmp(out, 1) == 0) {
        ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_main_thread, &self), 0);
        rio_readlineb(&rio, line, sizeof line);
        ck_abort_msg("the call came back");
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    send_text(ends[1], "whole\n");
    ck_assert_int_eq(rio_readlineb(&rio, line, sizeof line), 6);
    ck_assert_str_eq(line, "whole\n");
}
END_TEST

static int cleaned_up;

static void clean_up(void *arg)
{
    (void)arg;
    cleaned_up++;
}

static void exit_thread(int signum)
{
    (void)signum;
    pthread_exit(&cleaned_up);
}

static void *block(void *call)
{
    pthread_cleanup_push(clean_up, NULL);
    thread_id = (pid_t)syscall(SYS_gettid);
    (*(void (*const *)(void))call)();
    pthread_cleanup_pop(0);
    return NULL;
}

START_TEST(a_signal_handler_may_end_its_thread_in_every_blocking_call)
{
    pthread_t thread;
    void *value = NULL;
    pid_t child = prepare_to_block();

    Signal(SIGUSR1, exit_thread);
    ck_assert_int_eq(pthread_create(&thread, NULL, block, (void *)&blocking[_i]), 0);
    wait_until_blocked();
    ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    kill(child, SIGKILL);
    ck_assert_ptr_eq(value, &cleaned_up);
    ck_assert_int_eq(cleaned_up, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jump");
    TCase *tests = tcase_create("jump");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_signal_handler_may_jump_out_of_every_blocking_call, 0, BLOCKING);
    tcase_add_loop_test(tests, a_signal_handler_may_end_its_thread_in_every_blocking_call, 0, BLOCKING);
    tcase_add_test(tests, behind_a_jump_the_same_rio_t_reads_on);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
