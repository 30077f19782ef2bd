//! Alterations and the sets of them that cells carry.

use crate::bounds::{Bound, Bounded, bounded};
use crate::error::{Error, Result};
use crate::law::Kinds;
use crate::random::{binomial, split};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an alteration does to the nodes of the pathway. Folds multiply, gains add; the neutral
/// value is "no effect".
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct NodeEffect {
    /// Ligand-independent ER activity, relative to an untreated HR+ cell.
    pub er_constitutive: f64,
    /// Fold by which antagonists of ER lose potency on this receptor.
    pub er_antagonist_fold: f64,
    /// 1 when ER is lost: no ER signal, no response to endocrine therapy.
    pub er_lost: f64,
    /// ER-independent drive of cyclin D that comes with the alteration.
    pub cyclin_d_bypass: f64,
    /// Added activity of PI3K-alpha.
    pub pi3k_gain: f64,
    /// Added input to AKT that bypasses PI3K-alpha (PTEN loss).
    pub pten_gain: f64,
    /// Added activity of AKT.
    pub akt_gain: f64,
    /// Added activity of mTORC1.
    pub mtor_gain: f64,
    /// Added FGFR activity, upstream of MAPK.
    pub fgfr_gain: f64,
    /// Added MAPK activity downstream of FGFR.
    pub mapk_gain: f64,
    /// Fold of cyclin D.
    pub cyclin_d_fold: f64,
    /// Fold of CDK4/6 activity.
    pub cdk46_fold: f64,
    /// Fold by which CDK4/6 inhibitors lose potency.
    pub cdk46_inhibitor_fold: f64,
    /// Fold of CDK2 activity.
    pub cdk2_fold: f64,
    /// 1 when RB is lost: E2F is free.
    pub rb_lost: f64,
    /// Fold of the kill by chemotherapy.
    pub chemotherapy_fold: f64,
}

impl Default for NodeEffect {
    fn default() -> Self {
        Self {
            er_constitutive: 0.0,
            er_antagonist_fold: 1.0,
            er_lost: 0.0,
            cyclin_d_bypass: 0.0,
            pi3k_gain: 0.0,
            pten_gain: 0.0,
            akt_gain: 0.0,
            mtor_gain: 0.0,
            fgfr_gain: 0.0,
            mapk_gain: 0.0,
            cyclin_d_fold: 1.0,
            cdk46_fold: 1.0,
            cdk46_inhibitor_fold: 1.0,
            cdk2_fold: 1.0,
            rb_lost: 0.0,
            chemotherapy_fold: 1.0,
        }
    }
}

bounded!(NodeEffect {
    er_constitutive: 0.0, 1e6;
    er_antagonist_fold: 0.0, 1e6;
    er_lost: 0.0, 1.0;
    cyclin_d_bypass: 0.0, 1e6;
    pi3k_gain: 0.0, 1e6;
    pten_gain: 0.0, 1e6;
    akt_gain: 0.0, 1e6;
    mtor_gain: 0.0, 1e6;
    fgfr_gain: 0.0, 1e6;
    mapk_gain: 0.0, 1e6;
    cyclin_d_fold: 0.0, 1e6;
    cdk46_fold: 0.0, 1e6;
    cdk46_inhibitor_fold: 0.0, 1e6;
    cdk2_fold: 0.0, 1e6;
    rb_lost: 0.0, 1.0;
    chemotherapy_fold: 0.0, 1e6;
});

impl NodeEffect {
    /// The effect of both alterations in one cell.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            er_constitutive: self.er_constitutive.max(other.er_constitutive),
            er_antagonist_fold: self.er_antagonist_fold * other.er_antagonist_fold,
            er_lost: self.er_lost.max(other.er_lost),
            cyclin_d_bypass: self.cyclin_d_bypass + other.cyclin_d_bypass,
            pi3k_gain: self.pi3k_gain + other.pi3k_gain,
            pten_gain: self.pten_gain + other.pten_gain,
            akt_gain: self.akt_gain + other.akt_gain,
            mtor_gain: self.mtor_gain + other.mtor_gain,
            fgfr_gain: self.fgfr_gain + other.fgfr_gain,
            mapk_gain: self.mapk_gain + other.mapk_gain,
            cyclin_d_fold: self.cyclin_d_fold * other.cyclin_d_fold,
            cdk46_fold: self.cdk46_fold * other.cdk46_fold,
            cdk46_inhibitor_fold: self.cdk46_inhibitor_fold * other.cdk46_inhibitor_fold,
            cdk2_fold: self.cdk2_fold * other.cdk2_fold,
            rb_lost: self.rb_lost.max(other.rb_lost),
            chemotherapy_fold: self.chemotherapy_fold * other.chemotherapy_fold,
        }
    }
}

