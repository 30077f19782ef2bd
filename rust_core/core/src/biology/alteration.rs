//! Ways in which a tumour cell can differ from its ancestor, and all of them in play.

use crate::bounds::{Bound, Bounded, bounded};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

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
