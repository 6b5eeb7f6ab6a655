//! From a host and a port to addresses, in the order in which they are tried.

use core::ffi::{CStr, c_int};

use super::port::port_flags;
use crate::sys::{self, Address, Addresses, Unresolved};

/// The addresses of a host; without one, this machine's loopback addresses. Only a name that is no
/// numeric address makes the resolver work.
pub fn look_up(host: Option<&CStr>, port: &CStr) -> Result<Addresses, Unresolved> {
    let flags = port_flags(port)?;
    match sys::resolve(host, port, flags | libc::AI_NUMERICHOST) {
        Err(why) if why.code == libc::EAI_NONAME && host.is_some() => {}
        outcome => return outcome,
    }
    // To AI_ADDRCONFIG, loopback is no network. Beside IPv6 alone, that would leave "localhost" without
    // the IPv4 address that servers listen on (RFC 6761, section 6.3: it is always loopback).
    if host == Some(c"localhost") {
        return sys::resolve(host, port, flags);
    }
    match sys::resolve(host, port, flags | libc::AI_ADDRCONFIG) {
        // Nor has another name of a loopback address one then, on such a host.
        Err(why) if is_without_address(why) => sys::resolve(host, port, flags),
        outcome => outcome,
    }
}

fn is_without_address(why: Unresolved) -> bool {
    // Not every <netdb.h> has them; the codes are those of glibc and musl, and of the BSDs.
    const EAI_NODATA: c_int = if cfg!(target_os = "linux") { -5 } else { 7 };
    const EAI_ADDRFAMILY: c_int = if cfg!(target_os = "linux") { -9 } else { 1 };
    [libc::EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY].contains(&why.code)
}

/// The addresses with their families taking turns, each family in its own order (RFC 8305,
/// section 4).
pub fn interleave(addresses: &Addresses) -> impl Iterator<Item = Address<'_>> {
    let first = addresses.iter().next();
    let family = first.map_or(0, |address| address.family());
    let mut preferred = addresses
        .iter()
        .filter(move |address| address.family() == family);
    let mut others = addresses
        .iter()
        .filter(move |address| address.family() != family);
    let mut is_turn_of_others = true;
    core::iter::from_fn(move || {
        is_turn_of_others = !is_turn_of_others;
        if is_turn_of_others {
            others.next().or_else(|| preferred.next())
        } else {
            preferred.next().or_else(|| others.next())
        }
    })
}
