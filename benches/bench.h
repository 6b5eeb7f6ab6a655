/*
 * What the benchmarks share: contestants that take turns on the same work, the clock, and the
 * library under test in both of its forms. The static one is called by name; the shared one,
 * loaded beside it from the path in $CSAPP_SO, through pointers, which is what the dynamic
 * linker's table amounts to.
 *
 * Results go to standard output, one line each: suite,workload,contestant,best,median,units
 * (nanoseconds for the whole work, and how many lines, calls or the like it had).
 */
#ifndef BENCH_H
#define BENCH_H

#include "csapp.h"

/* The calls of the shared library. */
struct shared {
    void (*readinitb)(rio_t *, int);
    ssize_t (*readlineb)(rio_t *, void *, size_t);
    ssize_t (*readnb)(rio_t *, void *, size_t);
    ssize_t (*readn)(int, void *, size_t);
    ssize_t (*writen)(int, const void *, size_t);
    int (*connect)(const char *, const char *);
};
extern struct shared so;
void load_shared(void);

struct contestant {
    const char *name;
    size_t (*run)(void); /* does the work once, and returns what to compare: bytes or calls */
};

/* Which clock a run is held against. Where nothing waits for another process, the time that the
   thread had the processor, so that what else the machine does costs nobody; elsewhere, the wall's. */
enum clock { PROCESSOR, WALL };

/* What is called before each run, outside of the clock; NULL: nothing. */
extern void (*before_run)(void);

/* Lets the contestants take turns for `rounds` rounds and prints their times. A run that
   does not return `expected` (unless that is 0) ends the program. */
void take_turns(const char *suite, const char *workload, const struct contestant *field,
    size_t count, int rounds, enum clock clock, size_t expected, size_t units);

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* A number from 0 to below, of a sequence that is the same on every machine. */
unsigned draw(unsigned below);

/* Ends the program with a message if there is an error. */
void must(int is_well, const char *what);

/* How many rounds: $BENCH_ROUNDS, or this many. */
int rounds(int standard);

#endif
