/* The iterative echo server of the second edition: the port is an int, the client's address is
   IPv4's, and gethostbyaddr names the client. */
#include "csapp.h"
#include "listening.h"

static void echo(int connfd)
{
    size_t n, lines = 0;
    char buf[MAXLINE];
    rio_t rio;

    Rio_readinitb(&rio, connfd);
    while ((n = Rio_readlineb(&rio, buf, MAXLINE)) != 0) {
        Rio_writen(connfd, buf, n);
        lines++;
    }
    printf("%d lines\n", (int)lines);
}

int main(int argc, char **argv)
{
    int listenfd, connfd, port;
    socklen_t clientlen;
    struct sockaddr_in clientaddr;
    struct hostent *hp;
    char *haddrp;

    if (argc != 2) {
        fprintf(stderr, "usage: %s <port>\n", argv[0]);
        exit(0);
    }
    port = atoi(argv[1]);
    listenfd = Open_listenfd(port);
    print_port(listenfd);
    while (1) {
        clientlen = sizeof(clientaddr);
        connfd = Accept(listenfd, (SA *)&clientaddr, &clientlen);
        hp = Gethostbyaddr((const char *)&clientaddr.sin_addr.s_addr,
            sizeof(clientaddr.sin_addr.s_addr), AF_INET);
        haddrp = inet_ntoa(clientaddr.sin_addr);
        printf("connected to %s (%s) port %d\n", hp->h_name, haddrp, ntohs(clientaddr.sin_port));
        echo(connfd);
        Close(connfd);
        fflush(stdout);
    }
}
