/* Lines of every kind through rio_readlineb and rio_readnb: lengths around every border, every
   alignment, and guard pages that turn a byte out of bounds into a crash. */
#define _GNU_SOURCE
#include "support.h"
#include "text.h"
#include <limits.h>

#define PAGE 4096

/* A file that is open for reading at its start, with these bytes. */
static int file_of(const char *bytes, size_t len)
{
    int fd = memfd_create("lines", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    while (len > 0) {
        ssize_t count = write(fd, bytes, len);

        ck_assert_int_gt(count, 0);
        bytes += count;
        len -= (size_t)count;
    }
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* The end of a stretch of `len` writable bytes, behind which comes a page that may not be
   touched. */
static char *end_before_guard(size_t len)
{
    size_t pages = (len + PAGE - 1) / PAGE;
    char *start = mmap(NULL, (pages + 1) * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(start, MAP_FAILED);
    ck_assert_int_eq(mprotect(start + pages * PAGE, PAGE, PROT_NONE), 0);
    return start + pages * PAGE;
}

/* Each of Check's assertions leaves a note for the parent process; so the ones that hold a
   million times look first. */
#define ASSERT(condition) \
    do {                  \
        if (!(condition)) \
            ck_assert(condition); \
    } while (0)

static void assert_bytes(const char *found, const char *expected, size_t len)
{
    size_t i;

    if (memcmp(found, expected, len) == 0)
        return;
    for (i = 0; found[i] == expected[i]; i++)
        ;
    ck_abort_msg("byte %zu of %zu is %#x instead of %#x", i, len, (unsigned char)found[i],
                 (unsigned char)expected[i]);
}

/* A line of `len` bytes, the newline included. */
static char *line_of(size_t len)
{
    char *line = malloc(len + 1);
    size_t i;

    ck_assert_ptr_nonnull(line);
    for (i = 0; i + 1 < len; i++)
        line[i] = (char)('a' + i % 23);
    line[len - 1] = '\n';
    line[len] = '\0';
    return line;
}

static const size_t lengths[] = { 1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255,
                                  256, 1000, 4095, 4096, 4097, 8190, 8191, 8192, 8193, 8194,
                                  16384, 16385, 24577, 1 << 20 };
#define LENGTHS COUNT(lengths)

START_TEST(a_line_that_fits_comes_whole)
{
    size_t len = lengths[_i];
    char *line = line_of(len), *buf = malloc(len + 2);
    rio_t rio;

    memset(buf, '#', len + 2);
    rio_readinitb(&rio, file_of(line, len));
    ck_assert_int_eq(rio_readlineb(&rio, buf, len + 1), (ssize_t)len);
    assert_bytes(buf, line, len + 1);
    ck_assert_int_eq(buf[len + 1], '#');
    ck_assert_int_eq(rio_readlineb(&rio, buf, len + 1), 0);
    assert_bytes(buf, line, len + 1); /* the end of the file leaves the buffer alone */
}
END_TEST

START_TEST(a_line_one_byte_too_long_comes_in_two_pieces)
{
    size_t len = lengths[_i] + 1;
    char *line = line_of(len), *buf = malloc(len + 1);
    rio_t rio;

    rio_readinitb(&rio, file_of(line, len));
    ck_assert_int_eq(rio_readlineb(&rio, buf, len), (ssize_t)len - 1);
    assert_bytes(buf, line, len - 1);
    ck_assert_int_eq(buf[len - 1], '\0');
    ck_assert_int_eq(rio_readlineb(&rio, buf, len), 1);
    ck_assert_str_eq(buf, "\n");
    ck_assert_int_eq(rio_readlineb(&rio, buf, len), 0);
}
END_TEST

START_TEST(a_last_line_may_lack_its_newline)
{
    size_t len = lengths[_i];
    char *line = line_of(len + 1), *buf = malloc(len + 10);
    rio_t rio;

    rio_readinitb(&rio, file_of(line, len));
    ck_assert_int_eq(rio_readlineb(&rio, buf, len + 10), (ssize_t)len);
    assert_bytes(buf, line, len);
    ck_assert_int_eq(buf[len], '\0');
    ck_assert_int_eq(rio_readlineb(&rio, buf, len + 10), 0);
}
END_TEST

START_TEST(nothing_past_the_buffer_is_touched)
{
    size_t len = lengths[_i];
    char *line = line_of(len), *guard = end_before_guard(len + 1);
    rio_t rio;

    rio_readinitb(&rio, file_of(line, len));
    ck_assert_int_eq(rio_readlineb(&rio, guard - len - 1, len + 1), (ssize_t)len);
    assert_bytes(guard - len - 1, line, len + 1);
}
END_TEST

START_TEST(nothing_past_the_nul_is_touched_whatever_maxlen_says)
{
    static const size_t claims[] = { 1, 64, MAXLINE, 1 << 21, (size_t)SSIZE_MAX };
    size_t len = lengths[_i], claim;
    char *line = line_of(len), *guard = end_before_guard(len + 1);
    rio_t rio;

    for (claim = 0; claim < sizeof claims / sizeof claims[0]; claim++) {
        size_t maxlen = claims[claim];

        if (maxlen < len + 1)
            maxlen += len;
        memset(guard - len - 1, '#', len + 1);
        rio_readinitb(&rio, file_of(line, len));
        ck_assert_int_eq(rio_readlineb(&rio, guard - len - 1, maxlen), (ssize_t)len);
        assert_bytes(guard - len - 1, line, len + 1);
    }
}
END_TEST

/* A rio_t right before a guard page: a look past the end of what has been read crashes. */
START_TEST(nothing_past_the_internal_buffer_is_looked_at)
{
    size_t len = lengths[_i];
    char *line = line_of(len), *buf = malloc(len + 1);
    rio_t *rio = (rio_t *)end_before_guard(sizeof(rio_t)) - 1;

    rio_readinitb(rio, file_of(line, len));
    ck_assert_int_eq(rio_readlineb(rio, buf, len + 1), (ssize_t)len);
    assert_bytes(buf, line, len + 1);
}
END_TEST

START_TEST(maxlen_0_is_an_error)
{
    char buf[2] = "#";
    rio_t rio;

    rio_readinitb(&rio, file_of("x\n", 2));
    errno = 0;
    ck_assert_int_eq(rio_readlineb(&rio, buf, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_str_eq(buf, "#");
    ck_assert_int_eq(rio_readnb(&rio, buf, 1), 1); /* nothing was consumed */
    ck_assert_int_eq(buf[0], 'x');
}
END_TEST

START_TEST(maxlen_1_stores_a_nul_and_reads_nothing)
{
    char buf[] = "##";
    int fd = file_of("x\n", 2);
    rio_t rio;

    rio_readinitb(&rio, fd);
    ck_assert_int_eq(rio_readlineb(&rio, buf, 1), 0);
    ck_assert_int_eq(buf[0], '\0');
    ck_assert_int_eq(buf[1], '#');
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
}
END_TEST

START_TEST(maxlen_2_gives_a_byte_at_a_time)
{
    static const char text[] = "ab\n\n\0\nc";
    char buf[] = "###";
    rio_t rio;
    size_t i;

    rio_readinitb(&rio, file_of(text, sizeof text - 1));
    for (i = 0; i < sizeof text - 1; i++) {
        ck_assert_int_eq(rio_readlineb(&rio, buf, 2), 1);
        ck_assert_int_eq(buf[0], text[i]);
        ck_assert_int_eq(buf[1], '\0');
        ck_assert_int_eq(buf[2], '#');
    }
    ck_assert_int_eq(rio_readlineb(&rio, buf, 2), 0);
}
END_TEST

START_TEST(an_empty_file_has_no_line)
{
    char buf[] = "#";
    rio_t rio;

    rio_readinitb(&rio, file_of("", 0));
    ck_assert_int_eq(rio_readlineb(&rio, buf, MAXLINE), 0);
    ck_assert_str_eq(buf, "#");
}
END_TEST

START_TEST(empty_lines_are_lines)
{
    char newlines[10000], buf[3];
    rio_t rio;
    int i;

    memset(newlines, '\n', sizeof newlines);
    rio_readinitb(&rio, file_of(newlines, sizeof newlines));
    for (i = 0; i < (int)sizeof newlines; i++) {
        ASSERT(rio_readlineb(&rio, buf, sizeof buf) == 1);
        ASSERT(strcmp(buf, "\n") == 0);
    }
    ASSERT(rio_readlineb(&rio, buf, sizeof buf) == 0);
}
END_TEST

START_TEST(a_file_that_grows_goes_on_after_its_end)
{
    char buf[8];
    int fd = file_of("one", 3);
    rio_t rio;

    rio_readinitb(&rio, fd);
    ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), 3);
    ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), 0);
    ck_assert_int_eq(pwrite(fd, " two\n", 5, 3), 5);
    ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), 5);
    ck_assert_str_eq(buf, " two\n");
    ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), 0);
}
END_TEST

