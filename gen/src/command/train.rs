//! `heatvit train`.

use super::print;
use crate::cli::{EXIT_EQUAL, TrainArgs};
use crate::data_set::{DataSet, beside};
use crate::error::GenError;
use crate::pipeline::load_config;
use crate::summary::percent;
use crate::{files, progress};
use heatvit_model::config::Config;
use heatvit_model::data::PATCH;
use heatvit_train::{NetworkShape, TrainConfig};
use std::io::Write;
use std::path::Path;

/// Trains and writes weights and curve.
///
/// # Errors
/// Refused input, or a loss that diverges.
pub fn train(arguments: &TrainArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let config = load_config(&arguments.config)?;
    let data = DataSet::open(&arguments.config, &config, None)?;
    let file = match (&arguments.out, &config.weights) {
        (Some(file), _) => file.clone(),
        (None, Some(weights)) => beside(&arguments.config, &weights.float),
        (None, None) => {
            return Err(needs(&arguments.config, "no file for the weights is named", "write [weights] or use --out"));
        }
    };
    let shape = shape(&arguments.config, &config)?;
    let bar = progress::bar("training", config.train.epochs as usize);
    let trained = heatvit_train::train(&shape, &settings(&config), data.digits(), &mut |p| {
        let validation = p.validation.map_or(String::new(), |v| format!(", validation {}", percent(v)));
        bar.set_message(format!("loss {:.3}{validation}, {:.0} images/s", p.loss, p.images_per_second));
        bar.set_position(u64::from(p.epoch));
    });
    bar.finish_and_clear();
    let trained = trained.map_err(|e| needs(&arguments.config, &e.to_string(), "change [train]"))?;
    files::write(&file, &trained.weights)?;
    files::write(&file.with_extension("training.json"), trained.report.to_json().as_bytes())?;
    let r = &trained.report;
    let accuracy = format!("validation {}, test {}", percent(r.validation_accuracy), percent(r.test_accuracy));
    print(
        out,
        &format!("weights            {}\naccuracy           {accuracy} (epoch {})\n", file.display(), r.best_epoch),
    )?;
    Ok(EXIT_EQUAL)
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

fn settings(config: &Config) -> TrainConfig {
    let t = &config.train;
    TrainConfig {
        epochs: t.epochs,
        batch: t.batch,
        learning_rate: t.learning_rate,
        weight_decay: t.weight_decay,
        warmup_epochs: t.warmup_epochs,
        label_smoothing: t.label_smoothing,
        seed: t.seed,
        sparse_epochs: t.sparse_epochs,
        sparse_patches: t.sparse_patches,
    }
}
