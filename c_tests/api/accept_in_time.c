/* csapp_accept: its time limit, signals, clients that give up, and many that wait at once. */
#define _GNU_SOURCE
#include "failing.h"
#include "streams.h"
#include "tcp.h"
#include <limits.h>
#include <sys/un.h>

#define LIMIT_MS 300
#define LATE_MS 20000 /* a call that has not ended by then has missed its limit */

static struct server server;
static struct sockaddr_in peer;
static socklen_t len;

/* The accept4 of the tests: fails as often and as it is told, or does something else first. */
static int troubles_left, trouble, accept4_calls;
static void (*before_accept)(void);

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    __atomic_add_fetch(&accept4_calls, 1, __ATOMIC_SEQ_CST);
    if (troubles_left > 0) {
        troubles_left--;
        errno = trouble;
        return -1;
    }
    if (before_accept != NULL)
        before_accept();
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

/* Both kinds of listening sockets: blocking, and O_NONBLOCK. */
static void open_server(int is_nonblocking)
{
    server = listening_server(20);
    if (is_nonblocking)
        make_nonblocking(server.fd);
}

static int connect_client(void)
{
    return open_clientfd("127.0.0.1", server.port);
}

static int accept_within(int ms)
{
    memset(&peer, 0, sizeof peer);
    len = sizeof peer;
    errno = UNTOUCHED;
    return csapp_accept(server.fd, (SA *)&peer, &len, ms);
}

/* This connection is this client's, and the descriptor is a plain one. */
static void expect_client(int fd, int client)
{
    char byte = 0;

    ck_assert_int_eq(errno, UNTOUCHED);
    expect_plain_socket(fd);
    ck_assert_uint_eq(len, sizeof peer);
    ck_assert_int_eq(ntohs(peer.sin_port), port_of(client));
    ck_assert_int_eq(rio_writen(client, "x", 1), 1);
    ck_assert_int_eq(rio_readn(fd, &byte, 1), 1);
    close(fd);
}

static void expect_time_up(int ms)
{
    long start = now_ms();

    ck_assert_int_eq(accept_within(ms), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(now_ms() - start, ms);
    ck_assert_int_lt(now_ms() - start, ms + LATE_MS);
}

START_TEST(a_connection_that_is_there_is_accepted_at_once)
{
    static const int limits[] = {0, 1, 60000, INT_MAX, -1, INT_MIN};
    int client, flags, i;

    open_server(_i);
    flags = fcntl(server.fd, F_GETFL);
    for (i = 0; i < 6; i++) {
        client = connect_client();
        expect_client(accept_within(limits[i]), client);
    }
    client = connect_client();
    errno = UNTOUCHED;
    expect_plain_socket(csapp_accept(server.fd, NULL, NULL, 0));
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(fcntl(server.fd, F_GETFL), flags);
}
END_TEST

START_TEST(without_a_connection_time_runs_out)
{
    int flags, before, i;

    open_server(_i);
    flags = fcntl(server.fd, F_GETFL);
    before = open_descriptors();
    expect_time_up(0);
    for (i = 1; i < 20; i++)
        expect_time_up(i);
    expect_time_up(LIMIT_MS);
    ck_assert_int_eq(fcntl(server.fd, F_GETFL), flags);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static int later_client;

static void *connect_later(void *arg)
{
    sleep_ms(100);
    later_client = connect_client();
    return arg;
}

START_TEST(a_connection_that_comes_in_time_is_accepted)
{
    const int limits[] = {60000, -1};
    pthread_t thread;
    int fd;

    open_server(_i / 2);
    ck_assert_int_eq(pthread_create(&thread, NULL, connect_later, NULL), 0);
    fd = accept_within(limits[_i % 2]);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    expect_client(fd, later_client);
}
END_TEST

/* Two limits, with and without SA_RESTART, which does not matter here. */
START_TEST(a_signal_interrupts_and_loses_nothing)
{
    const struct itimerval once = {{0, 0}, {0, 50000}};
    struct sigaction action;
    int client;

    open_server(_i / 4);
    memset(&action, 0, sizeof action);
    action.sa_handler = count_interruption;
    action.sa_flags = _i & 1 ? SA_RESTART : 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &once, NULL);
    ck_assert_int_eq(accept_within(_i & 2 ? -1 : 60000), -1);
    ck_assert_int_eq(errno, EINTR);
    ck_assert_int_eq(interruptions, 1);
    client = connect_client();
    expect_client(accept_within(0), client);
}
END_TEST

START_TEST(signals_do_not_move_the_limit)
{
    long start;

    open_server(_i);
    start_storm_with(SA_RESTART);
    start = now_ms();
    while (accept_within((int)(LIMIT_MS - (now_ms() - start))) == -1 && errno == EINTR)
        if (now_ms() - start >= LIMIT_MS)
            break;
    end_storm();
    ck_assert_int_gt(interruptions, 0);
    ck_assert_int_lt(now_ms() - start, LATE_MS);
}
END_TEST

static const int clients_troubles[] = {
    ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, ENONET, EAGAIN,
};

START_TEST(what_befell_one_client_is_no_error)
{
    int client;

    open_server(_i % 2);
    client = connect_client();
    trouble = clients_troubles[_i / 2];
    troubles_left = 1000;
    expect_client(accept_within(60000), client);
    ck_assert_int_eq(accept4_calls, 1001);
}
END_TEST

static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EINVAL, EINTR, EOPNOTSUPP};

