//! One matrix product as the hardware runs it.

use super::descriptor::{
    COUNT_CANDIDATES, COUNT_NONE, COUNT_TOKENS, Descriptor, Field, Hold, Opcode, Target, counts, flags,
};
use super::layout::{Layout, Padding};
use heatvit_model::golden::StageCounts;
use heatvit_model::layernorm::inverse_channels;
use heatvit_model::quant::{GeluParams, NormParams, RowScale, ScoreScale};

/// Where the stationary operand comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stationary {
    /// Weights of the linear layer with this position in `QuantNetwork::linears`.
    Weights {
        /// Position.
        linear: usize,
        /// Its outputs in lanes.
        outputs: Padding,
        /// Its inputs in lanes.
        inputs: Padding,
    },
    /// Keys of a head.
    Keys {
        /// The head.
        head: usize,
    },
    /// Values of a head.
    Values {
        /// The head.
        head: usize,
    },
    /// Some channels of what a selector keeps in memory V.
    Locals {
        /// First channel there.
        channel: usize,
        /// Channels there of all heads.
        pitch: usize,
    },
    /// Zeros: memory V beyond a limit of [`Rows::None`]. What was never written stays out of the results that way,
    /// even for a simulator that knows undefined values.
    Zeros,
}

/// A number of rows that depends on the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// The class token only.
    One,
    /// The whole residual stream.
    Tokens,
    /// The residual stream without the package token.
    Candidates,
    /// None: everything lies beyond this limit.
    None,
}

impl Rows {
    /// The number.
    pub fn number(self, counts: &StageCounts) -> usize {
        match self {
            Self::One => 1,
            Self::Tokens => counts.tokens,
            Self::Candidates => counts.candidates_and_class,
            Self::None => 0,
        }
    }

    fn register(self) -> u16 {
        match self {
            Self::One => 0,
            Self::Tokens => COUNT_TOKENS,
            Self::Candidates => COUNT_CANDIDATES,
            Self::None => COUNT_NONE,
        }
    }
}

/// Tiles of a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiles {
    /// As many.
    Fixed(usize),
    /// As many as the limit's rows need.
    OfLimit,
}

impl Tiles {
    fn number(self, limit: usize, size: usize) -> usize {
        match self {
            Self::Fixed(tiles) => tiles,
            Self::OfLimit => limit.div_ceil(size),
        }
    }

    fn field(self) -> u16 {
        match self {
            Self::Fixed(tiles) => tiles as u16,
            Self::OfLimit => 0,
        }
    }
}

/// Multiply-accumulates of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// As many.
    Row(usize),
    /// As many for each token that is attended.
    Token(usize),
    /// As many for each candidate token.
    Candidate(usize),
}

/// Where the streamed operand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Memory A as it is: first word and words a row.
    Operand {
        /// First word.
        base: usize,
        /// Words a row.
        pitch: usize,
    },
    /// The residual stream from a word on, normalised.
    Normed {
        /// First word of the row.
        word: usize,
    },
    /// Exponentials of the scores in a bank.
    Exponentials {
        /// Bank.
        bank: usize,
        /// Scale of the output.
        scale: RowScale,
    },
    /// One row of 127 for every candidate token.
    Ones {
        /// Scale of the output.
        scale: RowScale,
    },
}

/// Where the results go and what happens to them on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Memory A.
    Operand {
        /// First word.
        base: usize,
        /// Words a row.
        pitch: usize,
        /// Activation function.
        gelu: Option<GeluParams>,
    },
    /// Memory A and, transposed, memory V.
    OperandAndValues {
        /// First word.
        base: usize,
        /// Words a row.
        pitch: usize,
        /// Activation function.
        gelu: GeluParams,
        /// First channel in V.
        channel: usize,
        /// Channels of all heads in V.
        channels: usize,
    },
    /// A word of each row of memory S, for the selector.
    Logit {
        /// The word.
        word: usize,
    },
    /// The residual stream as the selector left it, moved together; the norm that reads it next.
    Gathered {
        /// The norm.
        norm: NormParams,
        /// Channels D.
        channels: usize,
    },
    /// Memory K.
    Keys,
    /// Memory V.
    Values,
    /// A bank of memory S.
    Scores {
        /// Bank.
        bank: usize,
        /// Scale of the scores.
        scale: ScoreScale,
    },
    /// Added to the residual stream, whose next norm is given with its channels.
    Residual {
        /// The norm that reads the residual next.
        norm: NormParams,
        /// Channels D.
        channels: usize,
    },
    /// The logits.
    Logits,
}

/// Words a row of what a selector's scoring reads: one with keep less drop logits, one with head weights.
pub const LOGIT_WORDS: usize = 2;

