//! Many independent populations through the same phases, in parallel: growth to detection, then
//! treatment phases with their own rates and stop rules.

use crate::cancel::{collect, heed};
use crate::error::{Error, Result};
use crate::random::{Purpose, stream};
use crate::tumour::choice::Choice;
use crate::tumour::lineage::Tree;
use crate::tumour::population::{Population, TypeRates};
use rayon::prelude::*;
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// When a phase ends. The first condition that holds, in the order of the fields, names the stop.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// At least so many living cells.
    pub total: Option<u64>,
    /// At least so many cells of a type.
    pub counts: Vec<(u32, u64)>,
    /// At most so many living cells (a response).
    pub below: Option<u64>,
    /// No living cell. Extinction ends a phase in any case unless a `day` is still to come.
    pub extinct: bool,
    /// So many days since the phase began.
    pub day: Option<f64>,
}

/// Why a phase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// `total` was reached.
    Total,
    /// The count of this type was reached.
    Count(u32),
    /// The population fell to `below`.
    Below,
    /// No cell lives.
    Extinct,
    /// The day was reached.
    Day,
    /// There were more cells than the engine can go on with; the replicate ends there.
    TooManyCells,
}

impl StoppedBy {
    /// The name used in result tables.
    pub fn name(self) -> String {
        match self {
            Self::Total => "total".into(),
            Self::Count(kind) => format!("count_{kind}"),
            Self::Below => "below".into(),
            Self::Extinct => "extinct".into(),
            Self::Day => "day".into(),
            Self::TooManyCells => "too_many_cells".into(),
        }
    }
}

/// Rates and the rule that ends them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Rates in force; `None` keeps those of the phase before.
    pub rates: Option<TypeRates>,
    /// When the phase ends.
    pub until: Until,
}

/// Phases run once, or over and over until a rule of their own ends them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// In order.
    pub phases: Vec<Phase>,
    /// Present: repeat the phases until this holds.
    pub repeat_until: Option<Until>,
}

/// All that defines a set of replicates.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Rates of the first phase.
    pub rates: TypeRates,
    /// Cells of every type at day 0.
    pub initial: Vec<u64>,
    /// Step length in days.
    pub dt: f64,
    /// What runs the populations.
    pub engine: Choice,
    /// Experiment seed.
    pub seed: u64,
    /// End of the first phase.
    pub until: Until,
    /// What follows.
    pub treatment: Vec<Stage>,
    /// Begin again from day 0 when the first phase ends in extinction.
    pub restart_on_extinction: bool,
    /// Attempts at the first phase before giving up.
    pub max_attempts: u64,
    /// Whether the tree of the cells at the end is kept; the engine must record it.
    pub trees: Option<Trees>,
}

/// Which cells of a replicate its tree is of.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trees {
    /// So many cells, drawn without replacement; `None`: all of them.
    pub sample: Option<u64>,
}

/// State of a replicate at the end of a phase.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Replicate, from 0.
    pub replicate: u64,
    /// Phase, from 0 (growth).
    pub phase: u32,
    /// Why the phase ended.
    pub stopped_by: StoppedBy,
    /// Days since the first cell.
    pub day: f64,
    /// Divisions since the first cell.
    pub divisions: u64,
    /// Attempts at the first phase, the successful one included.
    pub attempts: u64,
    /// Living cells per type.
    pub counts: Vec<u64>,
    /// Living clones per type.
    pub clones: Vec<u64>,
    /// The tree of its cells, at the end of the last phase and if it was asked for.
    pub tree: Option<Tree>,
}

const MOST_STEPS: u64 = 1_000_000_000;

impl Until {
    /// Check it against the number of types.
    pub fn validate(&self, types: usize, place: &str) -> Result<()> {
        for &(kind, _) in &self.counts {
            if kind as usize >= types {
                return Err(Error::refused(
                    format!("{place}.counts"),
                    kind,
                    format!("types 0 to {}", types - 1),
                ));
            }
        }
        if let Some(day) = self.day
            && !(day.is_finite() && day >= 0.0)
        {
            return Err(Error::refused(format!("{place}.day"), day, "at least 0"));
        }
        if self.total.is_none()
            && self.counts.is_empty()
            && self.below.is_none()
            && self.day.is_none()
            && !self.extinct
        {
            return Err(Error::input(
                place,
                "no condition; name at least one of total, counts, below, extinct, day",
            ));
        }
        Ok(())
    }

    fn holds(&self, population: &Population, steps: u64) -> Option<StoppedBy> {
        let total = population.total();
        if self.total.is_some_and(|most| total >= most) {
            return Some(StoppedBy::Total);
        }
        if let Some(&(kind, _)) = self.counts.iter().find(|&&(kind, most)| population.count(kind) >= most) {
            return Some(StoppedBy::Count(kind));
        }
        if total == 0 && (self.extinct || self.day.is_none()) {
            return Some(StoppedBy::Extinct);
        }
        if total > 0 && self.below.is_some_and(|least| total <= least) {
            return Some(StoppedBy::Below);
        }
        if self.day.is_some_and(|day| steps >= population.grid().steps_until(day)) {
            return Some(StoppedBy::Day);
        }
        None
    }
}

struct Run<'a> {
    design: &'a Design,
    cancel: &'a AtomicBool,
    outcomes: Vec<Outcome>,
    replicate: u64,
    attempts: u64,
    steps_left: u64,
}

