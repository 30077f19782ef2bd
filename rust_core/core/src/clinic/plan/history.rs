//! Ways to have come to a trial.

use crate::bounds::{ABOVE_ZERO, Bounded, bounded};
use crate::clinic::plan::eligibility::Eligibility;
use crate::clinic::plan::scope::Scope;
use crate::clinic::plan::strategy::Line;
use crate::error::{Result, within};
use serde::{Deserialize, Serialize};

/// Therapy after surgery, and when on it the disease came back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adjuvant {
    /// The therapy; it runs for its planned months whatever scans show, for none are made.
    pub line: Line,
    /// Relapse at least so many months after its start.
    pub relapse_from_month: f64,
    /// Relapse before so many months after its start.
    pub relapse_before_month: f64,
}

/// One way to have come to the trial.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Name.
    pub name: String,
    /// Share of the patients enrolled.
    pub share: f64,
    /// Relapse under adjuvant therapy; none: the disease was advanced when it was found.
    #[serde(default)]
    pub adjuvant: Option<Adjuvant>,
    /// Enrolled on the day of surgery: nothing of the disease is seen, and the arms are adjuvant.
    #[serde(default)]
    pub operated: bool,
    /// Lines for advanced disease.
    #[serde(default)]
    pub prior: Vec<Line>,
    /// What is asked of these patients beside what is asked of all.
    #[serde(default)]
    pub eligibility: Eligibility,
}

bounded!(Adjuvant {
    relapse_from_month: 0.0, 1000.0;
    relapse_before_month: ABOVE_ZERO, 1000.0;
});

bounded!(History {
    share: ABOVE_ZERO, 1e6;
});

impl History {
    pub(crate) fn validate(&self, place: &str, scope: &Scope<'_>) -> Result<()> {
        self.within_bounds(place)?;
        if let Some(adjuvant) = &self.adjuvant {
            adjuvant.line.validate(&format!("{place}.adjuvant"), scope)?;
            let place = format!("{place}.adjuvant");
            adjuvant.within_bounds(&place)?;
            let (from, before) = (adjuvant.relapse_from_month, adjuvant.relapse_before_month);
            within(format!("{place}.relapse_before_month"), before, from, f64::INFINITY)?;
        }
        for (l, line) in self.prior.iter().enumerate() {
            line.validate(&format!("{place}.prior[{l}]"), scope)?;
        }
        self.eligibility.validate(&format!("{place}.eligibility"), scope)
    }
}
