/*
 * proxy_hangs - clients, a proxy and a server, as threads: the proxy leaves out the empty line of the last request, for
 * which the server waits. SIGINT ends it.
 */
#include "csapp.h"

static int for_proxy, for_server;
static char proxy_port[16], server_port[16];

static int listens(char *port)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = Open_listenfd("0");

    getsockname(fd, (SA *)&address, &length);
    sprintf(port, "%d", ntohs(address.sin_port));
    return fd;
}

static void serve(int fd)
{
    char line[MAXLINE];
    rio_t rio;

    Rio_readinitb(&rio, fd);
    while (Rio_readlineb(&rio, line, sizeof line) > 0) /* MARK server */
        if (strcmp(line, "\r\n") == 0)
            break;
    Rio_writen(fd, "HTTP/1.0 200 OK\r\n\r\nhello\n", 25);
}

static void forward(int fd, int last)
{
    char line[MAXLINE];
    rio_t client, server;
    int serverfd = Open_clientfd("127.0.0.1", server_port);
    ssize_t n;

    Rio_readinitb(&client, fd);
    while ((n = Rio_readlineb(&client, line, sizeof line)) > 0 && strcmp(line, "\r\n") != 0)
        Rio_writen(serverfd, line, n);
    if (!last)
        Rio_writen(serverfd, "\r\n", 2);
    Rio_readinitb(&server, serverfd);
    while ((n = Rio_readlineb(&server, line, sizeof line)) > 0) /* MARK proxy */
        Rio_writen(fd, line, n);
    Close(serverfd);
}

static void *server(void *unused)
{
    for (;;) {
        int fd = Accept(for_server, NULL, NULL);

        serve(fd);
        Close(fd);
    }
    return unused;
}

static void *proxy(void *unused)
{
    int i;

    for (i = 0;; i++) {
        int fd = Accept(for_proxy, NULL, NULL);

        forward(fd, i == 3);
        Close(fd);
    }
    return unused;
}

int main(void)
{
    static const char request[] = "GET / HTTP/1.0\r\nHost: example\r\n\r\n";
    char answer[MAXLINE];
    pthread_t tid;
    int i;

    for_server = listens(server_port);
    for_proxy = listens(proxy_port);
    Pthread_create(&tid, NULL, server, NULL);
    Pthread_create(&tid, NULL, proxy, NULL);
    for (i = 0; i < 4; i++) {
        int fd = Open_clientfd("127.0.0.1", proxy_port);

        if (i == 3) {
            Sio_puts("asks\n");
        }
        Rio_writen(fd, (void *)request, sizeof request - 1);
        while (Rio_readn(fd, answer, sizeof answer) > 0) /* MARK client */
            ;
        Close(fd);
    }
    return 0;
}
