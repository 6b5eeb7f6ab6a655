//! Sockets: their addresses, their options, connecting and listening.

use core::ffi::{c_int, c_void};
use core::mem;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::clock::Deadline;
#[cfg(target_vendor = "apple")]
use super::errno::fcntl;
use super::errno::{Errno, Result, call};
#[cfg(target_vendor = "apple")]
use super::fd::change_flags;
#[cfg(target_vendor = "apple")]
use super::fd::close;
use super::fd::with_descriptor;
use super::sanitizer::{about_to_pass, about_to_pass_bytes};

/// One of several [`Addresses`](super::Addresses).
#[derive(Debug, Clone, Copy)]
pub struct Address<'a>(pub(super) &'a libc::addrinfo);

/// The flag with which [`Address::socket`] returns an O_NONBLOCK socket.
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

    /// Creates a close-on-exec socket of this address's family and kind. `flags` may add [`NONBLOCKING`].
    #[cfg(not(target_vendor = "apple"))]
    pub fn socket(&self, flags: c_int) -> Result<c_int> {
        let kind = self.0.ai_socktype | libc::SOCK_CLOEXEC | flags;
        // SAFETY: socket touches no memory.
        unsafe { call!(libc::socket(self.0.ai_family, kind, self.0.ai_protocol)) }
    }

    /// The same on a system whose socket takes no flags. A program that another thread starts between the two
    /// calls inherits the socket; this cannot be prevented.
    #[cfg(target_vendor = "apple")]
    pub fn socket(&self, flags: c_int) -> Result<c_int> {
        let (kind, protocol) = (self.0.ai_socktype, self.0.ai_protocol);
        // SAFETY: socket touches no memory.
        let fd = unsafe { call!(libc::socket(self.0.ai_family, kind, protocol)) }?;
        fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC)
            .and_then(|_| change_flags(fd, |before| before | flags))
            .map(|()| fd)
            .inspect_err(|_| close(fd))
    }

    /// Whether this machine has a route to the address, and a local address for it. Sends no packet.
    #[cold]
    pub fn has_route(&self) -> bool {
        let mut datagrams = *self.0;
        (datagrams.ai_socktype, datagrams.ai_protocol) = (libc::SOCK_DGRAM, 0);
        let fd = Address(&datagrams).socket(0);
        fd.and_then(|fd| with_descriptor(fd, || self.connect(fd)))
            .is_ok()
    }

    /// Connects `fd` to this address. Do not call it a second time: after EINTR or EINPROGRESS, the attempt
    /// continues in the kernel (POSIX, connect).
    #[inline(never)] // one copy for all callers
    pub fn connect(&self, fd: c_int) -> Result<()> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        unsafe { call!(libc::connect(fd, self.0.ai_addr, self.0.ai_addrlen)) }.map(drop)
    }

    /// Binds `fd` to this address.
    pub fn bind(&self, fd: c_int) -> Result<()> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        unsafe { call!(libc::bind(fd, self.0.ai_addr, self.0.ai_addrlen)) }.map(drop)
    }

    /// Whether this is a loopback address.
    pub fn is_loopback(&self) -> bool {
        // SAFETY: the entry holds an address.
        unsafe { family_but_loopback(self.0.ai_addr) == libc::AF_UNSPEC }
    }

    /// The port, in network byte order; `None` for a family that has none.
    pub fn port(&self) -> Option<u16> {
        // SAFETY: the entry holds an address of ai_addrlen bytes.
        unsafe { port_of(self.0.ai_addr, self.0.ai_addrlen) }
    }
}

