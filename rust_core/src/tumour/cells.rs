//! The `cells` engine: every living cell is an individual that knows its clone and, on request, one
//! heritable trait. Cells of one kind stand together and have equal chances, so a step draws how
//! many divide and die and then which: the cost follows events, not cells.

use crate::error::{Error, Result};
use crate::random::{below, binomial, normal, uniform};
use crate::tumour::clones::{CloneRecord, Kinds, MOST_ACTIVE, StepProbabilities, Tally};
use crate::tumour::lineage::{Genealogy, NO_NODE};
use rand::Rng;
use serde::Deserialize;

/// The most cells that are held one by one.
pub const MOST_INDIVIDUALS: u64 = u32::MAX as u64 - 1;
/// Steps after which the largest trait of a kind is looked up again; until then it is a bound.
const STEPS_BETWEEN_BOUNDS: u64 = 64;
/// Cells that are drawn for together. Cells are independent, so a kind may be cut anywhere; a block
/// stays in the fastest cache, where a draw over all cells would miss it at every event.
const BLOCK: usize = 8192;
/// Cells that are fetched together, so that memory is waited for once.
const AT_ONCE: usize = 64;
/// Cells of a kind up to which they are taken to be in the cache.
const CACHED: usize = 1 << 18;

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
    /// The trait stays within this distance of 0.
    pub limit: Option<f64>,
}

impl Heritable {
    fn of_daughter<R: Rng>(self, rng: &mut R, mother: f32) -> f32 {
        let limit = self.limit.unwrap_or(f64::INFINITY);
        (f64::from(mother) + self.drift * normal(rng)).clamp(-limit, limit) as f32
    }

    fn scale(self, p: StepProbabilities, value: f32) -> StepProbabilities {
        let fold = libm::exp(f64::from(value));
        match self.rate {
            Rate::Division => StepProbabilities { divide: p.divide * fold, ..p },
            Rate::Death => StepProbabilities { die: p.die * fold, ..p },
        }
    }
}

/// Halves of random words: enough to choose within a block, at half the price.
struct Halves<'a, R> {
    rng: &'a mut R,
    spare: Option<u32>,
}

impl<R: Rng> Halves<'_, R> {
    #[inline]
    fn next(&mut self) -> u32 {
        if let Some(half) = self.spare.take() {
            return half;
        }
        let word = self.rng.next_u64();
        self.spare = Some((word >> 32) as u32);
        word as u32
    }

    /// A whole number below `n`, each with the same probability (Lemire 2019, doi:10.1145/3230636).
    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        let mut product = u64::from(self.next()) * u64::from(n);
        if (product as u32) < n {
            let uneven = n.wrapping_neg() % n.max(1);
            while (product as u32) < uneven {
                product = u64::from(self.next()) * u64::from(n);
            }
        }
        (product >> 32) as u32
    }
}

/// What is held of every cell beside its clone.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    traits: bool,
    nodes: bool,
}

/// What a cell is made of.
#[derive(Clone, Copy, Debug)]
struct Individual {
    clone: u32,
    value: f32,
    node: u32,
}

/// Cells of one kind, in no order. What is not held is empty.
#[derive(Clone, Debug, Default)]
struct Bucket {
    held: Held,
    clones: Vec<u32>,
    traits: Vec<f32>,
    nodes: Vec<u32>,
    highest: f32,
}

impl Bucket {
    fn new(held: Held) -> Self {
        Self { held, highest: f32::NEG_INFINITY, ..Self::default() }
    }

    /// Make room for `more` cells, with an eighth to spare: doubling would waste half the memory.
    fn reserve(&mut self, more: usize) -> Result<()> {
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
        if self.held.traits {
            room(&mut self.traits, more)?;
        }
        if self.held.nodes { room(&mut self.nodes, more) } else { Ok(()) }
    }

    fn push(&mut self, cell: Individual) {
        self.clones.push(cell.clone);
        if self.held.traits {
            self.traits.push(cell.value);
            self.highest = self.highest.max(cell.value);
        }
        if self.held.nodes {
            self.nodes.push(cell.node);
        }
    }

