//! Long work with the interpreter lock released: progress is reported and Ctrl-C obeyed at once.

use crate::error::{Error, Result};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const HEARTBEAT: Duration = Duration::from_millis(50);

/// Run `work` on `threads` threads. `progress` is called with the number of finished units.
pub(super) fn run<T: Send>(
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
pub(super) fn alone<T: Send>(
    py: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> Result<T> + Send,
) -> PyResult<T> {
    watched(py, None, |cancel, _| work(cancel))
}

/// Run `work` on a thread of its own, while this one looks at signals and reports progress.
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
        Some(Err(Error::Interrupted)) => Err(Error::Interrupted.into()),
        Some(result) => {
            heartbeat(py, progress, &done)?;
            Ok(result?)
        }
        None => Err(PyRuntimeError::new_err("the worker threads ended without a result")),
    }
}

fn heartbeat(py: Python<'_>, progress: Option<&Py<PyAny>>, done: &AtomicUsize) -> PyResult<()> {
    py.check_signals()?;
    if let Some(report) = progress {
        report.call1(py, (done.load(Ordering::Relaxed),))?;
    }
    Ok(())
}
