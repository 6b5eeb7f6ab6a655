//! Robust I/O (CS:APP 3e, section 10.5): the unbuffered calls, and the buffered reader
//! with its promise that a failed call consumes nothing.
//!
//! Pointers from C have been looked at before they come here (capi/rio.rs); system calls
//! are made below (src/sys/).

pub(crate) mod line;

use core::ffi::{c_char, c_int};
use core::mem::offset_of;
use core::ptr;

use crate::sys::{self, Errno, Outlet, Result, Room};

/// Bytes in the buffer of a rio_t.
pub const RIO_BUFSIZE: usize = 8192;

/// A descriptor and what has been read from it ahead of the program (CS:APP 3e, section
/// 10.5.2). rio_readinitb fills it in; after that, only the rio_ functions change it. It
/// belongs to one thread at a time. A copy is refused: rio_bufptr points into rio_buf.
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct rio_t {
    /// The descriptor that is read from.
    pub rio_fd: c_int,
    /// How many bytes of rio_buf are unread. Negative after a call failed that had gathered
    /// more than RIO_BUFSIZE bytes, until that call is repeated: see rio_readnb.
    pub rio_cnt: c_int,
    /// The next unread byte, inside rio_buf; the caller's buffer while rio_cnt is negative.
    pub rio_bufptr: *mut c_char,
    /// What has been read ahead.
    pub rio_buf: [c_char; RIO_BUFSIZE],
}

/// Where a buffered reader's bytes come from. The tests have sources of their own.
pub trait Source {
    /// Reads once, as [`sys::read`] does: 0 is the end of the file, EINTR never comes out.
    fn read(&mut self, fd: c_int, room: &mut Room) -> Result<usize>;
}

/// The kernel.
#[derive(Debug)]
pub struct Kernel;

impl Source for Kernel {
    #[inline]
    fn read(&mut self, fd: c_int, room: &mut Room) -> Result<usize> {
        sys::read(fd, room)
    }
}

/// Reads until `room` is full or the file ends, and returns the number of bytes.
#[inline(always)]
pub fn readn(fd: c_int, mut room: Room) -> Result<usize> {
    let wanted = room.left();
    while room.left() > 0 {
        if sys::restart_or_wait(fd, libc::SO_RCVTIMEO, libc::POLLIN, || {
            sys::read(fd, &mut room)
        })? == 0
        {
            break;
        }
    }
    Ok(wanted - room.left())
}

/// Writes all of `bytes`.
#[inline(always)]
pub fn writen(fd: c_int, bytes: &[u8]) -> Result<()> {
    let mut outlet = Outlet::new(fd);
    let mut rest = bytes;
    while !rest.is_empty() {
        match outlet.write(rest)? {
            0 => return Err(Errno(libc::ENOSPC)),
            count => rest = &rest[count..],
        }
    }
    Ok(())
}

/// The buffered calls. One that failed with too many bytes gathered can only be continued
/// by its own kind; the number is what `rio_cnt` then holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Readnb = -1,
    Readlineb = -2,
}

/// What `rio_buf` (empty then) holds while a failed call waits to be continued. `rio_bufptr`
/// is the caller's buffer meanwhile, where the gathered bytes have stayed.
#[derive(Clone, Copy)]
#[repr(C)]
struct Suspended {
    /// Of this very rio_t and all that the next call relies on: in a copy, or where something was
    /// written over, it is another.
    seal: usize,
    gathered: usize,
    wanted: usize,
}

impl rio_t {
    /// Says to a sanitizer that a call is about to use the reader, where there is one.
    #[inline(always)]
    pub fn watch(this: *const rio_t) {
        sys::about_to_store(this.cast(), offset_of!(rio_t, rio_buf));
    }

    /// Starts reading `fd`, with nothing read ahead.
    ///
    /// # Safety
    /// `this` must be writable as a `rio_t`. It need not be initialised.
    pub unsafe fn init(this: *mut rio_t, fd: c_int) {
        // SAFETY: the caller's promise. rio_buf stays as it is; no byte of it is looked at
        // before it has been read into.
        unsafe {
            (*this).rio_fd = fd;
            (*this).rio_cnt = 0;
            (*this).rio_bufptr = (&raw mut (*this).rio_buf).cast();
        }
    }

