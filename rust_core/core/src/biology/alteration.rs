//! Ways in which a tumour cell can differ from its ancestor, and all of them in play.

use crate::bounds::{Bound, Bounded, bounded};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the effects of several alterations in one cell come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// They add up.
    Add,
    /// They multiply.
    Multiply,
    /// The largest counts.
    Max,
}

/// Something that an alteration can do to the pathway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EffectLaw {
    /// Its value in a cell without such an alteration.
    pub neutral: f64,
    /// How several come together.
    pub combine: Together,
}

impl EffectLaw {
    fn and(&self, one: f64, other: f64) -> f64 {
        match self.combine {
            Together::Add => one + other,
            Together::Multiply => one * other,
            Together::Max => one.max(other),
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
    /// What it does to the pathway: a value for each of its effects, in their order.
    pub effects: Vec<f64>,
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
    fn validate(&self, place: &str, laws: &[EffectLaw]) -> Result<()> {
        self.origin.within_bounds(place)?;
        self.within_bounds(place)?;
        if self.effects.len() != laws.len() || self.effects.iter().any(|effect| !effect.is_finite()) {
            let allowed = format!("{} finite numbers, one for each effect", laws.len());
            return Err(Error::refused(format!("{place}.effects"), self.effects.len(), allowed));
        }
        Ok(())
    }
}

/// The alterations an experiment knows.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// In the order of the experiment.
    pub alterations: Vec<Alteration>,
    laws: Vec<EffectLaw>,
}

impl Catalogue {
    /// Check names and rates.
    pub fn new(alterations: Vec<Alteration>, laws: &[EffectLaw]) -> Result<Self> {
        for (index, alteration) in alterations.iter().enumerate() {
            alteration.validate(&format!("alteration \"{}\"", alteration.name), laws)?;
            if alterations[..index].iter().any(|other| other.name == alteration.name) {
                return Err(Error::input("alterations", format!("\"{}\" is named twice", alteration.name)));
            }
        }
        Ok(Self { alterations, laws: laws.to_vec() })
    }

    /// What several alterations in one cell do together.
    pub fn joint(&self, carried: &[usize]) -> Vec<f64> {
        let joint = |(index, law): (usize, &EffectLaw)| {
            carried.iter().fold(law.neutral, |joint, &i| law.and(joint, self.alterations[i].effects[index]))
        };
        self.laws.iter().enumerate().map(joint).collect()
    }

    /// Share of the division rate that is left after the costs of several alterations in one cell.
    pub fn fitness(&self, carried: &[usize]) -> f64 {
        carried.iter().map(|&i| 1.0 - self.alterations[i].fitness_cost).product()
    }

    /// Name of a genotype: the alterations in force joined by " + ", or "wild type".
    pub fn name(&self, carried: &[usize]) -> String {
        if carried.is_empty() {
            return "wild type".to_owned();
        }
        carried.iter().map(|&i| self.alterations[i].name.as_str()).collect::<Vec<_>>().join(" + ")
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
