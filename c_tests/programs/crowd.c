/* A crowd of clients of an echo server, all at once and in one process. Each sends a stream of its own,
   in lines from empty ones to some of several buffers, and compares every byte that comes back.
   Nobody goes on behind its first line before everybody has got its own back, and nobody hangs up before
   everybody has got everything: so all are connected and served at the same time.

   usage: crowd PORT CLIENTS ADDRESSES BYTES        (source addresses 127.0.0.1 to 127.0.0.ADDRESSES;
   BYTES or a line more for each client) */
#define _GNU_SOURCE
#include "csapp.h"
#include <sys/epoll.h>

#define PATTERN (1 << 20)
#define WINDOW 1000 /* clients that wait for their first line: no more than a server's queue holds */
#define PIECE 5000  /* of a stream that is sent, or read, at once */
#define PATIENCE 240 /* seconds for all of it; only a server that hangs takes so long */
#define LAST_WORDS "no newline" /* of a stream, sent just before its end */

static char pattern[2 * PATTERN]; /* the second half as the first one, so that a stream may begin anywhere */
static long all;

struct client {
    int fd;
    rio_t rio;
    long start, first_line, length; /* in the pattern; of the first line, and of all the lines */
    long sent, came;
    char is_done;
};

static struct client *clients;
static int is_beyond_first_line; /* all that may be sent before it is the first line */
static int epfd;

static void fail(const char *what, const struct client *client)
{
    fprintf(stderr, "crowd: client %ld, %ld bytes sent and %ld back: %s (%s)\n", (long)(client - clients),
            client->sent, client->came, what, strerror(errno));
    exit(1);
}

/* Lines of 0 to 99 characters, one in 16 of up to 2,000, one in 256 of up to 20,000. */
static void make_pattern(void)
{
    unsigned long state = 88172645463325252UL;
    long left = 0, i;

    for (i = 0; i < PATTERN; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if (left-- == 0) {
            pattern[i] = '\n';
            left = (long)(state >> 20) % (state % 256 == 0 ? 20000 : state % 16 == 0 ? 2000 : 100);
        } else
            pattern[i] = (char)(state >> 32) == '\n' ? 'n' : (char)(state >> 32);
    }
    memcpy(pattern + PATTERN, pattern, PATTERN);
}

/* How many bytes it is from `start` to the end of the line that begins there or is under way. */
static long line_length(long start)
{
    return (char *)memchr(pattern + start, '\n', PATTERN) - (pattern + start) + 1;
}

static void init(struct client *client, long number, long bytes)
{
    client->start = number * 7919 % PATTERN;
    client->first_line = line_length(client->start);
    client->length = client->first_line < bytes ? bytes : client->first_line;
    client->length += line_length((client->start + client->length) % PATTERN);
}

static void watch(const struct client *client, int operation, unsigned events)
{
    struct epoll_event event;

    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.u64 = (unsigned long)(client - clients);
    if (epoll_ctl(epfd, operation, client->fd, &event) < 0)
        fail("epoll_ctl", client);
}

static void start(struct client *client, int port, int addresses)
{
    struct sockaddr_in here, there;

    memset(&there, 0, sizeof there);
    there.sin_family = AF_INET;
    here = there;
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    there.sin_port = htons((unsigned short)port);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (in_addr_t)((client - clients) % addresses));
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        fail("socket", client);
    /* The port is left to connect, which knows the other end. */
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(client->fd, (SA *)&here, sizeof here) < 0)
        fail("bind", client);
    if (connect(client->fd, (SA *)&there, sizeof there) < 0 && errno != EINPROGRESS)
        fail("connect", client);
    rio_readinitb(&client->rio, client->fd);
    watch(client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT);
}

static long limit_of(const struct client *client)
{
    return is_beyond_first_line ? client->length : client->first_line;
}

/* Sends one piece of what may be sent. */
static void send_on(struct client *client)
{
    long count = limit_of(client) - client->sent;
    ssize_t n;

    if (count > PIECE)
        count = PIECE;
    n = send(client->fd, pattern + (client->start + client->sent) % PATTERN, (size_t)count, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN)
        fail("send", client);
    if (n > 0)
        client->sent += n;
}

