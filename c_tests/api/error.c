/* The _error functions and the error handler, as csapp.h promises them. */
#define _GNU_SOURCE
#include "support.h"
#include <dlfcn.h>
#include <sys/mman.h>

/* The library asks for CSAPP_ON_ERROR by secure_getenv, and finds this one. */
static pthread_barrier_t *askers; /* whoever asks waits for the others first */
static int is_privileged;         /* as if the program had more rights than its user */

char *secure_getenv(const char *name)
{
    if (askers)
        pthread_barrier_wait(askers);
    return is_privileged ? NULL : getenv(name);
}

/* The library asks for libgcc_s, which glibc needs to end a thread, by dlopen, and finds this one. */
static int libraries_are_missing; /* as in a jail with libc alone */
static int libraries_opened;

void *dlopen(const char *file, int mode)
{
    libraries_opened++;
    if (libraries_are_missing)
        return NULL;
    return ((__typeof__(&dlopen))dlsym(RTLD_NEXT, "dlopen"))(file, mode);
}

static int threads_are_refused; /* as if the system had no more of them */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*routine)(void *), void *arg)
{
    if (!threads_are_refused)
        return ((__typeof__(&pthread_create))dlsym(RTLD_NEXT, "pthread_create"))(thread, attributes, routine, arg);
    errno = EAGAIN;
    return EAGAIN;
}

static int memory_is_missing; /* as if the system had no more of it */

