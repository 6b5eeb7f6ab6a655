/* A program that asks for the guard of the book's header, and that counts an address in an int. */
#include "csapp.h"
#include "listening.h"

#ifndef __CSAPP_H__
#error "csapp.h has not been included"
#endif

int main()
{
    int listenfd = Open_listenfd(0), connfd, clientlen;
    struct sockaddr_in clientaddr;

    print_port(listenfd);
    clientlen = sizeof(clientaddr);
    connfd = Accept(listenfd, (SA *)&clientaddr, &clientlen);
    if (clientlen != sizeof(clientaddr) || clientaddr.sin_family != AF_INET)
        app_error("not a client's address");
    Rio_writen(connfd, "welcome\n", 8);
    Close(connfd);
    return 0;
}
