/*
 * closed_under_wait - closes a pipe while a thread waits for what comes from it
 */
#include "csapp.h"

static void *thread(void *argument)
{
    char byte;

    if (Read((int)(long)argument, &byte, 1) == 1)
        printf("a byte came\n");
    return NULL;
}

int main(void)
{
    int ends[2];
    pthread_t tid;

    if (pipe(ends) < 0)
        unix_error("pipe");
    Pthread_create(&tid, NULL, thread, (void *)(long)ends[0]);
    usleep(100000);
#ifndef MENDED
    Close(ends[0]); /* FAULT: closed-under-wait */
#endif
    signal(SIGPIPE, SIG_IGN);
    write(ends[1], "x", 1);
    Pthread_join(tid, NULL);
#ifdef MENDED
    Close(ends[0]);
#endif
    Close(ends[1]);
    return 0;
}