START_TEST(every_other_error_is_told_and_loses_nothing)
{
    int client;

    open_server(0);
    client = connect_client();
    trouble = errors[_i];
    troubles_left = 1;
    ck_assert_int_eq(accept_within(60000), -1);
    ck_assert_int_eq(errno, trouble);
    expect_client(accept_within(60000), client);
}
END_TEST

START_TEST(without_a_descriptor_it_is_emfile_and_the_connection_waits)
{
    int client;

    open_server(_i);
    client = connect_client();
    leave_descriptors(0);
    ck_assert_int_eq(accept_within(60000), -1);
    ck_assert_int_eq(errno, EMFILE);
    close(STDIN_FILENO);
    expect_client(accept_within(0), client);
}
END_TEST

START_TEST(without_a_descriptor_time_runs_out_as_well)
{
    open_server(_i);
    leave_descriptors(0);
    expect_time_up(LIMIT_MS);
}
END_TEST

/* Another thread takes the connection that woke the call. */
static void take_connection(void)
{
    before_accept = NULL;
    ck_assert_int_ge((int)syscall(SYS_accept4, server.fd, NULL, NULL, 0), 0);
}

START_TEST(a_connection_that_is_gone_again_does_not_end_the_wait)
{
    open_server(1);
    ck_assert_int_ge(connect_client(), 0);
    before_accept = take_connection;
    expect_time_up(LIMIT_MS);
    ck_assert_int_eq(accept4_calls, 1);
}
END_TEST

enum { WAITING = 8 };

static void *accept_one_of_many(void *arg)
{
    return csapp_accept(server.fd, NULL, NULL, 4 * LIMIT_MS) >= 0 ? arg : NULL;
}

static int process_accepts(void *arg)
{
    return accept_one_of_many(arg) == NULL;
}

/* For the others, time runs out, on a blocking socket as well. */
START_TEST(of_many_threads_that_wait_each_connection_ends_one)
{
    pthread_t threads[WAITING];
    int i, accepted = 0;
    long start = now_ms();

    open_server(_i % 2);
    for (i = 0; i < WAITING; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, accept_one_of_many, &server), 0);
    sleep_ms(LIMIT_MS);
    for (i = 0; i < 3; i++)
        ck_assert_int_ge(connect_client(), 0);
    for (i = 0; i < WAITING; i++) {
        void *value;

        ck_assert_int_eq(pthread_join(threads[i], &value), 0);
        accepted += value != NULL;
    }
    ck_assert_int_eq(accepted, 3);
    ck_assert_int_lt(now_ms() - start, 4 * LIMIT_MS + LATE_MS);
}
END_TEST

