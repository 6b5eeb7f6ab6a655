/* Faults on purpose: the system calls that a thread makes on chosen descriptors fail, come short or
   move nothing, as a plan says, whatever language the code is written in that makes them.

   The kernel itself hands the calls over (seccomp user notification): a filter picks those on the
   chosen descriptors, and a second thread, the supervisor, answers them. Where that is refused, the
   program's own read, write, send, ..., which the library finds as it would find libc's, ask the
   same plan. FAULTS=shim in the environment asks for the second way. */
#ifndef FAULTS_H
#define FAULTS_H

#include "support.h"
#if __has_include(<linux/seccomp.h>) /* musl-gcc does not find the kernel's headers */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#endif
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* Since Linux 5.19: once the supervisor has a call, signals no longer take it away. Without that,
   bytes that the supervisor has moved would be lost when a signal ends the call. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* Since Linux 6.6: the supervisor and the caller, of whom one always waits, share a processor. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

/* The numbers that chosen descriptors get, so that a filter can tell them. */
#define FIRST_CHOSEN 512
#define CHOSEN 64

enum fault_kind {
    PASS,  /* the kernel does as it likes */
    FAIL,  /* nothing happens; the call fails with errno `value` */
    SHORT, /* the call moves at most `value` bytes, which are counted */
    ZERO   /* nothing happens; the call returns 0 */
};

struct fault {
    enum fault_kind kind;
    size_t value;
};

/* What a call does with its descriptor. */
enum purpose { READS, WRITES, WAITS, ACCEPTS, OTHER };

struct call {
    enum purpose purpose;
    unsigned long number; /* of the calls with this purpose since the plan was made, from 0 */
};

/* Says what is to become of a call. It runs in the supervisor, one call at a time. */
typedef struct fault fault_plan(const struct call *call);

static struct {
    fault_plan *plan;
    unsigned long calls[OTHER + 1];
    unsigned long failed, shortened; /* faults so far */
    size_t moved[2];                 /* bytes that calls under the plan have read and written */
    char is_socket[CHOSEN];
} faults;

#define count_up(place, by) __atomic_fetch_add(&(place), (by), __ATOMIC_SEQ_CST)

/* Gives fd a number by which it is chosen. */
static inline int choose(int fd)
{
    int chosen = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_CHOSEN);
    struct stat status;

    ck_assert_int_ge(chosen, FIRST_CHOSEN);
    ck_assert_int_lt(chosen, FIRST_CHOSEN + CHOSEN);
    ck_assert_int_eq(fstat(chosen, &status), 0);
    __atomic_store_n(&faults.is_socket[chosen - FIRST_CHOSEN], S_ISSOCK(status.st_mode),
                     __ATOMIC_SEQ_CST);
    close(fd);
    return chosen;
}

/* ---- One call: what it is, what the plan says, and how it is short ---- */

static inline enum purpose purpose_of(long nr)
{
    switch (nr) {
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg:
        return READS;
    case SYS_write: case SYS_writev: case SYS_sendto: case SYS_sendmsg:
        return WRITES;
#ifdef SYS_poll
    case SYS_poll:
#endif
    case SYS_ppoll:
        return WAITS;
#ifdef SYS_accept
    case SYS_accept:
#endif
    case SYS_accept4:
        return ACCEPTS;
    default:
        return OTHER;
    }
}

static inline int is_chosen(int fd)
{
    return fd >= FIRST_CHOSEN && fd < FIRST_CHOSEN + CHOSEN;
}

/* Cuts places of n bytes in all down to `most`; returns how many of them are left. */
static inline int cut(struct iovec *to, const struct iovec *from, int n, size_t most)
{
    int i;

    for (i = 0; i < n && most > 0; i++) {
        to[i] = from[i];
        if (to[i].iov_len > most)
            to[i].iov_len = most;
        most -= to[i].iov_len;
    }
    return i;
}

#define MOST_PLACES 16

/* For what looks at the memory of the thread that waits for its call: that it waits only the kernel
   knows. */
