//! sio_dprintf, through its variadic C entry, against snprintf: the format is the input up to its first
//! NUL, the arguments come from what follows. What snprintf and sio_printf have in common must come
//! out the same, and what no printf knows unchanged; a format ends here before what only others know.
//!
//! Two libraries are tried: the one in this program, which the sanitizer and the fuzzer see
//! through, and the shared one that ships, which CSAPP_SO names.
#![no_main]

use core::ffi::{CStr, c_char, c_int, c_ulong, c_void};
use std::ffi::CString;
use std::sync::LazyLock;
use std::{ptr, slice};

use csapp::capi::sio_printf::sio_dprintf;
use csapp_fuzz::line::harness::Guarded;
use csapp_fuzz::shipped::{self, Dprintf};
use libfuzzer_sys::fuzz_target;

/// How many arguments are handed over: enough for some to be on the stack. Each takes a register or
/// a slot as wide as one, whatever its type, on all processors that the library is for.
const ARGUMENTS: usize = 16;

/// What a conversion takes.
enum Kind {
    Number,
    Text,
}

/// The arguments of the conversions that every printf knows, where in the format they end, and a format for snprintf of
/// what comes out.
fn common(format: &[u8]) -> (Vec<Kind>, usize, Vec<u8>) {
    let mut kinds = Vec::new();
    let mut plain = Vec::new();
    let mut at = 0;
    while at < format.len() {
        if format[at] != b'%' {
            plain.push(format[at]);
            at += 1;
            continue;
        }
        let (kind, len) = match &format[at + 1..] {
            [b'%', ..] => (None, 2),
            [b's', ..] => (Some(Kind::Text), 2),
            [b'c' | b'p' | b'd' | b'i' | b'u' | b'x' | b'o', ..] => (Some(Kind::Number), 2),
            [b'l' | b'z', b'd' | b'i' | b'u' | b'x' | b'o', ..] => (Some(Kind::Number), 3),
            [other, ..] if is_part_of_none(*other) => {
                plain.extend(b"%%");
                at += 1;
                continue;
            }
            [] => {
                plain.extend(b"%%");
                at += 1;
                continue;
            }
            _ => break,
        };
        kinds.extend(kind);
        plain.extend(&format[at..at + len]);
        at += len;
    }
    (kinds, at, plain)
}

/// Whether no conversion of any printf starts like that.
fn is_part_of_none(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b"-+ #.*'%$".contains(&byte)
}

/// The most bytes that come out: every number fills 22.
const MOST: usize = 1 << 17;

/// A file in memory, and the memory.
struct Sink {
    fd: c_int,
    map: *const u8,
}

// SAFETY: what is mapped belongs to the process, not to a thread.
unsafe impl Send for Sink {}
// SAFETY: the same; and the fuzzer has one thread.
unsafe impl Sync for Sink {}

static SINK: LazyLock<Sink> = LazyLock::new(|| {
    // SAFETY: a file of our own, mapped in whole.
    unsafe {
        let fd = libc::memfd_create(c"output".as_ptr(), 0);
        assert_eq!(libc::ftruncate(fd, MOST as _), 0);
        let map = libc::mmap(
            ptr::null_mut(),
            MOST,
            libc::PROT_READ,
            libc::MAP_SHARED,
            fd,
            0,
        );
        assert_ne!(map, libc::MAP_FAILED);
        Sink {
            fd,
            map: map.cast(),
        }
    }
});

/// The libraries, by name.
static LIBRARIES: LazyLock<Vec<(&str, Dprintf)>> = LazyLock::new(|| {
    let own = sio_dprintf as *const ();
    // SAFETY: that is the type of the entry, which Rust cannot declare for a definition.
    let own = unsafe { core::mem::transmute::<*const (), Dprintf>(own) };
    let mut libraries = vec![("instrumented", own)];
    if let Some(shipped) = shipped::symbol(c"sio_dprintf") {
        assert_ne!(shipped.addr(), own as usize);
        // SAFETY: the same.
        let shipped = unsafe { core::mem::transmute::<*mut c_void, Dprintf>(shipped) };
        libraries.push(("shipped", shipped));
    }
    libraries
});

