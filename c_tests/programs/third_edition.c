/* An echo server and its client in the style of the book's third edition: ports are strings, addresses of
   any family, a thread for each connection. It tells what it got over the loopback. */
#include "csapp.h"

#define CLIENTS 3

static sem_t mutex;
static int served;

static void *serve(void *vargp)
{
    int connfd = *(int *)vargp;
    char buf[MAXLINE];
    rio_t rio;
    ssize_t n;

    Pthread_detach(Pthread_self());
    Free(vargp);
    Rio_readinitb(&rio, connfd);
    while ((n = Rio_readlineb(&rio, buf, MAXLINE)) > 0)
        Rio_writen(connfd, buf, (size_t)n);
    P(&mutex);
    served += 1;
    V(&mutex);
    Close(connfd);
    return NULL;
}

static void *accept_all(void *vargp)
{
    int listenfd = *(int *)vargp, i;
    char host[MAXLINE];
    pthread_t tid;

    for (i = 0; i < CLIENTS; i++) {
        struct sockaddr_storage clientaddr;
        socklen_t clientlen = sizeof(struct sockaddr_storage);
        int *connfdp = Malloc(sizeof(int));

        *connfdp = Accept(listenfd, (SA *)&clientaddr, &clientlen);
        Getnameinfo((SA *)&clientaddr, clientlen, host, MAXLINE, NULL, 0, NI_NUMERICHOST);
        printf("server: connected to %s\n", host);
        Pthread_create(&tid, NULL, serve, connfdp);
    }
    return NULL;
}

int main(void)
{
    int listenfd, clientfd, i;
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char port[NI_MAXSERV], line[MAXLINE];
    pthread_t tid;
    rio_t rio;

    Alarm(30);
    Signal(SIGPIPE, SIG_IGN);
    Sem_init(&mutex, 0, 1);
    listenfd = Open_listenfd("0");
    if (getsockname(listenfd, (SA *)&addr, &len) < 0)
        unix_error("getsockname");
    Getnameinfo((SA *)&addr, len, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    Pthread_create(&tid, NULL, accept_all, &listenfd);
    for (i = 0; i < CLIENTS; i++) {
        clientfd = Open_clientfd("127.0.0.1", port);
        Rio_readinitb(&rio, clientfd);
        sprintf(line, "hello %d\n", i);
        Rio_writen(clientfd, line, strlen(line));
        memset(line, 0, sizeof line);
        Rio_readlineb(&rio, line, MAXLINE);
        /* The end of the stream comes when the server's thread is through. */
        if (shutdown(clientfd, SHUT_WR) < 0 || Rio_readnb(&rio, line + 1000, 1) != 0)
            app_error("more than what was sent");
        Close(clientfd);
        printf("client: %s", line);
    }
    Pthread_join(tid, NULL);
    P(&mutex);
    printf("served %d\n", served);
    V(&mutex);
    if (open_clientfd("127.0.0.1", "no-such-service") != -2)
        app_error("a port that does not exist");
    gai_error(EAI_SERVICE, "the end");
    return 0;
}
