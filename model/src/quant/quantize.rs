//! From a trained network to integers. After this file there is no real number in the data path.

use super::behind::{Reader, clip_for};
use super::calibrate::{Calibration, calibrate, check_images};
use super::center::center;
use super::histogram::Method;
use super::narrow::{Column, Columns, Narrowed, narrow};
use super::product::{Input, ROW_CLIP_MOST, Steps, quantize_linear};
use super::progress::{Phase, Progress, Tell};
use super::rounding::Inputs;
use super::samples::Samples;
use super::spread::spread;
use super::{Block, GeluParams, Linear, NormParams, QuantError, QuantNetwork, RowScale, ScoreScale, validate};
use crate::fixed::{mantissa_exponent, multipliers, saturate};
use crate::float::{FloatLinear, FloatNetwork, Folded, FoldedBlock};
use crate::image::INPUT_STEP;
use crate::layernorm::MEAN_FRACTION_BITS;
use crate::poly::exp::STEPS_PER_OCTAVE;
use crate::poly::gelu::Codes;
use std::collections::BTreeMap;

/// Room of the 16-bit residual stream above the calibrated range.
const RESIDUAL_MARGIN: f64 = 1.5;
/// Room of the 16-bit logits above the calibrated range.
const LOGIT_MARGIN: f64 = 2.0;
/// Largest factor that a rescaling can stand for, just below 2.
pub(super) const FACTOR_MAX: f64 = 1.99;
/// Largest `step of V / step of O` that keeps the reciprocal of every row sum a legal multiplier.
const ATTEND_MAX: f64 = 32.0;

/// Why a network cannot be quantized.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QuantizeError {
    /// Nothing to calibrate on.
    #[error("no calibration image; the ranges of the activations come from at least one")]
    NoCalibration,
    /// Wrong length of a calibration image.
    #[error(
        "calibration image {image} has {found} elements, tokens x patch inputs = {expected} are needed; cut it into patches of the configured network"
    )]
    ImageSize {
        /// Which.
        image: usize,
        /// Elements found.
        found: usize,
        /// Elements needed.
        expected: usize,
    },
    /// An activation overflows in float.
    #[error("tensor `{tensor}` is not finite on a calibration image; train the network again")]
    NotFinite {
        /// Tensor.
        tensor: String,
    },
    /// A rescaling factor of 2 or more.
    #[error(
        "tensor `{tensor}` needs the rescaling factor {factor}, less than 2 is possible: its weights are too large for its output range; train the network again"
    )]
    Factor {
        /// Tensor.
        tensor: String,
        /// As computed.
        factor: String,
    },
    /// No integer constant represents a real one.
    #[error(
        "`{what}` is {value}, which no integer constant represents; train the network again, or correct eps and the deltas of [model]"
    )]
    Constant {
        /// Which.
        what: String,
        /// As computed.
        value: String,
    },
    /// The result is not legal.
    #[error(transparent)]
    Illegal(#[from] QuantError),
}

/// A quantized network with what is known about its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// Integers only.
    pub network: QuantNetwork,
    /// Real value of one step of every tensor of a trace, and how it was chosen.
    pub steps: BTreeMap<String, TensorStep>,
    /// Columns that stand for something else than themselves.
    pub columns: Columns,
}

