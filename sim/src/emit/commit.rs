//! Memory writes at the edge, from values that the cycle left in memory.

use super::{Body, Emitter, MemoryPlace};
use crate::lower::WriteUpdate;
use crate::netlist::Kind;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as Ssa};

impl Emitter<'_> {
    /// Write ports behind one test of their enable.
    pub(super) fn writes(&mut self, body: &mut Body<'_>, ports: &[usize]) {
        let enable = self.circuit.updates.writes[ports[0]].enable;
        let enable = self.native(body, enable);
        self.when(body, enable, |this, body| {
            for port in ports {
                let update = this.circuit.updates.writes[*port].clone();
                this.write(body, &update);
            }
        });
    }

    fn write(&mut self, body: &mut Body<'_>, write: &WriteUpdate) {
        let place: MemoryPlace = self.memories[write.memory];
        let (depth, width) =
            (self.circuit.updates.memories[write.memory].depth, self.circuit.updates.memories[write.memory].width);
        let address = self.value(body, write.address);
        // Word `depth + 1` takes what is written beyond the end.
        let within = body.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, address, i64::from(depth));
        let lost = body.constant(u64::from(depth) + 1);
        let word = body.builder.ins().select(within, address, lost);
        let offset = body.builder.ins().imul_imm_s(word, i64::from(place.stride));
        let pointer = body.builder.ins().iadd(body.bases[3], offset);
        let (bytes, limbs) = if width <= 64 { (place.stride, 1) } else { (8, width.div_ceil(64)) };
        for limb in 0..limbs {
            let at = place.offset + limb * bytes;
            let mut bits = self.limb(body, &write.data, limb);
            if let Some(mask) = self.mask(body, write, limb, width) {
                let old = body.load(pointer, at, bytes, false);
                let kept = body.builder.ins().band_not(old, mask);
                let taken = body.builder.ins().band(bits, mask);
                bits = body.builder.ins().bor(kept, taken);
            }
            body.store(bits, pointer, at, bytes);
        }
    }

    /// Bits of a limb that the mask lets through.
    fn mask(&mut self, body: &mut Body<'_>, write: &WriteUpdate, limb: u32, width: u32) -> Option<Ssa> {
        let mask = write.mask.clone()?;
        let part = width / mask.width;
        let (from, to) = (limb * 64, (limb * 64 + 64).min(width));
        let mut whole = body.constant(0);
        for bit in 0..mask.width {
            let (low, high) = (from.max(bit * part), to.min((bit + 1) * part));
            if low >= high {
                continue;
            }
            let flags = self.limb(body, &mask, bit / 64);
            let flag = super::scalar::field(body, flags, false, bit % 64, Kind::bits(1));
            let ones = (u64::MAX >> (64 - (high - low))) << (low - from);
            let (ones, none) = (body.constant(ones), body.constant(0));
            let covered = body.builder.ins().select(flag, ones, none);
            whole = body.builder.ins().bor(whole, covered);
        }
        Some(whole)
    }
}
