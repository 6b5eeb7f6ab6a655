/* A rio_t that is copied or moved between two calls: the copy goes on where the original stood, whatever
   becomes of that. Each way to copy is tried in each state that a reader may be in. */
#include "streams.h"
#include "text.h"
#include <stddef.h>
#include <stdint.h>

enum { SIZE = 60000, ROOM = 2 * SIZE };

static char text[SIZE];    /* what comes from the stream */
static size_t sent, taken; /* so many of its bytes are under way or have come; no longer in the reader */
static int ends[2] = {-1, -1}; /* ends[0] is read from; O_NONBLOCK */
static rio_t *original;

static void send_up_to(size_t end)
{
    send_bytes(ends[1], text + sent, end - sent);
    sent = end;
}

/* Makes the first n bytes, except the last of them, part of one line. */
static void lengthen_first_line(size_t n)
{
    size_t i;

    for (i = 0; i + 1 < n; i++)
        if (text[i] == '\n')
            text[i] = '\v';
    text[n - 1] = '\n';
}

static void take_line(rio_t *rio)
{
    static char line[ROOM];
    size_t n = line_length(text + taken, SIZE - taken, SIZE);

    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readlineb(rio, line, sizeof line), n);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(line, text + taken, n);
    ck_assert_int_eq(line[n], '\0');
    taken += n;
}

static void take_block(rio_t *rio, size_t n)
{
    static char block[ROOM];

    memset(block, '#', n + 1);
    errno = UNTOUCHED;
    ck_assert_int_eq(rio_readnb(rio, block, n), n);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(block, text + taken, n);
    ck_assert_int_eq(block[n], '#');
    taken += n;
}

static char waiting[ROOM]; /* the buffer of calls that fail */