    fn cell(&self, place: usize) -> Individual {
        Individual {
            clone: self.clones[place],
            value: if self.held.traits { self.traits[place] } else { 0.0 },
            node: if self.held.nodes { self.nodes[place] } else { NO_NODE },
        }
    }

    /// Take the cell at `place` out.
    fn take(&mut self, place: usize) -> Individual {
        let cell = self.cell(place);
        self.clones.swap_remove(place);
        if self.held.traits {
            self.traits.swap_remove(place);
        }
        if self.held.nodes {
            self.nodes.swap_remove(place);
        }
        cell
    }

    #[inline]
    fn swap(&mut self, a: usize, b: usize) {
        self.clones.swap(a, b);
        if self.held.traits {
            self.traits.swap(a, b);
        }
        if self.held.nodes {
            self.nodes.swap(a, b);
        }
    }

    /// Move `chosen` cells of `start..end`, drawn without replacement, behind the others of them,
    /// in random order; where they begin.
    fn choose<R: Rng>(&mut self, rng: &mut R, start: usize, end: usize, chosen: usize) -> usize {
        let mut halves = Halves { rng, spare: None };
        let fetch = self.clones.len() > CACHED;
        let mut places = [0u32; AT_ONCE];
        let (first, mut unchosen) = (end - chosen, end);
        while unchosen > first {
            let now = &mut places[..AT_ONCE.min(unchosen - first)];
            for (place, among) in now.iter_mut().zip((0..=unchosen - start).rev()) {
                *place = halves.below(among as u32);
            }
            if fetch {
                let met = now.iter().fold(0, |met, &place| met ^ self.clones[start + place as usize]);
                core::hint::black_box(met);
            }
            for &mut place in now {
                unchosen -= 1;
                self.swap(start + place as usize, unchosen);
            }
        }
        end - chosen
    }

    /// Put a newborn into the hole of a dead cell, or behind all; where the next hole is.
    fn fill(&mut self, hole: usize, end: usize, cell: Individual) -> usize {
        if hole == end {
            self.push(cell);
            return hole;
        }
        self.clones[hole] = cell.clone;
        if self.held.traits {
            self.traits[hole] = cell.value;
            self.highest = self.highest.max(cell.value);
        }
        if self.held.nodes {
            self.nodes[hole] = cell.node;
        }
        hole + 1
    }

    /// The cell at `place` divides: what the daughter is made of.
    fn divide(&mut self, place: usize, genealogy: Option<&mut Genealogy>, step: u64) -> Individual {
        let mut daughter = self.cell(place);
        if let Some(genealogy) = genealogy {
            (self.nodes[place], daughter.node) = genealogy.divide(daughter.node, step);
        }
        daughter
    }

    /// Close the holes that are left, with cells from behind.
    fn close(&mut self, hole: usize, end: usize) {
        for place in (hole..end).rev() {
            self.take(place);
        }
    }

    fn find_highest(&mut self) {
        self.highest = self.traits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    }
}

/// What changes at every event of a clone. `peak` holds for all steps before `touched`, the last in
/// which the clone changed.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    cells: u32,
    peak: u32,
    touched: u32,
}

impl Size {
    #[inline]
    fn touch(&mut self, step: u64) {
        if self.touched != step as u32 {
            self.touched = step as u32;
            self.peak = self.peak.max(self.cells);
        }
    }
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
        let size = Size { cells, peak: 0, touched: step as u32 };
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
    fn gain(&mut self, slot: u32, step: u64) {
        let size = &mut self.sizes[slot as usize];
        size.touch(step);
        size.cells += 1;
    }

    #[inline]
    fn lose(&mut self, slot: u32, step: u64) {
        let size = &mut self.sizes[slot as usize];
        size.touch(step);
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
        self.gain(joined, step);
        self.lose(slot, step);
        joined
    }
}

/// A cell on its way into a kind.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    kind: u32,
    cell: Individual,
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
    mothers: Vec<usize>,
    genealogy: Option<Genealogy>,
}