impl Quantized {
    /// Real value of one step and of the code of zero in every element of a tensor's row, over and over.
    pub(super) fn units(&self, name: &str) -> impl Iterator<Item = (f64, f64)> + '_ {
        let step = self.steps.get(name).map_or(1.0, |s| s.step);
        let columns = self.columns.get(name).map_or(&[Column::ITSELF][..], |c| c);
        columns.iter().cycle().map(move |column| (step * f64::from(column.factor), f64::from(column.offset)))
    }

    /// Code of zero of a tensor.
    pub(super) fn zero(&self, name: &str) -> i32 {
        self.steps.get(name).map_or(0, |s| s.zero)
    }

    /// A tensor in integers, each the nearest to its element.
    pub(super) fn integers(&self, name: &str, values: &[f32], bits: u32) -> Vec<i32> {
        let zero = i64::from(self.zero(name));
        let nearest = |(v, (unit, offset)): (&f32, (f64, f64))| {
            saturate(((f64::from(*v) - offset) / unit).round() as i64 + zero, bits) as i32
        };
        values.iter().zip(self.units(name)).map(nearest).collect()
    }

    /// What a tensor's integers stand for.
    pub(super) fn reals<'a>(&'a self, name: &str, integers: &'a [i32]) -> impl Iterator<Item = f64> + 'a {
        let zero = self.zero(name);
        let real = move |(code, (unit, offset)): (&i32, (f64, f64))| f64::from(code - zero) * unit + offset;
        integers.iter().zip(self.units(name)).map(real)
    }
}

/// One step of a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TensorStep {
    /// Real value of one step.
    pub step: f64,
    /// Code of zero.
    pub zero: i32,
    /// How its range was chosen.
    pub method: Method,
}

/// A value of the residual stream in its steps.
pub(super) fn residual_code(value: f32, step: f64) -> i16 {
    (f64::from(value) / step).round().clamp(-32767.0, 32767.0) as i16
}

/// A number for a message: with an exponent where it would be long.
pub(super) fn shown(value: f64) -> String {
    if value == 0.0 || (1e-4..1e6).contains(&value.abs()) { value.to_string() } else { format!("{value:.3e}") }
}

pub(super) fn constant(what: String, value: f64) -> QuantizeError {
    QuantizeError::Constant { what, value: shown(value) }
}

pub(super) struct Quantizer<'a> {
    pub(super) folded: &'a Folded,
    pub(super) samples: &'a Samples,
    pub(super) ranges: &'a Calibration,
    pub(super) narrowed: &'a Narrowed,
    pub(super) residual_step: f64,
    pub(super) steps: BTreeMap<String, TensorStep>,
}

