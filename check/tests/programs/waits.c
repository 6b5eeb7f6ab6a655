/*
 * waits - its threads wait for each other, for locks, children and descriptors: check/tests/status.rs looks for the
 * lines that are marked
 */
#include "csapp.h"
#include <poll.h>
#include <sys/epoll.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t idle = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier, both;
static struct {
    long count;
    sem_t items;
} buffer;
static pthread_t spinning;
static int ends[2], listening;
static char port[16];

static void *spins(void *unused)
{
    for (;;)
        ;
    return unused;
}

static void *takes_first(void *unused)
{
    pthread_mutex_lock(&first);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&second); /* MARK second */
    return unused;
}

static void *takes_second(void *unused)
{
    pthread_mutex_lock(&second);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&first); /* MARK first */
    return unused;
}

static void inner(void)
{
    P(&buffer.items); /* MARK sem */
}

static void *semaphore(void *unused)
{
    inner(); /* MARK caller */
    return unused;
}

static void *waits_for_condition(void *unused)
{
    pthread_mutex_lock(&idle);
    pthread_cond_wait(&condition, &idle); /* MARK cond */
    return unused;
}

static void *reads_locked(void *unused)
{
    pthread_rwlock_rdlock(&lock); /* MARK rwlock */
    return unused;
}

static void *at_barrier(void *unused)
{
    pthread_barrier_wait(&barrier); /* MARK barrier */
    return unused;
}

static void *joins(void *unused)
{
    Pthread_join(spinning, NULL); /* MARK join */
    return unused;
}

static void *waits_for_child(void *unused)
{
    pid_t pid = Fork(); /* MARK fork */

    if (pid == 0)
        for (;;)
            pause(); /* MARK pause */
    Waitpid(pid, NULL, 0); /* MARK waitpid */
    return unused;
}

static void *polls(void *unused)
{
    struct pollfd set[2] = {{-1, 0, 0}, {ends[0], POLLIN, 0}};

    poll(set, 2, -1); /* MARK poll */
    return unused;
}

static void *selects(void *unused)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    Select(ends[0] + 1, &set, NULL, NULL, NULL); /* MARK select */
    return unused;
}

static void *epolls(void *unused)
{
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};

    epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
    epoll_wait(epoll, &event, 1, -1); /* MARK epoll */
    return unused;
}

/* Reads a line; the second one is incomplete. */
static void *reads_lines(void *unused)
{
    char line[64];
    rio_t rio;
    int fd = Accept(listening, NULL, NULL);

    Rio_readinitb(&rio, fd); /* MARK init */
    Rio_readlineb(&rio, line, sizeof line);
    Rio_readlineb(&rio, line, sizeof line); /* MARK server */
    return unused;
}

static void *asks(void *unused)
{
    char byte;
    int fd = Open_clientfd("127.0.0.1", port); /* MARK connect */

    Rio_writen(fd, "one\nt", 5);
    Read(fd, &byte, 1); /* MARK client */
    return unused;
}

static void *accepts(void *unused)
{
    int other = Open_listenfd("0");

    Accept(other, NULL, NULL); /* MARK accept */
    return unused;
}

int main(void)
{
    void *(*all[])(void *) = {takes_first, takes_second, waits_for_condition, reads_locked, at_barrier, joins,
                              waits_for_child, polls, selects, epolls, reads_lines, asks, accepts};
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    pthread_t tid;
    size_t i;

    if (pipe(ends) < 0)
        unix_error("pipe");
    listening = Open_listenfd("0");
    getsockname(listening, (SA *)&address, &length);
    sprintf(port, "%d", ntohs(address.sin_port));
    Sem_init(&buffer.items, 0, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_barrier_init(&both, NULL, 2);
    pthread_rwlock_wrlock(&lock);
    Pthread_create(&spinning, NULL, spins, NULL); /* MARK created */
    for (i = 0; i < sizeof all / sizeof *all; i++)
        Pthread_create(&tid, NULL, all[i], NULL);
    for (i = 0; i < 20; i++)
        Pthread_create(&tid, NULL, semaphore, NULL);
    Pthread_exit(NULL);
}
