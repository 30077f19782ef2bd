//! What a month and a year are.

/// Days in a month: a year of 365.25 days over 12.
pub const DAYS_PER_MONTH: f64 = 30.4375;
/// Days in a year.
pub const DAYS_PER_YEAR: f64 = 365.25;
/// Nothing is planned for longer.
pub const MOST_MONTHS: f64 = 1e4;
