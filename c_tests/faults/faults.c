/* The matrix: each of the four calls on each kind of stream under each kind of fault, without a time limit and with
   limits that run out before the fault, in the middle and after it. Every cell is a test of its own, named
   "call/stream/fault", in a process of its own.

   In every cell each byte has to arrive whole and once, every count and errno has to be the one that
   csapp.h states, success has to leave errno alone, and nothing may be stored beyond what is returned:
   behind each user's buffer, and behind each rio_t, comes a page that may not be touched. */
#define _GNU_SOURCE
#include "streams.h"
#include "tcp.h"
#include "text.h"
#include "faults.h"
#include <stdint.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <termios.h>

enum which_call { READN, WRITEN, READNB, READLINEB };
enum which_stream { PIPE, SOCKETPAIR, TCP, REGULAR, PTY, STREAMS };
enum which_fault {
    EINTR_AT_EVERY_CALL,
    SIGNALS_AT_1_KHZ,
    SHORT_TRANSFERS,
    DRIBBLING_PEER,
    TINY_BUFFERS,
    NONBLOCK_SLOW_PEER,
    NONBLOCK_EAGAIN,
    NONBLOCK_POLL_FAILS,
    RECEIVE_TIMEOUT,
    SEND_TIMEOUT,
    RECEIVE_TIMEOUT_IN_STORM,
    SEND_TIMEOUT_IN_STORM,
    EIO_IN_MID_MESSAGE,
    ECONNRESET_IN_MID_MESSAGE,
    EOF_IN_MID_LINE,
    WRITE_OF_0,
    PEER_VANISHES,
    FAULTS
};

/* The calls without a limit, and their twins with one, in milliseconds. */
static const struct column {
    const char *name;
    enum which_call call;
    enum { NO_LIMIT, AT_ONCE = 1, SHORT_LIMIT = 2, LONG_LIMIT = 60000 } limit;
} columns[] = {
    {"rio_readn", READN, NO_LIMIT}, {"rio_writen", WRITEN, NO_LIMIT},
    {"rio_readnb", READNB, NO_LIMIT}, {"rio_readlineb", READLINEB, NO_LIMIT},
    {"csapp_readn at once", READN, AT_ONCE}, {"csapp_writen at once", WRITEN, AT_ONCE},
    {"csapp_readnb at once", READNB, AT_ONCE}, {"csapp_readlineb at once", READLINEB, AT_ONCE},
    {"csapp_readn in 2 ms", READN, SHORT_LIMIT}, {"csapp_writen in 2 ms", WRITEN, SHORT_LIMIT},
    {"csapp_readnb in 2 ms", READNB, SHORT_LIMIT}, {"csapp_readlineb in 2 ms", READLINEB, SHORT_LIMIT},
    {"csapp_readn in a minute", READN, LONG_LIMIT}, {"csapp_writen in a minute", WRITEN, LONG_LIMIT},
    {"csapp_readnb in a minute", READNB, LONG_LIMIT}, {"csapp_readlineb in a minute", READLINEB, LONG_LIMIT},
};
#define COLUMNS COUNT(columns)
static const char *const stream_names[] = {"pipe", "socketpair", "TCP", "file", "pty"};
static const char *const fault_names[] = {
    "EINTR at every call", "signals at 1 kHz", "short transfers", "dribbling peer", "tiny buffers",
    "O_NONBLOCK, slow peer", "O_NONBLOCK, EAGAIN and EINTR in turn", "O_NONBLOCK, poll fails", "SO_RCVTIMEO in mid-message", "SO_SNDTIMEO in mid-message",
    "SO_RCVTIMEO under signals", "SO_SNDTIMEO under signals", "EIO in mid-message",
    "ECONNRESET in mid-message", "EOF in mid-line", "write returns 0", "the peer vanishes"};

#define ALL (~0u)
#define ONLY(x) (1u << (x))
#define BUT(x) (~(1u << (x)))
#define SOCKETS (ONLY(SOCKETPAIR) | ONLY(TCP))

/* The combinations that have no meaning, and why; all others are tested. */
static const struct {
    enum which_fault fault;
    unsigned calls, streams;
    const char *why;
    enum { ANY, WITHOUT_LIMIT, WITH_LIMIT } columns;
} left_out[] = {
    {DRIBBLING_PEER, ALL, ONLY(REGULAR), "a file has no peer: what is not there yet is its end", ANY},
    {TINY_BUFFERS, ALL, ONLY(REGULAR) | ONLY(PTY), "they have no buffer whose size can be set", ANY},
    {NONBLOCK_SLOW_PEER, ALL, ONLY(REGULAR), "a file is always ready", ANY},
    {NONBLOCK_EAGAIN, ALL, ONLY(REGULAR), "a file is always ready", ANY},
    {NONBLOCK_POLL_FAILS, ALL, ONLY(REGULAR), "a file is always ready", ANY},
    {NONBLOCK_POLL_FAILS, ONLY(READNB) | ONLY(READLINEB), ALL, "a buffered call without a limit does not wait",
     WITHOUT_LIMIT},
    {RECEIVE_TIMEOUT, ALL, ~SOCKETS, "only sockets have SO_RCVTIMEO", ANY},
    {RECEIVE_TIMEOUT, ONLY(WRITEN), ALL, "a call that sends does not wait to receive", ANY},
    {RECEIVE_TIMEOUT_IN_STORM, ALL, ~SOCKETS, "only sockets have SO_RCVTIMEO", ANY},
    {RECEIVE_TIMEOUT_IN_STORM, ONLY(WRITEN), ALL, "a call that sends does not wait to receive", ANY},
    {SEND_TIMEOUT, ALL, ~SOCKETS, "only sockets have SO_SNDTIMEO", ANY},
    {SEND_TIMEOUT, BUT(WRITEN), ALL, "a call that receives does not wait to send", ANY},
    {SEND_TIMEOUT_IN_STORM, ALL, ~SOCKETS, "only sockets have SO_SNDTIMEO", ANY},
    {SEND_TIMEOUT_IN_STORM, BUT(WRITEN), ALL, "a call that receives does not wait to send", ANY},
    {ECONNRESET_IN_MID_MESSAGE, ALL, ~SOCKETS, "only connections are reset", ANY},
    {EOF_IN_MID_LINE, ONLY(WRITEN), ALL, "a call that sends meets no end", ANY},
    {WRITE_OF_0, BUT(WRITEN), ALL, "a read of 0 bytes is the end of the file", ANY},
    {PEER_VANISHES, ALL, ONLY(REGULAR), "a file has no peer", ANY},
    {RECEIVE_TIMEOUT, ALL, ALL, "the socket's own limit does not count beside another", WITH_LIMIT},
    {RECEIVE_TIMEOUT_IN_STORM, ALL, ALL, "the socket's own limit does not count beside another", WITH_LIMIT},
    {SEND_TIMEOUT, ALL, ALL, "the socket's own limit does not count beside another", WITH_LIMIT},
    {SEND_TIMEOUT_IN_STORM, ALL, ALL, "the socket's own limit does not count beside another", WITH_LIMIT},
};

