/* A server that ends if a client has gone away before it was accepted. */
#include "csapp.h"

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int i, connfd, clientfd, listenfd = Socket(AF_INET, SOCK_STREAM, 0);

    Bind(listenfd, (SA *)&address, sizeof address);
    Listen(listenfd, 64);
    getsockname(listenfd, (SA *)&address, &length);
    for (i = 0; i < 20; i++) {
        clientfd = Socket(AF_INET, SOCK_STREAM, 0);
        Connect(clientfd, (SA *)&address, sizeof address);
        connfd = accept(listenfd, NULL, NULL);
#ifdef MENDED
        while (connfd < 0 && errno == ECONNABORTED)
            connfd = accept(listenfd, NULL, NULL);
#endif
        if (connfd < 0)
            return 1;
        Close(connfd);
        Close(clientfd);
    }
    Close(listenfd);
    return 0;
}
