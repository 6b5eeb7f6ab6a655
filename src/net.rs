//! Connecting and listening by name (CS:APP 3e, section 11.4): the walk over the addresses
//! that a name stands for. Attempts are staggered as RFC 8305 ("Happy Eyeballs") has it, so
//! that an address that does not answer costs a quarter of a second.

use core::cell::Cell;
use core::ffi::{CStr, c_int};

use crate::sys::{self, Address, Addresses, Deadline, Endpoint, Errno, Result, Unresolved};

/// Milliseconds that an attempt gets before the next address is tried beside it: the
/// Connection Attempt Delay of RFC 8305, section 5.
const ATTEMPT_DELAY: i64 = 250;

/// How many attempts may be under way at once.
const ATTEMPTS: usize = 16;

/// Why there is no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The name or the port means nothing to the resolver.
    Unresolved(Unresolved),
    /// A system call failed on every address; of the reasons, the most telling.
    System(Errno),
}

impl From<Unresolved> for Failure {
    fn from(why: Unresolved) -> Failure {
        Failure::Unresolved(why)
    }
}

impl From<Errno> for Failure {
    fn from(reason: Errno) -> Failure {
        Failure::System(reason)
    }
}

/// A connected, blocking, close-on-exec stream socket. `timeout` is in milliseconds and for all
/// addresses together, the look-up included (which cannot be cut short); negative: none.
pub fn connect(
    host: Option<&CStr>,
    port: &CStr,
    timeout: c_int,
) -> core::result::Result<c_int, Failure> {
    let deadline = Deadline::from_timeout(timeout);
    let addresses = look_up(host, port)?;
    let running = [const { Cell::new(None) }; ATTEMPTS];
    let attempts = Attempts {
        addresses: &addresses,
        running: &running,
    };
    let outcome = sys::with_cleanup(&attempts, Attempts::abandon, || {
        if timeout < 0 && addresses.iter().nth(1).is_none() {
            attempts.connect_only()
        } else {
            Race::new(&attempts, deadline).run(&mut interleave(&addresses))
        }
    });
    sys::free_addresses(addresses);
    Ok(outcome?)
}

/// The addresses of a host; without one, this machine's loopback addresses. Only a name that is no
/// numeric address makes the resolver work.
fn look_up(host: Option<&CStr>, port: &CStr) -> core::result::Result<Addresses, Unresolved> {
    let flags = port_flags(port)?;
    match sys::resolve(host, port, flags | libc::AI_NUMERICHOST) {
        Err(why) if why.code == libc::EAI_NONAME && host.is_some() => {}
        outcome => return outcome,
    }
    // To AI_ADDRCONFIG, loopback is no network. Beside IPv6 alone, that would leave "localhost" without
    // the IPv4 address that servers listen on (RFC 6761, section 6.3: it is always loopback).
    if host == Some(c"localhost") {
        return sys::resolve(host, port, flags);
    }
    match sys::resolve(host, port, flags | libc::AI_ADDRCONFIG) {
        // Nor has another name of a loopback address one then, on such a host.
        Err(why) if is_without_address(why) => sys::resolve(host, port, flags),
        outcome => outcome,
    }
}

fn is_without_address(why: Unresolved) -> bool {
    // Not every <netdb.h> has them; the codes are those of glibc and musl, and of the BSDs.
    const EAI_NODATA: c_int = if cfg!(target_os = "linux") { -5 } else { 7 };
    const EAI_ADDRFAMILY: c_int = if cfg!(target_os = "linux") { -9 } else { 1 };
    [libc::EAI_NONAME, EAI_NODATA, EAI_ADDRFAMILY].contains(&why.code)
}

