/* Every call that waits, while signals come: one in the middle of the wait, and a storm of a
   thousand a second, by handlers without SA_RESTART and with it. What ends a wait comes only after
   the call has been interrupted, so nothing here depends on how quick the machine is. */
#define _GNU_SOURCE
#define CSAPP_EXTRAS
#include "blocking.h"
#include "namespace.h"
#include <sys/un.h>

/* ---- The signals: a second thread sees to them while the first one waits ---- */

/* As they do under valgrind. */
static int signals_come_slowly(void)
{
    return getenv("STORM_INTERVAL_US") != NULL;
}

/* How often the call has to go back to sleep in a storm before its wait may end. */
static int storm_length(void)
{
    return signals_come_slowly() ? 10 : 50;
}

/* How often the thread `thread_id` has gone to sleep by itself: a call that goes on after a signal
   does that once more. */
static long times_asleep(void)
{
    char name[64], line[128];
    long times = -1;
    FILE *status;

    snprintf(name, sizeof name, "/proc/self/task/%d/status", (int)thread_id);
    if (thread_id == 0 || (status = fopen(name, "r")) == NULL)
        return -1;
    while (times == -1 && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "voluntary_ctxt_switches: %ld", &times);
    fclose(status);
    return times;
}

/* All signals are for the thread that waits. */
static pthread_t start_quiet_thread(void *(*routine)(void *), void *arg)
{
    sigset_t all, before;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ck_assert_int_eq(pthread_create(&thread, NULL, routine, arg), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return thread;
}

/* One signal or many, by a handler that does not have calls restart or one that does. */
static struct {
    int is_storm, flags;
} weather;

#define WEATHERS 4

static void choose_weather(int i)
{
    weather.is_storm = i % 2;
    weather.flags = i / 2 % 2 ? SA_RESTART : 0;
}

static pthread_t waiter;
static void (*end_of_wait)(void);
static int is_released;

static void *interrupt_and_release(void *arg)
{
    long before, seen = 0;

    if (weather.is_storm) {
        while ((before = times_asleep()) == -1)
            sleep_ms(1);
        while (counted(interruptions) < storm_length() || seen < storm_length()) {
            sleep_ms(1);
            seen = times_asleep() - before;
        }
    } else {
        wait_until_blocked();
        pthread_kill(waiter, SIGALRM);
        while (counted(interruptions) == 0)
            sleep_ms(1);
        wait_until_blocked();
    }
    __atomic_store_n(&is_released, 1, __ATOMIC_SEQ_CST);
    end_of_wait();
    return arg;
}

/* Installs the handler; this thread is the one that is going to wait. */
static void prepare_weather(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = count_interruption;
    action.sa_flags = weather.flags;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    waiter = pthread_self();
    is_released = 0;
    thread_id = 0;
}

/* From now on, signals come as the weather has it; when the call that is made next has been
   interrupted by them, release() is to end it. */
static pthread_t start_weather(void (*release)(void))
{
    pthread_t thread;

    prepare_weather();
    end_of_wait = release;
    thread = start_quiet_thread(interrupt_and_release, NULL);
    if (weather.is_storm)
        start_storm_with(weather.flags);
    thread_id = (pid_t)syscall(SYS_gettid);
    errno = UNTOUCHED;
    return thread;
}

static void end_weather(pthread_t thread)
{
    end_storm();
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* ---- What the calls wait for ---- */

/* A call as a function of the table. */
#define CALL(name, expression) \
    static long name(void)     \
    {                          \
        return (expression);   \
    }

static char got[sizeof bytes];
static size_t filled; /* the bytes that are in the way of the ones to be written */

static void send_late(void)
{
    send_text(ends[1], "late");
}

static void expect_late(long n)
{
    ck_assert_int_eq(n, 4);
    ck_assert_mem_eq(got, "late", 4);
}

/* Takes what has come at `fd` already, and returns its size; its last four bytes stand at the start
   of `got`. */
static size_t drain(int fd)
{
    size_t came = 0;
    ssize_t n;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        size_t last = n < 4 ? (size_t)n : 4;

        came += (size_t)n;
        memmove(got, got + last, 4 - last);
        memcpy(got + 4 - last, bytes + n - last, last);
    }
    return came;
}

static size_t drained;

static void make_room(void)
{
    drained = drain(ends[1]);
}

/* Everything has come once: what was in the way, and behind it what was written. */
static void expect_late_behind_the_rest(void)
{
    while (drained < filled + 4)
        drained += drain(ends[1]);
    ck_assert_uint_eq(drained + drain(ends[1]), filled + 4);
    ck_assert_mem_eq(got, "late", 4);
}

static void expect_written(long n)
{
    ck_assert_int_eq(n, 4);
    expect_late_behind_the_rest();
}

/* Fills what is written to at ends[0] until not one byte more goes in. */
static void fill(void)
{
    size_t size;
    ssize_t n;

    make_nonblocking(ends[0]);
    for (size = sizeof bytes; size > 0; size /= 2)
        while ((n = write(ends[0], bytes, size)) > 0)
            filled += (size_t)n;
    fcntl(ends[0], F_SETFL, 0);
}

static void prepare_pipe(void)
{
    pipe_pair(ends);
}

/* To be written to at ends[0], as sockets are. */
static void prepare_full_pipe(void)
{
    int pair[2];

    pipe_pair(pair);
    ends[0] = pair[1];
    ends[1] = pair[0];
    fill();
}

static void prepare_sockets(void)
{
    socket_pair(ends);
}

static void prepare_sockets_with_a_limit(void)
{
    socket_pair(ends);
    limit_ms(ends[0], SO_RCVTIMEO, 600000);
    limit_ms(ends[0], SO_SNDTIMEO, 600000);
}

static void prepare_full_socket(void)
{
    socket_pair(ends);
    fill();
}

static void prepare_full_socket_with_a_limit(void)
{
    prepare_sockets_with_a_limit();
    fill();
}

static void prepare_tcp(void)
{
    struct server server = refusing_server();
    int small = 4096;

    setsockopt(server.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    ck_assert_int_eq(listen(server.fd, 1), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    ck_assert_int_eq(connect(ends[0], (SA *)&server.address, sizeof server.address), 0);
    ends[1] = accept4(server.fd, NULL, NULL, 0);
    ck_assert_int_ne(ends[1], -1);
}

static void prepare_full_tcp(void)
{
    int quiet_rounds;
    size_t before;

    prepare_tcp();
    for (quiet_rounds = 0; quiet_rounds < 5; quiet_rounds++) {
        before = filled;
        fill();
        if (filled > before) /* the kernel had carried some of it on */
            quiet_rounds = 0;
        sleep_ms(20);
    }
}

/* ---- Unix I/O ---- */

CALL(by_Read, Read(ends[0], got, sizeof got))
CALL(by_Write, Write(ends[0], "late", 4))

static fd_set readable, writable, exceptional;
static struct timeval limit;

static void prepare_select(void)
{
    prepare_tcp();
    FD_SET(ends[0], &readable);
    FD_SET(ends[0], &exceptional);
}

static void prepare_select_to_write(void)
{
    prepare_full_pipe();
    FD_SET(ends[0], &writable);
}

CALL(by_Select, Select(ends[0] + 1, &readable, &writable, &exceptional, NULL))

static long by_Select_with_a_limit(void)
{
    limit.tv_sec = 600;
    return Select(ends[0] + 1, &readable, &writable, &exceptional, &limit);
}

static void send_urgent(void)
{
    ck_assert_int_eq(send(ends[1], "u", 1, MSG_OOB), 1);
}

static void expect_readable(long n)
{
    ck_assert_int_eq(n, 1);
    ck_assert(FD_ISSET(ends[0], &readable) && !FD_ISSET(ends[0], &exceptional));
    ck_assert(limit.tv_sec >= 0 && limit.tv_sec <= 600);
}

static void expect_writable(long n)
{
    ck_assert_int_eq(n, 1);
    ck_assert(FD_ISSET(ends[0], &writable));
}

static void expect_exceptional(long n)
{
    ck_assert_int_ge(n, 1);
    ck_assert(FD_ISSET(ends[0], &exceptional));
}

static char fifo_directory[] = "/tmp/csapp-test-XXXXXX";
static char fifo[64];
static int other_end;

static void prepare_fifo(void)
{
    ck_assert_ptr_nonnull(mkdtemp(fifo_directory));
    snprintf(fifo, sizeof fifo, "%s/fifo", fifo_directory);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
}

/* Open for both, so that whichever end waits has its other one. The call has found the name
   already. */
static void open_other_end(void)
{
    other_end = open(fifo, O_RDWR);
    unlink(fifo);
    rmdir(fifo_directory);
    ck_assert_int_ne(other_end, -1);
}

CALL(by_Open_to_read, Open(fifo, O_RDONLY, 0))
CALL(by_Open_to_write, Open(fifo, O_WRONLY, 0))

static void expect_reader(long fd)
{
    ck_assert_int_ge(fd, 0);
    send_text(other_end, "late");
    ck_assert_int_eq(read((int)fd, got, sizeof got), 4);
}

static void expect_writer(long fd)
{
    ck_assert_int_ge(fd, 0);
    send_text((int)fd, "late");
    ck_assert_int_eq(read(other_end, got, sizeof got), 4);
}

static FILE *stream;

static long by_Fopen(void)
{
    stream = Fopen(fifo, "r");
    return stream != NULL;
}

static void expect_stream(long is_open)
{
    ck_assert_int_eq(is_open, 1);
    send_text(other_end, "late\n");
    ck_assert_ptr_nonnull(fgets(got, sizeof got, stream));
    ck_assert_str_eq(got, "late\n");
}

/* ---- Processes ---- */

static pid_t child;
static int status;

/* A child that ends with status 5 when ends[1] is closed, or stops first. */
static void make_child(int stops)
{
    pipe_pair(ends);
    fflush(NULL);
    if ((child = fork()) == 0) {
        char byte;

        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0)
            _exit(6);
        while (stops) {
            raise(SIGSTOP);
            pause();
        }
        _exit(5);
    }
    ck_assert_int_ne(child, -1);
}

static void prepare_child(void)
{
    make_child(0);
}

static void prepare_child_that_stops(void)
{
    make_child(1);
}

static void let_child_go_on(void)
{
    close(ends[1]);
}

static void prepare_stopped_child(void)
{
    make_child(1);
    let_child_go_on();
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
}

static void continue_child(void)
{
    kill(child, SIGCONT);
}

CALL(by_Wait, Wait(&status))
CALL(by_Wait_without_status, Wait(NULL))
CALL(by_Waitpid, Waitpid(child, &status, 0))
CALL(by_Waitpid_for_any, Waitpid(-1, &status, 0))
CALL(by_Waitpid_for_a_stop, Waitpid(child, &status, WUNTRACED))
CALL(by_Waitpid_for_a_continuation, Waitpid(child, &status, WCONTINUED))

static void expect_child(long pid)
{
    ck_assert_int_eq(pid, child);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void expect_childs_end(long pid)
{
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 5);
    expect_child(pid);
}

static void end_child(void)
{
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
}

static void expect_childs_stop(long pid)
{
    ck_assert_int_eq(pid, child);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(WSTOPSIG(status), SIGSTOP);
    end_child();
}

static void expect_childs_continuation(long pid)
{
    ck_assert_int_eq(pid, child);
    ck_assert(WIFCONTINUED(status));
    end_child();
}

/* ---- Semaphores and threads ---- */

static void prepare_semaphore(void)
{
    Sem_init(&never, 0, 0);
}

static void post(void)
{
    sem_post(&never);
}

static long by_P(void)
{
    int value = -1;

    P(&never);
    sem_getvalue(&never, &value);
    return value;
}

static void expect_0(long value)
{
    ck_assert_int_eq(value, 0);
}

/* Two semaphores that no signal concerns: the second thread has come so far, and may go on. */
static sem_t is_ready, may_go_on;
static pthread_t second;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int is_fulfilled;

static void let_second_go_on(void)
{
    sem_post(&may_go_on);
}

static void tell_and_wait(void)
{
    sem_post(&is_ready);
    while (sem_wait(&may_go_on) == -1)
        continue;
}

static void *hold_nothing(void *arg)
{
    tell_and_wait();
    return arg;
}

static void *hold_mutex(void *arg)
{
    pthread_mutex_lock(&mutex);
    tell_and_wait();
    pthread_mutex_unlock(&mutex);
    return arg;
}

static int times_initialised;

static void initialise(void)
{
    times_initialised++;
    tell_and_wait();
}

static void *hold_once(void *arg)
{
    pthread_once(&once, initialise);
    return arg;
}

static void start_second(void *(*routine)(void *))
{
    sem_init(&is_ready, 0, 0);
    sem_init(&may_go_on, 0, 0);
    second = start_quiet_thread(routine, &second);
    while (sem_wait(&is_ready) == -1)
        continue;
}

static void prepare_thread(void)
{
    start_second(hold_nothing);
}

static void prepare_locked_mutex(void)
{
    start_second(hold_mutex);
}

static void prepare_once_under_way(void)
{
    start_second(hold_once);
}

static void prepare_nothing(void)
{
}

static long by_Pthread_join(void)
{
    void *value = NULL;

    Pthread_join(second, &value);
    return value == &second;
}

static long by_Pthread_mutex_lock(void)
{
    Pthread_mutex_lock(&mutex);
    return pthread_mutex_trylock(&mutex) == EBUSY;
}

CALL(by_Pthread_once, (Pthread_once(&once, initialise), times_initialised))

static void fulfil(void)
{
    pthread_mutex_lock(&mutex);
    is_fulfilled = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
}

static long by_Pthread_cond_wait(void)
{
    Pthread_mutex_lock(&mutex);
    while (!is_fulfilled)
        Pthread_cond_wait(&condition, &mutex);
    Pthread_mutex_unlock(&mutex);
    return is_fulfilled;
}

static long by_Pthread_cond_timedwait(void)
{
    struct timespec far;
    int code = 0;

    clock_gettime(CLOCK_REALTIME, &far);
    far.tv_sec += 600;
    Pthread_mutex_lock(&mutex);
    while (!is_fulfilled && code == 0)
        code = Pthread_cond_timedwait(&condition, &mutex, &far);
    Pthread_mutex_unlock(&mutex);
    return code == 0 && is_fulfilled;
}

static void expect_1(long value)
{
    ck_assert_int_eq(value, 1);
}

/* ---- Sockets ---- */

static struct server server;
static int client;

static void prepare_listener(void)
{
    server = listening_server(5);
}

static void prepare_listener_with_a_limit(void)
{
    prepare_listener();
    limit_ms(server.fd, SO_RCVTIMEO, 600000);
}

static void connect_client(void)
{
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (SA *)&server.address, sizeof server.address), 0);
}

