//! Range proofs of a quantized network.

use super::{Block, Dims, GeluParams, Linear, NormParams, QuantNetwork, Selector};
use crate::fixed::{ACC_BITS, MULT_MAX, SEL_MAX};
use crate::selector::{MAX_HEADS, MAX_STAGES};
use std::fmt::Debug;
use std::ops::RangeInclusive;

/// Exponents of norm and row scale stay below it in magnitude; useful ones are within 40.
const EXPONENT_MAX: u64 = 63;
/// `D * sum of squares` of 16-bit elements stays below 2^52, the domain of rsqrt.
const EMBED_MAX: u64 = 2047;
/// A row sum of exponentials of 127 stays below 2^17, the domain of the reciprocal.
const TOKENS_MAX: u64 = 1032;
/// A threshold above every score: nothing is kept.
const THRESHOLD_MAX: u64 = 513;

/// Knees of GELU, the domain of its units.
const KNEE: RangeInclusive<u32> = 2048..=4095;
/// Real values of one step: no number of 16 bits is too large for float32.
const STEP: RangeInclusive<f64> = 1e-45..=1e30;

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
    /// A constant is out of a range that does not start at zero.
    #[error("`{what}` is {value}, legal values are {range}; quantize the network again")]
    Range {
        /// Which.
        what: String,
        /// Found.
        value: String,
        /// From what to what.
        range: String,
    },
    /// The selectors do not fit the network or each other.
    #[error("`{what}` does not suit token selectors: {rule}; correct it or remove the selectors")]
    Selectors {
        /// Which.
        what: String,
        /// What is needed.
        rule: &'static str,
    },
    /// A constant is zero.
    #[error("`{what}` is 0, at least 1 is needed; quantize the network again")]
    Zero {
        /// Which.
        what: String,
    },
}

fn length(tensor: &str, found: usize, expected: usize) -> Result<(), QuantError> {
    if found == expected { Ok(()) } else { Err(QuantError::Length { tensor: tensor.to_owned(), found, expected }) }
}

fn at_most(what: String, value: u64, limit: u64) -> Result<(), QuantError> {
    if value <= limit { Ok(()) } else { Err(QuantError::Constant { what, value, limit }) }
}

/// NaN is within no range.
fn within<T: PartialOrd + Debug>(what: String, value: T, range: &RangeInclusive<T>) -> Result<(), QuantError> {
    if range.contains(&value) {
        return Ok(());
    }
    let range = format!("{:?} to {:?}", range.start(), range.end());
    Err(QuantError::Range { what, value: format!("{value:?}"), range })
}

fn positive(what: &str, value: u64) -> Result<(), QuantError> {
    if value > 0 { Ok(()) } else { Err(QuantError::Zero { what: what.to_owned() }) }
}

fn norm(what: &str, params: &NormParams) -> Result<(), QuantError> {
    positive(&format!("{what}.eps"), u64::from(params.eps))?;
    real_constant(what, params.gain, params.exponent)
}

