//! A whole experiment: what is known, who is treated, and how; checked once, shared by all patients.

use crate::biology::alteration::{Alteration, Catalogue};
use crate::biology::drug::Drug;
use crate::biology::genotype::check_size;
use crate::biology::kinetics::Kinetics;
use crate::biology::pathway::{Network, Pathway};
use crate::bounds::{Bounded, bounded};
use crate::clinic::instruments::imaging::Imaging;
use crate::clinic::instruments::liquid_biopsy::{LiquidBiopsy, TUMOUR_FRACTION};
use crate::clinic::instruments::response::Criteria;
use crate::clinic::instruments::toxicity::Neutropenia;
use crate::clinic::months::DAYS_PER_MONTH;
use crate::clinic::patient::cell_covariate;
use crate::clinic::patient::population::Population;
use crate::clinic::plan::arm::Arm;
use crate::clinic::plan::history::History;
use crate::clinic::plan::scan_calendar::ScanCalendar;
use crate::clinic::plan::scope::Scope;
use crate::clinic::plan::strategy::Line;
use crate::clinic::plan::therapy::Therapy;
use crate::error::{Error, Result, within};
use crate::tumour::choice::Choice;
use crate::tumour::lattice::Space;
use serde::{Deserialize, Serialize};

/// Months for which patients can be followed.
const MOST_FOLLOW_UP_MONTHS: f64 = 1200.0;

/// The experiment as written by the caller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Names all random streams.
    pub seed: u64,
    /// Step in days: 1 or a unit fraction of a day.
    pub dt: f64,
    /// Days that cells live through at once; 1: they are stepped by `dt`. More is an approximation for searches.
    #[serde(default = "one_day")]
    pub stride_days: u32,
    /// Follow-up of the first patient enrolled, days.
    pub horizon_days: f64,
    /// Days over which patients are enrolled; the last one is followed that much shorter.
    pub accrual_days: f64,
    /// Whether follow-up ends with the last line of an arm: what comes later is not looked at.
    #[serde(default)]
    pub end_with_last_line: bool,
    /// Living clones of one genotype that are kept apart.
    pub max_clones: usize,
    /// Whether clones that die out are remembered, from the first cell on, and how individuals descend from each other.
    #[serde(default)]
    pub keep_extinct: bool,
    /// Which engine holds the cells.
    #[serde(default)]
    pub engine: Holding,
    /// Days between rows of the trajectory; 0: none.
    pub trajectory_every_days: u32,
    /// Alterations in play.
    pub alterations: Vec<Alteration>,
    /// Drugs in play.
    pub drugs: Vec<Drug>,
    /// Kinds of therapy that lines can be.
    #[serde(default)]
    pub therapies: Vec<Therapy>,
    /// From signals to division and death.
    pub pathway: Pathway,
    /// Laws of the patients.
    pub population: Population,
    /// What scans see.
    pub imaging: Imaging,
    /// When scans are made.
    pub assessment: ScanCalendar,
    /// How they are read.
    #[serde(default)]
    pub criteria: Criteria,
    /// Liquid biopsies, if taken.
    #[serde(default)]
    pub liquid_biopsy: Option<LiquidBiopsy>,
    /// Neutrophils, if modelled.
    #[serde(default)]
    pub neutropenia: Option<Neutropenia>,
    /// Strategies to compare.
    pub arms: Vec<Arm>,
}

fn one_day() -> u32 {
    1
}

bounded!(Spec {
    dt: 1e-3, 1.0;
    stride_days: 1.0, 28.0;
    horizon_days: 0.1 * DAYS_PER_MONTH, MOST_FOLLOW_UP_MONTHS * DAYS_PER_MONTH;
    accrual_days: 0.0, MOST_FOLLOW_UP_MONTHS * DAYS_PER_MONTH;
    max_clones: 1.0, 1e6;
    trajectory_every_days: 0.0, 36_600.0;
});

/// Which engine holds the cells of a patient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Holding {
    /// All are counted, clone by clone.
    #[default]
    Clones,
    /// Well-mixed individuals.
    Cells {
        /// In a tumour of lethal size.
        most_cells: u64,
    },
    /// Individuals with places.
    Lattice {
        /// In a tumour of lethal size.
        most_cells: u64,
        /// Dimensions, neighbours, placement, reach.
        space: Space,
    },
}

/// Fewer would be no picture of a tumour.
pub const LEAST_INDIVIDUALS: u64 = 10_000;
/// Individuals that one tumour may have.
pub const MOST_INDIVIDUALS: u64 = 10_000_000;

