//! A random network with its accelerator, its program and its place in memory: what every engine is given.

use heatvit_gen::layout::{Layout, Region, SIMULATED_BASE};
use heatvit_hdl::schedule::{Program, split};
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::golden;
use heatvit_model::quant::{Dims, Extreme, QuantNetwork, random, random_image, random_with_selectors, validate};
use heatvit_rtl::Design;
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel};
use heatvit_sim::{Engine, SimError};

/// Cycles after which a run counts as hung: several times the longest run of the tests.
const LIMIT: u64 = 1_000_000;

/// A network that is to run on its accelerator.
pub struct Workload {
    /// The network.
    pub network: QuantNetwork,
    /// The accelerator.
    pub design: Design,
    /// The network's program on it.
    pub program: Program,
    /// Where everything lies in memory.
    pub layout: Layout,
}

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Bytes written, whole beats.
    pub words: Vec<u8>,
    /// Cycles from start to interrupt.
    pub cycles: u64,
}

impl Workload {
    /// A random network of these dimensions on the smallest accelerator that holds it.
    pub fn random(dims: &Dims, array: (u32, u32), seed: u64) -> Self {
        Self::of(random(dims, seed, Extreme::None), array)
    }

    /// The same with a selector before each of these blocks.
    pub fn pruned(dims: &Dims, blocks: &[usize], array: (u32, u32), seed: u64) -> Self {
        Self::of(random_with_selectors(dims, blocks, seed, Extreme::None), array)
    }

    fn of(network: QuantNetwork, (rows, columns): (u32, u32)) -> Self {
        validate(&network).unwrap();
        let parameters = Parameters::for_network(&network, rows, columns);
        let design = accelerator(&parameters);
        let program = Program::compile(&network, &parameters).unwrap();
        let image = split(&program.image(&vec![0; program.patch_elements()]))[0].len() as u64;
        let stream = split(&program.stream)[0].len() as u64;
        let layout = Layout::new(SIMULATED_BASE, image, stream, program.result_beats() as u64);
        Self { network, design, program, layout }
    }

    /// Random patches for it.
    pub fn image(&self, seed: u64) -> Vec<i8> {
        random_image(&self.network.dims, seed)
    }

    /// What the golden model wants to find in memory: logits and, with selectors, a last beat of token counts.
    pub fn expected(&self, patches: &[i8]) -> Vec<u8> {
        let trace = golden::run(&self.network, patches);
        let mut bytes: Vec<u8> = trace.logits().iter().flat_map(|l| (*l as i16).to_le_bytes()).collect();
        let end = 16 * self.program.result_beats();
        if self.program.selectors > 0 {
            bytes.resize(end - 16, 0);
            bytes.extend(trace.stages.iter().flat_map(|stage| (stage.tokens as u16).to_le_bytes()));
        }
        bytes.resize(end, 0);
        bytes
    }

    /// Writes an image into a memory and clears the results.
    pub fn place_image(&self, memory: &mut [u8], patches: &[i8]) {
        place(memory, &self.layout.image, &self.program.image(patches));
        let result = self.layout.result as usize;
        memory[result..result + 16 * self.program.result_beats()].fill(0xAA);
    }

    /// Memory with the program.
    pub fn memory(&self) -> Vec<u8> {
        let mut memory = vec![0; self.layout.end() as usize];
        place(&mut memory, &self.layout.program, &self.program.stream);
        memory
    }

    /// The accelerator on its board.
    pub fn board<E: Engine>(&self, engine: E, config: &MemoryConfig) -> Board<E> {
        let mut memory = MemoryModel::new(self.layout.end() as usize, config.clone());
        memory.bytes_mut().copy_from_slice(&self.memory());
        Board::new(engine, memory, config.stalls).unwrap()
    }

    /// One image from start to interrupt.
    pub fn run<E: Engine>(&self, board: &mut Board<E>, patches: &[i8]) -> Result<Outcome, SimError> {
        self.place_image(board.memory().bytes_mut(), patches);
        let region = |r: &Region| (r.address as u32, r.stride as u32, r.bursts as u32);
        let job = Job {
            image: region(&self.layout.image),
            program: region(&self.layout.program),
            result: (self.layout.result as u32, self.layout.result_beats as u32),
            watchdog: 0,
        };
        let report = board.run_image(&job, LIMIT, &mut |_, _| Ok(()))?;
        assert_eq!(report.error, 0, "error register");
        let at = self.layout.result as usize;
        let words = board.memory().bytes()[at..at + 16 * self.program.result_beats()].to_vec();
        Ok(Outcome { words, cycles: report.cycles })
    }
}

fn place(memory: &mut [u8], region: &Region, bytes: &[u8]) {
    for (port, part) in (0..).zip(&split(bytes)) {
        let at = region.port(port) as usize;
        memory[at..at + part.len()].copy_from_slice(part);
    }
}
