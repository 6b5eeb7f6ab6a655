/*
 * http.h - HTTP/1.1 for tinyweb and proxy: reading the header of a message, and taking it apart
 *
 * What to watch: a header is accepted as a whole, or refused. Some headers can be read in two ways: with two lengths,
 * a blank before a colon, a continued line, or a CR in the middle. If two programs on the way read such a header
 * differently, a request can hide in another one. So such headers are refused. RFC 9110 and 9112 are the reference.
 */
#ifndef HTTP_H
#define HTTP_H

#include "csapp.h"
#include <poll.h>
#include <time.h>

enum { HEADER_SIZE = 32768, MAX_FIELDS = 128 };

/* The characters of methods, names of fields, and most values (RFC 9110, section 5.6.2). */
#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define TOKEN "!#$%&'*+-.^_`|~" LETTERS_AND_DIGITS

struct field {
    char *name, *value; /* the value without blanks around it */
};

struct header {
    struct field fields[MAX_FIELDS];
    int count;
    char bytes[HEADER_SIZE]; /* the first line, and after it those of the fields, each ended by NUL */
};

/* The first line of a request. */
struct request_line {
    char *method, *target;
    int minor; /* of HTTP/1.minor */
};

static inline const char *reason(int status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 205: return "Reset Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 414: return "URI Too Long";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return ""; /* there are others */
    }
}

/* Milliseconds on a clock that no one sets. */
static inline long long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

/* Waits until something happens on fd. -1 with errno EAGAIN once the deadline is over. */
static inline int await(int fd, short events, long long deadline)
{
    struct pollfd polled = {fd, events, 0};
    long long left = deadline - now();

    errno = EAGAIN;
    return left > 0 && poll(&polled, 1, (int)left) != 0 ? 0 : -1;
}

