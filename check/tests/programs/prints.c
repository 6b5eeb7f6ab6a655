/*
 * Threads print all the time while others fork children, which print nothing; and a handler that ends its thread has
 * the loader load a library.
 */
#include "csapp.h"

static volatile int is_over;
static sem_t begun;

static void *print(void *to)
{
    while (!is_over)
        fprintf(to, "word\n");
    return NULL;
}

static void leave(int signal)
{
    (void)signal;
    pthread_exit(NULL);
}

static void *wait_for_signal(void *argument)
{
    V(&begun);
    for (;;)
        usleep(1000);
    return argument;
}

int main(void)
{
    FILE *nowhere = fopen("/dev/null", "w");
    pthread_t tids[3], waiting;
    int i;

    Sem_init(&begun, 0, 0);
    Signal(SIGUSR1, leave);
    Pthread_create(&waiting, NULL, wait_for_signal, NULL);
    P(&begun);
    pthread_kill(waiting, SIGUSR1);
    Pthread_join(waiting, NULL);
    for (i = 0; i < 3; i++)
        Pthread_create(&tids[i], NULL, print, nowhere);
    for (i = 0; i < 50; i++) {
        if (Fork() == 0)
            _exit(0);
        Wait(NULL);
    }
    is_over = 1;
    for (i = 0; i < 3; i++)
        Pthread_join(tids[i], NULL);
    puts("ok");
    return 0;
}
