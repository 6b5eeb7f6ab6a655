/* Each call of libc beside its checked wrapper, TIMES times in a function of its own, for the test
   that compares what the two take (tests/instructions.rs). Prints the
   wrappers' names, one a line; the functions are plain_NAME and checked_NAME. */
#define CSAPP_EXTRAS
#include "csapp.h"

#define TIMES 1000

static int file, ends[2];
static char text[16];
static sem_t sem;
static sigset_t set;
static struct stat status;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static FILE *stream;
static volatile long kept;

/* The two need not do the call alone, but have to do the same besides. */
#define PAIRS(PAIR)                                                            \
    PAIR(Kill, kill(getpid(), 0), Kill(getpid(), 0))                           \
    PAIR(Getpgrp, getpgrp(), Getpgrp())                                        \
    PAIR(Sigaddset, sigaddset(&set, SIGINT), Sigaddset(&set, SIGINT))          \
    PAIR(Sigprocmask, sigprocmask(SIG_BLOCK, &set, NULL),                      \
         Sigprocmask(SIG_BLOCK, &set, NULL))                                   \
    PAIR(Read, read(file, text, 1), Read(file, text, 1))                       \
    PAIR(Write, write(file, text, 1), Write(file, text, 1))                    \
    PAIR(Lseek, lseek(file, 0, SEEK_SET), Lseek(file, 0, SEEK_SET))            \
    PAIR(Close, close(dup(file)), Close(dup(file)))                            \
    PAIR(Dup2, dup2(file, ends[0]), Dup2(file, ends[0]))                       \
    PAIR(Fstat, fstat(file, &status), Fstat(file, &status))                    \
    PAIR(Fputs, fputs("a", stream), Fputs("a", stream))                        \
    PAIR(Fwrite, fwrite(text, 1, 1, stream), Fwrite(text, 1, 1, stream))       \
    PAIR(Malloc, free(malloc(20)), free(Malloc(20)))                           \
    PAIR(Free, free(malloc(20)), Free(malloc(20)))                             \
    PAIR(V, sem_post(&sem), V(&sem))                                           \
    PAIR(P, sem_wait(&sem), P(&sem))                                           \
    PAIR(Pthread_mutex_lock, (pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex)), \
         (Pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex)))

/* Functions that nothing may be moved into or out of. */
#define REPEAT(function, call)                   \
    __attribute__((noinline)) void function(void) \
    {                                            \
        for (kept = 0; kept < TIMES; kept++)     \
            (void)!(call);                       \
    }
#define VALUE(call) ((call), 0)
#define DEFINE(name, plain, checked)          \
    void plain_##name(void);                  \
    void checked_##name(void);                \
    REPEAT(plain_##name, VALUE(plain))        \
    REPEAT(checked_##name, VALUE(checked))
#define RUN(name, plain, checked) \
    plain_##name();               \
    checked_##name();             \
    puts(#name);

PAIRS(DEFINE)

int main(void)
{
    stream = tmpfile();
    file = open("/dev/null", O_RDWR);
    /* What is done once, such as a stream's buffer, is done before. */
    if (stream == NULL || file == -1 || pipe(ends) == -1 || fputs("first", stream) == EOF)
        return 1;
    sem_init(&sem, 0, 0);
    sigemptyset(&set);
    free(malloc(20));
    PAIRS(RUN)
    return 0;
}
