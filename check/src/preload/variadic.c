/*
 * The half of libcsapp_check.so that Rust cannot write: functions with variable arguments, one that returns twice, and
 * thread-local storage that costs one instruction. What they have to say goes to the Rust half.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))
#pragma GCC visibility push(hidden)

/* As `Local` in state.rs; the assembly below wants `vforked` first. */
struct local {
    uint32_t vforked; /* this is the child of vfork: nothing is recorded */
    uint32_t handlers; /* how many signal handlers run in this thread */
    void *thread;
    uintptr_t handler_frame;
    uint32_t handler_signal, handler_stack;
    uint32_t handler_reported, handler_waited, handler_errno;
    void *child;
};

__thread struct local csapp_check_local __attribute__((tls_model("initial-exec")));

struct local *csapp_check_here(void)
{
    return &csapp_check_local;
}

/* Where a function was called: as `Site` in stack.rs. */
struct site {
    uintptr_t address, frame;
};

#if defined(__x86_64__)
#define SITE ((struct site){(uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0) + 16})
#else
#define SITE ((struct site){(uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_frame_address(0)})
#endif

void csapp_check_unsafe(const char *name, struct site site);
/* As `Doing` in state.rs: the call that a thread is in, and what it was in before. */
struct doing {
    const void *me[3];
    uint32_t call;
    int32_t fd;
    uint32_t stack;
    uint64_t since;
};

bool csapp_check_puts_out(FILE *stream, const char *name, struct site site, struct doing *doing);
void csapp_check_has_put_out(struct doing *doing, long result);
int csapp_check_open(int form, int dir, const char *path, int flags, mode_t mode, struct site site);
int csapp_check_fcntl(int form, int fd, int command, void *argument, struct site site);
int csapp_check_exec(int form, const char *path, char *const argv[], char *const envp[], struct site site);
void csapp_check_left_handler(void);
void csapp_check_thread_begin(void *thread);
void csapp_check_thread_end(void);

/* What comes after this library under the name. */
#define NEXT(name) \
    static __typeof__(name) *real; \
    if (real == NULL) \
        real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

#define NOT_IN_HANDLER(name) \
    do { \
        if (__builtin_expect(csapp_check_local.handlers != 0, 0)) \
            csapp_check_unsafe(name, SITE); \
    } while (0)

/* ---- vfork: the child runs on the parent's stack and memory, so it must not record anything. ---- */

void csapp_check_vforked(int pid);

#if defined(__x86_64__)
__asm__(".text\n"
    ".globl vfork\n"
    ".type vfork, @function\n"
    "vfork:\n"
    "    .cfi_startproc\n"
    "    movq csapp_check_local@gottpoff(%rip), %rax\n"
    "    movl $1, %fs:(%rax)\n"
    "    popq %rdi\n"
    "    movl $58, %eax\n"
    "    syscall\n"
    "    pushq %rdi\n"
    "    testl %eax, %eax\n"
    "    je 1f\n"
    "    pushq %rax\n"
    "    movl %eax, %edi\n"
    "    call csapp_check_vforked\n"
    "    popq %rax\n"
    "    testl %eax, %eax\n"
    "    jns 1f\n"
    "    movl $-1, %eax\n"
    "1:  ret\n"
    "    .cfi_endproc\n"
    ".size vfork, .-vfork\n");
#elif defined(__aarch64__)
__asm__(".text\n"
    ".globl vfork\n"
    ".type vfork, %function\n"
    "vfork:\n"
    "    mrs x1, tpidr_el0\n"
    "    adrp x2, :gottprel:csapp_check_local\n"
    "    ldr x2, [x2, :gottprel_lo12:csapp_check_local]\n"
    "    add x1, x1, x2\n"
    "    mov w3, #1\n"
    "    str w3, [x1]\n"
    "    mov x0, #0x4111\n"
    "    mov x1, xzr\n"
    "    mov x2, xzr\n"
    "    mov x3, xzr\n"
    "    mov x4, xzr\n"
    "    mov x8, #220\n"
    "    svc #0\n"
    "    cbz w0, 1f\n"
    "    stp x0, x30, [sp, #-16]!\n"
    "    bl csapp_check_vforked\n"
    "    ldp x0, x30, [sp], #16\n"
    "    tbz w0, #31, 1f\n"
    "    mov w0, #-1\n"
    "1:  ret\n"
    ".size vfork, .-vfork\n");
#endif

/* ---- Threads: cancellation and pthread_exit unwind through this function, as C may be. ---- */

