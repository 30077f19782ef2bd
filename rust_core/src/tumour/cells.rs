//! The `cells` engine: every living cell is an individual that knows its clone and, on request, one
//! heritable trait. Cells of one kind stand together and have equal chances, so a step draws how
//! many divide and die and then which: the cost follows events, not cells.

use crate::error::{Error, Result};
use crate::random::{below, binomial, normal, uniform};
use crate::tumour::clones::{CloneRecord, Kinds, MOST_ACTIVE, StepProbabilities, Tally};
use rand::Rng;
use serde::Deserialize;

/// The most cells that are held one by one.
pub const MOST_INDIVIDUALS: u64 = u32::MAX as u64 - 1;
/// Steps after which the largest trait of a kind is looked up again; until then it is a bound.
const STEPS_BETWEEN_BOUNDS: u64 = 64;

/// The rate that a trait acts on.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Rate {
    /// Division.
    Division,
    /// Death.
    Death,
}

/// A continuous trait that cells inherit: the logarithm of the factor on one of their rates.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Heritable {
    /// The rate it multiplies by `exp(trait)`.
    pub rate: Rate,
    /// Standard deviation of the change in the new daughter at a division; founders have 0.
    pub drift: f64,
}

impl Heritable {
    fn scale(self, p: StepProbabilities, value: f32) -> StepProbabilities {
        let fold = libm::exp(f64::from(value));
        match self.rate {
            Rate::Division => StepProbabilities { divide: p.divide * fold, ..p },
            Rate::Death => StepProbabilities { die: p.die * fold, ..p },
        }
    }
}

/// Cells of one kind, in no order. `traits` is empty when there is none.
#[derive(Clone, Debug, Default)]
struct Bucket {
    clones: Vec<u32>,
    traits: Vec<f32>,
    highest: f32,
}

impl Bucket {
    /// Make room for `more` cells, with an eighth to spare: doubling would waste half the memory.
    fn reserve(&mut self, more: usize, traits: bool) -> Result<()> {
        fn room<T>(cells: &mut Vec<T>, more: usize) -> Result<()> {
            if cells.capacity() - cells.len() >= more {
                return Ok(());
            }
            let spare = more.max(cells.len() / 8).max(16);
            cells
                .try_reserve_exact(spare)
                .map_err(|_| Error::OutOfMemory { who: "population".into(), cells: cells.len() as u64 })
        }
        room(&mut self.clones, more)?;
        if traits { room(&mut self.traits, more) } else { Ok(()) }
    }

    fn push(&mut self, clone: u32, value: Option<f32>) {
        self.clones.push(clone);
        if let Some(value) = value {
            self.traits.push(value);
            self.highest = self.highest.max(value);
        }
    }

    /// Take the cell at `place` out.
    fn take(&mut self, place: usize) -> (u32, Option<f32>) {
        let value = if self.traits.is_empty() { None } else { Some(self.traits.swap_remove(place)) };
        (self.clones.swap_remove(place), value)
    }

    /// Move `chosen` cells, drawn without replacement, to the end, in random order.
    fn choose<R: Rng>(&mut self, rng: &mut R, chosen: usize) {
        for unchosen in (self.clones.len() - chosen..self.clones.len()).rev() {
            let place = below(rng, unchosen as u64 + 1) as usize;
            self.clones.swap(place, unchosen);
            self.traits.swap(place, unchosen);
        }
    }

    fn find_highest(&mut self) {
        self.highest = self.traits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    }
}

/// What changes at every event of a clone; `peak` is brought up to date before a loss.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    cells: u32,
    peak: u32,
}

/// What is said of a clone once. Clones of one lineage, whose cells switched, form a ring.
#[derive(Clone, Copy, Debug)]
struct About {
    id: u64,
    parent: Option<u64>,
    kind: u32,
    born_step: u64,
    lineage: u64,
    next_of_lineage: u32,
}

/// Living clones; the place of an extinct one is given to the next.
#[derive(Clone, Debug, Default)]
struct CloneTable {
    sizes: Vec<Size>,
    about: Vec<About>,
    free: Vec<u32>,
    next_id: u64,
    living_of_kind: Vec<usize>,
}

