//! The memory that the command and the watched processes share: what each process has open, which threads and
//! children it has, where its calls come from, and what was found to be wrong.
//!
//! It is one memfd. Processes inherit the mapping over fork and open it again after exec, so that no descriptor of
//! theirs is in use in between: a program may close every number. All fields are atomic, and zero means empty.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, fence};

pub const MAGIC: u64 = 0x3150_4353_4343_4b31;
/// The name of the environment variable that holds the path of the memfd.
pub const VARIABLE: &str = "CSAPP_CHECK";
/// The name of the memfd, by which `--status` finds it.
pub const MEMFD: &str = "csapp-check";

pub const PROCESSES: usize = 256;
pub const THREADS: usize = 512;
pub const FDS: usize = 1 << 16;
pub const CHILDREN: usize = 1024;
pub const RIOS: usize = 1024;
/// Streams that held output at a fork: in all, and of one process.
pub const HELD: usize = 4096;
pub const HELD_HERE: usize = 16;
pub const WENT_ON: usize = 32;
pub const FINDINGS: usize = 1024;
pub const STACKS: usize = 1 << 16;
pub const DEPTH: usize = 12;
pub const MODULES: usize = 8192;
pub const EVENTS: usize = 1 << 20;
pub const CACHED: usize = 32;
pub const TEXT: usize = 96;
/// Programs that were run since the command has looked, and how long their paths may be.
pub const PROGRAMS: usize = 128;
pub const PATH: usize = 512;
pub const STATUS: usize = 1 << 18;

/// Atomics whose order does not matter: each field is a fact of its own.
pub trait Cell {
    type Value;
    fn get(&self) -> Self::Value;
    fn set(&self, value: Self::Value);
    /// Adds to it, and returns what it was.
    fn add(&self, value: Self::Value) -> Self::Value;
    /// Changes it from one value to another, unless it has a third.
    fn swap_from(&self, from: Self::Value, to: Self::Value) -> bool;
}

macro_rules! cell {
    ($($atomic:ty: $value:ty),*) => {$(
        impl Cell for $atomic {
            type Value = $value;
            #[inline]
            fn get(&self) -> $value {
                self.load(Relaxed)
            }
            #[inline]
            fn set(&self, value: $value) {
                self.store(value, Relaxed);
            }
            #[inline]
            fn add(&self, value: $value) -> $value {
                self.fetch_add(value, Relaxed)
            }
            #[inline]
            fn swap_from(&self, from: $value, to: $value) -> bool {
                use std::sync::atomic::Ordering::AcqRel;
                self.compare_exchange(from, to, AcqRel, Relaxed).is_ok()
            }
        }
    )*};
}
cell!(AtomicU8: u8, AtomicU32: u32, AtomicI32: i32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

/// A short text: a path, an address, a name. What is too long is cut.
#[repr(C)]
pub struct Text(pub [AtomicU8; TEXT]);

impl Text {
    pub fn write(&self, bytes: &[u8]) {
        let fits = bytes.len().min(TEXT - 1);
        for (cell, byte) in self.0.iter().zip(&bytes[..fits]) {
            cell.set(*byte);
        }
        self.0[fits].set(0);
    }

    /// Copies it, without allocating. Returns its length.
    pub fn read_into(&self, to: &mut [u8; TEXT]) -> usize {
        for (to, from) in to.iter_mut().zip(&self.0) {
            *to = from.get();
        }
        to.iter().position(|b| *b == 0).unwrap_or(TEXT)
    }
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u32)]
        pub enum $name { None, $($variant),* }

        impl $name {
            pub const ALL: &'static [$name] = &[$name::None, $($name::$variant),*];

            pub fn of(number: u32) -> $name {
                Self::ALL.get(number as usize).copied().unwrap_or($name::None)
            }

            pub fn name(self) -> &'static str {
                match self { $name::None => "", $($name::$variant => $text),* }
            }
        }
    };
}