static struct sockaddr_in peer;

static long by_Accept(void)
{
    socklen_t len = sizeof peer;
    int fd = Accept(server.fd, (SA *)&peer, &len);

    ck_assert_uint_eq(len, sizeof peer);
    return fd;
}

CALL(by_Accept_without_address, Accept(server.fd, NULL, NULL))

static void expect_bytes_through(int from, int to)
{
    send_text(from, "late");
    ck_assert_int_eq(read(to, got, sizeof got), 4);
    ck_assert_mem_eq(got, "late", 4);
}

/* The connection is this client's. */
static void expect_accepted(long fd)
{
    ck_assert_int_ge(fd, 0);
    expect_bytes_through(client, (int)fd);
    expect_bytes_through((int)fd, client);
}

static void expect_connection_and_address(long fd)
{
    expect_accepted(fd);
    ck_assert_int_eq(peer.sin_family, AF_INET);
    ck_assert_int_eq(ntohs(peer.sin_port), port_of(client));
}

static struct sockaddr_un local = {AF_UNIX, ""};
static socklen_t local_len = sizeof local;

static void prepare_local_listener(int backlog)
{
    server.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    /* With no more than the family, bind chooses a name that is in no file system. */
    ck_assert_int_eq(bind(server.fd, (SA *)&local, sizeof local.sun_family), 0);
    ck_assert_int_eq(listen(server.fd, backlog), 0);
    ck_assert_int_eq(getsockname(server.fd, (SA *)&local, &local_len), 0);
}

