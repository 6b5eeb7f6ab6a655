//! Sockets

use core::ffi::{c_int, c_void};

use libc::{sockaddr, socklen_t};

use super::checked::{attempt, report_failure, restart_in_time};
use crate::net;
use crate::sys::Errno;

/// socket, checked: a new socket's descriptor; -1 if the error handler returns.
/// [CS:APP 3e, section 11.4.2; POSIX, socket]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Socket(domain: c_int, r#type: c_int, protocol: c_int) -> c_int {
    // SAFETY: socket takes any numbers.
    let outcome = attempt(-1, || unsafe { libc::socket(domain, r#type, protocol) });
    report_failure(c"Socket error", outcome).unwrap_or(-1)
}

/// setsockopt, checked: sets the option `optname` of `level` to the `optlen` bytes at `optval`.
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
    // SAFETY: the caller's value.
    let outcome = attempt(-1, || unsafe {
        libc::setsockopt(s, level, optname, optval, optlen as socklen_t)
    });
    let _ = report_failure(c"Setsockopt error", outcome);
}

/// bind, checked: gives a socket the address `my_addr`. [CS:APP 3e, section 11.4.4; POSIX, bind]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Bind(sockfd: c_int, my_addr: *const sockaddr, addrlen: c_int) {
    // SAFETY: the caller's address.
    let outcome = attempt(-1, || unsafe {
        libc::bind(sockfd, my_addr, addrlen as socklen_t)
    });
    let _ = report_failure(c"Bind error", outcome);
}

/// listen, checked: has a bound socket wait for connections, `backlog` of which may wait to be
/// accepted. [CS:APP 3e, section 11.4.5; POSIX, listen]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Listen(s: c_int, backlog: c_int) {
    // SAFETY: listen takes any numbers.
    let outcome = attempt(-1, || unsafe { libc::listen(s, backlog) });
    let _ = report_failure(c"Listen error", outcome);
}

/// accept, checked: waits for a connection and stores its other end's address at `addr` (unless NULL),
/// and the length of that at `addrlen`, which says before how much room there is. Starts again when
/// a signal handler ran, unless the socket's time (SO_RCVTIMEO) has run out since, and when a client
/// gave up while it waited (ECONNABORTED, EPROTO). Returns the connection's descriptor; -1 if the
/// error handler returns.
/// [CS:APP 3e, section 11.4.6; POSIX, accept]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Accept(
    s: c_int,
    addr: *mut sockaddr,
    addrlen: *mut socklen_t,
) -> c_int {
    const NO_REASON_TO_STOP: [Errno; 2] = [Errno(libc::ECONNABORTED), Errno(libc::EPROTO)];
    // SAFETY: the caller's room for the address, or NULL.
    let call = || unsafe { libc::accept(s, addr, addrlen) };
    let outcome = restart_in_time(s, libc::SO_RCVTIMEO, || {
        loop {
            match attempt(-1, call) {
                Err(reason) if NO_REASON_TO_STOP.contains(&reason) => {}
                outcome => return outcome,
            }
        }
    });
    report_failure(c"Accept error", outcome).unwrap_or(-1)
}

/// connect, checked: connects a socket to the address `serv_addr`. When a signal handler ran, waits on
/// for what becomes of the attempt. When the socket's time (SO_SNDTIMEO) has run out that is EINPROGRESS,
/// on a Unix domain socket EAGAIN. [CS:APP 3e, section 11.4.3; POSIX, connect]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Connect(sockfd: c_int, serv_addr: *const sockaddr, addrlen: c_int) {
    let outcome = net::connect_through(sockfd, || {
        // SAFETY: the caller's address.
        let call = || unsafe { libc::connect(sockfd, serv_addr, addrlen as socklen_t) };
        attempt(-1, call).map(drop)
    });
    let _ = report_failure(c"Connect error", outcome);
}
