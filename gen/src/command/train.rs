//! `heatvit train`.

use super::print;
use crate::cli::{EXIT_EQUAL, TrainArgs};
use crate::data_set::{beside, open_digits};
use crate::error::GenError;
use crate::pipeline::{Request, calibration_images, load_config, load_network, quantize_network};
use crate::summary::percent;
use crate::{files, progress};
use heatvit_model::config::Config;
use heatvit_model::data::{Digits, PATCH, PATCHES};
use heatvit_train::{Form, NetworkShape, Pruned, PrunedReport, SelectorSpec, TrainError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Trains and writes weights and curves.
///
/// # Errors
/// Refused input, or a loss that diverges.
pub fn train(arguments: &TrainArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let config = load_config(&arguments.config)?;
    let data = open_digits(&arguments.config, &config)?;
    let files = Files::new(arguments, &config)?;
    let report = files.dense.with_extension("training.json");
    files::check_place(&files.dense)?;
    files::check_place(&report)?;
    files::check_places([&files.pruned])?;
    let shape = shape(&arguments.config, &config)?;
    let bar = progress::bar("training", config.train.epochs as usize);
    let trained = heatvit_train::train(&shape, &config.train, &data, &mut |p| {
        let validation = p.validation.map_or(String::new(), |v| format!(", validation {}", percent(v)));
        bar.set_message(format!("loss {:.3}{validation}, {:.0} images/s", p.loss, p.images_per_second));
        bar.set_position(u64::from(p.epoch));
    });
    bar.finish_and_clear();
    let mut trained = trained.map_err(|e| needs(&arguments.config, &e.to_string(), "change [train]"))?;
    files::write(&files.dense, &trained.weights)?;
    let r = &trained.report;
    let accuracy = format!("validation {}, test {}", percent(r.validation_accuracy), percent(r.test_accuracy));
    let epoch = r.best_epoch;
    print(
        out,
        &format!("weights            {}\naccuracy           {accuracy} (epoch {epoch})\n", files.dense.display()),
    )?;
    if let Some(file) = &files.pruned {
        let pruned = prune(&arguments.config, &config, &shape, (&files.dense, &trained.weights), &data)?;
        files::write(file, &pruned.weights)?;
        print(out, &table(file, &pruned.report))?;
        trained.report.pruned = Some(pruned.report);
    }
    files::write(&report, trained.report.to_json().as_bytes())?;
    Ok(EXIT_EQUAL)
}

/// The files to write.
struct Files {
    dense: PathBuf,
    pruned: Option<PathBuf>,
}

impl Files {
    fn new(arguments: &TrainArgs, config: &Config) -> Result<Self, GenError> {
        let enabled = config.selectors.enabled;
        match (&arguments.out, &config.weights) {
            (Some(file), _) => {
                Ok(Self { dense: file.clone(), pruned: enabled.then(|| file.with_extension("pruned.safetensors")) })
            }
            (None, Some(weights)) => Ok(Self {
                dense: beside(&arguments.config, &weights.float),
                pruned: weights.pruned.as_ref().filter(|_| enabled).map(|file| beside(&arguments.config, file)),
            }),
            (None, None) => {
                Err(needs(&arguments.config, "no file for the weights is named", "write [weights] or use --out"))
            }
        }
    }
}

/// Why there is no pruned network.
enum PruneError {
    Train(TrainError),
    Quantize(GenError),
}

impl From<TrainError> for PruneError {
    fn from(error: TrainError) -> Self {
        Self::Train(error)
    }
}

/// Trains selectors into the network `dense`, a file and its bytes.
fn prune(
    path: &Path,
    config: &Config,
    shape: &NetworkShape,
    dense: (&Path, &[u8]),
    data: &Digits,
) -> Result<Pruned, GenError> {
    let spec = SelectorSpec {
        stages: config.selectors.stages.clone(),
        targets: config.selectors.targets.clone(),
        head_weights: config.selectors.head_weights,
        package: config.selectors.package,
    };
    let mut without = config.clone();
    without.selectors.enabled = false;
    let request = Request::new(path.to_owned());
    let mut quantize = |form, bytes: &[u8]| {
        let config = if form == Form::Dense { &without } else { config };
        let network = load_network(dense.0, bytes, config);
        let quantized = network
            .and_then(|network| quantize_network(config, dense.0, &network, &calibration_images(&request, config)?));
        quantized.map(|q| q.network).map_err(PruneError::Quantize)
    };
    let bar = progress::bar("fine-tuning", config.fine_tune.epochs as usize);
    let pruned = heatvit_train::prune(shape, &config.fine_tune, &spec, dense.1, data, &mut quantize, &mut |p| {
        let kept: Vec<String> = p.point.kept.iter().map(|k| percent(*k)).collect();
        let speed = p.images_per_second;
        bar.set_message(format!("loss {:.3}, kept {}, {speed:.0} images/s", p.point.loss, kept.join(", ")));
        bar.set_position(u64::from(p.point.epoch));
    });
    bar.finish_and_clear();
    pruned.map_err(|error| match error {
        PruneError::Train(error) => needs(path, &error.to_string(), "change [fine_tune] or [selectors]"),
        PruneError::Quantize(error) => error,
    })
}

/// What selectors do to the integer model, on the test set.
fn table(file: &Path, report: &PrunedReport) -> String {
    let (dense, pruned) = (&report.dense_test, &report.test);
    let list = |values: &[f64]| values.iter().map(|v| format!("{v:.1}")).collect::<Vec<_>>().join(", ");
    format!(
        "weights            {}\nint8 accuracy      test {}, without selectors {}\nmacs               {:.0}, {} saved\n\
         patches kept       {} of {PATCHES}, standard deviation {}\n\
         of the digit       {} of its patches, {} of the background\n",
        file.display(),
        percent(pruned.survey.accuracy),
        percent(dense.survey.accuracy),
        pruned.macs_mean,
        percent(1.0 - pruned.macs_mean / dense.macs_mean),
        list(&pruned.survey.kept_mean),
        list(&pruned.survey.kept_deviation),
        percent(pruned.survey.digit_kept),
        percent(pruned.survey.background_kept),
    )
}

fn needs(config: &Path, problem: &str, remedy: &str) -> GenError {
    GenError::Needs { config: config.display().to_string(), problem: problem.to_owned(), remedy: remedy.to_owned() }
}

/// The trainer knows the plain architecture only.
fn shape(path: &Path, config: &Config) -> Result<NetworkShape, GenError> {
    let m = &config.model;
    if m.head_dim * m.heads != m.embed || !m.qkv_bias || m.patch != PATCH {
        let problem = format!("training needs patches of {PATCH}, heads that divide `embed`, and `qkv_bias`");
        return Err(needs(path, &problem, "change [model]"));
    }
    Ok(NetworkShape { embed: m.embed, depth: m.depth, heads: m.heads, hidden: m.mlp_hidden, eps: m.eps })
}
