/* Closes every number, as daemons do, and goes on: nothing of csapp-check may be among them. */
#include "csapp.h"

int main(void)
{
    int fd, pair[2];

    if (Fork() == 0) {
        for (fd = 3; fd < 1024; fd++)
            close(fd);
        if (pipe(pair) < 0 || pair[0] != 3 || pair[1] != 4)
            _exit(1);
        _exit(0);
    }
    Wait(&fd);
    closefrom(3);
    if (pipe(pair) < 0 || pair[0] != 3 || !WIFEXITED(fd) || WEXITSTATUS(fd) != 0)
        return 1;
    puts("ok");
    return 0;
}
