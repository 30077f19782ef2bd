//! Experiments: check one, run patients of one.

use super::convert::{from_json, table};
use super::long_run;
use crate::error::raised;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tumor_abm_core::clinic::cohort::Cohort;
use tumor_abm_core::clinic::patient::experiment::{Experiment, Spec};

/// History, candidates, eligible ones, and the conditions with how many were asked and met each.
type Screened = (String, u64, u64, Vec<(&'static str, u64, u64)>);

fn read(spec_json: &str) -> PyResult<Experiment> {
    Experiment::new(from_json::<Spec>(spec_json)?).map_err(raised)
}

/// Check an experiment given as JSON, and its step length for the first `patients` patients.
#[pyfunction]
#[pyo3(signature = (spec_json, patients=0))]
pub(crate) fn check(py: Python<'_>, spec_json: &str, patients: u64) -> PyResult<()> {
    let cohort = Cohort::new(read(spec_json)?);
    long_run::alone(py, |cancel| cohort.check_step(patients, cancel))
}

/// What became of some candidates of every history of whom anything is asked:
/// `(history, candidates, eligible, [(condition, asked, met)])`.
#[pyfunction]
#[pyo3(signature = (spec_json, threads, progress=None))]
pub(crate) fn screen(
    py: Python<'_>,
    spec_json: &str,
    threads: usize,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<Screened>> {
    let cohort = Cohort::new(read(spec_json)?);
    let screenings =
        long_run::run(py, threads, progress.as_ref(), |cancel, done| cohort.screen(cancel, done))?;
    let told = screenings.into_iter().map(|screening| {
        let conditions = screening.conditions.into_iter();
        let conditions = conditions.map(|condition| (condition.name, condition.asked, condition.met));
        (screening.history, screening.candidates, screening.eligible, conditions.collect())
    });
    Ok(told.collect())
}

/// Run the patients `first_patient .. first_patient + patients` through every arm.
#[pyfunction]
#[pyo3(signature = (spec_json, first_patient, patients, threads, progress=None))]
pub(crate) fn simulate<'py>(
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
