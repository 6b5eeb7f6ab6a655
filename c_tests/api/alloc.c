/* Allocation: too many bytes are an error, 0 bytes are not. */
#include "failing.h"

/* More than any object can have; volatile keeps the compiler from saying so. */
static volatile size_t too_much = SIZE_MAX / 2 + 1;

#define FAILURES(CALL)                                                        \
    CALL(Malloc, NULL, BY_ERRNO, ENOMEM, Malloc(too_much))                    \
    CALL(Realloc, NULL, BY_ERRNO, ENOMEM, Realloc(malloc(16), too_much))      \
    CALL(Calloc, NULL, BY_ERRNO, ENOMEM, Calloc(too_much, 4))

DEFINE_FAILURES

START_TEST(malloc_calloc_realloc_and_free_do_as_libcs)
{
    char *block = Malloc(5);
    int *numbers = Calloc(100, sizeof *numbers);
    int i;

    ck_assert_ptr_nonnull(block);
    memcpy(block, "hello", 5);
    block = Realloc(block, 100000);
    ck_assert_int_eq(memcmp(block, "hello", 5), 0);
    for (i = 0; i < 100; i++)
        ck_assert_int_eq(numbers[i], 0);
    errno = 77;
    Free(block);
    Free(numbers);
    Free(NULL);
    ck_assert_int_eq(errno, 77);
    block = Realloc(NULL, 5);
    ck_assert_ptr_nonnull(block);
    Free(block);
}
END_TEST

START_TEST(no_bytes_are_no_error)
{
    void *block = Malloc(5);

    Free(Malloc(0));
    Free(Calloc(0, 5));
    Free(Calloc(5, 0));
    Free(Realloc(NULL, 0));
    ck_assert_ptr_nonnull(block);
    block = Realloc(block, 0);
#ifdef __GLIBC__ /* frees the block and gives NULL */
    ck_assert_ptr_null(block);
#endif
    Free(block);
}
END_TEST

static void grow_too_much(void *arg)
{
    char *block = malloc(6);

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    strcpy(block, "hello");
    _exit(Realloc(block, too_much) == NULL && strcmp(block, "hello") == 0 ? 42 : 43);
}

START_TEST(a_failed_realloc_leaves_the_block)
{
    ck_assert_int_eq(outcome_of(grow_too_much, NULL).status, 42);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("alloc");

    add_failures(tests);
    tcase_add_test(tests, malloc_calloc_realloc_and_free_do_as_libcs);
    tcase_add_test(tests, no_bytes_are_no_error);
    tcase_add_test(tests, a_failed_realloc_leaves_the_block);
    return run_suite("alloc", tests);
}
