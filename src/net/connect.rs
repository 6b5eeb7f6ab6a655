//! Connecting to the first of several addresses that answers. Attempts are staggered as in RFC 8305
//! ("Happy Eyeballs"), so that an address that does not answer costs a quarter of a second.

use core::cell::Cell;
use core::ffi::{CStr, c_int};

use super::lookup::{interleave, look_up};
use super::{Cause, Failure, Weight};
use crate::sys::{self, Address, Addresses, Deadline, Endpoint, Errno, Result};

/// The milliseconds between the starts of two attempts: the Connection Attempt Delay of RFC 8305, section 5.
/// The earlier attempt continues.
const ATTEMPT_DELAY: i64 = 250;

/// The largest number of attempts that run at the same time.
const MAX_ATTEMPTS: usize = 16;

/// Returns a connected, blocking, close-on-exec stream socket. `timeout` is in milliseconds, and holds for all
/// addresses together. It includes the look-up, which cannot be cut short. A negative one means no limit.
pub fn connect(
    host: Option<&CStr>,
    port: &CStr,
    timeout: c_int,
) -> core::result::Result<c_int, Failure> {
    let deadline = Deadline::from_timeout(timeout);
    let addresses = look_up(host, port)?;
    let slots = [const { Cell::new(None) }; MAX_ATTEMPTS];
    let race = Race::new(&addresses, &slots, deadline);
    // SAFETY: if the call does not return, nothing uses the race or the addresses any more.
    let outcome = unsafe { sys::with_cleanup(&race, Race::abandon, || race.run()) };
    addresses.free();
    Ok(outcome?)
}

/// Connects the blocking socket `fd` by `connect`. If a signal interrupts the call, the attempt continues in the kernel,
/// and this function waits for its outcome: a second connect would fail (POSIX, connect). Only on a Unix domain socket
/// the signal ends the attempt; then this function repeats it.
pub fn connect_through(fd: c_int, mut connect: impl FnMut() -> Result<()>) -> Result<()> {
    sys::restart_in_time(fd, libc::SO_SNDTIMEO, || match connect() {
        Err(Errno(libc::EINTR)) => interrupted_outcome(fd),
        outcome => outcome,
    })
}

/// Waits for the outcome of an attempt that a signal has interrupted. Fails with EINTR if the kernel has ended it.
fn interrupted_outcome(fd: c_int) -> Result<()> {
    sys::wait_connected(fd)?;
    sys::connect_outcome(fd)?;
    if Endpoint::peer(fd).is_ok() {
        return Ok(());
    }
    match Endpoint::local(fd)?.family() {
        libc::AF_UNIX => Err(Errno(libc::EINTR)),
        _ => Err(Errno(libc::ECONNRESET)), // connected, and reset at once
    }
}

/// Refuses a socket that is connected to itself. If no program listens on a loopback port of the ephemeral range, the
/// kernel may choose that port for the socket that connects to it. Then TCP's simultaneous open succeeds (RFC 9293,
/// section 3.5).
fn refuse_itself(fd: c_int, address: Address) -> Result<()> {
    let local = Endpoint::local(fd)?;
    // Different ports settle nearly every case without a second call.
    if local.port().is_some() && local.port() == address.port() && local.is(&Endpoint::peer(fd)?) {
        // After an ordinary close, the socket would keep the port from a server that starts later.
        sys::reset_on_close(fd);
        return Err(Errno(libc::ECONNREFUSED));
    }
    Ok(())
}

/// An attempt to connect: its socket, the address, and the number of attempts that started before it.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    fd: c_int,
    address: Address<'a>,
    number: u32,
}

/// The outcome of starting an attempt.
enum Start {
    Connected(c_int),
    Running,
    Failed,
    /// No descriptor is free for it, until another attempt has ended.
    Postponed,
}

type Slot<'a> = Cell<Option<Attempt<'a>>>;
type Slots<'a> = [Slot<'a>; MAX_ATTEMPTS];