named! {
    /// The calls that are told apart in reports.
    Call {
        Open = "open", Close = "close", Dup = "dup", Dup2 = "dup2", Fcntl = "fcntl", Pipe = "pipe",
        Socket = "socket", Socketpair = "socketpair", Accept = "accept", Connect = "connect", Listen = "listen",
        Bind = "bind", Shutdown = "shutdown", EpollCreate = "epoll_create", EpollCtl = "epoll_ctl", Eventfd = "eventfd",
        Timerfd = "timerfd_create", Signalfd = "signalfd", Inotify = "inotify_init", Memfd = "memfd_create",
        Mkstemp = "mkstemp", Fopen = "fopen", Fdopen = "fdopen", Freopen = "freopen", Fclose = "fclose", Tmpfile = "tmpfile",
        Popen = "popen", Pclose = "pclose", Opendir = "opendir", Closedir = "closedir", Received = "recvmsg (SCM_RIGHTS)",
        Read = "read", Readv = "readv", Recv = "recv", Recvfrom = "recvfrom", Recvmsg = "recvmsg",
        Write = "write", Writev = "writev", Send = "send", Sendto = "sendto", Sendmsg = "sendmsg", Dprintf = "dprintf",
        Sendfile = "sendfile", Lseek = "lseek",
        Poll = "poll", Ppoll = "ppoll", Select = "select", Pselect = "pselect", EpollWait = "epoll_wait",
        EpollPwait = "epoll_pwait",
        Nanosleep = "nanosleep", Sleep = "sleep", Usleep = "usleep", ClockNanosleep = "clock_nanosleep",
        Pause = "pause", Sigsuspend = "sigsuspend", Sigwait = "sigwait", Sigwaitinfo = "sigwaitinfo",
        Wait = "wait", Waitpid = "waitpid", Wait3 = "wait3", Wait4 = "wait4", Waitid = "waitid",
        Fork = "fork", Spawn = "posix_spawn", Exec = "exec", Exit = "exit", Raise = "raise", Kill = "kill",
        Create = "pthread_create", Join = "pthread_join", Detach = "pthread_detach", MutexLock = "pthread_mutex_lock",
        CondWait = "pthread_cond_wait", CondTimedwait = "pthread_cond_timedwait", SemWait = "sem_wait",
        Barrier = "pthread_barrier_wait",
        ReadLock = "pthread_rwlock_rdlock", WriteLock = "pthread_rwlock_wrlock", Getaddrinfo = "getaddrinfo",
        Fgets = "fgets", Fgetc = "fgetc", Getc = "getc", Getchar = "getchar", Getline = "getline", Fread = "fread",
        Scanf = "scanf",
        Printf = "printf", Fprintf = "fprintf", Vprintf = "vprintf", Vfprintf = "vfprintf", Puts = "puts", Fputs = "fputs",
        Fputc = "fputc", Putc = "putc", Putchar = "putchar", Fwrite = "fwrite", Perror = "perror", Fflush = "fflush",
        Malloc = "malloc", Calloc = "calloc", Realloc = "realloc", Free = "free", Syslog = "syslog",
        Signal = "signal", Sigaction = "sigaction", ReadInit = "rio_readinitb",
    }
}

named! {
    /// What can be wrong. The names are those of --json and --suppressions.
    Kind {
        Leak = "leak", DoubleClose = "double-close", ClosedUse = "closed-use", ForeignUse = "foreign-use",
        ClosedUnderWait = "closed-under-wait", LostBytes = "lost-bytes", Sigpipe = "sigpipe", ErrorAsNumber = "error-as-number",
        SharedArgument = "shared-argument", Unjoined = "unjoined-thread", Unreaped = "unreaped-child",
        ReapedFewer = "reaped-fewer", UnsafeInHandler = "unsafe-in-handler", ErrnoInHandler = "errno-in-handler",
        StdioForked = "stdio-forked", LoopAtEnd = "loop-at-end", FellThrough = "fell-through",
    }
}

impl Call {
    /// The one that is called so.
    pub fn named(name: &[u8]) -> Call {
        let mut all = Call::ALL.iter();
        let found = all.find(|call| call.name().as_bytes() == name);
        found.copied().unwrap_or(Call::None)
    }

    /// Whether it writes, so that it may die of SIGPIPE.
    pub fn writes(self) -> bool {
        use Call::*;
        matches!(
            self,
            Write | Writev | Send | Sendto | Sendmsg | Sendfile | Dprintf
        ) || self.puts_out()
    }

    /// Whether it writes to a stream: later, as a rule.
    pub fn puts_out(self) -> bool {
        use Call::*;
        matches!(
            self,
            Printf
                | Vprintf
                | Puts
                | Putchar
                | Fprintf
                | Vfprintf
                | Fputs
                | Fputc
                | Putc
                | Fwrite
                | Fflush
                | Fclose
        )
    }
}

