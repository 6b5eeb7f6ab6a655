//! csapp-check: programs under it, and what it says of them.

mod chaos;
mod command;
mod course;
mod kinds;
mod robust;
mod silence;
mod status;
mod timeline;
mod support;
