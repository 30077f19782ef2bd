//! The cells of one patient under the drugs of one day: a pathway at work.
//!
//! All numbers are worked out for the founder, once a day. For other genotypes only those are worked out anew that
//! differ by their alterations, and what several have in common once for all of them (`Ways`).

use crate::biology::downstream::{ALL, Downstream, Targets, bit};
use crate::biology::drug::Drug;
use crate::biology::effect::hill;
use crate::biology::genotype::Genotype;
use crate::biology::pathway::{CellPhysiology, Network, Rates};
use crate::biology::shift::{Action, Shift};
use crate::biology::ways::Ways;

/// The cells of a patient under the drugs of a day.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The numbers of the founder, and behind them those that differ in other genotypes.
    slots: Vec<f64>,
    actions: Vec<Action>,
    ways: Ways,
    founder: Downstream,
    // What treat() works on, kept so that no day allocates.
    reached: Vec<f64>,
    acting: Vec<Action>,
}

impl Frame {
    /// Untreated cells of a patient with these covariates; the founder has these effects and this fitness.
    pub fn untreated(network: &Network, patient: &[f64], founder: &[f64], fitness: f64) -> Self {
        let mut slots = network.pathway.constants.clone();
        slots.extend(patient);
        slots.extend(founder);
        slots.push(fitness);
        slots.resize(network.slots(), 0.0);
        network.of_patient.run(&mut slots);
        let reached = vec![0.0; network.targets.len()];
        let [actions, acting] = [(); 2].map(|()| Vec::new());
        let mut frame =
            Self { slots, actions, ways: Ways::default(), founder: Downstream::default(), reached, acting };
        frame.begin_day(network, ALL);
        frame
    }

    /// Untreated cells of a patient with this founder.
    pub fn of_patient(network: &Network, patient: &CellPhysiology, founder: &Genotype) -> Self {
        let numbers: Vec<f64> = patient.numbers().collect();
        Self::untreated(network, &numbers, &founder.effects, founder.fitness)
    }

    /// The drugs of a day, by the concentration of each; returns whether anything differs from those before.
    pub fn treat(&mut self, network: &Network, drugs: &[Drug], concentrations: &[f64]) -> bool {
        self.reached.fill(0.0);
        reach(network, drugs, concentrations, &mut self.reached);
        self.act(network, drugs, concentrations)
    }

    /// The drugs of some days, by the mean concentration of each and, for targets where potency is the same in all
    /// cells, by how far they reach there on average; returns whether anything differs from before.
    pub fn treat_on_average(
        &mut self,
        network: &Network,
        drugs: &[Drug],
        concentrations: &[f64],
        reached: &[f64],
    ) -> bool {
        self.reached.copy_from_slice(reached);
        self.act(network, drugs, concentrations)
    }

    fn act(&mut self, network: &Network, drugs: &[Drug], concentrations: &[f64]) -> bool {
        self.acting.clear();
        for (drug, &concentration) in drugs.iter().zip(concentrations).filter(|(_, present)| **present > 0.0)
        {
            for effect in &drug.effects {
                if network.pathway.targets[effect.target].potency.is_some() {
                    let over_ic50 = concentration / effect.ic50;
                    let (target, max, hill) = (effect.target, effect.max, effect.hill);
                    self.acting.push(Action { target, over_ic50, max, hill });
                }
            }
        }
        let changed = self.changed(network);
        if changed == 0 {
            return false;
        }
        std::mem::swap(&mut self.actions, &mut self.acting);
        self.begin_day(network, changed);
        true
    }

    /// The targets at which drugs act otherwise than before.
    fn changed(&self, network: &Network) -> Targets {
        let as_before = |target: usize, has_potency: bool| {
            if has_potency {
                let here = |action: &&Action| action.target == target;
                return self.actions.iter().filter(here).eq(self.acting.iter().filter(here));
            }
            self.slots[network.targets.start + target].to_bits() == self.reached[target].to_bits()
        };
        let targets = network.pathway.targets.iter().enumerate();
        let differ = targets.filter(|(target, spec)| !as_before(*target, spec.potency.is_some()));
        differ.fold(0, |changed, (target, _)| changed | bit(target))
    }

