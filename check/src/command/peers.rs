//! What descriptors are connected to, as /proc tells it: the other end of a connection or a pipe, who has it, and
//! what is on its way.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::describe::counted;
use crate::shared::*;

/// The name of a process, as ps shows it.
pub fn process_name(pid: i32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

/// R, S, T, Z, ...: none if there is no such process.
pub fn process_state(pid: i32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.trim().chars().next()
}

/// As the kernel numbers them.
const ESTABLISHED: u8 = 1;
const SYN_SENT: u8 = 2;
const FIN_WAIT: [u8; 2] = [4, 5];
const CLOSE_WAIT: u8 = 8;
const LAST_ACK: u8 = 9;
const LISTEN: u8 = 10;
const CLOSING: u8 = 11;

/// A line of /proc/net/tcp.
struct Connection {
    own: SocketAddr,
    peer: SocketAddr,
    state: u8,
    unsent: u64,
    unread: u64,
    /// 0: nobody has it, or it was not accepted yet.
    inode: u64,
}

/// A descriptor of some process.
struct Holder {
    pid: i32,
    thread: i32,
    fd: i32,
}

/// What is known of all processes at one moment; looked up when it is first asked for.
pub struct Peers {
    connections: OnceCell<Vec<Connection>>,
    /// By what /proc/PID/fd/N leads to: "pipe:[1234]".
    holders: OnceCell<HashMap<String, Vec<Holder>>>,
}

impl Peers {
    pub fn new() -> Peers {
        Peers {
            connections: OnceCell::new(),
            holders: OnceCell::new(),
        }
    }

    fn connections(&self, pid: i32) -> &[Connection] {
        self.connections.get_or_init(|| {
            let tables = ["tcp", "tcp6"].map(|name| format!("/proc/{pid}/net/{name}"));
            let texts = tables.map(|path| fs::read_to_string(path).unwrap_or_default());
            let lines = texts.iter().flat_map(|text| text.lines().skip(1));
            lines.filter_map(connection).collect()
        })
    }

    fn holders(&self, link: &str) -> &[Holder] {
        let all = self.holders.get_or_init(|| {
            let mut all: HashMap<String, Vec<Holder>> = HashMap::new();
            // csapp-check has what the program has inherited from it, and does nothing with it.
            let pids = numbers("/proc").into_iter();
            for pid in pids.filter(|pid| process_name(*pid) != "csapp-check") {
                let thread = living_thread(pid);
                for fd in numbers(&format!("/proc/{thread}/fd")) {
                    let link = link_of(thread, fd);
                    // csapp-check has what the program has inherited from it, and does nothing with it.
                    let is_told = ["pipe:", "socket:"]
                        .iter()
                        .any(|kind| link.starts_with(kind));
                    if is_told && process_name(pid) != "csapp-check" {
                        all.entry(link)
                            .or_default()
                            .push(Holder { pid, thread, fd });
                    }
                }
            }
            all
        });
        all.get(link).map_or(&[], Vec::as_slice)
    }

    /// What a descriptor is, in a few words.
    pub fn what_is(&self, pid: i32, fd: i32, entry: &Fd) -> String {
        let link = link_of(pid, fd);
        let name = entry.name.read();
        if let Some(connection) = self.connection(pid, &link).filter(|it| it.state != LISTEN) {
            let what = if connection.state == SYN_SENT {
                "a connection that is being made to"
            } else {
                "a connection to"
            };
            return format!("{what} {}", connection.peer);
        }
        match (name.is_empty(), link.split(':').next()) {
            (false, _) => name,
            (true, Some("pipe")) => format!("a pipe's {} end", end(pid, fd)),
            (true, Some("socket")) => "a socket".into(),
            _ => link,
        }
    }

    fn connection(&self, pid: i32, link: &str) -> Option<&Connection> {
        let inode = link.strip_prefix("socket:[")?.strip_suffix(']')?;
        let inode: u64 = inode.parse().ok().filter(|inode| *inode != 0)?;
        let mut all = self.connections(pid).iter();
        all.find(|connection| connection.inode == inode)
    }

    /// Sentences about what is at the other end, and on its way from there and to there.
    pub fn other_ends(&self, pid: i32, fd: i32) -> Vec<String> {
        let link = link_of(pid, fd);
        if link.starts_with("pipe:") {
            return self.pipe(pid, fd, &link);
        }
        match self.connection(pid, &link) {
            Some(connection) if connection.state == LISTEN => match connection.unread {
                0 => Vec::new(),
                n => vec![format!("{} to be accepted", counted_that_wait(n))],
            },
            Some(connection) => self.connected(pid, connection),
            None => Vec::new(),
        }
    }

    fn connected(&self, pid: i32, connection: &Connection) -> Vec<String> {
        let mut all = self.connections(pid).iter();
        let peer = all.find(|it| it.own == connection.peer && it.peer == connection.own);
        let mut facts = Vec::new();
        if connection.unread > 0 {
            facts.push(format!(
                "{} here to be read",
                counted_that_wait_bytes(connection.unread)
            ));
        }
        if connection.unsent > 0 {
            facts.push(format!(
                "{} to be sent",
                counted_that_wait_bytes(connection.unsent)
            ));
        }
        if let Some(unread) = peer.map(|peer| peer.unread).filter(|unread| *unread > 0) {
            facts.push(format!(
                "{} at the other end to be read",
                counted_that_wait_bytes(unread)
            ));
        }
        if connection.state == CLOSE_WAIT {
            facts.push("the other end has closed".into());
        }
        if FIN_WAIT.contains(&connection.state) {
            facts.push("this end is shut down for writing".into());
        }
        if facts.is_empty() && connection.state == ESTABLISHED {
            facts.push("no bytes are on their way, and both ends are open".into());
        }
        let mut lines = Vec::new();
        if !facts.is_empty() {
            lines.push(facts.join("; "));
        }
        match peer {
            Some(peer) if peer.inode == 0 && connection.state == ESTABLISHED => {
                lines.push("nobody has accepted this connection yet".into());
            }
            Some(peer) => {
                let holders = self.holders(&format!("socket:[{}]", peer.inode));
                lines.extend(holders.iter().map(|holder| {
                    format!(
                        "its other end is descriptor {} of process {} ({})",
                        holder.fd,
                        holder.pid,
                        process_name(holder.pid)
                    )
                }));
            }
            None => (),
        }
        lines
    }

    /// The processes with the same pipe: if no other one writes, its reader waits for its own other end.
    fn pipe(&self, pid: i32, fd: i32, link: &str) -> Vec<String> {
        let own = end(pid, fd);
        let others = self
            .holders(link)
            .iter()
            .filter(|holder| end(holder.thread, holder.fd) != own);
        let lines = others.map(|holder| {
            format!(
                "its {} end is open in process {} ({}), descriptor {}",
                end(holder.thread, holder.fd),
                holder.pid,
                process_name(holder.pid),
                holder.fd
            )
        });
        lines.take(8).collect()
    }

    /// What an epoll descriptor watches, and what for.
    pub fn watched_by_epoll(&self, pid: i32, epoll: i32) -> Vec<(i32, &'static str)> {
        let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{epoll}")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| {
            let mut words = line.strip_prefix("tfd:")?.split_whitespace();
            let fd = words.next()?.parse().ok()?;
            let events = u32::from_str_radix(words.nth(1)?, 16).ok()?;
            let reads = events & libc::EPOLLIN as u32 != 0;
            let writes = events & libc::EPOLLOUT as u32 != 0;
            let what_for = match (reads, writes) {
                (true, true) => ", to be read or written,",
                (true, false) => ", to be read,",
                (false, true) => ", to be written,",
                (false, false) => "",
            };
            Some((fd, what_for))
        });
        let mut all: Vec<_> = lines.collect();
        all.sort_unstable();
        all
    }
}

