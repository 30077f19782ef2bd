//! One virtual patient: born from one cell, grown to diagnosis, treated line after line.
//!
//! `experiment` is what is known and asked, `state` all that cannot be computed again, `cache` what follows from both.

pub mod answers;
mod arms;
mod body;
mod cache;
mod care;
pub mod cell_covariate;
mod cells;
mod condition;
pub mod covariates;
mod decision;
pub mod descent;
mod enrolment;
pub mod experiment;
mod fit;
pub mod intervention;
pub mod laws;
mod life;
mod lines;
mod monitoring;
mod notes;
mod past;
pub mod population;
pub mod records;
pub(crate) mod row;
mod saved;
pub mod screening;
pub mod site;
mod snapshot;
pub mod state;
mod stride;
pub(crate) mod tables;
pub mod treatment;
