/* Locks of each kind answer as they do without csapp-check, when they are free and when they are not. */
#include "csapp.h"

static pthread_mutex_t mutex;
static pthread_rwlock_t lock;

static void make(int kind, int robust)
{
    pthread_mutexattr_t attributes;

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, kind);
    pthread_mutexattr_setrobust(&attributes, robust);
    pthread_mutex_init(&mutex, &attributes);
}

static void *dies_with_it(void *argument)
{
    pthread_mutex_lock(&mutex);
    return argument;
}

static void *waits_for_it(void *argument)
{
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_mutex_unlock(&mutex);
    return argument;
}

#define IS(call, result) \
    if ((call) != (result)) \
        exit(__LINE__)

int main(void)
{
    pthread_t tid;

    make(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    IS(pthread_mutex_lock(&mutex), 0);
    IS(pthread_mutex_lock(&mutex), EDEADLK);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(pthread_mutex_unlock(&mutex), EPERM);
    make(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    IS(pthread_mutex_lock(&mutex), 0);
    IS(pthread_mutex_lock(&mutex), 0);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(pthread_mutex_unlock(&mutex), 0);
    make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    Pthread_create(&tid, NULL, dies_with_it, NULL);
    Pthread_join(tid, NULL);
    IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
    IS(pthread_mutex_unlock(&mutex), 0);
    IS(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
    IS(pthread_rwlock_init(&lock, NULL), 0);
    IS(pthread_rwlock_rdlock(&lock), 0);
    IS(pthread_rwlock_rdlock(&lock), 0);
    IS(pthread_rwlock_unlock(&lock), 0);
    IS(pthread_rwlock_unlock(&lock), 0);
    IS(pthread_rwlock_wrlock(&lock), 0);
    IS(pthread_rwlock_wrlock(&lock), EDEADLK);
    IS(pthread_rwlock_rdlock(&lock), EDEADLK);
    make(PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_STALLED);
    IS(pthread_mutex_lock(&mutex), 0);
    Pthread_create(&tid, NULL, waits_for_it, NULL);
    usleep(1000);
    IS(pthread_mutex_unlock(&mutex), 0);
    usleep(1000);
    IS(pthread_rwlock_unlock(&lock), 0);
    Pthread_join(tid, NULL);
    puts("ok");
    return 0;
}
