/*
 * leak - prints the first line of the file given, once for each of five names that it may have
 *
 * Each file is opened and none is closed: a server that does this runs out of descriptors.
 */
#include "csapp.h"

static void print_first_line(const char *path)
{
    char line[MAXLINE];
    rio_t rio;
    int fd;

    if ((fd = Open((char *)path, O_RDONLY, 0)) < 0) /* FAULT: leak */
        return;
    Rio_readinitb(&rio, fd);
    if (Rio_readlineb(&rio, line, MAXLINE) > 0)
        printf("%s", line);
#ifdef MENDED
    Close(fd);
#endif
}

int main(int argc, char **argv)
{
    int i;

    for (i = 0; i < 5; i++)
        print_first_line(argc > 1 ? argv[1] : "/etc/passwd");
    return 0;
}
