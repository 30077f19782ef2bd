//! What plans are checked against: drugs, alterations and assays of an experiment.

use crate::biology::alteration::Catalogue;
use crate::biology::drug::Drug;
use crate::clinic::instruments::liquid_biopsy::LiquidBiopsy;
use crate::error::{Error, Result};

/// What there is in an experiment.
pub(crate) struct Scope<'a> {
    pub(crate) drugs: &'a [Drug],
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) assay: Option<&'a LiquidBiopsy>,
    /// Names of what the pathway reads of the patient.
    pub(crate) covariates: &'a [String],
    /// Names of what the pathway gives beside rates.
    pub(crate) outputs: Vec<&'a str>,
    /// Names of the sites of the disease.
    pub(crate) sites: Vec<&'a str>,
    /// Names of the kinds of therapy.
    pub(crate) therapies: Vec<&'a str>,
}

impl Scope<'_> {
    /// An error unless there is such a drug.
    pub(crate) fn drug(&self, place: &str, drug: &str) -> Result<()> {
        if self.drugs.iter().any(|known| known.name == drug) {
            Ok(())
        } else {
            Err(Error::input(place, format!("\"{drug}\" is not a known drug")))
        }
    }

    /// An error unless there are such drugs.
    pub(crate) fn drugs(&self, place: &str, drugs: &[String]) -> Result<()> {
        drugs.iter().try_for_each(|drug| self.drug(place, drug))
    }

    /// An error unless the pathway reads such a covariate.
    pub(crate) fn covariate(&self, place: &str, name: &str) -> Result<()> {
        if self.covariates.iter().any(|known| known == name) {
            Ok(())
        } else {
            let known = self.covariates.join(", ");
            let problem = format!("the pathway reads no \"{name}\" of the patient; allowed: {known}");
            Err(Error::input(format!("{place}.covariate"), problem))
        }
    }

    /// An error unless the pathway gives such a number.
    pub(crate) fn output(&self, place: &str, name: &str) -> Result<()> {
        known(place, name, "output of the pathway", &self.outputs)
    }

    /// An error unless the disease can be at such a site.
    pub(crate) fn site(&self, place: &str, name: &str) -> Result<()> {
        known(place, name, "site", &self.sites)
    }

    /// An error unless there is such a kind of therapy.
    pub(crate) fn therapy(&self, place: &str, name: &str) -> Result<()> {
        known(place, name, "kind of therapy", &self.therapies)
    }

    /// Whether liquid biopsies read a gene.
    pub(crate) fn measures(&self, gene: &str) -> bool {
        self.assay.is_some_and(|assay| assay.genes.iter().any(|known| known == gene))
    }
}

fn known(place: &str, name: &str, what: &str, names: &[&str]) -> Result<()> {
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::input(
        place,
        format!("\"{name}\" is no {what} of this experiment; allowed: {}", names.join(", ")),
    ))
}
