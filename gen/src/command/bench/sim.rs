//! `heatvit bench sim`: the simulator against Verilator.

use super::super::print;
use crate::bench::{Effort, NAMES, find, measure, subject, table, to_json};
use crate::cli::{EXIT_EQUAL, EXIT_MISMATCH, SimBenchArgs};
use crate::error::GenError;
use crate::{files, memory, progress};
use std::io::Write;

/// Measures and prints the table.
///
/// # Errors
/// No Verilator, or refused input.
pub fn sim(arguments: &SimBenchArgs, out: &mut dyn Write) -> Result<u8, GenError> {
    files::check_places([&arguments.json])?;
    let verilator = find(arguments.verilator.as_deref())?;
    let effort = Effort { cycles: arguments.cycles, pairs: arguments.pairs as usize };
    let wanted = |name: &&str| arguments.design.is_empty() || arguments.design.iter().any(|d| d == name);
    let names: Vec<&str> = NAMES.into_iter().filter(wanted).collect();
    let bar = progress::bar("measuring", names.len() * effort.steps());
    let mut all = Vec::new();
    for name in names {
        bar.set_message(format!("{name}: building"));
        memory::forget_peak();
        all.push(measure(&subject(name)?, &verilator, effort, &bar)?);
    }
    bar.finish_and_clear();
    if let Some(file) = &arguments.json {
        files::write(file, to_json(&all).as_bytes())?;
    }
    print(out, &table(&all))?;
    Ok(if all.iter().all(|m| m.outputs_equal) { EXIT_EQUAL } else { EXIT_MISMATCH })
}
