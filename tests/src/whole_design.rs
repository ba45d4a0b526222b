//! Do the outside tools accept the whole accelerator, and is it made of what it should be made of?

use crate::tools::{pyslang_check, verilator_lint, write_files, yosys_check};
use heatvit_hdl::{Parameters, TOP, accelerator};
use heatvit_model::quant::Dims;
use heatvit_rtl::{Design, Module, Origin, verify, verilog};
use std::collections::{BTreeMap, BTreeSet};

/// Dimensions of `configs/digits.toml`.
const DIGITS: Dims =
    Dims { tokens: 82, patch_inputs: 16, embed: 64, depth: 6, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 10 };

/// Whatever a tool objects to, in one text.
fn objections(design: &Design, rows: u32, columns: u32) -> String {
    verify(design).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path(), &verilog::print(design)).unwrap();
    let mut all = String::new();
    for (tool, result) in [("verilator", verilator_lint(dir.path(), TOP)), ("pyslang", pyslang_check(dir.path(), TOP))]
    {
        if let Err(error) = result {
            all += &format!("{tool}: {error}\n");
        }
    }
    match yosys_check(dir.path(), TOP) {
        Err(error) => all += &format!("yosys: {error}\n"),
        Ok(report) => {
            if report.latches > 0 {
                all += &format!("yosys: {} latches\n", report.latches);
            }
            let inside = instances(&report.modules, "systolic_array", "DSP48E2");
            if inside != u64::from(rows * columns / 2) {
                all += &format!("yosys: {inside} DSP48E2 in the array\n");
            }
        }
    }
    all
}

/// Instances of `wanted` below a module, from the cells of each.
fn instances(modules: &BTreeMap<String, BTreeMap<String, u32>>, module: &str, wanted: &str) -> u64 {
    let cells = modules.get(module).into_iter().flatten();
    cells
        .map(|(kind, count)| {
            // A module with parameters is called `$paramod$...\name`.
            let kind = kind.rsplit('\\').next().unwrap_or(kind);
            u64::from(*count) * if kind == wanted { 1 } else { instances(modules, kind, wanted) }
        })
        .sum()
}

#[test]
fn tools_accept_the_accelerator_of_the_digits() {
    let design = accelerator(&Parameters::for_dims(&DIGITS, 16, 16));
    assert_eq!(objections(&design, 16, 16), "");
}

#[test]
fn tools_accept_oblong_accelerators() {
    for (rows, columns) in [(32, 8), (16, 4)] {
        let design = accelerator(&Parameters::for_dims(&DIGITS, rows, columns));
        assert_eq!(objections(&design, rows, columns), "", "{rows}x{columns}");
    }
}

/// Selectors before two blocks of the digits' network; the accelerators differ in their memories alone.
fn pruning(rows: u32, columns: u32) -> Design {
    accelerator(&Parameters::for_dims(&DIGITS, rows, columns).with_selectors(&DIGITS))
}

#[test]
fn tools_accept_the_accelerator_with_selectors() {
    assert_eq!(objections(&pruning(16, 16), 16, 16), "");
}

#[test]
fn tools_accept_oblong_accelerators_with_selectors() {
    for (rows, columns) in [(32, 8), (16, 4)] {
        assert_eq!(objections(&pruning(rows, columns), rows, columns), "", "{rows}x{columns}");
    }
}

fn of_origin(design: &Design, origin: Origin) -> BTreeSet<&str> {
    let modules = design.ids().map(|id| design.module(id));
    modules.filter(|m| m.origin == origin).map(|m| m.name.as_str()).collect()
}

/// Control state machines.
const MACHINES: [&str; 6] = [
    "loader_control",
    "read_port_control",
    "register_channel",
    "result_writer_control",
    "streamer_control",
    "supervisor_control",
];

/// Modules that only a selector needs.
const SELECTOR_MODULES: [&str; 8] =
    ["count_log", "divider", "drop_table", "offset_table", "scoring", "selector", "selector_control", "sigmoid"];

/// Modules that lend a selector something, pass something on, or put its token counts into the results.
const LENDERS: [&str; 10] = [
    "bus_interface",
    "core",
    "heatvit_top",
    "norm_table",
    "operand_lane",
    "operand_path",
    "post_queue",
    "reciprocal",
    "result_writer",
    "row_scale",
];

fn printed(design: &Design) -> BTreeMap<String, String> {
    verilog::print(design).into_iter().map(|f| (f.name, f.text)).collect()
}

