/* A thread is cancelled in read, with a clean-up handler; another one leaves by pthread_exit. */
#include "csapp.h"

static int ends[2], cleaned;

static void clean(void *argument)
{
    (void)argument;
    Close(ends[0]);
    cleaned++;
}

static void *reader(void *argument)
{
    char byte;

    pthread_cleanup_push(clean, argument);
    read(ends[0], &byte, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *leaver(void *argument)
{
    pthread_exit(argument);
}

int main(void)
{
    pthread_t tid;
    void *result;

    if (pipe(ends) < 0)
        return 1;
    Pthread_create(&tid, NULL, reader, NULL);
    usleep(20000);
    pthread_cancel(tid);
    Pthread_join(tid, &result);
    if (result != PTHREAD_CANCELED || cleaned != 1)
        return 2;
    Pthread_create(&tid, NULL, leaver, &tid);
    Pthread_join(tid, &result);
    if (result != &tid)
        return 3;
    Close(ends[1]);
    puts("ok");
    return 0;
}
