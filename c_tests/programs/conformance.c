/* The whole interface once more, written by hand: every function's exact prototype, every macro
   and every type. Compiled with -Werror it fails where the header says something else, and linked
   where the library lacks something. It prints the names of all functions, one a line, for
   the test that compares them with the header's and the library's. */
#include "csapp.h"
#include <stddef.h>

#define ERRORS(IS)                                  \
    IS(void, unix_error, (const char *))            \
    IS(void, posix_error, (int, const char *))      \
    IS(void, gai_error, (int, const char *))        \
    IS(void, dns_error, (const char *))             \
    IS(void, app_error, (const char *))

#define PROCESSES(IS)                                                       \
    IS(pid_t, Fork, (void))                                                 \
    IS(void, Execve, (const char *, char *const[], char *const[]))          \
    IS(pid_t, Wait, (int *))                                                \
    IS(pid_t, Waitpid, (pid_t, int *, int))                                 \
    IS(void, Kill, (pid_t, int))                                            \
    IS(unsigned int, Sleep, (unsigned int))                                 \
    IS(void, Pause, (void))                                                 \
    IS(unsigned int, Alarm, (unsigned int))                                 \
    IS(void, Setpgid, (pid_t, pid_t))                                       \
    IS(pid_t, Getpgrp, (void))

#define SIGNALS(IS)                                                 \
    IS(handler_t *, Signal, (int, handler_t *))                     \
    IS(void, Sigprocmask, (int, const sigset_t *, sigset_t *))      \
    IS(void, Sigemptyset, (sigset_t *))                             \
    IS(void, Sigfillset, (sigset_t *))                              \
    IS(void, Sigaddset, (sigset_t *, int))                          \
    IS(void, Sigdelset, (sigset_t *, int))                          \
    IS(int, Sigismember, (const sigset_t *, int))                   \
    IS(int, Sigsuspend, (const sigset_t *))

#define SIGNAL_SAFE_OUTPUT(IS)                                                          \
    IS(ssize_t, sio_puts, (const char[]))                                               \
    IS(ssize_t, sio_putl, (long))                                                       \
    IS(void, sio_error, (const char[]))                                                 \
    IS(ssize_t, Sio_puts, (const char[]))                                               \
    IS(ssize_t, Sio_putl, (long))                                                       \
    IS(void, Sio_error, (const char[]))                                                 \
    IS(ssize_t, sio_printf, (const char *, ...))                                        \
    IS(ssize_t, sio_dprintf, (int, const char *, ...))                                  \
    IS(ssize_t, sio_eprintf, (const char *, ...))                                       \
    IS(ssize_t, sio_vdprintf, (int, const char *, va_list))                             \
    IS(void, __sio_assert_fail, (const char *, const char *, unsigned int, const char *))

#define UNIX_IO(IS)                                                         \
    IS(int, Open, (const char *, int, mode_t))                              \
    IS(ssize_t, Read, (int, void *, size_t))                                \
    IS(ssize_t, Write, (int, const void *, size_t))                         \
    IS(off_t, Lseek, (int, off_t, int))                                     \
    IS(void, Close, (int))                                                  \
    IS(int, Select, (int, fd_set *, fd_set *, fd_set *, struct timeval *))  \
    IS(int, Dup2, (int, int))                                               \
    IS(void, Stat, (const char *, struct stat *))                           \
    IS(void, Fstat, (int, struct stat *))

#define DIRECTORIES(IS)                     \
    IS(DIR *, Opendir, (const char *))      \
    IS(struct dirent *, Readdir, (DIR *))   \
    IS(int, Closedir, (DIR *))

#define MEMORY_MAPPING(IS)                                      \
    IS(void *, Mmap, (void *, size_t, int, int, int, off_t))    \
    IS(void, Munmap, (void *, size_t))

#define STANDARD_IO(IS)                                     \
    IS(void, Fclose, (FILE *))                              \
    IS(FILE *, Fdopen, (int, const char *))                 \
    IS(char *, Fgets, (char *, int, FILE *))                \
    IS(FILE *, Fopen, (const char *, const char *))         \
    IS(void, Fputs, (const char *, FILE *))                 \
    IS(size_t, Fread, (void *, size_t, size_t, FILE *))     \
    IS(void, Fwrite, (const void *, size_t, size_t, FILE *))

#define ALLOCATION(IS)                      \
    IS(void *, Malloc, (size_t))            \
    IS(void *, Realloc, (void *, size_t))   \
    IS(void *, Calloc, (size_t, size_t))    \
    IS(void, Free, (void *))

