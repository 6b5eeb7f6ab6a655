/*
 * tinyweb - a web server: files, directories and CGI programs, by GET and HEAD
 *
 * It speaks HTTP/1.1 with persistent connections, and HTTP/1.0. It has a thread for each connection, for at most
 * CLIENTS connections; others wait in the kernel's queue.
 *
 * What to watch: whatever a client does, only its own connection suffers.
 *   time    every wait has a deadline: a request has to begin within 10 s, its header has to be complete 10 s
 *           later, and the client has to take an answer at 4 KB/s
 *   space   a header has at most 32 KiB, the page of a CGI program at most 1 MiB
 *   header  what does not follow HTTP strictly is refused (http.h)
 *   paths   the path is decoded once and followed from the root, one openat with O_NOFOLLOW for each name: no
 *           symbolic link is followed, and a name that starts with a dot (so "..") is refused
 *   CGI     programs come from a directory of their own, and get a new environment, no arguments, and only the
 *           descriptors 0, 1 and 2
 *   mmap    if a file becomes shorter while it is sent, send fails with EFAULT; the program itself never reads the
 *           mapped bytes, so there is no SIGBUS
 *   end     on SIGTERM and SIGINT it accepts no more connections, closes those without a request, completes the
 *           answers that it has begun, for up to 10 s, and exits with status 0 (stopping.h)
 *
 * usage: tinyweb [-a ADDRESS] [-c CGI-DIRECTORY] PORT ROOT
 *        (ADDRESS: 127.0.0.1, or 0.0.0.0 for all addresses; PORT 0: any free one)
 */
#define _GNU_SOURCE
#include "http.h"
#include "listening.h"
#include "stopping.h"
#include <netinet/tcp.h>

enum { CLIENTS = 512, HEADER_TIME = 10000, CGI_TIME = 10000, CGI_SIZE = 1 << 20, STOP_TIME = 10 /* seconds */,
    RATE = 4096 /* bytes a second */, PATH_SIZE = 4096 };

static const size_t UNKNOWN = (size_t)-1;

struct connection {
    int fd;
    rio_t rio;
    char peer[NI_MAXHOST];
};

struct request {
    char path[PATH_SIZE], query[MAXLINE]; /* path: decoded */
    int is_head, keep_alive;
};

static int root_fd, cgi_fd = -1, server_port;
static sem_t free_clients;

/* `flags`: MSG_MORE, if more will follow. */
static int send_all(int fd, const char *bytes, size_t count, int flags)
{
    long long deadline = now() + 10000 + (long long)count * 1000 / RATE;

    while (count > 0) {
        ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT | flags);

        if (n >= 0) {
            bytes += n;
            count -= (size_t)n;
        } else if (errno != EAGAIN || await(fd, POLLOUT, deadline) < 0)
            return -1;
    }
    return 0;
}

/* Sends an answer; `extra` is further header lines. Its length may be UNKNOWN if the request is a HEAD. */
static int answer(const struct connection *c, const struct request *r, int status, const char *type,
    const char *extra, const char *body, size_t length)
{
    char header[MAXLINE + PATH_SIZE * 3], date[64], size[64] = "";
    time_t seconds = time(NULL);
    struct tm utc;
    int n, is_all = r->is_head || length == 0;

    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &utc));
    if (status != 204 && status != 304 && length != UNKNOWN) /* RFC 9110, section 8.6 */
        snprintf(size, sizeof size, "Content-Length: %zu\r\n", length);
    n = snprintf(header, sizeof header,
        "HTTP/1.1 %d %s\r\nDate: %s\r\nServer: tinyweb\r\nContent-Type: %s\r\n%s"
        "X-Content-Type-Options: nosniff\r\nConnection: %s\r\n%s\r\n",
        status, reason(status), date, type, size, r->keep_alive && !is_stopping ? "keep-alive" : "close", extra);
    if (n < 0 || (size_t)n >= sizeof header || send_all(c->fd, header, (size_t)n, is_all ? 0 : MSG_MORE) < 0)
        return -1;
    return is_all ? 0 : send_all(c->fd, body, length, 0);
}

static int answer_error(const struct connection *c, const struct request *r, int status, const char *why)
{
    char page[1024];
    int n = snprintf(page, sizeof page, "<!DOCTYPE html><title>%d %s</title><h1>%d %s</h1><p>%s</p>\n",
        status, reason(status), status, reason(status), why);

    return answer(c, r, status, "text/html; charset=utf-8", status == 405 ? "Allow: GET, HEAD\r\n" : "",
        page, (size_t)n);
}

