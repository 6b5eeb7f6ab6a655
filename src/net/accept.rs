//! Accepting connections.

use core::ffi::c_int;

use crate::sys::{self, Deadline, Errno, PeerRoom, Result};

/// Accepts a connection from the listening socket `fd`, and returns its close-on-exec descriptor. Fails with ETIMEDOUT
/// once `deadline` is past, and with EINTR if a signal interrupts the wait; neither loses a connection.
pub fn accept(fd: c_int, peer: PeerRoom, deadline: Deadline) -> Result<c_int> {
    sys::expect_listening(fd)?;
    loop {
        sys::wait_for_connection(fd, deadline)?;
        match sys::accept(fd, peer) {
            Err(reason) if sys::would_block(reason) || is_one_clients_trouble(reason) => {}
            outcome => return outcome,
        }
    }
}

/// Whether accept failed with an error of the connection, not of the listening socket (accept(2),
/// Error handling). Not EPERM and EOPNOTSUPP, which are about the listening socket too.
fn is_one_clients_trouble(reason: Errno) -> bool {
    const TROUBLES: &[c_int] = &[
        libc::ECONNABORTED,
        libc::EPROTO,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::ENOPROTOOPT,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        #[cfg(target_os = "linux")]
        libc::ENONET,
    ];
    TROUBLES.contains(&reason.0)
}
