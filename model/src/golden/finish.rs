//! What becomes of the sums of a product.

use super::lanes::WIDTH;
use super::units::{INT8_MAX, INT16_MAX, gelu, scaled};
use crate::fixed::Rescale;
use crate::poly::gelu::GeluParams;
use crate::quant::Linear;

/// Turns sums into elements.
pub(super) trait Finish: Sync {
    /// The elements of row `row` in panel `panel`; `elements` holds what was there before. Has to be
    /// `#[inline(always)]`, as it belongs to the inner loop.
    fn finish(&self, row: usize, panel: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]);
}

/// Multipliers of a product's outputs, in panels.
#[derive(Clone, Debug)]
pub(super) struct Scales {
    mult: Vec<[u32; WIDTH]>,
    sel: u32,
}

impl Scales {
    /// Those of a product.
    pub(super) fn of(l: &Linear) -> Self {
        let mut mult = vec![[0; WIDTH]; l.outputs.div_ceil(WIDTH)];
        for (to, from) in mult.iter_mut().zip(l.mult.chunks(WIDTH)) {
            to[..from.len()].copy_from_slice(from);
        }
        Self { mult, sel: l.sel }
    }
}

/// Rescaled and saturated, like [`super::product::linear`].
pub(super) struct Saturate<'a> {
    /// Multipliers.
    pub scales: &'a Scales,
    /// Largest magnitude.
    pub limit: u32,
}

impl Finish for Saturate<'_> {
    #[inline(always)]
    fn finish(&self, _: usize, panel: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]) {
        let mult = &self.scales.mult[panel];
        for n in 0..WIDTH {
            elements[n] = scaled(sums[n], mult[n], self.scales.sel, self.limit) as i16;
        }
    }
}

/// Rescaled, saturated to 16 bits and through GELU.
pub(super) struct Activate<'a> {
    /// Multipliers.
    pub scales: &'a Scales,
    /// Constants of the activation.
    pub gelu: &'a GeluParams,
}

impl Finish for Activate<'_> {
    #[inline(always)]
    fn finish(&self, _: usize, panel: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]) {
        let mult = &self.scales.mult[panel];
        for n in 0..WIDTH {
            elements[n] = gelu(scaled(sums[n], mult[n], self.scales.sel, INT16_MAX), self.gelu) as i16;
        }
    }
}

/// Rescaled and added to the residual stream, like [`super::product::linear_residual`].
pub(super) struct Residual<'a> {
    /// Multipliers.
    pub scales: &'a Scales,
}

impl Finish for Residual<'_> {
    #[inline(always)]
    fn finish(&self, _: usize, panel: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]) {
        let (mult, limit) = (&self.scales.mult[panel], INT16_MAX as i32);
        for n in 0..WIDTH {
            // What is cut here takes the stream from one end to the other and beyond.
            let branch = scaled(sums[n], mult[n], self.scales.sel, 2 * INT16_MAX);
            elements[n] = (i32::from(elements[n]) + branch).clamp(-limit, limit) as i16;
        }
    }
}

/// All rescaled by one factor and saturated to 16 bits.
pub(super) struct Uniform(pub Rescale);

impl Finish for Uniform {
    #[inline(always)]
    fn finish(&self, _: usize, _: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]) {
        for n in 0..WIDTH {
            elements[n] = scaled(sums[n], self.0.mult, self.0.sel, INT16_MAX) as i16;
        }
    }
}

/// Each row rescaled by its own factor and saturated to 8 bits.
pub(super) struct ByRow<'a>(pub &'a [Rescale]);

impl Finish for ByRow<'_> {
    #[inline(always)]
    fn finish(&self, row: usize, _: usize, sums: &[i32; WIDTH], elements: &mut [i16; WIDTH]) {
        let factor = self.0[row];
        for n in 0..WIDTH {
            elements[n] = scaled(sums[n], factor.mult, factor.sel, INT8_MAX) as i16;
        }
    }
}