/* Decodes %XX. Refuses what no file name needs: a NUL or another control character. */
static int decode(const char *from, char *to, size_t size)
{
    char hex[3] = "", *end = to + size - 1;

    for (; *from != '\0' && to < end; from++, to++) {
        *to = *from;
        if (*from == '%') {
            if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
                return -1;
            hex[0] = from[1], hex[1] = from[2];
            *to = (char)strtol(hex, NULL, 16);
            from += 2;
        }
        if ((unsigned char)*to < ' ' || *to == 127)
            return -1;
    }
    *to = '\0';
    return *from == '\0' ? 0 : -1;
}

/* The printed form of a name inside HTML (entities) or inside a URL (%XX). */
static void print_escaped(FILE *out, const char *text, int is_url)
{
    for (; *text != '\0'; text++)
        if (isalnum((unsigned char)*text) || strchr("-_.~/", *text))
            putc(*text, out);
        else
            fprintf(out, is_url ? "%%%02X" : (unsigned char)*text < 128 ? "&#%d;" : "%c",
                (unsigned char)*text);
}

/* Opens what `path` leads to below the root. -1/EACCES for a link or a hidden name on the way. */
static int open_below_root(const char *path)
{
    int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
    char name[NAME_MAX + 1];

    while (fd >= 0 && path[strspn(path, "/")] != '\0') {
        size_t length;
        int next;

        path += strspn(path, "/");
        length = strcspn(path, "/");
        if (length > NAME_MAX || *path == '.') {
            close(fd);
            errno = EACCES;
            return -1;
        }
        memcpy(name, path, length);
        name[length] = '\0';
        path += length;
        /* O_NONBLOCK: a fifo would hold the thread up for ever. */
        next = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (*path == '/' ? O_DIRECTORY : 0));
        close(fd);
        if (next < 0 && errno == ELOOP)
            errno = EACCES;
        fd = next;
    }
    return fd;
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"}, {".css", "text/css"},
        {".js", "text/javascript"}, {".txt", "text/plain; charset=utf-8"}, {".png", "image/png"},
        {".jpg", "image/jpeg"}, {".gif", "image/gif"}, {".svg", "image/svg+xml"}, {".ico", "image/x-icon"},
        {".pdf", "application/pdf"}, {".json", "application/json"}};
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static int send_file(const struct connection *c, const struct request *r, int fd, off_t size, const char *path)
{
    void *bytes = size > 0 && !r->is_head ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    int outcome;

    if (bytes == MAP_FAILED)
        return answer_error(c, r, 500, "The file cannot be read.");
    outcome = answer(c, r, 200, type_of(path), "", bytes, (size_t)size);
    if (bytes != NULL)
        Munmap(bytes, (size_t)size);
    return outcome;
}

static int send_listing(const struct connection *c, const struct request *r, int fd)
{
    DIR *directory = fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const struct dirent *entry;
    char *page = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&page, &length);
    int outcome;

    if (directory == NULL || out == NULL) {
        if (directory != NULL)
            closedir(directory);
        if (out != NULL)
            fclose(out);
        free(page);
        return answer_error(c, r, 500, "The directory cannot be read.");
    }
    fprintf(out, "<!DOCTYPE html><title>Index</title><h1>Index of ");
    print_escaped(out, r->path, 0);
    fprintf(out, "</h1><ul>\n");
    while ((entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.') {
            fprintf(out, "<li><a href=\"./");
            print_escaped(out, entry->d_name, 1);
            fprintf(out, "%s\">", entry->d_type == DT_DIR ? "/" : "");
            print_escaped(out, entry->d_name, 0);
            fprintf(out, "</a></li>\n");
        }
    fprintf(out, "</ul>\n");
    closedir(directory);
    fclose(out);
    outcome = answer(c, r, 200, "text/html; charset=utf-8", "", page, length);
    free(page);
    return outcome;
}

static int redirect_to_slash(const struct connection *c, const struct request *r)
{
    char *line = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&line, &length);
    int outcome;

    if (out == NULL)
        return -1;
    /* One slash in front: "//name/" would be another host. */
    fprintf(out, "Location: /");
    print_escaped(out, r->path + strspn(r->path, "/"), 1);
    fprintf(out, "/\r\n");
    fclose(out);
    outcome = answer(c, r, 301, "text/plain", line, "", 0);
    free(line);
    return outcome;
}

