//! What is meant to be done, as data: lines of therapy, whom they are for, and when scans are made.

pub mod arm;
pub(crate) mod branch;
pub mod eligibility;
pub mod end_reason;
pub mod history;
pub mod scan_calendar;
pub(crate) mod scope;
pub mod strategy;
pub mod therapy;
