/* Calls of the library for a debugger to step through. Nothing of libc, whose source may be elsewhere. */
#include "csapp.h"

int main(void)
{
    rio_t rio;
    char line[64], block[8];
    int file = Open("/proc/self/cmdline", O_RDONLY, 0);
    int null = Open("/dev/null", O_WRONLY, 0);

    Rio_readinitb(&rio, file);
    Rio_readlineb(&rio, line, sizeof line);
    Rio_readnb(&rio, block, sizeof block);
    Rio_readlineb(&rio, line, sizeof line);
    Rio_writen(null, line, 1);
    Close(file);
    return 0;
}
