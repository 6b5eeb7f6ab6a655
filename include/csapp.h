/*
 * csapp.h - libcsapp, the support library of "Computer Systems: A Programmer's
 * Perspective" (CS:APP), for programs of the second and third edition and of CMU's course.
 *
 * Generated from src/capi/ and include/csapp.h.in: do not edit, run `make header`.
 *
 * A function whose name starts with a lower-case letter returns an error; its capitalised
 * twin is checked: on failure it writes "Name error: reason" to standard error and ends the
 * program by exit(1), or does what csapp_set_error_handler says. The message names the file, or
 * the host and the port: "Open error: /no/such/file: No such file or directory".
 *
 * errno is set after every failure, and unchanged after every success, except by Readdir at the
 * end of a directory. NULL for a pointer that is needed is an error, EFAULT if nothing else is said.
 * All functions may be called from several threads at once, except Gethostbyname and
 * Gethostbyaddr, and two calls on one rio_t or one DIR.
 */
#ifndef CSAPP_H
#define CSAPP_H
#define __CSAPP_H__

/* Under a strict -std=c99 and the like, the system's headers leave out what this one needs,
   unless they are asked. */
#if !defined(_GNU_SOURCE) && !defined(_DEFAULT_SOURCE) && !defined(_POSIX_C_SOURCE) \
    && !defined(_XOPEN_SOURCE)
#define _DEFAULT_SOURCE 1
#endif

/* In C++, all this may stand inside `extern "C" { }`; the system's headers have templates there. */
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

/* Where off_t may be of one size or another, the library has the one that is there unasked. */
#if defined(__USE_FILE_OFFSET64) && defined(__WORDSIZE) && __WORDSIZE == 32
#error "csapp.h: on a 32-bit system, compile without _FILE_OFFSET_BITS=64 and _TIME_BITS=64"
#endif

/* The version of this header; csapp_version() tells the library's. */
#define CSAPP_VERSION "1.0.0"

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

/* Which parameter is the size of which buffer, so that the compiler warns of a smaller buffer. Of a struct
   sockaddr that cannot be said: the compiler takes the size for a number of them. */
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

