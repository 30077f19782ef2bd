//! The `clones` engine: cells of one origin and one kind are a count, and each step draws the
//! multinomial of (divide, die, stay) for the count. Sums of independent cells are binomial, so
//! the law of the totals is the per-cell law itself, not an approximation of it.

use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::random::binomial;
use crate::tumour::room::make_room;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// Counts are exact in f64 up to here.
pub const MOST_CELLS: u64 = 1 << 53;
/// The law holds only while the chance to act in one step stays below this.
pub const MOST_ACTIVE: f64 = 0.5;
/// Clones between two looks at whether to stop.
const CLONES_PER_LOOK: usize = 1024;

/// Probabilities per step of one kind of cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepProbabilities {
    /// Probability to divide.
    pub divide: f64,
    /// Probability to die.
    pub die: f64,
}

impl StepProbabilities {
    /// From rates per day and a step of `dt` days; `who` names the clone in the error.
    pub fn new(division: f64, death: f64, dt: f64, who: impl FnOnce() -> String) -> Result<Self> {
        let (divide, die) = (division * dt, death * dt);
        // Written so that NaN fails too.
        if divide >= 0.0 && die >= 0.0 && divide + die <= MOST_ACTIVE {
            return Ok(Self { divide, die });
        }
        Err(Error::StepTooLong {
            who: who(),
            dt,
            probability: divide + die,
            division,
            death,
            longest: longest_step(division, death),
        })
    }
}

/// The longest step in days that the rates allow, rounded down to the digits that are shown.
pub fn longest_step(division: f64, death: f64) -> f64 {
    libm::floor(MOST_ACTIVE / (division + death) * 1e6) / 1e6
}

/// What the engine must know of kinds (types with explicit rates, or genotypes).
pub trait Kinds {
    /// Probability that a division of `kind` puts a mutation into one daughter.
    fn mutation_total(&self, kind: u32) -> f64;
    /// Distribute `mutants` of `kind` over the kinds they become.
    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>);
    /// Draw which of `cells` of `kind` switch reversibly, and to what.
    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>);
    /// Told by engines of individuals how many cells of `kind` divided.
    fn divided(&mut self, _kind: u32, _cells: u64) {}
}

/// Cells of one origin and one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneRecord {
    /// Unique within the tumour; rises with birth.
    pub id: u64,
    /// Clone in which the first cell was born.
    pub parent: Option<u64>,
    /// Type or genotype.
    pub kind: u32,
    /// Step at which the first cell was born.
    pub born_step: u64,
    /// Living cells.
    pub cells: u64,
    /// The most cells it had after any step.
    pub peak: u64,
    /// Where its first cell was born, in space.
    pub place: Option<[i32; 3]>,
    /// Origins that were merged into this record (1 when none were).
    pub origins: u64,
    /// Clone from which its cells turned reversibly, or itself.
    pub(crate) lineage: u64,
}

