/*
 * proxy - a web proxy for http:// URLs, with a cache: GET and HEAD, a thread per connection
 *
 * What to watch: error handling for each connection. Nearly every call below is a checked one, and the program tests
 * none of their results. A call that fails writes its message and calls the error handler, end_connection, which
 * ends only the thread of that connection. The clean-up handler, pushed when the thread began, closes the
 * descriptors. No thread holds a lock during a call that may fail. A client that sends its header byte by byte gets
 * no more time than others: csapp_readlineb limits the time for the whole line, SO_RCVTIMEO only each wait.
 *
 * The proxy is between two programs that may interpret a message in different ways. So it passes on only messages
 * that follow HTTP strictly, and writes each header itself (http.h). Its cache is in cache.h. It ends on SIGTERM
 * and SIGINT (stopping.h).
 *
 * usage: proxy PORT        (on 127.0.0.1 only: a proxy for everybody would be abused; 0: any free port)
 */
#define _GNU_SOURCE
#include "cache.h"
#include "http.h"
#include "listening.h"
#include "stopping.h"

enum { CLIENTS = 256, PATIENCE = 20 /* seconds */, HEADER_TIME = 10000, STOP_TIME = 10 /* seconds */ };

struct connection {
    int client, server;
    char *collected; /* the answer's body so far, while it may be kept */
    char *copy;      /* of an object that is being sent from the cache */
    size_t copy_size;
};

/* A header as it is sent on. What is added to the one that came is less than 4 KiB. */
struct message {
    char bytes[HEADER_SIZE + 4096];
    size_t length;
};

struct request {
    char host[NI_MAXHOST], port[NI_MAXSERV], path[MAXLINE];
    struct message message;
    int is_head, is_private; /* private: the cache has no part in it */
};

static pthread_t main_thread;
static sem_t free_clients;

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

