/**
 * @file csapp.h
 * libcsapp, the support library of "Computer Systems: A Programmer's Perspective" (CS:APP), for
 * programs of the book's second and third edition and of CMU's course 15-213.
 *
 * Generated from src/capi/ and include/csapp.h.in: do not edit, run `make header`.
 *
 * These rules hold for every function, unless its comment says otherwise:
 *
 * - Failure. A function whose name starts with a lower-case letter returns -1 and sets errno.
 *   One whose name starts with a capital letter is checked: on failure it sets errno and calls
 *   the error handler with a message such as "Dup2 error: Bad file descriptor". The message names
 *   the file or the host and port, if there is one: "Open error: /no/such/file: No such file or
 *   directory". The default handler writes the message to standard error and ends the program
 *   by exit(1); see csapp_set_error_handler. If the handler returns, the function returns -1, or
 *   NULL if it returns a pointer. The comments call this "to report a failure".
 * - Success. errno is unchanged, except by Readdir at the end of the directory.
 * - Errors. A comment lists the errors that need an explanation. Its last line, in brackets, names
 *   its sources: the section of the book, and the functions of POSIX or C whose other errors it
 *   may have.
 * - EFAULT: a pointer that the function needs is NULL.
 * - EINVAL: a number of bytes exceeds SSIZE_MAX, such as a negative number converted to size_t.
 *   Nothing is read or written.
 * - EINTR: Accept, Connect, Dup2, Fopen, Open, P, Read, Select, Wait, Waitpid, Write and the rio_,
 *   Rio_, sio_, Sio_, open_ and Open_ functions continue if interrupted by a signal, and never fail
 *   with EINTR. Signals cannot extend a socket's timeout (SO_RCVTIMEO, SO_SNDTIMEO) without limit:
 *   after at most three times that timeout, the call fails as if there had been no signal. The
 *   csapp_ functions with a time limit fail with EINTR, except csapp_connect, which continues.
 * - Threads. Several threads may call the functions at once, except Gethostbyname and
 *   Gethostbyaddr, and except for two calls on one rio_t or one DIR.
 * - Signal handlers may call the functions of the section "Signal-safe output": these take no lock
 *   and allocate no memory.
 */

/** @cond the parts that no program uses by name */
#ifndef CSAPP_H
#define CSAPP_H
#define __CSAPP_H__

/* Under a strict standard such as -std=c99, the system's headers declare what this one needs only
   if a program requests it. */
#if !defined(_GNU_SOURCE) && !defined(_DEFAULT_SOURCE) && !defined(_POSIX_C_SOURCE) \
    && !defined(_XOPEN_SOURCE)
#define _DEFAULT_SOURCE 1
#endif

/* A C++ program may include this header inside `extern "C" { }`, which the templates of the
   system's headers do not allow. */
#ifdef __cplusplus
extern "C++" {
#endif
#include <stdio.h>
#include <stdlib.h>
#include <stdarg.h>
#include <unistd.h>
#include <string.h>
#include <ctype.h>
#include <setjmp.h>
#include <signal.h>
#include <dirent.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <netdb.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#ifdef __cplusplus
}
#endif

#if !defined(SIG_BLOCK) || !defined(AI_PASSIVE) || !defined(S_IRUSR)
#error "csapp.h needs POSIX.1-2008: include it before the system's headers, or compile with -D_DEFAULT_SOURCE or -std=gnu99"
#endif

/* If off_t can have two sizes, the library uses the default one. */
#if defined(__USE_FILE_OFFSET64) && defined(__WORDSIZE) && __WORDSIZE == 32
#error "csapp.h: on a 32-bit system, compile without _FILE_OFFSET_BITS=64 and _TIME_BITS=64"
#endif

/** @endcond */

/** The version of this header. csapp_version returns that of the library. */
#define CSAPP_VERSION "1.0.0"

/** @cond */

#if defined(__GNUC__)
#define CSAPP_MUST_USE __attribute__((warn_unused_result))
#define CSAPP_NORETURN __attribute__((noreturn))
#define CSAPP_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define CSAPP_ALLOCATES(sizes) __attribute__((malloc, alloc_size sizes))
#define CSAPP_RESIZES(size) __attribute__((alloc_size(size)))
#else
#define CSAPP_MUST_USE
#define CSAPP_NORETURN
#define CSAPP_PRINTF(fmt, first)
#define CSAPP_ALLOCATES(sizes)
#define CSAPP_RESIZES(size)
#endif

/* Says which parameter is the size of which buffer, so that the compiler warns of a smaller buffer.
   This cannot be said of a struct sockaddr: the compiler would take the size for a number of
   structures. */
#ifdef __has_attribute
#if __has_attribute(access)
#define CSAPP_READS(buffer, size) __attribute__((access(read_only, buffer, size)))
#define CSAPP_WRITES(buffer, size) __attribute__((access(write_only, buffer, size)))
#endif
#endif
#ifndef CSAPP_READS
#define CSAPP_READS(buffer, size)
#define CSAPP_WRITES(buffer, size)
#endif

#if defined(__cplusplus) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 199901L)
#define CSAPP_FUNCTION __func__
#elif defined(__GNUC__)
#define CSAPP_FUNCTION __extension__ __FUNCTION__
#else
#define CSAPP_FUNCTION "?"
#endif

/* Keeps the error above the only one, if <netdb.h> does not declare the structure. */
#ifndef AI_PASSIVE
struct addrinfo;
#endif