#[repr(C)]
pub struct Shared {
    pub magic: AtomicU64,
    /// Whether there are decisions of chaos, and with faults (1, 3); whether events are kept.
    pub chaos: AtomicU32,
    pub timeline: AtomicU32,
    pub seed: AtomicU64,
    /// SIGQUIT is ignored because Ctrl-\\ is for the command: the program is told that it has its default effect.
    pub quit_is_ours: AtomicU32,
    /// How many were ever there; the newest is one less.
    pub images: AtomicU32,
    pub modules_used: AtomicU32,
    pub findings_used: AtomicU32,
    pub events_used: AtomicU64,
    /// Processes that found no room here, and so were not watched.
    pub unwatched: AtomicU32,
    pub processes_seen: AtomicU32,
    /// The process of csapp-check, whose child the program is.
    pub command: AtomicI32,
    pub held_used: AtomicU32,
    /// How often --status has asked, which of these the text answers, and how long it is.
    pub status_asked: AtomicU32,
    pub status_told: AtomicU32,
    pub status_length: AtomicU32,
    pub status_text: [AtomicU8; STATUS],
    pub programs: [Program; PROGRAMS],
    pub modules: [Module; MODULES],
    pub findings: [Finding; FINDINGS],
    pub stacks: [Stack; STACKS],
    pub held: [Held; HELD],
    pub processes: [Process; PROCESSES],
    pub events: [Event; EVENTS],
}

/// A program that a process runs, or is about to, for the command to look at.
#[repr(C)]
pub struct Program {
    /// 0: free; PENDING: no path yet; READY; LOOKED_AT: the command has met it once, and exec may fail until then.
    pub state: AtomicU32,
    /// From the root, with a zero byte at its end.
    pub path: [AtomicU8; PATH],
}

/// A program or library as one image (a process from exec to exec, and what it forked) has it in memory.
#[repr(C)]
pub struct Module {
    pub image: AtomicU32,
    pub ready: AtomicU32,
    pub bias: AtomicUsize,
    pub from: AtomicUsize,
    pub to: AtomicUsize,
    pub path: [AtomicU8; 256],
}

/// Return addresses, the innermost first, of a call that was made.
#[repr(C)]
pub struct Stack {
    pub hash: AtomicU64,
    pub ready: AtomicU32,
    pub image: AtomicU32,
    /// The process that was here first.
    pub pid: AtomicI32,
    pub depth: AtomicU32,
    pub frames: [AtomicUsize; DEPTH],
}

pub const PENDING: u32 = 1;
pub const READY: u32 = 2;
pub const CANCELLED: u32 = 3;
pub const LOOKED_AT: u32 = 4;

#[repr(C)]
pub struct Finding {
    pub state: AtomicU32,
    pub kind: AtomicU32,
    pub image: AtomicU32,
    pub pid: AtomicI32,
    pub tid: AtomicI32,
    pub fd: AtomicI32,
    pub count: AtomicU32,
    /// The calls it is about, the place of the fault first, and where they were made.
    pub calls: [AtomicU32; 4],
    pub stacks: [AtomicU32; 4],
    /// What else is known, by kind.
    pub numbers: [AtomicI64; 4],
    pub text: Text,
}

/// In place of a pid: a record that is made for a child which is not there yet.
pub const CLAIMED: i32 = i32::MAX;

/// How a process ended, as far as it could say so itself.
pub const RUNNING: u32 = 0;
pub const EXITED: u32 = 1;
pub const EXECED: u32 = 2;

#[repr(C)]
pub struct Process {
    /// 0: free.
    pub pid: AtomicI32,
    pub image: AtomicU32,
    pub end: AtomicU32,
    /// What wait told its parent, plus 1.
    pub status: AtomicI32,
    pub parent: AtomicI32,
    pub forked: AtomicU32,
    pub fork_stack: AtomicU32,
    pub exec_failed: AtomicU32,
    pub exec_errno: AtomicI32,
    pub threads_used: AtomicU32,
    pub threads_begun: AtomicU32,
    /// One more than the highest descriptor seen.
    pub fds_used: AtomicU32,
    pub children_used: AtomicU32,
    pub rios_used: AtomicU32,
    /// How many of them were found to be copies.
    pub copies: AtomicU32,
    pub held_used: AtomicU32,
    /// What identifies the process: which one forked it, and as which child. How often it has forked itself.
    pub lineage: AtomicU64,
    pub forks: AtomicU64,
    /// A SIGCHLD handler left children that had ended: where it was installed, and how often.
    pub fewer_stack: AtomicU32,
    pub fewer: AtomicU32,
    pub fewer_pid: AtomicI32,
    pub ignores_children: AtomicU32,
    /// It has called waitpid or its like with WNOHANG.
    pub polls_children: AtomicU32,
    pub held: [AtomicU32; HELD_HERE],
    pub went_on: [WentOn; WENT_ON],
    pub children: [Child; CHILDREN],
    pub rios: [Rio; RIOS],
    pub fds: [Fd; FDS],
    pub threads: [Thread; THREADS],
}

