//! Bytes that a rio_t has read ahead, and that are lost if another reader takes over its descriptor.
//!
//! A rio_t is known by rio_readinitb (of libcsapp.so, or found among the symbols of the program: patch.rs), or by a
//! read that fills it: the buffer of a rio_t lies right behind its descriptor, count and pointer, in libcsapp's as in
//! the book's. How many bytes it holds is looked up in its memory when that matters. The memory may have been used for
//! something else since; it counts only if the pointer and the count lead to the very end of what was read last.

use std::ffi::{c_int, c_void};

use crate::find::{Fault, peek};
use crate::real::Real;
use crate::shared::*;
use crate::stack::{Site, site};
use crate::state::{KeepErrno, Me, me};

/// Where rio_buf lies in a rio_t, and how long it is.
const BUFFER: usize = 16;
const SIZE: usize = 8192;

/// What lies before the buffer.
struct Header {
    fd: c_int,
    count: c_int,
    next: usize,
}

fn header(address: usize) -> Option<Header> {
    let mut bytes = [0; BUFFER];
    if !peek(address, &mut bytes) {
        return None;
    }
    let (fd, rest) = bytes.split_at(4);
    let (count, next) = rest.split_at(4);
    Some(Header {
        fd: c_int::from_ne_bytes(fd.try_into().ok()?),
        count: c_int::from_ne_bytes(count.try_into().ok()?),
        next: usize::from_ne_bytes(next.try_into().ok()?),
    })
}

impl Rio {
    fn reads(&self, fd: c_int, entry: &Fd) -> bool {
        self.address.get() != 0
            && self.fd.get() == fd
            && self.generation.get() == entry.generation.get()
            && self.position.get() == entry.position.get()
    }

    /// What it holds unread, if its memory still says so: in the book's form up to where the last read ended, in
    /// libcsapp's up to the end of the buffer.
    fn header(&self) -> Option<Header> {
        let buffer = self.address.get() + BUFFER;
        let ends = [buffer + self.last.get() as usize, buffer + SIZE];
        header(self.address.get()).filter(|header| {
            header.fd == self.fd.get()
                && (1..=self.last.get()).contains(&header.count)
                && ends.contains(&header.next.wrapping_add(header.count as usize))
        })
    }

    fn unread(&self) -> usize {
        if self.abandoned.get() > 0 {
            return self.abandoned.get() as usize;
        }
        self.header().map_or(0, |header| header.count as usize)
    }
}

/// Those that were ever a reader of `fd`, as it is open now.
fn readers<'a>(me: &Me, fd: c_int, entry: &'a Fd) -> impl Iterator<Item = &'static Rio> + use<'a> {
    let used = (me.process.rios_used.get() as usize).min(RIOS);
    me.process.rios[..used]
        .iter()
        .filter(move |rio| rio.reads(fd, entry))
}

fn record(me: &Me, address: usize, fd: c_int, entry: &Fd) -> Option<&'static Rio> {
    let used = (me.process.rios_used.get() as usize).min(RIOS);
    let known = me.process.rios[..used]
        .iter()
        .position(|rio| rio.address.get() == address);
    let idle = |rio: &Rio| {
        let entry = me.process.fd(rio.fd.get());
        rio.address.get() == 0
            || !entry
                .is_some_and(|entry| entry.state.get() == OPEN && rio.reads(rio.fd.get(), entry))
    };
    let free = || me.process.rios[..used].iter().position(idle);
    let next = || Some(me.process.rios_used.add(1) as usize).filter(|index| *index < RIOS);
    let rio = &me.process.rios[known.or_else(free).or_else(next)?];
    rio.fd.set(fd);
    rio.generation.set(entry.generation.get());
    rio.position.set(entry.position.get());
    rio.last.set(0);
    rio.abandoned.set(0);
    rio.init_stack.set(0);
    rio.read_stack.set(0);
    rio.initialised.set(0);
    rio.reported.set(0);
    rio.origin.set(0);
    rio.seen.set(0);
    rio.address.set(address);
    entry.flags.set(entry.flags.get() | RIO);
    Some(rio)
}

/// A number that gets a new meaning has no readers.
pub fn forget(me: &Me, fd: c_int) {
    if let Some(entry) = me.process.fd(fd) {
        readers(me, fd, entry).for_each(|rio| rio.address.set(0));
    }
}

