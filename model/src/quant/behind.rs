//! The clip of a tensor by what the products that read it lose.
//!
//! A squared error of the tensor counts all channels alike. Those with large values, which alone gain by a wide range, are
//! often read with small weights.

use super::histogram::{Clip, Method};
use super::rounding::nearest;
use crate::float::{FloatLinear, linear};
use crate::poly::gelu::gelu_real;
use crate::statistics::largest;
use rayon::prelude::*;

/// Clips that are tried, in parts of the largest magnitude.
const PARTS: [f64; 11] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/// The same, from the best of those.
const FINER: [f64; 8] = [-0.04, -0.03, -0.02, -0.01, 0.01, 0.02, 0.03, 0.04];

/// Noise of the tensor itself that a smaller clip may cost, in parts of its signal: 31 dB.
const MOST_NOISE: f64 = 7.9e-4;

/// A product that reads a tensor.
pub(super) struct Reader<'a> {
    /// Its weights.
    pub product: &'a FloatLinear,
    /// `delta1` of the GELU behind it.
    pub gelu: Option<f64>,
}

impl Reader<'_> {
    /// What comes of the outputs of the product.
    fn activated(&self, mut outputs: Vec<f32>) -> Vec<f32> {
        if let Some(delta1) = self.gelu {
            outputs.iter_mut().for_each(|v| *v = gelu_real(f64::from(*v), delta1) as f32);
        }
        outputs
    }

    /// Outputs for some rows, and the mean of every channel before the GELU.
    fn exact(&self, rows: &[f32]) -> (Vec<f32>, Vec<f64>) {
        let outputs = linear(rows, self.product);
        let means = channel_means(&outputs, self.product.outputs);
        (self.activated(outputs), means)
    }

    /// Outputs for rounded rows, with the mean of every channel moved to `means` before the GELU, as biases do.
    fn corrected(&self, rows: &[f32], means: &[f64]) -> Vec<f32> {
        let mut outputs = linear(rows, self.product);
        let found = channel_means(&outputs, means.len());
        let moved: Vec<f32> = means.iter().zip(found).map(|(to, from)| (to - from) as f32).collect();
        outputs.iter_mut().zip(moved.iter().cycle()).for_each(|(v, moved)| *v += moved);
        self.activated(outputs)
    }
}

/// Mean of every channel.
fn channel_means(values: &[f32], cols: usize) -> Vec<f64> {
    let mut sums = vec![0.0; cols];
    for row in values.chunks(cols) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += f64::from(*v));
    }
    let rows = (values.len() / cols) as f64;
    sums.into_iter().map(|sum| sum / rows).collect()
}

/// Sum of squares of differences.
fn squares(a: &[f32], b: impl Iterator<Item = f32>) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

/// The clip with which the readers lose least, as the sum of their ratios of noise to signal.
pub(super) fn clip_for(readers: &[Reader<'_>], rows: &[f32]) -> Option<Clip> {
    let largest = f64::from(largest(rows));
    if largest <= 0.0 || !largest.is_finite() {
        return None;
    }
    let exact: Vec<(Vec<f32>, Vec<f64>)> = readers.par_iter().map(|reader| reader.exact(rows)).collect();
    let power = squares(rows, std::iter::repeat(0.0));
    let loss = |clip: f64| -> f64 {
        let step = clip / 127.0;
        let code = |v: &f32| (f64::from(nearest(f64::from(*v) / step)) * step) as f32;
        let rounded: Vec<f32> = rows.iter().map(code).collect();
        let own = squares(rows, rounded.iter().copied());
        if own > power * MOST_NOISE && clip < largest {
            return f64::INFINITY;
        }
        let one = |(reader, (exact, means)): (&Reader<'_>, &(Vec<f32>, Vec<f64>))| {
            let noise = squares(exact, reader.corrected(&rounded, means).into_iter());
            noise / squares(exact, std::iter::repeat(0.0)).max(f64::MIN_POSITIVE)
        };
        readers.iter().zip(&exact).map(one).sum()
    };
    let best = |parts: Vec<f64>| {
        let tried: Vec<(f64, f64)> = parts.into_par_iter().map(|part| (loss(part * largest), part)).collect();
        tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let (_, near) = best(PARTS.to_vec())?;
    let finer = FINER.iter().map(|more| near + more).filter(|part| *part <= 1.0);
    let (loss, part) = best(finer.chain([near]).collect())?;
    let value = part * largest;
    let method = if value == largest { Method::MinMax } else { Method::Product };
    Some(Clip { step: value / 127.0, method, sqnr_db: -10.0 * libm::log10(loss) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of two channels: an even one up to 1 and, in every fourth row, a large one.
    fn rows() -> Vec<f32> {
        (0..400)
            .flat_map(|i| [(i as f32 * 0.7).sin(), if i % 4 == 0 { 3.0 + (i as f32 * 0.3).sin() } else { 0.0 }])
            .collect()
    }

    fn clip(weight: [f32; 2]) -> Clip {
        let product = FloatLinear { inputs: 2, outputs: 1, weight: weight.to_vec(), bias: vec![0.0] };
        clip_for(&[Reader { product: &product, gelu: None }], &rows()).unwrap()
    }

    #[test]
    fn what_is_read_decides_the_clip() {
        let (both, first) = (clip([1.0, 1.0]), clip([1.0, 0.0]));
        assert!(127.0 * both.step > 3.7 && first.step < both.step, "{both:?} {first:?}");
        // However little is read of it, the tensor keeps its own ratio.
        let code = |v: f32| (v / first.step as f32).round().clamp(-127.0, 127.0) * first.step as f32;
        let noise: f64 = squares(&rows(), rows().into_iter().map(code));
        assert!(noise < MOST_NOISE * squares(&rows(), std::iter::repeat(0.0)));
    }

    #[test]
    fn zeros_have_no_clip() {
        let product = FloatLinear { inputs: 1, outputs: 1, weight: vec![1.0], bias: vec![0.0] };
        assert!(clip_for(&[Reader { product: &product, gelu: Some(1.0) }], &[0.0, 0.0]).is_none());
    }
}
