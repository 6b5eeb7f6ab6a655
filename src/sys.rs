//! Every call to libc that the modules make: plain values and slices in, `Result` out.
//!
//! Three things are written here and nowhere else: how -1 becomes an [`Errno`], that an
//! interrupted call starts again, and when a call that would block waits. No function
//! here changes `errno`; the C interface sets it, once, when a C call fails.
//!
//! libc's functions are declared `extern "C"`, yet a thread may be cancelled inside
//! one. That unwinding finds no destructor and no landing pad in our frames, only
//! unwind tables (see rt.rs), and a test cancels a thread in every blocking call.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;

pub use errno::Errno;

/// What a system call gives: a value, or the reason why not.
pub type Result<T> = core::result::Result<T, Errno>;

/// The reason of the last failed call, as `errno` has it.
pub fn errno() -> Errno {
    errno::errno()
}

/// Makes `reason` the value of `errno`.
pub fn set_errno(reason: Errno) {
    errno::set_errno(reason);
}

/// Makes a call that says by the value `failure` that it failed, and turns that into the error
/// that it left in `errno`, and `errno` back into what it was.
#[inline(always)]
pub fn attempt<T: PartialEq>(failure: T, call: impl FnOnce() -> T) -> Result<T> {
    let before = errno();
    let value = call();
    if value != failure {
        return Ok(value);
    }
    let reason = errno();
    set_errno(before);
    Err(reason)
}

#[inline(always)]
fn checked(call: impl FnOnce() -> isize) -> Result<usize> {
    attempt(-1, call).map(isize::cast_unsigned)
}

fn checked_int(call: impl FnOnce() -> c_int) -> Result<c_int> {
    attempt(-1, call)
}

/// Runs `call` again for as long as a signal handler interrupts it.
#[inline(always)]
pub fn restart<T>(mut call: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call() {
            Err(Errno(libc::EINTR)) => {}
            outcome => return outcome,
        }
    }
}

/// [`restart`] for a call that waits on `fd` for as long as its `option` (SO_RCVTIMEO or
/// SO_SNDTIMEO) says. The kernel grants each start the whole time; so that signals that keep coming
/// cannot put its end off for ever, the call ends by EAGAIN once that time has gone by since
/// the first of them: after three times the time at the latest.
#[inline(always)]
pub fn restart_in_time<T>(fd: c_int, option: c_int, call: impl FnMut() -> Result<T>) -> Result<T> {
    const NOTHING_TO_WAIT_FOR: libc::c_short = 0;
    restart_or_wait(fd, option, NOTHING_TO_WAIT_FOR, call)
}

/// Runs `call` on `fd` until it gets somewhere: restarts it after signals as [`restart_in_time`]
/// does, and where an O_NONBLOCK descriptor is not ready, waits for `events` first.
///
/// On a blocking descriptor EAGAIN means that SO_RCVTIMEO or SO_SNDTIMEO ran out. That
/// is an answer, not a reason to wait.
#[inline(always)]
pub fn restart_or_wait<T>(
    fd: c_int,
    option: c_int,
    events: libc::c_short,
    mut call: impl FnMut() -> Result<T>,
) -> Result<T> {
    let mut deadline = NONE_YET;
    loop {
        match call() {
            Err(reason) => deadline = overcome(reason, fd, option, events, deadline)?,
            outcome => return outcome,
        }
    }
}

/// The deadline of a call that no signal has interrupted.
const NONE_YET: i64 = -1;

/// Does what has to be done before a failed call on `fd` starts again, and returns the deadline that
/// it has then; the error that it ends by, where it does not start again.
#[cold]
#[inline(never)]
fn overcome(
    reason: Errno,
    fd: c_int,
    option: c_int,
    events: libc::c_short,
    deadline: i64,
) -> Result<i64> {
    if reason.0 == libc::EINTR {
        let now = now();
        match deadline {
            NONE_YET => Ok(now.saturating_add(time_limit(fd, option))),
            deadline if now < deadline => Ok(deadline),
            _ => Err(Errno(libc::EAGAIN)),
        }
    } else if events != 0 && would_block(reason) && is_nonblocking(fd) {
        wait_ready(fd, events).map(|()| NONE_YET)
    } else {
        Err(reason)
    }
}

fn would_block(reason: Errno) -> bool {
    reason.0 == libc::EAGAIN || reason.0 == libc::EWOULDBLOCK
}

