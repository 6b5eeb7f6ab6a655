//! The networks that this machine is in.

use core::{iter, ptr};

use super::cancel::uncancelled;
use super::errno::{errno, set_errno};
use super::socket::family_but_loopback;

/// The address families in which this machine has a network other than loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Networks {
    /// An IPv4 address.
    pub ipv4: bool,
    /// An IPv6 address.
    pub ipv6: bool,
}

impl Networks {
    /// Returns the current state, or both families if the state cannot be determined.
    #[cold]
    pub fn now() -> Networks {
        let before = errno();
        let networks = uncancelled(Networks::ask);
        set_errno(before);
        networks
    }

    fn ask() -> Networks {
        let mut list = ptr::null_mut();
        // SAFETY: `list` can be stored to.
        if unsafe { libc::getifaddrs(&mut list) } == -1 {
            return Networks {
                ipv4: true,
                ipv6: true,
            };
        }
        // SAFETY: getifaddrs links valid entries, and the last one's link is NULL.
        let entry = |at: *mut libc::ifaddrs| unsafe { at.as_ref() };
        let mut networks = Networks {
            ipv4: false,
            ipv6: false,
        };
        for this in iter::successors(entry(list), |this| entry(this.ifa_next)) {
            // SAFETY: NULL, or the interface's address.
            match unsafe { family_but_loopback(this.ifa_addr) } {
                libc::AF_INET => networks.ipv4 = true,
                libc::AF_INET6 => networks.ipv6 = true,
                _ => {}
            }
        }
        // SAFETY: the list came from getifaddrs, and is not used any more.
        unsafe { libc::freeifaddrs(list) };
        networks
    }

    /// Whether getaddrinfo leaves a family out under AI_ADDRCONFIG.
    pub fn is_one_family_alone(self) -> bool {
        self.ipv4 != self.ipv6
    }
}
