//! The one flag by which long work is told to stop. Every loop that can last looks at it.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// For work that nobody stops.
pub static NEVER: AtomicBool = AtomicBool::new(false);

/// An error once the flag is raised.
#[inline]
pub fn heed(cancel: &AtomicBool) -> Result<()> {
    if cancel.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
}
