//! Cells that leave from outside the law, and cells that are told apart.

use super::tissue::Lattice;
use crate::cancel::NEVER;
use crate::error::{Error, Result};
use crate::tumour::engine::check;

impl Lattice {
    /// Cells leave: a number for each, in the order of `cells`. Their sites are free.
    pub(super) fn take_out(&mut self, gone: &[u64]) -> Result<()> {
        check(gone, (0..self.register.total() as usize).map(|_| 1))?;
        let sites: Vec<u32> = self.domain.cells().collect();
        for site in sites.into_iter().zip(gone).filter(|(_, gone)| **gone > 0).map(|(site, _)| site) {
            self.register.lose(self.domain.clone_at(site));
            self.domain.vacate(site);
        }
        // Whoever stays may have room now; who has none finds out at the next division.
        for word in 0..self.domain.occupied().len() {
            self.domain.open_cells(word, self.domain.occupied()[word]);
        }
        self.register.bury(self.step);
        let cells = self.register.total();
        self.layers.follow(&self.domain, gone.iter().sum(), cells, &NEVER)
    }

    /// Every cell becomes the first of a clone of its own, born where it is.
    pub(super) fn label_each(&mut self) -> Result<()> {
        let (most, cells) = (self.register.most(), self.register.counts().iter().copied().max().unwrap_or(0));
        if cells > most {
            return Err(Error::refused(
                "barcodes",
                cells,
                format!("at most {most} cells of a type, max_clones"),
            ));
        }
        let sites: Vec<u32> = self.domain.cells().collect();
        for site in sites {
            let born = self.born_at(self.domain.place(site));
            let own = self.register.label(self.domain.clone_at(site), born);
            self.domain.relabel(site, own);
        }
        self.register.bury(self.step);
        Ok(())
    }
}