/// getaddrinfo's flags for a port: a number from 0 to 65535, or the name of a service. The
/// resolver itself would take numbers modulo 65536, and an empty one as 0.
fn port_flags(port: &CStr) -> core::result::Result<c_int, Unresolved> {
    const NO_PORT: Unresolved = Unresolved {
        code: libc::EAI_SERVICE,
        errno: Errno(0),
    };
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'\x0b'; // C's isspace
    let text = port.to_bytes();
    let text = &text[text.iter().take_while(|byte| is_space(byte)).count()..];
    let (minus, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    // To glibc, an asterisk means no port at all.
    if digits.is_empty() || digits == b"*" {
        return Err(NO_PORT);
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Ok(0);
    }
    let number = digits.iter().fold(0u32, |number, digit| {
        (number * 10 + u32::from(digit - b'0')).min(1 << 16)
    });
    if minus || number > u32::from(u16::MAX) {
        return Err(NO_PORT);
    }
    Ok(libc::AI_NUMERICSERV)
}

/// The addresses with their families taking turns, each family in its own order (RFC 8305,
/// section 4).
fn interleave(addresses: &Addresses) -> impl Iterator<Item = Address<'_>> {
    let first = addresses
        .iter()
        .next()
        .map_or(0, |address| address.family());
    let mut preferred = addresses
        .iter()
        .filter(move |address| address.family() == first);
    let mut others = addresses
        .iter()
        .filter(move |address| address.family() != first);
    let mut is_turn_of_others = true;
    core::iter::from_fn(move || {
        is_turn_of_others = !is_turn_of_others;
        if is_turn_of_others {
            others.next().or_else(|| preferred.next())
        } else {
            preferred.next().or_else(|| others.next())
        }
    })
}

/// Connects the blocking socket `fd` by `connect`, whatever signals come. Where one ends the call,
/// the attempt goes on in the kernel and is waited for: a second connect would fail (POSIX,
/// connect). Only a Unix domain socket gives an interrupted attempt up; there it is made again.
pub fn connect_through(fd: c_int, mut connect: impl FnMut() -> Result<()>) -> Result<()> {
    sys::restart_in_time(fd, libc::SO_SNDTIMEO, || match connect() {
        Err(Errno(libc::EINTR)) => interrupted_outcome(fd),
        outcome => outcome,
    })
}

/// What becomes of an attempt that a signal has interrupted; EINTR, where it was given up.
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

/// Refuses a socket that is connected to itself. A loopback port of the ephemeral range on
/// which nobody listens may be given to the very socket that connects to it, and then TCP's
/// simultaneous open succeeds (RFC 9293, section 3.5).
fn refuse_itself(fd: c_int, address: Address) -> Result<()> {
    let local = Endpoint::local(fd)?;
    // Different ports settle nearly every case without a second call.
    if local.port().is_some() && local.port() == address.port() && local.is(&Endpoint::peer(fd)?) {
        // Closed in the ordinary way, it would keep the port from the server that is to come.
        sys::reset_on_close(fd);
        return Err(Errno(libc::ECONNREFUSED));
    }
    Ok(())
}

fn keep_or_close(fd: c_int, outcome: Result<()>) -> Result<c_int> {
    outcome.map(|()| fd).inspect_err(|_| sys::close(fd))
}

/// An attempt to connect: its socket, and where it is to lead.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    fd: c_int,
    address: Address<'a>,
}

/// All that a call that connects has in hand, in cells, since it is given back as it stands where the call is
/// left in the middle.
struct Attempts<'a> {
    addresses: &'a Addresses,
    running: &'a [Cell<Option<Attempt<'a>>>],
}

impl<'a> Attempts<'a> {
    /// Gives everything back.
    extern "C" fn abandon(&self) {
        self.close_all_but(None);
        sys::free_addresses(*self.addresses);
    }

    #[inline(never)]
    fn close_all_but(&self, winner: Option<c_int>) {
        for place in self.running {
            if place.get().map(|attempt| attempt.fd) != winner {
                self.close(place);
            }
        }
    }

    /// Closes what is in `place`, if something is.
    fn close(&self, place: &Cell<Option<Attempt<'a>>>) {
        if let Some(attempt) = place.take() {
            sys::close(attempt.fd);
        }
    }

    /// Opens a socket in the free place `free`; `flags` as in [`Address::socket`].
    fn open(&self, free: usize, address: Address<'a>, flags: c_int) -> Result<c_int> {
        let fd = address.socket(flags)?;
        self.running[free].set(Some(Attempt { fd, address }));
        Ok(fd)
    }

    /// What became of the attempt in `place`: its descriptor, or, closed, the reason why not.
    fn settle(&self, place: usize, attempt: Attempt, outcome: Result<()>) -> Result<c_int> {
        outcome
            .and_then(|()| refuse_itself(attempt.fd, attempt.address))
            .map(|()| attempt.fd)
            .inspect_err(|_| self.close(&self.running[place]))
    }