/* Refuses a request, and ends the thread. */
static void refuse(const struct connection *c, int status, const char *why)
{
    char page[1024], answer[2048], rest[4096];
    const struct timeval second = {1, 0};
    int length = snprintf(page, sizeof page, "<!DOCTYPE html><title>%d %s</title><h1>%d %s</h1><p>%s</p>\n", status,
        reason(status), status, reason(status), why);
    int n = snprintf(answer, sizeof answer,
        "HTTP/1.1 %d %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status,
        reason(status), length, page);

    Rio_writen(c->client, answer, (size_t)n);
    /* Closing with unread bytes would take the page away from the client again. */
    shutdown(c->client, SHUT_WR);
    Setsockopt(c->client, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
    if (read(c->client, rest, sizeof rest) < 0)
        errno = 0;
    pthread_exit(NULL);
}

/* Takes http://HOST[:PORT][/PATH][?QUERY] apart, with an IPv6 address in brackets. -1 if it is none. */
static int parse_url(char *url, struct request *r)
{
    char authority[MAXLINE], *port;
    size_t length;

    if (strncasecmp(url, "http://", 7) != 0)
        return -1;
    url += 7;
    url[strcspn(url, "#")] = '\0'; /* a fragment is for the client alone */
    length = strcspn(url, "/?");
    snprintf(authority, sizeof authority, "%.*s", (int)length, url);
    snprintf(r->path, sizeof r->path, "%s%s", url[length] == '/' ? "" : "/", url + length);
    if (!is_authority(authority))
        return -1;
    for (char *at = authority; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at); /* for the cache, as names are the same in either case */
    port = strrchr(authority, ':');
    if (port != NULL && strchr(port, ']') != NULL)
        port = NULL; /* a colon of an IPv6 address */
    if (port != NULL)
        *port++ = '\0';
    if (port == NULL || *port == '\0')
        port = "80";
    if (strlen(port) > 5 || atoi(port) < 1 || atoi(port) > 65535 || strlen(authority) >= sizeof r->host)
        return -1;
    snprintf(r->port, sizeof r->port, "%d", atoi(port));
    strcpy(r->host, authority + (authority[0] == '['));
    r->host[strcspn(r->host, "]")] = '\0';
    return 0;
}

static void append(const struct connection *c, struct message *message, const char *format, ...)
{
    size_t room = sizeof message->bytes - message->length;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(message->bytes + message->length, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room)
        refuse(c, 500, "The header is too long.");
    message->length += (size_t)n;
}

/*
 * Appends the fields of a header, but for those that end here: those that every hop has for itself, those
 * that Connection names, and `more` (RFC 9110, section 7.6.1).
 */
static void append_fields(const struct connection *c, struct message *message, const struct header *h, const char *more)
{
    static const char *const for_this_hop[] = {"Connection", "Proxy-Connection", "Keep-Alive", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Authentication-Info"};

    for (int i = 0; i < h->count; i++) {
        const char *name = h->fields[i].name;
        int ends_here = strcasecmp(name, more) == 0 || list_has(h, "Connection", name) != 0;

        for (size_t k = 0; k < sizeof for_this_hop / sizeof *for_this_hop; k++)
            ends_here |= strcasecmp(name, for_this_hop[k]) == 0;
        if (!ends_here)
            append(c, message, "%s: %s\r\n", name, h->fields[i].value);
    }
}

/* Whether a request says something that only its server may answer, or its client see. */
static int is_private(const struct header *h)
{
    static const char *const fields[] = {"Authorization", "Cookie", "Range", "Cache-Control", "Pragma", "If-Match",
        "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (get_field(h, fields[i], NULL) != NULL)
            return 1;
    return 0;
}

/* Reads the client's request and writes the one for the server. */
static void read_request(const struct connection *c, struct request *r)
{
    struct request_line line;
    struct header header;
    int status, body;
    rio_t rio;

    memset(r, 0, sizeof *r);
    Rio_readinitb(&rio, c->client);
    if (wait_unless_stopped(c->client, HEADER_TIME) < 0)
        pthread_exit(NULL);
    status = read_header(&rio, &header, now() + HEADER_TIME);
    if (status == 0)
        status = parse_request_line(header.bytes, &line);
    if (status < 0)
        pthread_exit(NULL);
    if (status > 0)
        refuse(c, status, "This is no request that the proxy understands.");
    r->is_head = strcmp(line.method, "HEAD") == 0;
    if (strcmp(line.method, "GET") != 0 && !r->is_head)
        refuse(c, 501, "This proxy knows GET and HEAD.");
    body = check_request(&header, line.minor);
    if (body != 0)
        refuse(c, body == 1 ? 400 : body, body == 1 ? "A GET has no body here." : "This is no HTTP request.");
    if (parse_url(line.target, r) < 0)
        refuse(c, 400, "The URL should be http://host[:port]/path.");
    if (list_has(&header, "Cache-Control", "only-if-cached") == 1)
        refuse(c, 504, "What is in the cache is not for a request with Cache-Control.");
    r->is_private = is_private(&header);
    append(c, &r->message, "%s %s HTTP/1.0\r\n", line.method, r->path);
    append(c, &r->message, strchr(r->host, ':') ? "Host: [%s]" : "Host: %s", r->host);
    append(c, &r->message, strcmp(r->port, "80") ? ":%s\r\n" : "\r\n", r->port);
    append_fields(c, &r->message, &header, "Host");
    append(c, &r->message, "Via: 1.%d csapp-proxy\r\nConnection: close\r\n\r\n", line.minor);
}

/* The status in "HTTP/1.x 200 OK"; -1 if the line is no such one. */
static int parse_status_line(const char *line)
{
    if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]) || line[8] != ' '
        || strspn(line + 9, "0123456789") != 3 || (line[12] != ' ' && line[12] != '\0'))
        return -1;
    return atoi(line + 9);
}

