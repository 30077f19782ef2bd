//! Within what numbers must lie, listed once: for the check, and for whoever asks.

use crate::error::{Result, within};

/// The smallest number that counts as above zero.
pub const ABOVE_ZERO: f64 = f64::MIN_POSITIVE;

/// A field of a structure, and within what it must lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Its name.
    pub field: &'static str,
    /// The least that will do.
    pub low: f64,
    /// The most that will do.
    pub high: f64,
}

/// What has numbers with bounds.
pub trait Bounded {
    /// All of them, in the order of their check.
    const BOUNDS: &'static [Bound];

    /// An error for the first number that lies outside, at `place` and its name.
    fn within_bounds(&self, place: &str) -> Result<()>;
}

/// A number, or none.
pub trait Number {
    /// Its value.
    fn number(&self) -> Option<f64>;
}

impl Number for f64 {
    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

impl Number for u32 {
    fn number(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl Number for u64 {
    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl Number for usize {
    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }
}

impl<T: Number> Number for Option<T> {
    fn number(&self) -> Option<f64> {
        self.as_ref().and_then(Number::number)
    }
}

impl Bound {
    /// An error if a number lies outside; what is not there lies nowhere.
    pub fn check(&self, place: &str, value: &impl Number) -> Result<()> {
        let Some(value) = value.number() else { return Ok(()) };
        within(format!("{place}.{}", self.field), value, self.low, self.high).map(|_| ())
    }
}

/// The bounds of a structure: `bounded!(Imaging { visible_mm: 0.0, 50.0; });`. A name that is no field does not compile.
macro_rules! bounded {
    ($type:ty { $($field:ident: $low:expr, $high:expr;)* }) => {
        impl $crate::bounds::Bounded for $type {
            const BOUNDS: &'static [$crate::bounds::Bound] = &[
                $($crate::bounds::Bound { field: stringify!($field), low: $low, high: $high }),*
            ];

            fn within_bounds(&self, place: &str) -> $crate::error::Result<()> {
                $(
                    let bound = $crate::bounds::Bound { field: stringify!($field), low: $low, high: $high };
                    bound.check(place, &self.$field)?;
                )*
                Ok(())
            }
        }
    };
}

pub(crate) use bounded;
