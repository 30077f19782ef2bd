//! The cells of one patient under the drugs of one day: a pathway at work.
//!
//! All numbers are worked out for the founder, once a day. For another genotype only those are worked out anew that
//! differ by its alterations, by a list of steps that is made when the genotype is first met (`Way`).

use crate::biology::drug::Drug;
use crate::biology::effect::hill;
use crate::biology::genotype::Genotype;
use crate::biology::pathway::{CellPhysiology, Network, Rates};
use crate::biology::program::{Operation, Part, Step};

/// An action whose potency depends on the genotype.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shifted {
    target: usize,
    over_ic50: f64,
    max: f64,
    hill: f64,
}

/// The cells of a patient under the drugs of a day.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The numbers of the founder, and behind them room for those that differ in a genotype.
    slots: Vec<f64>,
    shifted: Vec<Shifted>,
    /// One for every set of alterations in force; genotypes that differ by silent hits share it.
    ways: Vec<Way>,
    /// Index of a way by index of the genotype.
    way_of: Vec<Option<usize>>,
    // What treat() works on, kept so that no day allocates.
    reached: Vec<f64>,
    shifting: Vec<Shifted>,
}

impl Frame {
    /// Untreated cells of a patient with these covariates; the founder has these effects and this fitness.
    pub fn untreated(network: &Network, patient: &[f64], founder: &[f64], fitness: f64) -> Self {
        let mut slots = network.pathway.constants.clone();
        slots.extend(patient);
        slots.extend(founder);
        slots.push(fitness);
        slots.resize(3 * network.slots(), 0.0);
        network.of_patient.run(&mut slots);
        let reached = vec![0.0; network.targets.len()];
        let [shifted, shifting] = [(); 2].map(|()| Vec::new());
        let mut frame = Self { slots, shifted, ways: Vec::new(), way_of: Vec::new(), reached, shifting };
        frame.begin_day(network);
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
        self.shifting.clear();
        for (drug, &concentration) in drugs.iter().zip(concentrations) {
            if concentration <= 0.0 {
                continue;
            }
            for effect in &drug.effects {
                let target = network.pathway.targets[effect.target];
                if target.potency.is_some() {
                    let over_ic50 = concentration / effect.ic50;
                    let (target, max, hill) = (effect.target, effect.max, effect.hill);
                    self.shifting.push(Shifted { target, over_ic50, max, hill });
                } else {
                    let reached = hill(concentration, effect.max, effect.ic50, effect.hill);
                    let present = &mut self.reached[effect.target];
                    *present = target.combine.and(*present, reached);
                }
            }
        }
        let before = network.targets.clone().zip(&network.pathway.targets);
        let mut plain = before.zip(&self.reached).filter(|((_, target), _)| target.potency.is_none());
        let as_before = plain.all(|((slot, _), reached)| self.slots[slot].to_bits() == reached.to_bits());
        if as_before && self.shifting == self.shifted {
            return false;
        }
        std::mem::swap(&mut self.shifted, &mut self.shifting);
        self.begin_day(network);
        true
    }

    /// Work out all numbers of the founder.
    fn begin_day(&mut self, network: &Network) {
        self.slots[network.targets.clone()].copy_from_slice(&self.reached);
        for (index, target) in network.pathway.targets.iter().enumerate() {
            if let Some(effect) = target.potency {
                let fold = self.slots[network.effects.start + effect];
                self.slots[network.targets.start + index] = reach(network, &self.shifted, index, fold);
            }
        }
        network.of_day.run(&mut self.slots);
        network.of_cell.run(&mut self.slots);
        for way in &mut self.ways {
            way.today = None;
        }
    }

    /// Rates of a genotype under these drugs; `kind` is its index.
    pub fn rates(&mut self, network: &Network, kind: u32, genotype: &Genotype) -> Rates {
        let index = self.way(network, kind as usize, genotype);
        let way = &self.ways[index];
        if let Some(rates) = way.today {
            return rates;
        }
        let own = network.slots();
        self.slots[own..own + way.own.len()].copy_from_slice(&way.own);
        for &Shift { target, fold, slot } in &way.shifts {
            self.slots[slot] = reach(network, &self.shifted, target, fold);
        }
        way.steps.run(&mut self.slots);
        let rates = Rates { division: self.slots[way.division], death: self.slots[way.death] };
        self.ways[index].today = Some(rates);
        rates
    }

