//! A model of the buffered reader that reads one byte at a time, and a source that fails as a script says. For
//! the properties here, and for the fuzz target `reader`.

use core::ffi::{c_char, c_int};
use std::collections::VecDeque;
use std::ptr;

use csapp::rio::{RIO_BUFSIZE, Source, rio_t};
use csapp::sys::{self, Errno, Result, Room};

/// What the next read of the scripted source does.
#[derive(Clone, Debug)]
pub enum Event {
    /// At most so many bytes come.
    Bytes(usize),
    /// A signal handler runs first.
    Interrupt,
    /// Nothing comes, for this reason.
    Fail(c_int),
    /// The file ends here, for now: a terminal's end of file can be read past.
    End,
}

/// Where a read was asked to put how many bytes at the most, and what came of it.
#[derive(Clone, Copy, Debug)]
struct Read {
    to: usize,
    most: usize,
    outcome: Result<usize>,
}

/// A source that follows a script, and when that is over, delivers what is left.
#[derive(Debug, Default)]
pub struct Script {
    pub data: VecDeque<u8>,
    pub events: VecDeque<Event>,
    reads: Vec<Read>,
}

impl Script {
    fn read_once(&mut self, room: &mut Room) -> Result<usize> {
        let most = match self.events.pop_front() {
            Some(Event::Interrupt) => return Err(Errno(libc::EINTR)),
            Some(Event::Fail(reason)) => return Err(Errno(reason)),
            Some(Event::End) => return Ok(0),
            Some(Event::Bytes(most)) => most,
            None => usize::MAX,
        };
        let count = most.min(room.left()).min(self.data.len());
        let bytes: Vec<u8> = self.data.drain(..count).collect();
        Ok(room.put(&bytes))
    }
}

impl Source for Script {
    fn read(&mut self, _: c_int, room: &mut Room) -> Result<usize> {
        let (to, most) = (room.next().addr(), room.left());
        let outcome = sys::restart(|| self.read_once(room));
        self.reads.push(Read { to, most, outcome });
        outcome
    }
}

/// A call, and how much it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Readlineb(usize),
    Readnb(usize),
}

impl Call {
    fn size(self) -> usize {
        match self {
            Call::Readlineb(size) | Call::Readnb(size) => size,
        }
    }

    /// The same call, asking for `size` bytes.
    fn resized(self, size: usize) -> Call {
        match self {
            Call::Readlineb(_) => Call::Readlineb(size),
            Call::Readnb(_) => Call::Readnb(size),
        }
    }

    /// The call of the other kind.
    fn other(self) -> Call {
        match self {
            Call::Readlineb(size) => Call::Readnb(size),
            Call::Readnb(size) => Call::Readlineb(size),
        }
    }

    /// What the call takes off the front of what is to be read, if all of it is there.
    fn of(self, data: &[u8]) -> usize {
        let most = self.size().min(data.len());
        match self {
            Call::Readnb(_) => most,
            Call::Readlineb(_) => {
                let mut count = 0;
                while count < most {
                    count += 1;
                    if data[count - 1] == b'\n' {
                        break;
                    }
                }
                count
            }
        }
    }

    /// Whether the call needs no byte beyond `data`.
    fn is_content_with(self, data: &[u8]) -> bool {
        let count = self.of(data);
        let is_line = matches!(self, Call::Readlineb(_)) && data[..count].ends_with(b"\n");
        count == self.size() || is_line
    }
}

/// What a program may do to the fields of its rio_t.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// Another rio_cnt.
    Count(c_int),
    /// A rio_bufptr so many bytes from the start of rio_buf.
    Pointer(isize),
    /// No rio_bufptr.
    Null,
    /// Where a call waits to be repeated, another number of bytes that it has gathered.
    Gathered(usize),
}

