//! What goes wrong at the ports, by the clock, or by the host's wish.

use super::rig::{Ends, FLUSH_CYCLES, Rig, Trial, all_well};
use super::stream::DESCRIPTOR;
use crate::selectors::{memory, network, small};
use heatvit_gen::layout::{BURST_BYTES, PORTS, Region};
use heatvit_hdl::bus::ErrorCode::{Aborted, ReadResponse, Watchdog, WriteResponse};
use heatvit_hdl::probe;
use heatvit_hdl::schedule::descriptor::Opcode;
use heatvit_sim::axi::{BEAT_BYTES, MemoryConfig, offset};

/// Beats of each port that are needed: of the image and of the program up to its end.
fn beats(rig: &Rig<'_>) -> Vec<(&'static str, Region, u64)> {
    let layout = &rig.placed.layout;
    let end = rig.trial("").stream.nth(Opcode::End, 0) / DESCRIPTOR;
    let image = ("image", layout.image);
    let program = ("program", layout.program);
    [(image, 0), (image, 1), (program, 0), (program, 1), (program, end / 3), (program, end / 2), (program, end)]
        .map(|((name, region), beat)| (name, region, beat as u64))
        .to_vec()
}

fn read_errors(memory: MemoryConfig) {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory);
    let mut trials = Vec::new();
    for (name, region, beat) in beats(&rig) {
        for port in 0..PORTS {
            let mut trial = rig.trial(format!("port {port}, {name}, beat {beat}"));
            trial.faults = vec![region.port(port) + BEAT_BYTES * beat];
            trials.push(trial);
        }
        let mut all = rig.trial(format!("all ports, {name}, beat {beat} of the burst's first two"));
        let burst = beat * BEAT_BYTES / BURST_BYTES * BURST_BYTES;
        all.faults = (0..PORTS).flat_map(|p| [0, BEAT_BYTES].map(|b| region.port(p) + burst + b)).collect();
        trials.push(all);
    }
    all_well(trials.iter().map(|t| rig.expect(t, Ends::With(ReadResponse))));
}

#[test]
fn read_errors_of_every_port_are_reported() {
    read_errors(memory());
}

#[test]
fn read_errors_are_reported_in_a_memory_that_stalls() {
    read_errors(MemoryConfig { stalls: Some(3), ..memory() });
}

#[test]
fn regions_beyond_the_memory_are_read_errors() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let mut program = rig.trial("a program beyond the memory");
    program.job.program.0 = 0x4000_0000;
    let mut image = rig.trial("an image beyond the memory");
    image.job.image.0 = 0xFFFF_F000;
    let mut stride = rig.trial("ports of which the last ones are beyond the memory");
    stride.job.program.1 = 0x1000_0000;
    all_well([program, image, stride].iter().map(|t| rig.expect(t, Ends::With(ReadResponse))));
}

fn write_errors(memory: MemoryConfig) {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory);
    let layout = rig.placed.layout;
    let mut trials: Vec<Trial> = (0..layout.result_beats)
        .map(|beat| {
            let mut trial = rig.trial(format!("result beat {beat}"));
            trial.faults = vec![layout.result + BEAT_BYTES * beat];
            trial
        })
        .collect();
    let mut beyond = rig.trial("a result beyond the memory");
    beyond.job.result.0 = 0x4000_0000;
    let mut many = rig.trial("260 beats of results, the last ones beyond the memory");
    many.job.result = (layout.end() as u32 - 4096, 260);
    trials.extend([beyond, many]);
    all_well(trials.iter().map(|t| rig.expect(t, Ends::With(WriteResponse))));
}

#[test]
fn write_errors_are_reported() {
    write_errors(memory());
    write_errors(MemoryConfig { stalls: Some(4), ..memory() });
}

#[test]
fn the_watchdog_ends_runs_that_take_longer() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let cycles = rig.cycles[0] as u32;
    let early = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 50, 100, 200, 500];
    let parts = (1..40).map(|part| part * (cycles - 200) / 39);
    let limits: Vec<u32> = early.into_iter().chain(parts).collect();
    all_well(limits.into_iter().map(|limit| {
        let mut trial = rig.trial(format!("{limit} cycles of {cycles}"));
        trial.job.watchdog = limit;
        rig.expect(&trial, Ends::With(Watchdog))
    }));
    let mut enough = rig.trial("as many cycles as it takes");
    enough.job.watchdog = cycles;
    rig.expect(&enough, Ends::Done).unwrap();
}

