/* Sockets: the checked wrappers, and an error of one client does not end the server. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"
#include <sys/un.h>

INJECT(int, accept, (int s, struct sockaddr *addr, socklen_t *len), (s, addr, len), MINUS_ONE)

static const int yes = 1;
static struct sockaddr_in nowhere;

#define FAILURES(CALL)                                                                              \
    CALL(Socket, -1, BY_ERRNO, EAFNOSUPPORT, Socket(9999, SOCK_STREAM, 0))                          \
    CALL(Setsockopt, 0, BY_ERRNO, EBADF,                                                            \
         NOTHING(Setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes)))                       \
    CALL(Bind, 0, BY_ERRNO, EBADF, NOTHING(Bind(-1, (SA *)&nowhere, sizeof nowhere)))               \
    CALL(Listen, 0, BY_ERRNO, EBADF, NOTHING(Listen(-1, 5)))                                        \
    CALL(Accept, -1, BY_ERRNO, EBADF, Accept(-1, NULL, NULL))                                       \
    CALL(Connect, 0, BY_ERRNO, EBADF, NOTHING(Connect(-1, (SA *)&nowhere, sizeof nowhere)))

DEFINE_FAILURES

static struct sockaddr_in address;

/* A listener on a free loopback port, which `address` then has. */
static int listener(int backlog)
{
    socklen_t len = sizeof address;
    int fd = Socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ge(fd, 0);
    Setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Bind(fd, (SA *)&address, sizeof address);
    Listen(fd, backlog);
    ck_assert_int_eq(getsockname(fd, (SA *)&address, &len), 0);
    return fd;
}

/* Starts to connect to `address`, and waits for nothing. */
static void connect_without_waiting(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (connect(fd, (SA *)&address, sizeof address) == -1 && errno != EINPROGRESS)
        abort();
}

START_TEST(a_connection_is_made_and_carries_bytes)
{
    int server = listener(5), client = Socket(AF_INET, SOCK_STREAM, 0), value = 0, connection;
    struct sockaddr_in peer, own;
    socklen_t len = sizeof value;
    char byte;

    ck_assert_int_eq(getsockopt(server, SOL_SOCKET, SO_REUSEADDR, &value, &len), 0);
    ck_assert_int_ne(value, 0);
    errno = 77;
    Connect(client, (SA *)&address, sizeof address);
    len = sizeof peer;
    connection = Accept(server, (SA *)&peer, &len);
    ck_assert_int_eq(errno, 77);
    ck_assert_int_ge(connection, 0);
    ck_assert_uint_eq(len, sizeof peer);
    ck_assert_int_eq(getsockname(client, (SA *)&own, &len), 0);
    ck_assert_int_eq(peer.sin_port, own.sin_port);
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_int_eq(read(connection, &byte, 1), 1);
}
END_TEST

START_TEST(accept_needs_no_address)
{
    int server = listener(5);

    connect_without_waiting();
    ck_assert_int_ge(Accept(server, NULL, NULL), 0);
}
END_TEST

START_TEST(accept_goes_on_after_signals)
{
    int server = listener(5);

    interrupt_until(connect_without_waiting);
    ck_assert_int_ge(Accept(server, NULL, NULL), 0);
    ck_assert_was_interrupted();
}
END_TEST

static const int troubles[] = {ECONNABORTED, EPROTO, EINTR};

START_TEST(accept_outlives_the_trouble_of_one_client)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    int server = listener(5);

    connect_without_waiting();
    accept_reason = troubles[_i];
    accept_left = 3;
    accept_calls = 0;
    ck_assert_int_ge(Accept(server, (SA *)&peer, &len), 0);
    ck_assert_int_eq(accept_calls, 4);
    ck_assert_uint_eq(len, sizeof peer);
}
END_TEST

static int full_listener;

/* Those that waited before the client may come again before it does: there is room for all. */
static void accept_all(void)
{
    int fd;

    listen(full_listener, 16);
    while ((fd = accept4(full_listener, NULL, NULL, SOCK_NONBLOCK)) != -1)
        ;
}

/* The listener's queue is full, so that the kernel lets the attempt wait for a second or more. */
START_TEST(connect_goes_on_after_signals)
{
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    int i, client;

    full_listener = listener(0);
    fcntl(full_listener, F_SETFL, O_NONBLOCK);
    for (i = 0; i < 3; i++)
        connect_without_waiting();
    client = Socket(AF_INET, SOCK_STREAM, 0);
    interrupt_until(accept_all);
    Connect(client, (SA *)&address, sizeof address);
    ck_assert_was_interrupted();
    ck_assert_int_eq(getpeername(client, (SA *)&peer, &len), 0);
    ck_assert_int_eq(peer.sin_port, address.sin_port);
}
END_TEST

/* Here the kernel gives an interrupted attempt up, instead of going on with it. */
START_TEST(connect_goes_on_after_signals_on_a_unix_socket)
{
    struct sockaddr_un name = {AF_UNIX, ""};
    struct ucred peer;
    socklen_t len = sizeof name;
    int client;

    full_listener = Socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    /* With no more than the family, bind chooses a name that is in no file system. */
    Bind(full_listener, (SA *)&name, sizeof name.sun_family);
    Listen(full_listener, 0);
    ck_assert_int_eq(getsockname(full_listener, (SA *)&name, &len), 0);
    client = Socket(AF_UNIX, SOCK_STREAM, 0);
    Connect(client, (SA *)&name, (int)len);
    client = Socket(AF_UNIX, SOCK_STREAM, 0);
    interrupt_until(accept_all);
    Connect(client, (SA *)&name, (int)len);
    ck_assert_was_interrupted();
    len = sizeof peer;
    ck_assert_int_eq(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &len), 0);
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert_int_eq(write(client, "x", 1), 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("socket");

    tcase_set_timeout(tests, 20);
    add_failures(tests);
    tcase_add_test(tests, a_connection_is_made_and_carries_bytes);
    tcase_add_test(tests, accept_needs_no_address);
    tcase_add_test(tests, accept_goes_on_after_signals);
    tcase_add_loop_test(tests, accept_outlives_the_trouble_of_one_client, 0, 3);
    tcase_add_test(tests, connect_goes_on_after_signals);
    tcase_add_test(tests, connect_goes_on_after_signals_on_a_unix_socket);
    return run_suite("socket", tests);
}
