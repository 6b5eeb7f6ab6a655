/* Connecting and listening on hosts of every kind: with loopback alone, without IPv6 or IPv4, with
   addresses behind which nobody is. Each test is such a host, in namespaces of its own, and nothing
   in it is made up: the kernel, the resolver and its files answer. */
#define _GNU_SOURCE
#include "namespace.h"
#include "streams.h"
#include "tcp.h"
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/route.h>
#include <stddef.h>
#include <sys/prctl.h>

/* The addresses of the tests (RFC 5737, RFC 3849). To a hole, packets go out and nothing comes back.
   The wall is a route that says at once that the host is unreachable. On the closed address of this
   host, nobody listens. */
#define HOST "198.51.100.1"
#define CLOSED "198.51.100.2"
#define HOST_6 "2001:db8::1"
#define HOLE "192.0.2.1"
#define HOLE_6 "2001:db8:dead::1"
#define WALL "203.0.113.1"
#define NOWHERE "198.18.0.1" /* no route goes there */
#define NOWHERE_6 "2001:db8:beef::1"

/* The names that these hosts know, and the addresses of each. */
static const char hosts[] =
    "127.0.0.1 localhost\n"
    "::1 localhost\n"
    "127.0.0.1 localhost4\n"
    "::1 ip6-localhost\n"
    HOST " host\n"
    HOST_6 " host6\n"
    HOLE " hole-and-host\n"
    HOST " hole-and-host\n"
    HOLE_6 " hole6-and-host\n"
    HOST " hole6-and-host\n"
    HOLE " hole-and-host6\n"
    HOST_6 " hole-and-host6\n"
    CLOSED " closed-and-host\n"
    HOST " closed-and-host\n"
    WALL " wall-and-host\n"
    HOST " wall-and-host\n"
    HOST " host-and-closed\n"
    "198.51.100.3 host-and-closed\n"
    HOST " host-and-nowhere\n"
    NOWHERE_6 " host-and-nowhere\n"
    CLOSED " closed-and-wall\n"
    WALL " closed-and-wall\n"
    CLOSED " closed-and-nowhere\n"
    NOWHERE " closed-and-nowhere\n"
    HOLE " holes\n"
    "192.0.2.2 holes\n"
    "192.0.2.3 holes\n"
    HOLE_6 " holes\n"
    "192.0.2.2 many-holes\n192.0.2.3 many-holes\n192.0.2.4 many-holes\n192.0.2.5 many-holes\n"
    "192.0.2.6 many-holes\n192.0.2.7 many-holes\n192.0.2.8 many-holes\n192.0.2.9 many-holes\n"
    "192.0.2.10 many-holes\n192.0.2.11 many-holes\n192.0.2.12 many-holes\n192.0.2.13 many-holes\n"
    "192.0.2.14 many-holes\n192.0.2.15 many-holes\n192.0.2.16 many-holes\n192.0.2.17 many-holes\n"
    HOST " many-holes\n"
    "192.0.2.2 only-holes\n192.0.2.3 only-holes\n192.0.2.4 only-holes\n192.0.2.5 only-holes\n"
    "192.0.2.6 only-holes\n192.0.2.7 only-holes\n192.0.2.8 only-holes\n192.0.2.9 only-holes\n"
    "192.0.2.10 only-holes\n192.0.2.11 only-holes\n192.0.2.12 only-holes\n192.0.2.13 only-holes\n"
    "192.0.2.14 only-holes\n192.0.2.15 only-holes\n192.0.2.16 only-holes\n192.0.2.17 only-holes\n"
    "192.0.2.18 only-holes\n192.0.2.19 only-holes\n";

/* Of the addresses of a name, the resolver puts holes and the closed one first, IPv4 before IPv6, and
   what no route goes to last. */
static const char precedences[] =
    "precedence ::ffff:192.0.2.0/120 100\n"
    "precedence ::ffff:198.51.100.2/128 90\n"
    "precedence 2001:db8:dead::/48 80\n"
    "precedence ::ffff:0:0/96 10\n"
    "precedence ::/0 5\n";

/* Gives this process an /etc of its own, with what the resolver reads. */
static int replace_etc(void)
{
    return empty_etc()
        && write_new_file("/etc/hosts", hosts)
        && write_new_file("/etc/host.conf", "multi on\n")
        && write_new_file("/etc/gai.conf", precedences)
        && write_new_file("/etc/nsswitch.conf", "hosts: files\nservices: files\n")
        && write_new_file("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        && write_new_file("/etc/services", "http 80/tcp\n");
}

/* Says what is left out here, before a child that may be forked says it again. */
static void skipped(const char *what, const char *why)
{
    printf("SKIPPED: %s: %s\n", what, why);
    fflush(stdout);
}

/* Sets a value of this network's, and says so where that is not allowed, as in a container. */
static int set_sysctl(const char *name, const char *value)
{
    char file[128];
    int is_set;

    snprintf(file, sizeof file, "/proc/sys/net/ipv4/%s", name);
    if (!(is_set = write_file(file, value)))
        skipped(name, "it cannot be set here");
    return is_set;
}

static struct sockaddr_in ipv4(const char *text, int port)
{
    struct sockaddr_in address;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((in_port_t)port);
    address.sin_addr.s_addr = inet_addr(text); /* without an assertion: this may be in a signal handler */
    return address;
}

static struct in6_addr ipv6(const char *text)
{
    struct in6_addr address;

    ck_assert_int_eq(inet_pton(AF_INET6, text, &address), 1);
    return address;
}

/* Asks the kernel for something about its network. */
static int ask_kernel(int family, unsigned long what, void *request)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int outcome = ioctl(fd, what, request);

    close(fd);
    return outcome;
}

/* The alias `label` of loopback gets an IPv4 address; "0.0.0.0": it loses its own. */
static int set_address(const char *label, const char *text)
{
    struct sockaddr_in address = ipv4(text, 0), one = ipv4("255.255.255.255", 0);
    struct ifreq request;

    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, label);
    memcpy(&request.ifr_addr, &address, sizeof address);
    if (ask_kernel(AF_INET, SIOCSIFADDR, &request) == -1)
        return -1;
    if (address.sin_addr.s_addr == 0)
        return 0;
    memcpy(&request.ifr_netmask, &one, sizeof one);
    return ask_kernel(AF_INET, SIOCSIFNETMASK, &request);
}

