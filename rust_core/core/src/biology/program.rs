//! Formulas, compiled: operations on numbered slots, one after the other.

use crate::elementary::{exp, log};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Slots that a program can have, inputs and results together.
pub const MOST_SLOTS: usize = 4096;

/// What is done with one to three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `a + b`.
    Add,
    /// `a - b`.
    Subtract,
    /// `a * b`.
    Multiply,
    /// `a / b`.
    Divide,
    /// `a` to the power of `b`.
    Power,
    /// The smaller one.
    Min,
    /// The larger one.
    Max,
    /// Exponential of `a`.
    Exp,
    /// Natural logarithm of `a`.
    Log,
    /// `a^c / (b^c + a^c)`; 0 where `a` is not above 0.
    Hill,
    /// 1 if `a < b`, or 0.
    Less,
    /// 1 if `a <= b`, or 0.
    LessOrEqual,
    /// `b` where `a` is above 0, or `c`.
    Choose,
}

/// An operation, and the slots of its three arguments. Where it takes fewer, the first is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step(pub Operation, pub [u16; 3]);

impl Operation {
    /// Its result.
    #[inline]
    pub fn of(self, [a, b, c]: [f64; 3]) -> f64 {
        match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => libm::pow(a, b),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
            Self::Exp => exp(a),
            Self::Log => log(a),
            Self::Hill if a > 0.0 => 1.0 / (1.0 + exp(c * log(b / a))),
            Self::Hill => 0.0,
            Self::Less => f64::from(u8::from(a < b)),
            Self::LessOrEqual => f64::from(u8::from(a <= b)),
            Self::Choose if a > 0.0 => b,
            Self::Choose => c,
        }
    }
}

/// Check that every step reads only what stands before its own result; results follow on `inputs` slots.
pub fn check(steps: &[Step], inputs: usize) -> Result<()> {
    let slots = inputs + steps.len();
    if slots > MOST_SLOTS {
        return Err(Error::refused("pathway", slots, format!("at most {MOST_SLOTS} numbers and operations")));
    }
    for (index, Step(_, arguments)) in steps.iter().enumerate() {
        if let Some(&later) = arguments.iter().find(|&&slot| usize::from(slot) >= inputs + index) {
            return Err(Error::refused(
                format!("pathway.steps[{index}]"),
                u64::from(later),
                format!("slots below {}", inputs + index),
            ));
        }
    }
    Ok(())
}

/// In the place of a slot: the result of the step before, which need not be fetched.
const JUST_FOUND: u16 = u16::MAX;

/// Steps with the slots of their results, a part of a program.
#[derive(Clone, Debug, Default)]
pub struct Part(Vec<(Step, u16)>);

impl Part {
    /// Add a step.
    pub fn push(&mut self, Step(operation, arguments): Step, result: usize) {
        let before = self.0.last().map(|&(_, slot)| slot);
        let arguments = arguments.map(|slot| if Some(slot) == before { JUST_FOUND } else { slot });
        self.0.push((Step(operation, arguments), result as u16));
    }

    /// The slots that it fills.
    pub fn results(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|&(_, result)| usize::from(result))
    }

    /// Carry out all steps.
    #[inline]
    pub fn run(&self, slots: &mut [f64]) {
        let mut found = 0.0;
        for &(Step(operation, arguments), result) in &self.0 {
            found = operation
                .of(arguments.map(|slot| if slot == JUST_FOUND { found } else { slots[usize::from(slot)] }));
            slots[usize::from(result)] = found;
        }
    }
}

/// A step that stands by itself, with the slots of its arguments and of its result.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// What is done.
    pub operation: Operation,
    /// With what.
    pub arguments: [u32; 3],
    /// Where it goes.
    pub result: u32,
}

impl Shared {
    /// A step whose result has this slot.
    pub fn of(Step(operation, arguments): Step, result: usize) -> Self {
        Self { operation, arguments: arguments.map(u32::from), result: result as u32 }
    }

    /// Carry it out.
    #[inline]
    pub fn run(&self, slots: &mut [f64]) {
        slots[self.result as usize] = self.operation.of(self.arguments.map(|slot| slots[slot as usize]));
    }
}

