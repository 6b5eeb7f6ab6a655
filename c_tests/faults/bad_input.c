/* Bad input for every function of the library: NULL wherever a pointer goes, descriptors that are
   none, counts that no object has, strings without meaning, a rio_t that cannot be right. Each call
   is made in a process of its own. It has to end in time with the result and the errno that its
   line says; it may not crash.

   `bad_input names` prints every function that has a line here, for the test that compares them
   with what the library exports. */
#define _GNU_SOURCE
#define CSAPP_EXTRAS
#include "failing.h"
#include "namespace.h"
#include "streams.h"
#include "tcp.h"
#include <limits.h>

#define LOCAL "127.0.0.1"
#define TOO_MANY ((size_t)SSIZE_MAX + 1)

/* Valgrind has its own memory, and its own reasons. */
static int is_valgrind(void)
{
    const char *preloaded = getenv("LD_PRELOAD");

    return preloaded != NULL && strstr(preloaded, "vgpreload") != NULL;
}

/* For ASAN, so that it lets malloc fail as everywhere. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:detect_leaks=0";
}

/* What a line says about a result: besides a value, */
#define ANY (INTPTR_MIN + 7)        /* whatever */
#define DESCRIPTOR (INTPTR_MIN + 8) /* 0 or more */
/* about errno: besides a reason, */
#define KEPT 0       /* as it was before */
#define ANY_REASON -1
/* about the end of the process: besides that it goes on, */
#define GOES_ON -1

/* What a cell of the table is, and what came of it; a child process fills in the second half. */
struct cell {
    char function[40], call[160];
    intptr_t value, value_seen;
    int reason, reason_seen;
    int status; /* GOES_ON, or the status with which the call has to end the process */
    int has_returned;
};

static struct cell *shown; /* shared with the child */
static int wanted, seen;   /* the cell that is to run, and how many there have been */
enum { COUNT = -1, LIST = -2 };

/* Whether this is the cell that is to run; if so, notes what it is. */
static int begin(const char *function, const char *call, intptr_t value, int reason, int status)
{
    int place = seen++;

    if (wanted == LIST)
        puts(function);
    if (place != wanted)
        return 0;
    snprintf(shown->function, sizeof shown->function, "%s", function);
    snprintf(shown->call, sizeof shown->call, "%s", call);
    shown->value = value;
    shown->reason = reason;
    shown->status = status;
    errno = UNTOUCHED;
    return 1;
}

static void end(intptr_t value)
{
    shown->reason_seen = errno;
    shown->value_seen = value;
    shown->has_returned = 1;
}

