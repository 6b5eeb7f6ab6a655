//! Faults, and what only looks like one, as they come in the servers and shells that courses ask for.

use std::ffi::CString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::time::{Duration, Instant};

use super::support::{Checked, c, check, csapp_check, program};
use crate::common::{Link, links, scratch};

fn run(name: &str, source: &str) -> Checked {
    let program = program(name, source, Link::Object);
    check(&[], &[program.to_str().expect("UTF-8")], "")
}

/// The number of the line that ends with this.
fn line(source: &str, end: &str) -> u64 {
    let lines = source.lines().position(|line| line.ends_with(end));
    lines.expect("the line is there") as u64 + 1
}

#[track_caller]
fn says(checked: &Checked, name: &str, line: u64, message: &str) {
    let start = format!("{name}.c:{line}: ");
    let said = checked
        .log
        .lines()
        .any(|text| text.starts_with(&start) && text.contains(message));
    assert!(said, "{start}{message}\n{}", checked.log);
}

/// Three clients at once, and a thread for each, by `how`.
fn server(how: &str) -> String {
    let source = r#"
#include "csapp.h"
static sem_t done;
static void *serve(void *argument)
{
    int fd = READ;
    char byte;
    read(fd, &byte, 1);
    close(fd);
    V(&done);
    return NULL;
}
int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, 0), clients[3], i;
    pthread_t tids[3];
    Sem_init(&done, 0, 0);
    bind(listening, (SA *)&address, length);
    listen(listening, 5);
    getsockname(listening, (SA *)&address, &length);
    for (i = 0; i < 3; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        connect(clients[i], (SA *)&address, length);
        write(clients[i], "x", 1);
        close(clients[i]);
    }
    for (i = 0; i < 3; i++) {
        int connfd = accept(listening, NULL, NULL);
        Pthread_create(&tids[i], NULL, serve, GIVE); // each
    }
    for (i = 0; i < 3; i++)
        P(&done);
    for (i = 0; i < 3; i++)
        Pthread_join(tids[i], NULL);
    _exit(0);
}
"#;
    let (give, read) = how.split_once(' ').expect("two words");
    source.replace("GIVE", give).replace("READ", read)
}

#[test]
fn accept_fills_a_variable_that_threads_share() {
    let source = server("&connfd *(int*)argument");
    let checked = run("shares", &source);
    let message = "a second thread gets the same variable";
    says(&checked, "shares", line(&source, "// each"), message);
    let checked = run("shares-not", &server("(void*)(long)connfd (long)argument"));
    assert_eq!(checked.log, "");
}

#[test]
fn children_write_what_their_parent_has_not() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int i;
    for (i = 0; i < 3; i++) {
        printf("waiting\n");
        MEND;
        if (fork() == 0) // each
            exit(0);
        wait(NULL);
    }
    _exit(0);
}
"#;
    let broken = source.replace("MEND", "(void)0");
    let checked = run("prefixes", &broken);
    let message =
        "8 bytes were in the buffer of stdout at this fork, and two children have written them";
    says(&checked, "prefixes", line(&broken, "// each"), message);
    assert_eq!(checked.reports().len(), 1, "{}", checked.log);
    let checked = run("prefixes-not", &source.replace("MEND", "fflush(stdout)"));
    assert_eq!(checked.log, "");
}

#[test]
fn dprintf_writes() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (dprintf(ends[0], "%s %d %.1f\n", "to", 1, 2.5) != 9)
        return 1;
    close(ends[1]);
    dprintf(ends[0], "more\n"); // dies
    return 0;
}
"#;
    let checked = run("prints-to-socket", source);
    let message = "dprintf on descriptor";
    says(
        &checked,
        "prints-to-socket",
        line(source, "// dies"),
        message,
    );
}

