//! Stimuli of the array as the accelerator drives it: tile after tile is loaded while the one before computes.

use super::stimuli::Stimuli;
use heatvit_hdl::Parameters;
use heatvit_sim::Ports;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Chance that the stream has a vector: its bandwidth is 51 of 64 bytes a cycle.
const VECTOR_IS_THERE: f64 = 0.8;
/// Tiles of a reduction.
const REDUCTION: u32 = 3;
/// Cycles before the first, with the array in reset.
const RESET_CYCLES: u64 = 4;

/// What streamer and loader are at.
struct Activity {
    rng: ChaCha8Rng,
    columns: u32,
    tokens: u32,
    /// Row that streams; none in a gap.
    row: Option<u32>,
    tile: u32,
    /// Columns that are loaded of the next tile.
    loaded: u32,
    source: u64,
}

/// A cycle of the streamer, which reaches the array later.
#[derive(Clone, Default)]
struct Streamed {
    operand: Vec<u64>,
    swap: bool,
    valid: bool,
    row: u32,
    first: bool,
    last: bool,
}

/// A cycle of the loader.
struct Loaded {
    load: bool,
    column: u32,
    vector: Option<Vec<u64>>,
}

impl Activity {
    fn vector(&mut self, rows: u32) -> Vec<u64> {
        let bytes: Vec<u8> = (0..rows).map(|_| self.rng.random_range(-127..=127i8) as u8).collect();
        bytes.as_chunks().0.iter().map(|limb| u64::from_le_bytes(*limb)).collect()
    }

    fn stream(&mut self, rows: u32) -> Streamed {
        if self.row.is_none() && self.loaded == self.columns {
            (self.row, self.loaded) = (Some(0), 0);
            self.tile += 1;
            // Most tiles are weights, now and then there are keys and values.
            self.source = [0, 0, 0, 0, 1, 2][self.rng.random_range(0..6)];
        }
        let Some(row) = self.row else { return Streamed::default() };
        self.row = (row + 1 < self.tokens).then_some(row + 1);
        let tile = self.tile % REDUCTION;
        Streamed {
            operand: self.vector(rows),
            swap: row == 0,
            valid: true,
            row,
            first: tile == 0,
            last: tile == REDUCTION - 1,
        }
    }

    fn load(&mut self, rows: u32) -> Loaded {
        let load = self.loaded < self.columns && self.rng.random_bool(VECTOR_IS_THERE);
        let column = self.loaded;
        self.loaded += u32::from(load);
        Loaded { load, column, vector: load.then(|| self.vector(rows)) }
    }
}

/// `cycles` cycles of an array that streams `parameters.max_tokens` rows a tile.
pub fn array_stimuli(parameters: &Parameters, ports: &Ports, cycles: u64, seed: u64) -> Stimuli {
    let rows = parameters.rows;
    let mut activity = Activity {
        rng: ChaCha8Rng::seed_from_u64(seed),
        columns: parameters.columns,
        tokens: parameters.max_tokens,
        row: None,
        tile: 0,
        loaded: 0,
        source: 0,
    };
    // The streamed operand is as long under way as the stationary one, which the load path delays.
    let mut under_way: VecDeque<Streamed> = vec![Streamed::default(); parameters.latencies().operand as usize].into();
    let mut stimuli = Stimuli::new(ports.input_limbs());
    let mut frame = vec![0; ports.input_limbs()];
    for cycle in 0..cycles {
        let streamed = activity.stream(rows);
        under_way.push_back(streamed);
        let now = under_way.pop_front().unwrap_or_default();
        let loaded = activity.load(rows);
        let mut set = |name: &str, value: &[u64]| {
            if let Some(port) = ports.inputs.iter().find(|p| p.name == name) {
                frame[port.limbs()].copy_from_slice(value);
            }
        };
        // What is not valid stays as it was.
        if now.valid {
            set("operand", &now.operand);
        }
        if let Some(vector) = &loaded.vector {
            set("vector", vector);
        }
        let lanes = if activity.source == 0 { 0xFFFF } else { u64::from(rows) };
        for (name, value) in [
            ("rst", u64::from(cycle < RESET_CYCLES)),
            ("swap", u64::from(now.swap)),
            ("valid", u64::from(now.valid)),
            ("row", u64::from(now.row)),
            ("first", u64::from(now.first)),
            ("last", u64::from(now.last)),
            ("load", u64::from(loaded.load)),
            ("load_column", u64::from(loaded.column)),
            ("load_lanes", lanes),
            ("load_source", activity.source),
        ] {
            set(name, &[value]);
        }
        stimuli.push(&frame);
    }
    stimuli
}