/// A matrix product with everything that the hardware must know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Number in the program.
    pub serial: usize,
    /// Tensor that the results belong to, as in docs/tensors.md.
    pub tensor: String,
    /// Tensor that the streamed operand belongs to, if it is one of its own.
    pub operand_tensor: Option<String>,
    /// Tensor of the row sums, for exponentials.
    pub sums_tensor: Option<String>,
    /// Channels of the results in lanes; `None`: the tokens.
    pub results: Option<Padding>,
    /// Selectors that have passed before.
    pub stage: usize,
    /// Rows streamed.
    pub rows: Rows,
    /// Rows that the stationary operand holds, where these are tokens.
    pub limit: Rows,
    /// Output tiles.
    pub outputs: Tiles,
    /// Reduction tiles.
    pub reduction: Tiles,
    /// Last reduction tiles that all rows share.
    pub shared: usize,
    /// Real multiply-accumulates.
    pub work: Work,
    /// Whether a selector needs it, not the backbone.
    pub for_selector: bool,
    /// Stationary operand.
    pub stationary: Stationary,
    /// Products that must be retired before K or V is read.
    pub wait: usize,
    /// Streamed operand.
    pub source: Source,
    /// Dependence of the rows.
    pub hold: Hold,
    /// Destination.
    pub output: Output,
    /// Shift selector.
    pub selector: u32,
}

impl Product {
    /// Rows streamed.
    pub fn row_count(&self, counts: &StageCounts) -> usize {
        self.rows.number(counts)
    }

    /// Output tiles.
    pub fn output_tiles(&self, counts: &StageCounts, layout: &Layout) -> usize {
        self.outputs.number(self.limit.number(counts), layout.columns)
    }

    /// Reduction tiles.
    pub fn reduction_tiles(&self, counts: &StageCounts, layout: &Layout) -> usize {
        self.reduction.number(self.limit.number(counts), layout.rows)
    }

    /// Channels of the results in lanes.
    pub fn result_lanes(&self, counts: &StageCounts, layout: &Layout) -> Padding {
        match &self.results {
            Some(channels) => channels.clone(),
            None => Padding::plain(self.limit.number(counts), layout.columns),
        }
    }

    /// Multiply-accumulates.
    pub fn macs(&self, counts: &StageCounts) -> u64 {
        let each = match self.work {
            Work::Row(macs) => macs,
            Work::Token(macs) => macs * counts.tokens,
            Work::Candidate(macs) => macs * (counts.candidates_and_class - 1),
        };
        (self.row_count(counts) * each) as u64
    }

    /// The descriptor.
    pub fn descriptor(&self, layout: &Layout) -> Descriptor {
        let mut d = Descriptor::new(Opcode::Product);
        d.set(Field::Serial, self.serial as u16);
        d.set(Field::OutputTiles, self.outputs.field()).set(Field::ReductionTiles, self.reduction.field());
        d.or(Field::Counts, self.rows.register(), counts::ROWS).or(Field::Counts, self.limit.register(), counts::LIMIT);
        d.or(Field::Counts, u16::from(self.outputs == Tiles::OfLimit), counts::OUTPUTS_FROM_LIMIT);
        d.or(Field::Counts, u16::from(self.reduction == Tiles::OfLimit), counts::REDUCTION_FROM_LIMIT);
        d.or(Field::Counts, self.shared as u16, counts::SHARED_TILES);
        d.or(Field::Flags, self.hold as u16, flags::HOLD).or(Field::Flags, self.selector as u16, flags::SELECTOR);
        self.stationary_fields(&mut d, layout);
        self.source_fields(&mut d, layout);
        self.output_fields(&mut d, layout);
        d
    }

    fn stationary_fields(&self, d: &mut Descriptor, layout: &Layout) {
        d.set(Field::Wait, self.wait as u16);
        match self.stationary {
            Stationary::Weights { .. } => {}
            Stationary::Keys { head } => {
                let pitch = layout.attention_words;
                d.or(Field::Flags, 1, flags::STATIONARY);
                d.set(Field::StationaryBase, (head * layout.head_words) as u16);
                d.set(Field::ColumnStep, pitch as u16).set(Field::ReductionStep, 1);
                d.set(Field::OutputStep, (pitch * layout.columns) as u16);
            }
            Stationary::Values { head } => {
                let pitch = layout.attention_words * layout.rows;
                transposed(d, layout, head * layout.head_lanes, pitch);
            }
            Stationary::Locals { channel, pitch } => transposed(d, layout, channel, pitch),
            Stationary::Zeros => {
                d.or(Field::Flags, 2, flags::STATIONARY);
            }
        }
    }

