//! What is trained and how.

use heatvit_model::config::TrainConfig;
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

/// Learning rate at `step` of `steps` when an epoch has `per_epoch`: linear warm-up, cosine decay to zero.
pub(crate) fn learning_rate(config: &TrainConfig, step: usize, steps: usize, per_epoch: usize) -> f64 {
    let warmup = config.warmup_epochs as usize * per_epoch;
    if step < warmup {
        return config.learning_rate * (step + 1) as f64 / warmup as f64;
    }
    let share = (step - warmup) as f64 / (steps - warmup).max(1) as f64;
    config.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_zero() {
        let config = TrainConfig { learning_rate: 2.0, warmup_epochs: 2, ..TrainConfig::default() };
        let rate = |step| learning_rate(&config, step, 24, 2);
        assert_eq!([rate(0), rate(1), rate(3), rate(4)], [0.5, 1.0, 2.0, 2.0]);
        assert!((rate(14) - 1.0).abs() < 1e-12, "half-way down");
        assert!((4..23).all(|step| rate(step + 1) < rate(step)) && rate(23) < 0.02);
    }
}