/// The program is about to make `address` a reader of `fd`.
pub fn initialise(me: &Me, address: usize, fd: c_int, stack: u32) {
    let Some(entry) = me.process.fd(fd) else {
        return;
    };
    let used = (me.process.rios_used.get() as usize).min(RIOS);
    let before = me.process.rios[..used]
        .iter()
        .find(|rio| rio.address.get() == address);
    let mut abandoned = None;
    if let Some(before) = before {
        let old = me.process.fd(before.fd.get());
        let unread = match old {
            Some(old) if old.state.get() == OPEN && before.reads(before.fd.get(), old) => {
                before.unread()
            }
            _ => 0,
        };
        if unread > 0 && before.fd.get() == fd && before.reported.get() == 0 {
            let at = [
                (Call::ReadInit, stack),
                (Call::Read, before.read_stack.get()),
                (Call::ReadInit, before.init_stack.get()),
            ];
            let numbers = [unread as i64, 0];
            Fault {
                kind: Kind::LostBytes,
                fd,
                at: &at,
                numbers: &numbers,
                text: b"",
            }
            .report(me);
        } else if unread > 0 && before.fd.get() != fd {
            abandoned = Some((
                before.fd.get(),
                before.init_stack.get(),
                before.read_stack.get(),
                unread,
            ));
        }
    }
    if let Some(rio) = record(me, address, fd, entry) {
        rio.init_stack.set(stack);
        rio.initialised.set(1);
    }
    if let Some((old, init, read, unread)) = abandoned {
        keep_abandoned(me, old, init, read, unread);
    }
}

/// A rio_t went over to another descriptor with unread bytes of `fd`: they count when `fd` is read again.
fn keep_abandoned(me: &Me, fd: c_int, init: u32, read: u32, unread: usize) {
    let Some(entry) = me.process.fd(fd) else {
        return;
    };
    // Not an address that anything reads into.
    let address = usize::MAX - fd as usize;
    if let Some(rio) = record(me, address, fd, entry) {
        rio.init_stack.set(init);
        rio.read_stack.set(read);
        rio.abandoned.set(unread as i32);
    }
}

/// Before `size` bytes at most are read from `fd` into `buffer`: finds the rio_t that this fills, and those whose bytes
/// this passes over.
#[inline]
pub fn before_read(
    me: &Me,
    fd: c_int,
    entry: &Fd,
    buffer: usize,
    size: usize,
    call: Call,
    stack: u32,
) -> Option<&'static Rio> {
    let has_readers = entry.flags.get() & RIO != 0;
    if !has_readers && (size != SIZE || !looks_like_rio(buffer, fd)) {
        return None;
    }
    let filled = if size >= SIZE / 2 {
        filled(me, fd, entry, buffer)
    } else {
        None
    };
    check_others(me, fd, entry, filled, (call, stack));
    filled
}

/// Whether a descriptor's number lies where that of a rio_t with this buffer would be.
fn looks_like_rio(buffer: usize, fd: c_int) -> bool {
    // What lies before the buffer may be in a page that is not there: only within the same page is it looked at.
    if buffer % 4096 < BUFFER || buffer % 8 != 0 {
        return false;
    }
    // SAFETY: the page is the caller's buffer's.
    unsafe { *((buffer - BUFFER) as *const c_int) == fd }
}

fn filled(me: &Me, fd: c_int, entry: &Fd, buffer: usize) -> Option<&'static Rio> {
    let address = buffer.wrapping_sub(BUFFER);
    check_copy(me, address);
    if let Some(known) = readers(me, fd, entry).find(|rio| rio.address.get() == address) {
        return Some(known);
    }
    let header = header(address)?;
    let inside = header.next >= buffer && header.next <= buffer + SIZE;
    // The book's copy still points into the other; libcsapp has moved it to the end of the copy's own buffer.
    let is_origin = |rio: &Rio| {
        let origin = rio.address.get();
        rio.initialised.get() != 0
            && [origin + BUFFER, buffer + SIZE].contains(&header.next)
            && is_fresh(origin, origin, fd)
    };
    let origin = readers(me, fd, entry).find(|rio| is_origin(rio));
    if header.fd != fd || header.count > 0 || !(inside || header.next == 0 || origin.is_some()) {
        return None;
    }
    let origin = origin.map(|rio| rio.address.get());
    let filled = record(me, address, fd, entry);
    if let (Some(copy), Some(origin)) = (filled, origin) {
        copy.origin.set(origin);
        me.process.copies.add(1);
    }
    filled
}

