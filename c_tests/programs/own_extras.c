/* A program with helpers of its own for what the book's header lacks, each with the prototype
   that its author liked. */
#include "csapp.h"
#include <assert.h>

static int locks;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int Pipe(int fds[2])
{
    int rc = pipe(fds);

    if (rc < 0)
        unix_error("Pipe error");
    return rc;
}

int Pthread_mutex_lock(pthread_mutex_t *wanted)
{
    locks++;
    return pthread_mutex_lock(wanted);
}

static void *locker(void *arg)
{
    Pthread_mutex_lock(&mutex);
    Write(*(int *)arg, "x", 1);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(void)
{
    pthread_t tids[3];
    int ends[2], i;
    char bytes[4];

    assert(Pipe(ends) == 0);
    for (i = 0; i < 3; i++)
        Pthread_create(&tids[i], NULL, locker, &ends[1]);
    for (i = 0; i < 3; i++)
        Pthread_join(tids[i], NULL);
    Close(ends[1]);
    assert(Rio_readn(ends[0], bytes, sizeof bytes) == 3);
    assert(locks == 3);
    return 0;
}