fn counted_that_wait(n: u64) -> String {
    let verb = if n == 1 { "waits" } else { "wait" };
    format!("{} {verb}", counted(n as i64, "connection"))
}

fn counted_that_wait_bytes(n: u64) -> String {
    let verb = if n == 1 { "waits" } else { "wait" };
    format!("{} {verb}", counted(n as i64, "byte"))
}

fn link_of(pid: i32, fd: i32) -> String {
    fs::read_link(format!("/proc/{pid}/fd/{fd}"))
        .map(|link| link.display().to_string())
        .unwrap_or_default()
}

/// Which end of a pipe a descriptor is.
fn end(pid: i32, fd: i32) -> &'static str {
    let text = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).unwrap_or_default();
    let mut flags = text.lines().filter_map(|line| line.strip_prefix("flags:"));
    match flags.next() {
        Some(flags) if flags.trim().ends_with('1') => "writing",
        _ => "reading",
    }
}

/// Whose descriptors /proc shows: not those of a first thread that has ended before the others.
fn living_thread(pid: i32) -> i32 {
    if process_state(pid) != Some('Z') {
        return pid;
    }
    let others = numbers(&format!("/proc/{pid}/task")).into_iter();
    let mut living = others.filter(|tid| process_state(*tid) != Some('Z'));
    living.next().unwrap_or(pid)
}

/// The names in a directory that are numbers, in order.
fn numbers(directory: &str) -> Vec<i32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut numbers: Vec<i32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

fn connection(line: &str) -> Option<Connection> {
    let words: Vec<_> = line.split_whitespace().collect();
    let (unsent, unread) = words.get(4)?.split_once(':')?;
    let hex = |text| u64::from_str_radix(text, 16).ok();
    let state = u8::from_str_radix(words[3], 16).ok()?;
    // The end of a direction counts as a byte, until it is read, and until the peer has acknowledged it.
    let without_end = |count: u64, states: &[u8]| match states.contains(&state) {
        true => count.saturating_sub(1),
        false => count,
    };
    Some(Connection {
        own: address(words[1])?,
        peer: address(words[2])?,
        state,
        unsent: without_end(hex(unsent)?, &[FIN_WAIT[0], LAST_ACK, CLOSING]),
        unread: without_end(hex(unread)?, &[CLOSE_WAIT, LAST_ACK, CLOSING]),
        inode: words.get(9)?.parse().ok()?,
    })
}

/// "0100007F:1F90": the words of the address as the processor has them in memory.
fn address(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let words = (0..address.len() / 8)
        .map(|i| u32::from_str_radix(address.get(8 * i..8 * i + 8)?, 16).ok())
        .collect::<Option<Vec<_>>>()?;
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let address = match bytes.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        _ => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
    };
    Some(SocketAddr::new(address.to_canonical(), port))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        let told = |text| address(text).map(|address| address.to_string());
        if cfg!(target_endian = "little") {
            assert_eq!(told("0100007F:1F90").as_deref(), Some("127.0.0.1:8080"));
            let v6 = "00000000000000000000000001000000:0050";
            assert_eq!(told(v6).as_deref(), Some("[::1]:80"));
            let mapped = "0000000000000000FFFF00000100007F:0050";
            assert_eq!(told(mapped).as_deref(), Some("127.0.0.1:80"));
        }
        assert_eq!(told("nonsense"), None);
    }
}
