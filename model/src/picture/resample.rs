//! Bicubic resampling with antialiasing, in the integers of Pillow's `ImagingResample` for 8 bits: weights with 22
//! fraction bits, a horizontal and a vertical pass, each rounded to bytes.

use super::Picture;
use std::ops::Range;

/// Fraction bits of a weight: 8 bits are left for the pixel, 2 for sums beyond 1 and the sign.
const PRECISION_BITS: u32 = 32 - 8 - 2;
/// Reach of the filter in pixels of the coarser side.
const SUPPORT: f64 = 2.0;

/// The cubic with a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < SUPPORT {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// What makes an output pixel: weights of consecutive input pixels.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

impl Taps {
    /// Of output pixel `at` when `from` pixels become `to`.
    fn new(from: usize, to: usize, at: usize) -> Self {
        let scale = from as f64 / to as f64;
        // A smaller picture takes a wider filter: that is the antialiasing.
        let stretch = scale.max(1.0);
        let (support, centre) = (SUPPORT * stretch, (at as f64 + 0.5) * scale);
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let inverse = 1.0 / stretch;
        let weights: Vec<f64> =
            (0..end - first).map(|i| bicubic(((i + first) as f64 - centre + 0.5) * inverse)).collect();
        let sum = weights.iter().sum::<f64>();
        let fixed = |w: &f64| {
            let scaled = if sum == 0.0 { *w } else { w / sum } * f64::from(1u32 << PRECISION_BITS);
            (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
        };
        Self { first, weights: weights.iter().map(fixed).collect() }
    }

    /// Weighted sum of the input pixels `value(0)`, `value(1)`, ... from `first` on.
    fn apply(&self, value: impl Fn(usize) -> u8) -> u8 {
        let sum = self.weights.iter().enumerate().fold(1i32 << (PRECISION_BITS - 1), |sum, (i, weight)| {
            sum.wrapping_add(weight.wrapping_mul(i32::from(value(i))))
        });
        (sum >> PRECISION_BITS).clamp(0, 255) as u8
    }
}

/// Rows of `picture` with `width` columns in place of its own, of which only those of `columns` are made.
fn horizontal(picture: &Picture, width: usize, columns: Range<usize>, rows: Range<usize>) -> Picture {
    let (channels, stride) = (picture.channels, picture.width * picture.channels);
    let taps: Vec<Taps> = columns.clone().map(|at| Taps::new(picture.width, width, at)).collect();
    let mut data = Vec::with_capacity(rows.len() * taps.len() * channels);
    for row in picture.data[rows.start * stride..rows.end * stride].chunks_exact(stride) {
        for tap in &taps {
            let pixels = &row[tap.first * channels..];
            data.extend((0..channels).map(|c| tap.apply(|i| pixels[i * channels + c])));
        }
    }
    Picture { width: columns.len(), height: rows.len(), channels, data }
}

/// The window `columns` x `rows` of the picture resized to `size` (width, height); what is outside costs nothing.
pub(super) fn resample(picture: &Picture, size: (usize, usize), columns: Range<usize>, rows: Range<usize>) -> Picture {
    let mut taps: Vec<Taps> = rows.map(|at| Taps::new(picture.height, size.1, at)).collect();
    let first = taps.iter().map(|t| t.first).min().unwrap_or(0);
    let end = taps.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(0);
    let narrow = horizontal(picture, size.0, columns, first..end);
    let stride = narrow.width * narrow.channels;
    let mut data = Vec::with_capacity(taps.len() * stride);
    for tap in &mut taps {
        tap.first -= first;
        let above = &narrow.data[tap.first * stride..];
        data.extend((0..stride).map(|at| tap.apply(|i| above[i * stride + at])));
    }
    Picture { height: taps.len(), data, ..narrow }
}
