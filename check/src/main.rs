//! csapp-check: runs a program with libcsapp_check.so in it, and says what is wrong with the program.

#[allow(dead_code)] // each half uses its part
mod shared;

#[path = "command/arguments.rs"]
mod arguments;
#[path = "command/calls.rs"]
mod calls;
#[path = "command/describe.rs"]
mod describe;
#[path = "command/elf.rs"]
mod elf;
#[path = "command/ends.rs"]
mod ends;
#[path = "command/json.rs"]
mod json;
#[path = "command/memory.rs"]
mod memory;
#[path = "command/peers.rs"]
mod peers;
#[path = "command/places.rs"]
mod places;
#[path = "command/report.rs"]
mod report;
#[path = "command/run.rs"]
mod run;
#[path = "command/status.rs"]
mod status;
#[path = "command/suppress.rs"]
mod suppress;
#[path = "command/timeline.rs"]
mod timeline;

use clap::Parser as _;

fn main() {
    let arguments = arguments::Arguments::parse();
    let result = match arguments.status {
        Some(pid) => status::of_process(pid).map(|()| 0),
        None => run::run(&arguments),
    };
    match result {
        Ok(status) => std::process::exit(status),
        Err(failure) => {
            eprintln!("csapp-check: {}", failure.text);
            std::process::exit(failure.status);
        }
    }
}
