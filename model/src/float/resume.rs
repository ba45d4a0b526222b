//! The rest of a network, from a stream in its midst on.

use super::forward::Pass;
use super::prune::{Decision, Tokens};
use super::{Engine, Folded};
use crate::golden::Trace;
use std::collections::BTreeMap;

/// The halves of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Half {
    /// The selector before the block, if there is one, and `norm1` to `attn.residual`.
    Attention,
    /// `norm2` to `residual`.
    Mlp,
}

/// Logits of the rest of a network, from the given half of a block on, on a stream `[rows][embed]`. `decided` has the
/// decisions of all selectors before that place, by their blocks; those of others are taken as they are, too.
pub fn resume(
    network: &Folded,
    engine: Engine,
    (block, half): (usize, Half),
    x: Vec<f32>,
    decided: &BTreeMap<usize, Decision>,
) -> Vec<f32> {
    let mut pass = Pass { network, engine, wanted: &|name| name == "logits", trace: Trace::default() };
    let selector = |i: usize| network.selectors.iter().find(move |s| s.block == i);
    let passed = network.selectors.iter().filter(|s| (s.block, Half::Attention) < (block, half));
    let mut tokens = Tokens { x, candidates_and_class: network.dims.tokens, package: None };
    for s in passed {
        if let Some(decision) = decided.get(&s.block) {
            tokens.count(s, decision);
        }
    }
    for (i, b) in network.blocks.iter().enumerate().skip(block) {
        if i > block || half == Half::Attention {
            match (selector(i), decided.get(&i)) {
                (Some(s), Some(decision)) => pass.drop_tokens(s, decision, &mut tokens),
                (Some(s), None) => pass.stage(s, &mut tokens),
                (None, _) => {}
            }
            pass.attention(i, b, &mut tokens.x);
        }
        pass.mlp(i, b, &mut tokens.x);
    }
    pass.classify(&tokens.x).logits().to_vec()
}
