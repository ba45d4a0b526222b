//! The search for a design on which interpreter and simulator differ, and the smallest such design.

use super::ANYTHING;
use heatvit_rtl::random::{Choices, design, shrink};
use heatvit_rtl::{Design, verify, verilog};
use heatvit_sim::lockstep;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Cycles of a design.
const CYCLES: u64 = 20;
/// Smaller designs that are tried for one that fails.
const ATTEMPTS: usize = 3_000;

/// What is wrong with a design, if anything: the verifier refuses it, or the engines differ or panic on it.
pub fn failure(design: &Design, seed: u64) -> Option<String> {
    let checked = catch_unwind(AssertUnwindSafe(|| {
        verify(design).map_err(|e| format!("the verifier: {e}"))?;
        lockstep(design, CYCLES, seed).map_err(|e| e.to_string())
    }));
    match checked {
        Ok(result) => result.err(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Some(format!("a panic: {}", text.unwrap_or("without a text")))
        }
    }
}

/// The failure of a seed's design, with the smallest design that fails, too.
pub fn search(seed: u64) -> Option<String> {
    let mut choices = Choices::from_seed(seed);
    let found = failure(&design(&mut choices, ANYTHING), seed)?;
    let small = shrink(choices.taken(), ATTEMPTS, |sequence| {
        failure(&design(&mut Choices::replay(sequence), ANYTHING), seed).is_some()
    });
    let smallest = design(&mut Choices::replay(&small), ANYTHING);
    let mut text = format!("seed {seed}: {found}\nsmallest: {small:?}: ");
    let _ = writeln!(text, "{}", failure(&smallest, seed).unwrap_or_default());
    verilog::print(&smallest).iter().for_each(|file| text += &file.text);
    Some(text)
}
