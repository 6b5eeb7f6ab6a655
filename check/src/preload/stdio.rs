//! stdio: which stream reads which descriptor, and output that waits in a stream while the process forks.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::mem::MaybeUninit;

use libc::{DIR, FILE, size_t, ssize_t};

use crate::descriptors::{closed, closing_now, name, opened};
use crate::find::Fault;
use crate::processes::goes_on;
use crate::rio;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{Doing, KeepErrno, Me, me, now, shared};
use crate::transfer::note_end;

/// The beginning of glibc's FILE, which has been the same since 1997.
#[repr(C)]
struct Stream {
    flags: c_int,
    read_next: usize,
    read_end: usize,
    read_base: usize,
    write_base: usize,
    write_next: usize,
}

unsafe extern "C" {
    static stdin: *mut FILE;
    static stdout: *mut FILE;
}

/// # Safety
/// `stream` is open.
unsafe fn stream<'a>(stream: *mut FILE) -> &'a Stream {
    // SAFETY: the caller's promise.
    unsafe { &*stream.cast::<Stream>() }
}

fn standard_input() -> *mut FILE {
    // SAFETY: libc's variable.
    unsafe { stdin }
}

/// The streams that this process knows: standard output, and those that it has opened.
fn streams(process: &Process) -> impl Iterator<Item = *mut FILE> + '_ {
    let used = (process.fds_used.get() as usize).min(FDS);
    let opened = process.fds[..used]
        .iter()
        .filter(|fd| fd.state.get() == OPEN)
        .map(|fd| fd.stream.get() as *mut FILE);
    // SAFETY: libc's variable.
    std::iter::once(unsafe { stdout }).chain(opened.filter(|stream| !stream.is_null()))
}

