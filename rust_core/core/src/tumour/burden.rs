//! The tumour of a patient: real cells, counted one clone at a time or held as individuals.
//!
//! With the engine `clones` all cells are counted. With `cells` and `lattice` an individual stands for
//! `scale` real cells that share one fate (a super-individual, Scheffer et al. 1995, Ecol Model 80:161).
//! What is smaller than a hundred individuals is counted by the exact law: the tumour begins as one counted
//! cell, and mutants are born, counted, from the real divisions of individuals. When the counted cells
//! of a kind fill a hundred individuals, or join as many, these take their place; a kind that falls below half
//! as many is counted again. So the supply of mutants, their chance to survive while rare, the time at which they
//! are seen and what a treatment leaves do not depend on the scale; chance among individuals is coarser.

mod saved;

use crate::error::Result;
use crate::law::{CloneRecord, Exposure, Extinct, Kinds, StepProbabilities, Tally};
use crate::random::{Philox4x64, binomial, uniform};
use crate::tumour::choice::{AnyEngine, Choice};
use crate::tumour::clones::Clones;
use crate::tumour::descent::Descent;
use crate::tumour::engine::Engine;
use crate::tumour::lattice::Lattice;
use crate::tumour::lineage::{Genealogy, Tip};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

/// The fewest individuals with which a kind begins.
const FEWEST: u64 = 100;
/// The fewest that go on as such: of fewer the cells are counted. Half, so that a kind does not go to and fro.
const FEWEST_TO_STAY: u64 = FEWEST / 2;

/// The cells of one patient. All numbers of cells are of real ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Burden {
    counted: Clones,
    #[serde(with = "saved")]
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
    /// Individuals per kind before the step.
    #[serde(skip)]
    before: Vec<u64>,
    /// If it is recorded; it is saved beside, so that it takes no byte where it is not.
    #[serde(skip)]
    descent: Option<Descent>,
}

/// Kinds as individuals see them: their divisions are noted, mutants are born among the counted.
struct Noted<'a, K> {
    kinds: &'a mut K,
    divided: &'a mut Vec<u64>,
    /// Chooses a mother of every kind, where the descent is recorded.
    mothers: Option<&'a mut Philox4x64>,
}

