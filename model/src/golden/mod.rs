//! The golden int8 model: the functions of this crate, composed. No float.

mod network;
pub(crate) mod product;
pub mod selector;
mod stage;
mod trace;

pub use network::{run, run_all};
pub use trace::{StageCounts, Tensor, Trace};

#[cfg(test)]
mod tests;