static void connect_locally(void)
{
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (SA *)&local, local_len), 0);
}

static void prepare_a_local_listener(void)
{
    prepare_local_listener(5);
}

static void prepare_full_local_listener(void)
{
    prepare_local_listener(0);
    connect_locally();
    client = socket(AF_UNIX, SOCK_STREAM, 0);
}

/* Makes room in the queue; the connection that the call waits for comes only now. */
static void accept_first(void)
{
    ck_assert_int_ge(accept4(server.fd, NULL, NULL, 0), 0);
}

static long by_Connect_locally(void)
{
    Connect(client, (SA *)&local, (int)local_len);
    return accept4(server.fd, NULL, NULL, 0);
}

/* ---- Over TCP: the server is silent until the call has been interrupted. The kernel asks it again
   after a second, so all of these wait at once, each in a process of its own. ---- */

static void prepare_silent_server(void)
{
    server = silent_server();
}

static int accepted[32], accepted_count;

static void accept_those_who_wait(void)
{
    int fd;

    while (accepted_count < COUNT(accepted) && (fd = accept4(server.fd, NULL, NULL, 0)) != -1)
        accepted[accepted_count++] = fd;
}

/* Those that waited before the client may come again before it does: there is room for all. */
static void accept_all(void)
{
    listen(server.fd, 16);
    accept_those_who_wait();
}

static long by_Connect(void)
{
    int fd = Socket(AF_INET, SOCK_STREAM, 0);

    Connect(fd, (SA *)&server.address, sizeof server.address);
    return fd;
}

CALL(by_open_clientfd, open_clientfd("127.0.0.1", server.port))
CALL(by_Open_clientfd, Open_clientfd("127.0.0.1", server.port))
CALL(by_Open_clientfd_of_the_second_edition, csapp_Open_clientfd_2e("127.0.0.1", atoi(server.port)))
CALL(by_csapp_connect, csapp_connect("127.0.0.1", server.port, 600000))

static int is_of(int connection, int port)
{
    socklen_t len = sizeof peer;

    return getpeername(connection, (SA *)&peer, &len) == 0 && ntohs(peer.sin_port) == port;
}

/* Connected, blocking, and to that server, which gets its bytes; it may learn of the connection a
   little later. */
static void expect_connected(long fd)
{
    int i = 0, own = port_of((int)fd);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl((int)fd, F_GETFL) & O_NONBLOCK, 0);
    while (i == accepted_count || !is_of(accepted[i], own))
        if (i < accepted_count) {
            i++;
        } else {
            sleep_ms(1);
            accept_those_who_wait();
        }
    expect_bytes_through((int)fd, accepted[i]);
    expect_bytes_through(accepted[i], (int)fd);
}

/* The attempt has gone on in the kernel, and fails there when the server has gone. */
static void close_server(void)
{
    close(server.fd);
}

static long reason_of(int value)
{
    int reason = errno;

    errno = UNTOUCHED;
    return value == -1 ? reason : 0;
}

