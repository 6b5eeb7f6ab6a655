/*
 * csapp.h - libcsapp, the support library of "Computer Systems: A Programmer's
 * Perspective" (CS:APP), for programs of the second and third edition and of CMU's course.
 *
 * Generated from src/capi/ and include/csapp.h.in: do not edit, run `make header`.
 *
 * A function whose name starts with a lower-case letter returns an error; its capitalised
 * twin is checked: on failure it writes "Name error: reason" to standard error and ends the
 * program by exit(1), or does what csapp_set_error_handler says. No function changes errno when
 * it succeeds. All functions may be called from several threads at once.
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

#if !defined(SIG_BLOCK) || !defined(AI_PASSIVE) || !defined(S_IRUSR)
#error "csapp.h needs POSIX.1-2008: include it before the system's headers, or compile with -D_DEFAULT_SOURCE or -std=gnu99"
#endif

/* The version of this header; csapp_version() tells the library's. */
#define CSAPP_VERSION "1.0.0"

#if defined(__GNUC__)
#define CSAPP_MUST_USE __attribute__((warn_unused_result))
#define CSAPP_NORETURN __attribute__((noreturn))
#else
#define CSAPP_MUST_USE
#define CSAPP_NORETURN
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

/* The general socket address, by a short name for casts (CS:APP 3e, section 11.4.1). */
typedef struct sockaddr SA;

/* A signal handler, and an error handler (csapp_set_error_handler): function types. */
typedef void handler_t(int);
typedef void csapp_error_handler_t(void);

/* The environment of the process, and the error of gethostbyname and gethostbyaddr. */
extern char **environ;
#ifndef h_errno
extern int h_errno;
#endif

/* <netdb.h> may declare another gai_error. */
#define gai_error csapp_gai_error

/**
 * Bytes in the buffer of a rio_t.
 */
#define RIO_BUFSIZE 8192

/**
 * A descriptor and what has been read from it ahead of the program (CS:APP 3e, section
 * 10.5.2). rio_readinitb fills it in; after that, only the rio_ functions change it. It
 * belongs to one thread at a time. A copy is refused: rio_bufptr points into rio_buf.
 */
typedef struct {
    /**
     * The descriptor that is read from.
     */
    int rio_fd;
    /**
     * How many bytes of rio_buf are unread. Negative after a call failed that had gathered
     * more than RIO_BUFSIZE bytes: see rio_readnb.
     */
    int rio_cnt;
    /**
     * The next unread byte, inside rio_buf.
     */
    char *rio_bufptr;
    /**
     * What has been read ahead.
     */
    char rio_buf[RIO_BUFSIZE];
} rio_t;

/* Errors --------------------------------------------------------------------------------- */

/**
 * Reports the failure of a Unix call: writes `msg: text of errno` as one line to standard
 * error, in one system call, and runs the error handler (csapp_set_error_handler), which by
 * default ends the program with status 1. Should the handler return, so does this, with
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
 * h_errno. Programs that use getaddrinfo have no need of it. [CS:APP 2e, appendix A]
 */
void dns_error(const char *msg);

/**
 * Reports a failure of the program's own: writes `msg` as one line to standard error and
 * runs the error handler, like unix_error. [CS:APP 3e, appendix A]
 */
void app_error(const char *msg);

/* Robust I/O ----------------------------------------------------------------------------- */

/**
 * Reads n bytes from the descriptor `fd` into `usrbuf`, with as many calls of read as it
 * takes: short reads and interrupting signals do not show, and an O_NONBLOCK descriptor is
 * waited for. Do not mix with the buffered calls on one descriptor.
 *
 * Returns n, or fewer if the file ended first (0: it had ended already), or -1 with errno:
 *   EAGAIN  a blocking descriptor's timeout (SO_RCVTIMEO) ran out
 *   EFAULT  usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t
 *   others  as read(2) has them
 * What had come before an error is in usrbuf, but its number is not known; use rio_readnb
 * where that matters. [CS:APP 3e, section 10.5.1; POSIX, read]
 */
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
 *   EAGAIN  a blocking descriptor's timeout (SO_SNDTIMEO) ran out
 *   EFAULT  usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX: an error code cast to size_t; nothing was written
 *   ENOSPC  the device takes no more: write returned 0
 *   EPIPE, ECONNRESET  the peer has gone
 *   others  as write(2) has them
 * After an error, how much was written is not known. [CS:APP 3e, section 10.5.1; POSIX, write]
 */
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
 *   EAGAIN  nothing there yet: a timeout (SO_RCVTIMEO) ran out, or the descriptor is O_NONBLOCK
 *   EFAULT  rp is NULL, or usrbuf is NULL and n is not 0
 *   EINVAL  n exceeds SSIZE_MAX; or rp was never initialised, is a copy of another rio_t or is
 *           damaged; or rp waits for another call to be repeated (below)
 *   others  as read(2) has them
 * A failed call consumes nothing: the next call, of either kind, finds all bytes again. Only
 * when more than RIO_BUFSIZE bytes had been gathered do they stay in usrbuf; then the same
 * call with the same usrbuf and at least the same n goes on behind them, and every other
 * call on rp but rio_readinitb fails with EINVAL. [CS:APP 3e, section 10.5.2; POSIX, read]
 */
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
ssize_t rio_readlineb(rio_t *rp,
                      void *usrbuf,
                      size_t maxlen);

/**
 * rio_readn, checked: an error is reported as "Rio_readn error: reason", and if the error
 * handler returns, the result is -1. [CS:APP 3e, appendix A]
 */
ssize_t Rio_readn(int fd, void *usrbuf, size_t n);

