//! Where tensors lie in the memories, and how channels are padded to whole words.

use crate::parameters::Parameters;
use heatvit_model::quant::Dims;
use std::ops::Range;

/// Channels of a tensor in the order of its lanes; `None` pads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Padding(Vec<Option<usize>>);

impl Padding {
    /// `channels`, padded at the end to a multiple of `unit`.
    pub fn plain(channels: usize, unit: usize) -> Self {
        Self((0..channels.next_multiple_of(unit)).map(|c| (c < channels).then_some(c)).collect())
    }

    /// Heads, each padded to a multiple of `unit`.
    pub fn heads(heads: usize, head_dim: usize, unit: usize) -> Self {
        let padded = head_dim.next_multiple_of(unit);
        Self((0..heads * padded).map(|c| (c % padded < head_dim).then(|| c / padded * head_dim + c % padded)).collect())
    }

    /// Whole words of a tensor that contain the channels `first..end`; lanes of other channels pad.
    /// Returns the first word as well.
    pub fn window(first: usize, end: usize, unit: usize) -> (usize, Self) {
        let word = first / unit;
        let lanes = word * unit..end.next_multiple_of(unit);
        (word, Self(lanes.map(|c| (first..end).contains(&c).then_some(c)).collect()))
    }

    /// Lanes of `width` channels for each head of a group, padded to `lanes`; heads outside of `wanted` pad.
    pub fn group(group: &Range<usize>, width: usize, lanes: usize, wanted: &Range<usize>) -> Self {
        let channel = |lane: usize| {
            let head = group.start + lane / width;
            (group.contains(&head) && wanted.contains(&head)).then_some(group.start * width + lane)
        };
        Self((0..lanes).map(channel).collect())
    }

    /// These lanes and then others.
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The same lanes for channels that are `by` further on.
    pub fn shifted(self, by: usize) -> Self {
        Self(self.0.into_iter().map(|c| c.map(|c| c + by)).collect())
    }

    /// Lanes, padding included.
    pub fn lanes(&self) -> usize {
        self.0.len()
    }

    /// The channel in a lane; `None` for padding and beyond the end.
    pub fn channel(&self, lane: usize) -> Option<usize> {
        self.0.get(lane).copied().flatten()
    }
}

/// Sizes of a network in words of an array of R rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// R.
    pub rows: usize,
    /// C.
    pub columns: usize,
    /// Channels of a head, padded to whole words.
    pub head_lanes: usize,
    /// Words of a head.
    pub head_words: usize,
    /// Words of all heads.
    pub attention_words: usize,
    /// Words of the residual stream.
    pub embed_words: usize,
    /// Words of a patch.
    pub patch_words: usize,
    /// Words of the hidden layer.
    pub hidden_words: usize,
    /// Words of a row of scores.
    pub score_words: usize,
    /// Tokens.
    pub tokens: usize,
}

impl Layout {
    /// Layout of a network.
    pub fn new(dims: &Dims, parameters: &Parameters) -> Self {
        let rows = parameters.rows as usize;
        let head_words = dims.head_dim.div_ceil(rows);
        Self {
            rows,
            columns: parameters.columns as usize,
            head_lanes: head_words * rows,
            head_words,
            attention_words: dims.heads * head_words,
            embed_words: dims.embed.div_ceil(rows),
            patch_words: dims.patch_inputs.div_ceil(rows),
            hidden_words: dims.mlp_hidden.div_ceil(rows),
            score_words: dims.tokens.div_ceil(rows),
            tokens: dims.tokens,
        }
    }
}