void *csapp_check_run(void *thread, void *(*start)(void *), void *argument)
{
    csapp_check_thread_begin(thread);
    return start(argument);
}

/* ---- open and fcntl. The numbers of the forms are known to descriptors.rs. ---- */

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { \
        va_list list; \
        va_start(list, flags); \
        mode = va_arg(list, mode_t); \
        va_end(list); \
    }

PUBLIC int open(const char *path, int flags, ...)
{
    MODE(flags)
    return csapp_check_open(0, AT_FDCWD, path, flags, mode, SITE);
}

PUBLIC int open64(const char *path, int flags, ...)
{
    MODE(flags)
    return csapp_check_open(1, AT_FDCWD, path, flags, mode, SITE);
}

PUBLIC int openat(int dir, const char *path, int flags, ...)
{
    MODE(flags)
    return csapp_check_open(2, dir, path, flags, mode, SITE);
}

PUBLIC int openat64(int dir, const char *path, int flags, ...)
{
    MODE(flags)
    return csapp_check_open(3, dir, path, flags, mode, SITE);
}

PUBLIC int creat(const char *path, mode_t mode)
{
    return csapp_check_open(0, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, SITE);
}

PUBLIC int creat64(const char *path, mode_t mode)
{
    return csapp_check_open(1, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, SITE);
}

/* Of programs compiled with _FORTIFY_SOURCE: without a mode, as their callers promise. */
PUBLIC int __open_2(const char *path, int flags)
{
    return csapp_check_open(0, AT_FDCWD, path, flags, 0, SITE);
}

PUBLIC int __open64_2(const char *path, int flags)
{
    return csapp_check_open(1, AT_FDCWD, path, flags, 0, SITE);
}

PUBLIC int __openat_2(int dir, const char *path, int flags)
{
    return csapp_check_open(2, dir, path, flags, 0, SITE);
}

PUBLIC int __openat64_2(int dir, const char *path, int flags)
{
    return csapp_check_open(3, dir, path, flags, 0, SITE);
}

#define THIRD(last, type) \
    va_list list; \
    va_start(list, last); \
    void *argument = va_arg(list, type); \
    va_end(list)

PUBLIC int fcntl(int fd, int command, ...)
{
    THIRD(command, void *);
    return csapp_check_fcntl(0, fd, command, argument, SITE);
}

PUBLIC int fcntl64(int fd, int command, ...)
{
    THIRD(command, void *);
    return csapp_check_fcntl(1, fd, command, argument, SITE);
}

/* ---- exec with its arguments in a list. ---- */

#define ARGUMENTS(first, beyond) \
    size_t count = 1; \
    va_list list; \
    va_start(list, first); \
    while (va_arg(list, char *) != NULL) \
        count++; \
    va_end(list); \
    char *argv[count + 1]; \
    argv[0] = (char *)first; \
    va_start(list, first); \
    for (size_t i = 1; i <= count; i++) \
        argv[i] = va_arg(list, char *); \
    beyond; \
    va_end(list)

PUBLIC int execl(const char *path, const char *first, ...)
{
    ARGUMENTS(first, );
    return csapp_check_exec(0, path, argv, environ, SITE);
}

PUBLIC int execle(const char *path, const char *first, ...)
{
    ARGUMENTS(first, char *const *envp = va_arg(list, char *const *));
    return csapp_check_exec(0, path, argv, envp, SITE);
}

PUBLIC int execlp(const char *file, const char *first, ...)
{
    ARGUMENTS(first, );
    return csapp_check_exec(1, file, argv, environ, SITE);
}

/* ---- Formatted to a descriptor: libc writes by a call of its own. ---- */

struct formatted {
    int (*real)(int fd, const char *fmt, va_list list);
    int fd;
    const char *fmt;
    va_list list;
};

int csapp_check_dprintf(int fd, int (*go_on)(struct formatted *what), struct formatted *what, struct site site);

static int print(struct formatted *what)
{
    return what->real(what->fd, what->fmt, what->list);
}

#define TO_DESCRIPTOR(name, parameters, unused) \
    PUBLIC int name parameters \
    { \
        unused; \
        NEXT(vdprintf); \
        struct formatted what = {.real = real, .fd = fd, .fmt = fmt}; \
        va_start(what.list, fmt); \
        int n = csapp_check_dprintf(fd, print, &what, SITE); \
        va_end(what.list); \
        return n; \
    }

