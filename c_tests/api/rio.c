/* Robust I/O, as csapp.h promises it: one test a promise, named after it. */
#include "streams.h"
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

_Static_assert(offsetof(rio_t, rio_fd) == 0, "rio_fd comes first");
_Static_assert(offsetof(rio_t, rio_cnt) == sizeof(int), "rio_cnt is the second int");
_Static_assert(offsetof(rio_t, rio_bufptr) == 8, "rio_bufptr follows both");
_Static_assert(offsetof(rio_t, rio_buf) == 8 + sizeof(char *), "rio_buf follows rio_bufptr");
_Static_assert(sizeof(((rio_t *)0)->rio_cnt) == sizeof(int), "rio_cnt is an int");
_Static_assert(sizeof(rio_t) == 8 + sizeof(char *) + 8192, "and nothing comes after");
_Static_assert(RIO_BUFSIZE == 8192, "the book's size");

#define MEGABYTES (3u << 20)

/* A descriptor on which write takes nothing, as some devices do; none otherwise. The library
   finds the program's own write, as it would find libc's. */
static int sated_fd = -1;
/* A descriptor on which read and write, such as functions that a program defines itself, fail without a reason. */
static int silent_fd = -2; /* -1 is what tests pass as a bad one */

ssize_t write(int fd, const void *bytes, size_t n)
{
    if (fd == silent_fd)
        return -1;
    return fd == sated_fd ? 0 : syscall(SYS_write, fd, bytes, n);
}

ssize_t read(int fd, void *bytes, size_t n)
{
    return fd == silent_fd ? -1 : syscall(SYS_read, fd, bytes, n);
}

/* Text of n bytes in lines of 1 to 300 bytes, every line another. */
static char *lines_of(size_t n)
{
    char *text = malloc(n + 512);
    size_t len = 0;
    unsigned number = 0;

    ck_assert_ptr_nonnull(text);
    while (len < n) {
        size_t filler = number * 7 % 290;

        len += (size_t)sprintf(text + len, "%u", number++);
        memset(text + len, 'a' + (int)(number % 26), filler);
        len += filler;
        text[len++] = '\n';
    }
    text[n - 1] = '\n';
    return text;
}

/* A reader of fd. Its buffer ends where memory ends. */
static rio_t *reader_of(int fd)
{
    rio_t *reader = (rio_t *)before_guard_page(sizeof *reader);

    rio_readinitb(reader, fd);
    return reader;
}

static rio_t *reader_of_text(const char *text)
{
    return reader_of(file_of(text, strlen(text)));
}

/* Expects that a call fails with this error. */
#define ck_assert_fails(call, error)                                                        \
    do {                                                                                    \
        errno = 0;                                                                          \
        ck_assert_int_eq((call), -1);                                                       \
        ck_assert_int_eq(errno, (error));                                                   \
    } while (0)

/* Expects that the next line is this one, with a NUL behind it, and errno left alone. */
#define ck_assert_line(reader, expected)                                                    \
    do {                                                                                    \
        char line_[MAXLINE];                                                                \
        errno = UNTOUCHED;                                                                  \
        ck_assert_int_eq(rio_readlineb((reader), line_, MAXLINE), (ssize_t)strlen(expected)); \
        ck_assert_str_eq(line_, (expected));                                                \
        ck_assert_int_eq(errno, UNTOUCHED);                                                 \
    } while (0)

/* ---- rio_readn ---- */

/* Sends "one", "two" and "three" with pauses between them. */
static int send_in_pieces(void *arg)
{
    int fd = *(int *)arg;

    send_text(fd, "one");
    sleep_ms(30);
    send_text(fd, "two");
    sleep_ms(30);
    send_text(fd, "three");
    return 0;
}

START_TEST(readn_goes_on_after_short_reads)
{
    int ends[2];
    char buf[16];
    pid_t sender;

    pipe_pair(ends);
    sender = in_child(send_in_pieces, &ends[1]);
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readn(ends[0], buf, 11), 11);
    ck_assert_mem_eq(buf, "onetwothree", 11);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(status_of(sender), 0);
}
END_TEST

START_TEST(readn_gives_a_short_count_at_the_end_of_the_file_and_then_0)
{
    int fd = file_of("abc", 3);
    char buf[8] = "-------";

    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readn(fd, buf, 8), 3);
    ck_assert_mem_eq(buf, "abc----", 8);
    ck_assert_int_eq(rio_readn(fd, buf, 8), 0);
    ck_assert_mem_eq(buf, "abc----", 8);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

START_TEST(readn_of_nothing_is_0_even_from_NULL)
{
    ck_assert_int_eq(rio_readn(-1, NULL, 0), 0);
}
END_TEST

START_TEST(readn_waits_for_an_O_NONBLOCK_descriptor)
{
    int ends[2];
    char buf[16];
    pid_t sender;

    socket_pair(ends);
    make_nonblocking(ends[0]);
    sender = in_child(send_in_pieces, &ends[1]);
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readn(ends[0], buf, 11), 11);
    ck_assert_mem_eq(buf, "onetwothree", 11);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(status_of(sender), 0);
}
END_TEST

START_TEST(readn_reports_a_receive_timeout_in_mid_message)
{
    int ends[2];
    char buf[16];

    socket_pair(ends);
    limit_ms(ends[0], SO_RCVTIMEO, 50);
    send_text(ends[1], "half");
    ck_assert_fails(rio_readn(ends[0], buf, 8), EAGAIN);
}
END_TEST

START_TEST(readn_reports_that_the_peer_has_gone)
{
    int ends[2];
    char buf[16];

    socket_pair(ends);
    send_text(ends[0], "never read");
    send_text(ends[1], "abc");
    close(ends[1]);
    ck_assert_fails(rio_readn(ends[0], buf, 8), ECONNRESET);
}
END_TEST