static void add_address(const char *label, const char *text)
{
    ck_assert_int_eq(set_address(label, text), 0);
}

static void remove_loopback_address(void)
{
    ck_assert_int_eq(set_address("lo", "0.0.0.0"), 0);
}

/* The request of <linux/ipv6.h>, which does not go together with <netinet/in.h>. */
struct in6_ifreq {
    struct in6_addr address;
    uint32_t prefix_length;
    int interface;
};

/* Adds an IPv6 address to loopback (SIOCSIFADDR), or takes it away (SIOCDIFADDR). */
static int change_address6(unsigned long what, const char *text)
{
    struct in6_ifreq request = {ipv6(text), 128, 1};

    return ask_kernel(AF_INET6, what, &request);
}

/* The kernel takes a moment until an IPv6 address can be used. */
static void add_address6(const char *text)
{
    struct sockaddr_in6 address;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(change_address6(SIOCSIFADDR, text), 0);
    memset(&address, 0, sizeof address);
    address.sin6_family = AF_INET6;
    address.sin6_addr = ipv6(text);
    while (bind(fd, (SA *)&address, sizeof address) == -1) {
        ck_assert_int_eq(errno, EADDRNOTAVAIL);
        sleep_ms(1);
    }
    close(fd);
}

/* Packets to the 256 addresses around `text` go out through loopback, where they come back to a host
   that is not meant and drops them; with RTF_REJECT, they do not go out at all. */
static void add_route(const char *text, int flags)
{
    struct sockaddr_in address = ipv4(text, 0), mask = ipv4("255.255.255.0", 0);
    struct rtentry route;
    char device[] = "lo";

    address.sin_addr.s_addr &= mask.sin_addr.s_addr;
    memset(&route, 0, sizeof route);
    memcpy(&route.rt_dst, &address, sizeof address);
    memcpy(&route.rt_genmask, &mask, sizeof mask);
    route.rt_flags = (unsigned short)(RTF_UP | flags);
    route.rt_dev = device;
    ck_assert_int_eq(ask_kernel(AF_INET, SIOCADDRT, &route), 0);
}

static int add_route6(const char *text)
{
    struct in6_rtmsg route;

    memset(&route, 0, sizeof route);
    route.rtmsg_dst = ipv6(text);
    route.rtmsg_dst_len = 128;
    route.rtmsg_metric = 1;
    route.rtmsg_flags = RTF_UP;
    route.rtmsg_ifindex = 1;
    return ask_kernel(AF_INET6, SIOCADDRT, &route);
}

/* Becomes a host with only loopback. */
static void be_loopback_host(void)
{
    ck_assert(enter_namespaces(CLONE_NEWNET | CLONE_NEWNS));
    ck_assert(raise_loopback());
    ck_assert(replace_etc());
}

/* Becomes a host with an IPv4 address beside loopback, and with the hole and the wall around it. */
static void be_ipv4_host(void)
{
    be_loopback_host();
    add_address("lo:1", HOST);
    add_address("lo:2", CLOSED);
    add_route(HOLE, 0);
    add_route(WALL, RTF_REJECT);
}

static int has_ipv6(void)
{
    return access("/proc/net/if_inet6", F_OK) == 0;
}

/* Becomes a host with both; where this kernel has no IPv6, 0. */
static int be_host(void)
{
    be_ipv4_host();
    if (!has_ipv6())
        return 0;
    add_address6(HOST_6);
    ck_assert_int_eq(add_route6(HOLE_6), 0);
    return 1;
}

/* The first address that the resolver has for `name`, with the look-up of the library. */
static void expect_first(const char *name, const char *text)
{
    struct addrinfo hints, *list;
    char first[INET6_ADDRSTRLEN];

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
    ck_assert_int_eq(getaddrinfo(name, "1", &hints, &list), 0);
    ck_assert_int_eq(getnameinfo(list->ai_addr, list->ai_addrlen, first, sizeof first, NULL, 0,
                                 NI_NUMERICHOST), 0);
    ck_assert_str_eq(first, text);
    ck_assert_ptr_nonnull(list->ai_next);
    freeaddrinfo(list);
}

/* A listening socket that the library has nothing to do with. */
static int listener_on(const void *address, socklen_t len)
{
    const SA *generic = (const SA *)address;
    int fd = socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, generic, len), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    return fd;
}

static int listener_on_ipv4(const char *text, int port)
{
    struct sockaddr_in address = ipv4(text, port);

    return listener_on(&address, sizeof address);
}

static int listener_on_ipv6(const char *text)
{
    struct sockaddr_in6 address;

    memset(&address, 0, sizeof address);
    address.sin6_family = AF_INET6;
    address.sin6_addr = ipv6(text);
    return listener_on(&address, sizeof address);
}

/* A port on which nobody listens, and nobody can get it. */
static const char *refusing_port(void)
{
    return port_text(refusing_server().fd);
}

static void expect_failure(int outcome, int reason)
{
    ck_assert_int_eq(outcome, -1);
    ck_assert_int_eq(errno, reason);
    errno = UNTOUCHED;
}

/* Connecting by every function fails like this, and leaves no descriptor open. */
static void expect_failures(const char *host, const char *port, int reason)
{
    int before = open_descriptors(), i;

    csapp_set_error_handler(csapp_error_return);
    for (i = 0; i < 4; i++)
        expect_failure(connects[i](host, port), reason);
    ck_assert_int_eq(open_descriptors(), before);
}

/* Connecting by every function works, touches no errno and leaves nothing else open. */
static void expect_connections(const char *host, int listener)
{
    int before = open_descriptors(), i;

    for (i = 0; i < 4; i++) {
        int client;

        errno = UNTOUCHED;
        client = connects[i](host, port_text(listener));
        ck_assert_msg(client >= 0, "%s, by way %d: %s", host, i, strerror(errno));
        ck_assert_int_eq(errno, UNTOUCHED);
        expect_connection(client, listener);
        close(client);
    }
    ck_assert_int_eq(open_descriptors(), before);
}

