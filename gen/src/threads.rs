//! The threads of a command.

use crate::error::GenError;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A pool of so many threads; one per core when absent.
///
/// # Errors
/// More threads than the system gives.
pub fn pool(threads: Option<usize>) -> Result<ThreadPool, GenError> {
    ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build().map_err(|e| GenError::Argument {
        argument: "--threads".to_owned(),
        problem: format!("no such number of threads: {e}"),
        remedy: "use fewer".to_owned(),
    })
}
