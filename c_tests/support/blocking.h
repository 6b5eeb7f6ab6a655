/* Every call of the library that waits, in a place where it waits forever. No variable that something points to is on
   the stack meanwhile: gcc's address sanitizer does not always survive the dead frame of one. */
#ifndef BLOCKING_H
#define BLOCKING_H

#include "streams.h"
#include "tcp.h"

static int ends[2];          /* two connected sockets on which nothing comes */
static struct server silent; /* a server that never answers */
static struct server idle;   /* and one that nobody connects to */
static sem_t never;
static char bytes[1 << 16];
static _Atomic pid_t thread_id;

/* To be said before one of the calls is made. Returns a child process, for those that wait for one. */
static inline pid_t prepare_to_block(void)
{
    pid_t child;

    socket_pair(ends);
    silent = silent_server();
    idle = listening_server(5);
    Sem_init(&never, 0, 0);
    if ((child = fork()) == 0)
        for (;;)
            pause();
    return child;
}

/* Fills up what can be sent on ends[0]. */
static void fill_socket(void)
{
    while (send(ends[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static void in_readn(void)
{
    rio_readn(ends[0], bytes, 10);
}

static void in_readn_of_a_nonblocking_descriptor(void)
{
    make_nonblocking(ends[0]);
    rio_readn(ends[0], bytes, 10);
}

static void in_writen(void)
{
    fill_socket();
    rio_writen(ends[0], bytes, sizeof bytes);
}

static void in_writen_to_a_nonblocking_descriptor(void)
{
    fill_socket();
    make_nonblocking(ends[0]);
    rio_writen(ends[0], bytes, sizeof bytes);
}

static rio_t rio;

static void in_readnb(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readnb(&rio, bytes, 10);
}

static void in_readnb_past_the_buffer(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readnb(&rio, bytes, sizeof bytes);
}

static void in_readlineb(void)
{
    rio_readinitb(&rio, ends[0]);
    rio_readlineb(&rio, bytes, sizeof bytes);
}

static void in_checked_readlineb(void)
{
    Rio_readinitb(&rio, ends[0]);
    Rio_readlineb(&rio, bytes, sizeof bytes);
}

static size_t moved;

/* The calls in time tell of signals; a program that waits on calls them again. */
#define AGAIN(call)                                      \
    do {                                                 \
        ssize_t count;                                   \
                                                         \
        while ((count = (call)) == -1 && errno == EINTR) \
            ;                                            \
        if (count == 0)                                  \
            abort();                                     \
    } while (0)

static void in_csapp_readlineb(void)
{
    rio_readinitb(&rio, ends[0]);
    AGAIN(csapp_readlineb(&rio, bytes, sizeof bytes, -1));
}

static void in_csapp_readnb(void)
{
    rio_readinitb(&rio, ends[0]);
    AGAIN(csapp_readnb(&rio, bytes, 10, 60000));
}

static void in_csapp_readn_of_a_nonblocking_descriptor(void)
{
    make_nonblocking(ends[0]);
    AGAIN(csapp_readn(ends[0], bytes, 10, 60000, &moved));
}

static void in_csapp_writen(void)
{
    fill_socket();
    AGAIN(csapp_writen(ends[0], bytes, sizeof bytes, -1, &moved));
}

static void in_accept(void)
{
    Accept(idle.fd, NULL, NULL);
}

static void in_csapp_accept(void)
{
    AGAIN(csapp_accept(idle.fd, NULL, NULL, -1));
}

static void in_csapp_accept_of_a_nonblocking_descriptor(void)
{
    make_nonblocking(idle.fd);
    in_csapp_accept();
}

static void in_read(void)
{
    Read(ends[0], bytes, 1);
}

static void in_p(void)
{
    P(&never);
}

static void in_wait(void)
{
    Wait(NULL);
}

static void in_waitpid(void)
{
    Waitpid(-1, NULL, 0);
}

static void in_select(void)
{
    static fd_set set;

    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    Select(ends[0] + 1, &set, NULL, NULL, NULL);
}

static void in_connect(void)
{
    Connect(socket(AF_INET, SOCK_STREAM, 0), (SA *)&silent.address, sizeof silent.address);
}

static void in_open_clientfd(void)
{
    if (open_clientfd("127.0.0.1", silent.port) == 0)
        abort();
}

static void in_csapp_connect(void)
{
    if (csapp_connect("127.0.0.1", silent.port, 60000) == 0)
        abort();
}

static void (*const blocking[])(void) = {
    in_readn, in_readn_of_a_nonblocking_descriptor,
    in_writen, in_writen_to_a_nonblocking_descriptor,
    in_readnb, in_readnb_past_the_buffer, in_readlineb, in_checked_readlineb,
    in_csapp_readlineb, in_csapp_readnb, in_csapp_readn_of_a_nonblocking_descriptor, in_csapp_writen,
    in_accept, in_csapp_accept, in_csapp_accept_of_a_nonblocking_descriptor, in_read, in_p, in_wait, in_waitpid, in_select,
    in_connect, in_open_clientfd, in_csapp_connect,
};
#define BLOCKING COUNT(blocking)

/* Waits until the thread `thread_id` sleeps in the kernel. */
static inline void wait_until_blocked(void)
{
    char name[64], state = 0;

    while (state != 'S') {
        FILE *stat;

        sleep_ms(5);
        snprintf(name, sizeof name, "/proc/self/task/%d/stat", (int)thread_id);
        if (thread_id == 0 || (stat = fopen(name, "r")) == NULL)
            continue;
        if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        fclose(stat);
    }
    sleep_ms(20);
}

#endif
