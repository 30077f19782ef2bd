//! Sets of alterations that cells carry, and how one becomes another.

use crate::biology::alteration::{Alteration, Catalogue, Origin};
use crate::error::{Error, Result};
use crate::law::Kinds;
use crate::random::{Chance, Rare, split};
use rand::Rng;
use std::collections::BTreeMap;

/// What happens to a genotype when one of its channels fires.
#[derive(Clone, Copy, Debug)]
struct Change {
    set: u64,
    clear: u64,
    reached: Option<u32>,
}

/// A set of alterations that at least one cell has carried, with what follows from it.
#[derive(Clone, Debug)]
pub struct Genotype {
    bits: u64,
    /// Alterations in force, by index in the catalogue.
    pub carried: Vec<usize>,
    /// Joint effects on the pathway.
    pub effects: Vec<f64>,
    /// Factor on the division rate from fitness costs.
    pub fitness: f64,
    mutations: Channels,
    switches: Channels,
}

impl Genotype {
    /// The set of alterations in force, silent hits apart.
    pub(super) fn in_force(&self) -> u64 {
        self.bits & ((1 << MOST_ALTERATIONS) - 1)
    }
}

/// The ways out of a genotype, with the probability of each.
#[derive(Clone, Debug, Default)]
struct Channels {
    total: f64,
    weights: Vec<f64>,
    changes: Vec<Change>,
}

impl Channels {
    fn push(&mut self, probability: f64, set: u64, clear: u64) {
        if probability > 0.0 {
            self.total = (self.total + probability).min(1.0);
            self.weights.push(probability);
            self.changes.push(Change { set, clear, reached: None });
        }
    }

    /// The likeliest first, so that few draws are left for all others.
    fn sort(&mut self) {
        let mut ways: Vec<(f64, Change)> = self.weights.drain(..).zip(self.changes.drain(..)).collect();
        ways.sort_by(|one, other| other.0.total_cmp(&one.0));
        (self.weights, self.changes) = ways.into_iter().unzip();
    }
}

/// Alterations that an experiment can have: each takes a bit of a genotype.
pub const MOST_ALTERATIONS: usize = 54;
/// Alterations of two hits among them: the first of the two takes another bit.
pub const MOST_OF_TWO_HITS: usize = 10;

/// An error where a genotype has too few bits.
pub fn check_size(catalogue: &Catalogue) -> Result<()> {
    let all = &catalogue.alterations;
    let of_two = all.iter().filter(|one| matches!(one.origin, Origin::TwoHit { .. })).count();
    for (found, most, what) in
        [(all.len(), MOST_ALTERATIONS, "in one experiment"), (of_two, MOST_OF_TWO_HITS, "that take two hits")]
    {
        if found > most {
            return Err(Error::refused("alterations", found, format!("at most {most} {what}")));
        }
    }
    Ok(())
}

/// The alterations of an experiment and every genotype met so far. A genotype is known by its
/// index; index 0 is the founder.
#[derive(Clone, Debug)]
pub struct Genotypes {
    dt: f64,
    rate_fold: f64,
    /// Of each alteration, the bit that says that its first hit is there, if it takes two.
    first_hit: Vec<Option<u32>>,
    known: Vec<Genotype>,
    /// Of each of them, the chances to mutate at a division and to switch in a step: asked for in every step.
    totals: Vec<[Chance; 2]>,
    index_of: BTreeMap<u64, u32>,
}

impl Genotypes {
    /// Start from a founder that carries `founder` (indices in the catalogue). `rate_fold`
    /// multiplies every mutation probability of this patient.
    pub fn new(catalogue: &Catalogue, founder: &[usize], dt: f64, rate_fold: f64) -> Self {
        // Bit i: in force. Those of first hits follow on all of these.
        let mut free = MOST_ALTERATIONS as u32..;
        let takes_two = |alteration: &Alteration| matches!(alteration.origin, Origin::TwoHit { .. });
        let first_hit =
            catalogue.alterations.iter().map(|one| takes_two(one).then(|| free.next()).flatten()).collect();
        let bits = founder.iter().fold(0u64, |bits, &i| bits | 1 << i);
        let mut genotypes = Self {
            dt,
            rate_fold,
            first_hit,
            known: Vec::new(),
            totals: Vec::new(),
            index_of: BTreeMap::new(),
        };
        genotypes.intern(catalogue, bits);
        genotypes
    }