#ifdef __cplusplus
extern "C" {
#endif
/** @endcond */

/** The size in bytes of the longest line in the book's programs, with its NUL. */
#define MAXLINE 8192
/** The size in bytes of the largest buffer in the book's programs. */
#define MAXBUF 8192

/** The permissions of a new file: everyone may read and write it. [CS:APP 3e, section 10.3] */
#define DEF_MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)
/** The permissions that umask removes: only the owner may write. [CS:APP 3e, section 10.3] */
#define DEF_UMASK (S_IWGRP | S_IWOTH)

/** The general socket address, by a short name for casts. [CS:APP 3e, section 11.4.1] */
typedef struct sockaddr SA;

/** A signal handler: a function type. */
typedef void handler_t(int);
/** An error handler, for csapp_set_error_handler: a function type. */
typedef void csapp_error_handler_t(const char *message);

#ifndef __USE_GNU
/** The environment of the process, an array that ends with NULL. [POSIX, environ] */
extern char **environ;
#endif
#ifndef h_errno
/** The error of the last gethostbyname or gethostbyaddr. [POSIX.1-2001, gethostbyname] */
extern int h_errno;
#endif

/** The name by which programs call csapp_gai_error. */
#define gai_error csapp_gai_error

/** @cond */

/*
 * CSAPP_EDITION is for programs that repeat prototypes of the book's header, or define such
 * functions themselves. Some parameters are `char *` in the book and `const char *` here, and C
 * accepts both only for a function that is declared without its parameters. So the prototypes
 * below get other names, and the functions are declared at the end.
 */
#if defined(CSAPP_EDITION) && !defined(__cplusplus) && !(defined(__STDC_VERSION__) && __STDC_VERSION__ > 201710L)
#define CSAPP_WITHOUT_PARAMETERS
#define unix_error csapp_unused_unix_error
#define posix_error csapp_unused_posix_error
#define csapp_gai_error csapp_unused_gai_error
#define dns_error csapp_unused_dns_error
#define app_error csapp_unused_app_error
#define sio_puts csapp_unused_sio_puts
#define sio_error csapp_unused_sio_error
#define Sio_puts csapp_unused_Sio_puts
#define Sio_error csapp_unused_Sio_error
#define Bind csapp_unused_Bind
#define Connect csapp_unused_Connect
#define rio_writen csapp_unused_rio_writen
#define Rio_writen csapp_unused_Rio_writen
#define open_clientfd csapp_unused_open_clientfd
#define open_listenfd csapp_unused_open_listenfd
#define Open_clientfd csapp_unused_Open_clientfd
#define Open_listenfd csapp_unused_Open_listenfd
#define csapp_open_clientfd_2e csapp_unused_open_clientfd_2e
#define csapp_open_listenfd_2e csapp_unused_open_listenfd_2e
#define csapp_Open_clientfd_2e csapp_unused_Open_clientfd_2e
#define csapp_Open_listenfd_2e csapp_unused_Open_listenfd_2e
#endif
/** @endcond */

/**
 * The size in bytes of the buffer of a rio_t.
 */
#define RIO_BUFSIZE 8192

/**
 * A buffered reader: a descriptor, and the bytes that have been read from it ahead of the
 * program.
 *
 * rio_readinitb initialises it; after that, only the functions of this library change it. Only
 * one thread at a time may use it. Between calls a program may copy or move it. The copy
 * continues with the same bytes read ahead; each byte that is read later goes to only one of
 * the two.
 *
 * [CS:APP 3e, section 10.5.2]
 */
typedef struct {
    /**
     * The descriptor that is read.
     */
    int rio_fd;
    /**
     * The number of unread bytes in rio_buf. Negative after a failed call that had gathered
     * more than RIO_BUFSIZE bytes, until that call is repeated: see rio_readnb.
     */
    int rio_cnt;
    /**
     * The next unread byte, in rio_buf; in the caller's buffer while rio_cnt is negative.
     */
    char *rio_bufptr;
    /**
     * The bytes read ahead.
     */
    char rio_buf[RIO_BUFSIZE];
} rio_t;

/* Errors --------------------------------------------------------------------------------- */

/**
 * Calls the error handler with "msg: text of errno", to report the failure of a call that sets
 * errno.
 *
 * A NULL `msg` is shown as "(null)". If the error handler returns, so does this function, with
 * errno unchanged.
 *
 * [CS:APP 3e, section 8.3]
 */
void unix_error(const char *msg);

/**
 * Calls the error handler with "msg: text of code", to report the failure of a call that
 * returned the error number `code` instead of setting errno, as the pthread functions do.
 *
 * A NULL `msg` is shown as "(null)". errno is unchanged.
 *
 * [CS:APP 3e, appendix A]
 */
void posix_error(int code, const char *msg);

/**
 * Calls the error handler with "msg: text of code", to report the failure of getaddrinfo or
 * getnameinfo.
 *
 * `code` is what the failed function returned, an EAI_ constant. For EAI_SYSTEM the text is
 * that of errno. A NULL `msg` is shown as "(null)". errno is unchanged. Programs call this
 * function by the name gai_error, a macro: glibc has another function of that name.
 *
 * [CS:APP 3e, appendix A; RFC 3493, section 6.1]
 */
void csapp_gai_error(int code, const char *msg);

/**
 * Calls the error handler with "msg: text of h_errno", or with `msg` alone if h_errno is 0, to
 * report the failure of gethostbyname or gethostbyaddr.
 *
 * A NULL `msg` is shown as "(null)". errno is unchanged. Programs that call getaddrinfo do not
 * need this function.
 *
 * [CS:APP 2e, appendix A]
 */
void dns_error(const char *msg);

/**
 * Calls the error handler with `msg` alone, to report a failure that the program itself has
 * found.
 *
 * A NULL `msg` is shown as "(null)". errno is unchanged.
 *
 * [CS:APP 3e, appendix A]
 */
void app_error(const char *msg);

/* Processes ------------------------------------------------------------------------------ */

/**
 * Creates a child process.
 *
 * Returns 0 in the child, and the child's process ID in the parent.
 *
 * [CS:APP 3e, section 8.4.2; POSIX, fork]
 */
pid_t Fork(void);

/**
 * Replaces the program by the file `filename`, with the arguments `argv` and the environment
 * `envp`, two arrays that end with NULL. Does not return if it succeeds.
 *
 * [CS:APP 3e, section 8.4.5; POSIX, exec]
 */
void Execve(const char *filename, char *const *argv, char *const *envp);

/**
 * Waits until a child process ends, and stores its status at `status`, unless that is NULL.
 *
 * Returns the child's process ID.
 *
 * [CS:APP 3e, section 8.4.3; POSIX, wait]
 */
pid_t Wait(int *status);

/**
 * Waits until the child process `pid` (-1: any) changes its state as `options` say, and stores
 * its status at `iptr`, unless that is NULL.
 *
 * Returns the child's process ID, or 0 if WNOHANG is set and no child has changed its state.
 *
 * [CS:APP 3e, section 8.4.3; POSIX, waitpid]
 */
pid_t Waitpid(pid_t pid, int *iptr, int options);

/**
 * Sends the signal `signum` to the process `pid`, or if `pid` is below -1, to the process group
 * whose ID is -`pid`.
 *
 * [CS:APP 3e, section 8.5.2; POSIX, kill]
 */
void Kill(pid_t pid, int signum);

/**
 * Suspends the calling thread for `secs` seconds, or until a signal handler has run. Cannot
 * fail.
 *
 * Returns the number of seconds that were left, or 0 if the time is up.
 *
 * [CS:APP 3e, section 8.4.4; POSIX, sleep]
 */
unsigned int Sleep(unsigned int secs);

/**
 * Suspends the calling thread until a signal handler has run. Cannot fail.
 *
 * [CS:APP 3e, section 8.4.4; POSIX, pause]
 */
void Pause(void);

/**
 * Schedules a SIGALRM for this process in `seconds` seconds, in place of an earlier one; 0 only
 * cancels that. Cannot fail.
 *
 * Returns the number of seconds that were left of the earlier one, or 0 if there was none.
 *
 * [CS:APP 3e, section 8.5.2; POSIX, alarm]
 */
unsigned int Alarm(unsigned int seconds);

/**
 * Moves the process `pid` (0: this one) to the process group `pgid` (0: the one that has the
 * process's ID).
 *
 * [CS:APP 3e, section 8.5.2; POSIX, setpgid]
 */
void Setpgid(pid_t pid, pid_t pgid);

/**
 * Returns the ID of this process's process group. Cannot fail.
 *
 * [CS:APP 3e, section 8.5.2; POSIX, getpgrp]
 */
pid_t Getpgrp(void);

/* Signals -------------------------------------------------------------------------------- */

/**
 * Installs `handler` for the signal `signum`: a function, SIG_IGN or SIG_DFL.
 *
 * Unlike signal, it means the same on every system: the handler stays installed, only its own
 * signal is blocked while it runs, and interrupted system calls restart if they can
 * (SA_RESTART).
 *
 * Returns the previous handler, or SIG_ERR on failure.
 *
 * [CS:APP 3e, section 8.5.5; POSIX, sigaction]
 */
handler_t *Signal(int signum, handler_t *handler);

/**
 * Changes the set of blocked signals by `set` as `how` says (SIG_BLOCK, SIG_UNBLOCK or
 * SIG_SETMASK), and stores the previous set at `oldset`. Either pointer may be NULL.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigprocmask]
 */
void Sigprocmask(int how, const sigset_t *set, sigset_t *oldset);

/**
 * Removes every signal from `set`.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigemptyset]
 */
void Sigemptyset(sigset_t *set);

/**
 * Adds every signal to `set`.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigfillset]
 */
void Sigfillset(sigset_t *set);

/**
 * Adds the signal `signum` to `set`.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigaddset]
 */
void Sigaddset(sigset_t *set, int signum);

/**
 * Removes the signal `signum` from `set`.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigdelset]
 */
void Sigdelset(sigset_t *set, int signum);

/**
 * Tests whether the signal `signum` is in `set`.
 *
 * Returns 1 if it is, and 0 if it is not.
 *
 * [CS:APP 3e, section 8.5.4; POSIX, sigismember]
 */
int Sigismember(const sigset_t *set, int signum);

/**
 * Suspends the calling thread until a signal handler has run; until then, exactly the signals
 * in `set` are blocked.
 *
 * Returns -1 with errno EINTR, without calling the error handler; any other error is reported.
 *
 * [CS:APP 3e, section 8.5.7; POSIX, sigsuspend]
 */
int Sigsuspend(const sigset_t *set);

/* Signal-safe output --------------------------------------------------------------------- */

/**
 * Writes the string `s` to standard output. NULL is written as "(null)".
 *
 * Returns the number of bytes written.
 *
 * [CS:APP 3e, section 8.5.5; POSIX, write]
 */
ssize_t sio_puts(const char *s);

/**
 * Writes the number `v` in decimal to standard output.
 *
 * Returns the number of bytes written.
 *
 * [CS:APP 3e, section 8.5.5; POSIX, write]
 */
ssize_t sio_putl(long v);

/**
 * Writes the string `s` to standard output, and ends the program by _exit(1), which does not
 * call what atexit registered.
 *
 * [CS:APP 3e, section 8.5.5]
 */
void sio_error(const char *s) CSAPP_NORETURN;

/**
 * Writes the string `s` to standard output, as sio_puts does, and reports a failure.
 *
 * If the error handler is csapp_error_exit, it ends the program by _exit(1), because a signal
 * handler must not call exit.
 *
 * Returns the number of bytes written.
 *
 * [CS:APP 3e, section 8.5.5; POSIX, write]
 */
ssize_t Sio_puts(const char *s);

/**
 * Writes the number `v` in decimal to standard output, as sio_putl does, and reports a failure
 * as Sio_puts does.
 *
 * Returns the number of bytes written.
 *
 * [CS:APP 3e, section 8.5.5; POSIX, write]
 */
ssize_t Sio_putl(long v);

/**
 * Writes the string `s` to standard output, and ends the program by _exit(1): an alias of
 * sio_error.
 *
 * [CS:APP 3e, section 8.5.5]
 */
void Sio_error(const char *s) CSAPP_NORETURN;

/**
 * Writes the failed `assertion` with its `file`, `line` and `function` to standard error, and
 * ends the program by abort. The macro sio_assert calls it.
 *
 * [CMU 15-213]
 */
void __sio_assert_fail(const char *assertion,
                       const char *file,
                       unsigned int line,
                       const char *function) CSAPP_NORETURN;

/**
 * Writes `fmt` with its conversions filled in to standard output, as printf does, and is
 * signal-safe.
 *
 * The letters of the conversions are c, s (NULL is written as "(null)"), d, i, u, x, o and p; l or
 * z may precede that of a number, and %% stands for a percent sign. There are no widths, no
 * precisions and no floating point. Any other conversion is written unchanged, and if it is one of
 * printf, its argument is skipped.
 *
 * Returns the number of bytes written.
 *
 * [CMU 15-213; POSIX, write]
 */
CSAPP_PRINTF(1, 2)
ssize_t sio_printf(const char *fmt, ...);

/**
 * Writes `fmt` with its conversions filled in to the descriptor `fd`, as sio_printf does to
 * standard output.
 *
 * Returns the number of bytes written.
 *
 * [CMU 15-213; POSIX, write]
 */
CSAPP_PRINTF(2, 3)
ssize_t sio_dprintf(int fd, const char *fmt, ...);

/**
 * Writes `fmt` with its conversions filled in to standard error, as sio_printf does to standard
 * output.
 *
 * Returns the number of bytes written.
 *
 * [CMU 15-213; POSIX, write]
 */
CSAPP_PRINTF(1, 2)
ssize_t sio_eprintf(const char *fmt, ...);

/**
 * Writes `fmt`, with its conversions filled in from `argp`, to the descriptor `fd`, as sio_dprintf
 * does. The caller calls va_end.
 *
 * Returns the number of bytes written.
 *
 * [CMU 15-213; POSIX, write]
 */
CSAPP_PRINTF(2, 0)
ssize_t sio_vdprintf(int fd, const char *fmt, va_list argp);

#ifndef NDEBUG
/**
 * Ends the program by abort if `expr` is false, after writing the place and `expr` to standard
 * error; assert for signal handlers. If NDEBUG is defined, does nothing and does not evaluate
 * `expr`. [CMU 15-213]
 */
#define sio_assert(expr) \
    ((expr) ? (void)0 : __sio_assert_fail(#expr, __FILE__, (unsigned int)__LINE__, CSAPP_FUNCTION))
#else
#define sio_assert(expr) ((void)0)
#endif

/* Unix I/O ------------------------------------------------------------------------------- */

/**
 * Opens the file `pathname` as `flags` say. If O_CREAT creates the file, its permissions are
 * `mode` less those in the umask.
 *
 * Returns a descriptor, which the caller closes.
 *
 * [CS:APP 3e, section 10.3; POSIX, open]
 */
int Open(const char *pathname, int flags, mode_t mode);

/**
 * Reads at most `count` bytes from the descriptor `fd` into `buf`, by one call of read.
 *
 * Returns the number of bytes read, or 0 at the end of the file.
 *
 * [CS:APP 3e, section 10.4; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t Read(int fd, void *buf, size_t count);

/**
 * Writes at most `count` bytes from `buf` to the descriptor `fd`, by one call of write.
 *
 * Returns the number of bytes written, which may be less than `count`.
 *
 * [CS:APP 3e, section 10.4; POSIX, write]
 */
CSAPP_READS(2, 3)
ssize_t Write(int fd, const void *buf, size_t count);

/**
 * Moves the file position of the descriptor `fd` to `offset` bytes from the start (`whence`
 * SEEK_SET), the current position (SEEK_CUR) or the end (SEEK_END) of the file.
 *
 * Returns the new position, in bytes from the start.
 *
 * [CS:APP 3e, section 10.4; POSIX, lseek]
 */
off_t Lseek(int fd, off_t offset, int whence);

/**
 * Closes the descriptor `fd`.
 *
 * EINTR is not reported, and close is not retried: the descriptor is closed, and another thread
 * may already have it again.
 *
 * [CS:APP 3e, section 10.3; POSIX, close]
 */
void Close(int fd);

/**
 * Waits until a descriptor below `n` in `readfds`, `writefds` or `exceptfds` is ready, or until
 * `timeout` has passed (NULL: no limit).
 *
 * If interrupted by a signal, waits for the rest of the time; the time that the signal handler
 * takes counts.
 *
 * Returns the number of ready descriptors, or 0 if the time is up.
 *
 * [CS:APP 3e, section 12.2; POSIX, select]
 */
int Select(int n, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout);

/**
 * Makes the descriptor `fd2` refer to the open file description of `fd1`, and closes what it
 * referred to before.
 *
 * Returns `fd2`.
 *
 * [CS:APP 3e, section 10.9; POSIX, dup2]
 */
int Dup2(int fd1, int fd2);

/**
 * Stores at `buf` the metadata of the file `filename`.
 *
 * [CS:APP 3e, section 10.6; POSIX, stat]
 */
void Stat(const char *filename, struct stat *buf);

/**
 * Stores at `buf` the metadata of the file that the descriptor `fd` refers to.
 *
 * [CS:APP 3e, section 10.6; POSIX, fstat]
 */
void Fstat(int fd, struct stat *buf);

/* Directories ---------------------------------------------------------------------------- */

/**
 * Opens the directory `name`.
 *
 * Returns a directory stream, which the caller closes with Closedir.
 *
 * [CS:APP 3e, section 10.7; POSIX, opendir]
 */
DIR *Opendir(const char *name);

/**
 * Reads the next entry of the directory stream `dirp`.
 *
 * Returns the entry, which is valid until the next call on `dirp`. Returns NULL with errno 0 at
 * the end of the directory, and NULL with another errno after an error.
 *
 * [CS:APP 3e, section 10.7; POSIX, readdir]
 */
struct dirent *Readdir(DIR *dirp);

/**
 * Closes the directory stream `dirp`.
 *
 * Returns 0.
 *
 * [CS:APP 3e, section 10.7; POSIX, closedir]
 */
int Closedir(DIR *dirp);

/* Memory mapping ------------------------------------------------------------------------- */

/**
 * Maps `len` bytes of the file `fd` from `offset` on, or `len` bytes of new memory, as `prot`
 * and `flags` say. `addr` is a hint, unless `flags` has MAP_FIXED; NULL means no hint.
 *
 * Returns the address of the mapping, or MAP_FAILED on failure.
 *
 * [CS:APP 3e, section 9.8.4; POSIX, mmap]
 */
void *Mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);

/**
 * Removes the mappings of the pages in the `length` bytes from `start` on.
 *
 * [CS:APP 3e, section 9.8.4; POSIX, munmap]
 */
void Munmap(void *start, size_t length);

/* Standard I/O --------------------------------------------------------------------------- */

/**
 * Writes what the stream `fp` has buffered, and closes it.
 *
 * [CS:APP 3e, section 10.10; C11, fclose]
 */
void Fclose(FILE *fp);

/**
 * Opens a stream on the descriptor `fd`, in the mode `type`.
 *
 * Returns the stream, which the caller closes with Fclose; that closes the descriptor as well.
 *
 * [CS:APP 3e, section 10.11; POSIX, fdopen]
 */
FILE *Fdopen(int fd, const char *type);

/**
 * Reads a line of at most `n` - 1 bytes from `stream` into `ptr`, with its newline, and stores
 * a NUL after it.
 *
 * Returns `ptr`. Returns NULL at the end of the file, and after an error; ferror distinguishes
 * the two.
 *
 * Errors:
 * - EINVAL: `n` is below 1
 *
 * [CS:APP 3e, section 10.10; C11, fgets]
 */
CSAPP_WRITES(1, 2)
char *Fgets(char *ptr, int n, FILE *stream);

/**
 * Opens the file `filename` as a stream in the mode `mode`.
 *
 * Returns the stream, which the caller closes with Fclose.
 *
 * [CS:APP 3e, section 10.10; C11, fopen]
 */
FILE *Fopen(const char *filename, const char *mode);

/**
 * Writes the string `ptr` to `stream`.
 *
 * [CS:APP 3e, section 10.10; C11, fputs]
 */
void Fputs(const char *ptr, FILE *stream);

/**
 * Reads `nmemb` items of `size` bytes each from `stream` into `ptr`.
 *
 * Returns the number of whole items read. It is below `nmemb` at the end of the file, and after
 * an error; ferror distinguishes the two.
 *
 * [CS:APP 3e, section 10.10; C11, fread]
 */
size_t Fread(void *ptr, size_t size, size_t nmemb, FILE *stream);

/**
 * Writes `nmemb` items of `size` bytes each from `ptr` to `stream`.
 *
 * [CS:APP 3e, section 10.10; C11, fwrite]
 */
void Fwrite(const void *ptr, size_t size, size_t nmemb, FILE *stream);

/* Allocation ----------------------------------------------------------------------------- */

/**
 * Allocates `size` bytes, which are not initialised.
 *
 * Returns the address of the memory, which the caller frees with Free. If `size` is 0, it may
 * return NULL, which is not an error.
 *
 * [CS:APP 3e, section 9.9.1; C11, malloc]
 */
CSAPP_ALLOCATES((1))
CSAPP_MUST_USE
void *Malloc(size_t size);

/**
 * Changes the size of the memory at `ptr` to `size` bytes, and may move it. If `ptr` is NULL,
 * allocates new memory.
 *
 * Returns the new address of the memory, which the caller frees with Free. On failure returns
 * NULL, and leaves the memory at `ptr` unchanged. If `size` is 0, it may return NULL, which is
 * not an error.
 *
 * [CS:APP 3e, section 9.9.1; C11, realloc]
 */
CSAPP_RESIZES(2)
CSAPP_MUST_USE
void *Realloc(void *ptr, size_t size);

/**
 * Allocates `nmemb` items of `size` bytes each, and sets all bytes to 0.
 *
 * Returns the address of the memory, which the caller frees with Free. For a total of 0 bytes
 * it may return NULL, which is not an error.
 *
 * [CS:APP 3e, section 9.9.1; C11, calloc]
 */
CSAPP_ALLOCATES((1, 2))
CSAPP_MUST_USE
void *Calloc(size_t nmemb, size_t size);

/**
 * Frees the memory at `ptr`. Does nothing if `ptr` is NULL. Cannot fail.
 *
 * [CS:APP 3e, section 9.9.1; C11, free]
 */
void Free(void *ptr);

/* Sockets -------------------------------------------------------------------------------- */

/**
 * Creates a socket of the address family `domain` (such as AF_INET), the type `type` (such as
 * SOCK_STREAM) and the protocol `protocol` (0: the default).
 *
 * Returns its descriptor, which the caller closes.
 *
 * [CS:APP 3e, section 11.4.2; POSIX, socket]
 */
int Socket(int domain, int type, int protocol);

/**
 * Sets the option `optname` at the level `level` of the socket `s` to the `optlen` bytes at
 * `optval`.
 *
 * [POSIX, setsockopt]
 */
CSAPP_READS(4, 5)
void Setsockopt(int s, int level, int optname, const void *optval, int optlen);

/**
 * Binds the socket `sockfd` to the address of `addrlen` bytes at `my_addr`.
 *
 * [CS:APP 3e, section 11.4.4; POSIX, bind]
 */
void Bind(int sockfd, const struct sockaddr *my_addr, int addrlen);

/**
 * Makes the bound socket `s` accept connections, with a queue of at most `backlog` of them.
 *
 * [CS:APP 3e, section 11.4.5; POSIX, listen]
 */
void Listen(int s, int backlog);

/**
 * Waits for a connection to the listening socket `s`, and stores the peer's address at `addr`,
 * unless that is NULL.
 *
 * Before the call, `addrlen` refers to the size in bytes of the buffer at `addr`; after it, to
 * the length of the address. If a client has aborted its connection in the queue (ECONNABORTED,
 * EPROTO), waits for the next one.
 *
 * Returns the connection's descriptor, which the caller closes.
 *
 * [CS:APP 3e, section 11.4.6; POSIX, accept]
 */
int Accept(int s, struct sockaddr *addr, socklen_t *addrlen);

/**
 * Connects the socket `sockfd` to the address of `addrlen` bytes at `serv_addr`.
 *
 * If interrupted by a signal, waits for the outcome of the attempt.
 *
 * Errors:
 * - EINPROGRESS: the socket's timeout (SO_SNDTIMEO) ran out
 * - EAGAIN: the timeout of a Unix domain socket ran out
 *
 * [CS:APP 3e, section 11.4.3; POSIX, connect]
 */
void Connect(int sockfd, const struct sockaddr *serv_addr, int addrlen);

/* Names and addresses -------------------------------------------------------------------- */

/**
 * Looks up the host `node` and the service `service`, and stores at `res` a list of the
 * addresses that `hints` select. The caller frees the list with Freeaddrinfo.
 *
 * [CS:APP 3e, section 11.4.7; POSIX, getaddrinfo]
 */
void Getaddrinfo(const char *node,
                 const char *service,
                 const struct addrinfo *hints,
                 struct addrinfo **res);

/**
 * Converts the address of `salen` bytes at `sa` to strings as `flags` say: stores the host in
 * the `hostlen` bytes at `host`, and the service in the `servlen` bytes at `serv`.
 *
 * [CS:APP 3e, section 11.4.7; POSIX, getnameinfo]
 */
CSAPP_WRITES(3, 4)
void Getnameinfo(const struct sockaddr *sa,
                 socklen_t salen,
                 char *host,
                 size_t hostlen,
                 char *serv,
                 size_t servlen,
                 int flags)
CSAPP_WRITES(5, 6);

/**
 * Frees the list of addresses `res`. Does nothing if `res` is NULL. Cannot fail.
 *
 * [CS:APP 3e, section 11.4.7; POSIX, freeaddrinfo]
 */
void Freeaddrinfo(struct addrinfo *res);

/**
 * Converts the address at `src`, of the family `af`, to text, and stores it in the `size` bytes
 * at `dst`.
 *
 * [CS:APP 3e, section 11.3.1; POSIX, inet_ntop]
 */
CSAPP_WRITES(3, 4)
void Inet_ntop(int af, const void *src, char *dst, socklen_t size);

/**
 * Converts the text `src` to an address of the family `af` in network byte order, and stores it
 * at `dst`.
 *
 * Errors:
 * - EINVAL: `src` is not a numeric address of that family
 *
 * [CS:APP 3e, section 11.3.1; POSIX, inet_pton]
 */
void Inet_pton(int af, const char *src, void *dst);

/**
 * Looks up the host `name`. New programs call Getaddrinfo instead.
 *
 * Returns what the resolver knows about the host, in memory that the next call overwrites.
 *
 * [CS:APP 2e, section 11.3.2; POSIX.1-2001, gethostbyname]
 */
struct hostent *Gethostbyname(const char *name);

/**
 * Looks up the host that has the address of `len` bytes at `addr`, of the family `type`. New
 * programs call Getnameinfo instead.
 *
 * Returns what the resolver knows about the host, in memory that the next call overwrites.
 *
 * [CS:APP 2e, section 11.3.2; POSIX.1-2001, gethostbyaddr]
 */
CSAPP_READS(1, 2)
struct hostent *Gethostbyaddr(const char *addr, int len, int type);

/* Threads -------------------------------------------------------------------------------- */

/**
 * Starts a thread that runs `routine` with the argument `argp` and the attributes `attrp`
 * (NULL: the default ones), and stores its ID at `tidp`.
 *
 * [CS:APP 3e, section 12.3.2; POSIX, pthread_create]
 */
void Pthread_create(pthread_t *tidp,
                    const pthread_attr_t *attrp,
                    void *(*routine)(void*),
                    void *argp);

/**
 * Waits until the thread `tid` ends, and stores its return value at `thread_return`, unless
 * that is NULL.
 *
 * [CS:APP 3e, section 12.3.4; POSIX, pthread_join]
 */
void Pthread_join(pthread_t tid, void **thread_return);

/**
 * Asks the thread `tid` to end.
 *
 * [CS:APP 3e, section 12.3.3; POSIX, pthread_cancel]
 */
void Pthread_cancel(pthread_t tid);

/**
 * Detaches the thread `tid`: its resources are freed when it ends, and no thread can join it.
 *
 * [CS:APP 3e, section 12.3.5; POSIX, pthread_detach]
 */
void Pthread_detach(pthread_t tid);

/**
 * Ends the calling thread with the return value `retval`, after running its clean-up handlers.
 * Cannot fail.
 *
 * [CS:APP 3e, section 12.3.3; POSIX, pthread_exit]
 */
void Pthread_exit(void *retval) CSAPP_NORETURN;

/**
 * Returns the ID of the calling thread. Cannot fail.
 *
 * [CS:APP 3e, section 12.3.2; POSIX, pthread_self]
 */
pthread_t Pthread_self(void);

/**
 * Calls `init_function` exactly once per `once_control`.
 *
 * [CS:APP 3e, section 12.3.6; POSIX, pthread_once]
 */
void Pthread_once(pthread_once_t *once_control, void (*init_function)(void));

/* Semaphores ----------------------------------------------------------------------------- */

/**
 * Initialises the semaphore `sem` with the value `value`. Processes share it if `pshared` is
 * not 0; otherwise the threads of this process do.
 *
 * [CS:APP 3e, section 12.5.2; POSIX, sem_init]
 */
void Sem_init(sem_t *sem, int pshared, unsigned int value);

/**
 * Waits until the semaphore `sem` is above 0, and subtracts 1.
 *
 * [CS:APP 3e, section 12.5.2; POSIX, sem_wait]
 */
void P(sem_t *sem);

/**
 * Adds 1 to the semaphore `sem`.
 *
 * [CS:APP 3e, section 12.5.2; POSIX, sem_post]
 */
void V(sem_t *sem);

/* Robust I/O ----------------------------------------------------------------------------- */

/**
 * Reads `n` bytes from the descriptor `fd` into `usrbuf`, by as many calls of read as
 * necessary.
 *
 * If `fd` is O_NONBLOCK, waits until it is readable. After an error, `usrbuf` holds the bytes
 * that had come, but the caller does not learn how many: if that matters, call rio_readnb or
 * csapp_readn. Do not mix rio_readn with the buffered functions on one descriptor.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * Errors:
 * - EAGAIN: the timeout of a blocking descriptor (SO_RCVTIMEO) ran out
 * - EFAULT: `usrbuf` is NULL and `n` is not 0
 *
 * [CS:APP 3e, section 10.5.1; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readn(int fd, void *usrbuf, size_t n);

/**
 * Writes all `n` bytes at `usrbuf` to the descriptor `fd`, by as many calls of write as
 * necessary.
 *
 * If `fd` is O_NONBLOCK, waits until it is writable. If `fd` is a socket whose peer has gone,
 * the call fails without raising SIGPIPE; a pipe raises it as write does. After an error, the
 * caller does not learn how many bytes were written: if that matters, call csapp_writen.
 *
 * Returns `n`, never fewer.
 *
 * Errors:
 * - EAGAIN: the timeout of a blocking descriptor (SO_SNDTIMEO) ran out
 * - EFAULT: `usrbuf` is NULL and `n` is not 0
 * - ENOSPC: the device takes no more bytes: write returned 0
 * - EPIPE, ECONNRESET: the peer has gone
 *
 * [CS:APP 3e, section 10.5.1; POSIX, write]
 */
CSAPP_READS(2, 3)
ssize_t rio_writen(int fd, const void *usrbuf, size_t n);

/**
 * Makes `rp` a buffered reader of the descriptor `fd`, with nothing read ahead.
 *
 * Discards what `rp` had read ahead, and makes it usable again if it refused further calls (see
 * rio_readnb). The caller closes `fd`. If `rp` is NULL, sets errno to EFAULT and does nothing
 * else.
 *
 * [CS:APP 3e, section 10.5.2]
 */
void rio_readinitb(rio_t *rp, int fd);

/**
 * Reads `n` bytes through `rp` into `usrbuf`. A program may mix calls of rio_readnb and
 * rio_readlineb.
 *
 * A failed call consumes nothing: the next call, of either function, finds all bytes again.
 * There is one exception: if the failed call had gathered more than RIO_BUFSIZE bytes, these
 * stay in `usrbuf`. Then the same call with the same `usrbuf` and at least the same `n`
 * continues after them, and until then every other call on `rp`, except rio_readinitb, fails
 * with EINVAL.
 *
 * If nothing is read ahead and at least RIO_BUFSIZE bytes are still missing, reads them
 * directly into `usrbuf`.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * Errors:
 * - EAGAIN: the timeout (SO_RCVTIMEO) ran out, or the descriptor is O_NONBLOCK and has no more
 *   bytes yet
 * - EFAULT: `rp` is NULL, or `usrbuf` is NULL and `n` is not 0
 * - EINVAL: `rp` was never initialised, is damaged, or expects another call to be repeated
 *
 * [CS:APP 3e, section 10.5.2; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readnb(rio_t *rp, void *usrbuf, size_t n);

/**
 * Reads the next line through `rp` into `usrbuf`: the bytes up to and including the newline,
 * then a NUL.
 *
 * Reads at most `maxlen` - 1 bytes, so that a longer line comes in pieces. The last line of a
 * file may lack its newline. Bytes may have any value, including 0. Nothing after the NUL is
 * written. If `maxlen` is 1, stores a NUL, reads nothing and returns 0.
 *
 * A failed call consumes nothing, as with rio_readnb: after a timeout in the middle of a line,
 * the next call returns the whole line. On an O_NONBLOCK descriptor, the call fails with EAGAIN
 * until the line is complete, so it never blocks an event loop.
 *
 * Returns the number of bytes without the NUL; 0 at the end of the file, with `usrbuf`
 * unchanged.
 *
 * Errors: those of rio_readnb, and
 * - EINVAL: `maxlen` is 0
 *
 * [CS:APP 3e, section 10.5.2; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readlineb(rio_t *rp, void *usrbuf, size_t maxlen);

/**
 * Reads `n` bytes from the descriptor `fd` into `usrbuf`, as rio_readn does, and reports a
 * failure.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * [CS:APP 3e, appendix A; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t Rio_readn(int fd, void *usrbuf, size_t n);

/**
 * Writes all `n` bytes at `usrbuf` to the descriptor `fd`, as rio_writen does, and reports a
 * failure.
 *
 * [CS:APP 3e, appendix A; POSIX, write]
 */
CSAPP_READS(2, 3)
void Rio_writen(int fd, const void *usrbuf, size_t n);

/**
 * Makes `rp` a buffered reader of the descriptor `fd`, as rio_readinitb does, and reports a
 * NULL `rp`.
 *
 * [CS:APP 3e, appendix A]
 */
void Rio_readinitb(rio_t *rp, int fd);

/**
 * Reads `n` bytes through `rp` into `usrbuf`, as rio_readnb does, and reports a failure. Unlike
 * rio_readnb, waits if the descriptor is O_NONBLOCK.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * [CS:APP 3e, appendix A; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t Rio_readnb(rio_t *rp, void *usrbuf, size_t n);

/**
 * Reads the next line, of at most `maxlen` - 1 bytes, through `rp` into `usrbuf`, as
 * rio_readlineb does, and reports a failure. Unlike rio_readlineb, waits if the descriptor is
 * O_NONBLOCK.
 *
 * Returns the number of bytes without the NUL, or 0 at the end of the file.
 *
 * [CS:APP 3e, appendix A; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t Rio_readlineb(rio_t *rp, void *usrbuf, size_t maxlen);

/* Client and server ---------------------------------------------------------------------- */

/**
 * The length of the queue of connections that open_listenfd asks for.
 */
#define LISTENQ 1024

/**
 * Connects to the port `port` of the host `hostname`.
 *
 * `hostname` is a name or a numeric IPv4 or IPv6 address; NULL stands for this machine's
 * loopback addresses. The case of a name does not matter, nor does a dot at its end.
 * "localhost" and names that end in ".localhost" stand for the loopback addresses, IPv6 and
 * IPv4 (RFC 6761, section 6.3). `port` is a number from "0" to "65535" or the name of a
 * service. A numeric address needs no name server.
 *
 * Tries the host's addresses in the order of getaddrinfo, alternating between IPv6 and IPv4.
 * Starts the next attempt 250 ms after the last one, or at once if that fails; earlier attempts
 * continue. If the host has only one address, the kernel's own time limit holds (about two
 * minutes). If no descriptor is free for a second attempt, tries one address after another.
 *
 * Returns a connected, blocking, close-on-exec descriptor, which the caller closes. Returns -1
 * on failure, with the error of the last address, except that the lack of a network for one
 * address does not hide the error of another. Returns -2 if the resolver does not know the host
 * or the port, after writing the reason as a line to standard error.
 *
 * Errors:
 * - ECONNREFUSED: no program listens on the port, or TCP would connect the socket to itself
 * - ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: the host does not answer or cannot be reached
 * - EADDRNOTAVAIL: no local port is free
 * - EFAULT: `port` is NULL
 * - EMFILE, ENFILE, ENOMEM: no descriptor or memory is free, here or in the resolver
 * - ENXIO: there is no such host (-2)
 * - EINVAL: `port` is neither a number from 0 to 65535 nor the name of a service (-2)
 * - EAGAIN, EIO: no name server answers, or the name server failed (-2)
 *
 * [CS:APP 3e, section 11.4.8; RFC 8305; POSIX, getaddrinfo, socket and connect]
 */
CSAPP_MUST_USE
int open_clientfd(const char *hostname, const char *port);

/**
 * Opens a socket that listens on the port `port` of all addresses of this machine.
 *
 * Uses the first wildcard address that binds and listens: on Linux 0.0.0.0, all of IPv4. If
 * this machine is in an IPv6 network and in no IPv4 network, uses the IPv6 wildcard address,
 * and accepts IPv4 as well. The socket has SO_REUSEADDR and a queue of LISTENQ connections.
 * `port` is a number from "0" (a free port, which getsockname returns) to "65535" or the name
 * of a service.
 *
 * Returns a listening, close-on-exec descriptor for Accept, which the caller closes. Returns -1
 * on failure. Returns -2 if the resolver does not know the port, after writing the reason as a
 * line to standard error.
 *
 * Errors:
 * - EADDRINUSE: another program listens on the port
 * - EACCES: the port is privileged (below 1024)
 * - EFAULT: `port` is NULL
 * - EMFILE, ENFILE, ENOMEM: no descriptor or memory is free, here or in the resolver
 * - EINVAL: `port` is neither a number from 0 to 65535 nor the name of a service (-2)
 *
 * [CS:APP 3e, section 11.4.8; POSIX, getaddrinfo, socket, bind and listen]
 */
CSAPP_MUST_USE
int open_listenfd(const char *port);

/**
 * Connects to the port `port` of the host `hostname`, as open_clientfd does, and reports a
 * failure.
 *
 * The message is "Open_clientfd error: host:port: reason", or "Open_clientfd error: no such
 * host: host". It replaces the line that open_clientfd writes.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * [CS:APP 3e, appendix A]
 */
int Open_clientfd(const char *hostname, const char *port);

/**
 * Opens a socket that listens on the port `port`, as open_listenfd does, and reports a failure.
 *
 * The message is "Open_listenfd error: port 80: reason". It replaces the line that
 * open_listenfd writes.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
 *
 * [CS:APP 3e, appendix A]
 */
int Open_listenfd(const char *port);

/**
 * Connects to the port number `port` of the host `hostname`, as open_clientfd does. The header
 * maps open_clientfd to this function if the port is a number.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * [CS:APP 2e, section 11.4]
 */
CSAPP_MUST_USE
int csapp_open_clientfd_2e(const char *hostname, int port);

/**
 * Opens a socket that listens on the port number `port`, as open_listenfd does. The header maps
 * open_listenfd to this function if the port is a number.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
 *
 * [CS:APP 2e, section 11.4]
 */
CSAPP_MUST_USE
int csapp_open_listenfd_2e(int port);

/**
 * Connects to the port number `port` of the host `hostname`, as Open_clientfd does. The header
 * maps Open_clientfd to this function if the port is a number.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * [CS:APP 2e, appendix A]
 */
int csapp_Open_clientfd_2e(const char *hostname, int port);

/**
 * Opens a socket that listens on the port number `port`, as Open_listenfd does. The header maps
 * Open_listenfd to this function if the port is a number.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
 *
 * [CS:APP 2e, appendix A]
 */
int csapp_Open_listenfd_2e(int port);

/* Beyond the book ------------------------------------------------------------------------ */

/**
 * A flag of csapp_listen: one socket for IPv6 and IPv4 (clears IPV6_V6ONLY; RFC 3493, section
 * 5.3). Without IPv6, the socket takes IPv4 alone.
 */
#define CSAPP_DUALSTACK 1

/**
 * A flag of csapp_listen: several sockets listen on one port, such as one per worker, and the
 * kernel spreads the connections over them (SO_REUSEPORT).
 */
#define CSAPP_REUSEPORT 2

/**
 * Sets the error handler of the process to `handler`, or to csapp_error_exit if that is NULL.
 *
 * The library calls the error handler when a checked wrapper fails, or when the program calls
 * one of the _error functions. The handler receives the message, such as "Name error: reason",
 * without a newline; errno holds the reason. The handler decides whether and where to write the
 * message, and whether to end the program. If it returns, the failed wrapper returns its
 * failure value. It may also end its thread, or leave by siglongjmp. The message is valid until
 * the handler returns. A handler may call the ready-made handlers below.
 *
 * Until the first call, the environment variable CSAPP_ON_ERROR chooses the handler: exit (the
 * default), return, thread_exit or abort. It is read once, by the first open_listenfd,
 * csapp_listen, Pthread_create or failure; a program that runs with more rights than its user
 * ignores it.
 *
 * May be called at any time, from any thread, and in a signal handler. Cannot fail.
 *
 * Returns the previous handler.
 *
 * [libcsapp 1.0]
 */
csapp_error_handler_t *csapp_set_error_handler(csapp_error_handler_t *handler);

/**
 * Writes `message` as one line to standard error, and ends the program by exit(1): the default
 * error handler.
 *
 * Writes nothing if `message` is NULL. exit writes what stdio has buffered. If another thread
 * is already ending the program in this way, waits for the end.
 *
 * [libcsapp 1.0]
 */
void csapp_error_exit(const char *message);

/**
 * Writes `message` as one line to standard error, and returns: an error handler that lets the
 * program continue.
 *
 * Writes nothing if `message` is NULL. The failed wrapper then returns its failure value.
 *
 * [libcsapp 1.0]
 */
void csapp_error_return(const char *message);

/**
 * Writes `message` as one line to standard error, and ends only the calling thread, as
 * pthread_exit(NULL) does: an error handler for servers with a thread per client.
 *
 * Writes nothing if `message` is NULL. The thread's clean-up handlers run; descriptors that it
 * has opened stay open. If the system cannot end a thread (glibc without libgcc_s.so.1), ends
 * the program as csapp_error_exit does.
 *
 * [libcsapp 1.0]
 */
void csapp_error_thread_exit(const char *message);

/**
 * Writes `message` as one line to standard error, and calls abort: an error handler for
 * debugging.
 *
 * Writes nothing if `message` is NULL. A core file or a debugger shows the failed call on the
 * stack.
 *
 * [libcsapp 1.0]
 */
void csapp_error_abort(const char *message);

/**
 * Connects to the port `port` of the host `host`, as open_clientfd does, within `timeout_ms`
 * milliseconds.
 *
 * The limit holds for all addresses together; a negative one means no limit. The look-up of the
 * host counts, but cannot be cut short.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * Errors: those of open_clientfd, and
 * - ETIMEDOUT: the time is up
 *
 * [libcsapp 1.0]
 */
CSAPP_MUST_USE
int csapp_connect(const char *host, const char *port, int timeout_ms);

/**
 * Opens a socket that listens on the port `port` of one address of the host `host`, as
 * open_listenfd does for all addresses.
 *
 * Uses the first address of `host`, such as "localhost"; NULL stands for all addresses of this
 * machine. The queue holds `backlog` connections (below 1: LISTENQ). `flags` is 0 or any of
 * CSAPP_DUALSTACK and CSAPP_REUSEPORT. Without CSAPP_DUALSTACK, an IPv6 socket takes IPv6
 * alone, unless `host` is NULL and this machine is in no IPv4 network.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
 *
 * Errors: those of open_listenfd, and
 * - EINVAL: `flags` has another flag (-1)
 * - ENXIO: there is no such host (-2)
 * - EAGAIN, EIO: no name server answers, or the name server failed (-2)
 *
 * [libcsapp 1.0]
 */
CSAPP_MUST_USE
int csapp_listen(const char *host, const char *port, int backlog, unsigned int flags);

/**
 * Accepts a connection from the listening socket `listenfd` within `timeout_ms` milliseconds.
 *
 * A limit of 0 accepts only a connection that is already there; a negative one means no limit.
 * Stores the peer's address at `addr`, unless that is NULL, and its length at `addrlen`, as
 * Accept does. Ignores a connection that its client has aborted. Works on blocking and
 * O_NONBLOCK sockets, and changes no flag. If another process or thread accepts from a blocking
 * socket by another function, it may take the connection first; then this call waits for the
 * next one, past its limit.
 *
 * Returns the connection's close-on-exec descriptor, which the caller closes. After a failure,
 * a connection stays in the queue for the next call.
 *
 * Errors:
 * - ETIMEDOUT: the time is up
 * - EINTR: a signal handler ran
 * - EMFILE, ENFILE: no descriptor is free
 * - EFAULT: `addrlen` is NULL and `addr` is not
 * - EINVAL: `listenfd` does not listen, or the length at `addrlen` is negative
 *
 * [libcsapp 1.0; POSIX, poll and accept]
 */
CSAPP_MUST_USE
int csapp_accept(int listenfd, struct sockaddr *addr, socklen_t *addrlen, int timeout_ms);

/**
 * Reads the next line, of at most `maxlen` - 1 bytes, through `rp` into `usrbuf`, as
 * rio_readlineb does, within `timeout_ms` milliseconds.
 *
 * The limit holds for the whole line; 0 takes only a line that is already there; a negative one
 * means no limit. Unlike rio_readlineb, waits if the descriptor is O_NONBLOCK. Does not change
 * the descriptor's flags. A failed call consumes nothing: the next call finds the line from its
 * start.
 *
 * If the descriptor is neither a socket nor O_NONBLOCK, such as a pipe, and another process
 * takes the bytes first, the call waits past its limit.
 *
 * Returns the number of bytes without the NUL, or 0 at the end of the file.
 *
 * Errors: those of rio_readlineb, and
 * - ETIMEDOUT: the time is up, never earlier than the limit
 * - EINTR: a signal handler ran
 *
 * [libcsapp 1.0; POSIX, poll and recv]
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readlineb(rio_t *rp, void *usrbuf, size_t maxlen, int timeout_ms);

/**
 * Reads `n` bytes through `rp` into `usrbuf`, as rio_readnb does, within `timeout_ms`
 * milliseconds.
 *
 * The limit works as with csapp_readlineb. After ETIMEDOUT or EINTR, the next call finds the
 * bytes that had come; if they were more than RIO_BUFSIZE, the same call has to be repeated, as
 * with rio_readnb.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * Errors: those of rio_readnb, and
 * - ETIMEDOUT: the time is up, never earlier than the limit
 * - EINTR: a signal handler ran
 *
 * [libcsapp 1.0; POSIX, poll and recv]
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readnb(rio_t *rp, void *usrbuf, size_t n, int timeout_ms);

/**
 * Reads `n` bytes from the descriptor `fd` into `usrbuf`, as rio_readn does, within
 * `timeout_ms` milliseconds.
 *
 * The limit works as with csapp_readlineb. Stores at `moved`, unless that is NULL, the number
 * of bytes read, even if the call fails. These bytes are in `usrbuf`; another call may read the
 * rest.
 *
 * Returns `n`, or fewer if the file ended first (0 if it had ended already).
 *
 * Errors: those of rio_readn, and
 * - ETIMEDOUT: the time is up, never earlier than the limit
 * - EINTR: a signal handler ran
 *
 * [libcsapp 1.0; POSIX, poll and recv]
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readn(int fd, void *usrbuf, size_t n, int timeout_ms, size_t *moved);

/**
 * Writes all `n` bytes at `usrbuf` to the descriptor `fd`, as rio_writen does, within
 * `timeout_ms` milliseconds.
 *
 * The limit works as with csapp_readlineb. Stores at `moved`, unless that is NULL, the number
 * of bytes written, even if the call fails. Raises no SIGPIPE on a socket. A terminal that is
 * not O_NONBLOCK may take fewer bytes than poll promises; then the call waits past its limit.
 *
 * Returns `n`, never fewer.
 *
 * Errors: those of rio_writen, and
 * - ETIMEDOUT: the time is up, never earlier than the limit
 * - EINTR: a signal handler ran
 *
 * [libcsapp 1.0; POSIX, poll and send]
 */
CSAPP_READS(2, 3)
CSAPP_MUST_USE
ssize_t csapp_writen(int fd, const void *usrbuf, size_t n, int timeout_ms, size_t *moved);

/**
 * Returns the version of the library that the program runs with, such as "1.0.0". CSAPP_VERSION
 * is the version of the header that the program was compiled with. Cannot fail.
 *
 * [libcsapp 1.0]
 */
const char *csapp_version(void);

#ifdef CSAPP_EXTRAS
/* Wrappers that people add --------------------------------------------------------------- */

/**
 * Initialises `mutex` with the attributes `attr` (NULL: the default ones).
 *
 * [POSIX, pthread_mutex_init]
 */
void Pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);

/**
 * Locks `mutex`, and waits if another thread holds it.
 *
 * [POSIX, pthread_mutex_lock]
 */
void Pthread_mutex_lock(pthread_mutex_t *mutex);

/**
 * Locks `mutex` if it is free, without waiting.
 *
 * Returns 0, or EBUSY if `mutex` is locked; that is not reported.
 *
 * [POSIX, pthread_mutex_trylock]
 */
int Pthread_mutex_trylock(pthread_mutex_t *mutex);

/**
 * Unlocks `mutex`.
 *
 * [POSIX, pthread_mutex_unlock]
 */
void Pthread_mutex_unlock(pthread_mutex_t *mutex);

/**
 * Destroys `mutex`, which must not be locked.
 *
 * [POSIX, pthread_mutex_destroy]
 */
void Pthread_mutex_destroy(pthread_mutex_t *mutex);

/**
 * Initialises the condition variable `cond` with the attributes `attr` (NULL: the default
 * ones).
 *
 * [POSIX, pthread_cond_init]
 */
void Pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);

