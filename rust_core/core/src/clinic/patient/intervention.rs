//! What a therapist does by hand: another regimen, a pause, another plan.

use crate::clinic::patient::state::{Patient, Status};
use crate::clinic::patient::treatment::{DrugCourse, Held};
use crate::clinic::plan::end_reason::EndReason;
use crate::clinic::plan::strategy::{Dosing, Line, RegimenOption, Until};
use crate::error::{Error, Result};
use serde::Deserialize;
use std::sync::Arc;

/// One decision, in force from the next doses on.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Intervention {
    /// Give these drugs and no others.
    Regimen {
        /// Drugs given together.
        drugs: Vec<Dosing>,
        /// What else is meant.
        #[serde(flatten)]
        how: How,
    },
    /// Pause drugs of the running line; all if none is named.
    Hold {
        /// Names.
        drugs: Vec<String>,
    },
    /// Give paused drugs again; all if none is named.
    Resume {
        /// Names.
        drugs: Vec<String>,
    },
    /// Leave the plan: these lines follow from today on.
    Plan {
        /// Lines in order.
        lines: Vec<Line>,
    },
}

/// How a regimen is begun.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct How {
    /// Close the running line and begin one of its own, with today as its baseline.
    pub new_line: bool,
    /// Whether to take what is taken already is no mistake.
    pub may_be_same: bool,
    /// Drugs that go on.
    pub held: Held,
}

const EVENT: &str = "intervention";

fn refuse(message: impl Into<String>) -> Error {
    Error::input("intervention", message)
}

impl Patient {
    /// Carry out a decision and write it down; nothing is changed if it cannot be.
    pub fn intervene(&mut self, decision: &Intervention) -> Result<()> {
        if self.status() != Status::Followed {
            return Err(refuse("follow-up is over; nothing can be given any more"));
        }
        match decision {
            Intervention::Regimen { drugs, how } => self.give(drugs, *how),
            Intervention::Hold { drugs } => self.hold(drugs, true),
            Intervention::Resume { drugs } => self.hold(drugs, false),
            Intervention::Plan { lines } => self.change_plan(lines),
        }
    }

    fn give(&mut self, drugs: &[Dosing], how: How) -> Result<()> {
        if drugs.is_empty() {
            return Err(refuse(
                "found no drug; name at least one (to pause treatment, hold it; to observe, follow a line of none)",
            ));
        }
        let running = self.state.treatment.line.as_ref().filter(|_| !how.new_line);
        let mut courses: Vec<DrugCourse> = Vec::new();
        for (d, dosing) in drugs.iter().enumerate() {
            self.experiment.scope().dosing("intervention.drugs", dosing)?;
            if drugs[..d].iter().any(|other| other.drug == dosing.drug) {
                return Err(refuse(format!("\"{}\" is named twice", dosing.drug)));
            }
            let Some(course) = self.course(dosing) else {
                return Err(refuse(format!("\"{}\" was not tolerated before", dosing.drug)));
            };
            courses.push(self.continued(course, running, how.held));
        }
        let kinds = self.kinds_of(&courses);
        let regimen = self.regimen_name(&courses);
        if running.is_some_and(|line| same(&line.courses, &courses)) {
            if how.may_be_same {
                return Ok(());
            }
            return Err(refuse(format!("the patient takes {regimen} already")));
        }
        if let (Some(line), false) = (&mut self.state.treatment.line, how.new_line) {
            line.cycle_days = courses.iter().map(|c| c.schedule.cycle_days).max().unwrap_or(1);
            line.courses = courses;
            line.also(kinds);
            let number = line.number;
            self.note(number, EVENT, format!("now on {regimen}"));
            return Ok(());
        }
        self.leave_line(&format!("new line: {regimen}"));
        self.state.treatment.by_hand += 1;
        let number = self.state.treatment.number();
        self.sample_plasma(number);
        self.open_line(number, &by_hand(drugs), courses);
        Ok(())
    }

    fn leave_line(&mut self, why: &str) {
        if let Some(number) = self.state.treatment.line.as_ref().map(|line| line.number) {
            self.note(number, EVENT, why);
            self.end_line(EndReason::Rule);
        }
    }

    fn hold(&mut self, drugs: &[String], held: bool) -> Result<()> {
        let index = |name: &String| {
            let unknown = || refuse(format!("\"{name}\" is not a known drug"));
            self.experiment.drug(name).ok_or_else(unknown)
        };
        let named = drugs.iter().map(index).collect::<Result<Vec<usize>>>()?;
        let word = if held { "hold" } else { "resume" };
        let Some(line) = &mut self.state.treatment.line else {
            return Err(refuse(format!("no line is running, so there is nothing to {word}")));
        };
        if let Some(at) = named.iter().position(|drug| line.courses.iter().all(|c| c.drug != *drug)) {
            return Err(refuse(format!("\"{}\" is not taken, so there is nothing to {word}", drugs[at])));
        }
        let mut changed = Vec::new();
        for course in line.courses.iter_mut().filter(|c| named.is_empty() || named.contains(&c.drug)) {
            // A therapist's word ends a pause of adaptive dosing too; one for toxicity ends by itself.
            let pauses = course.held_by_hand || (!held && course.held_adaptively);
            if pauses != held {
                course.held_by_hand = held;
                course.held_adaptively &= held;
                changed.push(course.drug);
            }
        }
        let number = line.number;
        if changed.is_empty() {
            let state = if held { "on hold already" } else { "not on hold" };
            return Err(refuse(format!("what is named is {state}, so there is nothing to {word}")));
        }
        let names: Vec<&str> =
            changed.iter().map(|&drug| self.experiment.spec.drugs[drug].name.as_str()).collect();
        let detail = format!("{word} {}", names.join(" + "));
        self.note(number, EVENT, detail);
        Ok(())
    }

    fn change_plan(&mut self, lines: &[Line]) -> Result<()> {
        self.experiment.check_plan("intervention.lines", lines)?;
        self.leave_line("new plan");
        self.state.treatment.by_hand += self.state.treatment.begun;
        self.state.treatment.begun = 0;
        self.state.treatment.plan = Arc::new(lines.to_vec());
        self.start_line();
        Ok(())
    }
}

fn same(before: &[DrugCourse], after: &[DrugCourse]) -> bool {
    before.len() == after.len()
        && after.iter().all(|course| {
            before.iter().any(|other| {
                other.drug == course.drug
                    && other.dose.to_bits() == course.dose.to_bits()
                    && other.schedule == course.schedule
                    && !other.held_by_hand
                    && !other.held_adaptively
            })
        })
}

/// A line that is left at progression.
fn by_hand(drugs: &[Dosing]) -> Line {
    let until = Until { progression: true, months: None, cycles: None, toxicity: false, response: None };
    let options = vec![RegimenOption { when: None, share: None, regimen: drugs.to_vec() }];
    Line { options, until, rules: Vec::new(), holiday: None, adaptive: None }
}
