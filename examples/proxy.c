/*
 * proxy - a web proxy for http:// URLs, with a cache: GET and HEAD, a thread per connection
 *
 * The cache holds 1 MiB of answers of 100 KiB at the most; the least recently used ones make
 * room for new ones. An answer is kept if it is a complete 200 to a GET, and nothing in its
 * header or the request's says that it is for one client only.
 *
 * What to watch: error handling per connection. Nearly every call below is a checked one, and none of
 * their results is looked at. What fails writes its line and calls the error handler, end_connection, which
 * ends only that connection's thread; the clean-up handler, pushed when the thread began, closes the
 * descriptors. No lock is held over a call that may fail. And a client that drips its header gets no more
 * time for it than others: SO_RCVTIMEO begins anew with every byte, so read_line has a deadline.
 *
 * usage: proxy PORT        (on 127.0.0.1 only: a proxy for everybody would be abused; 0: any free port)
 */
#define _GNU_SOURCE
#include "listening.h"
#include <poll.h>

enum { CACHE_SIZE = 1 << 20, OBJECT_SIZE = 100 << 10, HEADER_SIZE = 32768, CLIENTS = 256, PATIENCE = 20,
    HEADER_TIME = 10 };

struct object {
    struct object *newer, *older;
    char *key, *bytes;
    size_t size;
};

/* A ring around `cache.ends`: ends.older is the most recently used, ends.newer the least. */
static struct {
    struct object ends;
    size_t size;
    sem_t turn;
} cache;

struct connection {
    int client, server;
    char *collected; /* the answer so far, while it may be cached */
    char *copy;      /* of an object that is being sent from the cache */
    size_t copy_size;
};

struct request {
    char host[NI_MAXHOST], port[NI_MAXSERV], path[MAXLINE];
    char header[HEADER_SIZE]; /* as it goes to the server */
    size_t length;
    int is_head, is_private;
};

static pthread_t main_thread;
static sem_t free_clients;

static void unlink_object(struct object *object)
{
    object->newer->older = object->older;
    object->older->newer = object->newer;
}

static void make_newest(struct object *object)
{
    object->newer = &cache.ends;
    object->older = cache.ends.older;
    object->older->newer = object;
    cache.ends.older = object;
}

static struct object *find(const char *key)
{
    for (struct object *object = cache.ends.older; object != &cache.ends; object = object->older)
        if (strcmp(object->key, key) == 0)
            return object;
    return NULL;
}

static void evict(struct object *object)
{
    unlink_object(object);
    cache.size -= object->size;
    free(object->key);
    free(object->bytes);
    free(object);
}

/* A copy of what is cached for key, to be freed; NULL if there is nothing. */
static char *look_up(const char *key, size_t *size)
{
    struct object *object;
    char *copy = NULL;

    P(&cache.turn);
    object = find(key);
    if (object != NULL && (copy = malloc(object->size)) != NULL) {
        memcpy(copy, object->bytes, object->size);
        *size = object->size;
        unlink_object(object);
        make_newest(object);
    }
    V(&cache.turn);
    return copy;
}

/* Keeps a copy of an answer, if there is memory for it. */
static void keep(const char *key, const char *bytes, size_t size)
{
    struct object *object = malloc(sizeof *object), *old;

    if (object == NULL)
        return;
    object->key = strdup(key);
    object->bytes = malloc(size);
    object->size = size;
    if (object->key == NULL || object->bytes == NULL) {
        free(object->key);
        free(object->bytes);
        free(object);
        return;
    }
    memcpy(object->bytes, bytes, size);
    P(&cache.turn);
    old = find(key);
    if (old != NULL)
        evict(old);
    while (cache.size + size > CACHE_SIZE)
        evict(cache.ends.newer);
    make_newest(object);
    cache.size += size;
    V(&cache.turn);
}

/* The error handler: only this connection is at an end. In the main thread the failed call returns. */
static void end_connection(const char *message)
{
    csapp_error_return(message); /* which writes it */
    if (!pthread_equal(pthread_self(), main_thread))
        pthread_exit(NULL);
}

static void clean_up(void *argument)
{
    struct connection *c = argument;

    if (c->server >= 0)
        close(c->server);
    close(c->client);
    free(c->collected);
    free(c->copy);
    free(c);
    V(&free_clients);
}

