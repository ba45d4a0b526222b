//! Sixteen PEs in one DSP cascade.

use super::pe::{LANE_SPACING, Position, pe};
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Rows of a segment: as many products as the lane spacing carries.
pub const SEGMENT_ROWS: u32 = 16;

/// A cascade of 16 PEs. The sums of the operand that enters row 0 in cycle t leave in cycle t + 18.
pub fn segment(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("segment") {
        return id;
    }
    let ids = [Position::First, Position::Middle, Position::Last].map(|p| pe(design, p));
    let [first, middle, last] = ids.map(|id| child(design, id));
    let mut m =
        ModuleBuilder::new("segment", "Cascade of 16 PEs: two dot products of 16 elements with one activation vector.");
    let byte_rows = Ty::signed(8).lanes(SEGMENT_ROWS);
    let act = m.input("act", byte_rows.clone(), "activations, row r delayed by r cycles");
    let weight = m.input("weight", byte_rows.clone(), "load bus, row r delayed by r cycles");
    let load_lo = m.input("load_lo", Ty::bit(), "row 0 takes its low weight");
    let load_hi = m.input("load_hi", Ty::bit(), "row 0 takes its high weight");
    let swap = m.input("swap", Ty::bit(), "row 0 activates its shadow weights");
    let act_out = m.output("act_out", byte_rows, "activations for the next column pair");
    let chain = |m: &mut ModuleBuilder, name: &str, ty: Ty| m.declare(name, ty.lanes(SEGMENT_ROWS - 1));
    let load_lo_chain = chain(&mut m, "load_lo_chain", Ty::bit());
    let load_hi_chain = chain(&mut m, "load_hi_chain", Ty::bit());
    let swap_chain = chain(&mut m, "swap_chain", Ty::bit());
    let sums = chain(&mut m, "sums", Ty::signed(48));
    let p = m.declare("p", Ty::signed(48));
    let [act_0, weight_0] = [&act, &weight].map(|bus| m.element(bus, 0));
    m.instance("row_0", ids[0], &first)
        .input("act", &act_0)
        .input("weight", &weight_0)
        .input("load_lo", &load_lo)
        .input("load_hi", &load_hi)
        .input("swap", &swap)
        .lanes("act_out", &act_out)
        .lanes("load_lo_out", &load_lo_chain)
        .lanes("load_hi_out", &load_hi_chain)
        .lanes("swap_out", &swap_chain)
        .lanes("sum", &sums)
        .done();
    m.array("rows", ids[1], &middle, SEGMENT_ROWS - 2)
        .lanes_at("act", &act, 1, 1)
        .lanes_at("weight", &weight, 1, 1)
        .lanes("load_lo", &load_lo_chain)
        .lanes("load_hi", &load_hi_chain)
        .lanes("swap", &swap_chain)
        .lanes("cascade", &sums)
        .lanes_at("act_out", &act_out, 1, 1)
        .lanes_at("load_lo_out", &load_lo_chain, 1, 1)
        .lanes_at("load_hi_out", &load_hi_chain, 1, 1)
        .lanes_at("swap_out", &swap_chain, 1, 1)
        .lanes_at("sum", &sums, 1, 1)
        .done();
    let end = SEGMENT_ROWS - 2;
    let [act_end, weight_end] = [&act, &weight].map(|bus| m.element(bus, end + 1));
    let [load_lo_end, load_hi_end, swap_end] =
        [&load_lo_chain, &load_hi_chain, &swap_chain].map(|bus| m.element(bus, end));
    let sum_end = m.element(&sums, end);
    m.instance("row_15", ids[2], &last)
        .input("act", &act_end)
        .input("weight", &weight_end)
        .input("load_lo", &load_lo_end)
        .input("load_hi", &load_hi_end)
        .input("swap", &swap_end)
        .input("cascade", &sum_end)
        .lanes_at("act_out", &act_out, end + 1, 1)
        .output_to("sum", &p)
        .done();
    split(&mut m, &p);
    design.add(m.finish())
}

/// The 2^18 that the first PE added keeps the low lane from borrowing: inverting its top bit takes it out again.
fn split(m: &mut ModuleBuilder, p: &Expr) {
    let low = Expr::concat(&[!p.bit(LANE_SPACING - 1), p.slice(0, LANE_SPACING - 1)]).as_signed();
    m.output_as("low", &low, "sum of the low lane");
    m.output_as("high", &p.slice(LANE_SPACING, LANE_SPACING).as_signed(), "sum of the high lane");
}
