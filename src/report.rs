//! The line that tells the user what failed, and why (CS:APP 3e, section 8.3 and appendix A).

use core::ffi::{CStr, c_int};

use crate::sio::Output;
use crate::sys::{self, Errno, Unresolved};

/// The second half of a report, after the message and a colon.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// The text of an errno value.
    Errno(Errno),
    /// The text of one of getaddrinfo's codes, which is not EAI_SYSTEM.
    Resolver(c_int),
    /// The text of `h_errno`.
    Host,
    /// Nothing: the message says it all.
    Unsaid,
}

impl Reason {
    /// Its text: in `room`, or constant.
    fn text(self, room: &mut [u8; sys::ERROR_TEXT]) -> Option<&CStr> {
        match self {
            Reason::Errno(reason) => Some(sys::error_text(reason, room)),
            Reason::Resolver(code) => Some(sys::resolver_text(code)),
            Reason::Host => Some(sys::host_text()),
            Reason::Unsaid => None,
        }
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

/// getaddrinfo's code as a reason, with `errno` as it is.
pub fn resolver_reason(code: c_int) -> Reason {
    let errno = sys::errno();
    Unresolved { code, errno }.into()
}

/// Writes `message: reason`, or just the message, as one line to standard error, however long it is by one
/// system call, so that the lines of threads and processes do not mix. A failure to do so stays
/// unsaid: there is nowhere left to say it. `errno` stays as it is.
pub fn write_line(message: &[&CStr], reason: Reason) {
    let mut text = [0; sys::ERROR_TEXT];
    let reason = reason.text(&mut text);
    let parts = message.iter().copied().chain(reason);
    let len = parts.map(|part| part.count_bytes()).sum::<usize>() + ": \n".len();
    sys::with_room(len, |room| {
        let mut line = Output::new(libc::STDERR_FILENO, room);
        for part in message {
            line.put(part.to_bytes());
        }
        if let Some(reason) = reason {
            line.put(b": ");
            line.put(reason.to_bytes());
        }
        line.put(b"\n");
        let _ = line.finish();
    });
}
