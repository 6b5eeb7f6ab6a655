/* The end of a terminal: once the other side of a pseudo-terminal has closed, Linux fails with EIO, which is to the calls
   that read what the end of a file is. To all else, EIO is an error. */
#define _GNU_SOURCE
#include "faults.h"
#include "pty.h"
#include "reading.h"

static const char TEXT[] = "first line\nlast line without newline";
enum { FIRST = 11, LENGTH = sizeof TEXT - 1, LAST = LENGTH - FIRST };

static int master, slave; /* the side of the window, and that of its programs */
static char got[100];

static void expect(int number, size_t n, const char *text, size_t len)
{
    memset(got, '#', sizeof got);
    errno = UNTOUCHED;
    ck_assert_int_eq(calls[number].call(got, n + calls[number].is_by_line), len);
    ck_assert_int_eq(errno, UNTOUCHED);
    ck_assert_mem_eq(got, text, len);
    ck_assert_int_eq(got[len], calls[number].is_by_line && len > 0 ? '\0' : '#');
}

/* The part that came, and then 0, as often as it is asked for. */
static void expect_text_and_end(int number, int fd)
{
    int i;

    rio_readinitb(&rio, fd);
    expect(number, calls[number].is_by_line ? 90 : FIRST, TEXT, FIRST);
    expect(number, 90, TEXT + FIRST, LAST);
    for (i = 0; i < 3; i++)
        expect(number, 90, "", 0);
}

static void prepare(int number)
{
    if (number / COUNT(calls) % 2)
        make_nonblocking(master);
}

/* By number: the call, and whether the descriptor is O_NONBLOCK. */
START_TEST(the_last_line_comes_and_then_the_end)
{
    open_pty(&master, &slave);
    prepare(_i);
    send_bytes(slave, TEXT, LENGTH);
    close(slave);
    expect_text_and_end(_i % COUNT(calls), master);
}
END_TEST

/* As script(1), expect and editors have it: a program runs in the window, and ends. */
START_TEST(a_program_ends_while_the_call_waits)
{
    pid_t child;

    open_pty(&master, &slave);
    child = fork();
    ck_assert_int_ne(child, -1);
    if (child == 0) {
        close(master);
        sleep_ms(50);
        send_bytes(slave, TEXT, LENGTH);
        sleep_ms(50);
        _exit(0);
    }
    close(slave);
    expect_text_and_end(_i, master);
    ck_assert_int_eq(status_of(child), 0);
}
END_TEST

/* The end is not final: another program may open the terminal. */
START_TEST(a_terminal_that_is_opened_again_goes_on)
{
    char name[64];

    open_pty(&master, &slave);
    snprintf(name, sizeof name, "%s", ptsname(master));
    send_bytes(slave, TEXT, LENGTH);
    close(slave);
    expect_text_and_end(_i, master);
    slave = open(name, O_RDWR | O_NOCTTY);
    ck_assert_int_ge(slave, 0);
    send_text(slave, "more\n");
    expect(_i, 5, "more\n", 5);
}
END_TEST

/* A window that has been closed hangs up its programs. */
START_TEST(a_program_whose_window_is_closed_meets_the_end)
{
    open_pty(&master, &slave);
    rio_readinitb(&rio, slave);
    close(master);
    expect(_i, 90, "", 0);
}
END_TEST

static struct fault each_is_EIO(const struct call *call)
{
    return call->purpose == READS ? (struct fault){FAIL, EIO} : (struct fault){PASS, 0};
}

static ssize_t call_again(int number)
{
    errno = UNTOUCHED;
    return calls[number].call(got, 90);
}

/* A disk with a bad sector, say. */
START_TEST(EIO_of_anything_else_is_an_error)
{
    int number = _i % COUNT(calls), fd = choose(source(_i / COUNT(calls), TEXT, LENGTH));

    csapp_set_error_handler(csapp_error_return);
    rio_readinitb(&rio, fd);
    follow_plan(each_is_EIO);
    ck_assert_int_eq(call_again(number), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_int_eq(call_again(number), -1);
    ck_assert_int_eq(errno, EIO);
    follow_plan(NULL);
    expect_text_and_end(number, fd);
}
END_TEST

/* A program in the background that ignores SIGTTIN may not read either, and that is EIO as well. Its terminal has not ended:
   to say so would be to make an error an end. */
static int read_in_the_background(void *arg)
{
    int status = 0, number = *(int *)arg;
    pid_t child;

    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) != 0)
        return 7;
    child = fork();
    if (child == 0) {
        signal(SIGTTIN, SIG_IGN);
        if (setpgid(0, 0) != 0)
            _exit(8);
        csapp_set_error_handler(csapp_error_return);
        rio_readinitb(&rio, slave);
        _exit(call_again(number) == -1 && errno == EIO && call_again(number) == -1 && errno == EIO ? 0 : 9);
    }
    return child == -1 || waitpid(child, &status, 0) != child ? 10 : WEXITSTATUS(status);
}

START_TEST(a_program_that_may_not_read_has_not_met_the_end)
{
    int number = _i;

    open_pty(&master, &slave);
    send_bytes(master, TEXT, LENGTH);
    ck_assert_int_eq(status_of(in_child(read_in_the_background, &number)), 0);
}
END_TEST

/* A terminal that takes nothing any more is an error for the writer. */
START_TEST(writing_to_a_closed_window_is_EIO)
{
    size_t moved;

    open_pty(&master, &slave);
    close(master);
    ck_assert_int_eq(rio_writen(slave, TEXT, LENGTH), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_int_eq(csapp_writen(slave, TEXT, LENGTH, 60000, &moved), -1);
    ck_assert_int_eq(errno, EIO);
    ck_assert_uint_eq(moved, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("terminal");

    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, faults_can_be_made);
    tcase_add_loop_test(tests, the_last_line_comes_and_then_the_end, 0, 2 * COUNT(calls));
    add_for_each(tests, a_program_ends_while_the_call_waits, calls);
    add_for_each(tests, a_terminal_that_is_opened_again_goes_on, calls);
    add_for_each(tests, a_program_whose_window_is_closed_meets_the_end, calls);
    tcase_add_loop_test(tests, EIO_of_anything_else_is_an_error, 0, SOURCES * COUNT(calls));
    add_for_each(tests, a_program_that_may_not_read_has_not_met_the_end, calls);
    tcase_add_test(tests, writing_to_a_closed_window_is_EIO);
    return run_suite("terminal", tests);
}