impl Damage {
    pub fn apply(self, reader: &mut rio_t) {
        let start: *mut c_char = (&raw mut reader.rio_buf).cast();
        match self {
            Damage::Count(count) => reader.rio_cnt = count,
            Damage::Pointer(offset) => reader.rio_bufptr = start.wrapping_offset(offset),
            Damage::Null => reader.rio_bufptr = ptr::null_mut(),
            // SAFETY: rio_buf holds the rio_t's address, and then this number.
            Damage::Gathered(count) => unsafe {
                start.cast::<usize>().add(1).write_unaligned(count);
            },
        }
    }
}

/// The most that a call asks for.
pub const MOST: usize = 20_000;

/// How many bytes beyond that are watched.
const BEYOND: usize = 1000;

static UNTOUCHED: [u8; MOST + BEYOND] = [0xA5; MOST + BEYOND];

/// A reader, its source, and what the model knows: what is yet to come, and who may call.
pub struct Session {
    pub source: Script,
    reader: Box<rio_t>,
    buffer: Vec<u8>,
    /// What has been taken from the source and not been given to a caller.
    ahead: VecDeque<u8>,
    /// The call that has to be repeated before any other.
    suspended: Option<Call>,
    /// The fields cannot be right.
    is_damaged: bool,
    /// What came of the reads of the last call, and the bytes that came.
    pub reads: Vec<Result<usize>>,
    pub came: Vec<u8>,
}

impl Session {
    pub fn new() -> Session {
        let mut reader = Box::<rio_t>::new_uninit();
        // SAFETY: init makes a rio_t of any writable one; its buffer is plain bytes, zeroed here.
        let reader = unsafe {
            reader.as_mut_ptr().write_bytes(0, 1);
            rio_t::init(reader.as_mut_ptr(), 0);
            reader.assume_init()
        };
        Session {
            source: Script::default(),
            reader,
            buffer: vec![0; MOST + BEYOND],
            ahead: VecDeque::new(),
            suspended: None,
            is_damaged: false,
            reads: Vec::new(),
            came: Vec::new(),
        }
    }

    /// Everything that no call has given out yet, in order.
    pub fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::with_capacity(self.ahead.len() + self.source.data.len());
        for part in [&self.ahead, &self.source.data] {
            let (first, second) = part.as_slices();
            rest.extend_from_slice(first);
            rest.extend_from_slice(second);
        }
        rest
    }
}

/// What the fuzz target has to see.
#[allow(dead_code)]
impl Session {
    /// The first bytes of the caller's buffer.
    pub fn given(&self, count: usize) -> &[u8] {
        &self.buffer[..count]
    }

    /// rio_cnt, and rio_buf as it is.
    pub fn fields(&self) -> (c_int, &[c_char; RIO_BUFSIZE]) {
        (self.reader.rio_cnt, &self.reader.rio_buf)
    }

    /// The call that has to be repeated.
    pub fn suspended(&self) -> Option<Call> {
        self.suspended
    }

    /// How many bytes have been taken from the source and not been given to a caller.
    pub fn ahead(&self) -> usize {
        self.ahead.len()
    }
}

impl Session {
    /// Repeats the call that waits for it.
    #[allow(dead_code)] // the fuzz target does it step by step
    pub fn repeat(&mut self) -> Option<Result<usize>> {
        self.suspended.map(|call| self.call(call))
    }

    /// Begins again, without what had been read ahead.
    pub fn init(&mut self) {
        // SAFETY: it is a rio_t of ours.
        unsafe { rio_t::init(&mut *self.reader, 0) };
        self.ahead.clear();
        self.suspended = None;
        self.is_damaged = false;
    }