impl Run<'_> {
    fn record(&mut self, population: &Population, phase: u32, stopped_by: StoppedBy) {
        self.outcomes.push(Outcome {
            replicate: self.replicate,
            phase,
            stopped_by,
            day: population.day(),
            divisions: population.divisions(),
            attempts: self.attempts,
            counts: population.counts(),
            clones: (0..population.types() as u32).map(|k| population.clones_of(k) as u64).collect(),
            tree: None,
        });
    }

    /// Step until one of the rules holds; the outer rule counts its days from `outer_since`.
    fn pass(
        &mut self,
        population: &mut Population,
        until: &Until,
        outer: Option<(&Until, u64)>,
    ) -> Result<(StoppedBy, bool)> {
        let since = population.step_index();
        loop {
            let now = population.step_index();
            if let Some((rule, start)) = outer
                && let Some(reason) = rule.holds(population, now - start)
            {
                return Ok((reason, true));
            }
            if let Some(reason) = until.holds(population, now - since) {
                return Ok((reason, false));
            }
            heed(self.cancel)?;
            self.steps_left -= 1;
            if self.steps_left == 0 {
                return Err(Error::input(
                    "until",
                    format!("replicate {}: no stop rule was met within {MOST_STEPS} steps", self.replicate),
                ));
            }
            match population.step(self.cancel) {
                Ok(_) => {}
                Err(Error::TooManyCells { .. } | Error::TooManyIndividuals { .. }) => {
                    return Ok((StoppedBy::TooManyCells, true));
                }
                Err(error) => return Err(error.of(&format!("replicate {}", self.replicate))),
            }
        }
    }

    fn live(mut self) -> Result<Vec<Outcome>> {
        let design = self.design;
        let mut population = loop {
            let mut population = Population::new(
                design.rates.clone(),
                &design.initial,
                design.dt,
                &design.engine,
                design.seed,
                (self.replicate, self.attempts),
                self.cancel,
            )?;
            self.attempts += 1;
            let (reason, _) = self.pass(&mut population, &design.until, None)?;
            let again = reason == StoppedBy::Extinct && design.restart_on_extinction;
            if !again {
                self.record(&population, 0, reason);
                break population;
            }
            if self.attempts >= design.max_attempts {
                return Err(Error::NeverGrew {
                    who: format!("replicate {}", self.replicate),
                    attempts: self.attempts,
                });
            }
        };
        let mut number = 0;
        'life: for stage in &design.treatment {
            if self.outcomes.last().is_some_and(|last| last.stopped_by == StoppedBy::TooManyCells) {
                break;
            }
            let start = population.step_index();
            'stage: loop {
                for phase in &stage.phases {
                    if let Some(rates) = &phase.rates {
                        population.set_rates(rates.clone())?;
                    }
                    let outer = stage.repeat_until.as_ref().map(|rule| (rule, start));
                    let (reason, left) = self.pass(&mut population, &phase.until, outer)?;
                    if left || stage.repeat_until.is_none() {
                        number += 1;
                        self.record(&population, number, reason);
                    }
                    if reason == StoppedBy::TooManyCells {
                        break 'life;
                    }
                    if left || (stage.repeat_until.is_some() && population.total() == 0) {
                        break 'stage;
                    }
                }
                if stage.repeat_until.is_none() {
                    break;
                }
            }
        }
        if let (Some(trees), Some(last)) = (&design.trees, self.outcomes.last_mut()) {
            let mut rng = stream(design.seed, self.replicate, Purpose::Sample, 0);
            last.tree = population.tree(&mut rng, trees.sample)?;
        }
        Ok(self.outcomes)
    }
}

impl Design {
    /// Check everything before the first step.
    pub fn validate(&self, cancel: &AtomicBool) -> Result<()> {
        // Building one population checks rates, shapes and dt.
        let mut trial = Population::new(
            self.rates.clone(),
            &self.initial,
            self.dt,
            &self.engine,
            self.seed,
            (0, 0),
            cancel,
        )?;
        let types = self.initial.len();
        self.until.validate(types, "until")?;
        if self.trees.is_some() && trial.genealogy()?.is_none() {
            return Err(Error::input("trees", "the engine does not record the genealogy"));
        }
        for (s, stage) in self.treatment.iter().enumerate() {
            if stage.phases.is_empty() {
                return Err(Error::input(format!("treatment[{s}]"), "no phase in the cycle"));
            }
            if let Some(rule) = &stage.repeat_until {
                rule.validate(types, &format!("treatment[{s}].until"))?;
            }
            for (p, phase) in stage.phases.iter().enumerate() {
                let place = format!("treatment[{s}].phases[{p}]");
                if let Some(rates) = &phase.rates {
                    trial.set_rates(rates.clone())?;
                }
                phase.until.validate(types, &place)?;
                if stage.repeat_until.is_some() && phase.until.day.is_some_and(|day| day <= 0.0) {
                    return Err(Error::input(format!("{place}.day"), "a phase of a cycle must last"));
                }
            }
        }
        Ok(())
    }

    /// Run `replicates`; `done` counts the finished ones. The result does not depend on threads.
    pub fn run(&self, replicates: u64, cancel: &AtomicBool, done: &AtomicUsize) -> Result<Vec<Outcome>> {
        self.validate(cancel)?;
        let lives: Vec<Result<Vec<Outcome>>> = (0..replicates)
            .into_par_iter()
            .map(|replicate| {
                if cancel.load(Ordering::Relaxed) {
                    return Err(Error::Interrupted);
                }
                let run = Run {
                    design: self,
                    cancel,
                    outcomes: Vec::new(),
                    replicate,
                    attempts: 0,
                    steps_left: MOST_STEPS,
                };
                let outcomes = run.live();
                if outcomes.is_err() {
                    cancel.store(true, Ordering::Relaxed);
                }
                done.fetch_add(1, Ordering::Relaxed);
                outcomes
            })
            .collect();
        collect(lives)
    }
}
