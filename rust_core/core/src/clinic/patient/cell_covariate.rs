//! What a pathway reads of the patient, and the laws from which it is drawn.

use crate::bounds::{Bounded, bounded};
use crate::clinic::patient::laws::{LogNormal, LogitNormal};
use crate::error::{Error, Result, within};
use crate::random::{Purpose, key, normal, stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What may be correlated with covariates beside each other: net growth.
const GROWTH: &str = "net_growth_per_day";

/// From what a number is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum CovariateLaw {
    /// Log-normal, cut at both ends.
    LogNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
        /// Values below are set to it.
        low: f64,
        /// Values above are set to it.
        high: f64,
    },
    /// Normal on the logit scale.
    LogitNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the logit.
        sigma: f64,
    },
    /// 1 in a share of the patients, 0 in the others.
    Share {
        /// The share.
        share: f64,
    },
}

impl CovariateLaw {
    fn validate(&self, place: &str) -> Result<()> {
        match *self {
            Self::LogNormal { median, sigma, low, high } => {
                LogNormal { median, sigma, low, high }.validate(place)
            }
            Self::LogitNormal { median, sigma } => LogitNormal { median, sigma }.within_bounds(place),
            Self::Share { share } => within(format!("{place}.share"), share, 0.0, 1.0).map(|_| ()),
        }
    }

    /// The value at `deviate` standard deviations.
    fn at(&self, deviate: f64) -> f64 {
        match *self {
            Self::LogNormal { median, sigma, low, high } => {
                LogNormal { median, sigma, low, high }.at(deviate)
            }
            Self::LogitNormal { median, sigma } => LogitNormal { median, sigma }.at(deviate),
            Self::Share { share } => {
                let below = 0.5 * libm::erfc(-deviate / core::f64::consts::SQRT_2);
                f64::from(u8::from(below < share))
            }
        }
    }
}

/// Something that a pathway reads of the patient.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellCovariate {
    /// Its name in the pathway.
    pub name: String,
    /// How it is drawn.
    pub law: CovariateLaw,
    /// With what it is correlated: net growth, or a covariate before it.
    #[serde(default)]
    pub correlated_with: Option<String>,
    /// How much (of the normal deviates of both laws).
    #[serde(default)]
    pub correlation: f64,
}

bounded!(CellCovariate {
    correlation: -1.0, 1.0;
});

impl CellCovariate {
    /// Whether it is 1 or 0.
    pub(crate) fn is_flag(&self) -> bool {
        matches!(self.law, CovariateLaw::Share { .. })
    }
}

/// An error unless these are what a pathway reads, in its order.
pub(crate) fn check_names(covariates: &[CellCovariate], read: &[String]) -> Result<()> {
    let drawn: Vec<&str> = covariates.iter().map(|covariate| covariate.name.as_str()).collect();
    if drawn == read {
        return Ok(());
    }
    let (drawn, read) = (drawn.join(", "), read.join(", "));
    let problem = format!("found {drawn}; allowed: what the pathway reads, in its order: {read}");
    Err(Error::input("population.covariates", problem))
}

/// Check all covariates of a population.
pub(crate) fn validate(covariates: &[CellCovariate]) -> Result<()> {
    for (index, covariate) in covariates.iter().enumerate() {
        let place = format!("population.covariate.{}", covariate.name);
        covariate.law.validate(&place)?;
        covariate.within_bounds(&place)?;
        let Some(with) = &covariate.correlated_with else { continue };
        let before: Vec<&str> = covariates[..index].iter().map(|other| other.name.as_str()).collect();
        if with != GROWTH && !before.contains(&with.as_str()) {
            let problem = format!(
                "found \"{with}\"; allowed: {GROWTH}, or a covariate before it: {}",
                before.join(", ")
            );
            return Err(Error::input(format!("{place}.correlated_with"), problem));
        }
    }
    Ok(())
}

/// Normal deviates of a patient, one for each covariate; each has a stream of its own, so that none shifts another.
pub(crate) fn deviates(
    covariates: &[CellCovariate],
    growth: f64,
    seed: u64,
    patient: u64,
    candidate: u64,
) -> Vec<f64> {
    let mut drawn: Vec<f64> = Vec::with_capacity(covariates.len());
    for covariate in covariates {
        let own =
            normal(&mut stream(seed, patient, Purpose::CellCovariate, key(&covariate.name) ^ candidate));
        let with = covariate.correlated_with.as_deref().map(|with| {
            let earlier = covariates[..drawn.len()].iter().position(|other| other.name == with);
            earlier.map_or(growth, |place| drawn[place])
        });
        let by = covariate.correlation;
        drawn.push(with.map_or(own, |with| by * with + libm::sqrt(1.0 - by * by) * own));
    }
    drawn
}

/// What the deviates come to; what is given takes the place of what follows from them.
pub(crate) fn values(
    covariates: &[CellCovariate],
    deviates: &[f64],
    given: &BTreeMap<String, f64>,
) -> Vec<f64> {
    let of = |(covariate, &deviate): (&CellCovariate, &f64)| {
        given.get(&covariate.name).copied().unwrap_or_else(|| covariate.law.at(deviate))
    };
    covariates.iter().zip(deviates).map(of).collect()
}
