//! An experiment, parsed once: check it, run patients of it.

use crate::convert::{from_json, table};
use crate::error::raised;
use crate::long_run;
use crate::patient::Patient;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tumor_abm_core::clinic::cohort::Cohort;
use tumor_abm_core::clinic::patient::experiment;

/// History, candidates, eligible ones, and the conditions with how many were asked and met each.
type Screened = (String, u64, u64, Vec<(String, u64, u64)>);

/// An experiment that was found valid.
#[pyclass(module = "tumor_abm._core", frozen)]
pub(crate) struct Experiment {
    cohort: Cohort,
}

#[pymethods]
impl Experiment {
    /// Read an experiment given as JSON, and check all but its step length.
    #[new]
    fn new(py: Python<'_>, spec_json: &str) -> PyResult<Self> {
        let spec = from_json(spec_json)?;
        let checked = py.detach(|| experiment::Experiment::new(spec)).map_err(raised)?;
        Ok(Self { cohort: Cohort::new(checked) })
    }

    /// Check that the step is short enough for the first `patients` patients.
    fn check(&self, py: Python<'_>, patients: u64) -> PyResult<()> {
        long_run::alone(py, |cancel| self.cohort.check_step(patients, cancel))
    }

    /// What became of some candidates of every history of whom anything is asked:
    /// `(history, candidates, eligible, [(condition, asked, met)])`.
    #[pyo3(signature = (threads, progress=None))]
    fn screen(&self, py: Python<'_>, threads: usize, progress: Option<Py<PyAny>>) -> PyResult<Vec<Screened>> {
        let screenings =
            long_run::run(py, threads, progress.as_ref(), |cancel, done| self.cohort.screen(cancel, done))?;
        let told = screenings.into_iter().map(|screening| {
            let conditions = screening.conditions.into_iter();
            let conditions =
                conditions.map(|condition| (condition.name.into_owned(), condition.asked, condition.met));
            (screening.history, screening.candidates, screening.eligible, conditions.collect())
        });
        Ok(told.collect())
    }

    /// Run the patients `first_patient .. first_patient + patients` through every arm.
    #[pyo3(signature = (first_patient, patients, threads, progress=None))]
    fn simulate<'py>(
        &self,
        py: Python<'py>,
        first_patient: u64,
        patients: u64,
        threads: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let tables = long_run::run(py, threads, progress.as_ref(), |cancel, done| {
            self.cohort.run(first_patient, patients, cancel, done)
        })?;
        let out = PyDict::new(py);
        for (name, columns) in tables {
            out.set_item(name, table(py, columns)?)?;
        }
        Ok(out)
    }

    /// Grow the tumour of a patient, live through the prior lines, and enter the arm, or none.
    #[pyo3(signature = (patient, arm=None))]
    fn patient(&self, py: Python<'_>, patient: u64, arm: Option<usize>) -> PyResult<Patient> {
        Patient::entered(py, self.cohort.experiment(), patient, arm)
    }
}
