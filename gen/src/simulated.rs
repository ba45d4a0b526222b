//! The accelerator in the simulator: a [`Device`] on the simulated board.

use crate::compare::{Event, Stream};
use crate::error::GenError;
use crate::layout::{Layout, SIMULATED_BASE};
use crate::verify::{Device, NO_ANSWER, NO_INTERRUPT, Run};
use heatvit_hdl::probe;
use heatvit_hdl::schedule::descriptor::Target;
use heatvit_hdl::schedule::{Program, split};
use heatvit_rtl::Design;
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel};
use heatvit_sim::{Probe, Recorder, SimError, Simulator, Wave};
use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::Path;

/// Cycles after which an image counts as hung: many times what any network of this size needs.
fn cycle_limit(program: &Program) -> u64 {
    let tiles: usize = program.products.iter().map(|p| p.output_tiles * p.reduction_tiles * (p.rows + 200)).sum();
    100_000 + 20 * tiles as u64
}

/// An accelerator with its program on a simulated board.
pub struct SimulatedDevice<'d> {
    design: &'d Design,
    program: &'d Program,
    layout: Layout,
    memory: MemoryConfig,
    board: Board<Simulator>,
    recorder: Recorder,
}

/// Memory with the program, and the board's register values.
fn board(design: &Design, program: &Program, memory: &MemoryConfig) -> Result<(Board<Simulator>, Layout), GenError> {
    let regions = split(&program.stream);
    let image_bytes = split(&program.image(&vec![0; program.patch_elements()]))[0].len() as u64;
    let layout = Layout::new(SIMULATED_BASE, image_bytes, regions[0].len() as u64, program.result_beats() as u64);
    let mut model = MemoryModel::new(layout.end() as usize, memory.clone());
    for (p, bytes) in (0..).zip(&regions) {
        let at = layout.program.port(p) as usize;
        model.bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let simulator = Simulator::new(design)?;
    let board = Board::new(simulator, model, memory.stalls)?;
    Ok((board, layout))
}

fn probes(simulator: &mut Simulator) -> Result<Vec<Probe>, SimError> {
    let table: [(&str, &str, &[&str]); 3] = [
        ("result", probe::RESULT_VALID, &[probe::RESULT_TARGET, probe::RESULT_BYTES, probe::RESULT_WORDS]),
        ("operand", probe::OPERAND_VALID, &[probe::OPERAND]),
        ("row sum", probe::ROW_SUM_VALID, &[probe::ROW_SUM]),
    ];
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
        let (mut board, layout) = board(design, program, memory)?;
        let probes = probes(board.engine())?;
        let recorder = Recorder::new(board.engine(), probes);
        Ok(Self { design, program, layout, memory: memory.clone(), board, recorder })
    }

    fn job(&self) -> Job {
        let region = |r: crate::layout::Region| (r.address as u32, r.stride as u32, r.bursts as u32);
        Job {
            image: region(self.layout.image),
            program: region(self.layout.program),
            result: (self.layout.result as u32, self.layout.result_beats as u32),
            watchdog: 0,
        }
    }

    fn events(&self, start: u64) -> Vec<Event> {
        let mut all = Vec::with_capacity(self.recorder.events().len() + 1);
        for event in self.recorder.events() {
            let field = |i: usize| self.recorder.field(event, i);
            let (stream, lanes) = match event.probe {
                0 if field(0)[0] >= Target::Scores as u64 => (Stream::Result, lanes(field(2), 16)),
                0 => (Stream::Result, lanes(field(1), 8)),
                1 => (Stream::Operand, lanes(field(0), 8)),
                _ => (Stream::RowSum, vec![field(0)[0] as i32]),
            };
            all.push(Event { cycle: event.cycle - start, stream, lanes });
        }
        all
    }
}

/// Writes an image into the board's memory.
fn place_image(board: &mut Board<Simulator>, layout: &Layout, program: &Program, patches: &[i8]) {
    for (p, bytes) in (0..).zip(&split(&program.image(patches))) {
        let at = layout.image.port(p) as usize;
        board.memory().bytes_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
    let result = layout.result as usize;
    board.memory().bytes_mut()[result..result + 16 * layout.result_beats as usize].fill(0);
}

impl Device for SimulatedDevice<'_> {
    fn run(&mut self, patches: &[i8]) -> Result<Run, GenError> {
        place_image(&mut self.board, &self.layout, self.program, patches);
        self.recorder.clear();
        let (job, recorder) = (self.job(), &mut self.recorder);
        let start = self.board.cycles();
        let limit = cycle_limit(self.program);
        let report = self.board.run_image(&job, limit, &mut |simulator, cycle| recorder.sample(simulator, cycle));
        // A hung design is a result of the run, not a failure of the tool.
        let (cycles, error) = match report {
            Ok(report) => (report.cycles, report.error),
            Err(SimError::CycleLimit { cycles }) => (cycles, NO_INTERRUPT),
            Err(SimError::RegisterTimeout { .. }) => (self.board.cycles() - start, NO_ANSWER),
            Err(other) => return Err(other.into()),
        };
        let mut events = self.events(start);
        let at = self.layout.result as usize;
        let written = &self.board.memory().bytes()[at..at + 2 * self.program.classes];
        let logits: Vec<i32> = written.chunks_exact(2).map(|b| i32::from(i16::from_le_bytes([b[0], b[1]]))).collect();
        // A design that hangs has written nothing that it vouches for.
        if error != NO_INTERRUPT {
            events.push(Event { cycle: cycles, stream: Stream::Written, lanes: logits.clone() });
        }
        Ok(Run { cycles, error, logits, events, macs: self.program.macs() })
    }

    fn trace(&mut self, patches: &[i8], cycles: Range<u64>, file: &Path) -> Result<(), GenError> {
        let unwritable = |e: std::io::Error| GenError::file(file, e.to_string(), "choose a writable path");
        let (mut board, layout) = board(self.design, self.program, &self.memory)?;
        place_image(&mut board, &layout, self.program, patches);
        let out = BufWriter::new(File::create(file).map_err(unwritable)?);
        let start = board.cycles();
        let mut wave = Wave::new(board.engine(), out, cycles.start, |_| true)?;
        let job = self.job();
        let wanted = start + cycles.start..start + cycles.end;
        let report = board.run_image(&job, cycles.end + 1000, &mut |simulator, cycle| {
            if wanted.contains(&cycle) { wave.sample(simulator, cycle - start) } else { Ok(()) }
        });
        match report {
            Ok(_) | Err(SimError::CycleLimit { .. } | SimError::RegisterTimeout { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        wave.finish()?;
        Ok(())
    }
}