/* Takes what has come, one half of the clients by lines and the other one by blocks. On these
   descriptors, which are O_NONBLOCK, a call that cannot end yet keeps what has come. */
static void read_on(struct client *client)
{
    char back[PIECE];

    while (client->came < limit_of(client)) {
        long wanted = limit_of(client) - client->came;
        ssize_t n;

        if (wanted > (long)sizeof back)
            wanted = sizeof back;
        if ((client - clients) % 2)
            n = rio_readlineb(&client->rio, back, sizeof back);
        else
            n = rio_readnb(&client->rio, back, (size_t)wanted);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            fail("read", client);
        if (n == 0)
            fail("the server has hung up", client);
        if (n > wanted || memcmp(back, pattern + (client->start + client->came) % PATTERN, (size_t)n) != 0)
            fail("other bytes came back", client);
        client->came += n;
    }
}

static void end(struct client *client)
{
    ssize_t n = send(client->fd, LAST_WORDS, strlen(LAST_WORDS), MSG_NOSIGNAL);

    if (n != (ssize_t)strlen(LAST_WORDS) || shutdown(client->fd, SHUT_WR) < 0)
        fail("sending the end", client);
}

/* Behind the lines come the last words, the end of the stream and nothing else. */
static int has_ended(struct client *client)
{
    char rest[100];
    ssize_t n = rio_readnb(&client->rio, rest, sizeof rest);

    if (n < 0 && errno != EAGAIN)
        fail("no orderly end", client);
    if (n >= 0 && (n != (ssize_t)strlen(LAST_WORDS) || memcmp(rest, LAST_WORDS, (size_t)n) != 0))
        fail("an end with other bytes, or without some", client);
    return n >= 0;
}

/* Has every client go on until each has got back what it may send; with `ends`, until the server has
   hung up on each. Clients that are not connected yet are started. */
static void go_on(int ends, int port, int addresses)
{
    static long started;
    long done = 0, i;

    for (i = 0; i < started; i++) {
        clients[i].is_done = 0;
        if (ends)
            end(&clients[i]);
        watch(&clients[i], EPOLL_CTL_MOD, ends ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }
    while (done < all) {
        struct epoll_event events[256];
        int n;

        for (; started < all && started - done < WINDOW; started++)
            start(&clients[started], port, addresses);
        n = epoll_wait(epfd, events, 256, -1);
        for (i = 0; i < n; i++) {
            struct client *client = &clients[events[i].data.u64];
            int is_all;

            if (client->is_done)
                continue;
            if (ends)
                is_all = has_ended(client);
            else {
                if (client->sent < limit_of(client))
                    send_on(client);
                if (client->sent == limit_of(client))
                    watch(client, EPOLL_CTL_MOD, EPOLLIN);
                read_on(client);
                is_all = client->came == limit_of(client);
            }
            if (is_all) {
                client->is_done = 1;
                watch(client, EPOLL_CTL_MOD, 0);
                done++;
            }
        }
    }
}

int main(int argc, char **argv)
{
    int port, addresses;
    long total = 0, i;

    if (argc != 5) {
        fprintf(stderr, "usage: %s PORT CLIENTS ADDRESSES BYTES\n", argv[0]);
        return 2;
    }
    alarm(PATIENCE);
    port = atoi(argv[1]);
    all = atol(argv[2]);
    addresses = atoi(argv[3]);
    clients = Calloc((size_t)all, sizeof *clients);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    if (epfd < 0)
        unix_error("epoll_create1 error");
    make_pattern();
    for (i = 0; i < all; i++)
        init(&clients[i], i, atol(argv[4]));

    go_on(0, port, addresses);
    is_beyond_first_line = 1;
    go_on(0, port, addresses);
    go_on(1, port, addresses);
    for (i = 0; i < all; i++) {
        total += clients[i].came;
        Close(clients[i].fd);
    }
    printf("%ld clients at once from %d addresses, %ld bytes there and back, each compared\n", all, addresses,
           total);
    return 0;
}
