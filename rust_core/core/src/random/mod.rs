//! Keyed random streams and the samplers the law is drawn with.
//!
//! A stream is named by (experiment seed, patient, purpose, index) and by nothing else: not by
//! threads, not by the order in which patients happen to run. Two arms of one patient read the
//! same streams, which makes them virtual twins up to their first difference.

mod bell;
mod binomial;
mod fates;
mod lineages;
mod mass;
mod philox;
mod rare;
mod samplers;
mod uniform;

pub use binomial::binomial;
pub use lineages::lineages;
pub use philox::{Philox4x64, block};
pub use rare::{Chance, Rare};
pub use samplers::{choose, exponential, normal, poisson, split};
pub use uniform::{below, uniform};

/// What a stream is used for. Every purpose has its own stream, so that drawing more for one
/// (say, a second ctDNA sample) never shifts another (say, cell divisions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Between-patient variation: growth, burden, founder genotype.
    Covariates = 1,
    /// Division, death, mutation and switching of cells.
    Tumour = 2,
    /// Measurement error of scans; the index is the day.
    Scan = 3,
    /// Sampling noise of liquid biopsies; the index is the day.
    LiquidBiopsy = 4,
    /// When a new lesion becomes visible.
    NewLesion = 5,
    /// Drug exposure and intolerance; the index is the drug.
    Drug = 6,
    /// Loss to follow-up and deaths from other causes.
    FollowUp = 7,
    /// Replicates of a population with explicit rates.
    Replicate = 8,
    /// Which cells of a population with explicit rates are looked at.
    Sample = 9,
    /// What patients have lived through before enrolment.
    History = 10,
    /// Regimens that are a matter of choice; the index is the line.
    Choice = 11,
    /// When adjuvant therapy is no longer taken; the index is the candidate.
    Adherence = 12,
    /// How far off the planned day scans are made; the index is line and planned day.
    ScanDay = 13,
    /// Whether a scan is made and can be judged; the index is line and planned day.
    ScanQuality = 14,
    /// What becomes of a copy that is to have a future of its own; the index is the step or day of the copy.
    Fork = 15,
    /// What a pathway reads of the patient; the index is the covariate.
    CellCovariate = 16,
    /// Sites of the disease beyond the first two; the index is the candidate.
    Site = 17,
    /// Which individual a mutant descends from, where the genealogy is recorded; the index is the candidate.
    Descent = 18,
}

/// A stable 64-bit key of a name (FNV-1a).
pub fn key(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// The stream of one purpose in one patient (or replicate).
pub fn stream(seed: u64, patient: u64, purpose: Purpose, index: u64) -> Philox4x64 {
    Philox4x64::new([seed, patient], [0, purpose as u64, index, 0])
}