    /// The way to the rates of a genotype, made when it is first asked for.
    fn way(&mut self, network: &Network, kind: usize, genotype: &Genotype) -> usize {
        if kind >= self.way_of.len() {
            self.way_of.resize(kind + 1, None);
        }
        if let Some(index) = self.way_of[kind] {
            return index;
        }
        let known = self.ways.iter().position(|way| way.carried == genotype.carried);
        let index = known.unwrap_or(self.ways.len());
        if known.is_none() {
            self.ways.push(Way::of(network, &self.slots, genotype));
        }
        self.way_of[kind] = Some(index);
        index
    }

    /// All numbers of cells with these effects and this fitness under these drugs, in the order of the slots.
    pub fn trace(&self, network: &Network, effects: &[f64], fitness: f64) -> Vec<f64> {
        let mut slots = self.slots[..network.slots()].to_vec();
        slots[network.effects.clone()].copy_from_slice(effects);
        slots[network.fitness] = fitness;
        for (index, target) in network.pathway.targets.iter().enumerate() {
            if let Some(effect) = target.potency {
                slots[network.targets.start + index] = reach(network, &self.shifted, index, effects[effect]);
            }
        }
        network.of_cell.run(&mut slots);
        slots
    }
}

/// How far actions reach at a target where they have lost so much of their potency.
fn reach(network: &Network, actions: &[Shifted], target: usize, fold: f64) -> f64 {
    let combine = network.pathway.targets[target].combine;
    let here = actions.iter().filter(|action| action.target == target);
    here.fold(0.0, |present, action| {
        combine.and(present, hill(action.over_ic50, action.max, fold, action.hill))
    })
}

/// A target at which the alterations of a genotype take potency from drugs.
#[derive(Clone, Copy, Debug)]
struct Shift {
    target: usize,
    fold: f64,
    slot: usize,
}

/// The way to the rates of a genotype from the numbers of the founder.
#[derive(Clone, Debug)]
struct Way {
    /// Alterations in force.
    carried: Vec<usize>,
    /// What was found today.
    today: Option<Rates>,
    /// Numbers of this genotype that no drug changes.
    own: Vec<f64>,
    shifts: Vec<Shift>,
    steps: Part,
    division: usize,
    death: usize,
}

/// Where a number of a genotype stands.
#[derive(Clone, Copy)]
enum Place {
    /// Where that of the founder does.
    Base(usize),
    /// Among its own numbers.
    Own(usize),
    /// Behind these: results of the day.
    Result(usize),
}

/// A way in the making.
struct Survey<'a> {
    base: &'a [f64],
    /// By slot; what is `Base` and known is the same on all days.
    places: Vec<Place>,
    known: Vec<bool>,
    own: Vec<f64>,
    results: usize,
}

impl Survey<'_> {
    fn own(&mut self, slot: usize, value: f64) {
        (self.places[slot], self.known[slot]) = (Place::Own(self.own.len()), true);
        self.own.push(value);
    }

    fn result(&mut self, slot: usize) -> usize {
        (self.places[slot], self.known[slot]) = (Place::Result(self.results), false);
        self.results += 1;
        self.results - 1
    }

    fn differs(&self, slot: u16) -> bool {
        !matches!(self.places[usize::from(slot)], Place::Base(at) if at == usize::from(slot))
    }

    /// The value of a slot, if it is the same on all days.
    fn value(&self, slot: u16) -> Option<f64> {
        let slot = usize::from(slot);
        self.known[slot].then(|| match self.places[slot] {
            Place::Base(at) => self.base[at],
            Place::Own(at) => self.own[at],
            Place::Result(_) => f64::NAN,
        })
    }
}

