//! The whole bus side between a host, a memory with random latency and a pipeline that only counts.

use super::read_slave::{Flaw, ReadSlave, word};
use super::registers::Host;
use super::result_writer::{Logits, expected};
use super::write_slave::WriteSlave;
use crate::bench::{Bench, chance, parameters};
use crate::bus::{ErrorCode, Register};
use heatvit_rtl::Design;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const PROGRAM: u64 = 0x2000_0000;
const RESULT: u64 = 0x3000_0000;
const COLUMNS: u32 = 16;

fn design() -> Design {
    let mut design = Design::new();
    crate::bus::bus_interface(&mut design, &parameters(COLUMNS));
    design
}

/// One run's settings.
#[derive(Clone, Copy)]
struct Job {
    image: u64,
    image_bursts: u64,
    program_bursts: u64,
    result_beats: u64,
    watchdog: u64,
}

impl Job {
    fn beats(&self) -> u64 {
        16 * (self.image_bursts + self.program_bursts)
    }

    /// Beats of one port in the order in which they must arrive.
    fn stream(&self, port: u64) -> Vec<u128> {
        let region =
            |base: u64, stride: u64, bursts: u64| (0..16 * bursts).map(move |i| word(base + port * stride + 16 * i));
        region(self.image, 0x1000, self.image_bursts).chain(region(PROGRAM, 0x4000, self.program_bursts)).collect()
    }
}

/// Everything around the interface.
struct System {
    rng: ChaCha8Rng,
    slaves: Vec<ReadSlave>,
    writer: WriteSlave,
    logits: Logits,
    pace: f64,
    /// Beats after which the pipeline is done.
    beats: u64,
    /// Beat at which the pipeline refuses its descriptor.
    bad_descriptor: Option<u64>,
    heads: [Vec<u128>; 4],
}

impl System {
    fn new(seed: u64, pace: f64, job: &Job) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let slaves = (0..4)
            .map(|p| ReadSlave::new(&format!("m_axi_p{p}_"), 4 * seed + p, pace, rng.random_range(1..100)))
            .collect();
        Self {
            rng,
            slaves,
            writer: WriteSlave::new("m_axi_p0_", seed, pace),
            logits: Logits::new(COLUMNS),
            pace,
            beats: job.beats(),
            bad_descriptor: None,
            heads: Default::default(),
        }
    }

    /// Drives and checks everything but the host for one cycle.
    fn cycle(&mut self, bench: &mut Bench) {
        self.slaves.iter_mut().for_each(|slave| slave.drive(bench));
        self.writer.drive(bench);
        self.logits.cycle(bench, "result_address", "result_data");
        let running = !bench.flag("run_reset");
        let taken = self.heads[0].len() as u64;
        let pop = running && taken < self.beats && bench.get("valid") == 0xf && chance(&mut self.rng, self.pace);
        bench.set("pop", u128::from(pop));
        bench.set("program_done", u128::from(running && taken == self.beats));
        bench.set("bad_descriptor", u128::from(running && self.bad_descriptor.is_some_and(|at| taken >= at)));
        if pop {
            let all = bench.bits("heads");
            for (port, heads) in self.heads.iter_mut().enumerate() {
                heads.push(u128::from(all.limbs()[2 * port]) | u128::from(all.limbs()[2 * port + 1]) << 64);
            }
        }
        self.slaves.iter_mut().for_each(|slave| slave.observe(bench));
        self.writer.observe(bench);
    }

    fn is_quiet(&self) -> bool {
        self.slaves.iter().all(|slave| slave.outstanding() == 0) && self.writer.is_quiet()
    }
}

fn write(bench: &mut Bench, host: &mut Host, system: &mut System, register: Register, value: u64) -> u64 {
    let access = (register.offset(), value as u32, 0xf);
    let (response, accepted) = host.write(bench, access, &mut |bench| system.cycle(bench));
    assert_eq!(response, 0);
    accepted
}

fn read(bench: &mut Bench, host: &mut Host, system: &mut System, register: Register) -> u32 {
    let (value, response) = host.read(bench, register.offset(), &mut |bench| system.cycle(bench));
    assert_eq!(response, 0);
    value
}

/// Sets a run up and starts it; the edge at which the start was accepted.
fn start(bench: &mut Bench, host: &mut Host, system: &mut System, job: &Job) -> u64 {
    let settings = [
        (Register::ImageAddr, job.image),
        (Register::ImageStride, 0x1000),
        (Register::ImageBursts, job.image_bursts),
        (Register::ProgramAddr, PROGRAM),
        (Register::ProgramStride, 0x4000),
        (Register::ProgramBursts, job.program_bursts),
        (Register::ResultAddr, RESULT),
        (Register::ResultBeats, job.result_beats),
        (Register::Watchdog, job.watchdog),
    ];
    for (register, value) in settings {
        write(bench, host, system, register, value);
    }
    write(bench, host, system, Register::Control, 1)
}

/// Waits for the interrupt; the edge that raised it.
fn wait(bench: &mut Bench, system: &mut System) -> u64 {
    let limit = bench.now + 30_000;
    while !bench.flag("irq") {
        assert!(bench.now < limit, "no interrupt");
        system.cycle(bench);
        bench.step();
    }
    bench.now - 1
}

