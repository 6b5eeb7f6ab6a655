//! The shared memory, as the command sees it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Error;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr;
use std::sync::atomic::Ordering::Acquire;

use crate::shared::*;

/// A new memory, which stays as long as the file is open or a process has it mapped.
pub fn create() -> Result<(File, &'static Shared), Error> {
    let name = std::ffi::CString::new(MEMFD)?;
    // SAFETY: a name, and a result that is looked at.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the descriptor is new, and nobody else's.
    let file = unsafe { File::from_raw_fd(fd) };
    // SAFETY: beyond a limit of the size of files, this process gets an error, and no signal.
    let before = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let grown = file.set_len(size_of::<Shared>() as u64);
    // SAFETY: as it was.
    unsafe { libc::signal(libc::SIGXFSZ, before) };
    grown?;
    let shared = map(&file)?;
    shared.magic.set(MAGIC);
    Ok((file, shared))
}

fn map(file: &File) -> Result<&'static Shared, Error> {
    let size = size_of::<Shared>();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of a file that has this size; its pages are zero, which all fields may be.
    unsafe {
        let at = libc::mmap(
            ptr::null_mut(),
            size,
            protection,
            libc::MAP_SHARED | libc::MAP_NORESERVE,
            file.as_raw_fd(),
            0,
        );
        if at == libc::MAP_FAILED {
            Err(Error::last_os_error())
        } else {
            Ok(&*at.cast::<Shared>())
        }
    }
}

/// The memory that a watched process, or the csapp-check that watches it, has.
pub fn of_process(pid: i32) -> Option<&'static Shared> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let prefix = format!("{VARIABLE}=");
    let named = environment
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(prefix.as_bytes()));
    let named = named.map(|path| String::from_utf8_lossy(path).into_owned());
    let shared = map(&File::options()
        .read(true)
        .write(true)
        .open(named.or_else(|| among_descriptors(pid))?)
        .ok()?)
    .ok()?;
    (shared.magic.get() == MAGIC).then_some(shared)
}

fn among_descriptors(pid: i32) -> Option<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
    let is_it = |path: &std::path::PathBuf| {
        fs::read_link(path)
            .is_ok_and(|link| link.to_string_lossy().contains(&format!("memfd:{MEMFD}")))
    };
    let found = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(is_it);
    found.map(|path| path.to_string_lossy().into_owned())
}

/// Copies out of the memory of a process, if these bytes are there and may be seen.
pub fn peek(pid: i32, address: usize, to: &mut [u8]) -> bool {
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast(),
        iov_len: to.len(),
    };
    let remote = libc::iovec {
        iov_base: ptr::without_provenance_mut(address),
        iov_len: to.len(),
    };
    // SAFETY: writes to the slice alone.
    let copied = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    copied == to.len() as isize
}

/// Monotonic nanoseconds, as the watched processes have them.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: fills in the variable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

impl Shared {
    /// What was found so far, in order.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let used = (self.findings_used.get() as usize).min(FINDINGS);
        self.findings[..used].iter()
    }

    pub fn live(&self) -> impl Iterator<Item = &Process> {
        self.processes
            .iter()
            .filter(|process| process.pid.get() != 0)
    }

    pub fn stack(&self, id: u32) -> Option<&Stack> {
        self.stacks
            .get(id as usize)
            .filter(|stack| id != 0 && stack.ready.load(Acquire) != 0)
    }
}

impl Program {
    pub fn path(&self) -> PathBuf {
        let bytes = self.path.iter().map(Cell::get);
        let path: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        OsString::from_vec(path).into()
    }
}

impl Process {
    pub fn open_fds(&self) -> impl Iterator<Item = (i32, &Fd)> {
        let used = (self.fds_used.get() as usize).min(FDS);
        let open = |(_, fd): &(usize, &Fd)| fd.state.get() == OPEN;
        self.fds[..used]
            .iter()
            .enumerate()
            .filter(open)
            .map(|(number, fd)| (number as i32, fd))
    }

    pub fn all_threads(&self) -> impl Iterator<Item = &Thread> {
        let used = (self.threads_used.get() as usize).min(THREADS);
        self.threads[..used]
            .iter()
            .filter(|thread| thread.state.get() != 0)
    }

    pub fn all_children(&self) -> impl Iterator<Item = &Child> {
        let used = (self.children_used.get() as usize).min(CHILDREN);
        self.children[..used]
            .iter()
            .filter(|child| child.pid.get() > 0)
    }
}

impl Text {
    pub fn read(&self) -> String {
        let bytes: Vec<u8> = self
            .0
            .iter()
            .map(Cell::get)
            .take_while(|b| *b != 0)
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Gives the pages of a record back, which makes all of it zero, and with it free.
pub fn recycle(file: &File, shared: &Shared, process: &Process) {
    let offset = ptr::from_ref(process) as usize - ptr::from_ref(shared) as usize;
    let size = size_of::<Process>();
    // The first page holds `pid`: it goes last, by hand.
    let from = (offset + 4096).next_multiple_of(4096);
    let to = (offset + size) & !4095;
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: a range of the file that only this record has.
    unsafe {
        libc::fallocate(file.as_raw_fd(), mode, from as i64, (to - from) as i64);
        let base = ptr::from_ref(process).cast::<u8>().cast_mut();
        let pid = ptr::from_ref(&process.pid) as usize - base as usize;
        ptr::write_bytes(base.add(pid + 4), 0, from - offset - pid - 4);
        ptr::write_bytes(base.add(to - offset), 0, offset + size - to);
        ptr::write_bytes(base, 0, pid);
    }
    process.pid.store(0, std::sync::atomic::Ordering::Release);
}
