//! The optimizer: Muon for the blocks' matrices, AdamW for everything else.
//!
//! Muon turns each update of a matrix into a nearly orthogonal one. With its steps scaled to the size of
//! AdamW's, one learning rate serves both, and a small transformer needs far fewer images.

use burn::module::ParamGroup;
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamWConfig, AdjustLrFn, ModuleOptimizer, MuonConfig};

use crate::network::Network;

/// The optimizer of `network`.
pub(crate) fn optimizer(network: &Network, weight_decay: f64) -> ModuleOptimizer {
    let decay = weight_decay as f32;
    let others = adamw(weight_decay);
    let matrices = network
        .blocks
        .iter()
        .flat_map(|block| [&block.qkv, &block.proj, &block.fc1, &block.fc2])
        .map(|linear| linear.weight.id)
        .collect();
    let muon = MuonConfig::new()
        .with_adjust_lr_fn(AdjustLrFn::MatchRmsAdamW)
        .with_weight_decay(Some(WeightDecayConfig::new(decay)))
        .build();
    others.with_group(ParamGroup::from_ids(matrices), muon, None)
}

/// The optimizer of selectors: their matrices are too small for Muon to gain anything.
pub(crate) fn selector_optimizer(weight_decay: f64) -> ModuleOptimizer {
    adamw(weight_decay)
}

fn adamw(weight_decay: f64) -> ModuleOptimizer {
    AdamWConfig::new().with_beta_2(0.98).with_epsilon(1e-8).with_weight_decay(weight_decay as f32).init()
}