/* The loop that looks for the newline may treat the bytes in groups; the borders of these groups
   lie elsewhere for each place that a line may start at, here (_i) and there. */
START_TEST(every_alignment_of_source_and_destination)
{
    static const size_t some_lengths[] = { 1,   2,   15,  16,  17,  31,  32,  33,  63,
                                           64,  65,  100, 127, 128, 129, 255, 256, 257,
                                           383, 384, 385, 511, 512, 513, 641, 700 };
    enum { ALIGNMENTS = 64, MOST = 700 };
    _Alignas(64) char buf[ALIGNMENTS + MOST + 2];
    char file[ALIGNMENTS + MOST];
    size_t to, which;
    rio_t rio;
    int fd = file_of("", 0);

    for (which = 0; which < sizeof some_lengths / sizeof some_lengths[0]; which++) {
        size_t len = some_lengths[which];
        char *line = line_of(len);

        for (to = 0; to < ALIGNMENTS; to++) {
            memset(file, 'p', sizeof file);
            memcpy(file + _i, line, len);
            ASSERT(pwrite(fd, file, sizeof file, 0) == (ssize_t)sizeof file);
            ASSERT(lseek(fd, 0, SEEK_SET) == 0);
            memset(buf, '#', sizeof buf);

            rio_readinitb(&rio, fd);
            ASSERT(rio_readnb(&rio, buf, (size_t)_i) == _i);
            memset(buf, '#', sizeof buf);
            ASSERT(rio_readlineb(&rio, buf + to, MOST + 1) == (ssize_t)len);
            assert_bytes(buf + to, line, len + 1);
            ASSERT(buf[to + len + 1] == '#');
            if (to > 0)
                ASSERT(buf[to - 1] == '#');
        }
        free(line);
    }
}
END_TEST

