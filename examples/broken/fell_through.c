/*
 * fell_through - a shell whose child, if there is no such program, becomes a second shell
 *
 * Try: echo nosuch | ./fell_through
 */
#include "csapp.h"

int main(void)
{
    char line[MAXLINE], *argv[2] = { line, NULL };

    while (fgets(line, MAXLINE, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (Fork() == 0) {
            execve(line, argv, environ); /* FAULT: fell-through */
#ifdef MENDED
            _exit(127);
#endif
        }
        while (wait(NULL) > 0)
            ;
    }
    return 0;
}