START_TEST(readn_refuses_NULL_bad_counts_and_bad_descriptors)
{
    int fd = file_of("abc", 3);
    char buf[8];

    ck_assert_fails(rio_readn(fd, NULL, 1), EFAULT);
    ck_assert_fails(rio_readn(fd, buf, (size_t)-1), EINVAL);
    ck_assert_fails(rio_readn(fd, buf, (size_t)SSIZE_MAX + 1), EINVAL);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
    ck_assert_fails(rio_readn(-1, buf, 1), EBADF);
    ck_assert_fails(rio_readn(open("/", O_RDONLY), buf, 1), EISDIR);
}
END_TEST

/* Address space for n bytes, which are the same few over and over. */
static char *large_memory(size_t n)
{
    const size_t step = (size_t)32 << 20;
    FILE *file = tmpfile();
    char *start = mmap(NULL, n + step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                       -1, 0);
    size_t at;

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(ftruncate(fileno(file), (off_t)step), 0);
    ck_assert_ptr_ne(start, MAP_FAILED);
    for (at = 0; at < n; at += step)
        ck_assert_ptr_ne(mmap(start + at, step, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                              fileno(file), 0), MAP_FAILED);
    return start;
}

/* More than one system call can move (0x7ffff000 bytes, read(2)). */
#define LARGE ((size_t)(SSIZE_MAX > 0x80001000LL ? 0x80001000LL : SSIZE_MAX))

START_TEST(counts_above_what_one_system_call_moves_work)
{
    char *memory = large_memory(LARGE);
    int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
    rio_t *reader = reader_of(zero);

    ck_assert_int_eq(rio_readn(zero, memory, LARGE), (ssize_t)LARGE);
    ck_assert_int_eq(rio_readnb(reader, memory, LARGE), (ssize_t)LARGE);
    ck_assert_int_eq(rio_writen(null, memory, LARGE), (ssize_t)LARGE);
}
END_TEST

/* ---- rio_writen ---- */

struct delivery {
    int fd;
    const char *bytes;
    size_t n;
};

/* Reads slowly, with system calls alone, and says by 0 that what came is what was expected. */
static int read_slowly(void *arg)
{
    const struct delivery *expected = arg;
    char buf[65536];
    size_t came = 0;
    ssize_t n;

    while (came < expected->n && (n = read(expected->fd, buf, sizeof buf)) > 0) {
        if ((size_t)n > expected->n - came || memcmp(buf, expected->bytes + came, (size_t)n) != 0)
            return 1;
        came += (size_t)n;
        sleep_ms(1);
    }
    return came == expected->n ? 0 : 2;
}

static void write_to_a_slow_reader(const int ends[2])
{
    struct delivery all = {ends[0], lines_of(MEGABYTES), MEGABYTES};
    pid_t receiver = in_child(read_slowly, &all);

    errno = UNTOUCHED;
    ck_assert_int_eq(rio_writen(ends[1], all.bytes, all.n), (ssize_t)all.n);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(status_of(receiver), 0);
}

START_TEST(writen_goes_on_after_short_writes)
{
    int ends[2];

    socket_pair(ends);
    write_to_a_slow_reader(ends);
}
END_TEST

START_TEST(writen_waits_for_an_O_NONBLOCK_pipe)
{
    int ends[2];

    pipe_pair(ends);
    make_nonblocking(ends[1]);
    write_to_a_slow_reader(ends);
}
END_TEST

START_TEST(writen_waits_for_an_O_NONBLOCK_socket)
{
    int ends[2];

    socket_pair(ends);
    make_nonblocking(ends[1]);
    write_to_a_slow_reader(ends);
}
END_TEST

START_TEST(writen_reports_a_send_timeout_in_mid_message)
{
    int ends[2];

    socket_pair(ends);
    limit_ms(ends[1], SO_SNDTIMEO, 50);
    ck_assert_fails(rio_writen(ends[1], lines_of(MEGABYTES), MEGABYTES), EAGAIN);
}
END_TEST

START_TEST(writen_takes_a_write_of_0_bytes_for_a_full_device)
{
    sated_fd = file_of("", 0);
    ck_assert_fails(rio_writen(sated_fd, "abc", 3), ENOSPC);
    ck_assert_fails(rio_writen(open("/dev/full", O_WRONLY), "abc", 3), ENOSPC);
}
END_TEST

