//! Images through the simulated design, compared with the golden model.

use crate::compare::{Comparison, Event, Stretch, compare};
use crate::data_set::Image;
use crate::error::GenError;
use crate::evaluate::class_of;
use crate::progress;
use crate::summary::{Cycles, Macs, SimulatorSpeed, Summary};
use heatvit_model::golden::{Trace, run};
use heatvit_model::quant::QuantNetwork;
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With an interrupt, and the status register says that the result is written or that there is an error.
    #[default]
    Interrupt,
    /// With an interrupt, but the status register disagrees with it.
    Status,
    /// No interrupt within the cycle limit.
    NoInterrupt,
    /// The register port stopped answering.
    NoAnswer,
}

impl Ending {
    /// What is said about it; `None` for the right one.
    pub fn complaint(self) -> Option<&'static str> {
        match self {
            Self::Interrupt => None,
            Self::Status => Some("interrupt, but the status register does not say that the run is done"),
            Self::NoInterrupt => Some("no interrupt within the cycle limit"),
            Self::NoAnswer => Some("the register port does not answer"),
        }
    }
}

/// What a design did with an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Cycles from the start register to the interrupt.
    pub cycles: u64,
    /// How it ended.
    pub ending: Ending,
    /// The error register.
    pub error: u32,
    /// Logits as the design wrote them to memory.
    pub logits: Vec<i32>,
    /// What the probes saw, the written words among it.
    pub events: Vec<Event>,
    /// Multiply-accumulates of the operations that were run.
    pub macs: u64,
}

/// A design that runs images one after the other; simulated here, but nothing in this file knows that.
pub trait Device: Send {
    /// Runs an image to the interrupt.
    ///
    /// # Errors
    /// The simulator's own; a design that hangs or reports an error is a [`Run`].
    fn run(&mut self, patches: &[i8]) -> Result<Run, GenError>;

    /// Runs an image again and writes the waveform of a range of cycles.
    ///
    /// # Errors
    /// The simulator's own, or an unwritable file.
    fn trace(&mut self, patches: &[i8], cycles: Range<u64>, file: &Path) -> Result<(), GenError>;
}

/// One image's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Comparison with the golden trace.
    pub comparison: Comparison,
    /// Cycles.
    pub cycles: u64,
    /// How the run ended.
    pub ending: Ending,
    /// The error register.
    pub error: u32,
    /// MACs.
    pub macs: u64,
    /// Class by the golden model.
    pub golden_class: usize,
    /// Class by the design's logits.
    pub class: usize,
    /// Time in the device.
    pub host_time: Duration,
}

impl Outcome {
    /// True when nothing differs and the design ended its run without an error.
    pub fn equal(&self) -> bool {
        self.comparison.mismatches == 0 && self.error == 0 && self.ending == Ending::Interrupt
    }
}

/// Runs the images on devices made by `device`, at most one per thread, in parallel; the outcomes are in the order of
/// the images and do not depend on which device ran which image.
///
/// # Errors
/// The error of the first image that has one.
pub fn images<D: Device>(
    network: &QuantNetwork,
    plan: &[Stretch],
    patches: &[Vec<i8>],
    device: impl Fn() -> Result<D, GenError> + Sync,
) -> Result<Vec<Outcome>, GenError> {
    let bar = progress::bar("simulating", patches.len());
    let idle: Mutex<Vec<D>> = Mutex::new(Vec::new());
    let pool = || idle.lock().unwrap_or_else(PoisonError::into_inner);
    let one = |patches: &Vec<i8>| -> Result<Outcome, GenError> {
        let golden = run(network, patches);
        let free = pool().pop();
        let mut device = free.map_or_else(&device, Ok)?;
        let start = Instant::now();
        let run = device.run(patches)?;
        let host_time = start.elapsed();
        pool().push(device);
        bar.inc(1);
        bar.set_message(format!("{:.0} cycles/s", run.cycles as f64 / host_time.as_secs_f64()));
        Ok(outcome(&golden, plan, &run, host_time))
    };
    let results: Vec<_> = patches.par_iter().map(one).collect();
    bar.finish_and_clear();
    results.into_iter().collect()
}

/// Compares what a design did with the golden trace.
pub fn outcome(golden: &Trace, plan: &[Stretch], run: &Run, host_time: Duration) -> Outcome {
    Outcome {
        comparison: compare(golden, plan, &run.events),
        cycles: run.cycles,
        ending: run.ending,
        error: run.error,
        macs: run.macs,
        golden_class: class_of(golden.logits()),
        class: class_of(&run.logits),
        host_time,
    }
}

/// The figures of the outcomes, without what needs the configuration.
pub fn summarize(outcomes: &[Outcome], images: &[Image], dense_macs: u64, build: Duration) -> Summary {
    let total: u64 = outcomes.iter().map(|o| o.cycles).sum();
    let time: Duration = outcomes.iter().map(|o| o.host_time).sum();
    let classes = |class: fn(&Outcome) -> usize| {
        let found: Vec<usize> = outcomes.iter().map(class).collect();
        crate::evaluate::accuracy(images, &found)
    };
    let mut summary = Summary {
        images: outcomes.len(),
        mismatches: Some(outcomes.iter().map(|o| o.comparison.mismatches).sum()),
        tensors_compared: Some(outcomes.iter().map(|o| o.comparison.tensors).sum()),
        cycles: Cycles::of(&outcomes.iter().map(|o| o.cycles).collect::<Vec<_>>()),
        sim: Some(SimulatorSpeed {
            cycles_per_second: total as f64 / time.as_secs_f64().max(1e-9),
            build_seconds: build.as_secs_f64(),
        }),
        ..Summary::default()
    };
    summary.accuracy.int8 = classes(|o| o.golden_class);
    summary.accuracy.rtl = classes(|o| o.class);
    let executed = outcomes.iter().map(|o| o.macs as f64).sum::<f64>() / outcomes.len().max(1) as f64;
    summary.macs = Some(Macs { dense: dense_macs, executed_mean: executed });
    summary
}

/// Cycles before a difference that its waveform shows: a value is on its way through the array for that long.
const CYCLES_BEFORE: u64 = 300;
/// Cycles after it.
const CYCLES_AFTER: u64 = 100;

/// The cycles around the first difference of an outcome.
pub fn window(outcome: &Outcome) -> Range<u64> {
    let cycle = outcome.comparison.first.as_ref().and_then(|d| d.cycle).unwrap_or(outcome.cycles);
    cycle.saturating_sub(CYCLES_BEFORE)..cycle + CYCLES_AFTER
}

fn error_text(error: u32) -> String {
    let code = crate::package::readme::ERRORS.iter().find(|(code, _)| *code == error);
    format!("{error} ({})", code.map_or("unknown code", |(_, doc)| *doc))
}

/// What is said about an image that differs.
pub fn report(index: usize, outcome: &Outcome) -> String {
    let c = &outcome.comparison;
    let mut text = format!("image {index} differs from the golden model\n");
    if outcome.error != 0 {
        text += &format!("  error     {}\n", error_text(outcome.error));
    }
    if let Some(complaint) = outcome.ending.complaint() {
        text += &format!("  ending    {complaint}\n");
    }
    if let Some(first) = &c.first {
        text += &format!("{first}\n");
    }
    text + &format!(
        "  in all    {} of {} elements in {} of {} tensors\n",
        c.mismatches, c.elements, c.tensors_differing, c.tensors
    )
}

#[cfg(test)]
mod tests;