/* The cell: a call of `function` gives `value` and, in errno, `reason`. */
#define CELL(function, value, reason, call)                                             \
    do {                                                                                \
        if (begin(#function, #call, (intptr_t)(value), (reason), GOES_ON))              \
            end((intptr_t)(call));                                                      \
    } while (0)
/* The same for a function that returns nothing. */
#define VOID(function, reason, call) CELL(function, 0, reason, NOTHING(call))
/* The cell: a call of `function` ends the process with `status`. */
#define ENDS(function, status, call)                                                    \
    do {                                                                                \
        if (begin(#function, #call, ANY, ANY_REASON, (status))) {                       \
            call;                                                                       \
            end(0);                                                                     \
        }                                                                               \
    } while (0)
/* A function that takes nothing that could be bad. */
#define NO_INPUT(function)                                                              \
    do {                                                                                \
        if (begin(#function, "", 0, KEPT, GOES_ON))                                     \
            end(0);                                                                     \
    } while (0)

static char *volatile none; /* NULL, which no compiler sees */
static char buf[64];
static int closed; /* a descriptor that was open */
static char *vast, *vast_number; /* strings of a million bytes */
static char *const no_strings[] = {NULL};

static int directory(void)
{
    return open("/", O_RDONLY | O_DIRECTORY);
}

static int file(void)
{
    return file_of("abc\ndef\n", 8);
}

static FILE *stream(void)
{
    return fdopen(file(), "r+");
}

static rio_t *reader_of(int fd)
{
    static rio_t reader;

    rio_readinitb(&reader, fd);
    errno = UNTOUCHED;
    return &reader;
}

static rio_t *uninitialised(int byte)
{
    static rio_t reader;

    memset(&reader, byte, sizeof reader);
    return &reader;
}

static const char *refusing_port(void)
{
    static struct server server;

    server = refusing_server();
    errno = UNTOUCHED;
    return server.port;
}

/* A client that waits to be accepted. */
static void connect_to(const struct server *server)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (SA *)&server->address, sizeof server->address) == -1)
        abort();
    errno = UNTOUCHED;
}

static sigset_t set;
static struct stat facts;
static struct timeval at_once;
static struct sockaddr_in address;
static socklen_t address_len = sizeof address, negative_len = (socklen_t)-1;
static sem_t sem;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static struct timespec whenever;
static struct addrinfo *list;

static void *routine(void *arg)
{
    return arg;
}

/* Descriptors that are none, or not open, for the calls that take any. */
#define FOR_BAD_DESCRIPTORS(fd)                                                        \
    for (size_t which = 0; which < 4; which++)                                        \
        for (int fd = which == 0 ? -1 : which == 1 ? closed : which == 2 ? INT_MIN : INT_MAX, \
                 once = 1; once; once = 0)
#define FOR_BAD_COUNTS(count)                                                          \
    for (size_t count = SIZE_MAX; count != 0; count = count == SIZE_MAX ? TOO_MANY : 0)

static int ready(int n, int fd)
{
    fd_set readable;

    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    errno = UNTOUCHED;
    return Select(n, &readable, NULL, NULL, &at_once);
}

static ssize_t vdprintf_to(int fd, const char *format, ...)
{
    va_list arguments;
    ssize_t n;

    va_start(arguments, format);
    n = sio_vdprintf(fd, format, arguments);
    va_end(arguments);
    return n;
}

static void bad_errors(void)
{
    VOID(unix_error, KEPT, unix_error(none));
    VOID(unix_error, KEPT, unix_error(""));
    VOID(unix_error, KEPT, unix_error(vast));
    VOID(unix_error, KEPT, unix_error("%s%s%s%n"));
    VOID(posix_error, KEPT, posix_error(0, none));
    VOID(posix_error, KEPT, posix_error(INT_MIN, "code"));
    VOID(posix_error, KEPT, posix_error(INT_MAX, vast));
    VOID(csapp_gai_error, KEPT, gai_error(0, none));
    VOID(csapp_gai_error, KEPT, gai_error(INT_MIN, "code"));
    VOID(csapp_gai_error, KEPT, gai_error(INT_MAX, vast));
    VOID(csapp_gai_error, KEPT, gai_error(EAI_SYSTEM, none));
    VOID(dns_error, KEPT, dns_error(none));
    VOID(dns_error, KEPT, (h_errno = INT_MAX, dns_error(vast)));
    VOID(dns_error, KEPT, (h_errno = INT_MIN, dns_error("code")));
    VOID(app_error, KEPT, app_error(none));
    VOID(app_error, KEPT, app_error(vast));
    CELL(csapp_set_error_handler, csapp_error_return, KEPT, csapp_set_error_handler(NULL));
    ENDS(csapp_set_error_handler, 1, (csapp_set_error_handler(NULL), app_error("over")));
    ENDS(csapp_error_exit, 1, csapp_error_exit(none));
    ENDS(csapp_error_exit, 1, csapp_error_exit(vast));
    VOID(csapp_error_return, KEPT, csapp_error_return(none));
    VOID(csapp_error_return, KEPT, csapp_error_return(vast));
    ENDS(csapp_error_abort, 128 + SIGABRT, csapp_error_abort(none));
#ifdef __SANITIZE_ADDRESS__ /* which takes the stack that was left for one in use */
    NO_INPUT(csapp_error_thread_exit);
#else
    ENDS(csapp_error_thread_exit, 0, csapp_error_thread_exit(none));
#endif
}

static void bad_processes(void)
{
    NO_INPUT(Fork);
    NO_INPUT(Pause);
    NO_INPUT(Getpgrp);
    VOID(Execve, EFAULT, Execve(none, no_strings, no_strings));
    VOID(Execve, ENAMETOOLONG, Execve(vast, no_strings, no_strings));
    VOID(Execve, EACCES, Execve("/", no_strings, no_strings));
    VOID(Execve, ENOENT, Execve("", no_strings, no_strings));
    if (!is_valgrind())
        ENDS(Execve, 0, Execve("/bin/true", NULL, NULL));
    VOID(Execvp, EFAULT, Execvp(none, no_strings));
    VOID(Execvp, EFAULT, Execvp("/bin/true", NULL));
    VOID(Execvp, ENAMETOOLONG, Execvp(vast, no_strings));
    VOID(Execvp, ENOENT, Execvp("", no_strings));
    CELL(Wait, -1, ECHILD, Wait(NULL));
    CELL(Waitpid, -1, ECHILD, Waitpid(-1, NULL, 0));
    CELL(Waitpid, -1, ECHILD, Waitpid(INT_MAX, NULL, 0));
    CELL(Waitpid, -1, EINVAL, Waitpid(-1, NULL, -1));
    VOID(Kill, EINVAL, Kill(getpid(), -1));
    VOID(Kill, EINVAL, Kill(getpid(), INT_MAX));
    VOID(Kill, ESRCH, Kill(INT_MAX, 0));
    VOID(Setpgid, EINVAL, Setpgid(0, INT_MIN));
    VOID(Setpgid, ESRCH, Setpgid(INT_MAX, 0));
    CELL(Sleep, 0, KEPT, Sleep(0));
    CELL(Alarm, ANY, KEPT, Alarm(UINT_MAX));
}

static void bad_signals(void)
{
    CELL(Signal, SIG_ERR, EINVAL, Signal(-1, SIG_IGN));
    CELL(Signal, SIG_ERR, EINVAL, Signal(INT_MAX, SIG_IGN));
    CELL(Signal, SIG_ERR, EINVAL, Signal(SIGKILL, SIG_IGN));
    CELL(Signal, SIG_DFL, KEPT, Signal(SIGUSR1, NULL));
    VOID(Sigprocmask, KEPT, Sigprocmask(SIG_BLOCK, NULL, NULL));
    VOID(Sigprocmask, EINVAL, Sigprocmask(-1, &set, NULL));
    VOID(Sigemptyset, EFAULT, Sigemptyset((sigset_t *)none));
    VOID(Sigfillset, EFAULT, Sigfillset((sigset_t *)none));
    VOID(Sigaddset, EFAULT, Sigaddset((sigset_t *)none, SIGINT));
    VOID(Sigaddset, EINVAL, Sigaddset(&set, -1));
    VOID(Sigaddset, EINVAL, Sigaddset(&set, INT_MAX));
    VOID(Sigdelset, EFAULT, Sigdelset((sigset_t *)none, SIGINT));
    VOID(Sigdelset, EINVAL, Sigdelset(&set, INT_MIN));
    CELL(Sigismember, -1, EFAULT, Sigismember((sigset_t *)none, SIGINT));
    OF_GLIBC(CELL(Sigismember, -1, EINVAL, Sigismember(&set, 0));)
    CELL(Sigsuspend, -1, EFAULT, Sigsuspend((sigset_t *)none));
}

static const struct {
    const char *format;
    int count;
} formats[] = {
    {"", 0}, {"%", 1}, {"%%%", 2}, {"%l", 2}, {"%z", 2}, {"%n", 2}, {"%999999999d", 11}, {"%-*.*s", 6}, {"%1$s", 4},
    {"\xff%\xff", 3}, {"%lll%s", 10} /* a number is shown like NULL */, {"%hhd", 4},
};

static void bad_output(void)
{
    CELL(sio_puts, 6, KEPT, sio_puts(none));
    CELL(sio_puts, 1000000, KEPT, sio_puts(vast));
    CELL(sio_putl, sizeof(long) == 8 ? 20 : 11, KEPT, sio_putl(LONG_MIN));
    CELL(Sio_puts, 6, KEPT, Sio_puts(none));
    CELL(Sio_puts, -1, EBADF, (close(STDOUT_FILENO), Sio_puts("text")));
    CELL(Sio_putl, -1, EBADF, (close(STDOUT_FILENO), Sio_putl(LONG_MIN)));
    ENDS(sio_error, 1, sio_error(none));
    ENDS(sio_error, 1, sio_error(vast));
    ENDS(Sio_error, 1, Sio_error(none));
    ENDS(__sio_assert_fail, 128 + SIGABRT, __sio_assert_fail(none, none, UINT_MAX, none));
    ENDS(__sio_assert_fail, 128 + SIGABRT, __sio_assert_fail(vast, vast, 0, vast));
    CELL(sio_printf, 6, KEPT, sio_printf(none, 1));
    CELL(sio_printf, 6, KEPT, sio_printf("%s", none));
    CELL(sio_printf, 1000000, KEPT, sio_printf("%s", vast));
    CELL(sio_printf, 1000000, KEPT, sio_printf(vast, 1));
    CELL(sio_dprintf, 6, KEPT, sio_dprintf(STDOUT_FILENO, none, 1));
    CELL(sio_eprintf, 6, KEPT, sio_eprintf(none, 1));
    CELL(sio_vdprintf, 6, KEPT, vdprintf_to(STDOUT_FILENO, none));
    FOR_BAD_DESCRIPTORS(fd) {
        CELL(sio_dprintf, -1, EBADF, sio_dprintf(fd, "%s", "text"));
        CELL(sio_vdprintf, -1, EBADF, vdprintf_to(fd, "%s", "text"));
    }
    CELL(sio_dprintf, -1, EBADF, sio_dprintf(directory(), "%d", 1));
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        CELL(sio_vdprintf, formats[i].count, KEPT, vdprintf_to(STDOUT_FILENO, formats[i].format, 1, 2, 3));
}

static void bad_unix_io(void)
{
    CELL(Open, -1, EFAULT, Open(none, O_RDONLY, 0));
    CELL(Open, -1, ENOENT, Open("", O_RDONLY, 0));
    CELL(Open, -1, ENAMETOOLONG, Open(vast, O_RDONLY, 0));
    CELL(Open, -1, EISDIR, Open("/", O_RDWR, 0));
    FOR_BAD_DESCRIPTORS(fd) {
        CELL(Read, -1, EBADF, Read(fd, buf, sizeof buf));
        CELL(Write, -1, EBADF, Write(fd, buf, sizeof buf));
        CELL(Lseek, -1, EBADF, Lseek(fd, 0, SEEK_SET));
        VOID(Close, EBADF, Close(fd));
        CELL(Dup2, -1, EBADF, Dup2(fd, closed + 1));
        VOID(Fstat, EBADF, Fstat(fd, &facts));
    }
    CELL(Read, -1, EFAULT, Read(file(), none, 8));
    CELL(Read, -1, EISDIR, Read(directory(), buf, sizeof buf));
    CELL(Write, -1, EFAULT, Write(file(), none, 8));
    CELL(Write, -1, EBADF, Write(directory(), buf, sizeof buf));
    FOR_BAD_COUNTS(count) {
        CELL(Read, -1, EINVAL, Read(file(), buf, count));
        CELL(Write, -1, EINVAL, Write(file(), buf, count));
    }
    CELL(Lseek, -1, EINVAL, Lseek(file(), 0, -1));
    CELL(Lseek, -1, EINVAL, Lseek(file(), -1, SEEK_SET));
    CELL(Lseek, -1, EINVAL, Lseek(file(), LONG_MIN, SEEK_CUR));
    CELL(Select, -1, EINVAL, Select(-1, NULL, NULL, NULL, &at_once));
    CELL(Select, -1, EINVAL, Select(INT_MIN, NULL, NULL, NULL, &at_once));
    CELL(Select, 0, KEPT, Select(INT_MAX, NULL, NULL, NULL, &at_once));
    CELL(Select, -1, EBADF, ready(closed + 1, closed));
    CELL(Select, -1, EINVAL, (at_once.tv_sec = -1, Select(0, NULL, NULL, NULL, &at_once)));
    CELL(Dup2, -1, EBADF, Dup2(STDOUT_FILENO, -1));
    CELL(Dup2, -1, EBADF, Dup2(STDOUT_FILENO, INT_MAX));
    VOID(Stat, EFAULT, Stat(none, &facts));
    VOID(Stat, EFAULT, Stat("/", (struct stat *)none));
    VOID(Stat, ENAMETOOLONG, Stat(vast, &facts));
    VOID(Stat, ENOENT, Stat("", &facts));
    VOID(Fstat, EFAULT, Fstat(file(), (struct stat *)none));
}

static void bad_directories_and_memory(void)
{
    CELL(Opendir, 0, EFAULT, Opendir(none));
    CELL(Opendir, 0, ENOENT, Opendir(""));
    CELL(Opendir, 0, ENAMETOOLONG, Opendir(vast));
    CELL(Opendir, 0, ENOTDIR, Opendir("/dev/null"));
    CELL(Readdir, 0, EFAULT, Readdir((DIR *)none));
    CELL(Closedir, -1, EFAULT, Closedir((DIR *)none));
    CELL(Mmap, MAP_FAILED, EINVAL, Mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    FOR_BAD_COUNTS(count) {
        if (sizeof count == 4 && count == TOO_MANY)
            continue; /* half of all addresses can be mapped, and unmapped */
        CELL(Mmap, MAP_FAILED, is_valgrind() ? EINVAL : ENOMEM,
             Mmap(NULL, count, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        VOID(Munmap, EINVAL, Munmap(NULL, count));
    }
    FOR_BAD_DESCRIPTORS(fd)
        CELL(Mmap, MAP_FAILED, EBADF, Mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0));
    CELL(Mmap, MAP_FAILED, ENODEV, Mmap(NULL, 1, PROT_READ, MAP_PRIVATE, directory(), 0));
    CELL(Mmap, MAP_FAILED, EINVAL, Mmap(NULL, 1, PROT_READ, 0, file(), 0));
    VOID(Munmap, EINVAL, Munmap(NULL, 0));
    VOID(Munmap, EINVAL, Munmap(buf + 1, 1));
    CELL(Malloc, 0, ENOMEM, Malloc(SIZE_MAX));
    CELL(Malloc, 0, ENOMEM, Malloc(TOO_MANY));
    CELL(Realloc, 0, ENOMEM, Realloc(none, SIZE_MAX));
    CELL(Calloc, 0, is_valgrind() ? ANY_REASON : ENOMEM, Calloc(SIZE_MAX, SIZE_MAX));
    CELL(Calloc, 0, is_valgrind() ? ANY_REASON : ENOMEM, Calloc(TOO_MANY, 2));
    VOID(Free, KEPT, Free(none));
}

static void bad_stdio(void)
{
    FILE *no_stream = (FILE *)none;

    VOID(Fclose, EFAULT, Fclose(no_stream));
    CELL(Fdopen, 0, EFAULT, Fdopen(STDIN_FILENO, none));
    CELL(Fdopen, 0, EINVAL, Fdopen(STDIN_FILENO, "mode"));
#ifdef __GLIBC__
    FOR_BAD_DESCRIPTORS(fd)
        CELL(Fdopen, 0, EBADF, Fdopen(fd, "r"));
#endif
    CELL(Fopen, 0, EFAULT, Fopen(none, "r"));
    CELL(Fopen, 0, EFAULT, Fopen("/dev/null", none));
    OF_GLIBC(CELL(Fopen, 0, EINVAL, Fopen("/dev/null", ""));)
    CELL(Fopen, 0, ENAMETOOLONG, Fopen(vast, "r"));
    CELL(Fopen, 0, EISDIR, Fopen("/", "w"));
    CELL(Fgets, 0, EFAULT, Fgets(none, 4, stream()));
    CELL(Fgets, 0, EFAULT, Fgets(buf, 4, no_stream));
    CELL(Fgets, 0, EINVAL, Fgets(buf, 0, stream()));
    CELL(Fgets, 0, EINVAL, Fgets(buf, -1, stream()));
    CELL(Fgets, 0, EISDIR, Fgets(buf, 4, fdopen(directory(), "r")));
    VOID(Fputs, EFAULT, Fputs(none, stream()));
    VOID(Fputs, EFAULT, Fputs("text", no_stream));
    CELL(Fread, 0, EFAULT, Fread(none, 1, 4, stream()));
    CELL(Fread, 0, EFAULT, Fread(buf, 1, 4, no_stream));
    CELL(Fread, 0, KEPT, Fread(none, 0, 4, stream()));
    CELL(Fread, 0, KEPT, Fread(none, 4, 0, stream()));
    VOID(Fwrite, EFAULT, Fwrite(none, 1, 4, stream()));
    VOID(Fwrite, EFAULT, Fwrite(buf, 1, 4, no_stream));
    VOID(Fwrite, KEPT, Fwrite(none, 0, 4, stream()));
    VOID(Fwrite, KEPT, Fwrite(none, 4, 0, stream()));
    FOR_BAD_COUNTS(count) {
        CELL(Fread, 0, EINVAL, Fread(buf, 1, count, stream()));
        CELL(Fread, 0, EINVAL, Fread(buf, count, 2, stream()));
        VOID(Fwrite, EINVAL, Fwrite(buf, 1, count, stream()));
        VOID(Fwrite, EINVAL, Fwrite(buf, count, 2, stream()));
    }
}

static void bad_sockets(void)
{
    struct sockaddr *no_address = (SA *)none;
    socklen_t *no_len = (socklen_t *)none;
    struct server server = {.fd = -1};
    int tcp = -1;

    if (wanted >= 0) {
        tcp = socket(AF_INET, SOCK_STREAM, 0);
        server = listening_server(5);
    }
    CELL(Socket, -1, EAFNOSUPPORT, Socket(-1, SOCK_STREAM, 0));
    CELL(Socket, -1, EINVAL, Socket(AF_INET, -1, 0));
    CELL(Socket, -1, EINVAL, Socket(AF_INET, SOCK_STREAM, -1));
    FOR_BAD_DESCRIPTORS(fd) {
        VOID(Setsockopt, EBADF, Setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &closed, sizeof closed));
        VOID(Bind, EBADF, Bind(fd, (SA *)&address, sizeof address));
        VOID(Listen, EBADF, Listen(fd, 1));
        CELL(Accept, -1, EBADF, Accept(fd, NULL, NULL));
        VOID(Connect, EBADF, Connect(fd, (SA *)&server.address, sizeof server.address));
    }
    VOID(Bind, ENOTSOCK, Bind(directory(), (SA *)&address, sizeof address));
    VOID(Listen, ENOTSOCK, Listen(directory(), 1));
    CELL(Accept, -1, ENOTSOCK, Accept(directory(), NULL, NULL));
    VOID(Connect, ENOTSOCK, Connect(directory(), (SA *)&server.address, sizeof server.address));
    VOID(Setsockopt, EFAULT, Setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, none, sizeof closed));
    VOID(Setsockopt, EINVAL, Setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &closed, -1));
    VOID(Setsockopt, ENOPROTOOPT, Setsockopt(tcp, SOL_SOCKET, -1, &closed, sizeof closed));
    VOID(Bind, EFAULT, Bind(tcp, no_address, sizeof address));
    VOID(Bind, EINVAL, Bind(tcp, (SA *)&address, -1));
    VOID(Bind, EINVAL, Bind(tcp, (SA *)&address, 0));
    VOID(Bind, EINVAL, Bind(tcp, (SA *)&address, INT_MAX));
    VOID(Listen, KEPT, Listen(tcp, INT_MIN));
    VOID(Connect, EFAULT, Connect(tcp, no_address, sizeof address));
    VOID(Connect, EINVAL, Connect(tcp, (SA *)&server.address, -1));
    VOID(Connect, EINVAL, Connect(tcp, (SA *)&server.address, INT_MAX));
    CELL(Accept, -1, EINVAL, Accept(tcp, NULL, NULL));
    if (begin("Accept", "with an address and no length", -1, EFAULT, GOES_ON)) {
        connect_to(&server);
        end(Accept(server.fd, (SA *)&address, no_len));
    }
    if (begin("Accept", "with a negative length", -1, EINVAL, GOES_ON)) {
        connect_to(&server);
        end(Accept(server.fd, (SA *)&address, &negative_len));
    }
    if (begin("Accept", "with a length and no address", DESCRIPTOR, KEPT, GOES_ON)) {
        connect_to(&server);
        end(Accept(server.fd, NULL, &address_len));
    }
}

static void bad_names(void)
{
    const struct addrinfo odd = {.ai_family = -1, .ai_socktype = -1, .ai_flags = -1};

    VOID(Getaddrinfo, ANY_REASON, Getaddrinfo(NULL, NULL, NULL, &list));
    VOID(Getaddrinfo, EFAULT, Getaddrinfo(LOCAL, "80", NULL, (struct addrinfo **)none));
    VOID(Getaddrinfo, ANY_REASON, Getaddrinfo(LOCAL, "80", &odd, &list));
    VOID(Getaddrinfo, ANY_REASON, Getaddrinfo(vast, "80", NULL, &list));
    VOID(Getaddrinfo, ANY_REASON, Getaddrinfo(LOCAL, vast, NULL, &list));
    VOID(Freeaddrinfo, KEPT, Freeaddrinfo((struct addrinfo *)none));
    VOID(Getnameinfo, EFAULT, Getnameinfo((SA *)none, sizeof address, buf, sizeof buf, NULL, 0, 0));
    VOID(Getnameinfo, ANY_REASON, Getnameinfo((SA *)&address, 0, buf, sizeof buf, NULL, 0, 0));
    VOID(Getnameinfo, KEPT, (address.sin_family = AF_INET,
         Getnameinfo((SA *)&address, sizeof address, none, sizeof buf, none, sizeof buf, NI_NUMERICHOST)));
    VOID(Getnameinfo, ANY_REASON, (address.sin_family = AF_INET,
         Getnameinfo((SA *)&address, sizeof address, buf, 1, buf, 1, NI_NUMERICHOST | NI_NUMERICSERV)));
    VOID(Getnameinfo, ANY_REASON, Getnameinfo((SA *)&address, sizeof address, buf, sizeof buf, NULL, 0, -1));
    VOID(Inet_ntop, EFAULT, Inet_ntop(AF_INET, none, buf, sizeof buf));
    VOID(Inet_ntop, EFAULT, Inet_ntop(AF_INET, &address.sin_addr, none, sizeof buf));
    VOID(Inet_ntop, ENOSPC, Inet_ntop(AF_INET, &address.sin_addr, buf, 0));
    VOID(Inet_ntop, EAFNOSUPPORT, Inet_ntop(-1, &address.sin_addr, buf, sizeof buf));
    VOID(Inet_pton, EFAULT, Inet_pton(AF_INET, none, &address.sin_addr));
    VOID(Inet_pton, EFAULT, Inet_pton(AF_INET, LOCAL, none));
    VOID(Inet_pton, EAFNOSUPPORT, Inet_pton(-1, LOCAL, &address.sin_addr));
    VOID(Inet_pton, EINVAL, Inet_pton(AF_INET, vast, &address.sin_addr));
    VOID(Inet_pton, EINVAL, Inet_pton(AF_INET6, vast_number, buf));
    CELL(Gethostbyname, 0, EFAULT, Gethostbyname(none));
    CELL(Gethostbyname, 0, ANY_REASON, Gethostbyname(vast));
    CELL(Gethostbyname, 0, ANY_REASON, Gethostbyname(""));
    CELL(Gethostbyaddr, 0, EFAULT, Gethostbyaddr(none, 4, AF_INET));
#ifndef __SANITIZE_ADDRESS__ /* which looks at as many bytes */
    CELL(Gethostbyaddr, 0, ANY_REASON, Gethostbyaddr(buf, -1, AF_INET));
#endif
    CELL(Gethostbyaddr, 0, ANY_REASON, Gethostbyaddr(buf, 4, -1));
}

/* Joins the thread that it is run in, and says what errno was then. */
static void *join_self(void *unused)
{
    errno = UNTOUCHED;
    Pthread_join(pthread_self(), unused);
    return (void *)(intptr_t)errno;
}

/* Pthread_join of the calling thread, in a thread that pthread_create made: the sanitizers know no other. */
static void join_by_itself(void)
{
    void *reason = NULL;

    if (pthread_create(&thread, NULL, join_self, NULL) != 0 || pthread_join(thread, &reason) != 0)
        abort();
    errno = (int)(intptr_t)reason;
}

static void bad_threads(void)
{
    pthread_mutex_t *no_mutex = (pthread_mutex_t *)none;
    pthread_cond_t *no_condition = (pthread_cond_t *)none;
    sem_t *no_semaphore = (sem_t *)none;

    NO_INPUT(Pthread_self);
    VOID(Pthread_create, EFAULT, Pthread_create((pthread_t *)none, NULL, routine, NULL));
    VOID(Pthread_create, EFAULT, Pthread_create(&thread, NULL, NULL, NULL));
    VOID(Pthread_join, ESRCH, Pthread_join((pthread_t)0, NULL));
    OF_GLIBC(VOID(Pthread_join, EDEADLK, join_by_itself());)
    VOID(Pthread_cancel, ESRCH, Pthread_cancel((pthread_t)0));
    VOID(Pthread_detach, ESRCH, Pthread_detach((pthread_t)0));
    ENDS(Pthread_exit, 0, Pthread_exit(NULL));
    VOID(Pthread_once, EFAULT, Pthread_once((pthread_once_t *)none, abort));
    VOID(Pthread_once, EFAULT, Pthread_once(&(pthread_once_t){PTHREAD_ONCE_INIT}, NULL));
    VOID(Sem_init, EFAULT, Sem_init(no_semaphore, 0, 0));
    VOID(Sem_init, EINVAL, Sem_init(&sem, 0, UINT_MAX));
    VOID(P, EFAULT, P(no_semaphore));
    VOID(V, EFAULT, V(no_semaphore));
    VOID(Sem_destroy, EFAULT, Sem_destroy(no_semaphore));
    VOID(Pthread_mutex_init, EFAULT, Pthread_mutex_init(no_mutex, NULL));
    VOID(Pthread_mutex_lock, EFAULT, Pthread_mutex_lock(no_mutex));
    CELL(Pthread_mutex_trylock, EFAULT, EFAULT, Pthread_mutex_trylock(no_mutex));
    VOID(Pthread_mutex_unlock, EFAULT, Pthread_mutex_unlock(no_mutex));
    VOID(Pthread_mutex_destroy, EFAULT, Pthread_mutex_destroy(no_mutex));
    VOID(Pthread_cond_init, EFAULT, Pthread_cond_init(no_condition, NULL));
    VOID(Pthread_cond_wait, EFAULT, Pthread_cond_wait(no_condition, &mutex));
    VOID(Pthread_cond_wait, EFAULT, Pthread_cond_wait(&condition, no_mutex));
    CELL(Pthread_cond_timedwait, EFAULT, EFAULT, Pthread_cond_timedwait(no_condition, &mutex, &whenever));
    CELL(Pthread_cond_timedwait, EFAULT, EFAULT, Pthread_cond_timedwait(&condition, no_mutex, &whenever));
    CELL(Pthread_cond_timedwait, EFAULT, EFAULT,
         Pthread_cond_timedwait(&condition, &mutex, (struct timespec *)none));
    CELL(Pthread_cond_timedwait, EINVAL, EINVAL,
         (whenever.tv_nsec = -1, Pthread_cond_timedwait(&condition, &mutex, &whenever)));
    VOID(Pthread_cond_signal, EFAULT, Pthread_cond_signal(no_condition));
    VOID(Pthread_cond_broadcast, EFAULT, Pthread_cond_broadcast(no_condition));
    VOID(Pthread_cond_destroy, EFAULT, Pthread_cond_destroy(no_condition));
    CELL(Pipe, -1, EFAULT, Pipe((int *)none));
}

/* The same lines for the two forms of a call of the Rio package. */
#define BOTH(name, value, reason, arguments)        \
    do {                                            \
        CELL(rio_##name, value, reason, rio_##name arguments); \
        CELL(Rio_##name, value, reason, Rio_##name arguments); \
    } while (0)
/* Rio_writen and Rio_readinitb return nothing. */
#define BOTH_AND_VOID(name, value, reason, arguments) \
    do {                                            \
        CELL(rio_##name, value, reason, rio_##name arguments); \
        VOID(Rio_##name, reason, Rio_##name arguments); \
    } while (0)

static void bad_rio(void)
{
    rio_t *no_reader = (rio_t *)none;

    BOTH(readn, -1, EFAULT, (file(), none, 8));
    BOTH(readn, 0, KEPT, (file(), none, 0));
    BOTH(readn, -1, EISDIR, (directory(), buf, 8));
    BOTH_AND_VOID(writen, -1, EFAULT, (file(), none, 8));
    BOTH_AND_VOID(writen, 0, KEPT, (file(), none, 0));
    BOTH_AND_VOID(writen, -1, EBADF, (directory(), buf, 8));
    VOID(rio_readinitb, EFAULT, rio_readinitb(no_reader, 0));
    VOID(Rio_readinitb, EFAULT, Rio_readinitb(no_reader, 0));
    BOTH(readnb, -1, EFAULT, (no_reader, buf, 8));
    BOTH(readnb, -1, EFAULT, (reader_of(file()), none, 8));
    BOTH(readnb, 0, KEPT, (reader_of(file()), none, 0));
    BOTH(readnb, -1, EISDIR, (reader_of(directory()), buf, 8));
    BOTH(readlineb, -1, EFAULT, (no_reader, buf, 8));
    BOTH(readlineb, -1, EFAULT, (reader_of(file()), none, 8));
    BOTH(readlineb, -1, EINVAL, (reader_of(file()), none, 0));
    BOTH(readlineb, -1, EINVAL, (reader_of(file()), buf, 0));
    BOTH(readlineb, -1, EISDIR, (reader_of(directory()), buf, 8));
    FOR_BAD_DESCRIPTORS(fd) {
        BOTH(readn, -1, EBADF, (fd, buf, 8));
        BOTH_AND_VOID(writen, -1, EBADF, (fd, buf, 8));
        BOTH(readnb, -1, EBADF, (reader_of(fd), buf, 8));
        BOTH(readlineb, -1, EBADF, (reader_of(fd), buf, 8));
        VOID(rio_readinitb, KEPT, rio_readinitb(uninitialised(7), fd));
        VOID(Rio_readinitb, KEPT, Rio_readinitb(uninitialised(7), fd));
    }
    FOR_BAD_COUNTS(count) {
        BOTH(readn, -1, EINVAL, (file(), buf, count));
        BOTH(readn, -1, EINVAL, (file(), none, count));
        BOTH_AND_VOID(writen, -1, EINVAL, (file(), buf, count));
        BOTH_AND_VOID(writen, -1, EINVAL, (file(), none, count));
        BOTH(readnb, -1, EINVAL, (reader_of(file()), buf, count));
        BOTH(readlineb, -1, EINVAL, (reader_of(file()), buf, count));
    }
    for (int byte = 0; byte < 256; byte += 51) {
        BOTH(readnb, -1, EINVAL, (uninitialised(byte), buf, 8));
        BOTH(readlineb, -1, EINVAL, (uninitialised(byte), buf, 8));
    }
}

static const char *const no_ports[] = {
    "", " ", "-1", "65536", "99999999999999999999", "80x", "8 0", "%s%n", "no such service", "\xff", "0x50",
};
static const char *const no_hosts[] = {
    "%s%n%s", " ", "256.256.256.256", "1.2.3.4.5", "::1::", "[::1]", "::1%nowhere", "a..b", "\xff\xfe", "a\nb",
};
#ifdef __GLIBC__
#define NO_HOSTS (sizeof no_hosts / sizeof *no_hosts)
#else
#define NO_HOSTS 1 /* another libc waits 5 s for a name server, though none can be reached */
#endif
static int has_own_network;

/* All functions that take a host and a port. */
#define CLIENTS(value, reason, host, port)                                            \
    do {                                                                              \
        CELL(open_clientfd, value, reason, open_clientfd(host, port));                \
        CELL(Open_clientfd, value, reason, Open_clientfd(host, port));                \
        CELL(open_clientfd_r, value, reason, open_clientfd_r(host, port));            \
        CELL(Open_clientfd_r, value, reason, Open_clientfd_r(host, port));            \
        CELL(csapp_connect, value, reason, csapp_connect(host, port, -1));            \
        CELL(csapp_connect, value, reason, csapp_connect(host, port, 20000));         \
    } while (0)
/* All functions that take a port alone, or beside a host. */
#define SERVERS(value, reason, port)                                                  \
    do {                                                                              \
        CELL(open_listenfd, value, reason, open_listenfd(port));                      \
        CELL(Open_listenfd, value, reason, Open_listenfd(port));                      \
        CELL(csapp_listen, value, reason, csapp_listen(NULL, port, 0, 0));            \
        CELL(csapp_listen, value, reason, csapp_listen(LOCAL, port, 0, CSAPP_DUALSTACK)); \
    } while (0)

/* The calls with a time limit: what is bad about the arguments is told at once, whatever the limit. */
static void bad_rio_in_time(void)
{
    static const int limits[] = {INT_MIN, 0, INT_MAX};
    rio_t *no_reader = (rio_t *)none;
    static size_t moved;

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const int limit = limits[i];

        CELL(csapp_readlineb, -1, EFAULT, csapp_readlineb(no_reader, buf, 8, limit));
        CELL(csapp_readlineb, -1, EFAULT, csapp_readlineb(reader_of(file()), none, 8, limit));
        CELL(csapp_readlineb, -1, EINVAL, csapp_readlineb(reader_of(file()), buf, 0, limit));
        CELL(csapp_readlineb, -1, EISDIR, csapp_readlineb(reader_of(directory()), buf, 8, limit));
        CELL(csapp_readlineb, -1, EINVAL, csapp_readlineb(uninitialised(0), buf, 8, limit));
        CELL(csapp_readnb, -1, EFAULT, csapp_readnb(no_reader, buf, 8, limit));
        CELL(csapp_readnb, -1, EFAULT, csapp_readnb(reader_of(file()), none, 8, limit));
        CELL(csapp_readnb, -1, EISDIR, csapp_readnb(reader_of(directory()), buf, 8, limit));
        CELL(csapp_readnb, -1, EINVAL, csapp_readnb(uninitialised(0), buf, 8, limit));
        CELL(csapp_readn, -1, EFAULT, csapp_readn(file(), none, 8, limit, &moved));
        CELL(csapp_readn, -1, EISDIR, csapp_readn(directory(), buf, 8, limit, NULL));
        CELL(csapp_writen, -1, EFAULT, csapp_writen(file(), none, 8, limit, &moved));
        CELL(csapp_writen, -1, EBADF, csapp_writen(directory(), buf, 8, limit, NULL));
    }
    FOR_BAD_DESCRIPTORS(fd) {
        CELL(csapp_readlineb, -1, EBADF, csapp_readlineb(reader_of(fd), buf, 8, -1));
        CELL(csapp_readnb, -1, EBADF, csapp_readnb(reader_of(fd), buf, 8, 0));
        CELL(csapp_readn, -1, EBADF, csapp_readn(fd, buf, 8, 1, &moved));
        CELL(csapp_writen, -1, EBADF, csapp_writen(fd, buf, 8, INT_MAX, &moved));
    }
    FOR_BAD_COUNTS(count) {
        CELL(csapp_readlineb, -1, EINVAL, csapp_readlineb(reader_of(file()), buf, count, -1));
        CELL(csapp_readnb, -1, EINVAL, csapp_readnb(reader_of(file()), buf, count, 0));
        CELL(csapp_readn, -1, EINVAL, csapp_readn(file(), buf, count, 1, &moved));
        CELL(csapp_writen, -1, EINVAL, csapp_writen(file(), buf, count, INT_MAX, &moved));
    }
}

static void bad_accepts_in_time(void)
{
    static struct server server;
    static struct sockaddr_in address;
    static socklen_t negative = (socklen_t)-1, *no_len;
    static int tcp;

    if (wanted >= 0) {
        tcp = socket(AF_INET, SOCK_STREAM, 0);
        server = listening_server(5);
        connect_to(&server);
    }
    FOR_BAD_DESCRIPTORS(fd)
        CELL(csapp_accept, -1, EBADF, csapp_accept(fd, NULL, NULL, -1));
    CELL(csapp_accept, -1, ENOTSOCK, csapp_accept(directory(), NULL, NULL, -1));
    CELL(csapp_accept, -1, EINVAL, csapp_accept(tcp, NULL, NULL, -1));
    CELL(csapp_accept, -1, EFAULT, csapp_accept(server.fd, (SA *)&address, no_len, INT_MIN));
    CELL(csapp_accept, -1, EINVAL, csapp_accept(server.fd, (SA *)&address, &negative, INT_MAX));
}

static void bad_clients_and_servers(void)
{
    static const int numbers[] = {-1, 65536, INT_MIN, INT_MAX};

    CLIENTS(-1, EFAULT, LOCAL, none);
    CLIENTS(-1, EFAULT, NULL, none);
    CLIENTS(-2, EINVAL, LOCAL, vast);
    CLIENTS(-2, EINVAL, LOCAL, vast_number);
    SERVERS(-1, EFAULT, none);
    SERVERS(-2, EINVAL, vast);
    SERVERS(-2, EINVAL, vast_number);
    for (size_t i = 0; i < sizeof no_ports / sizeof *no_ports; i++) {
        CLIENTS(-2, EINVAL, LOCAL, no_ports[i]);
        SERVERS(-2, EINVAL, no_ports[i]);
    }
    CLIENTS(-2, ANY_REASON, vast, "80");
    CLIENTS(-2, ANY_REASON, vast_number, "80");
    if (has_own_network)
        for (size_t i = 0; i < NO_HOSTS; i++) {
            CLIENTS(-2, ANY_REASON, no_hosts[i], "80");
            CELL(csapp_listen, -2, ANY_REASON, csapp_listen(no_hosts[i], "0", 0, 0));
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CELL(csapp_open_clientfd_2e, -2, EINVAL, csapp_open_clientfd_2e(LOCAL, numbers[i]));
        CELL(csapp_Open_clientfd_2e, -2, EINVAL, csapp_Open_clientfd_2e(NULL, numbers[i]));
        CELL(csapp_open_listenfd_2e, -2, EINVAL, csapp_open_listenfd_2e(numbers[i]));
        CELL(csapp_Open_listenfd_2e, -2, EINVAL, csapp_Open_listenfd_2e(numbers[i]));
    }
    CELL(csapp_open_clientfd_2e, -2, ANY_REASON, csapp_open_clientfd_2e(vast, 80));
    CELL(csapp_Open_clientfd_2e, -2, ANY_REASON, csapp_Open_clientfd_2e(vast, 80));
    CELL(csapp_connect, -1, ECONNREFUSED, csapp_connect(LOCAL, refusing_port(), INT_MIN));
    CELL(csapp_connect, -1, ECONNREFUSED, csapp_connect(LOCAL, refusing_port(), INT_MAX));
    CELL(csapp_listen, DESCRIPTOR, KEPT, csapp_listen(NULL, "0", INT_MIN, 0));
    CELL(csapp_listen, DESCRIPTOR, KEPT, csapp_listen(NULL, "0", INT_MAX, 0));
    CELL(csapp_listen, -1, EINVAL, csapp_listen(NULL, "0", 0, ~0u));
    CELL(csapp_listen, -1, EINVAL, csapp_listen(none, none, 0, 4));
    CELL(csapp_listen, -2, ANY_REASON, csapp_listen(vast, "0", 0, 0));
    bad_rio_in_time();
    bad_accepts_in_time();
    NO_INPUT(csapp_version);
}

/* Goes through all cells, and runs the one that is wanted. */
static int visit(int which)
{
    wanted = which;
    seen = 0;
    bad_errors();
    bad_processes();
    bad_signals();
    bad_output();
    bad_unix_io();
    bad_directories_and_memory();
    bad_stdio();
    bad_sockets();
    bad_names();
    bad_threads();
    bad_rio();
    bad_clients_and_servers();
    return seen;
}

#define LONGEST_SECONDS 60

/* Runs the cell that is in `which`, in this process. */
static void run_cell(int which, int err)
{
    int away = open("/dev/null", O_RDWR);

    dup2(away, STDIN_FILENO);
    dup2(away, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    csapp_set_error_handler(csapp_error_return);
    alarm(LONGEST_SECONDS);
    visit(which);
    _exit(42);
}

/* What the wrapper that a cell calls is named in a report; "" if it makes none. */
static const char *reported_name(const struct cell *cell)
{
    static char name[40];
    char *tail;

    strcpy(name, strncmp(cell->function, "csapp_", 6) == 0 ? cell->function + 6 : cell->function);
    if ((tail = strstr(name, "_2e")) != NULL)
        *tail = '\0';
    if (!isupper((unsigned char)name[0]) || cell->reason == KEPT)
        return "";
    return strcat(name, " error: ");
}

START_TEST(bad_input_gives_an_error_and_nothing_worse)
{
    int err = memfd_create("err", MFD_CLOEXEC), ended;
    struct cell *cell = shown;
    char text[4096] = "";
    pid_t pid;

    memset(cell, 0, sizeof *cell);
    fflush(NULL);
    if ((pid = fork()) == 0)
        run_cell(_i, err);
    ended = status_of(pid);
    ck_assert_int_ge(pread(err, text, sizeof text - 1, 0), 0);
    close(err);
#define SAY(what, ...) ck_abort_msg("%d: %s: %s: " what " [%.500s]", _i, cell->function, cell->call, __VA_ARGS__, text)
    if (cell->status != GOES_ON) {
        if (cell->has_returned || ended != cell->status)
            SAY("status %d instead of %d", ended, cell->status);
        return;
    }
    if (ended != 42 || !cell->has_returned)
        SAY("ended with status %d", ended);
    if (cell->value == DESCRIPTOR ? cell->value_seen < 0
                                  : cell->value != ANY && cell->value_seen != cell->value)
        SAY("gave %ld, not %ld", (long)cell->value_seen, (long)cell->value);
    if (cell->reason == KEPT ? cell->reason_seen != UNTOUCHED
                             : cell->reason != ANY_REASON && cell->reason_seen != cell->reason)
        SAY("errno %d, not %d", cell->reason_seen, cell->reason);
    if (strstr(text, reported_name(cell)) == NULL)
        SAY("reported without \"%s\"", reported_name(cell));
#undef SAY
}
END_TEST

/* Ways to a peer. */
static void pipe_to_peer(int ends[2])
{
    pipe_pair(ends);
}

static void tcp_to_peer(int ends[2])
{
    struct server server = listening_server(5);

    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[1], (SA *)&server.address, sizeof server.address), 0);
    ends[0] = accept(server.fd, NULL, NULL);
}

static void (*const ways[])(int ends[2]) = {pipe_to_peer, socket_pair, tcp_to_peer};

/* The calls that write, with a count that an error code has become. */
static void rio_writen_all(int fd, size_t count)
{
    ck_assert_int_eq(rio_writen(fd, "secret", count), -1);
}

static void rio_writen_checked(int fd, size_t count)
{
    Rio_writen(fd, "secret", count);
}

static void write_checked(int fd, size_t count)
{
    ck_assert_int_eq(Write(fd, "secret", count), -1);
}

static void fwrite_checked(int fd, size_t count)
{
    FILE *to = fdopen(fd, "w");

    Fwrite("secret", 1, count, to);
    Fwrite("secret", count, 2, to);
    fflush(to);
}

static void (*const writers[])(int, size_t) = {
    rio_writen_all, rio_writen_checked, write_checked, fwrite_checked};

#define WAYS COUNT(ways)
#define WRITERS COUNT(writers)

/* Status 0: every count was refused; 1: one was not; 2: something came out at the other end. */
static void write_bad_counts(void *arg)
{
    int which = *(int *)arg, ends[2];
    char byte;

    csapp_set_error_handler(csapp_error_return);
    alarm(LONGEST_SECONDS);
    FOR_BAD_COUNTS(count) {
        ways[which % WAYS](ends);
        errno = 0;
        writers[which / WAYS](ends[1], count);
        if (errno != EINVAL)
            _exit(1);
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0)
            _exit(2);
    }
}

/* The peer gets not one byte of this process' memory. */
START_TEST(a_count_that_is_an_error_code_sends_nothing)
{
    int which = _i;

    ck_assert_int_eq(outcome_of(write_bad_counts, &which).status, 0);
}
END_TEST

int main(int argc, char **argv)
{
    TCase *tests = tcase_create("bad_input");

    if (argc > 1 && strcmp(argv[1], "names") == 0) {
        visit(LIST);
        return 0;
    }
    closed = fcntl(STDERR_FILENO, F_DUPFD, 40);
    close(closed);
    has_own_network = enter_loopback_network();
    if (!has_own_network)
        puts("SKIPPED: hosts without meaning: no network namespace, and a name server may be asked");
    vast = calloc(1, 1000001);
    vast_number = calloc(1, 1000001);
    memset(vast, 'a', 1000000);
    memset(vast_number, '7', 1000000);
    shown = mmap(NULL, sizeof *shown, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tcase_add_loop_test(tests, bad_input_gives_an_error_and_nothing_worse, 0, visit(COUNT));
    tcase_add_loop_test(tests, a_count_that_is_an_error_code_sends_nothing, 0, WAYS * WRITERS);
    setenv("CK_FORK", "no", 1); /* every test makes a process for what may crash */
    return run_suite("bad_input", tests);
}
