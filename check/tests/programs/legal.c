/*
 * What looks like a fault and is none: a rio_t copied and moved, one initialised again after lseek, a shared argument that
 * nobody changes, a semaphore that several threads get, a number handed from thread to thread, a drained connection,
 * connections that threads are still busy with when another one ends the program.
 */
#include "csapp.h"

static sem_t full, empty;
static int slot;

static void copies(void)
{
    char line[MAXLINE];
    int ends[2];
    rio_t first, second;

    if (pipe(ends) < 0)
        exit(1);
    Write(ends[1], "one\ntwo\n", 8);
    Rio_readinitb(&first, ends[0]);
    Rio_readlineb(&first, line, MAXLINE);
    second = first;
    if (second.rio_bufptr >= first.rio_buf && second.rio_bufptr <= first.rio_buf + sizeof first.rio_buf)
        second.rio_bufptr = second.rio_buf + (first.rio_bufptr - first.rio_buf);
    Rio_readlineb(&second, line, MAXLINE);
    Write(ends[1], "three\n", 6);
    if (Rio_readlineb(&second, line, MAXLINE) != 6)
        exit(2);
    Close(ends[0]);
    Close(ends[1]);
}

static void rewinds(void)
{
    char line[MAXLINE], again[MAXLINE];
    int fd = Open("/etc/passwd", O_RDONLY, 0);
    rio_t rio;

    Rio_readinitb(&rio, fd);
    Rio_readlineb(&rio, line, MAXLINE);
    lseek(fd, 0, SEEK_SET);
    Rio_readinitb(&rio, fd);
    Rio_readlineb(&rio, again, MAXLINE);
    if (strcmp(line, again) != 0)
        exit(3);
    Close(fd);
}

static void drains(void)
{
    char line[MAXLINE];
    int ends[2];
    rio_t rio;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        exit(4);
    Write(ends[1], "request\nrest\n", 13);
    Rio_readinitb(&rio, ends[0]);
    Rio_readlineb(&rio, line, MAXLINE);
    shutdown(ends[0], SHUT_WR);
    Write(ends[1], "more", 4);
    Close(ends[1]);
    while (read(ends[0], line, sizeof line) > 0)
        ;
    Close(ends[0]);
}

static void *worker(void *argument)
{
    int fd, *stop = argument;

    for (;;) {
        P(&full);
        fd = slot;
        V(&empty);
        if (fd == *stop)
            return NULL;
        Close(fd);
    }
}

static void hands_over(void)
{
    pthread_t tids[2];
    int i, stop = -1;

    Sem_init(&full, 0, 0);
    Sem_init(&empty, 0, 1);
    for (i = 0; i < 2; i++)
        Pthread_create(&tids[i], NULL, worker, &stop);
    for (i = 0; i < 202; i++) {
        P(&empty);
        slot = i < 200 ? Open("/dev/null", O_RDONLY, 0) : stop;
        V(&full);
    }
    for (i = 0; i < 2; i++)
        Pthread_join(tids[i], NULL);
}

static void *poster(void *argument)
{
    V(argument);
    return NULL;
}

static void posts(void)
{
    pthread_t tids[4];
    int i, value;
    sem_t begun;

    Sem_init(&begun, 0, 0);
    for (i = 0; i < 4; i++) {
        Pthread_create(&tids[i], NULL, poster, &begun);
        do /* The next thread is created while this one may not have begun, and the ones before have. */
            sem_getvalue(&begun, &value);
        while (value < i);
    }
    for (i = 0; i < 4; i++)
        P(&begun);
    for (i = 0; i < 4; i++)
        Pthread_join(tids[i], NULL);
}

static volatile int is_working = 1;

static void *busy(void *argument)
{
    char buf[10];
    int fd = *(int *)argument;

    while (Read(fd, buf, sizeof buf) > 0)
        ;
    V(&full);
    while (is_working)
        ;
    return NULL;
}

static void ends_while_others_are_busy(void)
{
    static int fds[4][2];
    pthread_t tids[4];
    int i;

    Sem_init(&full, 0, 0);
    for (i = 0; i < 4; i++) {
        if (pipe(fds[i]) < 0)
            exit(5);
        Close(fds[i][1]);
        Pthread_create(&tids[i], NULL, busy, &fds[i][0]);
        P(&full);
    }
    puts("ok");
    exit(0);
}

int main(void)
{
    posts();
    copies();
    rewinds();
    drains();
    hands_over();
    ends_while_others_are_busy();
}
