//! A population of types with explicit rates: what theory and clonal-evolution studies need.

use crate::cancel::{NEVER, heed};
use crate::error::{Error, Result, within};
use crate::law::{CloneRecord, Extinct, Kinds, MOST_CELLS, StepProbabilities, Tally};
use crate::random::{Chance, Philox4x64, Purpose, below, binomial, split, stream};
use crate::tumour::cells::Cells;
use crate::tumour::choice::{AnyEngine, Choice};
use crate::tumour::engine::Engine;
use crate::tumour::grid::Grid;
use crate::tumour::lattice::Lattice;
use crate::tumour::lineage::{Genealogy, Tip, Tree};
use crate::tumour::room::room_for;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicBool;

/// Clones or cells times steps that are taken again after an error.
const STEPS_TAKEN_AGAIN: u64 = 2_000_000;
/// Clones or cells that a step passes in a fraction of a second.
const QUICK: u64 = 2_000_000;
/// Bytes that the smallest population may ask for.
const ROOM_TO_SPARE: usize = 1 << 20;
/// Bytes of the largest population of which a copy is kept through a step: some hundred million cells.
const MOST_COPIED: usize = 1 << 30;

/// Rates of every type at one time.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct TypeRates {
    /// Division rate per day, per type.
    pub division: Vec<f64>,
    /// Death rate per day, per type.
    pub death: Vec<f64>,
    /// `[i][j]`: probability per division of `i` that one daughter is the first of a clone of `j`.
    pub mutation: Vec<Vec<f64>>,
    /// `[i][j]`: hazard per day that a cell of `i` turns into `j`, reversibly.
    pub switching: Vec<Vec<f64>>,
    /// Division rate per day of cells that the drug reaches in full, per type; without a drug as
    /// `division`.
    #[serde(default)]
    pub drug_division: Option<Vec<f64>>,
    /// Their death rate per day; without a drug as `death`.
    #[serde(default)]
    pub drug_death: Option<Vec<f64>>,
}

impl TypeRates {
    /// Check shapes and ranges against `types`.
    pub fn validate(&self, types: usize) -> Result<()> {
        let of_drug = [("drug_division", self.drug_division()), ("drug_death", self.drug_death())];
        for (name, rates) in [("division", &self.division), ("death", &self.death)].into_iter().chain(of_drug)
        {
            if rates.len() != types {
                return Err(Error::refused(name, rates.len(), format!("one rate per type, {types}")));
            }
            for (i, &rate) in rates.iter().enumerate() {
                within(format!("{name}[{i}]"), rate, 0.0, f64::INFINITY)?;
            }
        }
        for (name, matrix, most) in
            [("mutation", &self.mutation, 1.0), ("switching", &self.switching, f64::INFINITY)]
        {
            if matrix.len() != types || matrix.iter().any(|row| row.len() != types) {
                let rows = matrix.iter().map(Vec::len).map(|length| length.to_string());
                let found = format!("rows of lengths {}", rows.collect::<Vec<_>>().join(", "));
                return Err(Error::input(
                    name,
                    format!("found {found}; allowed: a {types} x {types} matrix, one row per type"),
                ));
            }
            for (i, row) in matrix.iter().enumerate() {
                for (j, &value) in row.iter().enumerate() {
                    within(format!("{name}[{i}][{j}]"), value, 0.0, most)?;
                }
            }
        }
        for (i, row) in self.mutation.iter().enumerate() {
            let total: f64 = row.iter().sum();
            within(format!("mutation[{i}] (its sum: at most one daughter mutates)"), total, 0.0, 1.0)?;
        }
        Ok(())
    }

    fn drug_division(&self) -> &Vec<f64> {
        self.drug_division.as_ref().unwrap_or(&self.division)
    }

    fn drug_death(&self) -> &Vec<f64> {
        self.drug_death.as_ref().unwrap_or(&self.death)
    }

