//! Text composed on the stack and written without stdio: for standard error, and for signal handlers
//! (CS:APP 3e, section 8.5.5). Nothing here allocates, takes a lock or changes `errno`.

use core::ffi::{CStr, c_char, c_int, c_long, c_ulong};

use crate::rio;
use crate::sys::{self, Result};

/// Room for what the sio_ functions write, on the stack of a signal handler.
pub const ROOM: usize = 1024;

/// Text on its way to a descriptor. What fits into the room goes out in one system call; longer
/// text in several, and nothing is cut.
pub struct Output<'a> {
    fd: c_int,
    text: &'a mut [u8],
    len: usize,
    total: usize,
    outcome: Result<()>,
}

impl<'a> Output<'a> {
    /// Nothing yet, for `fd`; `text` is room for it.
    pub fn new(fd: c_int, text: &'a mut [u8]) -> Output<'a> {
        Output {
            fd,
            text,
            len: 0,
            total: 0,
            outcome: Ok(()),
        }
    }

    /// Appends bytes.
    #[inline(never)] // nothing here is in a hurry, and each copy of it would be a page of code
    pub fn put(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len();
        while !bytes.is_empty() {
            if self.len == self.text.len() {
                self.flush();
            }
            let count = bytes.len().min(self.text.len() - self.len);
            let (head, rest) = bytes.split_at(count);
            self.text[self.len..][..count].copy_from_slice(head);
            self.len += count;
            bytes = rest;
        }
    }

    /// Appends a number in base 8, 10 or 16.
    #[inline(never)]
    pub fn put_unsigned(&mut self, number: u64, base: u64) {
        let mut digits = [0; 22]; // of 2^64 - 1 in base 8
        let mut start = digits.len();
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b"0123456789abcdef"[(rest % base) as usize];
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        self.put(&digits[start..]);
    }

    /// Appends a number in base 10, with a minus where it is negative.
    pub fn put_signed(&mut self, number: i64) {
        if number < 0 {
            self.put(b"-");
        }
        self.put_unsigned(number.unsigned_abs(), 10);
    }

    fn flush(&mut self) {
        // After a failure the rest has nowhere to go.
        if self.outcome.is_ok() {
            let text = &self.text[..self.len];
            sys::about_to_pass(text);
            self.outcome = rio::writen(self.fd, text);
        }
        self.len = 0;
    }

    /// Writes what has not been written yet. The number of all bytes, or why not all were written.
    pub fn finish(mut self) -> Result<usize> {
        self.flush();
        self.outcome.map(|()| self.total)
    }
}

/// The longest int in base 10, with its minus and a NUL.
pub const DECIMAL: usize = 12;

/// `number` in base 10, as a C string in `text`, which holds zeros.
pub fn decimal(number: c_int, text: &mut [u8; DECIMAL]) -> &CStr {
    const NOWHERE: c_int = -1;
    // The text fits, so nothing is written to a descriptor.
    Output::new(NOWHERE, &mut text[..DECIMAL - 1]).put_signed(i64::from(number));
    CStr::from_bytes_until_nul(text).unwrap_or_default()
}

/// What kind of argument a conversion takes. The C code that fetches it knows these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Kind {
    /// int or unsigned int; fetched as the latter, so that the upper half is zero.
    Int = 0,
    /// long or unsigned long.
    Long = 1,
    /// size_t or ssize_t.
    Size = 2,
    /// A pointer.
    Pointer = 3,
}

/// Appends `format` with its conversions (%c %s %d %i %u %x %o %p, and l or z before a number's;
/// %% is a percent sign) filled in from what `next` fetches. What is no such conversion is
/// copied as it stands, and with it all that follows: which arguments belong to the rest cannot be
/// known any more.
///
/// # Safety
/// What `next` fetches for %s must be NULL or a C string.
pub unsafe fn format(
    output: &mut Output,
    mut format: &[u8],
    mut next: impl FnMut(Kind) -> c_ulong,
) {
    while let Some(at) = format.iter().position(|&byte| byte == b'%') {
        output.put(&format[..at]);
        format = &format[at..];
        let (kind, rest) = match &format[1..] {
            [b'l', rest @ ..] => (Kind::Long, rest),
            [b'z', rest @ ..] => (Kind::Size, rest),
            rest => (Kind::Int, rest),
        };
        let [conversion, rest @ ..] = rest else {
            break;
        };
        match (conversion, kind) {
            (b'd' | b'i', Kind::Int) => output.put_signed(i64::from(next(kind) as i32)),
            (b'd' | b'i', _) => output.put_signed(signed(next(kind))),
            (b'u', _) => output.put_unsigned(unsigned(next(kind)), 10),
            (b'x', _) => output.put_unsigned(unsigned(next(kind)), 16),
            (b'o', _) => output.put_unsigned(unsigned(next(kind)), 8),
            (b'c', Kind::Int) => output.put(&[next(kind) as u8]),
            (b'%', Kind::Int) => output.put(b"%"),
            (b'p', Kind::Int) => match next(Kind::Pointer) {
                0 => output.put(b"(nil)"),
                address => {
                    output.put(b"0x");
                    output.put_unsigned(unsigned(address), 16);
                }
            },
            (b's', Kind::Int) => {
                let text = next(Kind::Pointer) as *const c_char;
                // SAFETY: the caller's promise.
                output.put(unsafe { string(text) }.to_bytes());
            }
            _ => break,
        }
        format = rest;
    }
    output.put(format);
}

/// A signed argument that is no int.
#[allow(clippy::useless_conversion)] // not where a long has 32 bits
fn signed(argument: c_ulong) -> i64 {
    i64::from(argument as c_long)
}

/// An unsigned argument; an unsigned int comes without an upper half.
#[allow(clippy::useless_conversion)] // not where a long has 32 bits
fn unsigned(argument: c_ulong) -> u64 {
    u64::from(argument)
}

/// A string that a C program handed over; for NULL, a text that says so.
///
/// # Safety
/// `text` must be NULL or end in a NUL, and stay as it is for as long as the result is used.
pub unsafe fn string<'a>(text: *const c_char) -> &'a CStr {
    if text.is_null() {
        return c"(null)";
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
}
