/* For -std=c99 -Wall -Wextra -Werror: csapp.h comes first, as the book's programs have it, then what
   it includes anyway. */
#include "csapp.h"
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static volatile sig_atomic_t alarms;
static sigjmp_buf again;

static void on_alarm(int sig)
{
    int olderrno = errno;

    (void)sig;
    alarms++;
    Sio_puts("alarm\n");
    errno = olderrno;
    siglongjmp(again, 1);
}

static void *square(void *vargp)
{
    long *number = vargp;

    *number *= *number;
    return NULL;
}

int main(void)
{
    struct timeval soon = {0, 1000};
    struct sockaddr_storage clientaddr;
    socklen_t clientlen = sizeof(clientaddr);
    char buf[MAXLINE], *bufp = buf;
    long number = 12;
    pthread_t tid;
    rio_t rio;
    int ends[2];

    Signal(SIGALRM, on_alarm);
    if (sigsetjmp(again, 1) == 0) {
        Alarm(1);
        while (1)
            Pause();
    }
    if (alarms != 1)
        app_error("no alarm");

    Pthread_create(&tid, NULL, square, &number);
    Pthread_join(tid, NULL);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        unix_error("socketpair error");
    sprintf(buf, "%ld\n", number);
    Rio_writen(ends[0], bufp, strlen(buf));
    if (Select(ends[1], NULL, NULL, NULL, &soon) != 0)
        app_error("select found a descriptor in no set");
    Rio_readinitb(&rio, ends[1]);
    if (Rio_readlineb(&rio, buf, MAXLINE) != 4)
        app_error("a line of another length");
    Fputs(buf, stdout);
    if (getsockname(ends[0], (SA *)&clientaddr, &clientlen) < 0)
        unix_error("getsockname error");
    Close(ends[0]);
    Close(ends[1]);
    return time(NULL) == (time_t)-1;
}