#[test]
fn fflush_writes() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int ends[2];
    FILE *stream;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    stream = fdopen(ends[0], "w");
    fprintf(stream, "one\n");
    fflush(stream);
    close(ends[1]);
    fprintf(stream, "two\n");
    fflush(stream); // dies
    return 0;
}
"#;
    let checked = run("flushes-to-socket", source);
    let message = "fflush on descriptor";
    says(
        &checked,
        "flushes-to-socket",
        line(source, "// dies"),
        message,
    );
}

/// Each call that writes to a connection is named if it kills, also through a stream and as standard output.
#[test]
fn streams_and_files_are_written_to_connections() {
    let calls = [
        ("fprintf", "fprintf(stream, \"%d\", argc)"),
        ("fputs", "fputs(argv[0], stream)"),
        ("fputc", "fputc(argc, stream)"),
        ("putc", "putc(argc, stream)"),
        ("fwrite", "fwrite(argv[0], 1, 5, stream)"),
        ("printf", "printf(\"%d\", argc)"),
        ("puts", "puts(argv[0])"),
        ("putchar", "putchar(argc)"),
        ("fclose", "fclose(held)"),
        ("sendfile", "sendfile(ends[0], file, NULL, 100)"),
        ("write", "write(fifo, argv[0], 5)"),
        ("fputs", "fputs(argv[0], ended)"),
    ];
    let cases: String = (0..)
        .zip(calls)
        .map(|(i, (_, call))| format!("    case {i}: {call}; break; // {i}\n"))
        .collect();
    let source = r#"
#include "csapp.h"
#include <sys/sendfile.h>
static FILE *unbuffered(FILE *stream)
{
    setvbuf(stream, NULL, _IONBF, 0);
    return stream;
}
int main(int argc, char **argv)
{
    int ends[2], file = open(argv[0], O_RDONLY), reads, fifo;
    FILE *stream, *held, *ended = unbuffered(popen("exec <&-", "w"));
    char name[300];
    if (argc > 2)
        Signal(SIGPIPE, SIG_IGN);
    snprintf(name, sizeof name, "%s-fifo%s", argv[0], argv[1]);
    mkfifo(name, 0600);
    reads = open(name, O_RDONLY | O_NONBLOCK);
    fifo = open(name, O_WRONLY);
    unlink(name);
    close(reads);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    stream = unbuffered(fdopen(ends[0], "w"));
    held = fdopen(dup(ends[0]), "w");
    fprintf(held, "%d", file);
    dup2(ends[0], 1);
    unbuffered(stdout);
    close(ends[1]);
    waitid(P_ALL, 0, NULL, WEXITED | WNOWAIT);
    switch (atoi(argv[1])) {
CASES    }
    _exit(0);
}
"#;
    let source = source.replace("CASES", &cases);
    let name = "dies-of-sigpipe";
    let program = program(name, &source, Link::Object);
    let program = program.to_str().expect("UTF-8");
    for (i, (call, _)) in calls.iter().enumerate() {
        let number = i.to_string();
        let checked = check(&[], &[program, &number], "");
        let place = line(&source, &format!("// {i}"));
        says(&checked, name, place, &format!("{call} on descriptor"));
        assert_eq!(checked.reports().len(), 1, "{}", checked.log);
        let checked = check(&[], &[program, &number, "mended"], "");
        let kinds = checked.kinds();
        assert!(!kinds.contains(&"sigpipe"), "{}", checked.log);
    }
}

/// What a header of the system defines is inlined: its caller is the place.
#[test]
fn functions_of_headers() {
    let source = r#"
#define _FORTIFY_SOURCE 2
#include "csapp.h"
int main(int argc, char **argv)
{
    char buffer[100];
    dup2(0, 10);
    close(10);
    return read(10, buffer, argc * 60) == 60; // reads
}
"#;
    let checked = run("fortified", source);
    let message = "read is called on descriptor 10, which is closed";
    says(&checked, "fortified", line(source, "// reads"), message);
    assert_eq!(checked.reports().len(), 1, "{}", checked.log);
}

