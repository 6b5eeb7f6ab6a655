/* Accept, if clients give up, no descriptor is free, or time is up. */
#define _GNU_SOURCE
#include "faults.h"
#include "streams.h"
#include "tcp.h"
#include <sys/resource.h>

static struct server server;
static struct sockaddr_in peer;
static socklen_t len;

static int connect_client(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (SA *)&server.address, sizeof server.address), 0);
    return fd;
}

static int accept_one(void)
{
    memset(&peer, 0, sizeof peer);
    len = sizeof peer;
    errno = UNTOUCHED;
    return Accept(server.fd, (SA *)&peer, &len);
}

/* This connection is this client's: by its address, and by what goes through. */
static void expect_client(int fd, int client)
{
    char byte = 0;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_uint_eq(len, sizeof peer);
    ck_assert_int_eq(peer.sin_family, AF_INET);
    ck_assert_uint_eq(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    ck_assert_int_eq(ntohs(peer.sin_port), port_of(client));
    ck_assert_int_eq(rio_writen(client, "x", 1), 1);
    ck_assert_int_eq(rio_readn(fd, &byte, 1), 1);
    ck_assert_int_eq(byte, 'x');
}

/* ---- At the kernel's boundary ---- */

enum { TROUBLES = 1000 };
static const int troubles[] = {ECONNABORTED, EPROTO, EINTR};
static int trouble; /* one of these; 3: one after the other */

static struct fault trouble_at_first(const struct call *call)
{
    if (call->purpose != ACCEPTS || call->number >= TROUBLES)
        return (struct fault){PASS, 0};
    return (struct fault){FAIL, (size_t)troubles[trouble < 3 ? (size_t)trouble : call->number % 3]};
}

START_TEST(accept_outlives_a_thousand_clients_that_gave_up)
{
    int client;

    server = listening_server(5);
    server.fd = choose(server.fd);
    client = connect_client();
    trouble = _i;
    follow_plan(trouble_at_first);
    expect_client(accept_one(), client);
    ck_assert_uint_eq(counted(faults.failed), TROUBLES);
    ck_assert_uint_eq(counted(faults.calls[ACCEPTS]), TROUBLES + 1);
}
END_TEST

static int error;

static struct fault error_at_first(const struct call *call)
{
    if (call->purpose != ACCEPTS || call->number > 0)
        return (struct fault){PASS, 0};
    return (struct fault){FAIL, (size_t)error};
}

/* Errors of this machine, of its network, or of the program. (A socket that takes no
   connections always fails with EOPNOTSUPP, too.) */
static const int errors[] = {
    EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EAGAIN, EINVAL, ENETDOWN, ENOPROTOOPT, EHOSTDOWN,
    ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
};
#define ERRORS COUNT(errors)

static int reports;

static void count_report(const char *message)
{
    (void)message;
    reports++;
}

/* Each is told, once; the connection is still there for the next call. */
START_TEST(accept_tells_every_other_error)
{
    int client;

    server = listening_server(5);
    server.fd = choose(server.fd);
    client = connect_client();
    csapp_set_error_handler(count_report);
    error = errors[_i];
    follow_plan(error_at_first);
    ck_assert_int_eq(accept_one(), -1);
    ck_assert_int_eq(errno, error);
    ck_assert_int_eq(reports, 1);
    ck_assert_uint_eq(counted(faults.calls[ACCEPTS]), 1);
    expect_client(accept_one(), client);
    ck_assert_int_eq(reports, 1);
}
END_TEST

/* ---- Without faults ---- */

START_TEST(a_connection_waits_until_there_is_a_descriptor)
{
    struct rlimit before, none;
    int client;

    if (getenv("STORM_INTERVAL_US") != NULL) {
        printf("SKIPPED: a limit of descriptors: valgrind itself drops the connection then\n");
        fflush(stdout);
        return;
    }
    server = listening_server(5);
    client = connect_client();
    csapp_set_error_handler(count_report);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)client;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    ck_assert_int_eq(accept_one(), -1);
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_int_eq(reports, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    expect_client(accept_one(), client);
}
END_TEST

enum { ABORTED = 50 };

static int abort_connection(int after_a_line)
{
    const struct linger at_once = {1, 0};
    int fd = connect_client(), port = port_of(fd);

    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    if (after_a_line)
        send_text(fd, "hello\n");
    close(fd);
    return port;
}

/* Clients that reset their connections while those still wait in the queue, every other one with a
   line sent before. On Linux accept gives the dead connections out all the same; elsewhere it may
   fail by ECONNABORTED. Then comes one that does not reset. */
START_TEST(a_server_outlives_connections_that_were_reset_in_its_queue)
{
    int ports[ABORTED], i, next = 0, client, fd;
    char line[MAXLINE];
    rio_t rio;

    server = listening_server(ABORTED + 1);
    csapp_set_error_handler(count_report);
    for (i = 0; i < ABORTED; i++)
        ports[i] = abort_connection(i % 2);
    client = connect_client();
    for (;;) {
        ssize_t n;

        fd = accept_one();
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_uint_eq(len, sizeof peer);
        if (ntohs(peer.sin_port) == port_of(client))
            break;
        while (next < ABORTED && ports[next] != ntohs(peer.sin_port))
            next++;
        ck_assert_int_lt(next, ABORTED); /* one of them, in their order */
        rio_readinitb(&rio, fd);
        n = rio_readlineb(&rio, line, sizeof line);
        if (n > 0) {
            ck_assert_int_eq(next % 2, 1);
            ck_assert_str_eq(line, "hello\n");
            n = rio_readlineb(&rio, line, sizeof line);
        }
        ck_assert(n == 0 || (n == -1 && errno == ECONNRESET));
        /* No SIGPIPE either. */
        ck_assert_int_eq(rio_writen(fd, "answer\n", 7), -1);
        ck_assert(errno == EPIPE || errno == ECONNRESET);
        Close(fd);
    }
    errno = UNTOUCHED;
    expect_client(fd, client);
    ck_assert_int_eq(reports, 0);
}
END_TEST

/* Calm, and in a storm that would have accept restart or would not. */
START_TEST(accept_tells_that_its_time_is_up)
{
    int client, round;
    long start;

    server = listening_server(5);
    limit_ms(server.fd, SO_RCVTIMEO, 50);
    csapp_set_error_handler(count_report);
    if (_i > 0)
        start_storm_with(_i == 1 ? 0 : SA_RESTART);
    for (round = 1; round <= 2; round++) {
        start = now_ms();
        ck_assert_int_eq(accept_one(), -1);
        ck_assert_int_eq(errno, EAGAIN);
        ck_assert_int_ge(now_ms() - start, 49);
        ck_assert_int_eq(reports, round);
    }
    end_storm();
    ck_assert(_i == 0 || interruptions > 0);
    client = connect_client();
    expect_client(accept_one(), client);
}
END_TEST

START_TEST(accept_waits_for_nothing_on_a_nonblocking_socket)
{
    int client;

    server = listening_server(5);
    make_nonblocking(server.fd);
    csapp_set_error_handler(count_report);
    ck_assert_int_eq(accept_one(), -1);
    ck_assert_int_eq(errno, EAGAIN);
    client = connect_client();
    expect_client(accept_one(), client);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("accept");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, faults_can_be_made);
    tcase_add_loop_test(tests, accept_outlives_a_thousand_clients_that_gave_up, 0, 4);
    tcase_add_loop_test(tests, accept_tells_every_other_error, 0, ERRORS);
    tcase_add_test(tests, a_connection_waits_until_there_is_a_descriptor);
    tcase_add_test(tests, a_server_outlives_connections_that_were_reset_in_its_queue);
    tcase_add_loop_test(tests, accept_tells_that_its_time_is_up, 0, 3);
    tcase_add_test(tests, accept_waits_for_nothing_on_a_nonblocking_socket);
    return run_suite("accept", tests);
}