fn dimensions(d: &Dims) -> Result<(), QuantError> {
    positive("dims.tokens", d.tokens as u64)?;
    positive("dims.patch_inputs", d.patch_inputs as u64)?;
    positive("dims.embed", d.embed as u64)?;
    positive("dims.heads", d.heads as u64)?;
    positive("dims.head_dim", d.head_dim as u64)?;
    positive("dims.mlp_hidden", d.mlp_hidden as u64)?;
    positive("dims.classes", d.classes as u64)?;
    at_most("dims.embed".to_owned(), d.embed as u64, EMBED_MAX)?;
    at_most("dims.tokens".to_owned(), d.tokens as u64, TOKENS_MAX)
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

/// A 17-bit mantissa whose top bit may be off, and an exponent that shifts cannot overflow with.
fn real_constant(what: &str, mantissa: u32, exponent: i32) -> Result<(), QuantError> {
    at_most(format!("{what}.gain"), u64::from(mantissa), u64::from(MULT_MAX))?;
    at_most(format!("|{what}.exponent|"), u64::from(exponent.unsigned_abs()), EXPONENT_MAX)
}

fn block(i: usize, b: &Block, d: &Dims) -> Result<(), QuantError> {
    for l in [&b.q, &b.k, &b.v] {
        linear(l, d.embed, d.attention())?;
    }
    linear(&b.proj, d.attention(), d.embed)?;
    linear(&b.fc1, d.embed, d.mlp_hidden)?;
    linear(&b.fc2, d.mlp_hidden, d.embed)?;
    let at = |part: &str| format!("blocks.{i}.{part}");
    norm(&at("norm1"), &b.norm1)?;
    norm(&at("norm2"), &b.norm2)?;
    real_constant(&at("attend"), b.attend.gain, b.attend.exponent)?;
    at_most(at("scores.mult"), u64::from(b.scores.mult), u64::from(MULT_MAX))?;
    at_most(at("scores.sel"), u64::from(b.scores.sel), u64::from(SEL_MAX))?;
    activation(&at("gelu"), &b.gelu)
}

fn activation(what: &str, p: &GeluParams) -> Result<(), QuantError> {
    within(format!("{what}.t"), p.t, &KNEE)?;
    at_most(format!("{what}.kappa"), u64::from(p.kappa), 65535)?;
    at_most(format!("{what}.d1"), u64::from(p.d1), 32767)?;
    at_most(format!("{what}.shift"), u64::from(p.shift), 15)?;
    at_most(format!("|{what}.zero|"), u64::from(p.zero.unsigned_abs()), 127)
}

/// Heads cut the embedding into parts of four channels or a multiple.
fn selector_dimensions(d: &Dims) -> Result<(), QuantError> {
    let rule = |what: &'static str, rule: &'static str| Err(QuantError::Selectors { what: what.to_owned(), rule });
    at_most("dims.heads (with selectors)".to_owned(), d.heads as u64, MAX_HEADS as u64)?;
    if d.heads.checked_mul(d.head_dim) != Some(d.embed) {
        return rule("dims.embed", "it is heads x head_dim, because heads are parts of the embedding");
    }
    if !d.head_dim.is_multiple_of(4) {
        return rule("dims.head_dim", "it is a multiple of 4, because the layers have 1/2 and 1/4 of its channels");
    }
    Ok(())
}

/// A mean of int8 features over at most [`TOKENS_MAX`] rows stays in the accumulator and in the domain of the
/// reciprocal without a check of its own: 127 x 127 x 1031 < 2^26, 127 x 1031 < 2^17.
fn selector(s: &Selector, d: &Dims) -> Result<(), QuantError> {
    let (half, quarter, hidden) = (d.embed / 2, d.embed / 4, d.weigh_hidden());
    let sizes =
        [(d.embed, half), (d.embed, half), (half, quarter), (quarter, d.heads), (d.embed, hidden), (hidden, d.heads)];
    for (l, (inputs, outputs)) in s.linears().into_iter().zip(sizes) {
        linear(l, inputs, outputs)?;
    }
    let at = |part: &str| format!("selectors.{}.{part}", s.block);
    real_constant(&at("mean"), s.mean.gain, s.mean.exponent)?;
    activation(&at("local_gelu"), &s.local_gelu)?;
    activation(&at("mix_gelu"), &s.mix_gelu)?;
    activation(&at("squeeze_gelu"), &s.squeeze_gelu)?;
    activation(&at("weigh_gelu"), &s.weigh_gelu)?;
    at_most(at("threshold"), u64::from(s.threshold), THRESHOLD_MAX)
}

fn selectors(all: &[Selector], d: &Dims) -> Result<(), QuantError> {
    let Some(first) = all.first() else { return Ok(()) };
    let rule = |what: String, rule: &'static str| Err(QuantError::Selectors { what, rule });
    selector_dimensions(d)?;
    at_most("selectors (stages)".to_owned(), all.len() as u64, MAX_STAGES as u64)?;
    for (i, s) in all.iter().enumerate() {
        at_most(format!("selectors[{i}].block"), s.block as u64, d.depth.saturating_sub(1) as u64)?;
        selector(s, d)?;
        if s.package != first.package {
            return rule(format!("selectors.{}.package", s.block), "all stages treat dropped tokens alike");
        }
    }
    match all.windows(2).find(|pair| pair[0].block >= pair[1].block) {
        Some(pair) => rule(format!("selectors.{}", pair[1].block), "blocks of selectors rise, one each"),
        None => Ok(()),
    }
}

/// Checks lengths, ranges and, per output channel, that the accumulator cannot overflow.
///
/// # Errors
/// The first violation.
pub fn validate(network: &QuantNetwork) -> Result<(), QuantError> {
    let d = &network.dims;
    dimensions(d)?;
    within("residual_step".to_owned(), network.residual_step, &STEP)?;
    within("logit_step".to_owned(), network.logit_step, &STEP)?;
    linear(&network.embed, d.patch_inputs, d.embed)?;
    length("pos", network.pos.len(), d.tokens * d.embed)?;
    length("blocks", network.blocks.len(), d.depth)?;
    for (i, p) in network.pos.iter().enumerate() {
        at_most(format!("pos[{i}]"), u64::from(p.unsigned_abs()), 32767)?;
    }
    for (i, b) in network.blocks.iter().enumerate() {
        block(i, b, d)?;
    }
    norm("norm", &network.norm)?;
    linear(&network.head, d.embed, d.classes)?;
    selectors(&network.selectors, d)
}
