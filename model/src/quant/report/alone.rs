//! Parts of an integer network that run on a given stream.

use crate::golden::run;
use crate::quant::quantize::residual_code;
use crate::quant::{Dims, Linear, QuantNetwork};

/// The integer model of one block behind a stream that is given: an embedding of zeros, the stream as position table.
pub(super) fn alone(network: &QuantNetwork, block: usize, stream: &[i16]) -> QuantNetwork {
    let d = &network.dims;
    let nothing = |name: &str, outputs: usize| Linear {
        name: name.to_owned(),
        inputs: 1,
        outputs,
        weight: vec![0; outputs],
        bias: vec![0; outputs],
        mult: vec![1; outputs],
        sel: 0,
    };
    QuantNetwork {
        name: network.name.clone(),
        dims: Dims { tokens: stream.len() / d.embed, patch_inputs: 1, depth: 1, ..d.clone() },
        embed: nothing("embed", d.embed),
        pos: stream.to_vec(),
        blocks: vec![network.blocks[block].clone()],
        selectors: Vec::new(),
        norm: network.norm,
        head: network.head.clone(),
        residual_step: network.residual_step,
        logit_step: network.logit_step,
    }
}

/// Decisions of the selector `stage` about the rows of a stream in real numbers, class token first.
pub(super) fn mask_alone(network: &QuantNetwork, stage: usize, stream: &[f32]) -> Vec<i32> {
    let mut selector = network.selectors[stage].clone();
    let step = network.residual_step;
    let stream: Vec<i16> = stream.iter().map(|v| residual_code(*v, step)).collect();
    let mut network = alone(network, selector.block, &stream);
    selector.block = 0;
    network.selectors = vec![selector];
    let trace = run(&network, &vec![0; network.dims.tokens]);
    trace.get("selectors.0.mask").map_or_else(Vec::new, |t| t.data.clone())
}
