//! Descriptors: where each number was given out, what for, and where it was closed.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

use libc::{mode_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_un, socklen_t};

use crate::chaos;
use crate::find::Fault;
use crate::real::Real;
use crate::rio;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{KeepErrno, Me, me, set_errno};

/// Records that `fd` was given out by `call`, or that the call failed.
pub fn opened(me: &Me, fd: c_int, call: Call, stack: u32, name: &[u8], flags: u32) {
    let kept = KeepErrno::new();
    if fd < 0 {
        failed(me, 0, call, stack, kept.value());
        return;
    }
    me.log(call, fd, stack, 0, fd);
    let Some(entry) = me.process.fd(fd) else {
        return;
    };
    let mut used = me.process.fds_used.get();
    while used <= fd as u32 && !me.process.fds_used.swap_from(used, fd as u32 + 1) {
        used = me.process.fds_used.get();
    }
    entry.generation.add(1);
    entry.flags.set(flags);
    entry.position.set(0);
    entry.open_call.set(call as u32);
    entry.open_stack.set(stack);
    entry.open_tid.set(me.tid());
    let ops = me.thread.ops.get().wrapping_add(1);
    me.thread.ops.set(ops);
    entry.open_ops.set(ops);
    entry.use_tid.set(me.tid());
    entry.use_ops.set(ops);
    entry.taken_ops.set(ops);
    entry.end_stack.set(0);
    entry.stream.set(0);
    entry.name.write(name);
    me.thread.newest_fd.set(fd);
    me.thread.opened.set(me.thread.opened.get().wrapping_add(1));
    entry.open_nth.set(me.thread.opened.get());
    entry
        .state
        .store(OPEN, std::sync::atomic::Ordering::Release);
}

/// Keeps the last failure of a thread, of the calls that return descriptors (0) or counts (1).
pub fn failed(me: &Me, which: usize, call: Call, stack: u32, errno: c_int) {
    let failure = &me.thread.failed[which];
    failure.stack.set(stack);
    failure.errno.set(errno);
    failure.call.set(call as u32);
}

/// A call on `fd` failed with EBADF: says why, if that is known.
#[cold]
pub fn bad_number(me: &Me, fd: c_int, call: Call, stack: u32) {
    if fd < 0 {
        let failure = &me.thread.failed[0];
        if failure.call.get() != 0 {
            let at = [
                (call, stack),
                (Call::of(failure.call.get()), failure.stack.get()),
            ];
            let numbers = [i64::from(failure.errno.get()), 0];
            Fault {
                kind: Kind::ErrorAsNumber,
                fd,
                at: &at,
                numbers: &numbers,
                text: b"",
            }
            .report(me);
        }
        return;
    }
    let Some(entry) = me
        .process
        .fd(fd)
        .filter(|entry| entry.state.get() == CLOSED)
    else {
        return;
    };
    let at = [(call, stack), closing(entry), opening(entry)];
    let numbers = [who_closed(me, entry)];
    Fault {
        kind: Kind::ClosedUse,
        fd,
        at: &at,
        numbers: &numbers,
        text: b"",
    }
    .report(me);
}

fn opening(entry: &Fd) -> (Call, u32) {
    (Call::of(entry.open_call.get()), entry.open_stack.get())
}

fn closing(entry: &Fd) -> (Call, u32) {
    (Call::of(entry.close_call.get()), entry.close_stack.get())
}

/// 1: this thread; 2: somebody in the process that forked this one; 0: another thread.
fn who_closed(me: &Me, entry: &Fd) -> i64 {
    match entry.close_tid.get() {
        0 => 2,
        tid => i64::from(tid == me.tid()),
    }
}

