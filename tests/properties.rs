//! The buffered reader against a model that does what its comment says one byte at a time:
//! any data, any short reads, any interruptions and errors in between, any mix of calls.

use core::ffi::c_int;
use std::collections::VecDeque;

use csapp::rio::{RIO_BUFSIZE, Source, rio_t};
use csapp::sys::{self, Errno, Result, Room};
use proptest::prelude::*;

/// What the next read of the scripted source does.
#[derive(Clone, Debug)]
enum Event {
    /// At most so many bytes come.
    Bytes(usize),
    /// A signal handler runs first.
    Interrupt,
    /// Nothing comes, for this reason.
    Fail(c_int),
    /// The file ends here, for now: a terminal's end of file can be read past.
    End,
}

/// A source that follows a script, and when that is over, delivers what is left.
struct Script {
    data: VecDeque<u8>,
    events: VecDeque<Event>,
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
        sys::restart(|| self.read_once(room))
    }
}

/// A call, and how much it asks for.
#[derive(Clone, Copy, Debug)]
enum Call {
    Readlineb(usize),
    Readnb(usize),
}

impl Call {
    fn size(self) -> usize {
        match self {
            Call::Readlineb(size) | Call::Readnb(size) => size,
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
}

const UNTOUCHED: u8 = 0xA5;

/// Makes one call with room for `call.size()` bytes, and checks that none beyond that was touched.
fn make(call: Call, reader: &mut rio_t, source: &mut Script, buffer: &mut [u8]) -> Result<usize> {
    let size = call.size();
    buffer[size..].fill(UNTOUCHED);
    // SAFETY: the buffer is longer than `size`.
    let room = unsafe { Room::new(buffer.as_mut_ptr().cast(), size) };
    let outcome = match call {
        Call::Readlineb(_) => reader.readlineb(source, room, 0),
        Call::Readnb(_) => reader.readnb(source, room),
    };
    assert!(
        buffer[size..].iter().all(|&byte| byte == UNTOUCHED),
        "wrote past the room"
    );
    outcome
}

fn reader() -> Box<rio_t> {
    let mut reader = Box::<rio_t>::new_uninit();
    // SAFETY: init makes a rio_t of any writable one; its buffer is plain bytes, zeroed here.
    unsafe {
        reader.as_mut_ptr().write_bytes(0, 1);
        rio_t::init(reader.as_mut_ptr(), 0);
        reader.assume_init()
    }
}

fn events() -> impl Strategy<Value = VecDeque<Event>> {
    let event = prop_oneof![
        4 => (1usize..40).prop_map(Event::Bytes),
        4 => (1usize..20_000).prop_map(Event::Bytes),
        3 => Just(Event::Interrupt),
        2 => Just(Event::Fail(libc::EAGAIN)),
        1 => Just(Event::Fail(libc::EIO)),
        1 => Just(Event::End),
    ];
    proptest::collection::vec(event, 0..60).prop_map(VecDeque::from)
}

/// Lines of every length around those that matter, and bytes of every value.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => 0usize..100,
        2 => 0usize..9000,
        1 => RIO_BUFSIZE - 2..RIO_BUFSIZE + 3,
        1 => 16_000usize..30_000,
    ];
    let lines = proptest::collection::vec((line, any::<u8>(), any::<bool>()), 0..30);
    lines.prop_map(|lines| {
        let mut data = Vec::new();
        for (length, seed, ends) in lines {
            let bytes = (0..length).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed));
            data.extend(bytes.map(|byte| if byte == b'\n' { 0 } else { byte }));
            if ends {
                data.push(b'\n');
            }
        }
        data
    })
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let size = prop_oneof![
        4 => 0usize..100,
        3 => 100usize..RIO_BUFSIZE,
        2 => RIO_BUFSIZE - 2..RIO_BUFSIZE + 3,
        2 => RIO_BUFSIZE..40_000,
    ];
    let call = (any::<bool>(), size).prop_map(|(is_line, size)| match is_line {
        true => Call::Readlineb(size),
        false => Call::Readnb(size),
    });
    proptest::collection::vec(call, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every byte comes once and in order, and every call gives what the model gives, save
    /// that one which ran into an end of the file gives less. One that fails is made again until
    /// it succeeds: then it gives what it would have given without the failure.
    #[test]
    fn no_byte_is_lost_or_doubled(data in data(), events in events(), calls in calls()) {
        let mut source = Script { data: data.clone().into(), events };
        let mut reader = reader();
        let mut buffer = vec![0; 41_000];
        let mut rest = &data[..];
        for call in calls {
            let ends = source.events.iter().filter(|event| matches!(event, Event::End)).count();
            let count = loop {
                match make(call, &mut reader, &mut source, &mut buffer) {
                    Ok(count) => break count,
                    Err(reason) => {
                        prop_assert!([libc::EAGAIN, libc::EIO].contains(&reason.0), "{reason}");
                        // With more gathered than the buffer holds, only the same call goes on.
                        if reader.rio_cnt < 0 {
                            let other = match call {
                                Call::Readlineb(size) => Call::Readnb(size),
                                Call::Readnb(size) => Call::Readlineb(size),
                            };
                            let kept = buffer.clone();
                            let refused = make(other, &mut reader, &mut source, &mut buffer);
                            prop_assert_eq!(refused, Err(Errno(libc::EINVAL)));
                            prop_assert_eq!(&buffer, &kept);
                            let mut elsewhere = vec![0; 41_000];
                            let refused = make(call, &mut reader, &mut source, &mut elsewhere);
                            prop_assert_eq!(refused, Err(Errno(libc::EINVAL)));
                        }
                    }
                }
            };
            let left = source.events.iter().filter(|event| matches!(event, Event::End)).count();
            let expected = call.of(rest);
            prop_assert!(count == expected || (count < expected && left < ends), "{call:?}: {count}, not {expected}");
            prop_assert_eq!(&buffer[..count], &rest[..count]);
            rest = &rest[count..];
        }
        // What no call has taken yet is still there.
        source.events.clear();
        let count = make(Call::Readnb(40_000), &mut reader, &mut source, &mut buffer);
        prop_assert_eq!(count, Ok(rest.len().min(40_000)));
        prop_assert_eq!(&buffer[..rest.len().min(40_000)], &rest[..rest.len().min(40_000)]);
    }

    /// After a failure with no more than RIO_BUFSIZE bytes gathered, a call of the other kind
    /// finds them all again.
    #[test]
    fn a_failed_call_consumes_nothing(
        data in proptest::collection::vec(any::<u8>(), 1..RIO_BUFSIZE),
        chunk in 1usize..3000,
        line_first in any::<bool>(),
    ) {
        let without_newlines: Vec<u8> =
            data.iter().map(|&byte| if byte == b'\n' { 0 } else { byte }).collect();
        let mut events: VecDeque<Event> =
            without_newlines.chunks(chunk).map(|part| Event::Bytes(part.len())).collect();
        events.push_back(Event::Fail(libc::EAGAIN));
        let mut source = Script { data: without_newlines.clone().into(), events };
        let mut reader = reader();
        let mut buffer = vec![0; 41_000];
        let (first, second) = match line_first {
            true => (Call::Readlineb(40_000), Call::Readnb(without_newlines.len())),
            false => (Call::Readnb(40_000), Call::Readlineb(without_newlines.len())),
        };
        prop_assert_eq!(make(first, &mut reader, &mut source, &mut buffer), Err(Errno(libc::EAGAIN)));
        prop_assert_eq!(reader.rio_cnt as usize, without_newlines.len());
        let mut again = vec![0; 41_000];
        prop_assert_eq!(make(second, &mut reader, &mut source, &mut again), Ok(without_newlines.len()));
        prop_assert_eq!(&again[..without_newlines.len()], &without_newlines[..]);
    }
}
