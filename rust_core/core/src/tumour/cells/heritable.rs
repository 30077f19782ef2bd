//! A continuous trait that cells inherit.

use crate::law::StepProbabilities;
use crate::random::normal;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// The rate that a trait acts on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Rate {
    /// Division.
    Division,
    /// Death.
    Death,
}

/// A continuous trait that cells inherit: the logarithm of the factor on one of their rates.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, PartialEq)]
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
    pub(super) fn of_daughter<R: Rng>(self, rng: &mut R, mother: f32) -> f32 {
        let limit = self.limit.unwrap_or(f64::INFINITY);
        (f64::from(mother) + self.drift * normal(rng)).clamp(-limit, limit) as f32
    }

    pub(super) fn scale(self, p: StepProbabilities, value: f32) -> StepProbabilities {
        let fold = libm::exp(f64::from(value));
        match self.rate {
            Rate::Division => StepProbabilities { divide: p.divide * fold, ..p },
            Rate::Death => StepProbabilities { die: p.die * fold, ..p },
        }
    }
}
