//! What moves bytes: read, write, and their like.

use std::ffi::{c_int, c_void};

use libc::{iovec, msghdr, size_t, sockaddr, socklen_t, ssize_t};

use crate::chaos;
use crate::descriptors::{bad_number, check_owner, failed, received};
use crate::find::Fault;
use crate::rio;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{KeepErrno, Me, me, now, processor_time, set_errno};
use crate::stdio;

/// How often a call answers with the end, or the same error, until that is a fault.
const OFTEN: u32 = 100;
/// How often it says that there is nothing yet, until that is a loop which does little else: if it takes less time of the
/// processor than this, and less time of the clock, in nanoseconds.
const SPINS: u32 = 100_000;
const SPINS_WITHIN: u64 = 1_000_000_000;
const SPINS_UNTIL: u64 = 20_000_000_000;

/// One call that moves bytes.
#[derive(Clone, Copy)]
struct Transfer {
    call: Call,
    fd: c_int,
    /// Where its bytes are, and how many: the first part's, of several.
    buffer: usize,
    size: usize,
}

impl Transfer {
    fn reads(&self) -> bool {
        matches!(
            self.call,
            Call::Read | Call::Readv | Call::Recv | Call::Recvfrom | Call::Recvmsg
        )
    }

    #[inline(always)]
    fn run(self, at: Site, real: impl FnOnce() -> ssize_t) -> ssize_t {
        let Some(me) = me() else { return real() };
        if let Some(fault) = chaos::transfer_fault(&me, self.fd, self.reads()) {
            set_errno(fault);
            return -1;
        }
        let stack = me.stack(at);
        let reader = self.before(&me, stack);
        let doing = me.begin(self.call, self.fd, stack);
        let result = real();
        doing.end(result);
        self.after(&me, stack, reader, result);
        result
    }

    /// Returns the rio_t that the bytes go to.
    #[inline]
    fn before(&self, me: &Me, stack: u32) -> Option<&'static Rio> {
        let entry = me.process.fd(self.fd)?;
        check_owner(me, self.fd, entry, self.call, stack);
        if !self.reads() {
            rio::look_at_copies(me, Some(self.fd));
            return None;
        }
        let kept = KeepErrno::new();
        let reader = rio::before_read(me, self.fd, entry, self.buffer, self.size, self.call, stack);
        if reader.is_none() {
            stdio::before_read(me, self.fd, entry, self.call, stack);
        }
        drop(kept);
        reader
    }

    #[inline]
    fn after(&self, me: &Me, stack: u32, reader: Option<&Rio>, result: ssize_t) {
        let kept = KeepErrno::new();
        if let Some(entry) = me.process.fd(self.fd) {
            let ops = me.thread.ops.get();
            if entry.use_tid.get() != me.tid() || entry.use_ops.get() == entry.open_ops.get() {
                entry.use_tid.set(me.tid());
                entry.taken_ops.set(ops);
            }
            entry.use_ops.set(ops);
        }
        if !self.reads() && result > 0 && me.thread.loop_errno.get() == libc::EAGAIN {
            me.thread.loop_count.set(0);
        }
        if self.reads() {
            me.synchronized();
            self.after_read(me, stack, result, kept.value());
            if let Some(reader) = reader.filter(|_| result > 0) {
                reader.has_read(result as usize, stack);
            }
        }
        if result < 0 {
            self.after_failure(me, stack, kept.value());
        }
    }

    fn after_read(&self, me: &Me, stack: u32, result: ssize_t, errno: c_int) {
        let thread = me.thread;
        if result > 0 || (result < 0 && errno == libc::EINTR) || self.size == 0 {
            thread.loop_count.set(0);
            return;
        }
        note_end(
            me,
            self.fd,
            self.call,
            stack,
            if result < 0 { errno } else { 0 },
        );
    }

    #[cold]
    fn after_failure(&self, me: &Me, stack: u32, errno: c_int) {
        let failure = &me.thread.failed[1];
        let is_negative = self.size > isize::MAX as usize && self.size.wrapping_neg() < 4096;
        if is_negative && failure.call.get() != 0 {
            let at = [
                (self.call, stack),
                (Call::of(failure.call.get()), failure.stack.get()),
            ];
            let numbers = [i64::from(failure.errno.get()), 1];
            Fault {
                kind: Kind::ErrorAsNumber,
                fd: self.fd,
                at: &at,
                numbers: &numbers,
                text: b"",
            }
            .report(me);
        } else if errno == libc::EBADF {
            bad_number(me, self.fd, self.call, stack);
        }
        if errno == libc::EPIPE {
            if let Some(entry) = me.process.fd(self.fd) {
                entry.flags.set(entry.flags.get() | ENDED);
                entry.end_stack.set(stack);
            }
        }
        failed(me, 1, self.call, stack, errno);
    }
}

