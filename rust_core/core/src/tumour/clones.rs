//! The `clones` engine: cells of one origin and one kind are a count, and each step draws the
//! multinomial of (divide, die, stay) for the count. Sums of independent cells are binomial, so
//! the law of the totals is the per-cell law itself, not an approximation of it.

mod surgery;

use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::law::{CloneRecord, Extinct, Kinds, MOST_CELLS, StepProbabilities, Tally};
use crate::random::{Rare, binomial, lineages, poisson};
use crate::tumour::engine::Engine;
use crate::tumour::room::make_room;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;

/// Clones between two looks at whether to stop.
const CLONES_PER_LOOK: usize = 1024;

/// A well-mixed population held as clones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clones {
    max_per_kind: usize,
    step: u64,
    next_id: u64,
    total: u64,
    records: Vec<CloneRecord>,
    of_kind: Vec<Vec<u32>>,
    counts: Vec<u64>,
    arrivals: Vec<(u32, u64)>,
    moves: Vec<(u32, u32, u64)>,
    births: Vec<(u32, u32, u64)>,
    extinct: Option<Vec<Extinct>>,
}

impl Clones {
    /// An empty population that keeps at most `max_per_kind` clones of a kind apart.
    pub fn new(max_per_kind: usize) -> Self {
        Self {
            max_per_kind: max_per_kind.max(1),
            step: 0,
            next_id: 0,
            total: 0,
            records: Vec::new(),
            of_kind: Vec::new(),
            counts: Vec::new(),
            arrivals: Vec::new(),
            moves: Vec::new(),
            births: Vec::new(),
            extinct: None,
        }
    }

    /// Put `cells` founder cells of `kind` in, as one clone: so few that they can be counted.
    pub fn put(&mut self, kind: u32, cells: u64) {
        if cells > 0 {
            self.create(kind, cells, None, None);
        }
    }

    fn create(&mut self, kind: u32, cells: u64, parent: Option<u64>, lineage: Option<u64>) {
        let place = kind as usize;
        if self.of_kind.len() <= place {
            self.of_kind.resize_with(place + 1, Vec::new);
            self.counts.resize(place + 1, 0);
        }
        let id = self.next_id;
        self.next_id += 1;
        self.of_kind[place].push(self.records.len() as u32);
        self.records.push(CloneRecord {
            id,
            parent,
            kind,
            born_step: self.step,
            cells,
            peak: cells,
            place: None,
            origins: 1,
            lineage: lineage.unwrap_or(id),
        });
        self.counts[place] += cells;
        self.total += cells;
    }

    fn add(&mut self, record: u32, cells: u64, origins: u64) {
        let clone = &mut self.records[record as usize];
        clone.cells += cells;
        clone.origins += origins;
        self.counts[clone.kind as usize] += cells;
        self.total += cells;
    }

    /// The smallest living clone of a kind (the oldest of equals), when the kind is full.
    fn merge_target(&self, kind: u32) -> Option<u32> {
        let siblings = self.of_kind.get(kind as usize)?;
        if siblings.len() < self.max_per_kind {
            return None;
        }
        let cells = |i: u32| self.records[i as usize].cells;
        // Clones that died in this very step are still on the list.
        siblings.iter().copied().filter(|&i| cells(i) > 0).min_by_key(|&i| cells(i))
    }

    /// `mutants` cells of `kind` were born, each the first of its clone.
    fn arrive(&mut self, kind: u32, mutants: u64, parent: u64, cancel: &AtomicBool) -> Result<()> {
        for left in (1..=mutants).rev() {
            heed(cancel)?;
            if let Some(target) = self.merge_target(kind) {
                self.add(target, left, left);
                break;
            }
            make_room(&mut self.records, 1, "clones")?;
            self.create(kind, 1, Some(parent), None);
        }
        Ok(())
    }

    /// `cells` of the clone `from` turned into `kind`: they stay of one lineage.
    fn turn(&mut self, kind: u32, cells: u64, from: u32) {
        let CloneRecord { id, lineage, .. } = self.records[from as usize];
        let same_lineage = self
            .of_kind
            .get(kind as usize)
            .and_then(|s| s.iter().copied().find(|&i| self.records[i as usize].lineage == lineage));
        match same_lineage.or_else(|| self.merge_target(kind)) {
            Some(target) => self.add(target, cells, 0),
            None => self.create(kind, cells, Some(id), Some(lineage)),
        }
    }

    fn switch<R: Rng, K: Kinds>(&mut self, rng: &mut R, kinds: &mut K) {
        let mut moves = core::mem::take(&mut self.moves);
        for (index, clone) in self.records.iter().enumerate() {
            if clone.cells > 0 {
                self.arrivals.clear();
                kinds.switch(rng, clone.kind, clone.cells, &mut self.arrivals);
                moves.extend(self.arrivals.iter().map(|&(kind, cells)| (index as u32, kind, cells)));
            }
        }
        for (from, kind, cells) in moves.drain(..) {
            let clone = &mut self.records[from as usize];
            clone.cells -= cells;
            self.counts[clone.kind as usize] -= cells;
            self.total -= cells;
            self.turn(kind, cells, from);
        }
        self.moves = moves;
    }