/// The family of an address; AF_UNSPEC for NULL and for a loopback address.
///
/// # Safety
/// `address` must be NULL or point to a whole socket address.
pub(super) unsafe fn family_but_loopback(address: *const libc::sockaddr) -> c_int {
    if address.is_null() {
        return libc::AF_UNSPEC;
    }
    // SAFETY: every access is to a field of the structure that the family names.
    let (family, is_loopback) = unsafe {
        let family = c_int::from((*address).sa_family);
        let is_loopback = match family {
            libc::AF_INET => {
                let ipv4 = address.cast::<libc::sockaddr_in>();
                Ipv4Addr::from(u32::from_be((*ipv4).sin_addr.s_addr)).is_loopback()
            }
            libc::AF_INET6 => {
                let ipv6 = address.cast::<libc::sockaddr_in6>();
                let ipv6 = Ipv6Addr::from((*ipv6).sin6_addr.s6_addr);
                ipv6.to_canonical().is_loopback()
            }
            _ => false,
        };
        (family, is_loopback)
    };
    if is_loopback { libc::AF_UNSPEC } else { family }
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

/// Fails with EINVAL if the socket `fd` does not listen: no connection would ever come.
pub fn expect_listening(fd: c_int) -> Result<()> {
    match get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)? {
        0 => Err(Errno(libc::EINVAL)),
        _ => Ok(()),
    }
}

/// The memory of a C caller for the address of a connection's peer.
#[derive(Debug, Clone, Copy)]
pub struct PeerRoom {
    address: *mut libc::sockaddr,
    len: *mut libc::socklen_t,
}

impl PeerRoom {
    /// Describes the room of `*len` bytes at `address`; NULL means that the caller does not want the address.
    /// Fails with EFAULT or EINVAL if the kernel would fail because of the room, since it would lose the
    /// connection then.
    ///
    /// # Safety
    /// As long as this is used, both must be NULL, or must point to such room and to its length.
    pub unsafe fn new(address: *mut libc::sockaddr, len: *mut libc::socklen_t) -> Result<PeerRoom> {
        if !address.is_null() {
            // SAFETY: NULL, or a length.
            match unsafe { len.as_ref() } {
                None => return Err(Errno(libc::EFAULT)),
                Some(&len) if c_int::try_from(len).is_err() => return Err(Errno(libc::EINVAL)),
                Some(_) => {}
            }
        }
        Ok(PeerRoom { address, len })
    }
}

/// Accepts a connection from the listening socket `fd`. The new descriptor is close-on-exec.
pub fn accept(fd: c_int, peer: PeerRoom) -> Result<c_int> {
    #[cfg(not(target_vendor = "apple"))]
    // SAFETY: `PeerRoom::new` has the promise that an address can be stored there.
    return unsafe {
        call!(libc::accept4(
            fd,
            peer.address,
            peer.len,
            libc::SOCK_CLOEXEC
        ))
    };
    #[cfg(target_vendor = "apple")]
    // SAFETY: the same; F_SETFD takes no pointer.
    return unsafe { call!(libc::accept(fd, peer.address, peer.len)) }.inspect(|&fd| unsafe {
        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
    });
}

/// One end of a connected socket.
pub struct Endpoint {
    address: libc::sockaddr_storage,
    len: libc::socklen_t,
}

type NameCall = unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> c_int;

impl Endpoint {
    /// Returns the local end of `fd`.
    pub fn local(fd: c_int) -> Result<Endpoint> {
        Endpoint::ask(libc::getsockname, fd)
    }

    /// Returns the peer's end of `fd`.
    pub fn peer(fd: c_int) -> Result<Endpoint> {
        Endpoint::ask(libc::getpeername, fd)
    }