/// A call that reads has answered with the end (errno 0) or an error.
pub fn note_end(me: &Me, fd: c_int, call: Call, stack: u32, errno: c_int) {
    let thread = me.thread;
    let entry = me.process.fd(fd);
    let generation = entry.map_or(0, |entry| entry.generation.get());
    if let Some(entry) = entry.filter(|_| errno == 0 || errno == libc::ECONNRESET) {
        entry.flags.set(entry.flags.get() | ENDED);
        entry.end_stack.set(stack);
    }
    let is_known = thread.loop_fd.get() == fd && thread.loop_generation.get() == generation;
    if !is_known || thread.loop_errno.get() != errno {
        thread.loop_fd.set(fd);
        thread.loop_generation.set(generation);
        thread.loop_errno.set(errno);
        thread.loop_count.set(0);
    }
    let count = thread.loop_count.add(1) + 1;
    let is_fault = match errno {
        libc::EAGAIN => spins(thread, fd, count),
        0 => count == OFTEN && !is_datagram(fd),
        _ => count == OFTEN,
    };
    if is_fault {
        let numbers = [i64::from(errno), i64::from(count)];
        Fault {
            kind: Kind::LoopAtEnd,
            fd,
            at: &[(call, stack)],
            numbers: &numbers,
            text: b"",
        }
        .report(me);
    }
}

/// Whether a loop asks for bytes again and again, and waits for nothing.
#[inline]
fn spins(thread: &Thread, fd: c_int, count: u32) -> bool {
    if count == 1 {
        thread.loop_since.set(now());
        thread.loop_began.set(processor_time());
    }
    if count < SPINS {
        return false;
    }
    thread.loop_count.set(0);
    // SAFETY: asks. Otherwise the call itself has waited, as long as SO_RCVTIMEO says.
    let flags = unsafe { libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL) };
    flags & i64::from(libc::O_NONBLOCK) != 0
        && processor_time() - thread.loop_began.get() < SPINS_WITHIN
        && now() - thread.loop_since.get() < SPINS_UNTIL
}

/// Nothing is a message like others, on a socket of datagrams.
fn is_datagram(fd: c_int) -> bool {
    let mut kind = 0;
    let mut length = size_of::<c_int>() as socklen_t;
    // SAFETY: fills in the number.
    let asked = unsafe {
        let to = (&raw mut kind).cast();
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, to, &mut length)
    };
    asked == 0 && kind == libc::SOCK_DGRAM
}

/// The first part of a vector.
///
/// # Safety
/// `parts` has `count` parts.
unsafe fn first(parts: *const iovec, count: c_int) -> (usize, usize) {
    // SAFETY: the caller's promise.
    unsafe { parts.as_ref() }
        .filter(|_| count > 0)
        .map_or((0, 0), |part| (part.iov_base as usize, part.iov_len))
}

/// # Safety
/// Called by dprintf, with what writes for it.
#[unsafe(no_mangle)]
unsafe extern "C" fn csapp_check_dprintf(
    fd: c_int,
    go_on: extern "C" fn(*mut c_void) -> c_int,
    what: *mut c_void,
    at: Site,
) -> c_int {
    let transfer = Transfer {
        call: Call::Dprintf,
        fd,
        buffer: 0,
        size: 0,
    };
    transfer.run(at, || go_on(what) as ssize_t) as c_int
}

