/* A program with functions of its own under names of the library: it uses its own, while the library's
   calls do among themselves what they always do. */
#include "csapp.h"

static int errors, writes, reads, signals;

void unix_error(const char *msg)
{
    errors++;
    printf("my own: %s\n", msg);
}

ssize_t rio_writen(int fd, const void *usrbuf, size_t n)
{
    (void)fd;
    (void)usrbuf;
    writes++;
    return (ssize_t)n;
}

ssize_t rio_readlineb(rio_t *rp, void *usrbuf, size_t maxlen)
{
    (void)rp;
    (void)usrbuf;
    (void)maxlen;
    reads++;
    return 0;
}

handler_t *Signal(int signum, handler_t *handler)
{
    (void)signum;
    signals++;
    return handler;
}

int main(void)
{
    char line[MAXLINE];
    int ends[2];
    rio_t rio;

    Alarm(30);
    unix_error("called");
    rio_writen(STDOUT_FILENO, "unseen\n", 7);
    Signal(SIGUSR1, SIG_IGN);
    printf("errors %d, writes %d, signals %d\n", errors, writes, signals);

    if (pipe(ends) < 0)
        return 1;
    csapp_set_error_handler(csapp_error_return);
    Rio_writen(ends[1], "through the pipe\n", 17);
    Rio_readinitb(&rio, ends[0]);
    line[0] = '\0';
    Rio_readlineb(&rio, line, MAXLINE);
    printf("%s", line);
    printf("%d\n", Open("/nowhere/file", O_RDONLY, 0));
    Dup2(-1, 5);
    printf("errors %d, writes %d, reads %d, signals %d\n", errors, writes, reads, signals);
    return 0;
}
