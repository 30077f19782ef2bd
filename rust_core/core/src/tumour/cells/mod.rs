//! The `cells` engine: every living cell is an individual that knows its clone and, on request, one
//! heritable trait. Cells of one kind stand together and have equal chances, so a step draws how
//! many divide and die and then which: the cost follows events, not cells.

mod bucket;
mod heritable;
mod surgery;
mod table;
#[cfg(test)]
mod tests;

pub use heritable::{Heritable, Rate};

use crate::cancel::heed;
use crate::error::{Error, Result};
use crate::law::{CloneRecord, Extinct, Kinds, MOST_ACTIVE, StepProbabilities, Tally};
use crate::random::{below, binomial, uniform};
use crate::tumour::engine::Engine;
use crate::tumour::lineage::{Genealogy, NO_NODE, Tip};
use crate::tumour::room::{push, room_for};
use bucket::{Bucket, CELLS, Held, Individual};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use table::CloneTable;

/// The most cells that are held one by one: in a step they become half as many again at most, and each must
/// have a number of 32 bits.
pub const MOST_INDIVIDUALS: u64 = u32::MAX as u64 / 3 * 2;
/// Steps after which the largest trait of a kind is looked up again; until then it is a bound.
const STEPS_BETWEEN_BOUNDS: u64 = 64;
/// Cells that are drawn for together. Cells are independent, so a kind may be cut anywhere; a block
/// stays in the fastest cache, where a draw over all cells would miss it at every event.
const BLOCK: usize = 8192;

