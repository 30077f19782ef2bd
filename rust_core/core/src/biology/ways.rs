//! The ways to the rates of the genotypes of a patient, from the numbers of the founder.
//!
//! What differs in a genotype is a list of steps that is made when the genotype is first met. A number that several
//! genotypes have in common has one slot, so it is worked out once. The steps of all genotypes that live are carried
//! out together, those of one operation after each other, so that none waits for the one before it.

use crate::biology::downstream::{ALL, Downstream, Targets, bit};
use crate::biology::genotype::Genotype;
use crate::biology::pathway::{Network, Rates};
use crate::biology::program::{Operation, Shared, Step};
use crate::biology::shift::{Action, Shift};
use std::collections::BTreeMap;

/// Days after which it is looked which genotypes still live.
const DAYS_OF_A_PLAN: u64 = 64;
/// Ways beside the plan that take as long as a new plan, or half of it in many genotypes.
const FEW_STRAYS: usize = 8;

/// The ways, and what they share.
#[derive(Clone, Debug, Default)]
pub(super) struct Ways {
    /// One for every set of alterations in force; genotypes that differ by silent hits share it.
    all: Vec<Way>,
    /// Index of a way by index of the genotype, and by what is in force.
    way_of: Vec<Option<usize>>,
    way_of_set: BTreeMap<u64, usize>,
    /// Slots of numbers that no drug changes, by their bits.
    constants: BTreeMap<u64, u32>,
    shifts: Vec<Shift>,
    shared: Vec<Shared>,
    /// Of each slot, how many shared steps follow on each other up to its number, and the targets from which it follows.
    above: Vec<(u32, Targets)>,
    /// The shared steps so that none reads what comes later, and those of one operation follow each other.
    order: Vec<(u32, Operation, u32)>,
    /// Index of a shared step by what it does with which slots.
    known: Known,
    /// What is worked out when the targets change from which it follows, and for how many ways.
    plan: Vec<(Shared, Targets)>,
    downstream: Downstream,
    planned: usize,
    /// Days that have begun in all, and up to when the plan was made.
    today: u64,
    planned_on: u64,
    /// Ways that were worked out beside the plan.
    strays: usize,
}

/// The way to the rates of a genotype.
#[derive(Clone, Debug)]
struct Way {
    /// Shared steps, in their order.
    steps: Vec<u32>,
    /// Slots of the rates.
    division: usize,
    death: usize,
    /// The day of which they are, beside the plan.
    done_on: u64,
    is_planned: bool,
    /// Whether it was asked for since the plan was made.
    was_asked: bool,
}

impl Ways {
    /// Work out what differs in the genotypes that live; the numbers of the founder stand in their slots.
    pub(super) fn begin_day(
        &mut self,
        network: &Network,
        actions: &[Action],
        slots: &mut [f64],
        mut changed: Targets,
    ) {
        self.today += 1;
        if self.strays > FEW_STRAYS.max(self.planned / 2) || self.today >= self.planned_on + DAYS_OF_A_PLAN {
            self.make_plan();
            // What is new in it was worked out on other days, or never.
            changed = ALL;
        }
        for shift in self.shifts.iter().filter(|shift| changed & bit(shift.target) != 0) {
            slots[shift.slot] = shift.reach(network, actions);
        }
        self.downstream.of(changed, &self.plan).run(slots);
    }

    /// Rates of a genotype, whose index is `kind`, today.
    pub(super) fn rates(
        &mut self,
        network: &Network,
        actions: &[Action],
        slots: &mut Vec<f64>,
        kind: usize,
        genotype: &Genotype,
    ) -> Rates {
        if kind >= self.way_of.len() {
            self.way_of.resize(kind + 1, None);
        }
        let index = self.way_of[kind].unwrap_or_else(|| self.meet(network, actions, slots, genotype));
        self.way_of[kind] = Some(index);
        let way = &mut self.all[index];
        way.was_asked = true;
        if !way.is_planned && way.done_on != self.today {
            for &step in &way.steps {
                self.shared[step as usize].run(slots);
            }
            way.done_on = self.today;
            self.strays += 1;
        }
        Rates { division: slots[way.division], death: slots[way.death] }
    }

