/* Reading a file in chunks through the buffer: rio_readnb, the book's, stdio's and read itself. */
#define _GNU_SOURCE
#include "bench.h"
#include "twin.h"

static int file;
static size_t chunk;
static char data[1 << 20];

#define USE(data) __asm__ volatile("" : : "r"(data) : "memory")

static void from_the_start(void)
{
    must(lseek(file, 0, SEEK_SET) == 0, "lseek");
}

#define RIO_CONTESTANT(name, reader_t, init, readnb)                \
    static size_t name(void)                                        \
    {                                                               \
        static reader_t reader;                                     \
        size_t total = 0;                                           \
        ssize_t n;                                                  \
                                                                    \
        init(&reader, file);                                        \
        while ((n = readnb(&reader, data, chunk)) > 0) {            \
            total += (size_t)n;                                     \
            USE(data);                                              \
        }                                                           \
        return total;                                               \
    }

RIO_CONTESTANT(bulk_shared, rio_t, so.readinitb, so.readnb)
RIO_CONTESTANT(bulk_static, rio_t, rio_readinitb, rio_readnb)
RIO_CONTESTANT(bulk_twin, twin_t, twin_readinitb, twin_readnb)

static size_t bulk_fread(size_t (*call)(void *, size_t, size_t, FILE *))
{
    FILE *in = fdopen(dup(file), "r");
    size_t total = 0, n;

    must(in != NULL, "fdopen");
    while ((n = call(data, 1, chunk, in)) > 0) {
        total += n;
        USE(data);
    }
    fclose(in);
    return total;
}

static size_t bulk_fread_locked(void)
{
    return bulk_fread(fread);
}

static size_t bulk_fread_unlocked(void)
{
    return bulk_fread(fread_unlocked);
}

static size_t bulk_read(void)
{
    size_t total = 0;
    ssize_t n;

    while ((n = read(file, data, chunk)) > 0) {
        total += (size_t)n;
        USE(data);
    }
    return total;
}

static const struct contestant field[] = {
    {"libcsapp.so", bulk_shared},
    {"libcsapp.a", bulk_static},
    {"book", bulk_twin},
    {"fread", bulk_fread_locked},
    {"fread_unlocked", bulk_fread_unlocked},
    {"read", bulk_read},
};

int main(void)
{
    static const size_t chunks[] = {16, 128, 1 << 10, 8 << 10, 64 << 10, 512 << 10, 1 << 20};
    size_t size = 16 << 20, i;
    char *bytes = calloc(1, size), name[32];

    load_shared();
    file = memfd_create("bulk", 0);
    must(file >= 0 && bytes != NULL, "memfd_create");
    must(write(file, bytes, size) == (ssize_t)size, "write");
    free(bytes);
    before_run = from_the_start;
    for (i = 0; i < LENGTH(chunks); i++) {
        /* Plain reads of a few bytes take very long and show nothing. */
        size_t count = LENGTH(field) - (chunks[i] < (8 << 10));

        chunk = chunks[i];
        snprintf(name, sizeof name, "%zu", chunk);
        take_turns("readnb", name, field, count, rounds(25), PROCESSOR, size, size / chunk);
    }
    return 0;
}
