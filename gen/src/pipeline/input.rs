//! What the pipeline reads: configuration and images, as a command line names them.

use crate::data_set::{Choice, DataSet, Image};
use crate::error::GenError;
use crate::files;
use crate::progress::PhaseBar;
use heatvit_model::config::Config;
use heatvit_model::float::FloatNetwork;
use heatvit_model::image::ImageShape;
use heatvit_model::quant::{self, QuantizeError, Quantized};
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

/// Quantizes a float network, which was read from `path`, with the ranges of these images.
///
/// # Errors
/// No images, or a network that the integers cannot hold.
pub fn quantize_network(
    config: &Config,
    path: &Path,
    network: &FloatNetwork,
    images: &[Image],
) -> Result<Quantized, GenError> {
    let patches: Result<Vec<_>, _> = images.iter().map(|image| float_patches(config, image)).collect();
    let bar = PhaseBar::new();
    let quantized = quant::quantize_telling(network, &config.name, &patches?, &mut |progress| bar.tell(progress));
    quantized.map_err(|e| not_quantized(path, network, &e))
}

/// An error of the quantizer names an operator; what is wrong is more often a weight before it.
fn not_quantized(path: &Path, network: &FloatNetwork, error: &QuantizeError) -> GenError {
    let text = error.to_string();
    let problem = text.rsplit_once("; ").map_or(text.as_str(), |(problem, _)| problem);
    let (tensor, magnitude) = weights::largest(network);
    let problem = format!("{problem} (the largest magnitude of the weights is {magnitude:e}, in `{tensor}`)");
    GenError::file(path, problem, "use weights of a trained network")
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