START_TEST(a_failure_without_errno_is_a_failure)
{
    char buf[8];
    size_t moved = 99;

    silent_fd = file_of("abc", 3);
    errno = 0;
    ck_assert_int_eq(rio_readn(silent_fd, buf, 3), -1);
    ck_assert_int_eq(rio_writen(silent_fd, "abc", 3), -1);
    ck_assert_int_eq(csapp_readn(silent_fd, buf, 3, -1, &moved), -1);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(csapp_writen(silent_fd, "abc", 3, -1, &moved), -1);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(sio_dprintf(silent_fd, "abc"), -1);
    ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(writen_to_a_socket_without_peer_is_EPIPE_and_no_SIGPIPE)
{
    int ends[2];

    socket_pair(ends);
    close(ends[0]);
    ck_assert_fails(rio_writen(ends[1], "abc", 3), EPIPE);
}
END_TEST

static void write_to_a_broken_pipe(void *arg)
{
    int ends[2];

    (void)arg;
    pipe_pair(ends);
    close(ends[0]);
    rio_writen(ends[1], "abc", 3);
}

START_TEST(writen_to_a_pipe_without_reader_raises_SIGPIPE)
{
    ck_assert_int_eq(outcome_of(write_to_a_broken_pipe, NULL).status, 128 + SIGPIPE);
}
END_TEST

START_TEST(writen_to_a_pipe_without_reader_is_EPIPE_where_SIGPIPE_is_ignored)
{
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    pipe_pair(ends);
    close(ends[0]);
    ck_assert_fails(rio_writen(ends[1], "abc", 3), EPIPE);
}
END_TEST

START_TEST(writen_writes_to_a_file_and_leaves_errno_alone)
{
    int fd = file_of("", 0);
    char buf[8];

    errno = UNTOUCHED;
    ck_assert_int_eq(rio_writen(fd, "abc", 3), 3);
    ck_assert_int_eq(rio_writen(fd, "", 0), 0);
    ck_assert_int_eq(rio_writen(fd, NULL, 0), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(pread(fd, buf, sizeof buf, 0), 3);
    ck_assert_mem_eq(buf, "abc", 3);
}
END_TEST

START_TEST(writen_refuses_NULL_bad_counts_and_bad_descriptors)
{
    int fd = file_of("", 0);
    struct stat status;

    ck_assert_fails(rio_writen(fd, NULL, 1), EFAULT);
    ck_assert_fails(rio_writen(fd, "abc", (size_t)-1), EINVAL);
    ck_assert_fails(rio_writen(fd, "abc", (size_t)SSIZE_MAX + 1), EINVAL);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(status.st_size, 0);
    ck_assert_fails(rio_writen(-1, "abc", 3), EBADF);
    ck_assert_fails(rio_writen(open("/dev/null", O_RDONLY), "abc", 3), EBADF);
}
END_TEST

/* ---- rio_readlineb ---- */

START_TEST(readlineb_gives_line_after_line_and_0_at_the_end)
{
    rio_t *reader = reader_of_text("one\n\nthree\n");
    char buf[16];

    ck_assert_line(reader, "one\n");
    ck_assert_line(reader, "\n");
    ck_assert_line(reader, "three\n");
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readlineb(reader, buf, sizeof buf), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

START_TEST(the_last_line_may_lack_its_newline)
{
    rio_t *reader = reader_of_text("one\nlast");

    ck_assert_line(reader, "one\n");
    ck_assert_line(reader, "last");
}
END_TEST

START_TEST(readlineb_leaves_usrbuf_alone_at_the_end_of_the_file)
{
    rio_t *reader = reader_of_text("");
    char buf[8] = "-------";

    ck_assert_int_eq(rio_readlineb(reader, buf, sizeof buf), 0);
    ck_assert_mem_eq(buf, "-------", 8);
    ck_assert_int_eq(rio_readnb(reader, buf, sizeof buf), 0);
    ck_assert_mem_eq(buf, "-------", 8);
}
END_TEST

START_TEST(a_line_may_hold_bytes_of_any_value)
{
    char all[257], buf[300];
    rio_t *reader;
    int i;

    for (i = 0; i < 256; i++)
        all[i] = (char)(i == '\n' ? 0 : i);
    all[256] = '\n';
    reader = reader_of(file_of(all, sizeof all));
    ck_assert_int_eq(rio_readlineb(reader, buf, sizeof buf), 257);
    ck_assert_mem_eq(buf, all, 257);
    ck_assert_int_eq(buf[257], 0);
}
END_TEST

START_TEST(a_line_longer_than_maxlen_comes_in_pieces)
{
    rio_t *reader = reader_of_text("abcdefg\nh\n");
    char buf[4];

    ck_assert_int_eq(rio_readlineb(reader, buf, 4), 3);
    ck_assert_str_eq(buf, "abc");
    ck_assert_int_eq(rio_readlineb(reader, buf, 4), 3);
    ck_assert_str_eq(buf, "def");
    ck_assert_int_eq(rio_readlineb(reader, buf, 4), 2);
    ck_assert_str_eq(buf, "g\n");
    ck_assert_int_eq(rio_readlineb(reader, buf, 4), 2);
    ck_assert_str_eq(buf, "h\n");
}
END_TEST

START_TEST(a_line_as_long_as_maxlen_allows_leaves_nothing_for_the_next_call)
{
    rio_t *reader = reader_of_text("abc\nd\n");
    char buf[5];

    ck_assert_int_eq(rio_readlineb(reader, buf, 5), 4);
    ck_assert_str_eq(buf, "abc\n");
    ck_assert_int_eq(rio_readlineb(reader, buf, 4), 2);
    ck_assert_str_eq(buf, "d\n");
}
END_TEST

START_TEST(maxlen_0_is_EINVAL_and_writes_nothing)
{
    rio_t *reader = reader_of_text("abc\n");
    char buf[4] = "---";

    ck_assert_fails(rio_readlineb(reader, buf, 0), EINVAL);
    ck_assert_mem_eq(buf, "---", 4);
    ck_assert_line(reader, "abc\n");
}
END_TEST

START_TEST(maxlen_1_stores_a_NUL_and_reads_nothing)
{
    int fd = file_of("abc\n", 4);
    rio_t *reader = reader_of(fd);
    char buf[4] = "---";

    ck_assert_int_eq(rio_readlineb(reader, buf, 1), 0);
    ck_assert_mem_eq(buf, "\0--", 4);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
    ck_assert_line(reader, "abc\n");
}
END_TEST

START_TEST(nothing_past_the_NUL_is_written)
{
    char text[128], buf[256], untouched[256];
    size_t len, offset;

    memset(untouched, '#', sizeof untouched);
    for (len = 1; len < 100; len++)
        for (offset = 0; offset < 16; offset += 5) {
            rio_t reader;
            int fd;

            memset(text, 'x', len - 1);
            strcpy(text + len - 1, "\nnext line\n");
            fd = file_of(text, strlen(text));
            rio_readinitb(&reader, fd);
            memset(buf, '#', sizeof buf);
            ck_assert_int_eq(rio_readlineb(&reader, buf + offset, MAXLINE), (ssize_t)len);
            ck_assert_mem_eq(buf, untouched, offset);
            ck_assert_mem_eq(buf + offset, text, len);
            ck_assert_int_eq(buf[offset + len], 0);
            ck_assert_mem_eq(buf + offset + len + 1, untouched, sizeof buf - offset - len - 1);
            close(fd);
        }
}
END_TEST

START_TEST(maxlen_may_exceed_the_array_if_the_line_does_not)
{
    static const size_t claims[] = {MAXLINE, 1 << 20, SSIZE_MAX};
    char text[512];
    size_t i, len;

    for (i = 0; i < 3; i++)
        for (len = 1; len < 200; len++) {
            char *buf = before_guard_page(len + 1);
            rio_t reader;
            int fd;

            memset(text, 'x', sizeof text);
            text[len - 1] = '\n';
            fd = file_of(text, sizeof text);
            rio_readinitb(&reader, fd);
            ck_assert_int_eq(rio_readlineb(&reader, buf, claims[i]), (ssize_t)len);
            ck_assert_mem_eq(buf, text, len);
            ck_assert_int_eq(buf[len], 0);
            close(fd);
            munmap((char *)((uintptr_t)buf & ~(uintptr_t)4095), 8192);
        }
}
END_TEST

/* Lines of every length around the buffer's size, each in an array that just holds it. */
START_TEST(lines_that_cross_the_buffers_end_are_whole_and_stay_in_their_array)
{
    size_t len;

    for (len = RIO_BUFSIZE - 40; len < RIO_BUFSIZE + 40; len += 3) {
        size_t n = 5 * len + 4, at = 0;
        char *text = lines_of(n), *buf = before_guard_page(len + 1);
        rio_t *reader;
        int fd;

        memset(text, 'x', n);
        for (at = len - 1; at < n; at += len)
            text[at] = '\n';
        fd = file_of(text, n);
        reader = reader_of(fd);
        for (at = 0; at < 5 * len; at += len) {
            ck_assert_int_eq(rio_readlineb(reader, buf, 2 * RIO_BUFSIZE), (ssize_t)len);
            ck_assert_mem_eq(buf, text + at, len);
            ck_assert_int_eq(buf[len], 0);
        }
        ck_assert_line(reader, "xxxx");
        close(fd);
        free(text);
    }
}
END_TEST

START_TEST(the_end_of_the_file_is_not_sticky)
{
    int fd = file_of("one\n", 4);
    rio_t *reader = reader_of(fd);
    char buf[8];

    ck_assert_line(reader, "one\n");
    ck_assert_int_eq(rio_readlineb(reader, buf, sizeof buf), 0);
    ck_assert_int_eq(rio_readnb(reader, buf, sizeof buf), 0);
    send_text(fd, "two\n");
    ck_assert_int_eq(lseek(fd, 4, SEEK_SET), 4);
    ck_assert_line(reader, "two\n");
}
END_TEST

/* ---- rio_readnb ---- */

START_TEST(readnb_goes_on_after_short_reads)
{
    int ends[2];
    char buf[16];
    pid_t sender;

    pipe_pair(ends);
    sender = in_child(send_in_pieces, &ends[1]);
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readnb(reader_of(ends[0]), buf, 11), 11);
    ck_assert_mem_eq(buf, "onetwothree", 11);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(status_of(sender), 0);
}
END_TEST

START_TEST(readnb_gives_a_short_count_at_the_end_of_the_file)
{
    rio_t *reader = reader_of_text("abc");
    char buf[8] = "-------";

    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readnb(reader, buf, 0), 0);
    ck_assert_int_eq(rio_readnb(reader, buf, 8), 3);
    ck_assert_mem_eq(buf, "abc----", 8);
    ck_assert_int_eq(rio_readnb(reader, buf, 8), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

START_TEST(readnb_and_readlineb_mix_freely)
{
    size_t n = 300000, at = 0, round = 0;
    char *text = lines_of(n), *buf = malloc(n);
    rio_t *reader = reader_of(file_of(text, n));

    while (at < n) {
        static const size_t sizes[] = {1, 7, 100, 4096, 8191, 8192, 8193, 20000};
        size_t size = sizes[round++ % 8], left = n - at;
        ssize_t count;

        if (round % 3 == 0) {
            char *end = memchr(text + at, '\n', left);
            size_t line = (size_t)(end - (text + at)) + 1;

            count = rio_readlineb(reader, buf, size + 1);
            ck_assert_int_eq(count, (ssize_t)(line < size ? line : size));
            ck_assert_int_eq(buf[count], 0);
        } else {
            count = rio_readnb(reader, buf, size);
            ck_assert_int_eq(count, (ssize_t)(size < left ? size : left));
        }
        ck_assert_mem_eq(buf, text + at, (size_t)count);
        at += (size_t)count;
    }
    ck_assert_int_eq(rio_readnb(reader, buf, 1), 0);
}
END_TEST

START_TEST(readnb_reads_large_counts_past_the_buffer)
{
    size_t n = 5 + 3 * RIO_BUFSIZE;
    char *text = lines_of(n), *buf = before_guard_page(n);
    int fd = file_of(text, n);
    rio_t *reader = reader_of(fd);

    /* What the buffer does not hold, it need not copy: nothing has been read ahead after it. */
    ck_assert_int_eq(rio_readnb(reader, buf, 2 * RIO_BUFSIZE), 2 * RIO_BUFSIZE);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 2 * RIO_BUFSIZE);
    ck_assert_int_eq(rio_readnb(reader, buf + 2 * RIO_BUFSIZE, RIO_BUFSIZE + 5),
                     RIO_BUFSIZE + 5);
    ck_assert_mem_eq(buf, text, n);
}
END_TEST

/* ---- A failed buffered call consumes nothing ---- */

START_TEST(after_a_receive_timeout_in_mid_line_the_next_call_gives_the_whole_line)
{
    int ends[2];
    char buf[64] = "";
    rio_t *reader;

    socket_pair(ends);
    limit_ms(ends[0], SO_RCVTIMEO, 30);
    reader = reader_of(ends[0]);
    send_text(ends[1], "first\nhalf a ");
    ck_assert_line(reader, "first\n");
    ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), EAGAIN);
    ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), EAGAIN);
    send_text(ends[1], "line\nnext\n");
    ck_assert_line(reader, "half a line\n");
    ck_assert_line(reader, "next\n");
}
END_TEST

