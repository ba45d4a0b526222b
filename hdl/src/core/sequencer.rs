//! The pipeline's control without its datapath: loader, streamer, queues, count registers and the selector's state
//! machine. With the bus interface around it, it reads a program and walks through it as the accelerator does.

use super::post_control::{FromLoader, post_control};
use super::stream_control::{StreamPorts, stream_control};
use super::{LoadControl, Loading, front, literal, load_control, settle};
use crate::control::{field, flag, op_fields};
use crate::parameters::Parameters;
use crate::pipeline::{Outputs, flag_line, place};
use crate::post::PostEntry;
use crate::schedule::descriptor::{COUNT_CANDIDATES, COUNT_REGISTERS, COUNT_TOKENS, Field, select};
use crate::selector::{SLOT_BITS, count_log, selector_control};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// Cycles from a token's last slot to its score, and from a weight to its share, as scoring and divider take them.
const SCORE_CYCLES: u32 = 16;
const SHARE_CYCLES: u32 = 10;
/// Cycles from the last word of a package to its write.
const DRAIN_CYCLES: u32 = 9;
/// Outputs of the machines that are one bit, and those that are brought out as 16 bits.
const LOADER_FLAGS: [&str; 6] = ["load", "loaded", "fill", "commit", "push", "latch"];
const LOADER_WORDS: [&str; 4] = ["load_address", "load_column", "load_lanes", "fill_address"];
const STREAMER_FLAGS: [&str; 6] =
    ["valid", "swap", "first_row", "first_reduction", "last_reduction", "last_of_operation"];
const STREAMER_WORDS: [&str; 6] =
    ["row", "source_address", "target_address", "part", "output_limit", "reduction_limit"];
const SELECTOR_FLAGS: [&str; 7] =
    ["decided", "keep", "offset_write", "drop_write", "share_write", "package_valid", "package_last"];
const SELECTOR_WORDS: [&str; 6] =
    ["score_address", "offset", "drop_address", "item", "package_word", "package_address"];

/// The control of the pipeline. It has the pipeline's ports, two inputs in place of the selector's arithmetic
/// (`enough`, `weight`), and outputs for everything that the datapath would be told.
pub fn sequencer(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let mut m = ModuleBuilder::new("sequencer", "Control of the pipeline: loader, streamer, selector, their queues.");
    let run_reset = m.input("run_reset", Ty::bit(), "between runs: forget everything");
    let valid = m.input("valid", Ty::bits(4), "head of each port's FIFO is valid");
    let heads = m.input("heads", Ty::bits(128).lanes(4), "heads of the ports' FIFOs");
    let result_address = m.input("result_address", Ty::bits(16), "group of C logits to read");
    let enough = m.input("enough", Ty::bit(), "the token in turn is kept");
    let weight = m.input("weight", Ty::bits(18), "its weight in the package otherwise");
    let reset = m.declare("reset", Ty::bit());
    let front = front(design, &mut m, parameters, (&reset, &valid, &heads));
    let [swap, retire, store_ready, select] =
        ["swap", "retire", "store_ready", "run_selector"].map(|name| m.declare(name, Ty::bit()));
    let descriptor = m.declare("descriptor", Ty::bits(512));
    let counts = m.declare("counts", Ty::bits(16 * COUNT_REGISTERS));
    let id = selector_machine(design);
    let inputs = selector_fields(&descriptor, &counts);
    let mut inputs: Vec<(&str, &Expr)> = inputs.iter().map(|(name, value)| (*name, value)).collect();
    inputs.extend([("reset", &reset), ("run", &select), ("enough", &enough), ("weight", &weight)]);
    let selector = place(design, &mut m, "selector", id, &inputs);
    let ports = LoadControl {
        reset: &reset,
        swap: &swap,
        retire: &retire,
        store_ready: &store_ready,
        descriptor: &descriptor,
        beat: &heads,
        counts: &counts,
        selector: Some(&selector),
    };
    let Loading { control: loader, .. } = load_control(design, &mut m, parameters, &front, &ports);
    m.assign(&select, &loader["run_selector"]);
    let ports = StreamPorts {
        reset: &reset,
        push: &loader["push"],
        entry: &op_fields(&descriptor),
        counts: &counts,
        loaded: &loader["loaded"],
    };
    let stream = stream_control(design, &mut m, parameters, &ports);
    let ports = FromLoader {
        reset: &reset,
        push: &loader["push"],
        entry: &PostEntry::pack(&descriptor, true),
        shift: &loader["shift"],
        commit: &loader["commit"],
        vector: &front.unpacker["vector"],
    };
    let post = post_control(design, &mut m, parameters, &ports, &stream.control);
    m.assign(&swap, &stream.control["swap"]);
    let retired = post.retire(design, &mut m, parameters);
    m.assign(&retire, &retired);
    m.assign(&store_ready, &post.store["ready"]);
    m.assign(&front.queues_ready, &(&stream.queue_ready & &post.queue_ready));
    settle(&mut m, &reset, &run_reset, &stream.control["valid"], parameters);
    m.output_as("pop", &front.unpacker["pop"], "drop the heads of all FIFOs");
    m.output_as("program_done", &loader["done"], "the program has ended and its products are retired");
    m.output_as("bad_descriptor", &loader["refused"], "the loader refuses a descriptor");
    // In place of logits, which are the datapath's.
    let logits = Expr::concat(&vec![result_address; parameters.columns as usize]);
    m.output_as("result_data", &logits, "the address, for each column");
    m.output_as("stage_counts", &selector["stage_counts"], "rows after each selector");
    observe(&mut m, [&loader, &stream.control, &selector]);
    design.add(m.finish())
}