/* What is wrong with one address. */
static const struct {
    const char *host;
    int reason;
} dead[] = {
    {HOST, ECONNREFUSED},    {"127.0.0.1", ECONNREFUSED}, {WALL, EHOSTUNREACH},
    {NOWHERE, ENETUNREACH},  {HOST_6, ECONNREFUSED},      {"::1", ECONNREFUSED},
    {NOWHERE_6, ENETUNREACH},
};

START_TEST(each_dead_address_has_its_reason)
{
    int knows_ipv6 = be_host();

    if (knows_ipv6 || strchr(dead[_i].host, ':') == NULL)
        expect_failures(dead[_i].host, refusing_port(), dead[_i].reason);
}
END_TEST

START_TEST(a_dead_first_address_is_passed_over)
{
    int listener;

    be_ipv4_host();
    listener = listener_on_ipv4(HOST, 0);
    expect_first("closed-and-host", CLOSED);
    expect_connections("closed-and-host", listener);
    expect_connections("wall-and-host", listener);
}
END_TEST

/* The last reason, unless it is that no route goes there: that says nothing about the server. */
START_TEST(when_all_addresses_are_dead_the_most_telling_reason_is_told)
{
    be_ipv4_host();
    expect_first("closed-and-wall", CLOSED);
    expect_failures("closed-and-wall", refusing_port(), EHOSTUNREACH);
    expect_first("closed-and-nowhere", CLOSED);
    expect_failures("closed-and-nowhere", refusing_port(), ECONNREFUSED);
}
END_TEST

/* Names whose first address is a hole, and the address that answers. */
static const struct {
    const char *name, *hole, *host;
} holes[] = {
    {"hole-and-host", HOLE, HOST}, {"hole6-and-host", HOLE_6, HOST}, {"hole-and-host6", HOLE, HOST_6},
};

/* How many times a machine that is busy may be late before a connection is in time. */
#define TRIES 20

/* The kernel alone would try the first address for two minutes. */
START_TEST(behind_a_black_hole_the_second_address_connects_within_400_ms)
{
    int knows_ipv6 = be_host(), listener, i;

    if (!knows_ipv6 && _i > 0)
        return;
#ifndef __GLIBC__
    if (_i == 2)
        return; /* that order is the resolver's file's, which only glibc has */
#endif
    expect_first(holes[_i].name, holes[_i].hole);
    listener = strchr(holes[_i].host, ':') ? listener_on_ipv6(holes[_i].host)
                                           : listener_on_ipv4(holes[_i].host, 0);
    for (i = 0; i < 4; i++) {
        int before = open_descriptors(), client, try;
        long start, took;

        for (try = 0; try < TRIES; try++) {
            errno = UNTOUCHED;
            start = now_ms();
            client = connects[i](holes[_i].name, port_text(listener));
            took = now_ms() - start;
            ck_assert_int_eq(errno, UNTOUCHED);
            expect_connection(client, listener);
            close(client);
            ck_assert_int_ge(took, 250);
            ck_assert_int_eq(open_descriptors(), before);
            if (took < 400)
                break;
        }
        ck_assert_int_lt(took, 400);
    }
}
END_TEST

static const char *const all_holes[] = {HOLE, "holes"};

START_TEST(a_deadline_ends_what_nobody_answers)
{
    be_host();
    expect_time_out(all_holes[_i], "80", 700, 10000);
}
END_TEST

