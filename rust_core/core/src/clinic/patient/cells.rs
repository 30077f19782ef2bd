//! The life of a patient's cells: growth from the first one, and steps under today's drugs.

use crate::biology::frame::Frame;
use crate::biology::genotype::GenotypeKinds;
use crate::biology::pathway::Rates;
use crate::cancel::heed;
use crate::clinic::instruments::imaging::Bulk;
use crate::clinic::patient::experiment::Experiment;
use crate::clinic::patient::state::Patient;
use crate::error::{Error, Result};
use crate::law::StepProbabilities;
use crate::random::{Purpose, stream};
use crate::tumour::burden::Burden;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Attempts to grow a tumour from one cell before giving up.
const MOST_GROWTHS: u64 = 100_000;
/// Days a tumour may take to reach diagnosis.
const MOST_GROWTH_DAYS: u64 = 365 * 300;

impl Patient {
    /// Grow from one cell until the tumour has `volume_cm3`; begin again on extinction.
    pub(crate) fn grow(&mut self, volume_cm3: f64, cancel: &AtomicBool) -> Result<()> {
        for attempt in 1..=MOST_GROWTHS {
            self.state.growths = attempt;
            self.state.burden = self.no_cells()?;
            if self.experiment.spec.keep_extinct {
                let (seed, candidate) = (self.experiment.spec.seed, self.who.candidate);
                let rng = stream(seed, self.who.id, Purpose::Descent, candidate);
                self.state.burden.record_descent(rng);
            }
            self.state.bulk = Bulk::default();
            self.state.burden.found(0, 1, cancel)?;
            let stride = u64::from(self.experiment.spec.stride_days);
            for day in (stride..=MOST_GROWTH_DAYS).step_by(stride as usize) {
                heed(cancel)?;
                self.state.deaths_today = 0;
                if stride > 1 {
                    self.live_through_stride(cancel)?;
                } else {
                    for _ in 0..self.experiment.steps_per_day {
                        self.live_cells(cancel)?;
                    }
                }
                if self.state.burden.total() == 0 {
                    break;
                }
                if self.volume_cm3() >= volume_cm3 {
                    self.state.grown_days = day;
                    self.state.peaks = self.state.burden.counts().to_vec();
                    return Ok(());
                }
            }
        }
        Err(Error::NeverGrew { who: self.name(), attempts: MOST_GROWTHS })
    }

    /// The engine of the experiment without a cell. So many real cells are in an individual that a
    /// lethal tumour has the most individuals that are wanted.
    fn no_cells(&self) -> Result<Burden> {
        let spec = &self.experiment.spec;
        let lethal = self.who.covariates.lethal_volume_cm3 * spec.imaging.living_per_cm3();
        let individuals =
            spec.engine.individuals(spec.max_clones, spec.keep_extinct).map(|(choice, most)| {
                let scale = libm::ceil(lethal / most as f64).max(1.0) as u64;
                (choice, scale)
            });
        Burden::new(spec.max_clones, individuals.as_ref().map(|(choice, scale)| (choice, *scale)))
    }

    /// One step in the life of the cells under today's drugs.
    pub(super) fn live_cells(&mut self, cancel: &AtomicBool) -> Result<()> {
        let experiment = Arc::clone(&self.experiment);
        self.refresh_rates(&experiment)?;
        self.compete(&experiment);
        let mut kinds = GenotypeKinds::new(&experiment.catalogue, &mut self.genotypes);
        let table = match (self.cache.layered.is_empty(), self.cache.crowded.is_empty()) {
            (false, _) => &self.cache.layered,
            (true, false) => &self.cache.crowded,
            (true, true) => &self.cache.probabilities,
        };
        let tally = self
            .state
            .burden
            .step(&mut self.state.rng, table, &mut kinds, cancel)
            .map_err(|error| error.of(&format!("patient {}", self.who.id)))?;
        self.state.deaths_today += tally.deaths;
        self.state.bulk.pass(
            &experiment.spec.imaging,
            self.state.burden.total(),
            tally.deaths,
            experiment.spec.dt,
        );
        Ok(())
    }

    /// A day passes; on the last one of a stride cells live through all of it.
    pub(super) fn stride(&mut self, cancel: &AtomicBool) -> Result<()> {
        let Experiment { network, spec, .. } = &*self.experiment;
        self.state.stride.pass_day(network, &spec.drugs, &self.state.body.concentrations);
        let treated = self.state.stride.treat(network, &spec.drugs, &mut self.cache.cells, spec.stride_days);
        let Some(differs) = treated else { return Ok(()) };
        if differs {
            self.cache.current.fill(false);
        }
        self.live_through_stride(cancel)
    }

