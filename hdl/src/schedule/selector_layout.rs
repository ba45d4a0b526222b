//! Where a selector's tensors lie: heads share words and tiles as far as they fit.
//!
//! The nets of the heads are blocks of block-diagonal matrices; only tiles with a block in them are issued.

use heatvit_model::quant::Dims;
use std::ops::Range;

/// Sizes of a selector's tensors on an array of R rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectorLayout {
    rows: usize,
    heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
}

impl SelectorLayout {
    /// Layout for a network.
    pub fn new(dims: &Dims, rows: usize) -> Self {
        Self { rows, heads: dims.heads, head_dim: dims.head_dim }
    }

    /// Heads whose `width` outputs share words.
    fn together(&self, width: usize) -> usize {
        (self.rows / width).clamp(1, self.heads)
    }

    /// Groups of heads whose `width` outputs share words.
    pub fn groups(&self, width: usize) -> Vec<Range<usize>> {
        let size = self.together(width);
        (0..self.heads).step_by(size).map(|h| h..(h + size).min(self.heads)).collect()
    }

    /// Words of a group's outputs.
    pub fn group_words(&self, width: usize) -> usize {
        (self.together(width) * width).div_ceil(self.rows)
    }

    /// Words a row of all heads' outputs, each group in words of its own.
    pub fn row_words(&self, width: usize) -> usize {
        self.groups(width).len() * self.group_words(width)
    }

    /// Channels of a head after the first layers.
    pub fn half(&self) -> usize {
        self.head_dim / 2
    }

    /// Channels of a head before the logits.
    pub fn quarter(&self) -> usize {
        self.head_dim / 4
    }

    /// Words a row of local features, each group followed by room for its global features.
    pub fn local_pitch(&self) -> usize {
        2 * self.row_words(self.half())
    }

    /// Words of memory A for each token: local and global features, mixed ones, the hidden layer of the head
    /// weights. The squeezed ones overwrite the local ones.
    pub fn words(&self) -> usize {
        let local = self.local_pitch().max(self.row_words(self.quarter()));
        local + self.row_words(self.half()) + self.weigh_words()
    }

    /// Words a row of the hidden layer of the head weights.
    pub fn weigh_words(&self) -> usize {
        (self.heads / 2).max(1).div_ceil(self.rows)
    }

    /// Channels of local features in memory V.
    pub fn channels(&self) -> usize {
        self.row_words(self.half()) * self.rows
    }
}
