/*
 * proxy - a web proxy that never answers; usage: proxy PORT
 *
 * The client has sent its headers together with the request line, so the first rio_t has read them all.
 */
#include "csapp.h"

/* Passes on the headers that the client sent, up to the empty line. */
static void forward_headers(rio_t *client, int clientfd, int serverfd)
{
    char line[MAXLINE];
    ssize_t n;

#ifndef MENDED
    Rio_readinitb(client, clientfd); /* FAULT: lost-bytes */
#endif
    while ((n = Rio_readlineb(client, line, MAXLINE)) > 0 && strcmp(line, "\r\n") != 0)
        Rio_writen(serverfd, line, n);
    Rio_writen(serverfd, "\r\n", 2);
}

static void serve(int clientfd)
{
    char line[MAXLINE], host[MAXLINE], port[MAXLINE] = "80", path[MAXLINE] = "/";
    rio_t client, server;
    int serverfd;
    ssize_t n;

    Rio_readinitb(&client, clientfd);
    if (Rio_readlineb(&client, line, MAXLINE) <= 0)
        return;
    if (sscanf(line, "GET http://%[^:/ ]:%[0-9]%s", host, port, path) < 2
        && sscanf(line, "GET http://%[^:/ ]%s", host, path) < 1)
        return;
    if ((serverfd = open_clientfd(host, port)) < 0)
        return;
    snprintf(line, MAXLINE, "GET %.4000s HTTP/1.0\r\n", path);
    Rio_writen(serverfd, line, strlen(line));
    forward_headers(&client, clientfd, serverfd);
    Rio_readinitb(&server, serverfd);
    while ((n = Rio_readnb(&server, line, MAXLINE)) > 0)
        Rio_writen(clientfd, line, n);
    Close(serverfd);
}

int main(int argc, char **argv)
{
    int listenfd = Open_listenfd(argc > 1 ? argv[1] : "0"), clientfd;

    Signal(SIGPIPE, SIG_IGN);
    for (;;) {
        clientfd = Accept(listenfd, NULL, NULL);
        serve(clientfd);
        Close(clientfd);
    }
}
