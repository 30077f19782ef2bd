//! One patient, stepped.

use super::convert::{from_json, table, u16_bytes, u32_bytes, u32_values, u64_bytes};
use super::long_run;
use crate::error::raised;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use std::sync::Arc;
use tumor_abm_core::cancel::NEVER;
use tumor_abm_core::clinic::patient::experiment::Experiment;
use tumor_abm_core::clinic::patient::records::Assessment;
use tumor_abm_core::clinic::patient::state;
use tumor_abm_core::error::Error;

/// Individuals or clones times steps that are over before anybody could want to interrupt them.
const SHORT: u64 = 100_000;

/// Nodes, remembered ones, clones and founders.
type Lines<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>);

/// A virtual patient in one arm of an experiment.
#[pyclass(module = "tumor_abm._core")]
pub(crate) struct Patient {
    inner: state::Patient,
}

impl Patient {
    /// A patient on the first day of an arm, or of treatment by hand.
    pub(crate) fn entered(
        py: Python<'_>,
        experiment: &Arc<Experiment>,
        patient: u64,
        arm: Option<usize>,
    ) -> PyResult<Self> {
        let inner = long_run::alone(py, |cancel| {
            let mut inner = state::Patient::enrolled_early(experiment, patient, cancel)?;
            if let Some(index) = arm.filter(|&arm| !inner.lives(arm)) {
                let message = format!("patient {patient} is not among those whom arm {index} is about");
                return Err(Error::input("patient", message));
            }
            inner.enter(arm)?;
            Ok(inner)
        })?;
        Ok(Self { inner })
    }
}

