//! Bytes of the stream.

use super::descriptor::{Descriptor, Field, Opcode};
use super::layout::{Layout, Padding};
use heatvit_model::quant::Linear;

/// Read ports; port p carries bytes 16p..16p+16 of each 64-byte beat.
pub const PORTS: usize = 4;
/// Bytes of a beat.
const BEAT: usize = 64;
/// Bytes of a port in a beat.
const SLICE: usize = BEAT / PORTS;
/// Regions are whole bursts of 16 beats.
const REGION: usize = 16 * BEAT;

/// A region of the stream under construction.
#[derive(Debug)]
pub(super) struct Image<'a> {
    layout: &'a Layout,
    bytes: Vec<u8>,
}

impl<'a> Image<'a> {
    pub(super) fn new(layout: &'a Layout) -> Self {
        Self { layout, bytes: Vec::new() }
    }

    /// A descriptor starts at a beat: the loader drops the rest of the beat before.
    pub(super) fn descriptor(&mut self, descriptor: &Descriptor) {
        self.bytes.resize(self.bytes.len().next_multiple_of(BEAT), 0);
        self.bytes.extend(descriptor.to_bytes());
    }

    /// Fill of memory A with int8 rows.
    pub(super) fn fill_operand(&mut self, rows: &[i8], row_lanes: usize) {
        let words = row_lanes.div_ceil(self.layout.rows);
        let mut d = Descriptor::new(Opcode::FillOperand);
        d.set(Field::Amount, (rows.len() / row_lanes * words) as u16);
        self.descriptor(&d);
        for row in rows.chunks(row_lanes) {
            let at = self.bytes.len();
            self.bytes.extend(row.iter().map(|v| *v as u8));
            self.bytes.resize(at + words * self.layout.rows, 0);
        }
    }

    /// Fill of memory X with int16 rows.
    pub(super) fn fill_residual(&mut self, rows: &[i16], row_lanes: usize) {
        let words = row_lanes.div_ceil(self.layout.rows);
        let mut d = Descriptor::new(Opcode::FillResidual);
        d.set(Field::Amount, (2 * rows.len() / row_lanes * words) as u16);
        self.descriptor(&d);
        for row in rows.chunks(row_lanes) {
            let at = self.bytes.len();
            self.bytes.extend(row.iter().flat_map(|v| v.to_le_bytes()));
            self.bytes.resize(at + 2 * words * self.layout.rows, 0);
        }
    }

    /// Parameters and weights of a product, tile by tile.
    pub(super) fn weights(&mut self, l: &Linear, outputs: &Padding, inputs: &Padding, tiles: (usize, usize)) {
        let (rows, columns) = (self.layout.rows, self.layout.columns);
        for n in 0..tiles.0 {
            let at = self.bytes.len();
            for lane in n * columns..(n + 1) * columns {
                let (bias, mult) = outputs.channel(lane).map_or((0, 0), |c| (l.bias[c], l.mult[c]));
                self.bytes.extend(bias.to_le_bytes());
                self.bytes.extend(mult.to_le_bytes());
            }
            self.bytes.resize(at + (8 * columns).next_multiple_of(rows), 0);
            for k in 0..tiles.1 {
                for lane in n * columns..(n + 1) * columns {
                    self.bytes.extend((k * rows..(k + 1) * rows).map(|term| {
                        let place = outputs.channel(lane).zip(inputs.channel(term));
                        place.map_or(0, |(o, i)| l.weight[o * l.inputs + i] as u8)
                    }));
                }
            }
        }
    }

    /// The region, padded to whole bursts.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len().next_multiple_of(REGION), 0);
        self.bytes
    }
}

/// What each port reads of a region.
pub fn split(region: &[u8]) -> [Vec<u8>; PORTS] {
    std::array::from_fn(|p| {
        region.chunks(BEAT).flat_map(|beat| beat[p * SLICE..(p + 1) * SLICE].iter().copied()).collect()
    })
}
