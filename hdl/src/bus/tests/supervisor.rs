//! Supervisor: the order of a run, every way to end it, and the flags that the host sees.

use crate::bench::Bench;
use crate::bus::ErrorCode;
use heatvit_rtl::Design;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn design() -> Design {
    let mut design = Design::new();
    crate::bus::supervisor(&mut design);
    design
}

/// A pipeline that runs, a writer that writes, ports that drain: each takes the given number of cycles.
struct World {
    program: u64,
    write: u64,
    drain: u64,
    begun: Option<u64>,
    writing: Option<u64>,
    flushed: Option<u64>,
    starts: u32,
    begins: u32,
    all_idle: bool,
}

impl World {
    fn new(program: u64, write: u64, drain: u64) -> Self {
        Self { program, write, drain, begun: None, writing: None, flushed: None, starts: 0, begins: 0, all_idle: true }
    }

    /// One cycle: inputs from outputs of earlier cycles.
    fn cycle(&mut self, bench: &mut Bench) {
        let now = bench.now;
        let due = |since: Option<u64>, cycles: u64| since.is_some_and(|at| now >= at + cycles);
        let (done, written) = (due(self.begun, self.program), due(self.writing, self.write));
        let drained = self.begun.is_none() || due(self.flushed, self.drain);
        bench.set("program_done", u128::from(done));
        bench.set("writer_done", u128::from(written));
        // The writer takes longer than the ports.
        let writer_idle = self.writing.is_none() || due(self.flushed, self.drain + 9);
        self.all_idle = drained && writer_idle;
        bench.set("writer_idle", u128::from(writer_idle));
        bench.set("ports_idle", u128::from(drained));
        if written {
            self.writing = None;
        }
        if bench.flag("begin_run") {
            assert!(!bench.flag("run_reset") && !bench.flag("flush"));
            self.begun = Some(bench.now);
            self.begins += 1;
        }
        if bench.flag("write_start") {
            self.writing = Some(bench.now);
            self.starts += 1;
        }
        if bench.flag("flush") {
            assert!(bench.flag("busy") && bench.flag("run_reset"));
            self.flushed = self.flushed.or(Some(bench.now));
        }
        bench.step();
    }

    /// Runs until the supervisor is idle; `each` may drive faults, with the cycles since `begin_run`.
    fn run(&mut self, bench: &mut Bench, each: &mut dyn FnMut(&mut Bench, Option<u64>)) {
        let limit = bench.now + 5_000;
        while bench.flag("busy") {
            assert!(bench.now < limit, "never idle");
            each(bench, self.begun.map(|at| bench.now - at));
            self.cycle(bench);
        }
        assert!(self.all_idle, "ended with transactions outstanding");
    }
}

/// Status as the host sees it: done, error, interrupt.
fn status(bench: &mut Bench) -> (bool, u128, bool) {
    (bench.flag("done"), bench.get("error"), bench.flag("irq"))
}

#[test]
fn a_run_goes_from_start_to_interrupt_and_counts_its_cycles() {
    let design = design();
    let mut bench = Bench::new(&design);
    assert_eq!(status(&mut bench), (false, 0, false));
    assert!(bench.flag("run_reset") && !bench.flag("busy"));
    for (program, write, drain) in [(1, 1, 0), (100, 20, 30), (57, 1, 3)] {
        // The start register's write is accepted at the edge before the pulse.
        let accepted = bench.now - 1;
        bench.pulse("start");
        assert_eq!(status(&mut bench), (false, 0, false));
        let mut world = World::new(program, write, drain);
        world.run(&mut bench, &mut |_, _| ());
        assert_eq!(status(&mut bench), (true, 0, true));
        // The interrupt is visible after edge `now - 1`.
        assert_eq!(bench.get("cycles"), u128::from(bench.now - 1 - accepted));
        assert_eq!((world.begins, world.starts), (1, 1));
        let held = bench.get("cycles");
        (0..10).for_each(|_| bench.step());
        assert_eq!(bench.get("cycles"), held);
        assert!(bench.flag("irq"), "stays until cleared");
        bench.pulse("irq_clear");
        assert_eq!(status(&mut bench), (true, 0, false));
    }
}

#[test]
fn run_reset_is_low_for_four_cycles_before_begin() {
    let design = design();
    let mut bench = Bench::new(&design);
    bench.pulse("start");
    let mut low = 0;
    while !bench.flag("begin_run") {
        low += u32::from(!bench.flag("run_reset"));
        bench.step();
    }
    assert_eq!(low, 4);
}

#[test]
fn start_while_busy_is_ignored_and_the_interrupt_may_stay_pending() {
    let design = design();
    let mut bench = Bench::new(&design);
    bench.pulse("start");
    let mut world = World::new(50, 10, 10);
    world.run(&mut bench, &mut |bench, _| {
        let again = u128::from(bench.now % 3 == 0 && !bench.flag("flush"));
        bench.set("start", again);
    });
    bench.set("start", 0);
    assert_eq!((world.begins, world.starts), (1, 1));
    // Next run without clearing the interrupt.
    bench.pulse("start");
    assert_eq!(status(&mut bench), (false, 0, true));
    World::new(5, 5, 5).run(&mut bench, &mut |_, _| ());
    assert_eq!(status(&mut bench), (true, 0, true));
}

