//! Robust I/O (CS:APP 3e, section 10.5): the unbuffered calls, and the buffered reader, of which a failed call consumes
//! nothing.
//!
//! capi/rio.rs checks the pointers from C before it calls this module; src/sys/ makes the system calls.

pub(crate) mod line;

use core::ffi::{c_char, c_int};
use core::hint::black_box;
use core::mem::offset_of;
use core::ptr;

use crate::sys::{self, Deadline, Errno, Outlet, Result, Room};

/// The size in bytes of the buffer of a rio_t.
pub const RIO_BUFSIZE: usize = 8192;

/// A buffered reader: a descriptor, and the bytes that have been read from it ahead of the
/// program.
///
/// rio_readinitb initialises it; after that, only the functions of this library change it. Only
/// one thread at a time may use it. Between calls a program may copy or move it. The copy
/// continues with the same bytes read ahead; each byte that is read later goes to only one of
/// the two.
///
/// [CS:APP 3e, section 10.5.2]
#[repr(C)]
#[derive(Debug)]
#[allow(non_camel_case_types)]
pub struct rio_t {
    /// The descriptor that is read.
    pub rio_fd: c_int,
    /// The number of unread bytes in rio_buf. Negative after a failed call that had gathered
    /// more than RIO_BUFSIZE bytes, until that call is repeated: see rio_readnb.
    pub rio_cnt: c_int,
    /// The next unread byte, in rio_buf; in the caller's buffer while rio_cnt is negative.
    pub rio_bufptr: *mut c_char,
    /// The bytes read ahead.
    pub rio_buf: [c_char; RIO_BUFSIZE],
}

/// A source of bytes, and how long a call waits for them. The tests have sources of their own.
pub trait Source {
    /// Reads once into `room`: 0 is the end of the file.
    fn read(&mut self, fd: c_int, room: &mut Room) -> Result<usize>;
}

/// The kernel, and how long a call waits for it.
#[derive(Debug, Clone, Copy)]
pub enum Kernel {
    /// Does not wait on an O_NONBLOCK descriptor, as the book's buffered calls.
    Plain,
    /// Waits on every descriptor, without a limit.
    Waiting,
    /// Waits until the deadline or the next signal, whichever comes first.
    InTime(Deadline),
}

impl Kernel {
    /// Returns the events to wait for on an O_NONBLOCK descriptor: `events` or none.
    #[inline(always)]
    fn awaits(self, events: libc::c_short) -> libc::c_short {
        match self {
            Kernel::Plain => sys::NO_WAIT,
            _ => events,
        }
    }
}

impl Source for Kernel {
    #[inline(always)]
    fn read(&mut self, fd: c_int, room: &mut Room) -> Result<usize> {
        match *self {
            Kernel::InTime(deadline) => sys::read_in_time(fd, room, deadline),
            Kernel::Plain | Kernel::Waiting => sys::read(fd, room, self.awaits(libc::POLLIN)),
        }
    }
}

/// What an unbuffered call has done: the number of bytes that it has moved, and the error that ended it, if one did. As two
/// words, which a function returns in registers.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// The number of bytes.
    pub count: usize,
    failure: Option<Errno>,
}

impl Moved {
    /// No byte, because of `reason`.
    pub fn nothing(reason: Errno) -> Moved {
        Moved {
            count: 0,
            failure: Some(reason),
        }
    }

    /// Returns the number of bytes, or the error.
    #[inline(always)]
    pub fn outcome(self) -> Result<usize> {
        match self.failure {
            None => Ok(self.count),
            Some(reason) => Err(reason),
        }
    }
}

/// Reads until `room` is full or the file ends.
#[inline(always)]
pub fn readn(mut source: Kernel, fd: c_int, mut room: Room) -> Moved {
    let wanted = room.left();
    let mut failure = None;
    while room.left() > 0 {
        match source.read(fd, &mut room) {
            Ok(0) => break,
            Ok(_) => {}
            Err(reason) => {
                failure = Some(reason);
                break;
            }
        }
    }
    Moved {
        count: wanted - room.left(),
        failure,
    }
}

