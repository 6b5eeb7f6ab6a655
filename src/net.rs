//! Connecting and listening by name (CS:APP 3e, section 11.4): the ports and hosts that are
//! accepted, and the walk over the addresses that a name stands for.

mod accept;
mod connect;
mod listen;
mod lookup;
mod port;

pub use accept::accept;
pub use connect::{connect, connect_through};
pub use listen::{Listening, listen};

use core::ffi::c_int;

use crate::sys::{Errno, Unresolved};

/// Why there is no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The resolver does not know the name or the port.
    Unresolved(Unresolved),
    /// A system call failed on every address. This is the reason that tells most.
    System(Errno),
}

impl From<Unresolved> for Failure {
    fn from(why: Unresolved) -> Failure {
        Failure::Unresolved(why)
    }
}

impl From<Errno> for Failure {
    fn from(reason: Errno) -> Failure {
        Failure::System(reason)
    }
}

/// Why an address failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cause {
    errno: Errno,
    weight: Weight,
}

/// How much a reason tells. The order is from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// This machine has no network of that family. This must not hide the reason of another address.
    NoNetwork,
    /// The reason is about the address.
    Answer,
    /// This machine has no port left, whatever the address.
    NoPort,
}

impl Cause {
    /// Before any address has failed.
    const NONE: Cause = Cause {
        errno: Errno(libc::EADDRNOTAVAIL),
        weight: Weight::NoNetwork,
    };

    fn of(errno: Errno) -> Cause {
        const NO_NETWORK: [c_int; 3] = [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL, libc::ENETUNREACH];
        let weight = if NO_NETWORK.contains(&errno.0) {
            Weight::NoNetwork
        } else {
            Weight::Answer
        };
        Cause { errno, weight }
    }

    /// Returns the reason to report if two addresses failed: the later one, unless it tells less.
    fn or_later(self, later: Cause) -> Cause {
        if later.weight < self.weight {
            self
        } else {
            later
        }
    }
}
