//! What a scan sees: living cells, dead cells that are not yet cleared, and stroma.

use crate::error::{Result, within};
use crate::random::{Purpose, normal, stream};
use serde::{Deserialize, Serialize};

/// Volume of the tumour and the error of measuring it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imaging {
    /// Cells (living, dead or stromal) that fill one cm3.
    pub cells_per_cm3: f64,
    /// Stroma per living tumour cell, in cell volumes, when in balance.
    pub stroma_per_cell: f64,
    /// Days over which stroma follows the living cells.
    pub stroma_days: f64,
    /// Mean days until a dead cell is cleared.
    pub dead_clearance_days: f64,
    /// Standard deviation of the logarithm of a measured diameter.
    pub measurement_sigma: f64,
    /// Diameters below this are not seen, mm.
    pub visible_mm: f64,
    /// Living cells in a lesion that has just become visible.
    pub new_lesion_cells: f64,
}

impl Imaging {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        let at = |key: &str| format!("imaging.{key}");
        within(at("cells_per_cm3"), self.cells_per_cm3, 1e6, 1e11)?;
        within(at("stroma_per_cell"), self.stroma_per_cell, 0.0, 100.0)?;
        within(at("stroma_days"), self.stroma_days, 0.1, 1e5)?;
        within(at("dead_clearance_days"), self.dead_clearance_days, 0.1, 1e5)?;
        within(at("measurement_sigma"), self.measurement_sigma, 0.0, 1.0)?;
        within(at("visible_mm"), self.visible_mm, 0.0, 50.0)?;
        within(at("new_lesion_cells"), self.new_lesion_cells, 1.0, 1e15)?;
        Ok(())
    }

    /// Measured sum of longest diameters of the target lesions, mm. The error of a scan is a
    /// function of patient and day alone, so twins are measured with the same error.
    pub fn sum_of_diameters(
        &self,
        volume_cm3: f64,
        shares: &[f64],
        seed: u64,
        patient: u64,
        day: u64,
    ) -> f64 {
        let rng = &mut stream(seed, patient, Purpose::Scan, day);
        shares
            .iter()
            .map(|share| {
                let error = libm::exp(self.measurement_sigma * normal(rng));
                let diameter = sphere_diameter_mm(volume_cm3 * share * 1000.0);
                if diameter < self.visible_mm { 0.0 } else { diameter * error }
            })
            .sum()
    }

    /// The same without error.
    pub fn true_sum_of_diameters(&self, volume_cm3: f64, shares: &[f64]) -> f64 {
        shares.iter().map(|share| sphere_diameter_mm(volume_cm3 * share * 1000.0)).sum()
    }
}

/// Diameter of a sphere.
pub fn sphere_diameter_mm(volume_mm3: f64) -> f64 {
    libm::cbrt(6.0 * volume_mm3.max(0.0) / core::f64::consts::PI)
}

/// Volume of a sphere.
pub fn sphere_volume_mm3(diameter_mm: f64) -> f64 {
    core::f64::consts::PI / 6.0 * diameter_mm * diameter_mm * diameter_mm
}

/// Matter of the tumour, in cell volumes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Bulk {
    dead: f64,
    stroma: f64,
}

impl Bulk {
    /// Pass `dt` days in which `deaths` cells died and after which `living` live.
    pub fn pass(&mut self, imaging: &Imaging, living: u64, deaths: u64, dt: f64) {
        self.dead += deaths as f64 - self.dead * (dt / imaging.dead_clearance_days).min(1.0);
        let balance = imaging.stroma_per_cell * living as f64;
        self.stroma += (balance - self.stroma) * (dt / imaging.stroma_days).min(1.0);
    }

    /// Keep a share of everything.
    pub(crate) fn thin(&mut self, share: f64) {
        self.dead *= share.min(1.0);
        self.stroma *= share.min(1.0);
    }

    /// Volume of the whole tumour.
    pub fn volume_cm3(&self, imaging: &Imaging, living: u64) -> f64 {
        (living as f64 + self.dead + self.stroma) / imaging.cells_per_cm3
    }
}
