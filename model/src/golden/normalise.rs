//! LayerNorm of many rows, equal to [`crate::layernorm::layernorm`].

use super::executor::{Executor, GROUP};
use super::lanes::Lanes;
use super::level::Task;
use super::rows::Rows;
use super::units::{INT8_MAX, scaled};
use crate::layernorm::{MEAN_FRACTION_BITS, NormParams, row_norm};

/// A row of the residual stream and the place of its norm.
struct Row<'a> {
    stream: &'a [i16],
    normed: &'a mut [i16],
    params: &'a NormParams,
    table: &'a [(u32, u32); 96],
}

impl Task for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let sum = self.stream.iter().map(|x| i64::from(*x)).sum();
        let squares = self.stream.iter().map(|x| u64::from((i32::from(*x) * i32::from(*x)) as u32)).sum();
        let row = row_norm(sum, squares, self.stream.len() as u32, self.params, self.table);
        for (normed, x) in self.normed.iter_mut().zip(self.stream) {
            let centred = (i32::from(*x) << MEAN_FRACTION_BITS) - row.mean;
            *normed = scaled(centred, row.scale.mult, row.scale.sel, INT8_MAX) as i16;
        }
    }
}

/// Normalises rows of `embed` channels.
pub(super) fn normalise(
    how: Executor,
    stream: &[i16],
    embed: usize,
    params: &NormParams,
    table: &[(u32, u32); 96],
    normed: &mut Rows,
) {
    normed.reshape(stream.len() / embed, embed);
    let stride = normed.stride();
    let groups = stream.chunks(GROUP * embed).zip(normed.elements_mut().chunks_mut(GROUP * stride));
    how.each(groups, |(stream, normed)| {
        for (stream, normed) in stream.chunks(embed).zip(normed.chunks_mut(stride)) {
            how.level.run(Row { stream, normed, params, table });
        }
    });
}
