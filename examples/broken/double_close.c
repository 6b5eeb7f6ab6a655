/*
 * double_close - closes a descriptor twice, and the second time closes another file
 *
 * serve() closes what it was given, and its caller closes it again. Meanwhile the main thread has opened a
 * file, which got the same number.
 */
#include "csapp.h"

static void serve(int fd)
{
    Write(fd, "served\n", 7);
    Close(fd);
}

static void *thread(void *argument)
{
    int fd = (int)(long)argument;

    serve(fd);
    usleep(100000); /* time for the main thread */
#ifndef MENDED
    close(fd); /* FAULT: double-close */
#endif
    return NULL;
}

int main(void)
{
    int fd = Open("/dev/null", O_WRONLY, 0);
    pthread_t tid;

    Pthread_create(&tid, NULL, thread, (void *)(long)fd);
    usleep(50000);
    fd = Open("/etc/passwd", O_RDONLY, 0);
    Pthread_join(tid, NULL);
#ifdef MENDED
    Close(fd);
#endif
    return 0;
}