fn is_nonblocking(fd: c_int) -> bool {
    // SAFETY: F_GETFL takes no argument and touches no memory of ours.
    checked_int(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })
        .is_ok_and(|flags| flags & libc::O_NONBLOCK != 0)
}

/// Memory that a C caller lent us to write to: an address and the number of bytes that
/// may be stored there.
///
/// It is no slice, for two reasons: nothing there need be initialised, and callers state
/// more room than they own (`MAXLINE` with a smaller array), which is harmless as long as
/// no byte beyond what is stored is touched or even claimed.
#[derive(Debug)]
pub struct Room {
    next: *mut u8,
    left: usize,
}

impl Room {
    /// Room for `len` bytes at `start`.
    ///
    /// # Safety
    /// As many bytes at `start` as are going to be stored must be writable, nobody else
    /// may touch them meanwhile, and `len` must not exceed `isize::MAX`.
    pub unsafe fn new(start: *mut c_void, len: usize) -> Room {
        Room {
            next: start.cast(),
            left: len,
        }
    }

    /// How many more bytes may be stored.
    #[inline]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Where the next byte goes.
    #[inline]
    pub fn next(&self) -> *mut u8 {
        self.next
    }

    /// Says that the next `count` bytes have been stored.
    ///
    /// # Safety
    /// They must have been, and `count` must not exceed [`Room::left`].
    #[inline]
    pub unsafe fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.left);
        // SAFETY: the caller stored `count` bytes here, so they are part of the object.
        self.next = unsafe { self.next.add(count) };
        self.left -= count;
    }

    /// Stores as many of `bytes` as there is room for, and returns their number.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.left);
        // SAFETY: `new` promised that what is stored within `left` is writable and nobody
        // else's, so it cannot overlap `bytes` either.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), self.next, count);
            self.advance(count);
        }
        count
    }
}

/// The most bytes that one system call is asked to move. Linux moves no more, and refuses a count
/// that would reach beyond the address space, however little there is to move (read(2)).
const MOST: usize = 0x7fff_f000;

/// Reads once, at most as many bytes as there is room for, and returns their number; 0 is
/// the end of the file. Restarts after signals.
#[inline(always)]
pub fn read(fd: c_int, room: &mut Room) -> Result<usize> {
    let (start, len) = (room.next(), room.left().min(MOST));
    let count = restart_in_time(fd, libc::SO_RCVTIMEO, || {
        // SAFETY: the kernel stores at most `len` bytes at `start`, which `room` allows.
        checked(|| unsafe { libc::read(fd, start.cast(), len) })
    })?;
    // SAFETY: read has stored that many bytes.
    unsafe { room.advance(count) };
    Ok(count)
}

/// A descriptor to write to, and whether it has turned out not to be a socket.
///
/// `send` with MSG_NOSIGNAL is how a socket is written to without a SIGPIPE when its peer
/// has gone. On everything else it fails before it does anything; that is found out once.
#[derive(Debug)]
pub struct Outlet {
    fd: c_int,
    is_other: bool,
}

impl Outlet {
    /// An outlet to `fd`, about which nothing is known yet.
    pub fn new(fd: c_int) -> Outlet {
        Outlet {
            fd,
            is_other: false,
        }
    }

