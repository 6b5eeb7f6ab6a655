//! All variants of the line loop that this processor has, against a loop that anybody can read: the
//! first three bytes say where source and target lie, the others are the source.
#![no_main]

use std::cell::RefCell;

use csapp_fuzz::line::harness::{Harness, Guarded, Place};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static HARNESS: RefCell<Harness> = RefCell::new(Harness::new());
}

fuzz_target!(|data: &[u8]| {
    let [places, from, to, bytes @ ..] = data else {
        return;
    };
    if bytes.len() > Guarded::LEN - 256 {
        return;
    }
    let place = |bit: u8, offset: u8| match places & bit {
        0 => Place::FromEnd(offset.into()),
        _ => Place::FromStart(offset.into()),
    };
    HARNESS.with_borrow_mut(|harness| harness.check(bytes, place(1, *from), place(2, *to)));
});
