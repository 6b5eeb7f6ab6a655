/* What the echo servers have in common: how one client is served, in the two ways there are. */
#ifndef ECHO_H
#define ECHO_H

#include "listening.h"

/* Serves a client from its first line to its last; waits for the client where it must. */
static inline void echo(int connection)
{
    char line[MAXLINE];
    rio_t rio;
    ssize_t n;

    Rio_readinitb(&rio, connection);
    while ((n = Rio_readlineb(&rio, line, sizeof line)) > 0)
        if (rio_writen(connection, line, (size_t)n) != n)
            break;
}

/* A client of a server that waits for many at once. */
struct client {
    int fd;
    rio_t rio;
    char line[MAXLINE];
    size_t length, sent; /* of line */
};

/* What a client is waited for. */
enum interest { NOTHING, READABLE, WRITABLE };

/* Makes fd a client's. */
static inline void client_init(struct client *client, int fd)
{
    client->fd = fd;
    client->length = client->sent = 0;
    Rio_readinitb(&client->rio, fd);
}

/* Goes on with a client as far as that goes without waiting, and returns what to wait for;
   NOTHING when the client is done with. A time limit of 0 asks csapp_readlineb whether a whole line is
   there; if it is not, the part that has come is kept. While a line is on its way back, no other is read, so nobody can make the server
   store more than one. */
static inline enum interest client_advance(struct client *client)
{
    enum { TURN = 64 }; /* lines; then it is another client's turn */
    ssize_t n;

    for (int lines = 0; lines < TURN; lines++) {
        while (client->sent < client->length) {
            n = send(client->fd, client->line + client->sent, client->length - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n < 0)
                return errno == EAGAIN ? WRITABLE : NOTHING;
            client->sent += (size_t)n;
        }
        n = csapp_readlineb(&client->rio, client->line, sizeof client->line, 0);
        if (n <= 0)
            return n < 0 && (errno == ETIMEDOUT || errno == EINTR) ? READABLE : NOTHING;
        client->length = (size_t)n;
        client->sent = 0;
    }
    /* There may be more lines in the rio_t, of which the kernel knows nothing. But there is
       something to write, for which the kernel will wake us as soon as it can take it. */
    return WRITABLE;
}

#endif
