//! Connecting and listening by name (CS:APP 3e, section 11.4): the ports and hosts that are
//! accepted, and the walk over the addresses that a name stands for.

mod accept;
mod connect;
mod listen;
mod lookup;
mod port;

pub use accept::{accept, is_one_clients_trouble};
pub use connect::{connect, connect_through};
pub use listen::{Listening, listen};

use crate::sys::{Errno, Unresolved};

/// Why there is no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The name or the port means nothing to the resolver.
    Unresolved(Unresolved),
    /// A system call failed on every address; of the reasons, the most telling.
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

/// Of the reasons why two addresses failed, the one to report: the later, unless it only says
/// that this machine has no network of that family. That must not hide another address's answer.
fn more_telling(earlier: Errno, later: Errno) -> Errno {
    if is_no_network(later) && !is_no_network(earlier) {
        earlier
    } else {
        later
    }
}

fn is_no_network(reason: Errno) -> bool {
    [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL, libc::ENETUNREACH].contains(&reason.0)
}