static long by_Connect_that_fails(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    csapp_set_error_handler(csapp_error_return);
    Connect(fd, (SA *)&server.address, sizeof server.address);
    return reason_of(-1);
}

CALL(by_open_clientfd_that_fails, reason_of(open_clientfd("127.0.0.1", server.port)))
CALL(by_csapp_connect_that_fails, reason_of(csapp_connect("127.0.0.1", server.port, 600000)))

static void expect_refusal(long reason)
{
    ck_assert_int_eq(reason, ECONNREFUSED);
}

/* ---- Robust I/O: a part of what is wanted is there before the wait ---- */

static rio_t buffered;

static void prepare_first_part(void)
{
    socket_pair(ends);
    send_text(ends[1], "not too ");
    rio_readinitb(&buffered, ends[0]);
}

static void prepare_first_part_on_a_pipe(void)
{
    pipe_pair(ends);
    send_text(ends[1], "not too ");
    rio_readinitb(&buffered, ends[0]);
}

static void prepare_first_part_without_blocking(void)
{
    prepare_first_part();
    make_nonblocking(ends[0]);
}

static void send_rest(void)
{
    send_text(ends[1], "late\n");
}

CALL(by_rio_readn, rio_readn(ends[0], got, 13))
CALL(by_Rio_readn, Rio_readn(ends[0], got, 13))
CALL(by_rio_readnb, rio_readnb(&buffered, got, 13))
CALL(by_Rio_readnb, Rio_readnb(&buffered, got, 13))
CALL(by_rio_readlineb, rio_readlineb(&buffered, got, sizeof got))
CALL(by_Rio_readlineb, Rio_readlineb(&buffered, got, sizeof got))

static void expect_both_parts(long n)
{
    int unread = -1;

    ck_assert_int_eq(n, 13);
    ck_assert_mem_eq(got, "not too late\n", 13);
    ck_assert_int_eq(ioctl(ends[0], FIONREAD, &unread), 0);
    ck_assert_int_eq(unread, 0);
}

CALL(by_rio_writen, rio_writen(ends[0], "late", 4))

static long by_rio_writen_without_blocking(void)
{
    make_nonblocking(ends[0]);
    return rio_writen(ends[0], "late", 4);
}

CALL(by_Rio_writen, (Rio_writen(ends[0], "late", 4), 4))

/* ---- Output on descriptors 1 and 2 ---- */