/// Writes all of `bytes`, as [`writen`] does, which is not compiled into its caller.
#[inline(always)]
pub fn writen_here(sink: Kernel, fd: c_int, bytes: &[u8]) -> Moved {
    let mut outlet = Outlet::new(fd);
    let mut rest = bytes;
    let mut failure = None;
    while !rest.is_empty() {
        let written = match sink {
            Kernel::InTime(deadline) => outlet.write_in_time(rest, deadline),
            _ => outlet.write(rest, sink.awaits(libc::POLLOUT)),
        };
        match written {
            Ok(count @ 1..) => rest = &rest[count..],
            Ok(0) => {
                failure = Some(Errno(libc::ENOSPC));
                break;
            }
            Err(reason) => {
                failure = Some(reason);
                break;
            }
        }
    }
    Moved {
        count: bytes.len() - rest.len(),
        failure,
    }
}

/// Writes all of `bytes`.
#[inline(never)]
pub fn writen(sink: Kernel, fd: c_int, bytes: &[u8]) -> Moved {
    writen_here(sink, fd, bytes)
}

/// The buffered calls. If a call failed after it had gathered more bytes than the buffer holds, only a call of the same
/// kind can continue it. Until then, `rio_cnt` holds the number of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Readnb = -1,
    Readlineb = -2,
}

/// The size of the note. The bytes read ahead always end at the end of `rio_buf`. So their start follows from `rio_cnt`
/// alone, even in a copy, whose `rio_bufptr` still points into the original. A note in front of these bytes distinguishes
/// a copy from a damaged rio_t: it holds the address where the original's `rio_buf` ends, which a peer does not know. If
/// there is not enough room in front, which is the case only until a few bytes of a full buffer are taken, the note is
/// cut; see also `rio_t::sum`. (Reading less than a full buffer would leave room, but costs a fifth of the time: such reads
/// do not end at the end of a page.)
const NOTE: usize = size_of::<usize>();

/// The contents of `rio_buf`, which is empty otherwise, while a failed call waits to be continued. Meanwhile `rio_bufptr`
/// points to the caller's buffer, which still holds the gathered bytes.
#[derive(Clone, Copy)]
#[repr(C)]
struct Suspended {
    /// A checksum of everything that the next call relies on. It differs if something was overwritten.
    seal: usize,
    gathered: usize,
    wanted: usize,
}

impl rio_t {
    /// Tells the sanitizer, if there is one, that a call is about to use the reader.
    #[inline(always)]
    pub fn watch(this: *const rio_t) {
        sys::about_to_store(this.cast(), offset_of!(rio_t, rio_buf));
    }

    /// Starts reading `fd`, with nothing read ahead.
    ///
    /// # Safety
    /// `this` must be writable as a `rio_t`. It need not be initialised.
    pub unsafe fn init(this: *mut rio_t, fd: c_int) {
        // SAFETY: the caller's promise. Of rio_buf only the note is written; no other byte is looked at
        // before it has been read into.
        unsafe {
            let buf: *mut u8 = (&raw mut (*this).rio_buf).cast();
            (*this).rio_fd = fd;
            (*this).rio_cnt = 0;
            (*this).rio_bufptr = buf.cast();
            buf.cast::<[u8; NOTE]>()
                .write(note(buf.addr() + RIO_BUFSIZE, NOTE));
        }
    }

    /// Reads up to and including the next newline, but at most as many bytes as there is room for. Returns their number, which
    /// is 0 at the end of the file.
    ///
    /// The next `stored` bytes read ahead are in the room already, and none of them is a newline.
    pub fn readlineb(
        &mut self,
        source: &mut dyn Source,
        mut room: Room,
        stored: usize,
    ) -> Result<usize> {
        let wanted = room.left();
        if !self.tidy() {
            self.resume(Call::Readlineb, &mut room)?;
        } else if stored > 0 {
            // SAFETY: they are stored.
            unsafe { room.advance(stored) };
            self.take(stored);
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
            let is_whole = line::copy_line(self.ahead(), &mut room);
            self.take(left - room.left());
            if is_whole {
                break;
            }
        }
        Ok(wanted - room.left())
    }