/* Without a deadline, the kernel's own limit ends it: here after two packets, in three seconds. */
START_TEST(without_a_deadline_the_kernel_gives_up)
{
    int before;

    be_host();
    if (!set_sysctl("tcp_syn_retries", "1\n"))
        return;
    before = open_descriptors();
    expect_failure(open_clientfd(all_holes[_i], "80"), ETIMEDOUT);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

static int wanted_signals;

/* In the middle of an attempt, the host that it is for begins to exist. Some of the signals may have been
   counted by another handler. */
static void signal_and_appear(int signum)
{
    static int has_appeared;
    int before = errno;

    (void)signum;
    if (++interruptions >= wanted_signals && !has_appeared++)
        set_address("lo:3", HOLE);
    errno = before;
}

/* How an attempt is interrupted, and by which function it is made. */
static const struct {
    int signals, flags, way;
} interruptions_of_connect[] = {
    {1, 0, 0},    {1, SA_RESTART, 0},    {1, 0, 1},    {1, SA_RESTART, 1},
    {40, 0, 0},  {40, SA_RESTART, 0},  {40, 0, 1},  {40, SA_RESTART, 1},
};

/* Signals come while the first packet is lost, and when they have come, the second is answered. */
START_TEST(signals_do_not_end_an_attempt)
{
    const struct itimerval once = {{0, 0}, {0, 50000}};
    struct sigaction action;
    int listener, client;

    be_ipv4_host();
    listener = listener_on_ipv4("0.0.0.0", 0);
    memset(&action, 0, sizeof action);
    action.sa_handler = signal_and_appear;
    action.sa_flags = interruptions_of_connect[_i].flags;
    wanted_signals = interruptions_of_connect[_i].signals;
    if (wanted_signals > 1)
        start_storm();
    else
        setitimer(ITIMER_REAL, &once, NULL);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    errno = UNTOUCHED;
    client = connects[interruptions_of_connect[_i].way](HOLE, port_text(listener));
    end_storm();
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_ge(interruptions, wanted_signals);
    expect_connection(client, listener);
}
END_TEST

START_TEST(signals_do_not_move_a_deadline)
{
    be_host();
    start_storm();
    expect_time_out(all_holes[_i], "80", 500, 10000);
    end_storm();
    ck_assert_int_ge(interruptions, 1);
}
END_TEST

/* As without signals, Connect says EINPROGRESS when the socket's time is up. */
START_TEST(signals_do_not_put_off_a_limit_of_the_socket)
{
    struct sockaddr_in address;
    long start;
    int fd;

    be_ipv4_host();
    csapp_set_error_handler(csapp_error_return);
    address = ipv4(HOLE, 80);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    limit_ms(fd, SO_SNDTIMEO, 300);
    if (_i == 1)
        start_storm();
    start = now_ms();
    errno = 0;
    Connect(fd, (SA *)&address, sizeof address);
    end_storm();
    ck_assert_int_eq(errno, EINPROGRESS);
    ck_assert_int_ge(now_ms() - start, 300);
    ck_assert_int_eq(interruptions > 0, _i == 1);
}
END_TEST

START_TEST(a_host_with_loopback_alone_reaches_itself)
{
    int listener;

    be_loopback_host();
    listener = open_listenfd("0");
    expect_connections("localhost", listener);
    expect_connections("127.0.0.1", listener);
    expect_connections(NULL, listener);
    if (has_ipv6()) {
        listener = csapp_listen("::1", "0", 5, 0);
        expect_connections("::1", listener);
        expect_connections("localhost", listener);
    }
    expect_failures(HOST, "80", ENETUNREACH);
    expect_failures("hole-and-host", "80", ENETUNREACH);
}
END_TEST

/* To AI_ADDRCONFIG, a loopback address counts as none of its family. */
START_TEST(a_host_with_an_ipv6_network_reaches_itself_by_ipv4)
{
    be_loopback_host();
    if (has_ipv6())
        add_address6(HOST_6);
    expect_connections("localhost4", listener_on_ipv4("127.0.0.1", 0));
    expect_connections("localhost", open_listenfd("0"));
}
END_TEST

/* Where the resolver looks: in its files, and at a name server that is not there either. */
static const char *const sources[] = {"hosts: files\n", "hosts: files dns\n"};

/* Names of loopback: those that are always (RFC 6761, section 6.3), and those of /etc/hosts. */
static const struct {
    const char *name;
    int families; /* where a server may be: 4, 6, or 46 */
} loopback_names[] = {
    {"localhost", 46},      {"LOCALHOST", 46},       {"Localhost", 46},  {"localhost.", 46},
    {"app.localhost", 46},   {"a.b.LocalHost.", 46},
    {"localhost4", 4},      {"LocalHost4", 4},       {"ip6-localhost", 6}, {"IP6-LOCALHOST", 6},
    {"127.0.0.1.", 4},
#ifdef __GLIBC__ /* another libc waits 5 s for a name server, though none can be reached */
    {"localhost4.", 4},     {"ip6-localhost.", 6},
#endif
};

/* What there is beside loopback: nothing, an address of the one family, of the other, of both. */
enum { NO_NETWORK, IPV4_NETWORK, IPV6_NETWORK, BOTH_NETWORKS, NETWORKS };

static void be_host_of(int networks)
{
    be_loopback_host();
    if (networks & IPV4_NETWORK)
        add_address("lo:1", HOST);
    if (networks & IPV6_NETWORK)
        add_address6(HOST_6);
}

START_TEST(loopback_has_its_names_whatever_networks_there_are)
{
    int server4, server6;
    size_t i;

    if (!has_ipv6())
        return;
    be_host_of(_i / 2);
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i % 2]));
    server4 = listener_on_ipv4("127.0.0.1", 0);
    server6 = listener_on_ipv6("::1");
    for (i = 0; i < sizeof loopback_names / sizeof *loopback_names; i++) {
        if (loopback_names[i].families != 6)
            expect_connections(loopback_names[i].name, server4);
        if (loopback_names[i].families != 4)
            expect_connections(loopback_names[i].name, server6);
    }
}
END_TEST

/* Whatever the resolver's files say, and without any. */
static const char *const poor_hosts[] = {"", "198.51.100.9 localhost\n"};

START_TEST(localhost_is_loopback_whatever_the_files_say)
{
    int server;

    be_loopback_host();
    ck_assert(write_file("/etc/hosts", poor_hosts[_i]));
    server = listener_on_ipv4("127.0.0.1", 0);
    expect_connections("localhost", server);
    expect_connections("app.localhost", server);
    if (has_ipv6())
        expect_connections("localhost", listener_on_ipv6("::1"));
    ck_assert(write_file("/etc/nsswitch.conf", "hosts: dns\n"));
    expect_connections("localhost", server);
    if (_i == 0) {
        server = csapp_listen("app.LocalHost.", "0", 5, 0);
        expect_connections("localhost", server);
    }
}
END_TEST

START_TEST(names_are_listened_on_in_any_case_and_with_a_dot)
{
    static const char *const names[] = {"localhost", "LOCALHOST.", "x.localhost", "HOST", "host."};
    size_t i;

    be_ipv4_host();
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i]));
    for (i = 0; i < sizeof names / sizeof *names; i++)
        expect_connections(names[i], csapp_listen(names[i], "0", 5, 0));
    expect_connections("HOST.", listener_on_ipv4(HOST, 0));
}
END_TEST

static const char *const no_hosts[] = {
    "*", "*.", "", ".", "..", "localhost..", ".localhost",
#ifdef __GLIBC__ /* as above */
    " ", "host ", "local host", "a..b", ".localhostx", "xlocalhost", "localhost.x",
    "1.2.3.4.5", "::1::", "[::1]", "::1%nowhere", "host\n",
#endif
};

START_TEST(what_is_no_host_reaches_nobody)
{
    char long_name[3000];
    int before, listener;
    size_t i;

    be_ipv4_host();
    csapp_set_error_handler(csapp_error_return);
    listener = listener_on_ipv4("127.0.0.1", 0);
    before = open_descriptors();
    memset(long_name, 'x', sizeof long_name);
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(connects[i](no_hosts[_i], port_text(listener)), -2);
        long_name[sizeof long_name - 1 - 800 * i] = '\0';
        ck_assert_int_eq(connects[i](long_name, port_text(listener)), -2);
    }
    ck_assert_int_eq(csapp_listen(no_hosts[_i], "0", 5, 0), -2);
    ck_assert_int_eq(csapp_listen(long_name, "0", 5, 0), -2);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* The other ways to write an address. */
