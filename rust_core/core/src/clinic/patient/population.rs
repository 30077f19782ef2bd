//! The laws from which patients are drawn, and what is given instead.

use crate::biology::alteration::Catalogue;
use crate::bounds::{Bounded, bounded};
use crate::clinic::patient::cell_covariate::{self, CellCovariate};
use crate::clinic::patient::laws::{LogNormal, LogitNormal};
use crate::clinic::patient::site::Site;
use crate::clinic::plan::eligibility::Eligibility;
use crate::clinic::plan::history::History;
use crate::clinic::plan::strategy::Line;
use crate::error::{Error, Result, within};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An alteration that the first tumour cell may carry (truncal in every cell).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Founder {
    /// Name of the alteration.
    pub alteration: String,
    /// Share of patients.
    pub probability: f64,
}

/// What is given of a patient instead of drawn. Everything else is drawn as if nothing were given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// Net growth of the untreated tumour per day, whatever the site of the disease.
    pub net_growth_per_day: Option<f64>,
    /// Death rate over division rate of the untreated tumour.
    pub turnover: Option<f64>,
    /// Tumour volume at diagnosis, cm3.
    pub diagnosis_volume_cm3: Option<f64>,
    /// Tumour volume at which the patient dies, cm3.
    pub lethal_volume_cm3: Option<f64>,
    /// Target lesions.
    pub target_lesions: Option<usize>,
    /// Share of the tumour volume that lies in target lesions.
    pub target_share: Option<f64>,
    /// Whether the disease is at a site, by its name.
    pub sites: BTreeMap<String, bool>,
    /// Multiplier of every mutation probability.
    pub mutation_fold: Option<f64>,
    /// Genome equivalents shed per dying cell.
    pub shedding: Option<f64>,
    /// New lesions per visible lesion's worth of newly grown cells.
    pub seeding: Option<f64>,
    /// Neutrophils before treatment, 1e9 per litre.
    pub neutrophils: Option<f64>,
    /// Alterations of the first cell.
    pub founder: Option<Vec<String>>,
    /// What the pathway reads of the patient, by name.
    pub cell: BTreeMap<String, f64>,
}

bounded!(Given {
    net_growth_per_day: 1e-4, 1.0;
    turnover: 0.0, 1.0 - 1e-6;
    diagnosis_volume_cm3: 1e-6, 1e6;
    lethal_volume_cm3: 1e-6, 1e6;
    target_share: 0.0, 1.0;
    mutation_fold: 0.0, 1e6;
    shedding: 0.0, 1e6;
    seeding: 0.0, 1e6;
    neutrophils: 0.1, 100.0;
});

impl Given {
    fn validate(&self, catalogue: &Catalogue) -> Result<()> {
        let at = |key: &str| format!("covariates.{key}");
        self.within_bounds("covariates")?;
        if let Some(lesions) = self.target_lesions
            && !(1..=5).contains(&lesions)
        {
            return Err(Error::refused(at("target_lesions"), lesions, "1 to 5 lesions (RECIST 1.1)"));
        }
        let named: Vec<&str> =
            self.sites.iter().filter(|(_, is)| **is).map(|(name, _)| name.as_str()).collect();
        if named.len() > 1 {
            let both = named.join(" and ");
            return Err(Error::input(
                at(named[1]),
                format!("the disease is called {both}; name one of them"),
            ));
        }
        let founder = self.founder.iter().flatten();
        let mut genes: Vec<&str> = Vec::new();
        for name in founder {
            let Some(index) = catalogue.index(name) else {
                return Err(Error::input(
                    "founder",
                    format!("\"{name}\" is no alteration of this experiment"),
                ));
            };
            let gene = catalogue.alterations[index].gene.as_str();
            if genes.contains(&gene) {
                return Err(Error::input(
                    "founder",
                    format!("two alterations of {gene}; name one of a gene"),
                ));
            }
            genes.push(gene);
        }
        Ok(())
    }
}

/// The laws from which patients are drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// Name shown in reports.
    pub name: String,
    /// Net growth of the untreated tumour, per day.
    pub net_growth_per_day: LogNormal,
    /// Death rate over division rate of the untreated tumour.
    pub turnover: LogitNormal,
    /// What the pathway reads of the patient beside division and death, in its order.
    pub covariates: Vec<CellCovariate>,
    /// Tumour volume at diagnosis, cm3.
    pub diagnosis_volume_cm3: LogNormal,
    /// Tumour volume at which the patient dies, cm3.
    pub lethal_volume_cm3: LogNormal,
    /// Probability of 1, 2, ... target lesions.
    pub target_lesions: Vec<f64>,
    /// Share of the tumour volume that lies in target lesions.
    pub target_share: LogitNormal,
    /// Where the disease can be, each site with its share of the patients whose disease is at none before it.
    #[serde(default)]
    pub sites: Vec<Site>,
    /// Standard deviation of the logarithm of drug exposure.
    pub exposure_sigma: f64,
    /// Standard deviation of the logarithm of the mutation-rate multiplier.
    pub mutation_rate_sigma: f64,
    /// Genome equivalents shed into plasma per dying cell.
    pub shedding: LogNormal,
    /// New lesions per visible lesion's worth of newly grown cells.
    pub seeding: LogNormal,
    /// Neutrophils before treatment, 1e9 per litre.
    pub neutrophils: LogNormal,
    /// Alterations of the first cell.
    pub founder: Vec<Founder>,
    /// Hazard of loss to follow-up, per year.
    pub loss_to_follow_up_per_year: f64,
    /// Hazard of death from other causes, per year.
    pub other_death_per_year: f64,
    /// Volume at which an untreated tumour no longer grows, because its cells compete; none: they do not.
    #[serde(default)]
    pub carrying_capacity_cm3: Option<f64>,
    /// Volume of the primary tumour that surgery removes, cm3.
    pub primary_volume_cm3: f64,
    /// Cells that surgery leaves behind in those who relapse under adjuvant therapy.
    pub residual_cells: LogNormal,
    /// Rate at which patients stop taking their adjuvant therapy, per year.
    #[serde(default)]
    pub adjuvant_discontinuation_per_year: f64,
    /// Lines every patient has lived through before the arms begin; or ...
    #[serde(default)]
    pub prior: Vec<Line>,
    /// ... ways to have come to the trial, each with its share of patients.
    #[serde(default)]
    pub history: Vec<History>,
    /// What is asked of all patients on the day of enrolment.
    #[serde(default)]
    pub eligibility: Eligibility,
    /// What is given of every patient instead of drawn.
    #[serde(default)]
    pub given: Given,
}

