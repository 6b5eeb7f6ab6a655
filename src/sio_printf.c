/*
 * The variadic half of the sio_printf family: fetches arguments, one at a time, for the formatting
 * in src/sio.rs. Stable Rust cannot define variadic functions; everything else is there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#pragma GCC visibility push(hidden)

/* As in src/sio.rs. */
enum kind { KIND_INT, KIND_LONG, KIND_SIZE, KIND_POINTER, KIND_WIDE, KIND_DOUBLE, KIND_LONG_DOUBLE };

/* A va_list that can be pointed to: some are arrays, which function arguments are not. */
struct arguments {
    va_list list;
};

typedef unsigned long fetch_t(void *arguments, enum kind kind);

ssize_t csapp_rs_vdprintf(int fd, const char *fmt, fetch_t *fetch, struct arguments *arguments);

ssize_t csapp_c_vdprintf(int fd, const char *fmt, va_list argp);
ssize_t csapp_c_dprintf(int fd, const char *fmt, ...);
ssize_t csapp_c_eprintf(const char *fmt, ...);
ssize_t csapp_c_printf(const char *fmt, ...);
void csapp_c_assert_fail(const char *assertion, const char *file, unsigned int line, const char *function);

static unsigned long fetch(void *from, enum kind kind)
{
    struct arguments *arguments = from;

    switch (kind) {
    case KIND_LONG:
        return va_arg(arguments->list, unsigned long);
    case KIND_SIZE:
        return va_arg(arguments->list, size_t);
    case KIND_POINTER:
        return (unsigned long)va_arg(arguments->list, void *);
    case KIND_WIDE: /* what is passed over has no value */
        (void)va_arg(arguments->list, long long);
        return 0;
    case KIND_DOUBLE:
        (void)va_arg(arguments->list, double);
        return 0;
    case KIND_LONG_DOUBLE:
        (void)va_arg(arguments->list, long double);
        return 0;
    default:
        return va_arg(arguments->list, unsigned int);
    }
}

ssize_t csapp_c_vdprintf(int fd, const char *fmt, va_list argp)
{
    struct arguments arguments;
    ssize_t n;

    va_copy(arguments.list, argp);
    n = csapp_rs_vdprintf(fd, fmt, fetch, &arguments);
    va_end(arguments.list);
    return n;
}

ssize_t csapp_c_dprintf(int fd, const char *fmt, ...)
{
    va_list argp;
    ssize_t n;

    va_start(argp, fmt);
    n = csapp_c_vdprintf(fd, fmt, argp);
    va_end(argp);
    return n;
}

ssize_t csapp_c_eprintf(const char *fmt, ...)
{
    va_list argp;
    ssize_t n;

    va_start(argp, fmt);
    n = csapp_c_vdprintf(STDERR_FILENO, fmt, argp);
    va_end(argp);
    return n;
}

ssize_t csapp_c_printf(const char *fmt, ...)
{
    va_list argp;
    ssize_t n;

    va_start(argp, fmt);
    n = csapp_c_vdprintf(STDOUT_FILENO, fmt, argp);
    va_end(argp);
    return n;
}

/* The message of __sio_assert_fail, which is shorter here. */
void csapp_c_assert_fail(const char *assertion, const char *file, unsigned int line, const char *function)
{
    (void)csapp_c_eprintf("%s:%u: %s: Assertion `%s' failed.\n", file, line, function, assertion);
}