/// Aborts after each of these numbers of cycles.
fn aborts(rig: &mut Rig<'_>, cycles: impl IntoIterator<Item = u64>) {
    all_well(cycles.into_iter().map(|cycles| {
        let mut trial = rig.trial(format!("aborted after {cycles} cycles"));
        trial.abort = Some(cycles);
        rig.expect(&trial, Ends::With(Aborted))
    }));
}

#[test]
fn a_run_can_be_aborted_at_any_time() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let last = rig.cycles[0] - 150;
    aborts(&mut rig, (0..last).step_by(97));
}

/// Cycles from the start in which the selectors score, make packages and set counts, in a good run.
fn selecting(rig: &mut Rig<'_>) -> Vec<u64> {
    let trial = rig.trial("");
    let signals = [probe::DECIDED, probe::PACKAGE_VALID, probe::COUNT_VALID, probe::SELECT_DONE]
        .map(|path| rig.board.engine().signal(path).unwrap());
    rig.place(&trial);
    let start = rig.board.start(&trial.job, &mut |_, _| Ok(())).unwrap();
    let (begun, mut found) = (rig.board.cycles(), Vec::new());
    let report = rig.board.finish(start, u64::from(trial.job.watchdog), &mut |simulator, cycle| {
        for signal in signals {
            let mut limbs = [0];
            simulator.read(signal, &mut limbs)?;
            if limbs[0] == 1 {
                found.push(cycle - begun);
            }
        }
        Ok(())
    });
    assert_eq!(report.unwrap().error, 0);
    assert!(found.len() > 2 * small().tokens / 2, "{found:?}");
    found.dedup();
    found
}

/// The abort's write takes some cycles itself: a few cycles around each event are tried.
#[test]
fn a_run_can_be_aborted_while_the_selector_runs() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let events = selecting(&mut rig);
    let mut cycles: Vec<u64> = events.into_iter().flat_map(|c| [c - 6, c - 4, c - 1]).collect();
    cycles.sort_unstable();
    cycles.dedup();
    aborts(&mut rig, cycles);
}

/// The next start may follow the interrupt at once; nothing of the rows under way may reach the next image.
#[test]
fn the_next_run_may_start_at_the_interrupt() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, MemoryConfig { latency_cycles: 1, ..memory() });
    let limit = 4 * rig.cycles[0] + FLUSH_CYCLES;
    let trial = rig.trial("");
    let patches = rig.place(&trial);
    let quiet = &mut |_: &mut _, _| Ok(());
    for cycles in (20..rig.cycles[0] - 150).step_by(17) {
        let start = rig.board.start(&trial.job, quiet).unwrap();
        rig.board.pass(cycles, quiet).unwrap();
        rig.board.write_register(offset::CONTROL, 2, quiet).unwrap();
        rig.board.wait(start, limit, quiet).unwrap();
        rig.board.write_register(offset::IRQ, 1, quiet).unwrap();
        rig.board.memory().begin_image();
        let start = rig.board.write_register(offset::CONTROL, 1, quiet).unwrap();
        let report = rig.board.finish(start, limit, quiet).unwrap();
        assert_eq!((report.error, report.status), (0, 2), "after {cycles} cycles");
        // It waits at most until the rows of the aborted run have left the pipeline.
        let longer = report.cycles - rig.cycles[0];
        assert!(longer < 100, "after {cycles} cycles: {longer} cycles longer than alone");
        rig.placed.check_results(rig.board.memory(), &patches).unwrap_or_else(|e| panic!("after {cycles} cycles: {e}"));
        rig.spoil_results();
    }
}

/// Neither an abort while nothing runs nor a start while something runs has an effect.
#[test]
fn aborts_and_starts_out_of_place_have_no_effect() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let quiet = &mut |_: &mut _, _| Ok(());
    for _ in 0..3 {
        rig.board.write_register(offset::CONTROL, 2, quiet).unwrap();
        rig.board.pass(50, quiet).unwrap();
        assert_eq!(rig.board.read_register(offset::IRQ, quiet).unwrap(), 0);
        assert_eq!(rig.board.read_register(offset::ERROR, quiet).unwrap(), 0);
        rig.good().unwrap();
        let trial = rig.trial("");
        let patches = rig.place(&trial);
        let start = rig.board.start(&trial.job, quiet).unwrap();
        rig.board.pass(rig.cycles[0] / 2, quiet).unwrap();
        rig.board.write_register(offset::CONTROL, 1, quiet).unwrap();
        let report = rig.board.finish(start, 100_000, quiet).unwrap();
        assert_eq!((report.error, report.status, report.cycles), (0, 2, rig.cycles[0]));
        rig.placed.check_results(rig.board.memory(), &patches).unwrap();
        rig.good().unwrap();
    }
}