START_TEST(on_an_O_NONBLOCK_descriptor_readlineb_is_EAGAIN_until_the_line_is_complete)
{
    static const char line[] = "a line that comes byte by byte\n";
    int ends[2];
    char buf[64];
    rio_t *reader;
    size_t i;

    socket_pair(ends);
    make_nonblocking(ends[0]);
    reader = reader_of(ends[0]);
    for (i = 0; i < strlen(line); i++) {
        ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), EAGAIN);
        send_bytes(ends[1], &line[i], 1);
    }
    ck_assert_line(reader, line);
}
END_TEST

START_TEST(after_a_failure_either_call_finds_all_bytes_again)
{
    int ends[2];
    char buf[20000];
    rio_t *reader;

    socket_pair(ends);
    make_nonblocking(ends[0]);
    reader = reader_of(ends[0]);
    send_text(ends[1], "abc");
    ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), EAGAIN);
    ck_assert_fails(rio_readnb(reader, buf, 4), EAGAIN);
    ck_assert_int_eq(rio_readnb(reader, buf, 2), 2);
    ck_assert_mem_eq(buf, "ab", 2);
    ck_assert_fails(rio_readnb(reader, buf, sizeof buf), EAGAIN);
    send_text(ends[1], "d\n");
    ck_assert_line(reader, "cd\n");
}
END_TEST

