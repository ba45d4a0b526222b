//! What is trained and how.

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// Shape of the network: a plain pre-norm vision transformer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkShape {
    /// Width of a token.
    pub embed: usize,
    /// Number of blocks.
    pub depth: usize,
    /// Attention heads of a block.
    pub heads: usize,
    /// Hidden width of the MLP.
    pub hidden: usize,
    /// Added to the variance in LayerNorm.
    pub eps: f64,
}

/// Hyper-parameters: AdamW, linear warm-up, cosine decay to zero.
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

impl TrainConfig {
    /// Factor of the learning rate at `step` of `steps` when an epoch has `per_epoch`.
    pub(crate) fn rate(&self, step: usize, steps: usize, per_epoch: usize) -> f64 {
        let warmup = self.warmup_epochs as usize * per_epoch;
        if step < warmup {
            return self.learning_rate * (step + 1) as f64 / warmup as f64;
        }
        let share = (step - warmup) as f64 / (steps - warmup).max(1) as f64;
        self.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
    }
}

/// Refuses what the loop or the framework could only fail on later.
pub(crate) fn check(shape: &NetworkShape, config: &TrainConfig, images: usize) -> Result<(), TrainError> {
    let refuse = |key, value: String, remedy: &str| Err(TrainError::Config { key, value, remedy: remedy.to_owned() });
    if shape.heads == 0 || !shape.embed.is_multiple_of(shape.heads) || shape.embed == 0 {
        return refuse("model.heads", shape.heads.to_string(), "choose a divisor of model.embed");
    }
    let batch = config.batch as usize;
    if batch == 0 || batch > images {
        let remedy = format!("choose 1..={images}, the training set has no more images");
        return refuse("train.batch", batch.to_string(), &remedy);
    }
    // The largest digit touches 6 x 6 patches, and all of them are shown.
    if config.sparse_epochs > 0 && config.sparse_patches < 36 {
        let value = config.sparse_patches.to_string();
        return refuse("train.sparse_patches", value, "choose at least 36, a large digit covers that many");
    }
    Ok(())
}
