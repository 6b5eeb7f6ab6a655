/* Counts far beyond what the caller owns: a number that is wrong by accident, or one that says "all of it". As long as less
   comes, that is nobody's business; above all it must not depend on where the array lies. */
#define _GNU_SOURCE
#include "reading.h"
#include <limits.h>
#include <stdint.h>

static const size_t counts[] = {
    (size_t)INT_MAX - 1, INT_MAX, (size_t)1 << 31, ((size_t)1 << 31) + 1, 0x7ffff000, 0x7ffff001, UINT_MAX,
#if SIZE_MAX > UINT_MAX
    (size_t)1 << 32, (size_t)1 << 40, (size_t)1 << 46, (size_t)1 << 47, (size_t)1 << 62,
#endif
    SSIZE_MAX - 1, SSIZE_MAX,
};

static const char TEXT[] = "hello";
enum { LENGTH = 5, ROOM = 64 };

/* Read comes after the others. */
enum { CALLS = COUNT(calls) + 1 };

static ssize_t call(int number, char *buf, size_t n)
{
    return number < CALLS - 1 ? calls[number].call(buf, n) : Read(rio.rio_fd, buf, n);
}

/* Where an array may lie. */
static char *array(int place)
{
    static char in_data[ROOM];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t top = (uintptr_t)__builtin_frame_address(0);
    char *start;

    switch (place) {
    case 0:
        return in_data;
    case 1:
        return malloc(ROOM);
    case 2:
        return before_guard_page(ROOM);
    default:
        /* As far up as the kernel lets a program go: above the stack, where there is a page left. */
        for (top = (top | 0xfffffff) + 1; top > page; top -= page) {
            start = mmap((void *)(top - page), page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS
#ifdef MAP_FIXED_NOREPLACE
                         | MAP_FIXED_NOREPLACE
#endif
                         , -1, 0);
            if (start == (char *)(top - page))
                return start;
            if (start != MAP_FAILED)
                munmap(start, page);
        }
        return in_data;
    }
}

enum { PLACES = 4 };

static void expect_text(int number, char *buf, size_t n, int fd)
{
    rio_readinitb(&rio, fd);
    memset(buf, '#', ROOM);
    errno = UNTOUCHED;
    ck_assert_int_eq(call(number, buf, n), LENGTH);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(buf, TEXT, LENGTH);
    ck_assert_int_eq(buf[LENGTH], number < CALLS - 1 && calls[number].is_by_line ? '\0' : '#');
    ck_assert_int_eq(buf[LENGTH + 1], '#');
    close(fd);
}

START_TEST(what_comes_is_what_there_is)
{
    int number = _i % CALLS, i;
    char *buf = array(_i / CALLS % PLACES);

    for (i = 0; i < COUNT(counts); i++)
        expect_text(number, buf, counts[i], source(_i / CALLS / PLACES, TEXT, LENGTH));
}
END_TEST

/* The array on the stack, which lies elsewhere each time. */
START_TEST(on_the_stack_as_well)
{
    char bytes[ROOM];
    int i;

    for (i = 0; i < COUNT(counts); i++)
        expect_text(_i % CALLS, bytes, counts[i], source(_i / CALLS, TEXT, LENGTH));
}
END_TEST

/* The program executes itself, so that the stack moves. */
START_TEST(wherever_the_stack_is)
{
    int i;

    for (i = 0; i < 30; i++) {
        pid_t child = fork();

        ck_assert_int_ne(child, -1);
        if (child == 0) {
            setenv("HUGE_COUNT", "1", 1);
            execl("/proc/self/exe", "huge_counts", (char *)NULL);
            _exit(9);
        }
        ck_assert_int_eq(status_of(child), 0);
    }
}
END_TEST

static int read_all_on_the_stack(void)
{
    char bytes[ROOM];
    int number, i;

    for (number = 0; number < CALLS; number++)
        for (i = 0; i < COUNT(counts); i++) {
            int ends[2];

            if (pipe(ends) != 0 || write(ends[1], TEXT, LENGTH) != LENGTH)
                return 1;
            close(ends[1]);
            rio_readinitb(&rio, ends[0]);
            if (call(number, bytes, counts[i]) != LENGTH || memcmp(bytes, TEXT, LENGTH) != 0)
                return 2;
            close(ends[0]);
        }
    return 0;
}

/* Memory that is not the caller's is EFAULT, and not read or written. */
START_TEST(what_lies_behind_the_caller_s_memory_is_an_error)
{
    size_t moved = 77;
    char *buf = before_guard_page(ROOM);
    int ends[2];

    csapp_set_error_handler(csapp_error_return);
    memset(buf, 'x', ROOM);
    socket_pair(ends);
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_writen(ends[1], buf, (size_t)1 << 31), -1);
    ck_assert_int_eq(errno, EFAULT);
    ck_assert_int_eq(csapp_writen(ends[1], buf, (size_t)1 << 31, 60000, &moved), -1);
    ck_assert_int_eq(errno, EFAULT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("huge_counts");

    if (getenv("HUGE_COUNT") != NULL)
        return read_all_on_the_stack();
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, what_comes_is_what_there_is, 0, CALLS * PLACES * SOURCES);
    tcase_add_loop_test(tests, on_the_stack_as_well, 0, CALLS * SOURCES);
    tcase_add_test(tests, wherever_the_stack_is);
    tcase_add_test(tests, what_lies_behind_the_caller_s_memory_is_an_error);
    return run_suite("huge_counts", tests);
}