    /// Work out the numbers that follow from these targets: of the founder, and of the other genotypes that live.
    fn begin_day(&mut self, network: &Network, changed: Targets) {
        for (target, spec) in network.pathway.targets.iter().enumerate() {
            if changed & bit(target) == 0 {
                continue;
            }
            self.slots[network.targets.start + target] = self.reached[target];
            if let Some(effect) = spec.potency {
                let (fold, slot) =
                    (self.slots[network.effects.start + effect], network.targets.start + target);
                self.slots[slot] = Shift { target, fold, slot }.reach(network, &self.actions);
            }
        }
        self.founder.of(changed, &network.of_founder).run(&mut self.slots);
        self.ways.begin_day(network, &self.actions, &mut self.slots, changed);
    }

    /// Rates of a genotype under these drugs; `kind` is its index.
    pub fn rates(&mut self, network: &Network, kind: u32, genotype: &Genotype) -> Rates {
        self.ways.rates(network, &self.actions, &mut self.slots, kind as usize, genotype)
    }

    /// Rates of cells with these effects and this fitness under these drugs, by all of the pathway.
    pub fn rates_of(&self, network: &Network, effects: &[f64], fitness: f64) -> Rates {
        let slots = self.trace(network, effects, fitness);
        Rates { division: slots[network.pathway.division], death: slots[network.pathway.death] }
    }

    /// All numbers of cells with these effects and this fitness under these drugs, in the order of the slots.
    pub fn trace(&self, network: &Network, effects: &[f64], fitness: f64) -> Vec<f64> {
        let mut slots = self.slots[..network.slots()].to_vec();
        slots[network.effects.clone()].copy_from_slice(effects);
        slots[network.fitness] = fitness;
        for (target, spec) in network.pathway.targets.iter().enumerate() {
            if let Some(effect) = spec.potency {
                let (fold, slot) = (effects[effect], network.targets.start + target);
                slots[slot] = Shift { target, fold, slot }.reach(network, &self.actions);
            }
        }
        network.of_cell.run(&mut slots);
        slots
    }
}