impl CloneTable {
    fn create(&mut self, kind: u32, cells: u32, step: u64, parent: Option<u64>) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        let size = Size { cells, peak: cells };
        let mut about = About { id, parent, kind, born_step: step, lineage: id, next_of_lineage: 0 };
        if self.living_of_kind.len() <= kind as usize {
            self.living_of_kind.resize(kind as usize + 1, 0);
        }
        self.living_of_kind[kind as usize] += 1;
        if let Some(slot) = self.free.pop() {
            about.next_of_lineage = slot;
            self.sizes[slot as usize] = size;
            self.about[slot as usize] = about;
            return slot;
        }
        let slot = self.about.len() as u32;
        about.next_of_lineage = slot;
        self.sizes.push(size);
        self.about.push(about);
        slot
    }

    #[inline]
    fn gain(&mut self, slot: u32) {
        self.sizes[slot as usize].cells += 1;
    }

    #[inline]
    fn lose(&mut self, slot: u32) {
        let size = &mut self.sizes[slot as usize];
        size.peak = size.peak.max(size.cells);
        size.cells -= 1;
        if size.cells == 0 {
            self.bury(slot);
        }
    }

    #[cold]
    fn bury(&mut self, slot: u32) {
        let next = self.about[slot as usize].next_of_lineage;
        let mut before = next;
        while self.about[before as usize].next_of_lineage != slot {
            before = self.about[before as usize].next_of_lineage;
        }
        self.about[before as usize].next_of_lineage = next;
        self.living_of_kind[self.about[slot as usize].kind as usize] -= 1;
        self.free.push(slot);
    }

    /// A cell of the clone in `slot` turned into `kind`: the clone of the same lineage it joins.
    fn turn(&mut self, slot: u32, kind: u32, step: u64) -> u32 {
        let from = self.about[slot as usize];
        let mut joined = slot;
        while self.about[joined as usize].kind != kind {
            joined = self.about[joined as usize].next_of_lineage;
            if joined == slot {
                joined = self.create(kind, 0, step, Some(from.id));
                let about = &mut self.about[joined as usize];
                about.lineage = from.lineage;
                about.next_of_lineage = from.next_of_lineage;
                self.about[slot as usize].next_of_lineage = joined;
                break;
            }
        }
        self.gain(joined);
        self.lose(slot);
        joined
    }
}

/// A cell on its way into a kind.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    kind: u32,
    clone: u32,
    value: Option<f32>,
}

/// A living cell, for those who look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Id of its clone.
    pub clone: u64,
    /// Type or genotype.
    pub kind: u32,
    /// Logarithm of the factor on the rate that the trait acts on; 0 without a trait.
    pub value: f32,
}

/// A well-mixed population held cell by cell.
#[derive(Clone, Debug)]
pub struct Cells {
    heritable: Option<Heritable>,
    step: u64,
    total: u64,
    buckets: Vec<Bucket>,
    counts: Vec<u64>,
    table: CloneTable,
    shares: Vec<(u32, u64)>,
    arrivals: Vec<Arrival>,
    mothers: Vec<(u32, f32)>,
}

impl Cells {
    /// An empty population, whose cells may have a heritable trait.
    pub fn new(heritable: Option<Heritable>) -> Self {
        Self {
            heritable,
            step: 0,
            total: 0,
            buckets: Vec::new(),
            counts: Vec::new(),
            table: CloneTable::default(),
            shares: Vec::new(),
            arrivals: Vec::new(),
            mothers: Vec::new(),
        }
    }

    /// Put `cells` founder cells of `kind` in, as one clone.
    pub fn found(&mut self, kind: u32, cells: u64) -> Result<()> {
        if cells == 0 {
            return Ok(());
        }
        if self.total + cells > MOST_INDIVIDUALS {
            return Err(Error::TooManyIndividuals { who: "population".into() });
        }
        let clone = self.table.create(kind, cells as u32, self.step, None);
        let traits = self.heritable.is_some();
        let bucket = self.bucket(kind);
        bucket.reserve(cells as usize, traits)?;
        for _ in 0..cells {
            bucket.push(clone, traits.then_some(0.0));
        }
        self.count_up();
        Ok(())
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
        self.table.living_of_kind.get(kind as usize).copied().unwrap_or(0)
    }

    /// Living clones, oldest first. Clones are never merged.
    pub fn records(&self) -> Vec<CloneRecord> {
        let living = self.table.about.iter().zip(&self.table.sizes).filter(|(_, size)| size.cells > 0);
        let mut records: Vec<CloneRecord> = living
            .map(|(about, size)| CloneRecord {
                id: about.id,
                parent: about.parent,
                kind: about.kind,
                born_step: about.born_step,
                cells: u64::from(size.cells),
                origins: 1,
                lineage: about.lineage,
            })
            .collect();
        records.sort_unstable_by_key(|clone| clone.id);
        records
    }