    /// Writes once, and returns how many bytes were taken. Restarts after signals; waits
    /// for an O_NONBLOCK descriptor. SIGPIPE comes from pipes and terminals only.
    #[inline(always)]
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let bytes = &bytes[..bytes.len().min(MOST)];
        let start = bytes.as_ptr().cast();
        self.send_or_write(
            // SAFETY: `bytes` is readable for its whole length.
            |fd| unsafe { libc::send(fd, start, bytes.len(), libc::MSG_NOSIGNAL) },
            // SAFETY: the same.
            |fd| unsafe { libc::write(fd, start, bytes.len()) },
        )
    }

    /// [`Outlet::write`], from several places by one system call.
    pub fn write_together<const N: usize>(&mut self, pieces: &[&[u8]; N]) -> Result<usize> {
        let mut places = pieces.map(|piece| libc::iovec {
            iov_base: piece.as_ptr().cast_mut().cast(),
            iov_len: piece.len(),
        });
        // SAFETY: of a msghdr, all zeroes are a valid value: an empty message.
        let mut message: libc::msghdr = unsafe { mem::zeroed() };
        message.msg_iov = places.as_mut_ptr();
        message.msg_iovlen = N as _;
        self.send_or_write(
            // SAFETY: the places are readable for their whole lengths, and nothing is written to.
            |fd| unsafe { libc::sendmsg(fd, &message, libc::MSG_NOSIGNAL) },
            // SAFETY: the same.
            |fd| unsafe { libc::writev(fd, message.msg_iov, N as c_int) },
        )
    }

    /// Makes one of two calls that write the same until it gets somewhere: `send` to a socket, `write`
    /// to anything else. As [`restart_or_wait`] does it; written out, because as a closure the
    /// calls are not inlined.
    #[inline(always)]
    fn send_or_write(
        &mut self,
        send: impl Fn(c_int) -> isize,
        write: impl Fn(c_int) -> isize,
    ) -> Result<usize> {
        let mut deadline = NONE_YET;
        loop {
            match self.send_or_write_once(&send, &write) {
                Err(reason) => {
                    let (option, events) = (libc::SO_SNDTIMEO, libc::POLLOUT);
                    deadline = overcome(reason, self.fd, option, events, deadline)?;
                }
                outcome => return outcome,
            }
        }
    }

    #[inline(always)]
    fn send_or_write_once(
        &mut self,
        send: &impl Fn(c_int) -> isize,
        write: &impl Fn(c_int) -> isize,
    ) -> Result<usize> {
        if !self.is_other {
            match send_quietly(self.fd, send) {
                Err(Errno(libc::ENOTSOCK)) => self.is_other = true,
                outcome => return outcome,
            }
        }
        checked(|| write(self.fd))
    }
}

/// Makes the call `send` on `fd`, which asks for no SIGPIPE by MSG_NOSIGNAL.
#[cfg(not(target_vendor = "apple"))]
#[inline(always)]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    checked(|| send(fd))
}

/// The same where not every kernel knows MSG_NOSIGNAL: by an option of the socket, which stays.
/// (To block the signal meanwhile would not do: it is sent to the process, so that any
/// thread may get it.)
#[cfg(target_vendor = "apple")]
fn send_quietly(fd: c_int, send: impl FnOnce(c_int) -> isize) -> Result<usize> {
    match set_option(fd, libc::SOL_SOCKET, libc::SO_NOSIGPIPE, 1) {
        // A socket that is shut down in both directions takes no options any more.
        Err(Errno(libc::EINVAL)) => Err(Errno(libc::EPIPE)),
        outcome => outcome.and_then(|()| checked(|| send(fd))),
    }
}

/// Closes `fd`. There is nobody to tell if that fails: on Linux and the BSDs the descriptor is
/// free even then, so it must not be repeated either (close(2)). Cancellation waits until this is over: of a
/// close that is left in the middle, nobody knows what it did.
#[inline(never)]
pub fn close(fd: c_int) {
    let before = set_cancel_state(PTHREAD_CANCEL_DISABLE);
    // Should a handler jump out, the thread can be cancelled again.
    guarded(&before, restore_cancel_state, || {
        // SAFETY: the descriptor is ours, and close touches no memory.
        let _ = checked_int(|| unsafe { libc::close(fd) });
    });
    set_cancel_state(before);
}

/// As <pthread.h> has it.
const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

/// Says whether the calling thread can be cancelled, and returns what was said before.
fn set_cancel_state(state: c_int) -> c_int {
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = 0;
    // SAFETY: `before` can be stored to.
    unsafe { pthread_setcancelstate(state, &mut before) };
    before
}

extern "C" fn restore_cancel_state(before: &c_int) {
    set_cancel_state(*before);
}

