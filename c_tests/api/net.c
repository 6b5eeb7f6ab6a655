/* Connecting and listening by name: open_clientfd, open_listenfd, csapp_connect, csapp_listen and
   the checked wrappers. Nothing here leaves the machine, and no name server is asked: what the
   resolver, connect and close do is this program's to say. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"
#include "streams.h"
#include "tcp.h"
#include <limits.h>
#include <poll.h>
#include <sys/resource.h>

#define LOCAL "127.0.0.1"

/* The resolver of the tests. Once something is invented, a host that is no number, or none at all,
   stands for the addresses in `invented`, or fails with `invented_code`. The rest is libc's. */
static struct addrinfo invented[4];
static struct sockaddr_storage invented_addresses[4];
static int invented_count, invented_code, invented_errno, invented_given, invented_freed;
static int addrconfig_code; /* what a look-up with AI_ADDRCONFIG fails with */
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
        if (hints->ai_flags & AI_ADDRCONFIG && addrconfig_code != 0)
            return addrconfig_code;
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

static int listen_backlog; /* the last one that was asked for */

INJECT(int, listen, (int fd, int backlog), (fd, listen_backlog = backlog), MINUS_ONE)

INJECT(int, poll, (struct pollfd *polled, nfds_t count, int timeout), (polled, count, timeout), MINUS_ONE)

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

#define NO_PORT ": port 65536: not a number from 0 to 65535, nor a service's name"
#define FAILURES(CALL)                                                                           \
    CALL(Open_clientfd, -2, UNSAID, EAI_SERVICE, Open_clientfd(LOCAL, "65536"), NO_PORT)         \
    CALL(Open_listenfd, -2, UNSAID, EAI_SERVICE, Open_listenfd("65536"), NO_PORT)

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
    {"*", -1},
};

/* Whether ports[i] is one here: a name is none where the system has no database of services. */
static int is_port(int i)
{
    return ports[i].number >= 0
        && (strcmp(ports[i].port, "http") != 0 || getservbyname("http", "tcp") != NULL);
}