bounded!(Population {
    exposure_sigma: 0.0, 3.0;
    mutation_rate_sigma: 0.0, 5.0;
    loss_to_follow_up_per_year: 0.0, 100.0;
    other_death_per_year: 0.0, 100.0;
    carrying_capacity_cm3: 1e-6, 1e9;
    primary_volume_cm3: 1e-6, 1e5;
    adjuvant_discontinuation_per_year: 0.0, 100.0;
});

bounded!(Founder {
    probability: 0.0, 1.0;
});

impl Population {
    /// Check every law.
    pub fn validate(&self, catalogue: &Catalogue) -> Result<()> {
        cell_covariate::validate(&self.covariates)?;
        self.validate_laws()?;
        self.validate_numbers()?;
        self.validate_volumes()?;
        if !self.prior.is_empty() && !self.history.is_empty() {
            return Err(Error::input("population.history", "name either prior or history"));
        }
        for founder in &self.founder {
            founder.within_bounds("population.founder")?;
            if catalogue.index(&founder.alteration).is_none() {
                return Err(Error::input(
                    "population.founder",
                    format!("\"{}\" is no alteration of this experiment", founder.alteration),
                ));
            }
        }
        self.sites.iter().try_for_each(|site| site.within_bounds(&format!("population.{}", site.name)))?;
        if let Some(name) = self.given.sites.keys().find(|name| !self.sites.iter().any(|s| s.name == **name))
        {
            return Err(Error::input("covariates", format!("\"{name}\" is no site of the disease")));
        }
        if let Some(name) = self.given.cell.keys().find(|name| self.covariate(name).is_none()) {
            let known: Vec<&str> = self.covariates.iter().map(|known| known.name.as_str()).collect();
            let problem = format!("\"{name}\" is none that the pathway reads; allowed: {}", known.join(", "));
            return Err(Error::input("covariates", problem));
        }
        self.given.validate(catalogue)
    }

    /// Place of a covariate of the pathway.
    pub(crate) fn covariate(&self, name: &str) -> Option<usize> {
        self.covariates.iter().position(|known| known.name == name)
    }

    fn validate_laws(&self) -> Result<()> {
        let at = |key: &str| format!("population.{key}");
        for (key, law) in [
            ("net_growth_per_day", self.net_growth_per_day),
            ("diagnosis_volume_cm3", self.diagnosis_volume_cm3),
            ("lethal_volume_cm3", self.lethal_volume_cm3),
            ("residual_cells", self.residual_cells),
            ("shedding", self.shedding),
            ("seeding", self.seeding),
            ("neutrophils", self.neutrophils),
        ] {
            law.validate(&at(key))?;
        }
        for (key, law) in [("turnover", self.turnover), ("target_share", self.target_share)] {
            law.within_bounds(&at(key))?;
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<()> {
        let at = |key: &str| format!("population.{key}");
        self.within_bounds("population")?;
        for (key, value, low, high) in [
            ("net_growth_per_day.low", self.net_growth_per_day.low, 1e-4, 1.0),
            ("diagnosis_volume_cm3.low", self.diagnosis_volume_cm3.low, 1e-6, 1e5),
            ("diagnosis_volume_cm3.high", self.diagnosis_volume_cm3.high, 1e-6, 1e6),
        ] {
            within(at(key), value, low, high)?;
        }
        if !(1..=5).contains(&self.target_lesions.len()) {
            return Err(Error::refused(
                at("target_lesions"),
                self.target_lesions.len(),
                "probabilities of 1 to 5 lesions (RECIST 1.1)",
            ));
        }
        for &p in &self.target_lesions {
            within(at("target_lesions"), p, 0.0, 1.0)?;
        }
        within(at("target_lesions (their sum)"), self.target_lesions.iter().sum(), 1e-9, 1e9)?;
        Ok(())
    }

    fn validate_volumes(&self) -> Result<()> {
        let largest = self.diagnosis_volume_cm3.high.max(self.primary_volume_cm3);
        match self.carrying_capacity_cm3 {
            Some(capacity) if capacity <= largest => Err(Error::refused(
                "population.carrying_capacity_cm3",
                capacity,
                format!("above {largest}, the largest volume at diagnosis"),
            )),
            _ => Ok(()),
        }
    }
}
