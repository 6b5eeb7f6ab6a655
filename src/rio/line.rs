//! Taking a line that is in the buffer: the loop that every line of every program goes through. One pass copies
//! the bytes and looks for the newline, with the widest instructions that the processor has and that pay. Each
//! set of instructions has a file below with a `copy_line`. `rio_t::readlineb` reads lines that are not whole in
//! the buffer.

use core::ffi::{c_int, c_void};
use core::hint::unreachable_unchecked;
#[cfg(all(target_arch = "x86_64", not(miri)))]
use core::sync::atomic::{AtomicPtr, Ordering};
#[cfg(all(target_arch = "x86_64", not(miri)))]
use core::{mem, ptr};

use libc::ssize_t;

use super::rio_t;
use crate::sys::{self, Room};

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod avx2;
#[cfg(all(has_avx512, not(miri)))]
mod avx512;
#[cfg(test)]
mod harness;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod isa;
#[cfg(all(target_arch = "aarch64", not(miri)))]
mod neon;
#[cfg_attr(any(target_arch = "x86_64", target_arch = "aarch64"), allow(dead_code))] // a part of it is used there
mod portable;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod sse2;
#[cfg(test)]
mod tests;

#[cfg(all(target_arch = "x86_64", not(miri)))]
use self::isa::Isa;
#[cfg(all(target_arch = "aarch64", not(miri)))]
use self::neon::copy_line as copy_usual;
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
use self::portable::copy_line as copy_usual;

/// A way to copy a line.
trait Scan {
    /// The smallest number of bytes that it takes.
    const MIN_LEN: usize;
    /// Whether it is tried after another one.
    const IS_SECOND: bool;

    /// Stores `bytes` up to and including the first newline, and returns the address of the next line in
    /// `bytes`. Returns `None` without a newline; then all of the bytes are stored, or those that the next scan leaves out.
    ///
    /// # Safety
    /// There must be MIN_LEN bytes. All up to and including the newline must be writable at `to`, which lies outside of
    /// `bytes`. The processor must have the instructions.
    unsafe fn copy(bytes: &[u8], to: *mut u8) -> Option<*const u8>;
}

/// Handles a line that is not in the buffer, and errors. Takes the C function's parameters, its time limit, and how many
/// unread bytes are stored already, none of which is a newline.
pub type Otherwise = unsafe extern "C" fn(*mut rio_t, *mut c_void, usize, c_int, usize) -> ssize_t;

