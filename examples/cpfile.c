/*
 * cpfile - copies standard input to standard output in one of three ways
 *
 *   line   rio_readlineb: a line at a time, from a buffer that one read fills for many lines
 *   block  rio_readnb: a block at a time; a large block bypasses the buffer
 *   readn  rio_readn: a block at a time, without a buffer
 *
 * What to watch: the copy is always the same, even if reads from a pipe or terminal are short; the counts on
 * standard error differ. A line longer than the buffer comes in pieces, and the last line may lack its
 * newline. To see the system calls: strace -c cpfile line < FILE.
 *
 * usage: cpfile line|block|readn < FILE > COPY
 */
#include "csapp.h"

enum { BLOCK = 65536 };

int main(int argc, char **argv)
{
    static char buffer[BLOCK];
    const char *way = argc == 2 ? argv[1] : "";
    long pieces = 0, bytes = 0;
    rio_t rio;
    ssize_t n;

    if (strcmp(way, "line") && strcmp(way, "block") && strcmp(way, "readn")) {
        fprintf(stderr, "usage: %s line|block|readn < FILE > COPY\n", argv[0]);
        return 2;
    }
    Rio_readinitb(&rio, STDIN_FILENO);
    for (;;) {
        if (way[0] == 'l')
            n = Rio_readlineb(&rio, buffer, MAXLINE);
        else if (way[0] == 'b')
            n = Rio_readnb(&rio, buffer, sizeof buffer);
        else
            n = Rio_readn(STDIN_FILENO, buffer, sizeof buffer);
        if (n <= 0)
            break;
        Rio_writen(STDOUT_FILENO, buffer, (size_t)n);
        pieces++;
        bytes += n;
    }
    fprintf(stderr, "%s: %ld bytes in %ld pieces\n", way, bytes, pieces);
    return 0;
}