pub const CLOSED: u32 = 1;
pub const OPEN: u32 = 2;

pub const INHERITED: u32 = 1;
pub const ENDED: u32 = 2;
pub const POLLED: u32 = 4;
pub const LISTENS: u32 = 8;
pub const SOCKET: u32 = 16;
pub const PIPE: u32 = 32;
pub const WRITE_SHUT: u32 = 64;
pub const STREAM: u32 = 128;
pub const RIO: u32 = 256;

/// One descriptor number: what it is now, and what it was last.
#[repr(C)]
pub struct Fd {
    /// 0: never seen.
    pub state: AtomicU32,
    pub flags: AtomicU32,
    /// Counts the openings of this number.
    pub generation: AtomicU32,
    /// Counts what moves the position of the file, past what readers know.
    pub position: AtomicU32,
    pub open_call: AtomicU32,
    pub open_stack: AtomicU32,
    pub open_tid: AtomicI32,
    pub open_ops: AtomicU32,
    /// How many its thread had been given by then, this one included; of a pair, both have the number of the first.
    pub open_nth: AtomicU32,
    pub close_call: AtomicU32,
    pub close_stack: AtomicU32,
    pub close_tid: AtomicI32,
    pub close_sync: AtomicU32,
    /// The thread that used it last, when it began to, and when it did last.
    pub use_tid: AtomicI32,
    pub taken_ops: AtomicU32,
    pub use_ops: AtomicU32,
    pub end_stack: AtomicU32,
    pub waiting: AtomicU32,
    /// The stdio stream on it.
    pub stream: AtomicUsize,
    pub name: Text,
}

/// A rio_t that reads a descriptor.
#[repr(C)]
pub struct Rio {
    pub address: AtomicUsize,
    pub fd: AtomicI32,
    pub generation: AtomicU32,
    pub position: AtomicU32,
    pub init_stack: AtomicU32,
    pub read_stack: AtomicU32,
    /// What the last read into its buffer returned.
    pub last: AtomicI32,
    /// Unread bytes of one that was made a reader of another descriptor.
    pub abandoned: AtomicI32,
    pub initialised: AtomicU32,
    pub reported: AtomicU32,
    /// The one that was assigned to it, 0: none. What it held unread when that was last looked up; UNKNOWN: not yet.
    pub origin: AtomicUsize,
    pub seen: AtomicI32,
}

pub const UNKNOWN: i32 = -1;

/// Where a call was made that gives the program something to do; its frame tells the activation of a function.
#[repr(C)]
pub struct WentOn {
    pub call: AtomicU32,
    pub stack: AtomicU32,
    pub frame: AtomicUsize,
}

#[repr(C)]
pub struct Child {
    pub pid: AtomicI32,
    /// 0: not yet; 1: waited for; EARLY: waited for, before its parent has noted it.
    pub waited: AtomicU32,
    pub stack: AtomicU32,
    pub call: AtomicU32,
    /// Had ended and nobody had waited for it, when its parent ended.
    pub zombie: AtomicU32,
}

pub const EARLY: u32 = 2;

/// A stdio stream that held output when a process forked.
#[repr(C)]
pub struct Held {
    pub stream: AtomicUsize,
    pub hash: AtomicU64,
    pub fork: AtomicU64,
    pub bytes: AtomicU32,
    pub fork_stack: AtomicU32,
    pub pid: AtomicI32,
    /// How many processes have written it: the one that forked, and those that were forked.
    pub written: [AtomicU32; 2],
    pub text: Text,
}

pub const CREATED: u32 = 1;
pub const ALIVE: u32 = 2;
pub const GONE: u32 = 3;

