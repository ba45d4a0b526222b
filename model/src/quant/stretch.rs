//! The hidden units before a selector's logits, moved to where codes serve them best.
//!
//! The logits are small differences of units, and some units with large weights hardly vary: those that are mostly off stay
//! between -0.17 and 0, a dozen of the codes that the widest unit needs. A unit that computes `GELU(slope x + shift)`
//! has another part of the curve; the product behind and its bias make `factor GELU + offset` of it, which can be as good as
//! the original where the inputs are, with a smaller factor and so a finer step, or with a larger one where the
//! unit itself is wide. The arithmetic does not change.

use super::narrow::Column;
use crate::float::{FloatLinear, linear};
use crate::poly::gelu::{Codes, gelu_real};
use crate::statistics::{largest, mean};
use rayon::prelude::*;

/// Inputs are also tried at this multiple of their distance from the mean: other images have wider ones.
const BEYOND: f64 = 1.5;
/// Slopes that are tried: powers of this root of two, from 1/4 to 4.
const SLOPES: (std::ops::RangeInclusive<i32>, f64) = (-8..=8, 4.0);
/// What the mean input becomes: multiples of a fifth, within the range in which GELU bends.
const CENTERS: std::ops::RangeInclusive<i32> = -12..=12;
/// Steps that are tried, from that of the largest value on; what each reaches is smaller by this root of two.
const STEPS: (i32, f64) = (33, 8.0);

/// What a unit can become.
#[derive(Clone, Copy)]
struct Unit {
    slope: f64,
    shift: f64,
    column: Column,
    /// Mean square that it is off by, without rounding.
    error: f64,
    /// Largest magnitude of its values.
    largest: f64,
}

/// The unit `GELU(slope x + shift)` as the best estimate of some outputs; `None` where it does not rise with them.
fn estimate(inputs: &[f64], exact: &[f64], slope: f64, shift: f64, delta1: f64) -> Option<Unit> {
    let values: Vec<f64> = inputs.iter().map(|x| gelu_real(slope * x + shift, delta1)).collect();
    let (at, to) = (mean(values.iter().copied()), mean(exact.iter().copied()));
    let variance = mean(values.iter().map(|v| (v - at).powi(2)));
    let covariance = mean(values.iter().zip(exact).map(|(v, e)| (v - at) * (e - to)));
    let factor = covariance / variance;
    if !factor.is_normal() || factor <= 0.0 {
        return None;
    }
    let offset = to - factor * at;
    let error = mean(values.iter().zip(exact).map(|(v, e)| (e - factor * v - offset).powi(2)));
    let column = Column { factor: factor as f32, offset: offset as f32 };
    Some(Unit { slope, shift, column, error, largest: largest(&values) })
}

/// What a unit with these inputs can become, itself first.
fn candidates(inputs: &[f64], delta1: f64) -> Vec<Unit> {
    let exact: Vec<f64> = inputs.iter().map(|x| gelu_real(*x, delta1)).collect();
    let itself = Unit { slope: 1.0, shift: 0.0, column: Column::ITSELF, error: 0.0, largest: largest(&exact) };
    let center = mean(inputs.iter().copied());
    let slopes = SLOPES.0.map(|k| libm::exp2(f64::from(k) / SLOPES.1));
    let pairs = slopes.flat_map(|slope| CENTERS.map(move |c| (slope, f64::from(c) / 5.0 - slope * center)));
    let others = pairs.filter_map(|(slope, shift)| estimate(inputs, &exact, slope, shift, delta1));
    std::iter::once(itself).chain(others).collect()
}

/// Inputs of every unit, and the same farther from their mean.
fn columns(hidden: &[f32], units: usize) -> Vec<Vec<f64>> {
    let column = |n: usize| {
        let inputs: Vec<f64> = hidden.iter().skip(n).step_by(units).map(|x| f64::from(*x)).collect();
        let center = mean(inputs.iter().copied());
        let beyond: Vec<f64> = inputs.iter().map(|x| center + BEYOND * (x - center)).collect();
        [inputs, beyond].concat()
    };
    (0..units).map(column).collect()
}

