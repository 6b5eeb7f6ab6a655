/* Threads with the smallest stack there is open, read and close. */
#include "csapp.h"
#include <limits.h>

static void *thread(void *argument)
{
    char byte;
    int fd = open("/etc/passwd", O_RDONLY);

    (void)argument;
    if (read(fd, &byte, 1) != 1 || close(fd) != 0)
        abort();
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t tids[8];
    int i;

    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 16384) != 0)
        return 1;
    for (i = 0; i < 8; i++)
        Pthread_create(&tids[i], &attributes, thread, NULL);
    for (i = 0; i < 8; i++)
        Pthread_join(tids[i], NULL);
    puts("ok");
    return 0;
}