static int serve_file(const struct connection *c, const struct request *r)
{
    int fd = open_below_root(r->path), index, outcome;
    struct stat file;

    if (fd < 0 || fstat(fd, &file) < 0)
        outcome = errno == EACCES ? answer_error(c, r, 403, "This path is not served.")
                                  : answer_error(c, r, 404, "There is no such file.");
    else if (S_ISREG(file.st_mode))
        outcome = send_file(c, r, fd, file.st_size, r->path);
    else if (!S_ISDIR(file.st_mode))
        outcome = answer_error(c, r, 403, "This is no regular file.");
    else if (r->path[strlen(r->path) - 1] != '/')
        outcome = redirect_to_slash(c, r);
    else {
        index = openat(fd, "index.html", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (index >= 0 && fstat(index, &file) == 0 && S_ISREG(file.st_mode))
            outcome = send_file(c, r, index, file.st_size, "index.html");
        else
            outcome = send_listing(c, r, fd);
        if (index >= 0)
            Close(index);
    }
    if (fd >= 0)
        Close(fd);
    return outcome;
}

/* Starts a CGI program with its output in a pipe, in a process group of its own. */
static pid_t start_cgi(const struct connection *c, const struct request *r, const char *name, int output)
{
    char query[MAXLINE + 32], script[PATH_SIZE + 32], peer[NI_MAXHOST + 32], port[64], *program = NULL;
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin", interface[] = "GATEWAY_INTERFACE=CGI/1.1",
         software[] = "SERVER_SOFTWARE=tinyweb", host[] = "SERVER_NAME=localhost",
         protocol[] = "SERVER_PROTOCOL=HTTP/1.1";
    char method[] = "REQUEST_METHOD=GET", head[] = "REQUEST_METHOD=HEAD";
    char *environment[] = {path, interface, software, host, protocol, r->is_head ? head : method, query,
        script, peer, port, NULL};
    char *arguments[2] = {NULL, NULL};
    pid_t child;

    snprintf(query, sizeof query, "QUERY_STRING=%s", r->query);
    snprintf(script, sizeof script, "SCRIPT_NAME=%s", r->path);
    snprintf(peer, sizeof peer, "REMOTE_ADDR=%s", c->peer);
    snprintf(port, sizeof port, "SERVER_PORT=%d", server_port);
    if (asprintf(&program, "./%s", name) < 0)
        return -1;
    arguments[0] = program;
    child = fork();
    if (child == 0) {
        /* Only calls that are safe after fork in a program with threads. Other threads'
           descriptors are close-on-exec, every one. */
        int null = open("/dev/null", O_RDONLY);

        setpgid(0, 0);
        signal(SIGPIPE, SIG_DFL);
        if (fchdir(cgi_fd) == 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) {
            if (null > STDERR_FILENO)
                close(null);
            execve(program, arguments, environment);
        }
        _exit(127);
    }
    if (child > 0)
        setpgid(child, child); /* whichever of the two comes first */
    free(program);
    return child;
}

/* Takes a CGI program's output to its end. -1 with errno EAGAIN when it takes too long, EFBIG when it is too much. */
static ssize_t gather(int fd, char *page)
{
    long long deadline = now() + CGI_TIME;
    size_t length = 0;

    for (;;) {
        ssize_t n;

        if (await(fd, POLLIN, deadline) < 0)
            return -1;
        n = read(fd, page + length, CGI_SIZE - length);
        if (n <= 0)
            return n < 0 ? -1 : (ssize_t)length;
        length += (size_t)n;
        if (length == CGI_SIZE) {
            errno = EFBIG;
            return -1;
        }
    }
}

/* Takes the header of a CGI program's page apart (RFC 3875, section 6), and sends the page. */
static int send_cgi_page(const struct connection *c, const struct request *r, char *page, size_t length)
{
    char type[256] = "text/plain", extra[MAXLINE] = "", *at = page, *end = page + length;
    int status = 0, is_redirection = 0;

    for (;;) {
        char *newline = memchr(at, '\n', (size_t)(end - at)), *line = at;
        size_t used = strlen(extra), size = sizeof extra - used;
        struct field field;

        if (newline == NULL)
            return answer_error(c, r, 502, "The program's header has no end.");
        at = newline + 1;
        if (newline > line && newline[-1] == '\r')
            newline--;
        *newline = '\0';
        if (newline == line)
            break;
        if (strlen(line) != (size_t)(newline - line) || has_control_characters(line) || parse_field(line, &field) < 0)
            return answer_error(c, r, 502, "The program's header is damaged.");
        if (strcasecmp(field.name, "Status") == 0) {
            size_t digits = strspn(field.value, "0123456789");

            status = digits == 3 && strchr(" ", field.value[3]) != NULL ? atoi(field.value) : -1;
        } else if (strcasecmp(field.name, "Content-Type") == 0) {
            if ((size_t)snprintf(type, sizeof type, "%s", field.value) >= sizeof type)
                return answer_error(c, r, 502, "The program's header is too long.");
        } else if (strcasecmp(field.name, "Location") == 0 || strcasecmp(field.name, "Cache-Control") == 0) {
            is_redirection |= strcasecmp(field.name, "Location") == 0;
            if ((size_t)snprintf(extra + used, size, "%s: %s\r\n", field.name, field.value) >= size)
                return answer_error(c, r, 502, "The program's header is too long.");
        }
    }
    if (status == 0)
        status = is_redirection ? 302 : 200;
    if (status < 200 || status > 599)
        return answer_error(c, r, 502, "The program's status is none.");
    length = (size_t)(end - at);
    if (status == 204 || status == 205 || status == 304)
        length = 0; /* to the client, a page would be the next answer */
    else if (r->is_head)
        length = UNKNOWN; /* a GET has a page that the program need not have made */
    return answer(c, r, status, type, extra, at, length);
}

static int serve_cgi(const struct connection *c, const struct request *r)
{
    const char *name = r->path + strlen("/cgi-bin/");
    char *page = NULL;
    int ends[2], outcome;
    struct stat file;
    ssize_t length;
    pid_t child;

    if (cgi_fd < 0 || name[0] == '.' || strchr(name, '/') || fstatat(cgi_fd, name, &file, AT_SYMLINK_NOFOLLOW) < 0
        || !S_ISREG(file.st_mode) || faccessat(cgi_fd, name, X_OK, 0) < 0)
        return answer_error(c, r, 404, "There is no such program.");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return answer_error(c, r, 500, "No descriptors are left.");
    child = start_cgi(c, r, name, ends[1]);
    Close(ends[1]);
    page = child < 0 ? NULL : malloc(CGI_SIZE);
    length = page == NULL ? -1 : gather(ends[0], page);
    outcome = errno;
    Close(ends[0]);
    if (child > 0) {
        kill(-child, SIGKILL); /* the whole group, before its number can be another's */
        Waitpid(child, NULL, 0);
    }
    if (length >= 0)
        outcome = send_cgi_page(c, r, page, (size_t)length);
    else
        outcome = outcome == EAGAIN ? answer_error(c, r, 504, "The program took too long.")
                                    : answer_error(c, r, 502, "The program failed.");
    free(page);
    return outcome;
}

/* Finds path and query in a request's target. -1 if it is none. */
static int parse_target(char *target, struct request *r)
{
    char *authority, *query;

    if (strncasecmp(target, "http://", 7) == 0) { /* as a proxy is asked (RFC 9112, section 3.2.2) */
        authority = target + 7;
        target = authority + strcspn(authority, "/?#");
        memmove(authority - 1, authority, (size_t)(target - authority)); /* makes room for its end */
        target[-1] = '\0';
        if (!is_authority(authority - 1))
            return -1;
    } else if (*target != '/')
        return -1;
    if (strchr(target, '#') != NULL) /* what is behind it is for the client alone */
        return -1;
    query = strchr(target, '?');
    snprintf(r->query, sizeof r->query, "%s", query == NULL ? "" : query + 1);
    if (query != NULL)
        *query = '\0';
    return decode(*target == '\0' ? "/" : target, r->path, sizeof r->path);
}

static int is_one_of(const char *word, const char *const *words)
{
    while (*words != NULL && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

/* Reads a request. Returns 0, the status to refuse it with, or -1: there is none. */
static int read_request(struct connection *c, struct request *r)
{
    static const char *const not_allowed[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", NULL};
    struct request_line line;
    struct header header;
    int status, body;

    memset(r, 0, sizeof *r);
    if (c->rio.rio_cnt == 0 && wait_unless_stopped(c->fd, HEADER_TIME) < 0)
        return -1;
    status = read_header(&c->rio, &header, now() + HEADER_TIME);
    if (status == 0)
        status = parse_request_line(header.bytes, &line);
    if (status != 0)
        return status;
    r->is_head = strcmp(line.method, "HEAD") == 0;
    body = check_request(&header, line.minor);
    if (body > 1)
        return body;
    if (strcmp(line.method, "GET") != 0 && !r->is_head)
        return is_one_of(line.method, not_allowed) ? 405 : 501;
    if (body == 1 || parse_target(line.target, r) < 0)
        return 400;
    r->keep_alive = line.minor >= 1 || list_has(&header, "Connection", "keep-alive") == 1;
    if (list_has(&header, "Connection", "close") == 1)
        r->keep_alive = 0;
    return 0;
}

/* Hangs up so that the last answer arrives: closing with unread bytes would throw it away. */
static void hang_up(int fd)
{
    long long deadline = now() + 1000;
    char rest[4096];

    shutdown(fd, SHUT_WR);
    while (await(fd, POLLIN, deadline) == 0 && read(fd, rest, sizeof rest) > 0)
        ;
    Close(fd);
}

static void *serve(void *argument)
{
    struct connection *c = argument;
    struct request request;
    int status;

    Rio_readinitb(&c->rio, c->fd);
    do {
        status = read_request(c, &request);
        if (status > 0) {
            request.keep_alive = 0; /* where the next request would start is not known */
            answer_error(c, &request, status, "The server does not take this request.");
        } else if (status == 0 && strncmp(request.path, "/cgi-bin/", 9) == 0)
            status = serve_cgi(c, &request);
        else if (status == 0)
            status = serve_file(c, &request);
    } while (status == 0 && request.keep_alive && !is_stopping);
    hang_up(c->fd);
    Free(c);
    V(&free_clients);
    return NULL;
}

static void welcome(int fd, const struct sockaddr_storage *address, socklen_t length, const pthread_attr_t *detached)
{
    struct connection *c = Malloc(sizeof *c);
    pthread_t tid;
    int code = ENOMEM;

    if (c != NULL) {
        c->fd = fd;
        if (getnameinfo((const SA *)address, length, c->peer, sizeof c->peer, NULL, 0, NI_NUMERICHOST) != 0)
            c->peer[0] = '\0';
        code = pthread_create(&tid, detached, serve, c);
    }
    if (code != 0) {
        posix_error(code, "cannot serve a client");
        Free(c);
        Close(fd);
        V(&free_clients);
    }
}

int main(int argc, char **argv)
{
    const char *address = "127.0.0.1", *cgi = NULL;
    pthread_attr_t detached;
    int listenfd;

    for (int option; (option = getopt(argc, argv, "a:c:")) != -1;) {
        if (option == 'a')
            address = optarg;
        else if (option == 'c')
            cgi = optarg;
        else
            argc = 0;
    }
    if (argc - optind != 2) {
        fprintf(stderr, "usage: %s [-a ADDRESS] [-c CGI-DIRECTORY] PORT ROOT\n", argv[0]);
        return 2;
    }
    for (int fd = 3; fd < 1024; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC); /* what a careless parent left open is not for CGI programs */
    root_fd = Open(argv[optind + 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (cgi != NULL)
        cgi_fd = Open(cgi, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    listenfd = csapp_listen(address, argv[optind], LISTENQ, 0);
    if (listenfd < 0) {
        if (listenfd == -1)
            unix_error("cannot listen");
        return 1;
    }
    /* Sockets inherit it. The end of an answer must not wait for the client's acknowledgement. */
    Setsockopt(listenfd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    stop_on_signals();
    server_port = print_port(listenfd);
    Sem_init(&free_clients, 0, CLIENTS);
    Signal(SIGPIPE, SIG_IGN);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    csapp_set_error_handler(csapp_error_return);
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof peer;
        int fd;

        P(&free_clients);
        if (wait_unless_stopped(listenfd, -1) < 0)
            break;
        fd = csapp_accept(listenfd, (SA *)&peer, &length, 0);
        if (fd >= 0)
            welcome(fd, &peer, length, &detached);
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