static void prepare_full_output(void)
{
    prepare_full_pipe();
    fflush(NULL);
    ck_assert_int_eq(dup2(ends[0], STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(dup2(ends[0], STDERR_FILENO), STDERR_FILENO);
}

CALL(by_Sio_puts, Sio_puts("late"))
CALL(by_sio_putl, sio_putl(1234) + 4 * (sio_puts("late") != 4))
CALL(by_sio_printf, sio_printf("%s", "late"))

static long by_app_error(void)
{
    csapp_set_error_handler(csapp_error_return);
    app_error("late");
    return 0;
}

static void expect_a_report(long value)
{
    (void)value;
    filled++; /* the newline */
    while (drained < filled + 4)
        drained += drain(ends[1]);
    ck_assert_uint_eq(drained + drain(ends[1]), filled + 4);
    ck_assert_mem_eq(got, "ate\n", 4);
}

static void expect_a_number_and_late(long n)
{
    ck_assert_int_eq(n, 4);
    filled += 4;
    expect_late_behind_the_rest();
}

/* ---- Streams: by what is promised, with SA_RESTART only ---- */

static void prepare_stream_to_read(void)
{
    prepare_first_part_on_a_pipe();
    stream = Fdopen(ends[0], "r");
}

static void prepare_stream_to_write(void)
{
    prepare_full_pipe();
    stream = Fdopen(ends[0], "w");
}

static void prepare_unbuffered_stream(void)
{
    prepare_stream_to_write();
    setvbuf(stream, NULL, _IONBF, 0);
}

static void prepare_unwritten_stream(void)
{
    prepare_stream_to_write();
    ck_assert_int_ge(fputs("late", stream), 0);
}

CALL(by_Fgets, Fgets(got, sizeof got, stream) == got ? (long)strlen(got) : -1)
CALL(by_Fread, (long)Fread(got, 1, 13, stream))

static void expect_both_parts_by_stream(long n)
{
    ck_assert_int_eq(n, 13);
    ck_assert_mem_eq(got, "not too late\n", 13);
}

CALL(by_Fputs, (Fputs("late", stream), 4))
CALL(by_Fwrite, (Fwrite("late", 2, 2, stream), 4))
CALL(by_Fclose, (Fclose(stream), 4))

/* ---- The table ---- */

struct waiting_call {
    const char *name;
    void (*prepare)(void);
    long (*call)(void);
    void (*release)(void);      /* in another thread, after the signals: lets the call end */
    void (*expect)(long value); /* that the call has done the right thing, once */
};

static const struct waiting_call calls[] = {
    {"Read/pipe", prepare_pipe, by_Read, send_late, expect_late},
    {"Read/socket", prepare_sockets, by_Read, send_late, expect_late},
    {"Read/socket-with-a-limit", prepare_sockets_with_a_limit, by_Read, send_late, expect_late},
    {"Read/TCP", prepare_tcp, by_Read, send_late, expect_late},
    {"Write/pipe", prepare_full_pipe, by_Write, make_room, expect_written},
    {"Write/socket", prepare_full_socket, by_Write, make_room, expect_written},
    {"Write/socket-with-a-limit", prepare_full_socket_with_a_limit, by_Write, make_room,
     expect_written},
    {"Write/TCP", prepare_full_tcp, by_Write, make_room, expect_written},
    {"Select/readable", prepare_select, by_Select, send_late, expect_readable},
    {"Select/readable-with-a-limit", prepare_select, by_Select_with_a_limit, send_late,
     expect_readable},
    {"Select/writable", prepare_select_to_write, by_Select, make_room, expect_writable},
    {"Select/writable-with-a-limit", prepare_select_to_write, by_Select_with_a_limit, make_room,
     expect_writable},
    {"Select/exceptional", prepare_select, by_Select, send_urgent, expect_exceptional},
    {"Open/FIFO-to-read", prepare_fifo, by_Open_to_read, open_other_end, expect_reader},
    {"Open/FIFO-to-write", prepare_fifo, by_Open_to_write, open_other_end, expect_writer},
    {"Fopen/FIFO", prepare_fifo, by_Fopen, open_other_end, expect_stream},
    {"Wait", prepare_child, by_Wait, let_child_go_on, expect_childs_end},
    {"Wait/NULL", prepare_child, by_Wait_without_status, let_child_go_on, expect_child},
    {"Waitpid", prepare_child, by_Waitpid, let_child_go_on, expect_childs_end},
    {"Waitpid/any", prepare_child, by_Waitpid_for_any, let_child_go_on, expect_childs_end},
    {"Waitpid/stop", prepare_child_that_stops, by_Waitpid_for_a_stop, let_child_go_on,
     expect_childs_stop},
    {"Waitpid/continuation", prepare_stopped_child, by_Waitpid_for_a_continuation, continue_child,
     expect_childs_continuation},
    {"P", prepare_semaphore, by_P, post, expect_0},
    {"Pthread_join", prepare_thread, by_Pthread_join, let_second_go_on, expect_1},
    {"Pthread_once", prepare_once_under_way, by_Pthread_once, let_second_go_on, expect_1},
    {"Pthread_mutex_lock", prepare_locked_mutex, by_Pthread_mutex_lock, let_second_go_on, expect_1},
    {"Pthread_cond_wait", prepare_nothing, by_Pthread_cond_wait, fulfil, expect_1},
    {"Pthread_cond_timedwait", prepare_nothing, by_Pthread_cond_timedwait, fulfil, expect_1},
    {"Accept", prepare_listener, by_Accept, connect_client, expect_connection_and_address},
    {"Accept/with-a-limit", prepare_listener_with_a_limit, by_Accept, connect_client,
     expect_connection_and_address},
    {"Accept/Unix", prepare_a_local_listener, by_Accept_without_address, connect_locally,
     expect_accepted},
    {"Connect/Unix", prepare_full_local_listener, by_Connect_locally, accept_first,
     expect_accepted},
    {"rio_readn", prepare_first_part, by_rio_readn, send_rest, expect_both_parts},
    {"rio_readn/nonblocking", prepare_first_part_without_blocking, by_rio_readn, send_rest,
     expect_both_parts},
    {"Rio_readn", prepare_first_part, by_Rio_readn, send_rest, expect_both_parts},
    {"rio_readnb", prepare_first_part, by_rio_readnb, send_rest, expect_both_parts},
    {"Rio_readnb", prepare_first_part_on_a_pipe, by_Rio_readnb, send_rest, expect_both_parts},
    {"rio_readlineb", prepare_first_part, by_rio_readlineb, send_rest, expect_both_parts},
    {"Rio_readlineb", prepare_first_part_on_a_pipe, by_Rio_readlineb, send_rest,
     expect_both_parts},
    {"rio_writen/pipe", prepare_full_pipe, by_rio_writen, make_room, expect_written},
    {"rio_writen/socket", prepare_full_socket, by_rio_writen, make_room, expect_written},
    {"rio_writen/nonblocking", prepare_full_socket, by_rio_writen_without_blocking, make_room,
     expect_written},
    {"Rio_writen/TCP", prepare_full_tcp, by_Rio_writen, make_room, expect_written},
    {"Sio_puts", prepare_full_output, by_Sio_puts, make_room, expect_written},
    {"sio_putl", prepare_full_output, by_sio_putl, make_room, expect_a_number_and_late},
    {"sio_printf", prepare_full_output, by_sio_printf, make_room, expect_written},
    {"app_error", prepare_full_output, by_app_error, make_room, expect_a_report},
};

static const struct waiting_call calls_of_streams[] = {
    {"Fgets", prepare_stream_to_read, by_Fgets, send_rest, expect_both_parts_by_stream},
    {"Fread", prepare_stream_to_read, by_Fread, send_rest, expect_both_parts_by_stream},
    {"Fputs", prepare_unbuffered_stream, by_Fputs, make_room, expect_written},
    {"Fwrite", prepare_unbuffered_stream, by_Fwrite, make_room, expect_written},
    {"Fclose", prepare_unwritten_stream, by_Fclose, make_room, expect_written},
};

static const struct waiting_call calls_over_TCP[] = {
    {"Connect", prepare_silent_server, by_Connect, accept_all, expect_connected},
    {"open_clientfd", prepare_silent_server, by_open_clientfd, accept_all, expect_connected},
    {"Open_clientfd", prepare_silent_server, by_Open_clientfd, accept_all, expect_connected},
    {"csapp_Open_clientfd_2e", prepare_silent_server, by_Open_clientfd_of_the_second_edition,
     accept_all, expect_connected},
    {"csapp_connect", prepare_silent_server, by_csapp_connect, accept_all, expect_connected},
    {"Connect/refused", prepare_silent_server, by_Connect_that_fails, close_server, expect_refusal},
    {"open_clientfd/refused", prepare_silent_server, by_open_clientfd_that_fails, close_server,
     expect_refusal},
    {"csapp_connect/refused", prepare_silent_server, by_csapp_connect_that_fails, close_server,
     expect_refusal},
};

static void run_call(const struct waiting_call *this)
{
    pthread_t signals;
    long value;
    int reason;

    this->prepare();
    signals = start_weather(this->release);
    value = this->call();
    reason = errno;
    ck_assert_msg(counted(is_released), "%s: ended by a signal, with value %ld", this->name, value);
    ck_assert_msg(reason == UNTOUCHED, "%s: errno is %d", this->name, reason);
    end_weather(signals);
    this->expect(value);
}

START_TEST(a_call_goes_on)
{
    choose_weather(_i);
    run_call(&calls[_i / WEATHERS]);
}
END_TEST

START_TEST(a_call_on_a_stream_goes_on)
{
    weather.is_storm = _i % 2;
    weather.flags = SA_RESTART;
    run_call(&calls_of_streams[_i / 2]);
}
END_TEST

static int run_call_in_child(void *arg)
{
    run_call((const struct waiting_call *)arg);
    return 0;
}

START_TEST(calls_over_TCP_go_on)
{
    pid_t children[COUNT(calls_over_TCP)];
    int i;

    choose_weather(_i);
    for (i = 0; i < COUNT(calls_over_TCP); i++)
        children[i] = in_child(run_call_in_child, (void *)&calls_over_TCP[i]);
    for (i = 0; i < COUNT(calls_over_TCP); i++)
        ck_assert_msg(status_of(children[i]) == 0, "%s", calls_over_TCP[i].name);
}
END_TEST

/* ---- The same for the resolver, with a name server that is silent at first ---- */

static int is_answered;

/* Answers one question: for an address it is 192.0.2.77, for a name late.example. */
static void answer_question(int fd)
{
    static const char record[] = "\xc0\x0c\0\0\0\1\0\0\0\x3c\0";
    static const char name[] = "\4late\7example";
    unsigned char text[600], *end;
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, text, 512, MSG_DONTWAIT, (SA *)&from, &len);
    int type;

    if (n < 17)
        return;
    end = text + 12;
    while (*end != 0)
        end += *end + 1;
    type = end[2];
    text[2] = 0x81; /* an answer; recursion was desired, */
    text[3] = 0x80; /* and is available */
    memset(text + 6, 0, 6);
    end += 5;
    if (type == 1 || type == 12) {
        text[7] = 1;
        memcpy(end, record, sizeof record - 1);
        end[3] = (unsigned char)type;
        end += sizeof record - 1;
        if (type == 1) {
            *end++ = 4;
            memcpy(end, "\xc0\0\2\x4d", 4);
            end += 4;
        } else {
            *end++ = sizeof name;
            memcpy(end, name, sizeof name);
            end += sizeof name;
        }
    }
    sendto(fd, text, (size_t)(end - text), 0, (SA *)&from, len);
}

static void answer_questions(void)
{
    while (!counted(is_answered)) {
        answer_question(server.fd);
        sleep_ms(1);
    }
}

/* A network of this process' own, in which it is the name server as well. */
static int become_name_server(void)
{
    struct sockaddr_in address;

    if (!enter_namespaces(CLONE_NEWNET | CLONE_NEWNS) || !raise_loopback() || !empty_etc()
        || !write_new_file("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30\n")
        || !write_new_file("/etc/nsswitch.conf", "hosts: dns\n"))
        return 0;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(53);
    server.fd = socket(AF_INET, SOCK_DGRAM, 0);
    return bind(server.fd, (SA *)&address, sizeof address) == 0;
}

static long by_Getaddrinfo(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list = NULL;

    Getaddrinfo("late.example", "80", &hints, &list);
    __atomic_store_n(&is_answered, 1, __ATOMIC_SEQ_CST);
    memcpy(&peer, list->ai_addr, sizeof peer);
    return list->ai_next == NULL;
}

static long by_Gethostbyname(void)
{
    struct hostent *host = Gethostbyname("late.example");

    __atomic_store_n(&is_answered, 1, __ATOMIC_SEQ_CST);
    memcpy(&peer.sin_addr, host->h_addr_list[0], sizeof peer.sin_addr);
    return host->h_addr_list[1] == NULL;
}

static void expect_address(long is_alone)
{
    ck_assert_int_eq(is_alone, 1);
    ck_assert_uint_eq(ntohl(peer.sin_addr.s_addr), 0xc000024d);
}

static long by_Getnameinfo(void)
{
    peer.sin_family = AF_INET;
    peer.sin_addr.s_addr = htonl(0xc000024d);
    Getnameinfo((SA *)&peer, sizeof peer, got, sizeof got, NULL, 0, NI_NAMEREQD);
    __atomic_store_n(&is_answered, 1, __ATOMIC_SEQ_CST);
    return 1;
}

static void expect_name(long value)
{
    (void)value;
    ck_assert_str_eq(got, "late.example");
}

static const struct waiting_call calls_of_resolver[] = {
    {"Getaddrinfo", prepare_nothing, by_Getaddrinfo, answer_questions, expect_address},
    {"Gethostbyname", prepare_nothing, by_Gethostbyname, answer_questions, expect_address},
    {"Getnameinfo", prepare_nothing, by_Getnameinfo, answer_questions, expect_name},
};

START_TEST(a_look_up_goes_on)
{
    if (!become_name_server()) {
        printf("SKIPPED: %s: no namespaces here\n", calls_of_resolver[_i / WEATHERS].name);
        fflush(stdout);
        return;
    }
    choose_weather(_i);
    run_call(&calls_of_resolver[_i / WEATHERS]);
}
END_TEST

/* ---- Calls that wait forever ---- */

static void *wait_for_ever(void *call)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    thread_id = (pid_t)syscall(SYS_gettid);
    (*(void (*const *)(void))call)();
    __atomic_store_n(&is_released, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* What nothing else ends, signals do not end either. */
START_TEST(a_call_waits_for_ever)
{
    sigset_t set;
    long before;

    child = prepare_to_block();
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    start_quiet_thread(wait_for_ever, (void *)&blocking[_i / 2]);
    wait_until_blocked();
    before = times_asleep();
    start_storm_with(_i % 2 ? SA_RESTART : 0);
    while (!counted(is_released) && times_asleep() - before < storm_length())
        sleep_ms(1);
    ck_assert(!counted(is_released));
    kill(child, SIGKILL);
}
END_TEST

/* ---- Calls that a signal has to end ---- */

/* Sends one signal when the waiter sleeps. */
static void *interrupt_once(void *arg)
{
    wait_until_blocked();
    pthread_kill(waiter, SIGALRM);
    return arg;
}

static void sleep_until_a_signal(void)
{
    unsigned left;

    errno = UNTOUCHED;
    left = Sleep(1000);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_uint_ge(left, 900);
    ck_assert_uint_le(left, 1000);
}

static void pause_until_a_signal(void)
{
    errno = UNTOUCHED;
    Pause();
    ck_assert_int_eq(errno, UNTOUCHED);
}

/* Which lets in the signal that is held back but for this. */
static void suspend_until_a_signal(void)
{
    sigset_t none, alarm, after;
    int before;

    sigemptyset(&none);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, &alarm, NULL), 0);
    before = interruptions;
    errno = UNTOUCHED;
    ck_assert_int_eq(Sigsuspend(&none), -1);
    ck_assert_int_eq(errno, EINTR);
    ck_assert_int_eq(interruptions, before + 1);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    ck_assert(sigismember(&after, SIGALRM));
}

