/* Memory mapping: MAP_FAILED is the failing value, not NULL. */
#include "failing.h"

#define FAILURES(CALL)                                                                          \
    CALL(Mmap, MAP_FAILED, BY_ERRNO, EINVAL,                                                    \
         Mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))                          \
    CALL(Munmap, 0, BY_ERRNO, EINVAL, NOTHING(Munmap((void *)1, 4096)))

DEFINE_FAILURES

START_TEST(mmap_gives_the_bytes_of_a_file)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    long page = sysconf(_SC_PAGESIZE);
    char *bytes;
    int fd;

    fd = mkstemp(name);
    ck_assert_int_ge(fd, 0);
    unlink(name);
    ck_assert_int_eq(ftruncate(fd, 2 * page), 0);
    ck_assert_int_eq(pwrite(fd, "hello", 5, page), 5);
    bytes = Mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
    ck_assert_ptr_ne(bytes, MAP_FAILED);
    ck_assert_int_eq(memcmp(bytes, "hello", 5), 0);
    bytes[0] = 'j';
    Munmap(bytes, (size_t)page);
    ck_assert_int_eq(pread(fd, &page, 1, page), 1);
    ck_assert_int_eq(*(char *)&page, 'j');
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("memory");

    add_failures(tests);
    tcase_add_test(tests, mmap_gives_the_bytes_of_a_file);
    return run_suite("memory", tests);
}