/**
 * Unlocks `mutex`, waits until the condition variable `cond` is signalled, and locks `mutex`
 * again.
 *
 * [POSIX, pthread_cond_wait]
 */
void Pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/**
 * Waits as Pthread_cond_wait does for `cond` with `mutex`, but no longer than until the
 * absolute time `abstime`.
 *
 * Returns 0, or ETIMEDOUT if the time has come; that is not reported.
 *
 * [POSIX, pthread_cond_timedwait]
 */
int Pthread_cond_timedwait(pthread_cond_t *cond,
                           pthread_mutex_t *mutex,
                           const struct timespec *abstime);

/**
 * Wakes at least one of the threads that wait for the condition variable `cond`.
 *
 * [POSIX, pthread_cond_signal]
 */
void Pthread_cond_signal(pthread_cond_t *cond);

/**
 * Wakes all threads that wait for the condition variable `cond`.
 *
 * [POSIX, pthread_cond_broadcast]
 */
void Pthread_cond_broadcast(pthread_cond_t *cond);

/**
 * Destroys the condition variable `cond`, for which no thread may be waiting.
 *
 * [POSIX, pthread_cond_destroy]
 */
void Pthread_cond_destroy(pthread_cond_t *cond);

/**
 * Creates a pipe, and stores its descriptors at `fds`: fds[0] to read from, fds[1] to write to.
 * The caller closes both.
 *
 * Returns 0.
 *
 * [POSIX, pipe]
 */