static void (*const ended_by_signals[])(void) = {
    sleep_until_a_signal, pause_until_a_signal, suspend_until_a_signal,
};

/* Each of them ends by each signal; whether other calls would restart does not matter. */
START_TEST(a_signal_ends_the_call)
{
    void (*call)(void) = ended_by_signals[_i / WEATHERS];

    choose_weather(_i);
    if (weather.is_storm) {
        start_storm_with(weather.flags);
        while (interruptions < storm_length()) {
            int before = interruptions;

            call();
            ck_assert_int_gt(interruptions, before);
        }
        end_storm();
    } else {
        pthread_t thread;

        prepare_weather();
        thread = start_quiet_thread(interrupt_once, NULL);
        thread_id = (pid_t)syscall(SYS_gettid);
        call();
        pthread_join(thread, NULL);
        ck_assert_int_eq(interruptions, 1);
    }
}
END_TEST

/* A socket that lingers waits in close until its bytes have gone; a signal ends that. */
static int closed, in_its_place = -1;

/* The number is free from the start, so that another thread may get it meanwhile. */
static void *take_the_number_and_interrupt(void *arg)
{
    wait_until_blocked();
    in_its_place = fcntl(ends[1], F_DUPFD_CLOEXEC, closed);
    pthread_kill(waiter, SIGALRM);
    return arg;
}