/// Add how far drugs of these concentrations reach at the targets where potency is the same in all cells.
pub(crate) fn reach(network: &Network, drugs: &[Drug], concentrations: &[f64], reached: &mut [f64]) {
    for (drug, &concentration) in drugs.iter().zip(concentrations).filter(|(_, present)| **present > 0.0) {
        for effect in &drug.effects {
            let target = network.pathway.targets[effect.target];
            if target.potency.is_none() {
                let here = hill(concentration, effect.max, effect.ic50, effect.hill);
                let present = &mut reached[effect.target];
                *present = target.combine.and(*present, here);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::alteration::{Alteration, Catalogue, EffectLaw, Origin, Together};
    use crate::biology::drug::{DrugEffect, Missed, Route, Schedule};
    use crate::biology::genotype::Genotypes;
    use crate::biology::pathway::{Joint, Pathway, Target};
    use crate::biology::program::{Operation, Step};
    use crate::error::Result;
    use crate::random::{Purpose, stream};
    use rand::{Rng, RngExt};

    fn any_patient() -> CellPhysiology {
        CellPhysiology { division: 0.04, death: 0.03, covariates: vec![1.5] }
    }

    /// A pathway of random operations over one constant, two rates, a covariate, four effects and three targets.
    fn any_pathway(rng: &mut impl Rng) -> Pathway {
        use Operation::{Add, Choose, Divide, Hill, Less, Max, Min, Multiply, Subtract};
        let operations = [Add, Subtract, Multiply, Divide, Min, Max, Hill, Less, Choose];
        let inputs = 12;
        let steps: Vec<Step> = (0..40)
            .map(|index| {
                let operation = operations[rng.random_range(0..operations.len())];
                Step(operation, [(); 3].map(|()| rng.random_range(0..inputs + index) as u16))
            })
            .collect();
        let laws = [
            (0.0, Together::Max),
            (1.0, Together::Multiply),
            (0.0, Together::Add),
            (1.0, Together::Multiply),
        ];
        let target = |combine, potency| Target { combine, potency };
        Pathway {
            constants: vec![0.5],
            covariates: vec!["own".into()],
            effects: laws.map(|(neutral, combine)| EffectLaw { neutral, combine }).to_vec(),
            targets: vec![
                target(Joint::Bliss, None),
                target(Joint::Bliss, Some(1)),
                target(Joint::Add, Some(3)),
            ],
            division: inputs + steps.len() - 1,
            death: inputs + steps.len() - 2,
            steps,
            outputs: Vec::new(),
        }
    }

    fn drug(target: usize) -> Drug {
        Drug {
            name: format!("drug {target}"),
            route: Route::Oral,
            schedule: Schedule {
                days: vec![1],
                cycle_days: 1,
                doses_per_day: 1,
                loading_days: vec![],
                loading_dose: 1.0,
                missed: Missed::Skipped,
            },
            half_life_h: 24.0,
            absorption_half_life_h: 1.0,
            steady_state: 1.0,
            dosing_interval_h: 24.0,
            effects: vec![DrugEffect { target, max: 0.9, ic50: 0.3, hill: 1.5 }],
            therapies: Vec::new(),
            chemotherapy: false,
            neutrophil_slope: 0.0,
            dose_levels: vec![],
            marrow_protection: None,
            shared_exposure: None,
            discontinuation_per_month: 0.0,
        }
    }

    fn any_alterations(rng: &mut impl Rng) -> Vec<Alteration> {
        let alteration = |index: usize, rng: &mut dyn FnMut() -> f64| Alteration {
            name: format!("A{index}"),
            gene: format!("A{index}"),
            origin: Origin::OneHit { per_division: 0.0 },
            fitness_cost: 0.1 * rng(),
            effects: [0.0, 1.0, 0.0, 1.0]
                .map(|neutral| if rng() < 0.5 { neutral } else { 3.0 * rng() })
                .to_vec(),
        };
        (0..4).map(|index| alteration(index, &mut || rng.random())).collect()
    }

    #[test]
    fn what_is_worked_out_of_a_genotype_is_what_all_of_the_pathway_says() -> Result<()> {
        let rng = &mut stream(7, 0, Purpose::Replicate, 0);
        let drugs: Vec<Drug> = (0..3).map(drug).collect();
        for _ in 0..100 {
            let network = Network::new(any_pathway(rng))?;
            let catalogue = Catalogue::new(any_alterations(rng), network.effects())?;
            let genotypes = Genotypes::one_by_one(&catalogue, 1.0);
            let mut cells =
                Frame::of_patient(&network, &any_patient(), genotypes.get(rng.random_range(0..5)));
            let mut concentrations = [0.0; 3];
            for day in 0..90 {
                for concentration in &mut concentrations {
                    if rng.random() {
                        *concentration = rng.random::<f64>() * f64::from(day % 3);
                    }
                }
                cells.treat(&network, &drugs, &concentrations);
                for (kind, genotype) in (0..).zip(genotypes.iter()) {
                    if rng.random::<f64>() < 0.3 {
                        continue;
                    }
                    let rates = cells.rates(&network, kind, genotype);
                    let all = cells.trace(&network, &genotype.effects, genotype.fitness);
                    let expected = [all[network.pathway.division], all[network.pathway.death]];
                    let found = [rates.division, rates.death];
                    let same = |(a, b): (f64, f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                    assert!(found.into_iter().zip(expected).all(same), "{found:?} {expected:?}");
                }
            }
        }
        Ok(())
    }
}
