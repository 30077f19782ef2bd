//! What every engine can do: hold a population, and step it by the law.

use crate::error::{Error, Result};
use crate::law::{CloneRecord, Exposure, Extinct, Kinds, StepProbabilities, Tally};
use crate::tumour::lineage::{Genealogy, Tip};
use rand::Rng;
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

/// A population under the law, whatever an individual is in it.
pub trait Engine {
    /// Put `cells` founder cells of `kind` in, as one clone.
    fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()>;

    /// One step of the law. `probabilities` holds those of every kind in every layer, `[kind * layers + layer]`, and
    /// must cover every living kind. After an error the population is not to be used.
    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally>;

    /// Cells leave: `gone` of each item, in the order of `records` where cells are counted, else of the table of cells.
    fn remove(&mut self, gone: &[u64]) -> Result<()>;

    /// Every living cell becomes the first of a clone of its own, as if it were given a barcode.
    fn label(&mut self) -> Result<()>;

    /// Remember cells, by their nodes in the genealogy as it was last given, whatever becomes of them.
    fn remember(&mut self, _nodes: &[u32]) -> Result<()> {
        Ok(())
    }

    /// The genealogy as it was last simplified; `None` if it was not asked for.
    fn recorded(&mut self) -> Option<&mut Genealogy> {
        None
    }

    /// Steps taken.
    fn step_index(&self) -> u64;

    /// Living cells.
    fn total(&self) -> u64;

    /// Living cells per kind, for the kinds met so far.
    fn counts(&self) -> &[u64];

    /// Living cells of `kind`.
    fn count(&self, kind: u32) -> u64 {
        self.counts().get(kind as usize).copied().unwrap_or(0)
    }

    /// Living clones, oldest first.
    fn records(&self) -> Cow<'_, [CloneRecord]>;

    /// Living clones of `kind`.
    fn clones_of(&self, kind: u32) -> usize;

    /// Remember clones that die out from now on.
    fn keep_extinct(&mut self);

    /// Clones that died out, in that order, if they are remembered.
    fn extinct(&self) -> &[Extinct];

    /// Bytes allocated, but for a little.
    fn bytes(&self) -> usize;

    /// What is held one by one: individuals, or clones.
    fn items(&self) -> u64 {
        self.total()
    }

    /// Whether a step may fail although there is room.
    fn is_delicate(&self) -> bool {
        false
    }

    /// What reaches the cells of each layer, full exposure first. Without reach there is one layer.
    fn exposures(&self) -> &[Exposure] {
        &[Exposure::FULL]
    }

    /// The genealogy, simplified to the living cells, and these in the order of their table; `None` if it was not
    /// asked for.
    fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        Ok(None)
    }
}

/// Refuse to remove more than there is.
pub(super) fn check(gone: &[u64], there: impl ExactSizeIterator<Item = u64>) -> Result<()> {
    if gone.len() != there.len() {
        return Err(Error::refused("removed", gone.len(), format!("a number for each of {}", there.len())));
    }
    match gone.iter().zip(there).find(|(gone, there)| *gone > there) {
        Some((gone, there)) => {
            Err(Error::refused("removed", *gone, format!("at most {there}, which are there")))
        }
        None => Ok(()),
    }
}
