//! A board on which runs go wrong and good images follow.

use super::stream::Stream;
use crate::selectors::Placed;
use heatvit_gen::layout::SIMULATED_BASE;
use heatvit_hdl::bus::ErrorCode;
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::quant::{QuantNetwork, random_image};
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel, RunReport, offset};
use heatvit_sim::{SimError, Simulator};

/// Status register after a run that wrote its result.
const STATUS_DONE: u32 = 2;
/// Cycles from the end of a run to its interrupt at most: what the four ports have outstanding has to come first.
pub const FLUSH_CYCLES: u64 = 2_500;
/// Cycles, about, that rows need from the streamer to the last effect.
const DRAIN_CYCLES: u64 = 64;
/// Runs that go wrong take image 0; the good ones after them take turns.
const IMAGES: usize = 2;

/// What a run ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// An interrupt and the done bit.
    Done,
    /// An interrupt and a code.
    With(ErrorCode),
}

impl Ends {
    fn of(report: &RunReport) -> Result<Self, String> {
        match (report.error, report.status) {
            (0, STATUS_DONE) => Ok(Self::Done),
            (code, 0) if ErrorCode::from_register(code).is_some() => {
                Ok(ErrorCode::from_register(code).map_or(Self::Done, Self::With))
            }
            (error, status) => Err(format!("error register {error} with status register {status}")),
        }
    }
}

/// A run that is to go wrong.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Name for the report.
    pub what: String,
    /// The program.
    pub stream: Stream,
    /// The image region.
    pub image: Vec<u8>,
    /// Register values.
    pub job: Job,
    /// Addresses that answer with an error.
    pub faults: Vec<u64>,
    /// Cycles from the start to the abort's write.
    pub abort: Option<u64>,
}

/// The accelerator of a network on its board, which is reset once.
pub struct Rig<'n> {
    pub placed: Placed<'n>,
    pub parameters: Parameters,
    pub board: Board<Simulator>,
    /// Cycles of the good images on the fresh board.
    pub cycles: [u64; IMAGES],
    images: [Vec<i8>; IMAGES],
    /// An image takes the same cycles whatever ran before it: nothing stalls, and the first beats come when the rows
    /// of an aborted run have left the pipeline.
    timed: bool,
    turn: usize,
}

impl<'n> Rig<'n> {
    pub fn new(network: &'n QuantNetwork, memory: MemoryConfig) -> Self {
        let parameters = Parameters::for_network(network, 16, 16);
        let placed = Placed::new(network, &parameters, SIMULATED_BASE);
        let stalls = memory.stalls;
        let timed = stalls.is_none() && memory.latency_cycles >= DRAIN_CYCLES;
        let model = MemoryModel::new(placed.layout.end() as usize, memory);
        let board = Board::new(Simulator::new(&accelerator(&parameters)).unwrap(), model, stalls).unwrap();
        let images = std::array::from_fn(|i| random_image(&network.dims, 70 + i as u64));
        let mut rig = Self { placed, parameters, board, cycles: [0; IMAGES], images, timed, turn: 0 };
        for _ in 0..IMAGES {
            let turn = rig.turn;
            rig.cycles[turn] = rig.good_image().unwrap();
        }
        rig
    }

    /// A trial in which nothing is wrong yet.
    pub fn trial(&self, what: impl Into<String>) -> Trial {
        let job = Job { watchdog: self.watchdog(), ..self.placed.job() };
        let image = self.placed.program.image(&self.images[0]);
        let stream = Stream::new(&self.placed.program);
        Trial { what: what.into(), stream, image, job, faults: Vec::new(), abort: None }
    }

    /// Cycles that a good image takes at most.
    pub fn watchdog(&self) -> u32 {
        3 * self.cycles.iter().max().copied().unwrap_or(0) as u32
    }

    /// A good image, whose results are the golden model's; its cycles.
    fn good_image(&mut self) -> Result<u64, String> {
        let patches = self.images[self.turn].clone();
        self.turn = (self.turn + 1) % IMAGES;
        let program = &self.placed.program;
        self.placed.place(self.board.memory(), &program.stream, &program.image(&patches));
        self.spoil_results();
        let report = self.board.run_image(&self.placed.job(), 100_000, &mut |_, _| Ok(())).map_err(text)?;
        match Ends::of(&report)? {
            Ends::Done => self.placed.check_results(self.board.memory(), &patches)?,
            other => return Err(format!("{other:?}")),
        }
        Ok(report.cycles)
    }

    /// A good image after one that went wrong: as on the fresh board.
    pub fn good(&mut self) -> Result<(), String> {
        let turn = self.turn;
        let cycles = self.good_image().map_err(|e| format!("the good image after it: {e}"))?;
        if self.timed && cycles != self.cycles[turn] {
            return Err(format!("the good image after it takes {cycles} cycles, not {}", self.cycles[turn]));
        }
        Ok(())
    }

    /// What an earlier image left must not pass for a result.
    pub fn spoil_results(&mut self) {
        let (at, beats) = (self.placed.layout.result as usize, self.placed.layout.result_beats as usize);
        self.board.memory().bytes_mut()[at..at + 16 * beats].fill(0xA5);
    }

    /// Puts a trial into the memory; the patches of its image.
    pub fn place(&mut self, trial: &Trial) -> Vec<i8> {
        self.placed.place(self.board.memory(), &trial.stream.bytes, &trial.image);
        self.board.memory().set_faults(trial.faults.clone());
        self.spoil_results();
        self.images[0].clone()
    }

    /// Runs a trial to its interrupt.
    fn run(&mut self, trial: &Trial) -> Result<RunReport, String> {
        self.place(trial);
        let start = self.board.start(&trial.job, &mut |_, _| Ok(())).map_err(text)?;
        if let Some(cycles) = trial.abort {
            self.board.pass(cycles, &mut |_, _| Ok(())).map_err(text)?;
            self.board.write_register(offset::CONTROL, 2, &mut |_, _| Ok(())).map_err(text)?;
        }
        let limit = u64::from(trial.job.watchdog) + FLUSH_CYCLES;
        let report = self.board.finish(start, limit, &mut |_, _| Ok(())).map_err(text)?;
        self.board.memory().set_faults(Vec::new());
        Ok(report)
    }

    /// Runs a trial and a good image after it; what the trial ended with.
    pub fn any(&mut self, trial: &Trial) -> Result<Ends, String> {
        let found = self.run(trial).and_then(|report| Ends::of(&report));
        found.and_then(|ends| self.good().map(|()| ends)).map_err(|e| format!("{}: {e}", trial.what))
    }

    /// The same with a demand.
    pub fn expect(&mut self, trial: &Trial, ends: Ends) -> Result<(), String> {
        match self.any(trial)? {
            found if found == ends => Ok(()),
            found => Err(format!("{}: {found:?} instead of {ends:?}", trial.what)),
        }
    }
}

fn text(error: SimError) -> String {
    error.to_string()
}

/// All complaints at once.
pub fn all_well(results: impl IntoIterator<Item = Result<(), String>>) {
    let (mut count, mut complaints) = (0, Vec::new());
    for result in results {
        count += 1;
        complaints.extend(result.err());
    }
    println!("{count} runs went wrong as they should");
    assert!(count > 0 && complaints.is_empty(), "{} of {count}:\n{}", complaints.len(), complaints.join("\n"));
}
