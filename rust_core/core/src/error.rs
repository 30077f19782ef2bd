//! What can go wrong, as values with a place.

use core::fmt;

/// Everything the core can refuse or fail at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks a rule; `place` is the key path a user can find.
    #[error("{place}: {}", said(.problem.as_ref(), .found.as_ref(), .allowed.as_ref()))]
    Input {
        /// Where, as a key path such as `arm[1].line[0].regimen`.
        place: String,
        /// What is wrong, where what was found and what is allowed do not say it.
        problem: Option<String>,
        /// What was found.
        found: Option<Found>,
        /// What would do.
        allowed: Option<String>,
    },
    /// The step is too long for the rates of a living clone.
    #[error(
        "dt = {dt} day is too long for {who}: (b + d) * dt = {probability:.3} exceeds 0.5 \
         (b = {division:.6} per day, d = {death:.6} per day); dt <= {longest:.6} would do"
    )]
    StepTooLong {
        /// The clone, type or patient concerned.
        who: String,
        /// Step length in days.
        dt: f64,
        /// Probability that a cell acts in one step.
        probability: f64,
        /// Division rate per day.
        division: f64,
        /// Death rate per day.
        death: f64,
        /// The longest step that would do, in days.
        longest: f64,
    },
    /// A count left the range in which it is exact.
    #[error("{who}: more than 2^53 cells; counts would no longer be exact")]
    TooManyCells {
        /// The clone, type or patient concerned.
        who: String,
    },
    /// More cells than an engine of individuals can number.
    #[error("{who}: more than {most} cells, the most that are held one by one; engine \"clones\" holds more")]
    TooManyIndividuals {
        /// The population or replicate concerned.
        who: String,
        /// The most cells, fewer with a genealogy.
        most: u64,
    },
    /// The machine has no room for more.
    #[error("{who}: no memory for more than {most} {what}; engine \"clones\" needs the least")]
    OutOfMemory {
        /// The population or replicate concerned.
        who: String,
        /// So many there was room for.
        most: u64,
        /// Of what.
        what: &'static str,
    },
    /// A number grew out of its range.
    #[error("{who}: more than 2^64 {what}; they can no longer be counted")]
    TooManyToCount {
        /// The population or replicate concerned.
        who: String,
        /// What is counted.
        what: &'static str,
    },
    /// A heritable trait drifted so far that the step is too long.
    #[error(
        "a cell of {who} has {fold:.3} times its rate by its trait, so that (b + d) * dt = {probability:.3} \
         exceeds 0.5; a smaller dt, drift or limit would do"
    )]
    TraitTooFast {
        /// The type concerned.
        who: String,
        /// The factor on the rate.
        fold: f64,
        /// Probability that the cell acts in one step.
        probability: f64,
    },
    /// Growth from one cell failed too often.
    #[error(
        "{who}: all {attempts} attempts to grow from the first cell went extinct or never reached the stop"
    )]
    NeverGrew {
        /// The patient or replicate.
        who: String,
        /// How many attempts were made.
        attempts: u64,
    },
    /// The caller asked to stop.
    #[error("interrupted")]
    Interrupted,
}

/// Shorthand for results of the core.
pub type Result<T> = core::result::Result<T, Error>;

impl Error {
    /// The same error of another population than it says.
    #[must_use]
    pub fn of(mut self, name: &str) -> Self {
        match &mut self {
            Self::StepTooLong { .. } | Self::TraitTooFast { .. } | Self::Input { .. } | Self::Interrupted => {
            }
            Self::TooManyCells { who }
            | Self::TooManyIndividuals { who, .. }
            | Self::OutOfMemory { who, .. }
            | Self::TooManyToCount { who, .. }
            | Self::NeverGrew { who, .. } => name.clone_into(who),
        }
        self
    }

    /// An input error at `place`, in words.
    pub fn input(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Input { place: place.into(), problem: Some(problem.into()), found: None, allowed: None }
    }

    /// An input error at `place`: something else than what was found would do.
    pub fn refused(place: impl Into<String>, found: impl Into<Found>, allowed: impl Into<String>) -> Self {
        let (place, found, allowed) = (place.into(), Some(found.into()), Some(allowed.into()));
        Self::Input { place, problem: None, found, allowed }
    }
}

/// A value that was refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// A number.
    Number(f64),
    /// A whole number.
    Whole(u64),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => value.fmt(f),
            Self::Whole(value) => value.fmt(f),
        }
    }
}

impl From<f64> for Found {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Found {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Found {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<u32> for Found {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

fn said(problem: Option<&String>, found: Option<&Found>, allowed: Option<&String>) -> String {
    let clauses = [
        problem.cloned(),
        found.map(|found| format!("found {found}")),
        allowed.map(|allowed| format!("allowed: {allowed}")),
    ];
    clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `value` if it is finite and within `[low, high]`, else an input error at `place`.
pub fn within(place: impl Into<String>, value: f64, low: f64, high: f64) -> Result<f64> {
    if value.is_finite() && value >= low && value <= high {
        return Ok(value);
    }
    let allowed =
        if high == f64::INFINITY { format!("at least {low}") } else { format!("from {low} to {high}") };
    Err(Error::refused(place, value, allowed))
}
