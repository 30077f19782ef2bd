//! How cells become a tumour: the engines.

pub mod clones;
pub mod lattice;
pub mod population;
pub mod replicate;