/// How an alteration comes about.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Origin {
    /// One event at a division.
    OneHit {
        /// Probability per division that one daughter gains it.
        per_division: f64,
    },
    /// Loss of function of one allele, then loss of the other; silent in between.
    TwoHit {
        /// Probability per division of the first hit.
        first_per_division: f64,
        /// Probability per division of the second hit.
        second_per_division: f64,
    },
    /// A reversible state, switched per cell and day.
    State {
        /// Hazard of switching on, per day.
        on_per_day: f64,
        /// Hazard of switching off, per day.
        off_per_day: f64,
    },
}

/// One way in which a tumour cell can differ from its ancestor.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alteration {
    /// Unique name, e.g. `ESR1 Y537S`.
    pub name: String,
    /// Gene; alterations of one gene exclude each other, and assays report by gene.
    pub gene: String,
    /// How it comes about, with its rates.
    pub origin: Origin,
    /// Share of the division rate that it costs (0: none; negative: an advantage).
    pub fitness_cost: f64,
    /// What it does to the pathway.
    pub effect: NodeEffect,
}

impl Bounded for Origin {
    const BOUNDS: &'static [Bound] = &[
        Bound { field: "per_division", low: 0.0, high: 1.0 },
        Bound { field: "first_per_division", low: 0.0, high: 1.0 },
        Bound { field: "second_per_division", low: 0.0, high: 1.0 },
        Bound { field: "on_per_day", low: 0.0, high: 1.0 },
        Bound { field: "off_per_day", low: 0.0, high: 1.0 },
    ];

    fn within_bounds(&self, place: &str) -> Result<()> {
        let [mut per_division, mut first, mut second, mut on, mut off] = [None; 5];
        match *self {
            Self::OneHit { per_division: once } => per_division = Some(once),
            Self::TwoHit { first_per_division, second_per_division } => {
                (first, second) = (Some(first_per_division), Some(second_per_division));
            }
            Self::State { on_per_day, off_per_day } => (on, off) = (Some(on_per_day), Some(off_per_day)),
        }
        let values = [per_division, first, second, on, off];
        Self::BOUNDS.iter().zip(values).try_for_each(|(bound, value)| bound.check(place, &value))
    }
}

bounded!(Alteration {
    fitness_cost: -1.0, 1.0;
});

impl Alteration {
    fn validate(&self, place: &str) -> Result<()> {
        self.origin.within_bounds(place)?;
        self.within_bounds(place)?;
        self.effect.within_bounds(&format!("{place}.effect"))
    }
}

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
    /// Joint effect on the pathway.
    pub effect: NodeEffect,
    /// Factor on the division rate from fitness costs.
    pub fitness: f64,
    mutations: Channels,
    switches: Channels,
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
}

/// The alterations of an experiment and every genotype met so far. A genotype is known by its
/// index; index 0 is the founder.
#[derive(Clone, Debug)]
pub struct Genotypes {
    dt: f64,
    rate_fold: f64,
    bit_of: Vec<u32>,
    known: Vec<Genotype>,
    index_of: BTreeMap<u64, u32>,
}

/// The alterations an experiment knows.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// In the order of the experiment.
    pub alterations: Vec<Alteration>,
}

impl Catalogue {
    /// Check names and rates. At most 31 alterations: each takes two bits of a genotype.
    pub fn new(alterations: Vec<Alteration>) -> Result<Self> {
        if alterations.len() > 31 {
            return Err(Error::refused("alterations", alterations.len(), "at most 31 in one experiment"));
        }
        for (index, alteration) in alterations.iter().enumerate() {
            alteration.validate(&format!("alteration \"{}\"", alteration.name))?;
            if alterations[..index].iter().any(|other| other.name == alteration.name) {
                return Err(Error::input("alterations", format!("\"{}\" is named twice", alteration.name)));
            }
        }
        Ok(Self { alterations })
    }

    /// Index of an alteration by name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.alterations.iter().position(|a| a.name == name)
    }

    /// Indices of the alterations of a gene (or of the one alteration of that name).
    pub fn of_gene(&self, gene: &str) -> Vec<usize> {
        let found: Vec<usize> =
            self.alterations.iter().enumerate().filter(|(_, a)| a.gene == gene).map(|(i, _)| i).collect();
        if found.is_empty() { self.index(gene).into_iter().collect() } else { found }
    }
}

impl Genotypes {
    /// Start from a founder that carries `founder` (indices in the catalogue). `rate_fold`
    /// multiplies every mutation probability of this patient.
    pub fn new(catalogue: &Catalogue, founder: &[usize], dt: f64, rate_fold: f64) -> Self {
        // Bit 2i: in force. Bit 2i + 1: first of two hits.
        let bit_of: Vec<u32> = (0..catalogue.alterations.len() as u32).map(|i| 2 * i).collect();
        let bits = founder.iter().fold(0u64, |bits, &i| bits | 1 << bit_of[i]);
        let mut genotypes = Self { dt, rate_fold, bit_of, known: Vec::new(), index_of: BTreeMap::new() };
        genotypes.intern(catalogue, bits);
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
        self.known.push(self.describe(catalogue, bits));
        self.index_of.insert(bits, index);
        index
    }