/// Looks at the number before it is used: the thread may have closed it, and another thread may have been given it
/// since, of which this one cannot know if it has waited for nothing in between.
#[inline]
pub fn check_owner(me: &Me, fd: c_int, entry: &Fd, call: Call, stack: u32) {
    let tid = me.tid();
    let closed_it_myself = entry.close_tid.get() == tid
        && entry.close_sync.get() == me.thread.sync.get()
        && entry.close_stack.get() != 0
        && entry.state.get() == OPEN;
    if closed_it_myself && entry.open_tid.get() != tid {
        let kind = if call == Call::Close {
            Kind::DoubleClose
        } else {
            Kind::ForeignUse
        };
        let at = [(call, stack), closing(entry), opening(entry)];
        let mut name = [0; TEXT];
        let length = entry.name.read_into(&mut name);
        Fault {
            kind,
            fd,
            at: &at,
            numbers: &[1, 1],
            text: &name[..length],
        }
        .report(me);
    }
}

/// Marks `fd` as closed by `call`, which is about to close it: afterwards, another thread may have the number at once.
/// Returns what its state was.
pub fn closing_now(me: &Me, fd: c_int, call: Call, stack: u32) -> u32 {
    let Some(entry) = me.process.fd(fd) else {
        return 0;
    };
    let state = entry.state.get();
    if state == CLOSED {
        return state;
    }
    if state == OPEN {
        check_owner(me, fd, entry, call, stack);
    }
    if me.process.threads_used.get() > 1 {
        check_waiting(me, fd, call, stack);
    }
    entry.state.set(CLOSED);
    note_close(me, entry, call, stack);
    entry.stream.set(0);
    me.log(call, fd, stack, 0, 0);
    state
}

fn note_close(me: &Me, entry: &Fd, call: Call, stack: u32) {
    entry.close_call.set(call as u32);
    entry.close_stack.set(stack);
    entry.close_tid.set(me.tid());
    entry.close_sync.set(me.thread.sync.get());
}

fn check_waiting(me: &Me, fd: c_int, call: Call, stack: u32) {
    let used = (me.process.threads_used.get() as usize).min(THREADS);
    let waits = |thread: &&Thread| {
        thread.state.get() == ALIVE
            && thread.fd.get() == fd
            && thread.call.get() != 0
            && thread.tid.get() != me.tid()
            && is_in_kernel(thread.tid.get(), fd)
    };
    let opened = me.process.fd(fd).map_or((Call::None, 0), opening);
    for thread in me.process.threads[..used].iter().filter(waits) {
        let at = [
            (call, stack),
            (Call::of(thread.call.get()), thread.stack.get()),
            opened,
        ];
        let numbers = [i64::from(thread.tid.get())];
        Fault {
            kind: Kind::ClosedUnderWait,
            fd,
            at: &at,
            numbers: &numbers,
            text: b"",
        }
        .report(me);
    }
}

/// Whether the thread is in a system call whose first argument is `fd`, as the kernel says.
fn is_in_kernel(tid: i32, fd: c_int) -> bool {
    let mut path = Short::new();
    let _ = write!(path, "/proc/self/task/{tid}/syscall\0");
    let mut text = [0u8; 64];
    // SAFETY: the path ends with a zero byte, the buffer is as long as is said; not this library's own open and close.
    let length = unsafe {
        let file = libc::syscall(
            libc::SYS_openat,
            libc::AT_FDCWD,
            path.bytes().as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        if file < 0 {
            return false;
        }
        let length = libc::syscall(libc::SYS_read, file, text.as_mut_ptr(), text.len());
        libc::syscall(libc::SYS_close, file);
        length
    };
    let text = text
        .get(..usize::try_from(length).unwrap_or(0))
        .unwrap_or(&[]);
    let argument = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.split(' ').nth(1));
    let number = argument
        .and_then(|word| word.strip_prefix("0x"))
        .and_then(|hex| i64::from_str_radix(hex, 16).ok());
    number == Some(i64::from(fd))
}

