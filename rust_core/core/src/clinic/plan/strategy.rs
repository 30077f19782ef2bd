//! Treatment as data: arms of lines, each a regimen with reasons to leave it and rules within it.

use crate::biology::drug::{LEAST_DOSE, MOST_DOSE, Schedule};
use crate::bounds::{ABOVE_ZERO, Bounded, bounded};
use crate::clinic::instruments::response::Response;
use crate::clinic::months::MOST_MONTHS;
use crate::clinic::plan::scope::Scope;
use crate::error::{Error, Result, within};
use serde::{Deserialize, Serialize};

/// What a regimen of no drug is called.
pub const OBSERVATION: &str = "observation";

/// A drug in a regimen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dosing {
    /// Name of the drug.
    pub drug: String,
    /// Dose relative to the standard dose.
    pub dose: f64,
    /// Schedule that replaces the standard one.
    #[serde(default)]
    pub schedule: Option<Schedule>,
}

/// Something a doctor can know.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// A gene was seen in the last liquid biopsy at or above a variant allele fraction.
    Ctdna {
        /// Gene or alteration.
        gene: String,
        /// Variant allele fraction.
        above: f64,
        /// At least so many times the least of this line; what was not seen before has risen.
        #[serde(default)]
        rise: Option<f64>,
    },
    /// A gene is carried by at least this fraction of cells of a tissue biopsy.
    Tissue {
        /// Gene or alteration.
        gene: String,
        /// Fraction of cells.
        above: f64,
    },
    /// So many months on this line.
    Months {
        /// At least.
        at_least: f64,
    },
    /// The sum of diameters changed by at least (or at most) this much from the line's baseline.
    SldChange {
        /// At least this relative change.
        #[serde(default)]
        above: Option<f64>,
        /// At most this relative change.
        #[serde(default)]
        below: Option<f64>,
    },
    /// The line before lasted less than so many months to progression.
    PriorMonthsBelow {
        /// Months.
        months: f64,
    },
    /// The last scan showed a new lesion.
    NewLesion,
    /// The best response of the running line so far, or, between lines, of the last one, is at least this.
    BestResponse {
        /// The least that counts.
        at_least: Response,
    },
    /// Fewer neutrophils today.
    Neutrophils {
        /// 1e9 per litre.
        below: f64,
    },
    /// The disease is at a site.
    Site {
        /// The site.
        name: String,
    },
    /// What the pathway reads of the patient is at least so much.
    Covariate {
        /// Its name.
        name: String,
        /// The least that counts.
        at_least: f64,
    },
    /// An output of the pathway, in the mean of the living cells under their drugs, is at least so much.
    Output {
        /// Its name.
        name: String,
        /// The least that counts.
        at_least: f64,
    },
    /// The patient has taken a drug before.
    Taken {
        /// The drug.
        drug: String,
    },
    /// All of them.
    All {
        /// Conditions.
        of: Vec<Condition>,
    },
    /// At least one of them.
    Any {
        /// Conditions.
        of: Vec<Condition>,
    },
    /// It does not hold.
    Not {
        /// Condition.
        of: Box<Condition>,
    },
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Replace one drug of the regimen by another.
    Replace {
        /// Drug taken now.
        drug: String,
        /// Its successor.
        with: Dosing,
    },
    /// Add a drug.
    Add {
        /// The drug.
        with: Dosing,
    },
    /// Stop a drug.
    Stop {
        /// The drug.
        drug: String,
    },
    /// Go to the next line.
    NextLine,
}

/// A rule, used at most once in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Looked at on every scan and liquid biopsy before progression.
    pub when: Condition,
    /// Done when it holds.
    pub then: Action,
}

/// A regimen that is given when its condition holds. The first that fits is taken; where options have
/// shares, one of those that fit is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegimenOption {
    /// None: always.
    #[serde(default)]
    pub when: Option<Condition>,
    /// Its weight in the draw.
    #[serde(default)]
    pub share: Option<f64>,
    /// Drugs given together; none: the patient is observed.
    pub regimen: Vec<Dosing>,
}

