//! Memory reads.

use super::scalar::field;
use super::{Body, Emitter, Waiting};
use crate::lower::ReadUpdate;
use crate::netlist::{Kind, Op};
use crate::plan::Place;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as Ssa};

impl Emitter<'_> {
    /// Read ports of one enable.
    pub(super) fn reads(&mut self, body: &mut Body<'_>, ports: &[usize]) {
        let [port] = ports else { return self.reads_together(body, ports) };
        self.read(body, *port);
    }

    /// Ports of words of at most 64 bits, behind one test.
    fn reads_together(&mut self, body: &mut Body<'_>, ports: &[usize]) {
        let circuit = self.circuit;
        let reads = || ports.iter().map(|port| &circuit.updates.reads[*port]);
        let enable = self.native(body, circuit.updates.reads[ports[0]].enable);
        let yes = |this: &mut Self, body: &mut Body<'_>| {
            for read in reads() {
                let (bits, store) = (this.narrow_word(body, read), circuit.store(read.storage));
                body.store_at(bits, this.layout.places[read.storage.index()].next(), store.bytes);
            }
        };
        let no = |this: &mut Self, body: &mut Body<'_>| {
            let mut at = 0;
            let held: Vec<(Place, u32)> = reads()
                .map(|read| (this.layout.places[read.storage.index()], circuit.store(read.storage).bytes))
                .collect();
            // What lies side by side keeps its value together.
            while let Some((place, mut bytes)) = held.get(at).copied() {
                at += 1;
                while let Some((_, more)) = held.get(at).filter(|(next, _)| place.plus(bytes) == *next) {
                    (bytes, at) = (bytes + more, at + 1);
                }
                body.copy(place.next(), place, bytes);
            }
        };
        self.either(body, enable, yes, no);
    }

    /// A word of at most 64 bits.
    fn narrow_word(&mut self, body: &mut Body<'_>, read: &ReadUpdate) -> Ssa {
        let (pointer, offset) = self.word(body, read);
        let store = *self.circuit.store(read.storage);
        let bits = body.load(pointer, offset, store.bytes, false);
        let width = self.circuit.updates.memories[read.memory].width;
        if store.kind.signed { field(body, bits, false, 0, Kind { width, signed: true }) } else { bits }
    }

    /// One read port.
    fn read(&mut self, body: &mut Body<'_>, index: usize) {
        let read = self.circuit.updates.reads[index].clone();
        let width = self.circuit.updates.memories[read.memory].width;
        let state = self.layout.places[read.storage.index()];
        let enable = match self.circuit.netlist.node(read.enable).op {
            Op::Const(1) => None,
            _ => Some(self.native(body, read.enable)),
        };
        if width > 64 {
            let bytes = Kind::bits(width).stored_bytes();
            let mut to = state.next();
            if self.layout.waits(self.circuit, &read) {
                let waiting = self.waiting(index, bytes);
                if let Some(enable) = enable {
                    body.store_at(enable, waiting.flag, 1);
                }
                to = waiting.word;
            }
            let copy = |this: &mut Self, body: &mut Body<'_>| {
                let (pointer, offset) = this.word(body, &read);
                let target = body.base(to.base);
                body.move_bytes((target, to.offset), (pointer, offset), bytes);
            };
            return match enable {
                Some(enable) => self.when(body, enable, copy),
                None => copy(self, body),
            };
        }
        let mut bits = self.narrow_word(body, &read);
        let store = *self.circuit.store(read.storage);
        if let Some(enable) = enable {
            let current = body.base(state.base);
            let old = body.load(current, state.offset, store.bytes, store.kind.signed);
            bits = body.builder.ins().select(enable, bits, old);
        }
        body.store_at(bits, state.next(), store.bytes);
    }

    /// Pointer and offset of the word that a port reads; beyond the depth a word that is always zero.
    fn word(&mut self, body: &mut Body<'_>, read: &ReadUpdate) -> (Ssa, u32) {
        let (depth, place) = (self.circuit.updates.memories[read.memory].depth, self.memories[read.memory]);
        let address = self.value(body, read.address);
        let within = body.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, address, i64::from(depth));
        let zero = body.constant(u64::from(depth));
        let word = body.builder.ins().select(within, address, zero);
        let offset = body.builder.ins().imul_imm_s(word, i64::from(place.stride));
        (body.builder.ins().iadd(body.bases[3], offset), place.offset)
    }

    /// Where a word waits.
    fn waiting(&mut self, index: usize, bytes: u32) -> Waiting {
        if let Some(known) = self.waiting.get(&index) {
            return *known;
        }
        let waiting = Waiting { word: self.room(bytes, 1), flag: self.room(1, 1) };
        self.waiting.insert(index, waiting);
        waiting
    }

    /// The word of a read port reaches its register. What the enable is made of may be written over by now.
    pub(super) fn take(&mut self, body: &mut Body<'_>, index: usize) {
        let read = self.circuit.updates.reads[index].clone();
        let bytes = self.circuit.store(read.storage).bytes;
        let (from, to) = (self.waiting(index, bytes), self.layout.places[read.storage.index()]);
        if matches!(self.circuit.netlist.node(read.enable).op, Op::Const(1)) {
            body.copy(to, from.word, bytes);
            return self.touch(body, read.storage);
        }
        let flag = body.load_bit(from.flag);
        self.when(body, flag, |this, body| {
            body.copy(to, from.word, bytes);
            this.touch(body, read.storage);
        });
    }
}
