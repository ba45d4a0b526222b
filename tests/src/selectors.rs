//! Does the accelerator prune as the golden model does?

use crate::bench::Case;
use heatvit_gen::layout::{Layout, Region, SIMULATED_BASE};
use heatvit_hdl::schedule::{Program, split};
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::golden::run;
use heatvit_model::quant::{
    Dims, Extreme, Linear, PackageRule, QuantNetwork, random_image, random_with_selectors, validate,
};
use heatvit_sim::Simulator;
use heatvit_sim::axi::{Board, Job, MemoryConfig, MemoryModel};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub fn memory() -> MemoryConfig {
    MemoryConfig::zcu102(300e6)
}

pub fn small() -> Dims {
    Dims { tokens: 21, patch_inputs: 16, embed: 32, depth: 3, heads: 2, head_dim: 16, mlp_hidden: 48, classes: 3 }
}

pub fn network(dims: &Dims, blocks: &[usize], seed: u64) -> QuantNetwork {
    let network = random_with_selectors(dims, blocks, seed, Extreme::None);
    validate(&network).unwrap();
    network
}

/// Images of a network on the smallest accelerator that holds it; the cycles of each.
fn equal(network: QuantNetwork, size: (u32, u32), images: u64, memory: &MemoryConfig) -> Result<Vec<u64>, String> {
    let parameters = Parameters::for_network(&network, size.0, size.1);
    let design = accelerator(&parameters);
    heatvit_rtl::verify(&design).map_err(|e| e.to_string())?;
    let patches = (0..images).map(|i| random_image(&network.dims, 100 + i)).collect();
    let what =
        format!("{size:?}, {:?}, {:?}", network.dims, network.selectors.iter().map(|s| s.block).collect::<Vec<_>>());
    Case::new(network, &parameters, patches)?.equal(&design, memory).map_err(|e| format!("{what}: {e}"))
}

/// Gives every head the weights of head 0 in a layer of `blocks` blocks of inputs a head.
fn share(l: &mut Linear, heads: usize, input_parts: usize) {
    let (outputs, inputs) = (l.outputs / heads, l.inputs / heads / input_parts);
    for h in 1..heads {
        for o in 0..outputs {
            let (from, to) = (o, h * outputs + o);
            (l.bias[to], l.mult[to]) = (l.bias[from], l.mult[from]);
            for (part, i) in (0..input_parts).flat_map(|p| (0..inputs).map(move |i| (p, i))) {
                let at = |head: usize| part * heads * inputs + head * inputs + i;
                l.weight[to * l.inputs + at(h)] = l.weight[from * l.inputs + at(0)];
            }
        }
    }
}

fn share_heads(network: &mut QuantNetwork) {
    let heads = network.dims.heads;
    for s in &mut network.selectors {
        share(&mut s.local, heads, 1);
        share(&mut s.mix, heads, 2);
        share(&mut s.squeeze, heads, 1);
        share(&mut s.keep, heads, 1);
    }
}

/// The network of a seed and its array.
fn configuration(seed: u64) -> (QuantNetwork, (u32, u32)) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows = [16, 16, 32, 64][random.random_range(0..4)];
    let columns = 4 << random.random_range(0..=(rows / 4u32).ilog2());
    let most_heads = [4, 16][random.random_range(0..2)];
    let heads = random.random_range(1..=most_heads);
    let head_dim = 4 * random.random_range(1..=if heads > 4 { 3 } else { 12 });
    let depth = random.random_range(2..=4);
    let dims = Dims {
        tokens: random.random_range(2..=70),
        patch_inputs: random.random_range(4..=32),
        embed: heads * head_dim,
        depth,
        heads,
        head_dim,
        mlp_hidden: heads * head_dim * random.random_range(1..=2),
        classes: random.random_range(2..=40),
    };
    let mut blocks: Vec<usize> = (1..depth).collect();
    blocks.shuffle(&mut random);
    blocks.truncate(random.random_range(1..=3));
    blocks.sort_unstable();
    let mut network = network(&dims, &blocks, seed);
    if random.random() {
        share_heads(&mut network);
    }
    if random.random_range(0..5) == 0 {
        network.selectors.iter_mut().for_each(|s| s.package = PackageRule::None);
    }
    (network, (rows, columns))
}