    /// Connects to the one address there is: a plain blocking connect.
    fn connect_only(&self) -> Result<c_int> {
        let first = self.addresses.iter().next();
        let address = first.ok_or(Errno(libc::EADDRNOTAVAIL))?;
        let fd = self.open(0, address, 0)?;
        let outcome = connect_through(fd, || address.connect(fd));
        self.settle(0, Attempt { fd, address }, outcome)
    }
}

/// Attempts on several addresses at once; the first that connects wins.
struct Race<'r, 'a> {
    attempts: &'r Attempts<'a>,
    deadline: Deadline,
    reason: Errno,
}

impl<'r, 'a> Race<'r, 'a> {
    fn new(attempts: &'r Attempts<'a>, deadline: Deadline) -> Race<'r, 'a> {
        Race {
            attempts,
            deadline,
            reason: Errno(libc::EADDRNOTAVAIL),
        }
    }

    /// Tries one address after another until one connects, none is left or time is up.
    /// Whatever comes of it, only the winner's descriptor stays open.
    #[inline(never)]
    fn run(mut self, addresses: &mut dyn Iterator<Item = Address<'a>>) -> Result<c_int> {
        let outcome = self.winner(addresses);
        let outcome = outcome.and_then(|fd| sys::set_blocking(fd).map(|()| fd));
        self.attempts.close_all_but(outcome.ok());
        outcome
    }

    fn winner(&mut self, addresses: &mut dyn Iterator<Item = Address<'a>>) -> Result<c_int> {
        let mut next = addresses.next();
        let mut next_start = Deadline::after(0);
        loop {
            if let Some(address) = next
                && let Some(free) = self.free()
                && next_start.is_past()
            {
                next = addresses.next();
                match self.start(address, free) {
                    Some(fd) => return Ok(fd),
                    None if self.attempts.running[free].get().is_some() => {
                        next_start = Deadline::after(ATTEMPT_DELAY)
                    }
                    None => {} // failed at once: so the next one starts at once
                }
                continue;
            }
            if next.is_none() && self.count() == 0 {
                return Err(self.reason);
            }
            let is_time_up = self.deadline.is_past();
            let next_start_matters = next.is_some() && self.free().is_some();
            let wake = if next_start_matters {
                next_start.min(self.deadline)
            } else {
                self.deadline
            };
            let running_before = self.count();
            if let Some(fd) = self.wait(wake)? {
                return Ok(fd);
            }
            if is_time_up {
                return Err(Errno(libc::ETIMEDOUT));
            }
            if self.count() < running_before {
                next_start = Deadline::after(0);
            }
        }
    }

    fn count(&self) -> usize {
        let running = self.attempts.running.iter();
        running.filter_map(Cell::get).count()
    }

    /// The first free place.
    fn free(&self) -> Option<usize> {
        let mut running = self.attempts.running.iter();
        running.position(|place| place.get().is_none())
    }

    /// Starts an attempt in the free place `free`. The descriptor, if it connects at once.
    fn start(&mut self, address: Address<'a>, free: usize) -> Option<c_int> {
        let fd = match self.attempts.open(free, address, sys::NONBLOCKING) {
            Ok(fd) => fd,
            Err(reason) => {
                self.failed(reason);
                return None;
            }
        };
        match address.connect(fd) {
            Err(Errno(libc::EINPROGRESS | libc::EINTR)) => None,
            outcome => self.settle(free, Attempt { fd, address }, outcome),
        }
    }

    /// Waits until `wake` or until attempts end. The descriptor of the
    /// one that connected, if one did.
    fn wait(&mut self, wake: Deadline) -> Result<Option<c_int>> {
        // poll passes over negative descriptors, but takes no more entries than a process may have
        // descriptors. The lowest free place is always taken first, so these never are.
        let running = self.attempts.running;
        let last = running.iter().rposition(|place| place.get().is_some());
        let used = last.map_or(0, |last| last + 1);
        let mut polled = [sys::pollfd(-1, libc::POLLOUT); ATTEMPTS];
        for (polled, place) in polled.iter_mut().zip(running) {
            polled.fd = place.get().map_or(-1, |attempt| attempt.fd);
        }
        match sys::poll(&mut polled[..used], wake) {
            Ok(_) => {}
            Err(Errno(libc::EINTR)) => return Ok(None),
            Err(reason) => return Err(reason),
        }
        for (place, polled) in polled[..used].iter().enumerate() {
            if polled.revents != 0
                && let Some(attempt) = running[place].get()
                && let Some(fd) = self.settle(place, attempt, sys::connect_outcome(attempt.fd))
            {
                return Ok(Some(fd));
            }
        }
        Ok(None)
    }