#define UNSEEN_BY_TSAN __attribute__((noinline, no_sanitize_thread))

/* Makes the call, for `most` bytes at the most. Returns what it returns, or minus its errno. */
static UNSEEN_BY_TSAN long make_call(long nr, const unsigned long long *args, size_t most)
{
    struct iovec places[MOST_PLACES];
    struct msghdr message;
    int fd = (int)args[0];
    long result;

    switch (nr) {
    case SYS_readv: case SYS_writev:
        if (args[2] > MOST_PLACES)
            return -EINVAL;
        result = syscall(nr, fd, places,
                         cut(places, (const struct iovec *)(uintptr_t)args[1], (int)args[2], most));
        break;
    case SYS_recvmsg: case SYS_sendmsg:
        message = *(const struct msghdr *)(uintptr_t)args[1];
        if (message.msg_iovlen > MOST_PLACES)
            return -EINVAL;
        message.msg_iovlen = (size_t)cut(places, message.msg_iov, (int)message.msg_iovlen, most);
        message.msg_iov = places;
        result = syscall(nr, fd, &message, (long)args[2]);
        break;
    case SYS_recvfrom: case SYS_sendto:
        result = syscall(nr, fd, (long)args[1], (long)(args[2] < most ? args[2] : most), (long)args[3],
                         (long)args[4], (long)args[5]);
        break;
    default:
        result = syscall(nr, fd, (long)args[1], (long)(args[2] < most ? args[2] : most));
    }
    return result == -1 ? -errno : result;
}

/* The descriptor that a poll is about; -1 for several. Not inlined: gcc believes that poll only writes
   to what it is given. */
static UNSEEN_BY_TSAN int polled_by(const unsigned long long *args)
{
    return args[1] == 1 ? ((const struct pollfd *)(uintptr_t)args[0])->fd : -1;
}

/* Returns 0 where the call is to be made as it is; otherwise 1, and in *result what it returns, or
   minus its errno. */
static inline int answer(long nr, const unsigned long long *args, long *result)
{
    fault_plan *plan = counted(faults.plan);
    struct call call = {purpose_of(nr), 0};
    int fd = (int)args[0];
    struct fault fault;

    if (call.purpose == WAITS)
        fd = polled_by(args);
    if (plan == NULL || call.purpose == OTHER || !is_chosen(fd))
        return 0;
    /* What only sockets can do fails on all else, without any fault. */
    if ((nr == SYS_sendto || nr == SYS_sendmsg || nr == SYS_recvfrom || nr == SYS_recvmsg)
        && !counted(faults.is_socket[fd - FIRST_CHOSEN]))
        return 0;
    call.number = count_up(faults.calls[call.purpose], 1);
    fault = plan(&call);
    switch (fault.kind) {
    case FAIL:
        count_up(faults.failed, 1);
        *result = -(long)fault.value;
        return 1;
    case ZERO:
        count_up(faults.failed, 1);
        *result = 0;
        return 1;
    case SHORT:
        if (call.purpose == WAITS || call.purpose == ACCEPTS)
            return 0;
        *result = make_call(nr, args, fault.value);
        if (*result > 0) {
            count_up(faults.moved[call.purpose], (size_t)*result);
            if ((size_t)*result == fault.value)
                count_up(faults.shortened, 1);
        }
        return 1;
    default:
        return 0;
    }
}

/* ---- By the kernel ---- */

static __thread int is_shimmed; /* this thread's calls are looked at by the program's own functions */
static __thread int is_filtered;

#if (defined __x86_64__ || defined __aarch64__) && defined SECCOMP_GET_NOTIF_SIZES

#ifdef __x86_64__
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#else
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
/* To the statement that is `yes` or `no` further on. */
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define IF_AT_LEAST(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (yes), (no))

/* Puts the filter on this thread. Returns the descriptor that its calls arrive at; -1 with errno
   where the system does not allow that. */
