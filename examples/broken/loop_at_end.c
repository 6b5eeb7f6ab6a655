/*
 * loop_at_end - reads a request's header up to its empty line, from a client that leaves before
 */
#include "csapp.h"

int main(void)
{
    char line[MAXLINE] = "";
    int ends[2];
    rio_t rio;

    ualarm(300000, 0); /* ends a program that loops forever */
    if (pipe(ends) < 0)
        unix_error("pipe");
    Write(ends[1], "GET / HTTP/1.0\r\n", 16);
    Close(ends[1]);
    Rio_readinitb(&rio, ends[0]);
    while (strcmp(line, "\r\n") != 0)
#ifdef MENDED
        if (Rio_readlineb(&rio, line, MAXLINE) <= 0)
            break;
#else
        Rio_readlineb(&rio, line, MAXLINE); /* FAULT: loop-at-end */
#endif
    Close(ends[0]);
    return 0;
}