#define SOCKETS(IS)                                             \
    IS(int, Socket, (int, int, int))                            \
    IS(void, Setsockopt, (int, int, int, const void *, int))    \
    IS(void, Bind, (int, const struct sockaddr *, int))         \
    IS(void, Listen, (int, int))                                \
    IS(int, Accept, (int, struct sockaddr *, socklen_t *))      \
    IS(void, Connect, (int, const struct sockaddr *, int))

#define NAMES(IS)                                                                               \
    IS(void, Getaddrinfo,                                                                       \
       (const char *, const char *, const struct addrinfo *, struct addrinfo **))               \
    IS(void, Getnameinfo,                                                                       \
       (const struct sockaddr *, socklen_t, char *, size_t, char *, size_t, int))               \
    IS(void, Freeaddrinfo, (struct addrinfo *))                                                 \
    IS(void, Inet_ntop, (int, const void *, char *, socklen_t))                                 \
    IS(void, Inet_pton, (int, const char *, void *))                                            \
    IS(struct hostent *, Gethostbyname, (const char *))                                         \
    IS(struct hostent *, Gethostbyaddr, (const char *, int, int))

#define THREADS(IS)                                                                             \
    IS(void, Pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))  \
    IS(void, Pthread_join, (pthread_t, void **))                                                \
    IS(void, Pthread_cancel, (pthread_t))                                                       \
    IS(void, Pthread_detach, (pthread_t))                                                       \
    IS(void, Pthread_exit, (void *))                                                            \
    IS(pthread_t, Pthread_self, (void))                                                         \
    IS(void, Pthread_once, (pthread_once_t *, void (*)(void)))

#define SEMAPHORES(IS)                              \
    IS(void, Sem_init, (sem_t *, int, unsigned int)) \
    IS(void, P, (sem_t *))                          \
    IS(void, V, (sem_t *))

#define ROBUST_IO(IS)                                   \
    IS(ssize_t, rio_readn, (int, void *, size_t))       \
    IS(ssize_t, rio_writen, (int, const void *, size_t)) \
    IS(void, rio_readinitb, (rio_t *, int))             \
    IS(ssize_t, rio_readnb, (rio_t *, void *, size_t))  \
    IS(ssize_t, rio_readlineb, (rio_t *, void *, size_t)) \
    IS(ssize_t, Rio_readn, (int, void *, size_t))       \
    IS(void, Rio_writen, (int, const void *, size_t))   \
    IS(void, Rio_readinitb, (rio_t *, int))             \
    IS(ssize_t, Rio_readnb, (rio_t *, void *, size_t))  \
    IS(ssize_t, Rio_readlineb, (rio_t *, void *, size_t))

#define CLIENT_AND_SERVER(IS)                                   \
    IS(int, open_clientfd, (const char *, const char *))        \
    IS(int, open_listenfd, (const char *))                      \
    IS(int, Open_clientfd, (const char *, const char *))        \
    IS(int, Open_listenfd, (const char *))                      \
    IS(int, csapp_open_clientfd_2e, (const char *, int))        \
    IS(int, csapp_open_listenfd_2e, (int))                      \
    IS(int, csapp_Open_clientfd_2e, (const char *, int))        \
    IS(int, csapp_Open_listenfd_2e, (int))

#define BEYOND_THE_BOOK(IS)                                                             \
    IS(csapp_error_handler_t *, csapp_set_error_handler, (csapp_error_handler_t *))     \
    IS(void, csapp_error_exit, (const char *))                                          \
    IS(void, csapp_error_return, (const char *))                                        \
    IS(void, csapp_error_thread_exit, (const char *))                                   \
    IS(void, csapp_error_abort, (const char *))                                         \
    IS(int, csapp_connect, (const char *, const char *, int))                           \
    IS(int, csapp_listen, (const char *, const char *, int, unsigned))                  \
    IS(int, csapp_accept, (int, struct sockaddr *, socklen_t *, int))                   \
    IS(ssize_t, csapp_readlineb, (rio_t *, void *, size_t, int))                        \
    IS(ssize_t, csapp_readnb, (rio_t *, void *, size_t, int))                           \
    IS(ssize_t, csapp_readn, (int, void *, size_t, int, size_t *))                      \
    IS(ssize_t, csapp_writen, (int, const void *, size_t, int, size_t *))               \
    IS(const char *, csapp_version, (void))