START_TEST(of_many_processes_that_wait_each_connection_ends_one)
{
    pid_t processes[WAITING];
    int i, accepted = 0;
    long start = now_ms();

    open_server(_i % 2);
    for (i = 0; i < WAITING; i++)
        processes[i] = in_child(process_accepts, &server);
    sleep_ms(LIMIT_MS);
    for (i = 0; i < 3; i++)
        ck_assert_int_ge(connect_client(), 0);
    for (i = 0; i < WAITING; i++)
        accepted += status_of(processes[i]) == 0;
    ck_assert_int_eq(accepted, 3);
    ck_assert_int_lt(now_ms() - start, 4 * LIMIT_MS + LATE_MS);
}
END_TEST

/* The option of the socket is another limit, and not this one. */
START_TEST(the_socket_s_own_limit_does_not_count)
{
    open_server(0);
    limit_ms(server.fd, SO_RCVTIMEO, 10);
    expect_time_up(LIMIT_MS);
}
END_TEST

START_TEST(unix_sockets_too)
{
    struct sockaddr_un address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
    socklen_t room = sizeof address;

    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX; /* the kernel chooses a name */
    ck_assert_int_eq(bind(listener, (SA *)&address, sizeof(sa_family_t)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(csapp_accept(listener, NULL, NULL, 1), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(getsockname(listener, (SA *)&address, &room), 0);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (SA *)&address, room), 0);
    room = sizeof address;
    expect_plain_socket(csapp_accept(listener, (SA *)&address, &room, 0));
    ck_assert_int_eq(address.sun_family, AF_UNIX);
    ck_assert_uint_eq(room, sizeof(sa_family_t));
}
END_TEST

/* Before anything is waited for, and before a connection is taken. */
START_TEST(bad_arguments_are_told_at_once)
{
    int client;
    socklen_t bad = (socklen_t)-1;

    open_server(0);
    ck_assert_int_eq(csapp_accept(-1, NULL, NULL, -1), -1);
    ck_assert_int_eq(errno, EBADF);
    ck_assert_int_eq(csapp_accept(open("/dev/null", O_RDONLY), NULL, NULL, -1), -1);
    ck_assert_int_eq(errno, ENOTSOCK);
    ck_assert_int_eq(csapp_accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL, -1), -1);
    ck_assert_int_eq(errno, EINVAL);
    client = connect_client();
    ck_assert_int_eq(csapp_accept(client, NULL, NULL, -1), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(csapp_accept(server.fd, (SA *)&peer, NULL, 0), -1);
    ck_assert_int_eq(errno, EFAULT);
    ck_assert_int_eq(csapp_accept(server.fd, (SA *)&peer, &bad, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    expect_client(accept_within(0), client);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("accept_in_time"), *many = tcase_create("many");

    tcase_set_timeout(tests, 60);
    tcase_set_timeout(many, 60);
    tcase_add_loop_test(tests, a_connection_that_is_there_is_accepted_at_once, 0, 2);
    tcase_add_loop_test(tests, without_a_connection_time_runs_out, 0, 2);
    tcase_add_loop_test(tests, a_connection_that_comes_in_time_is_accepted, 0, 4);
    tcase_add_loop_test(tests, a_signal_interrupts_and_loses_nothing, 0, 8);
    tcase_add_loop_test(tests, signals_do_not_move_the_limit, 0, 2);
    tcase_add_loop_test(tests, what_befell_one_client_is_no_error, 0,
                        2 * COUNT(clients_troubles));
    add_for_each(tests, every_other_error_is_told_and_loses_nothing, errors);
    tcase_add_loop_test(tests, without_a_descriptor_it_is_emfile_and_the_connection_waits, 0, 2);
    tcase_add_loop_test(tests, without_a_descriptor_time_runs_out_as_well, 0, 2);
    tcase_add_test(tests, a_connection_that_is_gone_again_does_not_end_the_wait);
    tcase_add_test(tests, the_socket_s_own_limit_does_not_count);
    tcase_add_test(tests, unix_sockets_too);
    tcase_add_test(tests, bad_arguments_are_told_at_once);
    tcase_add_loop_test(many, of_many_threads_that_wait_each_connection_ends_one, 0, 2);
    tcase_add_loop_test(many, of_many_processes_that_wait_each_connection_ends_one, 0, 2);
    return run_suite("accept_in_time", tests, many);
}
