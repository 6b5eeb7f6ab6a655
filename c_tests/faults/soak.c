/* Many bytes through the four calls while both ends are full of faults: errors, short transfers,
   interruptions, timeouts and repeated calls, from a seeded generator. Every byte is compared with what
   belongs at its place, so that one that is lost, doubled or moved shows. A test is an episode: one
   stream with a sender and a receiver, each in a process of its own.

   make check-long moves more than 10 GB (10^10 bytes), make check a hundredth part of that. */
#define _GNU_SOURCE
#include "streams.h"
#include "tcp.h"
#include "faults.h"
#include <netinet/tcp.h>
#include <stdint.h>

enum { EPISODES = 160 };

/* ---- The bytes ---- */

enum { CHUNK = 200000, WINDOW = 1 << 20 };

/* How lines lie in the bytes. */
enum style { RANDOM_LINES, LINES_OF_128, LINES_OF_20000 };

static uint64_t word_at(uint64_t index, uint64_t seed, enum style style)
{
    uint64_t word = (index + seed) * 0x9e3779b97f4a7c15u;
    uint64_t words_in_line = style == LINES_OF_128 ? 16 : 2500;

    word ^= word >> 29;
    if (style == RANDOM_LINES) /* each 256th byte or so is a newline */
        return word;
    word |= 0x8080808080808080u;
    return index % words_in_line == 0 ? (word & ~(uint64_t)255) | '\n' : word;
}

/* The bytes from some place on: a window that moves on with it. */
struct bytes {
    uint64_t seed, start;
    enum style style;
    int is_filled;
    uint64_t words[(WINDOW + CHUNK) / 8 + 1];
};

/* The bytes at `at`, CHUNK of them at least. */
static const char *bytes_at(struct bytes *bytes, uint64_t at)
{
    size_t i;

    if (!bytes->is_filled || at < bytes->start || at - bytes->start > WINDOW) {
        bytes->start = at & ~(uint64_t)7;
        bytes->is_filled = 1;
        for (i = 0; i < sizeof bytes->words / 8; i++)
            bytes->words[i] = word_at(bytes->start / 8 + i, bytes->seed, bytes->style);
    }
    return (const char *)bytes->words + (at - bytes->start);
}

/* ---- Episodes ---- */

enum method { BY_READN, BY_READNB, BY_READLINEB, BY_BOTH_BUFFERED, METHODS };
enum limited { NEVER, ALWAYS, AT_TIMES }; /* which calls have a time limit of their own, which keeps running out */
enum stream { PIPE, SOCKETPAIR, TCP, STREAMS };

struct episode {
    uint64_t seed, size;
    enum method method;
    enum stream stream;
    enum style style;
    enum limited limited;
    int is_nonblocking[2]; /* the receiver's end, the sender's */
    int has_limit[2];      /* the same */
};

/* What all episodes did; the processes share it. */
static struct totals {
    unsigned long long moved, failed, shortened, ended, signals, late, interrupted;
} *totals;

static uint64_t random_state;

/* xorshift64 */
static uint64_t any(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 11;
}

static struct episode episode_of(int number)
{
    struct episode episode;

    memset(&episode, 0, sizeof episode);
    random_state = episode.seed = ((uint64_t)number + 1) * 0x9e3779b97f4a7c15u;
    episode.size = (is_long_run() ? 63000000 : 5000000) + any() % 100000;
    episode.method = (enum method)(number % METHODS);
    episode.stream = (enum stream)(number / METHODS % STREAMS);
    episode.style = (enum style)(any() % 3);
    episode.limited = (enum limited)(number / METHODS / STREAMS % 3);
    episode.is_nonblocking[0] = any() % 4 == 0;
    episode.is_nonblocking[1] = any() % 4 == 0;
    episode.has_limit[0] = episode.stream != PIPE && any() % 2;
    episode.has_limit[1] = episode.stream != PIPE && any() % 2;
    return episode;
}

/* ---- The faults: each process has a plan, with random numbers of its own ---- */

static uint64_t plan_state;
static int may_pass;       /* calls may also be left to the kernel, so that signals interrupt them */
static int planned_error;  /* what the last failure except EINTR was */

static uint64_t any_for_plan(void)
{
    plan_state ^= plan_state << 13;
    plan_state ^= plan_state >> 7;
    plan_state ^= plan_state << 17;
    return plan_state >> 11;
}

static struct fault failure(int reason)
{
    __atomic_store_n(&planned_error, reason, __ATOMIC_SEQ_CST);
    return (struct fault){FAIL, (size_t)reason};
}

static struct fault anything(const struct call *call)
{
    uint64_t number = any_for_plan(), choice = number % 256;