/// After the real close: what it said of a number that was closed before, or that no call had opened.
pub fn closed(me: &Me, fd: c_int, call: Call, stack: u32, was: u32, result: c_int) {
    let Some(entry) = me.process.fd(fd) else {
        return;
    };
    if result == 0 {
        if was == CLOSED && entry.state.get() == CLOSED {
            // A system call that was not seen had opened it since: where is not known.
            note_close(me, entry, call, stack);
            entry.open_call.set(0);
            entry.open_stack.set(0);
        }
        return;
    }
    let kept = KeepErrno::new();
    if kept.value() != libc::EBADF {
        return;
    }
    if was == CLOSED {
        let at = [(call, stack), closing(entry), opening(entry)];
        let numbers = [who_closed(me, entry), 0];
        Fault {
            kind: Kind::DoubleClose,
            fd,
            at: &at,
            numbers: &numbers,
            text: b"",
        }
        .report_later(me);
    } else {
        // Closes numbers that never were: a loop over all of them, which means no descriptor in particular.
        entry.state.set(0);
        let at = [(Call::Close, stack)];
        let sweep = Fault {
            kind: Kind::DoubleClose,
            fd,
            at: &at,
            numbers: &[],
            text: b"",
        }
        .report_later(me);
        if sweep.state.get() == PENDING {
            sweep.state.set(CANCELLED);
        }
    }
}

/// A file name for a report, from C.
///
/// # Safety
/// `path` is NULL or a string.
pub unsafe fn name<'a>(path: *const c_char) -> &'a [u8] {
    if path.is_null() {
        return b"";
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(path) }.to_bytes()
}

/// # Safety
/// As open, openat.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_open(
    form: c_int,
    dir: c_int,
    path: *const c_char,
    flags: c_int,
    mode: mode_t,
    site: Site,
) -> c_int {
    static REAL: [Real; 4] = [
        Real::new(c"open"),
        Real::new(c"open64"),
        Real::new(c"openat"),
        Real::new(c"openat64"),
    ];
    let me = me();
    if chaos::fails(me, &[libc::EMFILE, libc::EINTR]) {
        return -1;
    }
    let real = REAL[form as usize].address();
    // SAFETY: the variadic functions of these names, with the arguments that they take.
    let fd = unsafe {
        if form < 2 {
            let open: unsafe extern "C" fn(*const c_char, c_int, ...) -> c_int =
                std::mem::transmute(real);
            open(path, flags, mode)
        } else {
            let openat: unsafe extern "C" fn(c_int, *const c_char, c_int, ...) -> c_int =
                std::mem::transmute(real);
            openat(dir, path, flags, mode)
        }
    };
    if let Some(me) = me {
        let path = if fd < 0 { std::ptr::null() } else { path };
        // SAFETY: a path that open has accepted is a string.
        let name = unsafe { name(path) };
        let kept = KeepErrno::new();
        let flags = if is_fifo(fd) { PIPE } else { 0 };
        drop(kept);
        opened(&me, fd, Call::Open, me.stack(site), name, flags);
    }
    fd
}

fn is_fifo(fd: c_int) -> bool {
    // SAFETY: zero bytes are a valid stat, which the kernel fills in.
    unsafe {
        let mut kind: libc::stat = std::mem::zeroed();
        fd >= 0 && libc::fstat(fd, &mut kind) == 0 && kind.st_mode & libc::S_IFMT == libc::S_IFIFO
    }
}

/// # Safety
/// As fcntl.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_fcntl(
    form: c_int,
    fd: c_int,
    command: c_int,
    argument: *mut c_void,
    site: Site,
) -> c_int {
    static REAL: [Real; 2] = [Real::new(c"fcntl"), Real::new(c"fcntl64")];
    // SAFETY: fcntl, with the caller's arguments.
    let result = unsafe {
        let fcntl: unsafe extern "C" fn(c_int, c_int, ...) -> c_int =
            std::mem::transmute(REAL[form as usize].address());
        fcntl(fd, command, argument)
    };
    if matches!(command, libc::F_DUPFD | libc::F_DUPFD_CLOEXEC) {
        if let Some(me) = me() {
            duplicated(&me, fd, result, Call::Fcntl, me.stack(site));
        }
    }
    result
}