START_TEST(numeric_hosts_of_every_form_are_reached)
{
    static const char *const forms[] = {"127.1", "0x7f.0.0.1", "2130706433", "0", "::ffff:127.0.0.1"};
    int listener;
    size_t i;

    be_ipv4_host();
    listener = listener_on_ipv4("127.0.0.1", 0);
    for (i = 0; i < 5; i++)
        if (has_ipv6() || strchr(forms[i], ':') == NULL)
            expect_connections(forms[i], listener);
    if (has_ipv6()) {
        listener = listener_on_ipv6("::1");
        expect_connections("::", listener);
        expect_connections("0:0::1", listener);
    }
}
END_TEST

/* A socket that listens without a host is reachable on every address of the machine. */
START_TEST(a_host_in_an_ipv6_network_alone_listens_on_both)
{
    int ways[3], i;

    be_loopback_host();
    if (!has_ipv6())
        return;
    add_address6(HOST_6);
    ways[0] = open_listenfd("0");
    ways[1] = Open_listenfd("0");
    ways[2] = csapp_listen(NULL, "0", 5, 0);
    for (i = 0; i < 3; i++) {
        expect_connections("host6", ways[i]);
        expect_connections("::1", ways[i]);
        expect_connections("127.0.0.1", ways[i]);
        expect_connections("localhost", ways[i]);
    }
    expect_failure(open_listenfd(port_text(ways[0])), EADDRINUSE);
}
END_TEST

/* Elsewhere it is IPv4, for programs that give accept room for no other address. */
static const int with_ipv4_or_none[] = {NO_NETWORK, IPV4_NETWORK, BOTH_NETWORKS};

START_TEST(a_host_in_an_ipv4_network_or_in_none_listens_on_ipv4)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;

    be_host_of(has_ipv6() ? with_ipv4_or_none[_i] : with_ipv4_or_none[_i] & IPV4_NETWORK);
    ck_assert_int_eq(getsockname(open_listenfd("0"), (SA *)&address, &len), 0);
    ck_assert_int_eq(address.ss_family, AF_INET);
}
END_TEST

/* Not even loopback is up. */
START_TEST(a_host_without_any_network_says_so)
{
    be_loopback_host();
    remove_loopback_address();
    if (has_ipv6())
        ck_assert_int_eq(change_address6(SIOCDIFADDR, "::1"), 0);
    expect_failures("127.0.0.1", "80", ENETUNREACH);
    expect_failures(HOST, "80", ENETUNREACH);
}
END_TEST

/* Makes socket() say what a kernel without IPv6 says. Whether that can be done: with 32 bits, socket()
   may be a part of another system call. */
static int forbid_ipv6(void)
{
    const unsigned int socket_number = SYS_socket, family = offsetof(struct seccomp_data, args[0]);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, socket_number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, family),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    int is_forbidden;

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    if (!(is_forbidden = socket(AF_INET6, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT))
        skipped("a kernel without IPv6", "no filter sees socket()");
    return is_forbidden;
}

/* Both kinds of host without IPv6: with no address of it, and with a kernel that does not know it. */
static void expect_ipv4_alone(int reason_of_ipv6)
{
    int listener = open_listenfd("0"), dual;

    expect_connections("host", listener);
    expect_connections("localhost", listener);
    expect_connections(NULL, listener);
    expect_connections("hole6-and-host", listener);
    expect_failures("::1", port_text(listener), reason_of_ipv6);
    expect_failures(HOST_6, port_text(listener), reason_of_ipv6);
    dual = csapp_listen(NULL, "0", 5, CSAPP_DUALSTACK);
    expect_connections("host", dual);
}

START_TEST(a_host_without_ipv6_addresses_uses_ipv4)
{
    be_ipv4_host();
    if (has_ipv6()) {
        ck_assert_int_eq(change_address6(SIOCDIFADDR, "::1"), 0);
        expect_ipv4_alone(EADDRNOTAVAIL);
    }
}
END_TEST

START_TEST(a_host_whose_kernel_has_no_ipv6_uses_ipv4)
{
    be_ipv4_host();
    if (forbid_ipv6()) {
        expect_ipv4_alone(EAFNOSUPPORT);
        expect_failure(csapp_listen("::1", "0", 5, 0), EAFNOSUPPORT);
    }
}
END_TEST

START_TEST(a_host_without_ipv4_addresses_uses_ipv6)
{
    int listener;

    be_loopback_host();
    if (!has_ipv6())
        return;
    remove_loopback_address();
    add_address6(HOST_6);
    listener = csapp_listen(NULL, "0", 5, CSAPP_DUALSTACK);
    expect_connections("::1", listener);
    expect_connections("host6", listener);
    expect_connections("localhost", listener);
    expect_connections(NULL, listener);
    expect_failures("127.0.0.1", port_text(listener), ENETUNREACH);
    expect_failures(HOST, port_text(listener), ENETUNREACH);
    expect_failure(csapp_listen("127.0.0.1", "0", 5, 0), EADDRNOTAVAIL);
}
END_TEST

/* The ports that name none, and what the resolver says to them. */
static const char *const no_ports[] = {"65536", "", "no-such-service", "-1", "80x"};

static void open_with_no_port(void *port)
{
    const char *text = (const char *)port;

    if (open_clientfd("host", text) == -2 && open_listenfd(text) == -2
        && csapp_connect(HOST, text, 1000) == -2)
        _exit(42);
}

START_TEST(what_is_no_port_reaches_nobody)
{
    struct outcome seen;
    char lines[512];

    be_ipv4_host();
    seen = outcome_of(open_with_no_port, (void *)no_ports[_i]);
    ck_assert_int_eq(seen.status, 42);
    snprintf(lines, sizeof lines,
             "getaddrinfo failed (host:%s): %s\ngetaddrinfo failed (port %s): %s\n"
             "getaddrinfo failed (" HOST ":%s): %s\n",
             no_ports[_i], gai_strerror(EAI_SERVICE), no_ports[_i], gai_strerror(EAI_SERVICE),
             no_ports[_i], gai_strerror(EAI_SERVICE));
    ck_assert_str_eq(seen.err, lines);
}
END_TEST

