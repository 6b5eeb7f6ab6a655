/* A rio_t across fork: the child has a copy of what was read ahead, and shares the descriptor. So both
   get what was in the buffer, and each byte that still was in the kernel goes to one of them. */
#include "streams.h"

#define TOTAL 100000 /* bytes, of which the first line's read takes RIO_BUFSIZE at the most */
#define FIRST "the first line\n"

static char text[TOTAL];
static rio_t rio;

static void make_text(void)
{
    int i;

    for (i = 0; i < TOTAL; i++)
        text[i] = (char)("abcdefghijklmnopqrstuvwxyz"[i / 7 % 26]);
    memcpy(text, FIRST, strlen(FIRST));
}

/* A descriptor from which `text` comes, and then the end. */
static int text_from(int kind)
{
    int ends[2];
    pid_t writer;

    if (kind == 0)
        return file_of(text, TOTAL);
    if (kind == 1)
        pipe_pair(ends);
    else {
        socket_pair(ends);
        shutdown(ends[0], SHUT_WR);
    }
    writer = fork();
    ck_assert_int_ne(writer, -1);
    if (writer == 0) {
        close(ends[0]);
        _exit(rio_writen(ends[1], text, TOTAL) == TOTAL ? 0 : 1);
    }
    close(ends[1]);
    return ends[0];
}

/* Reads to the end. Adds up how often each byte came, and returns how many there were; -1 if what was
   read ahead did not come first. */
static long count_rest(long counts[256])
{
    const int ahead = rio.rio_cnt;
    char block[100];
    long total = 0;
    ssize_t n, i;

    while ((n = rio_readnb(&rio, block, sizeof block)) > 0)
        for (i = 0; i < n; i++, total++) {
            counts[(unsigned char)block[i]]++;
            if (total < ahead && block[i] != text[(long)strlen(FIRST) + total])
                return -1;
        }
    return n == 0 ? total : -1;
}

struct rest {
    long total, counts[256];
};

START_TEST(both_get_what_was_read_ahead_and_one_of_them_each_other_byte)
{
    static struct rest here, there;
    long expected[256] = {0};
    int ends[2], i, fd;
    char line[100];
    int ahead;
    pid_t child;

    make_text();
    fd = text_from(_i);
    pipe_pair(ends);
    rio_readinitb(&rio, fd);
    ck_assert_int_eq(rio_readlineb(&rio, line, sizeof line), strlen(FIRST));
    ck_assert_str_eq(line, FIRST);
    ahead = rio.rio_cnt;
    child = fork();
    ck_assert_int_ne(child, -1);
    if (child == 0) {
        there.total = count_rest(there.counts);
        _exit(rio_writen(ends[1], &there, sizeof there) == sizeof there ? 0 : 1);
    }
    here.total = count_rest(here.counts);
    close(ends[1]);
    ck_assert_int_eq(rio_readn(ends[0], &there, sizeof there), sizeof there);
    ck_assert_int_eq(status_of(child), 0);
    ck_assert_int_ge(here.total, ahead);
    ck_assert_int_ge(there.total, ahead);
    ck_assert_int_eq(here.total + there.total, TOTAL - (long)strlen(FIRST) + ahead);
    for (i = (int)strlen(FIRST); i < TOTAL; i++)
        expected[(unsigned char)text[i]] += i < (int)strlen(FIRST) + ahead ? 2 : 1;
    for (i = 0; i < 256; i++)
        ck_assert_int_eq(here.counts[i] + there.counts[i], expected[i]);
}
END_TEST

#define PART 20000

/* A line of which more than RIO_BUFSIZE bytes are in the caller's buffer: that is copied as well. */
START_TEST(both_can_go_on_with_a_line_that_waits_in_the_caller_s_buffer)
{
    static char part[PART], line[PART + 100];
    int ends[2], i;

    memset(part, 'p', PART);
    socket_pair(ends);
    make_nonblocking(ends[0]);
    send_bytes(ends[1], part, PART);
    rio_readinitb(&rio, ends[0]);
    ck_assert_int_eq(rio_readlineb(&rio, line, sizeof line), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_lt(rio.rio_cnt, 0);
    for (i = 0; i < 2; i++) { /* the child first, then the parent, each with an end of its own */
        pid_t child = i == 0 ? fork() : 0;

        ck_assert_int_ne(child, -1);
        if (child > 0) {
            ck_assert_int_eq(status_of(child), 0);
            continue;
        }
        send_text(ends[1], i == 0 ? " of the child\n" : " of the parent\n");
        ck_assert_int_eq(rio_readlineb(&rio, line, sizeof line), i == 0 ? PART + 14 : PART + 15);
        ck_assert_mem_eq(line, part, PART);
        ck_assert_str_eq(line + PART, i == 0 ? " of the child\n" : " of the parent\n");
        if (i == 0)
            _exit(0);
    }
}
END_TEST

static _Atomic int is_over;

/* Keeps the locks of malloc and stdio busy. */
static void *keep_locks_busy(void *nowhere)
{
    while (!is_over) {
        void *volatile block = malloc(100);

        fprintf(nowhere, "%p\n", (void *)block);
        free(block);
    }
    return NULL;
}

#define BUSY 3
#define FORKS 50

/* In the child there is only one thread, and the locks that the others held are never released: the library
   must need none. */
START_TEST(a_child_of_a_program_with_threads_can_use_the_library)
{
    FILE *nowhere = fopen("/dev/null", "w");
    pthread_t threads[BUSY];
    int i;

    for (i = 0; i < BUSY; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, keep_locks_busy, nowhere), 0);
    csapp_set_error_handler(csapp_error_return);
    for (i = 0; i < FORKS; i++) {
        pid_t child = fork();
        char line[100];
        int ends[2];

        ck_assert_int_ne(child, -1);
        if (child > 0) {
            ck_assert_int_eq(status_of(child), 42);
            continue;
        }
        alarm(20);
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
            _exit(1);
        dup2(ends[1], STDERR_FILENO);
        rio_readinitb(&rio, ends[0]);
        if (sio_dprintf(ends[1], "%s %d\n", "child", i) < 0
            || rio_readlineb(&rio, line, sizeof line) < 0 || strncmp(line, "child ", 6) != 0)
            _exit(2);
        if (Rio_readn(-1, line, 1) != -1 || rio_readlineb(&rio, line, sizeof line) <= 0
            || strcmp(line, "Rio_readn error: Bad file descriptor\n") != 0)
            _exit(3);
        if (rio_writen(ends[1], "abc", 3) != 3 || rio_readnb(&rio, line, 3) != 3 || memcmp(line, "abc", 3) != 0)
            _exit(4);
        _exit(42);
    }
    is_over = 1;
    for (i = 0; i < BUSY; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("fork");

    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, both_get_what_was_read_ahead_and_one_of_them_each_other_byte, 0, 3);
    tcase_add_test(tests, both_can_go_on_with_a_line_that_waits_in_the_caller_s_buffer);
    tcase_add_test(tests, a_child_of_a_program_with_threads_can_use_the_library);
    return run_suite("fork", tests);
}