/// What selectors cost is in their modules and in those named above; without selectors none of it is
/// printed. (Delay lines are modules by width: which widths occur says nothing.)
#[test]
fn without_selectors_their_hardware_is_absent() {
    let with = Parameters::for_dims(&DIGITS, 16, 16).with_selectors(&DIGITS);
    let without = Parameters { selector_heads: 0, ..with.clone() };
    let (with, without) = (printed(&accelerator(&with)), printed(&accelerator(&without)));
    let own = |files: &BTreeMap<String, String>| -> BTreeSet<String> {
        files.keys().filter(|name| !name.starts_with("register_")).cloned().collect()
    };
    let added: BTreeSet<String> = own(&with).difference(&own(&without)).cloned().collect();
    assert_eq!(added, SELECTOR_MODULES.map(|name| format!("{name}.v")).into());
    assert!(own(&without).is_subset(&own(&with)));
    let changed: Vec<&str> =
        without.iter().filter(|(name, text)| with.get(*name).is_some_and(|t| t != *text)).map(|(n, _)| &**n).collect();
    assert_eq!(changed, LENDERS.map(|name| format!("{name}.v")));
}

#[test]
fn state_machines_come_from_rust_hdl() {
    let design = accelerator(&Parameters::for_dims(&DIGITS, 16, 16));
    assert_eq!(of_origin(&design, Origin::RustHdl), BTreeSet::from(MACHINES));
    assert_eq!(of_origin(&design, Origin::Primitive), BTreeSet::from(["DSP48E2"]));
    assert_eq!(counters(&design), BTreeSet::from(COUNTERS.map(str::to_owned)));
}

#[test]
fn the_selector_s_state_machine_comes_from_rust_hdl() {
    let design = pruning(16, 16);
    let machines: BTreeSet<&str> = MACHINES.into_iter().chain(["selector_control"]).collect();
    assert_eq!(of_origin(&design, Origin::RustHdl), machines);
    let all = COUNTERS.into_iter().chain(SELECTOR_COUNTERS).map(str::to_owned);
    assert_eq!(counters(&design), all.collect());
}

/// Registers of built modules whose next value depends on their present one.
fn counters(design: &Design) -> BTreeSet<String> {
    let built = design.ids().map(|id| design.module(id)).filter(|m| m.origin == Origin::Builder);
    built.flat_map(|m| feedback(m).into_iter().map(|name| format!("{}.{name}", m.name))).collect()
}

/// All registers of built modules whose next value depends on their present one: host-written values with byte
/// strobes, pointers and counts, and the flag that holds the pipeline cleared while it drains. No machine among them.
const COUNTERS: [&str; 23] = [
    "registers.image_addr_value",
    "registers.image_stride_value",
    "registers.image_bursts_value",
    "registers.program_addr_value",
    "registers.program_stride_value",
    "registers.program_bursts_value",
    "registers.result_addr_value",
    "registers.result_beats_value",
    "registers.watchdog_value",
    "fifo.write_at",
    "fifo.read_at",
    "unpacker.index",
    "stream_queue.write_at",
    "stream_queue.read_at",
    "stream_queue.count",
    "post_queue.write_at",
    "post_queue.read_at",
    "post_queue.count",
    "parameter_store.write_slot",
    "parameter_store.read_slot",
    "parameter_store.used",
    "core.draining",
    "core.held",
];

/// The same for a selector: sums and a serial division, the number of the stage, and V's channel of a row.
const SELECTOR_COUNTERS: [&str; 8] = [
    "scoring.numerator_4",
    "scoring.denominator_4",
    "divider.remainder",
    "divider.left",
    "divider.quotient",
    "count_log.stage",
    "operand_lane.addend",
    "core.value_channel",
];

/// Registers whose next value or enable depends on themselves or on one another within the module.
fn feedback(module: &Module) -> Vec<&str> {
    let mut reads: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for assign in &module.assigns {
        reads.entry(assign.target.index()).or_default().extend(sources(&assign.value));
    }
    for register in &module.registers {
        let entry = reads.entry(register.signal.index()).or_default();
        entry.extend(sources(&register.next));
        entry.extend(register.enable.iter().flat_map(sources));
    }
    let registers = module.registers.iter().map(|r| r.signal);
    registers.filter(|id| reaches(&reads, id.index())).map(|id| module.signal(id).name.as_str()).collect()
}

fn reaches(reads: &BTreeMap<usize, BTreeSet<usize>>, from: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending: Vec<usize> = reads.get(&from).into_iter().flatten().copied().collect();
    while let Some(signal) = pending.pop() {
        if signal == from {
            return true;
        }
        if seen.insert(signal) {
            pending.extend(reads.get(&signal).into_iter().flatten());
        }
    }
    false
}

/// Signals that an expression reads.
fn sources(expr: &heatvit_rtl::Expr) -> BTreeSet<usize> {
    use heatvit_rtl::ExprKind as K;
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if !seen.insert(expr.node_id()) {
            continue;
        }
        match expr.kind() {
            K::Const(_) => {}
            K::Signal(id) | K::Element(id, _) => drop(found.insert(id.index())),
            K::Slice(a, _) | K::Extend(a) | K::Cast(a) | K::Unary(_, a) => pending.push(a),
            K::Concat(parts) => pending.extend(parts),
            K::Binary(_, a, b) => pending.extend([a, b]),
            K::Mux(c, a, b) => pending.extend([c, a, b]),
            K::Select(selector, options) => pending.extend(options.iter().chain([selector])),
        }
    }
    found
}
