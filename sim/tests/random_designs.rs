//! Random legal designs: the simulator equals the reference interpreter in every cycle, on all state and outputs.
//! The tests of all crates together run more of them, and also against other simulators.

use heatvit_rtl::random::{Choices, Style, design};
use heatvit_rtl::verify;
use heatvit_sim::lockstep;

#[test]
fn the_simulator_equals_the_interpreter() {
    for seed in 0..60 {
        let design = design(&mut Choices::from_seed(seed), Style::default());
        verify(&design).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        lockstep(&design, 20, seed).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}
