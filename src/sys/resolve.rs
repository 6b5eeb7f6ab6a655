//! Looking up names.

use core::ffi::{CStr, c_int};
use core::{mem, ptr};

use super::errno::{Errno, call, errno, set_errno};
use super::fd::close;
use super::sanitizer::about_to_pass;
use super::socket::Address;

/// The addresses that a name stands for. The caller frees them with [`Addresses::free`]. There is no destructor,
/// because a cancelled thread would not run it.
#[derive(Debug)]
pub struct Addresses(*mut libc::addrinfo);

/// Why a name could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unresolved {
    /// One of getaddrinfo's EAI_ codes.
    pub code: c_int,
    /// The value of errno after the call: the reason, if the code is EAI_SYSTEM.
    pub errno: Errno,
}

impl Unresolved {
    /// No such host.
    pub const NO_HOST: Unresolved = Unresolved {
        code: libc::EAI_NONAME,
        errno: Errno(0),
    };

    /// EMFILE, ENFILE or ENOMEM, if the resolver has failed because no descriptor or memory was free. The code may hide
    /// that: a resolver that cannot open its files knows no host and no service. Even errno may not say it.
    #[cold]
    pub fn want(self) -> Option<Errno> {
        match self.code {
            libc::EAI_MEMORY => Some(Errno(libc::ENOMEM)),
            _ if is_want(self.errno) => Some(self.errno),
            libc::EAI_SYSTEM => None,
            _ => present_want(),
        }
    }
}

fn is_want(errno: Errno) -> bool {
    [libc::EMFILE, libc::ENFILE, libc::ENOMEM].contains(&errno.0)
}

/// Why no new descriptor can be opened at the moment, if so.
fn present_want() -> Option<Errno> {
    #[cfg(not(target_vendor = "apple"))]
    const KIND: c_int = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    #[cfg(target_vendor = "apple")]
    const KIND: c_int = libc::SOCK_STREAM;
    // SAFETY: socket touches no memory. (Unlike open, it is no cancellation point.)
    let fd = unsafe { call!(libc::socket(libc::AF_UNIX, KIND, 0)) };
    fd.inspect(|&fd| close(fd))
        .err()
        .filter(|&errno| is_want(errno))
}

/// getaddrinfo for stream sockets.
#[inline(never)] // for size
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
    about_to_pass(&hints);
    about_to_pass(service.to_bytes_with_nul());
    let mut list = ptr::null_mut();
    let before = errno();
    set_errno(Errno(0)); // so that its value after a failure belongs to that failure
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

impl Addresses {
    /// Frees the list. `errno` is unchanged.
    pub fn free(self) {
        // SAFETY: `self` ends here, and what is borrowed from it has ended before.
        unsafe { self.free_in_place() }
    }

    /// [`Addresses::free`] for a caller that only borrows the list: the clean-up of a cancelled call.
    ///
    /// # Safety
    /// Neither the list nor an address of it may be used afterwards.
    pub unsafe fn free_in_place(&self) {
        let before = errno();
        // SAFETY: the list came from getaddrinfo, and is not used any more.
        unsafe { libc::freeaddrinfo(self.0) };
        set_errno(before);
    }

    /// The addresses, in getaddrinfo's order.
    pub fn iter(&self) -> impl Iterator<Item = Address<'_>> + Clone {
        // SAFETY: getaddrinfo links valid entries, and the last one's link is NULL.
        let entry = |at: *mut libc::addrinfo| unsafe { at.as_ref() };
        core::iter::successors(entry(self.0), move |this| entry(this.ai_next)).map(Address)
    }
}