impl Quantizer<'_> {
    pub(super) fn note(&mut self, name: String, step: f64, method: Method) -> f64 {
        self.steps.insert(name, TensorStep { step, zero: 0, method });
        step
    }

    /// Step of an int8 tensor, at least `floor`.
    pub(super) fn step(&mut self, name: String, floor: f64) -> f64 {
        let clip = self.ranges.clip(&name);
        self.note(name, clip.step.max(floor), clip.method)
    }

    /// What is known of a tensor that a product reads, whose step is chosen.
    pub(super) fn input(&self, name: &str) -> Option<Inputs> {
        let mut input = self.ranges.input(name)?;
        let sampled = !self.samples.rows(name).is_empty();
        if let Some(s) = self.steps.get(name).filter(|s| sampled && s.zero == 0) {
            input.offsets = self.samples.offsets(name, s.step, input.means.len());
        }
        Some(input)
    }

    /// Step of a normalised tensor, by the products that read rows of `sample`.
    fn normed(&mut self, name: String, sample: &str, readers: &[Reader<'_>]) -> f64 {
        match clip_for(readers, self.samples.rows(sample)) {
            Some(clip) => self.note(name, clip.step, clip.method),
            None => self.step(name, 0.0),
        }
    }

    /// Constants of a LayerNorm whose step is chosen.
    fn norm(&self, name: &str) -> Result<NormParams, QuantizeError> {
        let channels = self.folded.dims.embed as f64;
        let clip = 127.0 * self.steps.get(name).map_or(1.0, |s| s.step);
        let factor = 127.0 * channels / (clip * f64::from(1u32 << MEAN_FRACTION_BITS));
        let (gain, exponent) = mantissa_exponent(factor).ok_or_else(|| constant(format!("{name}.gain"), factor))?;
        let eps = (self.folded.options.eps * (channels / self.residual_step).powi(2)).round().max(1.0);
        if eps > f64::from(u32::MAX) {
            return Err(constant(format!("{name}.eps"), eps));
        }
        Ok(NormParams { gain, exponent, eps: eps as u32 })
    }

    /// Scores in units of ln2/256. Steps of Q and K shrink when their product would need a factor of 2 or more.
    fn scores(&mut self, prefix: &str, q: f64, k: f64) -> Result<(f64, f64, ScoreScale), QuantizeError> {
        let unit = std::f64::consts::LN_2 / f64::from(STEPS_PER_OCTAVE);
        let factor = q * k / (self.folded.dims.head_dim as f64).sqrt() / unit;
        let shrink = if factor > FACTOR_MAX { (FACTOR_MAX / factor).sqrt() } else { 1.0 };
        let factor = factor * shrink * shrink;
        let (mult, sel) =
            multipliers(&[factor]).ok_or_else(|| constant(format!("{prefix}.attn.scores.mult"), factor))?;
        for h in 0..self.folded.dims.heads {
            self.note(format!("{prefix}.attn.scores.{h}"), unit, Method::Fixed);
            self.note(format!("{prefix}.attn.exp.{h}"), 1.0 / 127.0, Method::Fixed);
            self.note(format!("{prefix}.attn.rowsum.{h}"), 1.0 / 127.0, Method::Fixed);
        }
        Ok((q * shrink, k * shrink, ScoreScale { mult: mult[0], sel }))
    }

    /// Step of an activated tensor and the constants of its GELU: the best step for which the product before it can
    /// be rescaled to GELU's input.
    pub(super) fn activation(
        &mut self,
        name: String,
        l: &FloatLinear,
        input: Input,
    ) -> Result<(Input, GeluParams), QuantizeError> {
        let (delta1, codes) = (self.folded.options.delta1, Codes::of(self.folded.options.delta1));
        let steps = || GeluParams::output_steps(Steps::least_output(l, input));
        // Rows that are too large for every step are clipped.
        let any = steps().next().is_none();
        let clipped = GeluParams::output_steps(Steps::least_output(l, input) / ROW_CLIP_MOST);
        let wide = clipped.map(|(_, high)| (high * 0.999, high)).filter(|_| any);
        let chosen = self.narrowed.clips.get(&name).copied();
        let chosen = chosen.filter(|clip| steps().any(|(low, high)| (low..=high).contains(&clip.step)));
        let step = match chosen.or_else(|| self.ranges.clip_within(&name, steps().chain(wide), codes)) {
            Some(clip) => self.note(name.clone(), clip.step, clip.method),
            None => self.step(name.clone(), GeluParams::least_output_step()),
        };
        let gelu = GeluParams::new(step, delta1).ok_or_else(|| constant(format!("{name}.gelu"), step))?;
        self.steps.entry(name).and_modify(|s| s.zero = gelu.zero);
        Ok((Input { step, zero: gelu.zero }, gelu))
    }

    /// Chooses the steps of a block.
    fn plan(&mut self, i: usize, b: &FoldedBlock) -> Result<BlockPlan, QuantizeError> {
        let prefix = format!("blocks.{i}");
        let at = |part: &str| format!("{prefix}.{part}");
        let linear = |product| Reader { product, gelu: None };
        let input = match self.folded.selectors.iter().find(|s| s.block == i) {
            Some(s) => {
                let gelu = Some(self.folded.options.delta1);
                let selector = [&s.local, &s.weigh].map(|product| Reader { product, gelu });
                let readers: Vec<_> = [&b.q, &b.k, &b.v].map(linear).into_iter().chain(selector).collect();
                self.normed(at("norm1"), &format!("selectors.{i}.norm"), &readers)
            }
            None => self.normed(at("norm1"), &at("norm1"), &[&b.q, &b.k, &b.v].map(linear)),
        };
        let [q, k, v] = [("attn.q", &b.q), ("attn.k", &b.k), ("attn.v", &b.v)]
            .map(|(name, l)| self.step(at(name), Steps::least_output(l, Input::symmetric(input))));
        let (q, k, scores) = self.scores(&prefix, q, k)?;
        for (name, step) in [("attn.q", q), ("attn.k", k)] {
            self.steps.entry(at(name)).and_modify(|s| s.step = step);
        }
        let delta2 = self.folded.options.delta2;
        let o = self.step(at("attn.o"), delta2 * v / ATTEND_MAX);
        let ratio = delta2 * v / o;
        let (gain, exponent) = mantissa_exponent(ratio).ok_or_else(|| constant(at("attn.attend"), ratio))?;
        let hidden_input = match self.narrowed.clips.get(&at("norm2")) {
            Some(clip) => self.note(at("norm2"), clip.step, clip.method),
            None => self.step(at("norm2"), 0.0),
        };
        let (hidden, gelu) = self.activation(at("mlp.fc1"), &b.fc1, Input::symmetric(hidden_input))?;
        let attend = RowScale { gain, exponent };
        Ok(BlockPlan { input, q, k, v, scores, o, attend, hidden_input, hidden, gelu })
    }

    /// The integers of a block.
    fn block(&mut self, i: usize, b: &FoldedBlock, p: &BlockPlan) -> Result<Block, QuantizeError> {
        let at = |part: &str| format!("blocks.{i}.{part}");
        let residual = self.residual_step;
        self.note(at("attn.residual"), residual, Method::MinMax);
        self.note(at("residual"), residual, Method::MinMax);
        let from_codes = |name: &str, l, input, output, from: &Option<Inputs>| {
            quantize_linear(l, at(name), &Steps { input, output }, from.as_ref())
        };
        let product = |name: &str, l, input, output, from: &Option<Inputs>| {
            from_codes(name, l, Input::symmetric(input), output, from)
        };
        let [normed, attended, mixed, hidden] =
            ["norm1", "attn.o", "norm2", "mlp.fc1"].map(|name| self.input(&at(name)));
        Ok(Block {
            norm1: self.norm(&at("norm1"))?,
            q: product("attn.q", &b.q, p.input, p.q, &normed)?,
            k: product("attn.k", &b.k, p.input, p.k, &normed)?,
            v: product("attn.v", &b.v, p.input, p.v, &normed)?,
            scores: p.scores,
            attend: p.attend,
            proj: product("attn.proj", &b.proj, p.o, residual, &attended)?,
            norm2: self.norm(&at("norm2"))?,
            fc1: product("mlp.fc1", &b.fc1, p.hidden_input, p.gelu.input_step(p.hidden.step), &mixed)?,
            gelu: p.gelu,
            fc2: from_codes("mlp.fc2", &b.fc2, p.hidden, residual, &hidden)?,
        })
    }
}

