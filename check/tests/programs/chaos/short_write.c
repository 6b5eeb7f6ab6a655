/* Writes messages of 40 bytes to a socket, and does not look at how many bytes each write took. */
#include "csapp.h"

int main(void)
{
    char message[40], got[4096];
    int ends[2], i;

    memset(message, 'x', sizeof message);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 2;
    for (i = 0; i < 50; i++)
#ifdef MENDED
        rio_writen(ends[1], message, sizeof message);
#else
        write(ends[1], message, sizeof message);
#endif
    shutdown(ends[1], SHUT_WR);
    return rio_readn(ends[0], got, sizeof got) == 50 * sizeof message ? 0 : 1;
}
