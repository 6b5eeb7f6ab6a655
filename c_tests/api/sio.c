/* Signal-safe output: the text is right, complete, and made without stdio, heap or errno. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"
#include <limits.h>

#define NO_MEMORY(reason) ((void)(reason), (void *)NULL)

INJECT(void *, malloc, (size_t size), (size), NO_MEMORY)
INJECT(void *, calloc, (size_t count, size_t size), (count, size), NO_MEMORY)
INJECT(void *, realloc, (void *block, size_t size), (block, size), NO_MEMORY)

#define FAILURES(CALL)                                                                 \
    CALL(Sio_puts, -1, BY_ERRNO, EBADF, (close(STDOUT_FILENO), Sio_puts("text")))      \
    CALL(Sio_putl, -1, BY_ERRNO, EBADF, (close(STDOUT_FILENO), Sio_putl(5)))

DEFINE_FAILURES

static int capture_fd;

/* From now on, descriptor `fd` is a file that `captured` reads. */
static void capture(int fd)
{
    char name[] = "/tmp/csapp-test-XXXXXX";

    capture_fd = mkstemp(name);
    unlink(name);
    ck_assert_int_eq(dup2(capture_fd, fd), fd);
}

/* What has been written to the captured descriptor since the last call, as a string. */
static const char *captured(void)
{
    static char text[65536];
    ssize_t count = pread(capture_fd, text, sizeof text - 1, 0);

    ck_assert_int_ge(count, 0);
    text[count] = '\0';
    ck_assert_int_eq(ftruncate(capture_fd, 0), 0);
    lseek(capture_fd, 0, SEEK_SET);
    return text;
}

START_TEST(puts_writes_the_text_and_returns_its_length)
{
    capture(STDOUT_FILENO);
    errno = 77;
    ck_assert_int_eq(sio_puts("hello\n"), 6);
    ck_assert_int_eq(Sio_puts("there"), 5);
    ck_assert_int_eq(sio_puts(""), 0);
    ck_assert_int_eq(errno, 77);
    ck_assert_str_eq(captured(), "hello\nthere");
}
END_TEST

START_TEST(a_null_text_is_shown_as_such)
{
    const char *volatile nothing = NULL; /* which the compiler must not know */

    capture(STDOUT_FILENO);
    ck_assert_int_eq(sio_puts(NULL), 6);
    ck_assert_str_eq(captured(), "(null)");
    sio_printf("%s", nothing);
    ck_assert_str_eq(captured(), "(null)");
}
END_TEST

static const long longs[] = {0,      1,       -1,       9,        10,       -10,      99,
                             100,    12345,   INT_MAX,  INT_MIN,  LONG_MAX, LONG_MIN, LONG_MIN + 1,
                             0x1000, UINT_MAX};

START_TEST(putl_writes_every_long)
{
    char expected[32];
    int len = snprintf(expected, sizeof expected, "%ld", longs[_i]);

    capture(STDOUT_FILENO);
    errno = 77;
    ck_assert_int_eq(sio_putl(longs[_i]), len);
    ck_assert_str_eq(captured(), expected);
    ck_assert_int_eq(Sio_putl(longs[_i]), len);
    ck_assert_str_eq(captured(), expected);
    ck_assert_int_eq(errno, 77);
}
END_TEST

/* The same text and count as snprintf gives, and errno untouched. */
#define ck_assert_like_snprintf(...)                                              \
    do {                                                                          \
        char expected[512];                                                       \
        int len = snprintf(expected, sizeof expected, __VA_ARGS__);               \
                                                                                  \
        errno = 77;                                                               \
        ck_assert_int_eq(sio_printf(__VA_ARGS__), len);                           \
        ck_assert_int_eq(errno, 77);                                              \
        ck_assert_str_eq(captured(), expected);                                   \
    } while (0)

/* Numbers about every power of two, with both signs. */
START_TEST(printf_writes_numbers_as_stdio_does)
{
    int shift, more, i;

    capture(STDOUT_FILENO);
    for (shift = 0; shift < 64; shift++)
        for (more = -1; more <= 1; more++) {
            unsigned long bits = (1UL << shift) + (unsigned long)more;
            long number = (long)bits;

            for (i = 0; i < 2; i++, bits = -bits, number = (long)bits) {
                ck_assert_like_snprintf("%d %i %u %x %o", (int)number, (int)number, (unsigned)bits,
                                        (unsigned)bits, (unsigned)bits);
                ck_assert_like_snprintf("%ld %li %lu %lx %lo", number, number, bits, bits, bits);
                ck_assert_like_snprintf("%zd %zi %zu %zx %zo", (ssize_t)number, (ssize_t)number,
                                        (size_t)bits, (size_t)bits, (size_t)bits);
            }
        }
}
END_TEST

