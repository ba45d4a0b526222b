//! Images through the simulated design, compared with the golden model.

use crate::compare::{Comparison, Event, Stretch, compare};
use crate::data_set::About;
use crate::error::GenError;
use crate::evaluate::class_of;
use crate::progress::CycleBar;
use crate::summary::{Cycles, Macs, SimulatorSpeed, Summary};
use crate::tokens::{self, Stage, Tokens};
use heatvit_model::golden::{Divide, Model, StageCounts, Trace};
use heatvit_model::quant::QuantNetwork;
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a run of a design ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// An interrupt without an error, and the status register says that the run is done.
    #[default]
    Done,
    /// An interrupt with this code in the error register.
    Error(u32),
    /// An interrupt without an error, but the status register does not say that the run is done.
    NotDone,
    /// No interrupt within many times the cycles that the network needs.
    NoInterrupt,
    /// The register port does not answer.
    NoAnswer,
}

impl Ending {
    /// Whether the design vouches for a result: what it wrote is compared.
    pub fn has_result(self) -> bool {
        matches!(self, Self::Done | Self::NotDone)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("none"),
            Self::Error(code) => {
                let known = crate::package::readme::ERRORS.iter().find(|(known, _)| known == code);
                write!(f, "{code} ({})", known.map_or("unknown code", |(_, doc)| *doc))
            }
            Self::NotDone => f.write_str("an interrupt, but the status register does not say that the run is done"),
            Self::NoInterrupt => f.write_str("no interrupt: the design hangs"),
            Self::NoAnswer => f.write_str("the register port does not answer"),
        }
    }
}

/// What a design did with an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Cycles from the start register to the interrupt.
    pub cycles: u64,
    /// How the run ended.
    pub ending: Ending,
    /// Logits as the design wrote them to memory.
    pub logits: Vec<i32>,
    /// What the probes saw, the written words among it.
    pub events: Vec<Event>,
    /// Multiply-accumulates of the operations that were run.
    pub macs: u64,
    /// Those of the selectors among them.
    pub selector_macs: u64,
    /// Rows after each selector.
    pub stages: Vec<StageCounts>,
    /// Cycles of the selectors' operations.
    pub selector_cycles: u64,
}

/// A design that runs images one after the other; simulated here, but nothing in this file knows that.
pub trait Device: Send {
    /// Runs an image to the interrupt.
    ///
    /// # Errors
    /// The simulator's own; a design that hangs or reports an error is a [`Run`].
    fn run(&mut self, patches: &[i8], bar: &CycleBar) -> Result<Run, GenError>;

    /// Runs an image again and writes the waveform of a range of cycles.
    ///
    /// # Errors
    /// The simulator's own, or an unwritable file.
    fn trace(&mut self, patches: &[i8], cycles: Range<u64>, file: &Path, bar: &CycleBar) -> Result<(), GenError>;
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
    /// MACs.
    pub macs: u64,
    /// The selectors' part of them.
    pub selector_macs: u64,
    /// What the selectors keep of the patches, by the golden model.
    pub stages: Vec<Stage>,
    /// Cycles of the selectors' operations.
    pub selector_cycles: u64,
    /// Class by the golden model.
    pub golden_class: usize,
    /// Class by the design's logits.
    pub class: usize,
    /// Time in the device.
    pub host_time: Duration,
}

impl Outcome {
    /// True when nothing differs and the design reports no error.
    pub fn equal(&self) -> bool {
        self.comparison.mismatches == 0 && self.ending == Ending::Done
    }
}

/// Runs the images on devices made by `device`, at most one per thread, in parallel; the outcomes are in the order of
/// the images and do not depend on which device ran which image.
///
/// # Errors
/// The error of the first image that has one.
pub fn images<D: Device>(
    network: &QuantNetwork,
    plan: impl Fn(&Trace) -> Vec<Stretch> + Sync,
    patches: &[Vec<i8>],
    bar: &CycleBar,
    device: impl Fn() -> Result<D, GenError> + Sync,
) -> Result<Vec<Outcome>, GenError> {
    let idle: Mutex<Vec<D>> = Mutex::new(Vec::new());
    let pool = || idle.lock().unwrap_or_else(PoisonError::into_inner);
    let model = Model::new(network);
    let one = |patches: &Vec<i8>| -> Result<Outcome, GenError> {
        let golden = model.run(patches, Divide::Images);
        let free = pool().pop();
        let mut device = free.map_or_else(&device, Ok)?;
        let start = Instant::now();
        let run = device.run(patches, bar)?;
        let host_time = start.elapsed();
        pool().push(device);
        bar.image_done(run.cycles);
        Ok(outcome(&golden, &plan(&golden), &run, host_time))
    };
    let results: Vec<_> = patches.par_iter().map(one).collect();
    results.into_iter().collect()
}

/// Compares what a design did with the golden trace.
pub fn outcome(golden: &Trace, plan: &[Stretch], run: &Run, host_time: Duration) -> Outcome {
    Outcome {
        comparison: compare(golden, plan, &run.events),
        cycles: run.cycles,
        ending: run.ending,
        macs: run.macs,
        selector_macs: run.selector_macs,
        stages: tokens::stages(golden),
        selector_cycles: run.selector_cycles,
        golden_class: class_of(golden.logits()),
        class: class_of(&run.logits),
        host_time,
    }
}

/// The network without selectors on the same accelerator; its cycles do not depend on the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Multiply-accumulates.
    pub macs: u64,
    /// Cycles.
    pub cycles: u64,
    /// Tokens.
    pub tokens: usize,
}

/// The figures of the outcomes, without what needs the configuration.
pub fn summarize(outcomes: &[Outcome], images: &[About], dense: Dense, build: Duration) -> Summary {
    let total: u64 = outcomes.iter().map(|o| o.cycles).sum();
    let time: Duration = outcomes.iter().map(|o| o.host_time).sum();
    let classes = |class: fn(&Outcome) -> usize| {
        let found: Vec<usize> = outcomes.iter().map(class).collect();
        crate::evaluate::accuracy(images.iter().map(|i| i.label).zip(found))
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
    let mean = |figure: fn(&Outcome) -> u64| {
        outcomes.iter().map(|o| figure(o) as f64).sum::<f64>() / outcomes.len().max(1) as f64
    };
    let executed = mean(|o| o.macs);
    summary.macs = Some(Macs { dense: dense.macs, executed_mean: executed, selectors_mean: None, saved: None });
    let stages: Vec<Vec<Stage>> = outcomes.iter().map(|o| o.stages.clone()).collect();
    summary.tokens = Tokens::of(images, &stages, dense.tokens);
    if let (Some(_), Some(cycles)) = (&summary.tokens, &mut summary.cycles) {
        summary.macs = Some(Macs::pruned(dense.macs, executed, mean(|o| o.selector_macs)));
        cycles.compare(dense.cycles, mean(|o| o.selector_cycles));
    }
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

/// What is said about an image that differs.
pub fn report(index: usize, outcome: &Outcome) -> String {
    let c = &outcome.comparison;
    let mut text = format!("image {index} differs from the golden model\n");
    if outcome.ending != Ending::Done {
        text += &format!("  error     {}\n", outcome.ending);
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