/* The newline at every place of the buffer, with stray newlines right behind what is there. */
START_TEST(a_newline_at_every_place_of_a_short_read)
{
    char file[200], buf[sizeof file + 1];
    size_t len;
    rio_t rio;

    for (len = 1; len <= sizeof file; len++) {
        rio_readinitb(&rio, -1);
        memset(rio.rio_buf, '\n', sizeof rio.rio_buf); /* the leavings of an earlier read */
        memset(file, 'x', sizeof file);
        file[len - 1] = '\n';
        rio_readinitb(&rio, file_of(file, len));
        ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), (ssize_t)len);
        assert_bytes(buf, file, len);
        close(rio.rio_fd);

        memset(file, 'x', sizeof file);
        rio_readinitb(&rio, -1);
        memset(rio.rio_buf, '\n', sizeof rio.rio_buf);
        rio_readinitb(&rio, file_of(file, len));
        ck_assert_int_eq(rio_readlineb(&rio, buf, sizeof buf), (ssize_t)len);
        assert_bytes(buf, file, len);
        ck_assert_int_eq(buf[len], '\0');
        close(rio.rio_fd);
    }
}
END_TEST

/* Both buffered calls in turn, with counts of every class, over a long text. */
START_TEST(lines_and_counts_may_be_mixed)
{
    static const size_t counts[] = { 0, 1, 2, 17, 300, 4096, 8191, 8192, 8193, 20000 };
    enum { COUNTS = sizeof counts / sizeof counts[0], LEN = 1 << 20 };
    char *text = malloc(LEN), *buf = malloc(32768);
    unsigned int turn = (unsigned int)_i;
    size_t at = 0;
    rio_t rio;

    make_text(text, LEN);
    rio_readinitb(&rio, file_of(text, LEN));
    while (at < LEN) {
        size_t count = counts[turn * 7 % COUNTS], expected = LEN - at < count ? LEN - at : count;
        ssize_t got;

        if (turn++ % 3 == 0 || count == 0) {
            got = rio_readnb(&rio, buf, count);
        } else {
            expected = line_length(text + at, LEN - at, count - 1);
            got = rio_readlineb(&rio, buf, count);
            ASSERT(buf[expected] == '\0');
        }
        ASSERT(got == (ssize_t)expected);
        ASSERT(memcmp(buf, text + at, expected) == 0);
        at += expected;
    }
    ASSERT(rio_readlineb(&rio, buf, 2) == 0);
    ASSERT(rio_readnb(&rio, buf, 2) == 0);
}
END_TEST