int Pipe(int *fds);

/**
 * Replaces the program by `file`, which is searched for in PATH, with the arguments `argv`, an
 * array that ends with NULL, and the environment of this process. Does not return if it
 * succeeds.
 *
 * [POSIX, exec]
 */
void Execvp(const char *file, char *const *argv);

/**
 * Destroys the semaphore `sem`, for which no thread may be waiting.
 *
 * [POSIX, sem_destroy]
 */
void Sem_destroy(sem_t *sem);

/**
 * Connects to the port `port` of the host `hostname`: an alias of open_clientfd, which is
 * re-entrant. The port is a string.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * [CS:APP 2e, section 12.7]
 */
CSAPP_MUST_USE
int open_clientfd_r(const char *hostname, const char *port);

/**
 * Connects to the port `port` of the host `hostname`, as open_clientfd_r does, and reports a
 * failure.
 *
 * Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
 *
 * [CS:APP 2e, section 12.7]
 */
int Open_clientfd_r(const char *hostname, const char *port);
#endif

/** @cond */
#ifdef __cplusplus
}
#endif

#ifdef CSAPP_WITHOUT_PARAMETERS
#undef unix_error
#undef posix_error
#undef csapp_gai_error
#undef dns_error
#undef app_error
#undef sio_puts
#undef sio_error
#undef Sio_puts
#undef Sio_error
#undef Bind
#undef Connect
#undef rio_writen
#undef Rio_writen
#undef open_clientfd
#undef open_listenfd
#undef Open_clientfd
#undef Open_listenfd
#undef csapp_open_clientfd_2e
#undef csapp_open_listenfd_2e
#undef csapp_Open_clientfd_2e
#undef csapp_Open_listenfd_2e
#if defined(__clang__) && __clang_major__ >= 15
#pragma clang diagnostic ignored "-Wdeprecated-non-prototype"
#pragma clang diagnostic ignored "-Wstrict-prototypes"
#endif
void unix_error();
void posix_error();
void csapp_gai_error();
void dns_error();
void app_error();
ssize_t sio_puts();
void sio_error();
ssize_t Sio_puts();
void Sio_error();
void Bind();
void Connect();
ssize_t rio_writen();
void Rio_writen();
int open_clientfd();
int open_listenfd();
int Open_clientfd();
int Open_listenfd();
int csapp_open_clientfd_2e();
int csapp_open_listenfd_2e();
int csapp_Open_clientfd_2e();
int csapp_Open_listenfd_2e();
#endif