fn random_configurations(seeds: impl IntoIterator<Item = u64>) {
    let mut failures = Vec::new();
    for seed in seeds {
        let (network, size) = configuration(seed);
        let dims = network.dims.clone();
        match equal(network, size, 2, &memory()) {
            Ok(cycles) => println!("seed {seed}: {size:?} {dims:?}: {cycles:?} cycles"),
            Err(report) => failures.push(format!("seed {seed}: {report}")),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn random_configurations_1_to_15() {
    random_configurations(1..=15);
}

#[test]
fn random_configurations_16_to_30() {
    random_configurations(16..=30);
}

#[test]
fn images_follow_each_other() {
    equal(network(&small(), &[1, 2], 1), (16, 16), 6, &memory()).unwrap();
}

/// Whether a threshold keeps or drops every token.
#[derive(Clone, Copy, Debug)]
enum Fate {
    NoneDropped,
    AllDropped,
    Mixed,
}

#[test]
fn all_and_none_dropped_at_every_stage() {
    use Fate::{AllDropped, Mixed, NoneDropped};
    let plain = network(&small(), &[1, 2], 3);
    for first in [NoneDropped, AllDropped, Mixed] {
        for second in [NoneDropped, AllDropped, Mixed] {
            let mut network = plain.clone();
            for (selector, fate) in network.selectors.iter_mut().zip([first, second]) {
                selector.threshold = match fate {
                    NoneDropped => 0,
                    AllDropped => 513,
                    Mixed => selector.threshold,
                };
            }
            let counts = run(&network, &random_image(&network.dims, 100)).stages;
            let after = |stage: usize| counts[stage].candidates_and_class;
            match first {
                NoneDropped => assert_eq!(after(0), small().tokens),
                AllDropped => assert_eq!(after(0), 1),
                Mixed => assert!(after(0) > 1 && after(0) < small().tokens),
            }
            equal(network, (16, 8), 2, &memory()).unwrap_or_else(|e| panic!("{first:?}, {second:?}: {e}"));
        }
    }
}

#[test]
fn token_counts_around_a_tile() {
    for (tokens, size) in [
        (1, (16, 16)),
        (2, (16, 16)),
        (3, (16, 4)),
        (15, (16, 16)),
        (16, (16, 8)),
        (17, (16, 16)),
        (31, (32, 16)),
        (32, (32, 32)),
        (33, (32, 8)),
        (64, (64, 16)),
        (65, (64, 64)),
    ] {
        let dims = Dims { tokens, ..small() };
        equal(network(&dims, &[1, 2], 40 + tokens as u64), size, 2, &memory()).unwrap();
    }
}

#[test]
fn many_stages() {
    let dims = Dims { tokens: 40, depth: 9, ..small() };
    equal(network(&dims, &[1, 2, 3, 4, 5, 6, 7, 8], 5), (16, 16), 2, &memory()).unwrap();
}

#[test]
fn stalls_change_nothing() {
    for (seed, size) in [(1, (16, 16)), (2, (32, 8)), (3, (64, 16))] {
        let stalled = MemoryConfig { stalls: Some(seed), ..memory() };
        equal(network(&small(), &[1, 2], 60 + seed), size, 2, &stalled).unwrap();
    }
}

#[test]
fn extreme_weights() {
    for extreme in [Extreme::FullScaleWeights, Extreme::EqualScores] {
        let network = random_with_selectors(&small(), &[1, 2], 8, extreme);
        validate(&network).unwrap();
        equal(network, (16, 16), 2, &memory()).unwrap_or_else(|e| panic!("{extreme:?}: {e}"));
    }
}

/// A program in the memory of a board, and the images' place.
pub struct Placed<'n> {
    network: &'n QuantNetwork,
    pub program: Program,
    pub layout: Layout,
}

impl<'n> Placed<'n> {
    pub fn new(network: &'n QuantNetwork, parameters: &Parameters, base: u64) -> Self {
        let program = Program::compile(network, parameters).unwrap();
        let per_port = |bytes: &[u8]| split(bytes)[0].len() as u64;
        let image = per_port(&program.image(&vec![0; program.patch_elements()]));
        let layout = Layout::new(base, image, per_port(&program.stream), program.result_beats() as u64);
        Self { network, program, layout }
    }

    /// Writes the stream and an image into the memory of a board.
    pub fn place(&self, memory: &mut MemoryModel, stream: &[u8], image: &[u8]) {
        for (region, bytes) in [(&self.layout.program, stream), (&self.layout.image, image)] {
            for (port, part) in (0..).zip(&split(bytes)) {
                let at = region.port(port) as usize;
                memory.bytes_mut()[at..at + part.len()].copy_from_slice(part);
            }
        }
    }

    /// The register values, with the watchdog off.
    pub fn job(&self) -> Job {
        let region = |r: &Region| (r.address as u32, r.stride as u32, r.bursts as u32);
        Job {
            image: region(&self.layout.image),
            program: region(&self.layout.program),
            result: (self.layout.result as u32, self.layout.result_beats as u32),
            watchdog: 0,
        }
    }

    /// Whether the logits and token counts in memory are the golden model's for an image.
    pub fn check_results(&self, memory: &MemoryModel, patches: &[i8]) -> Result<(), String> {
        let golden = run(self.network, patches);
        let at = self.layout.result as usize;
        let results = &memory.bytes()[at..at + 16 * self.program.result_beats()];
        let words = results.chunks_exact(2).map(|b| i32::from(i16::from_le_bytes([b[0], b[1]])));
        let written = (words.take(self.program.classes).collect::<Vec<_>>(), self.program.written_counts(results));
        let expected = (golden.logits().to_vec(), golden.stages.iter().map(|s| s.tokens).collect());
        if written == expected { Ok(()) } else { Err(format!("results {written:?}, not {expected:?}")) }
    }

    /// Runs an image; the logits and token counts are the golden model's.
    fn check(&self, board: &mut Board<Simulator>, patches: &[i8]) {
        self.place(board.memory(), &self.program.stream, &self.program.image(patches));
        let report = board.run_image(&self.job(), 1_000_000, &mut |_, _| Ok(())).unwrap();
        assert_eq!(report.error, 0);
        self.check_results(board.memory(), patches).unwrap();
    }
}

/// Nothing of a pruned image is left for a dense one, nor the other way round.
#[test]
fn dense_after_pruned_and_pruned_after_dense() {
    let pruned = network(&small(), &[1, 2], 11);
    let dense = QuantNetwork { selectors: Vec::new(), ..network(&small(), &[1], 12) };
    let parameters = Parameters::for_network(&pruned, 16, 16);
    let design = accelerator(&parameters);
    let first = Placed::new(&pruned, &parameters, SIMULATED_BASE);
    let second = Placed::new(&dense, &parameters, first.layout.end().next_multiple_of(4096));
    let model = MemoryModel::new(second.layout.end() as usize, memory());
    let mut board = Board::new(Simulator::new(&design).unwrap(), model, None).unwrap();
    for (i, placed) in [&first, &second, &second, &first, &first, &second].into_iter().enumerate() {
        placed.check(&mut board, &random_image(&pruned.dims, 70 + i as u64));
    }
}
