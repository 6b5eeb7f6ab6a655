/* Waiting on a socket whose error queue has an entry, which poll shows as an error at all times
   (recv(2), MSG_ERRQUEUE). A wait costs no processor time then, ends as soon as it can, and leaves the entry
   to the program. */
#define _GNU_SOURCE
#include "streams.h"
#include "tcp.h"
#include <poll.h>

#ifndef SO_ZEROCOPY
#define SO_ZEROCOPY 60
#define MSG_ZEROCOPY 0x4000000
#endif

#define WAIT_MS 300 /* how long a call has to wait */
#define CPU_MS 50   /* the processor time that it may take for that; one that does not sleep takes WAIT_MS */

static int ours, theirs;
static char bytes[1 << 16];

/* Milliseconds of processor time that this thread has used. */
static long cpu_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int revents(int fd, short events)
{
    struct pollfd polled = {fd, events, 0};

    ck_assert_int_ge(poll(&polled, 1, 0), 0);
    return polled.revents;
}

/* Waits until poll shows an error on our end. */
static void wait_for_entry(void)
{
    struct pollfd polled = {ours, 0, 0};

    ck_assert_int_eq(poll(&polled, 1, 5000), 1);
    ck_assert_int_eq(polled.revents, POLLERR);
}

/* A connection over loopback, our end with O_NONBLOCK. */
static void connect_ends(void)
{
    struct server server = listening_server(5);

    theirs = open_clientfd("127.0.0.1", server.port);
    ours = accept(server.fd, NULL, NULL);
    ck_assert_int_ge(ours, 0);
    close(server.fd);
    make_nonblocking(ours);
}

/* Sends by reference; the queue gets the notice that this is over. */
static void tcp_with_zero_copy_notice(void)
{
    int one = 1;

    connect_ends();
    ck_assert_int_eq(setsockopt(ours, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one), 0);
    ck_assert_int_gt(send(ours, bytes, 1000, MSG_ZEROCOPY), 0);
    ck_assert_int_eq(recv(theirs, bytes, 1000, MSG_WAITALL), 1000);
    wait_for_entry();
}

/* A host that refuses; the queue gets the ICMP message, and the first call its error. */
static void udp_with_refusal(void)
{
    struct sockaddr_in address, own;
    socklen_t len = sizeof address;
    int one = 1;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    theirs = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(theirs, (SA *)&address, sizeof address), 0);
    ck_assert_int_eq(getsockname(theirs, (SA *)&address, &len), 0);
    close(theirs);
    ours = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(setsockopt(ours, IPPROTO_IP, IP_RECVERR, &one, sizeof one), 0);
    ck_assert_int_eq(connect(ours, (SA *)&address, sizeof address), 0);
    ck_assert_int_eq(write(ours, "x", 1), 1);
    wait_for_entry();
    ck_assert_int_eq(read(ours, bytes, 1), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(getsockname(ours, (SA *)&own, &len), 0);
    theirs = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(theirs, (SA *)&address, sizeof address), 0);
    ck_assert_int_eq(connect(theirs, (SA *)&own, sizeof own), 0);
}

static void (*const queues[])(void) = {tcp_with_zero_copy_notice, udp_with_refusal};

static void *send_later(void *arg)
{
    sleep_ms(WAIT_MS);
    send_text(theirs, "12345678");
    return arg;
}

static void expect_sleep(long start, long cpu)
{
    long waited = now_ms() - start, used = cpu_ms() - cpu;

    ck_assert_int_ge(waited, WAIT_MS - 50);
    ck_assert_msg(used < CPU_MS, "%ld ms of processor time in %ld ms", used, waited);
}

static void read_what_comes_later(void)
{
    long start = now_ms(), cpu = cpu_ms();
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, send_later, NULL), 0);
    ck_assert_int_eq(rio_readn(ours, bytes, 8), 8);
    expect_sleep(start, cpu);
    ck_assert_int_eq(memcmp(bytes, "12345678", 8), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(revents(ours, 0), POLLERR);
}