#ifdef CSAPP_EXTRAS
#define EXTRAS(IS)                                                                              \
    IS(void, Pthread_mutex_init, (pthread_mutex_t *, const pthread_mutexattr_t *))              \
    IS(void, Pthread_mutex_lock, (pthread_mutex_t *))                                           \
    IS(int, Pthread_mutex_trylock, (pthread_mutex_t *))                                         \
    IS(void, Pthread_mutex_unlock, (pthread_mutex_t *))                                         \
    IS(void, Pthread_mutex_destroy, (pthread_mutex_t *))                                        \
    IS(void, Pthread_cond_init, (pthread_cond_t *, const pthread_condattr_t *))                 \
    IS(void, Pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))                          \
    IS(int, Pthread_cond_timedwait,                                                             \
       (pthread_cond_t *, pthread_mutex_t *, const struct timespec *))                          \
    IS(void, Pthread_cond_signal, (pthread_cond_t *))                                           \
    IS(void, Pthread_cond_broadcast, (pthread_cond_t *))                                        \
    IS(void, Pthread_cond_destroy, (pthread_cond_t *))                                          \
    IS(int, Pipe, (int *))                                                                      \
    IS(void, Execvp, (const char *, char *const[]))                                             \
    IS(void, Sem_destroy, (sem_t *))                                                            \
    IS(int, open_clientfd_r, (const char *, const char *))                                      \
    IS(int, Open_clientfd_r, (const char *, const char *))
#else
#define EXTRAS(IS)
#endif

#define EVERYTHING(IS)                                                                          \
    ERRORS(IS) PROCESSES(IS) SIGNALS(IS) SIGNAL_SAFE_OUTPUT(IS) UNIX_IO(IS) DIRECTORIES(IS)     \
    MEMORY_MAPPING(IS) STANDARD_IO(IS) ALLOCATION(IS) SOCKETS(IS) NAMES(IS) THREADS(IS)         \
    SEMAPHORES(IS) ROBUST_IO(IS) CLIENT_AND_SERVER(IS) BEYOND_THE_BOOK(IS) EXTRAS(IS)

/* A pointer of exactly this type takes the function's address: anything else is a compiler error. */
#define ADDRESS_OF(result, name, parameters) static result(*volatile is_##name) parameters = name;
EVERYTHING(ADDRESS_OF)

#define CHECK(name, condition) typedef char is_##name[(condition) ? 1 : -1]
CHECK(rio_bufsize, RIO_BUFSIZE == 8192);
CHECK(maxline, MAXLINE == 8192);
CHECK(maxbuf, MAXBUF == 8192);
CHECK(listenq, LISTENQ == 1024);
CHECK(def_mode, DEF_MODE == 0666);
CHECK(def_umask, DEF_UMASK == 022);
CHECK(def_mode_in_parentheses, (DEF_MODE & ~DEF_UMASK) == 0644 && (!DEF_MODE) == 0);
CHECK(dualstack, CSAPP_DUALSTACK != 0 && (CSAPP_DUALSTACK & CSAPP_REUSEPORT) == 0);
CHECK(rio_t, sizeof(rio_t) == offsetof(rio_t, rio_buf) + RIO_BUFSIZE);
CHECK(rio_fd, offsetof(rio_t, rio_fd) == 0);
CHECK(rio_cnt, offsetof(rio_t, rio_cnt) == sizeof(int));
CHECK(rio_bufptr, offsetof(rio_t, rio_bufptr) == 2 * sizeof(int));
CHECK(lp64, sizeof(char *) != 8 || sizeof(rio_t) == 8208);

#if !defined(CSAPP_H) || !defined(__CSAPP_H__)
#error "the guards are not there"
#endif

/* The fields' types, and the other types and variables, by assignments that only fit exactly. */
static void check_types(rio_t *rp, int **fd, int **cnt, char ***bufptr, char (**buf)[RIO_BUFSIZE])
{
    static SA *address;
    static struct sockaddr **same = &address;
    static handler_t *handler;
    static void (**same_handler)(int) = &handler;
    static csapp_error_handler_t *error_handler;
    static void (**same_error_handler)(const char *) = &error_handler;
    static char ***variables = &environ;
    int *h_errno_at = &h_errno;

    *fd = &rp->rio_fd;
    *cnt = &rp->rio_cnt;
    *bufptr = &rp->rio_bufptr;
    *buf = &rp->rio_buf;
    (void)same;
    (void)same_handler;
    (void)same_error_handler;
    (void)variables;
    (void)h_errno_at;
    sio_assert(rp != NULL);
}

int main(void)
{
    static rio_t rio;
    int *fd, *cnt, missing = 0;
    char **bufptr, (*buf)[RIO_BUFSIZE];

    check_types(&rio, &fd, &cnt, &bufptr, &buf);
#define PRINT(result, name, parameters) \
    missing += is_##name == NULL;       \
    puts(#name);
    EVERYTHING(PRINT)
    return missing + (strcmp(csapp_version(), CSAPP_VERSION) != 0);
}
