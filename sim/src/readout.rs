//! Where the bits of a kept value are when a cycle has been computed.

use crate::buffer::Regions;
use crate::circuit::Circuit;
use crate::lower::value::{Source, Value};
use crate::netlist::{Kind, NodeId, Op, StorageId};
use crate::plan::{Layout, Place};
use std::collections::HashMap;

/// Up to 64 bits of a value.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// First bit in the value.
    at: u32,
    /// Number of bits.
    width: u32,
    from: From,
}

#[derive(Clone, Copy, Debug)]
enum From {
    /// A value that never changes.
    Constant(u64),
    /// Bits from `low` on of an integer of a host type.
    Host { place: Place, kind: Kind, low: u32 },
    /// Bits from `low` on of the limbs at a place.
    Limbs { place: Place, low: u32 },
}

impl From {
    fn storage(circuit: &Circuit, layout: &Layout, storage: StorageId, low: u32) -> Self {
        let place = layout.places[storage.index()];
        let store = circuit.store(circuit.store(storage).same_as);
        if store.zero {
            Self::Constant(0)
        } else if store.kind.width <= 64 {
            Self::Host { place, kind: Kind { width: 8 * store.bytes, signed: store.kind.signed }, low }
        } else {
            Self::Limbs { place, low }
        }
    }

    fn node(circuit: &Circuit, layout: &Layout, homes: &HashMap<NodeId, Place>, id: NodeId) -> Self {
        let node = circuit.netlist.node(id);
        match (&node.op, homes.get(&id)) {
            (Op::Const(value), _) => Self::Constant(*value),
            (_, Some(place)) => {
                let kind = Kind { width: 8 * node.kind.bytes(), signed: node.kind.signed };
                Self::Host { place: *place, kind, low: 0 }
            }
            (Op::Load(storage, low), None) => Self::storage(circuit, layout, *storage, *low),
            // Every other kept node has been given a home.
            (_, None) => Self::Constant(0),
        }
    }

    /// Its bits; what lies beyond the part is arbitrary.
    fn bits(self, regions: &Regions) -> u64 {
        match self {
            Self::Constant(value) => value,
            Self::Host { place, kind, low } => {
                let value = kind.canonical(regions.at(place.base).limb(place.offset));
                if kind.signed { (value as i64 >> low) as u64 } else { value >> low }
            }
            Self::Limbs { place, low } => {
                let (buffer, at) = (regions.at(place.base), place.offset + low / 8);
                let bits = buffer.limb(at) >> (low % 8);
                if low.is_multiple_of(8) { bits } else { bits | buffer.limb(at + 8) << (64 - low % 8) }
            }
        }
    }
}

/// A value's bits.
#[derive(Clone, Debug)]
pub struct Readout(Vec<Part>);

impl Readout {
    /// Of a kept value, under a layout and with the homes of a plan.
    pub fn new(circuit: &Circuit, layout: &Layout, homes: &HashMap<NodeId, Place>, value: &Value) -> Self {
        let (mut parts, mut at) = (Vec::new(), 0);
        for piece in value.pieces() {
            for done in (0..piece.width).step_by(64) {
                let from = match piece.source {
                    // A node has at most 64 bits.
                    Source::Node(id) => From::node(circuit, layout, homes, id),
                    Source::Storage(storage, low) => From::storage(circuit, layout, storage, low + done),
                };
                parts.push(Part { at: at + done, width: (piece.width - done).min(64), from });
            }
            at += piece.width;
        }
        Self(parts)
    }

    /// All bits of a storage.
    pub fn of_storage(circuit: &Circuit, layout: &Layout, storage: StorageId, width: u32) -> Self {
        let part = |low: u32| Part {
            at: low,
            width: (width - low).min(64),
            from: From::storage(circuit, layout, storage, low),
        };
        Self((0..width).step_by(64).map(part).collect())
    }

    /// Little-endian limbs; limbs beyond the value become zero.
    pub fn read(&self, regions: &Regions, limbs: &mut [u64]) {
        limbs.fill(0);
        for part in &self.0 {
            let bits = Kind::bits(part.width).canonical(part.from.bits(regions));
            let (limb, shift) = (part.at as usize / 64, part.at % 64);
            if let Some(to) = limbs.get_mut(limb) {
                *to |= bits << shift;
            }
            if let (Some(to), 1..) = (limbs.get_mut(limb + 1), shift) {
                *to |= bits >> (64 - shift);
            }
        }
    }
}