impl Holding {
    /// The engine of individuals, and how many a lethal tumour has.
    pub(crate) fn individuals(self, max_clones: usize, genealogy: bool) -> Option<(Choice, u64)> {
        match self {
            Self::Clones => None,
            Self::Cells { most_cells } => Some((Choice::Cells { heritable: None, genealogy }, most_cells)),
            Self::Lattice { most_cells, space } => {
                Some((Choice::Lattice { space, max_clones, places: Vec::new(), genealogy }, most_cells))
            }
        }
    }

    /// Whether nutrients or drugs reach only so deep.
    pub(crate) fn has_reach(self) -> bool {
        matches!(self, Self::Lattice { space, .. } if space.nutrient.is_some() || space.drug.is_some())
    }

    fn validate(self, max_clones: usize) -> Result<()> {
        if let Some((choice, most_cells)) = self.individuals(max_clones, false) {
            if !(LEAST_INDIVIDUALS..=MOST_INDIVIDUALS).contains(&most_cells) {
                let allowed = format!("from {LEAST_INDIVIDUALS} to {MOST_INDIVIDUALS}");
                return Err(Error::refused("engine.most_cells", most_cells, allowed));
            }
            choice.build()?;
        }
        Ok(())
    }
}

/// An error where cells cannot live through several days at once.
fn check_stride(spec: &Spec) -> Result<()> {
    let exact = spec.stride_days == 1;
    let plain = matches!(spec.engine, Holding::Clones) && spec.population.carrying_capacity_cm3.is_none();
    if exact || (plain && spec.dt >= 1.0) {
        return Ok(());
    }
    let allowed = "1; more with the engine clones, dt_days = 1 and no carrying capacity only";
    Err(Error::refused("stride_days", spec.stride_days, allowed))
}

/// A checked experiment.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// As written.
    pub spec: Spec,
    /// From signals to division and death.
    pub network: Network,
    /// Alterations with their indices.
    pub catalogue: Catalogue,
    /// Kinetic constants per drug.
    pub kinetics: Vec<Kinetics>,
    /// Ways to have come to the trial, at least one.
    pub histories: Vec<History>,
    /// Steps in a day.
    pub steps_per_day: u32,
    /// Alterations per gene of the liquid biopsy; none where it reads the tumour fraction.
    pub assayed: Vec<Option<Vec<usize>>>,
}

impl Experiment {
    /// Check everything that can be checked before the first patient.
    pub fn new(spec: Spec) -> Result<Self> {
        let network = Network::new(spec.pathway.clone())?;
        let catalogue = Catalogue::new(spec.alterations.clone(), network.effects())?;
        check_size(&catalogue)?;
        spec.within_bounds("experiment")?;
        let steps_per_day = libm::round(1.0 / spec.dt) as u32;
        if (1.0 / spec.dt - f64::from(steps_per_day)).abs() > 1e-9 {
            return Err(Error::refused("dt", spec.dt, "1, 1/2, 1/3, ... of a day"));
        }
        check_stride(&spec)?;
        within("accrual_days", spec.accrual_days, 0.0, spec.horizon_days)?;
        spec.engine.validate(spec.max_clones)?;
        spec.imaging.validate()?;
        spec.assessment.validate()?;
        spec.criteria.within_bounds("assessment")?;
        spec.therapies.iter().try_for_each(Therapy::validate)?;
        for (d, drug) in spec.drugs.iter().enumerate() {
            drug.validate(network.targets())?;
            if spec.drugs[..d].iter().any(|other| other.name == drug.name) {
                return Err(Error::input("drugs", format!("\"{}\" is named twice", drug.name)));
            }
        }
        cell_covariate::check_names(&spec.population.covariates, network.covariates())?;
        spec.population.validate(&catalogue)?;
        if spec.population.carrying_capacity_cm3.is_some() && matches!(spec.engine, Holding::Lattice { .. }) {
            return Err(Error::input(
                "population.carrying_capacity_cm3",
                "cells of the engine lattice compete for space; name it with the engines clones and cells",
            ));
        }
        let mut assayed = Vec::new();
        if let Some(assay) = &spec.liquid_biopsy {
            assay.validate()?;
            for gene in &assay.genes {
                if gene == TUMOUR_FRACTION {
                    assayed.push(None);
                    continue;
                }
                let of_gene = catalogue.of_gene(gene);
                if of_gene.is_empty() {
                    return Err(Error::input(
                        "liquid_biopsy.genes",
                        format!("\"{gene}\" is no gene or alteration of this experiment"),
                    ));
                }
                assayed.push(Some(of_gene));
            }
        }
        if let Some(model) = &spec.neutropenia {
            model.validate()?;
        }
        let kinetics = spec.drugs.iter().map(Kinetics::new).collect();
        let only = History { share: 1.0, prior: spec.population.prior.clone(), ..History::default() };
        let histories =
            if spec.population.history.is_empty() { vec![only] } else { spec.population.history.clone() };
        let experiment = Self { spec, network, catalogue, kinetics, histories, steps_per_day, assayed };
        experiment.validate_lines()?;
        Ok(experiment)
    }

