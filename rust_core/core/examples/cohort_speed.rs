//! How fast patients are: the experiment of a file, as the door gets it, on one thread.
//!
//! `cargo run --release --example cohort_speed EXPERIMENT.json PATIENTS`

use std::sync::atomic::{AtomicBool, AtomicUsize};
use tumor_abm_core::Result;
use tumor_abm_core::clinic::cohort::Cohort;
use tumor_abm_core::clinic::patient::experiment::Experiment;
use tumor_abm_core::error::Error;

/// CPU time of this process in ms, where the system tells (Linux); elsewhere the time of day.
#[allow(clippy::disallowed_methods, reason = "time is what is measured; no result depends on it")]
fn cpu_ms() -> f64 {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let first: Option<f64> = told.as_deref().and_then(|text| text.split(' ').next()?.parse().ok());
    1e-6 * first.unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().map_or(0.0, |time| time.as_nanos() as f64))
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_default();
    let patients = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(60);
    let text = std::fs::read_to_string(&file).map_err(|error| Error::input(&file, error.to_string()))?;
    let spec = serde_json::from_str(&text).map_err(|error| Error::input(&file, error.to_string()))?;
    let cohort = Cohort::new(Experiment::new(spec)?);
    let start = cpu_ms();
    // Patients run on the threads of a pool: only with one of them is the time that of the process's first thread.
    let mut rows = 0;
    for id in 0..patients {
        let tables = cohort.run(id, 1, &AtomicBool::new(false), &AtomicUsize::new(0))?;
        rows += tables.len();
    }
    println!("{:.2} ms a patient ({rows} tables)", (cpu_ms() - start) / patients as f64);
    Ok(())
}
