//! Attention of one head.

use super::executor::{Executor, GROUP};
use super::finish::{ByRow, Uniform};
use super::lanes::Lanes;
use super::level::{Level, Task};
use super::multiply::{Part, Target};
use super::packed::Packed;
use super::rows::{Pair, Rows, View};
use crate::fixed::Rescale;
use crate::poly::exp::exp7;
use crate::poly::recip::recip;
use crate::quant::{Block, RowScale};

/// Exponentials of a row of scores, relative to the largest of them.
struct Exponentials<'a> {
    scores: &'a [i16],
    exps: &'a mut [i16],
}

impl Task for Exponentials<'_> {
    /// Their sum.
    type Output = i32;

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) -> i32 {
        let maximum = self.scores.iter().copied().max().map_or(0, i32::from);
        let mut sum = 0;
        for (exp, score) in self.exps.iter_mut().zip(self.scores) {
            let value = exp7((maximum - i32::from(*score)) as u32);
            *exp = value as i16;
            sum += value;
        }
        sum
    }
}

/// The columns of a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// The first.
    pub from: usize,
    /// How many.
    pub width: usize,
}

impl Columns {
    fn of(self, row: &[i16]) -> &[i16] {
        &row[self.from..][..self.width]
    }
}

/// Tensors of a head.
#[derive(Debug, Default)]
pub(super) struct Head {
    queries: Rows,
    keys: Packed,
    values: Packed,
    /// `[rows][rows]`.
    pub scores: Vec<i16>,
    /// Exponentials of them.
    pub exps: Rows,
    /// Sum of each row of exponentials.
    pub sums: Vec<i32>,
}

/// What all rows of a head share.
struct Common<'a> {
    level: Level,
    keys: &'a Packed,
    values: &'a Packed,
    scale: Rescale,
    attend: RowScale,
    recip: &'a [(u32, u32); 128],
    /// Columns of the output.
    columns: Columns,
    stride: usize,
}

/// The part of some rows, at most [`GROUP`].
struct Share<'a> {
    queries: View<'a>,
    scores: &'a mut [i16],
    exps: &'a mut [Pair],
    sums: &'a mut [i32],
    output: &'a mut [i16],
}

impl Common<'_> {
    fn run(&self, part: Share<'_>) {
        let Share { queries, scores, exps, sums, output } = part;
        let rows = self.keys.outputs();
        let target = Target { elements: &mut *scores, stride: rows, from: 0 };
        self.level.run(Part { input: queries, weights: self.keys, target, finish: &Uniform(self.scale) });
        let length = rows.div_ceil(2);
        let mut factors = [Rescale { mult: 0, sel: 0 }; GROUP];
        for (((scores, exps), sum), factor) in
            scores.chunks(rows).zip(exps.chunks_mut(length)).zip(sums).zip(&mut factors)
        {
            *sum = self.level.run(Exponentials { scores, exps: exps.as_flattened_mut() });
            *factor = recip(*sum as u32, self.attend.gain, self.attend.exponent, self.recip);
        }
        let input = View { pairs: exps, length };
        let target = Target { elements: output, stride: self.stride, from: self.columns.from };
        self.level.run(Part { input, weights: self.values, target, finish: &ByRow(&factors) });
    }
}

impl Head {
    /// Computes a head from queries, keys and values of all heads; writes its columns of `output`.
    pub(super) fn run(
        &mut self,
        how: Executor,
        block: &Block,
        columns: Columns,
        [q, k, v]: [&Rows; 3],
        output: &mut Rows,
        recip: &[(u32, u32); 128],
    ) {
        let rows = q.len();
        self.queries.fill(columns.width, q.iter().map(|row| columns.of(row)));
        self.keys.rows(rows, columns.width, |token| columns.of(k.row(token)));
        self.values.columns(columns.width, rows, |token| columns.of(v.row(token)));
        self.scores.resize(rows * rows, 0);
        self.exps.reshape(rows, rows);
        self.sums.resize(rows, 0);
        let common = Common {
            level: how.level,
            keys: &self.keys,
            values: &self.values,
            scale: Rescale { mult: block.scores.mult, sel: block.scores.sel },
            attend: block.attend,
            recip,
            columns,
            stride: output.stride(),
        };
        let exps = self.exps.pairs_mut().chunks_mut(GROUP * rows.div_ceil(2));
        let output = output.elements_mut().chunks_mut(GROUP * common.stride);
        let parts = self.scores.chunks_mut(GROUP * rows).zip(exps).zip(self.sums.chunks_mut(GROUP)).zip(output);
        how.each(parts.enumerate(), |(index, (((scores, exps), sums), output))| {
            let queries = self.queries.view().from(index * GROUP);
            common.run(Share { queries, scores, exps, sums, output });
        });
    }
}
