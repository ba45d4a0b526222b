//! What was measured: a table for people, JSON for programs.

use crate::summary::grouped;
use serde::Serialize;

/// One simulator on one design.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Side {
    /// From the design to something that runs.
    pub build_seconds: f64,
    /// Median of all runs.
    pub cycles_per_second: f64,
}

/// Both on one design.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// Its name.
    pub design: String,
    /// Cycles of a run.
    pub cycles: u64,
    /// This project's simulator.
    pub ours: Side,
    /// Verilator's model of the printed Verilog.
    pub verilator: Side,
    /// Median of the ratios of the pairs of runs, in cycles per second: how many times as fast.
    pub ratio: f64,
    /// Largest resident memory of this process from recording to the last run, in bytes, where the system tells it;
    /// stimuli and hashes are part of it, Verilator is not.
    pub peak_memory_bytes: Option<u64>,
    /// All outputs were equal in every cycle of every run.
    pub outputs_equal: bool,
    /// Cycle in which they were not.
    #[serde(skip)]
    pub first_difference: Option<usize>,
}

/// The JSON file's text.
pub fn to_json(all: &[Measurement]) -> String {
    serde_json::to_string_pretty(all).expect("numbers and names only") + "\n"
}

/// The table.
pub fn table(all: &[Measurement]) -> String {
    let mut text = format!(
        "{:16} {:>9}   {:>8} {:>11} {:>8}   {:>8} {:>11}   {:>6}  {}\n",
        "", "", "built in", "cycles/s", "memory", "built in", "cycles/s", "", ""
    );
    text = format!(
        "{:16} {:>9}   {:29}   {:20}   {:>6}  {}\n",
        "design", "cycles", "heatvit", "Verilator", "ratio", "outputs"
    ) + &text;
    for m in all {
        let outputs = match m.first_difference {
            None => "equal".to_owned(),
            Some(cycle) => format!("differ in cycle {}", grouped(cycle as u64)),
        };
        text += &format!(
            "{:16} {:>9}   {} {:>8}  {}   {:>5.2}x  {outputs}\n",
            m.design,
            grouped(m.cycles),
            side(&m.ours),
            m.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000)),
            side(&m.verilator),
            m.ratio
        );
    }
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn side(side: &Side) -> String {
    format!("{:>6.3} s {:>11}", side.build_seconds, grouped(side.cycles_per_second as u64))
}