/// A cell on its way into a kind.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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

    /// A genealogy has up to four nodes a cell between two simplifications.
    fn most(&self) -> u64 {
        if self.genealogy.is_some() { MOST_INDIVIDUALS / 8 } else { MOST_INDIVIDUALS }
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

    fn simplify(&mut self) -> Result<()> {
        let Some(genealogy) = &mut self.genealogy else { return Ok(()) };
        let living = self.buckets.iter().flat_map(|bucket| &bucket.nodes).copied();
        let renamed = genealogy.simplify(living)?;
        for node in self.buckets.iter_mut().flat_map(|bucket| &mut bucket.nodes) {
            *node = renamed[*node as usize];
        }
        Ok(())
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
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut end = self.buckets[kind as usize].clones.len();
        while end > 0 {
            heed(cancel)?;
            let start = (end - 1) / BLOCK * BLOCK;
            let n = (end - start) as u64;
            let divided = binomial(rng, n, p.divide);
            let died = if p.die > 0.0 { binomial(rng, n - divided, p.die / (1.0 - p.divide)) } else { 0 };
            let stands_for_all = kinds.divided(kind, divided);
            let mutants = self.draw_mutants(rng, kind, divided, kinds) as usize;
            let (bucket, table) = (&mut self.buckets[kind as usize], &mut self.table);
            let mothers = bucket.choose(rng, start, end, (divided + died) as usize);
            let mut hole = mothers + divided as usize;
            if let Some(genealogy) = self.genealogy.as_mut().filter(|_| stands_for_all) {
                genealogy.note_mother(kind, bucket.nodes[mothers]);
            }
            for &clone in &bucket.clones[hole..end] {
                table.lose(clone, self.step)?;
            }
            let mut shares = self.shares.iter().flat_map(|&(to, cells)| (0..cells).map(move |_| to));
            for mother in mothers..mothers + mutants {
                let Some(to) = shares.next() else { break };
                let daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step)?;
                let parent = table.about[daughter.clone as usize].id;
                let clone = table.create(to, 1, self.step, Some(parent))?;
                let cell = Individual { clone, ..daughter };
                push(&mut self.arrivals, Arrival { kind: to, cell }, CELLS)?;
            }
            bucket.reserve((divided as usize - mutants).saturating_sub(end - hole))?;
            for mother in mothers + mutants..mothers + divided as usize {
                let daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step)?;
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
        (p, most): (StepProbabilities, f64),
        heritable: Heritable,
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut end = self.buckets[kind as usize].clones.len();
        while end > 0 {
            heed(cancel)?;
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
                    self.table.lose(clone, self.step)?;
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
                let mut daughter = bucket.divide(mother, self.genealogy.as_mut(), self.step)?;
                daughter.value = heritable.of_daughter(rng, daughter.value);
                // Candidates are in random order, so the first mothers are as good as any.
                if let Some(to) = shares.next() {
                    let parent = self.table.about[daughter.clone as usize].id;
                    daughter.clone = self.table.create(to, 1, self.step, Some(parent))?;
                    push(&mut self.arrivals, Arrival { kind: to, cell: daughter }, CELLS)?;
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

    /// The chance to act in the next step of the most active cell of every kind, or more; nothing without a
    /// trait. The traits' bounds are looked up again only if no kind is too fast.
    fn most_active(&mut self, probabilities: &[StepProbabilities]) -> Result<Vec<f64>> {
        let Some(heritable) = self.heritable else { return Ok(Vec::new()) };
        let again = (self.step + 1).is_multiple_of(STEPS_BETWEEN_BOUNDS);
        let mut bounds = Vec::new();
        for ((bucket, &p), kind) in self.buckets.iter().zip(probabilities).zip(0..) {
            let active = |value: f32| {
                let p = heritable.scale(p, value);
                p.divide + p.die
            };
            // A rate of 0 times an infinite factor is NaN, and refused like too high a rate.
            let too_fast = |probability: f64| probability.is_nan() || probability > MOST_ACTIVE;
            let (mut highest, mut probability) = (bucket.highest, 0.0);
            if self.count(kind) > 0 {
                if again || too_fast(active(highest)) {
                    highest = bucket.find_highest();
                }
                probability = active(highest);
                if too_fast(probability) {
                    let fold = libm::exp(f64::from(highest));
                    return Err(Error::TraitTooFast { who: format!("type {kind}"), fold, probability });
                }
            }
            bounds.push((highest, probability));
        }
        for (bucket, &(highest, _)) in self.buckets.iter_mut().zip(&bounds) {
            bucket.highest = highest;
        }
        Ok(bounds.into_iter().map(|(_, probability)| probability).collect())
    }

    /// Cells that turn leave their kind; they enter the other in `settle`, so that none turns twice.
    fn switch<R: Rng, K: Kinds>(&mut self, rng: &mut R, kinds: &mut K, cancel: &AtomicBool) -> Result<()> {
        for (bucket, kind) in self.buckets.iter_mut().zip(0..) {
            self.shares.clear();
            if !bucket.clones.is_empty() {
                kinds.switch(rng, kind, bucket.clones.len() as u64, &mut self.shares);
            }
            for &(to, cells) in &self.shares {
                for turned in 0..cells {
                    if turned % BLOCK as u64 == 0 {
                        heed(cancel)?;
                    }
                    let place = below(rng, bucket.clones.len() as u64) as usize;
                    let mut cell = bucket.take(place);
                    cell.clone = self.table.turn(cell.clone, to, self.step)?;
                    push(&mut self.arrivals, Arrival { kind: to, cell }, CELLS)?;
                }
            }
        }
        Ok(())
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

impl Engine for Cells {
    fn found(&mut self, kind: u32, cells: u64, _: &AtomicBool) -> Result<()> {
        if cells == 0 {
            return Ok(());
        }
        if cells > self.most().saturating_sub(self.total) {
            return Err(Error::TooManyIndividuals { who: "population".into(), most: self.most() });
        }
        let clone = self.table.create(kind, cells as u32, self.step, None)?;
        self.bucket(kind).reserve(cells as usize)?;
        for _ in 0..cells {
            let node = self.genealogy.as_mut().map_or(Ok(NO_NODE), Genealogy::found)?;
            self.bucket(kind).push(Individual { clone, value: 0.0, node });
        }
        self.count_up();
        Ok(())
    }

    fn step<R: Rng, K: Kinds>(
        &mut self,
        rng: &mut R,
        probabilities: &[StepProbabilities],
        kinds: &mut K,
        cancel: &AtomicBool,
    ) -> Result<Tally> {
        // What can be refused is refused before anything has changed.
        if self.total > self.most() {
            return Err(Error::TooManyIndividuals { who: "population".into(), most: self.most() });
        }
        let most_active = self.most_active(probabilities)?;
        self.step += 1;
        let mut tally = Tally::default();
        for (kind, &p) in probabilities.iter().enumerate() {
            if self.count(kind as u32) == 0 {
                continue;
            }
            let Tally { divisions, deaths } = match self.heritable {
                None => self.act(rng, kind as u32, p, kinds, cancel)?,
                Some(heritable) => {
                    let most = most_active[kind];
                    self.act_by_trait(rng, kind as u32, (p, most), heritable, kinds, cancel)?
                }
            };
            tally.divisions += divisions;
            tally.deaths += deaths;
        }
        self.switch(rng, kinds, cancel)?;
        self.settle()?;
        self.count_up();
        if self.genealogy.as_ref().is_some_and(|genealogy| genealogy.is_long(self.total)) {
            self.simplify()?;
        }
        Ok(tally)
    }

    fn remove(&mut self, gone: &[u64]) -> Result<()> {
        self.take_out(gone)
    }

    fn label(&mut self) -> Result<()> {
        self.label_each()
    }

    fn remember(&mut self, nodes: &[u32]) -> Result<()> {
        self.genealogy.as_mut().map_or(Ok(()), |genealogy| genealogy.remember(nodes))
    }

    fn recorded(&mut self) -> Option<&mut Genealogy> {
        self.genealogy.as_mut()
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
        let slots = self.table.sizes.iter().enumerate().filter(|(_, size)| size.cells > 0);
        let mut records: Vec<CloneRecord> = slots.map(|(slot, _)| self.table.record(slot)).collect();
        records.sort_unstable_by_key(|clone| clone.id);
        Cow::Owned(records)
    }

    fn clones_of(&self, kind: u32) -> usize {
        self.table.living_of_kind.get(kind as usize).copied().unwrap_or(0)
    }

    fn keep_extinct(&mut self) {
        self.table.extinct.get_or_insert_default();
    }

    fn extinct(&self) -> &[Extinct] {
        self.table.extinct.as_deref().unwrap_or_default()
    }

    fn bytes(&self) -> usize {
        let of_bucket = |bucket: &Bucket| {
            4 * (bucket.clones.capacity() + bucket.traits.capacity() + bucket.nodes.capacity())
        };
        self.buckets.iter().map(of_bucket).sum::<usize>()
            + self.table.bytes()
            + size_of::<Arrival>() * self.arrivals.capacity()
            + self.genealogy.as_ref().map_or(0, Genealogy::bytes)
    }

    fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        self.simplify()?;
        room_for(self.total as usize, size_of::<Tip>(), CELLS)?;
        let nodes = self.buckets.iter().flat_map(|bucket| &bucket.nodes);
        let tips = nodes.zip(self.individuals()).map(|(&node, cell)| Tip {
            node,
            clone: cell.clone,
            kind: cell.kind,
        });
        Ok(self.genealogy.as_ref().map(|genealogy| (genealogy, tips.collect())))
    }

    /// A trait may drift too far.
    fn is_delicate(&self) -> bool {
        self.heritable.is_some()
    }
}
