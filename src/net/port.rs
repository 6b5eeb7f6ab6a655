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
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\x0b'; // C's isspace
    let text = port.to_bytes();
    let text = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let (minus, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // To glibc, an asterisk means no port at all.
    if digits.is_empty() || digits == b"*" {
        return Err(NO_PORT);
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Ok(0);
    }
    let number = digits.iter().fold(0u32, |number, digit| {
        (number * 10 + u32::from(digit - b'0')).min(1 << 16)
    });
    if minus || number > u32::from(u16::MAX) {
        return Err(NO_PORT);
    }
    Ok(libc::AI_NUMERICSERV)
}