/// Everything that the datapath would be told, in two ports.
fn observe(m: &mut ModuleBuilder, [loader, streamer, selector]: [&Outputs; 3]) {
    let pick = |unit: &Outputs, names: &[&str]| -> Vec<Expr> { names.iter().map(|n| unit[*n].clone()).collect() };
    let flags =
        [pick(loader, &LOADER_FLAGS), pick(streamer, &STREAMER_FLAGS), pick(selector, &SELECTOR_FLAGS)].concat();
    m.output_as("strobes", &Expr::concat_low_first(&flags), "strobes of loader, streamer and selector");
    let words =
        [pick(loader, &LOADER_WORDS), pick(streamer, &STREAMER_WORDS), pick(selector, &SELECTOR_WORDS)].concat();
    let port = m.output("words", Ty::bits(16).lanes(words.len() as u32), "their addresses and bounds");
    m.assign(&port, &Expr::concat_low_first(&words));
}

/// What the selector takes of a descriptor and the counts.
fn selector_fields(descriptor: &Expr, counts: &Expr) -> [(&'static str, Expr); 6] {
    let of = |which: Field| field(descriptor, which);
    let count = |register: u16| counts.slice(16 * u32::from(register), 16);
    let one = Expr::lit(1, SLOT_BITS);
    [
        ("last_slot", of(select::LAST_SLOT)),
        ("last_head", (of(select::HEADS).slice(0, SLOT_BITS) - one).slice(0, SLOT_BITS)),
        ("row_words", of(select::ROW_WORDS)),
        ("make_package", !flag(&of(Field::Flags), select::NO_PACKAGE)),
        ("rows", count(COUNT_TOKENS)),
        ("candidates", count(COUNT_CANDIDATES)),
    ]
}

/// The selector's state machine; lines of flags stand for scoring and divider.
fn selector_machine(design: &mut Design) -> ModuleId {
    let mut m = ModuleBuilder::new("selector_machine", "The selector's control; delays stand for its arithmetic.");
    let wide = Ty::bits(16);
    let reset = m.input("reset", Ty::bit(), "forget everything");
    let run = m.input("run", Ty::bit(), "stays high until `done`");
    let last_slot = m.input("last_slot", wide.clone(), "cycles from one token to the next, less one");
    let last_head = m.input("last_head", Ty::bits(SLOT_BITS), "heads, less one");
    let row_words = m.input("row_words", wide.clone(), "words a row of the residual stream");
    let make_package = m.input("make_package", Ty::bit(), "dropped tokens leave a package");
    let rows = m.input("rows", wide.clone(), "rows of the residual stream");
    let candidates = m.input("candidates", wide, "the same without a package token");
    let enough = m.input("enough", Ty::bit(), "the token in turn is kept");
    let weight = m.input("weight", Ty::bits(18), "its weight in the package otherwise");
    let divided = m.declare("divided", Ty::bit());
    let id = selector_control(design);
    let inputs = [
        ("reset", &reset),
        ("run", &run),
        ("last_slot", &last_slot),
        ("row_words", &row_words),
        ("rows", &rows),
        ("candidates", &candidates),
        ("logit_words", &candidates.shl_const(1).slice(0, 16)),
        ("make_package", &make_package),
        ("divided", &divided),
        ("enough", &enough),
        ("weight", &weight),
        ("drain_cycles", &literal(DRAIN_CYCLES)),
    ];
    let control = place(design, &mut m, "control", id, &inputs);
    let complete = m.wire("complete", &(&control["slot_valid"] & control["slot"].slice(0, SLOT_BITS).eq(&last_head)));
    let scored = flag_line(design, &mut m, "scored", &complete, SCORE_CYCLES);
    let shared = flag_line(design, &mut m, "shared", &control["divide"], SHARE_CYCLES);
    m.assign(&divided, &(scored | shared));
    for name in SELECTOR_FLAGS.iter().chain(&SELECTOR_WORDS).chain(&["active", "done", "count_write", "count"]) {
        m.output_as(name, &control[*name], "as the control says");
    }
    let register = control["count_register"].slice(0, 2);
    m.output_as("count_register", &register, "as the control says");
    let id = count_log(design);
    let of_stage = &control["count_write"] & register.eq_lit(1);
    let inputs = [("clear", &reset), ("write", &of_stage), ("count", &control["count"])];
    let log = place(design, &mut m, "log", id, &inputs);
    m.output_as("stage_counts", &log["counts"], "rows after each stage");
    design.add(m.finish())
}