START_TEST(a_service_is_the_port_of_its_name)
{
    int listener, client;

    be_ipv4_host();
    listener = open_listenfd("http");
    ck_assert_int_eq(port_of(listener), 80);
    expect_connections("host", listener);
    client = open_clientfd("host", "http");
    expect_connection(client, listener);
}
END_TEST

/* Port 0 is one that nobody listens on, and one of the kernel's choice to listen on. */
START_TEST(port_0_is_free_to_listen_on_and_refuses)
{
    int listener;

    be_ipv4_host();
    listener = open_listenfd("0");
    ck_assert_int_ge(port_of(listener), 1024);
    expect_failures("host", "0", ECONNREFUSED);
}
END_TEST

START_TEST(a_name_that_nobody_knows_is_minus_2)
{
    int before;

    be_ipv4_host();
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i]));
    before = open_descriptors();
    csapp_set_error_handler(csapp_error_return);
    ck_assert_int_eq(open_clientfd("unknown", "80"), -2);
    ck_assert_int_eq(csapp_connect("unknown", "80", 5000), -2);
    ck_assert_int_eq(Open_clientfd("unknown", "80"), -2);
    ck_assert_int_eq(csapp_listen("unknown", "80", 5, 0), -2);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(an_occupied_port_is_eaddrinuse)
{
    int listener, before;

    be_host();
    listener = listener_on_ipv4(HOST, 0);
    before = open_descriptors();
    expect_failure(open_listenfd(port_text(listener)), EADDRINUSE);
    expect_failure(csapp_listen("host", port_text(listener), 5, 0), EADDRINUSE);
    expect_failure(csapp_listen("host", port_text(listener), 5, CSAPP_REUSEPORT), EADDRINUSE);
    ck_assert_int_eq(open_descriptors(), before);
    /* Another address of this machine is free. */
    ck_assert_int_ge(csapp_listen("127.0.0.1", port_text(listener), 5, 0), 0);
}
END_TEST

START_TEST(an_address_of_another_machine_is_passed_over)
{
    int fd;

    be_ipv4_host();
    expect_failure(csapp_listen(HOLE, "0", 5, 0), EADDRNOTAVAIL);
    expect_first("hole-and-host", HOLE);
    errno = UNTOUCHED;
    fd = csapp_listen("hole-and-host", "0", 5, 0);
    ck_assert_int_eq(errno, UNTOUCHED);
    expect_connections("host", fd);
}
END_TEST

/* The ports below 1024 need a capability of root's. */
START_TEST(a_privileged_port_is_eacces)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];
    int before;

    be_ipv4_host();
    memset(none, 0, sizeof none);
    ck_assert_int_eq(syscall(SYS_capset, &header, none), 0);
    before = open_descriptors();
    csapp_set_error_handler(csapp_error_return);
    expect_failure(open_listenfd("80"), EACCES);
    expect_failure(Open_listenfd("http"), EACCES);
    expect_failure(csapp_listen("host", "1023", 5, 0), EACCES);
    ck_assert_int_eq(open_descriptors(), before);
    ck_assert_int_ge(open_listenfd("1024"), 0);
}
END_TEST

/* Whether a connection of this port is in TIME_WAIT. */
static int is_in_time_wait(int port)
{
    FILE *table = fopen("/proc/net/tcp", "r");
    unsigned int local, state;
    char line[256];
    int found = 0;

    ck_assert_ptr_nonnull(table);
    while (fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, " %*d: %*8x:%x %*8x:%*x %x", &local, &state) == 2)
            found |= (int)local == port && state == 6;
    fclose(table);
    return found;
}

START_TEST(a_server_starts_again_while_its_last_connections_are_in_time_wait)
{
    struct sockaddr_in address;
    int listener, client, other, plain, port;
    char byte, text[8];

    be_ipv4_host();
    listener = open_listenfd("0");
    port = port_of(listener);
    strcpy(text, port_text(listener));
    client = open_clientfd("host", text);
    other = accept(listener, NULL, NULL);
    close(other);
    ck_assert_int_eq(read(client, &byte, 1), 0);
    close(client);
    close(listener);
    while (!is_in_time_wait(port))
        sleep_ms(1);
    /* It is in the way of a socket without SO_REUSEADDR. */
    address = ipv4("0.0.0.0", port);
    plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(plain, (SA *)&address, sizeof address), -1);
    listener = open_listenfd(text);
    expect_connections("host", listener);
}
END_TEST

/* One port for all ends of connections: where nobody listens on it, who connects to it meets
   himself. */
START_TEST(a_connection_to_itself_is_refused)
{
    int control, flag = 0;
    struct sockaddr_in address;

    be_ipv4_host();
    if (!set_sysctl("ip_local_port_range", "40000 40000\n"))
        return;
    address = ipv4("127.0.0.1", 40000);
    control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(control, (SA *)&address, sizeof address), 0);
    setsockopt(control, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(control);
    expect_failures("127.0.0.1", "40000", ECONNREFUSED);
    expect_failures("host", "40000", ECONNREFUSED);
    if (has_ipv6())
        expect_failures("localhost", "40000", ECONNREFUSED);
    /* Nothing of it is left over: the server that was to come gets its port. */
    control = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(control, SOL_SOCKET, SO_REUSEADDR, &flag, sizeof flag);
    address = ipv4("0.0.0.0", 40000);
    ck_assert_int_eq(bind(control, (SA *)&address, sizeof address), 0);
}
END_TEST

/* When a machine has no port left for its end of a connection. */
START_TEST(a_machine_out_of_ports_says_so)
{
    int listener, first, second;

    be_ipv4_host();
    if (!set_sysctl("ip_local_port_range", "40000 40001\n"))
        return;
    listener = listener_on_ipv4(HOST, 50000);
    first = open_clientfd(HOST, "50000");
    second = open_clientfd(HOST, "50000");
    expect_connection(first, listener);
    expect_connection(second, listener);
    expect_failures(HOST, "50000", EADDRNOTAVAIL);
    /* Nor does another address hide it, that has free ports and no listener. */
    expect_failures("host-and-closed", "50000", EADDRNOTAVAIL);
    expect_failures("closed-and-host", "50000", EADDRNOTAVAIL);
    expect_failures("host-and-nowhere", "50000", EADDRNOTAVAIL);
    close(first);
    close(second);
}
END_TEST

