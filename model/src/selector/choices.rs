//! Every point of the selector that the publications leave open, as a choice with a default and its reason.

use serde::{Deserialize, Serialize};

/// What becomes of dropped tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageRule {
    /// One token behind the kept ones carries their mean, weighted by score; a later stage merges it into its own.
    /// Default: the background stays visible for the price of one row, and there is never more than one.
    #[default]
    Merged,
    /// They vanish.
    None,
}

/// Whether heads have selector weights of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadWeights {
    /// Every head its own. Default: heads look at different things, and the accelerator runs all heads as one
    /// block-diagonal product, so sharing saves nothing there.
    #[default]
    Separate,
    /// All heads the same, as in public code of the predecessor.
    Shared,
}

impl HeadWeights {
    /// Sets of weights for `heads` heads.
    pub fn sets(self, heads: usize) -> usize {
        match self {
            Self::Separate => heads,
            Self::Shared => 1,
        }
    }
}

/// How the two logits of a head become a keep probability.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairSoftmax {
    /// `exp / (exp + exp)`: what the float network means.
    Exact,
    /// The PLAN sigmoid of the difference, which is the same function up to PLAN's error. Default: the slope at
    /// the threshold is exact, a pair needs no divider, and the difference is folded into the weights.
    #[default]
    Plan,
}

impl PairSoftmax {
    /// The keep probability of a logit difference `keep - drop`.
    pub fn keep(self, difference: f64) -> f64 {
        match self {
            Self::Exact => crate::poly::plan::sigmoid_exact(difference),
            Self::Plan => crate::poly::plan::plan_real(difference),
        }
    }
}

/// The weight of an incoming package in the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MergeRule {
    /// The sum of all weights that were merged into it. Default: a token counts the same whenever it was dropped.
    #[default]
    Accumulated,
    /// That of one token with the highest score. Older tokens fade with every stage.
    Single,
}

impl MergeRule {
    /// The weight of an incoming package, from the sum of what was merged into it and the weight of a full token.
    pub fn weight<T>(self, accumulated: T, full: T) -> T {
        match self {
            Self::Accumulated => accumulated,
            Self::Single => full,
        }
    }
}

/// What happens at exactly the threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ties {
    /// Kept. Default: an undecided selector must not lose what is seen.
    #[default]
    Keep,
    /// Dropped.
    Drop,
}

impl Ties {
    /// Whether a token with this score stays.
    pub fn keeps<T: PartialOrd>(self, score: T, threshold: T) -> bool {
        match self {
            Self::Keep => score >= threshold,
            Self::Drop => score > threshold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_do_what_they_say() {
        assert!(Ties::default().keeps(256, 256) && !Ties::Drop.keeps(256, 256));
        assert_eq!((MergeRule::default().weight(900, 512), MergeRule::Single.weight(900, 512)), (900, 512));
        assert_eq!((HeadWeights::Separate.sets(6), HeadWeights::Shared.sets(6)), (6, 1));
        let both = [PairSoftmax::Exact, PairSoftmax::default()].map(|p| (p.keep(1.0), p.keep(0.0)));
        assert!((both[0].0 - 0.731_058_578).abs() < 1e-9 && both[0].1 == 0.5);
        assert_eq!(both[1], (0.75, 0.5));
    }
}