START_TEST(printf_writes_every_character)
{
    int c;

    capture(STDOUT_FILENO);
    for (c = 1; c < 256; c++)
        ck_assert_like_snprintf("<%c>", c);
    ck_assert_int_eq(sio_printf("<%c>", 0), 3);
    ck_assert_int_eq(memcmp(captured(), "<\0>", 3), 0);
}
END_TEST

START_TEST(printf_writes_texts_pointers_and_percent_signs)
{
    int here;

    capture(STDOUT_FILENO);
    ck_assert_like_snprintf("%s", "");
    ck_assert_like_snprintf("plain");
    ck_assert_like_snprintf("%s%s and %s\n", "one", "two", "three");
    ck_assert_like_snprintf("%%");
    ck_assert_like_snprintf("100%% of %d%%\n", 5);
    ck_assert_like_snprintf("%p", (void *)&here);
    ck_assert_like_snprintf("%p", (void *)-1);
    ck_assert_int_eq(sio_printf("%s", ""), 0);
}
END_TEST

START_TEST(printf_takes_more_arguments_than_there_are_registers)
{
    capture(STDOUT_FILENO);
    ck_assert_like_snprintf("%d %ld %s %c %u %zu %x %p %d %ld %s %c %u %zu %lx %d", 1, -2L, "three",
                            '4', 5U, (size_t)6, 7U, (void *)8, -9, LONG_MIN, "eleven", 'c', UINT_MAX,
                            SIZE_MAX, ULONG_MAX, INT_MIN);
}
END_TEST

/* A format with something in it that is none of sio_printf's conversions. */
static const char *with(const char *other)
{
    static char format[64];

    snprintf(format, sizeof format, "%%d is %s %%d %%s", other);
    return format;
}

/* It stands as it is, and the conversions behind it get their own arguments. */
static void check_goes_on(const char *other, ssize_t count)
{
    char expected[64];

    snprintf(expected, sizeof expected, "7 is %s 8 text", other);
    ck_assert_str_eq(captured(), expected);
    ck_assert_int_eq(count, strlen(expected));
}

/* No printf knows these: they take no argument. */
static const char *const unknown[] = {"%l", "%z", "%lp", "%l%", "%zc", "%zs", "%z%", "%5", "%5%", "%1$", "%-", "% ",
                                      "%q", "%r", "%j%", "%Ld", "%ll", "%hhhd", "%lls", "%hf", "%\n", "%\xff", "%*q"};

START_TEST(what_no_printf_knows_is_copied_and_the_rest_goes_on)
{
    capture(STDOUT_FILENO);
    check_goes_on(unknown[_i], sio_printf(with(unknown[_i]), 7, 8, "text"));
    ck_assert_int_eq(sio_printf(unknown[_i], 7), strlen(unknown[_i]));
    ck_assert_str_eq(captured(), unknown[_i]);
}
END_TEST

