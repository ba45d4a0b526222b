use super::agreement::differing;
use super::search::search;
use super::together::together;
use super::{ANYTHING, KNOWN};
use crate::tools::{Verilated, icarus_run, write_files};
use heatvit_rtl::{Bits, Design, Direction, Interpreter, verify, verilog};
use heatvit_sim::Simulator;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

#[test]
fn the_simulator_equals_the_interpreter_on_300_designs() {
    let found: Vec<String> = (0..300).filter_map(search).collect();
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}

/// Each compilation serves 50 designs.
#[test]
fn verilator_equals_the_simulator_on_100_designs() {
    for first in [0, 50] {
        let design = together(first..first + 50, ANYTHING);
        verify(&design).unwrap();
        let (mut fast, mut verilated) = (Simulator::new(&design).unwrap(), Verilated::unoptimized(&design).unwrap());
        assert_eq!(differing(&design, &mut fast, &mut verilated, 20, first).unwrap(), Vec::<String>::new());
    }
}

/// Cycles of the reset, then of the comparison.
const RESET: usize = 2;
const CYCLES: usize = 30;

/// A bench that applies lines of `stimuli`, one number in hexadecimal each, and prints lines of outputs, one number in
/// binary each.
fn bench(design: &Design) -> (String, u32) {
    let top = design.module(design.top().unwrap());
    let (mut wires, mut pins, mut inputs, mut outputs) = (String::new(), String::new(), Vec::new(), Vec::new());
    let mut width = 0;
    for (_, port) in top.ports() {
        let bits = port.ty.total_width();
        let _ = writeln!(wires, "    wire [{}:0] {};", bits - 1, port.name);
        let _ = writeln!(pins, "        .{0}({0}),", port.name);
        if port.port == Some(Direction::Input) {
            inputs.push(format!("    assign {} = stimulus[{} +: {}];", port.name, width, bits));
            width += bits;
        } else {
            outputs.push(port.name.as_str());
        }
    }
    outputs.reverse();
    let text = format!(
        "module bench;\n    reg clk = 1'b0;\n    reg rst = 1'b1;\n    reg [{high}:0] stimuli [0:{last}];\n\
         {i}reg [{high}:0] stimulus;\n    integer cycle;\n{wires}{}\n    {} dut (\n{pins}        .clk(clk),\n\
         {i}    .rst(rst)\n    );\n    initial begin\n        $readmemh(\"stimuli.hex\", stimuli);\n\
         {i}    for (cycle = 0; cycle < {cycles}; cycle = cycle + 1) begin\n\
         {i}        stimulus = stimuli[cycle];\n            rst = cycle < {RESET};\n            #1;\n\
         {i}        if (cycle >= {RESET}) $display(\"%b\", {{{}}});\n\
         {i}        clk = 1'b1;\n            #1;\n            clk = 1'b0;\n        end\n    end\nendmodule\n",
        inputs.join("\n"),
        top.name,
        outputs.join(", "),
        high = width - 1,
        last = CYCLES - 1,
        cycles = CYCLES,
        i = "    ",
    );
    (text, width)
}

fn hexadecimal(bits: &Bits) -> String {
    let digits: String = bits.limbs().iter().rev().map(|limb| format!("{limb:016x}")).collect();
    digits[digits.len() - bits.width().div_ceil(4) as usize..].to_owned()
}

/// Four states, all known: what Icarus prints of 20 designs is what the interpreter has.
#[test]
fn icarus_equals_the_interpreter_on_20_designs() {
    let design = together(1_000..1_020, KNOWN);
    verify(&design).unwrap();
    let top = design.module(design.top().unwrap());
    let (bench, width) = bench(&design);
    let mut interpreter = Interpreter::new(&design).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut stimuli, mut expected) = (String::new(), Vec::new());
    for cycle in 0..CYCLES {
        let mut parts = Vec::new();
        interpreter.set_input("rst", &Bits::new(1, u128::from(cycle < RESET))).unwrap();
        for (_, port) in top.ports().filter(|(_, s)| s.port == Some(Direction::Input)) {
            let value = Bits::from_limbs(port.ty.total_width(), &random.random::<[u64; 3]>());
            interpreter.set_input(&port.name, &value).unwrap();
            parts.push(value);
        }
        let all = Bits::concat_low_first(&parts);
        assert_eq!(all.width(), width);
        let _ = writeln!(stimuli, "{}", hexadecimal(&all));
        if cycle >= RESET {
            let outputs = top.ports().filter(|(_, s)| s.port == Some(Direction::Output));
            let values = outputs.map(|(_, s)| (s.name.clone(), interpreter.output(&s.name).unwrap()));
            expected.push(values.collect::<Vec<_>>());
        }
        interpreter.step();
    }
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path(), &verilog::print(&design)).unwrap();
    std::fs::write(dir.path().join("bench.v"), bench).unwrap();
    std::fs::write(dir.path().join("stimuli.hex"), stimuli).unwrap();
    let printed = icarus_run(dir.path(), "bench").unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(printed.lines().count(), expected.len());
    for (cycle, (line, outputs)) in (RESET..).zip(printed.lines().zip(&expected)) {
        let mut rest = line;
        for (name, value) in outputs {
            let (before, got) = rest.split_at(rest.len() - value.width() as usize);
            let wanted: String = (0..value.width()).rev().map(|i| if value.bit(i) { '1' } else { '0' }).collect();
            assert_eq!(wanted, got, "cycle {cycle}, output `{name}` (interpreter left, Icarus right)");
            rest = before;
        }
    }
}
