//! The golden int8 model: the functions of this crate, composed. No float.
//!
//! [`product`] and [`selector`] define what is computed, together with [`crate::fixed`], [`crate::poly`] and
//! [`crate::layernorm`]. [`Model`] computes the same integers fast: `packed` and `rows` hold the operands as the inner
//! loop `tile` reads them, `lanes` and `level` are what is known of processors, `finish` and `units` turn sums into
//! elements while they are in registers, and `forward` is the order of operations.

mod attention;
mod executor;
mod finish;
mod forward;
mod lanes;
mod level;
mod model;
mod multiply;
mod normalise;
mod observer;
mod packed;
pub mod product;
mod rows;
mod scores;
pub mod selector;
mod stage;
mod tile;
mod trace;
mod units;

pub use executor::Divide;
pub use model::{Model, run};
pub use observer::{Observer, Wanted};
pub use scores::candidate_scores;
pub use trace::{StageCounts, Tensor, Trace};

#[cfg(test)]
mod equality_tests;
#[cfg(test)]
mod naive;
#[cfg(test)]
mod tests;