/// A loop around epoll that does not notice the end is woken for nothing; many clients that say nothing are none.
#[test]
fn epoll_tells_of_the_end_for_ever() {
    let source = r#"
#include "csapp.h"
#include <sys/epoll.h>
int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int ends[2], epoll = epoll_create1(0), i, n;
    char byte;
    for (i = 0; i < 150; i++) {
        if (i == 0 || NEW) {
            socketpair(AF_UNIX, TYPE, 0, ends);
            epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
        }
        if (TYPE == SOCK_DGRAM)
            send(ends[1], "", 0, 0);
        else
            close(ends[1]);
        epoll_wait(epoll, &event, 1, -1);
        n = recv(ends[0], &byte, 1, 0); // again
        if (NEW && n == 0)
            close(ends[0]);
    }
    return 0;
}
"#;
    let with = |new, kind| source.replace("NEW", new).replace("TYPE", kind);
    let broken = with("0", "SOCK_STREAM").replace("else\n", "else if (i == 0)\n");
    let checked = run("woken", &broken);
    let message = "recv has reached the end of file 100 times in a row";
    says(&checked, "woken", line(&broken, "// again"), message);
    assert_eq!(checked.reports().len(), 1, "{}", checked.log);
    let checked = run("woken-by-each", &with("1", "SOCK_STREAM"));
    assert_eq!(checked.log, "");
    let checked = run("woken-by-nothing", &with("0", "SOCK_DGRAM"));
    assert_eq!(checked.log, "");
}

/// One place on the heap, or a global variable, that takes each connfd in turn; and as it should be: a place for each,
/// which the thread frees, so that it may be the same again.
#[test]
fn memory_that_threads_share() {
    let source = r#"
#include "csapp.h"
int global;
static sem_t done, may_end;
static void *serve(void *argument)
{
    int fd = *(int *)argument;
    FREE;
    if (fd > 0)
        V(&done);
    P(&may_end);
    return NULL;
}
int main(void)
{
    pthread_t tids[3];
    int i, *place = GET;
    Sem_init(&done, 0, 0);
    Sem_init(&may_end, 0, 0);
    for (i = 0; i < 3; i++) {
        place = EACH;
        *place = dup(0);
        Pthread_create(&tids[i], NULL, serve, place); // each
        WAIT;
    }
    for (i = 0; i < 3; i++)
        V(&may_end);
    for (i = 0; i < 3; i++)
        Pthread_join(tids[i], NULL);
    _exit(0);
}
"#;
    let with = |get, each, free, wait| {
        let source = source.replace("GET", get).replace("EACH", each);
        source.replace("FREE", free).replace("WAIT", wait)
    };
    for (name, get) in [("heap", "malloc(sizeof(int))"), ("global", "&global")] {
        let broken = with(get, "place", "(void)0", "(void)0");
        let name = format!("shares-{name}");
        let checked = run(&name, &broken);
        let message = "a second thread gets the same memory as its argument";
        says(&checked, &name, line(&broken, "// each"), message);
        assert_eq!(checked.reports().len(), 1, "{}", checked.log);
        let waits = with(get, "place", "(void)0", "P(&done)");
        assert_eq!(run(&format!("{name}-not"), &waits).log, "");
    }
    // As a place that is freed and comes again, but without a lucky moment: realloc gives the same one back.
    let frees = with("malloc(8)", "realloc(place, 8)", "(void)0", "(void)0");
    assert_eq!(run("frees", &frees).log, "");
}

