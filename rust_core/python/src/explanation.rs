//! What a pathway says of genotypes under drugs.

use crate::convert::{f64_bytes, from_json};
use crate::error::raised;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tumor_abm_core::biology::explanation;

/// A pathway with alterations and drugs that was found valid.
#[pyclass(module = "tumor_abm._core", frozen)]
pub(crate) struct Explanation(explanation::Explanation);

#[pymethods]
impl Explanation {
    /// Read pathway, alterations and drugs given as JSON, as an experiment has them.
    #[new]
    fn new(known_json: &str) -> PyResult<Self> {
        explanation::Explanation::new(from_json(known_json)?).map(Self).map_err(raised)
    }

    /// Numbers of the pathway as `float64`, for a patient given by the covariates that it reads: by treatment (a concentration per drug), genotype (indices of alterations)
    /// and slot.
    fn numbers<'py>(
        &self,
        py: Python<'py>,
        patient: Vec<f64>,
        treatments: Vec<Vec<f64>>,
        genotypes: Vec<Vec<usize>>,
        slots: Vec<usize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let found =
            py.detach(|| self.0.numbers(&patient, &treatments, &genotypes, &slots)).map_err(raised)?;
        Ok(f64_bytes(py, &found))
    }
}
