/* A server that looks once for each client, after a moment, whether it has come. */
#include "csapp.h"
#include <poll.h>

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int i, n = 0, clientfd, listenfd = Socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd wait = { listenfd, POLLIN, 0 };
#ifdef MENDED
    int moment = -1;
#else
    int moment = 4;
#endif

    Bind(listenfd, (SA *)&address, sizeof address);
    Listen(listenfd, 64);
    getsockname(listenfd, (SA *)&address, &length);
    for (i = 0; i < 5; i++) {
        if (Fork() == 0) {
            clientfd = Socket(AF_INET, SOCK_STREAM, 0);
            Connect(clientfd, (SA *)&address, sizeof address);
            exit(0);
        }
        if (poll(&wait, 1, moment) == 1) {
            Close(Accept(listenfd, NULL, NULL));
            n++;
        }
        Wait(NULL);
    }
    return n == 5 ? 0 : 1;
}
