//! Token selectors: the decisions that do not depend on an arithmetic. What a selector computes in real numbers
//! is in [`crate::float`], in integers in [`crate::golden`].

mod choices;

pub use choices::{HeadWeights, MergeRule, PackageRule, PairSoftmax, Ties};

/// What the architecture says about selectors; their weights are in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelectorOptions {
    /// Blocks that selectors sit before, rising; empty for a dense network.
    pub stages: Vec<usize>,
    /// Whether heads have weights of their own.
    pub head_weights: HeadWeights,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

/// Most selector heads: the hardware sums that many head weights.
pub const MAX_HEADS: usize = 16;
/// Most stages of a network.
pub const MAX_STAGES: usize = 8;
