/* Reading a file line by line: every way a C program has. */
#define _GNU_SOURCE
#include "bench.h"
#include "twin.h"

#ifdef WITH_SKALIBS
#include <skalibs/buffer.h>
#include <skalibs/skamisc.h>
#include <skalibs/stralloc.h>
#endif
#ifdef WITH_LIBEVENT
#include <event2/buffer.h>
#endif
#ifdef WITH_BUFREADER
size_t bufreader_lines(int fd);
#endif

static int file;        /* what is read: in memory, as on a tmpfs */
static char line[MAXLINE];

/* The line counts as used from here on: no compiler may leave the copying out. */
#define USE(line) __asm__ volatile("" : : "r"(line) : "memory")

static void from_the_start(void)
{
    must(lseek(file, 0, SEEK_SET) == 0, "lseek");
}

/* A contestant that has init(&reader, fd) and readlineb(&reader, line, MAXLINE). */
#define RIO_CONTESTANT(name, reader_t, init, readlineb)             \
    static size_t name(void)                                        \
    {                                                               \
        static reader_t reader;                                     \
        size_t total = 0;                                           \
        ssize_t n;                                                  \
                                                                    \
        from_the_start();                                           \
        init(&reader, file);                                        \
        while ((n = readlineb(&reader, line, MAXLINE)) > 0) {       \
            total += (size_t)n;                                     \
            USE(line);                                              \
        }                                                           \
        return total;                                               \
    }

RIO_CONTESTANT(lines_shared, rio_t, so.readinitb, so.readlineb)
RIO_CONTESTANT(lines_static, rio_t, rio_readinitb, rio_readlineb)
RIO_CONTESTANT(lines_twin, twin_t, twin_readinitb, twin_readlineb)

/* A stdio stream on the file; the stream takes its own descriptor with it when it is closed. */
static FILE *stream(void)
{
    FILE *in;

    from_the_start();
    in = fdopen(dup(file), "r");
    must(in != NULL, "fdopen");
    return in;
}

static size_t lines_fgets(void)
{
    FILE *in = stream();
    size_t total = 0;

    /* fgets does not tell how long the line is. No program can do without knowing, but to be
       kind to fgets, this one does. */
    while (fgets(line, MAXLINE, in) != NULL) {
        total++;
        USE(line);
    }
    fclose(in);
    return total > 0 ? (size_t)lseek(file, 0, SEEK_CUR) : 0;
}

static size_t lines_fgets_unlocked(void)
{
    static char large[64 << 10];
    FILE *in = stream();
    size_t total = 0;

    setvbuf(in, large, _IOFBF, sizeof large);
    while (fgets_unlocked(line, MAXLINE, in) != NULL) {
        total++;
        USE(line);
    }
    fclose(in);
    return total > 0 ? (size_t)lseek(file, 0, SEEK_CUR) : 0;
}

static size_t lines_getline(void)
{
    FILE *in = stream();
    size_t total = 0, room = 0;
    char *own = NULL;
    ssize_t n;

    while ((n = getline(&own, &room, in)) > 0) {
        total += (size_t)n;
        USE(own);
    }
    free(own);
    fclose(in);
    return total;
}

#ifdef WITH_SKALIBS
static size_t lines_skagetln(void)
{
    static char storage[8193];
    stralloc own = STRALLOC_ZERO;
    buffer in;
    size_t total = 0;

    from_the_start();
    buffer_init(&in, &buffer_read, file, storage, sizeof storage);
    while (skagetln(&in, &own, '\n') > 0) {
        total += own.len;
        USE(own.s);
        own.len = 0;
    }
    total += own.len; /* a last line without its newline */
    stralloc_free(&own);
    return total;
}
#endif

