/* copy CALL FROM TO: copies a file through the library, by the reading call of that name and
   rio_writen. A call that fails is repeated, up to 10,000 times in all. Says how many did. */
#include "csapp.h"

enum { PIECE = 1000 };

static int failures;

static void note_failure(const char *call)
{
    fprintf(stderr, "%s: %s\n", call, strerror(errno));
    if (++failures > 10000)
        exit(2);
}

int main(int argc, char **argv)
{
    static char buf[PIECE];
    int from, to;
    rio_t rio;
    ssize_t n;

    if (argc != 4)
        return 2;
    from = Open(argv[2], O_RDONLY, 0);
    to = Open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
    rio_readinitb(&rio, from);
    for (;;) {
        n = strcmp(argv[1], "rio_readn") == 0    ? rio_readn(from, buf, PIECE)
            : strcmp(argv[1], "rio_readnb") == 0 ? rio_readnb(&rio, buf, PIECE)
                                                 : rio_readlineb(&rio, buf, PIECE);
        if (n == 0)
            break;
        if (n == -1)
            note_failure(argv[1]);
        else
            while (rio_writen(to, buf, (size_t)n) == -1)
                note_failure("rio_writen");
    }
    printf("%d\n", failures);
    return 0;
}