    /// Without the drug, and with it.
    fn probabilities(&self, dt: f64) -> Result<[Vec<StepProbabilities>; 2]> {
        Ok([
            probabilities(&self.division, &self.death, dt)?,
            probabilities(self.drug_division(), self.drug_death(), dt)?,
        ])
    }
}

fn probabilities(division: &[f64], death: &[f64], dt: f64) -> Result<Vec<StepProbabilities>> {
    // The fastest type first: the step that its refusal suggests does for all.
    let busiest = |i: &usize| division[*i] + death[*i];
    let fastest = (0..division.len()).rev().max_by(|a, b| busiest(a).total_cmp(&busiest(b)));
    for i in fastest.into_iter().chain(0..division.len()) {
        StepProbabilities::new(division[i], death[i], dt, || format!("type {i}"))?;
    }
    Ok(division.iter().zip(death).map(|(&b, &d)| StepProbabilities { divide: b * dt, die: d * dt }).collect())
}

/// Channels of the types at a given step length.
#[derive(Clone, Debug)]
struct Types {
    mutation: Vec<Channels>,
    switching: Vec<Channels>,
}

#[derive(Clone, Debug)]
struct Channels {
    total: Chance,
    weights: Vec<f64>,
    targets: Vec<u32>,
}

impl Channels {
    fn new(row: &[f64]) -> Self {
        let open = |&(_, &w): &(usize, &f64)| w > 0.0;
        Self {
            total: Chance::new(row.iter().sum::<f64>().min(1.0)),
            weights: row.iter().enumerate().filter(open).map(|(_, &w)| w).collect(),
            targets: row.iter().enumerate().filter(open).map(|(j, _)| j as u32).collect(),
        }
    }

    fn draw<R: Rng>(&self, rng: &mut R, cells: u64, out: &mut Vec<(u32, u64)>) {
        split(rng, cells, &self.weights, |channel, share| out.push((self.targets[channel], share)));
    }
}

impl Types {
    fn new(rates: &TypeRates, dt: f64) -> Self {
        // Competing hazards: the chance to leave within a step, shared in proportion.
        let leave = |row: &Vec<f64>| {
            let hazard: f64 = row.iter().sum();
            let fold = if hazard > 0.0 { -libm::expm1(-hazard * dt) / hazard } else { 0.0 };
            Channels::new(&row.iter().map(|h| h * fold).collect::<Vec<_>>())
        };
        Self {
            mutation: rates.mutation.iter().map(|row| Channels::new(row)).collect(),
            switching: rates.switching.iter().map(leave).collect(),
        }
    }
}

impl Kinds for Types {
    fn mutation_total(&self, kind: u32) -> f64 {
        self.mutation(kind).probability
    }

    fn mutation(&self, kind: u32) -> Chance {
        self.mutation[kind as usize].total
    }

    fn mutate<R: Rng>(&mut self, rng: &mut R, kind: u32, mutants: u64, out: &mut Vec<(u32, u64)>) {
        self.mutation[kind as usize].draw(rng, mutants, out);
    }

    fn switch<R: Rng>(&mut self, rng: &mut R, kind: u32, cells: u64, out: &mut Vec<(u32, u64)>) {
        let channels = &self.switching[kind as usize];
        if channels.total.probability > 0.0 {
            let leaving = binomial(rng, cells, channels.total.probability);
            channels.draw(rng, leaving, out);
        }
    }
}

/// Cells of several types under explicit rates.
#[derive(Clone, Debug)]
pub struct Population {
    pub(super) dt: f64,
    grid: Grid,
    types: usize,
    pub(super) engine: AnyEngine,
    pub(super) rng: Philox4x64,
    pub(super) rates: TypeRates,
    kinds: Types,
    /// Of every type, without the drug and with it.
    by_type: [Vec<StepProbabilities>; 2],
    /// Of every type in every layer.
    probabilities: Vec<StepProbabilities>,
    pub(super) divisions: u64,
}