/* Also if the resolver cannot open its files, and so knows no host and no service. */
START_TEST(without_a_free_descriptor_it_is_emfile)
{
    int listener;

    be_ipv4_host();
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i]));
    listener = listener_on_ipv4(HOST, 0);
    leave_descriptors(0);
    expect_failures(HOST, port_text(listener), EMFILE);
    expect_failures("localhost", port_text(listener), EMFILE);
    expect_failures(NULL, port_text(listener), EMFILE);
    expect_failures("host", port_text(listener), EMFILE);
    expect_failures("unknown", port_text(listener), EMFILE);
    expect_failures(HOST, "http", EMFILE);
    expect_failure(open_listenfd("0"), EMFILE);
    expect_failure(open_listenfd("http"), EMFILE);
    expect_failure(Open_listenfd("no-such-service"), EMFILE);
    expect_failure(csapp_listen(HOST, "0", 5, 0), EMFILE);
    expect_failure(csapp_listen("host", "0", 5, 0), EMFILE);
    expect_failure(csapp_listen("localhost", "0", 5, 0), EMFILE);
    ck_assert_int_eq(open_clientfd("host", "65536"), -2);
    ck_assert_int_eq(open_clientfd("*", "80"), -2);
}
END_TEST

static char appearing[INET6_ADDRSTRLEN];

static void appear(int signum)
{
    int before = errno;

    (void)signum;
    set_address("lo:3", appearing);
    errno = before;
}

/* Of eighteen addresses, the seventeenth answers when the eighteenth has been tried: by then, the first and the
   second have made room. */
START_TEST(the_oldest_attempt_makes_room_and_not_the_newest)
{
    const struct itimerval once = {{0, 0}, {4, 550000}};
    struct addrinfo hints, *list, *seventeenth;
    int listener, i;

    be_ipv4_host();
    listener = listener_on_ipv4("0.0.0.0", 0);
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    ck_assert_int_eq(getaddrinfo("only-holes", "1", &hints, &list), 0);
    for (seventeenth = list, i = 1; i < 17; i++)
        seventeenth = seventeenth->ai_next;
    ck_assert_ptr_nonnull(seventeenth->ai_next);
    ck_assert_int_eq(getnameinfo(seventeenth->ai_addr, seventeenth->ai_addrlen, appearing, sizeof appearing, NULL, 0,
                                 NI_NUMERICHOST), 0);
    Signal(SIGALRM, appear);
    setitimer(ITIMER_REAL, &once, NULL);
    expect_connection(csapp_connect("only-holes", port_text(listener), 20000), listener);
}
END_TEST

/* The wrappers say so too, where the resolver says "Temporary failure in name resolution". */
START_TEST(without_a_free_descriptor_the_resolver_s_wrappers_say_emfile)
{
    struct sockaddr_in address;
    struct addrinfo *list = NULL;
    char name[NI_MAXHOST];
    size_t len = sizeof name;

    be_ipv4_host();
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i]));
    leave_descriptors(0);
    csapp_set_error_handler(csapp_error_return);
    address = ipv4(HOST, 80);
    errno = 0;
    Getaddrinfo("host", "80", NULL, &list);
    ck_assert_int_eq(errno, EMFILE);
    errno = 0;
    Getaddrinfo(NULL, "http", NULL, &list);
    ck_assert_int_eq(errno, EMFILE);
    errno = 0;
    Getnameinfo((SA *)&address, sizeof address, name, len, NULL, 0, NI_NAMEREQD);
    ck_assert_int_eq(errno, EMFILE);
    close(STDIN_FILENO);
    errno = UNTOUCHED;
    Getnameinfo((SA *)&address, sizeof address, name, len, NULL, 0, NI_NAMEREQD);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_str_eq(name, "host");
}
END_TEST

/* With one or two that are free, the resolver can do its work. */
START_TEST(with_a_free_descriptor_names_are_known_or_not)
{
    int listener;

    be_ipv4_host();
    ck_assert(write_file("/etc/nsswitch.conf", sources[_i % 2]));
    listener = listener_on_ipv4(HOST, 0);
    leave_descriptors(1 + _i / 2);
    csapp_set_error_handler(csapp_error_return);
    ck_assert_int_eq(open_clientfd("unknown", port_text(listener)), -2);
    ck_assert_int_eq(csapp_connect("unknown", port_text(listener), 5000), -2);
    ck_assert_int_eq(open_listenfd("no-such-service"), -2);
    close(open_clientfd("host", port_text(listener)));
    ck_assert_int_ge(open_listenfd("http"), 0);
}
END_TEST

