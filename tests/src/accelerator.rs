//! Does the whole accelerator compute what the golden model computes?

use crate::bench::Case;
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::quant::{Dims, Extreme};
use heatvit_sim::axi::MemoryConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::io::Write;
use std::path::Path;

/// The board's memory at the clock of the configurations.
fn memory() -> MemoryConfig {
    MemoryConfig::zcu102(300e6)
}

/// Two random images of a random network on the smallest accelerator that holds it.
fn equal(dims: &Dims, (rows, columns): (u32, u32), seed: u64, extreme: Extreme) -> Result<Vec<u64>, String> {
    let parameters = Parameters::for_dims(dims, rows, columns);
    let design = accelerator(&parameters);
    heatvit_rtl::verify(&design).map_err(|e| e.to_string())?;
    Case::random(dims, &parameters, seed, extreme)?
        .equal(&design, &memory())
        .map_err(|e| format!("seed {seed}, {extreme:?}, {rows}x{columns}, {dims:?}: {e}"))
}

fn small() -> Dims {
    Dims { tokens: 5, patch_inputs: 16, embed: 32, depth: 1, heads: 2, head_dim: 16, mlp_hidden: 48, classes: 3 }
}

/// Cycles that a network needs at least: every stationary tile costs its rows or its load, whichever is more.
fn least_cycles(d: &Dims, (rows, columns): (u32, u32)) -> usize {
    let (rows, columns) = (rows as usize, columns as usize);
    let tiles = |inputs: usize, outputs: usize| inputs.div_ceil(rows) * outputs.div_ceil(columns);
    let attention = d.heads * d.head_dim.next_multiple_of(rows);
    let head = attention / d.heads;
    let heads = d.heads * (tiles(head, d.tokens) + tiles(d.tokens, head));
    let products = tiles(d.embed, attention) * 3 + heads + tiles(attention, d.embed);
    let mlp = tiles(d.embed, d.mlp_hidden) + tiles(d.mlp_hidden, d.embed);
    let all = d.depth * (products + mlp) + tiles(d.patch_inputs, d.embed) + tiles(d.embed, d.classes);
    all * d.tokens.max(columns).max(rows * columns / 51)
}

/// Cycles per image that the time for this test allows.
const AFFORDABLE_CYCLES: usize = 40_000;

/// The legal configuration of a seed: the first draw that is affordable.
fn configuration(seed: u64) -> (Dims, (u32, u32)) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    loop {
        let rows = [16, 32, 64][random.random_range(0..3)];
        let columns = 4 << random.random_range(0..=(rows / 4u32).ilog2());
        let embed = random.random_range(16..=160);
        let dims = Dims {
            tokens: random.random_range(2..=100),
            patch_inputs: random.random_range(4..=64),
            embed,
            depth: random.random_range(1..=2),
            heads: random.random_range(1..=4),
            head_dim: random.random_range(8..=48),
            mlp_hidden: embed * random.random_range(1..=4),
            classes: random.random_range(2..=40),
        };
        if least_cycles(&dims, (rows, columns)) <= AFFORDABLE_CYCLES {
            return (dims, (rows, columns));
        }
    }
}

/// Seeds that once failed; they run before all others.
const KEPT: &str = include_str!("kept_seeds.txt");

fn kept_seeds() -> Vec<u64> {
    KEPT.lines().filter(|l| !l.starts_with('#')).map(|l| l.trim().parse().unwrap()).collect()
}

fn keep(seed: u64) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kept_seeds.txt");
    let file = std::fs::OpenOptions::new().append(true).open(path);
    file.and_then(|mut f| writeln!(f, "{seed}")).unwrap();
}

