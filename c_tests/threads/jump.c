/* Leaving a call out of a signal handler, by a jump or by pthread_exit. Not for the thread sanitizer: it holds a signal
   back until the call that waits has returned, which it never does. */
#define _GNU_SOURCE
#include "connecting.h"

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

static void exit_thread(int signum)
{
    (void)signum;
    pthread_exit(&cleaned_up);
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

START_TEST(a_connect_whose_thread_ends_leaves_nothing_behind)
{
    const struct connecting *site = &connecting[_i / 2];
    pthread_t thread;
    int before;

    Signal(SIGUSR1, exit_thread);
    silent = silent_server();
    before = open_descriptors();
    ck_assert_int_eq(pthread_create(&thread, NULL, block, (void *)&site->call), 0);
    wait_until_connecting(thread, site, _i % 2);
    ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(cleaned_up, 1);
    ck_assert_int_eq(lists_given, 1);
    expect_nothing_left(before);
}
END_TEST

/* How a thread ends after a jump. */
enum end { RETURN, EXIT, CANCEL, CANCEL_IN_CONNECT, ENDS };

static enum end end;
static int descriptors_before;
static _Atomic int is_ready_to_end;

static void *jump_and_end(void *call)
{
    pthread_cleanup_push(clean_up, &one);
    thread_id = (pid_t)syscall(SYS_gettid);
    if (sigsetjmp(out, 1) == 0)
        (*(void (*const *)(void))call)();
    expect_nothing_left(descriptors_before);
    expect_it_works();
    is_ready_to_end = 1;
    if (end == EXIT)
        pthread_exit(NULL);
    while (end == CANCEL)
        pause();
    if (end == CANCEL_IN_CONNECT)
        in_open_clientfd_of_several();
    pthread_cleanup_pop(1);
    return NULL;
}

START_TEST(behind_a_jump_out_of_a_connect_the_thread_may_end)
{
    const struct connecting *site = &connecting[_i / ENDS];
    pthread_t thread;

    end = _i % ENDS;
    Signal(SIGUSR1, jump_out);
    Sem_init(&never, 0, 0);
    silent = silent_server();
    descriptors_before = open_descriptors();
    ck_assert_int_eq(pthread_create(&thread, NULL, jump_and_end, (void *)&site->call), 0);
    wait_until_connecting(thread, site, 0);
    ck_assert_int_eq(pthread_kill(thread, SIGUSR1), 0);
    while (!is_ready_to_end)
        sleep_ms(5);
    if (end >= CANCEL) {
        wait_until_blocked();
        ck_assert_int_eq(pthread_cancel(thread), 0);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(cleaned_up, 1);
}
END_TEST

static void interrupt_itself(void)
{
    raise(SIGUSR1);
}

/* A thread may not be cancelled in a close. That ends with it. */
START_TEST(behind_a_jump_out_of_a_close_a_thread_may_be_cancelled)
{
    struct server refusing = refusing_server();
    int state;

    Signal(SIGUSR1, jump_out);
    before_close = interrupt_itself;
    if (sigsetjmp(out, 1) == 0) {
        (void)!open_clientfd("127.0.0.1", refusing.port);
        ck_abort_msg("the call came back");
    }
    before_close = NULL;
    ck_assert_int_eq(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state), 0);
#ifdef __GLIBC__
    ck_assert_int_eq(state, PTHREAD_CANCEL_ENABLE);
#endif
    expect_it_works();
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("jump");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_signal_handler_may_jump_out_of_every_blocking_call, 0, BLOCKING);
    tcase_add_loop_test(tests, a_signal_handler_may_end_its_thread_in_every_blocking_call, 0, BLOCKING);
    tcase_add_loop_test(tests, a_connect_whose_thread_ends_leaves_nothing_behind, 0, 2 * CONNECTING);
    tcase_add_loop_test(tests, behind_a_jump_out_of_a_connect_the_thread_may_end, 0, ENDS * CONNECTING);
    tcase_add_test(tests, behind_a_jump_out_of_a_close_a_thread_may_be_cancelled);
    tcase_add_test(tests, behind_a_jump_the_same_rio_t_reads_on);
    return run_suite("jump", tests);
}