/// A descriptor that comes from another process and is of no use here, several times: as in the workers of nginx.
#[test]
fn descriptors_that_were_sent_to_all() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int ends[2], i;
    char byte = 'x', room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&byte, 1};
    for (i = 0; i < 4; i++) {
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
        struct cmsghdr *control = CMSG_FIRSTHDR(&message);
        if (i == 0)
            socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        control->cmsg_level = SOL_SOCKET;
        control->cmsg_type = SCM_RIGHTS;
        control->cmsg_len = CMSG_LEN(sizeof(int));
        *(int *)CMSG_DATA(control) = 0;
        sendmsg(ends[0], &message, 0);
        recvmsg(ends[1], &message, 0); // comes
        USE;
    }
    return 0;
}
"#;
    let checked = run("comes", &source.replace("USE", "(void)0"));
    assert_eq!(checked.log, "");
    let used = source.replace("USE", "read(*(int *)CMSG_DATA(control), &byte, 1)");
    let checked = run("is-used", &used);
    let message = "4 descriptors opened here by recvmsg (SCM_RIGHTS) are still open";
    says(&checked, "is-used", line(&used, "// comes"), message);
}

/// A loop that reads a descriptor which does not block, and waits for nothing.
#[test]
fn a_loop_that_does_not_wait() {
    let source = r#"
#include "csapp.h"
#include <poll.h>
int main(void)
{
    int ends[2], i;
    char byte;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (i = 0; i < 250000; i++) {
        if (i % 90000 == 0)
            WAIT;
        read(ends[0], &byte, 1); // spins
    }
    return 0;
}
"#;
    let broken = source.replace("WAIT", "(void)0");
    let checked = run("spins", &broken);
    let message = "read has failed 100000 times in a row on descriptor";
    says(&checked, "spins", line(&broken, "// spins"), message);
    assert_eq!(checked.reports().len(), 1, "{}", checked.log);
    for (name, wait) in [
        ("polls", "poll(&(struct pollfd){ends[0], POLLIN}, 1, 1)"),
        ("sleeps", "usleep(1)"),
        ("writes", "write(ends[0], &byte, 1)"),
    ] {
        let checked = run(&format!("spins-{name}"), &source.replace("WAIT", wait));
        assert_eq!(checked.log, "");
    }
}

/// scanf reads: at the end of file for ever, or in a child that has fallen through.
#[test]
fn scanf_reads() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int number = 0, i;
    for (i = 0; i < 150; i++)
        if (scanf("%d", &number) == EOF && BREAK) // reads
            break;
    return number;
}
"#;
    let broken = source.replace("BREAK", "0");
    let checked = run("scans", &broken);
    let message = "scanf has reached the end of file 100 times in a row on descriptor 0";
    says(&checked, "scans", line(&broken, "// reads"), message);
    let checked = run("scans-not", &source.replace("BREAK", "1"));
    assert_eq!(checked.log, "");
    let source = r#"
#include "csapp.h"
int main(void)
{
    char word[100];
    while (scanf("%99s", word) == 1 && strcmp(word, "quit")) {
        if (fork() == 0) {
            execlp(word, word, NULL); // fails
            MEND;
        }
        wait(NULL);
    }
    return 0;
}
"#;
    let broken = source.replace("MEND", "(void)0");
    for (text, fails) in [
        (broken, true),
        (source.replace("MEND", "_exit(127)"), false),
    ] {
        let name = format!("shell-{fails}");
        let program = program(&name, &text, Link::Object);
        let input = "nosuchcommand\nquit\nquit\n";
        let checked = check(&[], &[program.to_str().expect("UTF-8")], input);
        if fails {
            let message = "exec fails, and the child continues with the code of its parent";
            says(&checked, &name, line(&text, "// fails"), message);
        } else {
            assert_eq!(checked.log, "");
        }
    }
}

/// The function of libc is named that the handler calls, not what is called inside of it.
#[test]
fn handlers_call_what_allocates() {
    let source = r#"
#include "csapp.h"
static struct addrinfo *found;
static void look(int signal)
{
    getaddrinfo("127.0.0.1", NULL, NULL, &found); // looks
}
int main(void)
{
    int kept = errno;
    Signal(SIGUSR1, look);
    raise(SIGUSR1);
    errno = kept;
    return 0;
}
"#;
    let checked = run("looks", source);
    let message = "getaddrinfo, which calls ";
    says(&checked, "looks", line(source, "// looks"), message);
}

