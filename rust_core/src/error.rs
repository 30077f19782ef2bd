//! What can go wrong, as values with a place.

/// Everything the core can refuse or fail at.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks a rule; `place` is the key path a user can find.
    #[error("{place}: {message}")]
    Input {
        /// Where, as a key path such as `arm[1].line[0].regimen`.
        place: String,
        /// What was found and what is allowed.
        message: String,
    },
    /// The step is too long for the rates of a living clone.
    #[error(
        "dt = {dt} day is too long for {who}: (b + d) * dt = {probability:.3} exceeds 0.5 \
         (b = {division:.6} per day, d = {death:.6} per day); dt <= {allowed:.6} would do"
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
        allowed: f64,
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

    /// An input error at `place`.
    pub fn input(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Input { place: place.into(), message: message.into() }
    }
}

/// `value` if it is finite and within `[low, high]`, else an input error at `place`.
pub fn within(place: impl Into<String>, value: f64, low: f64, high: f64) -> Result<f64> {
    if value.is_finite() && value >= low && value <= high {
        return Ok(value);
    }
    let allowed =
        if high == f64::INFINITY { format!("at least {low}") } else { format!("from {low} to {high}") };
    Err(Error::input(place, format!("found {value}; allowed: {allowed}")))
}
