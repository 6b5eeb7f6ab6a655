/* Connects that wait forever, and what is left of them when they are left in the middle: open descriptors, lists
   of addresses. What the resolver, connect, poll and close do is this program's to watch. */
#ifndef CONNECTING_H
#define CONNECTING_H

#include "blocking.h"
#include <dlfcn.h>
#include <poll.h>

static _Atomic int lists_given, lists_freed; /* by getaddrinfo, by freeaddrinfo */
static _Atomic int attempts, waits;          /* calls of connect, of poll */

/* libc's own. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The name "several" stands for three addresses, at each of which there is the server that never answers. */
static struct addrinfo several[3];

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    int i, code = 0;

    if (host == NULL || strcmp(host, "several") != 0)
        code = REAL(getaddrinfo)(host, service, hints, list);
    else if (hints->ai_flags & AI_NUMERICHOST)
        code = EAI_NONAME;
    else
        for (i = 3; i-- > 0; *list = &several[i]) {
            several[i].ai_family = AF_INET;
            several[i].ai_socktype = SOCK_STREAM;
            several[i].ai_addr = (SA *)&silent.address;
            several[i].ai_addrlen = sizeof silent.address;
            several[i].ai_next = i < 2 ? &several[i + 1] : NULL;
        }
    lists_given += code == 0;
    return code;
}

void freeaddrinfo(struct addrinfo *list)
{
    lists_freed++;
    if (list != several)
        REAL(freeaddrinfo)(list);
}

/* What connect and close do first, where that is not nothing. */
static void (*before_connect)(void), (*before_close)(void);

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    attempts++;
    if (before_connect)
        before_connect();
    return REAL(connect)(fd, address, len);
}

int poll(struct pollfd *polled, nfds_t count, int timeout)
{
    waits++;
    return REAL(poll)(polled, count, timeout);
}

int close(int fd)
{
    if (before_close)
        before_close();
    return REAL(close)(fd);
}

static void in_open_clientfd_of_several(void)
{
    if (open_clientfd("several", silent.port) == 0)
        abort();
}

/* How often each calls connect and poll before it waits forever. */
static const struct connecting {
    void (*call)(void);
    int attempts, waits;
} connecting[] = {
    {in_open_clientfd, 1, 0},
    {in_csapp_connect, 1, 1},
    {in_open_clientfd_of_several, 3, 3},
};
#define CONNECTING COUNT(connecting)

static int cleaned_up, one = 1;

static inline void clean_up(void *arg)
{
    cleaned_up += *(int *)arg;
}

/* A thread that makes a call of one of the two tables. */
static inline void *block(void *call)
{
    pthread_cleanup_push(clean_up, &one);
    thread_id = (pid_t)syscall(SYS_gettid);
    (*(void (*const *)(void))call)();
    pthread_cleanup_pop(0);
    return NULL;
}

/* A connect that was left in the middle has given everything back: with glibc, which can be told. */
static inline void expect_nothing_left(int descriptors_before)
{
#ifdef __GLIBC__
    ck_assert_int_eq(open_descriptors(), descriptors_before);
    ck_assert_int_eq(lists_freed, lists_given);
#else
    (void)descriptors_before;
#endif
}

static inline void do_nothing(int signum)
{
    (void)signum;
}

/* Waits until `thread` waits in `site`, and if `is_interrupted`, until it waits there again after a signal. */
static inline void wait_until_connecting(pthread_t thread, const struct connecting *site, int is_interrupted)
{
    struct sigaction action;
    int waits_before;

    while (attempts < site->attempts || waits < site->waits)
        sleep_ms(5);
    wait_until_blocked();
    if (!is_interrupted)
        return;
    memset(&action, 0, sizeof action); /* without SA_RESTART */
    action.sa_handler = do_nothing;
    ck_assert_int_eq(sigaction(SIGUSR2, &action, NULL), 0);
    for (waits_before = waits; waits == waits_before; sleep_ms(5))
        ck_assert_int_eq(pthread_kill(thread, SIGUSR2), 0);
    wait_until_blocked();
}

#endif
