//! The golden int8 model: the functions of this crate, composed. No float.

mod network;
pub(crate) mod product;
mod scores;
pub mod selector;
mod stage;
mod trace;

pub use network::{run, run_all};
pub use scores::candidate_scores;
pub use trace::{StageCounts, Tensor, Trace};

#[cfg(test)]
mod tests;
