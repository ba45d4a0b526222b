//! The error of every polynomial unit against the exact function: data for the error command and the documents.

use super::exp::{ONE, STEPS_PER_OCTAVE, exp7};
use super::gelu::{GeluParams, gelu, gelu_real};
use super::plan::{self, INPUT_STEPS, plan, plan_real, sigmoid_exact};
use super::recip::{recip, recip_table};
use super::rsqrt::{rsqrt, rsqrt_table};
use crate::float::{exp_exact, exp_poly, gelu_exact};
use crate::golden::selector::{SCORE_ONE, score};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::fmt::Write;

/// Error of one unit over its domain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitError {
    /// Unit, with its options.
    pub unit: String,
    /// `real` for the polynomial in real numbers, `integer` for what the hardware computes.
    pub arithmetic: &'static str,
    /// Where it was compared.
    pub domain: String,
    /// `absolute` or `relative`.
    pub kind: &'static str,
    /// Largest error.
    pub max: f64,
    /// Mean magnitude of the error.
    pub mean: f64,
}

/// Gathers errors of one unit.
#[derive(Default)]
struct Errors {
    count: u64,
    max: f64,
    sum: f64,
}

impl Errors {
    fn of(errors: impl IntoIterator<Item = f64>) -> Self {
        let add = |all: Self, e: f64| Self { count: all.count + 1, max: all.max.max(e.abs()), sum: all.sum + e.abs() };
        errors.into_iter().fold(Self::default(), add)
    }

    fn row(self, unit: &str, arithmetic: &'static str, domain: &str, kind: &'static str) -> UnitError {
        let mean = self.sum / self.count as f64;
        UnitError { unit: unit.to_owned(), arithmetic, domain: domain.to_owned(), kind, max: self.max, mean }
    }
}

fn exp_rows() -> Vec<UnitError> {
    let unit = std::f64::consts::LN_2 / f64::from(STEPS_PER_OCTAVE);
    let points = || (0..12 * STEPS_PER_OCTAVE).map(|d| (d, -f64::from(d) * unit));
    let real = Errors::of(points().map(|(_, x)| exp_poly(x) - exp_exact(x)));
    let integer = Errors::of(points().map(|(d, x)| f64::from(exp7(d)) / f64::from(ONE) - exp_exact(x)));
    let domain = "-12 ln2..0, every score";
    vec![real.row("exp", "real", domain, "absolute"), integer.row("exp", "integer", domain, "absolute")]
}

/// Both uses of the sigmoid in a selector: of the difference of two logits, a softmax of two, and of a head's weight.
fn sigmoid_rows() -> Vec<UnitError> {
    let points = || (-8 * INPUT_STEPS..=8 * INPUT_STEPS).map(|i| (i, f64::from(i) / f64::from(INPUT_STEPS)));
    let real = Errors::of(points().map(|(_, x)| plan_real(x) - sigmoid_exact(x)));
    let integer = Errors::of(points().map(|(i, x)| f64::from(plan(i)) / f64::from(plan::ONE) - sigmoid_exact(x)));
    let (unit, domain) = ("sigmoid (PLAN), softmax of two", "-8..8, every logit");
    vec![real.row(unit, "real", domain, "absolute"), integer.row(unit, "integer", domain, "absolute")]
}

/// Whole scores: the fusion of four heads, for logits up to 4.
fn score_row() -> UnitError {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let error = |_| {
        let mut logits =
            || -> [i32; 4] { std::array::from_fn(|_| rng.random_range(-4 * INPUT_STEPS..=4 * INPUT_STEPS)) };
        let (keep, weight) = (logits(), logits());
        let exact = |x: i32| sigmoid_exact(f64::from(x) / f64::from(INPUT_STEPS));
        let numerator: f64 = keep.iter().zip(&weight).map(|(k, w)| exact(*k) * exact(*w)).sum();
        let denominator: f64 = weight.iter().map(|w| exact(*w)).sum();
        f64::from(score(&keep, &weight)) / f64::from(SCORE_ONE) - numerator / denominator
    };
    Errors::of((0..20_000).map(error)).row(
        "selector score, 4 heads",
        "integer",
        "20000 random rows, logits -4..4",
        "absolute",
    )
}

fn gelu_rows(delta1: f64) -> Vec<UnitError> {
    let step = 4.0 / 127.0;
    let unit = format!("gelu, delta1 = {delta1}");
    let xs = (-4000..=4000).map(|i| f64::from(i) / 1000.0);
    let real = Errors::of(xs.map(|x| gelu_real(x, delta1) - gelu_exact(x)));
    let mut rows = vec![real.row(&unit, "real", "-4..4", "absolute")];
    if let Some(params) = GeluParams::new(step, delta1) {
        let input = params.input_step(step);
        let limit = (4.0 / input) as i32;
        let error = |x: i32| f64::from(gelu(x, &params) - params.zero) * step - gelu_exact(f64::from(x) * input);
        rows.push(Errors::of((-limit..=limit).map(error)).row(
            &unit,
            "integer",
            "-4..4, output step 4/127",
            "absolute",
        ));
    }
    rows
}

