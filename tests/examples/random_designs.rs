//! A long search for random designs on which two engines differ:
//! `cargo run --release -p heatvit-tests --example random_designs -- 20000 2000`.
//!
//! The first number is of designs in interpreter and simulator, the second of designs in the simulator and Verilator. A third
//! one is the first seed, so that several processes can share a search.

use heatvit_rtl::verify;
use heatvit_sim::Simulator;
use heatvit_tests::random_designs::ANYTHING;
use heatvit_tests::random_designs::agreement::differing;
use heatvit_tests::random_designs::search::search;
use heatvit_tests::random_designs::together::together;
use heatvit_tests::tools::Verilated;
use std::error::Error;
use std::time::Instant;

/// Designs that share a compilation, and cycles of each.
const TOGETHER: u64 = 50;
const CYCLES: u64 = 20;
/// First seed if none is given: those below are the tests'.
const FIRST: u64 = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut counts = std::env::args().skip(1).map(|n| n.parse::<u64>());
    let designs = counts.next().unwrap_or(Ok(1_000))?;
    let verilated = counts.next().unwrap_or(Ok(0))?;
    let first_seed = counts.next().unwrap_or(Ok(FIRST))?;
    let start = Instant::now();
    let mut differences = 0;
    for seed in first_seed..first_seed + designs {
        if let Some(report) = search(seed) {
            differences += 1;
            println!("{report}");
        }
        if (seed + 1 - first_seed).is_multiple_of(1_000) {
            eprintln!(
                "{} designs, {differences} differences, {:.0} s",
                seed + 1 - first_seed,
                start.elapsed().as_secs_f64()
            );
        }
    }
    for first in (first_seed..first_seed + verilated).step_by(TOGETHER as usize) {
        let design = together(first..(first + TOGETHER).min(first_seed + verilated), ANYTHING);
        verify(&design)?;
        let (mut fast, mut verilated) = (Simulator::new(&design)?, Verilated::unoptimized(&design)?);
        let found = differing(&design, &mut fast, &mut verilated, CYCLES, first)?;
        differences += found.len() as u64;
        found.iter().for_each(|place| println!("Verilator: {place}"));
        let done = first + TOGETHER - first_seed;
        eprintln!("{done} with Verilator, {differences} differences, {:.0} s", start.elapsed().as_secs_f64());
    }
    println!("{designs} designs and {verilated} with Verilator: {differences} differences");
    if differences == 0 { Ok(()) } else { Err("engines differ".into()) }
}
