//! Experiments: check one, run patients of one.

use super::convert::{from_json, table};
use super::long_run;
use crate::clinic::cohort::Cohort;
use crate::clinic::experiment::{Experiment, Spec};
use pyo3::prelude::*;
use pyo3::types::PyDict;

fn read(spec_json: &str) -> PyResult<Experiment> {
    Ok(Experiment::new(from_json::<Spec>(spec_json)?)?)
}

/// Check an experiment given as JSON, and its step length for the first `patients` patients.
#[pyfunction]
#[pyo3(signature = (spec_json, patients=0))]
pub(super) fn check(spec_json: &str, patients: u64) -> PyResult<()> {
    Ok(Cohort::new(read(spec_json)?).check_step(patients)?)
}

/// Run the patients `first_patient .. first_patient + patients` through every arm.
#[pyfunction]
#[pyo3(signature = (spec_json, first_patient, patients, threads, progress=None))]
pub(super) fn simulate<'py>(
    py: Python<'py>,
    spec_json: &str,
    first_patient: u64,
    patients: u64,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let cohort = Cohort::new(read(spec_json)?);
    let tables = long_run::run(py, threads, progress.as_ref(), |cancel, done| {
        cohort.run(first_patient, patients, cancel, done)
    })?;
    let out = PyDict::new(py);
    for (name, columns) in &tables {
        out.set_item(name, table(py, columns)?)?;
    }
    Ok(out)
}
