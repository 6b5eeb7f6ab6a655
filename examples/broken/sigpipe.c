/*
 * sigpipe - writes to a client that has gone, and is killed without a message
 */
#include "csapp.h"

int main(void)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        unix_error("socketpair");
    Close(ends[1]); /* the client leaves */
#ifdef MENDED
    Signal(SIGPIPE, SIG_IGN);
#endif
    if (write(ends[0], "answer\n", 7) < 0) /* FAULT: sigpipe */
        printf("the client has gone: %s\n", strerror(errno));
    Close(ends[0]);
    return 0;
}
