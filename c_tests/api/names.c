/* Names and addresses: if the resolver fails, the message has its reason. None of
   these look-ups leaves the machine. */
#define _GNU_SOURCE
#include "failing.h"

static struct sockaddr no_family = {9999, ""};
static const struct in_addr loopback4 = {0x0100007f};
static struct addrinfo *list;
static char text[NI_MAXHOST];

#define FAILURES(CALL)                                                                           \
    CALL(Getaddrinfo, 0, BY_RESOLVER, EAI_NONAME, NOTHING(Getaddrinfo(NULL, NULL, NULL, &list))) \
    CALL(Getnameinfo, 0, BY_RESOLVER, EAI_FAMILY, NOTHING(Getnameinfo(&no_family, sizeof no_family, \
         text, sizeof text, NULL, 0, NI_NUMERICHOST)))                                           \
    CALL(Inet_ntop, 0, BY_ERRNO, ENOSPC, NOTHING(Inet_ntop(AF_INET, &loopback4, text, 3)))       \
    CALL(Inet_pton, 0, BY_ERRNO, EAFNOSUPPORT, NOTHING(Inet_pton(9999, "127.0.0.1", text)))      \
    CALL(Gethostbyname, NULL, BY_HOST, HOST_NOT_FOUND, Gethostbyname("1.2.3.4.5"),               \
         ": 1.2.3.4.5")                                                                          \
    OF_GLIBC(CALL(Gethostbyaddr, NULL, BY_HOST, HOST_NOT_FOUND,                                  \
         Gethostbyaddr((const char *)&in6addr_any, sizeof in6addr_any, AF_INET6)))

DEFINE_FAILURES

START_TEST(getnameinfo_undoes_getaddrinfo)
{
    struct addrinfo hints;
    char service[NI_MAXSERV];

    memset(&hints, 0, sizeof hints);
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    errno = 77;
    Getaddrinfo("127.0.0.1", "8080", &hints, &list);
    ck_assert_ptr_nonnull(list);
    Getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, service, sizeof service,
                NI_NUMERICHOST | NI_NUMERICSERV);
    ck_assert_int_eq(errno, 77);
    ck_assert_str_eq(text, "127.0.0.1");
    ck_assert_str_eq(service, "8080");
    Freeaddrinfo(list);
}
END_TEST

START_TEST(an_address_that_is_null_is_an_error)
{
    char service[NI_MAXSERV];

    ck_assert_int_eq(REASON_OF(Getnameinfo(NULL, sizeof(struct sockaddr_in), text, sizeof text, service,
                                           sizeof service, NI_NUMERICHOST | NI_NUMERICSERV)), EFAULT);
    ck_assert_int_eq(REASON_OF(Freeaddrinfo(NULL)), 0);
}
END_TEST

START_TEST(inet_ntop_undoes_inet_pton)
{
    unsigned char address[16];

    Inet_pton(AF_INET, "10.1.2.3", address);
    ck_assert_int_eq(address[3], 3);
    Inet_ntop(AF_INET, address, text, sizeof text);
    ck_assert_str_eq(text, "10.1.2.3");
    Inet_pton(AF_INET6, "::1", address);
    Inet_ntop(AF_INET6, address, text, sizeof text);
    ck_assert_str_eq(text, "::1");
}
END_TEST

static void convert_no_address(void *arg)
{
    errno = 0;
    Inet_pton(AF_INET, arg, text);
    _exit(99);
}

static const char *no_addresses[] = {"", "localhost", "1.2.3", "1.2.3.256", "1.2.3.4 "};

START_TEST(inet_pton_reports_a_text_that_is_no_address)
{
    struct outcome seen = outcome_of(convert_no_address, (void *)no_addresses[_i]);
    char line[128];

    ck_assert_int_eq(seen.status, 1);
    snprintf(line, sizeof line, "Inet_pton error: %s: not a numeric address of this family\n",
             *no_addresses[_i] ? no_addresses[_i] : "\"\"");
    ck_assert_str_eq(seen.err, line);
}
END_TEST

START_TEST(gethostbyname_takes_numbers)
{
    struct hostent *host = Gethostbyname("127.0.0.1");

    ck_assert_ptr_nonnull(host);
    ck_assert_int_eq(host->h_addrtype, AF_INET);
    ck_assert_int_eq(memcmp(host->h_addr_list[0], &loopback4, 4), 0);
}
END_TEST

/* The name of the loopback address is in the machine's own table of hosts. */
START_TEST(gethostbyaddr_gives_a_name)
{
    struct hostent *host = Gethostbyaddr((const char *)&loopback4, sizeof loopback4, AF_INET);

    ck_assert_ptr_nonnull(host);
    ck_assert_uint_gt(strlen(host->h_name), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("names");

    add_failures(tests);
    tcase_add_test(tests, getnameinfo_undoes_getaddrinfo);
    tcase_add_test(tests, an_address_that_is_null_is_an_error);
    tcase_add_test(tests, inet_ntop_undoes_inet_pton);
    tcase_add_loop_test(tests, inet_pton_reports_a_text_that_is_no_address, 0,
                        COUNT(no_addresses));
    tcase_add_test(tests, gethostbyname_takes_numbers);
    tcase_add_test(tests, gethostbyaddr_gives_a_name);
    return run_suite("names", tests);
}