    /// `cells` of `kind` come from elsewhere; their clone, if they are a new one.
    pub(crate) fn receive(&mut self, kind: u32, cells: u64) -> Option<u64> {
        match self.merge_target(kind) {
            _ if cells == 0 => None,
            Some(target) => {
                self.add(target, cells, 1);
                None
            }
            None => {
                self.create(kind, cells, None, None);
                Some(self.next_id - 1)
            }
        }
    }

    /// `cells` of `kind` go elsewhere, from the largest clones first; how many of which.
    pub(crate) fn withdraw(&mut self, kind: u32, cells: u64) -> Vec<(u64, u64)> {
        let mut withdrawn = Vec::new();
        let mut left = cells.min(self.count(kind));
        self.counts[kind as usize] -= left;
        self.total -= left;
        while left > 0 {
            let of_kind = self.records.iter_mut().filter(|clone| clone.kind == kind);
            let Some(largest) = of_kind.max_by_key(|clone| clone.cells) else { break };
            let taken = left.min(largest.cells);
            largest.cells -= taken;
            left -= taken;
            withdrawn.push((largest.id, taken));
        }
        self.bury();
        withdrawn
    }

    /// Every cell stays with probability `share`, independently of all others.
    pub fn thin<R: Rng>(&mut self, rng: &mut R, share: f64) {
        for clone in &mut self.records {
            let gone = clone.cells - binomial(rng, clone.cells, share.clamp(0.0, 1.0));
            clone.cells -= gone;
            self.counts[clone.kind as usize] -= gone;
            self.total -= gone;
        }
        self.bury();
    }

    /// Live through a stretch of time at once, in which a cell would divide and die so many times on average. Cells of
    /// a clone do so by the law of continuous time; mutants are drawn from the expected divisions, given how
    /// the clone has grown, and divide for the first time in the next stretch. An approximation for searches.
    pub fn leap<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        expected: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.step += 1;
        let mut tally = Tally::default();
        let mut births = core::mem::take(&mut self.births);
        for (index, clone) in self.records.iter_mut().enumerate() {
            let StepProbabilities { divide, die } = expected[clone.kind as usize];
            let (before, after) = (clone.cells, lineages(rng, clone.cells, divide, die));
            let lived = logarithmic_mean(before as f64, after as f64);
            let divided = poisson(rng, divide * lived).max(after.saturating_sub(before));
            let mutants = binomial(rng, divided.min(after), kinds.mutation_total(clone.kind));
            if mutants > 0 {
                self.arrivals.clear();
                kinds.mutate(rng, clone.kind, mutants, &mut self.arrivals);
                births.extend(self.arrivals.iter().map(|&(kind, cells)| (index as u32, kind, cells)));
            }
            clone.cells = after - mutants;
            self.counts[clone.kind as usize] += clone.cells;
            self.counts[clone.kind as usize] -= before;
            self.total = self.total + clone.cells - before;
            tally.divisions += divided;
            tally.deaths += divided + before - after;
        }
        self.switch(rng, kinds);
        for (parent, kind, cells) in births.drain(..) {
            let parent = self.records[parent as usize].id;
            self.arrive(kind, cells, parent, cancel)?;
        }
        self.births = births;
        for clone in &mut self.records {
            clone.peak = clone.peak.max(clone.cells);
        }
        self.bury();
        if self.total > MOST_CELLS {
            return Err(Error::TooManyCells { who: "population".into() });
        }
        Ok(tally)
    }

    fn bury(&mut self) {
        if let Some(extinct) = &mut self.extinct {
            let dead = self.records.iter().filter(|clone| clone.cells == 0);
            extinct.extend(dead.map(|&record| Extinct { record, died_step: self.step }));
        }
        for clone in &self.records {
            self.of_kind[clone.kind as usize].clear();
        }
        self.records.retain(|clone| clone.cells > 0);
        for (index, clone) in self.records.iter().enumerate() {
            self.of_kind[clone.kind as usize].push(index as u32);
        }
    }
}

/// The mean over time of what grows exponentially from one number to another.
fn logarithmic_mean(a: f64, b: f64) -> f64 {
    let ratio = libm::log(b.max(0.5) / a.max(0.5));
    if ratio.abs() < 1e-6 { a } else { (b.max(0.5) - a.max(0.5)) / ratio }
}