impl Population {
    /// `initial[i]` cells of every type `i` at day 0. `replicate` and `attempt` name the stream.
    pub fn new(
        rates: TypeRates,
        initial: &[u64],
        dt: f64,
        choice: &Choice,
        seed: u64,
        (replicate, attempt): (u64, u64),
        cancel: &AtomicBool,
    ) -> Result<Self> {
        let types = initial.len();
        if types == 0 {
            return Err(Error::input("initial", "found no type; allowed: at least one"));
        }
        within("dt", dt, 1e-9, 1e6)?;
        rates.validate(types)?;
        let engine = choice.found(initial, cancel)?;
        let rng = stream(seed, replicate, Purpose::Replicate, attempt);
        Self::of(rates, dt, engine, rng, 0)
    }

    /// A population in a given state; its rates are valid.
    pub(super) fn of(
        rates: TypeRates,
        dt: f64,
        engine: AnyEngine,
        rng: Philox4x64,
        divisions: u64,
    ) -> Result<Self> {
        let types = rates.division.len();
        let by_type = rates.probabilities(dt)?;
        let kinds = Types::new(&rates, dt);
        let grid = Grid::new(dt);
        Ok(Self { dt, grid, types, engine, rng, rates, kinds, by_type, probabilities: Vec::new(), divisions })
    }

    /// One step of the law. After an error the population is not to be used; `advance` keeps it whole.
    pub fn step(&mut self, cancel: &AtomicBool) -> Result<Tally> {
        self.probabilities.clear();
        let [without, with] = &self.by_type;
        for (&without, &with) in without.iter().zip(with) {
            let layers = self.engine.exposures().iter();
            self.probabilities.extend(layers.map(|exposure| exposure.mix(without, with)));
        }
        let tally = self.engine.step(&mut self.rng, &self.probabilities, &mut self.kinds, cancel)?;
        let all = self.divisions.checked_add(tally.divisions);
        self.divisions =
            all.ok_or_else(|| Error::TooManyToCount { who: "population".into(), what: "divisions" })?;
        Ok(tally)
    }

    /// Take `steps` steps. An error in the middle of one leaves the population as it was before that step.
    ///
    /// Where a step could fail or last, a copy is kept of what stands at the start of a few steps, and those that went
    /// well are taken again: they draw the same numbers. Of a population too large to copy, a step cannot be interrupted in its middle.
    pub fn advance(&mut self, steps: u64, cancel: &AtomicBool) -> Result<()> {
        let mut left = steps;
        while left > 0 {
            heed(cancel)?;
            let bytes = self.engine.bytes();
            if bytes > MOST_COPIED || self.is_sure_of_a_step() {
                self.step(&NEVER)?;
                left -= 1;
                continue;
            }
            room_for(bytes, 1, "bytes, to keep the state before a step")?;
            let before = self.clone();
            let now = left.min((STEPS_TAKEN_AGAIN / self.engine.items().max(1)).clamp(1, 1024));
            for taken in 0..now {
                if let Err(error) = self.step(cancel) {
                    *self = before;
                    (0..taken).try_for_each(|_| self.step(&NEVER).map(|_| ()))?;
                    return Err(error);
                }
            }
            left -= now;
        }
        Ok(())
    }

    /// Whether the next step is quick and cannot fail: it at most doubles what is held, and there is room for that.
    fn is_sure_of_a_step(&self) -> bool {
        let engine = &self.engine;
        engine.items() <= QUICK
            && engine.total() <= MOST_CELLS / 2
            && self.divisions <= u64::MAX / 2
            && !engine.is_delicate()
            && room_for(2 * engine.bytes() + ROOM_TO_SPARE, 1, "bytes").is_ok()
    }

