/*
 * closed_use - goes on reading a descriptor after it has closed it
 */
#include "csapp.h"

int main(void)
{
    int fd = Open("/etc/passwd", O_RDONLY, 0);
    char byte;
    int n = 0;

#ifdef MENDED
    while (read(fd, &byte, 1) == 1 && byte != '\n')
        n++;
    Close(fd);
#else
    while (n == 0 || byte != '\n') {
        if (read(fd, &byte, 1) != 1) /* FAULT: closed-use */
            break;
        n++;
        Close(fd); /* inside of the loop, by mistake */
    }
#endif
    printf("%d\n", n);
    return 0;
}