/* Seconds on a clock that no one sets. */
static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* Refuses a request, and ends the thread. */
static void refuse(const struct connection *c, const char *status, const char *why)
{
    char page[MAXLINE], rest[4096];
    int n = snprintf(page, sizeof page,
        "HTTP/1.0 %s\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        "<!DOCTYPE html><title>%s</title><h1>%s</h1><p>%s</p>\n", status, status, status, why);
    const struct timeval second = {1, 0};

    fcntl(c->client, F_SETFL, 0); /* read_request may not have come to its end */
    Rio_writen(c->client, page, (size_t)n);
    /* Closing with unread bytes would take the page away from the client again. */
    shutdown(c->client, SHUT_WR);
    Setsockopt(c->client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    if (read(c->client, rest, sizeof rest) < 0)
        errno = 0;
    pthread_exit(NULL);
}

/* http://HOST[:PORT]/PATH, with an IPv6 address in brackets. */
static int parse_url(const char *url, struct request *r)
{
    size_t length;

    if (strncasecmp(url, "http://", 7) != 0)
        return -1;
    url += 7;
    length = *url == '[' ? strcspn(++url, "]") : strcspn(url, ":/?");
    if (length == 0 || length >= sizeof r->host)
        return -1;
    snprintf(r->host, sizeof r->host, "%.*s", (int)length, url);
    url += length;
    url += *url == ']';
    strcpy(r->port, "80");
    if (*url == ':') {
        length = strspn(++url, "0123456789");
        if (length == 0 || length >= sizeof r->port)
            return -1;
        snprintf(r->port, sizeof r->port, "%.*s", (int)length, url);
        url += length;
    }
    if (*url != '\0' && *url != '/' && *url != '?')
        return -1;
    snprintf(r->path, sizeof r->path, "%s%s", *url == '/' ? "" : "/", url);
    return 0;
}

static void append(const struct connection *c, struct request *r, const char *line)
{
    size_t length = strlen(line);

    if (r->length + length >= sizeof r->header)
        refuse(c, "431 Request Header Fields Too Large", "The header is too long.");
    memcpy(r->header + r->length, line, length + 1);
    r->length += length;
}

static int is_field(const char *line, const char *name)
{
    size_t length = strlen(name);

    return strncasecmp(line, name, length) == 0 && line[length] == ':';
}

/* Whether a line of a header is a name, a colon and a value. What is not could be one field to this proxy
   and another to the server: a blank before the colon, a line that continues the one before, a NUL or a
   CR in the middle. */
static int is_plain(const char *line, size_t length)
{
    size_t name = strcspn(line, ": \t\r\n");

    return name > 0 && line[name] == ':' && strlen(line) == length && strcspn(line, "\r") + 2 >= length;
}

/* Reads a line from an O_NONBLOCK descriptor, which keeps what has come while this waits for the rest;
   the time that is left is looked at whenever something has come. */
static ssize_t read_line(const struct connection *c, rio_t *rio, char *line, size_t size, time_t latest)
{
    struct pollfd polled = {c->client, POLLIN, 0};
    ssize_t n;

    while ((n = rio_readlineb(rio, line, size)) < 0 && errno == EAGAIN)
        if (now() >= latest || poll(&polled, 1, (int)(latest - now()) * 1000) == 0)
            refuse(c, "408 Request Timeout", "The header takes too long.");
    if (n < 0)
        unix_error("a client's request");
    return n;
}

/* Reads the client's request and writes the one for the server. */
static void read_request(const struct connection *c, struct request *r)
{
    static const char *const for_this_hop[] = {"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer",
        "Upgrade", "Proxy-Authorization", "Host"};
    char line[MAXLINE], method[16], url[MAXLINE], version[16];
    time_t latest = now() + HEADER_TIME;
    rio_t rio;
    ssize_t n;

    memset(r, 0, sizeof *r);
    Rio_readinitb(&rio, c->client);
    fcntl(c->client, F_SETFL, O_NONBLOCK);
    n = read_line(c, &rio, line, sizeof line, latest);
    if (n <= 0)
        pthread_exit(NULL);
    if (line[n - 1] != '\n')
        refuse(c, "414 URI Too Long", "The request's first line is too long.");
    if (sscanf(line, "%15s %8191s %15s", method, url, version) != 3 || strncmp(version, "HTTP/1.", 7) != 0)
        refuse(c, "400 Bad Request", "This is no HTTP request.");
    r->is_head = strcmp(method, "HEAD") == 0;
    if (strcmp(method, "GET") != 0 && !r->is_head)
        refuse(c, "501 Not Implemented", "This proxy knows GET and HEAD.");
    if (parse_url(url, r) < 0)
        refuse(c, "400 Bad Request", "The URL should be http://host[:port]/path.");
    append(c, r, method);
    append(c, r, " ");
    append(c, r, r->path);
    append(c, r, " HTTP/1.0\r\n");
    snprintf(line, sizeof line, strchr(r->host, ':') ? "Host: [%s]:%s\r\n" : "Host: %s:%s\r\n", r->host, r->port);
    append(c, r, line);
    append(c, r, "Connection: close\r\n");
    while ((n = read_line(c, &rio, line, sizeof line, latest)) > 0) {
        int is_dropped = 0;

        if (line[n - 1] != '\n')
            refuse(c, "431 Request Header Fields Too Large", "A line of the header is too long.");
        if (strcmp(line, "\r\n") == 0 || strcmp(line, "\n") == 0)
            break;
        if (!is_plain(line, (size_t)n))
            refuse(c, "400 Bad Request", "A line of the header is damaged.");
        if (is_field(line, "Transfer-Encoding") || is_field(line, "Content-Length"))
            refuse(c, "400 Bad Request", "A GET has no body here.");
        for (size_t i = 0; i < sizeof for_this_hop / sizeof *for_this_hop; i++)
            is_dropped |= is_field(line, for_this_hop[i]);
        r->is_private |= is_field(line, "Authorization") || is_field(line, "Cookie") || is_field(line, "Range");
        if (!is_dropped)
            append(c, r, line);
    }
    if (n == 0)
        pthread_exit(NULL); /* the client has gone in the middle of its header */
    append(c, r, "\r\n");
    fcntl(c->client, F_SETFL, 0);
}

/* Sends the server's answer on to the client as it comes, and keeps it if that is right. */
static void relay(struct connection *c, const struct request *r, const char *key)
{
    char buffer[MAXBUF];
    size_t size = 0, header = 0;
    long promised = -1;
    int may_keep = !r->is_head && !r->is_private, is_first = 1, in_header = 1;
    rio_t rio;
    ssize_t n;

    c->collected = malloc(OBJECT_SIZE);
    may_keep = may_keep && c->collected != NULL;
    Rio_readinitb(&rio, c->server);
    while ((n = in_header ? Rio_readlineb(&rio, buffer, sizeof buffer) : rio_readnb(&rio, buffer, sizeof buffer)) > 0) {
        Rio_writen(c->client, buffer, (size_t)n);
        if (may_keep && size + (size_t)n <= OBJECT_SIZE)
            memcpy(c->collected + size, buffer, (size_t)n);
        else
            may_keep = 0;
        size += (size_t)n;
        if (!in_header)
            continue;
        header = size;
        if (is_first)
            may_keep = may_keep && strncmp(buffer, "HTTP/1.", 7) == 0 && strncmp(buffer + 8, " 200", 4) == 0;
        else if (is_field(buffer, "Set-Cookie") || is_field(buffer, "Vary") || is_field(buffer, "Cache-Control"))
            may_keep = may_keep && is_field(buffer, "Cache-Control") && strcasestr(buffer, "public") != NULL;
        else if (is_field(buffer, "Content-Length"))
            promised = strtol(buffer + strlen("Content-Length:"), NULL, 10);
        is_first = 0;
        in_header = strcmp(buffer, "\r\n") != 0 && strcmp(buffer, "\n") != 0;
    }
    /* Only a promised length tells a whole answer from one whose server died; and the promise
       itself may be cut short, where it died in the header. */
    if (n == 0 && may_keep && !in_header && promised >= 0 && size - header == (size_t)promised)
        keep(key, c->collected, size);
}

static void *serve(void *argument)
{
    struct connection *c = argument;
    struct request request;
    char key[NI_MAXHOST + NI_MAXSERV + MAXLINE];

    pthread_cleanup_push(clean_up, c);
    read_request(c, &request);
    snprintf(key, sizeof key, "%s:%s%s", request.host, request.port, request.path);
    if (!request.is_head && !request.is_private)
        c->copy = look_up(key, &c->copy_size);
    if (c->copy != NULL)
        Rio_writen(c->client, c->copy, c->copy_size);
    else {
        const struct timeval patience = {PATIENCE, 0};

        c->server = csapp_connect(request.host, request.port, PATIENCE * 1000);
        if (c->server < 0)
            refuse(c, "502 Bad Gateway", c->server == -2 ? "The server has no address." : strerror(errno));
        Setsockopt(c->server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        Setsockopt(c->server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        Rio_writen(c->server, request.header, request.length);
        relay(c, &request, key);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void welcome(int fd, const pthread_attr_t *detached)
{
    const struct timeval patience = {PATIENCE, 0};
    struct connection *c = calloc(1, sizeof *c);
    pthread_t tid;

    Setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (c != NULL) {
        c->client = fd;
        c->server = -1;
    }
    if (c == NULL || pthread_create(&tid, detached, serve, c) != 0) {
        app_error("no memory or thread for a client");
        free(c);
        close(fd);
        V(&free_clients);
    }
}

int main(int argc, char **argv)
{
    pthread_attr_t detached;
    int listenfd;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PORT\n", argv[0]);
        return 2;
    }
    listenfd = csapp_listen("127.0.0.1", argv[1], LISTENQ, 0);
    if (listenfd < 0) {
        if (listenfd == -1)
            unix_error("cannot listen");
        return 1;
    }
    print_port(listenfd);
    cache.ends.newer = cache.ends.older = &cache.ends;
    Sem_init(&cache.turn, 0, 1);
    Sem_init(&free_clients, 0, CLIENTS);
    Signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    main_thread = pthread_self();
    csapp_set_error_handler(end_connection);
    for (;;) {
        int fd;

        P(&free_clients);
        while ((fd = Accept(listenfd, NULL, NULL)) < 0)
            Sleep(1); /* out of descriptors, most likely: some will come back */
        welcome(fd, &detached);
    }
}