/// Put steps into an order in which those of one operation follow each other, as far as none reads what comes later.
pub fn in_layers(steps: &mut [Shared], slots: usize) {
    let mut depth = vec![0u32; slots];
    for step in &*steps {
        let below = step.arguments.iter().map(|&slot| depth[slot as usize]).max();
        depth[step.result as usize] = 1 + below.unwrap_or(0);
    }
    steps.sort_by_key(|step| (depth[step.result as usize], step.operation));
}

/// Steps that are carried out in their order; quick where those of one operation follow each other.
#[derive(Clone, Debug, Default)]
pub struct Together {
    steps: Vec<Shared>,
    /// Operations, and how many steps of each follow on each other.
    runs: Vec<(Operation, usize)>,
}

impl FromIterator<Shared> for Together {
    fn from_iter<I: IntoIterator<Item = Shared>>(steps: I) -> Self {
        let steps: Vec<Shared> = steps.into_iter().collect();
        let alike = steps.chunk_by(|a, b| a.operation == b.operation);
        let runs = alike.map(|run| (run[0].operation, run.len())).collect();
        Self { steps, runs }
    }
}

impl Together {
    /// Carry out all steps.
    pub fn run(&self, slots: &mut [f64]) {
        use Operation::{
            Add, Choose, Divide, Exp, Hill, Less, LessOrEqual, Log, Max, Min, Multiply, Power, Subtract,
        };
        /// The compiler makes one loop of it for each operation, which takes this many numbers.
        #[inline]
        fn all<const TAKES: usize>(operation: Operation, steps: &[Shared], slots: &mut [f64]) {
            for step in steps {
                let slot =
                    |which: usize| if which < TAKES { step.arguments[which] } else { step.arguments[0] };
                let found = operation.of([0, 1, 2].map(|which| slots[slot(which) as usize]));
                slots[step.result as usize] = found;
            }
        }
        let mut left = self.steps.as_slice();
        for &(operation, length) in &self.runs {
            let (alike, others) = left.split_at(length);
            left = others;
            match operation {
                Add => all::<2>(Add, alike, slots),
                Subtract => all::<2>(Subtract, alike, slots),
                Multiply => all::<2>(Multiply, alike, slots),
                Divide => all::<2>(Divide, alike, slots),
                Power => all::<2>(Power, alike, slots),
                Min => all::<2>(Min, alike, slots),
                Max => all::<2>(Max, alike, slots),
                Exp => all::<1>(Exp, alike, slots),
                Log => all::<1>(Log, alike, slots),
                Hill => all::<3>(Hill, alike, slots),
                Less => all::<2>(Less, alike, slots),
                LessOrEqual => all::<2>(LessOrEqual, alike, slots),
                Choose => all::<3>(Choose, alike, slots),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_what_they_are_called() {
        use Operation::*;
        let cases = [
            (Add, [1.0, 2.0, 0.0], 3.0),
            (Subtract, [1.0, 2.0, 0.0], -1.0),
            (Multiply, [3.0, 2.0, 0.0], 6.0),
            (Divide, [3.0, 2.0, 0.0], 1.5),
            (Power, [3.0, 2.0, 0.0], 9.0),
            (Min, [3.0, 2.0, 0.0], 2.0),
            (Max, [3.0, 2.0, 0.0], 3.0),
            (Exp, [0.0, 0.0, 0.0], 1.0),
            (Log, [1.0, 0.0, 0.0], 0.0),
            (Hill, [1.0, 2.0, 2.0], 0.2),
            (Hill, [0.0, 2.0, 2.0], 0.0),
            (Less, [1.0, 2.0, 0.0], 1.0),
            (Less, [2.0, 2.0, 0.0], 0.0),
            (LessOrEqual, [2.0, 2.0, 0.0], 1.0),
            (Choose, [1.0, 5.0, 6.0], 5.0),
            (Choose, [0.0, 5.0, 6.0], 6.0),
        ];
        for (operation, arguments, expected) in cases {
            let found = operation.of(arguments);
            assert!((found - expected).abs() < 1e-12, "{operation:?} of {arguments:?}: {found}");
        }
    }

    #[test]
    fn a_step_that_reads_what_is_not_there_yet_is_refused() {
        let steps = [Step(Operation::Add, [0, 1, 0]), Step(Operation::Add, [0, 3, 0])];
        assert!(check(&steps[..1], 2).is_ok());
        assert!(check(&steps, 2).is_err());
    }
}
