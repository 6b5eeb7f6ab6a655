/* csapp_readlineb, csapp_readnb, csapp_readn and csapp_writen: their time limits, the signals that end them, and
   that nothing is lost by either. On each kind of stream, blocking and O_NONBLOCK. */
#define _GNU_SOURCE
#include "pty.h"
#include "streams.h"
#include "tcp.h"
#include "text.h"
#include <limits.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>

enum { LIMIT_MS = 120, LATE_MS = 5000 }; /* a call that has not ended LATE_MS after its limit has missed it */

/* ---- Streams ---- */

enum which_stream { PIPE, SOCKETPAIR, TCP, PTY, REGULAR };
enum { STREAMS = 4, MODES = 2, KINDS = STREAMS * MODES }; /* without the file, on which nothing waits */

static int here, there; /* the end that the library works on, and the other one */
static enum which_stream stream;
static int flags; /* of `here` */
static rio_t rio;
static int timed_calls_write; /* so that a pipe is turned round */

static void open_tcp(void)
{
    struct server server = listening_server(1);
    int yes = 1;

    here = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(here, (SA *)&server.address, sizeof server.address), 0);
    there = accept(server.fd, NULL, NULL);
    ck_assert_int_ge(there, 0);
    close(server.fd);
    ck_assert_int_eq(setsockopt(there, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
}

/* Of a test that runs KINDS times: stream and mode by its number. */
static void open_stream(int number)
{
    int ends[2];

    stream = (enum which_stream)(number / MODES);
    switch (stream) {
    case PIPE:
        pipe_pair(ends);
        here = ends[timed_calls_write];
        there = ends[!timed_calls_write];
        break;
    case SOCKETPAIR:
        socket_pair(ends);
        here = ends[0];
        there = ends[1];
        break;
    case TCP:
        open_tcp();
        break;
    case PTY:
        open_pty(&there, &here);
        break;
    default:
        here = file_of("", 0);
        there = -1;
    }
    if (number % MODES)
        make_nonblocking(here);
    flags = fcntl(here, F_GETFL);
    memset(&rio, 0xA5, sizeof rio);
    rio_readinitb(&rio, here);
}

static int is_socket(void)
{
    return stream == SOCKETPAIR || stream == TCP;
}

/* ---- The clock ---- */

static long long clock_us(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long started;

static void start_clock(void)
{
    started = clock_us(CLOCK_MONOTONIC);
    errno = UNTOUCHED;
}

/* Not a microsecond early, and not much late. */
static void expect_time_up(int ms)
{
    long long passed = clock_us(CLOCK_MONOTONIC) - started;

    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_ge(passed, ms * 1000LL);
    ck_assert_int_lt(passed, (ms + LATE_MS) * 1000LL);
    ck_assert_int_eq(fcntl(here, F_GETFL), flags);
}

/* ---- The calls that read, as one ---- */

enum which_call { READLINEB, READNB, READN, READ_CALLS };

static const char LINE[] = "a line that is read in one piece\n";
enum { LENGTH = sizeof LINE - 1 };

static char got[200000];
static size_t came; /* what csapp_readn has been told to have come */

/* Asks for a line of n bytes at the most, or for n bytes. What an unbuffered call has got stays got. */
static ssize_t ask(enum which_call call, size_t n, int ms)
{
    ssize_t result;
    size_t moved = 77;

    switch (call) {
    case READLINEB:
        return csapp_readlineb(&rio, got, n + 1, ms);
    case READNB:
        return csapp_readnb(&rio, got, n, ms);
    default:
        result = csapp_readn(here, got + came, n - came, ms, &moved);
        ck_assert_uint_le(moved, n - came);
        came += moved;
        if (result >= 0) {
            ck_assert_int_eq(result, moved);
            return (ssize_t)came;
        }
        return result;
    }
}

/* The line came whole, with nothing behind it. */
static void expect_line(enum which_call call, ssize_t result)
{
    ck_assert_int_eq(result, LENGTH);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(got, LINE, LENGTH);
    ck_assert_int_eq(got[LENGTH], call == READLINEB ? '\0' : '#');
    ck_assert_int_eq(got[LENGTH + 1], '#');
    ck_assert_int_eq(fcntl(here, F_GETFL), flags);
    came = 0;
}

static ssize_t ask_for_line(enum which_call call, int ms)
{
    if (came == 0)
        memset(got, '#', LENGTH + 2);
    start_clock();
    return ask(call, LENGTH, ms);
}

/* Sends the line up to `end`, by plain system calls. */
static void send_part(size_t start, size_t end)
{
    send_bytes(there, LINE + start, end - start);
}

/* Until so much can be read at `here`. */
static void wait_until_arrived(int n)
{
    int ready = 0;

    while (ready < n) {
        ck_assert_int_eq(ioctl(here, FIONREAD, &ready), 0);
        sleep_ms(1);
    }
}

static const int limits[] = {0, 1, 50, 60000, INT_MAX, -1, INT_MIN};

/* "Is a line here?" */
START_TEST(what_is_there_is_given_at_once)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    int i;

    open_stream(_i / READ_CALLS);
    for (i = 0; i < COUNT(limits); i++) {
        send_part(0, LENGTH);
        wait_until_arrived(LENGTH);
        expect_line(call, ask_for_line(call, limits[i]));
        ck_assert_int_lt(clock_us(CLOCK_MONOTONIC) - started, LATE_MS * 1000LL);
    }
}
END_TEST

START_TEST(what_is_read_ahead_is_given_at_once)
{
    int i;

    open_stream(_i);
    for (i = 0; i < 20; i++)
        send_part(0, LENGTH);
    wait_until_arrived(20 * LENGTH);
    for (i = 0; i < 20; i++)
        expect_line(i % 2 ? READNB : READLINEB, ask_for_line(i % 2 ? READNB : READLINEB, 0));
}
END_TEST

START_TEST(time_runs_out_where_nothing_is)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    int ms;

    open_stream(_i / READ_CALLS);
    for (ms = 0; ms < 20; ms++) {
        ck_assert_int_eq(ask_for_line(call, ms), -1);
        expect_time_up(ms);
        ck_assert_uint_eq(came, 0);
    }
    ck_assert_int_eq(ask_for_line(call, LIMIT_MS), -1);
    expect_time_up(LIMIT_MS);
    ck_assert_int_eq(got[0], '#');
}
END_TEST