/// Runs all seeds, keeps those that fail and are not kept yet, and reports all failures at once.
fn random_configurations(seeds: impl IntoIterator<Item = u64>) {
    let kept = kept_seeds();
    let mut failures = Vec::new();
    for seed in seeds {
        let (dims, size) = configuration(seed);
        let start = std::time::Instant::now();
        match equal(&dims, size, seed, Extreme::None) {
            Ok(cycles) => println!("seed {seed}: {size:?} {dims:?}: {cycles:?} cycles, {:?}", start.elapsed()),
            Err(report) => {
                if !kept.contains(&seed) {
                    keep(seed);
                }
                failures.push(report);
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_small_network_is_equal_in_every_tensor() {
    equal(&small(), (16, 16), 1, Extreme::None).unwrap();
}

// The harness runs tests in the order of their names: this one comes before its neighbours.
#[test]
fn random_configurations_0_kept() {
    random_configurations(kept_seeds());
}

#[test]
fn random_configurations_1_to_10() {
    random_configurations(1..=10);
}

#[test]
fn random_configurations_11_to_20() {
    random_configurations(11..=20);
}

#[test]
fn random_configurations_21_to_30() {
    random_configurations(21..=30);
}

#[test]
fn token_counts_around_a_tile_are_equal() {
    for (tokens, size) in [
        (1, (16, 16)),
        (2, (16, 16)),
        (15, (16, 8)),
        (16, (16, 16)),
        (17, (16, 4)),
        (31, (32, 16)),
        (32, (32, 32)),
        (33, (32, 8)),
        (63, (64, 16)),
        (64, (64, 64)),
        (65, (64, 32)),
    ] {
        equal(&Dims { tokens, ..small() }, size, 100 + tokens as u64, Extreme::None).unwrap();
    }
}

#[test]
fn a_single_head_and_narrow_layers_are_equal() {
    for (tokens, embed) in [(2, 16), (7, 5), (40, 9)] {
        let dims = Dims { tokens, heads: 1, head_dim: 8, mlp_hidden: embed, embed, patch_inputs: 4, ..small() };
        equal(&dims, (16, 16), 200 + tokens as u64, Extreme::None).unwrap();
    }
}

#[test]
fn extreme_values_are_equal() {
    let dims = Dims { tokens: 19, embed: 45, head_dim: 20, mlp_hidden: 90, ..small() };
    let parameters = Parameters::for_dims(&dims, 16, 8);
    let design = accelerator(&parameters);
    for extreme in [Extreme::None, Extreme::FullScaleWeights, Extreme::EqualScores] {
        let mut case = Case::random(&dims, &parameters, 7, extreme).unwrap();
        for value in [-127, 127, 0] {
            let mut image = vec![value; dims.tokens * dims.patch_inputs];
            // The class token has no patch.
            image[..dims.patch_inputs].fill(0);
            case.patches.push(image);
        }
        case.equal(&design, &memory()).unwrap_or_else(|e| panic!("{extreme:?}: {e}"));
    }
}

#[test]
fn stalls_on_every_handshake_change_no_tensor() {
    let dims = Dims { tokens: 19, embed: 45, head_dim: 20, classes: 19, ..small() };
    for (size, seeds) in [((16, 16), 0..3), ((32, 8), 3..5), ((64, 16), 5..7)] {
        let parameters = Parameters::for_dims(&dims, size.0, size.1);
        let design = accelerator(&parameters);
        for seed in seeds {
            let case = Case::random(&dims, &parameters, 300 + seed, Extreme::None).unwrap();
            let stalled = MemoryConfig { stalls: Some(seed), ..memory() };
            case.equal(&design, &stalled).unwrap_or_else(|e| panic!("{size:?}, stalls {seed}: {e}"));
        }
    }
}

/// The larger of two accelerators in every memory.
fn both(a: &Parameters, b: &Parameters) -> Parameters {
    Parameters {
        max_tokens: a.max_tokens.max(b.max_tokens),
        a_words: a.a_words.max(b.a_words),
        k_words: a.k_words.max(b.k_words),
        v_words: a.v_words.max(b.v_words),
        s_words: a.s_words.max(b.s_words),
        x_words: a.x_words.max(b.x_words),
        out_words: a.out_words.max(b.out_words),
        ..a.clone()
    }
}

/// Neither design nor printed files see the network: programs and images alone make the difference.
#[test]
fn two_networks_run_on_the_same_verilog() {
    let first = small();
    let second =
        Dims { tokens: 23, patch_inputs: 27, embed: 50, depth: 2, heads: 3, head_dim: 12, mlp_hidden: 70, classes: 21 };
    let parameters = both(&Parameters::for_dims(&first, 16, 8), &Parameters::for_dims(&second, 16, 8));
    let design = accelerator(&parameters);
    let printed = heatvit_rtl::verilog::print(&design);
    for dims in [first, second] {
        let case = Case::random(&dims, &parameters, 9, Extreme::None).unwrap();
        case.equal(&design, &memory()).unwrap_or_else(|e| panic!("{dims:?}: {e}"));
        assert_eq!(printed, heatvit_rtl::verilog::print(&accelerator(&parameters)));
    }
}

/// Share of the array's products that an image of a dense network uses.
fn utilization(dims: &Dims, (rows, columns): (u32, u32)) -> f64 {
    let parameters = Parameters::for_dims(dims, rows, columns);
    let case = Case::random(dims, &parameters, 11, Extreme::None).unwrap();
    let cycles = case.equal(&accelerator(&parameters), &memory()).unwrap();
    case.program.macs(&[]) as f64 / (f64::from(rows * columns) * cycles[0] as f64)
}

#[test]
fn the_array_is_busy_on_dense_networks() {
    let digits = Dims {
        tokens: 82,
        patch_inputs: 16,
        embed: 64,
        depth: 6,
        heads: 4,
        head_dim: 16,
        mlp_hidden: 128,
        classes: 10,
    };
    let with = |tokens, embed, heads, head_dim, mlp| Dims {
        tokens,
        embed,
        heads,
        head_dim,
        mlp_hidden: mlp * embed,
        depth: 4,
        ..digits.clone()
    };
    let mut low = Vec::new();
    for (dims, least) in [
        (digits.clone(), 0.80),
        (with(50, 64, 2, 32, 2), 0.70),
        (with(65, 96, 6, 16, 3), 0.70),
        (with(77, 128, 4, 32, 2), 0.70),
        (with(100, 80, 5, 16, 4), 0.70),
    ] {
        let found = utilization(&dims, (16, 16));
        println!("{dims:?}: {found:.3}");
        if found < least {
            low.push(format!("{dims:?}: {found:.3}, at least {least} is needed"));
        }
    }
    assert!(low.is_empty(), "{}", low.join("\n"));
}
