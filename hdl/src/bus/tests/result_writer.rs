//! Result writer: every word width, back-pressure, error responses, abort.

use super::write_slave::WriteSlave;
use crate::bench::{Bench, parameters};
use heatvit_rtl::{Bits, Design};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const RESULT: u64 = 0x3000_1000;

fn design(columns: u32) -> Design {
    let mut design = Design::new();
    crate::bus::result_writer(&mut design, &parameters(columns));
    design
}

/// Logit `index`, different in each place.
fn logit(index: u64) -> u16 {
    (index.wrapping_mul(40_503) ^ 0x5aa5) as u16
}

/// Answers reads of the logits two cycles after the address.
pub struct Logits {
    columns: u64,
    addresses: [u64; 2],
}

impl Logits {
    pub fn new(columns: u32) -> Self {
        Self { columns: u64::from(columns), addresses: [0; 2] }
    }

    /// Drives the word asked for two cycles ago, then sees the present address.
    pub fn cycle(&mut self, bench: &mut Bench, address: &str, data: &str) {
        let lanes: Vec<Bits> = (0..self.columns)
            .map(|lane| Bits::new(16, u128::from(logit(self.addresses[0] * self.columns + lane))))
            .collect();
        bench.set_bits(data, &Bits::concat_low_first(&lanes));
        self.addresses = [self.addresses[1], bench.get(address) as u64];
    }
}

/// What memory must hold after a result of `beats`.
pub fn expected(base: u64, beats: u64) -> Vec<(u64, u128)> {
    let beat = |i: u64| (0..8).fold(0u128, |word, lane| word | u128::from(logit(8 * i + lane)) << (16 * lane));
    (0..beats).map(|i| (base + 16 * i, beat(i))).collect()
}

fn begin(bench: &mut Bench, beats: u64) {
    bench.set("address", u128::from(RESULT));
    bench.set("beats", u128::from(beats));
    bench.pulse("latch");
    // The host prepares the next run.
    bench.set("address", 0xdead_0000);
    bench.set("beats", 77);
    bench.pulse("start");
}

/// Runs until idle; true when `done` came.
fn finish(bench: &mut Bench, slave: &mut WriteSlave, logits: &mut Logits, mut stop_after: Option<u64>) -> bool {
    let limit = bench.now + 20_000;
    let mut done = 0;
    loop {
        assert!(bench.now < limit, "never idle");
        slave.drive(bench);
        logits.cycle(bench, "read_address", "read_data");
        slave.observe(bench);
        done += u64::from(bench.flag("done"));
        bench.step();
        match stop_after.as_mut() {
            Some(0) => bench.set("abort", 1),
            Some(left) => *left -= 1,
            None => {}
        }
        if bench.flag("idle") {
            assert!(done <= 1 && slave.is_quiet());
            return done == 1;
        }
    }
}

#[test]
fn logits_reach_memory_for_every_word_width() {
    for columns in [4, 8, 16, 32, 64] {
        let design = design(columns);
        let mut bench = Bench::new(&design);
        for (seed, beats) in [0, 1, 2, 15, 16, 17, 40].into_iter().enumerate() {
            let pace = [1.0, 0.5, 0.2][seed % 3];
            let mut slave = WriteSlave::new("", seed as u64, pace);
            slave.data_first = seed % 2 == 1;
            begin(&mut bench, beats);
            assert!(finish(&mut bench, &mut slave, &mut Logits::new(columns), None));
            assert!(!bench.flag("error"));
            let written: Vec<(u64, u128)> = slave.memory.into_iter().collect();
            assert_eq!(written, expected(RESULT, beats), "{columns} columns, {beats} beats");
            assert_eq!(slave.bursts, (beats.div_ceil(16), beats.div_ceil(16)));
        }
    }
}

#[test]
fn error_responses_are_seen_no_later_than_done() {
    let design = design(16);
    for (code, is_error) in [(0, false), (1, false), (2, true), (3, true)] {
        for burst in 0..3 {
            let mut bench = Bench::new(&design);
            let mut slave = WriteSlave::new("", burst, 0.7);
            slave.flaw = Some((burst, code));
            begin(&mut bench, 40);
            assert!(finish(&mut bench, &mut slave, &mut Logits::new(16), None));
            assert_eq!(bench.flag("error"), is_error);
            bench.pulse("latch");
            assert!(!bench.flag("error"));
        }
    }
}

#[test]
fn abort_ends_after_whole_bursts() {
    let design = design(16);
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(&design);
        let mut slave = WriteSlave::new("", seed, [0.3, 1.0][seed as usize % 2]);
        begin(&mut bench, 100);
        let stop_after = rng.random_range(0..400);
        let done = finish(&mut bench, &mut slave, &mut Logits::new(16), Some(stop_after));
        assert!(!done, "seed {seed}");
        let beats = slave.memory.len() as u64;
        assert!(beats < 100 && beats.is_multiple_of(16));
        assert_eq!(slave.memory.into_iter().collect::<Vec<_>>(), expected(RESULT, beats));
        bench.set("abort", 0);
        bench.step();
        let mut slave = WriteSlave::new("", seed, 0.9);
        begin(&mut bench, 3);
        assert!(finish(&mut bench, &mut slave, &mut Logits::new(16), None));
        assert_eq!(slave.memory.into_iter().collect::<Vec<_>>(), expected(RESULT, 3));
    }
}