/* Reads a line, with the time that is left until the deadline for the whole of it. */
static inline ssize_t read_line(rio_t *rio, char *line, size_t size, long long deadline)
{
    ssize_t n;

    do {
        long long left = deadline - now();

        n = csapp_readlineb(rio, line, size, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Takes a line "name: value" apart. -1 if it is none; a blank in front or before the colon is no part of a name. */
static inline int parse_field(char *line, struct field *field)
{
    size_t length = strspn(line, TOKEN);
    char *end = line + strlen(line);

    if (length == 0 || line[length] != ':')
        return -1;
    line[length] = '\0';
    field->name = line;
    field->value = line + length + 1;
    field->value += strspn(field->value, " \t");
    while (end > field->value && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = '\0';
    return 0;
}

static inline int has_control_characters(const char *line)
{
    for (; *line != '\0'; line++)
        if (((unsigned char)*line < ' ' && *line != '\t') || *line == 127)
            return 1;
    return 0;
}

/*
 * Reads a header. Returns 0, the status to refuse it with (408: it took too
 * long), or -1: the other side hung up without a word.
 */
static inline int read_header(rio_t *rio, struct header *h, long long deadline)
{
    char *line = h->bytes, *end = h->bytes + sizeof h->bytes;
    int empty_lines = 0;

    h->count = 0;
    for (;;) {
        size_t room = (size_t)(end - line) < MAXLINE ? (size_t)(end - line) : MAXLINE;
        int is_first = line == h->bytes;
        ssize_t n = read_line(rio, line, room, deadline);

        if (n < 0)
            return errno == ETIMEDOUT ? 408 : -1;
        if (n == 0)
            return is_first ? -1 : 400;
        if (line[n - 1] != '\n')
            return (size_t)n < room - 1 ? 400 /* the end of the file */ : is_first ? 414 : 431;
        line[--n] = '\0';
        if (n > 0 && line[n - 1] == '\r')
            line[--n] = '\0';
        if (strlen(line) != (size_t)n || has_control_characters(line))
            return 400;
        if (n == 0 && !is_first)
            return 0;
        if (n == 0 && ++empty_lines > 4) /* one may come before a request (RFC 9112, section 2.2) */
            return 400;
        if (n == 0)
            continue;
        if (!is_first && h->count == MAX_FIELDS)
            return 431;
        if (!is_first && parse_field(line, &h->fields[h->count++]) < 0)
            return 400;
        line += n + 1;
    }
}

/* The first value of a field, or NULL; and in `count`, unless that is NULL, how many there are. */
static inline const char *get_field(const struct header *h, const char *name, int *count)
{
    const char *value = NULL;
    int found = 0;

    for (int i = 0; i < h->count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0 && found++ == 0)
            value = h->fields[i].value;
    if (count != NULL)
        *count = found;
    return value;
}

/*
 * Takes the next NAME or NAME=VALUE off a list such as `max-age=60, private="a, b"`. Returns 1; 0 at
 * its end; -1 where it is no such list. The value is without its quotes, and "" if there is none.
 */
static inline int next_item(const char **list, char *name, char *value, size_t size)
{
    const char *at = *list + strspn(*list, ", \t");
    size_t length = strspn(at, TOKEN);

    if (*at == '\0')
        return 0;
    if (length == 0 || length >= size)
        return -1;
    snprintf(name, size, "%.*s", (int)length, at);
    *value = '\0';
    at += length;
    if (at[0] == '=' && at[1] == '"') {
        length = 0;
        for (at += 2; *at != '"'; at++) {
            at += *at == '\\';
            if (*at == '\0' || length + 1 == size)
                return -1;
            value[length++] = *at;
        }
        value[length] = '\0';
        at++;
    } else if (*at == '=') {
        length = strspn(++at, TOKEN);
        if (length == 0 || length >= size)
            return -1;
        snprintf(value, size, "%.*s", (int)length, at);
        at += length;
    }
    at += strspn(at, " \t");
    *list = at;
    return *at == ',' || *at == '\0' ? 1 : -1;
}

/* Whether a list, which may be spread over several fields of a name, has `item` in it. -1 if one is no list. */
static inline int list_has(const struct header *h, const char *field, const char *item)
{
    char name[MAXLINE], value[MAXLINE];
    int has_it = 0, more;

    for (int i = 0; i < h->count; i++) {
        const char *list = h->fields[i].value;

        if (strcasecmp(h->fields[i].name, field) != 0)
            continue;
        while ((more = next_item(&list, name, value, sizeof name)) > 0)
            has_it |= strcasecmp(name, item) == 0;
        if (more < 0)
            return -1;
    }
    return has_it;
}

/* "METHOD TARGET HTTP/1.x". Returns 0, or the status to refuse it with. */
static inline int parse_request_line(char *line, struct request_line *r)
{
    size_t length = strspn(line, TOKEN);
    char *version;

    r->method = line;
    r->target = line + length + 1;
    if (length == 0 || line[length] != ' ')
        return 400;
    line[length] = '\0';
    version = strchr(r->target, ' ');
    if (version == NULL || version == r->target || strchr(r->target, '\t') != NULL)
        return 400;
    *version++ = '\0';
    if (strncmp(version, "HTTP/", 5) != 0 || !isdigit((unsigned char)version[5]) || version[6] != '.'
        || !isdigit((unsigned char)version[7]) || version[8] != '\0')
        return 400;
    r->minor = version[7] - '0';
    return version[5] == '1' ? 0 : 505;
}

/* Whether `text` is HOST or HOST:PORT, with an IPv6 address in brackets (RFC 3986, section 3.2). */
static inline int is_authority(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    size_t length;

    if (*text == '[') {
        length = strcspn(++text, "]");
        if (length >= sizeof address || text[length] != ']')
            return 0;
        snprintf(address, sizeof address, "%.*s", (int)length, text);
        if (inet_pton(AF_INET6, address, &ignored) != 1)
            return 0;
        text += length + 1;
    } else {
        length = strspn(text, "-._~!$&'()*+,;=%" LETTERS_AND_DIGITS);
        if (length == 0)
            return 0;
        text += length;
    }
    return *text == '\0' || (*text == ':' && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

/* The number of bytes that Content-Length states, -1 for none. -2 where it is stated twice, or not as a number. */
static inline long long content_length(const struct header *h)
{
    int count;
    const char *value = get_field(h, "Content-Length", &count);

    if (count == 0)
        return -1;
    if (count > 1 || *value == '\0' || value[strspn(value, "0123456789")] != '\0' || strlen(value) > 18)
        return -2;
    return strtoll(value, NULL, 10);
}

/*
 * Checks what a request says of where it goes and where it ends. Returns 0 for one without a body, 1 for
 * one with a body, or the status to refuse it with.
 */
static inline int check_request(const struct header *h, int minor)
{
    int hosts, codings;
    const char *host = get_field(h, "Host", &hosts), *coding = get_field(h, "Transfer-Encoding", &codings);
    long long length = content_length(h);

    if (hosts > 1 || (hosts == 0 && minor >= 1) || (hosts == 1 && *host != '\0' && !is_authority(host)))
        return 400;
    if (list_has(h, "Connection", "") < 0)
        return 400;
    if (length == -2 || (codings > 0 && (length >= 0 || codings > 1 || minor == 0)))
        return 400;
    if (codings == 1 && strcasecmp(coding, "chunked") != 0) {
        /* Where the body ends is known only if the last coding is "chunked" (RFC 9112, section 6.3). */
        const char *last = strrchr(coding, ',');

        return last != NULL && strcasecmp(last + 1 + strspn(last + 1, " \t"), "chunked") == 0 ? 501 : 400;
    }
    return codings == 1 || length > 0;
}

#endif
