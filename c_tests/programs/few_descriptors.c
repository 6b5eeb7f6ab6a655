/* A thread that fails because no descriptor is free ends alone, as it was told: by the program ("handler"; "own", by a
   handler of its own; "again", where it said so before without effect, since none was free then either), or by
   CSAPP_ON_ERROR, which is read when the program listens ("listen") or makes a thread ("thread").
   glibc loads what unwinds threads when the first one ends, and would abort here. No test of Check can
   show that: it has that library loaded. */
#include "csapp.h"
#include <sys/resource.h>

static void *return_at_once(void *arg)
{
    return arg;
}

static void *open_until_it_fails(void *arg)
{
    while (arg != NULL)
        Open("/dev/null", O_RDONLY, 0);
    return arg;
}

static void end_thread(const char *message)
{
    csapp_error_return(message); /* which writes it */
    pthread_exit(NULL);
}

int main(int argc, char **argv)
{
    const struct rlimit few = {16, 16};
    struct rlimit all, none;
    void *result = &result;
    pthread_t thread;

    if (argc != 2)
        app_error("usage: few_descriptors handler|own|again|listen|thread");
    if (strcmp(argv[1], "again") == 0) {
        if (getrlimit(RLIMIT_NOFILE, &all) != 0)
            return 98;
        none = all;
        none.rlim_cur = 0;
        if (setrlimit(RLIMIT_NOFILE, &none) != 0)
            return 98;
        csapp_set_error_handler(csapp_error_thread_exit);
        if (setrlimit(RLIMIT_NOFILE, &all) != 0)
            return 98;
    }
    if (strcmp(argv[1], "handler") == 0 || strcmp(argv[1], "again") == 0)
        csapp_set_error_handler(csapp_error_thread_exit);
    else if (strcmp(argv[1], "own") == 0)
        csapp_set_error_handler(end_thread);
    else if (strcmp(argv[1], "listen") == 0)
        Open_listenfd("0");
    else {
        Pthread_create(&thread, NULL, return_at_once, NULL);
        Pthread_join(thread, NULL);
    }
    if (setrlimit(RLIMIT_NOFILE, &few) != 0 || pthread_create(&thread, NULL, open_until_it_fails, &thread) != 0
        || pthread_join(thread, &result) != 0)
        return 98;
    puts(result == NULL ? "the program goes on" : "the thread went on");
    return 0;
}
