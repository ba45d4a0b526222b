//! The network in real numbers: the reference that accuracy is measured against, and the same network
//! with the polynomial units, which tells the error of the polynomials from the error of the integers.
//!
//! Results are the same on every machine: sums have a fixed order, and exp and erf come from `libm`,
//! not from the platform's mathematics library.

mod fold;
mod fold_selector;
mod forward;
mod network;
mod product;
mod prune;
mod resume;
mod selector;
mod units;

pub use fold::{Folded, FoldedBlock, fold};
pub use fold_selector::FoldedSelector;
pub use forward::{Engine, forward, forward_all, forward_folded, forward_wanted};
pub use network::{FloatBlock, FloatLinear, FloatNetwork, FloatNorm, NetworkOptions};
pub(crate) use product::{gram, linear};
pub use prune::Decision;
pub use resume::{Half, resume};
pub use selector::{FloatSelector, HeadLinear};
pub use units::{exp_exact, exp_poly, gelu_exact, normalise};

#[cfg(test)]
mod selector_tests;
#[cfg(test)]
mod tests;
