/* The checked buffered calls on descriptors that are O_NONBLOCK, as other programs leave standard input: they wait, as
   Rio_readn does. A timeout of the socket's own is an error as usual, and the lower-case calls do not wait. */
#define _GNU_SOURCE
#include "streams.h"
#include "text.h"

enum { SIZE = 60000 };

static int ends[2];
static rio_t rio;
static char text[SIZE], got[SIZE + 1];

static void *send_slowly(void *arg)
{
    size_t at = 0;

    while (at < SIZE) {
        size_t n = 1 + at * 31 % 1777;

        if (n > SIZE - at)
            n = SIZE - at;
        send_bytes(ends[1], text + at, n);
        at += n;
        if (at % 3 == 0)
            sleep_ms(1);
    }
    close(ends[1]);
    return arg;
}

static void open_ends(int is_socket)
{
    if (is_socket)
        socket_pair(ends);
    else
        pipe_pair(ends);
    make_nonblocking(ends[0]);
    make_text(text, SIZE);
    rio_readinitb(&rio, ends[0]);
}

static pthread_t start_sender(void)
{
    sigset_t all, before;
    pthread_t sender;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ck_assert_int_eq(pthread_create(&sender, NULL, send_slowly, NULL), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return sender;
}

/* By number: pipe or socket, without signals or with. */
START_TEST(checked_calls_wait)
{
    static const size_t counts[] = {97, 300, RIO_BUFSIZE, 20000, 1};
    size_t at = 0, turn = 0;
    pthread_t sender;

    open_ends(_i % 2);
    sender = start_sender();
    if (_i / 2)
        start_storm();
    while (at < SIZE) {
        size_t n = counts[turn++ % 5], len;

        if (n > SIZE - at)
            n = SIZE - at;
        len = turn % 2 ? line_length(text + at, SIZE - at, n) : n;
        got[len] = '#';
        errno = UNTOUCHED;
        ck_assert_int_eq(turn % 2 ? Rio_readlineb(&rio, got, n + 1) : Rio_readnb(&rio, got, n), len);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_mem_eq(got, text + at, len);
        ck_assert_int_eq(got[len], turn % 2 ? '\0' : '#');
        at += len;
    }
    ck_assert_int_eq(Rio_readlineb(&rio, got, 10), 0);
    ck_assert_int_eq(Rio_readnb(&rio, got, 10), 0);
    end_storm();
    ck_assert_int_ne(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(pthread_join(sender, NULL), 0);
}
END_TEST

/* What a lower-case call has put back, a checked one goes on with. */
START_TEST(a_checked_call_goes_on_where_another_gave_up)
{
    pid_t child;

    open_ends(_i);
    send_text(ends[1], "half a ");
    ck_assert_int_eq(rio_readlineb(&rio, got, sizeof got), -1);
    ck_assert_int_eq(errno, EAGAIN);
    child = fork();
    ck_assert_int_ne(child, -1);
    if (child == 0) {
        sleep_ms(50);
        send_text(ends[1], "line\n");
        _exit(0);
    }
    ck_assert_int_eq(Rio_readlineb(&rio, got, sizeof got), 12);
    ck_assert_str_eq(got, "half a line\n");
    ck_assert_int_eq(rio_readnb(&rio, got, 1), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(status_of(child), 0);
}
END_TEST

static long long processor_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* They sleep meanwhile. */
START_TEST(the_wait_takes_no_processor_time)
{
    long long before;
    pid_t child;

    open_ends(_i);
    child = fork();
    ck_assert_int_ne(child, -1);
    if (child == 0) {
        sleep_ms(500);
        send_text(ends[1], "line\n");
        _exit(0);
    }
    before = processor_ms();
    ck_assert_int_eq(Rio_readlineb(&rio, got, sizeof got), 5);
    ck_assert_int_lt(processor_ms() - before, 250);
    ck_assert_int_eq(status_of(child), 0);
}
END_TEST

/* On a blocking descriptor, EAGAIN says that time has run out. */
START_TEST(the_socket_s_own_limit_is_an_error)
{
    csapp_set_error_handler(csapp_error_return);
    socket_pair(ends);
    limit_ms(ends[0], SO_RCVTIMEO, 30);
    rio_readinitb(&rio, ends[0]);
    send_text(ends[1], "abc");
    ck_assert_int_eq(Rio_readlineb(&rio, got, sizeof got), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(Rio_readnb(&rio, got, 10), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_eq(Rio_readnb(&rio, got, 3), 3);
    ck_assert_mem_eq(got, "abc", 3);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("checked_buffered");

    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, checked_calls_wait, 0, 4);
    tcase_add_loop_test(tests, a_checked_call_goes_on_where_another_gave_up, 0, 2);
    tcase_add_loop_test(tests, the_wait_takes_no_processor_time, 0, 2);
    tcase_add_test(tests, the_socket_s_own_limit_is_an_error);
    return run_suite("checked_buffered", tests);
}
