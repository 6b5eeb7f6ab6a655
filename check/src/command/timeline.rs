//! The timeline page.
use crate::arguments::{Arguments, Outcome};
use crate::places::Places;
use crate::shared::Shared;
use std::path::Path;
pub fn write(
    _page: &Path,
    _arguments: &Arguments,
    _shared: &Shared,
    _places: &Places<'_>,
) -> Outcome<()> {
    Ok(())
}