    /// Cells live through a whole stride under what acts on them.
    fn live_through_stride(&mut self, cancel: &AtomicBool) -> Result<()> {
        let experiment = Arc::clone(&self.experiment);
        self.refresh_rates(&experiment)?;
        let mut kinds = GenotypeKinds::new(&experiment.catalogue, &mut self.genotypes);
        let tally = self
            .state
            .burden
            .leap(&mut self.state.rng, &self.cache.probabilities, &mut kinds, cancel)
            .map_err(|error| error.of(&format!("patient {}", self.who.id)))?;
        let days = u64::from(experiment.spec.stride_days);
        self.state.deaths_today = tally.deaths / days;
        for _ in 0..days {
            self.state.bulk.pass(
                &experiment.spec.imaging,
                self.state.burden.total(),
                self.state.deaths_today,
                1.0,
            );
        }
        Ok(())
    }

    /// Logistic growth: as many cells as there are now hold back division, so that the net growth of untreated
    /// cells falls in proportion and ends at the carrying capacity. Given the number of cells, every cell still
    /// divides and dies by itself.
    fn compete(&mut self, experiment: &Experiment) {
        let Some(capacity) = experiment.spec.population.carrying_capacity_cm3 else { return };
        let full = capacity * experiment.spec.imaging.living_per_cm3();
        let held_back = (1.0 - self.who.covariates.turnover) * self.state.burden.total() as f64 / full;
        let free = (1.0 - held_back).max(0.0);
        let among_others =
            |alone: &StepProbabilities| StepProbabilities { divide: alone.divide * free, ..*alone };
        self.cache.crowded.clear();
        self.cache.crowded.extend(self.cache.probabilities.iter().map(among_others));
    }

    /// Bring the rates of every living genotype up to date with today's drugs.
    fn refresh_rates(&mut self, experiment: &Experiment) -> Result<()> {
        self.cache.probabilities.resize(self.genotypes.len(), StepProbabilities::default());
        self.cache.current.resize(self.genotypes.len(), false);
        for (kind, &cells) in self.state.burden.counts().iter().enumerate() {
            if cells > 0 && !self.cache.current[kind] {
                let rates =
                    self.cache.cells.rates(&experiment.network, kind as u32, self.genotypes.get(kind as u32));
                self.cache.probabilities[kind] =
                    chances(experiment, rates, || self.name_of(experiment, kind as u32))?;
                self.cache.current[kind] = true;
            }
        }
        if experiment.spec.engine.has_reach() {
            self.layer_rates(experiment)?;
        }
        Ok(())
    }

    /// What a clone of a genotype is called in an error.
    fn name_of(&self, experiment: &Experiment, kind: u32) -> String {
        format!("patient {}, genotype {}", self.who.id, self.genotypes.name(&experiment.catalogue, kind))
    }

    /// The chances of every genotype in every layer of the lattice: those under no drug and under the
    /// drugs of the body, mixed by what reaches the layer.
    fn layer_rates(&mut self, experiment: &Experiment) -> Result<()> {
        let network = &experiment.network;
        let new = self.cache.untreated.len() as u32..self.genotypes.len() as u32;
        for kind in new {
            let mut cells =
                Frame::of_patient(network, &self.who.covariates.physiology, self.genotypes.get(0));
            let rates = cells.rates(network, kind, self.genotypes.get(kind));
            let plain = chances(experiment, rates, || self.name_of(experiment, kind))?;
            self.cache.untreated.push(plain);
        }
        self.cache.layered.clear();
        for (&without, &with) in self.cache.untreated.iter().zip(&self.cache.probabilities) {
            self.cache
                .layered
                .extend(self.state.burden.exposures().iter().map(|layer| layer.mix(without, with)));
        }
        Ok(())
    }

    /// Rates of a genotype under the drugs of the last doses.
    pub(super) fn rates_of(&self, kind: u32) -> Rates {
        let genotype = self.genotypes.get(kind);
        self.cache.cells.rates_of(&self.experiment.network, &genotype.effects, genotype.fitness)
    }
}

/// Chances of cells that have these rates.
#[inline]
fn chances(experiment: &Experiment, rates: Rates, who: impl FnOnce() -> String) -> Result<StepProbabilities> {
    if experiment.spec.stride_days > 1 {
        let days = f64::from(experiment.spec.stride_days);
        return Ok(StepProbabilities { divide: rates.division * days, die: rates.death * days });
    }
    StepProbabilities::new(rates.division, rates.death, experiment.spec.dt, who)
}