    /// Draw from another stream from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.rng = stream(seed, 0, Purpose::Fork, self.step_index());
    }

    /// Replace the rates (drugs on, drugs off).
    pub fn set_rates(&mut self, rates: TypeRates) -> Result<()> {
        rates.validate(self.types)?;
        self.by_type = rates.probabilities(self.dt)?;
        self.kinds = Types::new(&rates, self.dt);
        self.rates = rates;
        Ok(())
    }

    /// The rates in force.
    pub fn rates(&self) -> &TypeRates {
        &self.rates
    }

    /// Living cells per type.
    pub fn counts(&self) -> Vec<u64> {
        (0..self.types as u32).map(|kind| self.engine.count(kind)).collect()
    }

    /// Living cells of one type.
    pub fn count(&self, kind: u32) -> u64 {
        self.engine.count(kind)
    }

    /// Living cells.
    pub fn total(&self) -> u64 {
        self.engine.total()
    }

    /// Steps taken.
    pub fn step_index(&self) -> u64 {
        self.engine.step_index()
    }

    /// Days passed: those that the steps make up, never a running sum.
    pub fn day(&self) -> f64 {
        self.grid.day(self.engine.step_index())
    }

    /// How steps make up days.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Step length in days.
    pub fn dt(&self) -> f64 {
        self.dt
    }

    /// Divisions so far.
    pub fn divisions(&self) -> u64 {
        self.divisions
    }

    /// Number of types.
    pub fn types(&self) -> usize {
        self.types
    }

    /// What is held one by one: individuals, or clones.
    pub fn items(&self) -> u64 {
        self.engine.items()
    }

    /// Living clones, oldest first.
    pub fn records(&self) -> Vec<CloneRecord> {
        self.engine.records().into_owned()
    }

    /// Cells leave: `gone` of each item, see `Engine::remove`.
    pub fn remove(&mut self, gone: &[u64]) -> Result<()> {
        self.engine.remove(gone)
    }

    /// Every living cell becomes the first of a clone of its own.
    pub fn label(&mut self) -> Result<()> {
        self.engine.label()
    }

    /// Remember cells by their rows in the table of cells; nothing without a genealogy.
    pub fn remember(&mut self, rows: &[u32]) -> Result<()> {
        let Some((_, tips)) = self.engine.genealogy()? else { return Ok(()) };
        let node = |&row: &u32| {
            let refused = || Error::refused("rows", row, format!("less than {}", tips.len()));
            tips.get(row as usize).map(|tip| tip.node).ok_or_else(refused)
        };
        let nodes = rows.iter().map(node).collect::<Result<Vec<u32>>>()?;
        self.engine.remember(&nodes)
    }

    /// Remember clones that die out from now on.
    pub fn keep_extinct(&mut self) {
        self.engine.keep_extinct();
    }

    /// Clones that died out, in that order, if they are remembered.
    pub fn extinct(&self) -> &[Extinct] {
        self.engine.extinct()
    }

    /// The genealogy, simplified to the living cells, and these in the order of their table; `None`
    /// if it was not asked for.
    pub fn genealogy(&mut self) -> Result<Option<(&Genealogy, Vec<Tip>)>> {
        self.engine.genealogy()
    }

    /// How `sample` of the living cells, drawn without replacement, descend from each other; all of
    /// them if there are no more. `None` if the genealogy was not asked for.
    pub fn tree<R: Rng>(&mut self, rng: &mut R, sample: Option<u64>) -> Result<Option<Tree>> {
        let Some((genealogy, mut tips)) = self.engine.genealogy()? else { return Ok(None) };
        if let Some(sample) = sample.map(|sample| sample as usize).filter(|&sample| sample < tips.len()) {
            for chosen in 0..sample {
                let other = chosen + below(rng, (tips.len() - chosen) as u64) as usize;
                tips.swap(chosen, other);
            }
            tips.truncate(sample);
        }
        room_for(genealogy.bytes(), 1, "bytes of the genealogy")?;
        genealogy.clone().tree(tips).map(Some)
    }

    /// The population cell by cell, if its engine holds cells.
    pub fn cells(&self) -> Option<&Cells> {
        self.engine.cells()
    }

    /// The population in space, if its engine is the lattice.
    pub fn lattice(&self) -> Option<&Lattice> {
        self.engine.lattice()
    }

    /// Living clones of one type.
    pub fn clones_of(&self, kind: u32) -> usize {
        self.engine.clones_of(kind)
    }
}