/// Attempts on several addresses at once; the first that connects wins. Everything that is open
/// during a connect is in cells, because the cancellation clean-up reads it while the call runs.
struct Race<'r, 'a> {
    addresses: &'a Addresses,
    deadline: Deadline,
    /// The lowest free slot is taken first.
    slots: &'r Slots<'a>,
    /// How many attempts have been started.
    started: Cell<u32>,
    /// Why addresses have failed.
    reason: Cell<Cause>,
}

impl<'r, 'a> Race<'r, 'a> {
    fn new(addresses: &'a Addresses, slots: &'r Slots<'a>, deadline: Deadline) -> Race<'r, 'a> {
        Race {
            addresses,
            deadline,
            slots,
            started: Cell::new(0),
            reason: Cell::new(Cause::NONE),
        }
    }

    /// Closes and frees everything.
    ///
    /// # Safety
    /// Nobody may use the addresses afterwards.
    unsafe extern "C" fn abandon(&self) {
        self.close_all_but(None);
        // SAFETY: the caller's promise.
        unsafe { self.addresses.free_in_place() };
    }

    /// Tries one address after another until one connects, none is left or the time is up.
    /// Closes every descriptor except the winner's.
    fn run(&self) -> Result<c_int> {
        let mut addresses = self.addresses.iter();
        match (addresses.next(), addresses.next()) {
            (Some(only), None) if self.deadline == Deadline::never() => self.connect_only(only),
            _ => self.connect_to_any(),
        }
    }

    fn connect_to_any(&self) -> Result<c_int> {
        let outcome = self.winner(interleave(self.addresses));
        let outcome = outcome.and_then(|fd| sys::set_blocking(fd).map(|()| fd));
        self.close_all_but(outcome.ok());
        outcome
    }

    /// Connects to the one address there is: a plain blocking connect.
    fn connect_only(&self, address: Address<'a>) -> Result<c_int> {
        let slot = &self.slots[0];
        let outcome = self.open(slot, address, 0);
        let winner = self.noted(address, outcome).and_then(|attempt| {
            let outcome = connect_through(attempt.fd, || address.connect(attempt.fd));
            self.settle(slot, attempt, outcome)
        });
        winner.ok_or(self.reason.get().errno)
    }

    #[inline(never)]
    fn winner(&self, mut addresses: impl Iterator<Item = Address<'a>>) -> Result<c_int> {
        let mut postponed = None;
        let mut next_start = Deadline::past();
        loop {
            if next_start.is_past() {
                if let Some(address) = postponed.take().or_else(|| addresses.next()) {
                    next_start = match self.start(address) {
                        Start::Connected(fd) => return Ok(fd),
                        Start::Postponed => {
                            postponed = Some(address);
                            Deadline::never()
                        }
                        Start::Failed => Deadline::past(),
                        Start::Running => Deadline::after(ATTEMPT_DELAY),
                    };
                    continue;
                }
                if self.count() == 0 {
                    return Err(self.reason.get().errno);
                }
                next_start = Deadline::never();
            }
            let running = self.count();
            let is_time_up = self.deadline.is_past();
            if let Some(fd) = self.wait(next_start.min(self.deadline))? {
                return Ok(fd);
            }
            if is_time_up {
                return Err(Errno(libc::ETIMEDOUT));
            }
            if self.count() < running {
                next_start = Deadline::past();
            }
        }
    }

    /// How many attempts are under way.
    #[inline(never)]
    fn count(&self) -> usize {
        self.slots.iter().filter_map(Cell::get).count()
    }

    /// Starts an attempt.
    fn start(&self, address: Address<'a>) -> Start {
        let slot = self.free_slot();
        let attempt = match self.open(slot, address, sys::NONBLOCKING) {
            Err(reason) if is_shortage(reason) && self.count() > 0 => return Start::Postponed,
            outcome => self.noted(address, outcome),
        };
        let Some(attempt) = attempt else {
            return Start::Failed;
        };
        match address.connect(attempt.fd) {
            Err(Errno(libc::EINPROGRESS | libc::EINTR)) => Start::Running,
            outcome => match self.settle(slot, attempt, outcome) {
                Some(fd) => Start::Connected(fd),
                None => Start::Failed,
            },
        }
    }