    /// Takes the next `wanted` bytes and returns `wanted`, if the buffer has that many; otherwise takes nothing.
    ///
    /// # Safety
    /// `wanted` must not be 0, and so many bytes must be writable at `to`, outside of this rio_t.
    #[inline(always)]
    pub unsafe fn take_bytes(&mut self, to: *mut u8, wanted: usize) -> Option<usize> {
        let (count, from) = (self.rio_cnt as usize, self.rio_bufptr.cast::<u8>());
        // As `unread` does; here, the start need not be known early.
        if count > RIO_BUFSIZE - NOTE
            || count < wanted
            || from.addr().wrapping_add(count) != self.end().addr()
        {
            return None;
        }
        if wanted > line::CHUNK {
            // SAFETY: so many bytes are there; and the caller's promise.
            return Some(unsafe { self.take_many(to, wanted) });
        }
        self.take_up_to(from.wrapping_add(wanted), wanted);
        // SAFETY: the same.
        unsafe { line::copy_chunk(from, to, wanted) };
        Some(wanted)
    }

    /// Takes the next `wanted` bytes, and returns `wanted`.
    ///
    /// # Safety
    /// As [`rio_t::take_bytes`]. The buffer must have that many.
    #[inline(never)]
    unsafe fn take_many(&mut self, to: *mut u8, wanted: usize) -> usize {
        let from = self.rio_bufptr.cast::<u8>();
        self.take_up_to(from.wrapping_add(wanted), wanted);
        // SAFETY: the caller's promise.
        unsafe { ptr::copy_nonoverlapping(from, to, wanted) };
        // The compiler would rather keep the caller's number across a call than jump here for the same.
        black_box(wanted)
    }

    /// Reads until `room` is full or the file ends, and returns the number of bytes.
    pub fn readnb(&mut self, source: &mut dyn Source, mut room: Room) -> Result<usize> {
        let wanted = room.left();
        if self.tidy() {
            self.pass(&mut room);
        } else {
            self.resume(Call::Readnb, &mut room)?;
        }
        while room.left() > 0 {
            let is_filled = room.left() < RIO_BUFSIZE;
            let came = if is_filled {
                self.fill(source)
            } else {
                source.read(self.rio_fd, &mut room)
            };
            match came {
                Ok(0) => break,
                Ok(_) if is_filled => self.pass(&mut room),
                Ok(_) => {}
                Err(reason) => return self.put_back(Call::Readnb, &room, wanted, reason),
            }
        }
        Ok(wanted - room.left())
    }

    /// The end of rio_buf, and of what is read ahead.
    #[inline(always)]
    fn end(&self) -> *const u8 {
        let buf: *const u8 = (&raw const self.rio_buf).cast();
        buf.wrapping_add(RIO_BUFSIZE)
    }

    /// Returns the bytes read ahead in the usual case: this rio_t is not a copy, and the whole note is in front of them.
    /// Returns `None` if [`rio_t::tidy`] must look.
    #[inline(always)]
    fn unread(&self) -> Option<&[u8]> {
        let buf: *const u8 = (&raw const self.rio_buf).cast();
        let start = self.rio_bufptr.addr().wrapping_sub(buf.addr());
        let count = self.rio_cnt as usize; // a negative count is larger than any buffer
        // The comparison uses only the lower halves. Otherwise the compiler would derive the start from the count, which is
        // known later than rio_bufptr.
        let is_at_end = (start as u32).wrapping_add(count as u32) == RIO_BUFSIZE as u32;
        if start > RIO_BUFSIZE || count > RIO_BUFSIZE - NOTE || !is_at_end {
            return None;
        }
        // SAFETY: that lies within rio_buf; so far as the fields are ours, those bytes have been read into.
        Some(unsafe { core::slice::from_raw_parts(buf.add(start), count) })
    }

