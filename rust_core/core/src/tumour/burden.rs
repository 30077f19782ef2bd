//! The tumour of a patient: real cells, counted one clone at a time or held as individuals.
//!
//! With the engine `clones` all cells are counted. With `cells` and `lattice` an individual stands for
//! `scale` real cells that share one fate (a super-individual, Scheffer et al. 1995, Ecol Model 80:161).
//! What is smaller than a hundred individuals is counted by the exact law: the tumour begins as one counted
//! cell, and mutants are born, counted, from the real divisions of individuals. When the counted cells
//! of a kind fill a hundred individuals, or join as many, these take their place; a kind that falls below half
//! as many is counted again. So the supply of mutants, their chance to survive while rare, the time at which they
//! are seen and what a treatment leaves do not depend on the scale; chance among individuals is coarser.

use crate::error::Result;
use crate::law::{CloneRecord, Exposure, Extinct, Kinds, StepProbabilities, Tally};
use crate::random::binomial;
use crate::tumour::choice::{AnyEngine, Choice};
use crate::tumour::clones::Clones;
use crate::tumour::engine::Engine;
use crate::tumour::lattice::Lattice;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// The fewest individuals with which a kind begins.
const FEWEST: u64 = 100;
/// The fewest that go on as such: of fewer the cells are counted. Half, so that a kind does not go to and fro.
const FEWEST_TO_STAY: u64 = FEWEST / 2;

/// The cells of one patient. All numbers of cells are of real ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Burden {
    counted: Clones,
    individuals: Option<Individuals>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Individuals {
    choice: Choice,
    engine: AnyEngine,
    scale: u64,
    /// Steps before the engine's first.
    steps_before: u64,
    /// Real cells per kind, counted ones included.
    counts: Vec<u64>,
    total: u64,
    divided: Vec<u64>,
    mutants: Vec<(u32, u64)>,
}

/// Kinds as individuals see them: their divisions are noted, mutants are born among the counted.
struct Noted<'a, K> {
    kinds: &'a mut K,
    divided: &'a mut Vec<u64>,
}

impl<K: Kinds> Kinds for Noted<'_, K> {
    fn mutation_total(&self, _: u32) -> f64 {
        0.0
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        self.kinds.switch(rng, kind, cells, out);
    }

    fn divided(&mut self, kind: u32, cells: u64) {
        let place = kind as usize;
        if self.divided.len() <= place {
            self.divided.resize(place + 1, 0);
        }
        self.divided[place] += cells;
    }
}

impl Individuals {
    /// One step of the individuals, then the mutants of their real divisions.
    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        counted: &mut Clones,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        if self.scale == 1 {
            return self.engine.step(rng, probabilities, kinds, cancel);
        }
        self.divided.clear();
        let mut noted = Noted { kinds, divided: &mut self.divided };
        let Tally { divisions, deaths } = self.engine.step(rng, probabilities, &mut noted, cancel)?;
        for (&divided, kind) in self.divided.iter().zip(0..) {
            let mutants = binomial(rng, divided * self.scale, kinds.mutation_total(kind));
            if mutants > 0 {
                self.mutants.clear();
                kinds.mutate(rng, kind, mutants, &mut self.mutants);
                for &(into, cells) in &self.mutants {
                    counted.receive(into, cells);
                }
            }
        }
        Ok(Tally { divisions: divisions * self.scale, deaths: deaths * self.scale })
    }

    /// Kinds of which few individuals are left are counted from now on, cell by cell.
    fn demote(&mut self, counted: &mut Clones) -> Result<()> {
        let few = |cells: u64| cells > 0 && cells < FEWEST_TO_STAY;
        if self.scale == 1 || !self.engine.counts().iter().any(|&cells| few(cells)) {
            return Ok(());
        }
        let counts = self.engine.counts().to_vec();
        let leaves = |(kind, cells): (u32, u64)| if few(counts[kind as usize]) { cells } else { 0 };
        let gone: Vec<u64> = self.engine.held().into_iter().map(leaves).collect();
        self.engine.remove(&gone)?;
        for (&cells, kind) in counts.iter().zip(0..).filter(|(cells, _)| few(**cells)) {
            counted.receive(kind, cells * self.scale);
        }
        Ok(())
    }

    /// Counted cells that fill individuals become such.
    fn promote(&mut self, counted: &mut Clones, cancel: &AtomicBool) -> Result<()> {
        for kind in 0..counted.counts().len() as u32 {
            let whole = counted.count(kind) / self.scale;
            // Alone, a single individual would die out as easily as a single cell.
            let enough = if self.scale == 1 { 1 } else { FEWEST };
            if whole > 0 && self.engine.count(kind) + whole >= enough {
                self.engine.found(kind, whole, cancel)?;
                counted.withdraw(kind, whole * self.scale);
            }
        }
        Ok(())
    }

    fn count_up(&mut self, counted: &Clones) {
        self.counts.clear();
        self.counts.extend_from_slice(counted.counts());
        let individuals = self.engine.counts();
        if self.counts.len() < individuals.len() {
            self.counts.resize(individuals.len(), 0);
        }
        for (count, &cells) in self.counts.iter_mut().zip(individuals) {
            *count += cells * self.scale;
        }
        self.total = self.counts.iter().sum();
    }
}

