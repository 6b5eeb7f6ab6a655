/* Unix I/O: the checked wrappers of open, read, write and so on. */
#define _GNU_SOURCE
#include "failing.h"
#include "interrupted.h"

INJECT(int, close, (int fd), (fd), MINUS_ONE)
INJECT(int, dup2, (int from, int to), (from, to), MINUS_ONE)

static int slow_handlers, select_calls; /* selects that are to meet one, and all */
static struct timeval select_time;      /* what the last one was given */

/* A slow handler interrupts libc's select for 300 ms, just after its start. */
int select(int n, fd_set *readable, fd_set *writable, fd_set *exceptional, struct timeval *timeout)
{
    const struct timespec long_time = {0, 300000000};
    int (*real)(int, fd_set *, fd_set *, fd_set *, struct timeval *);

    select_calls++;
    if (timeout != NULL)
        select_time = *timeout;
    if (slow_handlers > 0) {
        slow_handlers--;
        nanosleep(&long_time, NULL);
        errno = EINTR;
        return -1;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "select");
    return real(n, readable, writable, exceptional, timeout);
}

static char buf[65536];
static struct stat facts;

#define FAILURES(CALL)                                                                     \
    CALL(Open, -1, BY_ERRNO, ENOENT, Open("/nowhere/file", O_RDONLY, 0), ": /nowhere/file") \
    CALL(Read, -1, BY_ERRNO, EBADF, Read(-1, buf, 1))                                      \
    CALL(Write, -1, BY_ERRNO, EBADF, Write(-1, "x", 1))                                    \
    CALL(Lseek, -1, BY_ERRNO, EBADF, Lseek(-1, 0, SEEK_SET))                               \
    CALL(Close, 0, BY_ERRNO, EBADF, NOTHING(Close(-1)))                                    \
    CALL(Select, -1, BY_ERRNO, EINVAL, Select(-1, NULL, NULL, NULL, NULL))                 \
    CALL(Dup2, -1, BY_ERRNO, EBADF, Dup2(-1, 7))                                           \
    CALL(Stat, 0, BY_ERRNO, ENOENT, NOTHING(Stat("/nowhere/file", &facts)), ": /nowhere/file") \
    CALL(Fstat, 0, BY_ERRNO, EBADF, NOTHING(Fstat(-1, &facts)))

DEFINE_FAILURES

/* A new file's descriptor; the file has no name any more. */
static int unnamed_file(void)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    int fd = mkstemp(name);

    ck_assert_int_ge(fd, 0);
    unlink(name);
    return fd;
}

START_TEST(write_lseek_and_read_do_what_their_twins_do)
{
    int fd = unnamed_file();

    errno = 77;
    ck_assert_int_eq(Write(fd, "hello", 5), 5);
    ck_assert_int_eq(Lseek(fd, -4, SEEK_END), 1);
    ck_assert_int_eq(Read(fd, buf, sizeof buf), 4);
    ck_assert_int_eq(memcmp(buf, "ello", 4), 0);
    ck_assert_int_eq(Read(fd, buf, sizeof buf), 0);
    ck_assert_int_eq(errno, 77);
    Close(fd);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(open_obeys_flags_and_mode)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(name));
    ck_assert_int_eq(chdir(name), 0);
    umask(DEF_UMASK);
    fd = Open("file", O_CREAT | O_EXCL | O_WRONLY, DEF_MODE);
    ck_assert_int_ge(fd, 0);
    Fstat(fd, &facts);
    ck_assert_int_eq(facts.st_mode & 0777, 0644);
    Write(fd, "123", 3);
    Close(fd);
    Stat("file", &facts);
    ck_assert_int_eq(facts.st_size, 3);
    unlink("file");
    rmdir(name);
}
END_TEST

START_TEST(an_offset_may_need_64_bits)
{
    long long far = sizeof(off_t) > 4 ? 5LL << 32 : 0x7fffffff;
    int fd = unnamed_file();

    ck_assert_int_eq(Lseek(fd, (off_t)far, SEEK_SET), far);
}
END_TEST

START_TEST(dup2_gives_a_second_descriptor)
{
    int fd = unnamed_file();

    ck_assert_int_eq(Dup2(fd, 77), 77);
    Write(77, "x", 1);
    ck_assert_int_eq(Lseek(fd, 0, SEEK_CUR), 1);
}
END_TEST

