/*
 * stdio_forked - prints a line and forks: into a pipe or a file, the line comes twice
 */
#include "csapp.h"

int main(void)
{
    printf("the parent's only line\n");
#ifdef MENDED
    fflush(stdout);
#endif
    if (Fork() == 0) /* FAULT: stdio-forked */
        exit(0);
    Wait(NULL);
    return 0;
}