    /// Makes a call and checks its outcome against the model's, the bytes, the fields, what it
    /// touched and what it asked of its source. A call that succeeds gives what it would have given
    /// without the failures before; save that one that met an end of the file may give less.
    pub fn call(&mut self, call: Call) -> Result<usize> {
        let is_refused = self.is_damaged
            || self.suspended.is_some_and(|first| {
                call.resized(0) != first.resized(0) || call.size() < first.size()
            });
        self.reads.clear();
        self.came.clear();
        if is_refused {
            self.check_refusal(call);
            return Err(Errno(libc::EINVAL));
        }
        let size = call.size();
        let rest = self.rest();
        let is_content = call.is_content_with(&rest[..self.ahead.len()]);
        self.source.reads.clear();
        let kept = self.suspended.map_or(0, |_| self.ahead.len());
        self.buffer[kept..].copy_from_slice(&UNTOUCHED[kept..]);
        let outcome = make(call, &mut self.reader, &mut self.source, &mut self.buffer);
        let reads = std::mem::take(&mut self.source.reads);
        assert!(
            reads.is_empty() || !is_content,
            "{call:?} read too much: {reads:?}"
        );
        self.check_reads(call, &reads);
        let came: usize = reads.iter().flat_map(|read| read.outcome).sum();
        let gathered = self.ahead.len() + came;
        self.came
            .extend_from_slice(&rest[self.ahead.len()..gathered]);
        self.reads.extend(reads.iter().map(|read| read.outcome));
        let stored = outcome.unwrap_or(gathered);
        assert!(
            self.buffer[stored..] == UNTOUCHED[stored..],
            "{call:?} wrote more than it says"
        );
        let last = self.reads.last().copied();
        match outcome {
            Ok(count) => {
                let expected = call.of(&rest);
                let has_ended = last == Some(Ok(0));
                assert!(
                    count == expected || (count < expected && has_ended && count == gathered),
                    "{call:?}: {count}, not {expected}"
                );
                assert!(
                    self.buffer[..count] == rest[..count],
                    "{call:?}: bytes differ"
                );
                self.ahead = rest[count..gathered].iter().copied().collect();
                self.suspended = None;
                if self.ahead.len() < RIO_BUFSIZE {
                    self.check_fields();
                }
            }
            Err(reason) => {
                assert_eq!(last, Some(Err(reason)), "{call:?}");
                self.ahead = rest[..gathered].iter().copied().collect();
                if gathered < RIO_BUFSIZE {
                    self.check_fields();
                } else if gathered > RIO_BUFSIZE {
                    assert!(self.reader.rio_cnt < 0, "{call:?}");
                    assert!(self.buffer[..gathered] == rest[..gathered], "{call:?}");
                    self.suspended = Some(call);
                    self.check_refusal(call.other());
                    self.check_refusal(call.resized(size - 1));
                    self.check_refusal_elsewhere(call);
                }
            }
        }
        outcome
    }

    /// Whether the fields are those of a copy by chance: of a note that is cut, for want of room, only the last bits of an
    /// address are there.
    fn looks_like_a_copy(&self) -> bool {
        let count = self.reader.rio_cnt as usize;
        let room = RIO_BUFSIZE.wrapping_sub(count);
        let end = self.reader.rio_bufptr.addr().wrapping_add(count);
        let own_end = self.reader.rio_buf.as_ptr().addr() + RIO_BUFSIZE;
        let note = (!end ^ (usize::MAX / 3)).to_ne_bytes();
        (1..note.len()).contains(&room)
            && end % align_of::<rio_t>() == own_end % align_of::<rio_t>()
            && (0..room).all(|at| self.reader.rio_buf[at] as u8 == note[at])
    }

    /// The fields have to say what is ahead, within rio_buf.
    fn check_fields(&self) {
        let start = self.reader.rio_bufptr.addr() - self.reader.rio_buf.as_ptr().addr();
        let count = self.reader.rio_cnt as usize;
        let unread = self.reader.rio_buf[start..][..count].iter();
        assert!(
            unread
                .map(|&byte| byte as u8)
                .eq(self.ahead.iter().copied())
        );
    }

    /// rio_readnb has its bytes put straight into the caller's buffer for as long as RIO_BUFSIZE
    /// or more are wanted; everything else goes through rio_buf, as much as that holds.
    fn check_reads(&self, call: Call, reads: &[Read]) {
        let mut gathered = self.ahead.len();
        for read in reads {
            let wanted = call.size() - gathered;
            let expected = match call {
                Call::Readnb(_) if wanted >= RIO_BUFSIZE => {
                    (self.buffer.as_ptr().addr() + gathered, wanted)
                }
                _ => (self.reader.rio_buf.as_ptr().addr(), RIO_BUFSIZE),
            };
            assert_eq!((read.to, read.most), expected, "{call:?}");
            gathered += read.outcome.unwrap_or(0);
        }
    }