#[repr(C)]
pub struct Thread {
    pub state: AtomicU32,
    pub tid: AtomicI32,
    pub index: AtomicU32,
    pub handle: AtomicUsize,
    pub start: AtomicUsize,
    pub argument: AtomicUsize,
    pub create_stack: AtomicU32,
    pub creator: AtomicI32,
    /// How many descriptors its creator had been given by then.
    pub born: AtomicU32,
    /// Waits until its creator goes on: see threads.rs.
    pub held: AtomicU32,
    pub joined: AtomicU32,
    pub detached: AtomicU32,
    /// The call that it is in, on which descriptor, and where; 0: none, or what follows is being changed.
    pub call: AtomicU32,
    pub fd: AtomicI32,
    pub stack: AtomicU32,
    /// What else it waits for: the address of a lock; a thread's handle; a child; poll's entries and how many; how many
    /// descriptors select looks at, and its three sets; a descriptor of epoll.
    pub on: [AtomicUsize; 4],
    /// Since when: monotonic nanoseconds, exact if there is a timeline.
    pub since: AtomicU64,
    /// Counts its calls, and those after which it may know what another thread did.
    pub ops: AtomicU32,
    pub sync: AtomicU32,
    /// The last call that failed, of those that return a descriptor and of those that return a count.
    pub failed: [Failure; 2],
    /// The descriptor whose end it has met last, the opening of its number, with which error, and how often in a row.
    pub loop_fd: AtomicI32,
    pub loop_generation: AtomicU32,
    pub loop_errno: AtomicI32,
    pub loop_count: AtomicU32,
    /// If the error is EAGAIN: when that began, by the clock and by the time that the thread had run.
    pub loop_since: AtomicU64,
    pub loop_began: AtomicU64,
    /// The newest descriptor it was given, how many it was given, and its last pthread_create.
    pub newest_fd: AtomicI32,
    pub opened: AtomicU32,
    pub created: Created,
    pub top: AtomicUsize,
    pub decisions: AtomicU64,
    pub cache_busy: AtomicU32,
    pub cache: [Cached; CACHED],
}

/// The call that a thread is in, as [`Thread::in_call`] finds it.
#[derive(Clone, Copy, Default)]
pub struct InCall {
    pub call: u32,
    pub fd: i32,
    pub stack: u32,
    pub since: u64,
    pub on: [usize; 4],
}

impl Thread {
    /// The thread enters `call`, or returns to it: `change` changes what is told of it.
    #[inline]
    pub fn changes(&self, call: u32, change: impl FnOnce()) {
        self.call.set(0);
        fence(Release);
        change();
        self.call.store(call, Release);
    }

    /// The call that the thread is in. Another thread asks, so that it may begin or end a call meanwhile. If it does so again
    /// and again, it is in none.
    pub fn in_call(&self) -> InCall {
        const ATTEMPTS: usize = 1000;
        for _ in 0..ATTEMPTS {
            let (ops, call) = (self.ops.get(), self.call.load(Acquire));
            let found = InCall {
                call,
                fd: self.fd.get(),
                stack: self.stack.get(),
                since: self.since.get(),
                on: std::array::from_fn(|i| self.on[i].get()),
            };
            fence(Acquire);
            if (self.ops.get(), self.call.get()) == (ops, call) {
                return found;
            }
        }
        InCall::default()
    }
}

#[repr(C)]
pub struct Failure {
    pub call: AtomicU32,
    pub stack: AtomicU32,
    pub errno: AtomicI32,
}

#[repr(C)]
pub struct Created {
    pub argument: AtomicUsize,
    pub value: AtomicI32,
    /// How many threads in a row were given this argument; how many descriptors the creator had been given by then.
    pub count: AtomicU32,
    pub opened: AtomicU32,
    pub sync: AtomicU32,
    pub stack: AtomicU32,
    pub thread: AtomicUsize,
}

/// A stack that was unwound, with where on it the return addresses lie: as long as they lie there, it is the same.
#[repr(C)]
pub struct Cached {
    pub id: AtomicU32,
    pub depth: AtomicU32,
    pub frame: AtomicUsize,
    pub addresses: [AtomicUsize; DEPTH],
    pub slots: [AtomicUsize; DEPTH],
}

/// What the timeline shows.
#[repr(C)]
pub struct Event {
    pub time: AtomicU64,
    pub pid: AtomicI32,
    pub tid: AtomicI32,
    pub fd: AtomicI32,
    pub call: AtomicU32,
    pub stack: AtomicU32,
    pub result: AtomicI32,
    pub duration: AtomicU64,
}
