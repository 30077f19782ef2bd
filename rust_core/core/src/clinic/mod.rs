//! What a doctor sees and does: imaging, response, liquid biopsy, toxicity, strategy, and the life
//! of a patient and of a cohort under them.

mod care;
pub mod cohort;
pub mod covariates;
mod decision;
pub mod endocrine;
pub mod enrolment;
pub mod experiment;
pub mod imaging;
pub mod intervention;
pub mod liquid_biopsy;
mod monitoring;
pub mod patient;
pub mod records;
pub mod response;
mod saved;
pub mod scan_calendar;
pub mod screening;
mod snapshot;
pub mod strategy;
pub mod toxicity;
pub mod treatment;

/// Share of cells at which a gene counts as altered in a tissue biopsy.
pub const FOUND_IN_TISSUE: f64 = 0.05;
/// Days in a month: a year of 365.25 days over 12.
pub const DAYS_PER_MONTH: f64 = 30.4375;
/// Days in a year.
pub const DAYS_PER_YEAR: f64 = 365.25;
