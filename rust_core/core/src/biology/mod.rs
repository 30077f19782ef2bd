//! What a cell does under drugs: genotype, pharmacology, and the pathway that joins them.

pub mod genotype;
pub mod pathway;
pub mod pharmacology;
