//! The door to Python: converts, releases the interpreter lock, maps errors. No algorithm.

#![allow(clippy::needless_pass_by_value, reason = "PyO3 hands extracted arguments over by value")]

mod convert;
mod error;
mod experiment;
mod explanation;
mod long_run;
mod patient;
mod population;
mod tools;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("GENERATOR", "Philox4x64-10")?;
    module.add("DAYS_PER_MONTH", tumor_abm_core::clinic::months::DAYS_PER_MONTH)?;
    module.add_class::<experiment::Experiment>()?;
    module.add_class::<explanation::Explanation>()?;
    module.add_class::<patient::Patient>()?;
    module.add_class::<population::Population>()?;
    module.add_function(wrap_pyfunction!(population::replicate, module)?)?;
    module.add_function(wrap_pyfunction!(population::subtree, module)?)?;
    module.add_function(wrap_pyfunction!(population::descendants, module)?)?;
    module.add_function(wrap_pyfunction!(long_run::interruptible, module)?)?;
    tools::register(module)
}