/// Defines the functions that take a line, one for each [`Scan`]. Each is compiled as a whole for the scan's
/// instructions, so that everything is inlined, and ends with a jump to the next one. If the line is in the
/// buffer, there is no further call.
macro_rules! scans {
    ($($scan:ident, $(features $features:literal,)? least $least:expr, second $second:expr, |$bytes:ident, $to:ident| $copy:expr;
        $take:ident $(, else $next:ident)?;)+) => {$(
        struct $scan;

        impl Scan for $scan {
            const MIN_LEN: usize = $least;
            const IS_SECOND: bool = $second;

            #[inline(always)]
            unsafe fn copy($bytes: &[u8], $to: *mut u8) -> Option<*const u8> {
                // SAFETY: the caller's promise.
                unsafe { $copy }
            }
        }

        $(#[target_feature(enable = $features)])?
        #[inline(never)]
        unsafe fn $take(
            rp: *mut rio_t,
            usrbuf: *mut c_void,
            maxlen: usize,
            timeout: c_int,
            otherwise: Otherwise,
        ) -> ssize_t {
            // SAFETY: the caller's promise; the processor has the features.
            unsafe {
                match take::<$scan>(rp, usrbuf, maxlen) {
                    Taken::Whole(length) => length,
                    Taken::Nothing(stored) => scans!(@ rp, usrbuf, maxlen, timeout, stored, otherwise $(, $next)?),
                    Taken::Refused => otherwise(rp, usrbuf, maxlen, timeout, 0),
                }
            }
        }
    )+};
    (@ $rp:ident, $usrbuf:ident, $maxlen:ident, $timeout:ident, $stored:ident, $otherwise:ident) => {
        $otherwise($rp, $usrbuf, $maxlen, $timeout, $stored)
    };
    (@ $rp:ident, $usrbuf:ident, $maxlen:ident, $timeout:ident, $stored:ident, $otherwise:ident, $next:ident) => {{
        let _ = $stored; // which the next one finds out again
        $next($rp, $usrbuf, $maxlen, $timeout, $otherwise)
    }};
}

// With AVX-512, most lines end within the bytes that the first function looks at, which saves no register. The
// second one is called only after it, so it starts after these bytes.
#[cfg(all(has_avx512, not(miri)))]
scans! {
    Avx512Start, features "avx512f,avx512bw,bmi1,bmi2,popcnt", least avx512::START, second false, |bytes, to| avx512::copy_start(bytes.as_ptr(), to);
        avx512_start, else avx512_rest;
    Avx512Rest, features "avx512f,avx512bw,bmi1,bmi2,popcnt", least 0, second true, |bytes, to| avx512::copy_behind_start(bytes, to);
        avx512_rest;
}
#[cfg(all(target_arch = "x86_64", not(miri)))]
scans! {
    Avx2, features "avx2,bmi1,bmi2", least 0, second false, |bytes, to| behind(bytes, avx2::copy_line(bytes, to));
        avx2;
    Sse2, least 0, second false, |bytes, to| behind(bytes, sse2::copy_line(bytes, to));
        sse2;
}
#[cfg(any(miri, not(target_arch = "x86_64")))]
scans! {
    Usual, least 0, second false, |bytes, to| behind(bytes, copy_usual(bytes, to));
        usual;
}

/// Takes the next line of `rp` as rio_readlineb does, if it is in the buffer and fits; leaves everything else to
/// `otherwise`.
///
/// # Safety
/// rp must be a rio_t that only this thread uses, or NULL. usrbuf must be writable for the line and its NUL, or NULL.
#[inline(always)]
pub unsafe fn readlineb(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    timeout: c_int,
    otherwise: Otherwise,
) -> ssize_t {
    // First, so that a debugger that stops at the call shows this file, not Rust's core library.
    if maxlen == 0 {
        // SAFETY: the caller's promise.
        return unsafe { otherwise(rp, usrbuf, maxlen, timeout, 0) };
    }
    // SAFETY: what is stored in CHOSEN is a Take, whose instructions the processor has; and the caller's promise.
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    unsafe {
        match mem::transmute::<*mut (), Option<Take>>(CHOSEN.load(Ordering::Relaxed)) {
            Some(take) => take(rp, usrbuf, maxlen, timeout, otherwise),
            None => unchosen(rp, usrbuf, maxlen, timeout, otherwise),
        }
    }
    // SAFETY: the caller's promise.
    #[cfg(any(miri, not(target_arch = "x86_64")))]
    unsafe {
        match sys::is_sanitized() {
            true => otherwise(rp, usrbuf, maxlen, timeout, 0),
            false => usual(rp, usrbuf, maxlen, timeout, otherwise),
        }
    }
}

/// A function that [`scans!`] defines.
#[cfg(all(target_arch = "x86_64", not(miri)))]
type Take = unsafe fn(*mut rio_t, *mut c_void, usize, c_int, Otherwise) -> ssize_t;

/// The function that takes lines; NULL before it is chosen, and while a sanitizer must see every byte before it is stored.
/// Every thread chooses the same one, so it does not matter which thread stores it, nor when the others see it.
#[cfg(all(target_arch = "x86_64", not(miri)))]
static CHOSEN: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Leaves this line to `otherwise`, and chooses the function that takes the next one.
///
/// # Safety
/// As [`readlineb`].
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[cold]
#[inline(never)]
unsafe fn unchosen(
    rp: *mut rio_t,
    usrbuf: *mut c_void,
    maxlen: usize,
    timeout: c_int,
    otherwise: Otherwise,
) -> ssize_t {
    if !sys::is_sanitized() {
        choose();
    }
    // SAFETY: the caller's promise.
    unsafe { otherwise(rp, usrbuf, maxlen, timeout, 0) }
}

/// Chooses the function for the widest set of instructions that the processor has.
#[cfg(all(target_arch = "x86_64", not(miri)))]
fn choose() {
    let take: Take = match isa::widest() {
        #[cfg(has_avx512)]
        Isa::Avx512 => avx512_start,
        Isa::Avx2 => avx2,
        Isa::Sse2 => sse2,
    };
    CHOSEN.store(take as *mut (), Ordering::Relaxed);
}

/// Returns the address after the first `end` bytes.
#[inline(always)]
fn behind(bytes: &[u8], end: Option<usize>) -> Option<*const u8> {
    end.map(|end| bytes.as_ptr().wrapping_add(end))
}

/// The outcome of taking a line.
enum Taken {
    /// The line is taken, and has this length.
    Whole(ssize_t),
    /// The line is not taken: it is not whole in the buffer, or this scan refuses it. Of a scan with no other after it, so many
    /// of its bytes are stored.
    Nothing(usize),
    /// Nothing is stored: the arguments or the fields of the rio_t are not valid, or need [`rio_t::tidy`].
    Refused,
}

/// Takes a line that is in the buffer and fits.
///
/// # Safety
/// As [`readlineb`]. The processor must have the instructions of S. If S is second, the first one has not refused.
#[inline(always)]
unsafe fn take<S: Scan>(rp: *mut rio_t, usrbuf: *mut c_void, maxlen: usize) -> Taken {
    if !S::IS_SECOND && (rp.is_null() || usrbuf.is_null() || maxlen as isize <= 0) {
        return Taken::Refused;
    }
    let to: *mut u8 = usrbuf.cast();
    // SAFETY: the caller's rio_t.
    let reader = unsafe { &mut *rp };
    let unread = match reader.unread() {
        Some(unread) => unread,
        // SAFETY: the first one has not refused, and nothing has changed.
        None if S::IS_SECOND => unsafe { unreachable_unchecked() },
        None => return Taken::Refused,
    };
    let count = unread.len().min(maxlen - 1);
    if count < S::MIN_LEN {
        return Taken::Nothing(count);
    }
    // SAFETY: there are that many bytes; and the caller's promise.
    let Some(next) = (unsafe { S::copy(&unread[..count], to) }) else {
        return Taken::Nothing(count);
    };
    let length = next.addr() - unread.as_ptr().addr();
    reader.take_up_to(next, length);
    // SAFETY: length <= maxlen - 1.
    unsafe { to.add(length).write(0) };
    Taken::Whole(length as ssize_t)
}

/// Stores as many of `bytes` as there is room for, but none after the first newline. Returns whether it stored a
/// newline. By libc, which takes little longer for the few lines that are not whole in the buffer.
pub fn copy_line(bytes: &[u8], room: &mut Room) -> bool {
    let bytes = &bytes[..bytes.len().min(room.left())];
    let end = sys::find(bytes, b'\n').map(|at| at + 1);
    room.put(end.and_then(|end| bytes.get(..end)).unwrap_or(bytes));
    end.is_some()
}

/// The largest number of bytes that [`copy_chunk`] takes.
pub const CHUNK: usize = 128;

/// Copies `count` bytes, from 1 to CHUNK, by moves that may overlap, each as wide as possible, since a call of memcpy would
/// take longer.
///
/// # Safety
/// They must be readable at `from` and writable at `to`, and must not overlap.
#[inline(always)]
pub unsafe fn copy_chunk(from: *const u8, to: *mut u8, count: usize) {
    // SAFETY: the caller's promise; each is asked for no more than it takes.
    unsafe {
        if count <= 16 {
            portable::put_short(from, to, count);
        } else if count > 64 {
            portable::put_ends::<64>(from, to, count);
        } else if count > 32 {
            portable::put_ends::<32>(from, to, count);
        } else {
            portable::put_ends::<16>(from, to, count);
        }
    }
}
