/* Readers in every state, for a debugger to look at: it stops in `look` and asks for them by name. */
#include "csapp.h"

static rio_t never;
static rio_t garbage, damaged, suspended;
static rio_t fresh, one, line, strange, longest;

void look(void);

__attribute__((noinline)) void look(void)
{
    __asm__ volatile("" : : : "memory");
}

/* Reads nothing of `bytes` but has all of them read ahead. */
static void read_ahead(rio_t *rp, const void *bytes, size_t count)
{
    int ends[2];
    char none[1];

    if (pipe(ends))
        exit(2);
    Rio_writen(ends[1], "\n", 1);
    Rio_writen(ends[1], bytes, count);
    Close(ends[1]);
    Rio_readinitb(rp, ends[0]);
    Rio_readnb(rp, none, 1);
}

/* Has a call fail that had gathered more than a rio_t holds. */
static void suspend(rio_t *rp)
{
    static char block[2 * RIO_BUFSIZE];
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        exit(2);
    Rio_writen(ends[1], block, RIO_BUFSIZE + 1);
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        exit(2);
    Rio_readinitb(rp, ends[0]);
    if (rio_readnb(rp, block, sizeof block) != -1 || errno != EAGAIN)
        exit(3);
}

static rio_t returned(void)
{
    return line;
}

int main(void)
{
    static char xs[1000];
    const rio_t *pointer = &line;
    rio_t copy;

    memset(&garbage, 0xa5, sizeof garbage);
    memset(xs, 'x', sizeof xs);
    Rio_readinitb(&fresh, 0);
    read_ahead(&one, "x", 1);
    read_ahead(&line, "Host: example.org\r\n", 19);
    read_ahead(&strange, "\"\\\t\0\a\x1b\xff", 7);
    read_ahead(&longest, xs, sizeof xs);
    read_ahead(&damaged, "abc", 3);
    damaged.rio_cnt = 9000;
    suspend(&suspended);
    copy = returned();
    look();
    return pointer->rio_fd + copy.rio_fd + never.rio_fd < 0;
}