/// Steps of a block, and the constants that they determine.
struct BlockPlan {
    input: f64,
    q: f64,
    k: f64,
    v: f64,
    scores: ScoreScale,
    o: f64,
    attend: RowScale,
    hidden_input: f64,
    hidden: Input,
    gelu: GeluParams,
}

/// The step of the residual stream: its range with a margin, and no rescaling factor of 2 or more on the way to it.
fn residual_step(folded: &Folded, ranges: &Calibration, plans: &[BlockPlan]) -> f64 {
    let range = ranges.residual_max().max(f64::from(f32::MIN_POSITIVE)) * RESIDUAL_MARGIN / 32767.0;
    let branches = folded.blocks.iter().zip(plans);
    let least = branches.flat_map(|(b, p)| {
        [Steps::least_output(&b.proj, Input::symmetric(p.o)), Steps::least_output(&b.fc2, p.hidden)]
    });
    least.chain([Steps::least_output(&folded.embed, Input::symmetric(INPUT_STEP))]).fold(range, f64::max)
}

/// Embedding and position table.
type Embedding = (Linear, Vec<i16>);

/// Final norm, classifier and the step of the logits.
type Classifier = (NormParams, Linear, f64);

impl Quantizer<'_> {
    fn embedding(&mut self) -> Result<Embedding, QuantizeError> {
        let step = self.residual_step;
        self.note("embed".to_owned(), step, Method::MinMax);
        let steps = Steps { input: Input::symmetric(INPUT_STEP), output: step };
        let embed = quantize_linear(&self.folded.embed, "patch_embed.proj".to_owned(), &steps, None)?;
        Ok((embed, self.folded.pos.iter().map(|p| residual_code(*p, step)).collect()))
    }

    fn classifier(&mut self) -> Result<Classifier, QuantizeError> {
        let (head, input) = (&self.folded.head, Input::symmetric(self.step("norm".to_owned(), 0.0)));
        let norm = self.norm("norm")?;
        let range = self.ranges.max("logits").max(f64::from(f32::MIN_POSITIVE)) * LOGIT_MARGIN / 32767.0;
        let output = range.max(Steps::least_output(head, input));
        self.note("logits".to_owned(), output, Method::MinMax);
        let steps = Steps { input, output };
        let head = quantize_linear(head, "head".to_owned(), &steps, self.ranges.input("norm").as_ref())?;
        Ok((norm, head, output))
    }

    /// The integers: first all steps of the blocks, which decide that of the stream between them.
    fn network(&mut self, name: &str, tell: Tell<'_>) -> Result<QuantNetwork, QuantizeError> {
        let folded = self.folded;
        let plans = folded.blocks.iter().enumerate().map(|(i, b)| self.plan(i, b)).collect::<Result<Vec<_>, _>>()?;
        self.residual_step = residual_step(folded, self.ranges, &plans);
        let (embed, pos) = self.embedding()?;
        let total = folded.blocks.len();
        tell(Progress { phase: Phase::Rounding, done: 0, total });
        let mut blocks = Vec::with_capacity(total);
        for ((i, b), plan) in folded.blocks.iter().enumerate().zip(&plans) {
            blocks.push(self.block(i, b, plan)?);
            tell(Progress { phase: Phase::Rounding, done: i + 1, total });
        }
        let selectors = folded.selectors.iter().map(|s| self.selector(s)).collect::<Result<Vec<_>, _>>()?;
        let (norm, head, logit_step) = self.classifier()?;
        let (name, dims, residual_step) = (name.to_owned(), folded.dims.clone(), self.residual_step);
        Ok(QuantNetwork { name, dims, embed, pos, blocks, selectors, norm, head, residual_step, logit_step })
    }
}