impl<K: Kinds> Kinds for Noted<'_, K> {
    fn mutation_total(&self, _: u32) -> f64 {
        0.0
    }

    fn mutate<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        self.kinds.switch(rng, kind, cells, out);
    }

    fn divided(&mut self, kind: u32, cells: u64) -> bool {
        let place = kind as usize;
        if self.divided.len() <= place {
            self.divided.resize(place + 1, 0);
        }
        self.divided[place] += cells;
        // Of all mothers of the kind each is as likely.
        let of_all = self.divided[place] as f64;
        self.mothers.as_mut().is_some_and(|rng| uniform(*rng) * of_all < cells as f64)
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
        self.before.clear();
        self.before.extend_from_slice(self.engine.counts());
        self.divided.clear();
        let mothers = self.descent.as_mut().map(|descent| &mut descent.rng);
        let mut noted = Noted { kinds, divided: &mut self.divided, mothers };
        let Tally { divisions, deaths } = self.engine.step(rng, probabilities, &mut noted, cancel)?;
        for kind in 0..self.divided.len() as u32 {
            let divided = self.divided[kind as usize];
            let mutants = binomial(rng, divided * self.scale, kinds.mutation_total(kind));
            if mutants > 0 {
                self.mutants.clear();
                kinds.mutate(rng, kind, mutants, &mut self.mutants);
                for at in 0..self.mutants.len() {
                    let (into, cells) = self.mutants[at];
                    self.descends(counted.receive(into, cells), kind)?;
                }
            }
        }
        self.forget_mothers();
        Ok(Tally { divisions: divisions * self.scale, deaths: deaths * self.scale })
    }

    /// Kinds of which few individuals are left are counted from now on, cell by cell, each in the line of one of them.
    /// Few that turned into a kind stay among the others, until few of all are left.
    fn demote(&mut self, counted: &mut Clones) -> Result<()> {
        let few_of_all = self.engine.total() < FEWEST_TO_STAY;
        let mut leaving = self.engine.counts().to_vec();
        for (kind, cells) in leaving.iter_mut().enumerate() {
            let had_many = self.before.get(kind).is_some_and(|&before| before >= FEWEST_TO_STAY);
            if *cells >= FEWEST_TO_STAY || !(had_many || few_of_all) {
                *cells = 0;
            }
        }
        if self.scale == 1 || leaving.iter().all(|&cells| cells == 0) {
            return Ok(());
        }
        let few = |kind: u32| leaving[kind as usize] > 0;
        if self.descent.is_some() {
            let tips = self.engine.genealogy()?.map(|(_, tips)| tips);
            for tip in tips.into_iter().flatten().filter(|tip| few(tip.kind)) {
                if let Some(genealogy) = self.engine.recorded() {
                    genealogy.note_mother(tip.kind, tip.node);
                }
            }
        }
        let leaves = |(kind, cells): (u32, u64)| if few(kind) { cells } else { 0 };
        let gone: Vec<u64> = self.engine.held().into_iter().map(leaves).collect();
        self.engine.remove(&gone)?;
        for (&cells, kind) in leaving.iter().zip(0..).filter(|(cells, _)| **cells > 0) {
            self.descends(counted.receive(kind, cells * self.scale), kind)?;
        }
        self.forget_mothers();
        Ok(())
    }

    /// A new counted clone, if there is one, descends from the mother that was noted for `kind`.
    fn descends(&mut self, clone: Option<u64>, kind: u32) -> Result<()> {
        match (clone, self.descent.as_mut().zip(self.engine.recorded())) {
            (Some(clone), Some((descent, genealogy))) => descent.branch(genealogy, kind, clone),
            _ => Ok(()),
        }
    }

    fn forget_mothers(&mut self) {
        if let Some(genealogy) = self.engine.recorded() {
            genealogy.forget_mothers();
        }
    }

    /// Counted cells that fill individuals become such.
    fn promote(&mut self, counted: &mut Clones, cancel: &AtomicBool) -> Result<()> {
        for kind in 0..counted.counts().len() as u32 {
            let whole = counted.count(kind) / self.scale;
            // Alone, a single individual would die out as easily as a single cell.
            let enough = if self.scale == 1 { 1 } else { FEWEST };
            if whole > 0 && self.engine.count(kind) + whole >= enough {
                self.engine.found(kind, whole, cancel)?;
                let withdrawn = counted.withdraw(kind, whole * self.scale);
                if let Some((descent, genealogy)) = self.descent.as_mut().zip(self.engine.recorded()) {
                    descent.promote(genealogy, (whole, self.scale), &withdrawn)?;
                }
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
            before: Vec::new(),
            descent: None,
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

    /// Remember counted clones that die out from now on, and how individuals and they descend from each other, if the
    /// engine records a genealogy; `rng` draws nothing but the mothers of mutants.
    pub fn record_descent(&mut self, rng: Philox4x64) {
        self.counted.keep_extinct();
        if let Some(individuals) = &mut self.individuals {
            individuals.descent = Some(Descent::new(rng));
        }
    }

    /// How counted clones and individuals descend from each other, if that is recorded.
    pub fn descent(&self) -> Option<&Descent> {
        self.individuals.as_ref().and_then(|individuals| individuals.descent.as_ref())
    }

    /// The genealogy of the individuals, simplified, and these; `None` if it is not recorded.
    pub fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        self.individuals.as_mut().map_or(Ok(None), |individuals| individuals.engine.genealogy())
    }

    /// Remember individuals by their nodes in the genealogy as it was last given.
    pub fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        self.individuals.as_mut().map_or(Ok(()), |individuals| individuals.engine.remember(nodes))
    }

    /// Living counted clones.
    pub fn counted_records(&self) -> Cow<'_, [CloneRecord]> {
        self.counted.records()
    }

    /// Steps before the first of the engine of individuals.
    pub fn steps_before(&self) -> u64 {
        self.individuals.as_ref().map_or(0, |individuals| individuals.steps_before)
    }

    /// Counted clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        self.counted.extinct()
    }

    /// Every cell stays with probability `share`; what stays is counted.
    pub fn thin<R: Rng>(&mut self, rng: &mut R, share: f64, cancel: &AtomicBool) -> Result<()> {
        if let Some(individuals) = &mut self.individuals {
            let recorded = individuals.descent.as_mut().zip(individuals.engine.genealogy()?);
            let leading = recorded.map(|(descent, (genealogy, tips))| descent.forget(genealogy, &tips));
            for (&cells, kind) in individuals.engine.counts().iter().zip(0..) {
                let rest = self.counted.receive(kind, cells * individuals.scale);
                let of = leading.as_ref().and_then(|leading| leading.get(&kind));
                if let (Some(clone), Some(&of), Some(descent)) = (rest, of, &mut individuals.descent) {
                    descent.rest(clone, of);
                }
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
