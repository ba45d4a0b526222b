//! Processing element: one DSP48E2, two stationary weights, one streamed activation.

use super::dsp48e2::{ALUMODE, INMODE, OPMODE_C, OPMODE_CASCADE, UNUSED_INPUTS, UNUSED_RESETS, dsp48e2};
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Distance of the two packed products. With weights in -127..127 and 16 cascaded products the low
/// sum stays within +-258,064 < 2^18, so 19 bits separate the lanes.
pub const LANE_SPACING: u32 = 19;

/// Place in the cascade of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Starts the sum: adds 2^18 through port C, which makes the low lane non-negative and the split free.
    First,
    /// Adds its products to the cascade.
    Middle,
    /// Ends the cascade: its P leaves for the fabric.
    Last,
}

impl Position {
    fn module_name(self) -> &'static str {
        match self {
            Self::First => "pe_first",
            Self::Middle => "pe_middle",
            Self::Last => "pe_last",
        }
    }
}

/// A PE. `load_lo` and `load_hi` write the shadow weights, `swap` makes them active for the
/// activation that arrives in the same cycle; its product is in the cascade three cycles later.
pub fn pe(design: &mut Design, position: Position) -> ModuleId {
    let name = position.module_name();
    if let Some(id) = design.find(name) {
        return id;
    }
    let dsp_id = dsp48e2(design);
    let dsp = child(design, dsp_id);
    let mut m = ModuleBuilder::new(
        name,
        "Processing element: two int8 weights share one activation in a single DSP48E2.\n\
         Weights wait in A2 and D (shadow) and work from AD (active).",
    );
    let act = m.input("act", Ty::signed(8), "activation of this row");
    let weight = m.input("weight", Ty::signed(8), "weight on the row's load bus");
    let load_lo = m.input("load_lo", Ty::bit(), "take the weight for the low lane");
    let load_hi = m.input("load_hi", Ty::bit(), "take the weight for the high lane");
    let swap = m.input("swap", Ty::bit(), "shadow weights become active");
    let act_out = m.output_reg("act_out", Ty::signed(8), "activation for the next column pair");
    m.drive(&act_out, &act, None, None);
    if position != Position::Last {
        for (port, value, doc) in [
            ("load_lo_out", &load_lo, "load_lo for the row below"),
            ("load_hi_out", &load_hi, "load_hi for the row below"),
            ("swap_out", &swap, "swap for the row below"),
        ] {
            let out = m.output_reg(port, Ty::bit(), doc);
            m.drive(&out, value, None, None);
        }
    }
    let cascade = match position {
        Position::First => Expr::slit(0, 48),
        _ => m.input("cascade", Ty::signed(48), "partial sums of the rows above"),
    };
    let (opmode, offset) = match position {
        Position::First => (OPMODE_C, 1 << (LANE_SPACING - 1)),
        _ => (OPMODE_CASCADE, 0),
    };
    let high = m.wire("weight_high", &weight.shl_const(LANE_SPACING).extend(30));
    let low = m.wire("weight_low", &weight.extend(27));
    let b = m.wire("act_wide", &act.extend(18));
    let one = Expr::lit(1, 1);
    let sum = m.output("sum", Ty::signed(48), "partial sums with this row");
    let mut slice = m.instance("dsp", dsp_id, &dsp);
    for (port, width) in UNUSED_INPUTS.iter().chain(&UNUSED_RESETS) {
        slice = slice.input(port, &Expr::lit(0, *width));
    }
    slice
        .input("A", &high)
        .input("B", &b)
        .input("C", &Expr::slit(offset, 48))
        .input("D", &low)
        .input("PCIN", &cascade)
        .input("OPMODE", &Expr::lit(opmode, 9))
        .input("ALUMODE", &Expr::lit(ALUMODE, 4))
        .input("INMODE", &Expr::lit(INMODE, 5))
        .input("CEA2", &load_hi)
        .input("CED", &load_lo)
        .input("CEAD", &swap)
        .input("CEB2", &one)
        .input("CEM", &one)
        .input("CEP", &one)
        .output_to(if position == Position::Last { "P" } else { "PCOUT" }, &sum)
        .done();
    design.add(m.finish())
}
