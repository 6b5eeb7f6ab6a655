//! Where a call comes from: its return addresses, each stack of them kept once, under a number.
//!
//! Unwinding takes a microsecond a frame, so each thread keeps the stacks that it met last, and where on the stack
//! their return addresses lie. A call from the same place at the same depth has the same stack if all of those still
//! hold the same addresses.

use std::ffi::{c_int, c_void};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release};

use crate::shared::*;
use crate::start;
use crate::state::{IMAGE, Me, local};

/// The return address of a hook, and its frame: the address above the return address, or the frame pointer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Site {
    pub address: usize,
    pub frame: usize,
}

/// The place where the function that this is inlined into was called. This crate is compiled with frame pointers.
#[inline(always)]
pub fn site() -> Site {
    let frame: usize;
    // SAFETY: copies a register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        std::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags));
        #[cfg(target_arch = "aarch64")]
        std::arch::asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags));
    }
    // SAFETY: the frame pointer points to the caller's, which lies below the return address.
    let address = unsafe { *((frame + size_of::<usize>()) as *const usize) };
    Site {
        address,
        frame: if cfg!(target_arch = "x86_64") {
            frame + 16
        } else {
            frame
        },
    }
}

#[inline]
pub fn capture(me: &Me, site: Site) -> u32 {
    let cached = &me.thread.cache[(site.address ^ (site.address >> 7)) % CACHED];
    if cached.id.get() != 0 && cached.frame.get() == site.frame && still_there(cached, site) {
        return cached.id.get();
    }
    unwind(me, site, cached)
}

#[inline]
fn still_there(cached: &Cached, site: Site) -> bool {
    let depth = (cached.depth.get() as usize).min(DEPTH);
    if cached.addresses[0].get() != site.address {
        return false;
    }
    // SAFETY: the slots lie on this thread's stack above the frame of the caller, which is in use.
    (1..depth)
        .all(|i| unsafe { *(cached.slots[i].get() as *const usize) } == cached.addresses[i].get())
}

/// What the unwinder has found so far.
struct Found {
    site: Site,
    depth: usize,
    frames: [usize; DEPTH],
    slots: [usize; DEPTH],
}

#[cold]
fn unwind(me: &Me, site: Site, cached: &Cached) -> u32 {
    let mut found = Found {
        site,
        depth: 0,
        frames: [0; DEPTH],
        slots: [0; DEPTH],
    };
    found.collect();
    if found.depth == 0 {
        found.frames[0] = site.address;
        found.depth = 1;
    }
    find_modules(me, &found.frames[..found.depth]);
    let id = intern(me, &found.frames[..found.depth]);
    // A handler that interrupts this may want the same entry.
    if me.thread.cache_busy.swap_from(0, 1) {
        cached.id.set(0);
        let known = found.slots[1..found.depth].iter().all(|slot| *slot != 0);
        if known {
            cached.frame.set(site.frame);
            cached.depth.set(found.depth as u32);
            for i in 0..found.depth {
                cached.addresses[i].set(found.frames[i]);
                cached.slots[i].set(found.slots[i]);
            }
            cached.id.set(id);
        }
        me.thread.cache_busy.set(0);
    }
    id
}

/// Notes where libraries are that were loaded after the start. Not in a signal handler, which may have interrupted
/// the loader.
fn find_modules(me: &Me, frames: &[usize]) {
    // SAFETY: this thread's own.
    let in_handler = unsafe { (*local()).handlers } != 0;
    let image = IMAGE.get();
    if !in_handler
        && frames
            .iter()
            .any(|frame| !start::is_known(me.shared, image, *frame))
    {
        start::add_modules(me.shared, image);
    }
}

#[cfg(target_arch = "x86_64")]
impl Found {
    fn collect(&mut self) {
        // SAFETY: the callback gets this very record, which outlives the call.
        unsafe { _Unwind_Backtrace(add_frame, std::ptr::from_mut(self).cast()) };
    }
}

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    fn _Unwind_Backtrace(
        add: unsafe extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        found: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
    fn _Unwind_GetCFA(context: *mut c_void) -> usize;
}

/// _URC_NO_REASON, to go on, and _URC_END_OF_STACK.
#[cfg(target_arch = "x86_64")]
const GO_ON: c_int = 0;
#[cfg(target_arch = "x86_64")]
const STOP: c_int = 5;

#[cfg(target_arch = "x86_64")]
unsafe extern "C" fn add_frame(context: *mut c_void, found: *mut c_void) -> c_int {
    // SAFETY: the unwinder's context, and the record that was given to it.
    let (address, frame, found) = unsafe {
        (
            _Unwind_GetIP(context),
            _Unwind_GetCFA(context),
            &mut *found.cast::<Found>(),
        )
    };
    // The frames of this library come first.
    if found.depth == 0 && address != found.site.address {
        return if frame > found.site.frame {
            STOP
        } else {
            GO_ON
        };
    }
    if address == 0 || found.depth == DEPTH {
        return STOP;
    }
    let slot = frame.wrapping_sub(size_of::<usize>());
    // SAFETY: a return address lies right below the frame that the call was made from.
    let is_there = frame >= found.site.frame && unsafe { *(slot as *const usize) } == address;
    found.frames[found.depth] = address;
    found.slots[found.depth] = if is_there { slot } else { 0 };
    found.depth += 1;
    GO_ON
}

#[cfg(target_arch = "aarch64")]
impl Found {
    /// Follows the chain of frame pointers, which compilers keep on this processor.
    fn collect(&mut self) {
        let mut frame = self.site.frame;
        while self.depth < DEPTH {
            // SAFETY: a frame pointer points to the pair of the caller's and the return address.
            let (next, address) =
                unsafe { (*(frame as *const usize), *((frame + 8) as *const usize)) };
            self.frames[self.depth] = address;
            self.slots[self.depth] = frame + 8;
            self.depth += 1;
            if next <= frame || next - frame > 1 << 20 || next % 16 != 0 {
                break;
            }
            frame = next;
        }
    }
}

/// The number of a stack, which is the same for the same addresses in the same image.
fn intern(me: &Me, frames: &[usize]) -> u32 {
    let image = IMAGE.get();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(image);
    for frame in frames {
        hash = (hash ^ *frame as u64)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(23);
    }
    let hash = hash | 1;
    let stacks = &me.shared.stacks;
    for step in 0..STACKS {
        let index = (hash as usize).wrapping_add(step) % STACKS;
        let stack = &stacks[index];
        // Number 0 stands for none.
        if index == 0 {
            continue;
        }
        if stack.hash.load(Acquire) == hash {
            return index as u32;
        }
        if stack.hash.swap_from(0, hash) {
            fill(stack, frames, image, me.process.pid.get());
            return index as u32;
        }
        if stack.hash.load(Acquire) == hash {
            return index as u32;
        }
    }
    0
}

fn fill(stack: &Stack, frames: &[usize], image: u32, pid: i32) {
    let copy = |(to, from): (&AtomicUsize, &usize)| to.set(*from);
    stack.frames.iter().zip(frames).for_each(copy);
    stack.depth.set(frames.len() as u32);
    stack.image.set(image);
    stack.pid.set(pid);
    stack.ready.store(1, Release);
}
