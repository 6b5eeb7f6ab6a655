/* Says what it runs with, and that a line comes through. */
#include "csapp.h"

int main(void)
{
    int ends[2];
    char line[MAXLINE];
    rio_t rio;

    if (pipe(ends) < 0)
        unix_error("pipe error");
    Rio_writen(ends[1], "a line\n", 7);
    Rio_readinitb(&rio, ends[0]);
    Rio_readlineb(&rio, line, sizeof line); /* the debugger stops here */
    printf("%s %s", csapp_version(), line);
    return strcmp(csapp_version(), CSAPP_VERSION) != 0;
}
