/* Connecting and listening by name: open_clientfd, open_listenfd, csapp_connect, csapp_listen and
   the checked wrappers. Nothing here leaves the machine, and no name server is asked: what the
   resolver, connect and close do is this program's to say. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"
#include "streams.h"
#include "tcp.h"
#include <sys/resource.h>

#define LOCAL "127.0.0.1"

/* The resolver of the tests. Once something is invented, a host that is no number, or none at all,
   stands for the addresses in `invented`, or fails with `invented_code`. The rest is libc's. */
static struct addrinfo invented[4];
static struct sockaddr_storage invented_addresses[4];
static int invented_count, invented_code, invented_errno, invented_given, invented_freed;
static int look_ups[8], look_up_count; /* the flags of each call */

static int is_number(const char *host)
{
    unsigned char address[16];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (look_up_count < 8)
        look_ups[look_up_count++] = hints->ai_flags;
    if ((invented_count > 0 || invented_code != 0) && (host == NULL || !is_number(host))) {
        if (hints->ai_flags & AI_NUMERICHOST && host != NULL)
            return EAI_NONAME;
        errno = invented_errno;
        if (invented_code != 0)
            return invented_code;
        invented_given++;
        *list = invented;
        return 0;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(host, service, hints, list);
}

void freeaddrinfo(struct addrinfo *list)
{
    void (*real)(struct addrinfo *);

    errno = EBADF; /* as a clean-up may leave it */
    if (list == invented) {
        invented_freed++;
        return;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    real(list);
}

/* From now on a name stands for this address as well. */
static void invent(const void *address, size_t len)
{
    struct addrinfo *last = &invented[invented_count];

    memcpy(&invented_addresses[invented_count], address, len);
    last->ai_addr = (SA *)&invented_addresses[invented_count];
    last->ai_addrlen = (socklen_t)len;
    last->ai_family = last->ai_addr->sa_family;
    last->ai_socktype = SOCK_STREAM;
    if (invented_count > 0)
        last[-1].ai_next = last;
    invented_count++;
}

static void invent_server(const struct server *server)
{
    invent(&server->address, sizeof server->address);
}

/* The connect of the tests: notes each destination, and then does what connect_by does. */
static int plain_connect(int fd, const struct sockaddr *address, socklen_t len)
{
    return (int)syscall(SYS_connect, fd, address, len);
}

static int (*connect_by)(int, const struct sockaddr *, socklen_t) = plain_connect;
static struct sockaddr_in6 destinations[8]; /* a port is where that of IPv4 is */
static int destination_count;

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    if (destination_count < 8)
        memcpy(&destinations[destination_count++], address,
               len < sizeof *destinations ? len : sizeof *destinations);
    return connect_by(fd, address, len);
}

static int destination_port(int i)
{
    return ntohs(destinations[i].sin6_port);
}

static int refuse_all(int fd, const struct sockaddr *address, socklen_t len)
{
    (void)fd, (void)address, (void)len;
    errno = ECONNREFUSED;
    return -1;
}

/* The port of the destination is the one that the kernel happens to choose for this end. */
static int connect_to_itself(int fd, const struct sockaddr *address, socklen_t len)
{
    ck_assert_int_eq(bind(fd, address, len), 0);
    return plain_connect(fd, address, len);
}

/* This end is given before the attempt. */
static struct sockaddr_in own_end;

static int connect_from_own_end(int fd, const struct sockaddr *address, socklen_t len)
{
    ck_assert_int_eq(bind(fd, (SA *)&own_end, sizeof own_end), 0);
    return plain_connect(fd, address, len);
}

/* A close that says that it failed, although the descriptor is gone. */
static int close_fails;

int close(int fd)
{
    int outcome = (int)syscall(SYS_close, fd);

    if (!close_fails)
        return outcome;
    errno = EIO;
    return -1;
}

/* How many descriptors are open. */
static int open_descriptors(void)
{
    int fd, count = 0;

    for (fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) != -1;
    return count;
}

/* Whether this machine has IPv6 at all, without which there is nothing to say about it. */
static int has_ipv6(void)
{
    struct sockaddr_in6 address;
    int fd = socket(AF_INET6, SOCK_STREAM, 0), has;

    memset(&address, 0, sizeof address);
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    has = fd != -1 && bind(fd, (SA *)&address, sizeof address) == 0;
    close(fd);
    return has;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

/* What every socket that comes out of the library is. */
static void expect_plain_socket(int fd)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
}

/* The other end of `client`, which has just connected to `listener`; bytes go both ways. */
static void expect_connection(int client, int listener)
{
    char byte = 0;
    int other;

    expect_plain_socket(client);
    other = accept(listener, NULL, NULL);
    ck_assert_int_ge(other, 0);
    ck_assert_int_eq(write(client, "x", 1), 1);
    ck_assert_int_eq(read(other, &byte, 1), 1);
    ck_assert_int_eq(write(other, "y", 1), 1);
    ck_assert_int_eq(read(client, &byte, 1), 1);
    ck_assert_int_eq(byte, 'y');
    close(other);
}

/* As a string, the port that `fd` is bound to. */
static const char *port_text(int fd)
{
    static char text[8];

    snprintf(text, sizeof text, "%d", port_of(fd));
    return text;
}

#define FAILURES(CALL)                                                                           \
    CALL(Open_clientfd, -2, BY_RESOLVER, EAI_SERVICE, Open_clientfd(LOCAL, "65536"))             \
    CALL(Open_listenfd, -2, BY_RESOLVER, EAI_SERVICE, Open_listenfd("65536"))

DEFINE_FAILURES

static const struct {
    const char *port;
    int number; /* -1: there is no such port */
} ports[] = {
    {"1", 1},           {"80", 80},       {"65535", 65535},
    {"00080", 80},      {"\v80", 80},     {" +80", 80},
    {"http", 80},       {"65536", -1},    {"99999", -1},
    {"4294967376", -1}, {"", -1},         {" ", -1},
    {"\v", -1},         {"\v65536", -1},  {"-1", -1},
    {"-65456", -1},     {" -0", -1},      {"+", -1},
    {"-", -1},          {"80x", -1},      {"18446744073709551696", -1},
    {"0x50", -1},       {"8 0", -1},      {"no such service", -1},
};

START_TEST(a_client_takes_no_port_but_a_right_one)
{
    connect_by = refuse_all;
    if (ports[_i].number < 0) {
        ck_assert_int_eq(open_clientfd(LOCAL, ports[_i].port), -2);
        ck_assert_int_eq(csapp_connect(LOCAL, ports[_i].port, 1000), -2);
        ck_assert_int_eq(destination_count, 0);
        return;
    }
    ck_assert_int_eq(open_clientfd(LOCAL, ports[_i].port), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(csapp_connect(LOCAL, ports[_i].port, 1000), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(destination_count, 2);
    ck_assert_int_eq(destination_port(0), ports[_i].number);
    ck_assert_int_eq(destination_port(1), ports[_i].number);
}
END_TEST

START_TEST(a_listener_takes_no_port_but_a_right_one)
{
    if (ports[_i].number < 0) {
        ck_assert_int_eq(open_listenfd(ports[_i].port), -2);
        ck_assert_int_eq(csapp_listen(LOCAL, ports[_i].port, 0, 0), -2);
    }
}
END_TEST

static const char *const free_ports[] = {"0", "00", " 0", "+0"};

START_TEST(port_0_is_a_free_one_and_works_end_to_end)
{
    int listener, client;

    errno = UNTOUCHED;
    listener = open_listenfd(free_ports[_i]);
    ck_assert_int_eq(errno, UNTOUCHED);
    expect_plain_socket(listener);
    ck_assert_int_ne(option(listener, SOL_SOCKET, SO_ACCEPTCONN), 0);
    ck_assert_int_ne(option(listener, SOL_SOCKET, SO_REUSEADDR), 0);
    ck_assert_int_gt(port_of(listener), 0);
    client = open_clientfd(LOCAL, port_text(listener));
    expect_connection(client, listener);
    client = csapp_connect(LOCAL, port_text(listener), 5000);
    ck_assert_int_eq(errno, UNTOUCHED);
    expect_connection(client, listener);
}
END_TEST

START_TEST(the_last_port_can_be_listened_on)
{
    int fd = open_listenfd("65535");

    if (fd == -1)
        ck_assert_int_eq(errno, EADDRINUSE);
    else
        ck_assert_int_eq(port_of(fd), 65535);
}
END_TEST

/* The calls that open sockets, as functions of a host and a port. */
static int connect_in_5_s(const char *host, const char *port)
{
    return csapp_connect(host, port, 5000);
}

static int connect_without_limit(const char *host, const char *port)
{
    return csapp_connect(host, port, -1);
}

/* Not open_clientfd itself, which may be a macro of the header. */
static int connect_by_the_book(const char *host, const char *port)
{
    return open_clientfd(host, port);
}

static int connect_checked(const char *host, const char *port)
{
    return Open_clientfd(host, port);
}

static int (*const connects[])(const char *, const char *) = {
    connect_by_the_book, connect_in_5_s, connect_without_limit, connect_checked};

START_TEST(no_host_is_this_machine)
{
    int listener = open_listenfd("0"), client = connects[_i](NULL, port_text(listener));

    expect_connection(client, listener);
}
END_TEST

START_TEST(no_port_is_efault)
{
    char *none = NULL;

    ck_assert_int_eq(open_clientfd(LOCAL, none), -1);
    ck_assert_int_eq(errno, EFAULT);
    errno = 0;
    ck_assert_int_eq(open_clientfd(NULL, none), -1);
    ck_assert_int_eq(errno, EFAULT);
    errno = 0;
    ck_assert_int_eq(open_listenfd(none), -1);
    ck_assert_int_eq(errno, EFAULT);
    errno = 0;
    ck_assert_int_eq(csapp_connect(LOCAL, none, 10), -1);
    ck_assert_int_eq(errno, EFAULT);
    errno = 0;
    ck_assert_int_eq(csapp_listen(NULL, none, 0, 0), -1);
    ck_assert_int_eq(errno, EFAULT);
    ck_assert_int_eq(look_up_count, 0);
}
END_TEST

START_TEST(a_refused_connection_is_econnrefused)
{
    struct server server = refusing_server();

    csapp_set_error_handler(csapp_error_return);
    ck_assert_int_eq(connects[_i](LOCAL, server.port), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

START_TEST(a_connection_to_itself_is_refused_and_leaves_the_port_free)
{
    struct server server = refusing_server();
    int before, fd;

    close(server.fd);
    before = open_descriptors();
    connect_by = connect_to_itself;
    csapp_set_error_handler(csapp_error_return);
    ck_assert_int_eq(connects[_i](LOCAL, server.port), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(destination_count, 1);
    ck_assert_int_eq(open_descriptors(), before);
    /* No SO_REUSEADDR: a connection in TIME_WAIT would be in the way. */
    fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (SA *)&server.address, sizeof server.address), 0);
}
END_TEST

/* The same port at both ends is not yet the same end. */
START_TEST(the_same_port_on_two_addresses_is_no_connection_to_itself)
{
    struct server server = refusing_server();
    struct sockaddr_in address = server.address;
    int client;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    close(server.fd);
    server.fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(server.fd, (SA *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server.fd, 5), 0);
    own_end = server.address;
    connect_by = connect_from_own_end;
    client = connects[_i]("127.0.0.2", server.port);
    expect_connection(client, server.fd);
    ck_assert_int_eq(port_of(client), port_of(server.fd));
}
END_TEST

START_TEST(a_port_in_use_is_eaddrinuse)
{
    struct server server = listening_server(5);
    int before = open_descriptors();

    ck_assert_int_eq(open_listenfd(server.port), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    errno = 0;
    ck_assert_int_eq(csapp_listen(LOCAL, server.port, 0, 0), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    csapp_set_error_handler(csapp_error_return);
    errno = 0;
    ck_assert_int_eq(Open_listenfd(server.port), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* The connection that the server closed first stays behind in TIME_WAIT. */
START_TEST(a_server_can_start_again_at_once)
{
    int listener = open_listenfd("0"), client = open_clientfd(LOCAL, port_text(listener));
    int other = accept(listener, NULL, NULL);
    char byte, port[8];

    strcpy(port, port_text(listener));
    close(other);
    ck_assert_int_eq(read(client, &byte, 1), 0);
    close(client);
    close(listener);
    ck_assert_int_ge(open_listenfd(port), 0);
}
END_TEST

static const int close_outcomes[] = {0, 1}; /* whether close fails */

/* Ten calls, each of which fails in another way. */
static void fail_every_way(const struct server *refusing, const struct server *silent,
                           const struct server *listening)
{
    ck_assert_int_eq(open_clientfd(LOCAL, refusing->port), -1);
    ck_assert_int_eq(connect_in_5_s(LOCAL, refusing->port), -1);
    ck_assert_int_eq(csapp_connect(LOCAL, silent->port, 0), -1);
    ck_assert_int_eq(open_clientfd("two refusing addresses", "1"), -1);
    ck_assert_int_eq(csapp_connect("two refusing addresses", "1", 1000), -1);
    ck_assert_int_eq(open_clientfd(LOCAL, "65536"), -2);
    ck_assert_int_eq(open_listenfd("1"), -1);
    ck_assert_int_eq(open_listenfd(""), -2);
    ck_assert_int_eq(csapp_listen(LOCAL, listening->port, 0, CSAPP_REUSEPORT), -1);
    ck_assert_int_eq(csapp_listen(LOCAL, "0", 0, 4), -1);
}

START_TEST(a_thousand_failing_calls_leave_no_descriptor_open)
{
    struct server refusing = refusing_server(), silent = silent_server();
    struct server listening = listening_server(5);
    int i, before, away = open("/dev/null", O_WRONLY | O_CLOEXEC);

    ck_assert_int_eq(dup2(away, STDERR_FILENO), STDERR_FILENO);
    invent_server(&refusing);
    invent_server(&refusing);
    close_fails = close_outcomes[_i];
    before = open_descriptors();
    for (i = 0; i < 100; i++)
        fail_every_way(&refusing, &silent, &listening);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(a_failing_close_hides_no_error)
{
    struct server refusing = refusing_server(), listening = listening_server(5);
    int client;

    csapp_set_error_handler(csapp_error_return);
    close_fails = 1;
    ck_assert_int_eq(connects[_i](LOCAL, refusing.port), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(open_listenfd(listening.port), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    invent_server(&refusing);
    invent_server(&listening);
    errno = UNTOUCHED;
    client = connects[_i]("two addresses", "1");
    ck_assert_int_eq(errno, UNTOUCHED);
    expect_connection(client, listening.fd);
}
END_TEST

/* Takes every descriptor that this process may still have. */
static void use_up_descriptors(void)
{
    struct rlimit few = {64, 64};

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (dup(STDERR_FILENO) != -1)
        continue;
    ck_assert_int_eq(errno, EMFILE);
    errno = 0;
}

START_TEST(without_a_free_descriptor_a_client_fails_with_emfile)
{
    struct server server = listening_server(5);

    csapp_set_error_handler(csapp_error_return);
    use_up_descriptors();
    ck_assert_int_eq(connects[_i](LOCAL, server.port), -1);
    ck_assert_int_eq(errno, EMFILE);
}
END_TEST

START_TEST(without_a_free_descriptor_a_listener_fails_with_emfile)
{
    use_up_descriptors();
    ck_assert_int_eq(open_listenfd("0"), -1);
    ck_assert_int_eq(errno, EMFILE);
    errno = 0;
    ck_assert_int_eq(csapp_listen(LOCAL, "0", 0, 0), -1);
    ck_assert_int_eq(errno, EMFILE);
}
END_TEST

/* poll refuses more entries than a process may have descriptors. */
START_TEST(with_few_descriptors_a_deadline_works_as_ever)
{
    const struct rlimit few = {12, 12};
    struct server server = listening_server(5), silent = silent_server();
    int client;

    /* The free numbers have to be below the limit. */
    ck_assert_int_lt(dup2(server.fd, 8), 12);
    ck_assert_int_eq(syscall(SYS_close_range, 9u, ~0u, 0u), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    client = csapp_connect(LOCAL, server.port, 5000);
    expect_connection(client, 8);
    ck_assert_int_eq(csapp_connect(LOCAL, silent.port, 20), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

/* The time limits; well above them, a second counts as too late even on a busy machine. */
static const int limits[] = {0, 1, 60, 300};

START_TEST(without_an_answer_the_deadline_ends_it)
{
    struct server silent = silent_server();
    int before = open_descriptors();
    long start = now_ms();

    ck_assert_int_eq(csapp_connect(LOCAL, silent.port, limits[_i]), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(now_ms() - start, limits[_i]);
    ck_assert_int_lt(now_ms() - start, limits[_i] + 2000);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* The deadline is one for all addresses together, not one for each. */
START_TEST(the_deadline_is_for_all_addresses_together)
{
    struct server silent = silent_server();
    long start = now_ms();
    int i, before = open_descriptors();

    for (i = 0; i < 4; i++)
        invent_server(&silent);
    ck_assert_int_eq(csapp_connect("silent", "1", 600), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(now_ms() - start, 600);
    ck_assert_int_lt(now_ms() - start, 2000);
    ck_assert_int_ge(destination_count, 2);
    ck_assert_int_le(destination_count, 3);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(a_dead_first_address_costs_nothing)
{
    struct server dead = refusing_server(), alive = listening_server(5);
    int before = open_descriptors(), client;

    invent_server(&dead);
    invent_server(&alive);
    errno = UNTOUCHED;
    client = connects[_i]("two addresses", "1");
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(open_descriptors(), before + 1);
    expect_connection(client, alive.fd);
    ck_assert_int_eq(destination_port(0), port_of(dead.fd));
    ck_assert_int_eq(destination_port(1), port_of(alive.fd));
    ck_assert_int_eq(destination_count, 2);
    ck_assert_int_eq(invented_freed, invented_given);
}
END_TEST

/* A quarter of a second, where the kernel would wait for two minutes. */
START_TEST(a_silent_first_address_costs_a_quarter_of_a_second)
{
    struct server silent = silent_server(), alive = listening_server(5);
    int before = open_descriptors(), client;
    long start = now_ms(), end;

    invent_server(&silent);
    invent_server(&alive);
    errno = UNTOUCHED;
    client = connects[_i]("two addresses", "1");
    end = now_ms();
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(open_descriptors(), before + 1);
    expect_connection(client, alive.fd);
    ck_assert_int_ge(end - start, 250);
    ck_assert_int_lt(end - start, 2000);
    ck_assert_int_eq(invented_freed, invented_given);
}
END_TEST

/* Adds a test that runs once for each entry of a table. */
#define add_for_each(tests, test, table) \
    tcase_add_loop_test(tests, test, 0, (int)(sizeof(table) / sizeof(table)[0]))

int main(void)
{
    Suite *suite = suite_create("net");
    TCase *tests = tcase_create("net");

    tcase_set_timeout(tests, 20);
    add_failures(tests);
    add_for_each(tests, a_client_takes_no_port_but_a_right_one, ports);
    add_for_each(tests, a_listener_takes_no_port_but_a_right_one, ports);
    add_for_each(tests, port_0_is_a_free_one_and_works_end_to_end, free_ports);
    tcase_add_test(tests, the_last_port_can_be_listened_on);
    add_for_each(tests, no_host_is_this_machine, connects);
    tcase_add_test(tests, no_port_is_efault);
    add_for_each(tests, a_refused_connection_is_econnrefused, connects);
    add_for_each(tests, a_connection_to_itself_is_refused_and_leaves_the_port_free, connects);
    add_for_each(tests, the_same_port_on_two_addresses_is_no_connection_to_itself, connects);
    tcase_add_test(tests, a_port_in_use_is_eaddrinuse);
    tcase_add_test(tests, a_server_can_start_again_at_once);
    add_for_each(tests, a_thousand_failing_calls_leave_no_descriptor_open, close_outcomes);
    add_for_each(tests, a_failing_close_hides_no_error, connects);
    add_for_each(tests, without_a_free_descriptor_a_client_fails_with_emfile, connects);
    tcase_add_test(tests, without_a_free_descriptor_a_listener_fails_with_emfile);
    tcase_add_test(tests, with_few_descriptors_a_deadline_works_as_ever);
    add_for_each(tests, without_an_answer_the_deadline_ends_it, limits);
    tcase_add_test(tests, the_deadline_is_for_all_addresses_together);
    add_for_each(tests, a_dead_first_address_costs_nothing, connects);
    add_for_each(tests, a_silent_first_address_costs_a_quarter_of_a_second, connects);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