/// `new` refers to what `old` does.
fn duplicated(me: &Me, old: c_int, new: c_int, call: Call, stack: u32) {
    let kept = KeepErrno::new();
    let from = me.process.fd(old).filter(|entry| entry.state.get() == OPEN);
    let mut name = [0; TEXT];
    let length = from.map_or(0, |entry| entry.name.read_into(&mut name));
    let flags = from.map_or(0, |entry| entry.flags.get() & (SOCKET | PIPE | LISTENS));
    opened(me, new, call, stack, &name[..length], flags);
    if new < 0 && kept.value() == libc::EBADF {
        bad_number(me, old, call, stack);
    }
}

hook! {
    fn close(fd: c_int) -> c_int {
        let Some(me) = me() else { return real(fd) };
        let stack = me.stack(site());
        let kept = KeepErrno::new();
        let was = closing_now(&me, fd, Call::Close, stack);
        drop(kept);
        let result = real(fd);
        closed(&me, fd, Call::Close, stack, was, result);
        result
    }

    fn dup(old: c_int) -> c_int {
        let new = real(old);
        if let Some(me) = me() {
            duplicated(&me, old, new, Call::Dup, me.stack(site()));
        }
        new
    }

    fn dup2(old: c_int, new: c_int) -> c_int {
        let at = site();
        dup_onto(old, new, at, || real(old, new))
    }

    fn dup3(old: c_int, new: c_int, flags: c_int) -> c_int {
        let at = site();
        dup_onto(old, new, at, || real(old, new, flags))
    }

    fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
        let at = site();
        if let Some(me) = me().filter(|_| flags & libc::CLOSE_RANGE_CLOEXEC as c_int == 0) {
            close_all(&me, first, last, me.stack(at));
        }
        real(first, last, flags)
    }

    fn closefrom(first: c_int) -> () {
        let at = site();
        if let Some(me) = me() {
            close_all(&me, first.max(0) as c_uint, c_uint::MAX, me.stack(at));
        }
        real(first)
    }

    fn pipe(ends: *mut c_int) -> c_int {
        let at = site();
        if chaos::fails(me(), &[libc::EMFILE]) {
            return -1;
        }
        let result = real(ends);
        pair(result, ends, Call::Pipe, PIPE, at);
        result
    }

    fn pipe2(ends: *mut c_int, flags: c_int) -> c_int {
        let at = site();
        if chaos::fails(me(), &[libc::EMFILE]) {
            return -1;
        }
        let result = real(ends, flags);
        pair(result, ends, Call::Pipe, PIPE, at);
        result
    }

    fn socketpair(domain: c_int, kind: c_int, protocol: c_int, ends: *mut c_int) -> c_int {
        let at = site();
        let result = real(domain, kind, protocol, ends);
        pair(result, ends, Call::Socketpair, SOCKET, at);
        result
    }

    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
        let at = site();
        if chaos::fails(me(), &[libc::EMFILE, libc::ENOMEM]) {
            return -1;
        }
        made(real(domain, kind, protocol), Call::Socket, b"", SOCKET, at)
    }

    fn epoll_create(size: c_int) -> c_int {
        let at = site();
        made(real(size), Call::EpollCreate, b"epoll", 0, at)
    }

    fn epoll_create1(flags: c_int) -> c_int {
        let at = site();
        made(real(flags), Call::EpollCreate, b"epoll", 0, at)
    }

    fn eventfd(value: c_uint, flags: c_int) -> c_int {
        let at = site();
        made(real(value, flags), Call::Eventfd, b"eventfd", 0, at)
    }

    fn timerfd_create(clock: c_int, flags: c_int) -> c_int {
        let at = site();
        made(real(clock, flags), Call::Timerfd, b"timerfd", 0, at)
    }

    fn signalfd(fd: c_int, mask: *const libc::sigset_t, flags: c_int) -> c_int {
        let at = site();
        let result = real(fd, mask, flags);
        if fd < 0 { made(result, Call::Signalfd, b"signalfd", 0, at) } else { result }
    }

    fn inotify_init() -> c_int {
        let at = site();
        made(real(), Call::Inotify, b"inotify", 0, at)
    }

    fn inotify_init1(flags: c_int) -> c_int {
        let at = site();
        made(real(flags), Call::Inotify, b"inotify", 0, at)
    }

    fn memfd_create(text: *const c_char, flags: c_uint) -> c_int {
        let at = site();
        made(real(text, flags), Call::Memfd, b"memfd", 0, at)
    }

    fn mkstemp(template: *mut c_char) -> c_int {
        let at = site();
        let fd = real(template);
        // SAFETY: the caller's string.
        made(fd, Call::Mkstemp, unsafe { name(template) }, 0, at)
    }

    fn mkstemp64(template: *mut c_char) -> c_int {
        let at = site();
        let fd = real(template);
        // SAFETY: the caller's string.
        made(fd, Call::Mkstemp, unsafe { name(template) }, 0, at)
    }

    fn mkostemp(template: *mut c_char, flags: c_int) -> c_int {
        let at = site();
        let fd = real(template, flags);
        // SAFETY: the caller's string.
        made(fd, Call::Mkstemp, unsafe { name(template) }, 0, at)
    }

    fn mkostemp64(template: *mut c_char, flags: c_int) -> c_int {
        let at = site();
        let fd = real(template, flags);
        // SAFETY: the caller's string.
        made(fd, Call::Mkstemp, unsafe { name(template) }, 0, at)
    }

    fn accept(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int {
        let at = site();
        accepted(fd, at, || real(fd, address, length))
    }

    fn accept4(fd: c_int, address: *mut sockaddr, length: *mut socklen_t, flags: c_int) -> c_int {
        let at = site();
        accepted(fd, at, || real(fd, address, length, flags))
    }

    fn connect(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
        let at = site();
        let Some(me) = me() else { return real(fd, address, length) };
        chaos::delay_connection(&me);
        let mut peer = Short::new();
        // SAFETY: the caller's address.
        unsafe { describe(address, length, &mut peer) };
        if let Some(entry) = me.process.fd(fd).filter(|_| !peer.bytes().is_empty()) {
            entry.name.write(peer.bytes());
        }
        on_socket(&me, fd, Call::Connect, at, || real(fd, address, length))
    }

    fn bind(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
        let at = site();
        let Some(me) = me() else { return real(fd, address, length) };
        on_socket(&me, fd, Call::Bind, at, || real(fd, address, length))
    }

    fn listen(fd: c_int, backlog: c_int) -> c_int {
        let at = site();
        let Some(me) = me() else { return real(fd, backlog) };
        let result = on_socket(&me, fd, Call::Listen, at, || real(fd, backlog));
        if let Some(entry) = me.process.fd(fd).filter(|_| result == 0) {
            let kept = KeepErrno::new();
            entry.flags.set(entry.flags.get() | LISTENS);
            let own = address_of(fd, libc::SYS_getsockname);
            let mut name = Short::new();
            let _ = write!(name, "listening on ");
            name.push(own.bytes());
            entry.name.write(name.bytes());
            drop(kept);
        }
        result
    }

    fn shutdown(fd: c_int, how: c_int) -> c_int {
        let at = site();
        let Some(me) = me() else { return real(fd, how) };
        if let Some(entry) = me.process.fd(fd).filter(|_| how != libc::SHUT_RD) {
            entry.flags.set(entry.flags.get() | WRITE_SHUT);
        }
        on_socket(&me, fd, Call::Shutdown, at, || real(fd, how))
    }

    fn lseek(fd: c_int, offset: libc::off_t, whence: c_int) -> libc::off_t {
        moved(fd);
        real(fd, offset, whence)
    }

    fn lseek64(fd: c_int, offset: i64, whence: c_int) -> i64 {
        moved(fd);
        real(fd, offset, whence)
    }

    fn epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut libc::epoll_event) -> c_int {
        if let Some(me) = me() {
            polled(&me, fd, operation != libc::EPOLL_CTL_DEL);
        }
        real(epoll, operation, fd, event)
    }
}

