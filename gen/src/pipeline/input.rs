//! What the pipeline reads: configuration, weights and images, as a command line names them.

use crate::data_set::{Choice, DataSet, Image, beside};
use crate::error::GenError;
use crate::files::{self, Mapped};
use heatvit_model::config::Config;
use heatvit_model::float::FloatNetwork;
use heatvit_model::image::ImageShape;
use heatvit_model::quant::{self, Dims, QuantNetwork, Quantized};
use heatvit_model::weights;
use std::path::{Path, PathBuf};

/// What a command line asks of the pipeline.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Configuration file.
    pub config: PathBuf,
    /// Weights in place of the configuration's.
    pub weights: Option<PathBuf>,
    /// Images in place of the configuration's.
    pub images: Choice,
    /// Images to calibrate the quantizer on: a folder, a file of digits, or a tensor (`.npy`).
    pub calibrate: Option<PathBuf>,
    /// Number of those in place of the configuration's.
    pub calibration_images: Option<usize>,
}

impl Request {
    /// Everything as the configuration says.
    pub fn new(config: PathBuf) -> Self {
        Self { config, ..Self::default() }
    }
}

/// Reads a configuration file.
///
/// # Errors
/// An unreadable or illegal file.
pub fn load_config(path: &Path) -> Result<Config, GenError> {
    Ok(Config::parse(&path.display().to_string(), &files::read_text(path)?)?)
}

/// The weights file that is meant.
///
/// # Errors
/// None is named, or it is unreadable.
pub fn load_weights(request: &Request, config: &Config) -> Result<(PathBuf, Mapped), GenError> {
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
    Ok((path, bytes))
}

/// The float network of a configuration, for pixels as the model's `image` delivers them.
///
/// # Errors
/// Weights of another network, or no weights.
pub fn load_network(path: &Path, bytes: &[u8], config: &Config) -> Result<FloatNetwork, GenError> {
    if quant::is_quantized(bytes) {
        return Err(GenError::file(path, "it is quantized already", "name float weights"));
    }
    let network = weights::from_bytes(bytes, &config.model.dims(), &config.network_options());
    let mut network = network.map_err(|e| refused(path, &e))?;
    network.absorb_normalisation(&config.normalisation());
    Ok(network)
}

/// The quantized network that is meant: read, or made from the float weights.
///
/// # Errors
/// Unreadable weights, weights of another network, or a network that the integers cannot hold.
pub fn load_quantized(request: &Request, config: &Config) -> Result<QuantNetwork, GenError> {
    let (path, bytes) = load_weights(request, config)?;
    if quant::is_quantized(&bytes) {
        return read_quantized(&path, &bytes, config);
    }
    let network = load_network(&path, &bytes, config)?;
    drop(bytes);
    Ok(quantize_network(request, config, &path, &network)?.network)
}

/// Reads a file of `heatvit quantize`.
///
/// # Errors
/// A broken file, or one of another network.
pub fn read_quantized(path: &Path, bytes: &[u8], config: &Config) -> Result<QuantNetwork, GenError> {
    let network = QuantNetwork::from_bytes(bytes).map_err(|e| refused(path, &e))?;
    if network.dims != config.model.dims() {
        let difference = difference(&network.dims, &config.model.dims());
        let problem = format!("it is not the network of [model]: {difference}");
        return Err(GenError::file(path, problem, "quantize the configured network"));
    }
    Ok(network)
}

/// The dimensions that are not as they are wanted.
fn difference(found: &Dims, wanted: &Dims) -> String {
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
    let texts = pairs.map(|((name, found), (_, wanted))| format!("{name} is {found} in place of {wanted}"));
    texts.collect::<Vec<_>>().join(", ")
}

/// Quantizes a float network, which was read from `path`.
///
/// # Errors
/// No images, or a network that the integers cannot hold.
pub fn quantize_network(
    request: &Request,
    config: &Config,
    path: &Path,
    network: &FloatNetwork,
) -> Result<Quantized, GenError> {
    let images = calibration_images(request, config)?;
    let patches: Result<Vec<_>, _> = images.iter().map(|image| float_patches(config, image)).collect();
    let patches = patches?;
    quant::quantize(network, &config.name, &patches).map_err(|e| refused(path, &e))
}

/// What the quantizer is calibrated on: images of `--calibrate`, else of the data set.
///
/// # Errors
/// No images, or unreadable ones.
pub fn calibration_images(request: &Request, config: &Config) -> Result<Vec<Image>, GenError> {
    let choice = match &request.calibrate {
        Some(path) if path.extension().is_some_and(|e| e == "npy") => {
            Choice { tensor: Some(path.clone()), ..Choice::default() }
        }
        Some(path) => Choice { images: Some(path.clone()), ..Choice::default() },
        None => request.images.clone(),
    };
    let count = request.calibration_images.unwrap_or(config.quantize.calibration_images);
    DataSet::open(&request.config, config, &choice)?.calibration(count)
}

/// An error of a library, which ends with its remedy, about a file.
pub fn refused(path: &Path, error: &dyn std::fmt::Display) -> GenError {
    let text = error.to_string();
    match text.rsplit_once("; ") {
        Some((problem, remedy)) => GenError::file(path, problem, remedy),
        None => GenError::file(path, text, "use another file"),
    }
}

/// How the network cuts an image.
pub fn image_shape(config: &Config) -> ImageShape {
    let m = &config.model;
    ImageShape { height: m.height, width: m.width, channels: m.channels, patch: m.patch }
}

/// int8 patches of an image.
///
/// # Errors
/// An image of another shape.
pub fn patches(config: &Config, image: &Image) -> Result<Vec<i8>, GenError> {
    image.pixels.patches(&image_shape(config)).map_err(|e| GenError::stage("network", e))
}

/// Patches of an image in real numbers.
///
/// # Errors
/// An image of another shape.
pub fn float_patches(config: &Config, image: &Image) -> Result<Vec<f32>, GenError> {
    image.pixels.float_patches(&image_shape(config)).map_err(|e| GenError::stage("network", e))
}

/// Opens the images that are meant.
///
/// # Errors
/// None are named, or they are unreadable or of another shape.
pub fn open_images(request: &Request, config: &Config) -> Result<DataSet, GenError> {
    DataSet::open(&request.config, config, &request.images)
}