/// What has been written to a stream and waits there.
fn held<'a>(of: *mut FILE) -> &'a [u8] {
    // SAFETY: the stream is open; its pointers enclose what it holds.
    unsafe {
        let stream = stream(of);
        if stream.write_base == 0 || stream.write_next <= stream.write_base {
            return &[];
        }
        std::slice::from_raw_parts(
            stream.write_base as *const u8,
            stream.write_next - stream.write_base,
        )
    }
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Notes which streams hold output that both processes will have after a fork.
pub fn before_fork(me: &Me, stack: u32) {
    let kept = KeepErrno::new();
    let used = (me.process.held_used.get() as usize).min(HELD_HERE);
    let mut known = [0; HELD_HERE];
    for (known, own) in known.iter_mut().zip(&me.process.held[..used]) {
        *known = own.get();
    }
    me.process.held_used.set(0);
    for of in streams(me.process) {
        let bytes = held(of);
        if bytes.is_empty() {
            continue;
        }
        // What an earlier child has got is still there, and this one gets it, too.
        let is_it = |held: &Held| {
            held.stream.get() == of as usize
                && held.pid.get() == me.process.pid.get()
                && held.fork_stack.get() == stack
                && !has_changed(held)
        };
        let still = known.iter().find(|known| {
            let index = (**known as usize).checked_sub(1);
            index
                .and_then(|index| me.shared.held.get(index))
                .is_some_and(is_it)
        });
        let slot = me.process.held_used.get() as usize;
        if let Some((known, own)) = still.zip(me.process.held.get(slot)) {
            own.set(*known);
            me.process.held_used.set(slot as u32 + 1);
            continue;
        }
        let index = me.shared.held_used.add(1) as usize;
        let Some((record, own)) = me.shared.held.get(index).zip(me.process.held.get(slot)) else {
            break;
        };
        record.stream.set(of as usize);
        record.bytes.set(bytes.len() as u32);
        record.hash.set(hash(bytes));
        record.fork_stack.set(stack);
        record.pid.set(me.process.pid.get());
        record.fork.set(now());
        record.text.write(&bytes[..bytes.len().min(40)]);
        own.set(index as u32 + 1);
        me.process.held_used.set(slot as u32 + 1);
    }
    drop(kept);
}

pub fn inherit(parent: &Process, child: &Process) {
    let used = parent.held_used.get();
    for (to, from) in child.held.iter().zip(&parent.held).take(used as usize) {
        to.set(from.get());
    }
    child.held_used.set(used);
}

/// In a child, at once: another thread may have written to a stream between the look at it and the fork.
pub fn check_inherited(child: &Process) {
    let used = (child.held_used.get() as usize).min(HELD_HERE);
    for own in &child.held[..used] {
        let held = (own.get() as usize)
            .checked_sub(1)
            .and_then(|index| shared()?.held.get(index));
        if held.is_some_and(has_changed) {
            own.set(0);
        }
    }
}

fn has_changed(held: &Held) -> bool {
    let bytes = self::held(held.stream.get() as *mut FILE);
    let length = held.bytes.get() as usize;
    bytes.len() < length || hash(&bytes[..length]) != held.hash.get()
}

/// The process ends by exit: what its streams hold is written.
pub fn at_exit(me: &Me) {
    note_written(me, |_| true);
}

/// The process ends by _exit or exec, and what its streams hold is lost: was it written before?
pub fn at_end(me: &Me) {
    note_written(me, has_changed);
}

fn note_written(me: &Me, is_written: impl Fn(&Held) -> bool) {
    let used = (me.process.held_used.get() as usize).min(HELD_HERE);
    for own in &me.process.held[..used] {
        let Some(held) = (own.get() as usize)
            .checked_sub(1)
            .and_then(|index| me.shared.held.get(index))
        else {
            continue;
        };
        if !is_written(held) {
            continue;
        }
        let is_child = u32::from(
            me.process.forked.get() != 0 && me.process.fork_stack.get() == held.fork_stack.get(),
        );
        own.set(0);
        let others = held.written[1 - is_child as usize].get();
        if held.written[is_child as usize].add(1) + others == 1 {
            // SAFETY: libc's variable.
            let is_output = i64::from(held.stream.get() == unsafe { stdout } as usize);
            let mut text = [0; TEXT];
            let length = held.text.read_into(&mut text);
            let numbers = [
                i64::from(held.bytes.get()),
                is_output,
                i64::from(others == 0),
            ];
            let at = [(Call::Fork, held.fork_stack.get())];
            Fault {
                kind: Kind::StdioForked,
                fd: -1,
                at: &at,
                numbers: &numbers,
                text: &text[..length],
            }
            .report(me);
        }
    }
}

/// A read that bypasses a stream on its descriptor passes over what the stream has read ahead.
#[inline]
pub fn before_read(me: &Me, fd: c_int, entry: &Fd, call: Call, stack: u32) {
    let of = if fd == 0 && entry.state.get() == 0 {
        standard_input()
    } else {
        entry.stream.get() as *mut FILE
    };
    if !of.is_null() && entry.flags.get() & WRITE_SHUT == 0 {
        passes_over(me, fd, of, call, stack);
    }
}

fn passes_over(me: &Me, fd: c_int, of: *mut FILE, call: Call, stack: u32) {
    // SAFETY: a stream that was opened and not closed.
    let stream = unsafe { stream(of) };
    let unread = stream.read_end.saturating_sub(stream.read_next);
    // In write mode, and before its first use, the pointers are equal. Too much is no buffer.
    if unread > 0 && unread <= 1 << 20 && stream.read_base <= stream.read_next {
        let at = [(call, stack)];
        Fault {
            kind: Kind::LostBytes,
            fd,
            at: &at,
            numbers: &[unread as i64, 4],
            text: b"",
        }
        .report(me);
    }
}

/// A call that reads a stream.
#[inline(always)]
fn reads<T: Copy>(
    call: Call,
    of: *mut FILE,
    at: Site,
    real: impl FnOnce() -> T,
    got: impl FnOnce(T) -> bool,
) -> T {
    let Some(me) = me() else { return real() };
    // SAFETY: the caller's stream.
    let (at_hand, fd) = unsafe {
        let stream = stream(of);
        (
            stream.read_next < stream.read_end,
            if stream.read_next < stream.read_end {
                -1
            } else {
                libc::fileno(of)
            },
        )
    };
    if at_hand && matches!(call, Call::Fgetc | Call::Getc | Call::Getchar) {
        return real();
    }
    let stack = me.stack(at);
    goes_on(&me, call, at, stack);
    if let Some(entry) = me.process.fd(fd) {
        rio::before_stream(&me, fd, entry, (call, stack));
    }
    let doing = me.begin(call, fd, stack);
    let value = real();
    let got = got(value);
    doing.end(isize::from(got));
    me.synchronized();
    if got {
        me.thread.loop_count.set(0);
    } else {
        let kept = KeepErrno::new();
        // SAFETY: as above.
        let (fd, errno) = unsafe {
            (
                libc::fileno(of),
                if libc::feof(of) != 0 { 0 } else { kept.value() },
            )
        };
        note_end(&me, fd, call, stack, errno);
    }
    value
}

fn with_stream(of: *mut FILE, call: Call, at: Site, name: &[u8]) -> *mut FILE {
    with_flags(of, call, at, name, 0)
}

fn with_flags(of: *mut FILE, call: Call, at: Site, name: &[u8], flags: u32) -> *mut FILE {
    let Some(me) = me() else { return of };
    let kept = KeepErrno::new();
    // SAFETY: NULL, or a stream that was just opened.
    let fd = unsafe { number(of) };
    if of.is_null() || fd >= 0 {
        drop(kept);
        opened(&me, fd, call, me.stack(at), name, flags);
        if let Some(entry) = me.process.fd(fd) {
            entry.stream.set(of as usize);
        }
    }
    of
}

fn closes(fd: c_int, call: Call, at: Site, real: impl FnOnce() -> c_int) -> c_int {
    let Some(me) = me() else { return real() };
    let stack = me.stack(at);
    let kept = KeepErrno::new();
    let was = closing_now(&me, fd, call, stack);
    drop(kept);
    let doing = (was == OPEN && is_connection(&me, fd)).then(|| me.begin(call, fd, stack));
    let result = real();
    if let Some(doing) = doing {
        doing.end(result as isize);
    }
    if was == CLOSED {
        closed(&me, fd, call, stack, was, result);
    }
    result
}

/// # Safety
/// NULL, or a stream.
unsafe fn number(of: *mut FILE) -> c_int {
    if of.is_null() {
        return -1;
    }
    let kept = KeepErrno::new();
    // SAFETY: the caller's promise.
    let fd = unsafe { libc::fileno(of) };
    drop(kept);
    fd
}

/// A stream that writes to a socket or a pipe may wait there, or die of SIGPIPE. Returns whether `doing` was filled in.
///
/// # Safety
/// Called by functions that write to a stream, or by fflush, which may be given NULL; `name` is a string.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_puts_out(
    of: *mut FILE,
    name: *const c_char,
    at: Site,
    doing: *mut MaybeUninit<Doing>,
) -> bool {
    // SAFETY: the caller's stream.
    let fd = unsafe { number(of) };
    let is_connected = |me: &Me| is_connection(me, fd);
    let Some(me) = me().filter(is_connected) else {
        return false;
    };
    let kept = KeepErrno::new();
    // SAFETY: a string literal of variadic.c, and a variable beside it.
    unsafe {
        let call = Call::named(CStr::from_ptr(name).to_bytes());
        (*doing).write(me.begin(call, fd, me.stack(at)));
    }
    drop(kept);
    true
}

