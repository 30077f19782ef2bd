//! What candidates answer to what is asked of them, counted.

use crate::error::Error;
use std::borrow::Cow;

/// The key of what is asked: one of the core, or made of the name of a site or a kind of therapy.
pub(crate) type Key = Cow<'static, str>;

/// Candidates of a history of whom one must be eligible.
pub const MOST_SCREENED: u64 = 300;

/// What a candidate was asked, in that order, and whether they met it. Nothing is asked after the first stage
/// (before the tumour is grown, on the way to the trial, on the day of enrolment) that was not met.
pub(crate) type Answers = Vec<(Key, bool)>;

/// How many met a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its key.
    pub name: Cow<'static, str>,
    /// Candidates who were asked.
    pub asked: u64,
    /// Those of them who met it.
    pub met: u64,
}

/// What became of candidates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screening {
    /// The way they came to the trial.
    pub history: String,
    /// Candidates.
    pub candidates: u64,
    /// Those of them who met every condition.
    pub eligible: u64,
    /// Every condition, in the order in which it is asked.
    pub conditions: Vec<Condition>,
}

impl Screening {
    pub(crate) fn of(history: &str) -> Self {
        Self { history: history.to_owned(), ..Self::default() }
    }

    /// One candidate more.
    pub(crate) fn add(&mut self, answers: &Answers) {
        self.candidates += 1;
        self.eligible += u64::from(answers.iter().all(|(_, met)| *met));
        for (name, met) in answers {
            let known = self.conditions.iter().position(|condition| condition.name == *name);
            let place = known.unwrap_or_else(|| {
                self.conditions.push(Condition { name: name.clone(), asked: 0, met: 0 });
                self.conditions.len() - 1
            });
            let condition = &mut self.conditions[place];
            condition.asked += 1;
            condition.met += u64::from(*met);
        }
    }

    /// The error when nobody was eligible.
    pub(crate) fn nobody(&self) -> Error {
        let met: Vec<String> = self
            .conditions
            .iter()
            .map(|Condition { name, asked, met }| format!("{name} by {met} of {asked}"))
            .collect();
        let whose =
            if self.history.is_empty() { String::new() } else { format!(" of history \"{}\"", self.history) };
        Error::Input {
            place: "population.eligibility".into(),
            problem: Some(format!(
                "none of {} candidates{whose} was eligible; met: {}",
                self.candidates,
                met.join(", ")
            )),
            found: None,
            allowed: Some("what at least 1 of 100 candidates meets".into()),
        }
    }
}
