//! From genotype and drug concentrations to the rates of division and death, by formulas that are data.
//!
//! A pathway is a program over numbers of five kinds, in this order: constants, what is known of the patient (the
//! rates of division and death of an untreated founder cell, then its covariates), what
//! alterations do, the fitness of the genotype, and how far drugs act on their targets. `Frame` runs it.

use crate::biology::alteration::EffectLaw;
use crate::biology::downstream::{Targets, bit};
use crate::biology::program::{Part, Shared, Step, check, in_layers};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What of the pathway differs between patients.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellPhysiology {
    /// Division rate of an untreated founder cell, per day.
    pub division: f64,
    /// Death rate of an untreated founder cell, per day.
    pub death: f64,
    /// What else the pathway reads of the patient, in its order.
    pub covariates: Vec<f64>,
}

/// Division and death.
const RATES: usize = 2;

impl CellPhysiology {
    /// All that a pathway reads of the patient, in its order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> {
        [self.division, self.death].into_iter().chain(self.covariates.iter().copied())
    }
}

/// How the actions of several drugs on one target come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Joint {
    /// Independently: what one leaves, the next acts upon (Bliss).
    Bliss,
    /// The strongest counts.
    Max,
    /// They add up, to 1 at most.
    Add,
}

impl Joint {
    #[inline]
    pub(super) fn and(self, present: f64, reached: f64) -> f64 {
        match self {
            Self::Bliss => present + (reached - present * reached),
            Self::Max => present.max(reached),
            Self::Add => (present + reached).min(1.0),
        }
    }
}

/// Where drugs can act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// How several drugs come together.
    pub combine: Joint,
    /// Index of the effect that is the fold by which drugs lose potency here, if one is.
    #[serde(default)]
    pub potency: Option<usize>,
}

/// A number of the cell that is asked for although no rate follows from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its slot.
    pub slot: usize,
}

/// A pathway as the caller compiled it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pathway {
    /// Numbers that all patients share.
    pub constants: Vec<f64>,
    /// Names of what it reads of the patient beside the rates of division and death of an untreated founder cell.
    pub covariates: Vec<String>,
    /// What alterations can do.
    pub effects: Vec<EffectLaw>,
    /// Where drugs can act.
    pub targets: Vec<Target>,
    /// Operations; the result of each has the next slot after all of the above.
    pub steps: Vec<Step>,
    /// Slot of the division rate, per day.
    pub division: usize,
    /// Slot of the death rate, per day.
    pub death: usize,
    /// What else is asked for.
    #[serde(default)]
    pub outputs: Vec<Output>,
}

/// Division and death rates per day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Division rate per day.
    pub division: f64,
    /// Death rate per day.
    pub death: f64,
}

/// A pathway that was found whole.
#[derive(Clone, Debug)]
pub struct Network {
    pub(super) pathway: Pathway,
    pub(super) effects: Range<usize>,
    pub(super) fitness: usize,
    pub(super) targets: Range<usize>,
    /// Steps by how often their results change: with the patient, with the drugs, with the genotype.
    pub(super) of_patient: Part,
    pub(super) of_day: Part,
    pub(super) of_cell: Part,
    /// Those of the last two, in an order in which they are quickly carried out for the founder, and the targets from
    /// which they follow.
    pub(super) of_founder: Vec<(Shared, Targets)>,
    /// The targets from which the number of each slot follows.
    pub(super) from: Vec<Targets>,
}

/// What a slot depends on beside constants and the patient.
#[derive(Clone, Copy, Default, PartialEq)]
struct Depends {
    day: bool,
    cell: bool,
    from: Targets,
}