START_TEST(a_client_takes_no_port_but_a_right_one)
{
    connect_by = refuse_all;
    if (!is_port(_i)) {
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
    if (!is_port(_i)) {
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
    struct sockaddr_in address;
    int own, client, second = socket(AF_INET, SOCK_STREAM, 0);

    for (;;) {
        own = server.fd;
        address = server.address;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
        if (bind(second, (SA *)&address, sizeof address) == 0)
            break;
        ck_assert_int_eq(errno, EADDRINUSE); /* on that address the port is taken */
        server = refusing_server();
    }
    server.fd = second;
    ck_assert_int_eq(listen(server.fd, 5), 0);
    close(own);
    own_end = server.address;
    connect_by = connect_from_own_end;
    client = connects[_i]("127.0.0.2", server.port);
    expect_connection(client, server.fd);
    ck_assert_int_eq(port_of(client), port_of(server.fd));
}
END_TEST

static int flags_at_connect;

static int connect_and_note_flags(int fd, const struct sockaddr *address, socklen_t len)
{
    flags_at_connect = fcntl(fd, F_GETFL);
    return plain_connect(fd, address, len);
}

/* Without a deadline, the one address there is gets a plain blocking connect. */
START_TEST(one_address_is_connected_to_by_a_blocking_call)
{
    struct server server = listening_server(5);

    connect_by = connect_and_note_flags;
    expect_connection(connects[_i](LOCAL, server.port), server.fd);
    ck_assert_int_eq(flags_at_connect & O_NONBLOCK, connects[_i] == connect_in_5_s ? O_NONBLOCK : 0);
    ck_assert_int_eq(destination_count, 1);
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

START_TEST(without_a_free_descriptor_a_client_fails_with_emfile)
{
    struct server server = listening_server(5);

    csapp_set_error_handler(csapp_error_return);
    leave_descriptors(0);
    errno = 0;
    ck_assert_int_eq(connects[_i](LOCAL, server.port), -1);
    ck_assert_int_eq(errno, EMFILE);
}
END_TEST

START_TEST(without_a_free_descriptor_a_listener_fails_with_emfile)
{
    leave_descriptors(0);
    errno = 0;
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

/* However long it takes, nobody waits more often than there is something to do: a few starts, a few
   answers, the end. */
#define MOST_WAITS 10

START_TEST(without_an_answer_the_deadline_ends_it)
{
    struct server silent = silent_server();

    expect_time_out(LOCAL, silent.port, limits[_i], limits[_i] + 2000);
    ck_assert_int_le(poll_calls, MOST_WAITS);
}
END_TEST

/* The deadline is one for all addresses together, not one for each. */
START_TEST(the_deadline_is_for_all_addresses_together)
{
    struct server silent = silent_server();
    int i;

    for (i = 0; i < 4; i++)
        invent_server(&silent);
    expect_time_out("silent", "1", 600, 2000);
    ck_assert_int_ge(destination_count, 2);
    ck_assert_int_le(destination_count, 3);
    ck_assert_int_le(poll_calls, MOST_WAITS);
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

/* Only an address for which no descriptor is free waits until another attempt has ended. */
START_TEST(an_address_of_an_unknown_family_is_passed_over)
{
    struct server silent = silent_server(), alive = listening_server(5);
    const struct sockaddr unknown = {.sa_family = 12345};

    invent_server(&silent);
    invent(&unknown, sizeof unknown);
    invent_server(&alive);
    expect_connection(csapp_connect("three addresses", "1", 5000), alive.fd);
}
END_TEST

/* An IPv6 or IPv4 address of this machine with port `port`. */
static void invent_address(int family, int port)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    memset(&six, 0, sizeof six);
    memset(&four, 0, sizeof four);
    six.sin6_family = AF_INET6;
    six.sin6_addr = in6addr_loopback;
    six.sin6_port = htons((in_port_t)port);
    four.sin_family = AF_INET;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    four.sin_port = six.sin6_port;
    if (family == AF_INET6)
        invent(&six, sizeof six);
    else
        invent(&four, sizeof four);
}

/* The families that the resolver gives, and the order in which they have to be tried; the port
   of each address is its place in the resolver's list, from 1. */
static const struct {
    int families[4], order[4];
} walks[] = {
    {{AF_INET, AF_INET, AF_INET, AF_INET}, {1, 2, 3, 4}},
    {{AF_INET, AF_INET, AF_INET6, AF_INET6}, {1, 3, 2, 4}},
    {{AF_INET6, AF_INET6, AF_INET, AF_INET}, {1, 3, 2, 4}},
    {{AF_INET6, AF_INET, AF_INET6, AF_INET}, {1, 2, 3, 4}},
    {{AF_INET6, AF_INET6, AF_INET6, AF_INET}, {1, 4, 2, 3}},
    {{AF_INET, AF_INET6, AF_INET6, AF_INET6}, {1, 2, 3, 4}},
};

START_TEST(addresses_are_tried_in_order_with_the_families_taking_turns)
{
    int i;

    if (_i > 0 && !has_ipv6())
        return;
    for (i = 0; i < 4; i++)
        invent_address(walks[_i].families[i], i + 1);
    connect_by = refuse_all;
    ck_assert_int_eq(open_clientfd("four addresses", "1"), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(destination_count, 4);
    for (i = 0; i < 4; i++)
        ck_assert_int_eq(destination_port(i), walks[_i].order[i]);
    ck_assert_int_eq(invented_given, 1);
    ck_assert_int_eq(invented_freed, 1);
}
END_TEST

/* Of two addresses, why each fails, and which reason is told: that this machine has no network
   of a family says nothing about the server. */
static const struct {
    int reasons[2], told;
} failures_of_two[] = {
    {{ECONNREFUSED, ETIMEDOUT}, ETIMEDOUT},       {{ETIMEDOUT, ECONNREFUSED}, ECONNREFUSED},
    {{ECONNREFUSED, ENETUNREACH}, ECONNREFUSED},  {{ENETUNREACH, ECONNREFUSED}, ECONNREFUSED},
    {{ECONNREFUSED, EADDRNOTAVAIL}, ECONNREFUSED}, {{ENETUNREACH, ENETUNREACH}, ENETUNREACH},
};

static const int *fail_reasons;

static int fail_in_turn(int fd, const struct sockaddr *address, socklen_t len)
{
    static int turn;

    (void)fd, (void)address, (void)len;
    errno = fail_reasons[turn++];
    return -1;
}

START_TEST(the_most_telling_reason_is_told)
{
    invent_address(AF_INET, 1);
    invent_address(AF_INET, 2);
    fail_reasons = failures_of_two[_i].reasons;
    connect_by = fail_in_turn;
    ck_assert_int_eq(open_clientfd("two addresses", "1"), -1);
    ck_assert_int_eq(errno, failures_of_two[_i].told);
    ck_assert_int_eq(poll_calls, 0); /* nobody waits after what failed at once */
}
END_TEST

static const char *const numbers[] = {LOCAL, "::1", "127.1", "0x7f.0.0.1"};

START_TEST(a_number_needs_no_look_up)
{
    connect_by = refuse_all;
    ck_assert_int_eq(open_clientfd(numbers[_i], "80"), -1);
    ck_assert_int_eq(look_up_count, 1);
    ck_assert_int_eq(look_ups[0], AI_NUMERICHOST | AI_NUMERICSERV);
}
END_TEST

START_TEST(a_name_is_tried_as_a_number_first)
{
    struct server server = listening_server(5);

    invent_server(&server);
    expect_connection(open_clientfd("one address", "80"), server.fd);
    ck_assert_int_eq(look_up_count, 2);
    ck_assert_int_eq(look_ups[0], AI_NUMERICHOST | AI_NUMERICSERV);
    ck_assert_int_eq(look_ups[1], AI_ADDRCONFIG | AI_NUMERICSERV);
    expect_connection(open_clientfd("one address", "http"), server.fd);
    ck_assert_int_eq(look_ups[3], AI_ADDRCONFIG);
}
END_TEST

/* What is wrong with the port, or what is no number in the first place, is asked about once. */
START_TEST(another_failure_is_not_looked_up_again)
{
    ck_assert_int_eq(open_clientfd(LOCAL, "no such service"), -2);
    ck_assert_int_eq(look_up_count, 1);
    ck_assert_int_eq(open_clientfd(LOCAL, "80:"), -2); /* the character behind '9' is no digit */
    ck_assert_int_eq(look_up_count, 2);
    ck_assert_int_eq(open_clientfd(NULL, "no such service"), -2);
    ck_assert_int_eq(look_up_count, 3);
    invented_code = EAI_NONAME;
    ck_assert_int_eq(open_clientfd(NULL, "80"), -2);
    ck_assert_int_eq(look_up_count, 4);
    addrconfig_code = EAI_AGAIN;
    ck_assert_int_eq(open_clientfd("a name", "80"), -2);
    ck_assert_int_eq(look_up_count, 6);
}
END_TEST

static const int without_address[] = {EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY};

/* On a host whose only interface is loopback, AI_ADDRCONFIG leaves nothing over. */
START_TEST(a_host_with_loopback_alone_still_knows_its_names)
{
    struct server server = listening_server(5);

    invent_server(&server);
    addrconfig_code = without_address[_i];
    expect_connection(open_clientfd("a name of its own", "80"), server.fd);
    ck_assert_int_eq(look_up_count, 3);
    ck_assert_int_eq(look_ups[2], AI_NUMERICSERV);
    expect_connection(open_clientfd("localhost", "80"), server.fd);
    ck_assert_int_eq(look_up_count, 5);
    ck_assert_int_eq(look_ups[4], AI_NUMERICSERV);
    ck_assert_int_eq(invented_freed, invented_given);
}
END_TEST

/* A call that has to fail with -2, in a process of its own. */
struct unresolved_call {
    const char *host, *port;
    int (*call)(const char *host, const char *port);
    int code, system_reason; /* what the resolver says, and leaves in errno */
    const char *said;        /* what stands before the reason */
};

static int listen_by_the_book(const char *host, const char *port)
{
    (void)host;
    return open_listenfd(port);
}

static int listen_checked(const char *host, const char *port)
{
    (void)host;
    return Open_listenfd(port);
}

static int listen_on_host(const char *host, const char *port)
{
    return csapp_listen(host, port, 5, 0);
}

static const struct unresolved_call unresolved_calls[] = {
    {"name", "80", connect_by_the_book, EAI_NONAME, 0, "getaddrinfo failed (name:80): "},
    {"name", "80", connect_by_the_book, EAI_AGAIN, 0, "getaddrinfo failed (name:80): "},
    {"name", "80", connect_by_the_book, EAI_SYSTEM, EIO, "getaddrinfo failed (name:80): "},
    {"name", "80", connect_by_the_book, EAI_FAMILY, 0, "getaddrinfo failed (name:80): "},
    {"name", "80", connect_by_the_book, EAI_BADFLAGS, 0, "getaddrinfo failed (name:80): "},
    {"name", "80", connect_by_the_book, EAI_OVERFLOW, 0, "getaddrinfo failed (name:80): "},
    {NULL, "80", connect_by_the_book, EAI_FAIL, 0, "getaddrinfo failed (:80): "},
    {"name", "", connect_by_the_book, EAI_SERVICE, 0, "getaddrinfo failed (name:): "},
    {"name", "http", connect_in_5_s, EAI_FAIL, 0, "getaddrinfo failed (name:http): "},
    {"name", "80", connect_checked, EAI_FAIL, 0, "Open_clientfd error: name:80: "},
    {"name", "80", connect_checked, EAI_AGAIN, 0, "Open_clientfd error: name:80: "},
    {"name", "80", connect_checked, EAI_NONAME, 0, "Open_clientfd error: no such host: name"},
    {"", "80", connect_checked, EAI_NONAME, 0, "Open_clientfd error: no such host: \"\""},
    {"::g", "80", connect_checked, EAI_FAIL, 0, "Open_clientfd error: [::g]:80: "},
    {NULL, "80", connect_checked, EAI_FAIL, 0, "Open_clientfd error: port 80: "},
    {"name", "htpt", connect_checked, EAI_SERVICE, 0,
     "Open_clientfd error: port htpt: not a number from 0 to 65535, nor a service's name"},
    {"name", "80", connect_checked, EAI_SYSTEM, EIO, "Open_clientfd error: name:80: "},
    {"name", "80", listen_by_the_book, EAI_FAIL, 0, "getaddrinfo failed (port 80): "},
    {"name", "80", listen_on_host, EAI_NONAME, 0, "getaddrinfo failed (port 80): "},
    {"name", "80", listen_checked, EAI_FAIL, 0, "Open_listenfd error: port 80: "},
    {"name", "80", listen_checked, EAI_SYSTEM, EIO, "Open_listenfd error: port 80: "},
};

/* The errno that says most nearly what the resolver's code says. */
static int nearest_errno(const struct unresolved_call *this)
{
    switch (this->code) {
    case EAI_SYSTEM: return this->system_reason;
    case EAI_NONAME: return ENXIO;
    case EAI_AGAIN: return EAGAIN;
    case EAI_FAMILY: return EAFNOSUPPORT;
    case EAI_SERVICE:
    case EAI_BADFLAGS: return EINVAL;
    case EAI_OVERFLOW: return EOVERFLOW;
    case EAI_FAIL: return EIO;
    default: return -1;
    }
}

/* Status 42: -2, and errno is right. */
static void fail_to_resolve(void *arg)
{
    const struct unresolved_call *this = arg;
    int value, reason;

    csapp_set_error_handler(csapp_error_return);
    invented_code = this->code;
    invented_errno = this->system_reason;
    errno = UNTOUCHED;
    value = this->call(this->host, this->port);
    reason = errno;
    if (reason != nearest_errno(this))
        _exit(44);
    _exit(value == -2 ? 42 : 43);
}

/* Only the resolver's own failures are -2, and -2 is always explained by one line. */
START_TEST(what_the_resolver_cannot_find_is_minus_2_and_one_line)
{
    const struct unresolved_call *this = &unresolved_calls[_i];
    struct outcome seen = outcome_of(fail_to_resolve, (void *)this);
    char line[256];

    snprintf(line, sizeof line, "%s%s\n", this->said,
             this->said[strlen(this->said) - 1] != ' ' ? "" /* which says it all */
             : this->code == EAI_SYSTEM                ? strerror(this->system_reason)
                                                       : gai_strerror(this->code));
    ck_assert_str_eq(seen.err, line);
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

/* A lack of descriptors or of memory says nothing about the name, whatever code it comes as: that is -1. */
static const struct {
    int code, left_in_errno, reason;
} wants[] = {
    {EAI_SYSTEM, EMFILE, EMFILE}, {EAI_SYSTEM, ENFILE, ENFILE}, {EAI_SYSTEM, ENOMEM, ENOMEM},
    {EAI_NONAME, EMFILE, EMFILE}, {EAI_AGAIN, ENFILE, ENFILE},  {EAI_MEMORY, 0, ENOMEM},
    {EAI_SERVICE, EMFILE, EMFILE},
};

START_TEST(what_the_resolver_is_wanting_for_is_minus_1)
{
    int (*const calls[])(const char *, const char *) = {
        connect_by_the_book, connect_in_5_s, connect_checked, listen_by_the_book, listen_checked, listen_on_host,
    };
    size_t i;

    csapp_set_error_handler(csapp_error_return);
    invented_code = wants[_i].code;
    invented_errno = wants[_i].left_in_errno;
    for (i = 0; i < sizeof calls / sizeof *calls; i++) {
        errno = 0;
        ck_assert_int_eq(calls[i]("name", "80"), -1);
        ck_assert_int_eq(errno, wants[_i].reason);
    }
}
END_TEST

static void fail_to_connect(void *port)
{
    _exit(open_clientfd(LOCAL, (const char *)port) == -1 ? 42 : 43);
}

START_TEST(a_failed_connection_says_nothing)
{
    struct server server = refusing_server();
    struct outcome seen = outcome_of(fail_to_connect, server.port);

    ck_assert_str_eq(seen.err, "");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

/* A connect that a signal ends at once, while the kernel goes on with the attempt. */
static int connect_interrupted(int fd, const struct sockaddr *address, socklen_t len)
{
    int flags = fcntl(fd, F_GETFL), outcome;

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    outcome = plain_connect(fd, address, len);
    fcntl(fd, F_SETFL, flags);
    if (outcome == -1 && errno == EINPROGRESS)
        errno = EINTR;
    return outcome;
}

START_TEST(an_interrupted_attempt_is_waited_for)
{
    struct server server = listening_server(5);
    int client;

    connect_by = connect_interrupted;
    errno = UNTOUCHED;
    client = connects[_i](LOCAL, server.port);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(destination_count, 1);
    expect_connection(client, server.fd);
}
END_TEST

START_TEST(an_interrupted_attempt_can_still_be_refused)
{
    struct server server = refusing_server();
    int before = open_descriptors();

    csapp_set_error_handler(csapp_error_return);
    connect_by = connect_interrupted;
    ck_assert_int_eq(connects[_i](LOCAL, server.port), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    ck_assert_int_eq(destination_count, 1);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static int full_listener;

/* Those that waited before the client may come again before it does: there is room for all. */
static void accept_all(void)
{
    int fd;

    listen(full_listener, 16);
    while ((fd = accept4(full_listener, NULL, NULL, SOCK_NONBLOCK)) != -1)
        close(fd);
}

static void accept_all_at(int signum)
{
    int before = errno;

    (void)signum;
    accept_all();
    errno = before;
}

/* Signals come while the attempt waits in the kernel; the last makes the server answer. */
START_TEST(signals_do_not_disturb_a_waiting_attempt)
{
    struct server server = silent_server();
    int client;

    full_listener = server.fd;
    interrupt_until(accept_all);
    errno = UNTOUCHED;
    client = connects[_i](LOCAL, server.port);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_was_interrupted();
    expect_plain_socket(client);
    ck_assert_int_eq(destination_count, 1);
    ck_assert_int_eq(option(client, SOL_SOCKET, SO_ERROR), 0);
    ck_assert_int_eq(send(client, "x", 1, MSG_NOSIGNAL), 1);
}
END_TEST

/* Signals take nothing from a deadline and add nothing to it. */
START_TEST(signals_do_not_move_the_deadline)
{
    struct server silent = silent_server();

    start_storm();
    expect_time_out(LOCAL, silent.port, 300, 2300);
    end_storm();
    ck_assert_int_ge(interruptions, 2);
}
END_TEST

/* The first address answers late, the second never: the first attempt was not given up. */
START_TEST(an_address_may_answer_after_the_next_was_tried)
{
    struct server late = silent_server(), silent = silent_server();
    const struct itimerval in_half_a_second = {{0, 0}, {0, 500000}};
    int before = open_descriptors(), client;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;

    full_listener = late.fd;
    Signal(SIGALRM, accept_all_at);
    setitimer(ITIMER_REAL, &in_half_a_second, NULL);
    invent_server(&late);
    invent_server(&silent);
    client = open_clientfd("two addresses", "1");
    expect_plain_socket(client);
    ck_assert_int_eq(getpeername(client, (SA *)&peer, &len), 0);
    ck_assert_int_eq(peer.sin_port, late.address.sin_port);
    ck_assert_int_eq(destination_count, 2);
    ck_assert_int_le(poll_calls, MOST_WAITS);
    close(client);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static int withdrawn; /* a listener that is gone when the second address is tried */

static int connect_and_withdraw(int fd, const struct sockaddr *address, socklen_t len)
{
    if (destination_count == 2)
        close(withdrawn);
    return plain_connect(fd, address, len);
}

/* The first is refused when TCP asks again, after a second; the second goes on being waited for. */
START_TEST(an_attempt_that_failed_is_not_waited_for)
{
    struct server first = silent_server(), second = silent_server();

    withdrawn = first.fd;
    connect_by = connect_and_withdraw;
    invent_server(&first);
    invent_server(&second);
    ck_assert_int_eq(csapp_connect("two addresses", "1", 1600), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(destination_count, 2);
    ck_assert_int_le(poll_calls, MOST_WAITS);
}
END_TEST

START_TEST(the_first_address_that_binds_is_listened_on)
{
    struct server taken = listening_server(5), free = refusing_server();
    int before, fd;

    close(free.fd);
    before = open_descriptors();
    invent_server(&taken);
    invent_server(&free);
    errno = UNTOUCHED;
    fd = open_listenfd("1");
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(port_of(fd), ntohs(free.address.sin_port));
    ck_assert_int_eq(open_descriptors(), before + 1);
    ck_assert_int_eq(invented_freed, 1);
    expect_connection(open_clientfd(LOCAL, free.port), fd);
}
END_TEST

/* With SO_REUSEADDR, two sockets may be bound to one port; listen is where the second one fails. */
START_TEST(the_first_address_that_listens_is_listened_on)
{
    int before = open_descriptors(), fd;

    invent_address(AF_INET, 0);
    invent_address(AF_INET, 0);
    FAIL_NEXT(listen, EADDRINUSE);
    fd = open_listenfd("1");
    expect_plain_socket(fd);
    ck_assert_int_eq(listen_calls, 2);
    ck_assert_int_eq(open_descriptors(), before + 1);
}
END_TEST

START_TEST(open_listenfd_takes_addresses_of_all_interfaces)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int fd = open_listenfd("0");

    ck_assert_int_eq(getsockname(fd, (SA *)&address, &len), 0);
    ck_assert_int_eq(address.sin_family, AF_INET);
    ck_assert_uint_eq(address.sin_addr.s_addr, htonl(INADDR_ANY));
    expect_connection(open_clientfd("127.0.0.2", port_text(fd)), fd);
}
END_TEST

START_TEST(csapp_listen_keeps_to_its_host)
{
    int fd = csapp_listen(LOCAL, "0", 5, 0);

    expect_plain_socket(fd);
    ck_assert_int_ne(option(fd, SOL_SOCKET, SO_REUSEADDR), 0);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
    ck_assert_int_eq(open_clientfd("127.0.0.2", port_text(fd)), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    expect_connection(open_clientfd(LOCAL, port_text(fd)), fd);
}
END_TEST

/* Of the families, the resolver's order decides. */
START_TEST(csapp_listen_takes_the_first_address_of_its_host)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    if (!has_ipv6())
        return;
    invent_address(AF_INET6, 0);
    invent_address(AF_INET, 0);
    ck_assert_int_eq(getsockname(csapp_listen("two addresses", "0", 5, 0), (SA *)&address, &len), 0);
    ck_assert_int_eq(address.ss_family, AF_INET6);
}
END_TEST

static const int backlogs[] = {-1, 0, 1, 5, LISTENQ, 100000};

START_TEST(a_queue_below_1_is_listenq)
{
    ck_assert_int_ge(csapp_listen(LOCAL, "0", backlogs[_i], 0), 0);
    ck_assert_int_eq(listen_backlog, backlogs[_i] < 1 ? LISTENQ : backlogs[_i]);
    ck_assert_int_ge(open_listenfd("0"), 0);
    ck_assert_int_eq(listen_backlog, LISTENQ);
}
END_TEST

START_TEST(dual_stack_takes_both_families_on_one_socket)
{
    int fd = csapp_listen(NULL, "0", 5, CSAPP_DUALSTACK);

    expect_plain_socket(fd);
    expect_connection(open_clientfd(LOCAL, port_text(fd)), fd);
    if (!has_ipv6())
        return;
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
    ck_assert_int_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    expect_connection(open_clientfd("::1", port_text(fd)), fd);
}
END_TEST

/* A server that nobody finds would be worse than an error. */
START_TEST(a_port_in_use_sends_csapp_listen_to_no_other_family)
{
    int taken = csapp_listen(NULL, "0", 5, 0);

    expect_plain_socket(taken);
    errno = 0;
    ck_assert_int_eq(csapp_listen(NULL, port_text(taken), 5, 0), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
    if (!has_ipv6())
        return;
    taken = csapp_listen("::", "0", 5, 0);
    errno = 0;
    ck_assert_int_eq(csapp_listen(NULL, port_text(taken), 5, CSAPP_DUALSTACK), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

/* Where there is no IPv6, or only for this host. */
START_TEST(dual_stack_of_an_ipv4_host_is_ipv4)
{
    int fd = csapp_listen(LOCAL, "0", 5, CSAPP_DUALSTACK);

    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    expect_connection(open_clientfd(LOCAL, port_text(fd)), fd);
}
END_TEST

START_TEST(without_the_flag_ipv6_is_ipv6_alone)
{
    int fd;

    if (!has_ipv6())
        return;
    fd = csapp_listen("::", "0", 5, 0);
    ck_assert_int_eq(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    ck_assert_int_eq(open_clientfd(LOCAL, port_text(fd)), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    expect_connection(open_clientfd("::1", port_text(fd)), fd);
}
END_TEST

START_TEST(with_reuse_port_several_listeners_share_one)
{
    int first = csapp_listen(LOCAL, "0", 5, CSAPP_REUSEPORT);
    int second = csapp_listen(LOCAL, port_text(first), 5, CSAPP_REUSEPORT);

    expect_plain_socket(second);
    ck_assert_int_eq(port_of(first), port_of(second));
    ck_assert_int_ne(option(second, SOL_SOCKET, SO_REUSEPORT), 0);
    ck_assert_int_eq(csapp_listen(LOCAL, port_text(first), 5, 0), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

static const unsigned int unknown_flags[] = {4, 8, 1u << 31, ~0u, CSAPP_DUALSTACK | 4};

START_TEST(an_unknown_flag_is_einval)
{
    ck_assert_int_eq(csapp_listen(LOCAL, "0", 5, unknown_flags[_i]), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(look_up_count, 0);
}
END_TEST

START_TEST(ports_may_be_numbers_as_in_the_second_edition)
{
    int listener = open_listenfd(0), port = port_of(listener);
    unsigned short small = (unsigned short)port;

    expect_plain_socket(listener);
    expect_connection(open_clientfd(LOCAL, port), listener);
    expect_connection(open_clientfd(LOCAL, small), listener);
    expect_connection(Open_clientfd(LOCAL, port), listener);
    ck_assert_int_ge(Open_listenfd(0), 0);
    ck_assert_int_eq(open_listenfd(port), -1);
    ck_assert_int_eq(errno, EADDRINUSE);
}
END_TEST

static const int no_ports[] = {-1, 65536, INT_MAX, INT_MIN};

START_TEST(numbers_that_are_no_ports_are_minus_2)
{
    csapp_set_error_handler(csapp_error_return);
    ck_assert_int_eq(open_clientfd(LOCAL, no_ports[_i]), -2);
    ck_assert_int_eq(open_listenfd(no_ports[_i]), -2);
    ck_assert_int_eq(Open_clientfd(LOCAL, no_ports[_i]), -2);
    ck_assert_int_eq(Open_listenfd(no_ports[_i]), -2);
    ck_assert_int_eq(destination_count, 0);
}
END_TEST

int main(void)
{
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
    add_for_each(tests, one_address_is_connected_to_by_a_blocking_call, connects);
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
    tcase_add_test(tests, an_address_of_an_unknown_family_is_passed_over);
    add_for_each(tests, addresses_are_tried_in_order_with_the_families_taking_turns, walks);
    add_for_each(tests, the_most_telling_reason_is_told, failures_of_two);
    add_for_each(tests, a_number_needs_no_look_up, numbers);
    tcase_add_test(tests, a_name_is_tried_as_a_number_first);
    tcase_add_test(tests, another_failure_is_not_looked_up_again);
    add_for_each(tests, a_host_with_loopback_alone_still_knows_its_names, without_address);
    add_for_each(tests, what_the_resolver_cannot_find_is_minus_2_and_one_line, unresolved_calls);
    add_for_each(tests, what_the_resolver_is_wanting_for_is_minus_1, wants);
    tcase_add_test(tests, a_failed_connection_says_nothing);
    add_for_each(tests, an_interrupted_attempt_is_waited_for, connects);
    add_for_each(tests, an_interrupted_attempt_can_still_be_refused, connects);
    add_for_each(tests, signals_do_not_disturb_a_waiting_attempt, connects);
    tcase_add_test(tests, signals_do_not_move_the_deadline);
    tcase_add_test(tests, an_address_may_answer_after_the_next_was_tried);
    tcase_add_test(tests, an_attempt_that_failed_is_not_waited_for);
    tcase_add_test(tests, the_first_address_that_binds_is_listened_on);
    tcase_add_test(tests, the_first_address_that_listens_is_listened_on);
    tcase_add_test(tests, open_listenfd_takes_addresses_of_all_interfaces);
    tcase_add_test(tests, csapp_listen_keeps_to_its_host);
    tcase_add_test(tests, csapp_listen_takes_the_first_address_of_its_host);
    add_for_each(tests, a_queue_below_1_is_listenq, backlogs);
    tcase_add_test(tests, dual_stack_takes_both_families_on_one_socket);
    tcase_add_test(tests, dual_stack_of_an_ipv4_host_is_ipv4);
    tcase_add_test(tests, a_port_in_use_sends_csapp_listen_to_no_other_family);
    tcase_add_test(tests, without_the_flag_ipv6_is_ipv6_alone);
    tcase_add_test(tests, with_reuse_port_several_listeners_share_one);
    add_for_each(tests, an_unknown_flag_is_einval, unknown_flags);
    tcase_add_test(tests, ports_may_be_numbers_as_in_the_second_edition);
    add_for_each(tests, numbers_that_are_no_ports_are_minus_2, no_ports);
    return run_suite("net", tests);
}
