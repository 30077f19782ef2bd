//! What a scan sees: living cells, dead cells that are not yet cleared, and stroma.

use crate::bounds::{Bounded, bounded};
use crate::clinic::instruments::response::TOO_SMALL_MM;
use crate::error::Result;
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
    /// Lesions of a smaller diameter have disappeared, mm.
    pub visible_mm: f64,
    /// Living cells in a lesion that has just become visible.
    pub new_lesion_cells: f64,
}

bounded!(Imaging {
    cells_per_cm3: 1e6, 1e11;
    stroma_per_cell: 0.0, 100.0;
    stroma_days: 0.1, 1e5;
    dead_clearance_days: 0.1, 1e5;
    measurement_sigma: 0.0, 1.0;
    visible_mm: 0.0, 50.0;
    new_lesion_cells: 1.0, 1e12;
});

impl Imaging {
    /// Check every number.
    pub fn validate(&self) -> Result<()> {
        self.within_bounds("imaging")
    }

    /// Measured longest diameters of the lesions with `shares` of the volume, mm: 0 once they have
    /// disappeared, and 5 mm while they are seen but too small to be measured. The error of a scan is a
    /// function of patient and day alone, so twins are measured with the same error.
    pub fn diameters(&self, volume_cm3: f64, shares: &[f64], seed: u64, patient: u64, day: u64) -> Vec<f64> {
        let rng = &mut stream(seed, patient, Purpose::Scan, day);
        shares
            .iter()
            .map(|share| {
                let error = libm::exp(self.measurement_sigma * normal(rng));
                let diameter = diameter_mm(volume_cm3 * share);
                if diameter < self.visible_mm { 0.0 } else { (diameter * error).max(TOO_SMALL_MM) }
            })
            .collect()
    }

    /// Living cells in one cm3 of an untreated tumour.
    pub fn living_per_cm3(&self) -> f64 {
        self.cells_per_cm3 / (1.0 + self.stroma_per_cell)
    }

    /// Whether disease of a volume is seen.
    pub fn sees(&self, volume_cm3: f64) -> bool {
        diameter_mm(volume_cm3) >= self.visible_mm
    }

    /// Sum of longest diameters without error, mm.
    pub fn true_sum_of_diameters(&self, volume_cm3: f64, shares: &[f64]) -> f64 {
        shares.iter().map(|share| diameter_mm(volume_cm3 * share)).sum()
    }
}

/// Diameter of disease in one lesion, mm.
pub fn diameter_mm(volume_cm3: f64) -> f64 {
    sphere_diameter_mm(volume_cm3 * 1000.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesion_too_small_to_be_measured_counts_five_millimetres_until_it_has_disappeared() {
        let imaging = Imaging {
            cells_per_cm3: 1e9,
            stroma_per_cell: 0.0,
            stroma_days: 100.0,
            dead_clearance_days: 100.0,
            measurement_sigma: 0.0,
            visible_mm: 2.0,
            new_lesion_cells: 1e8,
        };
        let of = |diameter_mm: f64| {
            let volume_cm3 = sphere_volume_mm3(diameter_mm) / 1000.0;
            imaging.diameters(volume_cm3, &[1.0], 1, 0, 0)[0]
        };
        assert!((of(12.0) - 12.0).abs() < 1e-9);
        assert!((of(4.9) - 5.0).abs() < 1e-9);
        assert!((of(2.1) - 5.0).abs() < 1e-9);
        assert!(of(1.9).abs() < 1e-9);
    }
}
