//! What fixes the shape of the hardware. Two networks that fit the same [`Parameters`] run on
//! the same Verilog.

use crate::schedule::SelectorLayout;
use heatvit_model::quant::{Dims, QuantNetwork};

/// Largest token count the 16-bit row counters and memories are dimensioned for.
pub const MAX_TOKENS: u32 = 512;

/// Sizes of the generated accelerator, in words of the respective memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Array rows R: reduction elements per stationary tile; 16, 32 or 64.
    pub rows: u32,
    /// Array columns C: outputs per stationary tile; a power of two, 4 <= C <= R.
    pub columns: u32,
    /// Most tokens, with the class token (rows of accumulators and row tables).
    pub max_tokens: u32,
    /// Words (R x int8) of the streamed-operand memory A.
    pub a_words: u32,
    /// Words (R x int8) of the key memory K.
    pub k_words: u32,
    /// Addresses (R x int8, one element per bank) of the transposing value memory V.
    pub v_words: u32,
    /// Words (R x int16) of the score memory S, both buffers.
    pub s_words: u32,
    /// Words (R x int16) of the residual memory X.
    pub x_words: u32,
    /// Groups of C logits.
    pub out_words: u32,
    /// Most attention heads that the token selector scores; 0: no selector hardware.
    pub selector_heads: u32,
}

/// Selectors that a program may have: their token counts share one beat of results.
pub const MAX_SELECTORS: u32 = 8;
/// Most attention heads of a selector: sums of head weights stay within the divider.
pub const MAX_SELECTOR_HEADS: u32 = 16;

impl Parameters {
    /// Smallest accelerator of an R x C array on which a network of these dimensions runs; every memory holds
    /// what [`crate::schedule::Layout`] puts into it.
    pub fn for_dims(dims: &Dims, rows: u32, columns: u32) -> Self {
        let words = |channels: usize| (channels as u32).div_ceil(rows);
        let tokens = dims.tokens as u32;
        let attention = dims.heads as u32 * words(dims.head_dim);
        let widest = words(dims.patch_inputs).max(attention).max(words(dims.mlp_hidden));
        Self {
            rows,
            columns,
            max_tokens: tokens,
            a_words: tokens * widest,
            k_words: tokens * attention,
            v_words: tokens.div_ceil(rows) * attention * rows,
            s_words: 2 * tokens * tokens.div_ceil(rows),
            x_words: tokens * words(dims.embed),
            out_words: (dims.classes as u32).div_ceil(columns),
            selector_heads: 0,
        }
    }

    /// Smallest accelerator on which a network runs: [`Self::for_dims`], and room for its selectors.
    pub fn for_network(network: &QuantNetwork, rows: u32, columns: u32) -> Self {
        let plain = Self::for_dims(&network.dims, rows, columns);
        if network.selectors.is_empty() { plain } else { plain.with_selectors(&network.dims) }
    }

    /// The same accelerator with selector hardware, and memories that hold what selectors put there.
    pub fn with_selectors(self, dims: &Dims) -> Self {
        let nets = SelectorLayout::new(dims, self.rows as usize);
        let tokens = dims.tokens as u32;
        Self {
            selector_heads: (dims.heads as u32).max(self.selector_heads),
            a_words: self.a_words.max((dims.tokens * nets.words()) as u32),
            v_words: self.v_words.max(tokens.div_ceil(self.rows) * (nets.channels() as u32)),
            // The package is put together in a row behind all tokens.
            x_words: self.x_words.max((tokens + 1) * (dims.embed as u32).div_ceil(self.rows)),
            ..self
        }
    }

    /// Whether there is selector hardware.
    pub fn has_selector(&self) -> bool {
        self.selector_heads > 0
    }

    /// Whether everything that `other` holds finds room here.
    pub fn holds(&self, other: &Self) -> bool {
        (self.rows, self.columns) == (other.rows, other.columns)
            && self.max_tokens >= other.max_tokens
            && self.a_words >= other.a_words
            && self.k_words >= other.k_words
            && self.v_words >= other.v_words
            && self.s_words >= other.s_words
            && self.x_words >= other.x_words
            && self.out_words >= other.out_words
            && self.selector_heads >= other.selector_heads
    }

    /// Column pairs, i.e. DSP columns.
    pub fn pairs(&self) -> u32 {
        self.columns / 2
    }

    /// Cascades of 16 DSPs in one column.
    pub fn segments(&self) -> u32 {
        self.rows / 16
    }

    /// Parts of C lanes in a word of R lanes.
    pub fn subwords(&self) -> u32 {
        self.rows / self.columns
    }

    /// Depth of tables that are addressed by a row: a power of two, at least 2, for an address has a bit.
    pub fn row_depth(&self) -> u32 {
        self.max_tokens.next_power_of_two().max(2)
    }

    /// Beat of 16 bytes in which the token counts of the stages are written: the one behind all logits.
    pub fn counts_beat(&self) -> u32 {
        (self.out_words * self.columns).div_ceil(8)
    }

    /// R-byte vectors that carry the parameters of C lanes.
    pub fn parameter_vectors(&self) -> u32 {
        (8 * self.columns).div_ceil(self.rows)
    }

    /// Pipeline lengths that follow from the sizes.
    pub fn latencies(&self) -> Latencies {
        let column_sum = self.segments().ilog2().max(1);
        let array = 18 + column_sum + self.pairs() - 1;
        Latencies { operand: 9, column_sum, array, post: 13, finalize: 13 + self.columns.ilog2() + 16 }
    }
}

/// Cycles from one point of the pipeline to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latencies {
    /// From the streamer's (or the loader's) outputs to the operand at the array's edge.
    pub operand: u32,
    /// From the last DSP of a column to the column's sums.
    pub column_sum: u32,
    /// From the operand at the array's edge to all column sums side by side.
    pub array: u32,
    /// From the accumulated row to the write into a memory.
    pub post: u32,
    /// From the accumulated row to the end of everything that it causes.
    pub finalize: u32,
}

impl Latencies {
    /// From the streamer's row to the accumulated row at the head of post-processing.
    pub fn to_post(&self) -> u32 {
        self.operand + self.array + 2
    }

    /// From the streamer's row to the destination write.
    pub fn to_write(&self) -> u32 {
        self.to_post() + self.post
    }
}
