//! Names and addresses

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use libc::{addrinfo, hostent, size_t, sockaddr, socklen_t};

use super::{checked, unfailing, wrapped, wrapped_resolver};
use crate::report::{self, Reason};
use crate::sys::{self, Errno, Result, undeclared};

/// getaddrinfo, checked: stores at `res` a list of the addresses that `node` and `service` stand for
/// under `hints`, to be given back by Freeaddrinfo. [CS:APP 3e, section 11.4.7; POSIX, getaddrinfo]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Getaddrinfo(
    node: *const c_char,
    service: *const c_char,
    hints: *const addrinfo,
    res: *mut *mut addrinfo,
) {
    // SAFETY: the caller's strings and structures.
    wrapped_resolver(c"Getaddrinfo error", || unsafe {
        given!(res => libc::getaddrinfo(node, service, hints, res), or libc::EAI_SYSTEM)
    });
}

/// getnameinfo, checked: stores the host and the service of the address `sa` as strings.
/// [CS:APP 3e, section 11.4.7; POSIX, getnameinfo]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Getnameinfo(
    sa: *const sockaddr,
    salen: socklen_t,
    host: *mut c_char,
    hostlen: size_t,
    serv: *mut c_char,
    servlen: size_t,
    flags: c_int,
) {
    let clamped = |len: size_t| socklen_t::try_from(len).unwrap_or(socklen_t::MAX);
    let (host_len, service_len) = (clamped(hostlen), clamped(servlen));
    // SAFETY: the caller's address and buffers.
    wrapped_resolver(c"Getnameinfo error", || unsafe {
        given!(sa => undeclared::getnameinfo(sa, salen, host, host_len, serv, service_len, flags),
            or libc::EAI_SYSTEM)
    });
}

/// freeaddrinfo: gives a list of addresses back. [CS:APP 3e, section 11.4.7; POSIX, freeaddrinfo]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Freeaddrinfo(res: *mut addrinfo) {
    // SAFETY: the caller's list.
    unfailing(|| unsafe {
        // Not every libc takes NULL.
        if !res.is_null() {
            libc::freeaddrinfo(res);
        }
    });
}

/// inet_ntop, checked: stores the address at `src` as text in the `size` bytes at `dst`.
/// [CS:APP 3e, section 11.3.1; POSIX, inet_ntop]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Inet_ntop(
    af: c_int,
    src: *const c_void,
    dst: *mut c_char,
    size: socklen_t,
) {
    // SAFETY: the caller's address and buffer.
    wrapped(c"Inet_ntop error", ptr::null(), || unsafe {
        given!(src, dst => undeclared::inet_ntop(af, src, dst, size), or ptr::null())
    });
}

/// inet_pton, checked: stores the address that the text `src` says at `dst`. A text that is no address of
/// the family `af` is reported, and errno EINVAL. [CS:APP 3e, section 11.3.1; POSIX, inet_pton]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Inet_pton(af: c_int, src: *const c_char, dst: *mut c_void) {
    // SAFETY: the caller's string and room.
    let outcome = wrapped(c"Inet_pton error", -1, || unsafe {
        given!(src, dst => undeclared::inet_pton(af, src, dst), or -1)
    });
    if outcome == 0 {
        sys::set_errno(Errno(libc::EINVAL));
        report::report(
            c"Inet_pton error: not a numeric address of this family",
            Reason::Unsaid,
        );
    }
}

/// gethostbyname, checked: what the resolver knows about a host, in memory that the next call uses
/// again. NULL if the error handler returns. Programs should use Getaddrinfo.
/// [CS:APP 2e, section 11.3.2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyname(name: *const c_char) -> *mut hostent {
    // SAFETY: the caller's string.
    host(c"Gethostbyname error", name, || unsafe {
        undeclared::gethostbyname(name)
    })
}

/// gethostbyaddr, checked: what the resolver knows about the host with the address of `len` bytes at
/// `addr`, in memory that the next call uses again. NULL if the error handler returns. Programs
/// should use Getnameinfo. [CS:APP 2e, section 11.3.2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyaddr(
    addr: *const c_char,
    len: c_int,
    r#type: c_int,
) -> *mut hostent {
    // SAFETY: the caller's address.
    host(c"Gethostbyaddr error", addr, || unsafe {
        undeclared::gethostbyaddr(addr.cast(), len as socklen_t, r#type)
    })
}

fn host(message: &CStr, input: *const c_char, call: impl FnOnce() -> *mut hostent) -> *mut hostent {
    if input.is_null() {
        let _: Result<()> = checked(message, Err(Errno(libc::EFAULT)));
        return ptr::null_mut();
    }
    let before = sys::errno();
    let found = call();
    if found.is_null() {
        report::report(message, Reason::Host);
    } else {
        sys::set_errno(before);
    }
    found
}
