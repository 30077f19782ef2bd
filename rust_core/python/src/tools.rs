//! Single functions of the core that Python offers or tests: kinetics, Hill effects, samplers.

use super::convert::u64_bytes;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tumor_abm_core::biology::{effect, kinetics};
use tumor_abm_core::clinic::{instruments::imaging, plan::scan_calendar};
use tumor_abm_core::random;
use tumor_abm_core::schema as core_schema;

/// Fields, bounds and defaults of what an experiment may say, and constants, as JSON.
#[pyfunction]
fn schema() -> String {
    core_schema::schema().to_string()
}

#[pyfunction]
fn oral_concentration(
    amount_over_volume: f64,
    ka: f64,
    ke: f64,
    dose_times: Vec<f64>,
    times: Vec<f64>,
) -> Vec<f64> {
    kinetics::oral_concentration(amount_over_volume, ka, ke, &dose_times, &times)
}

#[pyfunction]
fn hill(concentration: f64, max: f64, ic50: f64, hill: f64) -> f64 {
    effect::hill(concentration, max, ic50, hill)
}

#[pyfunction]
fn bliss(a: f64, b: f64) -> f64 {
    effect::bliss(a, b)
}

#[pyfunction]
fn integrated_hill(max: f64, ic50: f64, hill: f64, c0: f64, ke: f64, tau: f64) -> f64 {
    effect::integrated_hill(max, ic50, hill, c0, ke, tau)
}

#[pyfunction]
fn sphere_diameter_mm(volume_mm3: f64) -> f64 {
    imaging::sphere_diameter_mm(volume_mm3)
}

#[pyfunction]
fn sphere_volume_mm3(diameter_mm: f64) -> f64 {
    imaging::sphere_volume_mm3(diameter_mm)
}

#[pyfunction]
fn first_scan_on_or_after(day: f64, interval_days: f64) -> f64 {
    scan_calendar::first_scan_on_or_after(day, interval_days)
}

#[pyfunction]
fn philox(key: [u64; 2], counter: [u64; 4]) -> [u64; 4] {
    random::block(key, counter)
}

#[pyfunction]
fn philox32(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    random::block(key, counter)
}

#[pyfunction]
fn draw_binomial(py: Python<'_>, seed: u64, n: u64, p: f64, size: usize) -> Bound<'_, PyBytes> {
    let mut rng = random::stream(seed, 0, random::Purpose::Replicate, 0);
    let drawn: Vec<u64> = (0..size).map(|_| random::binomial(&mut rng, n, p)).collect();
    u64_bytes(py, &drawn)
}

#[pyfunction]
fn draw_poisson(py: Python<'_>, seed: u64, mean: f64, size: usize) -> Bound<'_, PyBytes> {
    let mut rng = random::stream(seed, 0, random::Purpose::Replicate, 0);
    let drawn: Vec<u64> = (0..size).map(|_| random::poisson(&mut rng, mean)).collect();
    u64_bytes(py, &drawn)
}

/// Rows of `size` draws, each a split of `n` over `weights`, in row order.
#[pyfunction]
fn draw_split(py: Python<'_>, seed: u64, n: u64, weights: Vec<f64>, size: usize) -> Bound<'_, PyBytes> {
    let mut rng = random::stream(seed, 0, random::Purpose::Replicate, 0);
    let mut drawn = vec![0u64; size * weights.len()];
    for row in drawn.chunks_mut(weights.len().max(1)) {
        random::split(&mut rng, n, &weights, |index, share| row[index] += share);
    }
    u64_bytes(py, &drawn)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(schema, module)?)?;
    module.add_function(wrap_pyfunction!(oral_concentration, module)?)?;
    module.add_function(wrap_pyfunction!(hill, module)?)?;
    module.add_function(wrap_pyfunction!(bliss, module)?)?;
    module.add_function(wrap_pyfunction!(integrated_hill, module)?)?;
    module.add_function(wrap_pyfunction!(sphere_diameter_mm, module)?)?;
    module.add_function(wrap_pyfunction!(sphere_volume_mm3, module)?)?;
    module.add_function(wrap_pyfunction!(first_scan_on_or_after, module)?)?;
    module.add_function(wrap_pyfunction!(philox, module)?)?;
    module.add_function(wrap_pyfunction!(philox32, module)?)?;
    module.add_function(wrap_pyfunction!(draw_binomial, module)?)?;
    module.add_function(wrap_pyfunction!(draw_poisson, module)?)?;
    module.add_function(wrap_pyfunction!(draw_split, module)?)
}
