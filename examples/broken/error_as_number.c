/*
 * error_as_number - does not look whether open has failed, and reads from what it returned
 */
#include "csapp.h"

int main(void)
{
    char buffer[100];
    int fd = open("/nowhere/at/all", O_RDONLY);

#ifdef MENDED
    if (fd < 0) {
        printf("cannot open it: %s\n", strerror(errno));
        return 0;
    }
#endif
    if (read(fd, buffer, sizeof buffer) > 0) /* FAULT: error-as-number */
        printf("something was read\n");
    return 0;
}