static const char *why_left_out(const struct column *column, enum which_stream stream, enum which_fault fault)
{
    size_t i;

    for (i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i].fault == fault && left_out[i].calls & ONLY(column->call)
            && left_out[i].streams & ONLY(stream)
            && left_out[i].columns != (column->limit == NO_LIMIT ? WITH_LIMIT : WITHOUT_LIMIT))
            return left_out[i].why;
    return NULL;
}

/* The cell that this process is, and how far it is. */
static struct {
    enum which_call call;
    enum which_stream stream;
    enum which_fault fault;
    int limit;
    char name[96];
} cell;

/* Asserts with the cell's name and the line. */
#define EXPECT(condition)                                                                       \
    do {                                                                                        \
        if (!(condition))                                                                       \
            ck_abort_msg("%s: line %d: %s (errno %d)", cell.name, __LINE__, #condition, errno); \
    } while (0)

#define EXPECT_IS(found, expected)                                                                  \
    do {                                                                                            \
        long found_ = (long)(found), expected_ = (long)(expected);                                  \
        if (found_ != expected_)                                                                    \
            ck_abort_msg("%s: line %d: %s is %ld, not %ld (errno %d)", cell.name, __LINE__, #found, \
                         found_, expected_, errno);                                                 \
    } while (0)

/* ---- Streams ---- */

struct stream {
    int here;  /* the end that the library works on; its calls can be made to fail */
    int there; /* the other end, for plain system calls; -1 once it is closed */
};

static void open_tcp(int ends[2])
{
    struct server server = listening_server(1);
    int yes = 1, i;

    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_IS(connect(ends[0], (SA *)&server.address, sizeof server.address), 0);
    ends[1] = accept(server.fd, NULL, NULL);
    EXPECT(ends[1] >= 0);
    close(server.fd);
    for (i = 0; i < 2; i++)
        EXPECT_IS(setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
}

static void open_file(int ends[2])
{
    char name[] = "/tmp/csapp-test-XXXXXX";

    ends[0] = mkstemp(name);
    EXPECT(ends[0] >= 0);
    ends[1] = open(name, O_RDWR);
    EXPECT(ends[1] >= 0);
    unlink(name);
}

/* The library has the terminal, the peer what would be the user. Bytes go through as they are. */
static void open_pty(int ends[2])
{
    struct termios mode;

    ends[1] = posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT(ends[1] >= 0);
    EXPECT_IS(grantpt(ends[1]), 0);
    EXPECT_IS(unlockpt(ends[1]), 0);
    ends[0] = open(ptsname(ends[1]), O_RDWR | O_NOCTTY);
    EXPECT(ends[0] >= 0);
    EXPECT_IS(tcgetattr(ends[0], &mode), 0);
    cfmakeraw(&mode);
    EXPECT_IS(tcsetattr(ends[0], TCSANOW, &mode), 0);
}

static struct stream open_stream(void)
{
    struct stream stream;
    int ends[2];

    switch (cell.stream) {
    case PIPE:
        EXPECT_IS(pipe(ends), 0);
        if (cell.call == WRITEN) {
            int read_end = ends[0];

            ends[0] = ends[1];
            ends[1] = read_end;
        }
        break;
    case SOCKETPAIR:
        EXPECT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        break;
    case TCP:
        open_tcp(ends);
        break;
    case REGULAR:
        open_file(ends);
        break;
    default:
        open_pty(ends);
    }
    stream.here = choose(ends[0]);
    stream.there = ends[1];
    return stream;
}

static void close_there(struct stream *stream)
{
    if (stream->there >= 0)
        close(stream->there);
    stream->there = -1;
}

static void close_stream(struct stream *stream)
{
    close_there(stream);
    close(stream->here);
}

/* Writes by plain system calls. */
static void feed(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        long count = syscall(SYS_write, fd, bytes, n);

        EXPECT(count > 0);
        bytes += count;
        n -= (size_t)count;
    }
}

/* How many bytes lie ready to be read at fd. */
static int ready_at(int fd)
{
    int ready = -1;

    EXPECT_IS(ioctl(fd, FIONREAD, &ready), 0);
    return ready;
}

/* ---- Reading ---- */

enum { MESSAGE = 40000, LARGE_MESSAGE = 200000, ROOM = 1 << 17 };

/* A text of n bytes. The first line of a `long_lined` one takes half of it, and does not fit into a
   rio_t by far. */
static char *text_of(size_t n, int long_lined)
{
    char *text = malloc(n + 1);
    size_t i;

    EXPECT(text != NULL);
    make_text(text, n);
    for (i = 0; long_lined && i < n / 2; i++)
        if (text[i] == '\n')
            text[i] = '\v';
    return text;
}

static void sleep_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&time, NULL);
}

static int limit_ms_of_cell(void)
{
    return cell.limit == AT_ONCE ? 0 : cell.limit;
}

/* The call of the cell, once; for lines n is maxlen. *moved is what a call that tells it says to have come or gone. */
static ssize_t read_by(int fd, rio_t *rio, char *buf, size_t n, size_t *moved)
{
    int ms = limit_ms_of_cell();
    ssize_t result;

    *moved = 0;
    errno = UNTOUCHED;
    switch (cell.call) {
    case READN:
        if (cell.limit == NO_LIMIT)
            return rio_readn(fd, buf, n);
        *moved = SIZE_MAX;
        result = csapp_readn(fd, buf, n, ms, moved);
        EXPECT(*moved <= n);
        EXPECT(result == -1 || (size_t)result == *moved);
        return result;
    case READNB:
        return cell.limit == NO_LIMIT ? rio_readnb(rio, buf, n) : csapp_readnb(rio, buf, n, ms);
    default:
        return cell.limit == NO_LIMIT ? rio_readlineb(rio, buf, n) : csapp_readlineb(rio, buf, n, ms);
    }
}

