//! `heatvit eval`: accuracy of an engine without any hardware.

use super::{print, write_json};
use crate::cli::{EXIT_EQUAL, EngineName, EvalArgs};
use crate::data_set::Image;
use crate::error::GenError;
use crate::evaluate::{accuracy, class_of, each, float_accuracy};
use crate::pipeline::{Request, load_config, load_network, load_quantized, load_weights, open_images, patches};
use crate::summary::{Macs, Summary};
use heatvit_model::config::Config;
use heatvit_model::float::Engine;
use heatvit_model::golden::run;
use std::io::Write;

/// Evaluates and prints the table.
///
/// # Errors
/// Refused input.
pub fn eval(arguments: &EvalArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request();
    let config = load_config(&request.config)?;
    let images = open_images(&request, &config)?.test(arguments.count);
    let macs = Some(Macs::dense(&config.model.dims()));
    let mut summary = Summary { images: images.len(), macs, ..Summary::default() };
    match arguments.engine {
        EngineName::Int8 => summary.accuracy.int8 = int8(&request, &config, &images)?,
        EngineName::Float => summary.accuracy.float = float(&request, &config, &images, Engine::Exact)?,
        EngineName::FloatPoly => summary.accuracy.float = float(&request, &config, &images, Engine::Poly)?,
    }
    write_json(arguments.json.as_deref(), &summary)?;
    print(out, &summary.table())?;
    Ok(EXIT_EQUAL)
}

/// Accuracy of the golden model.
fn int8(request: &Request, config: &Config, images: &[Image]) -> Result<Option<f64>, GenError> {
    let network = load_quantized(request, config)?;
    let classes = each("int8", images, |_, image| Ok(class_of(run(&network, &patches(config, image)?).logits())))?;
    Ok(accuracy(images, &classes))
}

/// Accuracy in float arithmetic.
fn float(request: &Request, config: &Config, images: &[Image], engine: Engine) -> Result<Option<f64>, GenError> {
    let (path, bytes) = load_weights(request, config)?;
    float_accuracy(&load_network(&path, &bytes, config)?, config, images, engine)
}
