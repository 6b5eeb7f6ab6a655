/* See twin.h. A file of its own, as csapp.c is: the compiler sees no caller. */
#include "twin.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

ssize_t twin_readn(int fd, void *usrbuf, size_t n)
{
    char *to = usrbuf;
    size_t done = 0;

    while (done < n) {
        ssize_t came = read(fd, to + done, n - done);

        if (came == 0)
            break;
        if (came > 0)
            done += (size_t)came;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)done;
}

ssize_t twin_writen(int fd, const void *usrbuf, size_t n)
{
    const char *from = usrbuf;
    size_t done = 0;

    while (done < n) {
        ssize_t went = write(fd, from + done, n - done);

        if (went > 0)
            done += (size_t)went;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)n;
}

void twin_readinitb(twin_t *reader, int fd)
{
    reader->fd = fd;
    reader->count = 0;
    reader->next = reader->buf;
}

/* At most n bytes through the buffer, with at most one refill. */
static ssize_t take(twin_t *reader, char *to, size_t n)
{
    size_t count;

    while (reader->count <= 0) {
        reader->count = (int)read(reader->fd, reader->buf, sizeof reader->buf);
        if (reader->count == 0)
            return 0;
        if (reader->count > 0)
            reader->next = reader->buf;
        else if (errno != EINTR)
            return -1;
    }
    count = (size_t)reader->count < n ? (size_t)reader->count : n;
    memcpy(to, reader->next, count);
    reader->next += count;
    reader->count -= (int)count;
    return (ssize_t)count;
}

ssize_t twin_readnb(twin_t *reader, void *usrbuf, size_t n)
{
    char *to = usrbuf;
    size_t done = 0;

    while (done < n) {
        ssize_t came = take(reader, to + done, n - done);

        if (came < 0)
            return -1;
        if (came == 0)
            break;
        done += (size_t)came;
    }
    return (ssize_t)done;
}

ssize_t twin_readlineb(twin_t *reader, void *usrbuf, size_t maxlen)
{
    char *to = usrbuf;
    size_t n = 0;

    while (n + 1 < maxlen) {
        char byte;
        ssize_t came = take(reader, &byte, 1);

        if (came < 0)
            return -1;
        if (came == 0) {
            if (n == 0)
                return 0;
            break;
        }
        to[n++] = byte;
        if (byte == '\n')
            break;
    }
    to[n] = 0;
    return (ssize_t)n;
}

int twin_open_clientfd(const char *host, const char *port)
{
    struct addrinfo hints, *list, *p;
    int fd = -1;

    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return -2;
    for (p = list; p != NULL; p = p->ai_next) {
        fd = socket(p->ai_family, p->ai_socktype, p->ai_protocol);
        if (fd < 0)
            continue;
        if (connect(fd, p->ai_addr, p->ai_addrlen) == 0)
            break;
        close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

#ifdef WITHOUT_LIMITS
ssize_t csapp_readlineb(twin_t *reader, void *usrbuf, size_t maxlen, int timeout_ms);

/* For a program that reads by csapp_readlineb, and here by the book's algorithm. */
ssize_t csapp_readlineb(twin_t *reader, void *usrbuf, size_t maxlen, int timeout_ms)
{
    (void)timeout_ms;
    return twin_readlineb(reader, usrbuf, maxlen);
}
#endif