START_TEST(close_gives_the_number_back_once)
{
    const struct linger for_long = {1, 600};
    pthread_t thread;

    if (signals_come_slowly()) {
        printf("SKIPPED: a close that waits: valgrind lets no other thread run meanwhile\n");
        fflush(stdout);
        return;
    }
    weather.flags = _i ? SA_RESTART : 0;
    prepare_full_tcp();
    ck_assert_int_eq(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &for_long, sizeof for_long), 0);
    closed = ends[0];
    prepare_weather();
    thread = start_quiet_thread(take_the_number_and_interrupt, NULL);
    thread_id = (pid_t)syscall(SYS_gettid);
    errno = UNTOUCHED;
    Close(closed);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_int_eq(interruptions, 1);
    ck_assert_int_eq(in_its_place, closed);
    ck_assert_int_ne(fcntl(in_its_place, F_GETFD), -1);
}
END_TEST

/* ---- Calls that do not wait ---- */

START_TEST(calls_that_do_not_wait_do_not_fail_either)
{
    int before, pair[2], flags = _i ? SA_RESTART : 0, rounds;
    struct stat first, second_one;
    char byte = 0;

    make_child(1); /* which stays */
    before = dup(0);
    close(before);
    start_storm_with(flags);
    for (rounds = 0; rounds < 10 || interruptions < storm_length(); rounds++) {
        int grandchild, end;

        errno = UNTOUCHED;
        ck_assert_int_eq(Waitpid(child, NULL, WNOHANG), 0);
        ck_assert_int_eq(Pipe(pair), 0);
        ck_assert_int_eq(Dup2(pair[1], 99), 99);
        Close(pair[1]);
        ck_assert_int_eq(Write(99, "x", 1), 1);
        ck_assert_int_eq(Read(pair[0], &byte, 1), 1);
        Close(99);
        Close(pair[0]);
        pair[0] = Open("/dev/null", O_RDWR, 0);
        ck_assert_int_eq(pair[0], before);
        Fstat(pair[0], &first);
        Stat("/dev/null", &second_one);
        ck_assert_uint_eq(first.st_ino, second_one.st_ino);
        Close(pair[0]);
        stream = Fopen("/dev/zero", "r");
        ck_assert_uint_eq(Fread(got, 1, 10, stream), 10);
        Fclose(stream);
        ck_assert_int_eq(errno, UNTOUCHED);
        if (rounds % 10 == 0) {
            if ((grandchild = Fork()) == 0)
                _exit(7);
            ck_assert_int_eq(Waitpid(grandchild, &end, 0), grandchild);
            ck_assert_int_eq(WEXITSTATUS(end), 7);
            ck_assert_int_eq(errno, UNTOUCHED);
        }
    }
    end_storm();
    ck_assert_int_eq(dup(0), before); /* nothing stays open */
    end_child();
}
END_TEST

/* ---- Write may come short: what it says is what went ---- */

#define MEGABYTE (1 << 20)

static char text[MEGABYTE];
static size_t came;

/* Takes something only after another signal, at first. */
static void *take_slowly(void *arg)
{
    int seen = 0, reads = 0;
    ssize_t n;

    do {
        while (reads < storm_length() && counted(interruptions) == seen)
            sleep_ms(1);
        reads++;
        seen = counted(interruptions);
        if ((n = read(ends[1], got, 5000)) > 0) {
            if (came + (size_t)n > sizeof text || memcmp(got, text + came, (size_t)n) != 0)
                return arg;
            came += (size_t)n;
        }
    } while (n > 0);
    return NULL;
}

START_TEST(write_tells_how_much_has_gone)
{
    size_t went = 0, i;
    pthread_t thread;
    void *wrong;

    for (i = 0; i < sizeof text; i++)
        text[i] = (char)(i * i / 251);
    if (_i % 2) {
        int pair[2];

        pipe_pair(pair);
        ends[0] = pair[1];
        ends[1] = pair[0];
    } else {
        socket_pair(ends);
    }
    thread = start_quiet_thread(take_slowly, &came);
    start_storm_with(_i / 2 ? SA_RESTART : 0);
    errno = UNTOUCHED;
    while (went < sizeof text) {
        ssize_t n = Write(ends[0], text + went, sizeof text - went);

        ck_assert_int_gt(n, 0);
        went += (size_t)n;
    }
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_int_ge(interruptions, storm_length());
    end_storm();
    close(ends[0]);
    ck_assert_int_eq(pthread_join(thread, &wrong), 0);
    ck_assert_ptr_null(wrong);
    ck_assert_uint_eq(came, sizeof text);
}
END_TEST

/* ---- Streams whose signal has no SA_RESTART: the interruption is told ---- */

static void expect_no_line(long n)
{
    ck_assert_int_eq(n, -1);
    ck_assert(ferror(stream));
}

static void expect_an_error(long value)
{
    (void)value;
    ck_assert(ferror(stream));
}

/* The stream has gone all the same. */
static void expect_nothing_more(long value)
{
    (void)value;
}

/* What the count says has come; the rest comes later. */
static void expect_the_first_part(long n)
{
    ck_assert_int_eq(n, 8);
    ck_assert(ferror(stream));
    clearerr(stream);
    send_rest();
    ck_assert_uint_eq(Fread(got + 8, 1, 5, stream), 5);
    ck_assert_mem_eq(got, "not too late\n", 13);
}

static const struct waiting_call interrupted_calls[] = {
    {"Fgets", prepare_stream_to_read, by_Fgets, NULL, expect_no_line},
    {"Fread", prepare_stream_to_read, by_Fread, NULL, expect_the_first_part},
    {"Fputs", prepare_unbuffered_stream, by_Fputs, NULL, expect_an_error},
    {"Fwrite", prepare_unbuffered_stream, by_Fwrite, NULL, expect_an_error},
    {"Fclose", prepare_unwritten_stream, by_Fclose, NULL, expect_nothing_more},
};

