/* Standard I/O: the end of a stream is not an error, not even after an earlier error. */
#include "failing.h"

static char buf[64];

/* A stream on `path` whose errors come at once. */
static FILE *unbuffered(const char *path, const char *mode)
{
    FILE *stream = fopen(path, mode);

    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}

static FILE *with_unwritable_rest(void)
{
    FILE *stream = fopen("/dev/full", "w");

    fputs("rest", stream);
    return stream;
}

#define NO_STREAM(reason) (errno = (reason), (FILE *)NULL)
INJECT(FILE *, fopen, (const char *name, const char *mode), (name, mode), NO_STREAM)

#define FAILURES(CALL)                                                                        \
    CALL(Fclose, 0, BY_ERRNO, ENOSPC, NOTHING(Fclose(with_unwritable_rest())))                \
    CALL(Fdopen, NULL, BY_ERRNO, EINVAL, Fdopen(1, "z"))                                      \
    CALL(Fgets, NULL, BY_ERRNO, EISDIR, Fgets(buf, sizeof buf, fopen("/", "r")))              \
    CALL(Fopen, NULL, BY_ERRNO, ENOENT, Fopen("/nowhere/file", "r"), ": /nowhere/file")       \
    CALL(Fputs, 0, BY_ERRNO, ENOSPC, NOTHING(Fputs("x", unbuffered("/dev/full", "w"))))       \
    CALL(Fread, 0, BY_ERRNO, EISDIR, Fread(buf, 1, 5, fopen("/", "r")))                       \
    CALL(Fwrite, 0, BY_ERRNO, ENOSPC, NOTHING(Fwrite("xy", 1, 2, unbuffered("/dev/full", "w"))))

DEFINE_FAILURES

/* A stream over `text`, for reading; what is there now is all. */
static FILE *stream_of(const char *text)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    close(ends[1]);
    return Fdopen(ends[0], "r");
}

/* A stream over `text`; a read past that gets EAGAIN after 20 ms. */
static FILE *stream_that_times_out(const char *text)
{
    const struct timeval limit = {0, 20000};
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ck_assert_int_eq(write(ends[1], text, strlen(text)), (ssize_t)strlen(text));
    return Fdopen(ends[0], "r");
}

START_TEST(a_file_is_written_and_read_again)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    FILE *stream;

    close(mkstemp(name));
    stream = Fopen(name, "w");
    Fputs("one\n", stream);
    Fwrite("two", 1, 3, stream);
    Fclose(stream);
    stream = Fopen(name, "r");
    unlink(name);
    ck_assert_ptr_eq(Fgets(buf, sizeof buf, stream), buf);
    ck_assert_str_eq(buf, "one\n");
    ck_assert_uint_eq(Fread(buf, 1, sizeof buf, stream), 3);
    ck_assert_int_eq(memcmp(buf, "two", 3), 0);
    Fclose(stream);
}
END_TEST

START_TEST(the_end_is_no_error)
{
    FILE *stream = stream_of("line");

    errno = ENOMEM;
    ck_assert_ptr_eq(Fgets(buf, sizeof buf, stream), buf);
    ck_assert_ptr_null(Fgets(buf, sizeof buf, stream));
    ck_assert_uint_eq(Fread(buf, 1, 5, stream), 0);
    Fclose(stream);

    stream = stream_of("12345");
    ck_assert_uint_eq(Fread(buf, 2, 4, stream), 2);
    Fclose(stream);
}
END_TEST

/* A write to a stream that was opened for reading sets the error flag, and disturbs no reading. */
START_TEST(an_error_of_before_does_not_turn_the_end_into_one)
{
    FILE *stream = stream_of("line\nrest");

    ck_assert_int_eq(fputs("x", stream), EOF);
    ck_assert_int_ne(ferror(stream), 0);
    ck_assert_ptr_eq(Fgets(buf, sizeof buf, stream), buf);
    ck_assert_uint_eq(Fread(buf, 1, 5, stream), 4);
    ck_assert_ptr_null(Fgets(buf, sizeof buf, stream));
    ck_assert_uint_eq(Fread(buf, 1, 5, stream), 0);
}
END_TEST

static void fgets_fails_twice(void *arg)
{
    FILE *stream = stream_that_times_out("");

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    _exit(Fgets(buf, sizeof buf, stream) == NULL && Fgets(buf, sizeof buf, stream) == NULL ? 42 : 43);
}

START_TEST(a_second_error_is_reported_like_the_first)
{
    struct outcome seen = outcome_of(fgets_fails_twice, NULL);

    ck_assert_str_eq(seen.err, "Fgets error: Resource temporarily unavailable\n"
                               "Fgets error: Resource temporarily unavailable\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static void fread_fails_in_the_middle(void *arg)
{
    FILE *stream = stream_that_times_out("abc");

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    _exit(Fread(buf, 1, 10, stream) == 3 && memcmp(buf, "abc", 3) == 0 && errno == EAGAIN ? 42 : 43);
}

START_TEST(a_failed_fread_returns_what_it_has)
{
    struct outcome seen = outcome_of(fread_fails_in_the_middle, NULL);

    ck_assert_str_eq(seen.err, "Fread error: Resource temporarily unavailable\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

START_TEST(no_bytes_are_no_error)
{
    FILE *stream = stream_of("");

    ck_assert_uint_eq(Fread(buf, 0, 5, stream), 0);
    ck_assert_uint_eq(Fread(buf, 5, 0, stream), 0);
    Fclose(stream);
    stream = unbuffered("/dev/full", "w");
    Fwrite(buf, 0, 5, stream);
    Fwrite(buf, 5, 0, stream);
    Fputs("", stream);
    Fclose(stream);
}
END_TEST

START_TEST(fopen_goes_on_after_signals)
{
    int calls = fopen_calls;
    FILE *stream;

    fopen_reason = EINTR;
    fopen_left = 3;
    errno = 77;
    stream = Fopen("/dev/null", "r");
    ck_assert_int_eq(errno, 77);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fopen_calls, calls + 4);
    Fclose(stream);
}
END_TEST

/* libc tries to go to the end of the file, where a pipe has none. */
START_TEST(a_pipe_that_is_opened_to_append_leaves_errno)
{
    char dir[] = "/tmp/csapp-test-XXXXXX", name[64];
    FILE *stream;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(name, sizeof name, "%s/pipe", dir);
    ck_assert_int_eq(mkfifo(name, 0600), 0);
    fd = open(name, O_RDWR);
    ck_assert_int_ge(fd, 0);
    errno = 77;
    stream = Fopen(name, "a");
    ck_assert_int_eq(errno, 77);
    ck_assert_ptr_nonnull(stream);
    Fclose(stream);
    close(fd);
    unlink(name);
    rmdir(dir);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("stdio");

    add_failures(tests);
    tcase_add_test(tests, a_file_is_written_and_read_again);
    tcase_add_test(tests, the_end_is_no_error);
    tcase_add_test(tests, an_error_of_before_does_not_turn_the_end_into_one);
    tcase_add_test(tests, a_second_error_is_reported_like_the_first);
    tcase_add_test(tests, a_failed_fread_returns_what_it_has);
    tcase_add_test(tests, no_bytes_are_no_error);
    tcase_add_test(tests, fopen_goes_on_after_signals);
    tcase_add_test(tests, a_pipe_that_is_opened_to_append_leaves_errno);
    return run_suite("stdio", tests);
}