    fn source_fields(&self, d: &mut Descriptor, layout: &Layout) {
        let (base, pitch) = match self.source {
            Source::Operand { base, pitch } => (base, pitch),
            Source::Normed { word } => {
                d.or(Field::Flags, 1, flags::SOURCE);
                (word, layout.embed_words)
            }
            Source::Ones { scale } => {
                d.or(Field::Flags, 3, flags::SOURCE);
                row_scale(d, scale);
                (0, 0)
            }
            Source::Exponentials { bank, scale } => {
                d.or(Field::Flags, 2, flags::SOURCE).or(Field::Flags, bank as u16, flags::BANK);
                row_scale(d, scale);
                (bank * layout.tokens * layout.score_words, layout.score_words)
            }
        };
        d.set(Field::SourceBase, base as u16).set(Field::SourcePitch, pitch as u16);
    }

    fn output_fields(&self, d: &mut Descriptor, layout: &Layout) {
        let (target, base, pitch) = match &self.output {
            Output::Operand { base, pitch, gelu } => {
                if let Some(g) = gelu {
                    activation(d, g);
                }
                (Target::Operand, *base, *pitch)
            }
            Output::OperandAndValues { base, pitch, gelu, channel, channels } => {
                activation(d, gelu);
                d.or(Field::Flags, 1, flags::ALSO_VALUES);
                d.set(Field::StationaryBase, *channel as u16).set(Field::ValuePitch, *channels as u16);
                (Target::Operand, *base, *pitch)
            }
            Output::Logit { word } => (Target::Scores, *word, LOGIT_WORDS),
            Output::Keys => (Target::Keys, 0, layout.attention_words),
            Output::Values => {
                d.set(Field::ValuePitch, (layout.attention_words * layout.rows) as u16);
                (Target::Values, 0, 0)
            }
            Output::Scores { bank, scale } => {
                d.or(Field::Flags, 1, flags::BY_ROW).or(Field::Flags, 1, flags::ONE_SCALE);
                d.or(Field::Flags, *bank as u16, flags::BANK);
                d.set(Field::MultLow, scale.mult as u16).set(Field::MultHigh, (scale.mult >> 16) as u16);
                (Target::Scores, bank * layout.tokens * layout.score_words, layout.score_words)
            }
            Output::Residual { norm, channels } => {
                norm_fields(d, norm, *channels);
                (Target::Residual, 0, layout.embed_words)
            }
            Output::Gathered { norm, channels } => {
                norm_fields(d, norm, *channels);
                // Scaled by zero: the residual goes through as it is.
                d.or(Field::Flags, 1, flags::BY_ROW).or(Field::Flags, 1, flags::ONE_SCALE);
                d.or(Field::Counts, 1, counts::GATHER);
                (Target::Residual, 0, layout.embed_words)
            }
            Output::Logits => (Target::Logits, 0, 0),
        };
        d.or(Field::Flags, target as u16, flags::TARGET);
        d.set(Field::TargetBase, base as u16).set(Field::TargetPitch, pitch as u16);
    }
}

/// Stationary vectors from memory V: one per channel.
fn transposed(d: &mut Descriptor, layout: &Layout, channel: usize, pitch: usize) {
    d.or(Field::Flags, 2, flags::STATIONARY);
    d.set(Field::StationaryBase, channel as u16);
    d.set(Field::ColumnStep, 1).set(Field::ReductionStep, pitch as u16);
    d.set(Field::OutputStep, layout.columns as u16);
}

fn row_scale(d: &mut Descriptor, scale: RowScale) {
    d.or(Field::Flags, 1, flags::BY_ROW);
    d.set(Field::RowGainLow, scale.gain as u16).or(Field::GainHigh, (scale.gain >> 16) as u16, 0);
    d.or(Field::Exponents, u16::from(scale.exponent as u8), 0);
}

fn activation(d: &mut Descriptor, g: &GeluParams) {
    d.or(Field::Flags, 1, flags::GELU);
    d.set(Field::GeluKnee, g.t as u16).set(Field::GeluKappa, g.kappa as u16);
    d.set(Field::GeluDelta, g.d1 as u16).set(Field::GeluResult, g.shift as u16);
    d.or(Field::GeluResult, u16::from(g.zero as u8), 8);
}

fn norm_fields(d: &mut Descriptor, norm: &NormParams, channels: usize) {
    let inverse = inverse_channels(channels as u32);
    d.set(Field::NormGainLow, norm.gain as u16).or(Field::GainHigh, (norm.gain >> 16) as u16, 1);
    d.or(Field::Exponents, u16::from(norm.exponent as u8), 8);
    d.set(Field::EpsLow, norm.eps as u16).set(Field::EpsHigh, (norm.eps >> 16) as u16);
    d.set(Field::InverseLow, inverse as u16).set(Field::InverseHigh, (inverse >> 16) as u16);
    d.set(Field::Channels, channels as u16);
}