static void run_interrupted_call(void *arg)
{
    const struct waiting_call *this = (const struct waiting_call *)arg;
    pthread_t thread;
    long value;

    csapp_set_error_handler(csapp_error_return);
    this->prepare();
    prepare_weather();
    thread = start_quiet_thread(interrupt_once, NULL);
    thread_id = (pid_t)syscall(SYS_gettid);
    errno = UNTOUCHED;
    value = this->call();
    ck_assert_int_eq(errno, EINTR);
    pthread_join(thread, NULL);
    this->expect(value);
    _exit(0);
}

START_TEST(a_stream_tells_that_it_was_interrupted)
{
    struct outcome seen = outcome_of(run_interrupted_call, (void *)&interrupted_calls[_i]);
    char line[64];

    snprintf(line, sizeof line, "%s error: Interrupted system call\n", interrupted_calls[_i].name);
    ck_assert_str_eq(seen.err, line);
    ck_assert_int_eq(seen.status, 0);
}
END_TEST

/* ---- Time limits: signals make them neither shorter nor longer ---- */

#define LIMIT_MS 300

static long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

START_TEST(a_storm_does_not_make_the_limit_of_select_shorter)
{
    long long start;

    prepare_select();
    limit.tv_usec = LIMIT_MS * 1000;
    start_storm_with(_i ? SA_RESTART : 0);
    start = now_ns();
    errno = UNTOUCHED;
    ck_assert_int_eq(Select(ends[0] + 1, &readable, &writable, &exceptional, &limit), 0);
    ck_assert_int_ge(now_ns() - start, LIMIT_MS * 1000000LL);
    end_storm();
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert(!FD_ISSET(ends[0], &readable) && !FD_ISSET(ends[0], &exceptional));
    ck_assert_int_gt(interruptions, 0);
}
END_TEST

/* On a Unix domain socket the attempt is made again after each signal, and the kernel grants each the whole
   limit. */
START_TEST(a_storm_does_not_put_off_the_limit_of_a_local_connect)
{
    long start;

    prepare_full_local_listener();
    limit_ms(client, SO_SNDTIMEO, 300);
    csapp_set_error_handler(csapp_error_return);
    start_storm_with(_i ? SA_RESTART : 0);
    start = now_ms();
    errno = 0;
    Connect(client, (SA *)&local, (int)local_len);
    end_storm();
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_ge(now_ms() - start, 299);
    ck_assert_int_ge(interruptions, 1);
}
END_TEST

START_TEST(a_storm_does_not_make_the_limit_of_timedwait_shorter)
{
    struct timespec end, now;
    int code = 0;

    Pthread_mutex_lock(&mutex);
    start_storm_with(_i ? SA_RESTART : 0);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += LIMIT_MS * 1000000L;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    errno = UNTOUCHED;
    while (code == 0)
        code = Pthread_cond_timedwait(&condition, &mutex, &end);
    ck_assert_int_eq(code, ETIMEDOUT);
    ck_assert_int_eq(errno, UNTOUCHED);
    clock_gettime(CLOCK_REALTIME, &now);
    ck_assert(now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec));
    end_storm();
    ck_assert_int_gt(interruptions, 0);
    ck_assert_int_eq(pthread_mutex_trylock(&mutex), EBUSY);
}
END_TEST

/* Adds a test for each call in each weather, under both their names; CALL=TEXT in the environment:
   only for those with that text in it. Where signals come slowly, those that have calls restart are
   left out. */
static void add_calls(TCase *one_signal, TCase *storm, const TTest *test,
                      const struct waiting_call *table, int count, int weathers)
{
    static const char *const names[] = {"one-signal", "storm", "one-signal-SA_RESTART",
                                        "storm-SA_RESTART"};
    const char *wish = getenv("CALL");
    int i;

    for (i = 0; i < count * weathers; i++) {
        int restarts = i % weathers >= weathers / 2;
        char name[96];
        TTest *cell;

        snprintf(name, sizeof name, "%s/%s", table[i / weathers].name,
                 names[4 - weathers + i % weathers]);
        if ((restarts && weathers == WEATHERS && signals_come_slowly())
            || (wish != NULL && strstr(name, wish) == NULL))
            continue;
        cell = (TTest *)malloc(sizeof *cell);
        *cell = *test;
        cell->name = strdup(name);
        tcase_add_loop_test(i % 2 == 0 ? one_signal : storm, cell, i, i + 1);
    }
}

int main(void)
{
    /* Three, which run at the same time. */
    TCase *one_signal = tcase_create("one signal");
    TCase *storm = tcase_create("storm");
    TCase *tests = tcase_create("other waits");

    tcase_set_timeout(one_signal, 60);
    tcase_set_timeout(storm, 60);
    tcase_set_timeout(tests, 60);
    add_calls(one_signal, storm, a_call_goes_on, calls, COUNT(calls), WEATHERS);
    add_calls(one_signal, storm, a_call_on_a_stream_goes_on, calls_of_streams, COUNT(calls_of_streams), 2);
    add_calls(one_signal, storm, a_look_up_goes_on, calls_of_resolver, COUNT(calls_of_resolver), WEATHERS);
    tcase_add_loop_test(tests, calls_over_TCP_go_on, 0, WEATHERS);
    tcase_add_loop_test(tests, a_call_waits_for_ever, 0, BLOCKING * 2);
    tcase_add_loop_test(tests, a_signal_ends_the_call, 0, COUNT(ended_by_signals) * WEATHERS);
    tcase_add_loop_test(tests, close_gives_the_number_back_once, 0, 2);
    tcase_add_loop_test(tests, calls_that_do_not_wait_do_not_fail_either, 0, 2);
    tcase_add_loop_test(tests, write_tells_how_much_has_gone, 0, 4);
    tcase_add_loop_test(tests, a_stream_tells_that_it_was_interrupted, 0, COUNT(interrupted_calls));
    tcase_add_loop_test(tests, a_storm_does_not_make_the_limit_of_select_shorter, 0, 2);
    tcase_add_loop_test(tests, a_storm_does_not_put_off_the_limit_of_a_local_connect, 0, 2);
    tcase_add_loop_test(tests, a_storm_does_not_make_the_limit_of_timedwait_shorter, 0, 2);
    return run_suite("storm", one_signal, storm, tests);
}
