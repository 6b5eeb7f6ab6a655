//! Sockets

use core::ffi::{c_int, c_void};

use libc::{sockaddr, socklen_t};

use super::checked::{report_failure, restart_in_time, wrap};
use crate::net;
use crate::sys::{Errno, call};

/// Creates a socket of the address family `domain` (such as AF_INET), the type `type` (such as
/// SOCK_STREAM) and the protocol `protocol` (0: the default).
///
/// Returns its descriptor, which the caller closes.
///
/// [CS:APP 3e, section 11.4.2; POSIX, socket]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Socket(domain: c_int, r#type: c_int, protocol: c_int) -> c_int {
    wrap!(c"Socket", libc::socket(domain, r#type, protocol))
}

/// Sets the option `optname` at the level `level` of the socket `s` to the `optlen` bytes at
/// `optval`.
///
/// [POSIX, setsockopt]
/// cbindgen:prefix=CSAPP_READS(4, 5)
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Setsockopt(
    s: c_int,
    level: c_int,
    optname: c_int,
    optval: *const c_void,
    optlen: c_int,
) {
    let optlen = optlen as socklen_t;
    // SAFETY: the caller's value.
    let outcome = unsafe { call!(libc::setsockopt(s, level, optname, optval, optlen)) };
    let _ = report_failure(c"Setsockopt", outcome);
}

/// Binds the socket `sockfd` to the address of `addrlen` bytes at `my_addr`.
///
/// [CS:APP 3e, section 11.4.4; POSIX, bind]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Bind(sockfd: c_int, my_addr: *const sockaddr, addrlen: c_int) {
    let addrlen = addrlen as socklen_t;
    wrap!(c"Bind", libc::bind(sockfd, my_addr, addrlen));
}

/// Makes the bound socket `s` accept connections, with a queue of at most `backlog` of them.
///
/// [CS:APP 3e, section 11.4.5; POSIX, listen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Listen(s: c_int, backlog: c_int) {
    wrap!(c"Listen", libc::listen(s, backlog));
}

/// Waits for a connection to the listening socket `s`, and stores the peer's address at `addr`,
/// unless that is NULL.
///
/// Before the call, `addrlen` refers to the size in bytes of the buffer at `addr`; after it, to
/// the length of the address. If a client has aborted its connection in the queue (ECONNABORTED,
/// EPROTO), waits for the next one.
///
/// Returns the connection's descriptor, which the caller closes.
///
/// [CS:APP 3e, section 11.4.6; POSIX, accept]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Accept(
    s: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> c_int {
    const NO_REASON_TO_STOP: [Errno; 2] = [Errno(libc::ECONNABORTED), Errno(libc::EPROTO)];
    // SAFETY: the caller's room for the address, or NULL.
    let accept = || unsafe { call!(libc::accept(s, addr, addrlen)) };
    let outcome = restart_in_time(s, libc::SO_RCVTIMEO, || {
        loop {
            match accept() {
                Err(reason) if NO_REASON_TO_STOP.contains(&reason) => {}
                outcome => return outcome,
            }
        }
    });
    report_failure(c"Accept", outcome).unwrap_or(-1)
}

/// Connects the socket `sockfd` to the address of `addrlen` bytes at `serv_addr`.
///
/// If interrupted by a signal, waits for the outcome of the attempt.
///
/// Errors:
/// - EINPROGRESS: the socket's timeout (SO_SNDTIMEO) ran out
/// - EAGAIN: the timeout of a Unix domain socket ran out
///
/// [CS:APP 3e, section 11.4.3; POSIX, connect]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Connect(sockfd: c_int, serv_addr: *const sockaddr, addrlen: c_int) {
    let addrlen = addrlen as socklen_t;
    let outcome = net::connect_through(sockfd, || {
        // SAFETY: the caller's address.
        unsafe { call!(libc::connect(sockfd, serv_addr, addrlen)) }.map(drop)
    });
    let _ = report_failure(c"Connect", outcome);
}
