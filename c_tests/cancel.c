/* Leaving a call in the middle: a thread is cancelled or exits in it, or a signal handler jumps out
   of it. The thread ends as it should, and its clean-up handlers run. */
#define _GNU_SOURCE
#include "streams.h"
#include "tcp.h"

static int ends[2];         /* two connected sockets on which nothing comes */
static struct server silent; /* and a server that never answers */
static sem_t never;
static int cleaned_up;
static char bytes[1 << 16];
static _Atomic pid_t thread_id;

static void clean_up(void *arg)
{
    cleaned_up += *(int *)arg;
}

static int one = 1;

/* Fills up what can be sent on ends[0]. */
static void fill_socket(void)
{
    while (send(ends[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static void in_readn(void)
{
    rio_readn(ends[0], bytes, 10);
}

static void in_readn_of_a_nonblocking_descriptor(void)
{
    make_nonblocking(ends[0]);
    rio_readn(ends[0], bytes, 10);
}

static void in_writen(void)
{
    fill_socket();
    rio_writen(ends[0], bytes, sizeof bytes);
}

static void in_writen_to_a_nonblocking_descriptor(void)
{
    fill_socket();
    make_nonblocking(ends[0]);
    rio_writen(ends[0], bytes, sizeof bytes);
}

static rio_t rio;

static void in_readnb(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readnb(&rio, bytes, 10);
}

static void in_readnb_past_the_buffer(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readnb(&rio, bytes, sizeof bytes);
}

static void in_readlineb(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readlineb(&rio, bytes, sizeof bytes);
}

static void in_checked_readlineb(void)
{
    Rio_readinitb(&rio, ends[0]);
    Rio_readlineb(&rio, bytes, sizeof bytes);
}

static void in_accept(void)
{
    Accept(listening_server(5).fd, NULL, NULL);
}

static void in_read(void)
{
    Read(ends[0], bytes, 1);
}

static void in_p(void)
{
    P(&never);
}

static void in_wait(void)
{
    Wait(NULL);
}

static void in_waitpid(void)
{
    Waitpid(-1, NULL, 0);
}

static void in_select(void)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    Select(ends[0] + 1, &set, NULL, NULL, NULL);
}

static void in_connect(void)
{
    Connect(socket(AF_INET, SOCK_STREAM, 0), (SA *)&silent.address, sizeof silent.address);
}

static void in_open_clientfd(void)
{
    if (open_clientfd("127.0.0.1", silent.port) == 0)
        abort();
}

static void in_csapp_connect(void)
{
    if (csapp_connect("127.0.0.1", silent.port, 60000) == 0)
        abort();
}

static void (*const blocking[])(void) = {
    in_readn, in_readn_of_a_nonblocking_descriptor,
    in_writen, in_writen_to_a_nonblocking_descriptor,
    in_readnb, in_readnb_past_the_buffer, in_readlineb, in_checked_readlineb,
    in_accept, in_read, in_p, in_wait, in_waitpid, in_select,
    in_connect, in_open_clientfd, in_csapp_connect,
};

static void *block(void *call)
{
    pthread_cleanup_push(clean_up, &one);
    thread_id = (pid_t)syscall(SYS_gettid);
    (*(void (*const *)(void))call)();
    pthread_cleanup_pop(0);
    return NULL;
}

/* Waits until the thread sleeps in the kernel. */
static void wait_until_blocked(void)
{
    char name[64], state = 0;

    while (state != 'S') {
        FILE *stat;

        sleep_ms(5);
        snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)thread_id);
        if (thread_id == 0 || (stat = fopen(name, "r")) == NULL)
            continue;
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(stat);
    }
    sleep_ms(20);
}

START_TEST(a_thread_can_be_cancelled_in_every_blocking_call)
{
    pthread_t thread;
    void *value = NULL;
    pid_t child;

    socket_pair(ends);
    silent = silent_server();
    Sem_init(&never, 0, 0);
    if ((child = fork()) == 0)
        for (;;)
            pause();
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
    pid_t child;
    int times;

    Sem_init(&never, 0, 0);
    Signal(SIGUSR1, jump_out);
    if ((child = fork()) == 0)
        for (;;)
            pause();
    for (times = 0; times < 3; times++) {
        socket_pair(ends);
        silent = silent_server();
        thread_id = (pid_t)syscall(SYS_gettid);
        if (sigsetjmp(out, 1) == 0) {
            ck_assert_int_eq(pthread_create(&thread, NULL, interrupt_main_thread, &self), 0);
            blocking[_i]();
            ck_abort_msg("the call came back");
        }
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        expect_it_works();
    }
    kill(child, SIGKILL);
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

int main(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tests = tcase_create("cancel");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_thread_can_be_cancelled_in_every_blocking_call, 0,
                        (int)(sizeof blocking / sizeof blocking[0]));
    tcase_add_loop_test(tests, an_error_handler_may_end_its_thread, 0, 2);
    tcase_add_loop_test(tests, a_signal_handler_may_jump_out_of_every_blocking_call, 0,
                        (int)(sizeof blocking / sizeof blocking[0]));
    tcase_add_test(tests, behind_a_jump_the_same_rio_t_reads_on);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
