/* See bench.h. */
#include "bench.h"

#include <dlfcn.h>
#include <time.h>

struct shared so;
void (*before_run)(void);

void must(int is_well, const char *what)
{
    if (!is_well) {
        perror(what);
        exit(1);
    }
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);

    must(found != NULL, name);
    return found;
}

void load_shared(void)
{
    const char *path = getenv("CSAPP_SO");
    void *library;

    must(path != NULL, "CSAPP_SO");
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    must(library != NULL, path);
    *(void **)&so.readinitb = symbol(library, "rio_readinitb");
    *(void **)&so.readlineb = symbol(library, "rio_readlineb");
    *(void **)&so.readnb = symbol(library, "rio_readnb");
    *(void **)&so.readn = symbol(library, "rio_readn");
    *(void **)&so.writen = symbol(library, "rio_writen");
    *(void **)&so.connect = symbol(library, "open_clientfd");
}

unsigned draw(unsigned below)
{
    static unsigned long long state = 88172645463325252ULL;

    /* Marsaglia's xorshift generator */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)((state >> 32) % below);
}

int rounds(int standard)
{
    const char *asked = getenv("BENCH_ROUNDS");

    return asked != NULL ? atoi(asked) : standard;
}

static long long now(enum clock clock)
{
    struct timespec t;

    clock_gettime(clock == PROCESSOR ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return (x > y) - (x < y);
}

void take_turns(const char *suite, const char *workload, const struct contestant *field,
    size_t count, int rounds, enum clock clock, size_t expected, size_t units)
{
    long long *times = calloc(count * (size_t)rounds, sizeof *times);
    int round;
    size_t i;

    must(times != NULL, "calloc");
    fprintf(stderr, "  %s: %s\n", suite, workload);
    for (round = 0; round < rounds; round++) {
        for (i = 0; i < count; i++) {
            /* Which one is first changes from round to round. */
            size_t turn = (i + (size_t)round) % count;
            long long start;
            size_t done;

            if (before_run != NULL)
                before_run();
            start = now(clock);
            done = field[turn].run();
            times[turn * (size_t)rounds + (size_t)round] = now(clock) - start;
            if (expected != 0 && done != expected) {
                fprintf(stderr, "%s, %s: %s did %zu instead of %zu\n", suite, workload,
                    field[turn].name, done, expected);
                exit(1);
            }
        }
    }
    for (i = 0; i < count; i++) {
        long long *own = times + i * (size_t)rounds;

        qsort(own, (size_t)rounds, sizeof *own, compare);
        printf("%s,%s,%s,%lld,%lld,%zu\n", suite, workload, field[i].name, own[0], own[rounds / 2],
            units);
    }
    fflush(stdout);
    free(times);
}