/// Looks up what copies of a rio_t hold unread, those that read `fd` or all: they may be overwritten next.
#[inline]
pub fn look_at_copies(me: &Me, fd: Option<c_int>) {
    if me.process.copies.get() != 0 {
        look(me, fd);
    }
}

#[cold]
fn look(me: &Me, fd: Option<c_int>) {
    let kept = KeepErrno::new();
    let used = (me.process.rios_used.get() as usize).min(RIOS);
    let is_one = |rio: &&Rio| {
        rio.origin.get() != 0 && rio.seen.get() != 0 && fd.is_none_or(|fd| fd == rio.fd.get())
    };
    for copy in me.process.rios[..used].iter().filter(is_one) {
        let address = copy.address.get();
        let is_there = header(address).is_some_and(|at| {
            at.fd == copy.fd.get() && at.next.wrapping_sub(address + BUFFER) <= SIZE
        });
        // Otherwise its memory is used for something else by now, and what was seen last counts.
        if is_there || copy.seen.get() == UNKNOWN {
            copy.seen.set(copy.unread() as i32);
        }
    }
    drop(kept);
}

/// Whether the rio_t at `address` is as rio_readinitb left that at `origin`.
fn is_fresh(address: usize, origin: usize, fd: c_int) -> bool {
    header(address).is_some_and(|at| at.fd == fd && at.count == 0 && at.next == origin + BUFFER)
}

/// The end of its buffer, where libcsapp puts what it has read: of `count` bytes, the last 64 at most.
fn end(address: usize, count: i32) -> Option<[u8; 64]> {
    let mut bytes = [0; 64];
    let count = (count as usize).min(bytes.len());
    peek(address + BUFFER + SIZE - count, &mut bytes[..count]).then_some(bytes)
}

/// A copy at `address` is about to be filled: reports what it held, if a rio_t was assigned to it since, and the one
/// that it is a copy of has never got these bytes.
#[inline]
fn check_copy(me: &Me, address: usize) {
    if me.process.copies.get() != 0 {
        check_overwritten(me, address);
    }
}

#[cold]
fn check_overwritten(me: &Me, address: usize) {
    let used = (me.process.rios_used.get() as usize).min(RIOS);
    let held = |rio: &&Rio| rio.address.get() == address && rio.seen.get() > 0;
    let Some(copy) = me.process.rios[..used].iter().find(held) else {
        return;
    };
    let (fd, origin) = (copy.fd.get(), copy.origin.get());
    let is_open = |entry: &&Fd| entry.state.get() == OPEN && copy.reads(fd, entry);
    let Some(entry) = me.process.fd(fd).filter(is_open) else {
        return;
    };
    let last = copy.last.get();
    let is_overwritten = header(address).is_some_and(|now| {
        let at_end = now.next == address + BUFFER + SIZE;
        now.fd != fd || (at_end && end(address, last) == end(origin, last))
    }) || is_fresh(address, origin, fd);
    let init = readers(me, fd, entry).find(|rio| rio.address.get() == origin);
    if let Some(init) = init.filter(|_| is_overwritten && is_fresh(origin, origin, fd)) {
        let at = [
            (Call::Read, copy.read_stack.get()),
            (Call::ReadInit, init.init_stack.get()),
        ];
        Fault {
            kind: Kind::LostBytes,
            fd,
            at: &at,
            numbers: &[i64::from(copy.seen.get()), 5],
            text: b"",
        }
        .report(me);
    }
    copy.seen.set(0);
}