#[pymethods]
impl Patient {
    /// The patient whom `save` wrote.
    #[staticmethod]
    fn load(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self { inner: py.detach(|| state::Patient::load(bytes)).map_err(raised)? })
    }

    /// Take steps of `dt`; after the end of follow-up nothing changes any more.
    #[pyo3(signature = (steps=1))]
    fn step(&mut self, py: Python<'_>, steps: u64) -> PyResult<()> {
        let inner = &mut self.inner;
        if inner.items().max(1).saturating_mul(steps) < SHORT {
            py.detach(|| inner.advance(steps, &NEVER)).map_err(raised)?;
            return long_run::check_interrupts(py);
        }
        long_run::alone(py, |cancel| inner.advance(steps, cancel))
    }

    /// Carry out a decision given as JSON.
    fn intervene(&mut self, decision_json: &str) -> PyResult<()> {
        self.inner.intervene(&from_json(decision_json)?).map_err(raised)
    }

    /// A copy of the whole state, random streams included; with a seed, a future of its own.
    #[pyo3(signature = (seed=None))]
    fn fork(&self, py: Python<'_>, seed: Option<u64>) -> Self {
        let inner = &self.inner;
        Self { inner: py.detach(|| seed.map_or_else(|| inner.clone(), |seed| inner.fork(seed))) }
    }

    /// The whole state as bytes.
    fn save<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let inner = &self.inner;
        Ok(PyBytes::new(py, &py.detach(|| inner.save()).map_err(raised)?))
    }

    #[getter]
    fn day(&self) -> f64 {
        self.inner.time()
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.inner.status().name()
    }

    #[getter]
    fn cells(&self) -> u64 {
        self.inner.cells()
    }

    /// Scans read since enrolment.
    #[getter]
    fn scans(&self) -> usize {
        self.inner.records().assessments.len()
    }

    /// What is constant: patient, arm, step in days, last day of follow-up, engine, assay.
    fn about<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        out.set_item("patient", self.inner.id())?;
        out.set_item("arm", self.inner.arm())?;
        out.set_item("dt", self.inner.dt())?;
        out.set_item("horizon_day", self.inner.horizon_day())?;
        out.set_item("engine", self.inner.engine())?;
        out.set_item("scale", self.inner.scale())?;
        out.set_item("limit_of_detection", self.inner.limit_of_detection())?;
        Ok(out)
    }

    /// The patient as seen now.
    fn today<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = &self.inner;
        let out = PyDict::new(py);
        out.set_item("day", inner.time())?;
        out.set_item("status", inner.status().name())?;
        out.set_item("line", inner.line())?;
        out.set_item("regimen", inner.regimen())?;
        out.set_item("cells", inner.cells())?;
        out.set_item("volume_cm3", inner.volume_cm3())?;
        out.set_item("sld_mm", inner.true_sld_mm())?;
        out.set_item("neutrophils", inner.neutrophils())?;
        out.set_item("shed_per_day", inner.shed_per_day())?;
        out.set_item("scan", inner.last_scan().map(|scan| scan_dict(py, scan)).transpose()?)?;
        let ctdna = PyDict::new(py);
        for (gene, vaf) in inner.last_biopsy() {
            ctdna.set_item(gene, vaf)?;
        }
        out.set_item("ctdna", ctdna)?;
        Ok(out)
    }

    /// Drugs of the running line, as they can be given again.
    fn regimen<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let given = self.inner.dosings();
        given
            .iter()
            .map(|dosing| {
                let out = PyDict::new(py);
                out.set_item("drug", &dosing.drug)?;
                out.set_item("dose", dosing.dose)?;
                if let Some(schedule) = &dosing.schedule {
                    out.set_item("days", schedule.days.clone())?;
                    out.set_item("cycle_days", schedule.cycle_days)?;
                    out.set_item("doses_per_day", schedule.doses_per_day)?;
                    out.set_item("loading_days", schedule.loading_days.clone())?;
                }
                Ok(out)
            })
            .collect()
    }

    /// Ids of the living clones, as a buffer.
    #[getter]
    fn clone_ids<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        u64_bytes(py, &self.inner.clone_ids())
    }

    fn clones<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.inner.clone_table())
    }

    fn genotypes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.inner.genotype_table())
    }

    /// Clones that died out; `None` unless they are remembered.
    fn extinct<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.inner.extinct_table().map(|extinct| table(py, extinct)).transpose()
    }

    /// Living counted clones; ids are those that counted clones have among themselves.
    fn counted<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.inner.counted_table())
    }

    /// Living individuals, and their places if they have some; `None` if their genealogy is not recorded.
    fn individuals<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let individuals = self.inner.individual_table().map_err(raised)?;
        individuals.map(|individuals| table(py, individuals)).transpose()
    }

    /// Remember individuals, by their rows in their table as `u32`; how many were remembered before.
    fn remember(&mut self, rows: &[u8]) -> PyResult<u32> {
        self.inner.remember(&u32_values(rows).collect::<Vec<u32>>()).map_err(raised)
    }

    /// Nodes of individuals, those of remembered ones as `u32`, counted clones, and founders of individuals;
    /// `None` if their genealogy is not recorded.
    fn lines<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Lines<'py>>> {
        let Some(lines) = self.inner.lines().map_err(raised)? else { return Ok(None) };
        Ok(Some((
            table(py, lines.nodes)?,
            u32_bytes(py, &lines.remembered),
            table(py, lines.clones)?,
            table(py, lines.founders)?,
        )))
    }

    fn drugs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.inner.drug_table())
    }

    fn covariates<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        table(py, self.inner.covariate_table())
    }

    /// Origin, shape and genotypes (0: free) of the box of sites that holds the tumour.
    fn sites<'py>(&self, py: Python<'py>) -> Option<(Vec<i32>, Vec<usize>, Bound<'py, PyBytes>)> {
        let inner = &self.inner;
        let sites = py.detach(|| inner.sites())?;
        Some((sites.origin, sites.shape, u16_bytes(py, &sites.genotypes)))
    }

    /// Living cells per genotype.
    fn composition(&self) -> Vec<(String, u64)> {
        self.inner.composition()
    }

    /// Names of the genotypes met so far, by their number.
    fn genotype_names(&self) -> Vec<String> {
        self.inner.genotype_names()
    }

    /// The alterations of each of them.
    fn genotype_alterations(&self) -> Vec<Vec<String>> {
        self.inner.genotype_alterations()
    }

    /// What is written down so far: the tables of a batch run, of this patient and arm.
    fn records<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for (name, columns) in self.inner.tables() {
            out.set_item(name, table(py, columns)?)?;
        }
        Ok(out)
    }
}

fn scan_dict<'py>(py: Python<'py>, scan: &Assessment) -> PyResult<Bound<'py, PyDict>> {
    let known = |value: f64| (!value.is_nan()).then_some(value);
    let out = PyDict::new(py);
    out.set_item("day", scan.day)?;
    out.set_item("line", scan.line)?;
    out.set_item("sld_mm", known(scan.sld_mm))?;
    out.set_item("sld_change", known(scan.sld_change))?;
    out.set_item("new_lesions", scan.new_lesions)?;
    out.set_item("response", scan.response.code())?;
    Ok(out)
}