/// Runs a job that must succeed and checks all that it delivers.
fn run(bench: &mut Bench, host: &mut Host, system: &mut System, job: &Job) {
    let accepted = start(bench, host, system, job);
    let ended = wait(bench, system);
    assert!(system.is_quiet());
    assert_eq!(read(bench, host, system, Register::Status), 0b10);
    assert_eq!(read(bench, host, system, Register::Error), 0);
    assert_eq!(u64::from(read(bench, host, system, Register::Cycles)), ended - accepted);
    for (port, heads) in (0..).zip(&system.heads) {
        assert_eq!(*heads, job.stream(port), "port {port}");
    }
    let written: Vec<(u64, u128)> = system.writer.memory.clone().into_iter().collect();
    assert_eq!(written, expected(RESULT, job.result_beats));
    write(bench, host, system, Register::Irq, 1);
    assert!(!bench.flag("irq"));
}

const JOB: Job = Job { image: 0x1000_0000, image_bursts: 3, program_bursts: 40, result_beats: 20, watchdog: 0 };

#[test]
fn images_run_back_to_back_without_a_reset() {
    let design = design();
    for (seed, pace) in [(0, 1.0), (1, 0.7), (2, 0.3)] {
        let mut bench = Bench::new(&design);
        let mut host = Host::new("s_axi_ctrl_", seed, pace);
        for image in 0..3 {
            let job = Job { image: 0x1000_0000 + 0x1_0000 * image, image_bursts: 1 + 2 * image, ..JOB };
            let mut system = System::new(3 * seed + image, pace, &job);
            run(&mut bench, &mut host, &mut system, &job);
        }
    }
}

#[test]
fn padding_behind_the_program_is_drained() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut host = Host::new("s_axi_ctrl_", 5, 0.8);
    for left in [7, 100, 600] {
        let mut system = System::new(left, 0.8, &JOB);
        system.beats = JOB.beats() - left;
        start(&mut bench, &mut host, &mut system, &JOB);
        wait(&mut bench, &mut system);
        assert!(system.is_quiet());
        assert_eq!(read(&mut bench, &mut host, &mut system, Register::Error), 0);
        write(&mut bench, &mut host, &mut system, Register::Irq, 1);
    }
    run(&mut bench, &mut host, &mut System::new(9, 0.8, &JOB), &JOB);
}

/// Runs a job with a fault in the system, expects its code, then a good run.
fn fails_with(code: ErrorCode, job: &Job, seed: u64, plant: &dyn Fn(&mut System)) {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut host = Host::new("s_axi_ctrl_", seed, 0.8);
    let mut system = System::new(seed, 0.8, job);
    plant(&mut system);
    start(&mut bench, &mut host, &mut system, job);
    wait(&mut bench, &mut system);
    assert!(system.is_quiet(), "transactions are outstanding at the interrupt");
    assert_eq!(read(&mut bench, &mut host, &mut system, Register::Error), code as u32);
    assert_eq!(read(&mut bench, &mut host, &mut system, Register::Status), 0);
    write(&mut bench, &mut host, &mut system, Register::Irq, 1);
    run(&mut bench, &mut host, &mut System::new(seed, 0.9, &JOB), &JOB);
}

#[test]
fn read_errors_end_in_the_error_register() {
    for port in 0..4 {
        fails_with(ErrorCode::ReadResponse, &JOB, port as u64, &|system| {
            let flaw = if port % 2 == 0 { Flaw::Response(2) } else { Flaw::Last };
            system.slaves[port].flaw = Some((PROGRAM + 0x4000 * port as u64 + 16 * 100, flaw));
        });
    }
}

#[test]
fn write_errors_end_in_the_error_register() {
    for burst in 0..2 {
        fails_with(ErrorCode::WriteResponse, &JOB, burst, &|system| system.writer.flaw = Some((burst, 3)));
    }
}

#[test]
fn bad_descriptors_end_in_the_error_register() {
    for at in [0, 48, 300] {
        fails_with(ErrorCode::BadDescriptor, &JOB, at, &|system| system.bad_descriptor = Some(at));
    }
}

#[test]
fn a_hanging_pipeline_ends_in_the_error_register() {
    let job = Job { watchdog: 2_000, ..JOB };
    fails_with(ErrorCode::Watchdog, &job, 1, &|system| system.beats = u64::MAX);
}

#[test]
fn an_abort_at_any_time_drains_and_the_next_image_is_right() {
    let design = design();
    for seed in 0..10 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(&design);
        let mut host = Host::new("s_axi_ctrl_", seed, 0.8);
        let mut system = System::new(seed, [0.3, 1.0][seed as usize % 2], &JOB);
        start(&mut bench, &mut host, &mut system, &JOB);
        for _ in 0..rng.random_range(0..800) {
            system.cycle(&mut bench);
            bench.step();
        }
        write(&mut bench, &mut host, &mut system, Register::Control, 2);
        wait(&mut bench, &mut system);
        assert!(system.is_quiet());
        let error = read(&mut bench, &mut host, &mut system, Register::Error);
        assert_eq!(error, ErrorCode::Aborted as u32, "seed {seed}");
        write(&mut bench, &mut host, &mut system, Register::Irq, 1);
        run(&mut bench, &mut host, &mut System::new(seed, 0.9, &JOB), &JOB);
    }
}
