//! The measurement: both sides on the same stimuli, turn by turn.

use super::designs::Subject;
use super::ours::{Replay, replay};
use super::table::{Measurement, Side};
use super::verilated::Verilated;
use crate::error::GenError;
use crate::memory;
use crate::summary::grouped;
use heatvit_sim::Simulator;
use indicatif::ProgressBar;
use std::path::Path;
use std::time::{Duration, Instant};

/// Cycles of the runs that tell how many cycles are enough.
const TRIAL: u64 = 2_000;
/// Seconds that the faster side is to run.
const ENOUGH: f64 = 0.6;

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Cycles of a run; as many as half a second of the faster side needs when absent.
    pub cycles: Option<u64>,
    /// Runs of each side.
    pub pairs: usize,
}

impl Effort {
    /// Steps of a progress bar for one design.
    pub fn steps(&self) -> usize {
        1 + self.pairs
    }
}

/// Builds both sides and lets them run in turn. Advances the bar by [`Effort::steps`].
///
/// # Errors
/// No Verilator, or a design that one of the sides refuses.
pub fn measure(
    subject: &Subject,
    verilator: &Path,
    effort: Effort,
    bar: &ProgressBar,
) -> Result<Measurement, GenError> {
    let Subject { name, design, ports, stimuli } = subject;
    let verilated = Verilated::new(verilator, design, ports, stimuli)?;
    let ours = |cycles: u64| -> Result<(Duration, Replay), GenError> {
        let start = Instant::now();
        let mut simulator = Simulator::new(design)?;
        let build = start.elapsed();
        Ok((build, replay(&mut simulator, ports, stimuli, cycles)))
    };
    let cycles = match effort.cycles {
        Some(cycles) => cycles,
        None => enough([&ours(TRIAL)?.1, &verilated.replay(TRIAL)?]).max(stimuli.len() as u64),
    };
    bar.inc(1);
    let mut runs = Vec::new();
    let mut differs = None;
    for _ in 0..effort.pairs {
        let (build, own) = ours(cycles)?;
        let other = verilated.replay(cycles)?;
        differs = differs.or(own.differs_from(&other));
        runs.push((build.as_secs_f64(), speed(&own), speed(&other)));
        bar.set_message(format!("{name}: {} cycles/s", grouped(speed(&own) as u64)));
        bar.inc(1);
    }
    let of = |which: &dyn Fn(&(f64, f64, f64)) -> f64| median(runs.iter().map(which).collect());
    Ok(Measurement {
        design: (*name).to_owned(),
        cycles,
        ours: Side { build_seconds: of(&|r| r.0), cycles_per_second: of(&|r| r.1) },
        verilator: Side { build_seconds: verilated.build.as_secs_f64(), cycles_per_second: of(&|r| r.2) },
        ratio: of(&|r| r.1 / r.2),
        outputs_equal: differs.is_none(),
        first_difference: differs,
        peak_memory_bytes: memory::peak(),
    })
}

/// Cycles that take long enough on the faster side, a whole number of thousands.
fn enough(trials: [&Replay; 2]) -> u64 {
    let fastest = trials.map(speed).into_iter().fold(0.0, f64::max);
    (fastest * ENOUGH / 1000.0).ceil() as u64 * 1000
}

/// Cycles per second.
fn speed(replay: &Replay) -> f64 {
    replay.hashes.len() as f64 / replay.time.as_secs_f64().max(1e-9)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    values.get(low).zip(values.get(high)).map_or(0.0, |(a, b)| (a + b) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
    }

    #[test]
    fn replays_differ_where_they_first_do() {
        let replay = |hashes: &[u64]| Replay { time: Duration::ZERO, hashes: hashes.to_vec() };
        assert_eq!(replay(&[1, 2, 3]).differs_from(&replay(&[1, 2, 3])), None);
        assert_eq!(replay(&[1, 2, 3]).differs_from(&replay(&[1, 4, 3])), Some(1));
        assert_eq!(replay(&[1, 2, 3]).differs_from(&replay(&[1, 2])), Some(2));
    }
}