START_TEST(an_error_in_mid_line_leaves_the_line_for_after_it)
{
    int ends[2];
    char buf[64];
    rio_t *reader;

    socket_pair(ends);
    reader = reader_of(ends[0]);
    send_text(ends[0], "never read");
    send_text(ends[1], "last words");
    close(ends[1]);
    ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), ECONNRESET);
    ck_assert_line(reader, "last words");
    ck_assert_int_eq(rio_readlineb(reader, buf, sizeof buf), 0);
}
END_TEST

START_TEST(just_RIO_BUFSIZE_gathered_bytes_go_back)
{
    int ends[2];
    char *text = lines_of(2 * RIO_BUFSIZE), *buf = malloc(3 * RIO_BUFSIZE);
    rio_t *reader;

    socket_pair(ends);
    make_nonblocking(ends[0]);
    reader = reader_of(ends[0]);
    memset(text, 'x', RIO_BUFSIZE);
    send_bytes(ends[1], text, RIO_BUFSIZE);
    ck_assert_fails(rio_readlineb(reader, buf, 3 * RIO_BUFSIZE), EAGAIN);
    ck_assert_fails(rio_readnb(reader, buf, 2 * RIO_BUFSIZE), EAGAIN);
    ck_assert_int_eq(rio_readnb(reader, buf, RIO_BUFSIZE), RIO_BUFSIZE);
    ck_assert_mem_eq(buf, text, RIO_BUFSIZE);
}
END_TEST

#define GATHERED 20000

/* A reader one of whose calls has failed with GATHERED bytes 'x' in buf. */
static rio_t *suspended_reader(int ends[2], char *buf, size_t n, int by_line)
{
    char *text = malloc(GATHERED);
    rio_t *reader;

    socket_pair(ends);
    make_nonblocking(ends[0]);
    reader = reader_of(ends[0]);
    memset(text, 'x', GATHERED);
    send_bytes(ends[1], text, GATHERED);
    memset(buf, '#', n);
    if (by_line)
        ck_assert_fails(rio_readlineb(reader, buf, n), EAGAIN);
    else
        ck_assert_fails(rio_readnb(reader, buf, n), EAGAIN);
    ck_assert_mem_eq(buf, text, GATHERED);
    ck_assert_int_eq(buf[GATHERED], '#');
    ck_assert_int_lt(reader->rio_cnt, 0);
    return reader;
}

/* Expects that all except the continuation of the failed call is refused. */
static void expect_refusals(rio_t *reader, char *buf, size_t n, int by_line)
{
    char *other = malloc(n + 1);

    ck_assert_fails(rio_readlineb(reader, other, n), EINVAL);
    ck_assert_fails(rio_readnb(reader, other, n), EINVAL);
    ck_assert_fails(rio_readlineb(reader, buf + 1, n), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf + 1, n), EINVAL);
    ck_assert_fails(rio_readlineb(reader, buf, n - 1), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, n - 1), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, 0), EINVAL);
    if (by_line)
        ck_assert_fails(rio_readnb(reader, buf, n), EINVAL);
    else
        ck_assert_fails(rio_readlineb(reader, buf, n), EINVAL);
    free(other);
}

START_TEST(with_more_than_RIO_BUFSIZE_gathered_the_same_readlineb_goes_on)
{
    int ends[2];
    size_t n = 2 * GATHERED;
    char *buf = malloc(n), *line = malloc(n);
    rio_t *reader = suspended_reader(ends, buf, n, 1);

    expect_refusals(reader, buf, n, 1);
    ck_assert_fails(rio_readlineb(reader, buf, n), EAGAIN);
    expect_refusals(reader, buf, n, 1);
    send_text(ends[1], "the rest\nnext\n");
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readlineb(reader, buf, n), GATHERED + 9);
    ck_assert_int_eq(errno, UNTOUCHED);
    memset(line, 'x', GATHERED);
    strcpy(line + GATHERED, "the rest\n");
    ck_assert_str_eq(buf, line);
    ck_assert_int_eq(buf[GATHERED + 10], '#');
    ck_assert_line(reader, "next\n");
}
END_TEST

START_TEST(with_more_than_RIO_BUFSIZE_gathered_the_same_readnb_goes_on)
{
    int ends[2];
    size_t n = GATHERED + 5;
    char *buf = malloc(n + 100), *all = malloc(n);
    rio_t *reader = suspended_reader(ends, buf, n, 0);

    expect_refusals(reader, buf, n, 0);
    send_text(ends[1], "rest");
    ck_assert_fails(rio_readnb(reader, buf, n), EAGAIN);
    expect_refusals(reader, buf, n, 0);
    send_text(ends[1], "!next\n");
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readnb(reader, buf, n), (ssize_t)n);
    ck_assert_int_eq(errno, UNTOUCHED);
    memset(all, 'x', GATHERED);
    memcpy(all + GATHERED, "rest!", 5);
    ck_assert_mem_eq(buf, all, n);
    ck_assert_line(reader, "next\n");
}
END_TEST