/*
 * The port is a string in the third edition, and an int in the second. Without CSAPP_EDITION, the
 * four functions take either, by the type of the argument. With -DCSAPP_EDITION=2 or =3, they have
 * the plain prototypes of that edition, for a program that has such functions itself.
 */
#if defined(CSAPP_EDITION) && CSAPP_EDITION == 2
#define open_clientfd csapp_open_clientfd_2e
#define open_listenfd csapp_open_listenfd_2e
#define Open_clientfd csapp_Open_clientfd_2e
#define Open_listenfd csapp_Open_listenfd_2e
#elif defined(CSAPP_EDITION) && CSAPP_EDITION != 3
#error "CSAPP_EDITION is the edition of the book whose ports are meant: 2 (int) or 3 (string)"
#elif defined(CSAPP_EDITION)
/* The prototypes above are the third edition's. */
#elif defined(__cplusplus)
extern "C++" {
static inline int open_clientfd(const char *hostname, int port)
{
    return csapp_open_clientfd_2e(hostname, port);
}
static inline int open_listenfd(int port)
{
    return csapp_open_listenfd_2e(port);
}
static inline int Open_clientfd(const char *hostname, int port)
{
    return csapp_Open_clientfd_2e(hostname, port);
}
static inline int Open_listenfd(int port)
{
    return csapp_Open_listenfd_2e(port);
}
}
#elif defined(__GNUC__) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#ifdef __GNUC__
#define CSAPP_GENERIC __extension__ _Generic
#else
#define CSAPP_GENERIC _Generic
#endif
/* Calls number_form if the port is an integer, and otherwise string_form, whose prototype then
   checks it. Next to 0LL, any integer becomes a long long, even a bit-field, and a pointer stays
   one. */
#define CSAPP_BY_PORT(port, number_form, string_form) \
    CSAPP_GENERIC(1 ? (port) : 0LL, long long: number_form, unsigned long long: number_form, default: string_form)
#define open_clientfd(hostname, port) \
    CSAPP_BY_PORT(port, csapp_open_clientfd_2e, open_clientfd)((hostname), (port))
#define open_listenfd(port) \
    CSAPP_BY_PORT(port, csapp_open_listenfd_2e, open_listenfd)((port))
#define Open_clientfd(hostname, port) \
    CSAPP_BY_PORT(port, csapp_Open_clientfd_2e, Open_clientfd)((hostname), (port))
#define Open_listenfd(port) \
    CSAPP_BY_PORT(port, csapp_Open_listenfd_2e, Open_listenfd)((port))
#endif

#endif /* CSAPP_H */
/** @endcond */