/// A pipe to which a filter writes its standard output is none: its reader may have seen enough.
fn is_connection(me: &Me, fd: c_int) -> bool {
    let flags = me.process.fd(fd).map_or(0, |entry| entry.flags.get());
    flags & SOCKET != 0 || (flags & PIPE != 0 && fd > 2)
}

/// # Safety
/// `doing` was filled in by csapp_check_puts_out.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_has_put_out(doing: *mut MaybeUninit<Doing>, result: c_long) {
    // SAFETY: the caller's promise; it is not used again.
    unsafe { (*doing).assume_init_read() }.end(result as isize);
}

/// # Safety
/// Called by scanf and its like, with what reads for it.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_scan(
    of: *mut FILE,
    go_on: extern "C" fn(*mut c_void) -> c_int,
    what: *mut c_void,
    at: Site,
) -> c_int {
    reads(Call::Scanf, of, at, || go_on(what), |n| n != libc::EOF)
}

hook! {
    fn fopen(path: *const c_char, mode: *const c_char) -> *mut FILE {
        let at = site();
        // SAFETY: the caller's string.
        with_stream(real(path, mode), Call::Fopen, at, unsafe { name(path) })
    }

    fn fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE {
        let at = site();
        // SAFETY: as above.
        with_stream(real(path, mode), Call::Fopen, at, unsafe { name(path) })
    }

    fn tmpfile() -> *mut FILE {
        let at = site();
        with_stream(real(), Call::Tmpfile, at, b"a temporary file")
    }

    fn popen(command: *const c_char, mode: *const c_char) -> *mut FILE {
        let at = site();
        // SAFETY: as above.
        with_flags(real(command, mode), Call::Popen, at, unsafe { name(command) }, PIPE)
    }

    fn fdopen(fd: c_int, mode: *const c_char) -> *mut FILE {
        let at = site();
        let of = real(fd, mode);
        if let Some(me) = me() {
            let stack = me.stack(at);
            let entry = me.process.fd(fd);
            if of.is_null() && crate::state::errno() == libc::EBADF {
                let kept = KeepErrno::new();
                crate::descriptors::bad_number(&me, fd, Call::Fdopen, stack);
                drop(kept);
            } else if let Some(entry) = entry.filter(|_| !of.is_null()) {
                entry.flags.set(entry.flags.get() | STREAM);
                entry.stream.set(of as usize);
            }
        }
        of
    }

    fn freopen(path: *const c_char, mode: *const c_char, of: *mut FILE) -> *mut FILE {
        let at = site();
        // SAFETY: the caller's stream.
        let fd = unsafe { number(of) };
        if let Some(entry) = me().and_then(|me| me.process.fd(fd)) {
            entry.stream.set(0);
        }
        // SAFETY: as above.
        with_stream(real(path, mode, of), Call::Freopen, at, unsafe { name(path) })
    }

    fn fclose(of: *mut FILE) -> c_int {
        let at = site();
        // SAFETY: the caller's stream.
        let fd = unsafe { number(of) };
        closes(fd, Call::Fclose, at, || real(of))
    }

    fn pclose(of: *mut FILE) -> c_int {
        let at = site();
        // SAFETY: the caller's stream.
        let fd = unsafe { number(of) };
        closes(fd, Call::Pclose, at, || real(of))
    }

    fn opendir(path: *const c_char) -> *mut DIR {
        let at = site();
        let directory = real(path);
        if let Some(me) = me() {
            // SAFETY: NULL, or a directory that was just opened; the caller's string.
            let fd = if directory.is_null() { -1 } else { unsafe { libc::dirfd(directory) } };
            // SAFETY: as above.
            opened(&me, fd, Call::Opendir, me.stack(at), unsafe { name(path) }, 0);
        }
        directory
    }

    fn closedir(directory: *mut DIR) -> c_int {
        let at = site();
        // SAFETY: the caller's directory.
        let fd = if directory.is_null() { -1 } else { unsafe { libc::dirfd(directory) } };
        closes(fd, Call::Closedir, at, || real(directory))
    }

    fn fgets(to: *mut c_char, size: c_int, of: *mut FILE) -> *mut c_char {
        let at = site();
        reads(Call::Fgets, of, at, || real(to, size, of), |got| !got.is_null())
    }

    fn __fgets_chk(to: *mut c_char, room: size_t, size: c_int, of: *mut FILE) -> *mut c_char {
        let at = site();
        reads(Call::Fgets, of, at, || real(to, room, size, of), |got| !got.is_null())
    }

    fn fgetc(of: *mut FILE) -> c_int {
        let at = site();
        reads(Call::Fgetc, of, at, || real(of), |got| got != libc::EOF)
    }

    fn getc(of: *mut FILE) -> c_int {
        let at = site();
        reads(Call::Getc, of, at, || real(of), |got| got != libc::EOF)
    }

    fn _IO_getc(of: *mut FILE) -> c_int {
        let at = site();
        reads(Call::Getc, of, at, || real(of), |got| got != libc::EOF)
    }

    fn getchar() -> c_int {
        let at = site();
        reads(Call::Getchar, standard_input(), at, real, |got| got != libc::EOF)
    }

    fn getline(line: *mut *mut c_char, size: *mut size_t, of: *mut FILE) -> ssize_t {
        let at = site();
        reads(Call::Getline, of, at, || real(line, size, of), |got| got >= 0)
    }

    fn __getdelim(line: *mut *mut c_char, size: *mut size_t, end: c_int, of: *mut FILE) -> ssize_t {
        let at = site();
        reads(Call::Getline, of, at, || real(line, size, end, of), |got| got >= 0)
    }

    fn getdelim(line: *mut *mut c_char, size: *mut size_t, end: c_int, of: *mut FILE) -> ssize_t {
        let at = site();
        reads(Call::Getline, of, at, || real(line, size, end, of), |got| got >= 0)
    }

    fn fread(to: *mut c_void, size: size_t, count: size_t, of: *mut FILE) -> size_t {
        let at = site();
        reads(Call::Fread, of, at, || real(to, size, count, of), |got| got > 0 || size == 0 || count == 0)
    }
}
