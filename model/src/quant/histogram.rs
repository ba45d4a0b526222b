//! Magnitudes of a tensor over the calibration images, and the clip that loses least.

use super::narrow::Column;
use crate::poly::gelu::Codes;
use serde::Serialize;

/// Bins by the upper half of an `f32`: sign dropped, 8 exponent and 7 mantissa bits, so 0.4 % wide.
/// Counts are integers: merging in any order gives the same histogram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
}

/// How a clip was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The largest magnitude.
    MinMax,
    /// The magnitude that all but this many elements in 100,000 stay below.
    Percentile(u32),
    /// The best of a grid of fractions of the largest magnitude.
    Mse,
    /// The best of a grid by what the products behind it lose.
    Product,
    /// The end of the range that the arithmetic allows.
    Bound,
    /// Set by the arithmetic, not by the data.
    Fixed,
}

/// A clip and its quality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    /// Real value of one step of the codes that reach it.
    pub step: f64,
    /// How it was chosen.
    pub method: Method,
    /// Expected signal to quantization noise, dB.
    pub sqnr_db: f64,
}

const BINS: usize = 1 << 15;
/// Count of a value whose column has the factor 1.
const WEIGHT_ONE: f64 = 16.0;
/// Elements in 100,000 that a percentile cuts off.
const PERCENTILES: [u32; 3] = [100, 10, 1];
/// Steps of the search grid: clip = max * k / GRID, k from GRID_FIRST.
const GRID: u32 = 40;
const GRID_FIRST: u32 = 8;

fn value_of(bin: usize) -> f64 {
    f64::from(f32::from_bits((bin as u32) << 16 | 0x8000))
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BINS] }
    }
}

impl Histogram {
    /// Counts values; they are finite. Each counts by the square of its column's factor, which is what its error does;
    /// without columns, values stand for themselves.
    pub fn add(&mut self, values: &[f32], columns: &[Column]) {
        let weight = |column: &Column| (WEIGHT_ONE * f64::from(column.factor).powi(2)).round() as u64;
        let columns = if columns.is_empty() { &[Column::ITSELF][..] } else { columns };
        let weights: Vec<u64> = columns.iter().map(weight).collect();
        for (v, weight) in values.iter().zip(weights.iter().cycle()) {
            self.counts[(v.abs().to_bits() >> 16) as usize] += weight;
        }
    }

