/* The algorithm of the book's Rio package, as plain C of our own: what users have today. */
#ifndef TWIN_H
#define TWIN_H

#include <stddef.h>
#include <sys/types.h>

typedef struct {
    int fd;
    int count;   /* unread bytes in buf */
    char *next;  /* the first of them */
    char buf[8192];
} twin_t;

ssize_t twin_readn(int fd, void *usrbuf, size_t n);
ssize_t twin_writen(int fd, const void *usrbuf, size_t n);
void twin_readinitb(twin_t *reader, int fd);
ssize_t twin_readnb(twin_t *reader, void *usrbuf, size_t n);
ssize_t twin_readlineb(twin_t *reader, void *usrbuf, size_t maxlen);
int twin_open_clientfd(const char *host, const char *port);

#endif
