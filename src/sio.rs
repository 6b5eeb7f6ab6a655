//! Text composed on the stack and written without stdio: for standard error, and for signal handlers
//! (CS:APP 3e, section 8.5.5). Nothing here allocates, takes a lock or changes `errno`.

use core::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use core::ptr;

use crate::rio::{self, Kernel};
use crate::sys::{self, Result};

/// Text that is being composed in room that the caller owns.
#[derive(Debug)]
pub struct Text<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl<'a> Text<'a> {
    /// Creates an empty text.
    pub fn new(room: &'a mut [u8]) -> Text<'a> {
        Text { room, len: 0 }
    }

    /// Appends as many of `bytes` as there is room for, and returns the others.
    #[inline(never)] // nothing in this module is in a hurry, and each copy is a page of code
    pub fn put<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let left = &mut self.room[self.len..];
        let (fitting, others) = bytes.split_at(bytes.len().min(left.len()));
        left[..fitting.len()].copy_from_slice(fitting);
        self.len += fitting.len();
        others
    }

    /// Returns the bytes composed so far.
    pub fn bytes(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

/// Room for what the sio_ functions write, on the stack of a signal handler.
pub const ROOM: usize = 1024;

/// Text that is written to a descriptor. If it fits into the room, one system call writes it; longer text takes several. No
/// text is cut.
#[derive(Debug)]
pub struct Output<'a> {
    fd: c_int,
    text: Text<'a>,
    total: usize,
    outcome: Result<()>,
}

impl<'a> Output<'a> {
    /// Creates an empty output to `fd`.
    pub fn new(fd: c_int, room: &'a mut [u8]) -> Output<'a> {
        Output {
            fd,
            text: Text::new(room),
            total: 0,
            outcome: Ok(()),
        }
    }

    /// Appends bytes.
    #[inline(never)]
    pub fn put(&mut self, mut bytes: &[u8]) {
        self.total += bytes.len();
        loop {
            bytes = self.text.put(bytes);
            if bytes.is_empty() {
                return;
            }
            self.flush();
        }
    }

    /// Appends a number in base 8, 10 or 16.
    #[inline(never)]
    pub fn put_unsigned(&mut self, number: u64, base: u64) {
        self.put(digits(number, base, &mut [0; DIGITS]));
    }

    /// Appends a number in base 10, with a minus if it is negative.
    pub fn put_signed(&mut self, number: i64) {
        if number < 0 {
            self.put(b"-");
        }
        self.put_unsigned(number.unsigned_abs(), 10);
    }

    fn flush(&mut self) {
        // After a failure, the rest is discarded.
        if self.outcome.is_ok() {
            let text = self.text.bytes();
            sys::about_to_pass(text);
            self.outcome = rio::writen(Kernel::Waiting, self.fd, text)
                .outcome()
                .map(drop);
        }
        self.text.len = 0;
    }

    /// Writes the bytes that are left. Returns the number of all bytes, or the reason why not all were written.
    pub fn finish(mut self) -> Result<usize> {
        self.flush();
        self.outcome.map(|()| self.total)
    }
}

/// The number of digits of 2^64 - 1 in base 8.
const DIGITS: usize = 22;

/// A number in base 8, 10 or 16.
#[inline(never)]
fn digits(number: u64, base: u64, room: &mut [u8; DIGITS]) -> &[u8] {
    let mut start = room.len();
    let mut rest = number;
    loop {
        start -= 1;
        room[start] = b"0123456789abcdef"[(rest % base) as usize];
        rest /= base;
        if rest == 0 {
            return &room[start..];
        }
    }
}

/// The size of the longest int in base 10, with its minus sign and a NUL.
pub const DECIMAL: usize = 12;

/// Returns `number` in base 10, as a C string in `room`.
pub fn decimal(number: c_int, room: &mut [u8; DECIMAL]) -> &CStr {
    let mut text = Text::new(room);
    if number < 0 {
        text.put(b"-");
    }
    text.put(digits(number.unsigned_abs().into(), 10, &mut [0; DIGITS]));
    text.put(b"\0");
    // SAFETY: the longest number has room for its NUL.
    unsafe { CStr::from_ptr(room.as_ptr().cast()) }
}

/// The type of a conversion's argument. The C code that fetches the argument uses the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub enum Kind {
    /// int or unsigned int; fetched as unsigned int, so that the upper half is zero.
    Int = 0,
    /// long or unsigned long.
    Long = 1,
    /// size_t or ssize_t.
    Size = 2,
    /// A pointer.
    Pointer = 3,
    /// long long or intmax_t, fetched only to skip it.
    Wide = 4,
    /// double, fetched only to skip it.
    Double = 5,
    /// long double, fetched only to skip it.
    LongDouble = 6,
}

/// The lowest address that a string can have.
const FIRST_PAGE: c_ulong = 4096;

/// Appends `format` with its conversions (%c %s %d %i %u %x %o %p, and l or z before a number's;
/// %% is a percent sign) filled in from what `next` fetches. Copies any other conversion unchanged, and if it is one of
/// printf's, skips its argument.
///
/// # Safety
/// What `next` fetches for %s must be NULL or a C string.
pub unsafe fn format(
    output: &mut Output,
    mut format: &[u8],
    next: &mut dyn FnMut(Kind) -> c_ulong,
) {
    while let Some((text, directive)) = sys::split_before(format, b'%') {
        output.put(text);
        let (kind, rest) = match directive {
            [_, b'l', rest @ ..] => (Kind::Long, rest),
            [_, b'z', rest @ ..] => (Kind::Size, rest),
            [_, rest @ ..] => (Kind::Int, rest),
            [] => (Kind::Int, directive),
        };
        format = rest.get(1..).unwrap_or_default();
        match (rest.first(), kind) {
            (Some(b'd' | b'i'), _) => {
                let number = next(kind);
                output.put_signed(match kind {
                    Kind::Int => i64::from(number as i32),
                    _ => signed(number),
                });
            }
            (Some(base @ (b'u' | b'x' | b'o')), _) => {
                let base = match base {
                    b'u' => 10,
                    b'x' => 16,
                    _ => 8,
                };
                output.put_unsigned(unsigned(next(kind)), base);
            }
            (Some(b'c'), Kind::Int) => output.put(&[next(kind) as u8]),
            (Some(b'%'), Kind::Int) => output.put(b"%"),
            (Some(b'p'), Kind::Int) => match next(Kind::Pointer) {
                0 => output.put(b"(nil)"),
                address => {
                    output.put(b"0x");
                    output.put_unsigned(unsigned(address), 16);
                }
            },
            (Some(b's'), Kind::Int) => {
                let text = match next(Kind::Pointer) {
                    0..FIRST_PAGE => ptr::null(), // a number that another conversion has left over
                    address => address as *const c_char,
                };
                // SAFETY: the caller's promise.
                output.put(unsafe { string(text) }.to_bytes());
            }
            _ => {
                let len = pass_over(directive, next);
                let (other, rest) = directive.split_at_checked(len).unwrap_or((directive, b""));
                output.put(other);
                format = rest;
            }
        }
    }
    output.put(format);
}

/// Returns the length of the conversion at the start of `format` if printf has such a conversion, after fetching its
/// arguments. Otherwise returns the length of the percent sign.
#[cold]
#[inline(never)]
fn pass_over(format: &[u8], next: &mut dyn FnMut(Kind) -> c_ulong) -> usize {
    let mut at = 1;
    let mut stars = 0;
    // Moves on over one of the bytes of a list.
    let pass = |at: &mut usize, list: &[u8]| {
        let byte = format
            .get(*at)
            .filter(|&&byte| sys::find(list, byte).is_some());
        *at += usize::from(byte.is_some());
        byte.copied()
    };
    while let Some(flag) = pass(&mut at, b"-+ #0123456789.*'") {
        stars += usize::from(flag == b'*');
    }
    // The bytes of the length as one number: a wrong one of more than four does not become a right one.
    let mut length = 0;
    while let Some(byte) = pass(&mut at, b"hlLqjzt") {
        length = length << 8 | u32::from(byte);
    }
    const fn of(length: &[u8; 2]) -> u32 {
        u16::from_be_bytes(*length) as u32
    }
    const H: u32 = of(b"\0h");
    const HH: u32 = of(b"hh");
    const L: u32 = of(b"\0l");
    const LL: u32 = of(b"ll");
    const Q: u32 = of(b"\0q");
    const J: u32 = of(b"\0j");
    const Z: u32 = of(b"\0z");
    const T: u32 = of(b"\0t");
    const LONG: u32 = of(b"\0L");
    let kind = match (format.get(at), length) {
        (Some(b'd' | b'i' | b'u' | b'x' | b'X' | b'o'), length) => match length {
            0 | H | HH => Kind::Int,
            L => Kind::Long,
            Z | T => Kind::Size,
            LL | Q | J => Kind::Wide,
            _ => return 1,
        },
        (Some(b'a' | b'e'..=b'g' | b'A' | b'E'..=b'G'), length) => match length {
            0 | L => Kind::Double,
            LONG => Kind::LongDouble,
            _ => return 1,
        },
        (Some(b'c'), 0 | L) => Kind::Int,
        (Some(b's'), 0 | L) | (Some(b'p'), 0) | (Some(b'n'), _) => Kind::Pointer,
        _ => return 1,
    };
    for _ in 0..stars {
        next(Kind::Int);
    }
    next(kind);
    at + 1
}

/// Converts a signed argument that is not an int.
#[allow(clippy::useless_conversion)] // a long has 32 bits on some systems
fn signed(argument: c_ulong) -> i64 {
    i64::from(argument as c_long)
}

/// Converts an unsigned argument; the upper half of an unsigned int is zero.
#[allow(clippy::useless_conversion)] // a long has 32 bits on some systems
fn unsigned(argument: c_ulong) -> u64 {
    u64::from(argument)
}

/// Returns the string that a C program has passed, or "(null)" for NULL.
///
/// # Safety
/// `text` must be NULL or end with a NUL, and must not change while the result is used.
pub unsafe fn string<'a>(text: *const c_char) -> &'a CStr {
    if text.is_null() {
        return c"(null)";
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
}