/// Whether some call waits for `fd` among others.
pub fn polled(me: &Me, fd: c_int, is_polled: bool) {
    if let Some(entry) = me.process.fd(fd) {
        let flags = entry.flags.get();
        let new = if is_polled {
            flags | POLLED
        } else {
            flags & !POLLED
        };
        if new != flags {
            entry.flags.set(new);
        }
    }
}

/// The position of a file has changed: what a reader has read ahead is no longer what comes next.
fn moved(fd: c_int) {
    if let Some(me) = me() {
        if let Some(entry) = me.process.fd(fd) {
            entry.position.add(1);
        }
    }
}

fn made(fd: c_int, call: Call, name: &[u8], flags: u32, at: Site) -> c_int {
    if let Some(me) = me() {
        opened(&me, fd, call, me.stack(at), name, flags);
    }
    fd
}

fn pair(result: c_int, ends: *mut c_int, call: Call, flags: u32, at: Site) {
    let Some(me) = me() else { return };
    let stack = me.stack(at);
    if result < 0 {
        return opened(&me, result, call, stack, b"", flags);
    }
    // SAFETY: the call has filled in both.
    let ends = unsafe { [*ends, *ends.add(1)] };
    let names: [&[u8]; 2] = match call {
        Call::Pipe => [b"a pipe's reading end", b"a pipe's writing end"],
        _ => [b"one end of a socketpair", b"one end of a socketpair"],
    };
    for (end, name) in ends.iter().zip(names) {
        opened(&me, *end, call, stack, name, flags);
    }
    // One call.
    if let [Some(first), Some(second)] = ends.map(|end| me.process.fd(end)) {
        second.open_nth.set(first.open_nth.get());
    }
}