impl Cells {
    /// An empty population, whose cells may have a heritable trait and their genealogy recorded.
    pub fn new(heritable: Option<Heritable>, genealogy: bool) -> Self {
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
            genealogy: genealogy.then(Genealogy::default),
        }
    }

    /// Put `cells` founder cells of `kind` in, as one clone.
    pub fn found(&mut self, kind: u32, cells: u64) -> Result<()> {
        if cells == 0 {
            return Ok(());
        }
        if cells > self.most() - self.total {
            return Err(Error::TooManyIndividuals { who: "population".into(), most: self.most() });
        }
        let clone = self.table.create(kind, cells as u32, self.step, None);
        self.bucket(kind).reserve(cells as usize)?;
        for _ in 0..cells {
            let node = self.genealogy.as_mut().map_or(NO_NODE, Genealogy::found);
            self.bucket(kind).push(Individual { clone, value: 0.0, node });
        }
        self.count_up();
        Ok(())
    }

    /// A genealogy has up to four nodes a cell between two simplifications.
    fn most(&self) -> u64 {
        if self.genealogy.is_some() { MOST_INDIVIDUALS / 8 } else { MOST_INDIVIDUALS }
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

    /// The genealogy, simplified to the living cells, and the node of every cell in the order of
    /// `individuals`; `None` if it was not asked for.
    pub fn genealogy(&mut self) -> Option<(&Genealogy, Vec<u32>)> {
        self.simplify();
        let living = self.buckets.iter().flat_map(|bucket| &bucket.nodes).copied().collect();
        Some((self.genealogy.as_ref()?, living))
    }

    fn simplify(&mut self) {
        let Some(genealogy) = &mut self.genealogy else { return };
        let living = self.buckets.iter().flat_map(|bucket| &bucket.nodes).copied();
        let renamed = genealogy.simplify(living);
        for node in self.buckets.iter_mut().flat_map(|bucket| &mut bucket.nodes) {
            *node = renamed[*node as usize];
        }
    }

    fn bucket(&mut self, kind: u32) -> &mut Bucket {
        let place = kind as usize;
        if self.buckets.len() <= place {
            let held = Held { traits: self.heritable.is_some(), nodes: self.genealogy.is_some() };
            self.buckets.resize_with(place + 1, || Bucket::new(held));
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
        if self.total > self.most() {
            return Err(Error::TooManyIndividuals { who: "population".into(), most: self.most() });
        }
        if self.genealogy.as_ref().is_some_and(|genealogy| genealogy.is_long(self.total)) {
            self.simplify();
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
        let mut tally = Tally::default();
        let mut end = self.buckets[kind as usize].clones.len();
        while end > 0 {
            let start = (end - 1) / BLOCK * BLOCK;
            let n = (end - start) as u64;
            let divided = binomial(rng, n, p.divide);
            let died = if p.die > 0.0 { binomial(rng, n - divided, p.die / (1.0 - p.divide)) } else { 0 };
            let mutants = self.draw_mutants(rng, kind, divided, kinds) as usize;
            let (bucket, table) = (&mut self.buckets[kind as usize], &mut self.table);
            let mothers = bucket.choose(rng, start, end, (divided + died) as usize);
            let mut hole = mothers + divided as usize;
            for &clone in &bucket.clones[hole..end] {
                table.lose(clone, self.step);
            }
            let mut shares = self.shares.iter().flat_map(|&(to, cells)| (0..cells).map(move |_| to));
            for mother in mothers..mothers + mutants {
                let Some(to) = shares.next() else { break };
                let daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step);
                let parent = table.about[daughter.clone as usize].id;
                let clone = table.create(to, 1, self.step, Some(parent));
                self.arrivals.push(Arrival { kind: to, cell: Individual { clone, ..daughter } });
            }
            bucket.reserve((divided as usize - mutants).saturating_sub(end - hole))?;
            for mother in mothers + mutants..mothers + divided as usize {
                let daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step);
                table.gain(daughter.clone, self.step);
                hole = bucket.fill(hole, end, daughter);
            }
            bucket.close(hole, end);
            tally.divisions += divided;
            tally.deaths += died;
            end = start;
        }
        Ok(tally)
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
        let most = self.most_active(kind, p, heritable)?;
        let mut tally = Tally::default();
        let mut end = self.buckets[kind as usize].clones.len();
        while end > 0 {
            let start = (end - 1) / BLOCK * BLOCK;
            let candidates = binomial(rng, (end - start) as u64, most) as usize;
            let bucket = &mut self.buckets[kind as usize];
            let mut candidate = bucket.choose(rng, start, end, candidates);
            let mut hole = end;
            self.mothers.clear();
            while candidate < hole {
                let (clone, value) = (bucket.clones[candidate], bucket.traits[candidate]);
                let own = heritable.scale(p, value);
                let drawn = most * uniform(rng);
                if drawn >= own.divide && drawn < own.divide + own.die {
                    self.table.lose(clone, self.step);
                    hole -= 1;
                    bucket.swap(candidate, hole);
                    continue;
                }
                if drawn < own.divide {
                    self.mothers.push(candidate);
                }
                candidate += 1;
            }
            tally.divisions += self.mothers.len() as u64;
            tally.deaths += (end - hole) as u64;
            let mutants = self.draw_mutants(rng, kind, self.mothers.len() as u64, kinds) as usize;
            let bucket = &mut self.buckets[kind as usize];
            bucket.reserve((self.mothers.len() - mutants).saturating_sub(end - hole))?;
            let mut shares = self.shares.iter().flat_map(|&(to, cells)| (0..cells).map(move |_| to));
            for &mother in &self.mothers {
                let mut daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step);
                daughter.value = heritable.of_daughter(rng, daughter.value);
                // Candidates are in random order, so the first mothers are as good as any.
                if let Some(to) = shares.next() {
                    let parent = self.table.about[daughter.clone as usize].id;
                    daughter.clone = self.table.create(to, 1, self.step, Some(parent));
                    self.arrivals.push(Arrival { kind: to, cell: daughter });
                } else {
                    self.table.gain(daughter.clone, self.step);
                    hole = bucket.fill(hole, end, daughter);
                }
            }
            bucket.close(hole, end);
            end = start;
        }
        Ok(tally)
    }

    /// The chance to act of the most active cell of `kind`, or more.
    fn most_active(&mut self, kind: u32, p: StepProbabilities, heritable: Heritable) -> Result<f64> {
        let bucket = &mut self.buckets[kind as usize];
        let active = |value: f32| {
            let p = heritable.scale(p, value);
            p.divide + p.die
        };
        // A rate of 0 times an infinite factor is NaN, and refused like too high a rate.
        let too_fast = |probability: f64| probability.is_nan() || probability > MOST_ACTIVE;
        if self.step.is_multiple_of(STEPS_BETWEEN_BOUNDS) || too_fast(active(bucket.highest)) {
            bucket.find_highest();
        }
        let probability = active(bucket.highest);
        if too_fast(probability) {
            let fold = libm::exp(f64::from(bucket.highest));
            return Err(Error::TraitTooFast { who: format!("type {kind}"), fold, probability });
        }
        Ok(probability)
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
                    let mut cell = bucket.take(place);
                    cell.clone = self.table.turn(cell.clone, to, self.step);
                    self.arrivals.push(Arrival { kind: to, cell });
                }
            }
        }
    }

    fn settle(&mut self) -> Result<()> {
        let mut arrivals = core::mem::take(&mut self.arrivals);
        for Arrival { kind, cell } in arrivals.drain(..) {
            let bucket = self.bucket(kind);
            bucket.reserve(1)?;
            if bucket.clones.is_empty() {
                bucket.highest = f32::NEG_INFINITY;
            }
            bucket.push(cell);
        }
        self.arrivals = arrivals;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, split, stream};

    /// Two kinds: mutation and switching with the given probabilities per division and step.
    struct Two {
        mutation: [[f64; 2]; 2],
        switching: [f64; 2],
    }

    impl Kinds for Two {
        fn mutation_total(&self, kind: u32) -> f64 {
            self.mutation[kind as usize].iter().sum()
        }

        fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
            split(rng, mutants, &self.mutation[kind as usize], |to, cells| out.push((to as u32, cells)));
        }

        fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
            out.push((1 - kind, binomial(rng, cells, self.switching[kind as usize])));
        }
    }

    const MUTATING: Two = Two { mutation: [[0.01, 0.02], [0.0, 0.01]], switching: [0.0, 0.0] };
    const SWITCHING: Two = Two { mutation: [[0.01, 0.0], [0.0, 0.01]], switching: [0.02, 0.08] };
    const STILL: Two = Two { mutation: [[0.0; 2]; 2], switching: [0.0; 2] };
    const GROWING: StepProbabilities = StepProbabilities { divide: 0.14, die: 0.10 };

    fn heritable(drift: f64) -> Heritable {
        Heritable { rate: Rate::Division, drift, limit: None }
    }

    fn check(cells: &Cells) {
        let records = cells.records();
        let mut held = std::collections::HashMap::new();
        for cell in cells.individuals() {
            *held.entry((cell.clone, cell.kind)).or_insert(0u64) += 1;
        }
        assert_eq!(held.len(), records.len());
        for clone in &records {
            assert_eq!(held.get(&(clone.id, clone.kind)), Some(&clone.cells));
            assert!(clone.parent.is_none_or(|parent| parent < clone.id));
        }
        for (bucket, kind) in cells.buckets.iter().zip(0..) {
            assert_eq!(bucket.clones.len() as u64, cells.count(kind));
            let traits = if cells.heritable.is_some() { bucket.clones.len() } else { 0 };
            assert_eq!(bucket.traits.len(), traits);
            assert!(bucket.traits.iter().all(|&value| value <= bucket.highest));
            assert_eq!(records.iter().filter(|clone| clone.kind == kind).count(), cells.clones_of(kind));
        }
        assert_eq!(records.iter().map(|clone| clone.cells).sum::<u64>(), cells.total());
    }

    fn run(kinds: &mut Two, heritable: Option<Heritable>, start: u64, steps: u32) -> Result<Cells> {
        let mut rng = stream(1, 0, Purpose::Replicate, 0);
        let mut cells = Cells::new(heritable, false);
        cells.found(0, start)?;
        for _ in 0..steps {
            let before = cells.total();
            let tally = cells.step(&mut rng, &[GROWING; 2], kinds)?;
            assert_eq!(cells.total(), before + tally.divisions - tally.deaths);
            check(&cells);
        }
        Ok(cells)
    }

    #[test]
    fn cells_clones_and_counts_always_agree() -> Result<()> {
        // More cells than a block holds, so that holes are closed from behind other blocks.
        let cells = run(&mut { MUTATING }, None, 20_000, 30)?;
        assert!(cells.count(1) > 100 && cells.clones_of(1) > 50);
        Ok(())
    }

    #[test]
    fn cells_clones_and_counts_agree_with_a_trait() -> Result<()> {
        let cells = run(&mut { MUTATING }, Some(heritable(0.05)), 20_000, 30)?;
        assert!(cells.count(1) > 100);
        assert!(cells.individuals().any(|cell| cell.value > 0.0));
        Ok(())
    }

    #[test]
    fn cells_that_switch_stay_in_their_lineage() -> Result<()> {
        for heritable in [None, Some(heritable(0.05))] {
            let cells = run(&mut { SWITCHING }, heritable, 2_000, 60)?;
            let records = cells.records();
            let mut lineages: Vec<_> = records.iter().map(|clone| (clone.lineage, clone.kind)).collect();
            lineages.sort_unstable();
            lineages.dedup();
            assert_eq!(lineages.len(), records.len(), "one clone of a lineage in each kind");
            assert!(cells.count(1) > 100);
        }
        Ok(())
    }

    #[test]
    fn switching_alone_neither_makes_nor_loses_cells() -> Result<()> {
        let mut rng = stream(3, 0, Purpose::Replicate, 0);
        let mut cells = Cells::new(None, false);
        cells.found(0, 1_000)?;
        for _ in 0..50 {
            cells.step(&mut rng, &[StepProbabilities::default(); 2], &mut { SWITCHING })?;
            assert_eq!(cells.total(), 1_000);
        }
        assert_eq!(cells.records().len(), 2);
        Ok(())
    }

    #[test]
    fn extinction_leaves_an_empty_population_that_can_be_stepped() -> Result<()> {
        let mut rng = stream(2, 0, Purpose::Replicate, 0);
        for heritable in [None, Some(heritable(0.1))] {
            let mut cells = Cells::new(heritable, false);
            cells.found(0, 300)?;
            let p = StepProbabilities { divide: 0.0, die: 0.5 };
            for _ in 0..200 {
                cells.step(&mut rng, &[p], &mut { STILL })?;
            }
            assert_eq!((cells.total(), cells.records().len(), cells.clones_of(0)), (0, 0, 0));
        }
        Ok(())
    }

    #[test]
    fn places_of_extinct_clones_are_used_again() -> Result<()> {
        let mut rng = stream(4, 0, Purpose::Replicate, 0);
        let mut cells = Cells::new(None, false);
        cells.found(0, 100)?;
        let p = StepProbabilities { divide: 0.2, die: 0.2 };
        let mut kinds = Two { mutation: [[0.5, 0.0], [0.0; 2]], switching: [0.0; 2] };
        for _ in 0..500 {
            cells.step(&mut rng, &[p; 2], &mut kinds)?;
            if cells.total() == 0 {
                break;
            }
        }
        assert!(cells.table.next_id > 20 * cells.table.about.len() as u64);
        Ok(())
    }

    #[test]
    fn the_peak_is_the_largest_number_after_any_step() -> Result<()> {
        let mut rng = stream(5, 0, Purpose::Replicate, 0);
        let mut cells = Cells::new(None, false);
        cells.found(0, 10_000)?;
        let mut most = 10_000;
        for step in 0..60 {
            let die = if step < 20 { 0.1 } else { 0.3 };
            cells.step(&mut rng, &[StepProbabilities { divide: 0.2, die }], &mut { STILL })?;
            most = most.max(cells.total());
            assert_eq!(cells.peaks(), [most]);
        }
        assert!(cells.total() < most / 2);
        Ok(())
    }

    #[test]
    fn a_trait_without_drift_changes_no_rate() -> Result<()> {
        let cells = run(&mut { STILL }, Some(heritable(0.0)), 20_000, 30)?;
        assert!(cells.individuals().all(|cell| cell.value == 0.0));
        let (mean, n) = (20_000.0 * 1.04f64.powi(30), cells.total() as f64);
        assert!((n / mean - 1.0).abs() < 0.05, "{n} against {mean}");
        Ok(())
    }

    #[test]
    fn drift_selects_for_cells_that_divide_faster() -> Result<()> {
        let cells = run(&mut { STILL }, Some(heritable(0.05)), 5_000, 60)?;
        let mean: f64 =
            cells.individuals().map(|cell| f64::from(cell.value)).sum::<f64>() / cells.total() as f64;
        // Selection moves it by b^2 drift^2 t^2 / 2 = 0.09; it would stay 0 if the trait did nothing.
        assert!(mean > 0.05, "{mean}");
        Ok(())
    }

    #[test]
    fn a_trait_that_drifts_too_far_for_the_step_is_refused() {
        let error = run(&mut { STILL }, Some(heritable(2.0)), 1_000, 100).err();
        assert!(matches!(error, Some(Error::TraitTooFast { .. })), "{error:?}");
    }

    #[test]
    fn more_cells_than_can_be_numbered_are_refused() {
        let refused = Cells::new(None, false).found(0, MOST_INDIVIDUALS + 1);
        assert!(matches!(refused, Err(Error::TooManyIndividuals { .. })));
        assert!(Cells::new(None, false).found(0, u64::MAX).is_err());
    }

    #[test]
    fn choosing_is_uniform_and_without_replacement() {
        let mut rng = stream(6, 0, Purpose::Replicate, 0);
        let mut chosen = [0u32; 10];
        for _ in 0..100_000 {
            let mut bucket = Bucket { clones: (0..12).collect(), ..Bucket::default() };
            let from = bucket.choose(&mut rng, 1, 11, 3);
            assert_eq!((from, bucket.clones[0], bucket.clones[11]), (8, 0, 11));
            for &clone in &bucket.clones[from..11] {
                chosen[clone as usize - 1] += 1;
            }
            bucket.clones.sort_unstable();
            assert!(bucket.clones.iter().copied().eq(0..12));
        }
        // 30,000 each, with a standard deviation of 145.
        assert!(chosen.iter().all(|&times| times.abs_diff(30_000) < 711), "{chosen:?}");
    }
}