/// Makes `call`. Where it is left in the middle, since the thread is cancelled or exits in it, or since a signal
/// handler jumps out, `give_back` is called with `state` as it stands then: what changes of it is in cells.
///
/// This is what pthread_cleanup_push was once made of. Other than today's it has siglongjmp know what it jumps
/// over, so that no dead frame stays registered, and needs no sigsetjmp.
#[cfg(target_env = "gnu")]
pub fn guarded<S, T>(state: &S, give_back: extern "C" fn(&S), call: impl FnOnce() -> T) -> T {
    type Routine = unsafe extern "C" fn(*mut c_void);
    /// struct _pthread_cleanup_buffer of <pthread.h>
    #[repr(C)]
    struct Buffer {
        routine: Option<Routine>,
        argument: *mut c_void,
        cancel_type: c_int,
        previous: *mut Buffer,
    }
    unsafe extern "C" {
        fn _pthread_cleanup_push(buffer: *mut Buffer, routine: Routine, argument: *mut c_void);
        fn _pthread_cleanup_pop(buffer: *mut Buffer, is_to_be_run: c_int);
    }
    // SAFETY: a thin reference is passed as a pointer is.
    let routine = unsafe { mem::transmute::<extern "C" fn(&S), Routine>(give_back) };
    let mut buffer = MaybeUninit::uninit();
    let buffer = buffer.as_mut_ptr();
    // SAFETY: push fills the buffer in; that and `state` live until pop, or until the routine has run.
    unsafe { _pthread_cleanup_push(buffer, routine, ptr::from_ref(state).cast_mut().cast()) };
    let value = call();
    // SAFETY: it is the last one pushed, since `call` has popped its own.
    unsafe { _pthread_cleanup_pop(buffer, 0) };
    value
}

/// Makes `call`. What it has opened stays open where it is left in the middle: here, a jump would leave
/// a dead frame registered.
#[cfg(not(target_env = "gnu"))]
pub fn guarded<S, T>(_: &S, _: extern "C" fn(&S), call: impl FnOnce() -> T) -> T {
    call()
}

/// Waits, however long, until one of `events` or an error is there to be seen on `fd`.
pub fn wait_ready(fd: c_int, events: libc::c_short) -> Result<()> {
    let mut polled = [pollfd(fd, events)];
    restart(|| poll(&mut polled, -1)).map(drop)
}

/// Waits until the attempt to connect `fd` has ended, but no longer than SO_SNDTIMEO says: as the kernel has it,
/// then it goes on, and that is EINPROGRESS.
pub fn wait_connected(fd: c_int) -> Result<()> {
    let deadline = now().saturating_add(time_limit(fd, libc::SO_SNDTIMEO));
    loop {
        let left = deadline - now();
        if left <= 0 {
            return Err(Errno(libc::EINPROGRESS));
        }
        let timeout = c_int::try_from(left).unwrap_or(c_int::MAX);
        match poll(&mut [pollfd(fd, libc::POLLOUT)], timeout) {
            Ok(0) | Err(Errno(libc::EINTR)) => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// What `poll` is told about one descriptor.
pub fn pollfd(fd: c_int, events: libc::c_short) -> libc::pollfd {
    libc::pollfd {
        fd,
        events,
        revents: 0,
    }
}

/// Waits until something happens on one of `polled`, for `timeout` milliseconds at the most
/// (negative: for ever). Returns on how many; a signal ends the wait with EINTR.
pub fn poll(polled: &mut [libc::pollfd], timeout: c_int) -> Result<usize> {
    let count = polled.len() as libc::nfds_t;
    // SAFETY: `polled` is an exclusive slice of that many entries.
    checked(|| unsafe { libc::poll(polled.as_mut_ptr(), count, timeout) } as isize)
}

/// Milliseconds on a clock that no one sets.
pub fn now() -> i64 {
    now_ns() / 1_000_000
}

/// Nanoseconds on that clock.
pub fn now_ns() -> i64 {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: CLOCK_MONOTONIC exists everywhere and a valid place to store is given; so the
    // call cannot fail, and has stored.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    #[allow(clippy::useless_conversion)] // not on 32 bits
    let (seconds, nanoseconds) = (i64::from(time.tv_sec), i64::from(time.tv_nsec));
    seconds * 1_000_000_000 + nanoseconds
}

/// The addresses that a name stands for. To be given back with [`free_addresses`]; no
/// destructor does that, since a cancelled thread would run none.
#[derive(Debug, Clone, Copy)]
pub struct Addresses(*mut libc::addrinfo);

/// One of several [`Addresses`].
#[derive(Debug, Clone, Copy)]
pub struct Address<'a>(&'a libc::addrinfo);

/// Why a name could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// One of getaddrinfo's EAI_ codes.
    pub code: c_int,
    /// The system's reason, where the code is EAI_SYSTEM.
    pub errno: Errno,
}

/// getaddrinfo for stream sockets.
pub fn resolve(
    host: Option<&CStr>,
    service: &CStr,
    flags: c_int,
) -> core::result::Result<Addresses, Unresolved> {
    // SAFETY: an addrinfo of zeros is a valid one (AF_UNSPEC, no addresses).
    let mut hints: libc::addrinfo = unsafe { mem::zeroed() };
    hints.ai_socktype = libc::SOCK_STREAM;
    hints.ai_flags = flags;
    let host = host.map_or(ptr::null(), CStr::as_ptr);
    let mut list = ptr::null_mut();
    let before = errno();
    // SAFETY: both strings end in a NUL, `hints` is filled in, `list` can be stored to.
    let code = unsafe { libc::getaddrinfo(host, service.as_ptr(), &hints, &mut list) };
    let reason = errno();
    set_errno(before);
    match code {
        0 => Ok(Addresses(list)),
        code => Err(Unresolved {
            code,
            errno: reason,
        }),
    }
}

/// Gives the memory of a list of addresses back.
pub fn free_addresses(list: Addresses) {
    let before = errno();
    // SAFETY: `list` came from getaddrinfo.
    unsafe { libc::freeaddrinfo(list.0) };
    set_errno(before);
}

impl Addresses {
    /// The addresses, in getaddrinfo's order.
    pub fn iter(&self) -> impl Iterator<Item = Address<'_>> + Clone {
        // SAFETY: getaddrinfo links valid entries, and the last one's link is NULL.
        let entry = |at: *mut libc::addrinfo| unsafe { at.as_ref() };
        core::iter::successors(entry(self.0), move |this| entry(this.ai_next)).map(Address)
    }
}

