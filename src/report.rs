//! The line that tells the user what failed, and why (CS:APP 3e, section 8.3 and appendix A).

use core::ffi::{CStr, c_char, c_int};
use core::marker::PhantomData;
use core::ptr::NonNull;

use crate::rio::{self, Kernel};
use crate::sio::Text;
use crate::sys::{self, Deadline, Errno, Unresolved};

/// The second half of a report, after the message and a colon.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// The text of an errno value.
    Errno(Errno),
    /// The text of one of getaddrinfo's codes, which is not EAI_SYSTEM.
    Resolver(c_int),
    /// The text of `h_errno`; nothing while that is 0.
    Host,
    /// No text: the message is complete.
    Unsaid,
}

impl Reason {
    /// Returns the value to set `errno` to: the reason, or the value with the nearest meaning.
    pub fn errno(self) -> Option<Errno> {
        match self {
            Reason::Errno(reason) => Some(reason),
            Reason::Resolver(code) => Some(nearest_errno(code)),
            Reason::Host => Some(nearest_errno(sys::host_code())),
            Reason::Unsaid => None,
        }
    }

    /// Returns its text, which is in `room` or constant.
    fn text(self, room: &mut [u8; sys::ERROR_TEXT]) -> Option<&CStr> {
        match self {
            Reason::Errno(reason) => Some(sys::error_text(reason, room)),
            Reason::Resolver(code) => Some(sys::resolver_text(code)),
            Reason::Host => sys::host_text(),
            Reason::Unsaid => None,
        }
    }
}

/// The value of `errno` if there is no such host.
pub const UNKNOWN_HOST: Errno = Errno(libc::ENXIO);

/// Returns the value of `errno` whose meaning is nearest to that of a code of getaddrinfo. EAI_SYSTEM and EAI_MEMORY do not come
/// here: they are an errno already.
fn nearest_errno(code: c_int) -> Errno {
    match code {
        libc::EAI_AGAIN => Errno(libc::EAGAIN),
        libc::EAI_FAMILY => Errno(libc::EAFNOSUPPORT),
        libc::EAI_SERVICE | libc::EAI_BADFLAGS | libc::EAI_SOCKTYPE => Errno(libc::EINVAL),
        libc::EAI_OVERFLOW => Errno(libc::EOVERFLOW),
        libc::EAI_FAIL => Errno(libc::EIO),
        _ => UNKNOWN_HOST,
    }
}

impl From<Errno> for Reason {
    fn from(reason: Errno) -> Reason {
        Reason::Errno(reason)
    }
}

impl From<Unresolved> for Reason {
    fn from(why: Unresolved) -> Reason {
        match why.code {
            libc::EAI_SYSTEM => Reason::Errno(why.errno),
            code => Reason::Resolver(code),
        }
    }
}

/// Returns a code of getaddrinfo as a reason. For EAI_SYSTEM the reason is the current `errno`.
pub fn resolver_reason(code: c_int) -> Reason {
    let errno = sys::errno();
    Unresolved { code, errno }.into()
}

/// A part of a message: a C string by its address alone. Messages have many parts, each of which would need a length.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    start: NonNull<c_char>,
    text: PhantomData<&'a CStr>,
}

impl<'a> Part<'a> {
    /// Returns the part, or `None` for NULL.
    ///
    /// # Safety
    /// `start` must be NULL or, if the part is read, a C string, which must not change while the part is used.
    pub unsafe fn new(start: *const c_char) -> Option<Part<'a>> {
        NonNull::new(start.cast_mut()).map(|start| Part {
            start,
            text: PhantomData,
        })
    }

    /// Returns the string.
    pub fn text(self) -> &'a CStr {
        // SAFETY: it was made of one.
        unsafe { CStr::from_ptr(self.start.as_ptr()) }
    }

    /// Whether the string is empty.
    pub fn is_empty(self) -> bool {
        // SAFETY: it has at least its NUL.
        unsafe { self.start.read() == 0 }
    }
}

impl<'a> From<&'a CStr> for Part<'a> {
    fn from(text: &'a CStr) -> Part<'a> {
        Part {
            start: NonNull::from(text).cast(),
            text: PhantomData,
        }
    }
}

/// The parts of a message: C strings, and parts.
macro_rules! parts {
    ($($part:expr),+ $(,)?) => {
        [$($crate::report::Part::from($part)),+]
    };
}

pub(crate) use parts;

/// Composes `message: reason`, or only the message if the reason is unsaid, and passes it to `call`. Takes no lock and
/// allocates no memory. `message` is in parts.
#[inline(never)]
pub fn with_line(message: &[Part], reason: Reason, call: &mut dyn FnMut(&CStr)) {
    let mut text = [0; sys::ERROR_TEXT];
    let reason = reason.text(&mut text);
    let [colon, reason] = reason.map_or([c""; 2], |reason| [c": ", reason]);
    let end = parts![colon, reason];
    let all = || message.iter().chain(&end).map(|part| part.text());
    let len: usize = all().map(CStr::count_bytes).sum();
    sys::with_room(len + 1, &mut |room| {
        let last = room.len() - 1; // which stays the NUL
        let mut line = Text::new(&mut room[..last]);
        for part in all() {
            line.put(part.to_bytes());
        }
        sys::about_to_pass(room);
        // SAFETY: it ends in a NUL.
        call(unsafe { CStr::from_ptr(room.as_ptr().cast()) });
    });
}

/// Writes a line of any length to standard error in one system call, so that the lines of threads and processes do not
/// mix. Does not report a failure, since there is nowhere left to report it. `errno` is unchanged.
pub fn write_line(line: &CStr) {
    let line = line.to_bytes();
    sys::with_room(line.len() + 1, &mut |room| {
        let mut text = Text::new(room);
        text.put(line);
        text.put(b"\n");
        write_for_a_moment(libc::STDERR_FILENO, text.bytes());
    });
}

/// Writes all of `bytes`. If `fd` is O_NONBLOCK and not ready, waits no longer than a moment: the program that reads the
/// other end may never do so, and this program is about to end.
fn write_for_a_moment(fd: c_int, mut bytes: &[u8]) {
    const MOMENT: i64 = 1000; // milliseconds
    sys::about_to_pass(bytes);
    loop {
        let moved = rio::writen(Kernel::Plain, fd, bytes);
        bytes = &bytes[moved.count..];
        match moved.outcome() {
            Err(reason) if sys::would_block(reason) && sys::is_nonblocking(fd) => {
                let deadline = Deadline::after(MOMENT);
                if sys::restart(|| sys::wait_ready(fd, libc::POLLOUT, deadline)).is_err() {
                    return;
                }
            }
            _ => return,
        }
    }
}
