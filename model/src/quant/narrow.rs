//! Hidden units that are much wider than the others, made narrower.
//!
//! All units behind a GELU share one step, which has to reach the widest. A unit that computes `GELU(x / a)` and is weighed
//! with `a` in the product behind it is `a` times narrower, and nothing in the arithmetic changes: the factor is in the
//! weights on both sides. Near the knee it is another function, so only units gain for which the knee is a small part of
//! what they do, and every unit gets the factor with which it differs least from the original, among those that are large
//! enough for the product before it to be rescaled.

use super::behind::{Reader, clip_for};
use super::histogram::{Clip, Method};
use super::progress::{Phase, Progress, Tell};
use super::quantize::FACTOR_MAX;
use super::samples::Samples;
use super::stretch::stretch;
use crate::float::{FloatLinear, Folded, linear};
use crate::poly::gelu::{Codes, GeluParams, gelu_real};
use crate::statistics;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Factors that a unit can get: 1 to 4, each larger than the one before by this root of two.
const FACTORS: (u32, f64) = (25, 12.0);
/// Steps that are tried, from that of the largest value on; what each reaches is smaller by this root of two.
const STEPS: (u32, f64) = (40, 16.0);

/// What the values of a column stand for: `factor value + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Times the value.
    pub factor: f32,
    /// What a value of zero stands for.
    pub offset: f32,
}

impl Column {
    /// Values that stand for themselves.
    pub const ITSELF: Self = Self { factor: 1.0, offset: 0.0 };
}

/// The columns of a tensor, by its name. Those of other tensors stand for themselves.
pub type Columns = BTreeMap<String, Vec<Column>>;

/// A step that is tried, and the least and the largest value in it.
struct Step {
    step: f32,
    low: f32,
    high: f32,
    /// The largest weight that the product before it can have.
    weight: f64,
}

impl Step {
    /// `input` is the step of what the product reads.
    fn of(delta1: f64, step: f64, input: f64) -> Option<Self> {
        let gelu = GeluParams::new(step, delta1)?;
        let weight = 127.0 * FACTOR_MAX * gelu.input_step(step) / input;
        Some(Self { step: step as f32, low: (-127 - gelu.zero) as f32, high: (127 - gelu.zero) as f32, weight })
    }
}

/// A unit at one step: its best factor, and the sum of squares that it is off by.
#[derive(Clone, Copy)]
struct Choice {
    factor: f32,
    error: f64,
}

/// Sum of squares that a unit is off by. Its values are rounded to codes and count `factor` times.
fn error(exact: &[f32], narrow: &[f32], step: &Step, factor: f32) -> f64 {
    let Step { step, low, high, .. } = *step;
    let off = |(exact, narrow): (&f32, &f32)| {
        let steps = (narrow / step).clamp(low, high);
        // Halves away from zero; unlike `round`, this is an instruction on every processor.
        let code = (steps + 0.5f32.copysign(steps)) as i32;
        f64::from(exact - code as f32 * (step * factor)).powi(2)
    };
    exact.iter().zip(narrow).map(off).sum()
}

/// The best factor of a unit for every step. `inputs` are inputs of its GELU, `weight` is the largest weight of its row.
fn choices(inputs: &[f32], weight: f64, delta1: f64, steps: &[Step]) -> Vec<Choice> {
    let gelu = |factor: f32| inputs.iter().map(|x| gelu_real(f64::from(x / factor), delta1) as f32).collect();
    let exact: Vec<f32> = gelu(1.0);
    let mut best = vec![Choice { factor: 1.0, error: f64::INFINITY }; steps.len()];
    let largest = libm::exp2(f64::from(FACTORS.0 - 1) / FACTORS.1) as f32;
    for factor in (0..FACTORS.0).map(|k| libm::exp2(f64::from(k) / FACTORS.1) as f32) {
        let narrow: Vec<f32> = gelu(factor);
        for (best, step) in best.iter_mut().zip(steps) {
            if weight > step.weight * f64::from(factor) && factor < largest {
                continue;
            }
            let error = error(&exact, &narrow, step, factor);
            if error < best.error {
                *best = Choice { factor, error };
            }
        }
    }
    best
}

/// Factors for all units of a product with a GELU, from rows of its inputs, whose step is `input`.
fn factors(l: &FloatLinear, rows: &[f32], input: f64, delta1: f64) -> Vec<f32> {
    let hidden = linear(rows, l);
    let largest = hidden.iter().fold(0.0f32, |m, x| m.max(*x));
    if largest <= 0.0 || !largest.is_finite() {
        return vec![1.0; l.outputs];
    }
    let reaches = (0..STEPS.0).map(|k| f64::from(largest) * libm::exp2(-f64::from(k) / STEPS.1));
    let steps: Vec<Step> = reaches.filter_map(|reach| Step::of(delta1, Codes::of(delta1).step(reach), input)).collect();
    let unit = |n: usize| hidden.iter().skip(n).step_by(l.outputs).copied().collect::<Vec<f32>>();
    let weight = |n: usize| f64::from(statistics::largest(&l.weight[n * l.inputs..(n + 1) * l.inputs]));
    let units: Vec<Vec<Choice>> =
        (0..l.outputs).into_par_iter().map(|n| choices(&unit(n), weight(n), delta1, &steps)).collect();
    let error = |k: &usize| units.iter().map(|unit| unit[*k].error).sum::<f64>();
    let Some(best) = (0..steps.len()).min_by(|a, b| error(a).total_cmp(&error(b))) else {
        return vec![1.0; l.outputs];
    };
    units.iter().map(|unit| unit[best].factor).collect()
}

