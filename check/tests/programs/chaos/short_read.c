/* Reads messages of 40 bytes from a pipe, and takes what one read gives for a whole one. */
#include "csapp.h"

int main(void)
{
    char sent[40], got[40];
    int ends[2], i;

    memset(sent, 'x', sizeof sent);
    if (pipe(ends) < 0)
        return 2;
    for (i = 0; i < 50; i++) {
        Write(ends[1], sent, sizeof sent);
#ifdef MENDED
        ssize_t n = rio_readn(ends[0], got, sizeof got);
#else
        ssize_t n = read(ends[0], got, sizeof got);
#endif
        printf("%d ", (int)n);
        if (n != sizeof got)
            return 1;
    }
    return 0;
}
