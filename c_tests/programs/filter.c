/* The main file of a small project: numbers the lines of its standard input. */
#include "csapp.h"

int main(void)
{
    char line[MAXLINE], number[32];
    rio_t rio;
    ssize_t n;
    int count = 0;

    Rio_readinitb(&rio, STDIN_FILENO);
    while ((n = Rio_readlineb(&rio, line, MAXLINE)) > 0) {
        sprintf(number, "%d ", ++count);
        Rio_writen(STDOUT_FILENO, number, strlen(number));
        Rio_writen(STDOUT_FILENO, line, (size_t)n);
    }
    return 0;
}
