/*
 * lost_bytes - reads two lines, each through a reader of its own: the first reader has the second line
 */
#include "csapp.h"

static ssize_t read_line(rio_t *rio, int fd, char *line)
{
#ifdef MENDED
    (void)fd; /* rio was initialised once, by main */
#else
    Rio_readinitb(rio, fd); /* FAULT: lost-bytes */
#endif
    return Rio_readlineb(rio, line, MAXLINE);
}

int main(void)
{
    char line[MAXLINE];
    int ends[2], i;
    rio_t rio;

    if (pipe(ends) < 0)
        unix_error("pipe");
    Write(ends[1], "GET / HTTP/1.0\r\nHost: localhost\r\n", 33);
    Close(ends[1]);
    Rio_readinitb(&rio, ends[0]);
    for (i = 0; i < 2; i++)
        if (read_line(&rio, ends[0], line) > 0)
            printf("%s", line);
    Close(ends[0]);
    return 0;
}
