//! `[train]`: how the network is trained.

use super::error::ConfigError;
use super::section::Section;
use serde::{Deserialize, Serialize};

/// Hyper-parameters of training from scratch, with a linear warm-up and a cosine decay. The defaults are
/// those that the committed weights were made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// Passes over the training set; each draws every raw image anew.
    pub epochs: u32,
    /// Images per step.
    pub batch: u32,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Epochs of linear warm-up.
    pub warmup_epochs: u32,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Seed of initial weights, drawings and order.
    pub seed: u64,
    /// First epochs, in which only `sparse_patches` patches of an image are shown.
    pub sparse_epochs: u32,
    /// Patches shown then: all that the digit touches, filled up with random background.
    pub sparse_patches: u32,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 90,
            batch: 32,
            learning_rate: 3e-3,
            weight_decay: 0.05,
            warmup_epochs: 3,
            label_smoothing: 0.1,
            seed: 1,
            sparse_epochs: 70,
            sparse_patches: 36,
        }
    }
}

pub(super) fn train(mut section: Section<'_>) -> Result<TrainConfig, ConfigError> {
    let d = TrainConfig::default();
    let epochs = section.whole("epochs", 1..=100_000)?;
    let warmup = section.whole("warmup_epochs", 0..=100_000)?;
    let mut whole = |key, range, default| section.whole(key, range).map(|f| f.map_or(default, |f| f.value));
    let batch = whole("batch", 1..=65_536, u64::from(d.batch))?;
    let seed = whole("seed", 0..=u64::MAX, d.seed)?;
    let sparse_epochs = whole("sparse_epochs", 0..=100_000, u64::from(d.sparse_epochs))?;
    let sparse_patches = whole("sparse_patches", 1..=65_536, u64::from(d.sparse_patches))?;
    let mut real = |key, range, default| section.real(key, range).map(|f| f.map_or(default, |f| f.value));
    let config = TrainConfig {
        epochs: epochs.as_ref().map_or(d.epochs, |f| f.value as u32),
        batch: batch as u32,
        learning_rate: real("learning_rate", 1e-9..=10.0, d.learning_rate)?,
        weight_decay: real("weight_decay", 0.0..=10.0, d.weight_decay)?,
        warmup_epochs: warmup.as_ref().map_or(d.warmup_epochs, |f| f.value as u32),
        label_smoothing: real("label_smoothing", 0.0..=0.9, d.label_smoothing)?,
        seed,
        sparse_epochs: sparse_epochs as u32,
        sparse_patches: sparse_patches as u32,
    };
    if config.warmup_epochs >= config.epochs {
        let field = warmup.unwrap_or_else(|| section.default("warmup_epochs", u64::from(d.warmup_epochs)));
        let rule = format!("the warm-up is shorter than train.epochs ({})", config.epochs);
        return Err(field.illegal(rule, "lower it or train for more epochs"));
    }
    section.finish()?;
    Ok(config)
}
