//! What the fuzz targets share: the files of the library that it keeps to itself, and of its tests.

#![allow(clippy::new_without_default)] // in the tests that is nothing to see from outside
#![allow(dead_code)] // of the library's files, the targets use a part

#[path = "../../tests/common/model.rs"]
pub mod model;
pub mod line;
pub mod shipped;

// For the files of the library.
#[cfg(target_arch = "x86_64")]
use csapp::sys;