/* Then each address gets it in turn: the second when the kernel has given up the first. */
START_TEST(one_free_descriptor_is_enough_for_a_silent_first_address)
{
    int listener;

    be_host();
    if (!set_sysctl("tcp_syn_retries", "1\n"))
        return;
    listener = listener_on_ipv4(HOST, 0);
    expect_first("hole-and-host", HOLE);
    leave_descriptors(1);
    errno = UNTOUCHED;
    ck_assert_int_ge(connects[_i]("hole-and-host", port_text(listener)), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

/* More silent addresses than attempts at once: the oldest makes room. */
START_TEST(behind_sixteen_silent_addresses_the_last_connects)
{
    int before, client, listener;

    be_ipv4_host();
    listener = listener_on_ipv4(HOST, 0);
    expect_first("many-holes", "192.0.2.2");
    before = open_descriptors();
    errno = UNTOUCHED;
    client = connects[_i]("many-holes", port_text(listener));
    ck_assert_int_eq(errno, UNTOUCHED);
    expect_connection(client, listener);
    close(client);
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* With the one that is left, the resolver reads its files, and the first address gets it. */
START_TEST(one_free_descriptor_is_enough_for_one_connection)
{
    int listener;

    be_ipv4_host();
    listener = listener_on_ipv4(HOST, 0);
    leave_descriptors(1);
    errno = UNTOUCHED;
    ck_assert_int_ge(open_clientfd("closed-and-host", port_text(listener)), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

START_TEST(a_thousand_failures_leave_no_descriptor_open)
{
    int listener, before, i, away = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char refusing[8], taken[8];

    be_host();
    listener = listener_on_ipv4("0.0.0.0", 0);
    strcpy(taken, port_text(listener));
    strcpy(refusing, refusing_port());
    ck_assert_int_eq(dup2(away, STDERR_FILENO), STDERR_FILENO);
    before = open_descriptors();
    for (i = 0; i < 100; i++) {
        expect_failure(open_clientfd("host", refusing), ECONNREFUSED);
        expect_failure(open_clientfd("closed-and-wall", refusing), EHOSTUNREACH);
        expect_failure(csapp_connect("localhost", refusing, 1000), ECONNREFUSED);
        expect_failure(csapp_connect("holes", refusing, 0), ETIMEDOUT);
        expect_failure(open_clientfd(WALL, refusing), EHOSTUNREACH);
        expect_failure(open_clientfd(NOWHERE, refusing), ENETUNREACH);
        ck_assert_int_eq(open_clientfd("host", "65536"), -2);
        ck_assert_int_eq(open_clientfd("host", "no-such-service"), -2);
        expect_failure(open_listenfd(taken), EADDRINUSE);
        expect_failure(csapp_listen(HOLE, "0", 5, 0), EADDRNOTAVAIL);
    }
    ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* Whether a process may become a host of its own here. No assertion of Check may stand outside tests. */
static int may_be_host(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(!enter_namespaces(CLONE_NEWNET | CLONE_NEWNS) || !raise_loopback() || !replace_etc());
    return waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void)
{
    /* They run at the same time. */
    TCase *signals = tcase_create("signals");
    TCase *silence = tcase_create("silence");
    TCase *networks = tcase_create("networks");
    TCase *ports = tcase_create("ports");
    TCase *descriptors = tcase_create("descriptors");
    TCase *crowds = tcase_create("crowds");

    if (!may_be_host()) {
        skipped("networks of all kinds", "namespaces are not allowed here");
        return EXIT_SUCCESS;
    }
    if (!has_ipv6())
        skipped("IPv6", "this kernel has none");
    tcase_set_timeout(signals, 30);
    tcase_set_timeout(silence, 30);
    tcase_set_timeout(networks, 30);
    tcase_set_timeout(ports, 30);
    tcase_set_timeout(descriptors, 30);
    tcase_set_timeout(crowds, 30);
    add_for_each(silence, each_dead_address_has_its_reason, dead);
    tcase_add_test(silence, a_dead_first_address_is_passed_over);
    tcase_add_test(silence, when_all_addresses_are_dead_the_most_telling_reason_is_told);
    add_for_each(silence, behind_a_black_hole_the_second_address_connects_within_400_ms, holes);
    add_for_each(silence, a_deadline_ends_what_nobody_answers, all_holes);
    add_for_each(silence, without_a_deadline_the_kernel_gives_up, all_holes);
    add_for_each(signals, signals_do_not_end_an_attempt, interruptions_of_connect);
    add_for_each(signals, signals_do_not_move_a_deadline, all_holes);
    tcase_add_loop_test(signals, signals_do_not_put_off_a_limit_of_the_socket, 0, 2);
    tcase_add_test(networks, a_host_with_loopback_alone_reaches_itself);
    tcase_add_test(networks, a_host_with_an_ipv6_network_reaches_itself_by_ipv4);
    tcase_add_loop_test(networks, loopback_has_its_names_whatever_networks_there_are, 0, 2 * NETWORKS);
    add_for_each(networks, localhost_is_loopback_whatever_the_files_say, poor_hosts);
    add_for_each(networks, names_are_listened_on_in_any_case_and_with_a_dot, sources);
    add_for_each(networks, what_is_no_host_reaches_nobody, no_hosts);
    tcase_add_test(networks, numeric_hosts_of_every_form_are_reached);
    tcase_add_test(networks, a_host_in_an_ipv6_network_alone_listens_on_both);
    add_for_each(networks, a_host_in_an_ipv4_network_or_in_none_listens_on_ipv4, with_ipv4_or_none);
    tcase_add_test(networks, a_host_without_any_network_says_so);
    tcase_add_test(networks, a_host_without_ipv6_addresses_uses_ipv4);
    tcase_add_test(networks, a_host_whose_kernel_has_no_ipv6_uses_ipv4);
    tcase_add_test(networks, a_host_without_ipv4_addresses_uses_ipv6);
    add_for_each(ports, what_is_no_port_reaches_nobody, no_ports);
    tcase_add_test(ports, a_service_is_the_port_of_its_name);
    tcase_add_test(ports, port_0_is_free_to_listen_on_and_refuses);
    add_for_each(ports, a_name_that_nobody_knows_is_minus_2, sources);
    tcase_add_test(ports, an_occupied_port_is_eaddrinuse);
    tcase_add_test(ports, an_address_of_another_machine_is_passed_over);
    tcase_add_test(ports, a_privileged_port_is_eacces);
    tcase_add_test(ports, a_server_starts_again_while_its_last_connections_are_in_time_wait);
    tcase_add_test(ports, a_connection_to_itself_is_refused);
    tcase_add_test(ports, a_machine_out_of_ports_says_so);
    add_for_each(descriptors, without_a_free_descriptor_it_is_emfile, sources);
    add_for_each(descriptors, without_a_free_descriptor_the_resolver_s_wrappers_say_emfile, sources);
    tcase_add_loop_test(descriptors, with_a_free_descriptor_names_are_known_or_not, 0, 4);
    tcase_add_loop_test(descriptors, one_free_descriptor_is_enough_for_a_silent_first_address, 0, 2);
    tcase_add_test(crowds, the_oldest_attempt_makes_room_and_not_the_newest);
    tcase_add_loop_test(crowds, behind_sixteen_silent_addresses_the_last_connects, 0, 2);
    tcase_add_test(descriptors, one_free_descriptor_is_enough_for_one_connection);
    tcase_add_test(descriptors, a_thousand_failures_leave_no_descriptor_open);
    return run_suite("hosts", signals, silence, networks, ports, descriptors, crowds);
}
