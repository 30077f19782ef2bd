//! Cells that leave from outside the law, and cells that are told apart.

use super::Cells;
use crate::error::Result;
use crate::tumour::engine::check;

impl Cells {
    /// Cells leave: a number for each, in the order of `individuals`.
    pub(super) fn take_out(&mut self, gone: &[u64]) -> Result<()> {
        check(gone, (0..self.total as usize).map(|_| 1))?;
        let mut end = gone.len();
        for bucket in self.buckets.iter_mut().rev() {
            let start = end - bucket.clones.len();
            // From the last one on: what takes a place has been looked at.
            for place in (0..bucket.clones.len()).rev().filter(|place| gone[start + place] > 0) {
                let cell = bucket.take(place);
                self.table.lose(cell.clone, self.step)?;
            }
            end = start;
        }
        self.count_up();
        Ok(())
    }

    /// Every cell becomes the first of a clone of its own.
    pub(super) fn label_each(&mut self) -> Result<()> {
        for (bucket, kind) in self.buckets.iter_mut().zip(0..) {
            for clone in &mut bucket.clones {
                let parent = self.table.about[*clone as usize].id;
                let own = self.table.create(kind, 1, self.step, Some(parent))?;
                self.table.lose(*clone, self.step)?;
                *clone = own;
            }
        }
        Ok(())
    }
}
