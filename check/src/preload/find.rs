//! Writes down what is wrong.

use std::ffi::{c_int, c_void};

use crate::shared::*;
use crate::state::{IMAGE, Me};

/// Something that is wrong; what stands first in `at` is its place.
pub struct Fault<'a> {
    pub kind: Kind,
    pub fd: c_int,
    pub at: &'a [(Call, u32)],
    pub numbers: &'a [i64],
    pub text: &'a [u8],
}

impl Fault<'_> {
    /// Writes it down, once for each place. Returns where.
    pub fn report(&self, me: &Me) -> &'static Finding {
        self.write(me, READY)
    }

    /// Writes it down for the command to report after a while, unless it turns out to be meant.
    pub fn report_later(&self, me: &Me) -> &'static Finding {
        self.write(me, PENDING)
    }

    fn write(&self, me: &Me, state: u32) -> &'static Finding {
        let findings = &me.shared.findings;
        let stack = self.at.first().map_or(0, |(_, stack)| *stack);
        let used = (me.shared.findings_used.get() as usize).min(FINDINGS);
        let same = |finding: &&Finding| {
            finding.kind.get() == self.kind as u32
                && finding.stacks[0].get() == stack
                && finding.image.get() == IMAGE.get()
        };
        if let Some(known) = findings[..used].iter().find(same) {
            known.count.add(1);
            return known;
        }
        let index = (me.shared.findings_used.add(1) as usize).min(FINDINGS - 1);
        let finding = &findings[index];
        finding.image.set(IMAGE.get());
        finding.pid.set(me.process.pid.get());
        finding.tid.set(me.tid());
        finding.fd.set(self.fd);
        finding.count.set(1);
        for (i, (call, stack)) in self.at.iter().enumerate() {
            finding.calls[i].set(*call as u32);
            finding.stacks[i].set(*stack);
        }
        for (cell, number) in finding.numbers.iter().zip(self.numbers) {
            cell.set(*number);
        }
        finding.text.write(self.text);
        finding.kind.set(self.kind as u32);
        finding
            .state
            .store(state, std::sync::atomic::Ordering::Release);
        finding
    }
}

/// Copies from an address of this process that may be no longer there. Returns whether all of it was.
pub fn peek(from: usize, to: &mut [u8]) -> bool {
    let local = libc::iovec {
        iov_base: to.as_mut_ptr().cast::<c_void>(),
        iov_len: to.len(),
    };
    let remote = libc::iovec {
        iov_base: from as *mut c_void,
        iov_len: to.len(),
    };
    // SAFETY: the kernel checks the other address; `local` is a slice's.
    let copied = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    copied == to.len() as isize
}
