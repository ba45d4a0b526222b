//! What post-processing needs to know of an operation.

use super::path::{FIELD_BITS, PostFields};
use super::rsqrt::INVERSE_BITS;
use crate::control::field;
use crate::schedule::descriptor::{Field, counts};
use heatvit_rtl::Expr;

/// Fields of the operation whose rows flow by, as cut from a queue entry.
#[derive(Debug)]
pub struct PostEntry {
    /// Flags word.
    pub flags: Expr,
    /// The low bits, for [`super::post_path`].
    pub path: Expr,
    /// Channels of all heads, for V.
    pub value_pitch: Expr,
    /// The one multiplier of the operation.
    pub mult: Expr,
    /// Residuals are read from where the selector found their tokens.
    pub gather: Expr,
    /// First channel of results for A that go to V as well.
    pub value_base: Expr,
    /// Constants of the norm that reads the residual next: gain, exponent, eps, channels, inverse of the channels.
    pub norm: Expr,
}

/// Bits of the norm's constants.
pub const NORM_BITS: u32 = 17 + 8 + 32 + 11 + INVERSE_BITS;

impl PostEntry {
    /// Packs a descriptor's fields into a queue entry.
    pub fn pack(descriptor: &Expr, selector: bool) -> Expr {
        let f = |which: Field| field(descriptor, which);
        let wide = |high: Expr, low: Field| Expr::concat(&[high, f(low)]);
        let norm = Expr::concat_low_first(&[
            wide(f(Field::GainHigh).bit(1), Field::NormGainLow),
            f(Field::Exponents).slice(8, 8),
            wide(f(Field::EpsHigh), Field::EpsLow),
            f(Field::Channels).slice(0, 11),
            wide(f(Field::InverseHigh).slice(0, INVERSE_BITS - 16), Field::InverseLow),
        ]);
        let path = PostFields::pack(|at| descriptor.slice(16 * at, 16));
        let mult = wide(f(Field::MultHigh).bit(0), Field::MultLow);
        let mut parts = vec![path, mult, norm];
        if selector {
            parts.extend([f(Field::Counts).bit(counts::GATHER), f(Field::StationaryBase)]);
        }
        Expr::concat_low_first(&parts)
    }

    /// Cuts a queue entry.
    pub fn unpack(entry: &Expr, selector: bool) -> Self {
        let behind = FIELD_BITS + 17 + NORM_BITS;
        let extra = |at: u32, width: u32| if selector { entry.slice(behind + at, width) } else { Expr::lit(0, width) };
        let path = entry.slice(0, FIELD_BITS);
        let fields = PostFields::unpack(&path);
        Self {
            flags: fields.flags,
            value_pitch: fields.pitch,
            path,
            mult: entry.slice(FIELD_BITS, 17),
            norm: entry.slice(FIELD_BITS + 17, NORM_BITS),
            gather: extra(0, 1),
            value_base: extra(1, 16),
        }
    }
}