    /// The wild type, and every alteration by itself.
    pub fn one_by_one(catalogue: &Catalogue, dt: f64) -> Self {
        let mut genotypes = Self::new(catalogue, &[], dt, 1.0);
        for bit in 0..catalogue.alterations.len() {
            genotypes.intern(catalogue, 1 << bit);
        }
        genotypes
    }

    /// How many genotypes have been met.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no genotype is known (never, after `new`).
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// The genotype of an index.
    pub fn get(&self, index: u32) -> &Genotype {
        &self.known[index as usize]
    }

    /// All genotypes met so far, in order of first appearance.
    pub fn iter(&self) -> impl Iterator<Item = &Genotype> {
        self.known.iter()
    }

    /// The sets of all genotypes met so far, from which `meet` makes them again.
    pub(crate) fn sets(&self) -> Vec<u64> {
        self.known.iter().map(|genotype| genotype.bits).collect()
    }

    /// Meet genotypes in the order in which they were met once.
    pub(crate) fn meet(&mut self, catalogue: &Catalogue, sets: &[u64]) {
        for &bits in sets {
            self.intern(catalogue, bits);
        }
    }

    fn intern(&mut self, catalogue: &Catalogue, bits: u64) -> u32 {
        if let Some(&index) = self.index_of.get(&bits) {
            return index;
        }
        let index = self.known.len() as u32;
        let genotype = self.describe(catalogue, bits);
        self.totals.push([genotype.mutations.total, genotype.switches.total].map(Chance::new));
        self.known.push(genotype);
        self.index_of.insert(bits, index);
        index
    }

    fn describe(&self, catalogue: &Catalogue, bits: u64) -> Genotype {
        let has = |bit: u32| bits >> bit & 1 == 1;
        let carried: Vec<usize> = (0..catalogue.alterations.len()).filter(|&i| has(i as u32)).collect();
        let effects = catalogue.joint(&carried);
        let fitness = catalogue.fitness(&carried);
        let gene_taken = |i: usize| {
            carried.iter().any(|&c| c != i && catalogue.alterations[c].gene == catalogue.alterations[i].gene)
        };
        let (mut mutations, mut switches) = (Channels::default(), Channels::default());
        for (i, alteration) in catalogue.alterations.iter().enumerate() {
            let (bit, first) = (i as u32, self.first_hit[i]);
            let per_step = |hazard: f64| -libm::expm1(-hazard * self.dt);
            match alteration.origin {
                Origin::OneHit { per_division } if !has(bit) && !gene_taken(i) => {
                    mutations.push(per_division * self.rate_fold, 1 << bit, 0);
                }
                Origin::TwoHit { second_per_division, .. } if !has(bit) && first.is_some_and(has) => {
                    mutations.push(second_per_division * self.rate_fold, 1 << bit, 0);
                }
                Origin::TwoHit { first_per_division, .. } if !has(bit) => {
                    let set = first.map_or(0, |first| 1 << first);
                    mutations.push(first_per_division * self.rate_fold, set, 0);
                }
                Origin::State { on_per_day, .. } if !has(bit) => {
                    switches.push(per_step(on_per_day), 1 << bit, 0);
                }
                Origin::State { off_per_day, .. } => switches.push(per_step(off_per_day), 0, 1 << bit),
                Origin::OneHit { .. } | Origin::TwoHit { .. } => {}
            }
        }
        mutations.sort();
        switches.sort();
        Genotype { bits, carried, effects, fitness, mutations, switches }
    }

    /// Name of a genotype: the alterations in force joined by " + ", or "wild type".
    pub fn name(&self, catalogue: &Catalogue, index: u32) -> String {
        catalogue.name(&self.known[index as usize].carried)
    }
}

/// Genotypes as the kinds of the engine: mutation and switching follow the catalogue.
pub struct GenotypeKinds<'a> {
    catalogue: &'a Catalogue,
    genotypes: &'a mut Genotypes,
    /// Cells that switch.
    rare: Rare,
}