static ssize_t write_by(int fd, const char *bytes, size_t n, size_t *moved)
{
    ssize_t result;

    *moved = 0;
    errno = UNTOUCHED;
    if (cell.limit == NO_LIMIT)
        return rio_writen(fd, bytes, n);
    *moved = SIZE_MAX;
    result = csapp_writen(fd, bytes, n, limit_ms_of_cell(), moved);
    EXPECT(*moved <= n);
    EXPECT(result == -1 || (size_t)result == *moved);
    return result;
}

/* Whether a call has only run out of time; then it has had to wait, and may be made again. */
static int is_late(ssize_t result)
{
    if (result != -1 || errno != ETIMEDOUT || cell.limit == NO_LIMIT || cell.limit == LONG_LIMIT)
        return 0;
    sleep_us(100);
    return 1;
}

/* The call of the cell until it has not run out of time; what has come of n bytes is in *got. */
static ssize_t read_in_the_end(int fd, rio_t *rio, char *buf, size_t n, size_t *got)
{
    size_t moved;
    ssize_t result;

    *got = 0;
    do {
        result = read_by(fd, rio, buf + *got, n - *got, &moved);
        *got += moved;
    } while (is_late(result));
    if (result != -1 && cell.call == READN && cell.limit != NO_LIMIT)
        return (ssize_t)*got;
    return result;
}

struct reading {
    struct stream stream;
    rio_t *rio;
    const char *text;
    size_t at;                           /* so many bytes have come */
    size_t turn;                         /* varies the counts */
    unsigned long failures;              /* calls that failed as they should */
    int error;                           /* the errno that they may fail with; 0: none */
    void (*on_failure)(struct reading *); /* NULL: simply again */
    size_t fed;
};

/* n bytes at the end of memory. What they hold is never what is to come. */
static char *user_buffer(size_t n, const char *expected)
{
    static char *end;
    size_t i;

    if (end == NULL)
        end = before_guard_page(ROOM) + ROOM;
    for (i = 0; i < n; i++)
        end[(long)i - (long)n] = (char)~expected[i];
    return end - n;
}

/* Whether signals come, or what looks like one: a call with a limit is not restarted. */
static int has_signals(void)
{
    return cell.limit != NO_LIMIT
           && (cell.fault == EINTR_AT_EVERY_CALL || cell.fault == SIGNALS_AT_1_KHZ || cell.fault == NONBLOCK_EAGAIN
               || cell.fault == NONBLOCK_POLL_FAILS);
}

/* A call has failed as it may: by `error`, unless that is 0, by a signal, or because its time is up. */
static void expect_failure(ssize_t result, int error)
{
    if (is_late(result) || (has_signals() && errno == EINTR))
        return;
    EXPECT(error != 0);
    EXPECT_IS(errno, error);
}

/* Up to `until`, as far as one call with the next count takes it. */
static void read_once(struct reading *reading, size_t until)
{
    static const size_t counts[] = {97, RIO_BUFSIZE, 1, 20000, RIO_BUFSIZE + 1, 2, MESSAGE, 300};
    const char *expected = reading->text + reading->at;
    size_t left = until - reading->at, n = counts[reading->turn++ % 8], claim, len, came, moved;
    int by_line = cell.call == READLINEB, fd = reading->stream.here;
    rio_t *rio = reading->rio;
    char *buf;
    ssize_t result;

    if (n > left)
        n = left;
    len = by_line ? line_length(expected, left, n) : n;
    /* A line's array need not be larger than the line and its NUL, whatever maxlen says. */
    claim = by_line ? n + 1 : n;
    buf = user_buffer(by_line ? len + 1 : n, expected);
    for (;;) {
        result = read_by(fd, rio, buf, claim, &moved);
        if (result != -1)
            break;
        expect_failure(result, reading->error);
        reading->failures++;
        if (reading->on_failure != NULL)
            reading->on_failure(reading);
        if (cell.call == READN) {
            /* Its return value has no room for what had come. The buffer has it. */
            for (came = 0; came < n && buf[came] == expected[came]; came++)
                continue;
            EXPECT(cell.limit == NO_LIMIT || came == moved);
            reading->at += came;
            for (; came < n; came++)
                EXPECT_IS(buf[came], (char)~expected[came]);
            return;
        }
        if (rio->rio_cnt >= 0 && reading->failures % 2 == 1) {
            /* All that had come is in the rio_t again: for the other call as well. */
            if (rio->rio_cnt == 0)
                continue;
            n = (size_t)rio->rio_cnt > 3 ? 3 : (size_t)rio->rio_cnt;
            if (n > len)
                n = len;
            buf = user_buffer(n, expected);
            errno = UNTOUCHED;
            EXPECT_IS(rio_readnb(rio, buf, n), n);
            EXPECT_IS(errno, UNTOUCHED);
            EXPECT(memcmp(buf, expected, n) == 0);
            reading->at += n;
            return;
        }
    }
    EXPECT_IS(errno, UNTOUCHED);
    EXPECT_IS(result, len);
    EXPECT(memcmp(buf, expected, len) == 0);
    if (by_line)
        EXPECT_IS(buf[len], '\0');
    reading->at += len;
}

/* Reads text[0..n) in calls of many counts. */
static void read_all(struct reading *reading, size_t n)
{
    while (reading->at < n)
        read_once(reading, n);
    EXPECT_IS(reading->at, n);
}

/* Nothing is left: 0, and not a byte is stored. */
static void expect_end(struct reading *reading)
{
    char *buf = user_buffer(3, "abc");
    size_t got;

    EXPECT_IS(read_in_the_end(reading->stream.here, reading->rio, buf, 3, &got), 0);
    EXPECT_IS(got, 0);
    EXPECT_IS(errno, UNTOUCHED);
    EXPECT(buf[0] == (char)~'a' && buf[1] == (char)~'b' && buf[2] == (char)~'c');
}

static struct reading start_reading(const char *text, size_t turn)
{
    static rio_t *rio;
    struct reading reading;

    if (rio == NULL)
        rio = (rio_t *)before_guard_page(sizeof *rio);
    memset(&reading, 0, sizeof reading);
    reading.stream = open_stream();
    reading.rio = rio;
    reading.text = text;
    reading.turn = turn;
    rio_readinitb(rio, reading.stream.here);
    return reading;
}

