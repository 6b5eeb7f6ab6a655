/* Work whose instructions are counted (tests/instructions.rs): instructions CALL TIMES. The
   lines are of ten bytes, all in one buffer or less at a time, from a file in memory. */
#define _GNU_SOURCE
#include "csapp.h"

enum { LINES = 800, LINE = 10 };

static char text[LINES * LINE + 1], line[MAXLINE];
static int file;

static void rewound(rio_t *reader)
{
    lseek(file, 0, SEEK_SET);
    rio_readinitb(reader, file);
}

int main(int argc, char **argv)
{
    rio_t reader;
    long times = argc > 2 ? atol(argv[2]) : 0, i;
    ssize_t n = 0;

    for (i = 0; i < LINES; i++)
        memcpy(text + i * LINE, "123456789\n", LINE);
    file = memfd_create("lines", 0);
    if (argc < 3 || write(file, text, LINES * LINE) != LINES * LINE)
        return 2;
    rewound(&reader);
    /* The first call of each kind does what is done once: binding, asking the processor. */
    n = rio_readlineb(&reader, line, MAXLINE);
    n += rio_readnb(&reader, line, LINE);
    for (i = 0; i < times; i++) {
        if (i % (LINES - 2) == 0)
            rewound(&reader);
        if (strcmp(argv[1], "rio_readlineb") == 0)
            n = rio_readlineb(&reader, line, MAXLINE);
        else if (strcmp(argv[1], "Rio_readlineb") == 0)
            n = Rio_readlineb(&reader, line, MAXLINE);
        else
            n = rio_readnb(&reader, line, LINE);
        if (n != LINE)
            return 1;
    }
    return 0;
}
