//! The ports that are accepted.

use core::ffi::{CStr, c_int};

use crate::sys::{Errno, Unresolved};

/// Returns getaddrinfo's flags for a port, which is a number from 0 to 65535 or the name of a service. Without this check,
/// the resolver would take numbers modulo 65536, and an empty string as 0.
pub fn port_flags(port: &CStr) -> Result<c_int, Unresolved> {
    const NO_PORT: Unresolved = Unresolved {
        code: libc::EAI_SERVICE,
        errno: Errno(0),
    };
    let mut text = port.to_bytes();
    while let [b' ' | b'\t'..=b'\r', rest @ ..] = text {
        text = rest; // C's isspace
    }
    let (minus, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // To glibc, an asterisk means no port at all.
    if digits.is_empty() || digits == b"*" {
        return Err(NO_PORT);
    }
    let number = digits.iter().try_fold(0u32, |number, digit| {
        let value = u32::from(digit.wrapping_sub(b'0'));
        (value < 10).then(|| (number * 10 + value).min(1 << 16))
    });
    match number {
        None => Ok(0),
        Some(number) if minus || number > u32::from(u16::MAX) => Err(NO_PORT),
        Some(_) => Ok(libc::AI_NUMERICSERV),
    }
}
