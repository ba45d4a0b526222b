//! Range proofs of a quantized network.

use super::{Linear, QuantNetwork};
use crate::fixed::{ACC_BITS, MULT_MAX, SEL_MAX};

/// Why a quantized network is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuantError {
    /// A list has the wrong length.
    #[error("tensor `{tensor}` has {found} elements, {expected} are needed; quantize the network again")]
    Length {
        /// Tensor.
        tensor: String,
        /// Elements found.
        found: usize,
        /// Elements needed.
        expected: usize,
    },
    /// A weight is -128.
    #[error("tensor `{tensor}` holds the weight -128; weights lie in -127..127, quantize the network again")]
    Weight {
        /// Tensor.
        tensor: String,
    },
    /// An accumulator could overflow.
    #[error(
        "output {channel} of `{tensor}` can reach {bound}, beyond the {ACC_BITS}-bit accumulator; use smaller weights or a larger weight step"
    )]
    Overflow {
        /// Tensor.
        tensor: String,
        /// Output channel.
        channel: usize,
        /// Worst case.
        bound: i64,
    },
    /// A constant is out of range.
    #[error("`{what}` is {value}, the largest legal value is {limit}; quantize the network again")]
    Constant {
        /// Which.
        what: String,
        /// Found.
        value: u64,
        /// Limit.
        limit: u64,
    },
}

fn length(tensor: &str, found: usize, expected: usize) -> Result<(), QuantError> {
    if found == expected { Ok(()) } else { Err(QuantError::Length { tensor: tensor.to_owned(), found, expected }) }
}

fn at_most(what: String, value: u64, limit: u64) -> Result<(), QuantError> {
    if value <= limit { Ok(()) } else { Err(QuantError::Constant { what, value, limit }) }
}

fn linear(l: &Linear, inputs: usize, outputs: usize) -> Result<(), QuantError> {
    length(&format!("{}.weight", l.name), l.weight.len(), inputs * outputs)?;
    length(&format!("{}.bias", l.name), l.bias.len(), outputs)?;
    length(&format!("{}.mult", l.name), l.mult.len(), outputs)?;
    at_most(format!("{}.sel", l.name), u64::from(l.sel), u64::from(SEL_MAX))?;
    if l.weight.contains(&i8::MIN) {
        return Err(QuantError::Weight { tensor: format!("{}.weight", l.name) });
    }
    for (channel, row) in l.weight.chunks(inputs).enumerate() {
        let weights: i64 = row.iter().map(|w| i64::from(w.unsigned_abs())).sum();
        let bound = 127 * weights + i64::from(l.bias[channel]).abs();
        if bound >= 1 << (ACC_BITS - 1) {
            return Err(QuantError::Overflow { tensor: l.name.clone(), channel, bound });
        }
        at_most(format!("{}.mult[{channel}]", l.name), u64::from(l.mult[channel]), u64::from(MULT_MAX))?;
    }
    Ok(())
}

/// Checks lengths, ranges and, per output channel, that the accumulator cannot overflow.
///
/// # Errors
/// The first violation.
pub fn validate(network: &QuantNetwork) -> Result<(), QuantError> {
    let d = &network.dims;
    linear(&network.embed, d.patch_inputs, d.embed)?;
    length("pos", network.pos.len(), d.tokens * d.embed)?;
    length("blocks", network.blocks.len(), d.depth)?;
    for (i, b) in network.blocks.iter().enumerate() {
        for l in [&b.q, &b.k, &b.v] {
            linear(l, d.embed, d.attention())?;
        }
        linear(&b.proj, d.attention(), d.embed)?;
        linear(&b.fc1, d.embed, d.mlp_hidden)?;
        linear(&b.fc2, d.mlp_hidden, d.embed)?;
        at_most(format!("blocks.{i}.scores.mult"), u64::from(b.scores.mult), u64::from(MULT_MAX))?;
        at_most(format!("blocks.{i}.gelu.t"), u64::from(b.gelu.t), 4095)?;
        at_most(format!("blocks.{i}.gelu.kappa"), u64::from(b.gelu.kappa), 65535)?;
        at_most(format!("blocks.{i}.gelu.d1"), u64::from(b.gelu.d1), 32767)?;
        at_most(format!("blocks.{i}.gelu.shift"), u64::from(b.gelu.shift), 15)?;
    }
    linear(&network.head, d.embed, d.classes)
}
