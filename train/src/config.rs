//! What is trained and how.

use heatvit_model::config::{FineTuneConfig, TrainConfig};
use heatvit_model::selector::{HeadWeights, PackageRule};
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

/// Where selectors are inserted, and what they shall leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelectorSpec {
    /// Blocks that have one before them, ascending.
    pub stages: Vec<usize>,
    /// Share of all candidates that is left after each, on average.
    pub targets: Vec<f64>,
    /// Whether heads have weights of their own.
    pub head_weights: HeadWeights,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

/// Learning rate at `step` of `steps` when an epoch has `per_epoch`: linear warm-up, cosine decay to zero.
pub(crate) fn learning_rate(config: &TrainConfig, step: usize, steps: usize, per_epoch: usize) -> f64 {
    scheduled(config.learning_rate, step, steps, config.warmup_epochs as usize * per_epoch)
}

/// Linear rise to `peak` in the first `warmup` of `steps` steps, then a cosine down to zero.
pub(crate) fn scheduled(peak: f64, step: usize, steps: usize, warmup: usize) -> f64 {
    if step < warmup {
        return peak * (step + 1) as f64 / warmup as f64;
    }
    let share = (step - warmup) as f64 / (steps - warmup).max(1) as f64;
    peak * 0.5 * (1.0 + (std::f64::consts::PI * share).cos())
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

/// The same for the second phase.
pub(crate) fn check_fine_tuning(
    shape: &NetworkShape,
    config: &FineTuneConfig,
    spec: &SelectorSpec,
    images: usize,
) -> Result<(), TrainError> {
    let refuse = |key, value: String, remedy: &str| Err(TrainError::Config { key, value, remedy: remedy.to_owned() });
    if shape.heads == 0 || !shape.embed.is_multiple_of(4 * shape.heads) || shape.embed == 0 {
        return refuse("model.heads", shape.heads.to_string(), "choose heads of a multiple of 4 channels");
    }
    let batch = config.batch as usize;
    if batch == 0 || batch > images {
        let remedy = format!("choose 1..={images}, the training set has no more images");
        return refuse("fine_tune.batch", batch.to_string(), &remedy);
    }
    if config.epochs == 0 {
        return refuse("fine_tune.epochs", "0".to_owned(), "train for at least one epoch");
    }
    let ordered = spec.stages.is_sorted_by(|a, b| a < b) && spec.stages.last().is_some_and(|b| *b < shape.depth);
    if !ordered {
        let remedy = format!("choose ascending blocks below {}", shape.depth);
        return refuse("selectors.stages", format!("{:?}", spec.stages), &remedy);
    }
    let falling = spec.targets.is_sorted_by(|a, b| a >= b) && spec.targets.iter().all(|t| *t > 0.0 && *t <= 1.0);
    if !falling || spec.targets.len() != spec.stages.len() {
        let remedy = "give each stage a share above 0, none larger than the one before";
        return refuse("selectors.targets", format!("{:?}", spec.targets), remedy);
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