/* Whether the streams of this kind tell their end once the peer is closed. A terminal's master that
   is closed takes what was unread with it. */
static int has_end(void)
{
    return cell.stream != PTY;
}

/* ---- Peers: threads that no fault and no signal touches ---- */

struct peer {
    struct stream *stream;
    const char *text;
    size_t n;
    size_t most;        /* bytes at a time */
    long pause_us;      /* between them */
    int interruptions;  /* before the last bytes, so many signals must have come */
    void (*ending)(struct peer *);
    size_t came;
    pthread_t thread;
};

static void *be_feeder(void *arg)
{
    struct peer *peer = arg;
    size_t sent = 0, number = 0;

    while (sent < peer->n) {
        size_t n = 1 + number++ * 7919 % peer->most;

        if (n >= peer->n - sent) {
            n = peer->n - sent;
            while (counted(interruptions) < peer->interruptions)
                sleep_us(1000);
        }
        feed(peer->stream->there, peer->text + sent, n);
        sent += n;
        if (peer->pause_us > 0 && number % 4 == 0)
            sleep_us(peer->pause_us);
    }
    if (peer->ending != NULL)
        peer->ending(peer);
    return NULL;
}

/* Expects peer->n bytes of the text; after them, `ending` or only the end of the stream. */
static void *be_drainer(void *arg)
{
    struct peer *peer = arg;
    char buf[4096];
    size_t number = 0;
    int rests = 0;

    while (peer->came < peer->n) {
        size_t most = peer->most < sizeof buf ? peer->most : sizeof buf, n = 1 + number++ * 7919 % most;
        long count;

        if (n > peer->n - peer->came)
            n = peer->n - peer->came;
        if (!rests && peer->came > peer->n / 2) {
            rests = 1;
            while (counted(interruptions) < peer->interruptions)
                sleep_us(1000);
        }
        count = syscall(SYS_read, peer->stream->there, buf, n);
        EXPECT(count > 0);
        EXPECT(memcmp(buf, peer->text + peer->came, (size_t)count) == 0);
        peer->came += (size_t)count;
        if (peer->pause_us > 0 && number % 4 == 0)
            sleep_us(peer->pause_us);
    }
    if (peer->ending != NULL)
        peer->ending(peer);
    return NULL;
}

static void close_peer(struct peer *peer)
{
    close_there(peer->stream);
}

