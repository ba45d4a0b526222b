//! What a training did, in a form that is committed beside the weights: no times, so that it is the same
//! for the same configuration.

use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{FineTuneConfig, FineTuneEpoch, IntegerSurvey, NetworkShape, SelectorSpec, TrainConfig};

/// One point of the curve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean training loss.
    pub loss: f32,
    /// Accuracy on the validation set (0..1), where measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<f64>,
}

/// A finished training.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was trained.
    pub network: NetworkShape,
    /// And how.
    pub train: TrainConfig,
    /// SHA-256 of the two as JSON.
    pub config_digest: String,
    /// The epoch whose weights were kept.
    pub best_epoch: u32,
    /// Their accuracy on the validation set, by which they were chosen.
    pub validation_accuracy: f64,
    /// Their accuracy on the test set, measured once at the end.
    pub test_accuracy: f64,
    /// The curve.
    pub epochs: Vec<EpochReport>,
    /// The network with selectors that was made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pruned: Option<PrunedReport>,
}

/// Fine-tuning with selectors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PrunedReport {
    /// Where tokens are dropped.
    pub selectors: SelectorSpec,
    /// And how that was trained.
    pub fine_tune: FineTuneConfig,
    /// SHA-256 of the shape and the two as JSON.
    pub config_digest: String,
    /// For each stage, in 1/512.
    pub thresholds: Vec<u32>,
    /// The integer model of the dense network on the test set.
    pub dense_test: IntegerSurvey,
    /// The integer model with selectors on the validation set, on which thresholds were chosen.
    pub validation: IntegerSurvey,
    /// And on the test set, measured once at the end.
    pub test: IntegerSurvey,
    /// The curve.
    pub epochs: Vec<FineTuneEpoch>,
}

impl Report {
    /// The report as JSON that ends with a line feed.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string_pretty(self);
        json.expect("plain numbers and strings always encode") + "\n"
    }

    /// SHA-256 of settings as JSON.
    pub(crate) fn digest(settings: &impl Serialize) -> String {
        let json = serde_json::to_vec(settings);
        let json = json.expect("plain numbers and strings always encode");
        let digest = Sha256::digest(json);
        digest.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes every write");
            text
        })
    }
}
