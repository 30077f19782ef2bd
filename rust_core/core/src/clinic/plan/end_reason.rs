//! Why a line ends.

use serde::{Deserialize, Serialize};

/// Why a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Progression on a scan.
    Progression,
    /// Death on the line.
    Death,
    /// The planned duration, number of cycles or response was reached.
    Completed,
    /// A rule moved the patient on.
    Rule,
    /// A drug was not tolerated.
    Toxicity,
    /// The patient fell ill with the disease, and no scan shows progression (symptomatic deterioration).
    Deterioration,
    /// Lost to follow-up, or the end of follow-up.
    Censored,
}

impl EndReason {
    /// The name used in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Progression => "progression",
            Self::Death => "death",
            Self::Completed => "completed",
            Self::Rule => "rule",
            Self::Toxicity => "toxicity",
            Self::Deterioration => "deterioration",
            Self::Censored => "censored",
        }
    }
}