TO_DESCRIPTOR(dprintf, (int fd, const char *fmt, ...), )
TO_DESCRIPTOR(__dprintf_chk, (int fd, int flag, const char *fmt, ...), (void)flag)

/* ---- Formatted input. The header may have other names for these: they are given to the assembler. ---- */

struct scanned {
    int (*real)(FILE *stream, const char *fmt, va_list list);
    FILE *stream;
    const char *fmt;
    va_list *list;
};

int csapp_check_scan(FILE *stream, int (*go_on)(struct scanned *what), struct scanned *what, struct site site);

static int scan(struct scanned *what)
{
    return what->real(what->stream, what->fmt, *what->list);
}

#define SCAN(which, from, start, end) \
    static __typeof__(((struct scanned *)NULL)->real) real; \
    if (real == NULL) \
        real = (__typeof__(real))dlsym(RTLD_NEXT, which); \
    start; \
    struct scanned what = {.real = real, .stream = from, .fmt = fmt, .list = &list}; \
    int n = csapp_check_scan(from, scan, &what, SITE); \
    end; \
    return n

#define SCANS(prefix, id) \
    PUBLIC int check_##id##_scanf(const char *fmt, ...) __asm__(prefix "scanf"); \
    PUBLIC int check_##id##_scanf(const char *fmt, ...) \
    { \
        SCAN(prefix "vfscanf", stdin, va_list list; va_start(list, fmt), va_end(list)); \
    } \
    PUBLIC int check_##id##_fscanf(FILE *stream, const char *fmt, ...) __asm__(prefix "fscanf"); \
    PUBLIC int check_##id##_fscanf(FILE *stream, const char *fmt, ...) \
    { \
        SCAN(prefix "vfscanf", stream, va_list list; va_start(list, fmt), va_end(list)); \
    }

SCANS("", c)
SCANS("__isoc99_", c99)
SCANS("__isoc23_", c23)

/* ---- What a signal handler must not call; and output to a stream, which may be one end of a connection. ---- */

#define PUT_OUT(type, name, stream, call) \
    struct doing doing; \
    bool is_told = csapp_check_puts_out(stream, name, SITE, &doing); \
    type put_out = call; \
    if (__builtin_expect(is_told, 0)) \
        csapp_check_has_put_out(&doing, (long)put_out)