/// A server with a process for each client often waits for none of them: its children's deaths are told all the same, also
/// if somebody else has waited for them when the server ends.
#[test]
fn a_child_that_nobody_waits_for_dies_of_sigpipe() {
    let source = r#"
#include "csapp.h"
#include <sys/syscall.h>
int main(void)
{
    int ends[2], i;
    MEND;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    close(ends[1]);
    if (fork() == 0) {
        write(ends[0], "x", 1); // dies
        _exit(0);
    }
    waitid(P_ALL, 0, NULL, WEXITED | WNOWAIT);
    for (i = 0; i < 100; i++)
        usleep(10000);
    AT_THE_END;
    return 0;
}
"#;
    let unseen = "syscall(SYS_wait4, -1, NULL, 0, NULL)";
    for (name, end) in [("dies-alone", "(void)0"), ("dies-unseen", unseen)] {
        let broken = source.replace("MEND", "(void)0").replace("AT_THE_END", end);
        let checked = run(name, &broken);
        let message = "write on descriptor";
        says(&checked, name, line(&broken, "// dies"), message);
    }
    let mended = source
        .replace("MEND", "Signal(SIGPIPE, SIG_IGN)")
        .replace("AT_THE_END", "(void)0");
    assert_eq!(run("lives-alone", &mended).kinds(), ["unreaped-child"]);
}

/// A pipe by which a loop wakes itself up, for each of several loops; and one that nobody waits for.
#[test]
fn pipes_of_loops_that_still_wait() {
    let source = r#"
#include "csapp.h"
#include <sys/epoll.h>
int main(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int ends[2], epoll = epoll_create1(0), i;
    for (i = 0; i < 3; i++) {
        pipe(ends); // each
        if (WATCHED)
            epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
        write(ends[1], "x", 1);
    }
    return epoll_wait(epoll, &event, 1, 0) < 0;
}
"#;
    let broken = source.replace("WATCHED", "0");
    let checked = run("unwatched", &broken);
    let message = "descriptors opened here by pipe are still open";
    says(&checked, "unwatched", line(&broken, "// each"), message);
    assert_eq!(run("watched", &source.replace("WATCHED", "1")).log, "");
}

/// A handler may wait for a child before fork has told its parent the number.
#[test]
fn children_end_at_once() {
    let source = r#"
#include "csapp.h"
static volatile int reaped, forked;
static void reap(int signal)
{
    int kept = errno;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
    errno = kept;
}
static void wait_for_it(void)
{
    forked++;
    while (reaped < forked)
        usleep(1000);
}
int main(void)
{
    int i;
    Signal(SIGCHLD, reap);
    pthread_atfork(NULL, wait_for_it, NULL);
    for (i = 0; i < 3; i++)
        if (fork() == 0)
            _exit(0);
    for (i = 0; i < 100; i++)
        usleep(10000);
    raise(SIGTERM);
}
"#;
    let checked = run("at-once", source);
    assert_eq!(checked.log, "");
}

/// Ctrl-C kills a server and its children: the server cannot wait for them any more.
#[test]
fn children_are_killed_with_their_parent() {
    let source = r#"
#include "csapp.h"
static void leave(int signal)
{
    _exit(0);
}
int main(void)
{
    int i, ends[2];
    char byte;
    pipe(ends);
    setpgid(0, 0);
    for (i = 0; i < 6; i++)
        if (fork() == 0) {
            Signal(SIGINT, i % 2 ? leave : SIG_DFL);
            write(ends[1], "x", 1);
            for (;;)
                pause();
        }
    for (i = 0; i < 6; i++)
        read(ends[0], &byte, 1);
    kill(0, SIGINT);
    for (;;)
        pause();
}
"#;
    let checked = run("killed-together", source);
    assert_eq!(checked.log, "");
}