#ifdef WITH_LIBEVENT
static size_t lines_evbuffer(void)
{
    struct evbuffer *in = evbuffer_new();
    size_t total = 0, n;
    char *own;

    from_the_start();
    while (evbuffer_read(in, file, 8192) > 0) {
        while ((own = evbuffer_readln(in, &n, EVBUFFER_EOL_LF)) != NULL) {
            total += n + 1;
            USE(own);
            free(own);
        }
    }
    total += evbuffer_get_length(in);
    evbuffer_free(in);
    return total;
}
#endif

#ifdef WITH_BUFREADER
static size_t lines_bufreader(void)
{
    from_the_start();
    return bufreader_lines(file);
}
#endif

/* What the machine can do in two passes, without a call, a check or a case too many. */
static size_t lines_floor(void)
{
    static char buf[8192];
    size_t total = 0, have = 0;
    ssize_t n;

    from_the_start();
    while ((n = read(file, buf, sizeof buf)) > 0) {
        const char *p = buf, *end = buf + n;

        while (p < end) {
            const char *newline = memchr(p, '\n', (size_t)(end - p));
            size_t count = (size_t)((newline != NULL ? newline + 1 : end) - p);

            memcpy(line + have, p, count);
            total += count;
            p += count;
            have = newline != NULL ? 0 : have + count;
            USE(line);
        }
    }
    return total;
}

/* The physical limit: the kernel's work alone. */
static size_t lines_kernel(void)
{
    static char buf[8192];
    size_t total = 0;
    ssize_t n;

    from_the_start();
    while ((n = read(file, buf, sizeof buf)) > 0) {
        total += (size_t)n;
        USE(buf);
    }
    return total;
}

static const struct contestant field[] = {
    {"libcsapp.so", lines_shared},
    {"libcsapp.a", lines_static},
    {"book", lines_twin},
    {"fgets", lines_fgets},
    {"fgets_unlocked 64K", lines_fgets_unlocked},
    {"getline", lines_getline},
#ifdef WITH_SKALIBS
    {"skalibs", lines_skagetln},
#endif
#ifdef WITH_LIBEVENT
    {"libevent", lines_evbuffer},
#endif
#ifdef WITH_BUFREADER
    {"BufReader", lines_bufreader},
#endif
    {"floor", lines_floor},
    {"kernel", lines_kernel},
};

/* For how the time grows with the length of a line. */
static const struct contestant few[] = {
    {"libcsapp.so", lines_shared},
    {"libcsapp.a", lines_static},
    {"floor", lines_floor},
    {"kernel", lines_kernel},
};

/* Lines of least to most bytes, the newline included, without any order. */
static size_t random_line(char *to, unsigned least, unsigned most)
{
    size_t n = least + draw(most - least + 1), i;

    for (i = 0; i + 1 < n; i++)
        to[i] = (char)('a' + i % 26);
    to[n - 1] = '\n';
    return n;
}