/// Reports the bytes that others have read ahead and that this read passes over.
fn check_others(me: &Me, fd: c_int, entry: &Fd, filled: Option<&Rio>, at: (Call, u32)) {
    // After shutdown, what is still read is thrown away; and a rio_t that was never initialised is a copy of another.
    if entry.flags.get() & WRITE_SHUT != 0 || filled.is_some_and(|rio| rio.initialised.get() == 0) {
        return;
    }
    for other in readers(me, fd, entry) {
        if filled.is_some_and(|rio| std::ptr::eq(rio, other)) || other.reported.get() != 0 {
            continue;
        }
        let unread = other.unread();
        if unread == 0 || filled.is_some_and(|rio| holds_the_same(rio, other)) {
            continue;
        }
        other.reported.set(1);
        let second = filled.map_or(0, |rio| rio.init_stack.get());
        let at = [
            at,
            (Call::Read, other.read_stack.get()),
            (Call::ReadInit, other.init_stack.get()),
            (Call::ReadInit, second),
        ];
        let numbers = [unread as i64, if filled.is_some() { 1 } else { 2 }];
        Fault {
            kind: Kind::LostBytes,
            fd,
            at: &at,
            numbers: &numbers,
            text: b"",
        }
        .report(me);
    }
}

/// Whether one was assigned to the other, bytes and all.
fn holds_the_same(one: &Rio, other: &Rio) -> bool {
    let Some(header) = other.header() else {
        return false;
    };
    let mut bytes = [[0u8; 64]; 2];
    let length = (header.count as usize).min(64);
    let [a, b] = &mut bytes;
    let same_place = header.next - other.address.get() + one.address.get();
    peek(same_place, &mut a[..length]) && peek(header.next, &mut b[..length]) && a == b
}

/// A stdio stream begins to read a descriptor.
pub fn before_stream(me: &Me, fd: c_int, entry: &Fd, at: (Call, u32)) {
    if entry.flags.get() & RIO == 0 {
        return;
    }
    for rio in readers(me, fd, entry).filter(|rio| rio.reported.get() == 0) {
        let unread = rio.unread();
        if unread > 0 {
            rio.reported.set(1);
            let at = [
                at,
                (Call::Read, rio.read_stack.get()),
                (Call::ReadInit, rio.init_stack.get()),
            ];
            Fault {
                kind: Kind::LostBytes,
                fd,
                at: &at,
                numbers: &[unread as i64, 3],
                text: b"",
            }
            .report(me);
        }
    }
}

impl Rio {
    /// `bytes` were read into its buffer.
    #[inline]
    pub fn has_read(&self, bytes: usize, stack: u32) {
        self.last.set(bytes as i32);
        self.read_stack.set(stack);
        self.seen
            .set(if self.origin.get() == 0 { 0 } else { UNKNOWN });
    }
}

type ReadInit = unsafe extern "C" fn(*mut c_void, c_int);

fn hooked(real: &Real, address: *mut c_void, fd: c_int, at: Site) {
    if let Some(me) = me() {
        let kept = KeepErrno::new();
        initialise(&me, address as usize, fd, me.stack(at));
        drop(kept);
    }
    let mut next = real.address();
    if next.is_null() {
        next = in_library(real);
    }
    if !next.is_null() {
        // SAFETY: libcsapp's function, with the caller's arguments.
        unsafe { std::mem::transmute::<*mut c_void, ReadInit>(next)(address, fd) }
    }
}

/// The function in a libcsapp that came with a plug-in, where a look-up by name does not see it.
#[cold]
fn in_library(real: &Real) -> *mut c_void {
    // SAFETY: finds a library that is loaded already, and a name in it.
    unsafe {
        let library = libc::dlopen(
            c"libcsapp.so.1".as_ptr(),
            libc::RTLD_LAZY | libc::RTLD_NOLOAD,
        );
        if library.is_null() {
            library
        } else {
            libc::dlsym(library, real.name().as_ptr())
        }
    }
}

/// # Safety
/// As libcsapp's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rio_readinitb(rio: *mut c_void, fd: c_int) {
    static REAL: Real = Real::new(c"rio_readinitb");
    hooked(&REAL, rio, fd, site());
}

/// # Safety
/// As libcsapp's.
#[unsafe(no_mangle)]
#[allow(non_snake_case)]
pub unsafe extern "C" fn Rio_readinitb(rio: *mut c_void, fd: c_int) {
    static REAL: Real = Real::new(c"Rio_readinitb");
    hooked(&REAL, rio, fd, site());
}
