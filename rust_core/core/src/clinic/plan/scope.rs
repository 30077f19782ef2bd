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

    /// Whether liquid biopsies read a gene.
    pub(crate) fn measures(&self, gene: &str) -> bool {
        self.assay.is_some_and(|assay| assay.genes.iter().any(|known| known == gene))
    }
}
