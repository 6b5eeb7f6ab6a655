//! Client and server

use core::ffi::{CStr, c_char, c_int};

use super::checked::{destination, shown};
use super::handler;
use crate::net::{self, Failure, Listening};
use crate::report::{self, Part, Reason, UNKNOWN_HOST, parts};
use crate::sio;
use crate::sys::{self, Errno};

/// The length of the queue of connections that open_listenfd asks for.
pub const LISTENQ: c_int = 1024;

/// Connects to the port `port` of the host `hostname`.
///
/// `hostname` is a name or a numeric IPv4 or IPv6 address; NULL stands for this machine's
/// loopback addresses. The case of a name does not matter, nor does a dot at its end.
/// "localhost" and names that end in ".localhost" stand for the loopback addresses, IPv6 and
/// IPv4 (RFC 6761, section 6.3). `port` is a number from "0" to "65535" or the name of a
/// service. A numeric address needs no name server.
///
/// Tries the host's addresses in the order of getaddrinfo, alternating between IPv6 and IPv4.
/// Starts the next attempt 250 ms after the last one, or at once if that fails; earlier attempts
/// continue. If the host has only one address, the kernel's own time limit holds (about two
/// minutes). If no descriptor is free for a second attempt, tries one address after another.
///
/// Returns a connected, blocking, close-on-exec descriptor, which the caller closes. Returns -1
/// on failure, with the error of the last address, except that the lack of a network for one
/// address does not hide the error of another. Returns -2 if the resolver does not know the host
/// or the port, after writing the reason as a line to standard error.
///
/// Errors:
/// - ECONNREFUSED: no program listens on the port, or TCP would connect the socket to itself
/// - ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: the host does not answer or cannot be reached
/// - EADDRNOTAVAIL: no local port is free
/// - EFAULT: `port` is NULL
/// - EMFILE, ENFILE, ENOMEM: no descriptor or memory is free, here or in the resolver
/// - ENXIO: there is no such host (-2)
/// - EINVAL: `port` is neither a number from 0 to 65535 nor the name of a service (-2)
/// - EAGAIN, EIO: no name server answers, or the name server failed (-2)
///
/// [CS:APP 3e, section 11.4.8; RFC 8305; POSIX, getaddrinfo, socket and connect]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_clientfd(
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: both are C strings or NULL.
    unsafe { client(hostname, port, -1, &OnFailure::Plain) }
}

/// Opens a socket that listens on the port `port` of all addresses of this machine.
///
/// Uses the first wildcard address that binds and listens: on Linux 0.0.0.0, all of IPv4. If
/// this machine is in an IPv6 network and in no IPv4 network, uses the IPv6 wildcard address,
/// and accepts IPv4 as well. The socket has SO_REUSEADDR and a queue of LISTENQ connections.
/// `port` is a number from "0" (a free port, which getsockname returns) to "65535" or the name
/// of a service.
///
/// Returns a listening, close-on-exec descriptor for Accept, which the caller closes. Returns -1
/// on failure. Returns -2 if the resolver does not know the port, after writing the reason as a
/// line to standard error.
///
/// Errors:
/// - EADDRINUSE: another program listens on the port
/// - EACCES: the port is privileged (below 1024)
/// - EFAULT: `port` is NULL
/// - EMFILE, ENFILE, ENOMEM: no descriptor or memory is free, here or in the resolver
/// - EINVAL: `port` is neither a number from 0 to 65535 nor the name of a service (-2)
///
/// [CS:APP 3e, section 11.4.8; POSIX, getaddrinfo, socket, bind and listen]
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn open_listenfd(port: *const c_char) -> c_int {
    // SAFETY: a C string or NULL.
    unsafe { server(port, &OnFailure::Plain) }
}

/// Connects to the port `port` of the host `hostname`, as open_clientfd does, and reports a
/// failure.
///
/// The message is "Open_clientfd error: host:port: reason", or "Open_clientfd error: no such
/// host: host". It replaces the line that open_clientfd writes.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// [CS:APP 3e, appendix A]
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

/// Opens a socket that listens on the port `port`, as open_listenfd does, and reports a failure.
///
/// The message is "Open_listenfd error: port 80: reason". It replaces the line that
/// open_listenfd writes.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
///
/// [CS:APP 3e, appendix A]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn Open_listenfd(port: *const c_char) -> c_int {
    // SAFETY: a C string or NULL.
    unsafe { server(port, &OnFailure::Checked(c"Open_listenfd error")) }
}