/// What a handler's errno is, if another handler has interrupted it, is that one's fault alone.
#[test]
fn handlers_interrupt_handlers() {
    let source = r#"
#include "csapp.h"
static void inner(int signal)
{
    errno = EDOM;
}
static void outer(int signal)
{
    raise(SIGUSR2);
}
int main(void)
{
    signal(SIGUSR1, outer);
    signal(SIGUSR2, inner); // inner
    raise(SIGUSR1);
    return 0;
}
"#;
    let checked = run("nested", source);
    let message = "the handler of SIGUSR2 that is installed here changes errno";
    says(&checked, "nested", line(source, "// inner"), message);
    assert_eq!(checked.reports().len(), 1, "{}", checked.log);
}

/// A shell gives itself a group, which for the leader of one changes nothing, and reads on from its terminal.
#[test]
fn group_of_its_own_at_a_terminal() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    char line[100];
    setpgid(0, 0);
    if (fgets(line, sizeof line, stdin) != NULL && getpgrp() == getpid())
        printf("has read %s", line);
    return 0;
}
"#;
    let program = program("own-group", source, Link::Object);
    let text = |path: &std::path::Path| {
        CString::new(path.as_os_str().as_encoded_bytes()).expect("no zero byte")
    };
    let command = text(csapp_check().get_program().as_ref());
    let arguments = [command.clone(), text(&program)];
    let pointers = [
        arguments[0].as_ptr(),
        arguments[1].as_ptr(),
        std::ptr::null(),
    ];
    let mut master = 0;
    let none = std::ptr::null_mut();
    // SAFETY: the child only runs the command.
    let pid = unsafe { libc::forkpty(&mut master, none, none.cast(), none.cast()) };
    if pid == 0 {
        // SAFETY: the strings and the list end with zero.
        unsafe {
            libc::execv(command.as_ptr(), pointers.as_ptr());
            libc::_exit(127);
        }
    }
    assert!(pid > 0);
    // SAFETY: forkpty has opened it.
    let mut terminal = unsafe { File::from_raw_fd(master) };
    terminal.write_all(b"words\n").expect("room");
    let (start, mut said) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(20) {
        let mut ready = libc::pollfd {
            fd: master,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut bytes = [0; 1000];
        // SAFETY: one entry.
        if unsafe { libc::poll(&mut ready, 1, 100) } > 0 {
            match terminal.read(&mut bytes) {
                Ok(n) if n > 0 => said.extend_from_slice(&bytes[..n]),
                _ => break,
            }
        }
    }
    // SAFETY: the command, which is this process's child.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, std::ptr::null_mut(), 0);
    }
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("has read words"), "{said}");
}

/// Three clients that have sent all they will, and wait for answers; served by `how`.
fn half_closing_clients(how: &str) -> String {
    r#"
#include "csapp.h"
static sem_t given, served, more;
static int next;
static void *serve(void *argument)
{
    int client = (int)(long)argument, ends[2];
    char byte;
    if (client == 0) {
        P(&given);
        client = next;
    }
    while (read(client, &byte, 1) == 1)
        ;
    V(&served);
    if (ANSWERS) {
        pipe(ends);
        V(&served);
        read(ends[0], &byte, 1);
    }
    P(&more);
    return NULL;
}
int main(void)
{
    pthread_t tid;
    int i, pair[2];
    Sem_init(&given, 0, 0);
    Sem_init(&served, 0, 0);
    Sem_init(&more, 0, 0);
    for (i = 0; i < 3; i++) {
        if (POOL)
            Pthread_create(&tid, NULL, serve, NULL);
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair); // client
        shutdown(pair[1], SHUT_WR);
        next = pair[0];
        if (POOL)
            V(&given);
        else
            Pthread_create(&tid, NULL, serve, (void *)(long)pair[0]);
        P(&served);
        if (ANSWERS)
            P(&served);
    }
    usleep(100000);
    raise(SIGTERM);
}
"#
    .replace("POOL", if how.contains("pool") { "1" } else { "0" })
    .replace("ANSWERS", if how.contains("answers") { "1" } else { "0" })
}