impl Network {
    /// Check that all slots that are named exist.
    pub fn new(pathway: Pathway) -> Result<Self> {
        let first = pathway.constants.len() + RATES + pathway.covariates.len();
        let effects = first..first + pathway.effects.len();
        let fitness = effects.end;
        let targets = fitness + 1..fitness + 1 + pathway.targets.len();
        let slots = targets.end + pathway.steps.len();
        check(&pathway.steps, targets.end)?;
        if let Some(constant) = pathway.constants.iter().find(|constant| !constant.is_finite()) {
            return Err(Error::refused("pathway.constants", *constant, "finite numbers"));
        }
        let rates = [("pathway.division", pathway.division), ("pathway.death", pathway.death)];
        let outputs = pathway.outputs.iter().map(|output| ("pathway.outputs", output.slot));
        for (name, slot) in rates.into_iter().chain(outputs) {
            if slot >= slots {
                return Err(Error::refused(name, slot, format!("slots below {slots}")));
            }
        }
        for target in &pathway.targets {
            if target.potency.is_some_and(|effect| effect >= effects.len()) {
                return Err(Error::input("pathway.targets", "a potency that is no effect"));
            }
        }
        let mut depends = vec![Depends::default(); slots];
        depends[effects.start..=fitness].fill(Depends { cell: true, ..Depends::default() });
        for (index, target) in pathway.targets.iter().enumerate() {
            let cell = target.potency.is_some();
            depends[targets.start + index] = Depends { day: true, cell, from: bit(index) };
        }
        let [mut of_patient, mut of_day, mut of_cell] = [(); 3].map(|()| Part::default());
        let mut of_founder = Vec::new();
        for (index, &step) in pathway.steps.iter().enumerate() {
            let result = targets.end + index;
            let read = step.1.map(|slot| depends[usize::from(slot)]);
            let on = Depends {
                day: read.iter().any(|on| on.day),
                cell: read.iter().any(|on| on.cell),
                from: read.iter().fold(0, |from, on| from | on.from),
            };
            depends[result] = on;
            if on.day || on.cell {
                of_founder.push(Shared::of(step, result));
            }
            match on {
                Depends { cell: true, .. } => of_cell.push(step, result),
                Depends { day: true, .. } => of_day.push(step, result),
                Depends { .. } => of_patient.push(step, result),
            }
        }
        in_layers(&mut of_founder, slots);
        let from: Vec<Targets> = depends.iter().map(|on| on.from).collect();
        let of_founder = of_founder.into_iter().map(|step| (step, from[step.result as usize])).collect();
        Ok(Self { pathway, effects, fitness, targets, of_patient, of_day, of_cell, of_founder, from })
    }

    /// The effects that alterations can have.
    pub fn effects(&self) -> &[EffectLaw] {
        &self.pathway.effects
    }

    /// Names of what it reads of a patient beside division and death.
    pub fn covariates(&self) -> &[String] {
        &self.pathway.covariates
    }

    /// What is asked for beside division and death.
    pub fn outputs(&self) -> &[Output] {
        &self.pathway.outputs
    }

    /// Work out, in place of what `slots` held, what untreated cells of a patient have in common.
    pub fn begin_untreated(&self, slots: &mut Vec<f64>, patient: &CellPhysiology) {
        slots.clear();
        slots.extend(&self.pathway.constants);
        slots.extend(patient.numbers());
        slots.resize(self.slots(), 0.0);
        self.of_patient.run(slots);
        self.of_day.run(slots);
    }

    /// Rates of untreated cells with these effects and this fitness, in the patient with whom the slots were begun.
    pub fn untreated_rates(&self, slots: &mut [f64], effects: &[f64], fitness: f64) -> Rates {
        slots[self.effects.clone()].copy_from_slice(effects);
        slots[self.fitness] = fitness;
        self.of_cell.run(slots);
        Rates { division: slots[self.pathway.division], death: slots[self.pathway.death] }
    }

    /// How many covariates that is.
    pub fn read_of_patients(&self) -> usize {
        RATES + self.pathway.covariates.len()
    }

    /// How many numbers it has in all.
    pub fn slots(&self) -> usize {
        self.targets.end + self.pathway.steps.len()
    }

    /// How many targets there are.
    pub fn targets(&self) -> usize {
        self.targets.len()
    }
}
