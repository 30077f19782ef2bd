//! What a pathway says of genotypes under drugs, number by number.

use crate::biology::alteration::{Alteration, Catalogue};
use crate::biology::drug::Drug;
use crate::biology::frame::Frame;
use crate::biology::pathway::{Network, Pathway};
use crate::error::{Error, Result};
use serde::Deserialize;

/// A pathway with alterations and drugs, as an experiment has them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    pathway: Pathway,
    alterations: Vec<Alteration>,
    drugs: Vec<Drug>,
}

/// A pathway with alterations and drugs that was found whole.
#[derive(Clone, Debug)]
pub struct Explanation {
    network: Network,
    catalogue: Catalogue,
    drugs: Vec<Drug>,
}

impl Explanation {
    /// Check all of it.
    pub fn new(known: Known) -> Result<Self> {
        let network = Network::new(known.pathway)?;
        let catalogue = Catalogue::new(known.alterations, network.effects())?;
        known.drugs.iter().try_for_each(|drug| drug.validate(network.targets()))?;
        Ok(Self { network, catalogue, drugs: known.drugs })
    }

    /// The numbers in `slots`, for each treatment (a concentration per drug) and, within it, each genotype (indices of
    /// alterations).
    pub fn numbers(
        &self,
        patient: &[f64],
        treatments: &[Vec<f64>],
        genotypes: &[Vec<usize>],
        slots: &[usize],
    ) -> Result<Vec<f64>> {
        for (place, found, most) in [
            ("slots", slots.iter().max(), self.network.slots()),
            ("genotypes", genotypes.iter().flatten().max(), self.catalogue.alterations.len()),
        ] {
            if let Some(&found) = found.filter(|&&found| found >= most) {
                return Err(Error::refused(place, found, format!("below {most}")));
            }
        }
        let covariates = self.network.read_of_patients();
        if patient.len() != covariates {
            return Err(Error::refused(
                "patient",
                patient.len(),
                format!("{covariates}, one for each covariate"),
            ));
        }
        if let Some(other) = treatments.iter().find(|treatment| treatment.len() != self.drugs.len()) {
            let allowed = format!("{}, one for each drug", self.drugs.len());
            return Err(Error::refused("concentrations", other.len(), allowed));
        }
        let effects: Vec<(Vec<f64>, f64)> = genotypes
            .iter()
            .map(|carried| (self.catalogue.joint(carried), self.catalogue.fitness(carried)))
            .collect();
        let mut cells = Frame::untreated(&self.network, patient, &self.catalogue.joint(&[]), 1.0);
        let mut numbers = Vec::with_capacity(treatments.len() * genotypes.len() * slots.len());
        for concentrations in treatments {
            cells.treat(&self.network, &self.drugs, concentrations);
            for (effects, fitness) in &effects {
                let found = cells.trace(&self.network, effects, *fitness);
                numbers.extend(slots.iter().map(|&slot| found[slot]));
            }
        }
        Ok(numbers)
    }
}