#[test]
fn clients_that_still_wait_are_no_leak() {
    for how in ["each answers", "pool answers", "each"] {
        let checked = run("half-closed", &half_closing_clients(how));
        assert_eq!(checked.log, "", "{how}");
    }
    let source = half_closing_clients("pool");
    let checked = run("half-closed", &source);
    let message = "6 descriptors opened here by socketpair are still open";
    says(&checked, "half-closed", line(&source, "// client"), message);
    let evidence = "the program had met the end of 3 of them";
    assert!(checked.log.contains(evidence), "{}", checked.log);
}

/// A signal ends the program while it is busy with some of what it has opened: those are open, too.
#[test]
fn a_leak_counts_all_that_are_open() {
    for (opened, closed, signal) in [(3, 0, "SIGINT"), (8, 3, "SIGTERM"), (3, 0, "0")] {
        let source = format!(
            r#"
#include "csapp.h"
int main(void)
{{
    int fds[8], i;
    for (i = 0; i < {opened}; i++)
        fds[i] = open("/dev/null", O_RDONLY); // opens
    for (i = 0; i < {closed}; i++)
        close(fds[i]);
    if ({signal})
        raise({signal});
    return 0;
}}
"#
        );
        let program = program("signalled", &source, Link::Object);
        let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
        let left = opened - closed;
        let message = format!("{left} descriptors opened here by open are still open");
        says(&checked, "signalled", line(&source, "// opens"), &message);
        assert_eq!(checked.reports()[0]["count"], left, "{}", checked.log);
        assert_eq!(checked.json["descriptors_left"], left, "{}", checked.log);
    }
}

/// A line may have calls of several names: a report has all of these.
#[test]
fn a_leak_names_each_call_of_its_line() {
    let source = r#"
#include "csapp.h"
int main(void)
{
    int i;
    for (i = 0; i < 5; i++)
        (i < 3 ? open("/dev/null", O_RDONLY) : i == 3 ? dup(0) : Open("/", O_RDONLY, 0)); // opens
    return 0;
}
"#;
    let program = program("names", source, Link::Object);
    let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
    let message = "5 descriptors opened here by Open and dup and open are still open";
    says(&checked, "names", line(source, "// opens"), message);
    assert_eq!(checked.kinds(), ["leak"], "{}", checked.log);
}

/// What a system call opens that bypasses libc has no older story of its number.
#[test]
fn a_system_call_opens_a_number_again() {
    let source = r#"
#include "csapp.h"
#include <sys/syscall.h>
static void *thread(void *argument)
{
    close(open("/dev/null", O_RDONLY)); // older
    return argument;
}
int main(void)
{
    pthread_t tid;
    int fd;
    Pthread_create(&tid, NULL, thread, NULL);
    Pthread_join(tid, NULL);
    fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
    close(fd); // first
    close(fd); // second
    return 0;
}
"#;
    let checked = run("raw", source);
    says(
        &checked,
        "raw",
        line(source, "// second"),
        "descriptor 3 is closed a second time",
    );
    let first = format!(
        "closed first at raw.c:{} (main), by the same thread",
        line(source, "// first")
    );
    assert!(checked.log.contains(&first), "{}", checked.log);
    let older = format!("raw.c:{} ", line(source, "// older"));
    assert!(!checked.log.contains(&older), "{}", checked.log);
}