START_TEST(a_suspended_call_may_go_on_with_a_larger_count)
{
    int ends[2];
    char *buf = malloc(3 * GATHERED);
    rio_t *reader = suspended_reader(ends, buf, GATHERED + 5, 0);

    send_text(ends[1], "0123456789");
    ck_assert_int_eq(rio_readnb(reader, buf, GATHERED + 10), GATHERED + 10);
    ck_assert_mem_eq(buf + GATHERED, "0123456789", 10);
}
END_TEST

START_TEST(a_suspended_call_may_find_the_end_of_the_file)
{
    int ends[2];
    char *buf = malloc(2 * GATHERED);
    rio_t *reader = suspended_reader(ends, buf, 2 * GATHERED, 1);

    close(ends[1]);
    ck_assert_int_eq(rio_readlineb(reader, buf, 2 * GATHERED), GATHERED);
    ck_assert_int_eq(buf[GATHERED], 0);
    ck_assert_int_eq(rio_readlineb(reader, buf, 2 * GATHERED), 0);
}
END_TEST

START_TEST(readinitb_takes_a_suspended_reader_back_into_use)
{
    int ends[2];
    char *buf = malloc(2 * GATHERED);
    rio_t *reader = suspended_reader(ends, buf, 2 * GATHERED, 1);

    rio_readinitb(reader, ends[0]);
    send_text(ends[1], "fresh\n");
    ck_assert_line(reader, "fresh\n");
}
END_TEST

/* ---- Readers that cannot be right ---- */

static void expect_useless(rio_t *reader)
{
    char buf[16] = "---------------";

    ck_assert_fails(rio_readlineb(reader, buf, sizeof buf), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, sizeof buf), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, 0), EINVAL);
    ck_assert_fails(rio_readlineb(reader, buf, 1), EINVAL);
    ck_assert_str_eq(buf, "---------------");
}

START_TEST(a_reader_that_was_never_initialised_is_EINVAL)
{
    rio_t reader;
    int byte;

    for (byte = 0; byte < 256; byte += 5) {
        memset(&reader, byte, sizeof reader);
        expect_useless(&reader);
    }
}
END_TEST

START_TEST(a_copied_reader_goes_on_and_the_original_as_well)
{
    rio_t *reader = reader_of_text("one\ntwo\n");
    rio_t copy;

    ck_assert_line(reader, "one\n");
    copy = *reader;
    ck_assert_line(&copy, "two\n");
    ck_assert_line(reader, "two\n");
}
END_TEST

START_TEST(a_damaged_reader_is_EINVAL)
{
    static const int counts[] = {-1, -2, -3, INT_MIN, INT_MAX, RIO_BUFSIZE + 1};
    rio_t reader;
    size_t i;

    for (i = 0; i < sizeof counts / sizeof *counts; i++) {
        memset(&reader, 0, sizeof reader);
        rio_readinitb(&reader, 0);
        reader.rio_cnt = counts[i];
        expect_useless(&reader);
    }
    rio_readinitb(&reader, 0);
    reader.rio_bufptr += RIO_BUFSIZE + 1;
    expect_useless(&reader);
    rio_readinitb(&reader, 0);
    reader.rio_bufptr -= 1;
    expect_useless(&reader);
    rio_readinitb(&reader, 0);
    reader.rio_bufptr += RIO_BUFSIZE;
    reader.rio_cnt = 1;
    expect_useless(&reader);
}
END_TEST

START_TEST(buffered_calls_refuse_NULL_and_bad_counts)
{
    rio_t *reader = reader_of_text("abc\n");
    char buf[8];

    ck_assert_fails(rio_readlineb(NULL, buf, 8), EFAULT);
    ck_assert_fails(rio_readnb(NULL, buf, 8), EFAULT);
    ck_assert_fails(rio_readlineb(reader, NULL, 8), EFAULT);
    ck_assert_fails(rio_readnb(reader, NULL, 8), EFAULT);
    ck_assert_int_eq(rio_readnb(reader, NULL, 0), 0);
    ck_assert_fails(rio_readlineb(reader, buf, (size_t)-1), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, (size_t)-1), EINVAL);
    ck_assert_fails(rio_readnb(reader, buf, (size_t)SSIZE_MAX + 1), EINVAL);
    errno = 0;
    rio_readinitb(NULL, 0);
    ck_assert_int_eq(errno, EFAULT);
    ck_assert_line(reader, "abc\n");
}
END_TEST

START_TEST(buffered_calls_report_a_bad_descriptor)
{
    rio_t *reader = reader_of(-1);
    char buf[8];

    ck_assert_fails(rio_readlineb(reader, buf, 8), EBADF);
    ck_assert_fails(rio_readnb(reader, buf, 8), EBADF);
}
END_TEST

START_TEST(readinitb_leaves_errno_alone_and_drops_what_was_read_ahead)
{
    rio_t *reader = reader_of_text("one\ntwo\n");

    ck_assert_line(reader, "one\n");
    errno = UNTOUCHED;
    rio_readinitb(reader, file_of("new\n", 4));
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_line(reader, "new\n");
}
END_TEST

/* ---- Signals ---- */

/* Sends everything, under a storm of its own, with pauses in which the receiver must block. */
static int send_in_storm(void *arg)
{
    const struct delivery *all = arg;
    size_t sent = 0;

    start_storm();
    while (sent < all->n) {
        size_t n = all->n - sent < 50021 ? all->n - sent : 50021;

        if (rio_writen(all->fd, all->bytes + sent, n) != (ssize_t)n)
            return 1;
        sent += n;
        sleep_ms(2);
    }
    end_storm();
    return interruptions > 0 ? 0 : 2;
}

