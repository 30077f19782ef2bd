//! What a cell does under drugs: alterations and genotypes, drugs and their kinetics, and the pathway that joins them.

pub mod alteration;
mod downstream;
pub mod drug;
pub mod effect;
pub mod explanation;
pub mod frame;
pub mod genotype;
pub mod kinetics;
pub mod pathway;
pub mod program;
mod shift;
mod ways;
