//! Client and server

use core::ffi::{CStr, c_char, c_int};

use super::checked::{destination, shown};
use super::{handler, optional};
use crate::net::{self, Failure, Listening};
use crate::report::{self, NO_HOST, Reason};
use crate::sio;
use crate::sys::{self, Errno};

/// The longest queue of connections that wait to be accepted, as open_listenfd asks for it.
pub const LISTENQ: c_int = 1024;

/// Connects to a server. `hostname` is a name or a numeric IPv4 or IPv6 address (NULL: this
/// machine's loopback addresses); `port` a number from "0" to "65535" or the name of a service.
/// The case of a name does not count, nor does a dot at its end. "localhost" and names that end in
/// ".localhost" are this machine's loopback addresses, IPv6 and IPv4 (RFC 6761, section 6.3).
/// Addresses are tried in getaddrinfo's order with the families taking turns, the next one
/// beside the last after 250 ms, or at once if that failed; of a single address, the kernel's own
/// time limit holds (about two minutes). If no descriptor is free for two attempts, one address is tried
/// after the other. A signal does not disturb the attempt, and a numeric host asks no name server.
///
/// Returns a connected, blocking, close-on-exec descriptor, which is the caller's to close;
/// or -1 with errno, the last address's that is more than "no such network here":
///   ECONNREFUSED  nobody listens there (also where TCP would connect the socket to itself)
///   ETIMEDOUT, EHOSTUNREACH, ENETUNREACH  no answer, no way there
///   EADDRNOTAVAIL  no local port is free
///   EFAULT  port is NULL
///   EMFILE, ENFILE, ENOMEM  no free descriptor or memory, also for the resolver's work
///   others  as socket(2) and connect(2) have them
/// or -2 if the resolver does not know host or port, with the reason as a line on standard error,
/// and with errno:
///   ENXIO  no such host
///   EINVAL  port is neither a number from 0 to 65535 nor the name of a service
///   EAGAIN, EIO  no name server answers; it has failed
/// [CS:APP 3e, section 11.4.8; RFC 8305; POSIX, getaddrinfo and connect]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_clientfd(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe { client(hostname, port, -1, &OnFailure::Plain) }
}

/// Opens a server's socket: SO_REUSEADDR, close-on-exec, with a queue of LISTENQ connections,
/// on the first address of this machine that binds and listens (on Linux 0.0.0.0, all
/// of IPv4). On a machine in an IPv6 network and no IPv4 network, that is ::, and takes IPv4 as well. `port` is a number from "0" (a free one, see getsockname) to "65535" or the name of a
/// service.
///
/// Returns a descriptor to Accept from, which is the caller's to close; or -1 with errno:
///   EADDRINUSE  another program listens there
///   EACCES  a privileged port (below 1024)
///   EFAULT  port is NULL
///   EMFILE, ENFILE, ENOMEM  no free descriptor or memory, also for the resolver's work
///   others  as socket(2), bind(2) and listen(2) have them
/// or -2 with errno EINVAL if port is neither a number from 0 to 65535 nor the name of a service,
/// with the reason as a line on standard error.
/// [CS:APP 3e, section 11.4.8; POSIX, getaddrinfo, bind and listen]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_listenfd(port: *const c_char) -> c_int {
    // SAFETY: a C string or NULL.
    unsafe { server(port, &OnFailure::Plain) }
}

/// open_clientfd, checked: an error, the resolver's included, is reported as
/// "Open_clientfd error: host:port: reason", and if the error handler returns, the result is open_clientfd's
/// -1 or -2. [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Open_clientfd(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe {
        client(
            hostname,
            port,
            -1,
            &OnFailure::Checked(c"Open_clientfd error"),
        )
    }
}

/// open_listenfd, checked: an error, the resolver's included, is reported as
/// "Open_listenfd error: port 80: reason", and if the error handler returns, the result is open_listenfd's
/// -1 or -2. [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Open_listenfd(port: *const c_char) -> c_int {
    // SAFETY: a C string or NULL.
    unsafe { server(port, &OnFailure::Checked(c"Open_listenfd error")) }
}

/// open_clientfd as the book's second edition has it, with the port as a number. The header
/// calls it where a program passes one.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_open_clientfd_2e(
    hostname: *const c_char,
    port: c_int,
) -> c_int {
    // SAFETY: a C string or NULL.
    unsafe {
        client(
            hostname,
            sio::decimal(port, &mut [0; sio::DECIMAL]).as_ptr(),
            -1,
            &OnFailure::Plain,
        )
    }
}