fn dup_onto(old: c_int, new: c_int, at: Site, real: impl FnOnce() -> c_int) -> c_int {
    let Some(me) = me() else { return real() };
    let stack = me.stack(at);
    let kept = KeepErrno::new();
    if old != new && old >= 0 {
        replaced(&me, new);
    }
    drop(kept);
    let result = real();
    if old != new || result < 0 {
        duplicated(&me, old, result, Call::Dup2, stack);
    }
    result
}

/// A number that is open is given a new meaning on purpose.
fn replaced(me: &Me, fd: c_int) {
    if let Some(entry) = me.process.fd(fd) {
        entry.close_tid.set(0);
        entry.stream.set(0);
        rio::forget(me, fd);
    }
}

fn close_all(me: &Me, first: c_uint, last: c_uint, stack: u32) {
    let last = last.min(me.process.fds_used.get());
    for fd in first..=last {
        let open = me
            .process
            .fd(fd as c_int)
            .filter(|entry| entry.state.get() == OPEN);
        if open.is_some() {
            closing_now(me, fd as c_int, Call::Close, stack);
        }
    }
}

fn accepted(listening: c_int, at: Site, real: impl FnOnce() -> c_int) -> c_int {
    let Some(me) = me() else { return real() };
    if let Some(fault) = chaos::accept_fault(&me) {
        set_errno(fault);
        return -1;
    }
    if chaos::fails(Some(me), &[libc::EINTR, libc::EMFILE]) {
        return -1;
    }
    let stack = me.stack(at);
    let doing = me.begin(Call::Accept, listening, stack);
    let fd = real();
    doing.end(fd as isize);
    me.heard_from_outside();
    let kept = KeepErrno::new();
    let peer = if fd < 0 {
        Short::new()
    } else {
        address_of(fd, libc::SYS_getpeername)
    };
    if fd < 0 && kept.value() == libc::EBADF {
        bad_number(&me, listening, Call::Accept, stack);
    }
    if let Some(entry) = me.process.fd(listening) {
        entry.use_tid.set(me.tid());
    }
    drop(kept);
    opened(&me, fd, Call::Accept, stack, peer.bytes(), SOCKET);
    chaos::delay(&me);
    fd
}

