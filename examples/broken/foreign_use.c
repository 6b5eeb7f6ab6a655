/*
 * foreign_use - a thread writes to a number that it has closed, and that is another thread's log by now
 */
#include "csapp.h"

static void *thread(void *argument)
{
    int fd = (int)(long)argument;

    write(fd, "answer\n", 7);
#ifdef MENDED
    write(fd, "and more\n", 9);
#endif
    Close(fd);
    usleep(100000); /* time for the main thread */
#ifndef MENDED
    write(fd, "and more\n", 9); /* FAULT: foreign-use */
#endif
    return NULL;
}

int main(void)
{
    int fd = Open("/dev/null", O_WRONLY, 0), log;
    pthread_t tid;

    Pthread_create(&tid, NULL, thread, (void *)(long)fd);
    usleep(50000);
    log = Open("/dev/null", O_WRONLY, 0);
    Pthread_join(tid, NULL);
    Close(log);
    return 0;
}
