//! The library that ships, loaded beside the one in this program.

use core::ffi::{CStr, c_char, c_int, c_void};
use std::ffi::CString;
use std::sync::LazyLock;

use csapp::rio::rio_t;
use csapp::sys::{self, Errno, Result};

use crate::model::{Call, Damage, MOST, Session};

/// The library that CSAPP_SO names; without that, nothing.
static LIBRARY: LazyLock<Option<usize>> = LazyLock::new(|| {
    let Ok(path) = std::env::var("CSAPP_SO") else {
        eprintln!("CSAPP_SO is not set: without the library that ships");
        return None;
    };
    let name = CString::new(path.clone()).expect("a path has no NUL");
    // SAFETY: loading it runs nothing.
    let library = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    assert!(!library.is_null(), "cannot load {path}");
    Some(library.addr())
});

/// A function of the library.
pub fn symbol(name: &CStr) -> Option<*mut c_void> {
    let library = (*LIBRARY)? as *mut c_void;
    // SAFETY: the library stays loaded.
    let found = unsafe { libc::dlsym(library, name.as_ptr()) };
    assert!(!found.is_null(), "{name:?} is missing");
    Some(found)
}

type Readinitb = unsafe extern "C" fn(*mut rio_t, c_int);
type Read = unsafe extern "C" fn(*mut rio_t, *mut c_void, usize) -> isize;

/// A reader of the library that ships, which goes through all that a [`Session`] goes through. Its
/// descriptor is a socket whose reads give a message each, so that a read is short, and ends where the
/// session's source did; and it is O_NONBLOCK, so that EAGAIN stands for every failure.
pub struct Twin {
    rio: Box<rio_t>,
    buffer: Vec<u8>,
    ends: [c_int; 2],
    readinitb: Readinitb,
    readnb: Read,
    readlineb: Read,
}

const UNTOUCHED: u8 = 0x5A;

impl Twin {
    /// As new as the session is; `None` without the library.
    pub fn new() -> Option<Twin> {
        let (init, readnb, readlineb) = (
            symbol(c"rio_readinitb")?,
            symbol(c"rio_readnb")?,
            symbol(c"rio_readlineb")?,
        );
        let mut ends = [0; 2];
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_NONBLOCK;
        // SAFETY: there is room for two descriptors; the functions have these types; a rio_t of
        // zeros is one.
        let mut twin = unsafe {
            assert_eq!(
                libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()),
                0
            );
            let size: c_int = 4 << 20;
            let (size, len) = ((&raw const size).cast(), size_of::<c_int>() as u32);
            libc::setsockopt(ends[1], libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, size, len);
            Twin {
                rio: Box::<rio_t>::new_zeroed().assume_init(),
                buffer: vec![UNTOUCHED; MOST + 1000],
                ends,
                readinitb: core::mem::transmute::<*mut c_void, Readinitb>(init),
                readnb: core::mem::transmute::<*mut c_void, Read>(readnb),
                readlineb: core::mem::transmute::<*mut c_void, Read>(readlineb),
            }
        };
        twin.init();
        Some(twin)
    }

    pub fn init(&mut self) {
        // SAFETY: it is a rio_t.
        unsafe { (self.readinitb)(&mut *self.rio, self.ends[0]) };
    }

    /// Makes the call that `session` has just made, with that outcome, and holds it against that. The
    /// first `kept` bytes of the buffer were there before. False where the socket cannot take so
    /// many messages.
    pub fn follow(
        &mut self,
        session: &Session,
        call: Call,
        outcome: Result<usize>,
        kept: usize,
    ) -> bool {
        let mut bytes = &session.came[..];
        for count in session.reads.iter().flatten() {
            let (message, rest) = bytes.split_at(*count);
            bytes = rest;
            // SAFETY: the message is readable; the socket takes more than the session's data.
            let sent = unsafe {
                libc::send(
                    self.ends[1],
                    message.as_ptr().cast(),
                    message.len(),
                    libc::MSG_NOSIGNAL,
                )
            };
            if sent == -1 && sys::errno().0 == libc::EAGAIN {
                return false;
            }
            assert_eq!(sent, message.len() as isize, "{}", sys::errno());
        }
        self.buffer[kept..].fill(UNTOUCHED);
        sys::set_errno(Errno(77));
        let buffer = self.buffer.as_mut_ptr().cast();
        // SAFETY: the buffer is longer than any call asks for, and a line has room for its NUL.
        let count = unsafe {
            match call {
                Call::Readnb(size) => (self.readnb)(&mut *self.rio, buffer, size),
                Call::Readlineb(size) => (self.readlineb)(&mut *self.rio, buffer, size + 1),
            }
        };
        let reason = sys::errno();
        let stored = match outcome {
            Ok(expected) => {
                assert_eq!((count, reason.0), (expected as isize, 77), "{call:?}");
                // A line ends in a NUL, save where the file ended.
                let has_nul = matches!(call, Call::Readlineb(size) if expected > 0 || size == 0);
                if has_nul {
                    assert_eq!(self.buffer[expected], 0, "{call:?}");
                }
                expected + usize::from(has_nul)
            }
            Err(expected) => {
                let is_refused = session.reads.is_empty();
                let expected = if is_refused { expected.0 } else { libc::EAGAIN };
                assert_eq!((count, reason.0), (-1, expected), "{call:?}");
                if is_refused { kept } else { session.ahead() }
            }
        };
        let given = outcome.unwrap_or(stored.min(session.ahead()));
        assert!(
            self.buffer[..given] == *session.given(given),
            "{call:?}: bytes differ"
        );
        let beyond = self.buffer[stored..].iter();
        assert!(
            beyond.copied().all(|byte| byte == UNTOUCHED),
            "{call:?} wrote more than it says"
        );
        assert_eq!(self.rio.rio_cnt, session.fields().0, "{call:?}");
        self.check_empty();
        true
    }

    /// All messages have been read.
    fn check_empty(&self) {
        let mut left = 0;
        // SAFETY: FIONREAD stores an int.
        assert_eq!(
            unsafe { libc::ioctl(self.ends[0], libc::FIONREAD, &mut left) },
            0
        );
        assert_eq!(left, 0, "something was not read");
    }

    /// What the session's fields have suffered.
    pub fn damage(&mut self, session: &Session, damage: Damage) {
        damage.apply(&mut self.rio);
        if session.suspended().is_none() {
            self.rio.rio_buf = *session.fields().1;
        }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        for fd in self.ends {
            // SAFETY: they are ours.
            unsafe { libc::close(fd) };
        }
    }
}

/// The variadic entry of sio_dprintf.
pub type Dprintf = unsafe extern "C" fn(c_int, *const c_char, ...) -> isize;
