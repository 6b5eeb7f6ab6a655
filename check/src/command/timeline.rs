//! The timeline page.
use std::path::Path;
use crate::arguments::{Arguments, Outcome};
use crate::places::Places;
use crate::shared::Shared;
pub fn write(_page: &Path, _arguments: &Arguments, _shared: &Shared, _places: &Places<'_>) -> Outcome<()> { Ok(()) }