    number /= 256;
    if (choice < 16)
        return (struct fault){FAIL, EINTR};
    if (call->purpose == WAITS)
        return (struct fault){PASS, 0};
    if (choice < 20)
        return failure(EIO);
    if (choice < 24)
        return failure(ECONNRESET);
    if (choice < 28 && call->purpose == WRITES) {
        failure(ENOSPC);
        return (struct fault){ZERO, 0};
    }
    if (choice < 60)
        return (struct fault){SHORT, 1 + number % 100};
    if (choice < 120)
        return (struct fault){SHORT, 1 + number % 5000};
    if (choice < 160 && may_pass)
        return (struct fault){PASS, 0};
    return (struct fault){SHORT, 1 + number % 50000};
}

static void begin_faults(const struct episode *episode, int side)
{
    plan_state = episode->seed ^ (side ? 0x5555555555555555u : 0);
    may_pass = side == 0 && episode->method != BY_READN; /* the others must know how much has gone */
    follow_plan(anything);
    start_storm();
}

static void end_faults(void)
{
    end_storm();
    follow_plan(NULL);
    __atomic_fetch_add(&totals->failed, counted(faults.failed), __ATOMIC_RELAXED);
    __atomic_fetch_add(&totals->shortened, counted(faults.shortened), __ATOMIC_RELAXED);
    __atomic_fetch_add(&totals->signals, (unsigned)interruptions, __ATOMIC_RELAXED);
}

/* The limit of the next call, in milliseconds; NO_LIMIT: it is one of the book's. */
#define NO_LIMIT (-2)

static int any_limit(const struct episode *episode)
{
    static const int limits[] = {0, 0, 1, 2, 5, -1};

    if (episode->limited == NEVER || (episode->limited == AT_TIMES && any() % 2))
        return NO_LIMIT;
    return limits[any() % 6];
}

/* A call has failed, as it may: by an error of the plan, or because it waited long enough; one with a limit also because
   of a signal. */
static int is_expected(const struct episode *episode, int side, int limit)
{
    int planned = __atomic_exchange_n(&planned_error, 0, __ATOMIC_SEQ_CST);

    __atomic_fetch_add(&totals->ended, 1, __ATOMIC_RELAXED);
    if (planned != 0)
        return errno == planned;
    if (limit != NO_LIMIT) {
        __atomic_fetch_add(errno == EINTR ? &totals->interrupted : &totals->late, 1, __ATOMIC_RELAXED);
        return errno == EINTR || (errno == ETIMEDOUT && limit >= 0);
    }
    return errno == EAGAIN
           && (episode->has_limit[side]
               || (side == 0 && episode->is_nonblocking[0] && episode->method != BY_READN));
}

/* A count: 1 at the least, CHUNK at the most. */
static size_t any_count(void)
{
    static const size_t most[] = {300, 20000, 20000, CHUNK};

    return 1 + any() % most[any() % 4];
}

/* A call has succeeded: so no error of the plan's can have been on its way. */
static int is_none_kept_quiet(void)
{
    return __atomic_load_n(&planned_error, __ATOMIC_SEQ_CST) == 0;
}

static void stall_at_times(void)
{
    if (any() % 512 == 0)
        sleep_ms(4);
}

/* ---- The two ends ---- */

struct sender {
    const struct episode *episode;
    int fd;
};

static int send_all(void *arg)
{
    static struct bytes bytes;
    const struct sender *sender = arg;
    const struct episode *episode = sender->episode;
    uint64_t at = 0;

    bytes.seed = episode->seed;
    bytes.style = episode->style;
    begin_faults(episode, 1);
    while (at < episode->size) {
        size_t n = any_count(), before = counted(faults.moved[WRITES]), told = 0;
        int limit = any_limit(episode);
        ssize_t result;

        if (n > episode->size - at)
            n = episode->size - at;
        stall_at_times();
        errno = UNTOUCHED;
        result = limit == NO_LIMIT ? rio_writen(sender->fd, bytes_at(&bytes, at), n)
                                   : csapp_writen(sender->fd, bytes_at(&bytes, at), n, limit, &told);
        if (result == -1) {
            if (!is_expected(episode, 1, limit))
                return 1;
            n = counted(faults.moved[WRITES]) - before; /* then goes on behind it */
            if (limit != NO_LIMIT && told != n)
                return 5;
        } else if (result != (ssize_t)n || errno != UNTOUCHED || !is_none_kept_quiet()) {
            return 2;
        } else if (counted(faults.moved[WRITES]) - before != n) {
            return 3;
        }
        at += n;
    }
    end_faults();
    return at == episode->size ? 0 : 4;
}

static void expect(int condition, const char *what, int number, uint64_t at)
{
    if (!condition)
        ck_abort_msg("episode %d, byte %llu: %s (errno %d)", number, (unsigned long long)at, what,
                     errno);
}

