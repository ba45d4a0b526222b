//! `[fine_tune]`: how selectors are trained into a dense network.

use super::error::ConfigError;
use super::section::Section;
use serde::{Deserialize, Serialize};

/// Hyper-parameters of fine-tuning with selectors, with a linear warm-up and a cosine decay. The defaults are those
/// that the committed weights were made with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FineTuneConfig {
    /// Passes over the training set; each draws every raw image anew.
    pub epochs: u32,
    /// Images per step.
    pub batch: u32,
    /// Peak learning rate of the backbone.
    pub learning_rate: f64,
    /// Peak learning rate of the selectors.
    pub selector_learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Epochs of linear warm-up.
    pub warmup_epochs: u32,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// First epochs, in which decisions are noisy, ever less; those after them decide as inference does.
    pub noise_epochs: u32,
    /// Seed of initial selectors, drawings, order and noise.
    pub seed: u64,
}

impl Default for FineTuneConfig {
    fn default() -> Self {
        Self {
            epochs: 40,
            batch: 32,
            learning_rate: 1e-3,
            selector_learning_rate: 3e-3,
            weight_decay: 0.05,
            warmup_epochs: 1,
            label_smoothing: 0.1,
            noise_epochs: 25,
            seed: 1,
        }
    }
}

pub(super) fn fine_tune(mut section: Section<'_>) -> Result<FineTuneConfig, ConfigError> {
    let d = FineTuneConfig::default();
    let mut whole = |key, range, default| section.whole(key, range).map(|f| f.map_or(default, |f| f.value));
    let epochs = whole("epochs", 1..=100_000, u64::from(d.epochs))?;
    let batch = whole("batch", 1..=65_536, u64::from(d.batch))?;
    let noise = whole("noise_epochs", 0..=100_000, u64::from(d.noise_epochs))?;
    let seed = whole("seed", 0..=u64::MAX, d.seed)?;
    let warmup = section.whole("warmup_epochs", 0..=100_000)?;
    let mut real = |key, range, default| section.real(key, range).map(|f| f.map_or(default, |f| f.value));
    let config = FineTuneConfig {
        epochs: epochs as u32,
        batch: batch as u32,
        learning_rate: real("learning_rate", 1e-9..=10.0, d.learning_rate)?,
        selector_learning_rate: real("selector_learning_rate", 1e-9..=10.0, d.selector_learning_rate)?,
        weight_decay: real("weight_decay", 0.0..=10.0, d.weight_decay)?,
        warmup_epochs: warmup.as_ref().map_or(d.warmup_epochs, |f| f.value as u32),
        label_smoothing: real("label_smoothing", 0.0..=0.9, d.label_smoothing)?,
        noise_epochs: noise as u32,
        seed,
    };
    if config.warmup_epochs >= config.epochs {
        let field = warmup.unwrap_or_else(|| section.default("warmup_epochs", u64::from(d.warmup_epochs)));
        let rule = format!("the warm-up is shorter than fine_tune.epochs ({})", config.epochs);
        return Err(field.illegal(rule, "lower it or train for more epochs"));
    }
    section.finish()?;
    Ok(config)
}
