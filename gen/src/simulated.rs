//! The accelerator in the simulator: a [`Device`] on the simulated board.

use crate::compare::{Event, Stream};
use crate::error::GenError;
use crate::files;
use crate::layout::{Layout, Region, SIMULATED_BASE};
use crate::progress::CycleBar;
use crate::verify::{Device, Ending, Run};
use heatvit_hdl::probe;
use heatvit_hdl::schedule::descriptor::{COUNT_TOKENS, Target};
use heatvit_hdl::schedule::{Program, Step, split};
use heatvit_model::golden::StageCounts;
use heatvit_rtl::Design;
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel, RunReport};
use heatvit_sim::{Engine, Probe, Recorder, SimError, Simulator, Wave};
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::Path;

/// Cycles in which the rows of all tiles stream, with so many more for each tile.
fn streaming_cycles(program: &Program, more: usize) -> u64 {
    let (all, layout) = (program.all_tokens(), &program.layout);
    let tiles = program
        .products()
        .map(|p| p.output_tiles(&all, layout) * p.reduction_tiles(&all, layout) * (p.row_count(&all) + more));
    tiles.sum::<usize>() as u64
}

/// About the cycles of an image: for a bar that has not seen one yet.
pub fn expected_cycles(program: &Program) -> u64 {
    streaming_cycles(program, 0)
}

/// Cycles after which an image counts as hung: many times what any network of this size needs.
fn cycle_limit(program: &Program) -> u64 {
    100_000 + 20 * streaming_cycles(program, 200)
}

/// Cycles from one message to a progress bar to the next.
const CYCLES_PER_MESSAGE: u64 = 1024;

/// Tells a bar that a cycle has passed.
fn tell(bar: &CycleBar, cycle: u64) {
    if cycle.is_multiple_of(CYCLES_PER_MESSAGE) {
        bar.passed(CYCLES_PER_MESSAGE);
    }
}

/// Status register of an accelerator that is idle and whose last run wrote its result.
const STATUS_DONE: u32 = 2;

/// An accelerator with its program on a simulated board.
pub struct SimulatedDevice<'d> {
    design: &'d Design,
    program: &'d Program,
    layout: Layout,
    memory: MemoryConfig,
    board: Board<Simulator>,
    recorder: Recorder,
    cycle_limit: u64,
}

