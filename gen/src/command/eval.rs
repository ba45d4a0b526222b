//! `heatvit eval`: accuracy of an engine without any hardware.

use super::{print, write_json};
use crate::cli::{EXIT_EQUAL, EngineName, EvalArgs};
use crate::data_set::Image;
use crate::error::GenError;
use crate::evaluate::{accuracy, class_of, each, float_accuracy};
use crate::pipeline::{Request, load_config, load_network, load_quantized, load_weights, open_images, patches};
use crate::summary::{Macs, Summary};
use crate::tokens::{Stage, Tokens, stages};
use heatvit_hdl::Parameters;
use heatvit_hdl::schedule::Program;
use heatvit_model::config::Config;
use heatvit_model::float::Engine;
use heatvit_model::golden::{StageCounts, run};
use heatvit_model::quant::QuantNetwork;
use std::io::Write;

/// Evaluates and prints the table.
///
/// # Errors
/// Refused input.
pub fn eval(arguments: &EvalArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    let request = arguments.source.request();
    let config = load_config(&request.config)?;
    let images = open_images(&request, &config)?.test(arguments.count);
    let macs = (!config.selectors.enabled).then(|| Macs::dense(&config.model.dims()));
    let mut summary = Summary { images: images.len(), macs, ..Summary::default() };
    match arguments.engine {
        EngineName::Int8 => int8(&request, &config, &images, &mut summary)?,
        EngineName::Float => summary.accuracy.float = float(&request, &config, &images, Engine::Exact)?,
        EngineName::FloatPoly => summary.accuracy.float = float(&request, &config, &images, Engine::Poly)?,
    }
    write_json(arguments.json.as_deref(), &summary)?;
    print(out, &summary.table())?;
    Ok(EXIT_EQUAL)
}

/// Accuracy and tokens of the golden model.
fn int8(request: &Request, config: &Config, images: &[Image], summary: &mut Summary) -> Result<(), GenError> {
    let network = load_quantized(request, config)?;
    let traces = each("int8", images, |_, image| {
        let trace = run(&network, &patches(config, image)?);
        Ok((class_of(trace.logits()), stages(&trace), trace.stages))
    })?;
    let classes: Vec<usize> = traces.iter().map(|(class, _, _)| *class).collect();
    summary.accuracy.int8 = accuracy(images, &classes);
    let kept: Vec<Vec<Stage>> = traces.iter().map(|(_, stages, _)| stages.clone()).collect();
    summary.tokens = Tokens::of(images, &kept, network.dims.tokens);
    if summary.tokens.is_some() {
        let counts: Vec<Vec<StageCounts>> = traces.into_iter().map(|(_, _, counts)| counts).collect();
        summary.macs = pruned_macs(&network, config, &counts);
    }
    Ok(())
}

/// Work of a network with selectors; `None` where the configured array cannot run it.
fn pruned_macs(network: &QuantNetwork, config: &Config, counts: &[Vec<StageCounts>]) -> Option<Macs> {
    let parameters = Parameters::for_network(network, config.accelerator.rows, config.accelerator.columns);
    let program = Program::compile(network, &parameters).ok()?;
    let mean = |of: &dyn Fn(&[StageCounts]) -> u64| {
        counts.iter().map(|c| of(c) as f64).sum::<f64>() / counts.len().max(1) as f64
    };
    let (all, selectors) = (mean(&|c| program.macs(c)), mean(&|c| program.selector_macs(c)));
    Some(Macs::pruned(Macs::dense(&network.dims).dense, all, selectors))
}

/// Accuracy in float arithmetic.
fn float(request: &Request, config: &Config, images: &[Image], engine: Engine) -> Result<Option<f64>, GenError> {
    let (path, bytes) = load_weights(request, config)?;
    float_accuracy(&load_network(&path, &bytes, config)?, config, images, engine)
}