static inline int listen_to_calls(void)
{
    struct sock_filter statements[] = {
        LOAD(arch),
        IF_EQUAL(AUDIT_ARCH_HERE, 0, 18),
        LOAD(nr),
        IF_EQUAL(SYS_read, 12, 0),
        IF_EQUAL(SYS_write, 11, 0),
        IF_EQUAL(SYS_readv, 10, 0),
        IF_EQUAL(SYS_writev, 9, 0),
        IF_EQUAL(SYS_recvfrom, 8, 0),
        IF_EQUAL(SYS_sendto, 7, 0),
        IF_EQUAL(SYS_recvmsg, 6, 0),
        IF_EQUAL(SYS_sendmsg, 5, 0),
        IF_EQUAL(SYS_accept, 4, 0),
        IF_EQUAL(SYS_accept4, 3, 0),
#ifdef SYS_poll
        IF_EQUAL(SYS_poll, 5, 0),
#else
        IF_EQUAL(SYS_ppoll, 5, 0),
#endif
        IF_EQUAL(SYS_ppoll, 4, 0),
        ANSWER(SECCOMP_RET_ALLOW),
        LOAD(args[0]), /* its low half: both machines are little-endian */
        IF_AT_LEAST(FIRST_CHOSEN, 0, 2),
        IF_AT_LEAST(FIRST_CHOSEN + CHOSEN, 1, 0),
        ANSWER(SECCOMP_RET_USER_NOTIF),
        ANSWER(SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof statements / sizeof *statements, statements};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
}

static int listener; /* -1: there is none */
static pid_t supervised;
static sem_t listener_is_known;

/* Answers calls until the process ends. It takes no lock and allocates nothing meanwhile: the
   thread whose call it answers may be anywhere. */
static inline void *supervise(void *arg)
{
    struct seccomp_notif_sizes *sizes = (struct seccomp_notif_sizes *)arg;
    struct seccomp_notif *request = (struct seccomp_notif *)calloc(1, sizes->seccomp_notif);
    struct seccomp_notif_resp *response =
        (struct seccomp_notif_resp *)calloc(1, sizes->seccomp_notif_resp);

    while (sem_wait(&listener_is_known) == -1)
        continue;
    while (listener != -1) {
        unsigned long long args[6];
        long result;
        size_t i;

        memset(request, 0, sizes->seccomp_notif);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, request) == -1) {
            if (errno == EINTR || errno == ENOENT) /* ENOENT: a signal was faster */
                continue;
            break;
        }
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request->id) == -1)
            continue;
        memset(response, 0, sizes->seccomp_notif_resp);
        response->id = request->id;
        for (i = 0; i < 6; i++)
            args[i] = request->data.args[i];
        /* A thread or process that inherited the filter has addresses and plans of its own. */
        if (request->pid != (unsigned)supervised || !answer(request->data.nr, args, &result))
            response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        else if (result < 0)
            response->error = (int)result;
        else
            response->val = result;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, response);
    }
    free(request);
    free(response);
    return NULL;
}

/* Puts this thread under supervision, for good. Returns 0, or the errno of the system's refusal. */
static inline int put_under_supervision(void)
{
    static struct seccomp_notif_sizes sizes;
    sigset_t all, before;
    pthread_t supervisor;
    int refusal = 0;

    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == -1)
        return errno;
    ck_assert_int_eq(sem_init(&listener_is_known, 0, 0), 0);
    sigfillset(&all);
    /* The supervisor comes first, so that the filter is not on it; signals are for the others. */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ck_assert_int_eq(pthread_create(&supervisor, NULL, supervise, &sizes), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    supervised = (pid_t)syscall(SYS_gettid);
    listener = listen_to_calls();
    if (listener == -1)
        refusal = errno;
    else
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    sem_post(&listener_is_known);
    if (refusal == 0)
        pthread_detach(supervisor);
    else
        pthread_join(supervisor, NULL);
    return refusal;
}

#else
static inline int put_under_supervision(void)
{
    return ENOSYS;
}
#endif

