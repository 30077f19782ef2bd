//! Cells that leave from outside the law, and cells that are told apart.

use super::Clones;
use crate::error::{Error, Result};
use crate::law::CloneRecord;
use crate::tumour::engine::check;
use crate::tumour::room::make_room;

impl Clones {
    /// Cells leave: a number for each living clone, oldest first.
    pub(super) fn take_out(&mut self, gone: &[u64]) -> Result<()> {
        check(gone, self.records.iter().map(|clone| clone.cells))?;
        for (clone, &gone) in self.records.iter_mut().zip(gone) {
            clone.cells -= gone;
            self.counts[clone.kind as usize] -= gone;
            self.total -= gone;
        }
        self.bury();
        Ok(())
    }

    /// Every cell becomes the first of a clone of its own.
    pub(super) fn label_each(&mut self) -> Result<()> {
        let (most, cells) = (self.max_per_kind as u64, self.counts.iter().copied().max().unwrap_or(0));
        if cells > most {
            return Err(Error::refused(
                "barcodes",
                cells,
                format!("at most {most} cells of a type, max_clones"),
            ));
        }
        make_room(&mut self.records, self.total as usize, "clones")?;
        for index in 0..self.records.len() {
            let CloneRecord { id, kind, cells, .. } = self.records[index];
            self.records[index].cells = 0;
            self.counts[kind as usize] -= cells;
            self.total -= cells;
            for _ in 0..cells {
                self.create(kind, 1, Some(id), None);
            }
        }
        self.bury();
        Ok(())
    }
}
