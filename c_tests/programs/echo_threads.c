/* The prethreaded echo server of the third edition: worker threads take connections from a
   bounded buffer and count the bytes that they received under a semaphore. */
#include "csapp.h"
#include "bounded.h"
#include "listening.h"

#define WORKERS 4

static struct bounded connections;
static sem_t counting;
static long bytes;

static void init_counting(void)
{
    Sem_init(&counting, 0, 1);
}

static void echo_counted(int connfd)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char buf[MAXLINE];
    ssize_t n;
    rio_t rio;

    Pthread_once(&once, init_counting);
    Rio_readinitb(&rio, connfd);
    while ((n = Rio_readlineb(&rio, buf, MAXLINE)) != 0) {
        P(&counting);
        bytes += n;
        printf("%ld\n", bytes);
        fflush(stdout);
        V(&counting);
        Rio_writen(connfd, buf, n);
    }
}

static void *worker(void *vargp)
{
    (void)vargp;
    Pthread_detach(Pthread_self());
    while (1) {
        int connfd = bounded_take(&connections);

        echo_counted(connfd);
        Close(connfd);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int listenfd, i;
    struct sockaddr_storage clientaddr;
    char host[MAXLINE], port[MAXLINE];
    pthread_t tid;

    if (argc != 2)
        app_error("usage: echo_threads port");
    listenfd = Open_listenfd(argv[1]);
    bounded_init(&connections);
    for (i = 0; i < WORKERS; i++)
        Pthread_create(&tid, NULL, worker, NULL);
    print_port(listenfd);
    while (1) {
        socklen_t clientlen = sizeof(struct sockaddr_storage);
        int connfd = Accept(listenfd, (SA *)&clientaddr, &clientlen);

        Getnameinfo((SA *)&clientaddr, clientlen, host, MAXLINE, port, MAXLINE, NI_NUMERICHOST);
        if (strcmp(host, "127.0.0.1") != 0)
            app_error("a client from elsewhere");
        bounded_put(&connections, connfd);
    }
}
