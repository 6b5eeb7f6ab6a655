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
            (_, self.outcome) = rio::writen(Kernel::Waiting, self.fd, text);
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
    while let Some(at) = format.iter().position(|&byte| byte == b'%') {
        output.put(&format[..at]);
        format = &format[at..];
        let (kind, rest) = match &format[1..] {
            [b'l', rest @ ..] => (Kind::Long, rest),
            [b'z', rest @ ..] => (Kind::Size, rest),
            rest => (Kind::Int, rest),
        };
        let len = format.len() - rest.len() + 1;
        match (rest.first(), kind) {
            (Some(b'd' | b'i'), Kind::Int) => output.put_signed(i64::from(next(kind) as i32)),
            (Some(b'd' | b'i'), _) => output.put_signed(signed(next(kind))),
            (Some(b'u'), _) => output.put_unsigned(unsigned(next(kind)), 10),
            (Some(b'x'), _) => output.put_unsigned(unsigned(next(kind)), 16),
            (Some(b'o'), _) => output.put_unsigned(unsigned(next(kind)), 8),
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
                let (other, rest) = format.split_at(pass_over(format, next));
                output.put(other);
                format = rest;
                continue;
            }
        }
        format = &format[len..];
    }
    output.put(format);
}

/// Returns the length of the conversion at the start of `format` if printf has such a conversion, after fetching its
/// arguments. Otherwise returns the length of the percent sign.
#[cold]
#[inline(never)]
fn pass_over(format: &[u8], next: &mut dyn FnMut(Kind) -> c_ulong) -> usize {
    let is_flag = |byte: u8| b"-+ #0123456789.*'".contains(&byte);
    let mut stars = 0;
    let mut flags = 1;
    while let Some(&flag) = format.get(flags).filter(|&&byte| is_flag(byte)) {
        stars += usize::from(flag == b'*');
        flags += 1;
    }
    let is_length = |byte: u8| b"hlLqjzt".contains(&byte);
    let mut length = flags;
    while format.get(length).is_some_and(|&byte| is_length(byte)) {
        length += 1;
    }
    let conversion = format.get(length).copied().unwrap_or(0);
    let kind = match (conversion, &format[flags..length]) {
        (b'd' | b'i' | b'u' | b'x' | b'X' | b'o', length) => match length {
            b"" | b"h" | b"hh" => Kind::Int,
            b"l" => Kind::Long,
            b"z" | b"t" => Kind::Size,
            b"ll" | b"q" | b"j" => Kind::Wide,
            _ => return 1,
        },
        (b'a' | b'e'..=b'g' | b'A' | b'E'..=b'G', length) => match length {
            b"" | b"l" => Kind::Double,
            b"L" => Kind::LongDouble,
            _ => return 1,
        },
        (b'c', b"" | b"l") => Kind::Int,
        (b's', b"" | b"l") | (b'p', b"") | (b'n', _) => Kind::Pointer,
        _ => return 1,
    };
    for _ in 0..stars {
        next(Kind::Int);
    }
    next(kind);
    length + 1
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
