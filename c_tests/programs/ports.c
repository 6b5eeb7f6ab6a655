/* Ports of every type that a program may have one in: each server listens on a port that the system
   chooses. The second edition's programs pass numbers, the third's strings. */
#include "csapp.h"
#include <assert.h>

enum service { ANY, ECHO = 7 };

static void listens(int fd)
{
    assert(fd >= 0);
    Close(fd);
}

int main(int argc, char **argv)
{
    struct {
        unsigned port : 17;
        unsigned long long wide : 40;
        signed short narrow : 9;
    } field = {0, 0, 0};
    char text[] = "0";
    const char constant[] = "0";
    char *const pointer = text;
    const char *volatile changing = constant;
    _Bool none = 0;
    const unsigned short number = 0;
    size_t size = 0;

    listens(open_listenfd(field.port));
    listens(open_listenfd(field.wide));
    listens(Open_listenfd(field.narrow));
    listens(open_listenfd(ANY));
    listens(open_listenfd((enum service)0));
    listens(open_listenfd(none));
    listens(open_listenfd((char)0));
    listens(open_listenfd(number));
    listens(open_listenfd(size));
    listens(open_listenfd(atoi("0")));
    listens(Open_listenfd(0L));
    listens(open_listenfd(0u));

    listens(open_listenfd(text));
    listens(open_listenfd(constant));
    listens(open_listenfd(pointer));
    listens(open_listenfd(changing));
    listens(Open_listenfd("0"));
    listens(open_listenfd(argc > 1 ? argv[1] : "0"));
    assert(open_listenfd(NULL) == -1 && errno == EFAULT);
    puts("each listens");
    return 0;
}
