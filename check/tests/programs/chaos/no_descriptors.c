/* A server that ends when there is no descriptor for its log. */
#include "csapp.h"

int main(void)
{
    int i, fd;

    for (i = 0; i < 100; i++) {
        while ((fd = open("/dev/null", O_WRONLY)) < 0 && errno == EINTR)
            ;
#ifdef MENDED
        if (fd < 0 && errno == EMFILE)
            continue; /* this entry is lost, and the service goes on */
#endif
        if (fd < 0)
            return 1;
        rio_writen(fd, "entry\n", 6);
        Close(fd);
    }
    return 0;
}