#define FORMATTED(name, parameters, stream, call) \
    PUBLIC int name parameters \
    { \
        NOT_IN_HANDLER(#name); \
        NEXT(v##name); \
        va_list list; \
        va_start(list, fmt); \
        PUT_OUT(int, #name, stream, real call); \
        va_end(list); \
        return put_out; \
    }

FORMATTED(printf, (const char *fmt, ...), stdout, (fmt, list))
FORMATTED(fprintf, (FILE *stream, const char *fmt, ...), stream, (stream, fmt, list))

PUBLIC int vprintf(const char *fmt, va_list list)
{
    NOT_IN_HANDLER("vprintf");
    NEXT(vprintf);
    PUT_OUT(int, "vprintf", stdout, real(fmt, list));
    return put_out;
}

PUBLIC int vfprintf(FILE *stream, const char *fmt, va_list list)
{
    NOT_IN_HANDLER("vfprintf");
    NEXT(vfprintf);
    PUT_OUT(int, "vfprintf", stream, real(stream, fmt, list));
    return put_out;
}

/* As _FORTIFY_SOURCE renames them. */
int __vprintf_chk(int flag, const char *fmt, va_list list);
int __vfprintf_chk(FILE *stream, int flag, const char *fmt, va_list list);

PUBLIC int __printf_chk(int flag, const char *fmt, ...)
{
    NOT_IN_HANDLER("printf");
    NEXT(__vprintf_chk);
    va_list list;
    va_start(list, fmt);
    PUT_OUT(int, "printf", stdout, real(flag, fmt, list));
    va_end(list);
    return put_out;
}

PUBLIC int __fprintf_chk(FILE *stream, int flag, const char *fmt, ...)
{
    NOT_IN_HANDLER("fprintf");
    NEXT(__vfprintf_chk);
    va_list list;
    va_start(list, fmt);
    PUT_OUT(int, "fprintf", stream, real(stream, flag, fmt, list));
    va_end(list);
    return put_out;
}

PUBLIC void syslog(int priority, const char *fmt, ...)
{
    NOT_IN_HANDLER("syslog");
    NEXT(vsyslog);
    va_list list;
    va_start(list, fmt);
    real(priority, fmt, list);
    va_end(list);
}

#define PUTS_OUT(type, name, parameters, stream, call) \
    PUBLIC type name parameters \
    { \
        NOT_IN_HANDLER(#name); \
        NEXT(name); \
        PUT_OUT(type, #name, stream, real call); \
        return put_out; \
    }

PUTS_OUT(int, puts, (const char *text), stdout, (text))
PUTS_OUT(int, putchar, (int c), stdout, (c))
PUTS_OUT(int, fputs, (const char *text, FILE *stream), stream, (text, stream))
PUTS_OUT(int, fputc, (int c, FILE *stream), stream, (c, stream))
PUTS_OUT(int, putc, (int c, FILE *stream), stream, (c, stream))
PUTS_OUT(size_t, fwrite, (const void *from, size_t size, size_t n, FILE *stream), stream, (from, size, n, stream))
PUTS_OUT(int, fflush, (FILE *stream), stream, (stream))

PUBLIC void perror(const char *text)
{
    NOT_IN_HANDLER("perror");
    NEXT(perror);
    real(text);
}

/* libc's own allocator serves while the loader looks up the next one, which another library may bring. */
PUBLIC void *__libc_malloc(size_t n);
PUBLIC void *__libc_calloc(size_t n, size_t size);
PUBLIC void *__libc_realloc(void *old, size_t n);
PUBLIC void __libc_free(void *old);

static __typeof__(__libc_malloc) *real_malloc;
static __typeof__(__libc_calloc) *real_calloc;
static __typeof__(__libc_realloc) *real_realloc;
static __typeof__(__libc_free) *real_free;

static __attribute__((noinline, cold)) void find_allocator(void)
{
    __typeof__(real_malloc) next;

    if (real_malloc != NULL)
        return;
    real_malloc = __libc_malloc;
    real_calloc = __libc_calloc;
    real_realloc = __libc_realloc;
    real_free = __libc_free;
    next = (__typeof__(next))dlsym(RTLD_NEXT, "malloc");
    if (next == NULL || next == real_malloc)
        return;
    real_calloc = (__typeof__(real_calloc))dlsym(RTLD_NEXT, "calloc");
    real_realloc = (__typeof__(real_realloc))dlsym(RTLD_NEXT, "realloc");
    real_free = (__typeof__(real_free))dlsym(RTLD_NEXT, "free");
    real_malloc = next;
}

/* With --chaos-faults there is no memory now and then, for the program itself: start.rs sets this. */
int csapp_check_scarce;
bool csapp_check_no_memory(struct site site);
#define SCARCE \
    if (__builtin_expect(csapp_check_scarce, 0) && csapp_check_no_memory(SITE)) \
        return NULL

#define ALLOCATOR \
    if (__builtin_expect(real_malloc == NULL, 0)) \
        find_allocator()

PUBLIC void *malloc(size_t n)
{
    NOT_IN_HANDLER("malloc");
    SCARCE;
    ALLOCATOR;
    return real_malloc(n);
}

PUBLIC void *calloc(size_t n, size_t size)
{
    NOT_IN_HANDLER("calloc");
    SCARCE;
    ALLOCATOR;
    return real_calloc(n, size);
}

/* The argument that threads.rs keeps to compare with the next: what is freed may be given out again. */
extern uintptr_t csapp_check_kept;
#define FORGET(old) \
    if (__builtin_expect((uintptr_t)(old) == csapp_check_kept, 0)) \
        csapp_check_kept = 0

PUBLIC void *realloc(void *old, size_t n)
{
    NOT_IN_HANDLER("realloc");
    SCARCE;
    ALLOCATOR;
    FORGET(old);
    return real_realloc(old, n);
}

PUBLIC void free(void *old)
{
    if (old != NULL)
        NOT_IN_HANDLER("free");
    FORGET(old);
    ALLOCATOR;
    real_free(old);
}

/* ---- Jumps leave a handler without returning from it. ---- */

#define JUMP(name, type) \
    PUBLIC void name(type env, int value) \
    { \
        NEXT(name); \
        csapp_check_left_handler(); \
        real(env, value); \
        __builtin_unreachable(); \
    }

PUBLIC void __longjmp_chk(jmp_buf env, int value) __attribute__((noreturn));
JUMP(longjmp, jmp_buf)
JUMP(_longjmp, jmp_buf)
JUMP(siglongjmp, sigjmp_buf)
JUMP(__longjmp_chk, jmp_buf)