/// open_listenfd as the book's second edition has it, with the port as a number.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn csapp_open_listenfd_2e(port: c_int) -> c_int {
    // SAFETY: a C string.
    unsafe {
        server(
            sio::decimal(port, &mut [0; sio::DECIMAL]).as_ptr(),
            &OnFailure::Plain,
        )
    }
}

/// Open_clientfd as the book's second edition has it, with the port as a number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_Open_clientfd_2e(
    hostname: *const c_char,
    port: c_int,
) -> c_int {
    let on_failure = OnFailure::Checked(c"Open_clientfd error");
    // SAFETY: a C string or NULL.
    unsafe {
        client(
            hostname,
            sio::decimal(port, &mut [0; sio::DECIMAL]).as_ptr(),
            -1,
            &on_failure,
        )
    }
}

/// Open_listenfd as the book's second edition has it, with the port as a number.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn csapp_Open_listenfd_2e(port: c_int) -> c_int {
    // SAFETY: a C string.
    unsafe {
        server(
            sio::decimal(port, &mut [0; sio::DECIMAL]).as_ptr(),
            &OnFailure::Checked(c"Open_listenfd error"),
        )
    }
}

/// How a failure is told.
pub(super) enum OnFailure {
    /// By the return value; the resolver's reasons by a line on standard error as well.
    Plain,
    /// By a report with this message, and the error handler.
    Checked(&'static CStr),
}

pub(super) unsafe fn client(
    host: *const c_char,
    port: *const c_char,
    timeout: c_int,
    on_failure: &OnFailure,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    let (host, port) = unsafe { (optional(host), optional(port)) };
    let outcome = match port {
        Some(port) => net::connect(host, port, timeout),
        None => Err(Failure::System(Errno(libc::EFAULT))),
    };
    descriptor(outcome, Some(host.unwrap_or_default()), port, on_failure)
}

unsafe fn server(port: *const c_char, on_failure: &OnFailure) -> c_int {
    let how = Listening {
        backlog: LISTENQ,
        reuse_port: false,
        dual_stack: None,
    };
    // SAFETY: a C string or NULL.
    unsafe { listener(core::ptr::null(), port, how, on_failure) }
}

pub(super) unsafe fn listener(
    host: *const c_char,
    port: *const c_char,
    how: Listening,
    on_failure: &OnFailure,
) -> c_int {
    handler::settle();
    // SAFETY: both are C strings or NULL.
    let (host, port) = unsafe { (optional(host), optional(port)) };
    let outcome = match port {
        Some(port) => net::listen(host, port, how),
        None => Err(Failure::System(Errno(libc::EFAULT))),
    };
    descriptor(outcome, None, port, on_failure)
}

/// The descriptor; or -1 or -2 with `errno`, after the failure has been told. A server has no host.
#[inline(never)]
fn descriptor(
    outcome: core::result::Result<c_int, Failure>,
    host: Option<&CStr>,
    port: Option<&CStr>,
    on_failure: &OnFailure,
) -> c_int {
    let (value, reason) = match outcome {
        Ok(fd) => return fd,
        Err(Failure::System(reason)) => (-1, Reason::Errno(reason)),
        Err(Failure::Unresolved(why)) => (-2, Reason::from(why)),
    };
    sys::set_errno(reason.errno().unwrap_or(sys::errno()));
    match on_failure {
        OnFailure::Checked(message) => tell_failure(message, host, port, reason),
        OnFailure::Plain if value == -2 => report_unresolved(host, port, reason),
        OnFailure::Plain => {}
    }
    value
}

/// Has the error handler told what failed, on what, and why.
fn tell_failure(message: &CStr, host: Option<&CStr>, port: Option<&CStr>, reason: Reason) {
    let is_unknown = matches!(reason, Reason::Resolver(_)) && reason.errno() == Some(NO_HOST);
    let is_no_port = matches!(reason, Reason::Resolver(libc::EAI_SERVICE));
    match (host, port) {
        (Some(host), _) if is_unknown => {
            handler::tell(&[message, c": no such host: ", shown(host)], Reason::Unsaid);
        }
        (_, Some(port)) if is_no_port || is_unknown => {
            let why = c": not a number from 0 to 65535, nor a service's name";
            handler::tell(&[message, c": port ", shown(port), why], Reason::Unsaid);
        }
        _ => {
            let [a, b, c, d] = destination(host, port);
            handler::tell(&[message, a, b, c, d], reason);
        }
    }
}

/// Writes the line of the book's third edition.
fn report_unresolved(host: Option<&CStr>, port: Option<&CStr>, reason: Reason) {
    let (host, colon) = host.map_or((c"port ", c""), |host| (host, c":"));
    let port = port.unwrap_or_default();
    let message = [c"getaddrinfo failed (", host, colon, port, c")"];
    report::with_line(&message, reason, &mut report::write_line);
}