    /// Records that the first `count` unread bytes have been taken, and that the next one is at `next`.
    #[inline(always)]
    fn take_up_to(&mut self, next: *const u8, count: usize) {
        self.rio_cnt -= count as c_int;
        self.rio_bufptr = next.cast_mut().cast();
    }

    /// If this is a copy, makes it independent of the original, and moves the bytes read ahead to the end of rio_buf. Returns
    /// false if the fields are not valid: a failed call waits to be continued, or they are damaged or were never set.
    #[inline(always)]
    fn tidy(&mut self) -> bool {
        let count = self.rio_cnt as usize;
        let end = self.rio_bufptr.addr().wrapping_add(count);
        count <= RIO_BUFSIZE && (end == self.end().addr() || self.move_here(end, count))
    }

    /// [`rio_t::tidy`] if the `count` bytes read ahead end at the address `end`, which is not the end of rio_buf.
    #[cold]
    #[inline(never)]
    fn move_here(&mut self, end: usize, count: usize) -> bool {
        if count == RIO_BUFSIZE && self.rio_bufptr.addr() == self.sum() {
            return true; // and rio_bufptr holds the checksum until a byte is taken
        }
        // After rio_readinitb, rio_bufptr is the start of rio_buf.
        let is_fresh = count == 0 && self.is_noted(end.wrapping_add(RIO_BUFSIZE), 0);
        if !is_fresh && !self.is_noted(end, count) {
            // A program that refills the buffer itself may put the bytes anywhere in rio_buf.
            let Some(start) = self.own_start(count) else {
                return false;
            };
            let buf: *mut u8 = (&raw mut self.rio_buf).cast();
            // SAFETY: both lie within rio_buf.
            unsafe { ptr::copy(buf.add(start), buf.add(RIO_BUFSIZE - count), count) };
        }
        self.set_ahead(count);
        true
    }

    /// Returns the index in rio_buf of the `count` bytes at rio_bufptr, or `None` if they are not all in rio_buf.
    fn own_start(&self, count: usize) -> Option<usize> {
        let start = self
            .rio_bufptr
            .addr()
            .wrapping_sub(self.rio_buf.as_ptr().addr());
        (start <= RIO_BUFSIZE - count).then_some(start)
    }

    /// Whether the note says that the `count` bytes read ahead ended at the address `end` in the original.
    fn is_noted(&self, end: usize, count: usize) -> bool {
        if count == RIO_BUFSIZE {
            return false; // there is no room for a note
        }
        let room = NOTE.min(RIO_BUFSIZE - count);
        let buf: *const u8 = (&raw const self.rio_buf).cast();
        // SAFETY: that lies within rio_buf.
        let written = unsafe { core::slice::from_raw_parts(buf, room) };
        // A cut note does not prove this: the original had the alignment of a rio_t.
        const ALIGNMENT: usize = align_of::<rio_t>();
        let is_likely = end % ALIGNMENT == self.end().addr() % ALIGNMENT;
        // Not as slices: their comparison calls bcmp, where MemorySanitizer takes these bytes for uninitialised.
        is_likely
            && written
                .iter()
                .zip(note(end, room))
                .all(|(byte, noted)| *byte == noted)
    }

    /// Returns a checksum of the bytes of rio_buf. If a failed call has filled all of rio_buf, rio_bufptr holds it in place
    /// of the note.
    fn sum(&self) -> usize {
        let bytes = self.rio_buf.iter();
        bytes.fold(usize::MAX, |sum, &byte| {
            sum.rotate_left(7) ^ byte as u8 as usize
        })
    }

    /// Returns the bytes read ahead, if this rio_t is tidy.
    fn ahead(&self) -> &[u8] {
        let count = (self.rio_cnt as usize).min(RIO_BUFSIZE);
        // SAFETY: that lies within rio_buf; so far as the fields are ours, those bytes have been read into.
        unsafe { core::slice::from_raw_parts(self.end().sub(count), count) }
    }

