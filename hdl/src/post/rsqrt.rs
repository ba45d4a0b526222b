//! From a row's sums to mean and multiplier of its LayerNorm.

use crate::pipeline::{bit_length, clamp_mult, delay_line, normalize_mult};
use heatvit_model::poly::rsqrt::rsqrt_table;
use heatvit_rtl::{Bits, Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty};

/// Cycles from the sums to the table entry.
pub const RSQRT_CYCLES: u32 = 12;
/// Bits of the sum of a row.
pub const SUM_BITS: u32 = 27;
/// Bits of the sum of squares of a row.
pub const SQUARES_BITS: u32 = 41;
/// Bits of 2^24 / D: even D = 1 fits.
pub const INVERSE_BITS: u32 = 25;
/// Bits of an entry: shift selector, multiplier, mean.
pub const ENTRY_BITS: u32 = 42;

/// Constants of the norm that reads the residual next; they hold still while rows flow.
#[derive(Debug)]
pub struct NormInputs {
    gain: Expr,
    exponent: Expr,
    eps: Expr,
    channels: Expr,
    inv_channels: Expr,
}

/// `heatvit_model::layernorm`: mean and `gain * 2^exponent / sqrt(variance + eps)`, one row per cycle.
pub fn rsqrt(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new(
        "rsqrt",
        "Row sums to mean and normalising multiplier in twelve cycles, one row per cycle.\n\
         D^2 * variance = D * sum(x^2) - sum(x)^2 exactly; 1/sqrt is linear in 96 segments of a 16-bit mantissa.",
    );
    let sum = m.input("sum", Ty::signed(SUM_BITS), "sum of the row");
    let squares = m.input("squares", Ty::bits(SQUARES_BITS), "sum of its squares");
    let inputs = NormInputs {
        gain: m.input("gain", Ty::bits(17), "mantissa of the output step's constant"),
        exponent: m.input("exponent", Ty::signed(8), "its exponent"),
        eps: m.input("eps", Ty::bits(32), "epsilon, units of D^2 * variance"),
        channels: m.input("channels", Ty::bits(11), "D"),
        inv_channels: m.input("inv_channels", Ty::bits(INVERSE_BITS), "2^24 / D"),
    };
    let mean = row_mean(design, &mut m, &sum, &inputs);
    let variance = scaled_variance(&mut m, &sum, &squares, &inputs);
    let (mult, sel) = inverse_root(design, &mut m, &variance, &inputs);
    m.output_as("entry", &Expr::concat(&[sel, mult, mean]), "shift selector, multiplier, mean");
    design.add(m.finish())
}

/// Mean with 6 fraction bits, aligned with the multiplier.
fn row_mean(design: &mut Design, m: &mut ModuleBuilder, sum: &Expr, inputs: &NormInputs) -> Expr {
    let product_1 = m.reg("mean_product_1", &(sum * inputs.inv_channels.to_signed()));
    let product_2 = m.reg("mean_product_2", &product_1);
    let half = Expr::slit(1 << 17, 19) - product_2.msb().to_signed();
    let rounded = m.reg("mean_3", &(&product_2 + half).shr_const(18).trunc(23));
    delay_line(design, m, "mean", &rounded.as_unsigned(), RSQRT_CYCLES - 3)
}

/// Cycle 4: D^2 * variance + eps.
fn scaled_variance(m: &mut ModuleBuilder, sum: &Expr, squares: &Expr, inputs: &NormInputs) -> Expr {
    let scaled_1 = m.reg("scaled_squares_1", &(squares * &inputs.channels));
    let scaled_2 = m.reg("scaled_squares_2", &scaled_1);
    let square_1 = m.reg("squared_sum_1", &(sum * sum).as_unsigned());
    let square_2 = m.reg("squared_sum_2", &square_1);
    // The difference is never negative (Cauchy-Schwarz) and stays below 2^51.
    let spread = m.reg("spread_3", &(&scaled_2 - &square_2).slice(0, 52));
    m.reg("variance_4", &(&spread + &inputs.eps).slice(0, 52))
}

/// Cycles 5..12: mantissa and exponent of 1/sqrt, times the constant.
fn inverse_root(design: &mut Design, m: &mut ModuleBuilder, variance: &Expr, inputs: &NormInputs) -> (Expr, Expr) {
    let one = Expr::lit(1, 1);
    let length = bit_length(m, "length", variance);
    let halves = (&length + Expr::lit(1, 1)).slice(1, 5);
    let exponent_5 = m.reg("exponent_5", &halves);
    let variance_5 = m.reg("variance_5", variance);
    let up = m.wire("up", &(Expr::lit(26, 5) - &exponent_5).slice(0, 5));
    let even = Expr::concat(&[up, Expr::lit(0, 1)]);
    let mantissa = m.reg("mantissa_6", &variance_5.shl(&even).slice(36, 16));
    let segments: Vec<Bits> = std::iter::repeat_n(Bits::zero(29), 32)
        .chain(rsqrt_table().iter().map(|(value, slope)| Bits::new(29, u128::from(*value) | u128::from(*slope) << 17)))
        .collect();
    let entry = m.memory(
        "segments",
        (29, 128),
        MemoryStyle::Distributed,
        Some(segments),
        None,
        (&one, &mantissa.slice(9, 7)),
        "value and slope of 1/sqrt(x) in each segment",
    );
    let fraction = m.reg("fraction_7", &mantissa.slice(0, 9));
    let drop = m.reg("drop_8", &(entry.slice(17, 12) * &fraction).shr_const(9));
    let value_8 = m.reg("value_8", &entry.slice(0, 17));
    let root = m.reg("root_9", &(&value_8 - &drop).slice(0, 17));
    let product = m.reg("product_10", &(&root * &inputs.gain));
    let exponent_10 = delay_line(design, m, "exponent", &exponent_5, 5);
    let cut = m.reg("cut_11", &clamp_mult(&product.shr_const(17)));
    let shift = (exponent_10.to_signed() - &inputs.exponent) - Expr::slit(1, 2);
    let shift = m.reg("shift_11", &shift);
    normalize_mult(m, "normal_12", &cut, &shift)
}
