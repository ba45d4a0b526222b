//! `heatvit quantize`: float weights to the file that the other commands share.

use super::print;
use crate::cli::{EXIT_EQUAL, Images, QuantizeArgs};
use crate::error::GenError;
use crate::files;
use crate::pipeline::{Request, load_config, load_network, load_weights, quantize_network};
use std::io::Write;

/// Quantizes and writes the file.
///
/// # Errors
/// Refused input.
pub fn quantize(arguments: &QuantizeArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = Request { calibration_images: arguments.count, ..arguments.source.request(&Images::default()) };
    let config = load_config(&request.config)?;
    let (path, bytes) = load_weights(&request, &config)?;
    let network = load_network(&path, &bytes, &config)?;
    let quantized = quantize_network(&request, &config, &path, &network)?;
    let file = quantized.network.to_bytes().map_err(|e| GenError::stage("quant", e))?;
    files::write(&arguments.out, &file)?;
    let products = quantized.network.linears().len();
    print(out, &format!("quantized          {} ({products} products)\n", arguments.out.display()))?;
    Ok(EXIT_EQUAL)
}