#ifdef __cplusplus
extern "C" {
#endif

/* The longest line and the largest buffer that the book's programs allow for. */
#define MAXLINE 8192
#define MAXBUF 8192

/* The permissions of new files, and the ones that umask takes away (CS:APP 3e, section 10.3). */
#define DEF_MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)
#define DEF_UMASK (S_IWGRP | S_IWOTH)

/* So that where <netdb.h> left it out, the error above stays the only one. */
#ifndef AI_PASSIVE
struct addrinfo;
#endif

/* The general socket address, by a short name for casts (CS:APP 3e, section 11.4.1). */
typedef struct sockaddr SA;

/* A signal handler, and an error handler (csapp_set_error_handler): function types. */
typedef void handler_t(int);
typedef void csapp_error_handler_t(const char *message);

/* The environment of the process, and the error of gethostbyname and gethostbyaddr, where the
   system's headers leave them out. */
#ifndef __USE_GNU
extern char **environ;
#endif
#ifndef h_errno
extern int h_errno;
#endif

/* <netdb.h> may declare another gai_error. */
#define gai_error csapp_gai_error

/*
 * CSAPP_EDITION is for programs that repeat prototypes of the book's header, or define such functions
 * themselves. The book has `char *` where this header has `const char *`, and C takes both only for a
 * function that is declared without its parameters. So the prototypes below get other names, and the
 * functions are declared at the end.
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

/**
 * Bytes in the buffer of a rio_t.
 */
#define RIO_BUFSIZE 8192

/**
 * A descriptor and what has been read from it ahead of the program (CS:APP 3e, section
 * 10.5.2). rio_readinitb fills it in; after that, only the rio_ functions change it. It
 * belongs to one thread at a time. Between calls it may be copied and moved: the copy goes on
 * with the same bytes read ahead, and of those read later, each goes to one of the two.
 */
typedef struct {
    /**
     * The descriptor that is read from.
     */
    int rio_fd;
    /**
     * How many bytes of rio_buf are unread. Negative after a call failed that had gathered
     * more than RIO_BUFSIZE bytes, until that call is repeated: see rio_readnb.
     */
    int rio_cnt;
    /**
     * The next unread byte, inside rio_buf; the caller's buffer while rio_cnt is negative.
     */
    char *rio_bufptr;
    /**
     * What has been read ahead.
     */
    char rio_buf[RIO_BUFSIZE];
} rio_t;

/* Errors --------------------------------------------------------------------------------- */

/**
 * Reports the failure of a Unix call: calls the error handler (csapp_set_error_handler) with
 * "msg: text of errno". The default one writes that as one line to standard error, in one
 * system call, and ends the program with status 1. If the handler returns, so does this, with
 * errno as it was. A NULL `msg` is shown as "(null)". [CS:APP 3e, section 8.3]
 */
void unix_error(const char *msg);

/**
 * Reports the failure of a call that returns its error code instead of setting errno, as
 * the pthread functions do: like unix_error, with the text of `code`. [CS:APP 3e, appendix A]
 */
void posix_error(int code,
                 const char *msg);

/**
 * Reports the failure of getaddrinfo or getnameinfo: like unix_error, with the text of their
 * return value `code` (an EAI_ constant; for EAI_SYSTEM the text of errno). The program writes
 * gai_error: the header maps the name, since glibc has another function of that name under
 * _GNU_SOURCE. [CS:APP 3e, appendix A; RFC 3493, section 6.1]
 */
void csapp_gai_error(int code,
                     const char *msg);

/**
 * Reports the failure of gethostbyname or gethostbyaddr: like unix_error, with the text of
 * h_errno; while that is 0, with `msg` alone. Programs that use getaddrinfo have no need of it. [CS:APP 2e, appendix A]
 */
void dns_error(const char *msg);

/**
 * Reports a failure of the program's own: like unix_error, with `msg` alone.
 * [CS:APP 3e, appendix A]
 */
void app_error(const char *msg);

/* Processes ------------------------------------------------------------------------------ */

/**
 * fork, checked: creates a child process. Returns 0 in the child and the child's process ID in
 * the parent; -1 if the error handler returns. [CS:APP 3e, section 8.4.2; POSIX, fork]
 */
pid_t Fork(void);

/**
 * execve, checked: replaces the program by the file `filename`, with the arguments `argv` and
 * the environment `envp`, both ending in NULL. Returns only if that fails and the error
 * handler returns. [CS:APP 3e, section 8.4.5; POSIX, exec]
 */
void Execve(const char *filename,
            char *const *argv,
            char *const *envp);

/**
 * wait, checked: waits until a child process ends, and stores its status at `status` (unless
 * NULL). Restarts if interrupted by a signal (EINTR). Returns the child's process ID; -1 if
 * the error handler returns. [CS:APP 3e, section 8.4.3; POSIX, wait]
 */
pid_t Wait(int *status);

/**
 * waitpid, checked: waits until the child process `pid` (-1: any) changes its state as
 * `options` say, and stores its status at `iptr` (unless NULL). Restarts if interrupted by a
 * signal (EINTR). Returns the child's process ID, or 0 if WNOHANG found none; -1 if the error
 * handler returns. [CS:APP 3e, section 8.4.3; POSIX, waitpid]
 */
pid_t Waitpid(pid_t pid,
              int *iptr,
              int options);

/**
 * kill, checked: sends the signal `signum` to the process `pid`, or to the process group `-pid`.
 * [CS:APP 3e, section 8.5.2; POSIX, kill]
 */
void Kill(pid_t pid,
          int signum);

/**
 * sleep: waits for `secs` seconds, or until a signal handler has run. Returns the seconds that
 * are left. [CS:APP 3e, section 8.4.4; POSIX, sleep]
 */
unsigned int Sleep(unsigned int secs);

/**
 * pause: waits until a signal handler has run. [CS:APP 3e, section 8.4.4; POSIX, pause]
 */
void Pause(void);

/**
 * alarm: sends this process a SIGALRM in `seconds` seconds; 0 cancels an earlier one. Returns
 * the seconds that were left of that. [CS:APP 3e, section 8.5.2; POSIX, alarm]
 */
unsigned int Alarm(unsigned int seconds);

/**
 * setpgid, checked: moves the process `pid` (0: this one) to the process group `pgid` (0: its
 * own). [CS:APP 3e, section 8.5.2; POSIX, setpgid]
 */
void Setpgid(pid_t pid,
             pid_t pgid);

/**
 * getpgrp: the process group of this process. [CS:APP 3e, section 8.5.2; POSIX, getpgrp]
 */
pid_t Getpgrp(void);

/* Signals -------------------------------------------------------------------------------- */

/**
 * Installs a handler for the signal `signum`: a function, SIG_IGN or SIG_DFL. Unlike signal, it
 * means the same on every system: the handler stays installed, only its own signal is blocked
 * while it runs, and interrupted system calls start again where they can (SA_RESTART). Returns the
 * handler that was installed before; SIG_ERR if the error handler returns.
 * [CS:APP 3e, section 8.5.5; POSIX, sigaction]
 */
handler_t *Signal(int signum,
                   handler_t *handler);

/**
 * sigprocmask, checked: changes the set of blocked signals by `set` (unless NULL) as `how` says,
 * and stores the old one at `oldset` (unless NULL). [CS:APP 3e, section 8.5.4; POSIX, sigprocmask]
 */
void Sigprocmask(int how,
                 const sigset_t *set,
                 sigset_t *oldset);

/**
 * sigemptyset, checked: makes `set` the empty set. [CS:APP 3e, section 8.5.4; POSIX, sigemptyset]
 */
void Sigemptyset(sigset_t *set);

/**
 * sigfillset, checked: puts every signal into `set`. [CS:APP 3e, section 8.5.4; POSIX, sigfillset]
 */
void Sigfillset(sigset_t *set);

/**
 * sigaddset, checked: puts `signum` into `set`. [CS:APP 3e, section 8.5.4; POSIX, sigaddset]
 */
void Sigaddset(sigset_t *set,
               int signum);

/**
 * sigdelset, checked: takes `signum` out of `set`. [CS:APP 3e, section 8.5.4; POSIX, sigdelset]
 */
void Sigdelset(sigset_t *set,
               int signum);

/**
 * sigismember, checked: whether `signum` is in `set`: 1 or 0; -1 if the error handler returns.
 * [CS:APP 3e, section 8.5.4; POSIX, sigismember]
 */
int Sigismember(const sigset_t *set,
                int signum);

/**
 * sigsuspend: blocks the signals of `set` and no others, and waits until a signal handler has run.
 * Returns -1 with errno EINTR, as sigsuspend does; any other error is reported.
 * [CS:APP 3e, section 8.5.7; POSIX, sigsuspend]
 */
int Sigsuspend(const sigset_t *set);

/* Signal-safe output --------------------------------------------------------------------- */

/**
 * Writes the string `s` (NULL: "(null)") to standard output. Like all sio_ functions it may be
 * called in a signal handler, whatever the program was doing: it takes no lock and no memory, and
 * writes everything in spite of short writes and signals. Returns the number of bytes; -1 with
 * errno as write(2) has it. [CS:APP 3e, section 8.5.5]
 */
ssize_t sio_puts(const char *s);

/**
 * Writes the number `v` in base 10 to standard output; see sio_puts. [CS:APP 3e, section 8.5.5]
 */
ssize_t sio_putl(long v);

/**
 * Writes the string `s` to standard output and ends the program by _exit(1), without running
 * what atexit registered; see sio_puts. [CS:APP 3e, section 8.5.5]
 */
void sio_error(const char *s) CSAPP_NORETURN;

/**
 * sio_puts, checked: an error is reported as "Sio_puts error: reason". The error handler
 * csapp_error_exit ends the program by _exit(1) then, since this may be a signal handler. The
 * result is -1 if the error handler returns. [CS:APP 3e, section 8.5.5]
 */
ssize_t Sio_puts(const char *s);

/**
 * sio_putl, checked: as Sio_puts. [CS:APP 3e, section 8.5.5]
 */
ssize_t Sio_putl(long v);

/**
 * sio_error, under its other name. [CS:APP 3e, section 8.5.5]
 */
void Sio_error(const char *s) CSAPP_NORETURN;

/**
 * What sio_assert calls: writes "file:line: function: Assertion `...' failed." to standard
 * error and ends the program by abort. [CMU 15-213]
 */
void __sio_assert_fail(const char *assertion,
                       const char *file,
                       unsigned int line,
                       const char *function) CSAPP_NORETURN;

/*
 * Formatted output that is signal-safe, as sio_puts: to standard output, to `fd`, to standard
 * error. Conversions: %c %s %d %i %u %x %o %p, with l or z before the numbers', and %%; NULL for %s
 * is "(null)". No widths, no precisions, no floating point: a conversion that is not one of these is
 * written as it stands, and the rest goes on. Returns the number of bytes; -1 with errno
 * as write(2) has it. [CMU 15-213]
 */
CSAPP_PRINTF(1, 2) ssize_t sio_printf(const char *fmt, ...);
CSAPP_PRINTF(2, 3) ssize_t sio_dprintf(int fd, const char *fmt, ...);
CSAPP_PRINTF(1, 2) ssize_t sio_eprintf(const char *fmt, ...);
CSAPP_PRINTF(2, 0) ssize_t sio_vdprintf(int fd, const char *fmt, va_list argp);

/* assert, for signal handlers; compiled away by NDEBUG. [CMU 15-213] */
#ifdef NDEBUG
#define sio_assert(expr) ((void)0)
#else
#define sio_assert(expr) \
    ((expr) ? (void)0 : __sio_assert_fail(#expr, __FILE__, (unsigned int)__LINE__, CSAPP_FUNCTION))
#endif

/* Unix I/O ------------------------------------------------------------------------------- */

/**
 * open, checked: opens the file `pathname` as `flags` say. A file that O_CREAT creates has the
 * permissions `mode` less the umask. Restarts if interrupted by a signal (EINTR). Returns a
 * descriptor; -1 if the error handler returns. [CS:APP 3e, section 10.3; POSIX, open]
 */
int Open(const char *pathname,
         int flags,
         mode_t mode);

/**
 * read, checked: reads at most `count` bytes into `buf`, once. Restarts if interrupted by a
 * signal (EINTR), unless a socket's timeout (SO_RCVTIMEO) has run out meanwhile. Returns the
 * number of bytes, 0 at the end of the file; -1 if the error handler returns. A count above
 * SSIZE_MAX is an error (EINVAL). [CS:APP 3e, section 10.4; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t Read(int fd,
             void *buf,
             size_t count);

/**
 * write, checked: writes at most `count` bytes from `buf`, once. Restarts if interrupted by a
 * signal (EINTR), unless a socket's timeout (SO_SNDTIMEO) has run out meanwhile. Returns the
 * number of bytes, which may be less than count; -1 if the error handler returns. A count
 * above SSIZE_MAX is an error (EINVAL), and nothing is written. [CS:APP 3e, section 10.4;
 * POSIX, write]
 */
CSAPP_READS(2, 3)
ssize_t Write(int fd,
              const void *buf,
              size_t count);

/**
 * lseek, checked: moves the file position to `offset` bytes from where `whence` says. Returns
 * the new position; -1 if the error handler returns. [CS:APP 3e, section 10.4; POSIX, lseek]
 */
off_t Lseek(int fd,
            off_t offset,
            int whence);

/**
 * close, checked: closes the descriptor `fd`. EINTR is not reported, and close is not retried:
 * the descriptor is closed, and may belong to another thread by then. [CS:APP 3e, section
 * 10.3; POSIX, close]
 */
void Close(int fd);

/**
 * select, checked: waits until one of the descriptors below `n` in the sets is ready, for
 * `timeout` at most (NULL: no limit). Restarts if interrupted by a signal (EINTR), with the
 * time that is left; the time that the signal handler takes counts. Returns the number of
 * ready descriptors, 0 if the time is up; -1 if the error handler returns. [CS:APP 3e, section
 * 12.2; POSIX, select]
 */
int Select(int n,
           fd_set *readfds,
           fd_set *writefds,
           fd_set *exceptfds,
           struct timeval *timeout);

/**
 * dup2, checked: makes `fd2` refer to the open file description of `fd1`, and closes what it
 * referred to before. Restarts if interrupted by a signal (EINTR). Returns fd2; -1 if the
 * error handler returns. [CS:APP 3e, section 10.9; POSIX, dup2]
 */
int Dup2(int fd1,
         int fd2);

/**
 * stat, checked: stores the metadata of the file `filename` at `buf`. [CS:APP 3e, section
 * 10.6; POSIX, stat]
 */
void Stat(const char *filename, struct stat *buf);

/**
 * fstat, checked: stores the metadata of the open file `fd` at `buf`. [CS:APP 3e, section
 * 10.6; POSIX, fstat]
 */
void Fstat(int fd, struct stat *buf);

/* Directories ---------------------------------------------------------------------------- */

/**
 * opendir, checked: opens the directory `name`, to be closed by Closedir. Returns the
 * directory stream; NULL if the error handler returns. [CS:APP 3e, section 10.7; POSIX,
 * opendir]
 */
DIR *Opendir(const char *name);

/**
 * readdir, checked: returns the next entry of a directory, which is valid until the next call
 * for `dirp`; NULL with errno 0 at the end of the directory; NULL with another errno after an
 * error, if the error handler returns. [CS:APP 3e, section 10.7; POSIX, readdir]
 */
struct dirent *Readdir(DIR *dirp);

/**
 * closedir, checked: closes a directory stream. Returns 0; -1 if the error handler returns.
 * [CS:APP 3e, section 10.7; POSIX, closedir]
 */
int Closedir(DIR *dirp);

/* Memory mapping ------------------------------------------------------------------------- */

/**
 * mmap, checked: maps `len` bytes of the file `fd` from `offset` on, or of new memory, as
 * `prot` and `flags` say. Returns the address; MAP_FAILED if the error handler returns.
 * [CS:APP 3e, section 9.8.4; POSIX, mmap]
 */
void *Mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset);

/**
 * munmap, checked: removes the mapping of the pages from `start` on. [CS:APP 3e, section
 * 9.8.4; POSIX, munmap]
 */
void Munmap(void *start, size_t length);

/* Standard I/O --------------------------------------------------------------------------- */

/**
 * fclose, checked: writes what is buffered, and closes `fp`. [CS:APP 3e, section 10.10; C11,
 * fclose]
 */
void Fclose(FILE *fp);

/**
 * fdopen, checked: opens a stream on the descriptor `fd`, in the mode `type`. Returns it; NULL
 * if the error handler returns. [CS:APP 3e, section 10.11; POSIX, fdopen]
 */
FILE *Fdopen(int fd,
             const char *type);

/**
 * fgets, checked: reads a line, at most n - 1 bytes, into `ptr`. Returns ptr; NULL at the end of the
 * file, or after an error if the error handler returns (ferror tells).
 * [CS:APP 3e, section 10.10; C11, fgets]
 */
CSAPP_WRITES(1, 2)
char *Fgets(char *ptr,
            int n,
            FILE *stream);

/**
 * fopen, checked: opens the file `filename` as a stream in the mode `mode`. Restarts if
 * interrupted by a signal (EINTR). Returns it; NULL if the error handler returns. [CS:APP 3e,
 * section 10.10; C11, fopen]
 */
FILE *Fopen(const char *filename,
            const char *mode);

/**
 * fputs, checked: writes the string `ptr`. [CS:APP 3e, section 10.10; C11, fputs]
 */
void Fputs(const char *ptr, FILE *stream);

/**
 * fread, checked: reads `nmemb` items of `size` bytes into `ptr`. Returns the number of whole items,
 * fewer at the end of the file, or after an error if the error handler returns (ferror tells).
 * [CS:APP 3e, section 10.10; C11, fread]
 */
size_t Fread(void *ptr,
             size_t size,
             size_t nmemb,
             FILE *stream);

/**
 * fwrite, checked: writes `nmemb` items of `size` bytes from `ptr`.
 * [CS:APP 3e, section 10.10; C11, fwrite]
 */
void Fwrite(const void *ptr, size_t size, size_t nmemb, FILE *stream);

/* Allocation ----------------------------------------------------------------------------- */

/**
 * malloc, checked: allocates `size` bytes, to be freed by Free. Returns their address; NULL if
 * the error handler returns. A request for 0 bytes may return NULL, which is no error. [CS:APP
 * 3e, section 9.9.1; C11, malloc]
 */
CSAPP_ALLOCATES((1))
CSAPP_MUST_USE
void *Malloc(size_t size);

/**
 * realloc, checked: resizes the memory at `ptr` (NULL: allocates) to `size` bytes, and may
 * move it. Returns its address; NULL if the error handler returns, and then the memory at ptr
 * is unchanged. A size of 0 may return NULL, which is no error. [CS:APP 3e, section 9.9.1;
 * C11, realloc]
 */
CSAPP_RESIZES(2)
CSAPP_MUST_USE
void *Realloc(void *ptr,
              size_t size);

/**
 * calloc, checked: allocates `nmemb` items of `size` bytes, all zero. Returns their address;
 * NULL if the error handler returns. A request for 0 bytes may return NULL, which is no error.
 * [CS:APP 3e, section 9.9.1; C11, calloc]
 */
CSAPP_ALLOCATES((1, 2))
CSAPP_MUST_USE
void *Calloc(size_t nmemb,
             size_t size);

/**
 * free: frees the memory at `ptr` (NULL: does nothing). [CS:APP 3e, section 9.9.1; C11, free]
 */
void Free(void *ptr);

/* Sockets -------------------------------------------------------------------------------- */

/**
 * socket, checked: creates a socket. Returns its descriptor; -1 if the error handler returns.
 * [CS:APP 3e, section 11.4.2; POSIX, socket]
 */
int Socket(int domain,
           int type,
           int protocol);

/**
 * setsockopt, checked: sets the option `optname` of `level` to the `optlen` bytes at `optval`.
 * [POSIX, setsockopt]
 */
CSAPP_READS(4, 5)
void Setsockopt(int s,
                int level,
                int optname,
                const void *optval,
                int optlen);

/**
 * bind, checked: binds a socket to the address `my_addr` of `addrlen` bytes. [CS:APP 3e,
 * section 11.4.4; POSIX, bind]
 */
void Bind(int sockfd, const struct sockaddr *my_addr, int addrlen);

/**
 * listen, checked: makes a bound socket accept connections, and queues at most `backlog` of
 * them. [CS:APP 3e, section 11.4.5; POSIX, listen]
 */
void Listen(int s,
            int backlog);

/**
 * accept, checked: waits for a connection, and stores the other end's address at `addr`
 * (unless NULL) and its length at `addrlen`, which holds the size of the room before. Restarts
 * if interrupted by a signal (EINTR), unless the socket's timeout (SO_RCVTIMEO) has run out
 * meanwhile, and if a client has given up in the queue (ECONNABORTED, EPROTO). Returns the
 * connection's descriptor; -1 if the error handler returns. [CS:APP 3e, section 11.4.6; POSIX,
 * accept]
 */
int Accept(int s,
           struct sockaddr *addr,
           socklen_t *addrlen);

/**
 * connect, checked: connects a socket to the address `serv_addr` of `addrlen` bytes. If
 * interrupted by a signal, waits for the outcome of the attempt. If the socket's timeout
 * (SO_SNDTIMEO) runs out, fails with EINPROGRESS; a Unix domain socket with EAGAIN. [CS:APP
 * 3e, section 11.4.3; POSIX, connect]
 */
void Connect(int sockfd,
             const struct sockaddr *serv_addr,
             int addrlen);

/* Names and addresses -------------------------------------------------------------------- */

/**
 * getaddrinfo, checked: stores at `res` a list of the addresses of the host `node` and the
 * service `service`, selected by `hints`, to be freed by Freeaddrinfo. [CS:APP 3e, section
 * 11.4.7; POSIX, getaddrinfo]
 */
void Getaddrinfo(const char *node,
                 const char *service,
                 const struct addrinfo *hints,
                 struct addrinfo **res);

/**
 * getnameinfo, checked: stores the host and the service of the address `sa` as strings.
 * [CS:APP 3e, section 11.4.7; POSIX, getnameinfo]
 */
CSAPP_WRITES(3, 4) CSAPP_WRITES(5, 6)
void Getnameinfo(const struct sockaddr *sa,
                 socklen_t salen,
                 char *host,
                 size_t hostlen,
                 char *serv,
                 size_t servlen,
                 int flags);

/**
 * freeaddrinfo: frees a list of addresses. [CS:APP 3e, section 11.4.7; POSIX, freeaddrinfo]
 */
void Freeaddrinfo(struct addrinfo *res);

/**
 * inet_ntop, checked: stores the address at `src` as text in the `size` bytes at `dst`.
 * [CS:APP 3e, section 11.3.1; POSIX, inet_ntop]
 */
CSAPP_WRITES(3, 4) void Inet_ntop(int af, const void *src, char *dst, socklen_t size);

/**
 * inet_pton, checked: converts the text `src` to an address, and stores it at `dst`. A text
 * that is no address of the family `af` is an error (EINVAL). [CS:APP 3e, section 11.3.1;
 * POSIX, inet_pton]
 */
void Inet_pton(int af,
               const char *src,
               void *dst);

/**
 * gethostbyname, checked: looks up the host `name`. Returns what the resolver knows about it,
 * in memory that the next call overwrites; NULL if the error handler returns. New programs use
 * Getaddrinfo. [CS:APP 2e, section 11.3.2]
 */
struct hostent *Gethostbyname(const char *name);

/**
 * gethostbyaddr, checked: looks up the host with the address of `len` bytes at `addr`. Returns
 * what the resolver knows about it, in memory that the next call overwrites; NULL if the error
 * handler returns. New programs use Getnameinfo. [CS:APP 2e, section 11.3.2]
 */
CSAPP_READS(1, 2)
struct hostent *Gethostbyaddr(const char *addr,
                              int len,
                              int type);

/* Threads -------------------------------------------------------------------------------- */

/**
 * pthread_create, checked: starts a thread that runs `routine(argp)`, with the attributes
 * `attrp` (NULL: the default ones), and stores its ID at `tidp`. [CS:APP 3e, section 12.3.2;
 * POSIX, pthread_create]
 */
void Pthread_create(pthread_t *tidp,
                    const pthread_attr_t *attrp,
                    void *(*routine)(void*),
                    void *argp);

/**
 * pthread_join, checked: waits until the thread `tid` ends, and stores what it returned at
 * `thread_return` (unless NULL). [CS:APP 3e, section 12.3.4; POSIX, pthread_join]
 */
void Pthread_join(pthread_t tid,
                  void **thread_return);

/**
 * pthread_cancel, checked: asks the thread `tid` to end. [CS:APP 3e, section 12.3.3; POSIX,
 * pthread_cancel]
 */
void Pthread_cancel(pthread_t tid);

/**
 * pthread_detach, checked: detaches the thread `tid`: its resources are freed when it ends,
 * and it cannot be joined. [CS:APP 3e, section 12.3.5; POSIX, pthread_detach]
 */
void Pthread_detach(pthread_t tid);

/**
 * pthread_exit: ends the calling thread, which returns `retval`. Its clean-up handlers run.
 * [CS:APP 3e, section 12.3.3; POSIX, pthread_exit]
 */
void Pthread_exit(void *retval) CSAPP_NORETURN;

/**
 * pthread_self: the ID of the calling thread. [CS:APP 3e, section 12.3.2; POSIX, pthread_self]
 */
pthread_t Pthread_self(void);

/**
 * pthread_once, checked: calls `init_function` exactly once per `once_control`. [CS:APP 3e,
 * section 12.3.6; POSIX, pthread_once]
 */
void Pthread_once(pthread_once_t *once_control,
                  void (*init_function)(void));

/* Semaphores ----------------------------------------------------------------------------- */

/**
 * sem_init, checked: initialises `sem` as a semaphore with the value `value`. Processes share
 * it if `pshared` is not 0. [CS:APP 3e, section 12.5.2; POSIX, sem_init]
 */
void Sem_init(sem_t *sem,
              int pshared,
              unsigned int value);

/**
 * sem_wait, checked: waits until the semaphore is above 0, and subtracts 1. Restarts if
 * interrupted by a signal (EINTR). [CS:APP 3e, section 12.5.2; POSIX, sem_wait]
 */
void P(sem_t *sem);

/**
 * sem_post, checked: adds 1 to the semaphore. [CS:APP 3e, section 12.5.2; POSIX, sem_post]
 */
void V(sem_t *sem);

/* Robust I/O ----------------------------------------------------------------------------- */

/**
 * Reads n bytes from the descriptor `fd` into `usrbuf`, with as many calls of read as it
 * takes: short reads and interrupting signals do not show, and an O_NONBLOCK descriptor is
 * waited for. Do not mix with the buffered calls on one descriptor.
 *
 * Returns n, or fewer if the file ended first (0: it had ended already), or -1 with errno:
 *   EAGAIN  a blocking descriptor's timeout (SO_RCVTIMEO) ran out; signals that keep coming
 *           do not put it off
 *   EFAULT  usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t
 *   others  as read(2) has them
 * What had come before an error is in usrbuf, but its number is not known; use rio_readnb
 * where that matters. [CS:APP 3e, section 10.5.1; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readn(int fd,
                  void *usrbuf,
                  size_t n);

/**
 * Writes n bytes from `usrbuf` to the descriptor `fd`, with as many calls of write as it
 * takes: short writes and interrupting signals do not show, and an O_NONBLOCK descriptor is
 * waited for. Never returns a short count. If `fd` is a socket whose peer has gone, the call
 * fails and no SIGPIPE is raised; pipes and terminals raise it as ever.
 *
 * Returns n, or -1 with errno:
 *   EAGAIN  a blocking descriptor's timeout (SO_SNDTIMEO) ran out; signals that keep coming
 *           do not put it off
 *   EFAULT  usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t; nothing was written
 *   ENOSPC  the device takes no more: write returned 0
 *   EPIPE, ECONNRESET  the peer has gone
 *   others  as write(2) has them
 * After an error, how much was written is not known. [CS:APP 3e, section 10.5.1; POSIX, write]
 */
CSAPP_READS(2, 3)
ssize_t rio_writen(int fd,
                   const void *usrbuf,
                   size_t n);

/**
 * Makes `rp` a buffered reader of the descriptor `fd`, with nothing read ahead. Also takes an
 * rio_t out of use that refused further calls. Whatever rp had read ahead is dropped. The
 * descriptor stays the program's to close. rp NULL: does nothing but set errno to EFAULT.
 * [CS:APP 3e, section 10.5.2]
 */
void rio_readinitb(rio_t *rp,
                   int fd);

/**
 * Reads n bytes through `rp` into `usrbuf`. May be mixed freely with rio_readlineb. As soon
 * as nothing is read ahead and RIO_BUFSIZE bytes or more are still wanted, they go straight
 * into usrbuf.
 *
 * Returns n, or fewer if the file ended first (0: it had ended already), or -1 with errno:
 *   EAGAIN  nothing there yet: a timeout (SO_RCVTIMEO) ran out, as with rio_readn, or the
 *           descriptor is O_NONBLOCK
 *   EFAULT  rp is NULL, or usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX; or rp was never initialised or is damaged; or rp waits for
 *           another call to be repeated (below)
 *   others  as read(2) has them
 * A failed call consumes nothing: the next call, of either kind, finds all bytes again. Only
 * when more than RIO_BUFSIZE bytes had been gathered do they stay in usrbuf; then the same
 * call with the same usrbuf and at least the same n goes on behind them, and every other
 * call on rp but rio_readinitb fails with EINVAL. [CS:APP 3e, section 10.5.2; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readnb(rio_t *rp,
                   void *usrbuf,
                   size_t n);

/**
 * Reads the next line through `rp` into `usrbuf`: the bytes up to and with the newline, then
 * a NUL. At most maxlen - 1 bytes; a longer line comes in pieces, and the last line of a file may
 * lack its newline. Bytes may have any value, NUL included. Nothing beyond the NUL is
 * written, whatever maxlen says. maxlen 1 stores a NUL, reads nothing and returns 0.
 *
 * Returns the number of bytes without the NUL; 0 at the end of the file, with usrbuf
 * untouched; or -1 with errno, as rio_readnb, and:
 *   EINVAL  maxlen is 0
 * A failed call consumes nothing, as with rio_readnb: after a timeout in mid-line, the next
 * call gives the whole line. On an O_NONBLOCK descriptor it fails with EAGAIN until the line is
 * complete, so an event loop is never blocked. [CS:APP 3e, section 10.5.2; POSIX, read]
 */
CSAPP_WRITES(2, 3)
ssize_t rio_readlineb(rio_t *rp,
                      void *usrbuf,
                      size_t maxlen);

/**
 * rio_readn, checked: an error is reported as "Rio_readn error: reason", and if the error
 * handler returns, the result is -1. [CS:APP 3e, appendix A]
 */
CSAPP_WRITES(2, 3) ssize_t Rio_readn(int fd, void *usrbuf, size_t n);

/**
 * rio_writen, checked: an error is reported as "Rio_writen error: reason", and if the error
 * handler returns, errno has that reason. [CS:APP 3e, appendix A]
 */
CSAPP_READS(2, 3)
void Rio_writen(int fd,
                const void *usrbuf,
                size_t n);

/**
 * rio_readinitb, checked: a NULL rp is reported as "Rio_readinitb error: Bad address".
 * [CS:APP 3e, appendix A]
 */
void Rio_readinitb(rio_t *rp, int fd);

/**
 * rio_readnb, checked: an error is reported as "Rio_readnb error: reason", and if the error
 * handler returns, the result is -1. [CS:APP 3e, appendix A]
 */
CSAPP_WRITES(2, 3)
ssize_t Rio_readnb(rio_t *rp,
                   void *usrbuf,
                   size_t n);

/**
 * rio_readlineb, checked: an error is reported as "Rio_readlineb error: reason", and if the
 * error handler returns, the result is -1. [CS:APP 3e, appendix A]
 */
CSAPP_WRITES(2, 3)
ssize_t Rio_readlineb(rio_t *rp,
                      void *usrbuf,
                      size_t maxlen);

/* Client and server ---------------------------------------------------------------------- */

/**
 * The longest queue of connections that wait to be accepted, as open_listenfd asks for it.
 */
#define LISTENQ 1024

/**
 * Connects to a server. `hostname` is a name or a numeric IPv4 or IPv6 address (NULL: this
 * machine's loopback addresses); `port` a number from "0" to "65535" or the name of a service.
 * The case of a name does not count, nor does a dot at its end. "localhost" and names that end in
 * ".localhost" are this machine's loopback addresses, IPv6 and IPv4 (RFC 6761, section 6.3).
 * Addresses are tried in getaddrinfo's order with the families taking turns, the next one
 * beside the last after 250 ms, or at once if that failed; of a single address, the kernel's own
 * time limit holds (about two minutes). If no descriptor is free for two attempts, one address is tried
 * after the other. A signal does not disturb the attempt, and a numeric host asks no name server.
 *
 * Returns a connected, blocking, close-on-exec descriptor, which is the caller's to close;
 * or -1 with errno, the last address's that is more than "no such network here":
 *   ECONNREFUSED  nobody listens there (also where TCP would connect the socket to itself)
 *   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  no answer, no way there
 *   EADDRNOTAVAIL  no local port is free
 *   EFAULT  port is NULL
 *   EMFILE, ENFILE, ENOMEM  no free descriptor or memory, also for the resolver's work
 *   others  as socket(2) and connect(2) have them
 * or -2 if the resolver does not know host or port, with the reason as a line on standard error,
 * and with errno:
 *   ENXIO  no such host
 *   EINVAL  port is neither a number from 0 to 65535 nor the name of a service
 *   EAGAIN, EIO  no name server answers; it has failed
 * [CS:APP 3e, section 11.4.8; RFC 8305; POSIX, getaddrinfo and connect]
 */
CSAPP_MUST_USE
int open_clientfd(const char *hostname,
                  const char *port);

/**
 * Opens a server's socket: SO_REUSEADDR, close-on-exec, with a queue of LISTENQ connections,
 * on the first address of this machine that binds and listens (on Linux 0.0.0.0, all
 * of IPv4). On a machine in an IPv6 network and no IPv4 network, that is ::, and takes IPv4 as well. `port` is a number from "0" (a free one, see getsockname) to "65535" or the name of a
 * service.
 *
 * Returns a descriptor to Accept from, which is the caller's to close; or -1 with errno:
 *   EADDRINUSE  another program listens there
 *   EACCES  a privileged port (below 1024)
 *   EFAULT  port is NULL
 *   EMFILE, ENFILE, ENOMEM  no free descriptor or memory, also for the resolver's work
 *   others  as socket(2), bind(2) and listen(2) have them
 * or -2 with errno EINVAL if port is neither a number from 0 to 65535 nor the name of a service,
 * with the reason as a line on standard error.
 * [CS:APP 3e, section 11.4.8; POSIX, getaddrinfo, bind and listen]
 */
CSAPP_MUST_USE
int open_listenfd(const char *port);

/**
 * open_clientfd, checked: an error, the resolver's included, is reported as
 * "Open_clientfd error: host:port: reason", and if the error handler returns, the result is open_clientfd's
 * -1 or -2. [CS:APP 3e, appendix A]
 */
int Open_clientfd(const char *hostname,
                  const char *port);

/**
 * open_listenfd, checked: an error, the resolver's included, is reported as
 * "Open_listenfd error: port 80: reason", and if the error handler returns, the result is open_listenfd's
 * -1 or -2. [CS:APP 3e, appendix A]
 */
int Open_listenfd(const char *port);

/**
 * open_clientfd as the book's second edition has it, with the port as a number. The header
 * calls it where a program passes one.
 */
CSAPP_MUST_USE
int csapp_open_clientfd_2e(const char *hostname,
                           int port);

/**
 * open_listenfd as the book's second edition has it, with the port as a number.
 */
CSAPP_MUST_USE int csapp_open_listenfd_2e(int port);

/**
 * Open_clientfd as the book's second edition has it, with the port as a number.
 */
int csapp_Open_clientfd_2e(const char *hostname, int port);

/**
 * Open_listenfd as the book's second edition has it, with the port as a number.
 */
int csapp_Open_listenfd_2e(int port);

/* Beyond the book ------------------------------------------------------------------------ */

/**
 * One socket for IPv6 and IPv4 together (clears IPV6_V6ONLY; RFC 3493, section 5.3).
 */
#define CSAPP_DUALSTACK 1

/**
 * Several listening sockets on one port, one per worker; the kernel spreads the connections
 * over them (SO_REUSEPORT, socket(7)).
 */
#define CSAPP_REUSEPORT 2

/**
 * Sets the error handler of the process: the function that is called when a checked wrapper fails or one of the
 * _error functions is called. NULL stands for csapp_error_exit. May be called at any time, from any thread, and in
 * a signal handler.
 *
 * The handler gets the message, "Name error: reason" without a newline, and decides everything: whether and where
 * the message is written, and whether the program ends. errno has the reason. If it returns, the failed call
 * returns its failing value (-1 or NULL) with errno as it was. It may end its thread or the process, or
 * siglongjmp out. The message is valid until the handler returns; copy what is to be kept. The ready-made
 * handlers below may be called by a handler of the program's own.
 *
 * Without a call, the environment variable CSAPP_ON_ERROR chooses: exit (the default), return, thread_exit or
 * abort. It is read once, by the first open_listenfd, csapp_listen, Pthread_create or failure, and not in a
 * program that runs with more rights than its user.
 *
 * Returns the handler that was in force before.
 */
csapp_error_handler_t *csapp_set_error_handler(csapp_error_handler_t *handler);

/**
 * The default error handler: writes `message` as one line to standard error (NULL: writes nothing), and ends the
 * program by exit(1), so that stdio's buffers are written and a shell sees the failure. If another thread is ending
 * the program this way already, waits for the end.
 */
void csapp_error_exit(const char *message);

/**
 * An error handler that writes `message` as one line to standard error (NULL: writes nothing) and returns: the
 * failed wrapper returns its failing value (-1 or NULL) with errno set, and the program goes on.
 */
void csapp_error_return(const char *message);

/**
 * An error handler that writes `message` as one line to standard error (NULL: writes nothing) and ends only the
 * calling thread, as pthread_exit(NULL) does: its clean-up handlers run. Descriptors that the thread had
 * opened stay open. If the system cannot end a thread (glibc without its libgcc_s.so.1), ends the program as
 * csapp_error_exit does.
 */
void csapp_error_thread_exit(const char *message);

/**
 * An error handler for debugging: writes `message` as one line to standard error (NULL: writes nothing) and calls
 * abort(), which leaves a core or stops a debugger, with the failed call on the stack.
 */
void csapp_error_abort(const char *message);

/**
 * open_clientfd with a time limit of `timeout_ms` milliseconds from the call on, for all
 * addresses together; negative: none. A look-up of names counts but cannot be cut short.
 *
 * Returns what open_clientfd returns, and -1 with errno ETIMEDOUT when time is up.
 */
CSAPP_MUST_USE int csapp_connect(const char *host, const char *port, int timeout_ms);

/**
 * open_listenfd on one address of one host only, the first of "localhost", say, (NULL: on all of this
 * machine's), with a queue of `backlog` connections (below 1: LISTENQ), and with
 * `flags` 0 or any of:
 *   CSAPP_DUALSTACK  IPv6 and IPv4 on one socket; where there is no IPv6, IPv4 alone. Without
 *                    it, an IPv6 socket takes IPv6 alone, unless host is NULL and this machine
 *                    is in no IPv4 network
 *   CSAPP_REUSEPORT  let other sockets with this flag share the port
 *
 * Returns what open_listenfd returns, and -1 with errno EINVAL for any other flag.
 */
CSAPP_MUST_USE
int csapp_listen(const char *host,
                 const char *port,
                 int backlog,
                 unsigned int flags);

/**
 * Accepts a connection from the listening socket `listenfd`, and waits `timeout_ms` milliseconds for one
 * (0: takes only one that is there already; negative: no limit). Stores the other end's address at `addr`,
 * unless that is NULL, and the address's length at `addrlen`, which holds the size of the room
 * before. Unlike Accept, does not restart if a signal interrupts it. A connection that its client has
 * given up meanwhile is no error (accept(2), Error handling). Works on blocking and O_NONBLOCK sockets.
 * On a blocking one from which others accept too, by other calls than this, such a call may take the
 * connection at the last moment; then this call waits on for the next one, past its limit.
 *
 * Returns the connection's descriptor, which is close-on-exec and the caller's to close; or -1 with
 * errno, and the connection, if there is one, waits for the next call:
 *   ETIMEDOUT  no connection in time
 *   EINTR  a signal handler ran
 *   EMFILE, ENFILE  no free descriptor
 *   EFAULT  addr is not NULL, and addrlen is
 *   EINVAL  listenfd does not listen; or the length at addrlen is negative
 *   others  as accept(2) has them
 */
CSAPP_MUST_USE
int csapp_accept(int listenfd,
                 struct sockaddr *addr,
                 socklen_t *addrlen,
                 int timeout_ms);

/**
 * rio_readlineb with a time limit for the whole line, of `timeout_ms` milliseconds from the call on; 0: takes a line only
 * if it is there already; negative: no limit. Unlike rio_readlineb, waits on an O_NONBLOCK descriptor, and does not restart
 * if a signal interrupts it. Does not change the descriptor's flags.
 *
 * Returns what rio_readlineb returns; and -1 with errno, and nothing consumed, so that the next call finds the line from
 * its start:
 *   ETIMEDOUT  time is up; never sooner than the limit
 *   EINTR  a signal handler ran
 * A descriptor that is neither a socket nor O_NONBLOCK, such as a pipe, is read once bytes are there. If another process
 * takes them first, the call waits on, past its limit. [POSIX, poll and recv]
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readlineb(rio_t *rp,
                        void *usrbuf,
                        size_t maxlen,
                        int timeout_ms);

/**
 * rio_readnb with a time limit for all n bytes, as csapp_readlineb has it for a line. After ETIMEDOUT or EINTR the next call
 * finds the bytes that had come; if those were more than RIO_BUFSIZE, it has to be the same call, as with rio_readnb.
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readnb(rio_t *rp,
                     void *usrbuf,
                     size_t n,
                     int timeout_ms);

/**
 * rio_readn with a time limit for all n bytes, as csapp_readlineb has it for a line. Stores at `moved`, unless that is NULL,
 * how many bytes have come, whatever the result: those are in usrbuf, and the next call is to ask for the rest.
 */
CSAPP_WRITES(2, 3)
CSAPP_MUST_USE
ssize_t csapp_readn(int fd,
                    void *usrbuf,
                    size_t n,
                    int timeout_ms,
                    size_t *moved);

/**
 * rio_writen with a time limit for all n bytes, as csapp_readlineb has it for a line. Stores at `moved`, unless that is NULL,
 * how many bytes have been written, whatever the result. Raises no SIGPIPE on a socket. A pipe or terminal that is not
 * O_NONBLOCK is written to once it takes bytes; a terminal may take fewer than it said, and make the call wait past its limit.
 */
CSAPP_READS(2, 3)
CSAPP_MUST_USE
ssize_t csapp_writen(int fd,
                     const void *usrbuf,
                     size_t n,
                     int timeout_ms,
                     size_t *moved);

/**
 * The version of the library that the program runs with, as "1.0.0". CSAPP_VERSION is that of the header it was
 * compiled with.
 */
const char *csapp_version(void);

#ifdef CSAPP_EXTRAS
/* Wrappers that people add --------------------------------------------------------------- */

/**
 * pthread_mutex_init, checked. [POSIX, pthread_mutex_init]
 */
void Pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);

/**
 * pthread_mutex_lock, checked. [POSIX, pthread_mutex_lock]
 */
void Pthread_mutex_lock(pthread_mutex_t *mutex);

/**
 * pthread_mutex_trylock, checked. Returns 0, or EBUSY if another thread holds the mutex.
 * [POSIX, pthread_mutex_trylock]
 */
int Pthread_mutex_trylock(pthread_mutex_t *mutex);

/**
 * pthread_mutex_unlock, checked. [POSIX, pthread_mutex_unlock]
 */
void Pthread_mutex_unlock(pthread_mutex_t *mutex);

/**
 * pthread_mutex_destroy, checked. [POSIX, pthread_mutex_destroy]
 */
void Pthread_mutex_destroy(pthread_mutex_t *mutex);

/**
 * pthread_cond_init, checked. [POSIX, pthread_cond_init]
 */
void Pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);

