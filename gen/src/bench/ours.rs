//! Replay on an engine of this project.

use super::stimuli::Stimuli;
use heatvit_sim::{Engine, Ports};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Factor of the hash: odd, with bits all over.
pub const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// A replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Processor time of the loop over the cycles: other work on the machine does not count.
    pub time: Duration,
    /// For each cycle a hash of all outputs in it and in all cycles before.
    pub hashes: Vec<u64>,
}

impl Replay {
    /// First cycle in which the outputs differ from those of another replay.
    pub fn differs_from(&self, other: &Self) -> Option<usize> {
        let first = self.hashes.iter().zip(&other.hashes).position(|(a, b)| a != b);
        first.or((self.hashes.len() != other.hashes.len()).then_some(self.hashes.len().min(other.hashes.len())))
    }
}

/// Replays `cycles` cycles on a fresh engine: inputs, outputs into the hash, edge.
/// `ports` are those of its design.
pub fn replay(engine: &mut impl Engine, ports: &Ports, stimuli: &Stimuli, cycles: u64) -> Replay {
    let mut hashes = Vec::with_capacity(cycles as usize);
    let mut seen = vec![0; ports.output_limbs()];
    let mut hash = Hash::default();
    let start = processor_time();
    let mut frames = stimuli.frames();
    for _ in 0..cycles {
        engine.drive(ports, frames.next().unwrap_or_default());
        engine.observe(ports, &mut seen);
        hash.add(&seen);
        hashes.push(hash.value());
        engine.step();
    }
    Replay { time: processor_time().saturating_sub(start), hashes }
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Limbs that are hashed side by side: one after the other, a product has to wait for the one before, which would take
/// longer than some designs.
pub const LANES: usize = 4;

/// A hash of limbs; `replay.cpp` has the same.
#[derive(Debug, Default)]
struct Hash([u64; LANES]);

impl Hash {
    /// More limbs, of which each lane takes every fourth.
    fn add(&mut self, limbs: &[u64]) {
        let (whole, rest) = limbs.as_chunks::<LANES>();
        let mut lanes = self.0;
        whole.iter().for_each(|limbs| lanes = std::array::from_fn(|lane| extend(lanes[lane], limbs[lane])));
        lanes.iter_mut().zip(rest).for_each(|(lane, limb)| *lane = extend(*lane, *limb));
        self.0 = lanes;
    }

    /// That of all lanes.
    fn value(&self) -> u64 {
        self.0.into_iter().reduce(extend).unwrap_or_default()
    }
}

/// One more limb in a lane. The high half of the product brings high bits down.
fn extend(lane: u64, limb: u64) -> u64 {
    let product = u128::from(lane ^ limb) * u128::from(MULTIPLIER);
    product as u64 ^ (product >> 64) as u64
}