impl Burden {
    /// No cells yet. `individuals`: the engine that holds them, and real cells in each.
    pub fn new(max_clones: usize, individuals: Option<(&Choice, u64)>) -> Result<Self> {
        let Some((choice, scale)) = individuals else { return Ok(Self::counted(max_clones)) };
        let individuals = Individuals {
            choice: choice.clone(),
            engine: choice.build()?,
            scale,
            steps_before: 0,
            counts: Vec::new(),
            total: 0,
            divided: Vec::new(),
            mutants: Vec::new(),
        };
        Ok(Self { counted: Clones::new(max_clones), individuals: Some(individuals) })
    }

    /// No cells yet, and all that come are counted.
    pub fn counted(max_clones: usize) -> Self {
        Self { counted: Clones::new(max_clones), individuals: None }
    }

    /// Real cells in an individual; 1 when all are counted.
    pub fn scale(&self) -> u64 {
        self.individuals.as_ref().map_or(1, |individuals| individuals.scale)
    }

    /// Put `cells` cells of `kind` in.
    pub fn found(&mut self, kind: u32, cells: u64, cancel: &AtomicBool) -> Result<()> {
        match &mut self.individuals {
            Some(individuals) => {
                if individuals.scale == 1 {
                    individuals.engine.found(kind, cells, cancel)?;
                } else {
                    self.counted.put(kind, cells);
                }
                individuals.count_up(&self.counted);
            }
            None => self.counted.put(kind, cells),
        }
        Ok(())
    }

    /// One step of the law; probabilities of every kind in every layer, `[kind * layers + layer]`,
    /// full exposure first.
    pub fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        let Some(individuals) = &mut self.individuals else {
            return self.counted.step(rng, probabilities, kinds, cancel);
        };
        let mut tally = Tally::default();
        if individuals.scale > 1 {
            let layers = individuals.engine.exposures().len();
            let full: Vec<StepProbabilities> = probabilities.iter().copied().step_by(layers).collect();
            tally = self.counted.step(rng, &full, kinds, cancel)?;
        }
        let counted = &mut self.counted;
        let Tally { divisions, deaths } = individuals.step(rng, probabilities, kinds, counted, cancel)?;
        individuals.demote(counted)?;
        individuals.promote(counted, cancel)?;
        individuals.count_up(&self.counted);
        Ok(Tally { divisions: tally.divisions + divisions, deaths: tally.deaths + deaths })
    }

    /// Live through a stretch of time at once: of counted cells, see `Clones::leap`.
    pub fn leap<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        expected: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.counted.leap(rng, expected, kinds, cancel)
    }

    /// What reaches the cells of each layer.
    pub fn exposures(&self) -> &[Exposure] {
        self.individuals.as_ref().map_or(&[Exposure::FULL], |individuals| individuals.engine.exposures())
    }

    /// Living cells.
    pub fn total(&self) -> u64 {
        self.individuals.as_ref().map_or_else(|| self.counted.total(), |individuals| individuals.total)
    }

    /// Living cells per kind, for the kinds met so far.
    pub fn counts(&self) -> &[u64] {
        self.individuals.as_ref().map_or_else(|| self.counted.counts(), |individuals| &individuals.counts)
    }

    /// Living clones. Beside individuals, ids of counted clones are even and those of others odd.
    pub fn records(&self) -> Vec<CloneRecord> {
        let counted = self.counted.records();
        let Some(individuals) = &self.individuals else { return counted.to_vec() };
        let renamed = |clone: &CloneRecord, odd: u64, scale: u64| CloneRecord {
            id: 2 * clone.id + odd,
            parent: clone.parent.map(|parent| 2 * parent + odd),
            cells: clone.cells * scale,
            born_step: clone.born_step + odd * individuals.steps_before,
            ..*clone
        };
        let held = individuals.engine.records();
        let held = held.iter().map(|clone| renamed(clone, 1, individuals.scale));
        counted.iter().map(|clone| renamed(clone, 0, 1)).chain(held).collect()
    }

    /// Remember counted clones that die out from now on.
    pub fn keep_extinct(&mut self) {
        self.counted.keep_extinct();
    }

    /// Counted clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        self.counted.extinct()
    }

    /// Every cell stays with probability `share`; what stays is counted.
    pub fn thin<R: Rng>(&mut self, rng: &mut R, share: f64, cancel: &AtomicBool) -> Result<()> {
        if let Some(individuals) = &mut self.individuals {
            for (&cells, kind) in individuals.engine.counts().iter().zip(0..) {
                self.counted.receive(kind, cells * individuals.scale);
            }
            individuals.steps_before += individuals.engine.step_index();
            individuals.engine = individuals.choice.build()?;
        }
        self.counted.thin(rng, share);
        if let Some(individuals) = &mut self.individuals {
            individuals.promote(&mut self.counted, cancel)?;
            individuals.count_up(&self.counted);
        }
        Ok(())
    }

    /// What is held one by one: individuals and counted clones.
    pub fn items(&self) -> u64 {
        let held = self.individuals.as_ref().map_or(0, |individuals| individuals.engine.items());
        self.counted.records().len() as u64 + held
    }

    /// The cells in space, if they have places.
    pub fn lattice(&self) -> Option<&Lattice> {
        self.individuals.as_ref().and_then(|individuals| individuals.engine.lattice())
    }
}

#[cfg(test)]
mod tests;
