//! Read port and FIFO: order, credits, errors, drain.

use super::read_slave::{Flaw, ReadSlave, word};
use crate::bench::{Bench, chance};
use heatvit_rtl::Design;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const IMAGE: u64 = 0x1000_0000;
const PROGRAM: u64 = 0x2000_3000;

fn design() -> Design {
    let mut design = Design::new();
    crate::bus::read_port(&mut design);
    design
}

/// The reader's side of a port.
struct Reader {
    rng: ChaCha8Rng,
    pace: f64,
    beats: Vec<u128>,
}

impl Reader {
    fn new(seed: u64, pace: f64) -> Self {
        Self { rng: ChaCha8Rng::seed_from_u64(seed), pace, beats: Vec::new() }
    }

    fn cycle(&mut self, bench: &mut Bench, slave: &mut ReadSlave) {
        slave.drive(bench);
        let pop = bench.flag("valid") && chance(&mut self.rng, self.pace);
        bench.set("pop", u128::from(pop));
        if pop {
            let head = bench.get("head");
            self.beats.push(head);
        }
        slave.observe(bench);
        let promised = slave.beats + slave.outstanding();
        assert!(promised - self.beats.len() as u64 <= 511, "more requested than the FIFO holds");
        bench.step();
    }
}

fn start(bench: &mut Bench, image_bursts: u64, program_bursts: u64) {
    bench.set("image_addr", u128::from(IMAGE));
    bench.set("image_bursts", u128::from(image_bursts));
    bench.set("program_addr", u128::from(PROGRAM));
    bench.set("program_bursts", u128::from(program_bursts));
    bench.set("pop", 0);
    bench.set("rvalid", 0);
    bench.pulse("clear");
    bench.pulse("start");
}

fn expected(image_bursts: u64, program_bursts: u64) -> Vec<u128> {
    let region = |base: u64, bursts: u64| (0..16 * bursts).map(move |i| word(base + 16 * i));
    region(IMAGE, image_bursts).chain(region(PROGRAM, program_bursts)).collect()
}

#[test]
fn every_beat_arrives_once_and_in_order() {
    let design = design();
    for seed in 0..8 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(&design);
        let pace = [0.2, 0.5, 0.9, 1.0][seed as usize % 4];
        // Two runs back to back without a reset.
        for run in 0..2 {
            let (image, program) = (rng.random_range(0..6), rng.random_range(0..60));
            let mut slave = ReadSlave::new("", 10 * seed + run, pace, rng.random_range(1..200));
            let mut reader = Reader::new(seed, rng.random_range(0.2..1.0));
            start(&mut bench, image, program);
            let limit = bench.now + 20_000;
            let all = expected(image, program);
            while reader.beats.len() < all.len() || !bench.flag("idle") {
                assert!(bench.now < limit, "seed {seed}: {} of {} beats", reader.beats.len(), all.len());
                reader.cycle(&mut bench, &mut slave);
            }
            assert_eq!(reader.beats, all, "seed {seed}");
            assert!(!bench.flag("error"));
            assert!(!bench.flag("valid"));
        }
    }
}

#[test]
fn requests_stop_when_the_fifo_is_promised() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut slave = ReadSlave::new("", 1, 1.0, 64);
    let mut idle_reader = Reader::new(1, 0.0);
    start(&mut bench, 10, 100);
    for _ in 0..2_000 {
        idle_reader.cycle(&mut bench, &mut slave);
    }
    assert_eq!((slave.bursts.len(), slave.beats), (31, 31 * 16));
    let mut reader = Reader::new(1, 1.0);
    while !bench.flag("idle") || bench.flag("valid") {
        reader.cycle(&mut bench, &mut slave);
    }
    assert_eq!(reader.beats, expected(10, 100));
}

#[test]
fn a_steady_reader_gets_a_beat_per_cycle() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut slave = ReadSlave::new("", 1, 1.0, 400);
    let mut reader = Reader::new(1, 1.0);
    start(&mut bench, 0, 200);
    let begin = bench.now;
    while reader.beats.len() < 3_200 {
        reader.cycle(&mut bench, &mut slave);
    }
    assert!(bench.now - begin < 3_200 + 400 + 20, "{} cycles", bench.now - begin);
}

#[test]
fn flawed_responses_are_reported_until_the_next_start() {
    let design = design();
    let flaws = [(Flaw::Response(2), true), (Flaw::Response(3), true), (Flaw::Last, true), (Flaw::Response(1), false)];
    for (flaw, is_error) in flaws {
        for beat in [0, 7, 15, 47] {
            let mut bench = Bench::new(&design);
            let mut slave = ReadSlave::new("", beat, 0.6, 20);
            slave.flaw = Some((PROGRAM + 16 * beat, flaw));
            let mut reader = Reader::new(beat, 0.8);
            start(&mut bench, 1, 3);
            while !bench.flag("idle") {
                assert!(!bench.flag("error") || slave.beats > 16 + beat, "too early");
                reader.cycle(&mut bench, &mut slave);
            }
            assert_eq!(bench.flag("error"), is_error);
            start(&mut bench, 1, 0);
            assert!(!bench.flag("error"));
        }
    }
}

#[test]
fn abort_drains_what_is_outstanding() {
    let design = design();
    for seed in 0..12 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(&design);
        let mut slave = ReadSlave::new("", seed, [0.15, 0.6, 1.0][seed as usize % 3], 40);
        let mut reader = Reader::new(seed, 0.7);
        start(&mut bench, 4, 40);
        for _ in 0..rng.random_range(1..300) {
            reader.cycle(&mut bench, &mut slave);
        }
        bench.set("abort", 1);
        bench.set("clear", 1);
        reader.pace = 0.0;
        let offered = u64::from(bench.flag("arvalid"));
        let bursts = slave.bursts.len() as u64;
        reader.cycle(&mut bench, &mut slave);
        // Without `clear` a beat that got into the FIFO would show.
        bench.set("clear", 0);
        let limit = bench.now + 5_000;
        while !bench.flag("idle") {
            assert!(bench.now < limit, "seed {seed}: never idle");
            reader.cycle(&mut bench, &mut slave);
            assert!(!bench.flag("valid"), "a dropped beat shows");
        }
        assert_eq!(slave.outstanding(), 0);
        assert_eq!(slave.bursts.len() as u64, bursts + offered, "only an offered request may still be taken");
        bench.set("abort", 0);
        let mut reader = Reader::new(seed, 1.0);
        let mut slave = ReadSlave::new("", seed, 1.0, 5);
        start(&mut bench, 2, 3);
        while !bench.flag("idle") || bench.flag("valid") {
            reader.cycle(&mut bench, &mut slave);
        }
        assert_eq!(reader.beats, expected(2, 3), "seed {seed}");
    }
}

#[test]
fn reset_ends_everything() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut reader = Reader::new(1, 0.5);
    start(&mut bench, 4, 40);
    let mut slave = ReadSlave::new("", 1, 1.0, 40);
    for _ in 0..100 {
        reader.cycle(&mut bench, &mut slave);
    }
    bench.set("rvalid", 0);
    bench.set("pop", 0);
    bench.reset();
    assert!(bench.flag("idle") && !bench.flag("arvalid") && !bench.flag("valid") && !bench.flag("error"));
}
