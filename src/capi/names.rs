//! Names and addresses

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use libc::{addrinfo, hostent, size_t, sockaddr, socklen_t};

use super::checked::{
    attempt, attempt_resolver, destination, keep_errno, non_null, report_failure, shown, unresolved,
};
use super::{handler, optional};
use crate::report::Reason;
use crate::sys::{self, Errno, undeclared};

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
    let outcome = non_null(res)
        .map_err(Reason::from)
        .and_then(|_| attempt_resolver(|| unsafe { libc::getaddrinfo(node, service, hints, res) }));
    if let Err(reason) = outcome {
        // SAFETY: they are C strings, or NULL.
        let (node, service) = unsafe { (optional(node), optional(service)) };
        let [a, b, c, d] = destination(node, service);
        handler::fail_on(&[c"Getaddrinfo error", a, b, c, d], reason);
    }
}

/// getnameinfo, checked: stores the host and the service of the address `sa` as strings.
/// [CS:APP 3e, section 11.4.7; POSIX, getnameinfo]
/// cbindgen:prefix=CSAPP_WRITES(3, 4) CSAPP_WRITES(5, 6)
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
    let outcome = non_null(sa).map_err(Reason::from).and_then(|_| {
        // SAFETY: the caller's address and buffers.
        attempt_resolver(|| unsafe {
            undeclared::getnameinfo(sa, salen, host, host_len, serv, service_len, flags)
        })
    });
    let _ = report_failure(c"Getnameinfo error", outcome);
}

/// freeaddrinfo: gives a list of addresses back. [CS:APP 3e, section 11.4.7; POSIX, freeaddrinfo]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Freeaddrinfo(res: *mut addrinfo) {
    // SAFETY: the caller's list.
    keep_errno(|| unsafe {
        // Not every libc takes NULL.
        if !res.is_null() {
            libc::freeaddrinfo(res);
        }
    });
}

/// inet_ntop, checked: stores the address at `src` as text in the `size` bytes at `dst`.
/// [CS:APP 3e, section 11.3.1; POSIX, inet_ntop]
/// cbindgen:prefix=CSAPP_WRITES(3, 4)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Inet_ntop(
    af: c_int,
    src: *const c_void,
    dst: *mut c_char,
    size: socklen_t,
) {
    let outcome = non_null(src).and(non_null(dst)).and_then(|_| {
        // SAFETY: the caller's address and buffer.
        attempt(ptr::null(), || unsafe {
            undeclared::inet_ntop(af, src, dst, size)
        })
    });
    let _ = report_failure(c"Inet_ntop error", outcome);
}

/// inet_pton, checked: stores the address that the text `src` says at `dst`. A text that is no address of
/// the family `af` is reported, and errno EINVAL. [CS:APP 3e, section 11.3.1; POSIX, inet_pton]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Inet_pton(af: c_int, src: *const c_char, dst: *mut c_void) {
    // SAFETY: the caller's string and room.
    let outcome = non_null(src)
        .and(non_null(dst))
        .and_then(|_| attempt(-1, || unsafe { undeclared::inet_pton(af, src, dst) }));
    if report_failure(c"Inet_pton error", outcome) == Ok(0) {
        sys::set_errno(Errno(libc::EINVAL));
        // SAFETY: the caller's string.
        let text = shown(unsafe { CStr::from_ptr(src) });
        let why = c": not a numeric address of this family";
        handler::tell(&[c"Inet_pton error: ", text, why], Reason::Unsaid);
    }
}

/// gethostbyname, checked: what the resolver knows about a host, in memory that the next call uses
/// again. NULL if the error handler returns. Programs should use Getaddrinfo.
/// [CS:APP 2e, section 11.3.2]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyname(name: *const c_char) -> *mut hostent {
    // SAFETY: a C string or NULL.
    let [a, b, ..] = destination(unsafe { optional(name) }, None);
    // SAFETY: the caller's string.
    look_up(&[c"Gethostbyname error", a, b], name, || unsafe {
        undeclared::gethostbyname(name)
    })
}

/// gethostbyaddr, checked: what the resolver knows about the host with the address of `len` bytes at
/// `addr`, in memory that the next call uses again. NULL if the error handler returns. Programs
/// should use Getnameinfo. [CS:APP 2e, section 11.3.2]
/// cbindgen:prefix=CSAPP_READS(1, 2)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyaddr(
    addr: *const c_char,
    len: c_int,
    r#type: c_int,
) -> *mut hostent {
    // SAFETY: the caller's address.
    look_up(&[c"Gethostbyaddr error"], addr, || unsafe {
        undeclared::gethostbyaddr(addr.cast(), len as socklen_t, r#type)
    })
}

/// Makes a call that says why it failed in `h_errno`, and reports a failure.
fn look_up(
    message: &[&CStr],
    input: *const c_char,
    call: impl FnOnce() -> *mut hostent,
) -> *mut hostent {
    let attempt = || {
        sys::set_errno(Errno(0)); // so that it tells something of a failure
        non_null(call()).map_err(|_| unresolved(sys::host_code()).unwrap_or(Reason::Host))
    };
    let outcome = non_null(input).map_err(Reason::from);
    match outcome.and_then(|_| keep_errno(attempt)) {
        Ok(found) => found,
        Err(reason) => {
            handler::fail_on(message, reason);
            ptr::null_mut()
        }
    }
}
