/* The third edition's echo server with a thread for each connection. It tests no return value, since
   the book's wrappers end the program; the tests run it with other endings, as it is. */
#include "csapp.h"
#include "listening.h"

static void *serve(void *vargp)
{
    int connfd = *((int *)vargp);
    char buf[MAXLINE];
    size_t n;
    rio_t rio;

    Pthread_detach(Pthread_self());
    Free(vargp);
    Rio_readinitb(&rio, connfd);
    while ((n = Rio_readlineb(&rio, buf, MAXLINE)) != 0)
        Rio_writen(connfd, buf, n);
    Close(connfd);
    return NULL;
}

int main(int argc, char **argv)
{
    int listenfd, *connfdp;
    socklen_t clientlen;
    struct sockaddr_storage clientaddr;
    pthread_t tid;

    if (argc != 2)
        app_error("usage: echo_each port");
    listenfd = Open_listenfd(argv[1]);
    print_port(listenfd);
    while (1) {
        clientlen = sizeof(struct sockaddr_storage);
        connfdp = (int *)Malloc(sizeof(int));
        *connfdp = Accept(listenfd, (SA *)&clientaddr, &clientlen);
        Pthread_create(&tid, NULL, serve, connfdp);
    }
}