    /// The call is EINVAL, and leaves everything as it was.
    fn check_refusal(&mut self, call: Call) {
        let before = self.buffer.clone();
        let fields = (self.reader.rio_cnt, self.reader.rio_bufptr);
        self.source.reads.clear();
        let outcome = make(call, &mut self.reader, &mut self.source, &mut self.buffer);
        assert_eq!(outcome, Err(Errno(libc::EINVAL)), "{call:?}");
        assert!(self.buffer == before, "{call:?} was refused, and wrote");
        assert_eq!((self.reader.rio_cnt, self.reader.rio_bufptr), fields);
        assert!(
            self.source.reads.is_empty(),
            "{call:?} was refused, and read"
        );
    }

    /// So it is with another buffer, where there are not the bytes gathered so far.
    fn check_refusal_elsewhere(&mut self, call: Call) {
        let mut elsewhere = self.buffer.clone();
        std::mem::swap(&mut self.buffer, &mut elsewhere);
        self.check_refusal(call);
        std::mem::swap(&mut self.buffer, &mut elsewhere);
    }

    /// Has a copy of the rio_t take its place, and spoils the original.
    pub fn move_elsewhere(&mut self) {
        // SAFETY: a rio_t has nothing to drop, so there may be two of the same bytes.
        let copy = Box::new(unsafe { ptr::read(&*self.reader) });
        let mut original = std::mem::replace(&mut self.reader, copy);
        // SAFETY: any bytes make a rio_t.
        unsafe { ptr::from_mut(&mut *original).write_bytes(0xA5, 1) };
    }

    /// Changes a field. What lies within rio_buf then is as good as any other; everything else
    /// is refused from now on. Says whether anything was changed.
    pub fn damage(&mut self, damage: Damage) -> bool {
        let wanted = self.suspended.map(Call::size);
        let is_there = ptr::addr_eq(self.reader.rio_bufptr, self.buffer.as_ptr());
        match (damage, wanted) {
            // Which kind of call is to be repeated cannot be checked by anybody, nor a number of bytes
            // that can be right.
            (Damage::Count(-2 | -1), _) if is_there => return false,
            (Damage::Count(count), _) if count == self.reader.rio_cnt => return false,
            (Damage::Gathered(count), Some(wanted))
                if (RIO_BUFSIZE + 1..wanted).contains(&count) =>
            {
                return false;
            }
            (Damage::Gathered(_), None) => return false,
            _ => damage.apply(&mut self.reader),
        }
        if matches!(damage, Damage::Gathered(_)) {
            self.is_damaged = true;
            return true;
        }
        let start = self.reader.rio_buf.as_ptr();
        let buffer = 0..=RIO_BUFSIZE as i128;
        let first = self.reader.rio_bufptr.addr() as i128 - start.addr() as i128;
        let end = first + i128::from(self.reader.rio_cnt);
        self.suspended = None;
        self.is_damaged =
            self.reader.rio_cnt < 0 || !buffer.contains(&first) || !buffer.contains(&end);
        self.ahead.clear();
        if self.is_damaged && self.looks_like_a_copy() {
            self.is_damaged = false;
            let unread = &self.reader.rio_buf[RIO_BUFSIZE - self.reader.rio_cnt as usize..];
            self.ahead.extend(unread.iter().map(|&byte| byte as u8));
        } else if !self.is_damaged {
            let unread = &self.reader.rio_buf[first as usize..end as usize];
            self.ahead.extend(unread.iter().map(|&byte| byte as u8));
        }
        true
    }
}

fn make(call: Call, reader: &mut rio_t, source: &mut Script, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: no call here asks for more than the buffer has.
    let room = unsafe { Room::new(buffer.as_mut_ptr().cast(), call.size()) };
    match call {
        Call::Readlineb(_) => reader.readlineb(source, room, 0),
        Call::Readnb(_) => reader.readnb(source, room),
    }
}
