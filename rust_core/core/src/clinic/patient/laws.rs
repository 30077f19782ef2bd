//! Laws on numbers above zero and on shares.

use crate::bounds::{ABOVE_ZERO, Bounded, bounded};
use crate::error::{Result, within};
use crate::random::{Philox4x64, normal};
use serde::{Deserialize, Serialize};

/// A log-normal law, cut to `[low, high]`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogNormal {
    /// Median.
    pub median: f64,
    /// Standard deviation of the logarithm.
    pub sigma: f64,
    /// Values below are set to it.
    pub low: f64,
    /// Values above are set to it.
    pub high: f64,
}

bounded!(LogNormal {
    median: ABOVE_ZERO, 1e12;
    sigma: 0.0, 10.0;
    low: 0.0, 1e12;
    high: ABOVE_ZERO, 1e12;
});

impl LogNormal {
    pub(crate) fn validate(&self, place: &str) -> Result<()> {
        self.within_bounds(place)?;
        within(format!("{place}.high"), self.high, self.low, f64::INFINITY).map(|_| ())
    }

    pub(crate) fn draw(&self, rng: &mut Philox4x64) -> f64 {
        self.at(normal(rng))
    }

    /// The value at `deviate` standard deviations from the median.
    pub(crate) fn at(&self, deviate: f64) -> f64 {
        (self.median * libm::exp(self.sigma * deviate)).clamp(self.low, self.high)
    }
}

/// A law on (0, 1): normal on the logit scale.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogitNormal {
    /// Median.
    pub median: f64,
    /// Standard deviation of the logit.
    pub sigma: f64,
}

bounded!(LogitNormal {
    median: 1e-6, 1.0 - 1e-6;
    sigma: 0.0, 10.0;
});

impl LogitNormal {
    /// The value at `deviate` standard deviations from the median.
    pub(crate) fn at(&self, deviate: f64) -> f64 {
        let logit = libm::log(self.median / (1.0 - self.median)) + self.sigma * deviate;
        1.0 / (1.0 + libm::exp(-logit))
    }
}
