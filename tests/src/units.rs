//! Does every datapath unit print Verilog that tools accept and that behaves like the interpreter?

use crate::compare::{Stimuli, engines_agree, engines_agree_on, tools_accept};
use crate::tools::{pyslang_check, verilator_lint, yosys_check};
use heatvit_hdl::{Parameters, array, memory, operand, post, selector, stream};
use heatvit_rtl::{Design, ModuleBuilder, ModuleId, Ty, verify, verilog};

fn parameters(rows: u32, columns: u32) -> Parameters {
    Parameters {
        rows,
        columns,
        max_tokens: 82,
        a_words: 200,
        k_words: 100,
        v_words: 100,
        s_words: 200,
        x_words: 300,
        out_words: 2,
        selector_heads: 0,
    }
}

/// The same with selector hardware.
fn selecting(rows: u32, columns: u32, selector_heads: u32) -> Parameters {
    Parameters { selector_heads, ..parameters(rows, columns) }
}

type Build = fn(&mut Design, &Parameters) -> ModuleId;
type Unit = (&'static str, Build);

/// `rsqrt` is inside `norm_table`, `reciprocal` inside `row_scale`.
const UNITS: [Unit; 13] = [
    ("systolic_array", array::systolic_array),
    ("accumulator", array::accumulator),
    ("operand_path", operand::operand_path),
    ("row_scale", operand::row_scale),
    ("post_path", post::post_path),
    ("norm_table", post::norm_table),
    ("row_max", post::row_max),
    ("value_memory", memory::value_memory),
    ("operand_memory", |d, p| memory::operand_memory(d, p, "memory_x", 16, p.x_words, "Memory of the residual.")),
    ("parameter_store", stream::parameter_store),
    ("fifo", |d, _| stream::fifo(d)),
    ("unpacker", |d, p| stream::unpacker(d, p.rows)),
    ("queue", |d, _| stream::queue(d, "queue", 80)),
];

/// What is inside the selector; `sigmoid` is inside `scoring`.
const SELECTOR_PARTS: [Unit; 5] = [
    ("divider", |d, _| selector::divider(d)),
    ("scoring", |d, p| selector::scoring(d, p.selector_heads)),
    ("offset_table", selector::offset_table),
    ("drop_table", selector::drop_table),
    ("count_log", |d, _| selector::count_log(d)),
];

/// The selector, and the units that lend it something.
const SELECTOR_UNITS: [Unit; 3] =
    [("selector", selector::selector), ("operand_path", operand::operand_path), ("row_scale", operand::row_scale)];

/// Units side by side, so that one compilation serves them all.
fn side_by_side(units: &[Unit], parameters: &Parameters) -> Design {
    let mut design = Design::new();
    let ids: Vec<(&str, ModuleId)> =
        units.iter().map(|(name, build)| (*name, build(&mut design, parameters))).collect();
    let mut m = ModuleBuilder::new("all_units", "Every datapath unit with its ports brought out.");
    for (name, id) in ids {
        let child = design.module(id).clone();
        let pins: Vec<_> = child
            .ports()
            .map(|(_, s)| {
                let ty = if s.ty.is_scalar() { s.ty.clone() } else { Ty::bits(s.ty.total_width()) };
                let outer = format!("{name}_{}", s.name);
                let input = s.port == Some(heatvit_rtl::Direction::Input);
                (s.name.clone(), input, if input { m.input(&outer, ty, "") } else { m.output(&outer, ty, "") })
            })
            .collect();
        let mut instance = m.instance(name, id, &child);
        for (port, input, outer) in &pins {
            instance = if *input { instance.input(port, outer) } else { instance.output_to(port, outer) };
        }
        instance.done();
    }
    design.add(m.finish());
    design
}

fn all_units(parameters: &Parameters) -> Design {
    side_by_side(&UNITS, parameters)
}

#[test]
fn square_array_units_agree_with_verilator() {
    engines_agree(&all_units(&parameters(16, 16)), 300, 1);
}

#[test]
fn tall_array_units_agree_with_verilator() {
    engines_agree(&all_units(&parameters(32, 8)), 300, 2);
}

#[test]
fn selector_parts_agree_with_verilator() {
    engines_agree(&side_by_side(&SELECTOR_PARTS, &selecting(32, 8, 3)), 400, 3);
}

/// Whole runs of the selector: the bounds of a run stand still until the next reset, and are small enough for a run to
/// come through every phase; logits, products and everything else are as random as ever.
#[test]
fn selector_runs_agree_with_verilator() {
    let held = &[
        ("selector_reset", 0..1),
        ("selector_last_slot", 5..9),
        ("selector_last_head", 0..4),
        ("selector_row_words", 1..4),
        ("selector_candidates", 1..6),
        ("selector_rows", 1..8),
        ("selector_threshold", 0..514),
        ("selector_make_package", 0..4),
        ("selector_run", 1..2),
    ];
    let stimuli = Stimuli { held, reset_one_in: 150 };
    let design = side_by_side(&SELECTOR_UNITS, &selecting(16, 16, 4));
    let seen = engines_agree_on(&design, 4_000, 4, &stimuli, &["selector_done", "selector_package_write"]);
    assert!(seen.iter().all(|times| *times > 20), "{seen:?}");
}

#[test]
fn tools_accept_all_units() {
    for (rows, columns) in [(16, 16), (32, 8), (64, 4), (64, 64)] {
        tools_accept(&all_units(&parameters(rows, columns)));
    }
}

/// One head, a number that is no power of two, and the most.
#[test]
fn tools_accept_selector_units() {
    for (rows, columns, heads) in [(16, 16, 1), (32, 8, 3), (64, 4, 16)] {
        let parameters = selecting(rows, columns, heads);
        tools_accept(&side_by_side(&SELECTOR_PARTS, &parameters));
        tools_accept(&side_by_side(&SELECTOR_UNITS, &parameters));
    }
}

#[test]
fn large_units_verify_and_print_fast_and_twice_alike() {
    let design = all_units(&parameters(64, 64));
    let start = std::time::Instant::now();
    verify(&design).unwrap();
    let first = verilog::print(&design);
    let elapsed = start.elapsed();
    assert!(elapsed.as_secs_f64() < 2.0, "verifying and printing took {elapsed:?}");
    assert_eq!(first, verilog::print(&all_units(&parameters(64, 64))));
}

/// The checkers are no rubber stamps: each objects to a file that breaks what it is there for.
#[test]
fn tools_object_to_bad_files() {
    let check = |body: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("bad.v"), body).unwrap();
        (verilator_lint(dir.path(), "bad").is_err(), pyslang_check(dir.path(), "bad").is_err(), {
            yosys_check(dir.path(), "bad").map_or(true, |report| report.latches > 0)
        })
    };
    let latch = "module bad(input wire e, input wire d, output reg q);\nalways @* if (e) q = d;\nendmodule\n";
    let undeclared = "`default_nettype none\nmodule bad(output wire q);\nassign q = nothing;\nendmodule\n";
    let two_drivers =
        "module bad(input wire a, input wire b, output wire q);\nassign q = a;\nassign q = b;\nendmodule\n";
    assert_eq!(check(undeclared), (true, true, true));
    assert_eq!(check(latch), (true, false, true));
    assert!(check(two_drivers).2);
}