impl Way {
    /// `base` holds the numbers of the founder, of which those that depend on neither drugs nor genotype are taken as
    /// they are.
    fn of(network: &Network, base: &[f64], genotype: &Genotype) -> Self {
        let effects = &genotype.effects;
        let mut known = vec![false; network.slots()];
        known[..=network.fitness].fill(true);
        for slot in network.of_patient.results() {
            known[slot] = true;
        }
        let places = (0..network.slots()).map(Place::Base).collect();
        let mut survey = Survey { base, places, known, own: Vec::new(), results: 0 };
        for (slot, &value) in (network.effects.start..).zip(effects.iter().chain([&genotype.fitness])) {
            if value.to_bits() != base[slot].to_bits() {
                survey.own(slot, value);
            }
        }
        let mut shifts = Vec::new();
        for (target, spec) in network.pathway.targets.iter().enumerate() {
            let Some(effect) = spec.potency else { continue };
            if survey.differs((network.effects.start + effect) as u16) {
                let slot = survey.result(network.targets.start + target);
                shifts.push(Shift { target, fold: effects[effect], slot });
            }
        }
        let mut steps: Vec<(Step, usize)> = Vec::new();
        for result in network.of_cell.results() {
            let step = network.pathway.steps[result - network.targets.end];
            let Step(operation, arguments) = step;
            if !arguments.iter().any(|&slot| survey.differs(slot)) {
                continue;
            }
            let values = arguments.map(|slot| survey.value(slot));
            if let [Some(a), Some(b), Some(c)] = values {
                survey.own(result, operation.of([a, b, c]));
            } else if let (Operation::Choose, Some(chosen)) = (operation, values[0]) {
                let taken = usize::from(arguments[if chosen > 0.0 { 1 } else { 2 }]);
                (survey.places[result], survey.known[result]) = (survey.places[taken], survey.known[taken]);
            } else {
                survey.result(result);
                steps.push((step, result));
            }
        }
        Self::along(network, &survey, shifts, &steps, genotype.carried.clone())
    }

    /// Leave out what neither rate asks for, and give every number its slot.
    fn along(
        network: &Network,
        survey: &Survey,
        shifts: Vec<Shift>,
        steps: &[(Step, usize)],
        carried: Vec<usize>,
    ) -> Self {
        let slot = |slot: usize| match survey.places[slot] {
            Place::Base(at) => at,
            Place::Own(at) => network.slots() + at,
            Place::Result(at) => network.slots() + survey.own.len() + at,
        };
        let rates = [network.pathway.division, network.pathway.death].map(slot);
        let mut wanted = vec![false; 3 * network.slots()];
        for rate in rates {
            wanted[rate] = true;
        }
        let mut kept = Vec::new();
        for &(Step(operation, arguments), result) in steps.iter().rev() {
            if wanted[slot(result)] {
                let arguments = arguments.map(|argument| slot(usize::from(argument)) as u16);
                for argument in arguments {
                    wanted[usize::from(argument)] = true;
                }
                kept.push((Step(operation, arguments), slot(result)));
            }
        }
        let mut part = Part::default();
        for (step, result) in kept.into_iter().rev() {
            part.push(step, result);
        }
        let first = network.slots() + survey.own.len();
        let shifts = shifts
            .into_iter()
            .map(|shift| Shift { slot: first + shift.slot, ..shift })
            .filter(|shift| wanted[shift.slot])
            .collect();
        let [division, death] = rates;
        Self { carried, today: None, own: survey.own.clone(), shifts, steps: part, division, death }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::alteration::{Alteration, Catalogue, EffectLaw, Origin, Together};
    use crate::biology::drug::{DrugEffect, Missed, Route, Schedule};
    use crate::biology::genotype::Genotypes;
    use crate::biology::pathway::{Joint, Pathway, Target};
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
            endocrine: false,
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
        for _ in 0..300 {
            let network = Network::new(any_pathway(rng))?;
            let catalogue = Catalogue::new(any_alterations(rng), network.effects())?;
            let genotypes = Genotypes::one_by_one(&catalogue, 1.0);
            let mut cells =
                Frame::of_patient(&network, &any_patient(), genotypes.get(rng.random_range(0..5)));
            for day in 0..4 {
                let concentrations: Vec<f64> =
                    (0..3).map(|_| rng.random::<f64>() * f64::from(day % 2)).collect();
                cells.treat(&network, &drugs, &concentrations);
                for (kind, genotype) in (0..).zip(genotypes.iter()) {
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
