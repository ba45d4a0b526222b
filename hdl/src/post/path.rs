//! All lanes of post-processing with the control that travels beside them.

use super::lane::post_lane;
use crate::array::ACC_BITS;
use crate::parameters::Parameters;
use crate::pipeline::{child, delay_line};
use crate::stream::{BIAS_BITS, MULT_BITS};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Bits of [`PostFields`] in a queue entry.
pub const FIELD_BITS: u32 = 16 + 12 + 16 + 15 + 4 + 8 + 16;

/// Fields of the operation whose rows flow by, as cut from a descriptor.
#[derive(Debug)]
pub struct PostFields {
    /// Flags word.
    pub flags: Expr,
    /// GELU knee.
    pub knee: Expr,
    /// GELU coefficient.
    pub kappa: Expr,
    /// GELU delta1.
    pub delta: Expr,
    /// GELU shift.
    pub shift: Expr,
    /// GELU code of zero.
    pub zero: Expr,
    /// Channels of all heads, for memory V.
    pub pitch: Expr,
}

impl PostFields {
    /// Cuts a queue entry, low bits first: flags, knee, kappa, delta, shift, zero, pitch.
    pub fn unpack(entry: &Expr) -> Self {
        Self {
            flags: entry.slice(0, 16),
            knee: entry.slice(16, 12),
            kappa: entry.slice(28, 16),
            delta: entry.slice(44, 15),
            shift: entry.slice(59, 4),
            zero: entry.slice(63, 8),
            pitch: entry.slice(71, 16),
        }
    }

    /// Packs descriptor fields in the order that [`Self::unpack`] cuts.
    pub fn pack(field: impl Fn(u32) -> Expr) -> Expr {
        Expr::concat_low_first(&[
            field(1),
            field(20).slice(0, 12),
            field(21),
            field(22).slice(0, 15),
            field(23).slice(0, 4),
            field(23).slice(8, 8),
            field(28),
        ])
    }
}

/// Lanes, with the delays of what they share. `entry` and `limit` come two cycles before the totals.
pub fn post_path(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let columns = parameters.columns;
    let lane_bits = columns.ilog2();
    let id = post_lane(design, lane_bits);
    let lane = child(design, id);
    let mut m = ModuleBuilder::new(
        "post_path",
        "Post-processing of one row of accumulator totals per cycle: requantization, residual, GELU.\n\
         A suffix _N names the cycle after the totals; _a2 is two cycles before them.",
    );
    let entry = m.input("entry_a2", Ty::bits(FIELD_BITS), "fields of the row's operation");
    let limit = m.input("limit_a2", Ty::bits(16), "number of real lanes");
    let totals = m.input("totals_0", Ty::signed(ACC_BITS).lanes(columns), "accumulator totals");
    let bias = m.input("bias_0", Ty::signed(BIAS_BITS).lanes(columns), "bias per lane");
    let mult = m.input("mult_0", Ty::bits(MULT_BITS).lanes(columns), "multiplier per lane");
    let row_mult = m.input("row_mult_0", Ty::bits(MULT_BITS), "multiplier of the row");
    let row_sel = m.input("row_sel_0", Ty::bits(2), "shift selector of the row");
    let residual = m.input("residual_4", Ty::bits(16 * columns), "residual stream of this row and tile");
    let fields = PostFields::unpack(&entry);
    let mut at = |m: &mut ModuleBuilder, name: &str, value: &Expr, cycle: u32| {
        delay_line(design, m, &format!("{name}_{cycle}"), value, cycle + 2)
    };
    let use_row = at(&mut m, "use_row", &fields.flags.bit(14), 0);
    let sel_2 = at(&mut m, "sel", &fields.flags.slice(12, 2), 2);
    let use_row_2 = m.delay("use_row", &use_row, 2);
    let row_sel_2 = m.delay("row_sel", &row_sel, 2);
    let sel = m.wire("sel_2", &use_row_2.mux(&row_sel_2, &sel_2));
    let is_residual = fields.flags.slice(4, 3).eq_lit(4);
    // A selector's logits, which have a scale per channel, are not masked.
    let is_score = fields.flags.slice(4, 3).eq_lit(3) & fields.flags.bit(14);
    let is_residual_4 = at(&mut m, "is_residual", &is_residual, 4);
    let is_residual_5 = m.reg("is_residual_5", &is_residual_4);
    let shared = [
        ("is_score_5", at(&mut m, "is_score", &is_score, 5)),
        ("limit_5", at(&mut m, "limit", &limit, 5)),
        ("knee_5", at(&mut m, "knee", &fields.knee, 5)),
        ("kappa_7", at(&mut m, "kappa", &fields.kappa, 7)),
        ("delta_8", at(&mut m, "delta", &fields.delta, 8)),
        ("shift_10", at(&mut m, "shift", &fields.shift, 10)),
        ("zero_10", at(&mut m, "zero", &fields.zero, 10).as_signed()),
        ("shift_11", at(&mut m, "shift", &fields.shift, 11)),
        ("gelu_12", at(&mut m, "gelu", &fields.flags.bit(7), 12)),
        ("use_row_0", use_row),
        ("row_mult_0", row_mult),
        ("sel_2", sel),
        ("is_residual_4", is_residual_4),
        ("is_residual_5", is_residual_5),
    ];
    let index = m.declare("index", Ty::bits(lane_bits).lanes(columns));
    let numbers: Vec<Expr> = (0..columns).map(|i| Expr::lit(u64::from(i), lane_bits)).collect();
    m.assign(&index, &Expr::concat_low_first(&numbers));
    let residual_lanes = m.declare("residual_lanes", Ty::signed(16).lanes(columns));
    m.assign(&residual_lanes, &residual);
    let outputs = [
        ("score", Ty::signed(16), "score_5", "cycle 5: scores, masked lanes lowest"),
        ("square", Ty::bits(31), "square_7", "cycle 7: squares of the new residuals"),
        ("stream", Ty::signed(16), "stream_7", "cycle 7: new residuals"),
        ("byte_out", Ty::signed(8), "byte_13", "cycle 13: int8 results"),
        ("word_out", Ty::signed(16), "word_13", "cycle 13: int16 results"),
    ]
    .map(|(port, ty, name, doc)| (port, m.output(name, ty.lanes(columns), doc)));
    let mut lanes = m
        .array("lanes", id, &lane, columns)
        .lanes("index", &index)
        .lanes("total_0", &totals)
        .lanes("bias_0", &bias)
        .lanes("mult_0", &mult)
        .lanes("residual_4", &residual_lanes);
    for (port, value) in &shared {
        lanes = lanes.input(port, value);
    }
    for (port, wire) in &outputs {
        lanes = lanes.lanes(port, wire);
    }
    lanes.done();
    design.add(m.finish())
}
