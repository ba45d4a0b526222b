//! The stages. Each reads artefacts of a [`Build`], adds one, and says a line about it.

use super::input::{calibration_images, load_config, open_images, patches, quantize_network};
use super::weights::{load_network, load_weights, read_quantized};
use super::{Build, Request, Stage, made};
use crate::data_set::Choice;
use crate::error::GenError;
use crate::layout::{BOARD_BASE, Layout};
use crate::package::emit::{Emission, emit};
use crate::summary::grouped;
use heatvit_hdl::schedule::{Program, split};
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::config::Config;
use heatvit_model::quant::{Dims, is_quantized};
use heatvit_rtl::{verify, verilog as printer};

/// `12,345 bytes`.
fn bytes(count: usize) -> String {
    format!("{} bytes", grouped(count as u64))
}

pub(super) fn config(request: &Request, build: &mut Build) -> Result<String, GenError> {
    let config = load_config(&request.config)?;
    let m = &config.model;
    let line = format!(
        "{}: {} tokens, {} channels, {} blocks, {} heads, {} classes",
        config.name,
        m.tokens(),
        m.embed,
        m.depth,
        m.heads,
        m.classes
    );
    build.config = Some(config);
    Ok(line)
}

pub(super) fn network(request: &Request, build: &mut Build) -> Result<String, GenError> {
    let config = made(build.config.as_mut(), Stage::Config)?;
    let weights = load_weights(request, config)?;
    let place = weights.path.display().to_string();
    let mut line = if is_quantized(&weights.bytes) {
        format!("none, {place} is quantized")
    } else {
        build.float = Some(load_network(&weights.path, &weights.bytes, config)?);
        format!("float, from {place}")
    };
    if weights.without_selectors {
        line += ", without selectors: it runs dense";
    }
    build.weights = Some(weights);
    Ok(line)
}

pub(super) fn quant(request: &Request, build: &mut Build) -> Result<String, GenError> {
    let config = build.config()?;
    let weights = made(build.weights.as_ref(), Stage::Network)?;
    let mut calibrated = None;
    let (network, how) = match build.float() {
        Some(float) => {
            let images = calibration_images(request, config)?;
            let quantized = quantize_network(config, &weights.path, float, &images)?;
            calibrated = Some(images.len());
            (quantized.network, format!("calibrated on {} images", images.len()))
        }
        None => (read_quantized(&weights.path, &weights.bytes, config)?, "as read".to_owned()),
    };
    let line = format!("{} products with weights, {how}", network.linears().len());
    build.quant = Some(network);
    build.calibrated = calibrated;
    Ok(line)
}

/// The accelerator of the configured capacity. The number of blocks is a matter of the program alone.
pub fn parameters(config: &Config, selectors: bool) -> Parameters {
    let c = &config.accelerator.capacity;
    let dims = Dims {
        tokens: c.tokens,
        patch_inputs: c.patch_inputs,
        embed: c.embed,
        depth: config.model.depth,
        heads: c.heads,
        head_dim: c.head_dim,
        mlp_hidden: c.mlp_hidden,
        classes: c.classes,
    };
    let plain = Parameters::for_dims(&dims, config.accelerator.rows, config.accelerator.columns);
    if selectors { plain.with_selectors(&dims) } else { plain }
}

pub(super) fn schedule(request: &Request, build: &mut Build) -> Result<String, GenError> {
    let parameters = parameters(build.config()?, !build.quant()?.selectors.is_empty());
    let program = Program::compile(build.quant()?, &parameters).map_err(|e| {
        let text = e.to_string();
        let (problem, remedy) = text.rsplit_once("; ").unwrap_or((&text, "use a smaller network"));
        GenError::Needs {
            config: request.config.display().to_string(),
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    })?;
    let line = format!(
        "{} products, {} MACs, {}",
        program.products().count(),
        grouped(program.macs(&[])),
        bytes(program.stream.len())
    );
    build.parameters = Some(parameters);
    build.program = Some(program);
    Ok(line)
}

pub(super) fn rtl(_: &Request, build: &mut Build) -> Result<String, GenError> {
    let parameters = build.parameters()?;
    let design = accelerator(parameters);
    verify(&design).map_err(|e| GenError::stage(Stage::Rtl.name(), e))?;
    let line = format!("{} module types, array {} x {}", design.ids().count(), parameters.rows, parameters.columns);
    build.design = Some(design);
    Ok(line)
}

pub(super) fn verilog(_: &Request, build: &mut Build) -> Result<String, GenError> {
    let files = printer::print(build.design()?);
    let line = format!("{} files, {}", files.len(), bytes(files.iter().map(|f| f.text.len()).sum()));
    build.verilog = Some(files);
    Ok(line)
}

/// The input image of the folder: the first of the test set, or zero where no images are named.
fn example_image(request: &Request, config: &Config, program: &Program) -> Result<Vec<i8>, GenError> {
    if config.data.is_none() && request.images == Choice::default() {
        return Ok(vec![0; program.patch_elements()]);
    }
    match open_images(request, config)?.test(Some(1))?.first() {
        Some(image) => patches(config, image),
        None => Ok(vec![0; program.patch_elements()]),
    }
}

pub(super) fn package(request: &Request, build: &mut Build) -> Result<String, GenError> {
    let (config, program) = (build.config()?, build.program()?);
    let region = split(&program.stream);
    let image = split(&program.image(&example_image(request, config, program)?));
    let beats = program.result_beats() as u64;
    let layout = Layout::new(BOARD_BASE, image[0].len() as u64, region[0].len() as u64, beats);
    let emission = Emission { config, layout: &layout, verilog: build.verilog()?, program: &region, image: &image };
    let package = emit(&emission)?;
    let line = format!("{} files, {}", package.files().count(), bytes(package.files().map(|(_, b)| b.len()).sum()));
    build.package = Some(package);
    Ok(line)
}