/// Makes a call with all arguments.
macro_rules! with_all {
    ($call:expr, ($($fixed:expr),+), $arguments:expr) => {{
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = $arguments;
        $call($($fixed),+, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }};
}

/// Bytes that end where the memory does.
struct Text(Guarded, usize);

impl Text {
    fn new(bytes: &[&[u8]]) -> Text {
        let len = bytes.iter().map(|part| part.len() + 1).sum();
        let mut memory = Guarded::new();
        let mut rest = &mut memory.bytes()[Guarded::LEN - len..];
        for part in bytes {
            rest[..part.len()].copy_from_slice(part);
            rest[part.len()] = 0;
            rest = &mut rest[part.len() + 1..];
        }
        Text(memory, len)
    }

    fn start(&mut self) -> *const c_char {
        self.0.bytes()[Guarded::LEN - self.1..].as_ptr().cast()
    }
}

fuzz_target!(|data: &[u8]| {
    if data.len() > Guarded::LEN / 2 {
        return;
    }
    let end = data
        .iter()
        .position(|&byte| byte == 0)
        .unwrap_or(data.len());
    let (mut format, mut rest) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let (mut kinds, mut known, mut plain) = common(format);
    // What follows the last argument there is must not be fetched.
    while kinds.len() > ARGUMENTS {
        format = &format[..known - 1];
        (kinds, known, plain) = common(format);
    }
    format = &format[..known];

    // A number takes eight bytes of the input, a text what comes before a NUL; 0xff alone is NULL.
    let mut arguments: [c_ulong; ARGUMENTS] = core::array::from_fn(|i| !0 << (4 * i));
    let mut texts: Vec<(usize, &[u8])> = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        match kind {
            Kind::Number => {
                let mut number = [0; 8];
                let count = rest.len().min(8);
                number[..count].copy_from_slice(&rest[..count]);
                arguments[at] = c_ulong::from_le_bytes(number);
                rest = &rest[count..];
            }
            Kind::Text => {
                let mut parts = rest.splitn(2, |&byte| byte == 0);
                let text = parts.next().unwrap_or_default();
                rest = parts.next().unwrap_or_default();
                match text {
                    [0xff] => arguments[at] = 0,
                    text => texts.push((at, text)),
                }
            }
        }
    }
    let parts: Vec<&[u8]> = texts.iter().map(|(_, text)| *text).collect();
    let mut memory = Text::new(&parts);
    let mut next = memory.start();
    for (at, text) in &texts {
        arguments[*at] = next.addr() as c_ulong;
        next = next.wrapping_add(text.len() + 1);
    }

    let prefix = CString::new(plain).expect("it ended before a NUL");
    let mut expected = vec![0u8; MOST];
    // SAFETY: as many arguments as the format takes and more, and of the right kinds.
    let count = unsafe {
        with_all!(
            libc::snprintf,
            (expected.as_mut_ptr().cast(), MOST, prefix.as_ptr()),
            arguments
        )
    };
    expected.truncate(usize::try_from(count).expect("snprintf knows these conversions"));

    let mut format_memory = Text::new(&[format]);
    let format = format_memory.start();
    for &(name, dprintf) in LIBRARIES.iter() {
        let describe = |what| {
            // SAFETY: it ends in a NUL.
            let format = unsafe { CStr::from_ptr(format) };
            format!("{name}: {what}, format {format:?}, arguments {arguments:x?}")
        };
        for fd in [SINK.fd, -1] {
            // SAFETY: as for snprintf; the file is ours.
            let count = unsafe {
                libc::lseek(SINK.fd, 0, libc::SEEK_SET);
                *libc::__errno_location() = 77;
                with_all!(dprintf, (fd, format), arguments)
            };
            // SAFETY: errno is always there.
            let errno = unsafe { *libc::__errno_location() };
            if fd < 0 && !expected.is_empty() {
                assert_eq!(
                    (count, errno),
                    (-1, libc::EBADF),
                    "{}",
                    describe("bad descriptor")
                );
                continue;
            }
            assert_eq!(
                (count, errno),
                (expected.len() as isize, 77),
                "{}",
                describe("count")
            );
            if fd >= 0 {
                // SAFETY: that much has just been written there.
                let written = unsafe { slice::from_raw_parts(SINK.map, expected.len()) };
                assert!(written == expected, "{}", describe("text"));
            }
        }
    }
});
