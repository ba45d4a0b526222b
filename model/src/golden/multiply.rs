//! Matrix products of prepared operands.

use super::executor::{Executor, GROUP};
use super::finish::{Finish, Scales};
use super::lanes::{Lanes, WIDTH};
use super::level::Task;
use super::packed::Packed;
use super::rows::{Rows, View};
use super::tile::{TILE_ROWS, tile};
use crate::quant::Linear;

/// A product with stored weights, prepared.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// Weights and biases.
    pub weights: Packed,
    /// Multipliers.
    pub scales: Scales,
}

impl Product {
    /// Prepares a product.
    pub(super) fn of(l: &Linear) -> Self {
        Self { weights: Packed::of(l), scales: Scales::of(l) }
    }
}

/// Where a product goes: some columns of every row.
pub(super) struct Target<'a> {
    /// Rows, one after the other.
    pub elements: &'a mut [i16],
    /// Elements from a row to the next.
    pub stride: usize,
    /// First column.
    pub from: usize,
}

impl<'a> Target<'a> {
    /// All columns of `rows`, which become as many rows of `cols`.
    pub(super) fn all(rows: &'a mut Rows, count: usize, cols: usize) -> Self {
        rows.reshape(count, cols);
        let stride = rows.stride();
        Self { elements: rows.elements_mut(), stride, from: 0 }
    }
}

/// Rows of a product, for one thread.
pub(super) struct Part<'a, F> {
    /// Left operand; its first row belongs to the first row of the target.
    pub input: View<'a>,
    /// Right operand.
    pub weights: &'a Packed,
    /// Where it goes.
    pub target: Target<'a>,
    /// What becomes of the sums.
    pub finish: &'a F,
}

impl<F: Finish> Task for Part<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Target { elements, stride, from } = self.target;
        let rows = elements.len() / stride;
        for (index, (panel, start)) in self.weights.panels().enumerate() {
            let column = from + index * WIDTH;
            let columns = column..(column + WIDTH).min(from + self.weights.outputs());
            for top in (0..rows).step_by(TILE_ROWS) {
                // A tile that is not full computes its last row again.
                let input = std::array::from_fn(|i| self.input.row((top + i).min(rows - 1)));
                let sums = tile(lanes, input, panel, start);
                for (row, sums) in (top..rows).zip(&sums) {
                    let elements = &mut elements[row * stride..][columns.clone()];
                    if let Some(whole) = elements.first_chunk_mut() {
                        self.finish.finish(row, index, sums, whole);
                    } else {
                        let mut whole = [0; WIDTH];
                        whole[..elements.len()].copy_from_slice(elements);
                        self.finish.finish(row, index, sums, &mut whole);
                        elements.copy_from_slice(&whole[..elements.len()]);
                    }
                }
            }
        }
    }
}

/// Multiplies all rows.
pub(super) fn multiply<F: Finish>(how: Executor, input: &Rows, weights: &Packed, target: Target<'_>, finish: &F) {
    let Target { elements, stride, from } = target;
    how.each(elements.chunks_mut(GROUP * stride).enumerate(), |(group, elements)| {
        let target = Target { elements, stride, from };
        how.level.run(Part { input: input.view().from(group * GROUP), weights, target, finish });
    });
}
