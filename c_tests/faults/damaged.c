/* A rio_t that was never initialised, is a copy or has been written over: whatever its fields say, a
   call answers with an errno, or with bytes that came through it; it does not crash and touches
   nothing but the rio_t and the caller's buffer. Both lie in front of pages that may not be touched. */
#define _GNU_SOURCE
#include "streams.h"
#include <limits.h>
#include <stdint.h>

#define ROOM 40000     /* the largest count of a call */
#define GATHERED 20000 /* what a call that could not put it back has gathered */
#define WATCHED 64     /* bytes in front of the reader and of the buffer that have to stay */
#define WATCH 0xC5     /* what they are */
#define NEVER '#'      /* what is in the buffer and comes from nowhere */

static rio_t *reader;
static unsigned char *before_reader;
static char *end_of_buffer; /* the buffer of n bytes starts n before it */
static int sources[6];      /* descriptors: nothing yet, the end, endless, none, none, a directory */

/* The numbers that follow from the place of a test in its loop. */
static uint64_t state;

static uint64_t next_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t one_of(size_t count)
{
    return (size_t)(next_number() % count);
}

#define ANY_OF(table) (table)[one_of(sizeof(table) / sizeof *(table))]

static void make_places(void)
{
    int ends[2];

    before_reader = (unsigned char *)before_guard_page(sizeof *reader + WATCHED);
    reader = (rio_t *)(before_reader + WATCHED);
    end_of_buffer = before_guard_page(ROOM + WATCHED) + ROOM + WATCHED;
    socket_pair(ends);
    make_nonblocking(ends[0]);
    sources[0] = ends[0];
    sources[1] = open("/dev/null", O_RDONLY);
    sources[2] = open("/dev/zero", O_RDONLY);
    sources[3] = -1;
    sources[4] = INT_MAX;
    sources[5] = open("/", O_RDONLY);
}

/* What a reader may have been before the damage. */
enum kind { FRESH, PART_READ, IN_LINE, IN_COUNT, NEVER_INITIALISED, NOISE, KINDS };

static ssize_t call(int by_line, char *buf, size_t n)
{
    return by_line ? rio_readlineb(reader, buf, n) : rio_readnb(reader, buf, n);
}

/* Makes the reader one of these. A suspended one has GATHERED bytes in the whole buffer. */
static void make_anew(enum kind kind)
{
    static char text[GATHERED];
    char *buf = end_of_buffer - ROOM;
    int ends[2];
    size_t i;

    memset(before_reader, WATCH, WATCHED);
    memset(buf - WATCHED, WATCH, WATCHED);
    memset(buf, NEVER, ROOM);
    memset(reader, 'u', sizeof *reader);
    memset(text, 'x', sizeof text);
    switch (kind) {
    case FRESH:
        rio_readinitb(reader, sources[0]);
        break;
    case PART_READ:
        text[99] = text[5000] = '\n';
        socket_pair(ends);
        send_bytes(ends[1], text, 6000);
        rio_readinitb(reader, ends[0]);
        ck_assert_int_eq(rio_readlineb(reader, buf, ROOM), 100);
        close(ends[0]);
        close(ends[1]);
        memset(buf, NEVER, ROOM);
        break;
    case IN_LINE:
    case IN_COUNT:
        socket_pair(ends);
        make_nonblocking(ends[0]);
        rio_readinitb(reader, ends[0]);
        send_bytes(ends[1], text, GATHERED);
        ck_assert_int_eq(call(kind == IN_LINE, buf, ROOM), -1);
        ck_assert_int_lt(reader->rio_cnt, 0);
        close(ends[0]);
        close(ends[1]);
        break;
    case NEVER_INITIALISED:
        memset(reader, NEVER + 1 + (int)one_of(255), sizeof *reader); /* any other byte */
        break;
    default:
        for (i = 0; i < sizeof *reader; i++)
            ((unsigned char *)reader)[i] = (unsigned char)next_number();
    }
    reader->rio_fd = sources[0];
}