/// What makes [`Address::socket`] give an O_NONBLOCK socket.
#[cfg(not(target_vendor = "apple"))]
pub const NONBLOCKING: c_int = libc::SOCK_NONBLOCK;
#[cfg(target_vendor = "apple")]
#[allow(missing_docs)]
pub const NONBLOCKING: c_int = libc::O_NONBLOCK;

impl Address<'_> {
    /// AF_INET, AF_INET6, ...
    pub fn family(&self) -> c_int {
        self.0.ai_family
    }

    /// A new close-on-exec stream socket of this address's family; `flags` may add [`NONBLOCKING`].
    #[cfg(not(target_vendor = "apple"))]
    pub fn socket(&self, flags: c_int) -> Result<c_int> {
        let kind = self.0.ai_socktype | libc::SOCK_CLOEXEC | flags;
        // SAFETY: socket touches no memory.
        checked_int(|| unsafe { libc::socket(self.0.ai_family, kind, self.0.ai_protocol) })
    }

    /// The same where socket takes no flags. A program that another thread starts in between
    /// inherits the socket; there is no way round that.
    #[cfg(target_vendor = "apple")]
    pub fn socket(&self, flags: c_int) -> Result<c_int> {
        let (kind, protocol) = (self.0.ai_socktype, self.0.ai_protocol);
        // SAFETY: socket touches no memory.
        let fd = checked_int(|| unsafe { libc::socket(self.0.ai_family, kind, protocol) })?;
        // SAFETY: F_SETFD takes no pointer.
        checked_int(|| unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) })
            .and_then(|_| change_flags(fd, |before| before | flags))
            .map(|()| fd)
            .inspect_err(|_| close(fd))
    }

    /// Connects `fd` to this address. Never call it a second time: after EINTR or EINPROGRESS
    /// the attempt goes on in the kernel (POSIX, connect).
    pub fn connect(&self, fd: c_int) -> Result<()> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        checked_int(|| unsafe { libc::connect(fd, self.0.ai_addr, self.0.ai_addrlen) }).map(drop)
    }

    /// Gives `fd` this address.
    pub fn bind(&self, fd: c_int) -> Result<()> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        checked_int(|| unsafe { libc::bind(fd, self.0.ai_addr, self.0.ai_addrlen) }).map(drop)
    }

    /// The port, in network byte order; `None` for a family that has none.
    pub fn port(&self) -> Option<u16> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        unsafe { port_of(self.0.ai_addr, self.0.ai_addrlen) }
    }
}

/// # Safety
/// `len` bytes at `address` must be a socket address.
unsafe fn port_of(address: *const libc::sockaddr, len: libc::socklen_t) -> Option<u16> {
    // SAFETY: every access is to a field of the structure that the family names, within `len`.
    unsafe {
        match i32::from((*address).sa_family) {
            libc::AF_INET if len as usize >= size_of::<libc::sockaddr_in>() => {
                Some((*address.cast::<libc::sockaddr_in>()).sin_port)
            }
            libc::AF_INET6 if len as usize >= size_of::<libc::sockaddr_in6>() => {
                Some((*address.cast::<libc::sockaddr_in6>()).sin6_port)
            }
            _ => None,
        }
    }
}

