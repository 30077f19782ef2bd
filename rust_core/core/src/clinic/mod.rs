//! What a doctor plans, sees and does, and the life of a patient and of a cohort under it.

pub mod cohort;
pub mod instruments;
pub mod months;
pub mod patient;
pub mod plan;