/// Connects to the port number `port` of the host `hostname`, as open_clientfd does. The header
/// maps open_clientfd to this function if the port is a number.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// [CS:APP 2e, section 11.4]
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

/// Opens a socket that listens on the port number `port`, as open_listenfd does. The header maps
/// open_listenfd to this function if the port is a number.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
///
/// [CS:APP 2e, section 11.4]
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

/// Connects to the port number `port` of the host `hostname`, as Open_clientfd does. The header
/// maps Open_clientfd to this function if the port is a number.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_clientfd does.
///
/// [CS:APP 2e, appendix A]
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

/// Opens a socket that listens on the port number `port`, as Open_listenfd does. The header maps
/// Open_listenfd to this function if the port is a number.
///
/// Returns a descriptor, which the caller closes; -1 or -2 on failure, as open_listenfd does.
///
/// [CS:APP 2e, appendix A]
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
    let connect = |host: Option<&CStr>, port: &CStr| net::connect(host, port, timeout);
    // SAFETY: the caller's promise.
    unsafe { descriptor(host, port, Side::Client, on_failure, &connect) }
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
    handler::choose();
    let listen = |host: Option<&CStr>, port: &CStr| net::listen(host, port, how);
    // SAFETY: the caller's promise.
    unsafe { descriptor(host, port, Side::Server, on_failure, &listen) }
}

/// Whose socket it is. A message names the host of a client's, not of a server's.
#[derive(PartialEq)]
enum Side {
    Client,
    Server,
}

/// Opens a socket on a host, which is optional, and a port.
type Open<'a> = dyn Fn(Option<&CStr>, &CStr) -> core::result::Result<c_int, Failure> + 'a;

/// Opens a socket by `open`. Returns its descriptor; or -1 or -2 with `errno`, after the failure has been told.
///
/// # Safety
/// `host` and `port` must be C strings or NULL.
#[inline(never)]
unsafe fn descriptor(
    host: *const c_char,
    port: *const c_char,
    side: Side,
    on_failure: &OnFailure,
    open: &Open,
) -> c_int {
    // SAFETY: the caller's promise.
    let (host, port) = unsafe { (Part::new(host), Part::new(port)) };
    let outcome = match port {
        Some(port) => open(host.map(Part::text), port.text()),
        None => Err(Failure::System(Errno(libc::EFAULT))),
    };
    let (value, reason) = match outcome {
        Ok(fd) => return fd,
        Err(Failure::System(reason)) => (-1, Reason::Errno(reason)),
        Err(Failure::Unresolved(why)) => (-2, Reason::from(why)),
    };
    let host = (side == Side::Client).then(|| host.unwrap_or(c"".into()));
    sys::set_errno(reason.errno().unwrap_or(sys::errno()));
    match on_failure {
        OnFailure::Checked(message) => tell_failure(message, host, port, reason),
        OnFailure::Plain if value == -2 => report_unresolved(host, port, reason),
        OnFailure::Plain => {}
    }
    value
}

/// Has the error handler told what failed, on what, and why.
fn tell_failure(message: &CStr, host: Option<Part>, port: Option<Part>, reason: Reason) {
    let is_unknown = matches!(reason, Reason::Resolver(_)) && reason.errno() == Some(UNKNOWN_HOST);
    let is_no_port = matches!(reason, Reason::Resolver(libc::EAI_SERVICE));
    match (host, port) {
        (Some(host), _) if is_unknown => {
            handler::tell(
                &parts![message, c": no such host: ", shown(host)],
                Reason::Unsaid,
            );
        }
        (_, Some(port)) if is_no_port || is_unknown => {
            let why = c": not a number from 0 to 65535, nor a service's name";
            handler::tell(
                &parts![message, c": port ", shown(port), why],
                Reason::Unsaid,
            );
        }
        _ => {
            let [a, b, c, d] = destination(host, port);
            handler::tell(&parts![message, a, b, c, d], reason);
        }
    }
}

/// Writes the line of the book's third edition.
fn report_unresolved(host: Option<Part>, port: Option<Part>, reason: Reason) {
    let [host, colon] = host.map_or(parts![c"port ", c""], |host| parts![host, c":"]);
    let port = port.unwrap_or(c"".into());
    let message = parts![c"getaddrinfo failed (", host, colon, port, c")"];
    report::with_line(&message, reason, &mut report::write_line);
}
