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

/// Join results in order; a real error wins over the interruptions it caused.
pub(crate) fn collect<T>(parts: Vec<Result<Vec<T>>>) -> Result<Vec<T>> {
    let mut joined = Vec::new();
    let mut interrupted = false;
    for part in parts {
        match part {
            Ok(items) => joined.extend(items),
            Err(Error::Interrupted) => interrupted = true,
            Err(error) => return Err(error),
        }
    }
    if interrupted { Err(Error::Interrupted) } else { Ok(joined) }
}