/// An engine of an accelerator on a board, its memory with the program, and where everything lies in it.
///
/// # Errors
/// When the engine has not the accelerator's ports.
pub(crate) fn board<E: Engine>(
    engine: E,
    program: &Program,
    memory: &MemoryConfig,
) -> Result<(Board<E>, Layout), GenError> {
    let regions = split(&program.stream);
    let image_bytes = split(&program.image(&vec![0; program.patch_elements()]))[0].len() as u64;
    let layout = Layout::new(SIMULATED_BASE, image_bytes, regions[0].len() as u64, program.result_beats() as u64);
    let mut model = MemoryModel::new(layout.end() as usize, memory.clone());
    for (p, bytes) in (0..).zip(&regions) {
        let at = layout.program.port(p) as usize;
        model.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let board = Board::new(engine, model, memory.stalls)?;
    Ok((board, layout))
}

/// The register values of a run.
pub(crate) fn job(layout: &Layout) -> Job {
    let region = |r: Region| (r.address as u32, r.stride as u32, r.bursts as u32);
    Job {
        image: region(layout.image),
        program: region(layout.program),
        result: (layout.result as u32, layout.result_beats as u32),
        watchdog: 0,
    }
}

fn probes(simulator: &mut Simulator, selectors: bool) -> Result<Vec<Probe>, SimError> {
    let mut table: Vec<(&str, &str, &[&str])> = vec![
        ("result", probe::RESULT_VALID, &[probe::RESULT_TARGET, probe::RESULT_BYTES, probe::RESULT_WORDS]),
        ("operand", probe::OPERAND_VALID, &[probe::OPERAND]),
        ("row sum", probe::ROW_SUM_VALID, &[probe::ROW_SUM]),
        ("product", probe::PRODUCT_STREAMED, &[]),
    ];
    if selectors {
        table.extend([
            ("decision", probe::DECIDED, &[probe::SCORE, probe::KEPT] as &[&str]),
            ("package", probe::PACKAGE_VALID, &[probe::PACKAGE]),
            ("count", probe::COUNT_VALID, &[probe::COUNT_REGISTER, probe::COUNT]),
            ("select", probe::SELECT_DONE, &[]),
        ]);
    }
    table
        .into_iter()
        .map(|(name, enable, fields)| {
            let enable = simulator.signal(enable)?;
            let fields = fields.iter().map(|f| simulator.signal(f)).collect::<Result<_, _>>()?;
            Ok(Probe { name: name.to_owned(), enable, fields })
        })
        .collect()
}

/// Signed lanes of `bits` bits (8 or 16).
fn lanes(limbs: &[u64], bits: u32) -> Vec<i32> {
    let per_limb = 64 / bits;
    let lane = |limb: &u64, i: u32| (((limb >> (i * bits)) << (64 - bits)) as i64 >> (64 - bits)) as i32;
    limbs.iter().flat_map(|limb| (0..per_limb).map(move |i| lane(limb, i))).collect()
}

impl<'d> SimulatedDevice<'d> {
    /// Compiles the design and loads the program.
    ///
    /// # Errors
    /// When the simulator refuses the design.
    pub fn new(design: &'d Design, program: &'d Program, memory: &MemoryConfig) -> Result<Self, GenError> {
        let (mut board, layout) = board(Simulator::new(design)?, program, memory)?;
        let probes = probes(board.engine(), program.selectors > 0)?;
        let recorder = Recorder::new(board.engine(), probes);
        let cycle_limit = cycle_limit(program);
        Ok(Self { design, program, layout, memory: memory.clone(), board, recorder, cycle_limit })
    }

    /// The same device with another number of cycles after which an image counts as hung.
    pub fn with_cycle_limit(mut self, cycles: u64) -> Self {
        self.cycle_limit = cycles;
        self
    }

    /// What the probes saw, and what follows from it.
    fn seen(&self, start: u64) -> Seen {
        let mut seen = Seen::new(self.recorder.events().len());
        for event in self.recorder.events() {
            let field = |i: usize| self.recorder.field(event, i);
            let cycle = event.cycle - start;
            match event.probe {
                0 if field(0)[0] >= Target::Scores as u64 => seen.event(cycle, Stream::Result, lanes(field(2), 16)),
                0 => seen.event(cycle, Stream::Result, lanes(field(1), 8)),
                1 => seen.event(cycle, Stream::Operand, lanes(field(0), 8)),
                2 => seen.event(cycle, Stream::RowSum, vec![field(0)[0] as i32]),
                4 => {
                    seen.event(cycle, Stream::Score, vec![field(0)[0] as i32]);
                    seen.event(cycle, Stream::Mask, vec![field(1)[0] as i32]);
                }
                5 => seen.event(cycle, Stream::Package, lanes(field(0), 16)),
                6 => seen.count(field(0)[0], field(1)[0] as usize),
                _ => seen.step(cycle, self.program),
            }
        }
        seen
    }
}

/// What the probes saw of an image.
struct Seen {
    events: Vec<Event>,
    stages: Vec<StageCounts>,
    steps: usize,
    last_step: u64,
    selector_cycles: u64,
}

impl Seen {
    fn new(events: usize) -> Self {
        let events = Vec::with_capacity(events + 2);
        Self { events, stages: Vec::new(), steps: 0, last_step: 0, selector_cycles: 0 }
    }

    fn event(&mut self, cycle: u64, stream: Stream, lanes: Vec<i32>) {
        self.events.push(Event { cycle, stream, lanes });
    }

    /// A count register is set: rows first, then rows without the package.
    fn count(&mut self, register: u64, count: usize) {
        if register == u64::from(COUNT_TOKENS) {
            self.stages.push(StageCounts { tokens: count, candidates_and_class: count });
        } else if let Some(stage) = self.stages.last_mut() {
            stage.candidates_and_class = count;
        }
    }

    /// An operation has streamed its last row, or a selector is through: the cycles since the one before are its own.
    fn step(&mut self, cycle: u64, program: &Program) {
        let for_selector = match program.steps.get(self.steps) {
            Some(Step::Product(product)) => product.for_selector,
            Some(Step::Select(_)) => true,
            None => false,
        };
        if for_selector {
            self.selector_cycles += cycle - self.last_step;
        }
        self.last_step = cycle;
        self.steps += 1;
    }
}

/// Writes an image into the board's memory.
pub(crate) fn place_image<E: Engine>(board: &mut Board<E>, layout: &Layout, program: &Program, patches: &[i8]) {
    for (p, bytes) in (0..).zip(&split(&program.image(patches))) {
        let at = layout.image.port(p) as usize;
        board.memory().bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let result = layout.result as usize;
    board.memory().bytes_mut()[result..result + 16 * layout.result_beats as usize].fill(0);
}

/// What the error register says, with which the status register must agree.
fn ending(report: &RunReport) -> Ending {
    match (report.error, report.status) {
        (0, STATUS_DONE) => Ending::Done,
        (0, _) => Ending::NotDone,
        (code, _) => Ending::Error(code),
    }
}

impl Device for SimulatedDevice<'_> {
    fn run(&mut self, patches: &[i8], bar: &CycleBar) -> Result<Run, GenError> {
        place_image(&mut self.board, &self.layout, self.program, patches);
        self.recorder.clear();
        let (job, recorder) = (job(&self.layout), &mut self.recorder);
        let start = self.board.cycles();
        let report = self.board.run_image(&job, self.cycle_limit, &mut |simulator, cycle| {
            tell(bar, cycle);
            recorder.sample(simulator, cycle)
        });
        // A hung design is a result of the run, not a failure of the tool.
        let (cycles, ending) = match report {
            Ok(report) => (report.cycles, ending(&report)),
            Err(SimError::CycleLimit { cycles }) => (cycles, Ending::NoInterrupt),
            Err(SimError::RegisterTimeout { .. }) => (self.board.cycles() - start, Ending::NoAnswer),
            Err(other) => return Err(other.into()),
        };
        let mut seen = self.seen(start);
        let at = self.layout.result as usize;
        let written = &self.board.memory().bytes()[at..at + 16 * self.program.result_beats()];
        let words = written.chunks_exact(2).map(|b| i32::from(i16::from_le_bytes([b[0], b[1]])));
        let logits: Vec<i32> = words.take(self.program.classes).collect();
        // A design that hangs or reports an error has written nothing that it vouches for.
        if ending.has_result() {
            seen.event(cycles, Stream::Written, logits.clone());
            if self.program.selectors > 0 {
                let counts = self.program.written_counts(written);
                seen.event(cycles, Stream::Written, counts.into_iter().map(|c| c as i32).collect());
            }
        }
        let macs = self.program.macs(&seen.stages);
        let selector_macs = self.program.selector_macs(&seen.stages);
        let Seen { events, stages, selector_cycles, .. } = seen;
        Ok(Run { cycles, ending, logits, events, macs, selector_macs, stages, selector_cycles })
    }

    fn trace(&mut self, patches: &[i8], cycles: Range<u64>, file: &Path, bar: &CycleBar) -> Result<(), GenError> {
        let failed = |error: SimError| match error {
            SimError::Wave(problem) => GenError::file(file, format!("cannot write: {problem}"), "free the disk"),
            other => other.into(),
        };
        let (mut board, layout) = board(Simulator::new(self.design)?, self.program, &self.memory)?;
        place_image(&mut board, &layout, self.program, patches);
        let out = BufWriter::new(files::create(file)?);
        let start = board.cycles();
        let mut wave = Wave::new(board.engine(), out, cycles.start, |_| true).map_err(failed)?;
        let job = job(&self.layout);
        let wanted = start + cycles.start..start + cycles.end;
        let report = board.run_image(&job, cycles.end + 1000, &mut |simulator, cycle| {
            tell(bar, cycle);
            if wanted.contains(&cycle) { wave.sample(simulator, cycle - start) } else { Ok(()) }
        });
        match report {
            Ok(_) | Err(SimError::CycleLimit { .. } | SimError::RegisterTimeout { .. }) => {}
            Err(other) => return Err(failed(other)),
        }
        let mut out = wave.finish().map_err(failed)?;
        out.flush().map_err(|e| failed(SimError::Wave(e.to_string())))
    }
}
