/* Mistakes that a sanitizer is to find, each in a call of the library; argv says which one. Before the call it prints
   the number of its line. With "none" there is no mistake. */
#include "csapp.h"

enum { SMALL = 16, LONG = 20000 };

static const char text[] = "a line of more than sixteen bytes\n";
enum { LENGTH = sizeof text - 1 };

static rio_t reader;
static char *buffer;

#define HERE(call)                    \
    do {                              \
        printf("%d\n", __LINE__);     \
        fflush(stdout);               \
        (void)!(call);                \
        puts("not noticed");          \
    } while (0)

/* Stands in for a void function in HERE. */
#define VOID(call) ((call), 0)

static char *of_a_function_that_has_returned(void)
{
    char local[LENGTH + 1];
    char *volatile place = local;

    return place;
}

/* A descriptor from which `bytes` can be read, and then the end. */
static int holding(const char *bytes, size_t count)
{
    FILE *file = tmpfile();

    if (!file || fwrite(bytes, 1, count, file) != count || fflush(file) || lseek(fileno(file), 0, SEEK_SET))
        exit(9);
    return fileno(file);
}

/* A line in the buffer, and nothing behind it. */
static void read_ahead(rio_t *rp)
{
    char line[2 * LENGTH + 1];

    memcpy(line, text, LENGTH);
    memcpy(line + LENGTH, text, LENGTH);
    Rio_readinitb(rp, holding(line, 2 * LENGTH));
    if (Rio_readlineb(rp, line, sizeof line) != LENGTH)
        exit(9);
}

static void make(const char *call)
{
    int null = Open("/dev/null", O_WRONLY, 0);
    int file = holding(text, LENGTH);

    Rio_readinitb(&reader, file);
    if (!strcmp(call, "readlineb"))
        HERE(rio_readlineb(&reader, buffer, MAXLINE));
    else if (!strcmp(call, "checkedreadlineb"))
        HERE(Rio_readlineb(&reader, buffer, MAXLINE));
    else if (!strcmp(call, "aheadreadlineb")) {
        read_ahead(&reader);
        HERE(rio_readlineb(&reader, buffer, MAXLINE));
    } else if (!strcmp(call, "readnb"))
        HERE(rio_readnb(&reader, buffer, LENGTH));
    else if (!strcmp(call, "checkedreadnb"))
        HERE(Rio_readnb(&reader, buffer, LENGTH));
    else if (!strcmp(call, "aheadreadnb")) {
        read_ahead(&reader);
        HERE(rio_readnb(&reader, buffer, LENGTH));
    } else if (!strcmp(call, "straightreadnb"))
        HERE(rio_readnb(&reader, buffer, LONG));
    else if (!strcmp(call, "readn"))
        HERE(rio_readn(file, buffer, LENGTH));
    else if (!strcmp(call, "checkedreadn"))
        HERE(Rio_readn(file, buffer, LENGTH));
    else if (!strcmp(call, "writen"))
        HERE(rio_writen(null, buffer, LENGTH));
    else if (!strcmp(call, "checkedwriten"))
        HERE(VOID(Rio_writen(null, buffer, LENGTH)));
    else if (!strcmp(call, "limitedreadlineb")) {
        read_ahead(&reader);
        HERE(csapp_readlineb(&reader, buffer, MAXLINE, 1000));
    } else if (!strcmp(call, "limitedreadnb")) {
        read_ahead(&reader);
        HERE(csapp_readnb(&reader, buffer, LENGTH, 1000));
    } else if (!strcmp(call, "limitedreadn"))
        HERE(csapp_readn(file, buffer, LENGTH, 1000, NULL));
    else if (!strcmp(call, "limitedwriten"))
        HERE(csapp_writen(null, buffer, LENGTH, 1000, NULL));
    else if (!strcmp(call, "moved"))
        HERE(csapp_readn(file, &(char[LENGTH]){0}, LENGTH, 1000, (size_t *)(buffer + SMALL)));
    else if (!strcmp(call, "puts"))
        HERE(sio_puts(buffer));
    else
        exit(9);
}

/* A line that takes several refills, into half of the room that it needs. */
static void long_line(void)
{
    char *line = malloc(LONG);

    memset(line, 'x', LONG);
    line[LONG - 1] = '\n';
    Rio_readinitb(&reader, holding(line, LONG));
    buffer = malloc(LONG / 2);
    HERE(rio_readlineb(&reader, buffer, LONG + 1));
}

/* A reader that is no longer there, or for which too little was asked for. */
static void reader_at(rio_t *rp, int is_freed, const char *call)
{
    static char line[MAXLINE];

    if (is_freed) {
        read_ahead(rp);
        free(rp);
    }
    if (!strcmp(call, "readlineb"))
        HERE(rio_readlineb(rp, line, MAXLINE));
    else if (!strcmp(call, "readnb"))
        HERE(rio_readnb(rp, line, LENGTH));
    else
        HERE(VOID(rio_readinitb(rp, 0)));
}

/* MAXLINE is more than the array has, and the line is not. */
static void right(void)
{
    char *exact = malloc(LENGTH + 1), *line = malloc(LONG + 1);
    char local[LENGTH + 1];
    rio_t *rp = malloc(sizeof *rp);

    buffer = exact;
    for (int ahead = 0; ahead < 2; ahead++) {
        if (ahead)
            read_ahead(rp);
        else
            Rio_readinitb(rp, holding(text, LENGTH));
        if (rio_readlineb(rp, ahead ? local : exact, MAXLINE) != LENGTH || strcmp(ahead ? local : exact, text))
            exit(2);
    }
    read_ahead(rp);
    if (rio_readnb(rp, exact, LENGTH) != LENGTH || memcmp(exact, text, LENGTH))
        exit(3);
    if (rio_readn(holding(text, LENGTH), exact, LONG) != LENGTH || memcmp(exact, text, LENGTH))
        exit(4);
    memset(line, 'x', LONG);
    line[LONG - 1] = '\n';
    Rio_readinitb(rp, holding(line, LONG));
    free(line);
    line = malloc(LONG + 1);
    if (rio_readlineb(rp, line, LONG + 1) != LONG || line[0] != 'x' || line[LONG - 1] != '\n' || line[LONG])
        exit(5);
    if (rp->rio_cnt != 0 || rp->rio_fd < 0)
        exit(6);
    free(line);
    free(exact);
    free(rp);
    puts("right");
}

int main(int argc, char **argv)
{
    char kind[64] = "";
    const char *call = "";
    char local[SMALL];

    if (argc == 2 && strlen(argv[1]) < sizeof kind)
        strcpy(kind, argv[1]);
    if (strchr(kind, '_')) {
        call = strchr(kind, '_') + 1;
        *strchr(kind, '_') = '\0';
    }
    buffer = malloc(SMALL);
    memset(buffer, 'x', SMALL);
    memset(local, 'x', sizeof local);
    if (!strcmp(kind, "none"))
        right();
    else if (!strcmp(kind, "long"))
        long_line();
    else if (!strcmp(kind, "gone"))
        reader_at(malloc(sizeof(rio_t)), 1, call);
    else if (!strcmp(kind, "tiny"))
        reader_at(malloc(sizeof(rio_t *)), 0, call);
    else {
        if (!strcmp(kind, "stack"))
            buffer = local;
        else if (!strcmp(kind, "freed"))
            free(buffer);
        else if (!strcmp(kind, "returned"))
            buffer = of_a_function_that_has_returned();
        else if (!strcmp(kind, "unset"))
            buffer = malloc(LENGTH + 1);
        else if (strcmp(kind, "heap"))
            exit(9);
        make(call);
    }
    return 0;
}