/// Planned pauses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Days on treatment before a pause.
    pub on_days: u32,
    /// Days of pause.
    pub off_days: u32,
    /// Drugs that pause; empty: all.
    #[serde(default)]
    pub drugs: Vec<String>,
}

/// Adaptive dosing (Zhang et al. 2017, Nat Commun 8:1816): stop at a response, resume at regrowth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptive {
    /// Drugs stop once the sum of diameters has shrunk by more than this, e.g. -0.5.
    pub stop_at: f64,
    /// Relative change at which they resume, e.g. 0.
    pub resume_at: f64,
    /// Drugs concerned; empty: all.
    #[serde(default)]
    pub drugs: Vec<String>,
}

/// Reasons to leave a line other than death.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Leave at progression.
    pub progression: bool,
    /// Leave after so many months.
    #[serde(default)]
    pub months: Option<f64>,
    /// Leave after so many cycles of the regimen's longest schedule.
    #[serde(default)]
    pub cycles: Option<u32>,
    /// Leave when a drug is not tolerated (otherwise the others go on, or none).
    pub toxicity: bool,
    /// Leave at a relative change of the sum of diameters at or below this (a response).
    #[serde(default)]
    pub response: Option<f64>,
}

/// A line of therapy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Regimens to choose from; the last has no condition.
    pub options: Vec<RegimenOption>,
    /// Reasons to leave.
    pub until: Until,
    /// Rules within the line.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Planned pauses.
    #[serde(default)]
    pub holiday: Option<Holiday>,
    /// Adaptive dosing.
    #[serde(default)]
    pub adaptive: Option<Adaptive>,
}

bounded!(Dosing {
    dose: LEAST_DOSE, MOST_DOSE;
});

bounded!(RegimenOption {
    share: ABOVE_ZERO, 1e6;
});

bounded!(Holiday {
    on_days: 1.0, 35_000.0;
    off_days: 1.0, 35_000.0;
});

bounded!(Adaptive {
    stop_at: -1.0, 0.0;
    resume_at: -1.0, 0.2;
});

bounded!(Until {
    months: 0.1, MOST_MONTHS;
    cycles: 1.0, 10_000.0;
    response: -1.0, 0.0;
});

impl Scope<'_> {
    /// Check a drug with its dose and schedule.
    pub(crate) fn dosing(&self, place: &str, dosing: &Dosing) -> Result<()> {
        self.drug(place, &dosing.drug)?;
        dosing.within_bounds(place)?;
        dosing.schedule.as_ref().map_or(Ok(()), |schedule| schedule.validate(&format!("{place}.schedule")))
    }

    fn condition(&self, place: &str, condition: &Condition) -> Result<()> {
        match condition {
            Condition::Ctdna { gene, above, rise } => {
                within(format!("{place}.above"), *above, 0.0, 1.0)?;
                within(format!("{place}.rise"), rise.unwrap_or(1.0), 1.0, 1e6)?;
                if !self.measures(gene) {
                    return Err(Error::input(
                        place,
                        format!("nobody measures \"{gene}\" in liquid biopsies"),
                    ));
                }
            }
            Condition::Tissue { gene, above } => {
                within(format!("{place}.above"), *above, 0.0, 1.0)?;
                if self.catalogue.of_gene(gene).is_empty() {
                    return Err(Error::input(place, format!("\"{gene}\" is no gene of this experiment")));
                }
            }
            Condition::Months { at_least: months } | Condition::PriorMonthsBelow { months } => {
                within(format!("{place}.months"), *months, 0.0, MOST_MONTHS)?;
            }
            Condition::SldChange { above, below } => {
                if above.is_none() && below.is_none() {
                    return Err(Error::input(place, "name at least one of above, below"));
                }
                for bound in above.iter().chain(below) {
                    within(place, *bound, -1.0, 100.0)?;
                }
            }
            Condition::NewLesion | Condition::BestResponse { .. } => {}
            Condition::Neutrophils { below } => {
                within(format!("{place}.below"), *below, 0.0, 100.0)?;
            }
            Condition::Site { name } => self.site(place, name)?,
            Condition::Covariate { name, at_least } => {
                self.covariate(place, name)?;
                within(format!("{place}.at_least"), *at_least, -1e12, 1e12)?;
            }
            Condition::Output { name, at_least } => {
                self.output(place, name)?;
                within(format!("{place}.at_least"), *at_least, 0.0, 1e12)?;
            }
            Condition::Taken { drug } => self.drug(place, drug)?,
            Condition::All { of } | Condition::Any { of } => {
                of.iter().try_for_each(|inner| self.condition(place, inner))?;
            }
            Condition::Not { of } => self.condition(place, of)?,
        }
        Ok(())
    }

    fn action(&self, place: &str, action: &Action) -> Result<()> {
        match action {
            Action::Replace { drug, with } => {
                self.drug(place, drug)?;
                self.dosing(place, with)
            }
            Action::Add { with } => self.dosing(place, with),
            Action::Stop { drug } => self.drug(place, drug),
            Action::NextLine => Ok(()),
        }
    }
}

