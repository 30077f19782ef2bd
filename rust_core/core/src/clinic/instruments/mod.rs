//! What a doctor sees: scans and how they are read, liquid biopsies, blood.

pub mod imaging;
pub mod liquid_biopsy;
pub mod response;
pub mod toxicity;