/* A line as web servers log requests (the "combined" format). */
static size_t log_line(char *to)
{
    static const char *const paths[] = {"/", "/index.html", "/favicon.ico", "/images/logo.png",
        "/css/site.css", "/courses/15213/schedule.html", "/search?q=robust+io&page=2",
        "/downloads/2026/lecture-10-system-level-io.pdf", "/cgi-bin/adder?15000&213"};
    static const char *const agents[] = {"curl/7.88.1", "Wget/1.21.3",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"};
    static const int statuses[] = {200, 200, 200, 200, 304, 304, 301, 404, 500};

    return (size_t)sprintf(to,
        "%u.%u.%u.%u - - [%02u/Oct/2026:%02u:%02u:%02u +0000] \"GET %s HTTP/1.1\" %d %u \"%s\" "
        "\"%s\"\n",
        1 + draw(223), draw(256), draw(256), draw(256), 1 + draw(31), draw(24), draw(60), draw(60),
        paths[draw(LENGTH(paths))], statuses[draw(LENGTH(statuses))], draw(200000),
        draw(2) ? "-" : "https://example.org/courses/", agents[draw(LENGTH(agents))]);
}

/* A line of the headers that a browser sends. */
static size_t header_line(char *to)
{
    static const char *const lines[] = {
        "GET /courses/15213/schedule.html HTTP/1.1\r\n",
        "Host: www.example.org\r\n",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
        "*/*;q=0.8\r\n",
        "Accept-Language: en-US,en;q=0.5\r\n",
        "Accept-Encoding: gzip, deflate, br\r\n",
        "Referer: https://www.example.org/courses/\r\n",
        "DNT: 1\r\n",
        "Connection: keep-alive\r\n",
        "Cookie: session=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\r\n",
        "Upgrade-Insecure-Requests: 1\r\n",
        "Sec-Fetch-Dest: document\r\n",
        "\r\n"};
    static size_t next;
    const char *text = lines[next++ % LENGTH(lines)];

    strcpy(to, text);
    return strlen(text);
}

struct workload {
    const char *name;
    unsigned least, most;             /* of random lines, or */
    size_t (*next_line)(char *to);    /* what makes one */
};

static const struct workload workloads[] = {
    {"1-20", 1, 20, NULL},
    {"20-100", 20, 100, NULL},
    {"80-300", 80, 300, NULL},
    {"2000-8000", 2000, 8000, NULL},
    {"web log", 0, 0, log_line},
    {"HTTP headers", 0, 0, header_line},
    /* One length: how the time grows, and whether the borders of pages and of the buffer show. */
    {"100", 100, 100, NULL},
    {"200", 200, 200, NULL},
    {"500", 500, 500, NULL},
    {"1000", 1000, 1000, NULL},
    {"2000", 2000, 2000, NULL},
    {"4000", 4000, 4000, NULL},
    {"4095", 4095, 4095, NULL},
    {"4096", 4096, 4096, NULL},
    {"4097", 4097, 4097, NULL},
    {"8000", 8000, 8000, NULL},
    {"8191", 8191, 8191, NULL},
};

/* Fills the file with about `size` bytes of lines and returns the number of lines. */
static size_t fill(const struct workload *workload, size_t size)
{
    char *text = malloc(size), next[MAXLINE];
    size_t lines = 0, used = 0, n;

    must(text != NULL, "malloc");
    for (;;) {
        n = workload->next_line != NULL ? workload->next_line(next)
                                        : random_line(next, workload->least, workload->most);
        if (used + n > size)
            break;
        memcpy(text + used, next, n);
        used += n;
        lines++;
    }
    /* In the same pages as the workload before: fresh ones may lie better or worse. */
    must(lseek(file, 0, SEEK_SET) == 0 && write(file, text, used) == (ssize_t)used, "write");
    must(ftruncate(file, (off_t)used) == 0, "ftruncate");
    free(text);
    return lines;
}

/* lines [WORKLOAD [CONTESTANT]]: all of them, or one; one contestant runs once, without the
   clock, for whoever counts its instructions. */
int main(int argc, char **argv)
{
    const char *megabytes = getenv("BENCH_MB");
    size_t size = (size_t)((megabytes != NULL ? atof(megabytes) : 64) * (1 << 20)), i, j;

    load_shared();
    file = memfd_create("lines", 0);
    must(file >= 0, "memfd_create");
    for (i = 0; i < LENGTH(workloads); i++) {
        size_t lines;

        if (argc > 1 && strcmp(argv[1], workloads[i].name) != 0)
            continue;
        lines = fill(&workloads[i], size);
        if (argc > 2) {
            for (j = 0; j < LENGTH(field); j++)
                if (strcmp(argv[2], field[j].name) == 0)
                    printf("%zu bytes, %zu lines\n", field[j].run(), lines);
            continue;
        }
        if (workloads[i].next_line == NULL && workloads[i].least == workloads[i].most)
            take_turns("lines", workloads[i].name, few, LENGTH(few), rounds(11), PROCESSOR,
                (size_t)lseek(file, 0, SEEK_END), lines);
        else
            take_turns("lines", workloads[i].name, field, LENGTH(field), rounds(11), PROCESSOR,
                (size_t)lseek(file, 0, SEEK_END), lines);
    }
    return 0;
}