static void start_peer(struct peer *peer, void *(*body)(void *))
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    EXPECT_IS(pthread_create(&peer->thread, NULL, body, peer), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void end_peer(struct peer *peer)
{
    EXPECT_IS(pthread_join(peer->thread, NULL), 0);
}

/* ---- Writing ---- */

struct writing {
    struct stream stream;
    const char *text;
    size_t at;
    size_t turn;
    unsigned long failures;
    int error;
    struct peer drainer;
};

/* A file has no peer that reads along: what is in it is looked at in the end. */
static struct writing start_writing(const char *text, size_t n, size_t most, long pause_us, size_t turn)
{
    struct writing writing;

    memset(&writing, 0, sizeof writing);
    writing.stream = open_stream();
    writing.text = text;
    writing.turn = turn;
    writing.drainer.text = text;
    writing.drainer.n = n;
    writing.drainer.most = most;
    writing.drainer.pause_us = pause_us;
    return writing;
}

static void start_drainer(struct writing *writing)
{
    writing->drainer.stream = &writing->stream;
    if (cell.stream != REGULAR)
        start_peer(&writing->drainer, be_drainer);
}

/* Expects that the whole text has arrived, and nothing else. */
static void expect_arrival(struct writing *writing)
{
    char byte;

    if (cell.stream == REGULAR)
        be_drainer(&writing->drainer);
    else
        end_peer(&writing->drainer);
    EXPECT_IS(writing->drainer.came, writing->drainer.n);
    close(writing->stream.here);
    if (cell.stream == PTY)
        EXPECT_IS(ready_at(writing->stream.there), 0);
    else
        EXPECT_IS(syscall(SYS_read, writing->stream.there, &byte, 1), 0);
    close_there(&writing->stream);
}

static void write_once(struct writing *writing, size_t until)
{
    static const size_t counts[] = {97, RIO_BUFSIZE, 1, 20000, LARGE_MESSAGE, 2, MESSAGE, 300};
    size_t left = until - writing->at, n = counts[writing->turn++ % 8];
    size_t before = counted(faults.moved[WRITES]), moved;
    ssize_t result;

    if (n > left)
        n = left;
    result = write_by(writing->stream.here, writing->text + writing->at, n, &moved);
    if (result == -1) {
        expect_failure(result, writing->error);
        writing->failures++;
        /* How much had gone rio_writen cannot say, but the harness knows. */
        n = counted(faults.moved[WRITES]) - before;
        if (cell.limit != NO_LIMIT) {
            EXPECT(moved >= n); /* what passes without a fault is not counted */
            n = moved;
        }
    } else {
        EXPECT_IS(errno, UNTOUCHED);
        EXPECT_IS(result, n);
    }
    writing->at += n;
    EXPECT(writing->at <= until);
}

static void write_all(struct writing *writing, size_t n)
{
    while (writing->at < n)
        write_once(writing, n);
}

static void leave_as_is(struct stream *stream)
{
    (void)stream;
}

static void make_here_nonblocking(struct stream *stream)
{
    make_nonblocking(stream->here);
}

/* ---- Cells with a plan: messages of several sizes ---- */

static const size_t sizes[] = {1, 100, RIO_BUFSIZE, RIO_BUFSIZE + 1, MESSAGE};
#define SIZES (sizeof sizes / sizeof *sizes)

/* Sends and receives messages by a plan, on streams that `prepare` may have changed. `error` is what
   the calls may fail with, and then do. */
static void run_plan(fault_plan *plan, void (*prepare)(struct stream *), int error)
{
    unsigned long failures = 0;
    size_t i, long_lined;

    for (i = 0; i < SIZES; i++)
        for (long_lined = 0; long_lined < 2; long_lined++) {
            char *text = text_of(sizes[i], (int)long_lined);

            if (cell.call == WRITEN) {
                struct writing writing = start_writing(text, sizes[i], 4096, 0, i + 4 * long_lined);

                writing.error = error;
                prepare(&writing.stream);
                start_drainer(&writing);
                follow_plan(plan);
                write_all(&writing, sizes[i]);
                follow_plan(NULL);
                failures += writing.failures;
                expect_arrival(&writing);
            } else {
                struct reading reading = start_reading(text, i + 4 * long_lined);
                struct peer feeder = {.stream = &reading.stream, .text = text, .n = sizes[i],
                                      .most = MESSAGE, .ending = has_end() ? close_peer : NULL};

                reading.error = error;
                prepare(&reading.stream);
                start_peer(&feeder, be_feeder);
                if (cell.stream != PTY) /* the only one that does not hold it all */
                    end_peer(&feeder);
                follow_plan(plan);
                read_all(&reading, sizes[i]);
                follow_plan(NULL);
                failures += reading.failures;
                if (cell.stream == PTY)
                    end_peer(&feeder);
                if (has_end())
                    expect_end(&reading);
                close_stream(&reading.stream);
            }
            free(text);
        }
    EXPECT(error == 0 || failures > 0);
    EXPECT(counted(faults.failed) + counted(faults.shortened) > 0);
}

/* Of four calls three, in no order that the calls of one kind could be in step with: one with a limit ends each time, and
   begins again with what it does first. */
static int is_interrupted(unsigned long number)
{
    uint32_t mixed = (uint32_t)number * 2654435761u;

    mixed = (mixed ^ mixed >> 15) * 2246822519u;
    return (mixed ^ mixed >> 13) % 4 != 0;
}

static struct fault interrupted_mostly(const struct call *call)
{
    return is_interrupted(call->number) ? (struct fault){FAIL, EINTR} : (struct fault){PASS, 0};
}

/* 1, 2, 3, ... bytes. */
static struct fault ever_longer(const struct call *call)
{
    return (struct fault){SHORT, 1 + call->number % 300};
}

/* Transfers of many lengths, and each third call fails. */
static struct fault each_third_fails(const struct call *call, struct fault failure)
{
    if (call->number % 3 == 1)
        return failure;
    return (struct fault){SHORT, 1 + call->number * 7919 % 6007};
}

static struct fault each_third_is_EIO(const struct call *call)
{
    return each_third_fails(call, (struct fault){FAIL, EIO});
}

static struct fault each_third_is_ECONNRESET(const struct call *call)
{
    return each_third_fails(call, (struct fault){FAIL, ECONNRESET});
}

static struct fault each_third_moves_nothing(const struct call *call)
{
    return each_third_fails(call, (struct fault){ZERO, 0});
}

/* Not ready, then a few bytes; the wait between them is interrupted at times. */
static struct fault not_ready_at_first(const struct call *call)
{
    if (call->purpose == WAITS)
        return interrupted_mostly(call);
    if (is_interrupted(call->number))
        return (struct fault){FAIL, EAGAIN};
    return (struct fault){SHORT, 1 + call->number * 7919 % 6007};
}

static struct fault not_ready_and_no_wait(const struct call *call)
{
    if (call->purpose == WAITS && call->number % 2 == 0)
        return (struct fault){FAIL, ENOMEM};
    return not_ready_at_first(call);
}

/* ---- Cells with a peer at work ---- */

static void wait_until_ready(struct reading *reading)
{
    struct pollfd polled = {reading->stream.here, POLLIN, 0};

    EXPECT_IS(poll(&polled, 1, -1), 1);
}

/* The peer has `most` bytes at a time, and rests `pause_us` after every fourth time. */
static void run_with_peer(size_t n, size_t most, long pause_us, void (*prepare)(struct stream *),
                          int error)
{
    char *text = text_of(n, 1);

    if (cell.call == WRITEN) {
        struct writing writing = start_writing(text, n, most, pause_us, 3);

        prepare(&writing.stream);
        start_drainer(&writing);
        write_all(&writing, n);
        expect_arrival(&writing);
    } else {
        struct reading reading = start_reading(text, 3);
        struct peer feeder = {.stream = &reading.stream, .text = text, .n = n, .most = most,
                              .pause_us = pause_us};

        prepare(&reading.stream);
        if (error != 0 && cell.call != READN && cell.limit == NO_LIMIT) {
            reading.error = error;
            reading.on_failure = wait_until_ready;
        }
        start_peer(&feeder, be_feeder);
        read_all(&reading, n);
        end_peer(&feeder);
        if (has_end()) {
            close_there(&reading.stream);
            expect_end(&reading);
        }
        close_stream(&reading.stream);
    }
    free(text);
}

/* Asks for buffers of `size` bytes at both ends, where they have any; the kernel has a minimum. */
static void set_buffers(struct stream *stream, int size)
{
    int ends[] = {stream->here, stream->there}, i;

    if (cell.stream == PIPE)
        EXPECT(fcntl(stream->here, F_SETPIPE_SZ, size) >= size);
    for (i = 0; i < 2 && SOCKETS & ONLY(cell.stream); i++) {
        EXPECT_IS(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        EXPECT_IS(setsockopt(ends[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    }
}

static void make_buffers_tiny(struct stream *stream)
{
    set_buffers(stream, 1);
}

static void make_buffers_small(struct stream *stream)
{
    set_buffers(stream, 16384);
}

#define SIGNALS 5

static void run_storm(void)
{
    char *text = text_of(LARGE_MESSAGE, 1);
    size_t round = 0;

    if (cell.stream == REGULAR) {
        /* Nothing ever waits for a file: again and again, until signals have come. */
        start_storm();
        while (counted(interruptions) < SIGNALS)
            if (cell.call == WRITEN) {
                struct writing writing = start_writing(text, LARGE_MESSAGE, 4096, 0, round++);

                start_drainer(&writing);
                write_all(&writing, LARGE_MESSAGE);
                expect_arrival(&writing);
            } else {
                struct reading reading = start_reading(text, round++);

                feed(reading.stream.there, text, LARGE_MESSAGE);
                read_all(&reading, LARGE_MESSAGE);
                expect_end(&reading);
                close_stream(&reading.stream);
            }
        end_storm();
    } else if (cell.call == WRITEN) {
        struct writing writing = start_writing(text, LARGE_MESSAGE, 4096, 2000, 3);

        make_buffers_small(&writing.stream);
        writing.drainer.interruptions = SIGNALS;
        start_drainer(&writing);
        start_storm();
        write_all(&writing, LARGE_MESSAGE);
        end_storm();
        expect_arrival(&writing);
    } else {
        struct reading reading = start_reading(text, 3);
        struct peer feeder = {.stream = &reading.stream, .text = text, .n = MESSAGE, .most = 2000,
                              .pause_us = 2000, .interruptions = SIGNALS};

        start_storm();
        start_peer(&feeder, be_feeder);
        read_all(&reading, MESSAGE);
        end_storm();
        end_peer(&feeder);
        close_stream(&reading.stream);
    }
    EXPECT(interruptions >= SIGNALS);
    free(text);
}

/* ---- Timeouts ---- */

/* In a storm there has to be time for some signals. */
#define LIMIT_MS (cell.fault == RECEIVE_TIMEOUT || cell.fault == SEND_TIMEOUT ? 20 : 50)

/* Where the first part of a message ends: the timeout runs out behind it. */
static const size_t splits[] = {1, 50, RIO_BUFSIZE, RIO_BUFSIZE + 1, 20000};
#define SPLITS (sizeof splits / sizeof *splits)

/* The first time nothing is done: the timeout runs out once more. After that there is none. */
static void feed_the_rest(struct reading *reading)
{
    if (reading->failures != 2)
        return;
    limit_ms(reading->stream.here, SO_RCVTIMEO, 0);
    feed(reading->stream.there, reading->text + reading->fed, MESSAGE - reading->fed);
    reading->fed = MESSAGE;
}

/* What is ahead takes one call, which needs more than has been sent. */
static void run_receive_timeout(int in_storm)
{
    size_t i;

    for (i = 0; i < SPLITS; i++) {
        char *text = text_of(2 * MESSAGE, 1); /* its first line: one message */
        struct reading reading = start_reading(text, 6);
        long start;

        text[MESSAGE - 1] = '\n';
        reading.error = EAGAIN;
        reading.on_failure = feed_the_rest;
        reading.fed = splits[i];
        limit_ms(reading.stream.here, SO_RCVTIMEO, LIMIT_MS);
        feed(reading.stream.there, text, splits[i]);
        if (in_storm)
            start_storm();
        start = now_ms();
        while (reading.failures == 0)
            read_once(&reading, MESSAGE);
        EXPECT(now_ms() - start >= LIMIT_MS - 1);
        /* A call that is suspended wants the very same count again. */
        reading.turn = 6;
        read_all(&reading, MESSAGE);
        if (in_storm)
            end_storm();
        EXPECT_IS(reading.failures, 2);
        close_there(&reading.stream);
        expect_end(&reading);
        close_stream(&reading.stream);
        free(text);
    }
}

enum { FLOOD = 4 << 20 };

/* The peer reads only after the timeout has run out. */
static void run_send_timeout(int in_storm)
{
    char *text = text_of(FLOOD, 0), *buf = malloc(FLOOD);
    struct writing writing = start_writing(text, FLOOD, 4096, 0, 0);
    size_t came = 0;
    long count, start;
    int round, under_way;

    make_buffers_small(&writing.stream);
    limit_ms(writing.stream.here, SO_SNDTIMEO, LIMIT_MS);
    if (in_storm)
        start_storm();
    for (round = 0; round < 2; round++) {
        start = now_ms();
        errno = UNTOUCHED;
        EXPECT_IS(rio_writen(writing.stream.here, text, FLOOD), -1);
        EXPECT_IS(errno, EAGAIN);
        EXPECT(now_ms() - start >= LIMIT_MS - 1);
        /* What went is a part of the message from its start, once. */
        came = 0;
        do {
            EXPECT_IS(ioctl(writing.stream.here, SIOCOUTQ, &under_way), 0);
            while ((count = recv(writing.stream.there, buf + came, FLOOD - came, MSG_DONTWAIT)) > 0)
                came += (size_t)count;
            EXPECT(count == -1 && errno == EAGAIN);
        } while (under_way > 0);
        EXPECT(came > 0 && came < FLOOD);
        EXPECT(memcmp(buf, text, came) == 0);
    }
    if (in_storm)
        end_storm();
    /* The rest goes through, whenever there is room. */
    limit_ms(writing.stream.here, SO_SNDTIMEO, 0);
    writing.at = writing.drainer.came = came;
    start_drainer(&writing);
    write_all(&writing, FLOOD);
    expect_arrival(&writing);
    free(buf);
    free(text);
}

/* ---- Ends ---- */

/* A terminal's end is a key, and it knows lines: none of their bytes may mean something to it. */
static void run_end_of_terminal(void)
{
    static const char text[] = "first\n\nthird line\nand the last has no end";
    struct reading reading = start_reading(text, 6);
    struct termios mode;
    int round;

    EXPECT_IS(tcgetattr(reading.stream.here, &mode), 0);
    mode.c_lflag |= ICANON;
    mode.c_cc[VEOF] = 4;
    EXPECT_IS(tcsetattr(reading.stream.here, TCSANOW, &mode), 0);
    for (round = 0; round < 3; round++) { /* it is not sticky */
        reading.at = 0;
        feed(reading.stream.there, text, sizeof text - 1);
        feed(reading.stream.there, "\4\4", 2);
        if (cell.call == READLINEB) {
            while (reading.at < sizeof text - 1) {
                reading.turn = 7; /* more than a line */
                read_once(&reading, sizeof text - 1);
            }
            expect_end(&reading);
        } else {
            char *buf = user_buffer(sizeof text + 9, "##################################################");
            size_t got;

            EXPECT_IS(read_in_the_end(reading.stream.here, reading.rio, buf, sizeof text + 9, &got),
                      sizeof text - 1);
            EXPECT_IS(errno, UNTOUCHED);
            EXPECT(memcmp(buf, text, sizeof text - 1) == 0);
        }
    }
    close_stream(&reading.stream);
}

/* The stream ends after `n` bytes of a text whose lines go on behind them. */
static void run_end(void)
{
    static const size_t ends[] = {0, 1, 100, RIO_BUFSIZE - 1, RIO_BUFSIZE, RIO_BUFSIZE + 1, 20000};
    size_t i;

    if (cell.stream == PTY) {
        run_end_of_terminal();
        return;
    }
    for (i = 0; i < 2 * sizeof ends / sizeof *ends; i++) {
        size_t n = ends[i / 2];
        char *text = text_of(MESSAGE, (int)(i % 2));
        struct reading reading = start_reading(text, i);

        text[n] = 'x';
        if (n > 0)
            text[n - 1] = 'y';
        feed(reading.stream.there, text, n);
        if (cell.stream != REGULAR)
            close_there(&reading.stream);
        if (n > 0 && cell.call != READLINEB) {
            /* More is asked for than there is. */
            char *buf = user_buffer(n + 5, text);
            size_t got;

            EXPECT_IS(read_in_the_end(reading.stream.here, reading.rio, buf, n + 5, &got), n);
            EXPECT_IS(errno, UNTOUCHED);
            EXPECT(memcmp(buf, text, n) == 0);
            for (reading.at = n; reading.at < n + 5; reading.at++)
                EXPECT_IS(buf[reading.at], (char)~text[reading.at]);
            reading.at = n;
        }
        read_all(&reading, n);
        expect_end(&reading);
        expect_end(&reading);
        if (cell.stream == REGULAR) { /* a file may grow */
            feed(reading.stream.there, text + n, MESSAGE - n);
            read_all(&reading, MESSAGE);
            expect_end(&reading);
        }
        close_stream(&reading.stream);
        free(text);
    }
}

/* Closes the peer's end so that its connection, if it is one, is reset. */
static void vanish(struct peer *peer)
{
    struct linger at_once = {1, 0};

    if (cell.call != WRITEN)
        while (counted(faults.moved[READS]) < peer->n) /* in the middle of the message: all before it was taken */
            sleep_us(200);
    if (cell.stream == TCP)
        EXPECT_IS(setsockopt(peer->stream->there, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(peer->stream->there);
    peer->stream->there = -1;
}

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int signum)
{
    (void)signum;
    sigpipes++;
}

/* A pipe without a reader raises SIGPIPE, as usual; connections and terminals tell by errno alone. */
static void run_write_to_vanishing_peer(void)
{
    static const size_t before[] = {1, 5000, 100000};
    char *text = text_of(FLOOD, 0);
    size_t i;

    signal(SIGPIPE, count_sigpipe);
    for (i = 0; i < 3; i++) {
        struct writing writing = start_writing(text, before[i], 4096, 0, 0);
        size_t moved, gone = 0;
        int again;

        writing.drainer.ending = vanish;
        make_buffers_small(&writing.stream); /* so that what nobody takes does not fit into them */
        sigpipes = 0;
        start_drainer(&writing);
        while (is_late(write_by(writing.stream.here, text + gone, FLOOD - gone, &moved)))
            gone += moved;
        if (cell.stream == PTY)
            EXPECT_IS(errno, EIO);
        else if (cell.stream == PIPE)
            EXPECT_IS(errno, EPIPE);
        else
            EXPECT(errno == EPIPE || errno == ECONNRESET);
        /* A write that had put something into the pipe has raised one as well. */
        EXPECT(cell.stream == PIPE ? sigpipes > 0 : sigpipes == 0);
        end_peer(&writing.drainer);
        EXPECT_IS(writing.drainer.came, before[i]);
        for (again = 0; again < 3; again++) {
            sigpipes = 0;
            EXPECT_IS(write_by(writing.stream.here, text, 10, &moved), -1);
            EXPECT_IS(moved, 0);
            EXPECT_IS(errno, cell.stream == PTY ? EIO : EPIPE);
            EXPECT_IS(sigpipes, cell.stream == PIPE);
        }
        close_stream(&writing.stream);
    }
    free(text);
}

static struct fault only_counted(const struct call *call)
{
    (void)call;
    return (struct fault){SHORT, SIZE_MAX};
}

/* The peer goes in the middle of a message; all that had come is there for the next call. */
static void run_read_from_vanishing_peer(void)
{
    size_t i;
    int unread;

    for (i = 0; i < SPLITS; i++)
        for (unread = 0; unread < 2; unread++) { /* so a socketpair's end is a reset as well */
            char *text = text_of(2 * MESSAGE, 1), *buf = user_buffer(MESSAGE + 1, text);
            struct reading reading = start_reading(text, 6);
            struct peer feeder = {.stream = &reading.stream, .text = text, .n = splits[i],
                                  .most = MESSAGE, .ending = vanish};
            int is_reset = cell.stream == TCP || (cell.stream == SOCKETPAIR && unread);
            size_t n = splits[i], claim = cell.call == READLINEB ? MESSAGE + 1 : MESSAGE, got;
            ssize_t result;

            if (unread && (cell.stream == SOCKETPAIR || cell.stream == TCP))
                feed(reading.stream.here, "never read", 10);
            __atomic_store_n(&faults.moved[READS], 0, __ATOMIC_SEQ_CST);
            start_peer(&feeder, be_feeder);
            follow_plan(only_counted);
            result = read_in_the_end(reading.stream.here, reading.rio, buf, claim, &got);
            if (is_reset) {
                EXPECT_IS(result, -1);
                EXPECT_IS(errno, ECONNRESET);
                if (cell.call != READN)
                    result = read_in_the_end(reading.stream.here, reading.rio, buf, claim, &got);
            }
            if (result == -1) { /* an unbuffered call; rio_readn has no room to say what had come */
                EXPECT_IS(cell.call, READN);
                EXPECT(cell.limit == NO_LIMIT || got == n);
            } else {
                EXPECT_IS(result, n);
                EXPECT_IS(errno, UNTOUCHED);
            }
            EXPECT(memcmp(buf, text, n) == 0);
            if (cell.call == READLINEB)
                EXPECT_IS(buf[n++], '\0');
            for (; n < MESSAGE; n++)
                EXPECT_IS(buf[n], (char)~text[n]);
            end_peer(&feeder);
            expect_end(&reading);
            close_stream(&reading.stream);
            free(text);
        }
}

/* ---- The checked calls that wait for a socket ---- */

static long checked_read(int fd, char *buf, size_t n)
{
    return Read(fd, buf, n);
}

static long checked_write(int fd, char *buf, size_t n)
{
    return Write(fd, buf, n);
}

static long checked_accept(int fd, char *buf, size_t n)
{
    (void)buf;
    (void)n;
    return Accept(fd, NULL, NULL);
}

static void expect_timeout_in_storm(int fd, int option, long (*call)(int, char *, size_t))
{
    static char buf[65536];
    long result, start;

    csapp_set_error_handler(csapp_error_return);
    limit_ms(fd, option, LIMIT_MS);
    start_storm();
    start = now_ms();
    do {
        errno = UNTOUCHED;
        result = call(fd, buf, sizeof buf);
    } while (result > 0); /* a socket takes something before it is full */
    end_storm();
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_ge(now_ms() - start, LIMIT_MS - 1);
    ck_assert_int_gt(interruptions, 0);
}

START_TEST(signals_do_not_put_off_the_timeout_of_Read)
{
    int ends[2];

    socket_pair(ends);
    expect_timeout_in_storm(ends[0], SO_RCVTIMEO, checked_read);
}
END_TEST

START_TEST(signals_do_not_put_off_the_timeout_of_Write)
{
    int ends[2];

    socket_pair(ends);
    expect_timeout_in_storm(ends[0], SO_SNDTIMEO, checked_write);
}
END_TEST

START_TEST(signals_do_not_put_off_the_timeout_of_Accept)
{
    expect_timeout_in_storm(listening_server(1).fd, SO_RCVTIMEO, checked_accept);
}
END_TEST

/* ---- The matrix ---- */

static void run_cell(void)
{
    switch (cell.fault) {
    case EINTR_AT_EVERY_CALL:
        run_plan(interrupted_mostly, leave_as_is, 0);
        break;
    case SIGNALS_AT_1_KHZ:
        run_storm();
        break;
    case SHORT_TRANSFERS:
        run_plan(ever_longer, leave_as_is, 0);
        break;
    case DRIBBLING_PEER:
        run_with_peer(5000, 7, 50, leave_as_is, 0);
        break;
    case TINY_BUFFERS:
        /* TCP's windows open slowly then. */
        run_with_peer(cell.stream == TCP ? MESSAGE / 8 : MESSAGE, 4096, 0, make_buffers_tiny, 0);
        break;
    case NONBLOCK_SLOW_PEER:
        run_with_peer(LARGE_MESSAGE, 20000, 1000, make_here_nonblocking, EAGAIN);
        break;
    case NONBLOCK_EAGAIN:
        run_plan(not_ready_at_first, make_here_nonblocking,
                 cell.call == READN || cell.call == WRITEN || cell.limit != NO_LIMIT ? 0 : EAGAIN);
        break;
    case NONBLOCK_POLL_FAILS:
        run_plan(not_ready_and_no_wait, make_here_nonblocking, ENOMEM);
        break;
    case RECEIVE_TIMEOUT:
    case RECEIVE_TIMEOUT_IN_STORM:
        run_receive_timeout(cell.fault == RECEIVE_TIMEOUT_IN_STORM);
        break;
    case SEND_TIMEOUT:
    case SEND_TIMEOUT_IN_STORM:
        run_send_timeout(cell.fault == SEND_TIMEOUT_IN_STORM);
        break;
    case EIO_IN_MID_MESSAGE:
        run_plan(each_third_is_EIO, leave_as_is, EIO);
        break;
    case ECONNRESET_IN_MID_MESSAGE:
        run_plan(each_third_is_ECONNRESET, leave_as_is, ECONNRESET);
        break;
    case EOF_IN_MID_LINE:
        run_end();
        break;
    case WRITE_OF_0:
        run_plan(each_third_moves_nothing, leave_as_is, ENOSPC);
        break;
    default:
        if (cell.call == WRITEN)
            run_write_to_vanishing_peer();
        else
            run_read_from_vanishing_peer();
    }
}

static int has_terminals(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), is_there = master != -1 && unlockpt(master) == 0;

    if (master != -1)
        close(master);
    return is_there;
}

/* The test of every cell; _i says which. */
START_TEST(a_call_on_a_stream_under_a_fault)
{
    cell.call = columns[_i % COLUMNS].call;
    cell.limit = columns[_i % COLUMNS].limit;
    cell.stream = (enum which_stream)(_i / COLUMNS % STREAMS);
    cell.fault = (enum which_fault)(_i / COLUMNS / STREAMS);
    snprintf(cell.name, sizeof cell.name, "%s/%s/%s", columns[_i % COLUMNS].name,
             stream_names[cell.stream], fault_names[cell.fault]);
    if (cell.stream == PTY && !has_terminals())
        printf("SKIPPED: %s: no pseudo-terminals here\n", cell.name);
    else
        run_cell();
}
END_TEST

/* Adds a test for each cell with these calls, under the cell's name; CELL=TEXT in the environment: only for those
   with that text in it. Returns how many those are. */
static int add_cells(TCase *tests, int limit)
{
    static TTest cells[FAULTS * STREAMS * COLUMNS];
    const char *wish = getenv("CELL");
    int ran = 0, i;

    for (i = 0; i < FAULTS * STREAMS * COLUMNS; i++) {
        char name[96];
        enum which_stream stream = (enum which_stream)(i / COLUMNS % STREAMS);
        enum which_fault fault = (enum which_fault)(i / COLUMNS / STREAMS);

        if ((int)columns[i % COLUMNS].limit != limit || why_left_out(&columns[i % COLUMNS], stream, fault) != NULL)
            continue;
        snprintf(name, sizeof name, "%s/%s/%s", columns[i % COLUMNS].name, stream_names[stream],
                 fault_names[fault]);
        if (wish != NULL && strstr(name, wish) == NULL)
            continue;
        cells[i] = *a_call_on_a_stream_under_a_fault;
        cells[i].name = strdup(name);
        tcase_add_loop_test(tests, &cells[i], i, i + 1);
        ran++;
    }
    return ran;
}

int main(void)
{
    static const int limits[] = {NO_LIMIT, AT_ONCE, SHORT_LIMIT, LONG_LIMIT};
    TCase *tests[] = {tcase_create("without_limit"), tcase_create("at_once"), tcase_create("in_2_ms"),
                      tcase_create("in_a_minute")};
    int ran = 0, i;

    for (i = 0; i < 4; i++) {
        tcase_set_timeout(tests[i], 60);
        tcase_add_test(tests[i], faults_can_be_made);
        ran += add_cells(tests[i], limits[i]);
    }
    tcase_add_test(tests[0], signals_do_not_put_off_the_timeout_of_Read);
    tcase_add_test(tests[0], signals_do_not_put_off_the_timeout_of_Write);
    tcase_add_test(tests[0], signals_do_not_put_off_the_timeout_of_Accept);
    printf("%d cells of %d; without meaning are:\n", ran, FAULTS * STREAMS * COLUMNS);
    for (i = 0; i < COUNT(left_out); i++)
        printf("  %s: %s\n", fault_names[left_out[i].fault], left_out[i].why);
    fflush(stdout);
    return run_cases("faults", tests, COUNT(tests));
}