/* ---- By the program's own functions ---- */

static inline long call_or_answer(long nr, unsigned long long a, unsigned long long b,
                                  unsigned long long c, unsigned long long d)
{
    unsigned long long args[6] = {a, b, c, d, 0, 0};
    long result;

    if (!is_shimmed || !answer(nr, args, &result))
        return syscall(nr, (long)a, (long)b, (long)c, (long)d, 0L, 0L);
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

#define BITS(pointer) ((unsigned long long)(uintptr_t)(pointer))

ssize_t read(int fd, void *start, size_t n)
{
    return call_or_answer(SYS_read, (unsigned)fd, BITS(start), n, 0);
}

ssize_t write(int fd, const void *start, size_t n)
{
    return call_or_answer(SYS_write, (unsigned)fd, BITS(start), n, 0);
}

ssize_t readv(int fd, const struct iovec *places, int n)
{
    return call_or_answer(SYS_readv, (unsigned)fd, BITS(places), (unsigned)n, 0);
}

ssize_t writev(int fd, const struct iovec *places, int n)
{
    return call_or_answer(SYS_writev, (unsigned)fd, BITS(places), (unsigned)n, 0);
}

ssize_t recv(int fd, void *start, size_t n, int flags)
{
    return call_or_answer(SYS_recvfrom, (unsigned)fd, BITS(start), n, (unsigned)flags);
}

ssize_t send(int fd, const void *start, size_t n, int flags)
{
    return call_or_answer(SYS_sendto, (unsigned)fd, BITS(start), n, (unsigned)flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return call_or_answer(SYS_recvmsg, (unsigned)fd, BITS(message), (unsigned)flags, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return call_or_answer(SYS_sendmsg, (unsigned)fd, BITS(message), (unsigned)flags, 0);
}

int accept(int fd, struct sockaddr *address, socklen_t *len)
{
    return (int)call_or_answer(SYS_accept4, (unsigned)fd, BITS(address), BITS(len), 0);
}

int poll(struct pollfd *polled, nfds_t n, int timeout)
{
#ifdef SYS_poll
    return (int)call_or_answer(SYS_poll, BITS(polled), n, (unsigned long long)timeout, 0);
#else
    struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

    return (int)call_or_answer(SYS_ppoll, BITS(polled), n, BITS(timeout < 0 ? NULL : &limit), 0);
#endif
}

/* ---- To be used by tests ---- */

/* The calls that this thread makes on chosen descriptors go by this plan from now on; NULL: no
   faults any more. */
static inline void follow_plan(fault_plan *plan)
{
    const char *wish = getenv("FAULTS");
    int purpose;

    __atomic_store_n(&faults.plan, NULL, __ATOMIC_SEQ_CST);
    for (purpose = READS; purpose <= OTHER; purpose++)
        __atomic_store_n(&faults.calls[purpose], 0, __ATOMIC_SEQ_CST);
    if (plan != NULL && !is_shimmed && !is_filtered) {
        if ((wish != NULL && strcmp(wish, "shim") == 0) || put_under_supervision() != 0)
            is_shimmed = 1;
        else
            is_filtered = 1;
    }
    __atomic_store_n(&faults.plan, plan, __ATOMIC_SEQ_CST);
}

static inline struct fault the_first_fails(const struct call *call)
{
    return call->number == 0 ? (struct fault){FAIL, EXDEV} : (struct fault){PASS, 0};
}

/* The first test of a suite with faults: they can be made here, by the way that it prints. */
START_TEST(faults_can_be_made)
{
    int fd = choose(open("/dev/zero", O_RDONLY));
    char byte;

    follow_plan(the_first_fails);
    errno = 0;
    ck_assert_int_eq(read(fd, &byte, 1), -1);
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    ck_assert_int_eq(counted(faults.failed), 1);
    printf("faults by %s\n", is_filtered ? "seccomp user notification"
                                         : "the program's own read, write, accept, ...");
    fflush(stdout);
}
END_TEST

#endif
