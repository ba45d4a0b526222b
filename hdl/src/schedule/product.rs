//! One matrix product as the hardware runs it.

use super::descriptor::{Descriptor, Field, Hold, Opcode, Target, counts, flags};
use super::layout::{Layout, Padding};
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
    /// The residual stream, normalised.
    Normed,
    /// Exponentials of the scores in a bank.
    Exponentials {
        /// Bank.
        bank: usize,
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
    /// Channels of the results in lanes; of scores: the tokens.
    pub results: Padding,
    /// Rows streamed.
    pub rows: usize,
    /// Whether `rows` is the token count (register 1) or one row (register 0).
    pub all_tokens: bool,
    /// Output tiles.
    pub output_tiles: usize,
    /// Reduction tiles.
    pub reduction_tiles: usize,
    /// Real reduction length and outputs, for counting MACs.
    pub macs: u64,
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
    /// The descriptor.
    pub fn descriptor(&self, layout: &Layout) -> Descriptor {
        let mut d = Descriptor::new(Opcode::Product);
        d.set(Field::Serial, self.serial as u16);
        d.set(Field::OutputTiles, self.output_tiles as u16).set(Field::ReductionTiles, self.reduction_tiles as u16);
        d.or(Field::Counts, u16::from(self.all_tokens), counts::ROWS).or(Field::Counts, 1, counts::LIMIT);
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
                d.or(Field::Flags, 1, flags::STATIONARY).or(Field::Counts, 1, counts::OUTPUTS_FROM_LIMIT);
                d.set(Field::StationaryBase, (head * layout.head_words) as u16);
                d.set(Field::ColumnStep, pitch as u16).set(Field::ReductionStep, 1);
                d.set(Field::OutputStep, (pitch * layout.columns) as u16);
            }
            Stationary::Values { head } => {
                let pitch = layout.attention_words * layout.rows;
                d.or(Field::Flags, 2, flags::STATIONARY).or(Field::Counts, 1, counts::REDUCTION_FROM_LIMIT);
                d.set(Field::StationaryBase, (head * layout.head_lanes) as u16);
                d.set(Field::ColumnStep, 1).set(Field::ReductionStep, pitch as u16);
                d.set(Field::OutputStep, layout.columns as u16);
            }
        }
    }

    fn source_fields(&self, d: &mut Descriptor, layout: &Layout) {
        let (base, pitch) = match self.source {
            Source::Operand { base, pitch } => (base, pitch),
            Source::Normed => {
                d.or(Field::Flags, 1, flags::SOURCE);
                (0, layout.embed_words)
            }
            Source::Exponentials { bank, scale } => {
                d.or(Field::Flags, 2, flags::SOURCE).or(Field::Flags, bank as u16, flags::BANK);
                d.or(Field::Flags, 1, flags::BY_ROW);
                d.set(Field::RowGainLow, scale.gain as u16).or(Field::GainHigh, (scale.gain >> 16) as u16, 0);
                d.or(Field::Exponents, u16::from(scale.exponent as u8), 0);
                (bank * layout.tokens * layout.score_words, layout.score_words)
            }
        };
        d.set(Field::SourceBase, base as u16).set(Field::SourcePitch, pitch as u16);
    }

    fn output_fields(&self, d: &mut Descriptor, layout: &Layout) {
        let (target, base, pitch) = match &self.output {
            Output::Operand { base, pitch, gelu } => {
                if let Some(g) = gelu {
                    d.or(Field::Flags, 1, flags::GELU);
                    d.set(Field::GeluKnee, g.t as u16).set(Field::GeluKappa, g.kappa as u16);
                    d.set(Field::GeluDelta, g.d1 as u16).set(Field::GeluShift, g.shift as u16);
                }
                (Target::Operand, *base, *pitch)
            }
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
            Output::Logits => (Target::Logits, 0, 0),
        };
        d.or(Field::Flags, target as u16, flags::TARGET);
        d.set(Field::TargetBase, base as u16).set(Field::TargetPitch, pitch as u16);
    }
}

fn norm_fields(d: &mut Descriptor, norm: &NormParams, channels: usize) {
    let inverse = inverse_channels(channels as u32);
    d.set(Field::NormGainLow, norm.gain as u16).or(Field::GainHigh, (norm.gain >> 16) as u16, 1);
    d.or(Field::Exponents, u16::from(norm.exponent as u8), 8);
    d.set(Field::EpsLow, norm.eps as u16).set(Field::EpsHigh, (norm.eps >> 16) as u16);
    d.set(Field::InverseLow, inverse as u16).set(Field::InverseHigh, (inverse >> 16) as u16);
    d.set(Field::Channels, channels as u16);
}