/* The same, from a copy where there is one already: at the same address it is as good. */
static void make(enum kind kind)
{
    static struct {
        int is_there;
        rio_t reader;
        char buf[WATCHED + ROOM];
    } copies[KINDS];
    char *start = end_of_buffer - ROOM - WATCHED;

    if (copies[kind].is_there && kind != NEVER_INITIALISED && kind != NOISE) {
        memcpy(reader, &copies[kind].reader, sizeof *reader);
        memcpy(start, copies[kind].buf, sizeof copies[kind].buf);
        return;
    }
    make_anew(kind);
    memcpy(&copies[kind].reader, reader, sizeof *reader);
    memcpy(copies[kind].buf, start, sizeof copies[kind].buf);
    copies[kind].is_there = 1;
}

/* Writes over one field of the reader, or over a part of what it keeps in its empty buffer. */
static void damage(void)
{
    static const int counts[] = {INT_MIN, -8192, -4, -3, -2, -1, 0, 1, 8191, 8192, 8193, INT_MAX};
    static const size_t sizes[] = {0, 1, 8191, 8192, 8193, GATHERED - 1, GATHERED + 1, 30000, ROOM - 1,
                                   ROOM, ROOM + 1, SSIZE_MAX, (size_t)SSIZE_MAX + 1, SIZE_MAX};
    char *const places[] = {NULL, (char *)1, (char *)-1, reader->rio_buf - 1, reader->rio_buf,
                            reader->rio_buf + 1, reader->rio_buf + 4000, reader->rio_buf + 8191,
                            reader->rio_buf + 8192, reader->rio_buf + 8193, (char *)reader,
                            end_of_buffer - ROOM, end_of_buffer - ROOM - 1, end_of_buffer - 100,
                            end_of_buffer, (char *)(uintptr_t)next_number()};
    char *place = ANY_OF(places);
    size_t size = one_of(4) == 0 ? (size_t)next_number() : ANY_OF(sizes);

    switch (one_of(7)) {
    case 0:
        reader->rio_fd = ANY_OF(sources);
        break;
    case 1:
        reader->rio_cnt = one_of(4) == 0 ? (int)next_number() : ANY_OF(counts);
        break;
    case 2:
        reader->rio_bufptr = place;
        break;
    case 3:
        memcpy(reader->rio_buf, &place, sizeof place);
        break;
    case 4:
        memcpy(reader->rio_buf + 8 + 8 * one_of(3), &size, sizeof size);
        break;
    case 5:
        ((unsigned char *)reader)[one_of(48)] ^= (unsigned char)(1u << one_of(8));
        break;
    default:
        reader->rio_buf[one_of(RIO_BUFSIZE)] = '\n';
    }
    /* Not a descriptor that something else of this program uses. */
    if (reader->rio_fd >= 0 && reader->rio_fd != sources[0] && reader->rio_fd != sources[1]
        && reader->rio_fd != sources[2] && reader->rio_fd != sources[5])
        reader->rio_fd = INT_MAX;
}

/* Whether all n bytes are `byte`. */
static int is_all(const void *start, int byte, size_t n)
{
    const unsigned char *at = start;

    while (n > 0 && *at == byte)
        at++, n--;
    return n == 0;
}

/* Calls through the damaged reader, and looks at what was touched. */
static void call_and_look(void)
{
    static const size_t counts[] = {0, 1, 2, 16, 100, 8191, 8192, 8193, GATHERED, ROOM - 1, ROOM, ROOM};
    static char was[ROOM], poison[16];
    int by_line = (int)one_of(2);
    size_t n = ANY_OF(counts), first;
    char *buf = end_of_buffer - n, in_front = buf[-1];
    ssize_t outcome;

    memset(poison, NEVER, sizeof poison);
    memcpy(was, buf, n);
    errno = 0;
    outcome = call(by_line, buf, n);
    ck_assert_int_eq(buf[-1], in_front);
    ck_assert(is_all(end_of_buffer - ROOM - WATCHED, WATCH, WATCHED));
    ck_assert(is_all(before_reader, WATCH, WATCHED));
    if (outcome == -1) {
        ck_assert_msg(errno == EINVAL || errno == EBADF || errno == EAGAIN || errno == EISDIR,
                      "errno %d", errno);
        return;
    }
    ck_assert_int_ge(outcome, 0);
    ck_assert_uint_le((size_t)outcome, by_line && n > 0 ? n - 1 : n);
    /* Behind the bytes, and the NUL that there is except at the end, all is as it was. */
    first = (size_t)outcome + (by_line && (outcome > 0 || n == 1));
    ck_assert_int_eq(memcmp(buf + first, was + first, n - first), 0);
    if (outcome > 0)
        ck_assert_ptr_null(memmem(buf, (size_t)outcome, poison, sizeof poison));
}

