//! Memory that may not be there: asked for before it is used, so that a shortage is an error.

use crate::error::{Error, Result};

/// Make room for `more` items, with an eighth to spare: doubling would waste half the memory.
#[inline]
pub(crate) fn make_room<T>(items: &mut Vec<T>, more: usize, what: &'static str) -> Result<()> {
    if items.capacity() - items.len() >= more { Ok(()) } else { grow(items, more, what) }
}

#[cold]
fn grow<T>(items: &mut Vec<T>, more: usize, what: &'static str) -> Result<()> {
    let spare = more.max(items.len() / 8).max(16);
    items.try_reserve_exact(spare).map_err(|_| Error::OutOfMemory {
        who: "population".into(),
        most: items.len() as u64,
        what,
    })
}

/// Push an item, if there is room.
#[inline]
pub(crate) fn push<T>(items: &mut Vec<T>, item: T, what: &'static str) -> Result<()> {
    make_room(items, 1, what)?;
    items.push(item);
    Ok(())
}

/// An error unless there is room for so many `what` of `size` bytes each.
pub(crate) fn room_for(most: usize, size: usize, what: &'static str) -> Result<()> {
    let mut asked: Vec<u8> = Vec::new();
    let given = most.checked_mul(size).is_some_and(|bytes| asked.try_reserve_exact(bytes).is_ok());
    // What nobody looks at the compiler does not ask for.
    core::hint::black_box(asked.as_ptr());
    if given { Ok(()) } else { Err(Error::OutOfMemory { who: "population".into(), most: most as u64, what }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_machine_has_room_for_is_an_error() {
        let mut none: Vec<[u64; 4]> = Vec::new();
        let refused = make_room(&mut none, usize::MAX / 64, "cells").map_err(|error| error.to_string());
        assert!(refused.is_err_and(|message| message.contains("no memory for more than 0 cells")));
        assert!(room_for(usize::MAX / 2, 1, "sites").is_err());
        assert!(room_for(usize::MAX, 8, "sites").is_err());
        assert!(room_for(1000, 8, "sites").is_ok());
    }
}