/* Reads the header of the server's answer, and returns its status. */
static int read_answer(const struct connection *c, rio_t *rio, struct header *h)
{
    long long deadline = now() + PATIENCE * 1000;
    int status, outcome, interim = 0;

    do {
        outcome = read_header(rio, h, deadline);
        if (outcome == 408)
            refuse(c, 504, "The server takes too long.");
        status = outcome == 0 ? parse_status_line(h->bytes) : -1;
    } while (status >= 100 && status < 200 && status != 101 && ++interim < 8);
    /* An HTTP/1.0 request is never answered in chunks. If two fields say where the answer ends, a reader
       behind this proxy may find another end. */
    if (status < 200 || status > 599 || content_length(h) == -2 || get_field(h, "Transfer-Encoding", NULL) != NULL
        || list_has(h, "Connection", "") < 0)
        refuse(c, 502, "The server's answer is damaged.");
    return status;
}

/* Sends the server's answer on to the client as it comes, and keeps it if that is right. */
static void relay(struct connection *c, const struct request *r, const char *key)
{
    static const long long to_the_end = -1;
    char buffer[MAXBUF];
    struct message message = {.length = 0};
    struct header header;
    long lifetime, age = 0;
    long long left;
    size_t size = 0, header_size;
    int status;
    ssize_t n = 0;
    rio_t rio;

    Rio_readinitb(&rio, c->server);
    status = read_answer(c, &rio, &header);
    left = r->is_head || status == 204 || status == 304 ? 0 : content_length(&header);
    lifetime = r->is_head || r->is_private || status != 200 || left == to_the_end ? 0 : lifetime_of(&header, &age);
    if (lifetime > 0 && left <= OBJECT_SIZE)
        c->collected = malloc(OBJECT_SIZE);
    append(c, &message, "HTTP/1.1 %s\r\n", header.bytes + strlen("HTTP/1.1 "));
    append_fields(c, &message, &header, status == 204 ? "Content-Length" : "Age");
    append(c, &message, "Via: 1.%c csapp-proxy\r\nConnection: close\r\n", header.bytes[7]);
    header_size = message.length;
    if (get_field(&header, "Age", NULL) != NULL && status != 204)
        append(c, &message, "Age: %s\r\n", get_field(&header, "Age", NULL));
    append(c, &message, "\r\n");
    Rio_writen(c->client, message.bytes, message.length);
    while (left != 0) {
        n = rio_readnb(&rio, buffer, left > 0 && left < MAXBUF ? (size_t)left : sizeof buffer);
        if (n <= 0)
            break;
        Rio_writen(c->client, buffer, (size_t)n);
        if (c->collected != NULL)
            memcpy(c->collected + size, buffer, (size_t)n);
        size += (size_t)n;
        if (left != to_the_end)
            left -= n;
    }
    if (c->collected != NULL && left == 0)
        keep(key, message.bytes, header_size, c->collected, size, age, lifetime);
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
            refuse(c, 502, c->server == -2 ? "The server has no address." : strerror(errno));
        Setsockopt(c->server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        Setsockopt(c->server, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        Rio_writen(c->server, request.message.bytes, request.message.length);
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
    stop_on_signals();
    cache_init();
    Sem_init(&free_clients, 0, CLIENTS);
    Signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    main_thread = pthread_self();
    csapp_set_error_handler(end_connection);
    print_port(listenfd);
    for (;;) {
        int fd;

        P(&free_clients);
        if (wait_unless_stopped(listenfd, -1) < 0)
            break;
        fd = csapp_accept(listenfd, NULL, NULL, 0);
        if (fd >= 0)
            welcome(fd, &detached);
        else {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
                wait_unless_stopped(-1, 1000); /* some will come back */
            V(&free_clients);
        }
    }
    V(&free_clients);
    Close(listenfd);
    wait_for_all(&free_clients, CLIENTS, STOP_TIME);
    return 0;
}