static void receive_all(const struct episode *episode, int number, int fd)
{
    static struct bytes bytes;
    static rio_t rio;
    char *end = before_guard_page(CHUNK + 1) + CHUNK + 1;
    uint64_t at = 0;

    bytes.seed = episode->seed;
    bytes.style = episode->style;
    rio_readinitb(&rio, fd);
    while (at < episode->size) {
        size_t n = any_count(), len, before, claim, told = 0;
        int limit;
        enum method method = episode->method;
        const char *expected = bytes_at(&bytes, at), *newline;
        char *buf;
        ssize_t result;

        if (method == BY_BOTH_BUFFERED)
            method = any() % 4 ? BY_READLINEB : BY_READNB;
        if (n > episode->size - at)
            n = episode->size - at;
        stall_at_times();
        len = claim = n;
        if (method == BY_READLINEB) {
            newline = memchr(expected, '\n', n);
            len = newline ? (size_t)(newline - expected) + 1 : n;
            claim = n + 1;
        }
        /* Just what is needed, whatever the call is told, before a page that may not be touched. */
        buf = end - len - (method == BY_READLINEB);
        for (;;) {
            before = counted(faults.moved[READS]);
            limit = any_limit(episode);
            errno = UNTOUCHED;
            result = method == BY_READN ? (limit == NO_LIMIT ? rio_readn(fd, buf, n)
                                                             : csapp_readn(fd, buf, n, limit, &told))
                     : method == BY_READNB ? (limit == NO_LIMIT ? rio_readnb(&rio, buf, n)
                                                                : csapp_readnb(&rio, buf, n, limit))
                     : limit == NO_LIMIT   ? rio_readlineb(&rio, buf, claim)
                                           : csapp_readlineb(&rio, buf, claim, limit);
            if (result != -1)
                break;
            expect(is_expected(episode, 0, limit), "an error that nobody made", number, at);
            if (method == BY_READN) {
                len = counted(faults.moved[READS]) - before;
                expect(len <= n, "too much has come", number, at);
                expect(limit == NO_LIMIT || told == len, "it tells another number than has come", number, at);
                break;
            }
            if (errno == EAGAIN)
                poll(&(struct pollfd){fd, POLLIN, 0}, 1, 1000);
            if (rio.rio_cnt >= 0 && any() % 2) { /* it need not be the same call */
                len = 0;
                break;
            }
        }
        if (result != -1) {
            expect(is_none_kept_quiet(), "an error was kept quiet", number, at);
            expect(errno == UNTOUCHED, "success changed errno", number, at);
            expect(result == (ssize_t)len, "the count is wrong", number, at);
            expect(method != BY_READLINEB || buf[len] == '\0', "there is no NUL", number, at);
        }
        expect(memcmp(buf, expected, len) == 0, "it is not the bytes that belong there", number, at);
        at += len;
    }
    end_faults();
    if (episode->has_limit[0]) /* the sender may take its time to end */
        limit_ms(fd, SO_RCVTIMEO, 0);
    expect(rio_readn(fd, end - 1, 1) == 0, "more comes than was sent", number, at);
    expect(rio.rio_cnt == 0, "more came than was sent", number, at);
}

static void open_stream(enum stream stream, int ends[2])
{
    struct server server;
    int yes = 1;

    switch (stream) {
    case PIPE:
        pipe_pair(ends);
        break;
    case SOCKETPAIR:
        socket_pair(ends);
        break;
    default:
        server = listening_server(1);
        ends[1] = socket(AF_INET, SOCK_STREAM, 0);
        ck_assert_int_eq(connect(ends[1], (SA *)&server.address, sizeof server.address), 0);
        ends[0] = accept(server.fd, NULL, NULL);
        ck_assert_int_ne(ends[0], -1);
        ck_assert_int_eq(setsockopt(ends[1], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes), 0);
        close(server.fd);
    }
}

START_TEST(every_byte_arrives_once_whatever_happens)
{
    struct episode episode = episode_of(_i);
    struct sender sender;
    int ends[2], side;
    pid_t pid;

    open_stream(episode.stream, ends);
    for (side = 0; side < 2; side++) {
        ends[side] = choose(ends[side]);
        if (episode.is_nonblocking[side])
            make_nonblocking(ends[side]);
        if (episode.has_limit[side])
            limit_ms(ends[side], side ? SO_SNDTIMEO : SO_RCVTIMEO, 2);
    }
    sender.episode = &episode;
    sender.fd = ends[1];
    pid = in_child(send_all, &sender);
    close(ends[1]);
    begin_faults(&episode, 0);
    receive_all(&episode, _i, ends[0]);
    ck_assert_int_eq(status_of(pid), 0);
    __atomic_fetch_add(&totals->moved, episode.size, __ATOMIC_RELAXED);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("soak");
    int status;

    totals = mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        return EXIT_FAILURE;
    tcase_set_timeout(tests, is_long_run() ? 600 : 120);
    tcase_add_test(tests, faults_can_be_made);
    tcase_add_loop_test(tests, every_byte_arrives_once_whatever_happens, 0,
                        is_long_run() ? EPISODES : EPISODES / 8);
    status = run_suite("soak", tests);
    printf("%llu bytes moved under %llu failing calls, %llu short ones and %llu signals; "
           "%llu times a call ended by an error and was repeated, %llu of them for want of time, %llu by a signal\n",
           totals->moved, totals->failed, totals->shortened, totals->signals, totals->ended, totals->late,
           totals->interrupted);
    return status;
}
