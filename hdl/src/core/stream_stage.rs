//! The streamer, and the read path of the streamed operand.

use super::Reads;
use super::stream_control::{StreamControl, StreamPorts, stream_control};
use crate::control::{flag, stream_field};
use crate::operand::operand_path;
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, delay_line, flag_line, place};
use crate::schedule::descriptor::{Field, flags};
use heatvit_rtl::{Design, Expr, ModuleBuilder};

/// Cycles from the streamer's outputs to the memories' data: one register, then the memories' two.
const DATA_CYCLES: u32 = 3;

/// What a row carries along.
pub(super) struct Stream {
    pub control: Outputs,
    pub queue_ready: Expr,
    /// Operand memory address, a cycle after the streamer.
    pub address_t1: Expr,
    /// Row, a cycle after the streamer.
    pub row_t1: Expr,
    /// Bank of the row tables, a cycle after the streamer.
    pub bank_t1: Expr,
    /// The operand is an exponential, with the operand.
    pub operand: Expr,
    /// First operand of a tile, with the operand.
    pub swap_at_array: Expr,
    /// Exponentials of a first output tile stream by, with the operand.
    pub exp_valid: Expr,
    /// Row scale's constants, with the operand: mantissa, exponent.
    pub row_scale: [Expr; 2],
    /// Bank, first and last reduction tile, row, with the operand.
    pub at_array: [Expr; 4],
    /// A word of the package token.
    pub package: Option<Expr>,
}

/// Streamer and read path.
pub(super) fn stream_stage(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    ports: &StreamPorts<'_>,
    selector: Option<&Outputs>,
) -> Stream {
    let StreamControl { control, queue_ready, entry, flags } = stream_control(design, m, parameters, ports);
    let f = |which: Field| stream_field(&entry, which);
    read_path(design, m, parameters, reads, selector, (control, &queue_ready, &flags, &f))
}

fn read_path(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    reads: &Reads,
    selector: Option<&Outputs>,
    (control, queue_ready, flags_now, f): (Outputs, &Expr, &Expr, &dyn Fn(Field) -> Expr),
) -> Stream {
    let latency = parameters.latencies().operand;
    let row_bits = parameters.row_depth().ilog2();
    let source = flags_now.slice(flags::SOURCE, 2);
    let bank = flag(flags_now, flags::BANK);
    // While the selector runs, nothing streams: it has the memories' read ports and the lanes.
    let or_selector = |value: &Expr, other: &dyn Fn(&Outputs) -> Expr| match selector {
        Some(unit) => unit["active"].mux(&other(unit), value),
        None => value.clone(),
    };
    let address_t1 = m.reg("source_address_t1", &or_selector(&control["source_address"], &|s| s["address"].clone()));
    let row_t1 = m.reg("row_t1", &control["row"].slice(0, row_bits));
    let bank_t1 = m.reg("bank_t1", &bank);
    let source_t3 = delay_line(design, m, "source_t3", &source, DATA_CYCLES);
    let source_t3 = or_selector(&source_t3, &|_| Expr::lit(1, 2));
    let limit_t3 = delay_line(design, m, "limit_t3", &control["reduction_limit"], DATA_CYCLES);
    // Package: the share is the multiplier at a shift by 20, 14 bits of the share and 6 of the residual's fraction.
    // The norm's entry is zero meanwhile.
    let factor = or_selector(&reads.norm.slice(23, 17), &|s| s["share"].extend(17));
    let sel = or_selector(&reads.norm.slice(40, 2), &|_| Expr::lit(1, 2));
    let norm = Expr::concat(&[sel, factor, reads.norm.slice(0, 23)]);
    let ones = selector.map(|unit| {
        let class = &source.eq_lit(3) & &control["first_reduction"];
        (delay_line(design, m, "class_t3", &class, DATA_CYCLES), &unit["accumulate"])
    });
    let id = operand_path(design, parameters);
    let mut inputs = vec![
        ("direct", &reads.operand),
        ("residual", &reads.normed),
        ("scores", &reads.scores),
        ("norm", &norm),
        ("maximum", &reads.maximum),
        ("limit", &limit_t3),
        ("source", &source_t3),
    ];
    if let Some((class, accumulate)) = &ones {
        inputs.extend([("first_masked", class), ("accumulate", *accumulate)]);
    }
    let path = place(design, m, "operand_path", id, &inputs);
    let exp_now = &control["valid"] & source.bit(1) & &control["first_output"];
    let gain = Expr::concat(&[f(Field::GainHigh).bit(0), f(Field::RowGainLow)]);
    let constants = Expr::concat(&[f(Field::Exponents).slice(0, 8), gain]);
    let constants = delay_line(design, m, "row_scale_constants", &constants, latency);
    let travelling = Expr::concat_low_first(&[
        bank,
        control["first_reduction"].clone(),
        control["last_reduction"].clone(),
        control["row"].slice(0, row_bits),
    ]);
    let travelling = delay_line(design, m, "row_at_array", &travelling, latency);
    let arrives = flag_line(design, m, "operand_arrives", &control["valid"], latency);
    m.wire_doc("operand_valid", &arrives, "a row is at the edge of the array");
    Stream {
        queue_ready: queue_ready.clone(),
        address_t1,
        row_t1,
        bank_t1,
        operand: path["operand"].clone(),
        package: selector.map(|_| path["word_5"].clone()),
        swap_at_array: flag_line(design, m, "swap_at_array", &control["swap"], latency),
        exp_valid: flag_line(design, m, "exp_valid", &exp_now, latency),
        row_scale: [constants.slice(0, 17), constants.slice(17, 8).as_signed()],
        at_array: [travelling.bit(0), travelling.bit(1), travelling.bit(2), travelling.slice(3, row_bits)],
        control,
    }
}