/// One end of a connected socket.
pub struct Endpoint {
    address: libc::sockaddr_storage,
    len: libc::socklen_t,
}

type NameCall = unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> c_int;

impl Endpoint {
    /// The end of `fd` that is here.
    pub fn local(fd: c_int) -> Result<Endpoint> {
        Endpoint::ask(libc::getsockname, fd)
    }

    /// The end of `fd` that is there.
    pub fn peer(fd: c_int) -> Result<Endpoint> {
        Endpoint::ask(libc::getpeername, fd)
    }

    fn ask(call: NameCall, fd: c_int) -> Result<Endpoint> {
        // SAFETY: a sockaddr_storage of zeros is a valid one (AF_UNSPEC).
        let mut address: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let mut len = size_of_val(&address) as libc::socklen_t;
        let start: *mut libc::sockaddr = (&raw mut address).cast();
        // SAFETY: `len` says how much may be stored at `start`.
        checked_int(|| unsafe { call(fd, start, &mut len) })?;
        Ok(Endpoint { address, len })
    }

    /// AF_INET, AF_INET6, AF_UNIX, ...
    pub fn family(&self) -> c_int {
        c_int::from(self.address.ss_family)
    }

    /// The port, in network byte order; `None` for a family that has none.
    pub fn port(&self) -> Option<u16> {
        // SAFETY: the kernel has stored an address of `len` bytes.
        unsafe { port_of((&raw const self.address).cast(), self.len) }
    }

    /// Whether both ends are the same address and port.
    pub fn is(&self, other: &Endpoint) -> bool {
        let bytes = |end: &Endpoint| {
            let start: *const u8 = (&raw const end.address).cast();
            let len = (end.len as usize).min(size_of_val(&end.address));
            // SAFETY: the storage was zeroed before use, so all its bytes are initialised, and
            // the result does not leave the comparison below.
            unsafe { core::slice::from_raw_parts(start, len) }
        };
        bytes(self) == bytes(other)
    }
}

/// Sets an integer socket option.
pub fn set_option(fd: c_int, level: c_int, option: c_int, value: c_int) -> Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    let start: *const c_void = (&raw const value).cast();
    // SAFETY: `start` points to `len` bytes.
    checked_int(|| unsafe { libc::setsockopt(fd, level, option, start, len) }).map(drop)
}

/// The milliseconds that a socket's SO_RCVTIMEO or SO_SNDTIMEO allows, rounded up; for all else, and
/// where no limit is set, no end of them.
fn time_limit(fd: c_int, option: c_int) -> i64 {
    let mut limit = libc::timeval {
        tv_sec: 0,
        tv_usec: 0,
    };
    let mut len = size_of_val(&limit) as libc::socklen_t;
    let start: *mut c_void = (&raw mut limit).cast();
    // SAFETY: `len` says how much may be stored at `start`.
    let _ =
        checked_int(|| unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, start, &mut len) });
    #[allow(clippy::useless_conversion)] // not on every system
    let (seconds, microseconds) = (i64::from(limit.tv_sec), i64::from(limit.tv_usec));
    let rounded_up = (microseconds + 999) / 1000;
    match seconds.saturating_mul(1000).saturating_add(rounded_up) {
        0 => i64::MAX,
        limit => limit,
    }
}

/// Has `fd` end its connection by a reset when it is closed, so that nothing of it stays behind. It
/// is closed next whatever comes of this.
pub fn reset_on_close(fd: c_int) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let len = size_of_val(&linger) as libc::socklen_t;
    let start: *const c_void = (&raw const linger).cast();
    // SAFETY: `start` points to `len` bytes.
    let _ = checked_int(|| unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, start, len)
    });
}

/// What became of an attempt to connect that went on in the kernel (SO_ERROR).
pub fn connect_outcome(fd: c_int) -> Result<()> {
    let mut outcome: c_int = 0;
    let mut len = size_of_val(&outcome) as libc::socklen_t;
    let start: *mut c_void = (&raw mut outcome).cast();
    // SAFETY: `len` says how much may be stored at `start`.
    checked_int(|| unsafe {
        libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, start, &mut len)
    })?;
    match outcome {
        0 => Ok(()),
        reason => Err(Errno(reason)),
    }
}