/* The thread sanitizer calls it before it is there itself. */
__attribute__((no_sanitize("thread"))) void *mmap(void *at, size_t size, int access, int kind, int fd, off_t offset)
{
    if (!memory_is_missing)
        return ((__typeof__(&mmap))dlsym(RTLD_NEXT, "mmap"))(at, size, access, kind, fd, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* Calls of every _error function, with the code that each takes from where it does, and the
   line that has to come of it. */
#define OTHER_ERRNO 77

struct error_call {
    void (*call)(const char *msg);
    const char *(*text)(int code);
    int code;
};

static const char *errno_text(int code)
{
    return strerror(code);
}

static const char *no_text(int code)
{
    (void)code;
    return NULL;
}

static void unix_enoent(const char *msg)
{
    errno = ENOENT;
    unix_error(msg);
}

static void unix_unknown(const char *msg)
{
    errno = 12345;
    unix_error(msg);
}

static void posix_eagain(const char *msg)
{
    errno = OTHER_ERRNO;
    posix_error(EAGAIN, msg);
}

static void gai_noname(const char *msg)
{
    errno = OTHER_ERRNO;
    gai_error(EAI_NONAME, msg);
}

static void gai_system(const char *msg)
{
    errno = ECONNREFUSED;
    gai_error(EAI_SYSTEM, msg);
}

static void dns_not_found(const char *msg)
{
    errno = OTHER_ERRNO;
    h_errno = HOST_NOT_FOUND;
    dns_error(msg);
}

static void dns_nothing(const char *msg)
{
    errno = OTHER_ERRNO;
    h_errno = 0;
    dns_error(msg);
}

static void app(const char *msg)
{
    errno = OTHER_ERRNO;
    app_error(msg);
}

static const struct error_call calls[] = {
    {unix_enoent, errno_text, ENOENT},
    {unix_unknown, errno_text, 12345},
    {posix_eagain, errno_text, EAGAIN},
    {gai_noname, gai_strerror, EAI_NONAME},
    {gai_system, errno_text, ECONNREFUSED},
    {dns_not_found, hstrerror, HOST_NOT_FOUND},
    {dns_nothing, no_text, 0},
    {app, no_text, 0},
};
#define CALLS COUNT(calls)

/* The line for `msg`, in a buffer that the next call uses again. */
static const char *line_of(const struct error_call *error, const char *msg)
{
    static char line[16384];
    const char *text = error->text(error->code);

    snprintf(line, sizeof line, text ? "%s: %s\n" : "%s\n", msg, text);
    return line;
}

static const struct error_call *chosen;
static const char *message;

static void fail_with_the_first_handler(void *arg)
{
    (void)arg;
    chosen->call(message);
    _exit(99);
}

/* Status 42: the call has returned and errno is what it was. */
static void fail_and_return(void *arg)
{
    int before;

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    chosen->call("go on");
    before = errno;
    chosen->call("go on");
    _exit(errno == before && (errno == OTHER_ERRNO || errno == chosen->code) ? 42 : 43);
}

START_TEST(a_report_is_one_line_and_status_1)
{
    struct outcome seen;

    chosen = &calls[_i];
    message = "What failed";
    seen = outcome_of(fail_with_the_first_handler, NULL);
    ck_assert_str_eq(seen.err, line_of(chosen, message));
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

START_TEST(with_error_return_the_call_returns_and_errno_is_kept)
{
    const char *line, *rest;
    struct outcome seen;

    chosen = &calls[_i];
    seen = outcome_of(fail_and_return, NULL);
    line = line_of(chosen, "go on");
    ck_assert_msg(strncmp(seen.err, line, strlen(line)) == 0, "%s", seen.err);
    rest = seen.err + strlen(line);
    ck_assert_str_eq(rest, line);
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static const char *const messages[] = {"", "100%s %n %d", "two\nlines", "gr\xc3\xbc\xc3\x9f dich"};

START_TEST(a_message_is_text_and_no_format)
{
    struct outcome seen;

    chosen = &calls[0];
    message = messages[_i];
    seen = outcome_of(fail_with_the_first_handler, NULL);
    ck_assert_str_eq(seen.err, line_of(chosen, message));
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

START_TEST(a_null_message_is_shown_as_such)
{
    struct outcome seen;

    chosen = &calls[_i];
    message = NULL;
    seen = outcome_of(fail_with_the_first_handler, NULL);
    ck_assert_str_eq(seen.err, line_of(chosen, "(null)"));
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

/* Standard errors that keep apart what separate system calls wrote: a read gives one packet. A
   packet of the pipe holds 4096 bytes; a longer write fills several to the brim. */
static int packet_pipe(int ends[2])
{
    return pipe2(ends, O_DIRECT);
}

static int packet_sockets(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
}

static const struct {
    int (*make)(int ends[2]);
    size_t size;
} packets[] = {{packet_pipe, 4096}, {packet_sockets, 65536}};

static char long_message[10001];

/* Lengths of the message, those about the sizes of buffers among them. */
static const size_t lengths[] = {1, 900, 1023, 1024, 1025, 4000, 10000};
#define LENGTHS COUNT(lengths)

START_TEST(a_line_is_written_by_one_system_call)
{
    static char text[65536];
    size_t size = packets[_i % 2].size, len = 0, expected_len;
    const char *expected;
    int ends[2], status;
    ssize_t count;
    pid_t pid;

    memset(long_message, 'm', lengths[_i / 2 % LENGTHS]);
    chosen = &calls[_i / 2 / LENGTHS];
    expected = line_of(chosen, long_message);
    expected_len = strlen(expected);
    ck_assert_int_eq(packets[_i % 2].make(ends), 0);
    pid = fork_with_stderr(ends);
    if (pid == 0) {
        chosen->call(long_message);
        _exit(99);
    }
    while ((count = read(ends[0], text + len, size)) > 0) {
        len += (size_t)count;
        ck_assert_msg((size_t)count == size || len == expected_len, "a piece of %zd bytes", count);
    }
    ck_assert_uint_eq(len, expected_len);
    ck_assert_mem_eq(text, expected, len);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 1 << 8);
}
END_TEST

static void fail_without_memory(void *arg)
{
    (void)arg;
    memory_is_missing = 1;
    chosen->call(long_message);
}

/* The line is cut to the page that the stack has for it. */
START_TEST(without_memory_a_long_line_comes_in_part)
{
    struct outcome seen;
    char part[4097];

    memset(long_message, 'm', sizeof long_message - 1);
    memset(part, 'm', 4095);
    strcpy(part + 4095, "\n");
    chosen = &calls[_i];
    seen = outcome_of(fail_without_memory, NULL);
    ck_assert_str_eq(seen.err, part);
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

/* A socket that keeps even an empty message apart from none. */
START_TEST(nothing_is_written_after_the_line)
{
    char text[200];
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
    csapp_set_error_handler(csapp_error_return);
    dup2(ends[1], STDERR_FILENO);
    app_error("a message");
    ck_assert_int_eq(read(ends[0], text, sizeof text), 10);
    ck_assert_int_eq(read(ends[0], text, sizeof text), -1);
    ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

static void fail_into_a_small_pipe(void *arg)
{
    (void)arg;
    if (fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096) != 4096
        || fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK) != 0)
        _exit(98);
    chosen->call(long_message);
}

/* The pipe takes the line in parts, and is not ready in between. */
START_TEST(a_line_comes_whole_where_no_call_takes_all_of_it)
{
    struct outcome seen;

    memset(long_message, 'm', sizeof long_message - 1);
    chosen = &calls[_i];
    seen = outcome_of(fail_into_a_small_pipe, NULL);
    ck_assert_str_eq(seen.err, line_of(chosen, long_message));
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

#define REPORTERS 4
#define REPORTS 50

static void *report_often(void *arg)
{
    int i;

    for (i = 0; i < REPORTS; i++)
        posix_error(i % 2 ? ENOENT : EAGAIN, arg);
    return NULL;
}

static void report_from_all_threads(void *arg)
{
    static char *const names[REPORTERS] = {"one", "two", "three", "four"};
    pthread_t threads[REPORTERS];
    int i;

    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    for (i = 0; i < REPORTERS; i++)
        if (pthread_create(&threads[i], NULL, report_often, names[i]) != 0)
            _exit(98);
    for (i = 0; i < REPORTERS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(lines_of_several_threads_do_not_mix)
{
    static struct outcome seen;
    char name[8], *line, *rest;
    int count = 0;

    seen = outcome_of(report_from_all_threads, NULL);
    ck_assert_int_eq(seen.status, 0);
    for (line = strtok_r(seen.err, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), count++) {
        const char *text = strchr(line, ' ');

        ck_assert_msg(sscanf(line, "%7[a-z]:", name) == 1 && text != NULL, "%s", line);
        ck_assert_msg(strcmp(text + 1, strerror(ENOENT)) == 0 || strcmp(text + 1, strerror(EAGAIN)) == 0,
                      "%s", line);
    }
    ck_assert_int_eq(count, REPORTERS * REPORTS);
}
END_TEST

static void say_at_exit(void)
{
    ck_assert_int_eq(write(STDERR_FILENO, "at exit\n", 8), 8);
}

static void fail_with_work_left(void *arg)
{
    FILE *stream = fdopen(dup(STDERR_FILENO), "w");

    (void)arg;
    if (stream == NULL || atexit(say_at_exit) != 0)
        _exit(98);
    fputs("was buffered\n", stream);
    errno = ENOENT;
    unix_error("failed");
}

START_TEST(exit_runs_what_atexit_registered_and_flushes_stdio)
{
    struct outcome seen = outcome_of(fail_with_work_left, NULL);

    ck_assert_str_eq(seen.err, "failed: No such file or directory\nat exit\nwas buffered\n");
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

static csapp_error_handler_t *to_set;
static int runs, errno_seen;
static char line_seen[256]; /* the message is gone once the handler has returned */

static void custom(const char *line)
{
    runs++;
    errno_seen = errno;
    snprintf(line_seen, sizeof line_seen, "%s", line);
    errno = 0;
}

static void custom_that_exits(const char *line)
{
    _exit(strcmp(line, "failed: No such file or directory") == 0 ? 42 : 43);
}

/* In a child, since a suite's tests may run in one process (CK_FORK=no). */
static void set_handlers(void *arg)
{
    (void)arg;
    if (csapp_set_error_handler(csapp_error_return) != csapp_error_exit)
        _exit(2);
    if (csapp_set_error_handler(csapp_error_thread_exit) != csapp_error_return)
        _exit(3);
    if (csapp_set_error_handler(custom) != csapp_error_thread_exit)
        _exit(4);
    if (csapp_set_error_handler(NULL) != custom)
        _exit(5);
    if (csapp_set_error_handler(csapp_error_return) != csapp_error_exit)
        _exit(6);
    _exit(42);
}

START_TEST(set_error_handler_returns_the_one_before)
{
    struct outcome seen = outcome_of(set_handlers, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "");
}
END_TEST

static void set_and_fail(void *arg)
{
    (void)arg;
    csapp_set_error_handler(csapp_error_return);
    csapp_set_error_handler(to_set);
    errno = ENOENT;
    unix_error("failed");
    _exit(99);
}

START_TEST(null_stands_for_error_exit)
{
    struct outcome seen;

    to_set = NULL;
    seen = outcome_of(set_and_fail, NULL);
    ck_assert_str_eq(seen.err, "failed: No such file or directory\n");
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

START_TEST(a_handler_of_the_program_may_end_it)
{
    struct outcome seen;

    to_set = custom_that_exits;
    seen = outcome_of(set_and_fail, NULL);
    ck_assert_str_eq(seen.err, "");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static void fail_with_custom(void *arg)
{
    (void)arg;
    csapp_set_error_handler(custom);
    errno = ENOENT;
    unix_error("failed");
    if (runs != 1 || errno_seen != ENOENT || errno != ENOENT
        || strcmp(line_seen, "failed: No such file or directory") != 0)
        _exit(43);
    if (Open("/nowhere/file", O_RDONLY, 0) != -1 || runs != 2 || errno != ENOENT
        || strcmp(line_seen, "Open error: /nowhere/file: No such file or directory") != 0)
        _exit(44);
    memset(long_message, 'm', sizeof long_message - 1);
    app_error(long_message);
    _exit(runs == 3 && strncmp(line_seen, long_message, sizeof line_seen - 1) == 0 ? 42 : 45);
}

START_TEST(a_handler_of_the_program_runs_once_for_each_report)
{
    struct outcome seen = outcome_of(fail_with_custom, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "");
}
END_TEST

static sigjmp_buf back;

static void jump_back(const char *line)
{
    csapp_error_return(line); /* a handler of the program's own may leave the writing to a ready-made one */
    siglongjmp(back, 42);
}

static void fail_and_jump(void *arg)
{
    int value = sigsetjmp(back, 1);

    (void)arg;
    if (value != 0)
        _exit(value);
    csapp_set_error_handler(jump_back);
    Open("/nowhere/file", O_RDONLY, 0);
    _exit(99);
}

START_TEST(a_handler_of_the_program_may_jump_out)
{
    struct outcome seen = outcome_of(fail_and_jump, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "Open error: /nowhere/file: No such file or directory\n");
}
END_TEST

static void note(void *arg)
{
    *(int *)arg = 1;
}

static int is_cleaned_up;

static void *fail_in_thread(void *arg)
{
    pthread_cleanup_push(note, &is_cleaned_up);
    errno = ENOENT;
    unix_error("failed");
    pthread_cleanup_pop(0);
    return arg;
}

static void *set_nothing(void *arg)
{
    return arg;
}

/* Status 42: the thread has ended in the call, its clean-up handlers have run, and this one lives. */
static void fail_in_one_thread(void *arg)
{
    pthread_t thread;
    void *result = &thread;

    (void)arg;
    if (pthread_create(&thread, NULL, fail_in_thread, result) != 0
        || pthread_join(thread, &result) != 0)
        _exit(98);
    _exit(result == NULL && is_cleaned_up ? 42 : 43);
}

static void set_thread_exit_and_fail_in_one_thread(void *arg)
{
    csapp_set_error_handler(csapp_error_thread_exit);
    fail_in_one_thread(arg);
}

START_TEST(error_thread_exit_ends_the_thread_alone)
{
    struct outcome seen = outcome_of(set_thread_exit_and_fail_in_one_thread, NULL);

    ck_assert_str_eq(seen.err, "failed: No such file or directory\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static void set_thread_exit_without_threads(void *arg)
{
    (void)arg;
    threads_are_refused = 1;
    errno = OTHER_ERRNO;
    csapp_set_error_handler(csapp_error_thread_exit);
    _exit(errno == OTHER_ERRNO ? 42 : 43);
}

#ifdef __GLIBC__
static void set_handlers_in_a_jail(void *arg)
{
    (void)arg;
    libraries_are_missing = 1;
    errno = OTHER_ERRNO;
    csapp_set_error_handler(csapp_error_return);
    csapp_set_error_handler(csapp_error_exit);
    csapp_set_error_handler(csapp_error_abort);
    if (libraries_opened != 0)
        _exit(43);
    csapp_set_error_handler(csapp_error_thread_exit);
    csapp_set_error_handler(custom);
    if (libraries_opened == 0 || errno != OTHER_ERRNO)
        _exit(44);
    app_error("failed");
    _exit(strcmp(line_seen, "failed") == 0 ? 42 : 45);
}

static void end_a_thread_in_a_jail(void *arg)
{
    libraries_are_missing = 1;
    set_thread_exit_and_fail_in_one_thread(arg);
}

/* A handler can be set where libgcc_s is not there; where a thread cannot end, the program does, and in order. */
START_TEST(in_a_jail_with_libc_alone)
{
    struct outcome seen = outcome_of(set_handlers_in_a_jail, NULL);

    ck_assert_int_eq(seen.status, 42);
    ck_assert_str_eq(seen.err, "");
    seen = outcome_of(end_a_thread_in_a_jail, NULL);
    ck_assert_int_eq(seen.status, 1);
    ck_assert_str_eq(seen.err, "failed: No such file or directory\n");
}
END_TEST

static void set_in_signal_handler(int signum)
{
    (void)signum;
    csapp_set_error_handler(custom);
}

/* dlopen allocates memory, which the program may be in the middle of. */
static void set_while_in_malloc(void *arg)
{
    pthread_t thread;

    (void)arg;
    Signal(SIGUSR1, set_in_signal_handler);
    raise(SIGUSR1);
    if (libraries_opened != 0 || csapp_set_error_handler(custom) != custom)
        _exit(43);
    if (libraries_opened != 1)
        _exit(44);
    csapp_set_error_handler(csapp_error_thread_exit);
    Pthread_create(&thread, NULL, set_nothing, NULL);
    Pthread_join(thread, NULL);
    _exit(libraries_opened == 1 ? 42 : 45);
}

static void make_thread_after(void *arg)
{
    pthread_t thread;

    (void)arg;
    Signal(SIGUSR1, set_in_signal_handler);
    raise(SIGUSR1);
    Pthread_create(&thread, NULL, set_nothing, NULL);
    Pthread_join(thread, NULL);
    _exit(libraries_opened == 1 ? 42 : 43);
}

START_TEST(a_handler_that_is_set_in_a_signal_handler_is_prepared_for_later)
{
    ck_assert_int_eq(outcome_of(set_while_in_malloc, NULL).status, 42);
    ck_assert_int_eq(outcome_of(make_thread_after, NULL).status, 42);
}
END_TEST
#endif

#if defined(__GLIBC__) && __has_include(<sys/single_threaded.h>) && !defined(__SANITIZE_THREAD__) /* has a thread */
#include <sys/single_threaded.h>

/* In a program of one thread, libc takes no locks: getc is twice as fast. */
static void set_with_one_thread(void *arg)
{
    (void)arg;
    if (!__libc_single_threaded)
        _exit(98);
    csapp_set_error_handler(csapp_error_thread_exit);
    csapp_set_error_handler(custom);
    _exit(__libc_single_threaded ? 42 : 43);
}

START_TEST(setting_a_handler_leaves_a_program_with_one_thread)
{
    ck_assert_int_eq(outcome_of(set_with_one_thread, NULL).status, 42);
}
END_TEST
#endif

static void listen_without_threads(void *arg)
{
    (void)arg;
    setenv("CSAPP_ON_ERROR", "thread_exit", 1);
    threads_are_refused = 1;
    errno = OTHER_ERRNO;
    _exit(open_listenfd("0") >= 0 && errno == OTHER_ERRNO ? 42 : 43);
}

START_TEST(error_thread_exit_can_be_chosen_where_there_are_no_threads)
{
    ck_assert_int_eq(outcome_of(set_thread_exit_without_threads, NULL).status, 42);
    ck_assert_int_eq(outcome_of(listen_without_threads, NULL).status, 42);
}
END_TEST

/* What CSAPP_ON_ERROR is to be; NULL: not there. */
static const char *choice;

static void choose(void)
{
    if (choice)
        setenv("CSAPP_ON_ERROR", choice, 1);
    else
        unsetenv("CSAPP_ON_ERROR");
}

static void choose_and_fail_twice(void *arg)
{
    (void)arg;
    choose();
    errno = ENOENT;
    unix_error("failed");
    unix_error("failed");
    _exit(errno == ENOENT ? 42 : 43);
}

static void choose_and_fail_in_one_thread(void *arg)
{
    choose();
    fail_in_one_thread(arg);
}

static void expect_choice(const char *value, void (*body)(void *), const char *err, int status)
{
    struct outcome seen;

    choice = value;
    seen = outcome_of(body, NULL);
    ck_assert_str_eq(seen.err, err);
    ck_assert_int_eq(seen.status, status);
}

#define FAILED "failed: No such file or directory\n"
#define REFUSED(value) "CSAPP_ON_ERROR=" value " is none of exit, return, thread_exit, abort; taken as exit\n"

START_TEST(the_environment_chooses_the_first_handler)
{
    expect_choice(NULL, choose_and_fail_twice, FAILED, 1);
    expect_choice("exit", choose_and_fail_twice, FAILED, 1);
    expect_choice("return", choose_and_fail_twice, FAILED FAILED, 42);
    expect_choice("thread_exit", choose_and_fail_in_one_thread, FAILED, 42);
    expect_choice("abort", choose_and_fail_twice, FAILED, 128 + SIGABRT);
}
END_TEST

START_TEST(another_word_in_the_environment_is_reported_and_means_exit)
{
    expect_choice("nonsense", choose_and_fail_twice, REFUSED("nonsense") FAILED, 1);
    expect_choice("Return", choose_and_fail_twice, REFUSED("Return") FAILED, 1);
    expect_choice("return ", choose_and_fail_twice, REFUSED("return ") FAILED, 1);
    expect_choice("", choose_and_fail_twice, REFUSED("") FAILED, 1);
}
END_TEST

static void *set_return(void *arg)
{
    csapp_set_error_handler(csapp_error_return);
    return arg;
}

/* Two threads ask for the first handler at the same time. */
static void ask_twice_at_once(void *arg)
{
    pthread_barrier_t both;
    pthread_t thread;

    choose();
    if (pthread_barrier_init(&both, NULL, 2) != 0)
        _exit(98);
    askers = &both;
    if (pthread_create(&thread, NULL, set_return, arg) != 0)
        _exit(98);
    set_return(arg);
    pthread_join(thread, NULL);
    errno = ENOENT;
    unix_error("failed");
    _exit(42);
}

START_TEST(another_word_is_reported_once)
{
    expect_choice("nonsense", ask_twice_at_once, REFUSED("nonsense") FAILED, 42);
}
END_TEST

static void set_to_set_and_fail(void *arg)
{
    (void)arg;
    choose();
    csapp_set_error_handler(to_set);
    errno = ENOENT;
    unix_error("failed");
    _exit(42);
}

START_TEST(a_call_of_the_program_goes_before_the_environment)
{
    to_set = csapp_error_return;
    expect_choice("exit", set_to_set_and_fail, FAILED, 42);
    to_set = csapp_error_exit;
    expect_choice("return", set_to_set_and_fail, FAILED, 1);
    to_set = NULL;
    expect_choice("return", set_to_set_and_fail, FAILED, 1);
}
END_TEST

static void ask_for_the_first(void *arg)
{
    (void)arg;
    choose();
    _exit(csapp_set_error_handler(NULL) == csapp_error_return ? 42 : 43);
}

START_TEST(what_the_environment_chose_is_the_handler_before)
{
    expect_choice("return", ask_for_the_first, "", 42);
}
END_TEST

START_TEST(a_privileged_program_ignores_the_environment)
{
    is_privileged = 1;
    expect_choice("return", choose_and_fail_twice, FAILED, 1);
}
END_TEST

static void fail_without_stderr(void *arg)
{
    (void)arg;
    close(STDERR_FILENO);
    chosen->call("unheard");
    _exit(99);
}

static void fail_and_return_without_stderr(void *arg)
{
    close(STDERR_FILENO);
    fail_and_return(arg);
}

START_TEST(a_closed_stderr_changes_nothing_else)
{
    chosen = &calls[_i];
    ck_assert_int_eq(outcome_of(fail_without_stderr, NULL).status, 1);
    ck_assert_int_eq(outcome_of(fail_and_return_without_stderr, NULL).status, 42);
}
END_TEST

static void fail_to_a_peer_that_has_gone(void *kind)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | *(const int *)kind, 0, ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0
        || close(ends[0]) != 0)
        _exit(98);
    chosen->call("unheard");
    _exit(99);
}

static void fail_onto_a_full_device(void *arg)
{
    int fd = open("/dev/full", O_WRONLY);

    (void)arg;
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(98);
    chosen->call("unheard");
    _exit(99);
}

START_TEST(a_stderr_that_takes_nothing_changes_nothing_else)
{
    int kinds[] = {0, SOCK_NONBLOCK};

    chosen = &calls[0];
    ck_assert_int_eq(outcome_of(fail_to_a_peer_that_has_gone, &kinds[0]).status, 1);
    ck_assert_int_eq(outcome_of(fail_to_a_peer_that_has_gone, &kinds[1]).status, 1);
    ck_assert_int_eq(outcome_of(fail_onto_a_full_device, NULL).status, 1);
}
END_TEST

/* ---- The end of the program, once ---- */

static void note_exit(void)
{
    sio_eprintf("exit begins\n");
    usleep(200000);
    sio_eprintf("exit ends\n");
}

static pthread_barrier_t all_fail;

static void *fail_with_others(void *arg)
{
    pthread_barrier_wait(&all_fail);
    app_error((const char *)arg);
    return arg;
}

static void fail_in_all_threads(void *arg)
{
    static char *const names[REPORTERS] = {"one", "two", "three", "four"};
    pthread_t thread;
    int i;

    atexit(note_exit);
    pthread_barrier_init(&all_fail, NULL, REPORTERS);
    for (i = 1; i < REPORTERS; i++)
        if (pthread_create(&thread, NULL, fail_with_others, names[i]) != 0)
            _exit(98);
    fail_with_others(names[0]);
    (void)arg;
    _exit(99);
}

static int occurrences(const char *text, const char *part)
{
    int count = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        count++;
    return count;
}

START_TEST(threads_that_fail_at_once_end_the_program_once)
{
    struct outcome seen = outcome_of(fail_in_all_threads, NULL);
    const char *after = strstr(seen.err, "exit ends\n");

    ck_assert_int_eq(seen.status, 1);
    ck_assert_msg(occurrences(seen.err, "exit begins\n") == 1, "%s", seen.err);
    ck_assert_msg(after != NULL && after[10] == '\0', "%s", seen.err);
}
END_TEST

static void say_last(void)
{
    sio_eprintf("the last one\n");
}

static void fail_at_exit(void)
{
    app_error("failed at exit");
    sio_eprintf("not reached\n");
}

static void raise_at_exit(void)
{
    raise(SIGUSR1);
    sio_eprintf("not reached\n");
}

static void fail_in_signal_handler(int signum)
{
    (void)signum;
    app_error("failed in a handler");
}

static void fail_twice(void (*at_exit)(void))
{
    Signal(SIGUSR1, fail_in_signal_handler);
    atexit(say_last);
    atexit(at_exit);
    app_error("failed");
}

static void fail_and_fail_at_exit(void *arg)
{
    (void)arg;
    fail_twice(fail_at_exit);
}

static void fail_and_raise_at_exit(void *arg)
{
    (void)arg;
    fail_twice(raise_at_exit);
}

static void exit_and_fail_at_exit(void *arg)
{
    (void)arg;
    atexit(say_last);
    atexit(fail_at_exit);
    exit(0);
}

/* What musl does not promise is that the functions behind it run. */
static void expect_second_failure(void (*body)(void *), const char *err)
{
    struct outcome seen = outcome_of(body, NULL);
    char with_last[256];

    snprintf(with_last, sizeof with_last, "%sthe last one\n", err);
    ck_assert_int_eq(seen.status, 1);
#ifdef __GLIBC__
    ck_assert_str_eq(seen.err, with_last);
#else
    ck_assert_int_eq(strncmp(seen.err, with_last, strlen(err)), 0);
#endif
}

START_TEST(a_failure_while_the_program_ends)
{
    expect_second_failure(fail_and_fail_at_exit, "failed\nfailed at exit\n");
    expect_second_failure(fail_and_raise_at_exit, "failed\nfailed in a handler\n");
#ifdef __GLIBC__ /* where exit may be called in an exit of the program's own */
    expect_second_failure(exit_and_fail_at_exit, "failed at exit\n");
#endif
}
END_TEST

static sem_t exit_has_begun;

static void begin_exit(void)
{
    sem_post(&exit_has_begun);
    pause();
}

static void *fail_first(void *arg)
{
    app_error("failed");
    return arg;
}

/* Status 42: the child of a process that another thread ends ends by itself. */
static void fork_while_another_thread_exits(void *arg)
{
    pthread_t thread;
    int status;
    pid_t pid;

    (void)arg;
    sem_init(&exit_has_begun, 0, 0);
    atexit(begin_exit);
    if (pthread_create(&thread, NULL, fail_first, NULL) != 0 || sem_wait(&exit_has_begun) != 0)
        _exit(98);
    if ((pid = fork()) == 0) {
        app_error("failed in the child");
        _exit(99);
    }
    _exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 42 : 43);
}

START_TEST(a_child_does_not_wait_for_its_parents_end)
{
    struct outcome seen = outcome_of(fork_while_another_thread_exits, NULL);

    ck_assert_str_eq(seen.err, "failed\nfailed in the child\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static void fail_once_more(const char *line)
{
    csapp_error_return(line);
    if (++runs == 1)
        app_error("failed in the error handler");
}

static void fail_in_the_error_handler(void *arg)
{
    (void)arg;
    csapp_set_error_handler(fail_once_more);
    errno = ENOENT;
    unix_error("failed");
    _exit(runs == 2 && errno == ENOENT ? 42 : 43);
}

START_TEST(an_error_handler_may_fail)
{
    struct outcome seen = outcome_of(fail_in_the_error_handler, NULL);

    ck_assert_str_eq(seen.err, "failed: No such file or directory\nfailed in the error handler\n");
    ck_assert_int_eq(seen.status, 42);
}
END_TEST

static void write_nothing(void *arg)
{
    (void)arg;
    errno = OTHER_ERRNO;
    csapp_error_return(NULL);
    if (errno != OTHER_ERRNO)
        _exit(43);
    csapp_error_exit(NULL);
}

START_TEST(without_a_message_a_ready_made_handler_writes_nothing)
{
    struct outcome seen = outcome_of(write_nothing, NULL);

    ck_assert_str_eq(seen.err, "");
    ck_assert_int_eq(seen.status, 1);
}
END_TEST

/* A pipe that is full, and that nobody reads. */
static void fail_to_a_full_pipe(void *arg)
{
    static const char fill[4096];
    struct timespec start, end, used;
    double seconds;
    int ends[2];

    (void)arg;
    if (pipe2(ends, O_NONBLOCK) != 0)
        _exit(98);
    while (write(ends[1], fill, sizeof fill) > 0)
        ;
    if (dup2(ends[1], STDERR_FILENO) < 0)
        _exit(98);
    csapp_set_error_handler(csapp_error_return);
    clock_gettime(CLOCK_MONOTONIC, &start);
    errno = ENOENT;
    unix_error("failed");
    clock_gettime(CLOCK_MONOTONIC, &end);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (errno != ENOENT)
        _exit(43);
    if (seconds < 0.5 || seconds > 10)
        _exit(44);
    if (used.tv_sec != 0 || used.tv_nsec > 300000000)
        _exit(45);
    csapp_error_exit("failed");
}

START_TEST(a_full_standard_error_is_given_up_after_a_moment)
{
    ck_assert_int_eq(outcome_of(fail_to_a_full_pipe, NULL).status, 1);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("error");

    tcase_add_loop_test(tests, a_report_is_one_line_and_status_1, 0, CALLS);
    tcase_add_loop_test(tests, with_error_return_the_call_returns_and_errno_is_kept, 0, CALLS);
    tcase_add_loop_test(tests, a_message_is_text_and_no_format, 0,
                        COUNT(messages));
    tcase_add_loop_test(tests, a_null_message_is_shown_as_such, 0, CALLS);
    tcase_add_loop_test(tests, a_line_is_written_by_one_system_call, 0, 2 * LENGTHS * CALLS);
    tcase_add_loop_test(tests, without_memory_a_long_line_comes_in_part, 0, CALLS);
    tcase_add_test(tests, nothing_is_written_after_the_line);
    tcase_add_loop_test(tests, a_line_comes_whole_where_no_call_takes_all_of_it, 0, CALLS);
    tcase_add_test(tests, lines_of_several_threads_do_not_mix);
    tcase_add_test(tests, exit_runs_what_atexit_registered_and_flushes_stdio);
    tcase_add_test(tests, set_error_handler_returns_the_one_before);
    tcase_add_test(tests, null_stands_for_error_exit);
    tcase_add_test(tests, a_handler_of_the_program_may_end_it);
    tcase_add_test(tests, a_handler_of_the_program_runs_once_for_each_report);
    tcase_add_test(tests, a_handler_of_the_program_may_jump_out);
    tcase_add_test(tests, error_thread_exit_ends_the_thread_alone);
    tcase_add_test(tests, error_thread_exit_can_be_chosen_where_there_are_no_threads);
#ifdef __GLIBC__
    tcase_add_test(tests, in_a_jail_with_libc_alone);
    tcase_add_test(tests, a_handler_that_is_set_in_a_signal_handler_is_prepared_for_later);
#endif
#if defined(__GLIBC__) && __has_include(<sys/single_threaded.h>) && !defined(__SANITIZE_THREAD__) /* has a thread */
    tcase_add_test(tests, setting_a_handler_leaves_a_program_with_one_thread);
#endif
    tcase_add_test(tests, threads_that_fail_at_once_end_the_program_once);
    tcase_add_test(tests, a_failure_while_the_program_ends);
    tcase_add_test(tests, a_child_does_not_wait_for_its_parents_end);
    tcase_add_test(tests, an_error_handler_may_fail);
    tcase_add_test(tests, without_a_message_a_ready_made_handler_writes_nothing);
    tcase_add_test(tests, a_full_standard_error_is_given_up_after_a_moment);
    tcase_add_test(tests, the_environment_chooses_the_first_handler);
    tcase_add_test(tests, another_word_in_the_environment_is_reported_and_means_exit);
    tcase_add_test(tests, another_word_is_reported_once);
    tcase_add_test(tests, a_call_of_the_program_goes_before_the_environment);
    tcase_add_test(tests, what_the_environment_chose_is_the_handler_before);
    tcase_add_test(tests, a_privileged_program_ignores_the_environment);
    tcase_add_loop_test(tests, a_closed_stderr_changes_nothing_else, 0, CALLS);
    tcase_add_test(tests, a_stderr_that_takes_nothing_changes_nothing_else);
    return run_suite("error", tests);
}