    /// Take the ways into the plan that were asked for of late.
    fn make_plan(&mut self) {
        let mut wanted = vec![false; self.shared.len()];
        for way in &mut self.all {
            way.is_planned = way.was_asked;
            way.was_asked = false;
            if way.is_planned {
                way.steps.iter().for_each(|&step| wanted[step as usize] = true);
            }
        }
        self.plan.clear();
        // Sorted but for the newest, which is quickly put right.
        self.order.sort();
        let steps = self.order.iter().map(|&(_, _, step)| step as usize).filter(|&step| wanted[step]);
        let step = |index: usize| self.shared[index];
        let from = |step: Shared| self.above[step.result as usize].1;
        self.plan.extend(steps.map(step).map(|step| (step, from(step))));
        self.downstream.forget();
        self.planned = self.all.iter().filter(|way| way.is_planned).count();
        (self.planned_on, self.strays) = (self.today, 0);
    }

    /// The way of a genotype that was not met before: that of another with these alterations in force, or a new one.
    fn meet(
        &mut self,
        network: &Network,
        actions: &[Action],
        slots: &mut Vec<f64>,
        genotype: &Genotype,
    ) -> usize {
        if let Some(&index) = self.way_of_set.get(&genotype.in_force()) {
            return index;
        }
        if self.above.is_empty() {
            self.above.extend(network.from.iter().map(|&targets| (0, targets)));
        }
        let mut survey = Survey::new(network);
        let effects = &genotype.effects;
        for (slot, &value) in (network.effects.start..).zip(effects.iter().chain([&genotype.fitness])) {
            if value.to_bits() != slots[slot].to_bits() {
                survey.put(slot, self.constant(slots, value), true);
            }
        }
        for (target, spec) in network.pathway.targets.iter().enumerate() {
            let Some(effect) = spec.potency else { continue };
            if survey.differs((network.effects.start + effect) as u16) {
                let slot = self.shift(network, actions, slots, target, effects[effect]);
                survey.put(network.targets.start + target, slot, false);
            }
        }
        let mut steps = Vec::new();
        for result in network.of_cell.results() {
            let Step(operation, arguments) = network.pathway.steps[result - network.targets.end];
            if !arguments.iter().any(|&slot| survey.differs(slot)) {
                continue;
            }
            let values = arguments.map(|slot| survey.value(slot, slots));
            if let [Some(a), Some(b), Some(c)] = values {
                survey.put(result, self.constant(slots, operation.of([a, b, c])), true);
            } else if let (Operation::Choose, Some(chosen)) = (operation, values[0]) {
                survey.repeat(result, arguments[if chosen > 0.0 { 1 } else { 2 }]);
            } else {
                let step =
                    self.share(operation, arguments.map(|slot| survey.places[usize::from(slot)]), slots);
                survey.put(result, self.shared[step as usize].result, false);
                steps.push(step);
            }
        }
        let rates = [network.pathway.division, network.pathway.death].map(|slot| survey.places[slot]);
        let steps = self.wanted(rates, steps, slots.len());
        let [division, death] = rates.map(|slot| slot as usize);
        let (done_on, is_planned, was_asked) = (0, false, true);
        self.all.push(Way { steps, division, death, done_on, is_planned, was_asked });
        self.way_of_set.insert(genotype.in_force(), self.all.len() - 1);
        self.all.len() - 1
    }

    /// Of some steps those that the rates ask for.
    fn wanted(&self, rates: [u32; 2], mut steps: Vec<u32>, slots: usize) -> Vec<u32> {
        let mut wanted = vec![false; slots];
        for slot in rates {
            wanted[slot as usize] = true;
        }
        steps.reverse();
        steps.retain(|&step| {
            let Shared { arguments, result, .. } = self.shared[step as usize];
            let is_wanted = wanted[result as usize];
            if is_wanted {
                for slot in arguments {
                    wanted[slot as usize] = true;
                }
            }
            is_wanted
        });
        steps.reverse();
        steps
    }

    /// A slot behind all others.
    fn new_slot(&mut self, slots: &mut Vec<f64>, value: f64, above: (u32, Targets)) -> u32 {
        slots.push(value);
        self.above.push(above);
        slots.len() as u32 - 1
    }

    fn constant(&mut self, slots: &mut Vec<f64>, value: f64) -> u32 {
        if let Some(&slot) = self.constants.get(&value.to_bits()) {
            return slot;
        }
        let slot = self.new_slot(slots, value, (0, 0));
        self.constants.insert(value.to_bits(), slot);
        slot
    }