START_TEST(what_other_printfs_know_is_copied_and_its_argument_passed_over)
{
    static const char *const with_int[] = {"%5d", "%-5i", "%hd", "%hhu", "%X", "%lc", "%05x", "%+d", "%.3u", "%'d",
                                           "%5c", "%#o"};
    static const char *const with_wide[] = {"%lld", "%jd", "%llX", "%20ju"};
    static const char *const with_double[] = {"%f", "%5.2f", "%lf", "%e", "%G", "%a", "%-10.3E"};
    int n;
    size_t i;

    capture(STDOUT_FILENO);
    for (i = 0; i < sizeof with_int / sizeof with_int[0]; i++)
        check_goes_on(with_int[i], sio_printf(with(with_int[i]), 7, -1, 8, "text"));
    for (i = 0; i < sizeof with_wide / sizeof with_wide[0]; i++)
        check_goes_on(with_wide[i], sio_printf(with(with_wide[i]), 7, -1LL, 8, "text"));
    for (i = 0; i < sizeof with_double / sizeof with_double[0]; i++)
        check_goes_on(with_double[i], sio_printf(with(with_double[i]), 7, 1.5, 8, "text"));
    check_goes_on("%Lf", sio_printf(with("%Lf"), 7, 1.5L, 8, "text"));
    check_goes_on("%5ld", sio_printf(with("%5ld"), 7, -1L, 8, "text"));
    check_goes_on("%5zu", sio_printf(with("%5zu"), 7, SIZE_MAX, 8, "text"));
    check_goes_on("%td", sio_printf(with("%td"), 7, (ptrdiff_t)-1, 8, "text"));
    check_goes_on("%-5s", sio_printf(with("%-5s"), 7, "not shown", 8, "text"));
    check_goes_on("%.3s", sio_printf(with("%.3s"), 7, "not shown", 8, "text"));
    check_goes_on("%ls", sio_printf(with("%ls"), 7, L"not shown", 8, "text"));
    check_goes_on("%20p", sio_printf(with("%20p"), 7, (void *)&n, 8, "text"));
    n = 42;
    check_goes_on("%n", sio_printf(with("%n"), 7, &n, 8, "text"));
    ck_assert_int_eq(n, 42);
    check_goes_on("%*d", sio_printf(with("%*d"), 7, 5, -1, 8, "text"));
    check_goes_on("%*.*f", sio_printf(with("%*.*f"), 7, 5, 2, 1.5, 8, "text"));
}
END_TEST

/* Not literals, which the compiler would complain about. */
static const char *volatile unknown_together = "%q%r%%%j%l\n", *volatile percent_at_the_end = "%d%";

START_TEST(several_that_are_unknown)
{
    capture(STDOUT_FILENO);
    ck_assert_int_eq(sio_printf(unknown_together), strlen("%q%r%%j%l\n"));
    ck_assert_str_eq(captured(), "%q%r%%j%l\n");
    ck_assert_int_eq(sio_printf(percent_at_the_end, 7), 2);
    ck_assert_str_eq(captured(), "7%");
}
END_TEST

/* Pieces that meet the end of a buffer of 1,024 bytes in every way. */
START_TEST(text_of_any_length_is_whole)
{
    static const int lengths[] = {0, 1, 500, 1022, 1023, 1024, 1025, 2047, 2048, 2049, 5000};
    static char first[5001], second[5001], expected[10100];
    size_t i, j, count = sizeof lengths / sizeof *lengths;
    int len;

    capture(STDOUT_FILENO);
    for (i = 0; i < count; i++)
        for (j = 0; j < count; j++) {
            memset(first, 'a', lengths[i]);
            memset(second, 'b', lengths[j]);
            first[lengths[i]] = second[lengths[j]] = '\0';
            len = snprintf(expected, sizeof expected, "%s%d%s%lx\n", first, 12345, second, ~0UL);
            ck_assert_int_eq(sio_printf("%s%d%s%lx\n", first, 12345, second, ~0UL), len);
            ck_assert_str_eq(captured(), expected);
        }
}
END_TEST

