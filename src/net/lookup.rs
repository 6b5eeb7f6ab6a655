//! From a host and a port to addresses, in the order in which they are tried.

use core::ffi::{CStr, c_int};

use super::Failure;
use super::port::port_flags;
use crate::sys::{self, Address, Addresses, Networks, Unresolved};

type Outcome = Result<Addresses, Unresolved>;

/// The addresses to connect to; without a host, this machine's loopback addresses.
pub fn look_up(host: Option<&CStr>, port: &CStr) -> Result<Addresses, Failure> {
    look_up_by(host, port, 0, look_up_name)
}

/// The addresses to listen on; without a host, all of this machine's.
pub fn look_up_own(host: Option<&CStr>, port: &CStr) -> Result<Addresses, Failure> {
    look_up_by(host, port, libc::AI_PASSIVE, look_up_own_name)
}

/// Looks up a host with `look_up`, which takes the host, the host as [`with_name`] passes it, the port and getaddrinfo's
/// flags. Without a host, asks the resolver with `without_host` among the flags.
#[inline(never)]
fn look_up_by(
    host: Option<&CStr>,
    port: &CStr,
    without_host: c_int,
    look_up: fn(&CStr, &CStr, &CStr, c_int) -> Outcome,
) -> Result<Addresses, Failure> {
    let flags = port_flags(port)?;
    match host {
        Some(host) => with_name(host, &|name| look_up(host, name, port, flags)),
        None => told(sys::resolve(None, port, flags | without_host)),
    }
}

/// Returns the resolver's outcome. A failure for lack of a descriptor or of memory tells nothing about the name.
fn told(outcome: Outcome) -> Result<Addresses, Failure> {
    outcome.map_err(|why| why.want().map_or(Failure::Unresolved(why), Failure::System))
}

/// Looks up `name`, which is as [`with_name`] passes it. Asks name servers only if it is not a numeric address.
fn look_up_name(host: &CStr, name: &CStr, port: &CStr, flags: c_int) -> Outcome {
    match sys::resolve(Some(name), port, flags | libc::AI_NUMERICHOST) {
        Err(why) if why.code == libc::EAI_NONAME => {}
        outcome => return outcome,
    }
    // Both addresses, whatever the resolver's files say (RFC 6761, section 6.3): a server may listen on either.
    if is_localhost(name) {
        return sys::resolve(None, port, flags);
    }
    // A dot at the end tells the resolver that the name is complete.
    let host = as_given(host, name);
    match look_up_configured(host, port, flags) {
        Err(_) if name != host => look_up_configured(name, port, flags),
        outcome => outcome,
    }
}

/// Looks up a name of this machine, which need not be in a network for that.
fn look_up_own_name(host: &CStr, name: &CStr, port: &CStr, flags: c_int) -> Outcome {
    let is_localhost = is_localhost(name);
    let host = if is_localhost {
        c"localhost"
    } else {
        as_given(host, name)
    };
    match sys::resolve(Some(host), port, flags) {
        Err(_) if is_localhost => sys::resolve(None, port, flags),
        Err(_) if name != host => sys::resolve(Some(name), port, flags),
        outcome => outcome,
    }
}

/// Returns the addresses of the families in which this machine has a network (AI_ADDRCONFIG). AI_ADDRCONFIG does not
/// count loopback as a network, and drops loopback addresses of a name; then this function asks again without it.
fn look_up_configured(host: &CStr, port: &CStr, flags: c_int) -> Outcome {
    match sys::resolve(Some(host), port, flags | libc::AI_ADDRCONFIG) {
        Ok(list) if list.iter().all(|address| address.is_loopback()) && is_too_narrow() => {
            list.free();
        }
        Err(why) if is_without_address(why) || is_too_narrow() => {}
        outcome => return outcome,
    }
    sys::resolve(Some(host), port, flags)
}

/// Whether AI_ADDRCONFIG leaves a family out.
fn is_too_narrow() -> bool {
    Networks::now().is_one_family_alone()
}

fn is_without_address(why: Unresolved) -> bool {
    // Not every <netdb.h> has them; the codes are those of glibc and musl, and of the BSDs.
    const EAI_NODATA: c_int = if cfg!(target_os = "linux") { -5 } else { 7 };
    const EAI_ADDRFAMILY: c_int = if cfg!(target_os = "linux") { -9 } else { 1 };
    [libc::EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY].contains(&why.code)
}

/// The size of the longest name that the resolver is asked for, with its NUL (NI_MAXHOST of <netdb.h>).
const MAX_NAME: usize = 1025;

/// Returns the form of the name to ask for first. glibc ignores case. Other resolvers may not find the host as given in
/// their files, and wait five seconds for a name server before `name` is tried.
fn as_given<'a>(host: &'a CStr, name: &'a CStr) -> &'a CStr {
    if cfg!(target_env = "gnu") { host } else { name }
}

/// Calls `look_up` with `host` without the dot at its end, and in lower case unless libc is glibc.
fn with_name(host: &CStr, look_up: &dyn Fn(&CStr) -> Outcome) -> Result<Addresses, Failure> {
    let given = host.to_bytes();
    // One dot at the end has no effect. An empty label is not a name. To glibc, an asterisk means no host at all.
    let name = given.strip_suffix(b".").unwrap_or(given);
    let has_empty_label = name.starts_with(b".") || name.ends_with(b".");
    if name.is_empty() || has_empty_label || name == b"*" || name.len() >= MAX_NAME {
        return Err(Unresolved::NO_HOST.into());
    }
    let is_lower = cfg!(target_env = "gnu") || !name.iter().any(u8::is_ascii_uppercase);
    let mut room = [0; MAX_NAME];
    let name = if name.len() == given.len() && is_lower {
        host
    } else {
        for (to, from) in room.iter_mut().zip(name) {
            *to = *from;
        }
        if !is_lower {
            room.make_ascii_lowercase();
        }
        // SAFETY: it ends in a NUL, since the name is shorter.
        unsafe { CStr::from_ptr(room.as_ptr().cast()) }
    };
    told(look_up(name))
}

/// Whether `name` is localhost or a name below it (RFC 6761, section 6.3).
fn is_localhost(name: &CStr) -> bool {
    const LOCALHOST: &[u8; 9] = b"localhost";
    match name.to_bytes().split_last_chunk::<9>() {
        Some((before, last)) => {
            LOCALHOST.eq_ignore_ascii_case(last) && matches!(before, [] | [.., b'.'])
        }
        None => false,
    }
}

/// Returns the addresses with alternating families, and each family in its own order (RFC 8305,
/// section 4).
pub fn interleave(addresses: &Addresses) -> impl Iterator<Item = Address<'_>> {
    let first = addresses.iter().next();
    let family = first.map_or(0, |address| address.family());
    let of_first = |is_first: bool| {
        let is_one = move |address: &Address| (address.family() == family) == is_first;
        addresses.iter().filter(is_one)
    };
    let (mut these, mut others) = (of_first(true), of_first(false));
    core::iter::from_fn(move || {
        let next = these.next().or_else(|| others.next());
        core::mem::swap(&mut these, &mut others);
        next
    })
}