START_TEST(a_part_that_came_in_time_is_not_lost)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    size_t part;

    open_stream(_i / READ_CALLS);
    for (part = 0; part < LENGTH; part++) {
        send_part(part, part + 1);
        wait_until_arrived(1);
        if (part + 1 == LENGTH)
            break;
        ck_assert_int_eq(ask_for_line(call, part % 4 == 0), -1);
        expect_time_up(part % 4 == 0);
        if (call == READN)
            ck_assert_uint_eq(came, part + 1);
    }
    expect_line(call, ask_for_line(call, 0));
}
END_TEST

/* Each call goes on with what the others have left. */
START_TEST(calls_with_and_without_a_limit_may_be_mixed)
{
    open_stream(_i);
    send_part(0, 5);
    ck_assert_int_eq(csapp_readlineb(&rio, got, sizeof got, 10), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(csapp_readnb(&rio, got, 6, 0), -1);
    ck_assert_int_eq(errno, ETIMEDOUT);
    ck_assert_int_eq(rio_readnb(&rio, got, 2), 2);
    ck_assert_mem_eq(got, LINE, 2);
    send_part(5, LENGTH);
    ck_assert_int_eq(rio_readlineb(&rio, got, sizeof got), LENGTH - 2);
    ck_assert_str_eq(got, LINE + 2);
    send_part(0, LENGTH);
    wait_until_arrived(LENGTH);
    ck_assert_int_eq(csapp_readlineb(&rio, got, sizeof got, 0), LENGTH);
    ck_assert_str_eq(got, LINE);
}
END_TEST

/* ---- Peers: threads that no signal is for ---- */

static pthread_t peer;

static void start_peer(void *(*body)(void *), void *arg)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ck_assert_int_eq(pthread_create(&peer, NULL, body, arg), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *send_late(void *arg)
{
    sleep_ms(60);
    send_part(0, 10);
    sleep_ms(60);
    send_part(10, LENGTH);
    return arg;
}

START_TEST(a_line_that_comes_in_time_is_given)
{
    static const int long_limits[] = {60000, INT_MAX, -1};
    enum which_call call = (enum which_call)(_i % READ_CALLS);

    open_stream(_i / READ_CALLS % KINDS);
    start_peer(send_late, NULL);
    expect_line(call, ask_for_line(call, long_limits[_i / READ_CALLS / KINDS]));
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

static int is_over;

/* A byte each 10 ms, and never a newline. */
static void *dribble(void *arg)
{
    while (!counted(is_over)) {
        send_text(there, "x");
        sleep_ms(10);
    }
    return arg;
}

/* The limit is for the whole, however often a part comes. And the wait takes no processor time. */
START_TEST(a_dribbling_peer_does_not_put_off_the_limit)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    long long processor;

    open_stream(_i / READ_CALLS);
    start_peer(dribble, NULL);
    processor = clock_us(CLOCK_THREAD_CPUTIME_ID);
    start_clock();
    ck_assert_int_eq(ask(call, 100000, 2 * LIMIT_MS), -1);
    expect_time_up(2 * LIMIT_MS);
    processor = clock_us(CLOCK_THREAD_CPUTIME_ID) - processor;
    ck_assert_int_lt(processor, is_emulated() || getenv("STORM_INTERVAL_US") ? 3000000 : 100000);
    if (call == READN)
        ck_assert_uint_gt(came, 0);
    else
        ck_assert_int_gt(rio.rio_cnt, 0);
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

/* ---- More than a rio_t holds ---- */

enum { LONG = 20000 };

static char text[4 << 20];

/* It stays in the caller's buffer, and the same call goes on behind it. */
START_TEST(a_long_line_that_is_late_goes_on_where_it_was)
{
    int by_line = _i % 2, sockets[2];
    size_t at;

    memset(text, 'x', LONG - 1);
    text[LONG - 1] = '\n';
    socket_pair(sockets);
    here = sockets[0];
    there = sockets[1];
    if (_i / 2)
        make_nonblocking(here);
    flags = fcntl(here, F_GETFL);
    rio_readinitb(&rio, here);
    memset(got, '#', LONG + 2);
    for (at = 0; at < LONG - 1000; at += 1000) {
        send_bytes(there, text + at, 1000);
        start_clock();
        ck_assert_int_eq(ask(by_line ? READLINEB : READNB, LONG, (int)(at / 1000 % 3)), -1);
        expect_time_up((int)(at / 1000 % 3));
    }
    ck_assert_int_lt(rio.rio_cnt, 0);
    ck_assert_int_eq(ask(by_line ? READNB : READLINEB, LONG, 0), -1);
    ck_assert_int_eq(errno, EINVAL);
    send_bytes(there, text + at, LONG - at);
    start_clock();
    ck_assert_int_eq(ask(by_line ? READLINEB : READNB, LONG, 0), LONG);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(got, text, LONG);
    ck_assert_int_eq(got[LONG], by_line ? '\0' : '#');
    ck_assert_int_eq(got[LONG + 1], '#');
}
END_TEST

/* ---- The end of the stream ---- */

START_TEST(the_end_is_no_matter_of_time)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    int i;

    open_stream(_i / READ_CALLS);
    send_part(0, 10);
    wait_until_arrived(10);
    if (stream == PTY) { /* which takes with it what is unread; so all of it is read first */
        ck_assert_int_eq(ask_for_line(call, 0), -1);
        expect_time_up(0);
    }
    close(there);
    start_clock();
    ck_assert_int_eq(ask(call, LENGTH, 60000), 10);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(got, LINE, 10);
    for (i = 0; i < COUNT(limits); i++) {
        came = 0;
        start_clock();
        ck_assert_int_eq(ask(call, LENGTH, limits[i]), 0);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_uint_eq(came, 0);
    }
}
END_TEST

START_TEST(a_file_is_there_at_all_times)
{
    enum which_call call = (enum which_call)_i;
    int i;

    open_stream(REGULAR * MODES);
    here = file_of(LINE, LENGTH);
    flags = fcntl(here, F_GETFL);
    for (i = 0; i < COUNT(limits); i++) {
        ck_assert_int_eq(lseek(here, 0, SEEK_SET), 0);
        rio_readinitb(&rio, here);
        expect_line(call, ask_for_line(call, limits[i]));
        memset(got, '#', sizeof got);
        start_clock();
        ck_assert_int_eq(ask(call, LENGTH, limits[i]), 0);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_int_eq(got[0], '#');
        came = 0;
    }
}
END_TEST

/* ---- Signals ---- */

/* Every 30 ms, for as long as the call has not begun to wait. */
static void start_interrupting(int sa_flags)
{
    const struct itimerval often = {{0, 30000}, {0, 30000}};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = count_interruption;
    action.sa_flags = sa_flags;
    interruptions = 0;
    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
}

/* With and without SA_RESTART, which does not matter here. */
START_TEST(a_signal_ends_the_call_and_loses_nothing)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    int sa_flags = _i / READ_CALLS % 2 ? SA_RESTART : 0, round;

    open_stream(_i / READ_CALLS / 2);
    send_part(0, 10);
    wait_until_arrived(10);
    for (round = 0; round < 2; round++) { /* a time limit, and none */
        start_interrupting(sa_flags);
        ck_assert_int_eq(ask_for_line(call, round == 0 ? 60000 : -1), -1);
        ck_assert_int_eq(errno, EINTR);
        end_storm();
        ck_assert_int_gt(interruptions, 0);
        ck_assert_int_eq(fcntl(here, F_GETFL), flags);
        if (call == READN)
            ck_assert_uint_eq(came, 10);
    }
    send_part(10, LENGTH);
    wait_until_arrived(LENGTH - 10);
    expect_line(call, ask_for_line(call, 0));
}
END_TEST

static void *send_text_slowly(void *arg)
{
    size_t n = *(size_t *)arg, at = 0;

    while (at < n) {
        size_t part = 1 + at * 31 % 997;

        if (part > n - at)
            part = n - at;
        send_bytes(there, text + at, part);
        at += part;
        sleep_ms(1);
    }
    return NULL;
}

/* A storm of them, and limits that keep running out: every byte comes once. */
START_TEST(in_a_storm_with_short_limits_everything_arrives)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    size_t n = 60000, at = 0, turn = 0, ends[2] = {0, 0};

    open_stream(_i / READ_CALLS);
    make_text(text, n);
    start_peer(send_text_slowly, &n);
    start_storm_with(_i & 1 ? SA_RESTART : 0);
    while (at < n) {
        size_t most = n - at < 300 ? n - at : 300;
        ssize_t result;

        came = 0;
        while ((result = ask(call, most, (int)(turn++ % 4))) == -1) {
            ck_assert(errno == EINTR || errno == ETIMEDOUT);
            ends[errno == EINTR]++;
        }
        ck_assert_int_eq(result, call == READLINEB ? line_length(text + at, n - at, most) : most);
        ck_assert_mem_eq(got, text + at, result);
        at += (size_t)result;
    }
    while (ends[0] == 0 || ends[1] == 0) { /* on a busy machine, one may not have come to pass yet */
        ck_assert_int_eq(ask(call, 1, 1 + (int)(turn++ % 3)), -1);
        ck_assert(errno == EINTR || errno == ETIMEDOUT);
        ends[errno == EINTR]++;
    }
    end_storm();
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

/* ---- Stopped and continued ---- */

static int wait_in_time(void *arg)
{
    enum which_call call = *(enum which_call *)arg;

    return ask_for_line(call, LIMIT_MS) == -1 && errno == ETIMEDOUT
                   && clock_us(CLOCK_MONOTONIC) - started >= LIMIT_MS * 1000LL
               ? 1
           : came == 0 && got[0] == '#' ? 2
                                        : 3;
}

static int wait_for_the_line(void *arg)
{
    enum which_call call = *(enum which_call *)arg;
    ssize_t n = ask_for_line(call, 60000);

    return n == LENGTH && memcmp(got, LINE, LENGTH) == 0 && errno == UNTOUCHED ? 0 : 1;
}

/* No handler runs, so that is no signal to the call: it goes on, by the same clock. */
START_TEST(a_stop_is_no_end)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    pid_t child;
    int status;

    open_stream(_i / READ_CALLS % KINDS);
    child = in_child(_i / READ_CALLS / KINDS ? wait_for_the_line : wait_in_time, &call);
    sleep_ms(LIMIT_MS / 4);
    ck_assert_int_eq(kill(child, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
    ck_assert(WIFSTOPPED(status));
    if (_i / READ_CALLS / KINDS)
        send_part(0, LENGTH / 2);
    sleep_ms(LIMIT_MS); /* its time runs out meanwhile */
    ck_assert_int_eq(kill(child, SIGCONT), 0);
    if (_i / READ_CALLS / KINDS)
        send_part(LENGTH / 2, LENGTH);
    ck_assert_int_eq(status_of(child), _i / READ_CALLS / KINDS ? 0 : 1);
}
END_TEST

/* ---- Others that use the descriptor ---- */

static int flags_changed;

static void *watch_flags(void *arg)
{
    while (!counted(is_over))
        if (fcntl(here, F_GETFL) != flags)
            __atomic_store_n(&flags_changed, 1, __ATOMIC_SEQ_CST);
    return arg;
}

/* They would see a flag that is changed for a while. */
START_TEST(not_even_meanwhile_is_a_flag_changed)
{
    int i;

    open_stream(_i);
    start_peer(watch_flags, NULL);
    for (i = 0; i < 50; i++) {
        enum which_call call = (enum which_call)(i % READ_CALLS);

        if (i % 5 == 0) {
            send_part(0, LENGTH);
            wait_until_arrived(LENGTH);
        }
        came = 0;
        ask_for_line(call, i % 3);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
    ck_assert_int_eq(flags_changed, 0);
}
END_TEST

static void *take_what_comes(void *arg)
{
    char bytes[100];

    while (!counted(is_over)) {
        struct pollfd polled = {here, POLLIN, 0};

        if (poll(&polled, 1, 10) == 1)
            recv(here, bytes, sizeof bytes, MSG_DONTWAIT);
    }
    return arg;
}

/* On a socket, another thread that takes what woke the call cannot keep it beyond its limit. */
START_TEST(a_robbed_call_is_not_late)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);
    pthread_t robber;
    int i;

    open_stream((_i / READ_CALLS % 2 ? SOCKETPAIR : TCP) * MODES + _i / READ_CALLS / 2);
    start_peer(dribble, NULL);
    ck_assert_int_eq(pthread_create(&robber, NULL, take_what_comes, NULL), 0);
    for (i = 0; i < 10; i++) {
        came = 0;
        start_clock();
        ck_assert_int_eq(ask(call, 100000, 25), -1);
        expect_time_up(25);
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    ck_assert_int_eq(pthread_join(robber, NULL), 0);
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

/* The socket's own limit is another one, for other calls. */
START_TEST(the_socket_s_own_limit_does_not_count)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);

    open_stream(SOCKETPAIR * MODES);
    limit_ms(here, SO_RCVTIMEO, 10);
    ck_assert_int_eq(ask_for_line(call, LIMIT_MS), -1);
    expect_time_up(LIMIT_MS);
    start_peer(send_late, NULL);
    expect_line(call, ask_for_line(call, -1));
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

/* ---- Errors are told at once, and nothing is lost by them ---- */

START_TEST(a_reset_is_told_behind_what_came)
{
    enum which_call call = (enum which_call)(_i % READ_CALLS);

    open_stream(SOCKETPAIR * MODES + _i / READ_CALLS);
    send_part(0, 10);
    send_bytes(here, "never read", 10);
    close(there);
    ck_assert_int_eq(ask_for_line(call, 60000), -1);
    ck_assert_int_eq(errno, ECONNRESET);
    if (call == READN)
        ck_assert_uint_eq(came, 10);
    start_clock();
    ck_assert_int_eq(ask(call, LENGTH, 60000), 10);
    ck_assert_mem_eq(got, LINE, 10);
}
END_TEST

START_TEST(bad_arguments_are_told_at_once)
{
    static const int ms[] = {0, 60000, -1};
    size_t moved;
    int i;

    open_stream(PIPE * MODES);
    for (i = 0; i < COUNT(ms); i++) {
        ck_assert_int_eq(csapp_readlineb(&rio, got, 0, ms[i]), -1);
        ck_assert_int_eq(errno, EINVAL);
        got[0] = '#';
        ck_assert_int_eq(csapp_readlineb(&rio, got, 1, ms[i]), 0);
        ck_assert_int_eq(got[0], '\0');
        ck_assert_int_eq(csapp_readnb(&rio, NULL, 0, ms[i]), 0);
        ck_assert_int_eq(csapp_readlineb(NULL, got, 10, ms[i]), -1);
        ck_assert_int_eq(errno, EFAULT);
        ck_assert_int_eq(csapp_readnb(&rio, NULL, 1, ms[i]), -1);
        ck_assert_int_eq(errno, EFAULT);
        moved = 77;
        ck_assert_int_eq(csapp_readn(here, NULL, 1, ms[i], &moved), -1);
        ck_assert_int_eq(errno, EFAULT);
        ck_assert_uint_eq(moved, 0);
        moved = 77;
        ck_assert_int_eq(csapp_readn(here, NULL, 0, ms[i], &moved), 0);
        ck_assert_uint_eq(moved, 0);
        moved = 77;
        ck_assert_int_eq(csapp_readn(-1, got, 1, ms[i], &moved), -1);
        ck_assert_int_eq(errno, EBADF);
        ck_assert_uint_eq(moved, 0);
        moved = 77;
        ck_assert_int_eq(csapp_writen(-1, got, 1, ms[i], &moved), -1);
        ck_assert_int_eq(errno, EBADF);
        ck_assert_uint_eq(moved, 0);
        moved = 77;
        ck_assert_int_eq(csapp_writen(here, got, (size_t)-1, ms[i], &moved), -1);
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_uint_eq(moved, 0);
        moved = 77;
        ck_assert_int_eq(csapp_readn(there, got, 1, ms[i], &moved), -1); /* a pipe's other end */
        ck_assert_int_eq(errno, EBADF);
        ck_assert_uint_eq(moved, 0);
        rio_readinitb(&rio, -1);
        ck_assert_int_eq(csapp_readlineb(&rio, got, 10, ms[i]), -1);
        ck_assert_int_eq(errno, EBADF);
        rio_readinitb(&rio, here);
    }
}
END_TEST

/* ---- csapp_writen ---- */

enum { FLOOD = sizeof text };

static void open_stream_to_write(int number)
{
    int size = 16384;

    timed_calls_write = 1;
    open_stream(number);
    if (is_socket()) {
        ck_assert_int_eq(setsockopt(here, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        ck_assert_int_eq(setsockopt(there, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    }
    make_text(text, FLOOD);
}

/* Takes exactly n bytes, which have to be those of the text at `at`. */
static void expect_text(size_t at, size_t n)
{
    static char bytes[FLOOD];

    ck_assert_int_eq(rio_readn(there, bytes, n), n);
    ck_assert_mem_eq(bytes, text + at, n);
}

/* Nothing more has gone than the call says. */
static void expect_no_more(void)
{
    char byte;

    make_nonblocking(there);
    sleep_ms(50);
    ck_assert_int_eq(read(there, &byte, 1), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

START_TEST(what_has_room_is_written_at_once)
{
    size_t moved, at = 0;
    int i;

    open_stream_to_write(_i);
    for (i = 0; i < COUNT(limits); i++) {
        moved = 77;
        start_clock();
        ck_assert_int_eq(csapp_writen(here, text + at, 100, limits[i], &moved), 100);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_uint_eq(moved, 100);
        expect_text(at, 100);
        at += 100;
    }
    ck_assert_int_eq(fcntl(here, F_GETFL), flags);
}
END_TEST

/* Whatever had gone is told, and no byte goes twice or not at all. */
START_TEST(time_runs_out_where_nobody_reads)
{
    static const int ms[] = {0, 1, 20, LIMIT_MS};
    size_t moved, at = 0;
    int i;

    open_stream_to_write(_i);
    for (i = 0; i < COUNT(ms); i++) {
        moved = 77;
        start_clock();
        ck_assert_int_eq(csapp_writen(here, text + at, FLOOD - at, ms[i], &moved), -1);
        expect_time_up(ms[i]);
        at += moved;
        if (i == 0)
            ck_assert_uint_gt(at, 0);
    }
    ck_assert_uint_lt(at, FLOOD);
    expect_text(0, at);
    expect_no_more();
    ck_assert_int_eq(csapp_writen(here, text + at, 500, 0, &moved), 500);
    expect_text(at, 500);
}
END_TEST

static void *take_slowly(void *arg)
{
    size_t n = *(size_t *)arg, at = 0;
    char bytes[4000];

    while (at < n) {
        ssize_t part = read(there, bytes, sizeof bytes < n - at ? sizeof bytes : n - at);

        if (part <= 0 || memcmp(bytes, text + at, (size_t)part) != 0)
            return arg;
        at += (size_t)part;
        sleep_ms(1);
    }
    return NULL;
}

START_TEST(what_is_taken_in_time_is_written)
{
    static const int long_limits[] = {60000, INT_MAX, -1};
    size_t n = 400000, moved = 77;
    void *failure;

    open_stream_to_write(_i % KINDS);
    start_peer(take_slowly, &n);
    start_clock();
    ck_assert_int_eq(csapp_writen(here, text, n, long_limits[_i / KINDS], &moved), n);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_uint_eq(moved, n);
    ck_assert_int_eq(pthread_join(peer, &failure), 0);
    ck_assert_ptr_null(failure);
    ck_assert_int_eq(fcntl(here, F_GETFL), flags);
}
END_TEST

static void *take_a_little(void *arg)
{
    char byte;

    while (!counted(is_over)) {
        ck_assert_int_eq(read(there, &byte, 1), 1);
        sleep_ms(10);
    }
    return arg;
}

START_TEST(a_reader_of_single_bytes_does_not_put_off_the_limit)
{
    size_t moved;
    long long processor;

    open_stream_to_write(_i);
    start_peer(take_a_little, NULL);
    processor = clock_us(CLOCK_THREAD_CPUTIME_ID);
    start_clock();
    ck_assert_int_eq(csapp_writen(here, text, FLOOD, 2 * LIMIT_MS, &moved), -1);
    expect_time_up(2 * LIMIT_MS);
    processor = clock_us(CLOCK_THREAD_CPUTIME_ID) - processor;
    ck_assert_int_lt(processor, is_emulated() || getenv("STORM_INTERVAL_US") ? 3000000 : 100000);
    __atomic_store_n(&is_over, 1, __ATOMIC_SEQ_CST);
    ck_assert_int_eq(pthread_join(peer, NULL), 0);
}
END_TEST

START_TEST(a_signal_ends_a_write_and_loses_nothing)
{
    size_t moved = 77, at;

    open_stream_to_write(_i / 2);
    start_interrupting(_i % 2 ? SA_RESTART : 0);
    start_clock();
    ck_assert_int_eq(csapp_writen(here, text, FLOOD, _i / 2 % 2 ? 60000 : -1, &moved), -1);
    ck_assert_int_eq(errno, EINTR);
    end_storm();
    ck_assert_int_gt(interruptions, 0);
    at = moved;
    ck_assert_uint_gt(at, 0);
    ck_assert_uint_lt(at, FLOOD);
    ck_assert_int_eq(fcntl(here, F_GETFL), flags);
    expect_text(0, at);
    expect_no_more();
    ck_assert_int_eq(csapp_writen(here, text + at, 500, 0, &moved), 500);
    expect_text(at, 500);
}
END_TEST

START_TEST(in_a_storm_with_short_limits_everything_is_written)
{
    size_t n = 300000, at = 0, turn = 0, moved, ends[2] = {0, 0};
    void *failure;

    open_stream_to_write(_i);
    start_peer(take_slowly, &n);
    start_storm_with(_i % MODES ? SA_RESTART : 0);
    while (at < n) {
        ssize_t result = csapp_writen(here, text + at, n - at, (int)(turn++ % 4), &moved);

        ck_assert(result == (ssize_t)(n - at) || (result == -1 && (errno == EINTR || errno == ETIMEDOUT)));
        ck_assert_uint_le(moved, n - at);
        if (result == -1)
            ends[errno == EINTR]++;
        at += moved;
    }
    end_storm();
    ck_assert_uint_gt(ends[0], 0);
    ck_assert_uint_gt(ends[1], 0);
    ck_assert_int_eq(pthread_join(peer, &failure), 0);
    ck_assert_ptr_null(failure);
}
END_TEST

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int signum)
{
    (void)signum;
    sigpipes++;
}

START_TEST(a_peer_that_has_gone_is_an_error_and_no_signal)
{
    static const int ms[] = {0, 60000, -1};
    size_t moved;
    int i;

    open_stream_to_write(_i);
    if (stream == PTY)
        return; /* that is a hang-up */
    signal(SIGPIPE, count_sigpipe);
    close(there);
    for (i = 0; i < COUNT(ms); i++) {
        moved = 77;
        sigpipes = 0;
        errno = UNTOUCHED;
        while (csapp_writen(here, text, 10, ms[i], &moved) == 10) /* TCP learns it by the first bytes */
            sleep_ms(1);
        ck_assert_uint_eq(moved, 0);
        ck_assert(errno == EPIPE || errno == ECONNRESET);
        ck_assert_int_eq(sigpipes, stream == PIPE);
    }
}
END_TEST

START_TEST(a_file_takes_everything_at_once)
{
    size_t moved, at = 0;
    int i;

    make_text(text, FLOOD);
    open_stream(REGULAR * MODES);
    for (i = 0; i < COUNT(limits); i++, at += 100000) {
        start_clock();
        ck_assert_int_eq(csapp_writen(here, text + at, 100000, limits[i], &moved), 100000);
        ck_assert_int_eq(errno, UNTOUCHED);
        ck_assert_uint_eq(moved, 100000);
    }
    ck_assert_int_eq(lseek(here, 0, SEEK_SET), 0);
    there = here;
    expect_text(0, at);
}
END_TEST

int main(void)
{
    TCase *read = tcase_create("read"), *late = tcase_create("late"), *in_time = tcase_create("in_time"),
          *dribbling = tcase_create("dribbling"), *signals = tcase_create("signals"), *stopped = tcase_create("stopped"),
          *write = tcase_create("write"), *all[] = {read, late, in_time, dribbling, signals, stopped, write};
    int i;

    for (i = 0; i < COUNT(all); i++)
        tcase_set_timeout(all[i], 60);
    tcase_add_loop_test(read, what_is_there_is_given_at_once, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(read, what_is_read_ahead_is_given_at_once, 0, KINDS);
    tcase_add_loop_test(read, a_part_that_came_in_time_is_not_lost, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(read, calls_with_and_without_a_limit_may_be_mixed, 0, KINDS);
    tcase_add_loop_test(read, a_long_line_that_is_late_goes_on_where_it_was, 0, 4);
    tcase_add_loop_test(read, the_end_is_no_matter_of_time, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(read, a_file_is_there_at_all_times, 0, READ_CALLS);
    tcase_add_loop_test(read, not_even_meanwhile_is_a_flag_changed, 0, KINDS);
    tcase_add_loop_test(read, the_socket_s_own_limit_does_not_count, 0, READ_CALLS);
    tcase_add_loop_test(read, a_reset_is_told_behind_what_came, 0, READ_CALLS * MODES);
    tcase_add_test(read, bad_arguments_are_told_at_once);
    tcase_add_loop_test(late, time_runs_out_where_nothing_is, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(in_time, a_line_that_comes_in_time_is_given, 0, 3 * READ_CALLS * KINDS);
    tcase_add_loop_test(late, a_robbed_call_is_not_late, 0, READ_CALLS * 2 * MODES);
    tcase_add_loop_test(dribbling, a_dribbling_peer_does_not_put_off_the_limit, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(signals, a_signal_ends_the_call_and_loses_nothing, 0, READ_CALLS * 2 * KINDS);
    tcase_add_loop_test(signals, in_a_storm_with_short_limits_everything_arrives, 0, READ_CALLS * KINDS);
    tcase_add_loop_test(stopped, a_stop_is_no_end, 0, 2 * READ_CALLS * KINDS);
    tcase_add_loop_test(write, what_has_room_is_written_at_once, 0, KINDS);
    tcase_add_loop_test(write, time_runs_out_where_nobody_reads, 0, KINDS);
    tcase_add_loop_test(write, what_is_taken_in_time_is_written, 0, 3 * KINDS);
    tcase_add_loop_test(write, a_reader_of_single_bytes_does_not_put_off_the_limit, 0, KINDS);
    tcase_add_loop_test(write, a_signal_ends_a_write_and_loses_nothing, 0, 2 * KINDS);
    tcase_add_loop_test(write, in_a_storm_with_short_limits_everything_is_written, 0, KINDS);
    tcase_add_loop_test(write, a_peer_that_has_gone_is_an_error_and_no_signal, 0, KINDS);
    tcase_add_test(write, a_file_takes_everything_at_once);
    return run_cases("limits", all, COUNT(all));
}