/// Moves the factors into the products.
fn apply(factors: &[f32], first: &mut FloatLinear, second: &mut FloatLinear) {
    for ((row, bias), factor) in first.weight.chunks_mut(first.inputs).zip(&mut first.bias).zip(factors) {
        row.iter_mut().for_each(|w| *w /= factor);
        *bias /= factor;
    }
    for row in second.weight.chunks_mut(second.inputs) {
        row.iter_mut().zip(factors).for_each(|(w, factor)| *w *= factor);
    }
}

/// What is chosen before the ranges of the tensors are known.
#[derive(Default)]
pub(super) struct Narrowed {
    /// By the tensor's name.
    pub columns: Columns,
    /// By the tensor's name.
    pub clips: BTreeMap<String, Clip>,
}

/// Narrows the hidden units of all blocks, by what they do on images, and moves those before a selector's logits.
pub(super) fn narrow(network: &mut Folded, samples: &Samples, tell: Tell<'_>) -> Narrowed {
    let (delta1, total) = (network.options.delta1, network.blocks.len());
    let mut all = Narrowed::default();
    for (i, block) in network.blocks.iter_mut().enumerate() {
        tell(Progress { phase: Phase::Narrowing, done: i, total });
        let input = format!("blocks.{i}.norm2");
        let rows = samples.rows(&input);
        let Some(clip) = clip_for(&[Reader { product: &block.fc1, gelu: Some(delta1) }], rows) else { continue };
        let factors = factors(&block.fc1, rows, clip.step, delta1);
        apply(&factors, &mut block.fc1, &mut block.fc2);
        let columns = factors.into_iter().map(|factor| Column { factor, offset: 0.0 }).collect();
        all.columns.insert(format!("blocks.{i}.mlp.fc1"), columns);
        all.clips.insert(input, clip);
    }
    for s in &mut network.selectors {
        let rows = samples.rows(&format!("selectors.{}.mix", s.block));
        if let Some((step, columns)) = stretch(&mut s.squeeze, &mut s.keep, rows, delta1) {
            let hidden = format!("selectors.{}.squeeze", s.block);
            all.columns.insert(hidden.clone(), columns);
            all.clips.insert(hidden, Clip { step, method: Method::Product, sqnr_db: f64::INFINITY });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sixteen units, one of them ten times as wide; inputs evenly spread.
    fn product() -> (FloatLinear, Vec<f32>) {
        let weight = (0..16).map(|n| if n == 5 { 20.0 } else { 2.0 }).collect();
        let rows = (-200..=200).map(|i| i as f32 / 200.0).collect();
        (FloatLinear { inputs: 1, outputs: 16, weight, bias: vec![0.0; 16] }, rows)
    }

    #[test]
    fn a_wide_unit_is_narrowed_and_no_other() {
        let (l, rows) = product();
        let factors = factors(&l, &rows, 1.0 / 127.0, 1.0);
        assert!(factors.iter().enumerate().all(|(n, f)| (*f > 1.3) == (n == 5) && *f >= 1.0), "{factors:?}");
        assert_eq!(super::factors(&l, &[0.0], 1.0, 1.0), [1.0; 16]);
        assert_eq!(super::factors(&l, &[f32::NAN, f32::INFINITY], 1.0, 1.0), [1.0; 16]);
    }

    #[test]
    fn factors_cancel_where_gelu_is_straight() {
        let (mut first, rows) = product();
        let mut second = FloatLinear { inputs: 16, outputs: 1, weight: vec![0.5; 16], bias: vec![1.0] };
        let outputs = |first: &FloatLinear, second: &FloatLinear| {
            let hidden: Vec<f32> = linear(&rows, first).iter().map(|x| gelu_real(f64::from(*x), 1.0) as f32).collect();
            linear(&hidden, second)
        };
        let before = outputs(&first, &second);
        let mut factors = vec![1.0; 16];
        factors[5] = 2.0;
        apply(&factors, &mut first, &mut second);
        assert_eq!((first.weight[5], second.weight[5]), (10.0, 1.0));
        let after = outputs(&first, &second);
        for (x, (a, b)) in rows.iter().zip(before.iter().zip(&after)) {
            let most = if x.abs() > 0.26 { 1e-5 } else { 0.15 };
            assert!((a - b).abs() < most, "{x}: {a} {b}");
        }
    }
}