fn reciprocal_row() -> UnitError {
    let table = recip_table();
    let error = |sum: u32| recip(sum, 1 << 16, -16, &table).factor() * f64::from(sum) - 1.0;
    Errors::of((127..1 << 17).map(error)).row("reciprocal", "integer", "127..2^17, every sum", "relative")
}

fn rsqrt_row() -> UnitError {
    let table = rsqrt_table();
    let error = |x: u64| {
        let (mantissa, exponent) = rsqrt(x, &table);
        f64::from(mantissa) * libm::exp2(f64::from(-16 - exponent)) * libm::sqrt(x as f64) - 1.0
    };
    let points = std::iter::successors(Some(1u64), |x| Some(x + x / 997 + 1)).take_while(|x| *x < 1 << 52);
    Errors::of(points.map(error)).row("reciprocal square root", "integer", "1..2^52, steps of 0.1 %", "relative")
}

/// Whole rows: exp, sum and division, for scores of a standard deviation of about 2.
fn softmax_rows() -> Vec<UnitError> {
    let unit = std::f64::consts::LN_2 / f64::from(STEPS_PER_OCTAVE);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut real, mut integer) = (Vec::new(), Vec::new());
    for _ in 0..500 {
        let scores: Vec<i32> = (0..82).map(|_| (0..6).map(|_| rng.random_range(-520..=520)).sum()).collect();
        let maximum = scores.iter().copied().max().unwrap_or(0);
        let distance = |s: &i32| f64::from(s - maximum) * unit;
        let exact: Vec<f64> = scores.iter().map(|s| exp_exact(distance(s))).collect();
        let poly: Vec<f64> = scores.iter().map(|s| exp_poly(distance(s))).collect();
        let ints: Vec<f64> = scores.iter().map(|s| f64::from(exp7((maximum - s) as u32))).collect();
        let [exact_sum, poly_sum, int_sum] = [&exact, &poly, &ints].map(|v| v.iter().sum::<f64>());
        real.extend(poly.iter().zip(&exact).map(|(p, e)| p / poly_sum - e / exact_sum));
        integer.extend(ints.iter().zip(&exact).map(|(p, e)| p / int_sum - e / exact_sum));
    }
    let domain = "500 random rows of 82 scores";
    [(real, "real"), (integer, "integer")]
        .map(|(errors, arithmetic)| Errors::of(errors).row("softmax", arithmetic, domain, "absolute"))
        .into()
}

/// Errors of all units; the same numbers on every machine.
pub fn report() -> Vec<UnitError> {
    let mut rows = exp_rows();
    rows.extend(softmax_rows());
    rows.extend([1.0, 0.5].into_iter().flat_map(gelu_rows));
    rows.extend([reciprocal_row(), rsqrt_row()]);
    rows.extend(sigmoid_rows());
    rows.push(score_row());
    rows
}

/// The report as a Markdown table.
pub fn markdown(rows: &[UnitError]) -> String {
    let mut out = String::from("| unit | arithmetic | domain | error | max | mean |\n|---|---|---|---|---|---|\n");
    for r in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {:.2e} | {:.2e} |",
            r.unit, r.arithmetic, r.domain, r.kind, r.max, r.mean
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bounds known from the literature or from the exhaustive tests of the units.
    #[test]
    fn errors_are_as_known() {
        let rows = report();
        let max = |unit: &str, arithmetic: &str| {
            rows.iter().find(|r| r.unit == unit && r.arithmetic == arithmetic).unwrap_or_else(|| panic!("{unit}")).max
        };
        assert!(max("exp", "real") < 3e-3);
        assert!(max("exp", "integer") < 1.0 / 127.0);
        assert!(max("softmax", "integer") < 0.05);
        assert!((0.015..0.03).contains(&max("gelu, delta1 = 1", "real")));
        assert!(max("gelu, delta1 = 1", "integer") < 0.03 + 4.0 / 127.0);
        assert!(max("gelu, delta1 = 0.5", "real") > 0.5);
        assert!(max("reciprocal", "integer") < 6e-4);
        // 0.0189 is PLAN's published error; integers add nothing to it.
        assert!((0.0185..0.0190).contains(&max("sigmoid (PLAN), softmax of two", "real")));
        assert_eq!(max("sigmoid (PLAN), softmax of two", "integer"), max("sigmoid (PLAN), softmax of two", "real"));
        // Where all head weights are small, PLAN's error is large beside them, and they shift the mean of the heads.
        assert!((0.01..0.1).contains(&max("selector score, 4 heads", "integer")));
        assert!(max("reciprocal square root", "integer") < 3e-4);
    }

    /// docs/arithmetic.md shows this very table.
    #[test]
    fn the_document_shows_the_report() {
        let document = include_str!("../../../docs/arithmetic.md");
        let table = markdown(&report());
        assert!(document.contains(&table), "replace the error table of docs/arithmetic.md by:\n{table}");
    }
}
