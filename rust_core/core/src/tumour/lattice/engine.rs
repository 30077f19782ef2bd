//! The lattice as an engine.

use super::lineage::Lineage;
use super::tissue::{Lattice, MOST_FOUNDERS};
use crate::error::{Error, Result};
use crate::law::{CloneRecord, Exposure, Extinct, Kinds, StepProbabilities, Tally};
use crate::tumour::engine::Engine;
use crate::tumour::lineage::{Genealogy, Tip};
use crate::tumour::room::room_for;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

/// From so many cells on, a step draws from a faster generator of its own, seeded by the stream.
const MANY: u64 = 4096;

impl Engine for Lattice {
    fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()> {
        if cells > MOST_FOUNDERS {
            let allowed = format!("at most {MOST_FOUNDERS} founder cells");
            return Err(Error::refused(format!("initial[{kind}]"), cells, allowed));
        }
        let mut places = self.domain.geometry().ball(cells.saturating_add(self.total()), cancel)?;
        places.retain(|&place| !self.is_occupied(place));
        places.truncate(cells as usize);
        self.found_at(kind, &places, cancel)
    }

    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.step += 1;
        let tally = if self.total() < MANY {
            self.act(rng, probabilities, kinds, cancel)?
        } else {
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            self.act(&mut Xoshiro256PlusPlus::from_seed(seed), probabilities, kinds, cancel)?
        };
        self.register.bury(self.step);
        if let Some(lineage) = &mut self.lineage {
            lineage.forget_lines(&self.domain, self.register.total())?;
        }
        self.layers.follow(&self.domain, tally.divisions + tally.deaths, self.total(), cancel)?;
        Ok(tally)
    }

    fn remove(&mut self, gone: &[u64]) -> Result<()> {
        self.take_out(gone)
    }

    fn label(&mut self) -> Result<()> {
        self.label_each()
    }

    fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        self.lineage.as_mut().map_or(Ok(()), |lineage| lineage.remember(nodes))
    }

    fn recorded(&mut self) -> Option<&mut Genealogy> {
        self.lineage.as_mut().map(Lineage::genealogy_mut)
    }

    fn step_index(&self) -> u64 {
        self.step
    }

    fn total(&self) -> u64 {
        self.register.total()
    }

    fn counts(&self) -> &[u64] {
        self.register.counts()
    }

    fn records(&self) -> Cow<'_, [CloneRecord]> {
        Cow::Borrowed(self.register.records())
    }

    fn clones_of(&self, kind: u32) -> usize {
        self.register.clones_of(kind)
    }

    fn exposures(&self) -> &[Exposure] {
        self.layers.exposures()
    }

    fn bytes(&self) -> usize {
        self.domain.bytes()
            + self.layers.bytes()
            + self.lineage.as_ref().map_or(0, Lineage::bytes)
            + 4 * (self.events.capacity()
                + self.event_of.capacity()
                + self.suspects.capacity()
                + self.pushed.capacity())
    }

    fn keep_extinct(&mut self) {
        self.register.keep_extinct();
    }

    fn extinct(&self) -> &[Extinct] {
        self.register.extinct()
    }

    fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        let Some(lineage) = &mut self.lineage else { return Ok(None) };
        lineage.simplify(&self.domain)?;
        room_for(self.register.total() as usize, size_of::<Tip>(), "cells")?;
        let Some(lineage) = &self.lineage else { return Ok(None) };
        let nodes = self.domain.cells().map(|site| lineage.node(site));
        let tips =
            nodes.zip(self.cells()).map(|(node, cell)| Tip { node, clone: cell.clone, kind: cell.kind });
        Ok(Some((lineage.genealogy(), tips.collect())))
    }

    /// A reach may find no outline.
    fn is_delicate(&self) -> bool {
        self.layers.exposures().len() > 1
    }
}
