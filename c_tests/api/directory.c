/* Directories: the end of one is not an error. */
#include "failing.h"

static DIR *broken_directory(void)
{
    DIR *dir = opendir("/");

    close(dirfd(dir));
    return dir;
}

#define FAILURES(CALL)                                                     \
    CALL(Opendir, NULL, BY_ERRNO, ENOENT, Opendir("/nowhere/directory"), \
         ": /nowhere/directory")                                           \
    CALL(Readdir, NULL, BY_ERRNO, EBADF, Readdir(broken_directory()))      \
    CALL(Closedir, -1, BY_ERRNO, EBADF, Closedir(broken_directory()))

DEFINE_FAILURES

START_TEST(readdir_gives_every_entry_and_null_at_the_end)
{
    char name[] = "/tmp/csapp-test-XXXXXX";
    struct dirent *entry;
    int dots = 0, files = 0;
    DIR *dir;

    ck_assert_ptr_nonnull(mkdtemp(name));
    ck_assert_int_eq(chdir(name), 0);
    close(open("file", O_CREAT, 0600));
    dir = Opendir(name);
    ck_assert_ptr_nonnull(dir);
    /* A stale errno is no error; at the end, errno is 0. */
    errno = ENOMEM;
    while ((entry = Readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            dots++;
        else if (strcmp(entry->d_name, "file") == 0)
            files++;
        errno = ENOMEM;
    }
    ck_assert_int_eq(errno, 0);
    ck_assert_int_eq(dots, 2);
    ck_assert_int_eq(files, 1);
    ck_assert_ptr_null(Readdir(dir));
    ck_assert_int_eq(Closedir(dir), 0);
    unlink("file");
    rmdir(name);
}
END_TEST

START_TEST(a_directory_that_is_null_is_an_error)
{
    ck_assert_int_eq(REASON_OF(Readdir(NULL)), EFAULT);
    ck_assert_int_eq(REASON_OF(Closedir(NULL)), EFAULT);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("directory");

    add_failures(tests);
    tcase_add_test(tests, readdir_gives_every_entry_and_null_at_the_end);
    tcase_add_test(tests, a_directory_that_is_null_is_an_error);
    return run_suite("directory", tests);
}