static void fail_line(rio_t *rio)
{
    ck_assert_int_eq(rio_readlineb(rio, waiting, sizeof waiting), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

static void fail_block(rio_t *rio, size_t n)
{
    ck_assert_int_eq(rio_readnb(rio, waiting, n), -1);
    ck_assert_int_eq(errno, EAGAIN);
}

/* ---- The states of a reader that has just been initialised by rio_readinitb ---- */

static void be_fresh(void)
{
}

/* The buffer is empty again. */
static void be_empty(void)
{
    send_up_to(line_length(text, SIZE, SIZE));
    take_line(original);
    ck_assert_int_eq(original->rio_cnt, 0);
}

static void be_part_read(void)
{
    send_up_to(3000);
    take_line(original);
    take_line(original);
    take_block(original, 50);
    ck_assert_int_eq(original->rio_cnt, 3000 - (long)taken);
}

/* As full as the buffer can be between calls: the first line has one byte. */
static void be_full(void)
{
    send_up_to(20000);
    take_line(original);
    ck_assert_int_eq(taken, 1);
    ck_assert_int_eq(original->rio_cnt, RIO_BUFSIZE - 1);
}

static void be_almost_empty(void)
{
    send_up_to(RIO_BUFSIZE);
    take_block(original, RIO_BUFSIZE - 1);
    ck_assert_int_eq(original->rio_cnt, 1);
}

/* A large read first, then a small one: behind what is ahead lies what has been taken. */
static void be_refilled(void)
{
    send_up_to(RIO_BUFSIZE + 500);
    take_block(original, 8000);
    take_block(original, 300);
    ck_assert_int_eq(original->rio_cnt, 392);
}

/* Many small reads, each into the buffer. */
static void be_often_refilled(void)
{
    int i;

    for (i = 0; i < 50; i++) {
        send_up_to(sent + 20 + (size_t)i);
        take_block(original, 17);
    }
    take_block(original, 700);
    ck_assert_int_gt(original->rio_cnt, 0);
}

/* A line that is not whole yet has been put back. */
static void be_in_mid_line(void)
{
    lengthen_first_line(5000);
    send_up_to(3000);
    fail_line(original);
    ck_assert_int_eq(original->rio_cnt, 3000);
}

static void be_in_mid_block(void)
{
    send_up_to(3000);
    take_line(original);
    fail_block(original, 7000);
    ck_assert_int_eq(original->rio_cnt, 3000 - (long)taken);
}

/* In several pieces, of which some were in the caller's buffer alone for a while. */
static void be_in_mid_line_for_long(void)
{
    lengthen_first_line(9000);
    while (sent < 6000) {
        send_up_to(sent + 1500);
        fail_line(original);
    }
    ck_assert_int_eq(original->rio_cnt, 6000);
}

/* As much has been put back as there is room for. */
static void be_in_mid_line_and_full(void)
{
    lengthen_first_line(9000);
    send_up_to(RIO_BUFSIZE);
    fail_line(original);
    ck_assert_int_eq(original->rio_cnt, RIO_BUFSIZE);
}

/* The same, after calls that had no room. */
static void be_full_and_asked_for_nothing(void)
{
    char nul = 'x';

    be_in_mid_line_and_full();
    ck_assert_int_eq(rio_readnb(original, NULL, 0), 0);
    ck_assert_int_eq(rio_readlineb(original, &nul, 1), 0);
    ck_assert_int_eq(original->rio_cnt, RIO_BUFSIZE);
}

/* Of what was put back, some has been taken. */
static void be_taken_from_after_a_failure(void)
{
    be_in_mid_line_and_full();
    take_block(original, 100);
}

static void (*const states[])(void) = {
    be_fresh, be_empty, be_part_read, be_full, be_almost_empty, be_refilled, be_often_refilled, be_in_mid_line,
    be_in_mid_block, be_in_mid_line_for_long, be_in_mid_line_and_full, be_full_and_asked_for_nothing, be_taken_from_after_a_failure,
};

/* ---- The ways: each makes a copy of `original`, and calls go_on with it ---- */

static void (*go_on)(rio_t *copy);
static int is_original_kept;

/* The original is gone: nobody may look there any more. */
static void wipe(rio_t *rio)
{
    if (!is_original_kept)
        memset(rio, 0xFF, sizeof *rio);
}

static void take_argument(rio_t rio)
{
    wipe(original);
    go_on(&rio);
}

static void as_an_argument(void)
{
    take_argument(*original);
}

static rio_t returned(void)
{
    rio_t local = *original;

    wipe(original);
    return local;
}

static void as_a_return_value(void)
{
    rio_t rio = returned();

    go_on(&rio);
}

static void by_assignment(void)
{
    rio_t rio;

    memset(&rio, 0x55, sizeof rio);
    rio = *original;
    wipe(original);
    go_on(&rio);
}

static void into_a_pool_and_out(void)
{
    static rio_t pool[10];
    rio_t rio;

    pool[7] = *original;
    wipe(original);
    rio = pool[7];
    memset(pool, 0, sizeof pool);
    go_on(&rio);
}

struct client {
    char is_used;
    rio_t rio;
    int fd;
};

/* The last of an array is moved to where one has gone. */
static void into_a_hole(void)
{
    static struct client clients[4];
    int i, count = 4;

    for (i = 0; i < count; i++)
        rio_readinitb(&clients[i].rio, -1);
    clients[3].rio = *original;
    wipe(original);
    clients[1] = clients[--count];
    memset(&clients[count], 0xFF, sizeof clients[count]);
    go_on(&clients[1].rio);
}

/* All behind one that has gone are moved up. */
static void by_closing_ranks(void)
{
    static struct client clients[4];

    clients[2].rio = *original;
    wipe(original);
    memmove(&clients[0], &clients[1], 3 * sizeof *clients);
    memset(&clients[2], 0xFF, 2 * sizeof *clients);
    go_on(&clients[1].rio);
}

static void by_realloc(void)
{
    rio_t *rios = malloc(2 * sizeof *rios);
    size_t n = 2;
    uintptr_t before;

    rios[1] = *original;
    wipe(original);
    do { /* until it has moved */
        before = (uintptr_t)rios;
        ck_assert_ptr_nonnull(malloc(100));
        ck_assert_ptr_nonnull(rios = realloc(rios, (n *= 2) * sizeof *rios));
    } while ((uintptr_t)rios == before);
    go_on(&rios[1]);
    free(rios);
}

/* The copy lies over a part of the original. */
static void move_over_itself(ptrdiff_t by)
{
    static rio_t area[3];
    rio_t *copy = (rio_t *)(void *)((char *)&area[1] + by);

    area[1] = *original;
    wipe(original);
    memmove(copy, &area[1], sizeof *copy);
    go_on(copy);
}

static void by_memmove_to_a_little_below(void)
{
    move_over_itself(-(ptrdiff_t)sizeof(char *));
}

static void by_memmove_to_a_little_above(void)
{
    move_over_itself(sizeof(char *));
}

static void by_memmove_of_half_its_size(void)
{
    move_over_itself((ptrdiff_t)sizeof(rio_t) / 2);
}

static void as_a_copy_of_a_copy(void)
{
    static rio_t first, second, third;

    first = *original;
    wipe(original);
    second = first;
    wipe(&first);
    third = second;
    wipe(&second);
    go_on(&third);
}

/* There and back: at the address where it was made, and after it has been elsewhere. */
static void and_back(void)
{
    rio_t elsewhere = *original;

    memset(original, 0xFF, sizeof *original);
    *original = elsewhere;
    go_on(original);
}

static void as_bytes_through_a_pipe(void)
{
    rio_t rio;
    int pipe_ends[2];

    pipe_pair(pipe_ends);
    send_bytes(pipe_ends[1], original, sizeof *original);
    wipe(original);
    ck_assert_int_eq(rio_readn(pipe_ends[0], &rio, sizeof rio), sizeof rio);
    go_on(&rio);
}

static int by_descriptor(const void *left, const void *right)
{
    return ((const struct client *)left)->fd - ((const struct client *)right)->fd;
}

static void by_qsort(void)
{
    static struct client clients[5];
    int i;

    for (i = 0; i < 5; i++) {
        clients[i].fd = -i;
        rio_readinitb(&clients[i].rio, -1);
    }
    clients[0].rio = *original;
    wipe(original);
    qsort(clients, 5, sizeof *clients, by_descriptor);
    go_on(&clients[4].rio);
}

/* In a child process, for which everything is at the same place. */
static void in_a_child(void)
{
    pid_t child = fork();

    ck_assert_int_ne(child, -1);
    if (child == 0) {
        by_assignment();
        _exit(0);
    }
    ck_assert_int_eq(status_of(child), 0);
}


static void (*const ways[])(void) = {
    as_an_argument, as_a_return_value, by_assignment, into_a_pool_and_out, into_a_hole, by_closing_ranks,
    by_realloc, by_memmove_to_a_little_below, by_memmove_to_a_little_above, by_memmove_of_half_its_size,
    as_a_copy_of_a_copy, and_back, as_bytes_through_a_pipe, by_qsort, in_a_child,
};

static void start(void)
{
    /* A test before this one may have run in the same process. */
    close(ends[0]);
    close(ends[1]);
    sent = taken = 0;
    make_text(text, sizeof text);
    socket_pair(ends);
    make_nonblocking(ends[0]);
    original = malloc(sizeof *original);
    memset(original, 0xA5, sizeof *original);
    rio_readinitb(original, ends[0]);
}

/* ---- The tests ---- */

/* Everything that is left comes through the copy, and then the end. */
static void take_all(rio_t *copy)
{
    size_t turn = 0;
    char byte;

    send_up_to(SIZE);
    shutdown(ends[1], SHUT_WR);
    while (taken < SIZE)
        if (turn++ % 3 < 2)
            take_line(copy);
        else
            take_block(copy, SIZE - taken < 300 ? SIZE - taken : 300);
    ck_assert_int_eq(rio_readnb(copy, &byte, 1), 0);
}

START_TEST(a_copy_goes_on_when_the_original_is_gone)
{
    start();
    states[_i % COUNT(states)]();
    go_on = take_all;
    ways[_i / COUNT(states)]();
}
END_TEST

/* Both have what was read ahead; of the rest, the first to read has it. */
static void take_as_well(rio_t *copy)
{
    int ahead = original->rio_cnt;
    size_t before = taken;

    if (sent > taken + (size_t)ahead) { /* that is still in the kernel */
        static char rest[SIZE];
        size_t n = sent - taken - (size_t)ahead;

        ck_assert_int_eq(rio_readn(ends[0], rest, n), n);
        ck_assert_mem_eq(rest, text + taken + ahead, n);
    }
    take_block(copy, (size_t)ahead);
    taken = before;
    take_block(original, (size_t)ahead);
    taken = sent;
    send_up_to(sent + 300);
    take_block(copy, 300);
    send_up_to(sent + 200);
    take_block(original, 200);
    send_up_to(sent + 100);
    fail_block(original, 101);
    take_block(original, 100);
    send_up_to(sent + 100);
    take_block(copy, 100);
}

START_TEST(the_original_goes_on_as_well)
{
    if (ways[_i / COUNT(states)] == and_back)
        return; /* there is no second one */
    start();
    states[_i % COUNT(states)]();
    is_original_kept = 1;
    go_on = take_as_well;
    ways[_i / COUNT(states)]();
}
END_TEST

/* Not one call is made where the reader was at the call before. */
static void hop(void)
{
    static rio_t places[3];
    int number = 0;
    size_t n;

    places[0] = *original;
    wipe(original);
    while (taken < SIZE) {
        rio_t *here = &places[number % 3], *next = &places[(number + 1) % 3];

        n = 1 + (size_t)number * 37 % 900;
        if (sent < SIZE && number % 2 == 0)
            send_up_to(SIZE - sent < 777 ? SIZE : sent + 777);
        *next = *here;
        wipe(here);
        number++;
        if (number % 3 == 0 && taken + n <= sent)
            take_block(next, n);
        else if (memchr(text + taken, '\n', sent - taken) != NULL)
            take_line(next);
        else if (sent - taken <= RIO_BUFSIZE)
            fail_line(next);
        else
            send_up_to(SIZE);
    }
}

START_TEST(a_reader_may_move_before_each_call)
{
    is_original_kept = 0;
    start();
    states[_i]();
    hop();
}
END_TEST

/* A call that has gathered more than the buffer holds, and waits to be repeated. */
#define PART 20000

static ssize_t suspended_call(rio_t *rio, int by_line, char *buf, size_t n)
{
    errno = UNTOUCHED;
    return by_line ? rio_readlineb(rio, buf, n + 1) : rio_readnb(rio, buf, n);
}

static int by_line;

static void expect_refusal(rio_t *rio, int line, char *buf, size_t n)
{
    ck_assert_int_eq(suspended_call(rio, line, buf, n), -1);
    ck_assert_int_eq(errno, EINVAL);
}

static void suspend(rio_t *rio)
{
    lengthen_first_line(PART + 500);
    send_up_to(PART);
    ck_assert_int_eq(suspended_call(rio, by_line, waiting, PART + 500), -1);
    ck_assert_int_eq(errno, EAGAIN);
    ck_assert_int_lt(rio->rio_cnt, 0);
}

/* As with the original: by the same call with the same buffer, and no other. */
static void resume(rio_t *copy)
{
    static char elsewhere[ROOM];

    expect_refusal(copy, !by_line, waiting, PART + 500);
    expect_refusal(copy, by_line, elsewhere, PART + 500);
    expect_refusal(copy, by_line, waiting, PART + 499);
    ck_assert_int_eq(suspended_call(copy, by_line, waiting, PART + 500), -1);
    ck_assert_int_eq(errno, EAGAIN);
    send_up_to(PART + 500);
    ck_assert_int_eq(suspended_call(copy, by_line, waiting, PART + 500), PART + 500);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(waiting, text, PART + 500);
    taken = PART + 500;
    if (!is_original_kept) {
        take_all(copy);
        return;
    }
    /* The original waits on; what comes now is its own. */
    send_bytes(ends[1], text + PART, 500);
    ck_assert_int_eq(suspended_call(original, by_line, waiting, PART + 500), PART + 500);
    ck_assert_mem_eq(waiting, text, PART + 500);
    ck_assert_int_eq(original->rio_cnt, 0);
}

START_TEST(a_copy_goes_on_with_a_call_that_waits_to_be_repeated)
{
    by_line = _i % 2;
    is_original_kept = _i / 2 % 2;
    if (is_original_kept && ways[_i / 4] == and_back)
        return;
    start();
    suspend(original);
    go_on = resume;
    ways[_i / 4]();
}
END_TEST

/* The book's server with select (CS:APP 3e, figure 12.8 and after) takes the reader out of its pool for
   each line, and does not put it back. */
START_TEST(the_book_s_pool_works)
{
    static struct {
        rio_t clientrio[3];
    } pool;
    char buf[MAXLINE];
    int i, round, clients[3][2];

    for (i = 0; i < 3; i++) {
        socket_pair(clients[i]);
        Rio_readinitb(&pool.clientrio[i], clients[i][0]);
    }
    for (round = 0; round < 5; round++)
        for (i = 0; i < 3; i++) {
            char expected[40];
            rio_t rio = pool.clientrio[i];

            snprintf(expected, sizeof expected, "client %d, line %d\n", i, round);
            send_text(clients[i][1], expected);
            ck_assert_int_eq(Rio_readlineb(&rio, buf, MAXLINE), strlen(expected));
            ck_assert_str_eq(buf, expected);
        }
}
END_TEST

int main(void)
{
    TCase *gone = tcase_create("gone"), *kept = tcase_create("kept"), *rest = tcase_create("rest");

    tcase_set_timeout(gone, 30);
    tcase_set_timeout(kept, 30);
    tcase_set_timeout(rest, 30);
    tcase_add_loop_test(gone, a_copy_goes_on_when_the_original_is_gone, 0, COUNT(ways) * COUNT(states));
    tcase_add_loop_test(kept, the_original_goes_on_as_well, 0, COUNT(ways) * COUNT(states));
    add_for_each(rest, a_reader_may_move_before_each_call, states);
    tcase_add_loop_test(rest, a_copy_goes_on_with_a_call_that_waits_to_be_repeated, 0, 4 * COUNT(ways));
    tcase_add_test(rest, the_book_s_pool_works);
    return run_suite("copies", gone, kept, rest);
}