/// Clients of a server by select, each of which sends two lines at once, and another one later. The server reads them by
/// `how`.
fn lines_at_once(clients: usize, how: &str) -> String {
    let parts: Vec<_> = how.split('|').collect();
    r#"
#include "csapp.h"
static rio_t readers[CLIENTS];
static void serve(int i)
{
    char line[MAXLINE];
    DECLARE;
    Rio_readlineb(RIO, line, MAXLINE); // reads
    write(readers[i].rio_fd, "ok\n", 3);
    END;
}
int main(void)
{
    int i, round, pair[CLIENTS][2];
    fd_set ready;
    for (i = 0; i < CLIENTS; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]);
        Rio_readinitb(&readers[i], pair[i][0]); // once
        write(pair[i][1], "one\ntwo\n", 8);
    }
    for (round = 0; round < 2; round++) {
        FD_ZERO(&ready);
        for (i = 0; i < CLIENTS; i++)
            FD_SET(pair[i][0], &ready);
        select(FD_SETSIZE, &ready, NULL, NULL, NULL);
        for (i = 0; i < CLIENTS; i++)
            serve(i);
        for (i = 0; i < CLIENTS; i++)
            write(pair[i][1], "three\n", 6);
    }
    return 0;
}
"#
    .replace("CLIENTS", &clients.to_string())
    .replace("DECLARE", parts[0])
    .replace("RIO", parts[1])
    .replace("END", parts[2])
}

#[test]
fn copies_of_a_rio_lose_what_they_read_ahead() {
    let copy = "rio_t rio = readers[i]|&rio|(void)0";
    let pointer = "rio_t *rio = &readers[i]|rio|(void)0";
    let copied_back = "rio_t rio = readers[i]|&rio|readers[i] = rio";
    for clients in [1, 2] {
        let broken = lines_at_once(clients, copy);
        let line = |end| line(&broken, end);
        for link in [Link::Shared, Link::Object, Link::Own] {
            let program = program("copies", &broken, link);
            let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
            let message = "reads 4 bytes of descriptor";
            says(&checked, "copies", line("// reads"), message);
            assert_eq!(checked.kinds(), ["lost-bytes"], "{}", checked.log);
            let once = format!("initialised at copies.c:{} (main)", line("// once"));
            assert!(checked.log.contains(&once), "{}", checked.log);
        }
        for mended in [pointer, copied_back] {
            for link in [Link::Object, Link::Own] {
                let program = program("copies-not", &lines_at_once(clients, mended), link);
                let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
                assert_eq!(checked.log, "", "{mended} {clients} {link:?}");
            }
        }
    }
}

/// With AddressSanitizer, printf is vprintf.
#[test]
fn a_handler_prints_past_a_sanitizer() {
    let source = r#"
#include <signal.h>
#include <stdio.h>
static void prints(int signal)
{
    printf("signal %d\n", signal); // prints
}
int main(void)
{
    signal(SIGUSR1, prints);
    raise(SIGUSR1);
    return 0;
}
"#;
    if !links("gcc", "-fsanitize=address") {
        return;
    }
    let dir = scratch("sanitized-printf");
    let file = dir.join("sanitized.c");
    std::fs::write(&file, source).expect("a new file");
    let program = c(file).compiler("gcc").flags(["-fsanitize=address"]);
    let program = program.link(Link::Object).build(&dir);
    let checked = check(&[], &[program.to_str().expect("UTF-8")], "");
    let message = "printf, which calls vprintf, is called in a handler of SIGUSR1";
    says(&checked, "sanitized", line(source, "// prints"), message);
}

/// Five children end at once, and the handler waits for one. Soon after that, Ctrl-C.
#[test]
fn children_that_a_handler_has_just_left() {
    let source = r#"
#include "csapp.h"
static void reap(int signal)
{
    int before = errno;

    (void)signal;
    waitpid(-1, NULL, WNOHANG);
    errno = before;
}
int main(void)
{
    sigset_t child;
    pid_t pids[5];
    siginfo_t info;
    int i;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    Signal(SIGCHLD, reap); // installed
    for (i = 0; i < 5; i++)
        if ((pids[i] = Fork()) == 0)
            _exit(0);
    for (i = 0; i < 5; i++)
        waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT);
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    usleep(300000);
    raise(SIGINT);
    return 0;
}
"#;
    let checked = run("left-before", source);
    let message = "returns while children that have ended are left";
    says(
        &checked,
        "left-before",
        line(source, "// installed"),
        message,
    );
    assert!(
        checked.log.contains("    4 of those forked at "),
        "{}",
        checked.log
    );
}