/// A clone that has no cells any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extinct {
    /// What it was.
    pub record: CloneRecord,
    /// Step in which its last cell died, turned, or mutated away.
    pub died_step: u64,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Divisions.
    pub divisions: u64,
    /// Deaths.
    pub deaths: u64,
}

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

    /// Remember clones that die out from now on.
    pub fn keep_extinct(&mut self) {
        self.extinct.get_or_insert_default();
    }

    /// Bytes allocated, but for a little.
    pub fn bytes(&self) -> usize {
        size_of::<CloneRecord>() * self.records.capacity() + size_of_val(self.extinct())
    }

    /// Clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        self.extinct.as_deref().unwrap_or_default()
    }

    /// Put `cells` founder cells of `kind` in, as one clone.
    pub fn found(&mut self, kind: u32, cells: u64) {
        if cells > 0 {
            self.create(kind, cells, None, None);
        }
    }

    /// Steps taken.
    pub fn step_index(&self) -> u64 {
        self.step
    }

    /// Living cells.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Living cells of `kind`.
    pub fn count(&self, kind: u32) -> u64 {
        self.counts.get(kind as usize).copied().unwrap_or(0)
    }

    /// Living cells per kind, for the kinds met so far.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Living clones of `kind`.
    pub fn clones_of(&self, kind: u32) -> usize {
        self.of_kind.get(kind as usize).map_or(0, Vec::len)
    }

    /// Living clones, oldest first.
    pub fn records(&self) -> &[CloneRecord] {
        &self.records
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

    /// One step of the law. `probabilities` is indexed by kind and must cover every living kind.
    pub fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        self.step += 1;
        let mut tally = Tally::default();
        let mut any_extinct = false;
        let mut births = core::mem::take(&mut self.births);
        for (index, clone) in self.records.iter_mut().enumerate() {
            if index % CLONES_PER_LOOK == 0 {
                heed(cancel)?;
            }
            let p = probabilities[clone.kind as usize];
            let n = clone.cells;
            let divided = binomial(rng, n, p.divide);
            let died = if p.die > 0.0 { binomial(rng, n - divided, p.die / (1.0 - p.divide)) } else { 0 };
            let mutants = match kinds.mutation_total(clone.kind) {
                u if u > 0.0 => binomial(rng, divided, u),
                _ => 0,
            };
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

    /// `cells` of `kind` come from elsewhere.
    pub(crate) fn receive(&mut self, kind: u32, cells: u64) {
        match self.merge_target(kind) {
            _ if cells == 0 => {}
            Some(target) => self.add(target, cells, 1),
            None => self.create(kind, cells, None, None),
        }
    }

    /// `cells` of `kind` go elsewhere, from the largest clones first.
    pub(crate) fn withdraw(&mut self, kind: u32, cells: u64) {
        let mut left = cells.min(self.count(kind));
        self.counts[kind as usize] -= left;
        self.total -= left;
        while left > 0 {
            let of_kind = self.records.iter_mut().filter(|clone| clone.kind == kind);
            let Some(largest) = of_kind.max_by_key(|clone| clone.cells) else { break };
            let taken = left.min(largest.cells);
            largest.cells -= taken;
            left -= taken;
        }
        self.bury();
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

    fn bury(&mut self) {
        if let Some(extinct) = &mut self.extinct {
            let dead = self.records.iter().filter(|clone| clone.cells == 0);
            extinct.extend(dead.map(|&record| Extinct { record, died_step: self.step }));
        }
        self.records.retain(|clone| clone.cells > 0);
        for siblings in &mut self.of_kind {
            siblings.clear();
        }
        for (index, clone) in self.records.iter().enumerate() {
            self.of_kind[clone.kind as usize].push(index as u32);
        }
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
        clones.found(0, 1000);
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
        for clone in clones.records() {
            assert!(clone.parent.is_none_or(|parent| parent < clone.id));
        }
        Ok(())
    }

    #[test]
    fn a_step_too_long_for_the_rates_is_refused_with_one_that_would_do() {
        let refused = StepProbabilities::new(0.4, 0.2, 1.0, || "type 3".into()).map_err(|e| e.to_string());
        let message = refused.err().unwrap_or_default();
        assert!(message.contains("type 3") && message.contains("dt <= 0.833333"), "{message}");
        assert!(StepProbabilities::new(f64::NAN, 0.2, 1.0, || "x".into()).is_err());
        assert!(StepProbabilities::new(-0.1, 0.2, 1.0, || "x".into()).is_err());
    }

    #[test]
    fn extinction_leaves_an_empty_population_that_can_be_stepped() -> Result<()> {
        let mut rng = stream(2, 0, Purpose::Tumour, 0);
        let mut clones = Clones::new(1);
        clones.found(0, 3);
        let p = StepProbabilities::new(0.0, 0.5, 1.0, || "test".into())?;
        for _ in 0..200 {
            clones.step(&mut rng, &[p], &mut Neutral(0.0), &NEVER)?;
        }
        assert_eq!((clones.total(), clones.records().len()), (0, 0));
        Ok(())
    }
}