START_TEST(select_tells_what_is_ready)
{
    struct timeval at_once = {0, 0};
    fd_set set;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    ck_assert_int_eq(Select(ends[0] + 1, &set, NULL, NULL, &at_once), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    FD_SET(ends[0], &set);
    ck_assert_int_eq(Select(ends[0] + 1, &set, NULL, NULL, NULL), 1);
    ck_assert(FD_ISSET(ends[0], &set));
}
END_TEST

static int ends[2];

static void fill(void)
{
    if (write(ends[1], "x", 1) != 1)
        abort();
}

static void drain(void)
{
    if (read(ends[0], buf, sizeof buf) < 1)
        abort();
}

START_TEST(read_goes_on_after_signals)
{
    ck_assert_int_eq(pipe(ends), 0);
    interrupt_until(fill);
    ck_assert_int_eq(Read(ends[0], buf, sizeof buf), 1);
    ck_assert_was_interrupted();
}
END_TEST

START_TEST(write_goes_on_after_signals)
{
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    while (write(ends[1], buf, sizeof buf) > 0)
        ;
    fcntl(ends[1], F_SETFL, 0);
    interrupt_until(drain);
    ck_assert_int_eq(Write(ends[1], "x", 1), 1);
    ck_assert_was_interrupted();
}
END_TEST

static char fifo[64];

static void open_other_end(void)
{
    if (open(fifo, O_RDWR) == -1)
        abort();
}

START_TEST(open_goes_on_after_signals)
{
    char dir[] = "/tmp/csapp-test-XXXXXX";
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(fifo, sizeof fifo, "%s/fifo", dir);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    interrupt_until(open_other_end);
    fd = Open(fifo, O_RDONLY, 0);
    unlink(fifo);
    rmdir(dir);
    ck_assert_int_ge(fd, 0);
    ck_assert_was_interrupted();
}
END_TEST

START_TEST(select_goes_on_after_signals)
{
    fd_set readable;

    ck_assert_int_eq(pipe(ends), 0);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    interrupt_until(fill);
    ck_assert_int_eq(Select(ends[0] + 1, &readable, NULL, NULL, NULL), 1);
    ck_assert_was_interrupted();
    ck_assert(FD_ISSET(ends[0], &readable));
}
END_TEST

enum { MANY = 150 }; /* signals, which take 3 s */
static volatile sig_atomic_t signals;

static void count_to_many(int signum)
{
    static const struct itimerval never;

    (void)signum;
    if (++signals == MANY)
        setitimer(ITIMER_REAL, &never, NULL);
}

START_TEST(signals_do_not_make_the_time_of_select_longer)
{
    const struct itimerval often = {{0, 20000}, {0, 20000}};
    const struct sigaction action = {.sa_handler = count_to_many};
    struct timeval limit = {0, 300000};
    struct timespec start, end;
    fd_set readable;

    ck_assert_int_eq(pipe(ends), 0);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    clock_gettime(CLOCK_MONOTONIC, &start);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert_int_eq(Select(ends[0] + 1, &readable, NULL, NULL, &limit), 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ck_assert_int_gt(signals, 0);
    ck_assert_int_lt(signals, MANY);
    ck_assert_int_eq(FD_ISSET(ends[0], &readable), 0);
    ck_assert_int_ge((end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000, 299);
}
END_TEST

/* The time that handlers take counts as well: here nothing is left of it. */
START_TEST(slow_handlers_do_not_make_the_time_of_select_longer)
{
    struct timeval limit = {_i, 100000};
    fd_set readable;

    ck_assert_int_eq(pipe(ends), 0);
    FD_ZERO(&readable);
    FD_SET(ends[0], &readable);
    slow_handlers = 1 + _i * 3;
    select_calls = 0;
    ck_assert_int_eq(Select(ends[0] + 1, &readable, NULL, NULL, &limit), 0);
    ck_assert_int_eq(select_calls, 2 + _i * 3);
    ck_assert_int_eq(select_time.tv_sec, 0);
    ck_assert_int_eq(select_time.tv_usec, 0);
}
END_TEST

START_TEST(dup2_goes_on_after_signals)
{
    int fd = unnamed_file();

    dup2_reason = EINTR;
    dup2_left = 3;
    dup2_calls = 0;
    ck_assert_int_eq(Dup2(fd, 77), 77);
    ck_assert_int_eq(dup2_calls, 4);
}
END_TEST

/* On Linux the descriptor is gone even then, and its number may be another thread's by now. */
START_TEST(close_is_never_repeated)
{
    int fd = unnamed_file();

    FAIL_NEXT(close, EINTR);
    close_calls = 0;
    Close(fd);
    ck_assert_int_eq(close_calls, 1);
}
END_TEST

START_TEST(room_for_facts_that_is_null_is_an_error)
{
    ck_assert_int_eq(REASON_OF(Stat("/", NULL)), EFAULT);
    ck_assert_int_eq(REASON_OF(Fstat(STDERR_FILENO, NULL)), EFAULT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("unix_io");

    add_failures(tests);
    tcase_add_test(tests, write_lseek_and_read_do_what_their_twins_do);
    tcase_add_test(tests, open_obeys_flags_and_mode);
    tcase_add_test(tests, an_offset_may_need_64_bits);
    tcase_add_test(tests, dup2_gives_a_second_descriptor);
    tcase_add_test(tests, select_tells_what_is_ready);
    tcase_add_test(tests, read_goes_on_after_signals);
    tcase_add_test(tests, write_goes_on_after_signals);
    tcase_add_test(tests, open_goes_on_after_signals);
    tcase_add_test(tests, select_goes_on_after_signals);
    tcase_add_test(tests, signals_do_not_make_the_time_of_select_longer);
    tcase_add_loop_test(tests, slow_handlers_do_not_make_the_time_of_select_longer, 0, 2);
    tcase_add_test(tests, dup2_goes_on_after_signals);
    tcase_add_test(tests, close_is_never_repeated);
    tcase_add_test(tests, room_for_facts_that_is_null_is_an_error);
    return run_suite("unix_io", tests);
}
