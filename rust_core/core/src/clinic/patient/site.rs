//! Where the disease of a patient is.

use crate::bounds::bounded;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sites whose deviates come from the stream of all covariates; those of further sites have a stream of their own, so
/// that a population with fewer or more sites draws the rest alike.
pub(super) const FIRST_SITES: usize = 2;

/// A site of the disease.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Share of the patients whose disease is at no site before it.
    pub share: f64,
    /// Factor on net growth there.
    pub growth: f64,
    /// Whether lesions there can be measured.
    pub measurable: bool,
}

bounded!(Site {
    share: 0.0, 1.0;
    growth: 0.1, 10.0;
});

/// The site of a patient's disease, if it is at any: the first that is drawn, unless one is given or excluded.
pub(super) fn of(sites: &[Site], deviates: &[f64], given: &BTreeMap<String, bool>) -> Option<usize> {
    let is_elsewhere = |name: &str| given.iter().any(|(other, &is)| is && other != name);
    sites.iter().zip(deviates).position(|(site, &deviate)| {
        given.get(&site.name).copied().unwrap_or(deviate < site.share && !is_elsewhere(&site.name))
    })
}