/* One line of more than 2 GiB: the counts do not fit an int. */
START_TEST(a_line_over_2_gib)
{
    const size_t len = ((size_t)1 << 31) + 4097;
    int fd = memfd_create("long line", MFD_CLOEXEC);
    char *buf = mmap(NULL, len + 2, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    rio_t rio;

    ck_assert_ptr_ne(buf, MAP_FAILED);
    ck_assert_int_eq(ftruncate(fd, (off_t)len), 0); /* NULs, then a newline */
    ck_assert_int_eq(pwrite(fd, "\n", 1, (off_t)len - 1), 1);
    rio_readinitb(&rio, fd);
    ck_assert_int_eq(rio_readlineb(&rio, buf, len + 1), (ssize_t)len);
    ck_assert_int_eq(buf[len - 1], '\n');
    ck_assert_int_eq(buf[len], '\0');

    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    rio_readinitb(&rio, fd);
    buf[len - 1] = '#';
    ck_assert_int_eq(rio_readnb(&rio, buf, len + 1), (ssize_t)len);
    ck_assert_int_eq(buf[len - 1], '\n');

    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    buf[len - 1] = '#';
    ck_assert_int_eq(rio_readn(fd, buf, len + 1), (ssize_t)len);
    ck_assert_int_eq(buf[len - 1], '\n');
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    ck_assert_int_eq(rio_writen(fd, buf, len), (ssize_t)len);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), (off_t)len);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("lines");

    tcase_set_timeout(tests, 20);
    tcase_add_loop_test(tests, a_line_that_fits_comes_whole, 0, LENGTHS);
    tcase_add_loop_test(tests, a_line_one_byte_too_long_comes_in_two_pieces, 0, LENGTHS);
    tcase_add_loop_test(tests, a_last_line_may_lack_its_newline, 0, LENGTHS);
    tcase_add_loop_test(tests, nothing_past_the_buffer_is_touched, 0, LENGTHS);
    tcase_add_loop_test(tests, nothing_past_the_nul_is_touched_whatever_maxlen_says, 0, LENGTHS);
    tcase_add_loop_test(tests, nothing_past_the_internal_buffer_is_looked_at, 0, LENGTHS);
    tcase_add_test(tests, maxlen_0_is_an_error);
    tcase_add_test(tests, maxlen_1_stores_a_nul_and_reads_nothing);
    tcase_add_test(tests, maxlen_2_gives_a_byte_at_a_time);
    tcase_add_test(tests, an_empty_file_has_no_line);
    tcase_add_test(tests, empty_lines_are_lines);
    tcase_add_test(tests, a_file_that_grows_goes_on_after_its_end);
    tcase_add_loop_test(tests, every_alignment_of_source_and_destination, 0, 64);
    tcase_add_test(tests, a_newline_at_every_place_of_a_short_read);
    tcase_add_loop_test(tests, lines_and_counts_may_be_mixed, 0, 10);
    if (is_long_run())
        tcase_add_test(tests, a_line_over_2_gib);
    return run_suite("lines", tests);
}