impl<'a> GenotypeKinds<'a> {
    /// Of the alterations there are, and the genotypes met so far; new ones are added as they arise.
    pub fn new(catalogue: &'a Catalogue, genotypes: &'a mut Genotypes) -> Self {
        Self { catalogue, genotypes, rare: Rare::default() }
    }

    /// Turn channels into the genotypes they lead to.
    fn follow(&mut self, kind: u32, drawn: &mut [(u32, u64)], channels: fn(&mut Genotype) -> &mut Channels) {
        for (target, _) in drawn {
            let channel = *target as usize;
            let from = &mut self.genotypes.known[kind as usize];
            let bits = from.bits;
            let change = channels(from).changes[channel];
            *target = match change.reached {
                Some(known) => known,
                None => self.genotypes.intern(self.catalogue, (bits | change.set) & !change.clear),
            };
            let from = &mut self.genotypes.known[kind as usize];
            channels(from).changes[channel].reached = Some(*target);
        }
    }
}

impl Kinds for GenotypeKinds<'_> {
    #[inline]
    fn mutation_total(&self, kind: u32) -> f64 {
        self.mutation(kind).probability
    }

    #[inline]
    fn mutation(&self, kind: u32) -> Chance {
        self.genotypes.totals[kind as usize][0]
    }

    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        let weights = &self.genotypes.get(kind).mutations.weights;
        split(rng, mutants, weights, |channel, share| out.push((channel as u32, share)));
        self.follow(kind, out, |genotype| &mut genotype.mutations);
    }

    #[inline]
    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        let leaving = self.rare.binomial(rng, cells, self.genotypes.totals[kind as usize][1]);
        if leaving > 0 {
            let weights = &self.genotypes.get(kind).switches.weights;
            split(rng, leaving, weights, |channel, share| out.push((channel as u32, share)));
            self.follow(kind, out, |genotype| &mut genotype.switches);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::alteration::Alteration;
    use crate::error::Result;

    fn alteration(name: &str, gene: &str, origin: Origin) -> Alteration {
        Alteration { name: name.into(), gene: gene.into(), origin, fitness_cost: 0.0, effects: vec![] }
    }

    fn reached(catalogue: &Catalogue, genotypes: &mut Genotypes, kind: u32) -> Vec<String> {
        let channels = genotypes.get(kind).mutations.changes.len() as u32;
        let mut drawn: Vec<(u32, u64)> = (0..channels).map(|channel| (channel, 1)).collect();
        GenotypeKinds::new(catalogue, genotypes).follow(kind, &mut drawn, |genotype| &mut genotype.mutations);
        drawn.iter().map(|&(kind, _)| genotypes.name(catalogue, kind)).collect()
    }

    #[test]
    fn a_two_hit_alteration_is_silent_after_the_first_hit() -> Result<()> {
        let origin = Origin::TwoHit { first_per_division: 1e-7, second_per_division: 1e-5 };
        let catalogue = Catalogue::new(vec![alteration("RB1 loss", "RB1", origin)], &[])?;
        let mut genotypes = Genotypes::new(&catalogue, &[], 1.0, 1.0);
        assert_eq!(reached(&catalogue, &mut genotypes, 0), ["wild type"]);
        assert_eq!(reached(&catalogue, &mut genotypes, 1), ["RB1 loss"]);
        assert!(reached(&catalogue, &mut genotypes, 2).is_empty());
        Ok(())
    }

    #[test]
    fn alterations_of_one_gene_exclude_each_other() -> Result<()> {
        let origin = Origin::OneHit { per_division: 1e-8 };
        let names = [("ESR1 Y537S", "ESR1"), ("ESR1 D538G", "ESR1"), ("PIK3CA", "PIK3CA")];
        let catalogue =
            Catalogue::new(names.iter().map(|(name, gene)| alteration(name, gene, origin)).collect(), &[])?;
        let mut genotypes = Genotypes::new(&catalogue, &[0], 1.0, 1.0);
        assert_eq!(reached(&catalogue, &mut genotypes, 0), ["ESR1 Y537S + PIK3CA"]);
        Ok(())
    }
}