impl Engine for Clones {
    fn found(&mut self, kind: u32, cells: u64, _: &AtomicBool) -> Result<()> {
        if cells > MOST_CELLS.saturating_sub(self.total) {
            return Err(Error::input(format!("initial[{kind}]"), "more than 2^53 cells in all"));
        }
        self.put(kind, cells);
        Ok(())
    }

    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.step += 1;
        let mut tally = Tally::default();
        let (mut any_extinct, mut rare) = (false, Rare::default());
        let mut births = core::mem::take(&mut self.births);
        for (index, clone) in self.records.iter_mut().enumerate() {
            if index % CLONES_PER_LOOK == 0 {
                heed(cancel)?;
            }
            let p = probabilities[clone.kind as usize];
            let n = clone.cells;
            // Most small clones end here: nothing happens in them.
            let [divided, died] = rare.fates(rng, n, p.divide, p.die);
            if divided + died == 0 {
                continue;
            }
            let mutants = rare.binomial(rng, divided, kinds.mutation(clone.kind));
            if mutants > 0 {
                self.arrivals.clear();
                kinds.mutate(rng, clone.kind, mutants, &mut self.arrivals);
                births.extend(self.arrivals.iter().map(|&(kind, cells)| (index as u32, kind, cells)));
            }
            clone.cells = n - died + (divided - mutants);
            self.counts[clone.kind as usize] += divided - mutants;
            self.counts[clone.kind as usize] -= died;
            self.total += divided - mutants;
            self.total -= died;
            any_extinct |= clone.cells == 0;
            tally.divisions += divided;
            tally.deaths += died;
        }
        self.switch(rng, kinds);
        for (parent, kind, cells) in births.drain(..) {
            let parent = self.records[parent as usize].id;
            self.arrive(kind, cells, parent, cancel)?;
        }
        self.births = births;
        for clone in &mut self.records {
            clone.peak = clone.peak.max(clone.cells);
            any_extinct |= clone.cells == 0;
        }
        if any_extinct {
            self.bury();
        }
        if self.total > MOST_CELLS {
            return Err(Error::TooManyCells { who: "population".into() });
        }
        Ok(tally)
    }

    fn remove(&mut self, gone: &[u64]) -> Result<()> {
        self.take_out(gone)
    }

    fn label(&mut self) -> Result<()> {
        self.label_each()
    }

    fn step_index(&self) -> u64 {
        self.step
    }

    fn total(&self) -> u64 {
        self.total
    }

    fn counts(&self) -> &[u64] {
        &self.counts
    }

    fn records(&self) -> Cow<'_, [CloneRecord]> {
        Cow::Borrowed(&self.records)
    }

    fn clones_of(&self, kind: u32) -> usize {
        self.of_kind.get(kind as usize).map_or(0, Vec::len)
    }

    fn keep_extinct(&mut self) {
        self.extinct.get_or_insert_default();
    }

    fn extinct(&self) -> &[Extinct] {
        self.extinct.as_deref().unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        size_of::<CloneRecord>() * self.records.capacity() + size_of_val(self.extinct())
    }

    fn items(&self) -> u64 {
        self.records.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::NEVER;
    use crate::random::{Purpose, stream};

    /// One kind; a share of divisions founds a new clone of the same kind.
    struct Neutral(f64);

    impl Kinds for Neutral {
        fn mutation_total(&self, _: u32) -> f64 {
            self.0
        }

        fn mutate<R: Rng>(&mut self, _: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
            out.push((kind, mutants));
        }

        fn switch<R: Rng>(&mut self, _: &mut R, _: u32, _: u64, _: &mut Vec<(u32, u64)>) {}
    }

    fn grow(max_clones: usize, mutation: f64, steps: u32) -> Result<Clones> {
        let mut rng = stream(1, 0, Purpose::Tumour, 0);
        let mut clones = Clones::new(max_clones);
        clones.put(0, 1000);
        let p = StepProbabilities::new(0.14, 0.10, 1.0, || "test".into())?;
        for _ in 0..steps {
            clones.step(&mut rng, &[p], &mut Neutral(mutation), &NEVER)?;
        }
        Ok(clones)
    }

    #[test]
    fn counts_totals_and_records_always_agree() -> Result<()> {
        let clones = grow(20, 0.01, 100)?;
        let sum: u64 = clones.records().iter().map(|clone| clone.cells).sum();
        assert_eq!(sum, clones.total());
        assert_eq!(sum, clones.count(0));
        assert_eq!(clones.clones_of(0), clones.records().len());
        Ok(())
    }

    #[test]
    fn no_more_clones_are_kept_apart_than_allowed() -> Result<()> {
        let clones = grow(20, 0.01, 100)?;
        assert_eq!(clones.clones_of(0), 20);
        let origins: u64 = clones.records().iter().map(|clone| clone.origins).sum();
        assert!(origins > 20, "{origins}");
        Ok(())
    }

    #[test]
    fn a_clone_is_younger_than_its_parent() -> Result<()> {
        let clones = grow(10_000, 0.001, 50)?;
        for clone in clones.records().iter() {
            assert!(clone.parent.is_none_or(|parent| parent < clone.id));
        }
        Ok(())
    }

    #[test]
    fn extinction_leaves_an_empty_population_that_can_be_stepped() -> Result<()> {
        let mut rng = stream(2, 0, Purpose::Tumour, 0);
        let mut clones = Clones::new(1);
        clones.put(0, 3);
        let p = StepProbabilities::new(0.0, 0.5, 1.0, || "test".into())?;
        for _ in 0..200 {
            clones.step(&mut rng, &[p], &mut Neutral(0.0), &NEVER)?;
        }
        assert_eq!((clones.total(), clones.records().len()), (0, 0));
        Ok(())
    }
}