    fn describe(&self, catalogue: &Catalogue, bits: u64) -> Genotype {
        let has = |bit: u32| bits >> bit & 1 == 1;
        let carried: Vec<usize> = (0..self.bit_of.len()).filter(|&i| has(self.bit_of[i])).collect();
        let effect = carried
            .iter()
            .fold(NodeEffect::default(), |effect, &i| effect.and(&catalogue.alterations[i].effect));
        let fitness = carried.iter().map(|&i| 1.0 - catalogue.alterations[i].fitness_cost).product();
        let gene_taken = |i: usize| {
            carried.iter().any(|&c| c != i && catalogue.alterations[c].gene == catalogue.alterations[i].gene)
        };
        let (mut mutations, mut switches) = (Channels::default(), Channels::default());
        for (i, alteration) in catalogue.alterations.iter().enumerate() {
            let bit = self.bit_of[i];
            let per_step = |hazard: f64| -libm::expm1(-hazard * self.dt);
            match alteration.origin {
                Origin::OneHit { per_division } if !has(bit) && !gene_taken(i) => {
                    mutations.push(per_division * self.rate_fold, 1 << bit, 0);
                }
                Origin::TwoHit { second_per_division, .. } if !has(bit) && has(bit + 1) => {
                    mutations.push(second_per_division * self.rate_fold, 1 << bit, 0);
                }
                Origin::TwoHit { first_per_division, .. } if !has(bit) => {
                    mutations.push(first_per_division * self.rate_fold, 1 << (bit + 1), 0);
                }
                Origin::State { on_per_day, .. } if !has(bit) => {
                    switches.push(per_step(on_per_day), 1 << bit, 0);
                }
                Origin::State { off_per_day, .. } => switches.push(per_step(off_per_day), 0, 1 << bit),
                Origin::OneHit { .. } | Origin::TwoHit { .. } => {}
            }
        }
        Genotype { bits, carried, effect, fitness, mutations, switches }
    }

    /// Name of a genotype: the alterations in force joined by " + ", or "wild type".
    pub fn name(&self, catalogue: &Catalogue, index: u32) -> String {
        let carried = &self.known[index as usize].carried;
        if carried.is_empty() {
            return "wild type".to_owned();
        }
        carried.iter().map(|&i| catalogue.alterations[i].name.as_str()).collect::<Vec<_>>().join(" + ")
    }
}

/// Genotypes as the kinds of the engine: mutation and switching follow the catalogue.
pub struct GenotypeKinds<'a> {
    /// The alterations there are.
    pub catalogue: &'a Catalogue,
    /// The genotypes met so far; new ones are added as they arise.
    pub genotypes: &'a mut Genotypes,
}

impl GenotypeKinds<'_> {
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
    fn mutation_total(&self, kind: u32) -> f64 {
        self.genotypes.get(kind).mutations.total
    }

    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        let weights = &self.genotypes.get(kind).mutations.weights;
        split(rng, mutants, weights, |channel, share| out.push((channel as u32, share)));
        self.follow(kind, out, |genotype| &mut genotype.mutations);
    }

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        let channels = &self.genotypes.get(kind).switches;
        let leaving = binomial(rng, cells, channels.total);
        if leaving > 0 {
            split(rng, leaving, &channels.weights, |channel, share| out.push((channel as u32, share)));
            self.follow(kind, out, |genotype| &mut genotype.switches);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alteration(name: &str, gene: &str, origin: Origin) -> Alteration {
        let effect = NodeEffect::default();
        Alteration { name: name.into(), gene: gene.into(), origin, fitness_cost: 0.0, effect }
    }

    fn reached(catalogue: &Catalogue, genotypes: &mut Genotypes, kind: u32) -> Vec<String> {
        let channels = genotypes.get(kind).mutations.changes.len() as u32;
        let mut drawn: Vec<(u32, u64)> = (0..channels).map(|channel| (channel, 1)).collect();
        GenotypeKinds { catalogue, genotypes }.follow(kind, &mut drawn, |genotype| &mut genotype.mutations);
        drawn.iter().map(|&(kind, _)| genotypes.name(catalogue, kind)).collect()
    }

    #[test]
    fn a_two_hit_alteration_is_silent_after_the_first_hit() -> Result<()> {
        let origin = Origin::TwoHit { first_per_division: 1e-7, second_per_division: 1e-5 };
        let catalogue = Catalogue::new(vec![alteration("RB1 loss", "RB1", origin)])?;
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
            Catalogue::new(names.iter().map(|(name, gene)| alteration(name, gene, origin)).collect())?;
        let mut genotypes = Genotypes::new(&catalogue, &[0], 1.0, 1.0);
        assert_eq!(reached(&catalogue, &mut genotypes, 0), ["ESR1 Y537S + PIK3CA"]);
        Ok(())
    }
}
