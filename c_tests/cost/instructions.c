/* Work whose instructions are counted (tests/instructions.rs, by callgrind): TIMES calls of a kind
   for each dump, named after it. */
#define _GNU_SOURCE
#include "csapp.h"

#include <valgrind/callgrind.h>

enum { TIMES = 1000, MOST = 16384 };

static char data[MOST + 1];
static rio_t reader;
static int file, ends[2];

/* A file in memory with enough lines of `size` bytes for all calls, and a reader at its start. */
static void prepare(size_t size)
{
    char line[MOST];

    memset(line, 'x', size);
    line[size - 1] = '\n';
    if (ftruncate(file, 0) < 0)
        exit(2);
    Lseek(file, 0, SEEK_SET);
    for (int i = 0; i < TIMES; i++)
        Write(file, line, size);
    Lseek(file, 0, SEEK_SET);
    rio_readinitb(&reader, file);
}

/* TIMES times `call`, which has to return `size`. Once before, for what is done only once: the
   binding of a symbol, the question what the processor has. */
#define COUNT(name, size, call)                     \
    do {                                            \
        enum { SIZE = (size) };                     \
                                                    \
        prepare(SIZE);                              \
        (void)!(call);                              \
        prepare(SIZE);                              \
        CALLGRIND_ZERO_STATS;                       \
        for (int i = 0; i < TIMES; i++)             \
            if ((call) != SIZE)                     \
                return 1;                           \
        CALLGRIND_DUMP_STATS_AT(name " " #size);    \
    } while (0)

static ssize_t written(int fd, size_t size)
{
    return rio_writen(fd, data, size);
}

/* Through a pair of sockets and out of the way again. */
static ssize_t sent(size_t size)
{
    return rio_writen(ends[0], data, size) == (ssize_t)size ? read(ends[1], data, MOST) : -1;
}

int main(void)
{
    int null = Open("/dev/null", O_WRONLY, 0);

    file = memfd_create("lines", 0);
    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 2;
    COUNT("rio_readlineb", 10, rio_readlineb(&reader, data, sizeof data));
    COUNT("rio_readlineb", 60, rio_readlineb(&reader, data, sizeof data));
    COUNT("rio_readlineb", 190, rio_readlineb(&reader, data, sizeof data));
    COUNT("rio_readlineb", 5000, rio_readlineb(&reader, data, sizeof data));
    COUNT("Rio_readlineb", 10, Rio_readlineb(&reader, data, sizeof data));
    COUNT("rio_readnb", 16, rio_readnb(&reader, data, 16));
    COUNT("rio_readnb", 128, rio_readnb(&reader, data, 128));
    COUNT("rio_readnb", 1024, rio_readnb(&reader, data, 1024));
    COUNT("rio_readnb", 16384, rio_readnb(&reader, data, 16384));
    COUNT("Rio_readnb", 16, Rio_readnb(&reader, data, 16));
    COUNT("rio_readn", 4096, rio_readn(file, data, 4096));
    COUNT("rio_writen to a file", 4096, written(null, 4096));
    COUNT("rio_writen to a socket", 4096, sent(4096));
    return 0;
}