/// Makes a descriptor that was opened with O_NONBLOCK a blocking one.
pub fn set_blocking(fd: c_int) -> Result<()> {
    change_flags(fd, |before| before & !libc::O_NONBLOCK)
}

fn change_flags(fd: c_int, change: impl FnOnce(c_int) -> c_int) -> Result<()> {
    // SAFETY: F_GETFL and F_SETFL take no pointers.
    let flags = checked_int(|| unsafe { libc::fcntl(fd, libc::F_GETFL) })?;
    let flags = change(flags);
    // SAFETY: as above.
    checked_int(|| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
}

/// Makes a bound socket listen.
pub fn listen(fd: c_int, backlog: c_int) -> Result<()> {
    // SAFETY: listen touches no memory.
    checked_int(|| unsafe { libc::listen(fd, backlog) }).map(drop)
}

/// The longest text of an error that [`error_text`] can hold, its NUL included.
pub const ERROR_TEXT: usize = 256;

/// The text that belongs to an error, in the user's language, cut to the size of `text`.
pub fn error_text(reason: Errno, text: &mut [u8; ERROR_TEXT]) -> &CStr {
    let before = errno();
    text[0] = 0;
    // SAFETY: strerror_r stores at most that many bytes. It answers unknown numbers with a
    // text and an error, and too small a buffer with a cut text and an error: both serve.
    unsafe { libc::strerror_r(reason.0, text.as_mut_ptr().cast(), text.len()) };
    text[text.len() - 1] = 0;
    set_errno(before);
    CStr::from_bytes_until_nul(text).unwrap_or_default()
}

/// The text that belongs to one of getaddrinfo's EAI_ codes.
pub fn resolver_text(code: c_int) -> &'static CStr {
    // SAFETY: gai_strerror takes any number and gives a constant string.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }
}

/// The text that belongs to the last failure of gethostbyname or gethostbyaddr (`h_errno`).
pub fn host_text() -> &'static CStr {
    // SAFETY: hstrerror takes any number and gives a constant string.
    unsafe { CStr::from_ptr(libc::hstrerror(h_errno())) }
}

/// `h_errno`, which is a macro of <netdb.h> nearly everywhere.
fn h_errno() -> c_int {
    unsafe extern "C" {
        #[cfg(target_os = "linux")]
        #[link_name = "__h_errno_location"]
        fn location() -> *mut c_int;
        #[cfg(target_os = "freebsd")]
        #[link_name = "__h_errno"]
        fn location() -> *mut c_int;
        #[cfg(target_vendor = "apple")]
        static h_errno: c_int;
    }
    // SAFETY: the location is this thread's own.
    #[cfg(not(target_vendor = "apple"))]
    unsafe {
        *location()
    }
    // SAFETY: an int; what other threads make of it meanwhile is for the program to prevent.
    #[cfg(target_vendor = "apple")]
    unsafe {
        (&raw const h_errno).read_volatile()
    }
}

/// The value of an environment variable, unless the program runs with more rights than
/// its user (then nobody outside may steer it).
///
/// The text stays valid until the program changes its environment; do not keep it.
pub fn environment(name: &CStr) -> Option<&CStr> {
    // SAFETY: `name` ends in a NUL; what comes back is NULL or a string that does.
    unsafe {
        let value = trusted_environment(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value))
    }
}

/// # Safety
/// `name` must end in a NUL.
#[cfg(target_os = "linux")]
unsafe fn trusted_environment(name: *const c_char) -> *const c_char {
    unsafe extern "C" {
        fn secure_getenv(name: *const c_char) -> *mut c_char;
    }
    // SAFETY: the caller's promise.
    unsafe { secure_getenv(name) }
}

/// # Safety
/// `name` must end in a NUL.
#[cfg(not(target_os = "linux"))]
unsafe fn trusted_environment(name: *const c_char) -> *const c_char {
    unsafe extern "C" {
        fn issetugid() -> c_int;
    }
    // SAFETY: issetugid takes nothing; for getenv, the caller's promise.
    unsafe {
        match issetugid() {
            0 => libc::getenv(name),
            _ => ptr::null(),
        }
    }
}

/// Ends the process: buffers of stdio are written, atexit functions run (exit(3)).
pub fn exit(status: c_int) -> ! {
    // SAFETY: exit takes any number.
    unsafe { libc::exit(status) }
}

