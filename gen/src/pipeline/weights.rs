//! The weights that a command line or a configuration names: float or quantized, with token selectors or without.

use super::input::{Request, calibration_images, quantize_network, refused};
use crate::data_set::beside;
use crate::error::GenError;
use crate::files::{self, Mapped};
use heatvit_model::config::Config;
use heatvit_model::float::FloatNetwork;
use heatvit_model::quant::file::Difference;
use heatvit_model::quant::{self, Dims, QuantNetwork, Selector};
use heatvit_model::weights;
use std::path::{Path, PathBuf};

/// A file of weights.
#[derive(Clone, Debug)]
pub struct WeightFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Mapped,
    /// The configuration had token selectors, the file has none.
    pub without_selectors: bool,
}

/// The weights file that is meant. Selectors that it does not have are taken out of the configuration: the network runs
/// dense.
///
/// # Errors
/// None is named, or it is unreadable.
pub fn load_weights(request: &Request, config: &mut Config) -> Result<WeightFile, GenError> {
    let path = match (&request.weights, config.weight_file()) {
        (Some(path), _) => path.clone(),
        (None, Some(file)) => beside(&request.config, file),
        (None, None) => {
            return Err(GenError::Needs {
                config: request.config.display().to_string(),
                problem: "no weights are named".to_owned(),
                remedy: "add a table [weights] or use --weights".to_owned(),
            });
        }
    };
    let bytes = files::map(&path)?;
    let without_selectors = config.selectors.enabled && weights::has_selectors(&bytes) == Some(false);
    config.selectors.enabled &= !without_selectors;
    Ok(WeightFile { path, bytes, without_selectors })
}

/// The float network of a configuration, for pixels as the model's `image` delivers them.
///
/// # Errors
/// Weights of another network, or no float weights.
pub fn load_network(path: &Path, bytes: &[u8], config: &Config) -> Result<FloatNetwork, GenError> {
    if quant::is_quantized(bytes) {
        return Err(GenError::file(
            path,
            "it is quantized already",
            "name float weights, or run it with `eval --engine int8`",
        ));
    }
    let network = weights::from_bytes(bytes, &config.model.dims(), &config.network_options());
    let mut network = network.map_err(|e| refused(path, &e))?;
    network.absorb_normalisation(&config.normalisation());
    Ok(network)
}

/// The quantized network that is meant: read, or made from the float weights; and the number of images that it was
/// calibrated on now.
///
/// # Errors
/// Weights of another network, or a network that the integers cannot hold.
pub fn load_quantized(
    request: &Request,
    config: &Config,
    weights: WeightFile,
) -> Result<(QuantNetwork, Option<usize>), GenError> {
    if quant::is_quantized(&weights.bytes) {
        return Ok((read_quantized(&weights.path, &weights.bytes, config)?, None));
    }
    let network = load_network(&weights.path, &weights.bytes, config)?;
    drop(weights.bytes);
    let images = calibration_images(request, config)?;
    Ok((quantize_network(config, &weights.path, &network, &images)?.network, Some(images.len())))
}

/// Reads a file of `heatvit quantize` that was made for this configuration.
///
/// # Errors
/// A broken file, or one of another network.
pub fn read_quantized(path: &Path, bytes: &[u8], config: &Config) -> Result<QuantNetwork, GenError> {
    let file = quant::file::from_bytes(bytes).map_err(|e| refused(path, &e))?;
    let network = file.network;
    let mut differences = dims(&network.dims, &config.model.dims());
    if differences.is_empty() {
        differences = file.origin.differences(&config.origin());
        differences.extend(selectors(&network.selectors, config));
    }
    if differences.is_empty() {
        return Ok(network);
    }
    let one = |d: &Difference| format!("{} is {} in the file and {} in the configuration", d.key, d.here, d.there);
    let texts: Vec<String> = differences.iter().map(one).collect();
    let problem = format!("it was quantized for another configuration: {}", texts.join(", "));
    Err(GenError::file(path, problem, "quantize it for this one, or correct this one"))
}

/// The dimensions that are not as they are wanted.
fn dims(found: &Dims, wanted: &Dims) -> Vec<Difference> {
    let named = |d: &Dims| {
        let Dims { tokens, patch_inputs, embed, depth, heads, head_dim, mlp_hidden, classes } = *d;
        [
            ("tokens", tokens),
            ("patch_inputs", patch_inputs),
            ("embed", embed),
            ("depth", depth),
            ("heads", heads),
            ("head_dim", head_dim),
            ("mlp_hidden", mlp_hidden),
            ("classes", classes),
        ]
    };
    let pairs = named(found).into_iter().zip(named(wanted)).filter(|(found, wanted)| found != wanted);
    pairs
        .map(|((key, here), (_, there))| Difference { key, here: here.to_string(), there: there.to_string() })
        .collect()
}

/// What of the selectors is not as the configuration has it.
fn selectors(found: &[Selector], config: &Config) -> Vec<Difference> {
    let wanted = &config.selectors;
    let stages = if wanted.enabled { wanted.stages.as_slice() } else { &[] };
    let blocks: Vec<usize> = found.iter().map(|s| s.block).collect();
    if blocks != stages {
        let text = |blocks: &[usize]| if blocks.is_empty() { "none".to_owned() } else { format!("{blocks:?}") };
        return vec![Difference { key: "selectors.stages", here: text(&blocks), there: text(stages) }];
    }
    let package = found.first().map(|s| s.package).filter(|package| *package != wanted.package);
    let name = |rule| format!("{rule:?}").to_lowercase();
    package
        .map(|found| Difference { key: "selectors.package", here: name(found), there: name(wanted.package) })
        .into_iter()
        .collect()
}