/* Each write to such a socket is a message. */
START_TEST(up_to_1024_bytes_go_out_by_one_system_call)
{
    static char text[1025], read_back[3000];
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    memset(text, 't', sizeof text - 1);
    ck_assert_int_eq(sio_dprintf(ends[0], "%s", text), 1024);
    ck_assert_int_eq(read(ends[1], read_back, sizeof read_back), 1024);
    ck_assert_int_eq(sio_dprintf(ends[0], "%d %s%c", 123456, text + 8, '!'), 1024);
    ck_assert_int_eq(read(ends[1], read_back, sizeof read_back), 1024);
    /* One more, and it is two. */
    ck_assert_int_eq(sio_dprintf(ends[0], "%s!", text), 1025);
    ck_assert_int_eq(read(ends[1], read_back, sizeof read_back), 1024);
    ck_assert_int_eq(read(ends[1], read_back, sizeof read_back), 1);
    /* Nothing is no message. */
    ck_assert_int_eq(sio_dprintf(ends[0], "%s", ""), 0);
    ck_assert_int_eq(read(ends[1], read_back, sizeof read_back), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

static ssize_t print_twice(int fd, const char *format, ...)
{
    va_list first, second;
    ssize_t count;

    va_start(first, format);
    va_copy(second, first);
    count = sio_vdprintf(fd, format, first);
    count += sio_vdprintf(fd, format, second);
    va_end(second);
    va_end(first);
    return count;
}

START_TEST(the_others_write_the_same_elsewhere)
{
    capture(77);
    ck_assert_int_eq(sio_dprintf(77, "%d,%s;", 5, "x"), 4);
    ck_assert_int_eq(print_twice(77, "%ld %c.", 6L, 'y'), 8);
    ck_assert_str_eq(captured(), "5,x;6 y.6 y.");
    capture(STDERR_FILENO);
    ck_assert_int_eq(sio_eprintf("%x", 255), 2);
    ck_assert_str_eq(captured(), "ff");
}
END_TEST

START_TEST(a_failure_is_minus_one_and_errno)
{
    static char text[3000];

    memset(text, 'x', sizeof text - 1);
    ck_assert_int_eq(sio_dprintf(-1, "%d", 5), -1);
    ck_assert_int_eq(errno, EBADF);
    errno = 0;
    ck_assert_int_eq(sio_dprintf(-1, "%s%s", text, "the last of several writes"), -1);
    ck_assert_int_eq(errno, EBADF);
    close(STDOUT_FILENO);
    errno = 0;
    ck_assert_int_eq(sio_puts("x"), -1);
    ck_assert_int_eq(errno, EBADF);
    ck_assert_int_eq(sio_putl(1), -1);
    ck_assert_int_eq(sio_printf("x"), -1);
}
END_TEST

static int start_reading[2]; /* the slow reader waits for a byte here */

static void release_reader(void)
{
    (void)!write(start_reading[1], "", 1);
}

#define LONG_TEXT 300000

/* A reader that waits for release_reader(): a child that ends with status 0 if LONG_TEXT times `x` and a
   newline come out of the pipe, and nothing else. */
static pid_t slow_reader(int ends[2])
{
    static char buf[7001];
    size_t count = 0, wrong = 0;
    ssize_t n, i;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(pipe(start_reading), 0);
    if ((pid = fork()) != 0) {
        close(ends[0]);
        return pid;
    }
    close(ends[1]);
    wrong += read(start_reading[0], buf, 1) != 1;
    while ((n = read(ends[0], buf, sizeof buf)) > 0)
        for (i = 0; i < n; i++)
            wrong += buf[i] != (count++ == LONG_TEXT ? '\n' : 'x');
    _exit(wrong != 0 || count != LONG_TEXT + 1);
}

/* _i: whether the pipe is O_NONBLOCK. */
START_TEST(a_slow_pipe_gets_everything)
{
    static char text[LONG_TEXT + 1];
    int ends[2], status;
    pid_t reader = slow_reader(ends);

    memset(text, 'x', LONG_TEXT);
    if (_i)
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
    interrupt_until(release_reader);
    ck_assert_int_eq(sio_dprintf(ends[1], "%s\n", text), LONG_TEXT + 1);
    close(ends[1]);
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
    ck_assert_was_interrupted();
}
END_TEST

START_TEST(nothing_is_allocated)
{
    void *kept;
    int calls;

    capture(STDOUT_FILENO);
    calls = malloc_calls + calloc_calls + realloc_calls;
    sio_puts("text");
    sio_putl(LONG_MIN);
    sio_printf("%s %d %lx %p %c\n", "text", -5, ~0UL, (void *)&calls, 'c');
    Sio_puts("text");
    ck_assert_int_eq(malloc_calls + calloc_calls + realloc_calls, calls);
    /* And the count works. */
    *(void *volatile *)&kept = malloc(5);
    ck_assert_int_gt(malloc_calls + calloc_calls + realloc_calls, calls);
    free(kept);
}
END_TEST

#define TICKS 1000

static volatile sig_atomic_t ticks;

static void tick(int signum)
{
    ticks++;
    sio_printf("tick %d of %s: %lx\n", (int)ticks, "many", -1L);
    Sio_puts("signal ");
    Sio_putl(signum);
    Sio_puts("\n");
}

/* The handler interrupts malloc and stdio in the middle, most of the time. */
START_TEST(a_handler_may_print_in_the_middle_of_malloc_and_printf)
{
    const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    FILE *nowhere = fopen("/dev/null", "w"), *printed;
    char line[100], expected[100];
    int i = 0;

    capture(STDOUT_FILENO);
    Signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &often, NULL);
    while (ticks < TICKS) {
        char *block = malloc((size_t)(i % 2000));

        errno = 77;
        fprintf(nowhere, "%d %s\n", i++, "text");
        free(block);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printed = fdopen(capture_fd, "r");
    rewind(printed);
    for (i = 1; i <= TICKS; i++) {
        snprintf(expected, sizeof expected, "tick %d of many: %lx\n", i, -1UL);
        ck_assert_ptr_nonnull(fgets(line, sizeof line, printed));
        ck_assert_str_eq(line, expected);
        snprintf(expected, sizeof expected, "signal %d\n", SIGALRM);
        ck_assert_ptr_nonnull(fgets(line, sizeof line, printed));
        ck_assert_str_eq(line, expected);
    }
}
END_TEST

static void hold_an_assertion(void *arg)
{
    (void)arg;
    sio_assert(1 + 1 == 2);
    _exit(42);
}

static void break_an_assertion(void *arg)
{
    (void)arg;
    sio_assert(1 + 1 == 3);
    _exit(42);
}

START_TEST(assert_tells_where_what_was_wrong_and_aborts)
{
    struct outcome seen = outcome_of(hold_an_assertion, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "");
    seen = outcome_of(break_an_assertion, NULL);
    ck_assert_int_eq(seen.status, 128 + SIGABRT);
    ck_assert_ptr_nonnull(strstr(seen.err, "1 + 1 == 3"));
    ck_assert_ptr_nonnull(strstr(seen.err, "sio.c"));
    ck_assert_ptr_nonnull(strstr(seen.err, "break_an_assertion"));
    ck_assert_ptr_nonnull(strchr(seen.err, '\n'));
    if (!is_emulated()) /* an emulator adds what it has to say about the signal */
        ck_assert_ptr_eq(strchr(seen.err, '\n'), seen.err + seen.err_len - 1);
}
END_TEST

static void never_run(void)
{
    sio_puts("atexit");
}

static void end_with_sio_error(void *lower)
{
    dup2(STDERR_FILENO, STDOUT_FILENO);
    atexit(never_run);
    if (lower)
        sio_error("the end\n");
    else
        Sio_error("the end\n");
    _exit(99);
}

START_TEST(error_prints_and_ends_at_once)
{
    int lower;
    struct outcome seen = outcome_of(end_with_sio_error, _i ? &lower : NULL);

    ck_assert_str_eq(seen.err, "the end\n");
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("sio");

    tcase_set_timeout(tests, 20);
    add_failures(tests);
    tcase_add_test(tests, puts_writes_the_text_and_returns_its_length);
    tcase_add_test(tests, a_null_text_is_shown_as_such);
    tcase_add_loop_test(tests, putl_writes_every_long, 0, COUNT(longs));
    tcase_add_test(tests, printf_writes_numbers_as_stdio_does);
    tcase_add_test(tests, printf_writes_every_character);
    tcase_add_test(tests, printf_writes_texts_pointers_and_percent_signs);
    tcase_add_test(tests, printf_takes_more_arguments_than_there_are_registers);
    add_for_each(tests, what_no_printf_knows_is_copied_and_the_rest_goes_on, unknown);
    tcase_add_test(tests, what_other_printfs_know_is_copied_and_its_argument_passed_over);
    tcase_add_test(tests, several_that_are_unknown);
    tcase_add_test(tests, text_of_any_length_is_whole);
    tcase_add_test(tests, up_to_1024_bytes_go_out_by_one_system_call);
    tcase_add_test(tests, the_others_write_the_same_elsewhere);
    tcase_add_test(tests, a_failure_is_minus_one_and_errno);
    tcase_add_loop_test(tests, a_slow_pipe_gets_everything, 0, 2);
    tcase_add_test(tests, nothing_is_allocated);
    tcase_add_test(tests, a_handler_may_print_in_the_middle_of_malloc_and_printf);
    tcase_add_test(tests, assert_tells_where_what_was_wrong_and_aborts);
    tcase_add_loop_test(tests, error_prints_and_ends_at_once, 0, 2);
    return run_suite("sio", tests);
}