/**
 * pthread_cond_wait, checked. [POSIX, pthread_cond_wait]
 */
void Pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/**
 * pthread_cond_timedwait, checked. Returns 0, or ETIMEDOUT once the time `abstime` has come.
 * [POSIX, pthread_cond_timedwait]
 */
int Pthread_cond_timedwait(pthread_cond_t *cond,
                           pthread_mutex_t *mutex,
                           const struct timespec *abstime);

/**
 * pthread_cond_signal, checked. [POSIX, pthread_cond_signal]
 */
void Pthread_cond_signal(pthread_cond_t *cond);

/**
 * pthread_cond_broadcast, checked. [POSIX, pthread_cond_broadcast]
 */
void Pthread_cond_broadcast(pthread_cond_t *cond);

/**
 * pthread_cond_destroy, checked. [POSIX, pthread_cond_destroy]
 */
void Pthread_cond_destroy(pthread_cond_t *cond);

/**
 * pipe, checked: creates a pipe and stores its two descriptors at `fds`: fds[0] to read from,
 * fds[1] to write to. Returns 0; -1 if the error handler returns. [POSIX, pipe]
 */
int Pipe(int *fds);

/**
 * execvp, checked: as Execve with this process' environment, and searches PATH for `file`.
 * [POSIX, exec]
 */
void Execvp(const char *file,
            char *const *argv);

/**
 * sem_destroy, checked. [POSIX, sem_destroy]
 */
void Sem_destroy(sem_t *sem);

/**
 * An alias of open_clientfd, which is re-entrant. The port is a string. [CS:APP 2e, section
 * 12.7]
 */
CSAPP_MUST_USE
int open_clientfd_r(const char *hostname,
                    const char *port);

/**
 * open_clientfd_r, checked: see Open_clientfd.
 */
int Open_clientfd_r(const char *hostname, const char *port);
#endif

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
 * The port: a string in the third edition, an int in the second. Without CSAPP_EDITION, the
 * four functions take either, by the type of the argument; with -DCSAPP_EDITION=2 or =3, the
 * plain prototypes of that edition hold, for a program that has such functions itself.
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
/* Calls number_form where the port is an integer, and otherwise string_form, whose prototype then
   checks it. Beside 0LL, any integer is a long long, a bit-field as well, and any pointer stays one. */
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