/// Quantizes a network; `calibration` are patches in real numbers ([`crate::image::float_patches`]).
///
/// # Errors
/// No calibration, a range that the integers cannot represent, or an accumulator that could overflow.
pub fn quantize(network: &FloatNetwork, name: &str, calibration: &[Vec<f32>]) -> Result<Quantized, QuantizeError> {
    quantize_telling(network, name, calibration, &mut |_| ())
}

/// The same, and tells how far it has come.
///
/// # Errors
/// As those of [`quantize`].
pub fn quantize_telling(
    network: &FloatNetwork,
    name: &str,
    calibration: &[Vec<f32>],
    tell: &mut dyn FnMut(Progress),
) -> Result<Quantized, QuantizeError> {
    let mut folded = spread(network);
    check_images(&folded, calibration)?;
    center(&mut folded);
    let samples = Samples::of(&folded, calibration, tell);
    let narrowed = narrow(&mut folded, &samples, tell);
    let ranges = calibrate(&folded, calibration, &narrowed.columns, tell)?;
    let mut quantizer = Quantizer {
        folded: &folded,
        samples: &samples,
        ranges: &ranges,
        narrowed: &narrowed,
        residual_step: 0.0,
        steps: BTreeMap::new(),
    };
    let network = quantizer.network(name, tell)?;
    let steps = quantizer.steps;
    validate(&network)?;
    Ok(Quantized { network, steps, columns: narrowed.columns })
}