/// Ends the process at once: no buffer is written, nothing registered runs (_exit(2)). Unlike
/// [`exit`], it may be called in a signal handler.
pub fn exit_at_once(status: c_int) -> ! {
    // SAFETY: _exit takes any number.
    unsafe { libc::_exit(status) }
}

/// Ends the process by SIGABRT, so that it leaves a core.
pub fn abort() -> ! {
    // SAFETY: abort takes no arguments.
    unsafe { libc::abort() }
}

/// Lets a thread of its own end, if possible. When the first one does, glibc loads what unwinds threads,
/// and aborts the process where it cannot: for want of a free descriptor, say. So there has to be one now.
#[cold]
pub fn prepare_to_exit_threads() {
    #[cfg(target_env = "gnu")]
    // SAFETY: everything that is asked for is here, and the signals blocked meanwhile are the caller's again.
    unsafe {
        unsafe extern "C-unwind" fn end(argument: *mut c_void) -> *mut c_void {
            // SAFETY: nobody looks at the value.
            unsafe { exit_thread(argument) }
        }
        let errno_before = errno();
        let free = libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if free == -1 {
            set_errno(errno_before);
            return;
        }
        close(free);
        let mut thread = MaybeUninit::uninit();
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // No handler of the program runs in that thread.
        libc::sigfillset(all.as_mut_ptr());
        libc::sigprocmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
        let no_attributes = ptr::null();
        let (end, nothing) = (Some(end as _), ptr::null_mut());
        if undeclared::pthread_create(thread.as_mut_ptr(), no_attributes, end, nothing) == 0 {
            libc::pthread_join(thread.assume_init(), ptr::null_mut());
        }
        libc::sigprocmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut());
        set_errno(errno_before);
    }
}

/// Ends the calling thread; a joiner gets `value`.
///
/// # Safety
/// What the thread's clean-up handlers and its joiner do with `value` must be sound.
pub unsafe fn exit_thread(value: *mut c_void) -> ! {
    unsafe extern "C" {
        fn pthread_exit(value: *mut c_void) -> !;
    }
    // SAFETY: the caller's promise. It unwinds through our frames; none of them has
    // anything to clean up.
    unsafe { pthread_exit(value) }
}

/// What libc has and the crate of that name does not declare for this system.
pub mod undeclared {
    use core::ffi::{c_char, c_int, c_uint, c_void};

    use libc::{hostent, sem_t, sigset_t, sockaddr, socklen_t};

    #[cfg(not(target_os = "freebsd"))]
    pub use libc::pthread_once_t;

    /// As <pthread.h> has it there.
    #[cfg(target_os = "freebsd")]
    #[allow(non_camel_case_types, missing_debug_implementations)]
    #[repr(C)]
    pub struct pthread_once_t {
        state: c_int,
        mutex: libc::pthread_mutex_t,
    }

    #[allow(missing_docs)] // POSIX says what they do
    unsafe extern "C" {
        pub fn sigsuspend(set: *const sigset_t) -> c_int;
        pub fn getnameinfo(
            address: *const sockaddr,
            address_len: socklen_t,
            host: *mut c_char,
            host_len: socklen_t,
            service: *mut c_char,
            service_len: socklen_t,
            flags: c_int,
        ) -> c_int;
        pub fn inet_ntop(
            family: c_int,
            address: *const c_void,
            text: *mut c_char,
            size: socklen_t,
        ) -> *const c_char;
        pub fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
        pub fn gethostbyname(name: *const c_char) -> *mut hostent;
        pub fn gethostbyaddr(
            address: *const c_void,
            address_len: socklen_t,
            family: c_int,
        ) -> *mut hostent;
        pub fn pthread_create(
            thread: *mut libc::pthread_t,
            attributes: *const libc::pthread_attr_t,
            routine: Option<unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void>,
            argument: *mut c_void,
        ) -> c_int;
        pub fn pthread_once(
            control: *mut pthread_once_t,
            routine: Option<unsafe extern "C-unwind" fn()>,
        ) -> c_int;
        pub fn pthread_cancel(thread: libc::pthread_t) -> c_int;
        // Apple's fail with ENOSYS.
        pub fn sem_init(semaphore: *mut sem_t, is_shared: c_int, value: c_uint) -> c_int;
        pub fn sem_destroy(semaphore: *mut sem_t) -> c_int;
    }
}