    fn validate_lines(&self) -> Result<()> {
        let arms = &self.spec.arms;
        if arms.is_empty() {
            return Err(Error::input("arm", "an experiment needs at least one arm"));
        }
        for (a, arm) in arms.iter().enumerate() {
            self.check_plan(&format!("arm[{a}].line"), &arm.lines)?;
            if arms[..a].iter().any(|other| other.name == arm.name) {
                return Err(Error::input("arm", format!("\"{}\" is named twice", arm.name)));
            }
        }
        for (l, line) in self.spec.population.prior.iter().enumerate() {
            line.validate(&format!("population.prior[{l}]"), &self.scope())?;
        }
        self.spec.population.eligibility.validate("population.eligibility", &self.scope())?;
        for (h, history) in self.histories.iter().enumerate() {
            history.validate(&format!("population.history[{h}]"), &self.scope())?;
            if self.histories[..h].iter().any(|other| other.name == history.name) {
                return Err(Error::input(
                    "population.history",
                    format!("\"{}\" is named twice", history.name),
                ));
            }
        }
        for (a, arm) in arms.iter().enumerate() {
            arm.among.validate(&format!("arm[{a}].among"), &self.scope())?;
            if !arm.calendar.is_empty() {
                self.spec.assessment.validate_stretches(&format!("arm[{a}].calendar"), &arm.calendar)?;
            }
        }
        Ok(())
    }

    /// Check lines that a patient of this experiment is to live through.
    pub fn check_plan(&self, place: &str, lines: &[Line]) -> Result<()> {
        if lines.is_empty() {
            return Err(Error::input(place, "no line; name at least one"));
        }
        let scope = self.scope();
        lines.iter().enumerate().try_for_each(|(l, line)| line.validate(&format!("{place}[{l}]"), &scope))
    }

    /// Days in which a cell switches its state at most once.
    pub(crate) fn switching_days(&self) -> f64 {
        self.spec.dt * f64::from(self.spec.stride_days)
    }

    /// What strategies are checked against.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            drugs: &self.spec.drugs,
            catalogue: &self.catalogue,
            assay: self.spec.liquid_biopsy.as_ref(),
            covariates: self.network.covariates(),
            outputs: self.network.outputs().iter().map(|output| output.name.as_str()).collect(),
            sites: self.spec.population.sites.iter().map(|site| site.name.as_str()).collect(),
            therapies: self.spec.therapies.iter().map(|therapy| therapy.name.as_str()).collect(),
        }
    }

    /// Genes of the alterations in play, each once.
    pub fn genes(&self) -> Vec<&str> {
        let mut genes: Vec<&str> = Vec::new();
        for alteration in &self.catalogue.alterations {
            if !genes.contains(&alteration.gene.as_str()) {
                genes.push(&alteration.gene);
            }
        }
        genes
    }

    /// Index of a drug whose name was checked.
    pub fn drug(&self, name: &str) -> Option<usize> {
        self.spec.drugs.iter().position(|drug| drug.name == name)
    }

    /// Indices of the kinds of therapy that these drugs, given together, are.
    pub(crate) fn kinds_of_therapy(&self, drugs: impl Iterator<Item = usize>) -> Vec<usize> {
        let given: Vec<&String> = drugs.flat_map(|drug| &self.spec.drugs[drug].therapies).collect();
        let kinds = self.spec.therapies.iter().enumerate();
        kinds.filter(|(_, therapy)| given.contains(&&therapy.name)).map(|(kind, _)| kind).collect()
    }

    /// Whether anything is asked of candidates with a history that not all of them meet.
    pub(crate) fn asks_anything(&self, history: usize) -> bool {
        let History { adjuvant, prior, eligibility, .. } = &self.histories[history];
        adjuvant.is_some()
            || !prior.is_empty()
            || eligibility.is_anything()
            || self.spec.population.eligibility.is_anything()
    }
}
