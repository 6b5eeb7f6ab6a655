//! Names and addresses

use core::ffi::{CStr, c_char, c_int, c_void};
use core::ptr;

use libc::{addrinfo, hostent, size_t, sockaddr, socklen_t};

use super::checked::{
    NON_NULL, Outcome, attempt, attempt_resolver, destination, keep_errno, non_null,
    report_failure, shown, unresolved, with_cleared_errno, wrap,
};
use super::handler;
use crate::report::{Part, Reason, parts};
use crate::sys::{self, Errno, undeclared};

/// Looks up the host `node` and the service `service`, and stores at `res` a list of the
/// addresses that `hints` select. The caller frees the list with Freeaddrinfo.
///
/// [CS:APP 3e, section 11.4.7; POSIX, getaddrinfo]
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
        let (node, service) = unsafe { (Part::new(node), Part::new(service)) };
        let [a, b, c, d] = destination(node, service);
        handler::fail_on(&parts![c"Getaddrinfo error", a, b, c, d], reason);
    }
}

/// Converts the address of `salen` bytes at `sa` to strings as `flags` say: stores the host in
/// the `hostlen` bytes at `host`, and the service in the `servlen` bytes at `serv`.
///
/// [CS:APP 3e, section 11.4.7; POSIX, getnameinfo]
/// cbindgen:prefix=CSAPP_WRITES(3, 4)
/// cbindgen:postfix=CSAPP_WRITES(5, 6)
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
    if let Err(reason) = outcome {
        handler::fail(c"Getnameinfo error", reason);
    }
}

/// Frees the list of addresses `res`. Does nothing if `res` is NULL. Cannot fail.
///
/// [CS:APP 3e, section 11.4.7; POSIX, freeaddrinfo]
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

/// Converts the address at `src`, of the family `af`, to text, and stores it in the `size` bytes
/// at `dst`.
///
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
    let _ = report_failure(c"Inet_ntop", outcome);
}

/// Converts the text `src` to an address of the family `af` in network byte order, and stores it
/// at `dst`.
///
/// Errors:
/// - EINVAL: `src` is not a numeric address of that family
///
/// [CS:APP 3e, section 11.3.1; POSIX, inet_pton]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Inet_pton(af: c_int, src: *const c_char, dst: *mut c_void) {
    unsafe extern "C" fn pton(src: *const c_char, dst: *mut c_void, af: c_int) -> c_int {
        // SAFETY: the caller's string and room.
        unsafe { undeclared::inet_pton(af, src, dst) }
    }
    let outcome = wrap!(c"Inet_pton", pton(src, dst, af), NON_NULL[0] | NON_NULL[1]);
    if outcome == 0 {
        sys::set_errno(Errno(libc::EINVAL));
        // SAFETY: the caller's string.
        let text = shown(unsafe { CStr::from_ptr(src) }.into());
        let why = c": not a numeric address of this family";
        handler::tell(&parts![c"Inet_pton error: ", text, why], Reason::Unsaid);
    }
}

/// Looks up the host `name`. New programs call Getaddrinfo instead.
///
/// Returns what the resolver knows about the host, in memory that the next call overwrites.
///
/// [CS:APP 2e, section 11.3.2; POSIX.1-2001, gethostbyname]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyname(name: *const c_char) -> *mut hostent {
    // SAFETY: the caller's string.
    let call = || unsafe { undeclared::gethostbyname(name) };
    look_up(name, call).unwrap_or_else(|reason| {
        // SAFETY: a C string or NULL.
        let [a, b, ..] = destination(unsafe { Part::new(name) }, None);
        handler::fail_on(&parts![c"Gethostbyname error", a, b], reason);
        ptr::null_mut()
    })
}

/// Looks up the host that has the address of `len` bytes at `addr`, of the family `type`. New
/// programs call Getnameinfo instead.
///
/// Returns what the resolver knows about the host, in memory that the next call overwrites.
///
/// [CS:APP 2e, section 11.3.2; POSIX.1-2001, gethostbyaddr]
/// cbindgen:prefix=CSAPP_READS(1, 2)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Gethostbyaddr(
    addr: *const c_char,
    len: c_int,
    r#type: c_int,
) -> *mut hostent {
    // SAFETY: the caller's address.
    let call = || unsafe { undeclared::gethostbyaddr(addr.cast(), len as socklen_t, r#type) };
    look_up(addr, call).unwrap_or_else(|reason| {
        handler::fail(c"Gethostbyaddr error", reason);
        ptr::null_mut()
    })
}

/// Makes a call about `input` that says why it failed in `h_errno`.
fn look_up(input: *const c_char, call: impl FnOnce() -> *mut hostent) -> Outcome<*mut hostent> {
    non_null(input)?;
    with_cleared_errno(|_| {
        non_null(call()).map_err(|_| unresolved(sys::host_code()).unwrap_or(Reason::Host))
    })
}
