/*
 * hang - waits for the end of a pipe whose writing end it has itself: Ctrl-\ under csapp-check shows it
 */
#include "csapp.h"

static sem_t never;

static void *thread(void *argument)
{
    (void)argument;
    P(&never);
    return NULL;
}

int main(void)
{
    char byte;
    int ends[2];
    pthread_t tid;

    Sem_init(&never, 0, 0);
    if (pipe(ends) < 0)
        unix_error("pipe");
    Pthread_create(&tid, NULL, thread, NULL);
    while (read(ends[0], &byte, 1) > 0) /* FAULT: hang, ends[1] is still open here */
        ;
    return 0;
}