#define SEEDS 20

START_TEST(no_damage_leads_out_of_bounds)
{
    int i, times = is_long_run() ? 100000 : 600;

    make_places();
    state = (uint64_t)_i * 0x9E3779B97F4A7C15u + 1;
    for (i = 0; i < times; i++) {
        int blows = (int)one_of(4);

        make((enum kind)(i % KINDS));
        while (blows-- > 0)
            damage();
        call_and_look();
        call_and_look(); /* a refused reader stays harmless */
    }
}
END_TEST

/* Where the fields would fit each other if the buffer began earlier. */
START_TEST(a_reader_that_begins_in_front_of_its_buffer_is_refused)
{
    int count;

    make_places();
    for (count = RIO_BUFSIZE + 1; count <= RIO_BUFSIZE + WATCHED; count++) {
        make(PART_READ);
        reader->rio_cnt = count;
        reader->rio_bufptr = reader->rio_buf + RIO_BUFSIZE - count;
        errno = 0;
        ck_assert_int_eq(call(_i, end_of_buffer - 16, 16), -1);
        ck_assert_int_eq(errno, EINVAL);
    }
}
END_TEST

/* The record that a suspended call leaves in the empty buffer, a word changed. */
START_TEST(a_suspended_call_with_a_changed_record_is_refused)
{
    static const size_t values[] = {0, 1, 8192, 8193, GATHERED - 1, GATHERED + 1, 30000, ROOM - 2,
                                    ROOM - 1, ROOM, SSIZE_MAX, SIZE_MAX};
    int by_line = _i % 2;
    size_t word, i, before;

    make_places();
    for (word = 0; word < 3; word++)
        for (i = 0; i < sizeof values / sizeof *values; i++) {
            make(by_line ? IN_LINE : IN_COUNT);
            memcpy(&before, reader->rio_buf + sizeof before * word, sizeof before);
            memcpy(reader->rio_buf + sizeof before * word, &values[i], sizeof before);
            if (before == values[i])
                continue;
            ck_assert_msg(call(by_line, end_of_buffer - ROOM, ROOM) == -1, "word %zu: %zu", word,
                          values[i]);
            ck_assert_int_eq(errno, EINVAL);
        }
}
END_TEST

/* The same, nothing changed: it goes on. */
START_TEST(a_suspended_call_with_its_record_goes_on)
{
    int by_line = _i % 2;

    make_places();
    make(by_line ? IN_LINE : IN_COUNT);
    reader->rio_fd = sources[1];
    ck_assert_int_eq(call(by_line, end_of_buffer - ROOM, ROOM), GATHERED);
    ck_assert(is_all(end_of_buffer - ROOM, 'x', GATHERED));
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("damaged");

    tcase_set_timeout(tests, is_long_run() ? 600 : 60);
    tcase_add_loop_test(tests, no_damage_leads_out_of_bounds, 0, SEEDS);
    tcase_add_loop_test(tests, a_reader_that_begins_in_front_of_its_buffer_is_refused, 0, 2);
    tcase_add_loop_test(tests, a_suspended_call_with_a_changed_record_is_refused, 0, 2);
    tcase_add_loop_test(tests, a_suspended_call_with_its_record_goes_on, 0, 2);
    return run_suite("damaged", tests);
}
