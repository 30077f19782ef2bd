//! Who is asked into a trial.

use crate::bounds::{ABOVE_ZERO, Bounded, bounded};
use crate::clinic::months::MOST_MONTHS;
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::scope::Scope;
use crate::clinic::plan::therapy::Resistance;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Time on drugs, all of them together, before enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// Drugs that count.
    pub drugs: Vec<String>,
    /// At least so many months.
    #[serde(default)]
    pub months_at_least: Option<f64>,
    /// Less than so many months.
    #[serde(default)]
    pub months_below: Option<f64>,
}

/// What is asked of a patient on the day of enrolment. Empty: nothing, but that the last prior line
/// ended in progression or as planned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Eligibility {
    /// At least so many months from start to progression on the last prior line.
    pub prior_months_at_least: Option<f64>,
    /// Less than so many months from start to progression on the last prior line.
    pub prior_months_below: Option<f64>,
    /// How the last prior line may have ended; empty: in progression, or as planned.
    pub prior_ended: Vec<EndReason>,
    /// Genes that must all be found in the tumour (in at least a twentieth of its cells).
    pub altered: Vec<String>,
    /// Genes of which at least one must be found in the tumour.
    pub altered_any: Vec<String>,
    /// Genes that must not be found in the tumour.
    pub not_altered: Vec<String>,
    /// Genes that must all be seen in a liquid biopsy.
    pub detected: Vec<String>,
    /// Genes that must not be seen in a liquid biopsy.
    pub not_detected: Vec<String>,
    /// Drugs of which at least one must have been taken before.
    pub taken: Vec<String>,
    /// Drugs that must not have been taken before.
    pub not_taken: Vec<String>,
    /// Time on drugs before.
    pub exposure: Option<Exposure>,
    /// Names of the histories that qualify; empty: all.
    pub history: Vec<String>,
    /// Whether the disease was sensitive to a kind of therapy before, by its name.
    pub sensitive: BTreeMap<String, bool>,
    /// What a kind of therapy before may have shown, by its name.
    pub resistance: BTreeMap<String, Vec<Resistance>>,
    /// Only patients whose disease is (or is not) at a site, by its name.
    pub sites: BTreeMap<String, bool>,
    /// Only patients with (or without) measurable disease.
    pub measurable: Option<bool>,
    /// What the pathway reads of the patient: only those of whom it is 1 (or 0), by name.
    pub covariate: BTreeMap<String, bool>,
}

bounded!(Exposure {
    months_at_least: 0.0, MOST_MONTHS;
    months_below: ABOVE_ZERO, MOST_MONTHS;
});

bounded!(Eligibility {
    prior_months_at_least: 0.0, MOST_MONTHS;
    prior_months_below: ABOVE_ZERO, MOST_MONTHS;
});

impl Eligibility {
    pub(crate) fn validate(&self, place: &str, scope: &Scope<'_>) -> Result<()> {
        self.within_bounds(place)?;
        self.exposure.iter().try_for_each(|exposure| exposure.within_bounds(&format!("{place}.exposure")))?;
        for gene in self.altered.iter().chain(&self.altered_any).chain(&self.not_altered) {
            if scope.catalogue.of_gene(gene).is_empty() {
                return Err(Error::input(
                    place,
                    format!("\"{gene}\" is no gene or alteration of this experiment"),
                ));
            }
        }
        for gene in self.detected.iter().chain(&self.not_detected) {
            if !scope.measures(gene) {
                return Err(Error::input(place, format!("nobody measures \"{gene}\" in liquid biopsies")));
            }
        }
        for therapy in self.sensitive.keys().chain(self.resistance.keys()) {
            scope.therapy(place, therapy)?;
        }
        for site in self.sites.keys() {
            scope.site(place, site)?;
        }
        for name in self.covariate.keys() {
            scope.covariate(place, name)?;
        }
        let exposed = self.exposure.iter().flat_map(|exposure| &exposure.drugs);
        for drug in self.taken.iter().chain(&self.not_taken).chain(exposed) {
            scope.drug(place, drug)?;
        }
        Ok(())
    }

    /// Whether anything is asked.
    pub(crate) fn is_anything(&self) -> bool {
        let Self { prior_months_at_least, prior_months_below, exposure, .. } = self;
        let lists = [&self.altered, &self.altered_any, &self.not_altered, &self.detected, &self.not_detected];
        prior_months_at_least.is_some()
            || prior_months_below.is_some()
            || exposure.is_some()
            || !self.prior_ended.is_empty()
            || !self.sensitive.is_empty()
            || !self.resistance.is_empty()
            || !self.sites.is_empty()
            || lists.into_iter().chain([&self.taken, &self.not_taken, &self.history]).any(|l| !l.is_empty())
            || !self.covariate.is_empty()
            || self.measurable.is_some()
    }
}