    /// Returns the lowest free slot. If there is none, ends the oldest attempt, which has had no answer for seconds, and
    /// returns its slot.
    fn free_slot(&self) -> &'r Slot<'a> {
        let order = |slot: &&Slot<'a>| slot.get().map_or(0, |attempt| attempt.number + 1);
        let slot = self.slots.iter().min_by_key(order);
        let slot = slot.unwrap_or(&self.slots[0]); // there is always one
        if let Some(attempt) = slot.get() {
            self.settle(slot, attempt, Err(Errno(libc::ETIMEDOUT)));
        }
        slot
    }

    /// Waits until `wake` or until an attempt ends. Returns the descriptor of the attempt that connected, if one did.
    #[inline(never)]
    fn wait(&self, wake: Deadline) -> Result<Option<c_int>> {
        // poll ignores negative descriptors, but fails if there are more entries than a process may have descriptors.
        // There never are: the lowest free slot is always used first.
        let mut polled = [sys::pollfd(-1, libc::POLLOUT); MAX_ATTEMPTS];
        let mut used = 0;
        for (at, (polled, slot)) in polled.iter_mut().zip(self.slots).enumerate() {
            if let Some(attempt) = slot.get() {
                polled.fd = attempt.fd;
                used = at + 1;
            }
        }
        let polled = &mut polled[..used];
        match sys::poll(polled, wake) {
            Ok(_) => {}
            Err(Errno(libc::EINTR)) => return Ok(None),
            Err(reason) => return Err(reason),
        }
        let ended = self.slots.iter().zip(polled);
        let ended = ended.filter(|(_, polled)| polled.revents != 0);
        let mut ended = ended.filter_map(|(slot, _)| Some((slot, slot.get()?)));
        Ok(ended.find_map(|(slot, attempt)| {
            self.settle(slot, attempt, sys::connect_outcome(attempt.fd))
        }))
    }

    /// Opens a socket for `slot`, which is free; `flags` as in [`Address::socket`].
    fn open(&self, slot: &Slot<'a>, address: Address<'a>, flags: c_int) -> Result<Attempt<'a>> {
        let fd = address.socket(flags)?;
        let number = self.started.get();
        let attempt = Attempt {
            fd,
            address,
            number,
        };
        slot.set(Some(attempt));
        self.started.set(number + 1);
        Ok(attempt)
    }

    /// Ends the attempt in `slot`. Returns its descriptor if it connected; otherwise closes it and records the reason.
    fn settle(&self, slot: &Slot<'a>, attempt: Attempt<'a>, outcome: Result<()>) -> Option<c_int> {
        let outcome = outcome.and_then(|()| refuse_itself(attempt.fd, attempt.address));
        if outcome.is_err() {
            close(slot);
        }
        self.noted(attempt.address, outcome).map(|()| attempt.fd)
    }

    /// Returns the value, if there is one; otherwise records why `address` failed.
    fn noted<T>(&self, address: Address, outcome: Result<T>) -> Option<T> {
        if let Err(errno) = outcome {
            let mut reason = Cause::of(errno);
            // EADDRNOTAVAIL means that there is no local address of that family, or that no port of it is free.
            if errno.0 == libc::EADDRNOTAVAIL && address.has_route() {
                reason.weight = Weight::NoPort;
            }
            self.reason.set(self.reason.get().or_later(reason));
        }
        outcome.ok()
    }

    #[inline(never)]
    fn close_all_but(&self, winner: Option<c_int>) {
        for slot in self.slots {
            if slot.get().map(|attempt| attempt.fd) != winner {
                close(slot);
            }
        }
    }
}

/// Whether that is a lack of descriptors or of memory.
fn is_shortage(reason: Errno) -> bool {
    [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM].contains(&reason.0)
}

/// Closes the socket in `slot`, if there is one.
fn close(slot: &Slot) {
    if let Some(attempt) = slot.take() {
        sys::close(attempt.fd);
    }
}
