/*
 * echoclient - sends a file to an echo server, line by line, and checks what comes back
 *
 * What to watch: one thread sends, and another one reads. A client that sent the whole file before it read a
 * line could wait forever: when the buffers between client and server are full, the server stops reading
 * until the client reads.
 *
 * usage: echoclient HOST PORT FILE
 */
#include "csapp.h"

struct upload {
    const char *file;
    int fd;
};

/* Sends the file, and says that no more will come. */
static void *send_lines(void *argument)
{
    const struct upload *upload = argument;
    int file = Open(upload->file, O_RDONLY, 0);
    char line[MAXLINE];
    rio_t rio;
    ssize_t n;

    rio_readinitb(&rio, file);
    while ((n = Rio_readlineb(&rio, line, sizeof line)) > 0)
        Rio_writen(upload->fd, line, (size_t)n);
    Close(file);
    if (shutdown(upload->fd, SHUT_WR) < 0)
        unix_error("shutdown error");
    return NULL;
}

static double seconds(void)
{
    struct timeval now;

    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    char sent[MAXLINE], echoed[MAXLINE];
    struct upload upload;
    rio_t file, server;
    long lines = 0, bytes = 0;
    double start, took;
    pthread_t sender;
    ssize_t n;

    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT FILE\n", argv[0]);
        return 2;
    }
    upload.file = argv[3];
    upload.fd = Open_clientfd(argv[1], argv[2]);
    rio_readinitb(&server, upload.fd);
    rio_readinitb(&file, Open(argv[3], O_RDONLY, 0));

    start = seconds();
    Pthread_create(&sender, NULL, send_lines, &upload);
    while ((n = Rio_readlineb(&file, sent, sizeof sent)) > 0) {
        if (Rio_readlineb(&server, echoed, sizeof echoed) != n || memcmp(sent, echoed, (size_t)n)) {
            fprintf(stderr, "%s: line %ld of the echo differs from the line that was sent\n", argv[0], lines + 1);
            return 1;
        }
        lines++;
        bytes += n;
    }
    if (Rio_readlineb(&server, echoed, sizeof echoed) != 0) {
        fprintf(stderr, "%s: the echo is longer than what was sent\n", argv[0]);
        return 1;
    }
    took = seconds() - start;
    Pthread_join(sender, NULL);
    Close(upload.fd);

    printf("%ld lines, %ld bytes sent, echoed and compared in %.2f s: %.1f MB/s each way\n", lines, bytes,
        took, (double)bytes / took / 1e6);
    return 0;
}
