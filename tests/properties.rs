//! The buffered reader beside a model that reads one byte at a time: with any data, any short reads, any
//! interruptions and errors, and any mix of calls.

#[path = "common/model.rs"]
mod model;

use std::collections::VecDeque;

use csapp::rio::RIO_BUFSIZE;
use csapp::sys::Errno;
use model::{Call, Damage, Event, MOST, Session};
use proptest::prelude::*;

/// Miri is a thousand times as slow: there are fewer cases, and smaller ones.
const CASES: u32 = if cfg!(miri) { 4 } else { 500 };
const LINES: usize = if cfg!(miri) { 4 } else { 30 };
const CALLS: usize = if cfg!(miri) { 8 } else { 60 };
const BYTES: usize = if cfg!(miri) { 300 } else { RIO_BUFSIZE };

fn events() -> impl Strategy<Value = VecDeque<Event>> {
    let event = prop_oneof![
        4 => (1usize..40).prop_map(Event::Bytes),
        4 => (1usize..20_000).prop_map(Event::Bytes),
        3 => Just(Event::Interrupt),
        2 => Just(Event::Fail(libc::EAGAIN)),
        1 => Just(Event::Fail(libc::EIO)),
        1 => Just(Event::End),
    ];
    proptest::collection::vec(event, 0..CALLS).prop_map(VecDeque::from)
}

/// Lines of every length around those that matter, and bytes of every value.
fn data() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => 0usize..100,
        2 => 0usize..9000,
        1 => RIO_BUFSIZE - 2..RIO_BUFSIZE + 3,
        1 => 16_000usize..30_000,
    ];
    let lines = proptest::collection::vec((line, any::<u8>(), any::<bool>()), 0..LINES);
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

fn call() -> impl Strategy<Value = Call> {
    let size = prop_oneof![
        4 => 0usize..100,
        3 => 100usize..RIO_BUFSIZE,
        2 => RIO_BUFSIZE - 2..RIO_BUFSIZE + 3,
        2 => RIO_BUFSIZE..MOST,
    ];
    (any::<bool>(), size).prop_map(|(is_line, size)| match is_line {
        true => Call::Readlineb(size),
        false => Call::Readnb(size),
    })
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    proptest::collection::vec(call(), 1..CALLS)
}

fn damage() -> impl Strategy<Value = Damage> {
    const SIZE: i32 = RIO_BUFSIZE as i32;
    prop_oneof![
        2 => (-3..=3).prop_map(Damage::Count),
        2 => (SIZE - 3..=SIZE + 3).prop_map(Damage::Count),
        1 => any::<i32>().prop_map(Damage::Count),
        2 => (-3isize..=3).prop_map(Damage::Pointer),
        2 => (SIZE as isize - 3..=SIZE as isize + 3).prop_map(Damage::Pointer),
        1 => any::<isize>().prop_map(Damage::Pointer),
        1 => Just(Damage::Null),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every byte comes once and in order, and every call gives what the model gives. One that
    /// fails is made again until it succeeds, or another is made in its place. In between, a copy takes the reader's
    /// place.
    #[test]
    fn no_byte_is_lost_or_doubled(
        data in data(),
        events in events(),
        calls in calls(),
        moves in proptest::collection::vec(any::<bool>(), 7),
        is_patient in any::<bool>(),
    ) {
        let mut session = Session::new();
        session.source.data = data.into();
        session.source.events = events;
        let mut moves = moves.into_iter().cycle();
        for call in calls {
            loop {
                if moves.next() == Some(true) {
                    session.move_elsewhere();
                }
                let Err(reason) = session.call(call) else {
                    break;
                };
                if !is_patient && reason.0 != libc::EINVAL {
                    break;
                }
                prop_assert!([libc::EAGAIN, libc::EIO, libc::EINVAL].contains(&reason.0), "{reason:?}");
                if reason.0 == libc::EINVAL {
                    session.init();
                }
            }
        }
        // What no call has taken yet is still there.
        session.source.events.clear();
        let _ = session.repeat();
        let rest = session.rest().len().min(MOST);
        prop_assert_eq!(session.call(Call::Readnb(MOST)), Ok(rest));
    }

    /// After a failure with no more than RIO_BUFSIZE bytes gathered, a call of the other kind
    /// finds them all again.
    #[test]
    fn a_failed_call_consumes_nothing(
        data in proptest::collection::vec(any::<u8>(), 1..BYTES),
        chunk in 1usize..3000,
        line_first in any::<bool>(),
    ) {
        let without_newlines: Vec<u8> =
            data.iter().map(|&byte| if byte == b'\n' { 0 } else { byte }).collect();
        let count = without_newlines.len();
        let mut events: VecDeque<Event> =
            without_newlines.chunks(chunk).map(|part| Event::Bytes(part.len())).collect();
        events.push_back(Event::Fail(libc::EAGAIN));
        let mut session = Session::new();
        session.source.data = without_newlines.into();
        session.source.events = events;
        let (first, second) = match line_first {
            true => (Call::Readlineb(MOST), Call::Readnb(count)),
            false => (Call::Readnb(MOST), Call::Readlineb(count)),
        };
        prop_assert_eq!(session.call(first), Err(Errno(libc::EAGAIN)));
        prop_assert_eq!(session.call(second), Ok(count));
    }

    /// Fields that cannot be right make every call fail, and nothing is touched; those that can
    /// be are believed. rio_readinitb takes such a rio_t out of that state.
    #[test]
    fn damaged_fields_are_refused(
        data in data(),
        events in events(),
        before in call(),
        after in call(),
        damages in proptest::collection::vec(damage(), 1..3),
    ) {
        let mut session = Session::new();
        session.source.data = data.into();
        session.source.events = events;
        let _ = session.call(before);
        for damage in damages {
            session.damage(damage);
        }
        let _ = session.call(after);
        let _ = session.call(before);
        session.init();
        session.source.events.clear();
        prop_assert!(session.call(before).is_ok());
    }

    /// The same for what is noted of a call that waits to be repeated: it has gathered more than
    /// the buffer holds, and fewer bytes than it wants.
    #[test]
    fn a_damaged_note_is_refused(
        more in 1usize..20_000,
        wanted in RIO_BUFSIZE + 2..MOST,
        is_line in any::<bool>(),
        damage in prop_oneof![
            3 => Just(None),
            1 => (0..=RIO_BUFSIZE).prop_map(Some),
            1 => (RIO_BUFSIZE - 1..=RIO_BUFSIZE).prop_map(Some),
            1 => any::<usize>().prop_map(Some),
        ],
        beyond in 0usize..2,
    ) {
        let count = (RIO_BUFSIZE + more).min(wanted - 1);
        let mut session = Session::new();
        session.source.data = vec![b'x'; count].into();
        let pieces = [RIO_BUFSIZE, RIO_BUFSIZE, RIO_BUFSIZE, RIO_BUFSIZE];
        session.source.events = pieces[..count.div_ceil(RIO_BUFSIZE)].iter().copied().map(Event::Bytes).collect();
        session.source.events.push_back(Event::Fail(libc::EAGAIN));
        let call = if is_line { Call::Readlineb(wanted) } else { Call::Readnb(wanted) };
        prop_assert_eq!(session.call(call), Err(Errno(libc::EAGAIN)));
        session.damage(Damage::Gathered(damage.unwrap_or(wanted + beyond)));
        let _ = session.repeat();
        session.init();
        prop_assert_eq!(session.call(call), Ok(0));
    }
}
