//! The buffered reader against the naive model of tests/common/model.rs: any calls of any size, while
//! the source reads less than asked, is interrupted, fails and ends for a while; and now and then the rio_t's
//! fields are damaged, or a copy of it is used. Every three bytes are a step: what to do, and a
//! number. The library that ships, which CSAPP_SO names, goes through the same beside it.
#![no_main]

use csapp_fuzz::model::{Call, Damage, Event, MOST, Session};
use csapp_fuzz::shipped::Twin;
use libfuzzer_sys::fuzz_target;

/// A session, and the library that ships beside it.
struct Pair {
    session: Session,
    twin: Option<Twin>,
}

impl Pair {
    /// Makes a call on both, and says whether it succeeded.
    fn call(&mut self, call: Call) -> bool {
        let kept = self.session.suspended().map_or(0, |_| self.session.ahead());
        let outcome = self.session.call(call);
        if let Some(twin) = &mut self.twin
            && !twin.follow(&self.session, call, outcome, kept)
        {
            self.twin = None;
        }
        outcome.is_ok()
    }

    fn repeat(&mut self) {
        if let Some(call) = self.session.suspended() {
            self.call(call);
        }
    }

    fn init(&mut self) {
        self.session.init();
        self.twin.iter_mut().for_each(Twin::init);
    }

    fn damage(&mut self, damage: Damage) {
        if self.session.damage(damage)
            && let Some(twin) = &mut self.twin
        {
            twin.damage(&self.session, damage);
        }
    }
}

/// The most bytes in one session.
const MOST_DATA: usize = 60_000;

fuzz_target!(|data: &[u8]| {
    let mut pair = Pair {
        session: Session::new(),
        twin: Twin::new(),
    };
    let mut given = 0;
    for (at, step) in data.chunks_exact(3).enumerate() {
        let number = u16::from_le_bytes([step[1], step[2]]);
        let size = usize::from(number);
        let source = &mut pair.session.source;
        match step[0] % 16 {
            // A line, or a piece of one without its end. Its bytes differ from those around it.
            what @ (0 | 1) if given < MOST_DATA => {
                let size = size % 12_000;
                given += size;
                let bytes = (0..size).map(|i| (i + at * 37) as u8);
                let no_newline = |byte| if byte == b'\n' { 0 } else { byte };
                source.data.extend(bytes.map(no_newline));
                source.data.extend((what == 1).then_some(b'\n'));
            }
            // Two bytes as they are.
            2 => source.data.extend(&step[1..]),
            3 => source.events.push_back(Event::Bytes(size % 64)),
            4 | 5 => source.events.push_back(Event::Bytes(size)),
            6 => source.events.push_back(Event::Interrupt),
            7 => source.events.push_back(Event::Fail(libc::EAGAIN)),
            8 => source
                .events
                .push_back(Event::Fail(1 + i32::from(number % 130))),
            9 => source.events.push_back(Event::End),
            10 | 11 => drop(pair.call(Call::Readlineb(size % MOST))),
            12 => drop(pair.call(Call::Readnb(size % MOST))),
            13 => pair.repeat(),
            14 => match number % 4 {
                0 => pair.init(),
                1 | 2 => pair.session.move_elsewhere(),
                _ => pair.damage(Damage::Gathered(size)),
            },
            15 => {
                // Half of the numbers are about the ends of rio_buf.
                let field = i32::from(number >> 2) - 8;
                pair.damage(match number % 4 {
                    0 => Damage::Count(field),
                    1 => Damage::Pointer(field as isize),
                    2 if field == 0 => Damage::Null,
                    2 => Damage::Count(field << 17 | field),
                    _ => Damage::Pointer((field as isize) << 49 | field as isize),
                });
            }
            _ => {}
        }
    }
    // What no call has taken yet is still there.
    pair.session.source.events.clear();
    pair.repeat();
    while !pair.session.rest().is_empty() && pair.call(Call::Readnb(MOST)) {}
});
