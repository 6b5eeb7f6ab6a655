//! Listening on the first of several addresses that binds.

use core::ffi::{CStr, c_int};

use super::lookup::look_up_own;
use super::{Cause, Failure, Weight};
use crate::sys::{self, Address, Networks, Result};

/// The options of [`listen`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// The length of the queue of connections that wait to be accepted.
    pub backlog: c_int,
    /// SO_REUSEPORT: several sockets on one port share its connections.
    pub reuse_port: bool,
    /// Whether an IPv6 socket accepts IPv4 as well; `None` leaves that to the system.
    pub dual_stack: Option<bool>,
}

/// Returns a listening, close-on-exec stream socket on the first address of `host` that binds and listens. Without a
/// host, it listens on all addresses of this machine.
pub fn listen(
    host: Option<&CStr>,
    port: &CStr,
    mut how: Listening,
) -> core::result::Result<c_int, Failure> {
    let addresses = look_up_own(host, port)?;
    // Without a host, all addresses are meant. If this machine has no IPv4 network, no other machine can reach 0.0.0.0,
    // so one socket serves both families.
    let is_ipv6_alone = host.is_none() && {
        let networks = Networks::now();
        networks.ipv6 && !networks.ipv4
    };
    if is_ipv6_alone {
        how.dual_stack = Some(true);
    }
    let is_first = |address: &Address| match how.dual_stack {
        // On a dual-stack socket IPv6 stands for both, so it goes first.
        Some(true) => address.family() == libc::AF_INET6,
        // Without a host, getaddrinfo returns IPv4 first on Linux, and IPv6 first on the BSDs.
        _ if cfg!(not(target_os = "linux")) && host.is_none() => address.family() == libc::AF_INET,
        _ => true,
    };
    let others = addresses.iter().filter(|address| !is_first(address));
    let outcome = listen_on_first(&mut addresses.iter().filter(is_first).chain(others), how);
    addresses.free();
    Ok(outcome?)
}

fn listen_on_first<'a>(
    addresses: &mut dyn Iterator<Item = Address<'a>>,
    how: Listening,
) -> Result<c_int> {
    let mut reason = Cause::NONE;
    for address in addresses {
        match listen_on(address, how) {
            Ok(fd) => return Ok(fd),
            Err(later) => reason = reason.or_later(Cause::of(later)),
        }
        // If IPv6 and IPv4 have sockets of their own, a port that is in use on the one may be free on the other.
        if how.dual_stack.is_some() && reason.weight > Weight::NoNetwork {
            break;
        }
    }
    Err(reason.errno)
}

fn listen_on(address: Address, how: Listening) -> Result<c_int> {
    let fd = address.socket(0)?;
    prepare(fd, address, how)
        .and_then(|()| address.bind(fd))
        .and_then(|()| sys::listen(fd, how.backlog))
        .map(|()| fd)
        .inspect_err(|_| sys::close(fd))
}

/// The option with which several sockets on one port share its connections.
#[cfg(not(target_os = "freebsd"))]
const SHARED_PORT: c_int = libc::SO_REUSEPORT;
/// On FreeBSD, SO_REUSEPORT gives all connections to the newest of the sockets.
#[cfg(target_os = "freebsd")]
const SHARED_PORT: c_int = libc::SO_REUSEPORT_LB;

/// Sets the options that a listening socket needs before it is bound.
fn prepare(fd: c_int, address: Address, how: Listening) -> Result<()> {
    // With it, a server can be restarted while connections of its last run are in TIME_WAIT.
    sys::switch(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, true)?;
    if how.reuse_port {
        sys::switch(fd, libc::SOL_SOCKET, SHARED_PORT, true)?;
    }
    match how.dual_stack {
        Some(both) if address.family() == libc::AF_INET6 => {
            sys::switch(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, !both)
        }
        _ => Ok(()),
    }
}