    fn shift(
        &mut self,
        network: &Network,
        actions: &[Action],
        slots: &mut Vec<f64>,
        target: usize,
        fold: f64,
    ) -> u32 {
        let same = |shift: &&Shift| shift.target == target && shift.fold.to_bits() == fold.to_bits();
        if let Some(shift) = self.shifts.iter().find(same) {
            return shift.slot as u32;
        }
        let slot = self.new_slot(slots, 0.0, (0, bit(target)));
        let shift = Shift { target, fold, slot: slot as usize };
        slots[shift.slot] = shift.reach(network, actions);
        self.shifts.push(shift);
        slot
    }

    fn share(&mut self, operation: Operation, arguments: [u32; 3], slots: &mut Vec<f64>) -> u32 {
        if let Some(step) = self.known.find(&self.shared, operation, arguments) {
            return step;
        }
        let (depth, targets) = arguments.iter().fold((0, 0), |(depth, targets), &slot| {
            let above = self.above[slot as usize];
            (depth.max(above.0), targets | above.1)
        });
        let depth = depth + 1;
        let result = self.new_slot(slots, 0.0, (depth, targets));
        let step = self.shared.len() as u32;
        self.order.push((depth, operation, step));
        self.shared.push(Shared { operation, arguments, result });
        self.known.add(&self.shared);
        step
    }
}

/// Where shared steps are found: at the place that what they do gives, or at the next ones.
#[derive(Clone, Debug, Default)]
struct Known {
    /// 1 and the index of a step, or 0; a power of two of them, at least half of them 0.
    places: Vec<u32>,
}

impl Known {
    fn find(&self, steps: &[Shared], operation: Operation, arguments: [u32; 3]) -> Option<u32> {
        let most = self.places.len().checked_sub(1)?;
        let mut place = Self::place(operation, arguments) & most;
        loop {
            let index = self.places[place].checked_sub(1)?;
            let step = &steps[index as usize];
            if step.operation == operation && step.arguments == arguments {
                return Some(index);
            }
            place = (place + 1) & most;
        }
    }

    /// The last of the steps is new.
    fn add(&mut self, steps: &[Shared]) {
        if 2 * steps.len() > self.places.len() {
            self.places = vec![0; (4 * steps.len()).next_power_of_two()];
            (0..steps.len()).for_each(|index| self.put(steps, index));
        } else {
            self.put(steps, steps.len() - 1);
        }
    }

    fn put(&mut self, steps: &[Shared], index: usize) {
        let most = self.places.len() - 1;
        let mut place = Self::place(steps[index].operation, steps[index].arguments) & most;
        while self.places[place] != 0 {
            place = (place + 1) & most;
        }
        self.places[place] = index as u32 + 1;
    }

    fn place(operation: Operation, arguments: [u32; 3]) -> usize {
        let mixed = arguments.iter().fold(operation as u64, |mixed, &slot| {
            (mixed ^ u64::from(slot)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
        });
        mixed as usize
    }
}

/// A way in the making: where the numbers of a genotype stand, by the slots of the founder.
struct Survey {
    places: Vec<u32>,
    /// Whether they are the same on all days.
    known: Vec<bool>,
}

impl Survey {
    /// Nothing differs from the founder, of whom those numbers are known that depend on neither drugs nor genotype.
    fn new(network: &Network) -> Self {
        let mut known = vec![false; network.slots()];
        known[..=network.fitness].fill(true);
        for slot in network.of_patient.results() {
            known[slot] = true;
        }
        Self { places: (0..network.slots() as u32).collect(), known }
    }

    fn put(&mut self, slot: usize, place: u32, is_known: bool) {
        (self.places[slot], self.known[slot]) = (place, is_known);
    }

    /// The number of a slot is that of another.
    fn repeat(&mut self, slot: usize, of: u16) {
        let of = usize::from(of);
        self.put(slot, self.places[of], self.known[of]);
    }

    fn differs(&self, slot: u16) -> bool {
        self.places[usize::from(slot)] != u32::from(slot)
    }

    /// The number of a slot, if it is the same on all days.
    fn value(&self, slot: u16, slots: &[f64]) -> Option<f64> {
        let slot = usize::from(slot);
        self.known[slot].then(|| slots[self.places[slot] as usize])
    }
}