fn on_socket(me: &Me, fd: c_int, call: Call, at: Site, real: impl FnOnce() -> c_int) -> c_int {
    let stack = me.stack(at);
    let doing = me.begin(call, fd, stack);
    let result = real();
    doing.end(result as isize);
    if result < 0 {
        let kept = KeepErrno::new();
        if kept.value() == libc::EBADF {
            bad_number(me, fd, call, stack);
        } else if call == Call::Connect && kept.value() != libc::EINPROGRESS {
            failed(me, 0, call, stack, kept.value());
        }
    }
    result
}

/// A short text that is made without memory from the heap.
pub struct Short {
    bytes: [u8; TEXT],
    length: usize,
}

impl Short {
    pub fn new() -> Short {
        Short {
            bytes: [0; TEXT],
            length: 0,
        }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    pub fn push(&mut self, more: &[u8]) {
        let fits = more.len().min(TEXT - self.length);
        self.bytes[self.length..self.length + fits].copy_from_slice(&more[..fits]);
        self.length += fits;
    }
}

impl std::fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}

/// The address that SYS_getpeername or SYS_getsockname tells of a socket.
fn address_of(fd: c_int, call: libc::c_long) -> Short {
    let mut text = Short::new();
    // SAFETY: zero bytes are a valid sockaddr_storage; the kernel is told its length.
    unsafe {
        let mut address: libc::sockaddr_storage = std::mem::zeroed();
        let mut length = size_of::<libc::sockaddr_storage>() as socklen_t;
        if libc::syscall(call, fd, &raw mut address, &raw mut length) == 0 {
            describe((&raw const address).cast(), length, &mut text);
        }
    }
    text
}

/// An address as people write it.
///
/// # Safety
/// `address` is NULL or has `length` bytes.
unsafe fn describe(address: *const sockaddr, length: socklen_t, to: &mut Short) {
    let length = length as usize;
    if address.is_null() || length < size_of::<libc::sa_family_t>() {
        return;
    }
    // SAFETY: the length was looked at; each family has its structure.
    unsafe {
        match i32::from((*address).sa_family) {
            libc::AF_INET if length >= size_of::<sockaddr_in>() => {
                let inet = address.cast::<sockaddr_in>().read_unaligned();
                let ip = Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr));
                let _ = write!(to, "{}", SocketAddrV4::new(ip, u16::from_be(inet.sin_port)));
            }
            libc::AF_INET6 if length >= size_of::<sockaddr_in6>() => {
                let inet = address.cast::<sockaddr_in6>().read_unaligned();
                let ip = Ipv6Addr::from(inet.sin6_addr.s6_addr);
                let _ = write!(
                    to,
                    "{}",
                    SocketAddrV6::new(ip, u16::from_be(inet.sin6_port), 0, 0)
                );
            }
            libc::AF_UNIX if length > size_of::<libc::sa_family_t>() => {
                let path = (&raw const (*address.cast::<sockaddr_un>()).sun_path).cast::<u8>();
                let room = length - size_of::<libc::sa_family_t>();
                let bytes = std::slice::from_raw_parts(path, room);
                let end = bytes.iter().position(|b| *b == 0).unwrap_or(room);
                to.push(b"socket ");
                to.push(&bytes[..end]);
            }
            _ => (),
        }
    }
}

/// Descriptors that came over a Unix domain socket.
///
/// # Safety
/// `message` was filled in by recvmsg.
pub unsafe fn received(me: &Me, message: *mut libc::msghdr, stack: u32) {
    // SAFETY: the macros of the system's header walk over what the kernel has filled in.
    unsafe {
        let mut control = libc::CMSG_FIRSTHDR(message);
        while !control.is_null() {
            if (*control).cmsg_level == libc::SOL_SOCKET && (*control).cmsg_type == libc::SCM_RIGHTS
            {
                let data = libc::CMSG_DATA(control).cast::<c_int>();
                let bytes =
                    ((*control).cmsg_len as usize).saturating_sub(libc::CMSG_LEN(0) as usize);
                for i in 0..bytes / size_of::<c_int>() {
                    opened(
                        me,
                        data.add(i).read_unaligned(),
                        Call::Received,
                        stack,
                        b"",
                        0,
                    );
                }
            }
            control = libc::CMSG_NXTHDR(message, control);
        }
    }
}