START_TEST(a_read_that_waits_beside_an_entry_sleeps)
{
    int before;

    queues[_i]();
    before = open_descriptors();
    read_what_comes_later();
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(without_a_free_descriptor_it_sleeps_as_well)
{
    queues[_i]();
    leave_descriptors(0);
    read_what_comes_later();
}
END_TEST

/* As soon as it can: what there is already is read, and the end of the file. */
START_TEST(a_read_does_not_wait_for_what_is_there)
{
    long start;

    tcp_with_zero_copy_notice();
    send_text(theirs, "1234");
    shutdown(theirs, SHUT_WR);
    start = now_ms();
    ck_assert_int_eq(rio_readn(ours, bytes, 8), 4);
    ck_assert_int_lt(now_ms() - start, WAIT_MS);
}
END_TEST

static void *close_later(void *arg)
{
    struct linger at_once = {1, 0};

    sleep_ms(WAIT_MS);
    setsockopt(theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(theirs);
    return arg;
}

START_TEST(a_reset_ends_the_wait)
{
    pthread_t thread;
    long start = now_ms(), cpu = cpu_ms();

    tcp_with_zero_copy_notice();
    ck_assert_int_eq(pthread_create(&thread, NULL, close_later, NULL), 0);
    ck_assert_int_eq(rio_readn(ours, bytes, 8), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    expect_sleep(start, cpu);
}
END_TEST

/* A second error, while the first one's entry is there. */
static void *refuse_later(void *arg)
{
    close(theirs);
    sleep_ms(WAIT_MS);
    send_text(ours, "x");
    return arg;
}

START_TEST(another_error_ends_the_wait)
{
    pthread_t thread;
    long start = now_ms(), cpu = cpu_ms();

    udp_with_refusal();
    ck_assert_int_eq(pthread_create(&thread, NULL, refuse_later, NULL), 0);
    ck_assert_int_eq(rio_readn(ours, bytes, 8), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    expect_sleep(start, cpu);
}
END_TEST

static size_t filled; /* bytes on their way */

/* Sends until neither end has room for more, nor gets any by itself. */
static void fill_connection(void)
{
    size_t before;
    ssize_t n;

    do {
        before = filled;
        while ((n = send(ours, bytes, sizeof bytes, 0)) > 0)
            filled += (size_t)n;
        sleep_ms(50);
    } while (filled > before);
}

static void *drain_later(void *arg)
{
    static char drained[sizeof bytes];
    size_t left = filled + sizeof bytes;
    ssize_t n;

    sleep_ms(WAIT_MS);
    while (left > 0 && (n = read(theirs, drained, sizeof drained)) > 0)
        left -= (size_t)n;
    return left == 0 ? arg : NULL;
}

static void write_when_there_is_room(int is_without_descriptor)
{
    pthread_t thread;
    long start, cpu;
    void *all = NULL;

    tcp_with_zero_copy_notice();
    fill_connection();
    start = now_ms();
    cpu = cpu_ms();
    if (is_without_descriptor)
        leave_descriptors(0);
    ck_assert_int_eq(pthread_create(&thread, NULL, drain_later, bytes), 0);
    ck_assert_int_eq(rio_writen(ours, bytes, sizeof bytes), (ssize_t)sizeof bytes);
    expect_sleep(start, cpu);
    ck_assert_int_eq(pthread_join(thread, &all), 0);
    ck_assert_ptr_eq(all, bytes);
    ck_assert_int_eq(revents(ours, 0), POLLERR);
}

START_TEST(a_write_that_waits_beside_an_entry_sleeps)
{
    write_when_there_is_room(_i);
}
END_TEST

/* The calls with a time limit, of which nothing comes. */
static ssize_t readn_in_time(void)
{
    size_t moved;

    return csapp_readn(ours, bytes, 8, WAIT_MS, &moved);
}

static rio_t rio;

static ssize_t readnb_in_time(void)
{
    rio_readinitb(&rio, ours);
    return csapp_readnb(&rio, bytes, 8, WAIT_MS);
}

static ssize_t readlineb_in_time(void)
{
    rio_readinitb(&rio, ours);
    return csapp_readlineb(&rio, bytes, sizeof bytes, WAIT_MS);
}

static ssize_t writen_in_time(void)
{
    size_t moved;

    return csapp_writen(ours, bytes, sizeof bytes, WAIT_MS, &moved);
}

static ssize_t (*const calls_in_time[])(void) = {
    readn_in_time, readnb_in_time, readlineb_in_time, writen_in_time,
};

/* On O_NONBLOCK and blocking sockets. */
START_TEST(a_limit_ends_the_wait_beside_an_entry)
{
    long start, cpu;

    tcp_with_zero_copy_notice();
    fill_connection();
    if (_i % 2 == 1)
        ck_assert_int_eq(fcntl(ours, F_SETFL, 0), 0);
    start = now_ms();
    cpu = cpu_ms();
    ck_assert_int_eq(calls_in_time[_i / 2](), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(now_ms() - start, WAIT_MS);
    expect_sleep(start, cpu);
}
END_TEST

START_TEST(a_signal_ends_the_wait_beside_an_entry)
{
    const struct itimerval once = {{0, 0}, {0, 1000 * WAIT_MS}};
    struct sigaction action;
    size_t moved;
    long start, cpu;

    tcp_with_zero_copy_notice();
    memset(&action, 0, sizeof action);
    action.sa_handler = count_interruption;
    sigaction(SIGALRM, &action, NULL);
    start = now_ms();
    cpu = cpu_ms();
    setitimer(ITIMER_REAL, &once, NULL);
    ck_assert_int_eq(csapp_readn(ours, bytes, 8, -1, &moved), -1);
    ck_assert_int_eq(errno, EINTR);
    expect_sleep(start, cpu);
}
END_TEST

static void *send_line_later(void *arg)
{
    sleep_ms(WAIT_MS);
    send_text(theirs, "12345678\n");
    return arg;
}

/* The checked call waits on an O_NONBLOCK socket. */
START_TEST(a_checked_call_that_waits_beside_an_entry_sleeps)
{
    pthread_t thread;
    long start, cpu;

    tcp_with_zero_copy_notice();
    rio_readinitb(&rio, ours);
    start = now_ms();
    cpu = cpu_ms();
    ck_assert_int_eq(pthread_create(&thread, NULL, send_line_later, NULL), 0);
    ck_assert_int_eq(Rio_readlineb(&rio, bytes, sizeof bytes), 9);
    expect_sleep(start, cpu);
}
END_TEST

#ifdef __GLIBC__ /* elsewhere, a cancelled thread leaves open what it had */
static void *read_for_ever(void *arg)
{
    rio_readn(ours, bytes, 8);
    return arg;
}

START_TEST(a_thread_that_is_cancelled_meanwhile_leaves_nothing_open)
{
    pthread_t thread;
    void *value = NULL;
    int before;

    queues[_i]();
    before = open_descriptors();
    ck_assert_int_eq(pthread_create(&thread, NULL, read_for_ever, NULL), 0);
    while (open_descriptors() == before)
        sleep_ms(1);
    sleep_ms(20);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    ck_assert_int_eq(pthread_join(thread, &value), 0);
    ck_assert_ptr_eq(value, PTHREAD_CANCELED);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

#endif

/* A pipe shows an error, and nothing else, when it is full and nobody reads from it. */
START_TEST(the_error_of_a_pipe_is_told)
{
    int ends[2];

    Signal(SIGPIPE, SIG_IGN);
    pipe_pair(ends);
    make_nonblocking(ends[1]);
    while (write(ends[1], bytes, sizeof bytes) > 0)
        continue;
    theirs = ends[0];
    close_later(NULL);
    ck_assert_int_eq(revents(ends[1], POLLOUT), POLLERR);
    ck_assert_int_eq(rio_writen(ends[1], bytes, 1), -1);
    ck_assert_int_eq(errno, EPIPE);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("error_queue");

    tcase_set_timeout(tests, 20);
    add_for_each(tests, a_read_that_waits_beside_an_entry_sleeps, queues);
    add_for_each(tests, without_a_free_descriptor_it_sleeps_as_well, queues);
    tcase_add_test(tests, a_read_does_not_wait_for_what_is_there);
    tcase_add_test(tests, a_reset_ends_the_wait);
    tcase_add_test(tests, another_error_ends_the_wait);
    tcase_add_loop_test(tests, a_write_that_waits_beside_an_entry_sleeps, 0, 2);
    tcase_add_loop_test(tests, a_limit_ends_the_wait_beside_an_entry, 0,
                        2 * COUNT(calls_in_time));
    tcase_add_test(tests, a_signal_ends_the_wait_beside_an_entry);
    tcase_add_test(tests, a_checked_call_that_waits_beside_an_entry_sleeps);
#ifdef __GLIBC__
    add_for_each(tests, a_thread_that_is_cancelled_meanwhile_leaves_nothing_open, queues);
#endif
    tcase_add_test(tests, the_error_of_a_pipe_is_told);
    return run_suite("error_queue", tests);
}
