/*
 * stdiotrap - why standard I/O does not suit sockets, and what does
 *
 * A child process plays a server. It greets with two lines, and answers each line "add A B" with a line "sum S".
 * Three clients use standard I/O in ways that work on files and terminals, and fail. Then a client does the same
 * with the rio functions, and works.
 *
 * What to watch: each failure comes from the buffer of the stream, which a socket does not know (CS:APP 3e, section
 * 10.11). rio_writen has no buffer, and that of rio_readlineb is only for reading.
 *
 * usage: stdiotrap
 */
#include "csapp.h"

/* The server's side of a conversation. */
static void serve(int fd)
{
    char line[MAXLINE];
    rio_t rio;
    int a, b;

    if (rio_writen(fd, "hello\nready\n", 12) < 0)
        return; /* the client has hung up already */
    Rio_readinitb(&rio, fd);
    while (rio_readlineb(&rio, line, sizeof line) > 0) {
        if (sscanf(line, "add %d %d", &a, &b) != 2)
            a = b = 0;
        snprintf(line, sizeof line, "sum %d\n", a + b);
        if (rio_writen(fd, line, strlen(line)) < 0)
            return;
    }
}

/* Starts a server and returns the client's end. Reading waits for half a second at most, so
   that a conversation that hangs is seen to hang. */
static int connect_to_server(void)
{
    const struct timeval patience = {0, 500000};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        unix_error("socketpair error");
    fflush(stdout);
    if (Fork() == 0) {
        Close(ends[0]);
        serve(ends[1]);
        _exit(0);
    }
    Close(ends[1]);
    Setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return ends[0];
}

static void hang_up(int status)
{
    if (status < 0)
        printf("  closing fails: %s\n", strerror(errno));
    Wait(NULL);
}

static void one_stream(void)
{
    FILE *stream = Fdopen(connect_to_server(), "r+");
    char line[MAXLINE];

    printf("Trap 1: one stream, read from and written to\n");
    printf("  the server says: %s", Fgets(line, sizeof line, stream));
    fputs("add 1 2\n", stream);
    if (fflush(stream) == EOF)
        printf("  the request cannot be sent: %s\n", strerror(errno));
    printf("  Its second line is in the stream's buffer. Before it writes, the stream has to\n"
           "  move the position back to what was read ahead, and a socket has no position.\n");
    hang_up(fclose(stream));
    printf("\n");
}

static void unflushed(void)
{
    int fd = connect_to_server();
    FILE *from = Fdopen(fd, "r"), *to = Fdopen(dup(fd), "w");
    char line[MAXLINE];

    printf("Trap 2: two streams, and a request that stays in the buffer\n");
    Fgets(line, sizeof line, from);
    Fgets(line, sizeof line, from);
    fprintf(to, "add %d %d\n", 1, 2);
    if (fgets(line, sizeof line, from) == NULL)
        printf("  no answer in half a second: %s\n", strerror(errno));
    clearerr(from);
    fflush(to);
    printf("  after fflush: %s", Fgets(line, sizeof line, from));
    printf("  On a terminal a newline would have sent it; a socket's stream waits for 4,096 bytes.\n");
    Fclose(to);
    hang_up(fclose(from));
    printf("\n");
}

static void closed_twice(void)
{
    int fd = connect_to_server();
    FILE *from = Fdopen(fd, "r"), *to = Fdopen(fd, "w");

    printf("Trap 3: two streams on one descriptor; both have to be closed, or memory leaks\n");
    Fclose(to);
    hang_up(fclose(from));
    printf("  Here nothing else happened. In a program with threads, another thread may have opened a file\n"
           "  with the same number meanwhile: the second close would close that file.\n\n");
}

static void robust(void)
{
    char line[MAXLINE];
    int fd = connect_to_server(), sum;
    rio_t rio;

    printf("The solution: snprintf and rio_writen; rio_readlineb and sscanf\n");
    Rio_readinitb(&rio, fd);
    for (int i = 0; i < 2; i++) {
        Rio_readlineb(&rio, line, sizeof line);
        printf("  the server says: %s", line);
    }
    for (int i = 1; i <= 3; i++) {
        int n = snprintf(line, sizeof line, "add %d %d\n", i, 10 * i);

        Rio_writen(fd, line, (size_t)n);
        if (Rio_readlineb(&rio, line, sizeof line) <= 0 || sscanf(line, "sum %d", &sum) != 1)
            app_error("the server's answer is not a sum");
        printf("  %d + %d = %d\n", i, 10 * i, sum);
    }
    hang_up(close(fd));
}

int main(int argc, char **argv)
{
    if (argc != 1) {
        fprintf(stderr, "usage: %s\n", argv[0]);
        return 2;
    }
    one_stream();
    unflushed();
    closed_twice();
    robust();
    return 0;
}