    /// Takes as many of the bytes read ahead as there is room for.
    #[inline(always)]
    fn pass(&mut self, room: &mut Room) {
        let count = room.put(self.ahead());
        if count > 0 {
            self.take(count);
        }
    }

    /// Records that the first `count` bytes read ahead have been taken.
    fn take(&mut self, count: usize) {
        self.set_ahead(self.ahead().len() - count);
    }

    /// Records that the last `count` bytes of rio_buf are read ahead, and writes the note.
    fn set_ahead(&mut self, count: usize) {
        let end = self.end();
        self.rio_cnt = count as c_int;
        self.rio_bufptr = end.wrapping_sub(count).cast_mut().cast();
        let room = RIO_BUFSIZE - count;
        let note = note(end.addr(), room);
        let buf: *mut u8 = (&raw mut self.rio_buf).cast();
        // SAFETY: there is that much room in front of the bytes read ahead.
        unsafe {
            if room >= NOTE {
                buf.cast::<[u8; NOTE]>().write(note);
            } else {
                ptr::copy_nonoverlapping(note.as_ptr(), buf, room);
            }
        }
    }

    /// Refills the empty buffer with one read, and returns the number of bytes read. What empties the buffer leaves its note
    /// whole, and rio_bufptr at its end.
    #[inline(always)]
    fn fill(&mut self, source: &mut dyn Source) -> Result<usize> {
        let buf: *mut u8 = (&raw mut self.rio_buf).cast();
        // SAFETY: rio_buf is RIO_BUFSIZE bytes long and exclusively ours.
        let mut room = unsafe { Room::new(buf.cast(), RIO_BUFSIZE) };
        source.read(self.rio_fd, &mut room)?;
        let count = RIO_BUFSIZE - room.left();
        if count < RIO_BUFSIZE {
            // SAFETY: both lie within rio_buf.
            unsafe { ptr::copy(buf, buf.add(RIO_BUFSIZE - count), count) };
        }
        self.set_ahead(count);
        Ok(count)
    }

    /// Ends a failed call, and loses none of its first `wanted - room.left()` bytes, which are in the caller's buffer. Copies
    /// them back to rio_buf, or if they are too many for it, leaves them there for the same call to continue.
    #[cold]
    fn put_back(&mut self, call: Call, room: &Room, wanted: usize, reason: Errno) -> Result<usize> {
        let gathered = wanted - room.left();
        let start = room.next().wrapping_sub(gathered);
        let buf: *mut u8 = (&raw mut self.rio_buf).cast();
        if gathered <= RIO_BUFSIZE {
            // SAFETY: this call stored that many bytes at `start`, and rio_buf has room for them.
            unsafe { ptr::copy(start, buf.add(RIO_BUFSIZE - gathered), gathered) };
            self.set_ahead(gathered);
            if gathered == RIO_BUFSIZE {
                self.rio_bufptr = ptr::without_provenance_mut(self.sum());
            }
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

    /// Returns a checksum of the fields, which include the address of the caller's buffer, and of the parameters.
    fn seal(&self, gathered: usize, wanted: usize) -> usize {
        [
            self.rio_bufptr.addr(),
            self.rio_cnt as usize,
            gathered,
            wanted,
        ]
        .iter()
        .fold(usize::MAX, |seal, word| seal.rotate_left(13) ^ word)
    }

    /// Continues after a failed call of the same kind, with the same buffer and at least the same count. Fails with EINVAL in
    /// every other case that `tidy` refuses.
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
        self.set_ahead(0);
        Ok(())
    }
}

/// Returns the note for bytes read ahead that end at the address `end`. The caller writes the first `room` bytes of it. The
/// note of a rio_t that is all zeros is not zero, and a cut note is never the start of a whole one.
fn note(end: usize, room: usize) -> [u8; NOTE] {
    let is_cut = room < NOTE;
    (!end ^ if is_cut { usize::MAX / 3 } else { 0 }).to_ne_bytes()
}
