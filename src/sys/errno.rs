//! How -1 becomes an [`Errno`], and where the modules read and set `errno`.

use core::ffi::c_int;

/// The number of an error, a value of `errno`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub c_int);

/// The outcome of a system call: a value, or the reason of the failure.
pub type Result<T> = core::result::Result<T, Errno>;

/// The calling thread's `errno`. Its address does not change, so it is determined once for a call of libc and for what
/// follows. Reads and writes are volatile, because the compiler assumes that malloc does not change visible memory.
#[derive(Clone, Copy)]
pub(crate) struct ErrnoLocation(*mut c_int);

impl ErrnoLocation {
    #[inline(always)]
    pub fn find() -> ErrnoLocation {
        #[cfg(target_os = "linux")]
        use libc::__errno_location as location;
        #[cfg(not(target_os = "linux"))]
        use libc::__error as location;
        // SAFETY: it takes nothing.
        ErrnoLocation(unsafe { location() })
    }

    #[inline(always)]
    pub fn get(self) -> Errno {
        // SAFETY: errno lives as long as the thread, which a ErrnoLocation does not leave.
        Errno(unsafe { self.0.read_volatile() })
    }

    #[inline(always)]
    pub fn set(self, reason: Errno) {
        // SAFETY: as above; nothing has a reference to it.
        unsafe { self.0.write_volatile(reason.0) }
    }
}

/// Returns the value of `errno`, the reason of the last failed call.
pub fn errno() -> Errno {
    ErrnoLocation::find().get()
}

/// Makes `reason` the value of `errno`.
pub fn set_errno(reason: Errno) {
    ErrnoLocation::find().set(reason);
}

/// Makes a call, and `errno` what it was before.
#[inline(always)]
pub(crate) fn keep_errno<T>(call: impl FnOnce() -> T) -> T {
    let errno = ErrnoLocation::find();
    let before = errno.get();
    let value = call();
    errno.set(before);
    value
}

/// Makes a call that says by the value `failure` that it failed, and turns that into the error
/// that it left in `errno`, and `errno` back into what it was.
#[inline(always)]
pub(crate) fn or_errno<T: PartialEq>(failure: T, call: impl FnOnce() -> T) -> Result<T> {
    let errno = ErrnoLocation::find();
    let before = errno.get();
    let value = call();
    if value != failure {
        return Ok(value);
    }
    let reason = errno.get();
    errno.set(before);
    Err(reason)
}

#[inline(always)]
pub(super) fn count_or_errno(call: impl FnOnce() -> isize) -> Result<usize> {
    or_errno(-1, call).map(|count| count as usize)
}

/// Makes a call with at most five arguments of a register each, which returns -1 if it fails. For calls that need not be
/// quick: one function makes them all, since each copy of it takes as much room as five calls.
#[cfg(not(miri))]
macro_rules! call {
    ($($function:ident)::+($($argument:expr),* $(,)?)) => {{
        use $crate::sys::Word;
        const NO: Word = Word::uninit();
        let [a, b, c, d, e, ..] = [$(Word::new($argument as usize),)* NO, NO, NO, NO, NO];
        if false {
            $($function)::+($($argument),*); // for the types alone
        }
        $crate::sys::call_words(a, b, c, d, e, $($function)::+ as *const ())
    }};
}

/// Miri wants the types, too.
#[cfg(miri)]
macro_rules! call {
    ($($function:ident)::+($($argument:expr),* $(,)?)) => {
        $crate::sys::or_errno(-1, || $($function)::+($($argument),*) as c_int)
    };
}

pub(crate) use call;

/// What a register passes to a function; or nothing, if the function does not take so many.
pub type Word = core::mem::MaybeUninit<usize>;

/// What [`call!`] expands to.
///
/// # Safety
/// `function` must be one that takes so many of the words, and the caller must have its promise.
#[cfg(not(miri))]
#[inline(never)]
pub(crate) unsafe fn call_words(
    a: Word,
    b: Word,
    c: Word,
    d: Word,
    e: Word,
    function: *const (),
) -> Result<c_int> {
    type Function = unsafe extern "C" fn(Word, Word, Word, Word, Word) -> isize;
    // SAFETY: arguments and results that fit into a register are passed as words are; those that it does not take, it ignores.
    let function = unsafe { core::mem::transmute::<*const (), Function>(function) };
    let errno = ErrnoLocation::find();
    let before = errno.get();
    // SAFETY: the caller's promise.
    let value = unsafe { function(a, b, c, d, e) } as c_int;
    let reason = errno.get();
    errno.set(before); // also after a success: the program may have a function of its own
    if value == -1 { Err(reason) } else { Ok(value) }
}

/// Makes the call fcntl.
#[inline(never)]
pub(super) fn fcntl(fd: c_int, command: c_int, argument: c_int) -> Result<c_int> {
    // SAFETY: the commands for flags take no pointers.
    or_errno(-1, || unsafe { libc::fcntl(fd, command, argument) })
}