/// The units and the step with which the sum over all units, by their `weights`, is off least.
fn choose(columns: &[Vec<f64>], weights: &[f64], delta1: f64) -> Option<(f64, Vec<Unit>)> {
    let units: Vec<Vec<Unit>> = columns.par_iter().map(|inputs| candidates(inputs, delta1)).collect();
    let widest = units.iter().map(|unit| unit[0].largest).fold(0.0, f64::max);
    if widest <= 0.0 || !widest.is_finite() {
        return None;
    }
    let codes = Codes::of(delta1);
    let at = |step: f64| -> Option<(f64, Vec<Unit>)> {
        // Half a step of room for what rounds to the largest code.
        let fits = |unit: &&Unit| unit.largest <= codes.reach(step) + step / 2.0;
        let error = |unit: &Unit| unit.error + (f64::from(unit.column.factor) * step).powi(2) / 12.0;
        let best = |unit: &Vec<Unit>| unit.iter().filter(fits).min_by(|a, b| error(a).total_cmp(&error(b))).copied();
        let chosen = units.iter().map(best).collect::<Option<Vec<Unit>>>()?;
        Some((chosen.iter().zip(weights).map(|(unit, weight)| weight * error(unit)).sum(), chosen))
    };
    let steps = (0..STEPS.0).map(|k| codes.step(widest * libm::exp2(-f64::from(k) / STEPS.1)));
    let tried = steps.filter_map(|step| at(step).map(|(error, chosen)| (error, step, chosen)));
    tried.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, step, chosen)| (step, chosen))
}

/// Sum of the squares of every column.
fn squares(l: &FloatLinear) -> Vec<f64> {
    let mut sums = vec![0.0; l.inputs];
    for row in l.weight.chunks(l.inputs) {
        sums.iter_mut().zip(row).for_each(|(sum, w)| *sum += f64::from(*w).powi(2));
    }
    sums
}

/// Moves the units between two products, which `rows` of inputs show; returns their step and what their values stand for.
pub(super) fn stretch(
    first: &mut FloatLinear,
    second: &mut FloatLinear,
    rows: &[f32],
    delta1: f64,
) -> Option<(f64, Vec<Column>)> {
    let hidden = linear(rows, first);
    let (step, units) = choose(&columns(&hidden, first.outputs), &squares(second), delta1)?;
    for ((row, bias), unit) in first.weight.chunks_mut(first.inputs).zip(&mut first.bias).zip(&units) {
        row.iter_mut().for_each(|w| *w = (f64::from(*w) * unit.slope) as f32);
        *bias = (f64::from(*bias) * unit.slope + unit.shift) as f32;
    }
    for (row, bias) in second.weight.chunks_mut(second.inputs).zip(&mut second.bias) {
        let offset: f64 = row.iter().zip(&units).map(|(w, unit)| f64::from(w * unit.column.offset)).sum();
        *bias = (f64::from(*bias) + offset) as f32;
        row.iter_mut().zip(&units).for_each(|(w, unit)| *w *= unit.column.factor);
    }
    Some((step, units.iter().map(|unit| unit.column).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gelu(values: &[f32]) -> Vec<f32> {
        values.iter().map(|x| gelu_real(f64::from(*x), 1.0) as f32).collect()
    }

    /// A wide unit, and one that is off, with the larger weight.
    fn products() -> (FloatLinear, FloatLinear, Vec<f32>) {
        let first = FloatLinear { inputs: 1, outputs: 2, weight: vec![4.0, 0.2], bias: vec![0.0, -1.6] };
        let second = FloatLinear { inputs: 2, outputs: 1, weight: vec![1.0, -10.0], bias: vec![0.5] };
        (first, second, (-200..=200).map(|i| i as f32 / 200.0).collect())
    }

    #[test]
    fn a_unit_that_hardly_varies_gets_a_finer_step() {
        let (mut first, mut second, rows) = products();
        let before = linear(&gelu(&linear(&rows, &first)), &second);
        let (step, columns) = stretch(&mut first, &mut second, &rows, 1.0).unwrap();
        let columns = [columns[0].factor * step as f32, columns[1].factor * step as f32];
        assert!(columns[1] < 0.7 * 4.17 / 253.5 && columns[1] < 0.5 * columns[0], "{columns:?}");
        let hidden = gelu(&linear(&rows, &first));
        let worst = |after: Vec<f32>| before.iter().zip(after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let codes: Vec<f32> = hidden.iter().map(|v| (v / step as f32).round() * step as f32).collect();
        let worst = [hidden, codes].map(|hidden| worst(linear(&hidden, &second)));
        // In the codes that reach the first, the second unit alone would be off by 10 x 4.17 / 253.5 / 2 = 0.082.
        assert!(worst[0] < 0.03 && worst[1] < 0.075, "{worst:?}");
    }

    #[test]
    fn what_is_never_seen_stays() {
        let (mut first, mut second, _) = products();
        first.weight.fill(0.0);
        first.bias.fill(0.0);
        assert!(stretch(&mut first, &mut second, &[0.1, 0.2], 1.0).is_none());
        assert!(stretch(&mut first, &mut second, &[f32::NAN], 1.0).is_none());
        assert_eq!(second.weight, [1.0, -10.0]);
    }
}