/**
 * rio_writen, checked: an error is reported as "Rio_writen error: reason", and if the error
 * handler returns, errno has that reason. [CS:APP 3e, appendix A]
 */
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
ssize_t Rio_readnb(rio_t *rp,
                   void *usrbuf,
                   size_t n);

/**
 * rio_readlineb, checked: an error is reported as "Rio_readlineb error: reason", and if the
 * error handler returns, the result is -1. [CS:APP 3e, appendix A]
 */
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
 * machine's loopback address); `port` a number from "0" to "65535" or the name of a service.
 * Addresses are tried in getaddrinfo's order with the families taking turns, the next one
 * beside the last after 250 ms, or at once if that failed; of a single address, the kernel's own
 * time limit holds (about two minutes). A signal does not disturb the attempt, and a numeric
 * host asks no name server.
 *
 * Returns a connected, blocking, close-on-exec descriptor, which is the caller's to close;
 * or -1 with errno, the last address's:
 *   ECONNREFUSED  nobody listens there (also where TCP would connect the socket to itself)
 *   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  no answer, no way there
 *   EFAULT  port is NULL
 *   EMFILE, ENFILE  no free descriptor
 *   others  as socket(2) and connect(2) have them
 * or -2 when host or port mean nothing to the resolver, with the reason as a line on standard
 * error. [CS:APP 3e, section 11.4.8; RFC 8305; POSIX, getaddrinfo and connect]
 */
CSAPP_MUST_USE
int open_clientfd(const char *hostname,
                  const char *port);

/**
 * Opens a server's socket: SO_REUSEADDR, close-on-exec, with a queue of LISTENQ connections,
 * on the first address of this machine that binds and listens (with glibc 0.0.0.0, all
 * of IPv4). `port` is a number from "0" (a free one, see getsockname) to "65535" or the name of a
 * service.
 *
 * Returns a descriptor to Accept from, which is the caller's to close; or -1 with errno:
 *   EADDRINUSE  another program listens there
 *   EACCES  a privileged port (below 1024)
 *   EFAULT  port is NULL
 *   EMFILE, ENFILE  no free descriptor
 *   others  as socket(2), bind(2) and listen(2) have them
 * or -2 when port means nothing to the resolver, with the reason as a line on standard error.
 * [CS:APP 3e, section 11.4.8; POSIX, getaddrinfo, bind and listen]
 */
CSAPP_MUST_USE
int open_listenfd(const char *port);

/**
 * open_clientfd, checked: an error, the resolver's included, is reported as
 * "Open_clientfd error: reason", and if the error handler returns, the result is open_clientfd's
 * -1 or -2. [CS:APP 3e, appendix A]
 */
int Open_clientfd(const char *hostname,
                  const char *port);

/**
 * open_listenfd, checked: an error, the resolver's included, is reported as
 * "Open_listenfd error: reason", and if the error handler returns, the result is open_listenfd's
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
 * Says what happens after a checked wrapper or one of the _error functions has written its line:
 * from now on `handler`, in the whole process; NULL stands for csapp_error_exit. A handler may
 * return, end its thread or end the process. May be called at any time and from any thread.
 *
 * Without a call, the environment variable CSAPP_ON_ERROR chooses: exit (the default),
 * return or thread_exit. It is read once, when it is first needed, and not in a program that runs
 * with more rights than its user.
 *
 * Returns the handler that was in force before.
 */
csapp_error_handler_t *csapp_set_error_handler(csapp_error_handler_t *handler);

/**
 * The default error handler: ends the program by exit(1), so that stdio's buffers are written and
 * a shell sees the failure.
 */
void csapp_error_exit(void);

/**
 * An error handler that does nothing: the failed wrapper returns its failing value (-1 or
 * NULL) with errno set, and the program goes on.
 */
void csapp_error_return(void);

/**
 * An error handler that ends only the calling thread, as pthread_exit(NULL) does: its clean-up
 * handlers run. Descriptors that the thread had opened stay open.
 */
void csapp_error_thread_exit(void);

/**
 * open_clientfd with a time limit of `timeout_ms` milliseconds from the call on, for all
 * addresses together; negative: none. A look-up of names counts but cannot be cut short.
 *
 * Returns what open_clientfd returns, and -1 with errno ETIMEDOUT when time is up.
 */
CSAPP_MUST_USE int csapp_connect(const char *host, const char *port, int timeout_ms);

/**
 * open_listenfd on the addresses of one host only, such as "localhost" (NULL: on all of this
 * machine's), with a queue of `backlog` connections (below 1: LISTENQ), and with
 * `flags` 0 or any of:
 *   CSAPP_DUALSTACK  IPv6 and IPv4 on one socket; where there is no IPv6, IPv4 alone. Without
 *                    it, an IPv6 socket takes IPv6 alone
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
 * The version of the library that the program runs with, as "1.0.0". CSAPP_VERSION is that of the header it was
 * compiled with.
 */
const char *csapp_version(void);

#ifdef __cplusplus
}
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
#elif defined(__GNUC__) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#ifdef __GNUC__
#define CSAPP_GENERIC __extension__ _Generic
#else
#define CSAPP_GENERIC _Generic
#endif
/* Calls number_form where the port is an integer, and otherwise string_form, whose prototype
   then checks it. */
#define CSAPP_BY_PORT(port, number_form, string_form)                                   \
    CSAPP_GENERIC((port), char: number_form, signed char: number_form,                  \
        unsigned char: number_form, short: number_form, unsigned short: number_form,    \
        int: number_form, unsigned int: number_form, long: number_form,                 \
        unsigned long: number_form, long long: number_form,                             \
        unsigned long long: number_form, default: string_form)
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
