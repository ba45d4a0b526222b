//! Does the printed Verilog of the whole accelerator, compiled by Verilator, behave like the simulator's?

use crate::tools::Verilated;
use crate::workload::{Outcome, Workload};
use heatvit_model::golden;
use heatvit_model::quant::Dims;
use heatvit_sim::axi::{Board, MemoryConfig};
use heatvit_sim::{Engine, Simulator};
use std::collections::BTreeSet;

const CLOCK_HZ: f64 = 300e6;

fn calm() -> MemoryConfig {
    MemoryConfig::zcu102(CLOCK_HZ)
}

fn stalling(seed: u64) -> MemoryConfig {
    MemoryConfig { stalls: Some(seed), ..calm() }
}

/// Several blocks; neither tokens nor channels divide into tiles.
const UNEVEN: Dims =
    Dims { tokens: 21, patch_inputs: 16, embed: 40, depth: 2, heads: 3, head_dim: 16, mlp_hidden: 72, classes: 10 };
/// The dimensions of configs/digits.toml.
const DIGITS: Dims =
    Dims { tokens: 82, patch_inputs: 16, embed: 64, depth: 6, heads: 4, head_dim: 16, mlp_hidden: 128, classes: 10 };

/// An engine that keeps no state of the former board but its design's, which the board resets.
fn run_alone<E: Engine>(w: &Workload, engine: E, config: &MemoryConfig, image: &[i8]) -> (Outcome, Board<E>) {
    let mut board = w.board(engine, config);
    let outcome = w.run(&mut board, image).unwrap();
    (outcome, board)
}

/// One compilation serves all questions about a design: it takes longer than the runs.
fn verilated_equals_the_simulator(w: &Workload) {
    let fresh = || Simulator::new(&w.design).unwrap();
    let mut verilated = Verilated::new(&w.design).unwrap();
    let images: Vec<Vec<i8>> = (0..5).map(|i| w.image(i)).collect();
    let alone: Vec<Outcome> = images.iter().map(|image| run_alone(w, fresh(), &calm(), image).0).collect();

    // Without stalls: same words in the same cycle, back to back without a reset, each as if it were alone.
    let mut board = w.board(&mut verilated, &calm());
    for (image, expected) in images.iter().zip(&alone) {
        let outcome = w.run(&mut board, image).unwrap();
        assert_eq!(outcome.words, w.expected(image));
        assert_eq!(outcome, *expected);
    }

    // With random stalls on every handshake: same words as ever, and since both boards stall alike, the same cycle.
    let mut slower = 0;
    for (seed, (image, expected)) in (0..).zip(images.iter().zip(&alone)) {
        let simulated = run_alone(w, fresh(), &stalling(seed), image).0;
        let outcome = run_alone(w, &mut verilated, &stalling(seed), image).0;
        assert_eq!(outcome.words, expected.words);
        assert_eq!(outcome, simulated);
        slower += u32::from(outcome.cycles > expected.cycles);
    }
    // FIFOs hide most stalls while the program streams, all of them now and then.
    assert!(slower >= 3, "{slower} of 5 runs are slower for their stalls");
}

#[test]
fn verilated_accelerator_equals_the_simulator() {
    verilated_equals_the_simulator(&Workload::random(&UNEVEN, (16, 16), 3));
}

#[test]
fn verilated_accelerator_of_the_digits_equals_the_simulator() {
    verilated_equals_the_simulator(&Workload::random(&DIGITS, (16, 16), 3));
}

/// The same for a pruned network, of which every image keeps another number of tokens.
fn verilated_pruning_equals_the_simulator(dims: &Dims, blocks: &[usize], array: (u32, u32)) {
    let w = Workload::pruned(dims, blocks, array, 3);
    let counts = |i| golden::run(&w.network, &w.image(i)).stages;
    let distinct: BTreeSet<Vec<usize>> = (0..5).map(|i| counts(i).iter().map(|s| s.tokens).collect()).collect();
    assert!(distinct.len() >= 4, "{distinct:?}");
    verilated_equals_the_simulator(&w);
}

#[test]
fn verilated_pruning_with_uneven_tiles_equals_the_simulator() {
    let dims = Dims { depth: 3, embed: 48, ..UNEVEN };
    verilated_pruning_equals_the_simulator(&dims, &[1, 2], (32, 8));
}

#[test]
fn verilated_pruning_of_the_digits_equals_the_simulator() {
    verilated_pruning_equals_the_simulator(&DIGITS, &[2, 4], (16, 16));
}
