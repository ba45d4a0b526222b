//! Bias and multiplier of every lane, for the output tiles that are under way.

use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

/// Bits of a bias.
pub const BIAS_BITS: u32 = 27;
/// Bits of a multiplier (unsigned).
pub const MULT_BITS: u32 = 17;
/// Sets of parameters that may wait between the loader and post-processing.
const SLOTS: u32 = 8;

fn parameter_lane(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("parameter_lane", "Bias and multiplier of one lane for the output tiles under way.");
    let slot_bits = SLOTS.ilog2();
    let write = m.input("write", Ty::bit(), "store `entry`");
    let write_slot = m.input("write_slot", Ty::bits(slot_bits), "its slot");
    let entry = m.input("entry", Ty::bits(64), "as in the stream: i32 bias, u32 multiplier");
    let read_slot = m.input("read_slot", Ty::bits(slot_bits), "slot of the row that comes next");
    let data = Expr::concat(&[entry.slice(32, MULT_BITS), entry.slice(0, BIAS_BITS)]);
    let always = Expr::lit(1, 1);
    let stored = m.memory(
        "slots",
        (BIAS_BITS + MULT_BITS, SLOTS),
        MemoryStyle::Distributed,
        None,
        Some(WritePort { enable: write, address: write_slot, data, mask: None }),
        (&always, &read_slot),
        "multiplier above bias",
    );
    m.output_as("bias", &stored.slice(0, BIAS_BITS).as_signed(), "bias");
    m.output_as("mult", &stored.slice(BIAS_BITS, MULT_BITS), "multiplier");
    design.add(m.finish())
}

/// Collects parameter vectors from the stream and keeps up to `SLOTS` sets.
///
/// `advance` moves on to the next set; its values are at the outputs two cycles later.
pub fn parameter_store(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let id = parameter_lane(design);
    let lane = child(design, id);
    let vectors = parameters.parameter_vectors();
    let vector_bits = 8 * parameters.rows;
    let slot_bits = SLOTS.ilog2();
    let mut m = ModuleBuilder::new(
        "parameter_store",
        "Parameter sets (bias, multiplier per lane) between the stream and post-processing.",
    );
    let clear = m.input("clear", Ty::bit(), "forget all sets");
    let vector = m.input("vector", Ty::bits(vector_bits), "vector from the stream");
    let shift = m.input("shift", Ty::bit(), "take the vector");
    let commit = m.input("commit", Ty::bit(), "the vector taken in this cycle completes a set");
    let next = m.input("advance", Ty::bit(), "the row that begins here uses the next set");
    // Vectors move from the last place to the first, so that the first taken ends up lowest.
    let mut places: Vec<Expr> = Vec::new();
    let mut incoming = vector;
    for place in (0..vectors).rev() {
        incoming = m.reg_en(&format!("place_{place}"), &shift, &incoming);
        places.insert(0, incoming.clone());
    }
    let flat = Expr::concat_low_first(&places);
    let entries = m.declare("entries", Ty::bits(64).lanes(parameters.columns));
    m.assign(&entries, &flat.slice(0, 64 * parameters.columns));
    let write = m.reg_reset("write", &(&commit & !&clear), 0);
    let zero = Expr::lit(0, slot_bits);
    let ones = Expr::lit(u64::from(SLOTS - 1), slot_bits);
    let write_slot = m.reg_declare("write_slot", Ty::bits(slot_bits));
    m.drive(&write_slot, &clear.mux(&zero, &(&write_slot + &write).trunc(slot_bits)), None, Some(0));
    let read_slot = m.reg_declare("read_slot", Ty::bits(slot_bits));
    let read_next = (&read_slot + &next).trunc(slot_bits);
    m.drive(&read_slot, &clear.mux(&ones, &read_next), None, Some(u64::from(SLOTS - 1)));
    let used = m.reg_declare("used", Ty::bits(slot_bits + 1));
    let counted = (&(&used + &commit) - &next).trunc(slot_bits + 1).as_unsigned();
    m.drive(&used, &clear.mux(&Expr::lit(0, slot_bits + 1), &counted), None, Some(0));
    // One slot stays in use by the rows that flow, one may be completing.
    m.output_as("ready", &used.lt(&Expr::lit(u64::from(SLOTS - 2), slot_bits + 1)), "another set may be sent");
    let (mut bias, mut mult) = (None, None);
    m.array("lanes", id, &lane, parameters.columns)
        .input("write", &write)
        .input("write_slot", &write_slot)
        .lanes("entry", &entries)
        .input("read_slot", &read_slot)
        .output("bias", "lane_bias", &mut bias)
        .output("mult", "lane_mult", &mut mult)
        .done();
    for (name, wire, ty) in [("bias", bias, Ty::signed(BIAS_BITS)), ("mult", mult, Ty::bits(MULT_BITS))] {
        let port = m.output(name, ty.lanes(parameters.columns), "per lane");
        m.assign(&port, &wire.expect("declared by the array"));
    }
    design.add(m.finish())
}
