/* An echo server and its client in the style of the book's second edition: ports are numbers, addresses
   are struct sockaddr_in, the length that Accept takes is an int. It tells what it got over the
   loopback. */
#include "csapp.h"

static void echo(int connfd)
{
    size_t n;
    char buf[MAXLINE];
    rio_t rio;

    Rio_readinitb(&rio, connfd);
    while ((n = Rio_readlineb(&rio, buf, MAXLINE)) != 0)
        Rio_writen(connfd, buf, n);
}

static void serve(int listenfd)
{
    int connfd, clientlen;
    struct sockaddr_in clientaddr;

    clientlen = sizeof(clientaddr);
    connfd = Accept(listenfd, (SA *)&clientaddr, (socklen_t *)&clientlen);
    printf("server: connected to %s, family %s, length %d\n", inet_ntoa(clientaddr.sin_addr),
           clientaddr.sin_family == AF_INET ? "AF_INET" : "another", clientlen);
    fflush(stdout);
    echo(connfd);
    Close(connfd);
}

int main(void)
{
    int listenfd, clientfd, status, port;
    struct sockaddr_in addr;
    socklen_t len = sizeof addr;
    char buf[MAXLINE];
    pid_t pid;
    rio_t rio;

    Alarm(30);
    listenfd = Open_listenfd(0);
    if (getsockname(listenfd, (SA *)&addr, &len) < 0)
        unix_error("getsockname");
    port = ntohs(addr.sin_port);
    if ((pid = Fork()) == 0) {
        serve(listenfd);
        exit(7);
    }
    Close(listenfd);

    clientfd = Open_clientfd("127.0.0.1", port);
    Rio_readinitb(&rio, clientfd);
    Rio_writen(clientfd, "line one\nline two\nthe end", 25);
    if (shutdown(clientfd, SHUT_WR) < 0)
        unix_error("shutdown");
    while (Rio_readlineb(&rio, buf, MAXLINE) != 0)
        printf("client: %s%s", buf, strchr(buf, '\n') ? "" : "\n");
    Close(clientfd);
    if (Waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        app_error("the server did not end by itself");
    printf("server: status %d\n", WEXITSTATUS(status));
    return 0;
}
