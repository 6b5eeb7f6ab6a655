/* A server that ends when one of its clients resets the connection. */
#include "csapp.h"

int main(void)
{
    char byte;
    int ends[2], i;
    ssize_t n;

    for (i = 0; i < 100; i++) {
        while (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
            ;
        if (rio_writen(ends[1], "x", 1) == 1) {
            while ((n = read(ends[0], &byte, 1)) < 0 && errno == EINTR)
                ;
#ifdef MENDED
            if (n < 0 && errno == ECONNRESET)
                n = 0; /* that one has gone; on to the next */
#endif
            if (n < 0)
                return 1;
        }
        Close(ends[0]);
        Close(ends[1]);
    }
    return 0;
}
