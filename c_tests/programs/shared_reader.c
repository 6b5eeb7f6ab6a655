/* Two threads with one reader between them, or one buffer; argv says which, and whether a mutex orders them. */
#include "csapp.h"

static rio_t reader;
static char line[MAXLINE];
static int is_ordered, is_own;
static const char *call;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void use(rio_t *rp, char *to)
{
    if (!strcmp(call, "readlineb"))
        rio_readlineb(rp, to, MAXLINE);
    else if (!strcmp(call, "checkedreadlineb"))
        Rio_readlineb(rp, to, MAXLINE);
    else if (!strcmp(call, "limitedreadlineb"))
        (void)!csapp_readlineb(rp, to, MAXLINE, 1000);
    else if (!strcmp(call, "readnb"))
        rio_readnb(rp, to, 4);
    else
        rio_readinitb(rp, 0);
}

static void *thread(void *own)
{
    char local[MAXLINE];

    if (is_ordered)
        pthread_mutex_lock(&mutex);
    if (is_own)
        use(own, line);
    else
        use(&reader, local);
    if (is_ordered)
        pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(int argc, char **argv)
{
    static rio_t own[2];
    pthread_t threads[2];
    int ends[2];

    if (argc != 4 || pipe(ends))
        return 9;
    is_own = !strcmp(argv[1], "buffer");
    is_ordered = !strcmp(argv[2], "ordered");
    call = argv[3];
    Rio_writen(ends[1], "one\ntwo\nthree\n", 14);
    Rio_readinitb(&reader, ends[0]);
    for (int i = 0; i < 2; i++) {
        int more[2];

        if (pipe(more))
            return 9;
        Rio_writen(more[1], "one\ntwo\n", 8);
        Rio_readinitb(&own[i], more[0]);
    }
    for (int i = 0; i < 2; i++)
        Pthread_create(&threads[i], NULL, thread, &own[i]);
    for (int i = 0; i < 2; i++)
        Pthread_join(threads[i], NULL);
    puts("done");
    return 0;
}
