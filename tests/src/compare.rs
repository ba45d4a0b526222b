//! One design in two engines: the interpreter and Verilator on the printed text.

use crate::tools::{Verilated, pyslang_check, verilator_lint, write_files, yosys_check};
use heatvit_rtl::{Bits, Design, Direction, Interpreter, verify, verilog};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// A value of `width` bits: often a corner, else uniform.
fn value(random: &mut ChaCha8Rng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| random.random()).collect();
    match random.random_range(0..12) {
        0 => Bits::zero(width),
        1 => Bits::ones(width),
        2 => Bits::from_limbs(width, &limbs.iter().map(|l| l & 0x0101_0101_0101_0101).collect::<Vec<_>>()),
        3 => Bits::new(width, random.random_range(0..4)),
        4 => Bits::from_limbs(width, &[vec![0; limbs.len() - 1], vec![1 << ((width - 1) % 64)]].concat()),
        _ => Bits::from_limbs(width, &limbs),
    }
}

/// How random the stimuli are.
#[derive(Default)]
pub struct Stimuli<'s> {
    /// Inputs that change at resets only, and their ranges.
    pub held: &'s [(&'s str, Range<u64>)],
    /// A reset comes once in so many cycles; 0 stands for 40.
    pub reset_one_in: u32,
}

/// Random stimuli for `cycles`; every output is compared in every cycle, before and after the edge.
pub fn engines_agree(design: &Design, cycles: u32, seed: u64) {
    engines_agree_on(design, cycles, seed, &Stimuli::default(), &[]);
}

/// The same with other stimuli; the cycles in which each of the `counted` outputs was not zero.
pub fn engines_agree_on(design: &Design, cycles: u32, seed: u64, stimuli: &Stimuli<'_>, counted: &[&str]) -> Vec<u32> {
    let mut seen = vec![0; counted.len()];
    let reset_one_in = if stimuli.reset_one_in == 0 { 40 } else { stimuli.reset_one_in };
    let top = design.module(design.top().unwrap());
    let mut interpreter = Interpreter::new(design).unwrap();
    let mut verilated = Verilated::new(design).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let names = |direction| top.ports().filter(move |(_, s)| s.port == Some(direction));
    let needs_reset = design.needs_reset(design.top().unwrap());
    for cycle in 0..cycles {
        let mut set = |name: &str, value: &Bits| {
            interpreter.set_input(name, value).unwrap();
            let port = verilated.input(name).unwrap();
            verilated.set(port, value);
        };
        let reset = cycle < 2 || random.random_range(0..reset_one_in) == 0;
        if needs_reset {
            set("rst", &Bits::new(1, u128::from(reset)));
        }
        for (_, signal) in names(Direction::Input) {
            if let Some((_, range)) = stimuli.held.iter().find(|(name, _)| *name == signal.name) {
                if reset {
                    let width = signal.ty.total_width();
                    set(&signal.name, &Bits::new(width, u128::from(random.random_range(range.clone()))));
                }
                continue;
            }
            set(&signal.name, &value(&mut random, signal.ty.total_width()));
        }
        for (_, signal) in names(Direction::Output) {
            let port = verilated.output(&signal.name).unwrap();
            let (expected, got) = (interpreter.output(&signal.name).unwrap(), verilated.get(port).unwrap());
            assert_eq!(expected, got, "cycle {cycle}, output `{}` (interpreter left, Verilator right)", signal.name);
        }
        for (times, name) in seen.iter_mut().zip(counted) {
            *times += u32::from(interpreter.output(name).unwrap().limbs().iter().any(|l| *l != 0));
        }
        interpreter.step();
        verilated.step().unwrap();
    }
    seen
}

/// The printed text is clean for Verilator's linter, pyslang and Yosys, without a latch.
pub fn tools_accept(design: &Design) {
    verify(design).unwrap();
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path(), &verilog::print(design)).unwrap();
    let top = &design.module(design.top().unwrap()).name;
    verilator_lint(dir.path(), top).unwrap_or_else(|e| panic!("{e}"));
    pyslang_check(dir.path(), top).unwrap_or_else(|e| panic!("{e}"));
    let report = yosys_check(dir.path(), top).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.latches, 0, "Yosys finds latches");
}