hook! {
    fn read(fd: c_int, buffer: *mut c_void, size: size_t) -> ssize_t {
        let at = site();
        let size = chaos::shorten(fd, size);
        Transfer { call: Call::Read, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size))
    }

    fn __read_chk(fd: c_int, buffer: *mut c_void, size: size_t, room: size_t) -> ssize_t {
        let at = site();
        let size = if size > room { size } else { chaos::shorten(fd, size) };
        Transfer { call: Call::Read, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size, room))
    }

    fn readv(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
        let at = site();
        // SAFETY: the caller's vector.
        let (buffer, size) = unsafe { first(parts, count) };
        Transfer { call: Call::Readv, fd, buffer, size }.run(at, || real(fd, parts, count))
    }

    fn recv(fd: c_int, buffer: *mut c_void, size: size_t, flags: c_int) -> ssize_t {
        let at = site();
        if flags & libc::MSG_PEEK != 0 {
            return real(fd, buffer, size, flags);
        }
        let size = if flags & libc::MSG_WAITALL != 0 { size } else { chaos::shorten(fd, size) };
        Transfer { call: Call::Recv, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size, flags))
    }

    fn __recv_chk(fd: c_int, buffer: *mut c_void, size: size_t, room: size_t, flags: c_int) -> ssize_t {
        let at = site();
        if flags & libc::MSG_PEEK != 0 {
            return real(fd, buffer, size, room, flags);
        }
        Transfer { call: Call::Recv, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size, room, flags))
    }

    fn recvfrom(
        fd: c_int,
        buffer: *mut c_void,
        size: size_t,
        flags: c_int,
        from: *mut sockaddr,
        length: *mut socklen_t,
    ) -> ssize_t {
        let at = site();
        if flags & libc::MSG_PEEK != 0 {
            return real(fd, buffer, size, flags, from, length);
        }
        Transfer { call: Call::Recvfrom, fd, buffer: buffer as usize, size }
            .run(at, || real(fd, buffer, size, flags, from, length))
    }

    fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
        let at = site();
        if flags & libc::MSG_PEEK != 0 {
            return real(fd, message, flags);
        }
        let result = Transfer { call: Call::Recvmsg, fd, buffer: 0, size: 1 }.run(at, || real(fd, message, flags));
        if let Some(me) = me().filter(|_| result >= 0) {
            // SAFETY: recvmsg has filled it in.
            unsafe { received(&me, message, me.stack(at)) };
        }
        result
    }

    fn write(fd: c_int, buffer: *const c_void, size: size_t) -> ssize_t {
        let at = site();
        let size = chaos::shorten(fd, size);
        Transfer { call: Call::Write, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size))
    }

    fn writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t {
        let at = site();
        // SAFETY: the caller's vector.
        let (buffer, size) = unsafe { first(parts, count) };
        Transfer { call: Call::Writev, fd, buffer, size }.run(at, || real(fd, parts, count))
    }

    fn send(fd: c_int, buffer: *const c_void, size: size_t, flags: c_int) -> ssize_t {
        let at = site();
        let size = chaos::shorten(fd, size);
        Transfer { call: Call::Send, fd, buffer: buffer as usize, size }.run(at, || real(fd, buffer, size, flags))
    }

    fn sendto(
        fd: c_int,
        buffer: *const c_void,
        size: size_t,
        flags: c_int,
        to: *const sockaddr,
        length: socklen_t,
    ) -> ssize_t {
        let at = site();
        Transfer { call: Call::Sendto, fd, buffer: buffer as usize, size }
            .run(at, || real(fd, buffer, size, flags, to, length))
    }

    fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
        let at = site();
        Transfer { call: Call::Sendmsg, fd, buffer: 0, size: 1 }.run(at, || real(fd, message, flags))
    }

    fn sendfile(to: c_int, from: c_int, offset: *mut libc::off_t, size: size_t) -> ssize_t {
        let at = site();
        let size = chaos::shorten(to, size);
        Transfer { call: Call::Sendfile, fd: to, buffer: 0, size }.run(at, || real(to, from, offset, size))
    }

    fn sendfile64(to: c_int, from: c_int, offset: *mut libc::off64_t, size: size_t) -> ssize_t {
        let at = site();
        let size = chaos::shorten(to, size);
        Transfer { call: Call::Sendfile, fd: to, buffer: 0, size }.run(at, || real(to, from, offset, size))
    }
}