    /// What became of the attempt in `place`: its descriptor, or, noted and closed, nothing.
    fn settle(&mut self, place: usize, attempt: Attempt, outcome: Result<()>) -> Option<c_int> {
        let outcome = self.attempts.settle(place, attempt, outcome);
        outcome.inspect_err(|&reason| self.failed(reason)).ok()
    }

    /// Notes why an address failed.
    fn failed(&mut self, reason: Errno) {
        self.reason = more_telling(self.reason, reason);
    }
}

/// Of the reasons why two addresses failed, the one to report: the later, unless it only says
/// that this machine has no network of that family. That must not hide another address's answer.
fn more_telling(earlier: Errno, later: Errno) -> Errno {
    if is_no_network(later) && !is_no_network(earlier) {
        earlier
    } else {
        later
    }
}

fn is_no_network(reason: Errno) -> bool {
    [libc::EAFNOSUPPORT, libc::EADDRNOTAVAIL, libc::ENETUNREACH].contains(&reason.0)
}

/// What [`listen`] is to make of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening {
    /// How many connections may wait to be accepted.
    pub backlog: c_int,
    /// SO_REUSEPORT: several sockets on one port share its connections.
    pub reuse_port: bool,
    /// Whether an IPv6 socket takes IPv4 as well; `None`: as the system does it.
    pub dual_stack: Option<bool>,
}

/// A listening, close-on-exec stream socket on the first address that binds and listens;
/// without a host, on all of this machine's.
pub fn listen(
    host: Option<&CStr>,
    port: &CStr,
    how: Listening,
) -> core::result::Result<c_int, Failure> {
    let flags = port_flags(port)? | libc::AI_PASSIVE;
    let addresses = sys::resolve(host, port, flags)?;
    let (mut first, mut second) = (addresses.iter(), addresses.iter());
    let is_first = |address: &Address| match how.dual_stack {
        // On a dual-stack socket IPv6 stands for both, so it goes first.
        Some(true) => address.family() == libc::AF_INET6,
        // Where all addresses are meant, Linux has IPv4 first, and the BSDs have not.
        _ if cfg!(not(target_os = "linux")) && host.is_none() => address.family() == libc::AF_INET,
        _ => true,
    };
    let mut outcome = Err(Errno(libc::EADDRNOTAVAIL));
    while let Err(earlier) = outcome
        // With IPv6 apart from IPv4, a port that is taken on the one is free on the other.
        && (how.dual_stack.is_none() || is_no_network(earlier))
        && let Some(address) = first
            .find(is_first)
            .or_else(|| second.find(|address| !is_first(address)))
    {
        outcome = listen_on(address, how).map_err(|later| more_telling(earlier, later));
    }
    sys::free_addresses(addresses);
    Ok(outcome?)
}

fn listen_on(address: Address, how: Listening) -> Result<c_int> {
    let fd = address.socket(0)?;
    let outcome = prepare(fd, address, how)
        .and_then(|()| address.bind(fd))
        .and_then(|()| sys::listen(fd, how.backlog));
    keep_or_close(fd, outcome)
}

/// The option by which several sockets on one port share its connections.
#[cfg(not(target_os = "freebsd"))]
const SHARED_PORT: c_int = libc::SO_REUSEPORT;
/// Here SO_REUSEPORT gives all connections to the newest of the sockets.
#[cfg(target_os = "freebsd")]
const SHARED_PORT: c_int = libc::SO_REUSEPORT_LB;

/// Sets a listening socket's options, which have to be there before it is bound.
fn prepare(fd: c_int, address: Address, how: Listening) -> Result<()> {
    // So that a server can start again while connections of its last run are in TIME_WAIT.
    sys::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    if how.reuse_port {
        sys::set_option(fd, libc::SOL_SOCKET, SHARED_PORT, 1)?;
    }
    match how.dual_stack {
        Some(both) if address.family() == libc::AF_INET6 => sys::set_option(
            fd,
            libc::IPPROTO_IPV6,
            libc::IPV6_V6ONLY,
            c_int::from(!both),
        ),
        _ => Ok(()),
    }
}
