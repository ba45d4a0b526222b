//! Weights in the order in which the kernels read them.

use super::lanes::WIDTH;
use super::rows::Pair;
use crate::quant::Linear;

/// Weights of [`WIDTH`] outputs for a pair of inputs: one cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Line(pub [Pair; WIDTH]);

/// A matrix `[outputs][inputs]` in panels of [`WIDTH`] outputs; a panel has a [`Line`] for each pair of inputs. What
/// is missing to a whole pair or panel is zero.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    lines: Vec<Line>,
    /// What the sums of a panel start from.
    start: Vec<[i32; WIDTH]>,
    outputs: usize,
    inputs: usize,
}

impl Packed {
    /// The weights and biases of a product.
    pub(super) fn of(l: &Linear) -> Self {
        let mut packed = Self::default();
        packed.rows(l.outputs, l.inputs, |output| &l.weight[output * l.inputs..][..l.inputs]);
        for (start, bias) in packed.start.iter_mut().zip(l.bias.chunks(WIDTH)) {
            start[..bias.len()].copy_from_slice(bias);
        }
        packed
    }

    /// Takes the matrix whose weights for an output are `row(output)`; no biases.
    pub(super) fn rows<'a, T: Copy + Into<i16> + 'a>(
        &mut self,
        outputs: usize,
        inputs: usize,
        row: impl Fn(usize) -> &'a [T],
    ) {
        self.reshape(outputs, inputs);
        let pairs = self.pairs();
        for output in 0..outputs {
            let panel = &mut self.lines[output / WIDTH * pairs..][..pairs];
            for (line, weights) in panel.iter_mut().zip(row(output).chunks(2)) {
                let pair = &mut line.0[output % WIDTH];
                pair.iter_mut().zip(weights).for_each(|(to, weight)| *to = (*weight).into());
            }
        }
    }

    /// The same from columns: `column(input)` has the weights of an input for all outputs.
    pub(super) fn columns<'a>(&mut self, outputs: usize, inputs: usize, column: impl Fn(usize) -> &'a [i16]) {
        self.reshape(outputs, inputs);
        let pairs = self.pairs();
        for input in 0..inputs {
            let lines = self.lines[input / 2..].iter_mut().step_by(pairs);
            for (line, weights) in lines.zip(column(input).chunks(WIDTH)) {
                line.0.iter_mut().zip(weights).for_each(|(pair, weight)| pair[input % 2] = *weight);
            }
        }
    }

    /// Keeps the memory, and in the same shape the elements.
    fn reshape(&mut self, outputs: usize, inputs: usize) {
        if (self.outputs, self.inputs) != (outputs, inputs) {
            (self.outputs, self.inputs) = (outputs, inputs);
            let panels = outputs.div_ceil(WIDTH);
            self.lines.clear();
            self.lines.resize(panels * self.pairs(), Line([[0; 2]; WIDTH]));
            self.start.clear();
            self.start.resize(panels, [0; WIDTH]);
        }
    }

    /// Lines of a panel.
    fn pairs(&self) -> usize {
        self.inputs.div_ceil(2)
    }

    /// Outputs, without those that fill the last panel.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Lines and first sums of each panel.
    pub(super) fn panels(&self) -> impl Iterator<Item = (&[Line], &[i32; WIDTH])> {
        self.lines.chunks(self.pairs().max(1)).zip(&self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows and columns of one matrix are packed alike, also over the remains of another shape.
    #[test]
    fn rows_and_columns_agree() {
        for (outputs, inputs) in [(1, 1), (16, 2), (17, 5), (40, 8)] {
            let rows: Vec<Vec<i16>> =
                (0..outputs).map(|o| (0..inputs).map(|i| (o * 31 + i * 7) as i16).collect()).collect();
            let columns: Vec<Vec<i16>> = (0..inputs).map(|i| rows.iter().map(|row| row[i]).collect()).collect();
            let (mut one, mut other) = (Packed::default(), Packed::default());
            one.rows(3, 9, |_| &[99i16; 9]);
            one.rows(outputs, inputs, |o| &rows[o]);
            other.columns(outputs, inputs, |i| &columns[i]);
            assert_eq!(one.lines, other.lines);
            assert_eq!(one.lines.len(), outputs.div_ceil(WIDTH) * inputs.div_ceil(2));
            let (output, input) = (outputs - 1, inputs - 1);
            let line = one.lines[output / WIDTH * inputs.div_ceil(2) + input / 2];
            assert_eq!(line.0[output % WIDTH][input % 2], rows[output][input]);
        }
    }
}
