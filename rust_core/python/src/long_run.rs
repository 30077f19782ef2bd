//! Long work with the interpreter lock released: progress is reported, and Ctrl-C or whoever else may interrupt it
//! obeyed at once.

use crate::error::raised;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use tumor_abm_core::error::{Error, Result};

const HEARTBEAT: Duration = Duration::from_millis(50);

thread_local! {
    /// Whom the work that this thread asks for asks whether to go on.
    static ASKED: RefCell<Option<Py<PyAny>>> = const { RefCell::new(None) };
}

/// Call `work`. What it has the core do calls `heartbeat` every 50 ms and at its end, and ends with what that
/// raises: so another thread than the main one, which alone gets signals, can be interrupted.
#[pyfunction]
pub(crate) fn interruptible(py: Python<'_>, work: Py<PyAny>, heartbeat: Py<PyAny>) -> PyResult<Py<PyAny>> {
    let before = ASKED.replace(Some(heartbeat));
    let result = work.call0(py);
    ASKED.set(before);
    result
}

/// Look at signals, and ask whoever may interrupt this thread.
pub(crate) fn check_interrupts(py: Python<'_>) -> PyResult<()> {
    py.check_signals()?;
    let asked = ASKED.with_borrow(|asked| asked.as_ref().map(|heartbeat| heartbeat.clone_ref(py)));
    asked.map_or(Ok(()), |heartbeat| heartbeat.call0(py).map(drop))
}

/// Run `work` on `threads` threads. `progress` is called with the number of finished units.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    threads: usize,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&AtomicBool, &AtomicUsize) -> Result<T> + Send,
) -> PyResult<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    watched(py, progress, |cancel, done| pool.install(|| work(cancel, done)))
}

/// Run `work` that needs one thread.
pub(crate) fn alone<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> Result<T> + Send,
) -> PyResult<T> {
    watched(py, None, |cancel, _| work(cancel))
}

/// Run `work` on a thread of its own, while this one looks at interrupts and reports progress.
fn watched<T: Send>(
    py: Python<'_>,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&AtomicBool, &AtomicUsize) -> Result<T> + Send,
) -> PyResult<T> {
    let (cancel, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (sender, mut receiver) = channel();
    let mut signal: PyResult<()> = Ok(());
    let outcome = std::thread::scope(|scope| {
        let (cancel, done) = (&cancel, &done);
        scope.spawn(move || {
            let result = work(cancel, done);
            // The receiver outlives the work; a failed send means nobody waits any more.
            let _ = sender.send(result);
        });
        loop {
            // The receiver cannot be shared between threads, so it travels.
            let message;
            (message, receiver) = py.detach(move || (receiver.recv_timeout(HEARTBEAT), receiver));
            match message {
                Ok(result) => return Some(result),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    if signal.is_ok() {
                        signal = heartbeat(py, progress, done);
                        if signal.is_err() {
                            cancel.store(true, Ordering::Relaxed);
                        }
                    }
                }
            }
        }
    });
    signal?;
    match outcome {
        Some(Err(Error::Interrupted)) => Err(raised(Error::Interrupted)),
        Some(result) => {
            heartbeat(py, progress, &done)?;
            result.map_err(raised)
        }
        None => Err(PyRuntimeError::new_err("the worker threads ended without a result")),
    }
}

fn heartbeat(py: Python<'_>, progress: Option<&Py<PyAny>>, done: &AtomicUsize) -> PyResult<()> {
    check_interrupts(py)?;
    if let Some(report) = progress {
        report.call1(py, (done.load(Ordering::Relaxed),))?;
    }
    Ok(())
}