#[test]
fn every_error_ends_the_run_and_the_next_one_works() {
    let design = design();
    let mut bench = Bench::new(&design);
    let faults = [
        ("read_error", ErrorCode::ReadResponse),
        ("write_error", ErrorCode::WriteResponse),
        ("bad_descriptor", ErrorCode::BadDescriptor),
        ("abort", ErrorCode::Aborted),
    ];
    for (input, code) in faults {
        for at in [1, 2, 17, 49] {
            bench.pulse("start");
            let mut world = World::new(50, 10, 25);
            world.run(&mut bench, &mut |bench, since| {
                bench.set(input, u128::from(since.is_some_and(|s| s >= at)));
            });
            // The unit's own flag stays until the next begin.
            assert_eq!(status(&mut bench), (false, code as u128, true), "{input} at {at}");
            assert_eq!(ErrorCode::from_register(code as u32), Some(code));
            assert_eq!(world.starts, 0);
            bench.pulse("irq_clear");
            bench.pulse("start");
            let mut world = World::new(20, 10, 5);
            world.run(&mut bench, &mut |bench, since| {
                if since.is_some() || input == "abort" {
                    bench.set(input, 0);
                }
            });
            assert_eq!(status(&mut bench), (true, 0, true));
            bench.pulse("irq_clear");
        }
    }
    assert_eq!(ErrorCode::from_register(0), None);
}

#[test]
fn what_the_loader_makes_of_the_padding_is_ignored() {
    let design = design();
    let mut bench = Bench::new(&design);
    bench.pulse("start");
    World::new(20, 10, 5).run(&mut bench, &mut |bench, since| {
        bench.set("bad_descriptor", u128::from(since.is_some_and(|s| s > 20)));
    });
    assert_eq!(status(&mut bench), (true, 0, true));
}

#[test]
fn the_first_error_wins_and_the_lowest_code_among_equals() {
    let design = design();
    let mut bench = Bench::new(&design);
    let inputs = [("read_error", 1), ("write_error", 2), ("bad_descriptor", 3), ("abort", 5)];
    for seed in 0..60 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let times = inputs.map(|(name, code)| (name, code, rng.random_range(1..12)));
        bench.pulse("start");
        World::new(50, 10, 10).run(&mut bench, &mut |bench, since| {
            for (name, _, at) in times {
                let raised = since.is_some_and(|s| if name == "abort" { s == at } else { s >= at });
                bench.set(name, u128::from(raised));
            }
        });
        let first = times.iter().map(|(_, code, at)| (*at, *code)).min().expect("four of them").1;
        assert_eq!(status(&mut bench), (false, first, true), "seed {seed}");
        inputs.iter().for_each(|(name, _)| bench.set(name, 0));
    }
}

#[test]
fn an_abort_is_never_lost() {
    let design = design();
    for at in 0..40 {
        let mut bench = Bench::new(&design);
        bench.pulse("start");
        let started = bench.now;
        let mut world = World::new(12, 8, 6);
        let mut during_flush = false;
        world.run(&mut bench, &mut |bench, _| {
            let now = bench.now - started == at;
            during_flush |= now && bench.flag("flush");
            bench.set("abort", u128::from(now));
        });
        let late = during_flush || bench.now - started <= at;
        assert_eq!(status(&mut bench), if late { (true, 0, true) } else { (false, 5, true) }, "at {at}");
    }
}

#[test]
fn the_watchdog_stops_a_program_that_hangs() {
    let design = design();
    let mut bench = Bench::new(&design);
    for (limit, program, expected) in [(0, 300, 0), (400, 300, 0), (200, 300, 4), (1, 300, 4), (200, 1 << 40, 4)] {
        bench.set("watchdog", limit);
        bench.pulse("start");
        World::new(program, 5, 5).run(&mut bench, &mut |_, _| ());
        assert_eq!(bench.get("error"), expected, "limit {limit}");
        if expected != 0 {
            let cycles = bench.get("cycles");
            assert!((limit..limit + 20).contains(&cycles), "{cycles} cycles at a limit of {limit}");
        }
        bench.pulse("irq_clear");
    }
}

#[test]
fn a_hung_writer_is_the_watchdogs_too() {
    let design = design();
    let mut bench = Bench::new(&design);
    bench.set("watchdog", 150);
    bench.pulse("start");
    World::new(20, 1 << 40, 5).run(&mut bench, &mut |_, _| ());
    assert_eq!(status(&mut bench), (false, 4, true));
}

#[test]
fn reset_returns_to_idle_from_anywhere() {
    let design = design();
    for after in 0..40 {
        let mut bench = Bench::new(&design);
        bench.pulse("start");
        let mut world = World::new(10, 5, 30);
        (0..after).for_each(|_| world.cycle(&mut bench));
        bench.reset();
        assert_eq!(status(&mut bench), (false, 0, false));
        assert!(bench.flag("run_reset") && !bench.flag("busy") && !bench.flag("flush"));
        assert_eq!(bench.get("cycles"), 0);
    }
}
