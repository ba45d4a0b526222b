//! From a dense network to one with selectors that is ready to be built: fine-tuning, thresholds, figures.

use heatvit_model::data::{Digits, Sample};
use heatvit_model::quant::QuantNetwork;
use serde::Serialize;

use crate::export::with_thresholds;
use crate::fine_tune::{FineTuneProgress, FineTuned, fine_tune};
use crate::report::{PrunedReport, Report};
use crate::thresholds::{choose_thresholds, integer_survey};
use crate::{FineTuneConfig, NetworkShape, SelectorSpec, TrainError};

/// What a weight file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The backbone.
    Dense,
    /// Backbone and selectors.
    Pruned,
}

/// Makes the integer model of a weight file.
pub type Quantize<'a, E> = dyn FnMut(Form, &[u8]) -> Result<QuantNetwork, E> + 'a;

/// A trained network with selectors.
#[derive(Clone, Debug)]
pub struct Pruned {
    /// The safetensors file; its metadata has one key, `heatvit`, with JSON.
    pub weights: Vec<u8>,
    /// What happened, for the dense network's report.
    pub report: PrunedReport,
}

/// Texts only, which is what readers of the metadata expect.
#[derive(Serialize)]
struct Metadata<'a> {
    config_digest: &'a str,
    thresholds: String,
    validation_accuracy: String,
    test_accuracy: String,
    test_macs: String,
}

/// Trains selectors into the network of `dense`, a file that [`crate::train`] wrote for the same shape, and chooses
/// their thresholds on the integer model. `quantize` makes that model of a file; it is the caller's, so that the
/// thresholds fit the network that is built.
///
/// # Errors
/// Those of `quantize`, a configuration that cannot be trained, or a loss that diverges.
pub fn prune<E: From<TrainError>>(
    shape: &NetworkShape,
    config: &FineTuneConfig,
    spec: &SelectorSpec,
    dense: &[u8],
    digits: &Digits,
    quantize: &mut Quantize<'_, E>,
    progress: &mut dyn FnMut(&FineTuneProgress),
) -> Result<Pruned, E> {
    let tuned = fine_tune(shape, config, spec, dense, digits, progress)?;
    settle(shape, config, spec, dense, tuned, digits, quantize)
}

/// The last part of [`prune`]: thresholds and figures of a network that has its selectors. To be done again when the
/// quantizer changes, for which no training is needed.
///
/// # Errors
/// Those of `quantize`, or a file without these selectors.
pub fn settle<E: From<TrainError>>(
    shape: &NetworkShape,
    config: &FineTuneConfig,
    spec: &SelectorSpec,
    dense: &[u8],
    tuned: FineTuned,
    digits: &Digits,
    quantize: &mut Quantize<'_, E>,
) -> Result<Pruned, E> {
    let validation: Vec<Sample> = digits.validation().collect();
    let test: Vec<Sample> = digits.test().collect();
    let mut pruned = |file: &[u8]| quantize(Form::Pruned, file);
    let thresholds = choose_thresholds(&tuned.weights, spec, &validation, &mut pruned)?;
    let file = |metadata| with_thresholds(&tuned.weights, &spec.stages, &thresholds, metadata);
    let network = pruned(&file(None)?)?;
    let report = PrunedReport {
        selectors: spec.clone(),
        fine_tune: config.clone(),
        config_digest: Report::digest(&(shape, spec, config)),
        dense_test: integer_survey(&quantize(Form::Dense, dense)?, &test)?,
        validation: integer_survey(&network, &validation)?,
        test: integer_survey(&network, &test)?,
        epochs: tuned.epochs,
        thresholds: thresholds.clone(),
    };
    Ok(Pruned { weights: file(Some(metadata(&report)))?, report })
}

fn metadata(report: &PrunedReport) -> String {
    let thresholds: Vec<String> = report.thresholds.iter().map(u32::to_string).collect();
    let metadata = Metadata {
        config_digest: &report.config_digest,
        thresholds: thresholds.join(" "),
        validation_accuracy: report.validation.survey.accuracy.to_string(),
        test_accuracy: report.test.survey.accuracy.to_string(),
        test_macs: report.test.macs_mean.to_string(),
    };
    serde_json::to_string(&metadata).expect("plain strings always encode")
}
