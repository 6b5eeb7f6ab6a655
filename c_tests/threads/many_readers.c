/* Many threads at once, mainly for the thread sanitizer. */
#include "streams.h"

#define THREADS 64

/* Reads back the lines that come in on one socket, and checks their number and content. */
static void *read_lines(void *arg)
{
    int i, fd = *(int *)arg;
    char line[32], expected[32];
    rio_t own;

    rio_readinitb(&own, fd);
    for (i = 0; i < 200; i++) {
        snprintf(expected, sizeof expected, "line %d of %d\n", i, fd);
        if (rio_readlineb(&own, line, sizeof line) < 0 || strcmp(line, expected) != 0)
            return arg;
    }
    return NULL;
}

START_TEST(threads_with_a_rio_t_each_do_not_disturb_each_other)
{
    static int pairs[THREADS][2];
    pthread_t threads[THREADS];
    char line[32];
    void *value;
    int i, t;

    for (t = 0; t < THREADS; t++) {
        socket_pair(pairs[t]);
        ck_assert_int_eq(pthread_create(&threads[t], NULL, read_lines, pairs[t]), 0);
    }
    for (i = 0; i < 200; i++)
        for (t = 0; t < THREADS; t++) {
            int len = snprintf(line, sizeof line, "line %d of %d\n", i, pairs[t][0]);

            ck_assert_int_eq(rio_writen(pairs[t][1], line, (size_t)len), len);
        }
    for (t = 0; t < THREADS; t++) {
        ck_assert_int_eq(pthread_join(threads[t], &value), 0);
        ck_assert_ptr_null(value);
    }
}
END_TEST

#define ROUNDS 20

static _Atomic int handled;
static pthread_barrier_t all_are_there;

static void count_failure(const char *message)
{
    csapp_error_return(message);
    handled++;
}

/* A connection of the thread's own: by open_clientfd and by csapp_connect in turn, to a port of its own. */
static int connect_to_myself(int ends[2], int round)
{
    int listenfd = open_listenfd("0");
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    char port[8];

    if (listenfd < 0 || getsockname(listenfd, (SA *)&address, &len) < 0)
        return -1;
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    ends[0] = round % 2 ? open_clientfd("127.0.0.1", port) : csapp_connect("localhost", port, 60000);
    ends[1] = ends[0] < 0 ? -1 : Accept(listenfd, NULL, NULL);
    Close(listenfd);
    return ends[1] < 0 ? -1 : 0;
}

/* There: a line and a block by the unbuffered and sio calls. Back: both, buffered. */
static int exchange(const int ends[2], int number)
{
    char line[100], expected[100], block[100];
    rio_t rio;

    snprintf(expected, sizeof expected, "thread %d of %s, 0x%x\n", number, "many", number);
    if (sio_dprintf(ends[1], "thread %d of %s, 0x%x\n", number, "many", number) != (ssize_t)strlen(expected))
        return -1;
    memset(block, number, sizeof block);
    if (rio_writen(ends[1], block, sizeof block) != sizeof block || rio_writen(ends[1], block, 50) != 50)
        return -1;
    rio_readinitb(&rio, ends[0]);
    if (rio_readlineb(&rio, line, sizeof line) < 0 || strcmp(line, expected) != 0)
        return -1;
    memset(line, 0, sizeof line);
    if (rio_readnb(&rio, line, sizeof line) != sizeof line || memcmp(line, block, sizeof line) != 0
        || Rio_readnb(&rio, line, 50) != 50 || memcmp(line, block, 50) != 0)
        return -1;
    if (rio_writen(ends[0], block, sizeof block) != sizeof block)
        return -1;
    memset(line, 0, sizeof line);
    return rio_readn(ends[1], line, sizeof line) == sizeof line && memcmp(line, block, sizeof line) == 0 ? 0 : -1;
}

static void *call_everything(void *arg)
{
    csapp_error_handler_t *const handlers[] = {count_failure, csapp_error_return};
    int round, number = *(int *)arg;

    pthread_barrier_wait(&all_are_there);
    for (round = 0; round < ROUNDS; round++) {
        csapp_error_handler_t *before = csapp_set_error_handler(handlers[(round + number) % 2]);
        int ends[2];
        char byte;

        if (before != count_failure && before != csapp_error_return)
            return arg;
        if (connect_to_myself(ends, round) < 0 || exchange(ends, number) < 0)
            return arg;
        errno = 0;
        if (Rio_readn(-1, &byte, 1) != -1 || errno != EBADF)
            return arg;
        if (open_clientfd("127.0.0.1", "65536") != -2) /* which says why */
            return arg;
        Sio_puts("");
        close(ends[0]);
        close(ends[1]);
    }
    return NULL;
}

static void call_everything_in_all_threads(void *arg)
{
    static int numbers[THREADS];
    pthread_t threads[THREADS];
    void *value;
    int t;

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    pthread_barrier_init(&all_are_there, NULL, THREADS);
    for (t = 0; t < THREADS; t++) {
        numbers[t] = t;
        if (pthread_create(&threads[t], NULL, call_everything, &numbers[t]) != 0)
            _exit(98);
    }
    for (t = 0; t < THREADS; t++)
        if (pthread_join(threads[t], &value) != 0 || value != NULL)
            _exit(43);
    _exit(handled > 0 && handled < THREADS * ROUNDS ? 42 : 44);
}

/* Standard error is a socket that keeps apart what separate system calls write. */
START_TEST(every_call_in_all_threads_at_once)
{
    char expected[2][300];
    int ends[2], counts[2] = {0, 0}, status;
    char line[300];
    ssize_t n;
    pid_t pid;

    snprintf(expected[0], sizeof expected[0], "Rio_readn error: %s\n", strerror(EBADF));
    snprintf(expected[1], sizeof expected[1], "getaddrinfo failed (127.0.0.1:65536): %s\n", gai_strerror(EAI_SERVICE));
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    pid = fork_with_stderr(ends);
    if (pid == 0) {
        call_everything_in_all_threads(NULL);
    }
    while ((n = read(ends[0], line, sizeof line - 1)) > 0) {
        line[n] = '\0';
        ck_assert_msg(strcmp(line, expected[0]) == 0 || strcmp(line, expected[1]) == 0, "%s", line);
        counts[strcmp(line, expected[1]) == 0]++;
    }
    status = status_of(pid);
    ck_assert_int_eq(status, 42);
    ck_assert_int_eq(counts[0], THREADS * ROUNDS);
    ck_assert_int_eq(counts[1], THREADS * ROUNDS);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("many_readers");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, threads_with_a_rio_t_each_do_not_disturb_each_other);
    tcase_add_test(tests, every_call_in_all_threads_at_once);
    return run_suite("many_readers", tests);
}
