//! The tests of what ships: the library, csapp-check, the programs and the documents. They are one program, in which the
//! slow ones run beside the quick ones. The tests of Rust code are in src/ and in properties.rs.

#[path = "../check/tests/mod.rs"]
mod check;
mod abi;
mod archives;
mod c_suites;
mod common;
mod conformance;
mod debugger;
mod docs;
mod examples;
mod fuzz;
mod generated;
mod habits;
mod header;
mod install;
mod instructions;
mod load;
mod makefile;
mod manpages;
mod moving;
mod performance;
mod programs;
mod prose;
mod python;
mod python_module;
mod readonly;
mod sanitizers;
mod strace;
mod symbols;