    /// Reads up to and with the next newline, but at most as many bytes as there is room
    /// for; fewer at the end of the file, 0 if nothing came before it.
    pub fn readlineb(&mut self, source: &mut impl Source, mut room: Room) -> Result<usize> {
        let wanted = room.left();
        if self.unread().is_none() {
            self.resume(Call::Readlineb, &mut room)?;
        }
        while room.left() > 0 {
            if self.rio_cnt == 0 {
                match self.fill(source) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(reason) => return self.put_back(Call::Readlineb, &room, wanted, reason),
                }
            }
            let left = room.left();
            let is_whole = line::copy_line(self.unread().unwrap_or_default(), &mut room);
            self.consume(left - room.left());
            if is_whole {
                break;
            }
        }
        Ok(wanted - room.left())
    }

    /// Takes the next `wanted` bytes, if so many are at hand; otherwise nothing.
    ///
    /// # Safety
    /// `wanted` must not be 0, and so many bytes must be writable at `to`, outside of this rio_t.
    #[inline(always)]
    pub unsafe fn take_chunk(&mut self, to: *mut u8, wanted: usize) -> bool {
        match self.unread() {
            Some(unread) if unread.len() >= wanted => {
                let from = unread.as_ptr();
                self.consume(wanted);
                // SAFETY: so many bytes are there; and the caller's promise.
                unsafe { line::copy_chunk(from, to, wanted) };
                true
            }
            _ => false,
        }
    }

    /// Reads until `room` is full or the file ends, and returns the number of bytes.
    pub fn readnb(&mut self, source: &mut impl Source, mut room: Room) -> Result<usize> {
        let wanted = room.left();
        match self.unread() {
            Some(unread) => {
                let count = room.put(unread);
                self.consume(count);
            }
            None => self.resume(Call::Readnb, &mut room)?,
        }
        while room.left() > 0 {
            let came = if room.left() >= RIO_BUFSIZE {
                source.read(self.rio_fd, &mut room)
            } else {
                self.fill(source)
            };
            match came {
                Ok(0) => break,
                Ok(_) => {
                    let count = room.put(self.unread().unwrap_or_default());
                    self.consume(count);
                }
                Err(reason) => return self.put_back(Call::Readnb, &room, wanted, reason),
            }
        }
        Ok(wanted - room.left())
    }

    /// What has been read ahead; `None` where the fields do not say so, because a failed call
    /// waits to be continued or because they are damaged.
    #[inline]
    fn unread(&self) -> Option<&[u8]> {
        let start = self
            .rio_bufptr
            .addr()
            .wrapping_sub(self.rio_buf.as_ptr().addr());
        let count = self.rio_cnt as usize; // a negative count is larger than any buffer
        if count > RIO_BUFSIZE || start > RIO_BUFSIZE - count {
            return None;
        }
        let unread: *const u8 = (&raw const self.rio_buf).cast();
        // SAFETY: start + count lies within rio_buf; so far as the fields are ours, those
        // bytes have been read into.
        Some(unsafe { core::slice::from_raw_parts(unread.add(start), count) })
    }

    /// Says that the first `count` unread bytes have been taken, and that the next one is at `next`.
    #[inline(always)]
    fn take_up_to(&mut self, next: *const u8, count: usize) {
        self.rio_cnt -= count as c_int;
        self.rio_bufptr = next.cast_mut().cast();
    }

    /// Says that the first `count` unread bytes have been taken.
    #[inline]
    fn consume(&mut self, count: usize) {
        self.rio_cnt -= count as c_int;
        self.rio_bufptr = self.rio_bufptr.wrapping_add(count);
    }

    /// Refills the empty buffer with one read, and returns how many bytes came.
    fn fill(&mut self, source: &mut impl Source) -> Result<usize> {
        let start = (&raw mut self.rio_buf).cast();
        self.rio_cnt = 0;
        self.rio_bufptr = start;
        // SAFETY: rio_buf is RIO_BUFSIZE bytes long and exclusively ours.
        let mut room = unsafe { Room::new(start.cast(), RIO_BUFSIZE) };
        source.read(self.rio_fd, &mut room)?;
        let count = RIO_BUFSIZE - room.left();
        self.rio_cnt = count as c_int;
        Ok(count)
    }

    /// Ends a failed call, whose first `wanted - room.left()` bytes are with the caller, in
    /// such a way that none is lost: into the buffer again, or, where they are too many for it,
    /// to be continued by the same call.
    #[cold]
    fn put_back(&mut self, call: Call, room: &Room, wanted: usize, reason: Errno) -> Result<usize> {
        let gathered = wanted - room.left();
        let start = room.next().wrapping_sub(gathered);
        let buf: *mut u8 = (&raw mut self.rio_buf).cast();
        if gathered <= RIO_BUFSIZE {
            // SAFETY: this call stored that many bytes at `start`, and rio_buf has room for them.
            unsafe { ptr::copy(start, buf, gathered) };
            self.rio_bufptr = buf.cast();
            self.rio_cnt = gathered as c_int;
        } else {
            self.rio_bufptr = start.cast();
            self.rio_cnt = call as c_int;
            let suspended = Suspended {
                seal: self.seal(gathered, wanted),
                gathered,
                wanted,
            };
            // SAFETY: rio_buf is empty and much larger than this; its alignment is not asked for.
            unsafe { buf.cast::<Suspended>().write_unaligned(suspended) };
        }
        Err(reason)
    }

    /// A number that changes with the place of the rio_t, with its fields and with each of these.
    fn seal(&self, gathered: usize, wanted: usize) -> usize {
        [
            ptr::from_ref(self).addr(),
            self.rio_bufptr.addr(),
            self.rio_cnt as usize,
            gathered,
            wanted,
        ]
        .iter()
        .fold(0, |seal: usize, word| seal.rotate_left(13) ^ word)
    }

    /// Goes on where a failed call of the same kind stopped, with the same buffer and at least
    /// the same count; EINVAL for everything else that `unread` does not understand.
    #[cold]
    fn resume(&mut self, call: Call, room: &mut Room) -> Result<()> {
        const REFUSED: Result<()> = Err(Errno(libc::EINVAL));
        if self.rio_cnt != call as c_int || self.rio_bufptr.cast() != room.next() {
            return REFUSED;
        }
        let buf: *mut u8 = (&raw mut self.rio_buf).cast();
        // SAFETY: any bytes make a Suspended; whether these do is checked before they are used.
        let suspended = unsafe { buf.cast::<Suspended>().read_unaligned() };
        if suspended.seal != self.seal(suspended.gathered, suspended.wanted)
            || suspended.gathered <= RIO_BUFSIZE
            || suspended.gathered >= suspended.wanted
            || suspended.wanted > room.left()
        {
            return REFUSED;
        }
        // SAFETY: the failed call stored that many bytes there, and they are within `left`.
        unsafe { room.advance(suspended.gathered) };
        self.rio_bufptr = buf.cast();
        self.rio_cnt = 0;
        Ok(())
    }
}