/* Receives everything in a storm, by lines or, for chunk != 0, by readn or readnb. */
static void receive_in_storm(int buffered, size_t chunk)
{
    int ends[2];
    struct delivery all = {0, lines_of(MEGABYTES), MEGABYTES};
    size_t came = 0, room = chunk ? chunk : MAXLINE;
    char *buf = malloc(room);
    rio_t *reader;
    pid_t sender;
    ssize_t n;

    socket_pair(ends);
    all.fd = ends[1];
    sender = in_child(send_in_storm, &all);
    close(ends[1]);
    reader = reader_of(ends[0]);
    start_storm();
    for (;;) {
        if (!buffered)
            n = rio_readn(ends[0], buf, room);
        else if (chunk)
            n = rio_readnb(reader, buf, room);
        else
            n = rio_readlineb(reader, buf, room);
        ck_assert_int_ge(n, 0);
        if (n == 0)
            break;
        ck_assert_uint_le((size_t)n, all.n - came);
        ck_assert_mem_eq(buf, all.bytes + came, (size_t)n);
        came += (size_t)n;
        if (chunk && came < all.n)
            ck_assert_int_eq(n, (ssize_t)chunk);
    }
    end_storm();
    ck_assert_uint_eq(came, all.n);
    ck_assert_int_gt(interruptions, 0);
    ck_assert_int_eq(status_of(sender), 0);
}

START_TEST(in_a_storm_of_signals_lines_arrive_whole_and_once)
{
    receive_in_storm(1, 0);
}
END_TEST

START_TEST(in_a_storm_of_signals_readnb_misses_nothing)
{
    receive_in_storm(1, 12345);
}
END_TEST

START_TEST(in_a_storm_of_signals_readn_misses_nothing)
{
    receive_in_storm(0, 12345);
}
END_TEST

START_TEST(in_a_storm_of_signals_writen_sends_whole_and_once)
{
    int ends[2];
    struct delivery all = {0, lines_of(MEGABYTES), MEGABYTES};
    pid_t receiver;

    pipe_pair(ends);
    all.fd = ends[0];
    receiver = in_child(read_slowly, &all);
    start_storm();
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_writen(ends[1], all.bytes, all.n), (ssize_t)all.n);
    ck_assert_int_eq(errno, UNTOUCHED);
    end_storm();
    ck_assert_int_gt(interruptions, 0);
    ck_assert_int_eq(status_of(receiver), 0);
}
END_TEST

/* ---- The checked wrappers ---- */

static void checked_readn(void *arg)
{
    char buf[8];

    (void)arg;
    Rio_readn(-1, buf, sizeof buf);
}

static void checked_writen(void *arg)
{
    (void)arg;
    Rio_writen(-1, "abc", 3);
}

/* An error code cast to size_t, on a descriptor where every byte would be seen. */
static void checked_writen_of_minus_1(void *arg)
{
    (void)arg;
    Rio_writen(STDERR_FILENO, "abc", (size_t)-1);
}

static void checked_readinitb(void *arg)
{
    (void)arg;
    Rio_readinitb(NULL, 0);
}

static void checked_readnb(void *arg)
{
    rio_t reader;
    char buf[8];

    (void)arg;
    rio_readinitb(&reader, -1);
    Rio_readnb(&reader, buf, sizeof buf);
}

static void checked_readlineb(void *arg)
{
    rio_t reader;
    char buf[8];

    (void)arg;
    rio_readinitb(&reader, -1);
    Rio_readlineb(&reader, buf, sizeof buf);
}

START_TEST(the_checked_calls_report_and_exit_1)
{
    static const struct {
        void (*body)(void *);
        const char *report;
    } calls[] = {
        {checked_readn, "Rio_readn error: Bad file descriptor\n"},
        {checked_writen, "Rio_writen error: Bad file descriptor\n"},
        {checked_writen_of_minus_1, "Rio_writen error: Invalid argument\n"},
        {checked_readinitb, "Rio_readinitb error: Bad address\n"},
        {checked_readnb, "Rio_readnb error: Bad file descriptor\n"},
        {checked_readlineb, "Rio_readlineb error: Bad file descriptor\n"},
    };
    size_t i;

    for (i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct outcome seen = outcome_of(calls[i].body, NULL);

        ck_assert_str_eq(seen.err, calls[i].report);
        ck_assert_int_eq(seen.status, 1);
    }
}
END_TEST

static void all_return_what_failed(void *arg)
{
    rio_t reader;
    char buf[8];

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    rio_readinitb(&reader, -1);
    ck_assert_fails(Rio_readn(-1, buf, sizeof buf), EBADF);
    ck_assert_fails(Rio_readnb(&reader, buf, sizeof buf), EBADF);
    ck_assert_fails(Rio_readlineb(&reader, buf, sizeof buf), EBADF);
    ck_assert_fails(Rio_readlineb(&reader, buf, 0), EINVAL);
    Rio_writen(-1, "abc", 3);
    ck_assert_int_eq(errno, EBADF);
    Rio_readinitb(NULL, 0);
    ck_assert_int_eq(errno, EFAULT);
    _exit(42);
}

START_TEST(if_the_handler_returns_the_checked_calls_give_minus_1_and_errno)
{
    ck_assert_int_eq(outcome_of(all_return_what_failed, NULL).status, 42);
}
END_TEST

