//! What the fuzz targets share: the files of the library that it keeps to itself, and of its tests.

#![allow(clippy::new_without_default)] // in the tests that is nothing to see from outside

#[path = "../../tests/common/model.rs"]
pub mod model;
pub mod line;
pub mod shipped;