    /// The most cells that every living clone had after a step, in the order of `records`.
    pub fn peaks(&self) -> Vec<u64> {
        let living = self.table.about.iter().zip(&self.table.sizes).filter(|(_, size)| size.cells > 0);
        let mut peaks: Vec<(u64, u32)> =
            living.map(|(about, size)| (about.id, size.peak.max(size.cells))).collect();
        peaks.sort_unstable();
        peaks.into_iter().map(|(_, peak)| u64::from(peak)).collect()
    }

    /// Every living cell, kind by kind, in no order within a kind.
    pub fn individuals(&self) -> impl Iterator<Item = Cell> + '_ {
        self.buckets.iter().zip(0..).flat_map(move |(bucket, kind)| {
            bucket.clones.iter().enumerate().map(move |(i, &clone)| Cell {
                clone: self.table.about[clone as usize].id,
                kind,
                value: bucket.traits.get(i).copied().unwrap_or(0.0),
            })
        })
    }

    fn bucket(&mut self, kind: u32) -> &mut Bucket {
        let place = kind as usize;
        if self.buckets.len() <= place {
            self.buckets.resize_with(place + 1, Bucket::default);
        }
        &mut self.buckets[place]
    }

    fn count_up(&mut self) {
        self.counts.clear();
        self.counts.extend(self.buckets.iter().map(|bucket| bucket.clones.len() as u64));
        self.total = self.counts.iter().sum();
    }

    /// One step of the law. `probabilities` is indexed by kind and must cover every living kind.
    pub fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
    ) -> Result<Tally> {
        self.step += 1;
        let mut tally = Tally::default();
        for (kind, &p) in probabilities.iter().enumerate() {
            if self.count(kind as u32) == 0 {
                continue;
            }
            let Tally { divisions, deaths } = match self.heritable {
                None => self.act(rng, kind as u32, p, kinds)?,
                Some(heritable) => self.act_by_trait(rng, kind as u32, p, heritable, kinds)?,
            };
            tally.divisions += divisions;
            tally.deaths += deaths;
        }
        self.switch(rng, kinds);
        self.settle()?;
        self.count_up();
        if self.total > MOST_INDIVIDUALS {
            return Err(Error::TooManyIndividuals { who: "population".into() });
        }
        Ok(tally)
    }

    /// Draw how many of the divisions mutate, and to what, into `shares`.
    fn draw_mutants<R: Rng, K: Kinds>(&mut self, rng: &mut R, kind: u32, divided: u64, kinds: &mut K) -> u64 {
        self.shares.clear();
        let mutants = match kinds.mutation_total(kind) {
            u if u > 0.0 => binomial(rng, divided, u),
            _ => 0,
        };
        if mutants > 0 {
            kinds.mutate(rng, kind, mutants, &mut self.shares);
        }
        mutants
    }

    /// Cells of equal chances: the multinomial of (divide, die, stay), then which cells.
    fn act<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        kind: u32,
        p: StepProbabilities,
        kinds: &mut K,
    ) -> Result<Tally> {
        let n = self.buckets[kind as usize].clones.len() as u64;
        let divided = binomial(rng, n, p.divide);
        let died = if p.die > 0.0 { binomial(rng, n - divided, p.die / (1.0 - p.divide)) } else { 0 };
        let mutants = self.draw_mutants(rng, kind, divided, kinds);
        let (bucket, table) = (&mut self.buckets[kind as usize], &mut self.table);
        for _ in 0..died {
            let place = below(rng, bucket.clones.len() as u64) as usize;
            table.lose(bucket.clones.swap_remove(place));
        }
        bucket.reserve((divided - mutants) as usize, false)?;
        // Mothers are drawn without replacement: each is moved behind those still to draw from.
        let mut unchosen = bucket.clones.len();
        let mut mother = |cells: &mut Vec<u32>| {
            let place = below(rng, unchosen as u64) as usize;
            unchosen -= 1;
            cells.swap(place, unchosen);
            cells[unchosen]
        };
        for &(to, cells) in &self.shares {
            for _ in 0..cells {
                let parent = table.about[mother(&mut bucket.clones) as usize].id;
                let clone = table.create(to, 1, self.step, Some(parent));
                self.arrivals.push(Arrival { kind: to, clone, value: None });
            }
        }
        for _ in mutants..divided {
            let clone = mother(&mut bucket.clones);
            table.gain(clone);
            bucket.clones.push(clone);
        }
        Ok(Tally { divisions: divided, deaths: died })
    }

    /// Cells whose chances differ: candidates are drawn with the highest chance of any, and each
    /// acts with its own share of it. This is thinning, and exact.
    fn act_by_trait<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        kind: u32,
        p: StepProbabilities,
        heritable: Heritable,
        kinds: &mut K,
    ) -> Result<Tally> {
        let bucket = &mut self.buckets[kind as usize];
        let active = |p: StepProbabilities| p.divide + p.die;
        // A rate of 0 times an infinite factor is NaN, and refused like too high a rate.
        let too_fast = |p: StepProbabilities| active(p).is_nan() || active(p) > MOST_ACTIVE;
        let mut most = heritable.scale(p, bucket.highest);
        if self.step.is_multiple_of(STEPS_BETWEEN_BOUNDS) || too_fast(most) {
            bucket.find_highest();
            most = heritable.scale(p, bucket.highest);
        }
        if too_fast(most) {
            return Err(Error::TraitTooFast {
                who: format!("type {kind}"),
                fold: libm::exp(f64::from(bucket.highest)),
                probability: active(most),
            });
        }
        let n = bucket.clones.len();
        let candidates = binomial(rng, n as u64, active(most)) as usize;
        bucket.choose(rng, candidates);
        let unchosen = n - candidates;
        let mut kept = unchosen;
        self.mothers.clear();
        for place in unchosen..n {
            let (clone, value) = (bucket.clones[place], bucket.traits[place]);
            let own = heritable.scale(p, value);
            let drawn = active(most) * uniform(rng);
            if drawn >= own.divide && drawn < active(own) {
                self.table.lose(clone);
                continue;
            }
            if drawn < own.divide {
                self.mothers.push((clone, value));
            }
            (bucket.clones[kept], bucket.traits[kept]) = (clone, value);
            kept += 1;
        }
        bucket.clones.truncate(kept);
        bucket.traits.truncate(kept);
        let divided = self.mothers.len();
        let mutants = self.draw_mutants(rng, kind, divided as u64, kinds) as usize;
        let bucket = &mut self.buckets[kind as usize];
        bucket.reserve(divided - mutants, true)?;
        let mut shares = self.shares.iter().flat_map(|&(to, cells)| (0..cells).map(move |_| to));
        for &(mother, value) in &self.mothers {
            let value = value + (heritable.drift * normal(rng)) as f32;
            // Candidates are in random order, so the first mothers are as good as any.
            if let Some(to) = shares.next() {
                let parent = self.table.about[mother as usize].id;
                let clone = self.table.create(to, 1, self.step, Some(parent));
                self.arrivals.push(Arrival { kind: to, clone, value: Some(value) });
            } else {
                self.table.gain(mother);
                bucket.push(mother, Some(value));
            }
        }
        Ok(Tally { divisions: divided as u64, deaths: (n - kept) as u64 })
    }

    /// Cells that turn leave their kind; they enter the other in `settle`, so that none turns twice.
    fn switch<R: Rng, K: Kinds>(&mut self, rng: &mut R, kinds: &mut K) {
        for (bucket, kind) in self.buckets.iter_mut().zip(0..) {
            self.shares.clear();
            if !bucket.clones.is_empty() {
                kinds.switch(rng, kind, bucket.clones.len() as u64, &mut self.shares);
            }
            for &(to, cells) in &self.shares {
                for _ in 0..cells {
                    let place = below(rng, bucket.clones.len() as u64) as usize;
                    let (clone, value) = bucket.take(place);
                    let clone = self.table.turn(clone, to, self.step);
                    self.arrivals.push(Arrival { kind: to, clone, value });
                }
            }
        }
    }

    fn settle(&mut self) -> Result<()> {
        let traits = self.heritable.is_some();
        let mut arrivals = core::mem::take(&mut self.arrivals);
        for Arrival { kind, clone, value } in arrivals.drain(..) {
            let bucket = self.bucket(kind);
            bucket.reserve(1, traits)?;
            if bucket.clones.is_empty() {
                bucket.highest = f32::NEG_INFINITY;
            }
            bucket.push(clone, value);
        }
        self.arrivals = arrivals;
        Ok(())
    }
}