START_TEST(the_checked_calls_do_what_the_plain_ones_do)
{
    int ends[2];
    rio_t reader;
    char buf[8];

    pipe_pair(ends);
    errno = UNTOUCHED;
    Rio_writen(ends[1], "abc\ndefghi", 10);
    close(ends[1]);
    ck_assert_int_eq(Rio_readn(ends[0], buf, 2), 2);
    ck_assert_mem_eq(buf, "ab", 2);
    Rio_readinitb(&reader, ends[0]);
    ck_assert_int_eq(Rio_readlineb(&reader, buf, sizeof buf), 2);
    ck_assert_str_eq(buf, "c\n");
    ck_assert_int_eq(Rio_readnb(&reader, buf, sizeof buf), 6);
    ck_assert_mem_eq(buf, "defghi", 6);
    ck_assert_int_eq(Rio_readlineb(&reader, buf, sizeof buf), 0);
    ck_assert_int_eq(errno, UNTOUCHED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("rio");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, readn_goes_on_after_short_reads);
    tcase_add_test(tests, readn_gives_a_short_count_at_the_end_of_the_file_and_then_0);
    tcase_add_test(tests, readn_of_nothing_is_0_even_from_NULL);
    tcase_add_test(tests, readn_waits_for_an_O_NONBLOCK_descriptor);
    tcase_add_test(tests, readn_reports_a_receive_timeout_in_mid_message);
    tcase_add_test(tests, readn_reports_that_the_peer_has_gone);
    tcase_add_test(tests, readn_refuses_NULL_bad_counts_and_bad_descriptors);
    tcase_add_test(tests, counts_above_what_one_system_call_moves_work);
    tcase_add_test(tests, writen_goes_on_after_short_writes);
    tcase_add_test(tests, writen_waits_for_an_O_NONBLOCK_pipe);
    tcase_add_test(tests, writen_waits_for_an_O_NONBLOCK_socket);
    tcase_add_test(tests, writen_reports_a_send_timeout_in_mid_message);
    tcase_add_test(tests, writen_takes_a_write_of_0_bytes_for_a_full_device);
    tcase_add_test(tests, a_failure_without_errno_is_a_failure);
    tcase_add_test(tests, writen_to_a_socket_without_peer_is_EPIPE_and_no_SIGPIPE);
    tcase_add_test(tests, writen_to_a_pipe_without_reader_raises_SIGPIPE);
    tcase_add_test(tests, writen_to_a_pipe_without_reader_is_EPIPE_where_SIGPIPE_is_ignored);
    tcase_add_test(tests, writen_writes_to_a_file_and_leaves_errno_alone);
    tcase_add_test(tests, writen_refuses_NULL_bad_counts_and_bad_descriptors);
    tcase_add_test(tests, readlineb_gives_line_after_line_and_0_at_the_end);
    tcase_add_test(tests, the_last_line_may_lack_its_newline);
    tcase_add_test(tests, readlineb_leaves_usrbuf_alone_at_the_end_of_the_file);
    tcase_add_test(tests, a_line_may_hold_bytes_of_any_value);
    tcase_add_test(tests, a_line_longer_than_maxlen_comes_in_pieces);
    tcase_add_test(tests, a_line_as_long_as_maxlen_allows_leaves_nothing_for_the_next_call);
    tcase_add_test(tests, maxlen_0_is_EINVAL_and_writes_nothing);
    tcase_add_test(tests, maxlen_1_stores_a_NUL_and_reads_nothing);
    tcase_add_test(tests, nothing_past_the_NUL_is_written);
    tcase_add_test(tests, maxlen_may_exceed_the_array_if_the_line_does_not);
    tcase_add_test(tests, lines_that_cross_the_buffers_end_are_whole_and_stay_in_their_array);
    tcase_add_test(tests, the_end_of_the_file_is_not_sticky);
    tcase_add_test(tests, readnb_goes_on_after_short_reads);
    tcase_add_test(tests, readnb_gives_a_short_count_at_the_end_of_the_file);
    tcase_add_test(tests, readnb_and_readlineb_mix_freely);
    tcase_add_test(tests, readnb_reads_large_counts_past_the_buffer);
    tcase_add_test(tests, after_a_receive_timeout_in_mid_line_the_next_call_gives_the_whole_line);
    tcase_add_test(tests, on_an_O_NONBLOCK_descriptor_readlineb_is_EAGAIN_until_the_line_is_complete);
    tcase_add_test(tests, after_a_failure_either_call_finds_all_bytes_again);
    tcase_add_test(tests, an_error_in_mid_line_leaves_the_line_for_after_it);
    tcase_add_test(tests, just_RIO_BUFSIZE_gathered_bytes_go_back);
    tcase_add_test(tests, with_more_than_RIO_BUFSIZE_gathered_the_same_readlineb_goes_on);
    tcase_add_test(tests, with_more_than_RIO_BUFSIZE_gathered_the_same_readnb_goes_on);
    tcase_add_test(tests, a_suspended_call_may_go_on_with_a_larger_count);
    tcase_add_test(tests, a_suspended_call_may_find_the_end_of_the_file);
    tcase_add_test(tests, readinitb_takes_a_suspended_reader_back_into_use);
    tcase_add_test(tests, a_reader_that_was_never_initialised_is_EINVAL);
    tcase_add_test(tests, a_copied_reader_goes_on_and_the_original_as_well);
    tcase_add_test(tests, a_damaged_reader_is_EINVAL);
    tcase_add_test(tests, buffered_calls_refuse_NULL_and_bad_counts);
    tcase_add_test(tests, buffered_calls_report_a_bad_descriptor);
    tcase_add_test(tests, readinitb_leaves_errno_alone_and_drops_what_was_read_ahead);
    tcase_add_test(tests, in_a_storm_of_signals_lines_arrive_whole_and_once);
    tcase_add_test(tests, in_a_storm_of_signals_readnb_misses_nothing);
    tcase_add_test(tests, in_a_storm_of_signals_readn_misses_nothing);
    tcase_add_test(tests, in_a_storm_of_signals_writen_sends_whole_and_once);
    tcase_add_test(tests, the_checked_calls_report_and_exit_1);
    tcase_add_test(tests, if_the_handler_returns_the_checked_calls_give_minus_1_and_errno);
    tcase_add_test(tests, the_checked_calls_do_what_the_plain_ones_do);
    return run_suite("rio", tests);
}