    /// Adds another histogram.
    pub fn merge(&mut self, other: &Histogram) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
    }

    /// Largest magnitude, to 0.4 %; 0 when everything is zero.
    pub fn max(&self) -> f64 {
        let top = self.counts.iter().rposition(|c| *c > 0).unwrap_or(0);
        if top == 0 { 0.0 } else { f64::from(f32::from_bits(((top as u32) + 1) << 16)) }
    }

    fn percentile(&self, cut: u32) -> f64 {
        let total: u64 = self.counts.iter().sum();
        let mut above = total * u64::from(cut) / 100_000;
        let inside = self.counts.iter().rposition(|c| {
            let stop = *c > above;
            above = above.saturating_sub(*c);
            stop
        });
        inside.map_or(0.0, value_of)
    }

    /// Sum of `of(magnitude)` over all elements.
    fn sum(&self, of: impl Fn(f64) -> f64) -> f64 {
        let filled = self.counts.iter().enumerate().filter(|(_, c)| **c > 0);
        filled.map(|(bin, c)| *c as f64 * of(value_of(bin))).sum()
    }

    /// Sum of squared errors of int8 in steps: the value itself below half a step, a uniform error up to the `clip` that
    /// codes reach, the overshoot beyond.
    fn error(&self, step: f64, clip: f64) -> f64 {
        let of = |v: f64| match v {
            v if v < step / 2.0 => v * v,
            v if v <= clip => step * step / 12.0,
            v => (v - clip) * (v - clip) + step * step / 12.0,
        };
        self.sum(of)
    }

    /// The clip with the least squared error among largest magnitude, percentiles and grid; `None` for zeros only.
    pub fn clip(&self) -> Option<Clip> {
        self.best(self.candidates(Codes::Symmetric), Codes::Symmetric)
    }

    /// The best clip with steps of a range, whose lower end is a candidate, too.
    pub fn clip_within(&self, low: f64, high: f64, codes: Codes) -> Option<Clip> {
        let mut candidates = self.candidates(codes);
        candidates.retain(|(step, _)| (low..=high).contains(step));
        candidates.push((low, Method::Bound));
        self.best(candidates, codes)
    }

    /// Steps that are tried.
    fn candidates(&self, codes: Codes) -> Vec<(f64, Method)> {
        let max = self.max();
        let mut candidates = vec![(max, Method::MinMax)];
        candidates.extend(PERCENTILES.map(|p| (self.percentile(p), Method::Percentile(p))));
        candidates.extend((GRID_FIRST..GRID).map(|k| (max * f64::from(k) / f64::from(GRID), Method::Mse)));
        candidates.into_iter().filter(|(clip, _)| *clip > 0.0).map(|(clip, m)| (codes.step(clip), m)).collect()
    }

    fn best(&self, candidates: Vec<(f64, Method)>, codes: Codes) -> Option<Clip> {
        if self.max() <= 0.0 {
            return None;
        }
        let scored = candidates.into_iter().map(|(step, m)| (self.error(step, codes.reach(step)), step, m));
        let (error, step, method) = scored.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let power = self.sum(|v| v * v);
        Some(Clip { step, method, sqnr_db: 10.0 * libm::log10(power / error) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_tensor_keeps_its_range() {
        let mut h = Histogram::default();
        h.add(&(-1000..=1000).map(|i| i as f32 / 1000.0).collect::<Vec<_>>(), &[]);
        let clip = h.clip().unwrap();
        assert!((127.0 * clip.step - 1.0).abs() < 0.01 && clip.sqnr_db > 44.0, "{clip:?}");
    }

    #[test]
    fn one_outlier_is_cut_off() {
        let mut h = Histogram::default();
        let mut values: Vec<f32> = (0..200_000).map(|i| ((i as f32) * 0.37).sin()).collect();
        values.push(9.0);
        h.add(&values, &[]);
        let clip = h.clip().unwrap();
        assert!(127.0 * clip.step < 6.0 && clip.method != Method::MinMax, "{clip:?}");
        assert!((h.max() / 9.0 - 1.0).abs() < 0.01);
    }

    #[test]
    fn a_range_is_kept() {
        let mut h = Histogram::default();
        h.add(&(-1000..=1000).map(|i| i as f32 / 1000.0).collect::<Vec<_>>(), &[]);
        let clip = h.clip_within(1.3 / 127.0, 2.0 / 127.0, Codes::Symmetric).unwrap();
        assert_eq!((clip.step, clip.method), (1.3 / 127.0, Method::Bound));
        assert!(h.clip_within(0.5 / 127.0, 0.9 / 127.0, Codes::Symmetric).unwrap().step > 0.85 / 127.0);
    }

    #[test]
    fn codes_above_zero_halve_the_step() {
        let mut h = Histogram::default();
        h.add(&(0..=1000).map(|i| i as f32 / 1000.0).collect::<Vec<_>>(), &[]);
        let [low, symmetric] = [Codes::Low, Codes::Symmetric].map(|codes| h.clip_within(1e-4, 1.0, codes).unwrap());
        // 1 and the least value of GELU, 0.164, on 254 steps.
        assert!((low.step - 1.164 / 254.0).abs() < 1e-4 && low.sqnr_db > symmetric.sqnr_db + 4.0, "{low:?}");
    }

    #[test]
    fn columns_count_by_their_factors() {
        let (mut narrow, mut even) = (Histogram::default(), Histogram::default());
        // The second column, whose unit stands for two, has the large values.
        let values: Vec<f32> =
            (0..20_000).map(|i| (i as f32 * 0.37).sin() * if i % 100 == 1 { 2.0 } else { 1.0 }).collect();
        narrow.add(&values, &[Column::ITSELF, Column { factor: 4.0, offset: 0.0 }]);
        even.add(&values, &[]);
        let clip = |h: &Histogram| h.clip().map(|clip| clip.step);
        assert!(clip(&narrow) > clip(&even), "{:?} {:?}", narrow.clip(), even.clip());
    }

    #[test]
    fn merging_equals_counting_together() {
        let (a, b) = ([1.0f32, -2.0, 3.5], [0.1f32, 7.0]);
        let mut whole = Histogram::default();
        whole.add(&a, &[]);
        whole.add(&b, &[]);
        let mut left = Histogram::default();
        left.add(&b, &[]);
        let mut right = Histogram::default();
        right.add(&a, &[]);
        left.merge(&right);
        assert_eq!(left, whole);
        assert_eq!(Histogram::default().clip(), None);
    }
}
