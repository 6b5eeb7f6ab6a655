/* Every call of the library that reads, as one, and what it may read from. */
#ifndef READING_H
#define READING_H

#include "streams.h"

static rio_t rio; /* initialised by the test, also for the calls that take its descriptor */

/* A count that is not what the call says is -2. No assertion, which only tests may make. */
static inline ssize_t counted_readn(int fd, char *buf, size_t n)
{
    size_t moved;
    ssize_t result = csapp_readn(fd, buf, n, 60000, &moved);

    return result == -1 || moved == (size_t)result ? result : -2;
}

#define READING(name, call)                              \
    static inline ssize_t by_##name(char *buf, size_t n) \
    {                                                    \
        return call;                                     \
    }
READING(readlineb, rio_readlineb(&rio, buf, n))
READING(Readlineb, Rio_readlineb(&rio, buf, n))
READING(csapp_readlineb, csapp_readlineb(&rio, buf, n, 60000))
READING(readnb, rio_readnb(&rio, buf, n))
READING(Readnb, Rio_readnb(&rio, buf, n))
READING(csapp_readnb, csapp_readnb(&rio, buf, n, 60000))
READING(csapp_readnb_without_limit, csapp_readnb(&rio, buf, n, -1))
READING(readn, rio_readn(rio.rio_fd, buf, n))
READING(Readn, Rio_readn(rio.rio_fd, buf, n))
READING(csapp_readn, counted_readn(rio.rio_fd, buf, n))

static const struct {
    ssize_t (*call)(char *buf, size_t n);
    int is_by_line;
} calls[] = {
    {by_readlineb, 1}, {by_Readlineb, 1}, {by_csapp_readlineb, 1}, {by_readnb, 0}, {by_Readnb, 0}, {by_csapp_readnb, 0},
    {by_csapp_readnb_without_limit, 0}, {by_readn, 0}, {by_Readn, 0}, {by_csapp_readn, 0},
};

enum { SOURCES = 3 };

/* A descriptor from which n bytes come, and then the end. */
static inline int source(int kind, const char *bytes, size_t n)
{
    int ends[2];

    if (kind == 0)
        return file_of(bytes, n);
    if (kind == 1)
        pipe_pair(ends);
    else
        socket_pair(ends);
    send_bytes(ends[1], bytes, n);
    close(ends[1]);
    return ends[0];
}

#endif
