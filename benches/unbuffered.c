/* rio_readn and rio_writen beside the plain system calls, on everything that has a descriptor. */
#define _GNU_SOURCE
#include "bench.h"
#include "twin.h"

/* A loopback address of our own, whose ports no other program uses up. */
#define LOOPBACK "127.15.2.13"

enum { MOST = 64 << 10 }; /* bytes a run moves: no more than a pipe or a socket holds */

static char data[MOST];
static size_t chunk, per_run;
static int from, to; /* what is written to `to` can be read from `from` */

static void move(ssize_t (*call)(int, void *, size_t), int fd, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t now = call(fd, data, n - done);

        must(now > 0, "prepare");
        done += (size_t)now;
    }
}

static ssize_t write_out(int fd, void *bytes, size_t n)
{
    return write(fd, bytes, n);
}

static void rewind_file(void)
{
    if (from == to)
        must(lseek(from, 0, SEEK_SET) == 0, "lseek");
}

static size_t filled;

/* Before a run that reads: as many bytes to read as it wants. */
static void fill(void)
{
    rewind_file();
    move(write_out, to, per_run - filled);
    filled = per_run;
    rewind_file();
}

/* Before a run that writes: nothing in the way. */
static void drain(void)
{
    rewind_file();
    move(read, from, filled);
    filled = per_run; /* the run is going to leave that much */
    rewind_file();
}

#define CONTESTANT(name, call, fd)                       \
    static size_t name(void)                             \
    {                                                    \
        size_t total = 0;                                \
                                                         \
        while (total < per_run) {                        \
            ssize_t n = call(fd, data, chunk);           \
                                                         \
            if (n <= 0)                                  \
                break;                                   \
            total += (size_t)n;                          \
        }                                                \
        filled = per_run - ((fd) == from ? total : 0);   \
        return total;                                    \
    }

CONTESTANT(readn_shared, so.readn, from)
CONTESTANT(readn_static, rio_readn, from)
CONTESTANT(readn_twin, twin_readn, from)
CONTESTANT(plain_read, read, from)
CONTESTANT(writen_shared, so.writen, to)
CONTESTANT(writen_static, rio_writen, to)
CONTESTANT(writen_twin, twin_writen, to)
CONTESTANT(plain_write, write, to)

static const struct contestant readers[] = {
    {"libcsapp.so", readn_shared},
    {"libcsapp.a", readn_static},
    {"book", readn_twin},
    {"plain", plain_read},
};

static const struct contestant writers[] = {
    {"libcsapp.so", writen_shared},
    {"libcsapp.a", writen_static},
    {"book", writen_twin},
    {"plain", plain_write},
};

static void compete(const char *what)
{
    static const size_t chunks[] = {4 << 10, 64 << 10};
    char name[32];
    size_t i;

    for (i = 0; i < LENGTH(chunks); i++) {
        chunk = chunks[i];
        per_run = MOST;
        snprintf(name, sizeof name, "%s %zu", what, chunk);
        filled = 0;
        before_run = fill;
        take_turns("readn", name, readers, LENGTH(readers), rounds(400), PROCESSOR, per_run,
            per_run / chunk);
        filled = 0;
        before_run = drain;
        take_turns("writen", name, writers, LENGTH(writers), rounds(400), PROCESSOR, per_run,
            per_run / chunk);
        drain();
    }
}

static void tcp_pair(int ends[2])
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), roomy = 4 * MOST;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = inet_addr(LOOPBACK);
    must(bind(listener, (SA *)&address, len) == 0 && listen(listener, 1) == 0, "listen");
    must(getsockname(listener, (SA *)&address, &len) == 0, "getsockname");
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &roomy, sizeof roomy);
    must(connect(ends[1], (SA *)&address, len) == 0, "connect");
    ends[0] = accept(listener, NULL, NULL);
    must(ends[0] >= 0, "accept");
    close(listener);
}

static void on(const char *what, int ends[2])
{
    int roomy = 4 * MOST;

    from = ends[0];
    to = ends[1];
    setsockopt(to, SOL_SOCKET, SO_SNDBUF, &roomy, sizeof roomy);
    setsockopt(from, SOL_SOCKET, SO_RCVBUF, &roomy, sizeof roomy);
    compete(what);
    close(from);
    if (to != from)
        close(to);
}

int main(void)
{
    int ends[2];

    load_shared();
    ends[0] = ends[1] = memfd_create("unbuffered", 0);
    must(ends[0] >= 0, "memfd_create");
    on("file", ends);
    must(pipe(ends) == 0, "pipe");
    on("pipe", ends);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
    on("socketpair", ends);
    tcp_pair(ends);
    on("tcp", ends);
    return 0;
}
