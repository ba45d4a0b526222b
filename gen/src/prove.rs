//! A built network in the simulator: images through its design, every tensor compared.

use crate::cli::{EXIT_EQUAL, EXIT_MISMATCH};
use crate::compare::stretches;
use crate::data_set::{About, Image};
use crate::error::GenError;
use crate::pipeline::{Build, patches};
use crate::progress::CycleBar;
use crate::simulated::{SimulatedDevice, expected_cycles};
use crate::summary::Summary;
use crate::verify::{self, Dense, Device as _, Outcome};
use heatvit_hdl::schedule::Program;
use heatvit_model::config::Config;
use heatvit_model::quant::QuantNetwork;
use heatvit_rtl::Design;
use heatvit_sim::axi::MemoryConfig;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What became of the images.
#[derive(Clone, Debug)]
pub struct Trial {
    /// In the order of the images.
    pub outcomes: Vec<Outcome>,
    /// The longest time that it took to make the design executable.
    pub build: Duration,
}

impl Trial {
    /// The first image that differs.
    pub fn differing(&self) -> Option<usize> {
        self.outcomes.iter().position(|o| !o.equal())
    }

    /// Exit code of a command that ran this.
    pub fn exit(&self) -> u8 {
        if self.differing().is_some() { EXIT_MISMATCH } else { EXIT_EQUAL }
    }

    /// What is said about the first image that differs; empty when none does.
    pub fn report(&self) -> String {
        self.differing().map_or(String::new(), |index| verify::report(index, &self.outcomes[index]))
    }
}

/// The memory behind the design.
pub fn memory(config: &Config) -> MemoryConfig {
    MemoryConfig {
        bytes_per_cycle: config.memory.bytes_per_cycle(config.accelerator.clock_mhz),
        latency_cycles: u64::from(config.memory.latency_cycles),
        stalls: None,
        faults: Vec::new(),
    }
}

/// int8 patches of images.
///
/// # Errors
/// An image of another shape.
pub fn all_patches(config: &Config, images: &[Image]) -> Result<Vec<Vec<i8>>, GenError> {
    images.iter().map(|image| patches(config, image)).collect()
}

/// Runs images through `design`, which is the build's own or an edited copy of it.
///
/// # Errors
/// A build that does not reach the design, or a design that cannot be simulated.
pub fn run(build: &Build, design: &Design, patches: &[Vec<i8>]) -> Result<Trial, GenError> {
    let (program, memory) = (build.program()?, memory(build.config()?));
    let bar = CycleBar::new("simulating", patches.len(), expected_cycles(program));
    let slowest = Mutex::new(Duration::ZERO);
    let outcomes = verify::images(
        build.quant()?,
        |golden| stretches(program, golden),
        patches,
        &bar,
        || {
            let start = Instant::now();
            let device = SimulatedDevice::new(design, program, &memory)?;
            let mut slowest = slowest.lock().unwrap_or_else(PoisonError::into_inner);
            *slowest = start.elapsed().max(*slowest);
            Ok(device)
        },
    )?;
    Ok(Trial { outcomes, build: slowest.into_inner().unwrap_or_else(PoisonError::into_inner) })
}

/// Runs images through a copy of the design that `edit` has changed: for planted faults.
///
/// # Errors
/// As [`run`].
pub fn run_edited(build: &Build, patches: &[Vec<i8>], edit: impl FnOnce(&mut Design)) -> Result<Trial, GenError> {
    let mut design = build.design()?.clone();
    edit(&mut design);
    run(build, &design, patches)
}

/// Runs an image once more and writes the waveform of a range of cycles.
///
/// # Errors
/// As [`run`], or an unwritable file.
pub fn trace(build: &Build, patches: &[i8], cycles: Range<u64>, file: &Path) -> Result<(), GenError> {
    let (program, memory) = (build.program()?, memory(build.config()?));
    let bar = CycleBar::new("waveform", 1, cycles.end);
    SimulatedDevice::new(build.design()?, program, &memory)?.trace(patches, cycles, file, &bar)
}

/// The network without its selectors on the same accelerator.
///
/// # Errors
/// A build that does not reach the design, or a simulation that fails.
fn dense(build: &Build, trial: &Trial) -> Result<Dense, GenError> {
    let (network, program) = (build.quant()?, build.program()?);
    let tokens = network.dims.tokens;
    if network.selectors.is_empty() {
        let cycles = trial.outcomes.first().map_or(0, |o| o.cycles);
        return Ok(Dense { macs: program.macs(&[]), cycles, tokens });
    }
    let dense = QuantNetwork { selectors: Vec::new(), ..network.clone() };
    let program = Program::compile(&dense, build.parameters()?).map_err(|e| GenError::stage("schedule", e))?;
    let mut device = SimulatedDevice::new(build.design()?, &program, &memory(build.config()?))?;
    let bar = CycleBar::new("unpruned", 1, expected_cycles(&program));
    let run = device.run(&vec![0; program.patch_elements()], &bar)?;
    Ok(Dense { macs: run.macs, cycles: run.cycles, tokens })
}

/// The figures of a trial; the accuracy in float arithmetic is left to the caller.
///
/// # Errors
/// A build that does not reach the program.
pub fn summarize(build: &Build, images: &[Image], trial: &Trial) -> Result<Summary, GenError> {
    let about: Vec<About> = images.iter().map(|image| image.about.clone()).collect();
    let mut summary = verify::summarize(&trial.outcomes, &about, dense(build, trial)?, trial.build);
    summary.without_selectors = build.without_selectors();
    summary.calibration_images = build.calibrated;
    let a = &build.config()?.accelerator;
    summary.derive(u64::from(a.rows * a.columns), a.clock_mhz);
    Ok(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Request, Stage, build, open_images};
    use crate::threads::pool;

    /// Everything but the time, and all tensors equal those of the golden model.
    #[test]
    fn any_number_of_threads_gives_the_same_outcomes() {
        let request = Request::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml").into());
        let build = build(&request, Stage::Rtl).unwrap();
        let (config, design) = (build.config().unwrap(), build.design().unwrap());
        let images = open_images(&request, config).unwrap().test(Some(5)).unwrap();
        let patches = all_patches(config, &images).unwrap();
        let outcomes = |threads| {
            let trial = pool(Some(threads)).unwrap().install(|| run(&build, design, &patches)).unwrap();
            let timeless = |o: Outcome| Outcome { host_time: Duration::ZERO, ..o };
            trial.outcomes.into_iter().map(timeless).collect::<Vec<_>>()
        };
        let one_by_one = outcomes(1);
        assert!(one_by_one.iter().all(Outcome::equal));
        assert!(one_by_one.iter().any(|o| o.cycles != one_by_one[0].cycles), "cycles depend on the image");
        for threads in [2, 3] {
            assert_eq!(outcomes(threads), one_by_one, "{threads} threads");
        }
    }
}