impl Line {
    /// Check the line against what is known and measured.
    pub(crate) fn validate(&self, place: &str, scope: &Scope<'_>) -> Result<()> {
        self.validate_choice(place)?;
        self.validate_regimens(place, scope)?;
        for (r, rule) in self.rules.iter().enumerate() {
            let place = format!("{place}.rule[{r}]");
            scope.condition(&format!("{place}.when"), &rule.when)?;
            scope.action(&format!("{place}.then"), &rule.then)?;
        }
        self.until.validate(place)?;
        if self.until.cycles.is_some() && self.options.iter().any(|option| option.regimen.is_empty()) {
            return Err(Error::input(format!("{place}.until.cycles"), "observation has no cycles"));
        }
        if let Some(holiday) = &self.holiday {
            holiday.within_bounds(&format!("{place}.holiday"))?;
            scope.drugs(&format!("{place}.holiday.drugs"), &holiday.drugs)?;
        }
        if let Some(adaptive) = &self.adaptive {
            let (stop_at, resume_at) = (adaptive.stop_at, adaptive.resume_at);
            adaptive.within_bounds(&format!("{place}.adaptive"))?;
            within(format!("{place}.adaptive.resume_at"), resume_at, stop_at, f64::INFINITY)?;
            scope.drugs(&format!("{place}.adaptive.drugs"), &adaptive.drugs)?;
        }
        Ok(())
    }

    fn validate_choice(&self, place: &str) -> Result<()> {
        let Some((last, others)) = self.options.split_last() else {
            return Err(Error::input(format!("{place}.regimen"), "no regimen"));
        };
        if self.options.iter().any(|option| option.share.is_some()) {
            if self.options.iter().any(|option| option.share.is_none())
                || self.options.iter().all(|option| option.when.is_some())
            {
                return Err(Error::input(
                    format!("{place}.choose"),
                    "where one option has a share all need one above 0, and one of them no condition",
                ));
            }
        } else if last.when.is_some() || others.iter().any(|option| option.when.is_none()) {
            return Err(Error::input(
                format!("{place}.choose"),
                "every option but the last needs a condition, and the last must have none",
            ));
        }
        Ok(())
    }

    fn validate_regimens(&self, place: &str, scope: &Scope<'_>) -> Result<()> {
        for (o, option) in self.options.iter().enumerate() {
            // A line with one option is written without `choose`.
            let place = if self.options.len() == 1 { place.into() } else { format!("{place}.choose[{o}]") };
            option.within_bounds(&place)?;
            option.when.as_ref().map_or(Ok(()), |when| scope.condition(&place, when))?;
            for (d, dosing) in option.regimen.iter().enumerate() {
                scope.dosing(&format!("{place}.regimen[{d}]"), dosing)?;
                if option.regimen[..d].iter().any(|other| other.drug == dosing.drug) {
                    return Err(Error::input(
                        format!("{place}.regimen"),
                        format!("\"{}\" is named twice", dosing.drug),
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Until {
    fn validate(&self, place: &str) -> Result<()> {
        self.within_bounds(&format!("{place}.until"))
    }
}