    #[inline(never)]
    fn ask(call: NameCall, fd: c_int) -> Result<Endpoint> {
        // SAFETY: a sockaddr_storage of zeros is a valid one (AF_UNSPEC).
        let mut address: libc::sockaddr_storage = unsafe { mem::zeroed() };
        let mut len = size_of_val(&address) as libc::socklen_t;
        about_to_pass(&len);
        let start: *mut libc::sockaddr = (&raw mut address).cast();
        // SAFETY: `len` says how much may be stored at `start`.
        unsafe { call!(call(fd, start, &raw mut len)) }?;
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

/// A type of value that [`get_option`] may store and [`set_option`] may read.
///
/// # Safety
/// Any bytes must be a value of the type.
pub unsafe trait SocketOption: Copy {}

// SAFETY: an integer, and structures of integers as <sys/socket.h> and <sys/time.h> have them.
unsafe impl SocketOption for c_int {}
// SAFETY: as above.
unsafe impl SocketOption for libc::linger {}
// SAFETY: as above.
unsafe impl SocketOption for libc::timeval {}

/// Sets the socket option `option` of `level`.
fn set_option<T: SocketOption>(fd: c_int, level: c_int, option: c_int, value: T) -> Result<()> {
    // SAFETY: as many bytes as a T has.
    unsafe { set_raw_option(fd, level, option, (&raw const value).cast(), size_of::<T>()) }
}

/// Turns an option on or off whose value is an int.
#[inline(never)]
pub fn switch(fd: c_int, level: c_int, option: c_int, is_on: bool) -> Result<()> {
    set_option(fd, level, option, c_int::from(is_on))
}

/// # Safety
/// `len` bytes at `start` must be readable.
#[inline(never)] // once for all types
unsafe fn set_raw_option(
    fd: c_int,
    level: c_int,
    option: c_int,
    start: *const c_void,
    len: usize,
) -> Result<()> {
    about_to_pass_bytes(start, len);
    let len = len as libc::socklen_t;
    // SAFETY: the caller's promise.
    unsafe { call!(libc::setsockopt(fd, level, option, start, len)) }.map(drop)
}

/// The value of the socket option `option` of `level`.
pub(super) fn get_option<T: SocketOption>(fd: c_int, level: c_int, option: c_int) -> Result<T> {
    // SAFETY: all zeroes are a value, as any bytes are.
    let mut value: T = unsafe { mem::zeroed() };
    // SAFETY: as many bytes as a T has, and it takes any.
    unsafe { get_raw_option(fd, level, option, (&raw mut value).cast(), size_of::<T>()) }?;
    Ok(value)
}

/// # Safety
/// `len` bytes at `start` must be writable.
#[inline(never)] // once for all types
unsafe fn get_raw_option(
    fd: c_int,
    level: c_int,
    option: c_int,
    start: *mut c_void,
    len: usize,
) -> Result<()> {
    let mut len = len as libc::socklen_t;
    about_to_pass(&len);
    // SAFETY: the caller's promise.
    unsafe { call!(libc::getsockopt(fd, level, option, start, &raw mut len)) }.map(drop)
}

/// Returns the deadline of a wait on `fd` that begins now and is limited by `option`, which is SO_RCVTIMEO or
/// SO_SNDTIMEO. Returns never if no limit is set or `fd` is not a socket.
pub(super) fn time_limit(fd: c_int, option: c_int) -> Deadline {
    let Ok(limit) = get_option::<libc::timeval>(fd, libc::SOL_SOCKET, option) else {
        return Deadline::never();
    };
    #[allow(clippy::useless_conversion)] // not on every system
    let (seconds, microseconds) = (i64::from(limit.tv_sec), i64::from(limit.tv_usec));
    let rounded_up = (microseconds + 999) / 1000;
    match seconds.saturating_mul(1000).saturating_add(rounded_up) {
        0 => Deadline::never(),
        limit => Deadline::after(limit),
    }
}

/// Makes a close of `fd` reset its connection, so that nothing of it remains. A failure does not matter: the
/// caller closes `fd` next in either case.
pub fn reset_on_close(fd: c_int) {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let _ = set_option(fd, libc::SOL_SOCKET, libc::SO_LINGER, at_once);
}

/// Returns the outcome of an attempt to connect that continued in the kernel (SO_ERROR).
pub fn connect_outcome(fd: c_int) -> Result<()> {
    match get_option::<c_int>(fd, libc::SOL_SOCKET, libc::SO_ERROR)? {
        0 => Ok(()),
        reason => Err(Errno(reason)),
    }
}

/// Makes a bound socket listen.
pub fn listen(fd: c_int, backlog: c_int) -> Result<()> {
    // SAFETY: listen touches no memory.
    unsafe { call!(libc::listen(fd, backlog)) }.map(drop)
}
