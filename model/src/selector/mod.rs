//! Token selectors: the decisions that do not depend on an arithmetic. What a selector computes in real numbers
//! is in [`crate::float`], in integers in [`crate::golden`].

mod choices;

pub use choices::{HeadWeights, MergeRule, PackageRule, PairSoftmax, Ties};

/// Most selector heads: the hardware sums that many head weights.
pub const MAX_HEADS: usize = 16;
/// Most stages of a network.
pub const MAX_STAGES: usize = 8;
