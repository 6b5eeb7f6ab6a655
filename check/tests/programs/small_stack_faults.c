/* A thread with the smallest stack there is makes faults, of which each is written down. */
#include "csapp.h"
#include <limits.h>

static void unsafe(int signal)
{
    void *volatile memory = malloc(signal);

    free(memory);
}

static void *thread(void *reader)
{
    char bytes[20];
    int ends[2], fd = open("/etc/passwd", O_RDONLY);
    FILE *file = fopen("/etc/passwd", "r");

    close(fd);
    read(fd, bytes, 1);
    close(fd);
    fgetc(file);
    read(fileno(file), bytes, 1);
    fclose(file);
    if (pipe(ends) < 0 || write(ends[1], "ab\ncd\n", 6) != 6)
        abort();
    rio_readinitb(reader, ends[0]);
    rio_readlineb(reader, bytes, sizeof bytes);
    rio_readinitb(reader, ends[0]);
    signal(SIGUSR1, unsafe);
    raise(SIGUSR1);
    if (fork() == 0)
        _exit(0);
    wait(NULL);
    close(ends[0]);
    close(ends[1]);
    return NULL;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t tid;
    static rio_t reader;

    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, 16384) != 0)
        return 1;
    Pthread_create(&tid, &attributes, thread, &reader);
    Pthread_join(tid, NULL);
    puts("ok");
    return 0;
}
