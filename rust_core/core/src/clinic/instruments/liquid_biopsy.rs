//! Circulating tumour DNA: shed by dying cells, diluted in normal DNA, sampled, and read with a
//! limit of detection.

use crate::bounds::{Bounded, bounded};
use crate::error::Result;
use crate::random::{Purpose, poisson, stream};
use serde::{Deserialize, Serialize};

/// Stands among the genes for the share of the DNA in plasma that is the tumour's.
pub const TUMOUR_FRACTION: &str = "tumour fraction";

/// The assay and what dilutes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiquidBiopsy {
    /// Days between samples, from the start of every line.
    pub every_days: f64,
    /// Genes (or alterations) that are read, or `TUMOUR_FRACTION`.
    pub genes: Vec<String>,
    /// Variant allele fraction below which nothing is reported.
    pub limit_of_detection: f64,
    /// Plasma in one sample, ml.
    pub plasma_ml: f64,
    /// Plasma in the body, ml.
    pub body_plasma_ml: f64,
    /// Normal DNA, genome equivalents per ml.
    pub background_per_ml: f64,
    /// Half-life of DNA in plasma, hours.
    pub half_life_h: f64,
}

bounded!(LiquidBiopsy {
    every_days: 1.0, 3640.0;
    limit_of_detection: 0.0, 1.0;
    plasma_ml: 1e-3, 1e3;
    body_plasma_ml: 1.0, 1e5;
    background_per_ml: 1.0, 1e7;
    half_life_h: 1e-3, 1e3;
});

impl LiquidBiopsy {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        self.within_bounds("liquid_biopsy")
    }

    /// Sample on `day`: variant allele fraction per gene, 0 when below the limit of detection.
    /// `shed_per_day` are genome equivalents that dying cells shed; `carriers` is the fraction of cells that
    /// carry each gene (heterozygous), and none where the tumour fraction is read.
    pub fn sample(
        &self,
        carriers: &[Option<f64>],
        shed_per_day: f64,
        seed: u64,
        patient: u64,
        day: u64,
    ) -> Vec<f64> {
        let rng = &mut stream(seed, patient, Purpose::LiquidBiopsy, day);
        let residence_days = self.half_life_h / core::f64::consts::LN_2 / 24.0;
        let tumour = shed_per_day * residence_days / self.body_plasma_ml * self.plasma_ml;
        let normal = self.background_per_ml * self.plasma_ml;
        carriers
            .iter()
            .map(|&fraction| {
                // Two copies of the locus per genome; one of them is mutant in a carrier.
                let (sought, rest) = match fraction {
                    Some(fraction) => (tumour * fraction, 2.0 * normal + tumour * (2.0 - fraction)),
                    None => (tumour, normal),
                };
                let found = poisson(rng, sought) as f64;
                let others = poisson(rng, rest) as f64;
                let share = if found > 0.0 { found / (found + others) } else { 0.0 };
                if share >= self.limit_of_detection { share } else { 0.0 }
            })
            .collect()
    }
}
