//! Single values, registers and memory reads as straight-line code on 64-bit integers.

use super::{Body, Emitter};
use crate::lower::value::{Piece, Source, Value};
use crate::netlist::{Binary, Kind, NodeId, Op, StorageId};
use crate::plan::{Base, Place, stored_bytes};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value as Ssa, types};

impl Emitter<'_> {
    /// The value of a node in this function.
    pub(super) fn value(&mut self, body: &mut Body<'_>, id: NodeId) -> Ssa {
        if let Some(known) = body.values.get(&id) {
            return *known;
        }
        let node = self.lower.netlist.node(id);
        let kind = node.kind;
        let value = match (&node.op, self.plan.homes.get(&id).copied()) {
            (Op::Const(value), _) => body.constant(*value),
            (_, Some(place)) => {
                let pointer = body.base(place.base);
                body.load(pointer, place.offset, kind.bytes(), kind.signed)
            }
            (Op::Load(storage, low), None) => self.storage_bits(body, *storage, *low, kind),
            (_, None) => self.compute(body, id),
        };
        body.values.insert(id, value);
        value
    }

    /// Computes a node and stores it if it has a place.
    pub(super) fn scalar(&mut self, body: &mut Body<'_>, id: NodeId) {
        let value = self.compute(body, id);
        body.values.insert(id, value);
        if let Some(place) = self.plan.homes.get(&id).copied() {
            let bytes = self.lower.netlist.kind(id).bytes();
            body.store_at(value, place, bytes);
        }
    }

    fn compute(&mut self, body: &mut Body<'_>, id: NodeId) -> Ssa {
        let node = self.lower.netlist.node(id).clone();
        match node.op {
            Op::Const(value) => body.constant(value),
            Op::Load(storage, low) => self.storage_bits(body, storage, low, node.kind),
            Op::Field(source, low) => {
                let value = self.value(body, source);
                let signed = self.lower.netlist.kind(source).signed;
                field(body, value, signed, low, node.kind)
            }
            Op::Concat(parts) => self.concat(body, &parts),
            Op::Parity(a) => {
                let value = self.value(body, a);
                let ones = body.builder.ins().popcnt(value);
                body.builder.ins().band_imm_s(ones, 1)
            }
            Op::Binary(op, a, b) => {
                let (x, y) = (self.value(body, a), self.value(body, b));
                let kinds = (self.lower.netlist.kind(a), self.lower.netlist.kind(b));
                binary(body, op, x, y, kinds)
            }
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.value(body, c), self.value(body, a), self.value(body, b));
                body.builder.ins().select(c, a, b)
            }
        }
    }

    fn concat(&mut self, body: &mut Body<'_>, parts: &[(NodeId, u32)]) -> Ssa {
        let mut whole = None;
        let mut at = 0;
        for (part, width) in parts {
            let value = self.value(body, *part);
            let of = self.lower.netlist.kind(*part);
            let value =
                field(body, value, of.signed, 0, if of.fits(Kind::bits(*width)) { of } else { Kind::bits(*width) });
            let value = body.builder.ins().ishl_imm_s(value, i64::from(at));
            whole = Some(match whole {
                None => value,
                Some(low) => body.builder.ins().bor(low, value),
            });
            at += width;
        }
        whole.unwrap_or_else(|| body.constant(0))
    }

    /// Bits of a storage that do not lie on a boundary of bytes.
    fn storage_bits(&mut self, body: &mut Body<'_>, storage: StorageId, low: u32, kind: Kind) -> Ssa {
        let entry = &self.lower.storages[storage.index()];
        let (width, signed) = (entry.width, entry.signed);
        let place = self.plan.storages[storage.index()];
        let pointer = body.base(place.base);
        if width <= 64 {
            let bytes = stored_bytes(width);
            let whole = body.load(pointer, place.offset, bytes, signed);
            return field(body, whole, signed, low, kind);
        }
        let (limb, shift) = (low / 64, low % 64);
        let whole = body.load(pointer, place.offset + limb * 8, 8, false);
        if shift + kind.width <= 64 {
            return field(body, whole, false, shift, kind);
        }
        let above = body.load(pointer, place.offset + limb * 8 + 8, 8, false);
        let whole = body.builder.ins().ushr_imm_s(whole, i64::from(shift));
        let above = body.builder.ins().ishl_imm_s(above, i64::from(64 - shift));
        let whole = body.builder.ins().bor(whole, above);
        field(body, whole, false, 0, kind)
    }

    /// One register.
    pub(super) fn register(&mut self, body: &mut Body<'_>, index: usize) {
        let register = self.updates.registers[index].clone();
        let enable = register.enable.map(|e| self.value(body, e));
        let width = self.lower.storages[register.storage.index()].width;
        let signed = self.lower.storages[register.storage.index()].signed;
        let current = self.plan.storages[register.storage.index()];
        self.store_value(body, &register.next, Place { base: Base::Next, ..current }, |body, offset, bytes, value| {
            let Some(enable) = enable else { return value };
            let pointer = body.base(Base::Current);
            let old = body.load(pointer, current.offset + offset, bytes, signed && width <= 64);
            body.builder.ins().select(enable, value, old)
        });
    }

    /// Stores a value limb by limb, each through `adapt(body, byte offset, bytes, limb)`; whole runs of bytes
    /// are copied where nothing is to be adapted is left to the caller.
    fn store_value(
        &mut self,
        body: &mut Body<'_>,
        value: &Value,
        place: Place,
        mut adapt: impl FnMut(&mut Body<'_>, u32, u32, Ssa) -> Ssa,
    ) {
        if value.width <= 64 {
            let bytes = stored_bytes(value.width);
            let limb = self.piece(body, value.pieces()[0].source, value.width);
            let limb = adapt(body, 0, bytes, limb);
            body.store_at(limb, place, bytes);
            return;
        }
        for limb in 0..value.width.div_ceil(64) {
            let bits = self.limb(body, value, limb);
            let bits = adapt(body, limb * 8, 8, bits);
            body.store_at(bits, place.plus(limb * 8), 8);
        }
    }

    fn piece(&mut self, body: &mut Body<'_>, source: Source, width: u32) -> Ssa {
        match source {
            Source::Node(id) => self.value(body, id),
            Source::Storage(storage, low) => self.storage_bits(body, storage, low, Kind::bits(width)),
        }
    }

    /// 64 bits of a wide value (fewer, zero-extended, at its end).
    pub(super) fn limb(&mut self, body: &mut Body<'_>, value: &Value, limb: u32) -> Ssa {
        let (from, to) = (limb * 64, (limb * 64 + 64).min(value.width));
        let (mut at, mut whole) = (0, None);
        for Piece { width, source } in value.pieces() {
            let (first, last) = (from.max(at), to.min(at + width));
            if first < last {
                let (low, count) = (first - at, last - first);
                let bits = match source {
                    Source::Storage(storage, base) => self.storage_bits(body, storage, base + low, Kind::bits(count)),
                    Source::Node(id) => {
                        let bits = self.value(body, id);
                        let signed = self.lower.netlist.kind(id).signed;
                        field(body, bits, signed, low, Kind::bits(count))
                    }
                };
                let bits = body.builder.ins().ishl_imm_s(bits, i64::from(first - from));
                whole = Some(match whole {
                    None => bits,
                    Some(low) => body.builder.ins().bor(low, bits),
                });
            }
            at += width;
        }
        whole.unwrap_or_else(|| body.constant(0))
    }

    /// One read port.
    pub(super) fn read(&mut self, body: &mut Body<'_>, index: usize) {
        let read = self.updates.reads[index].clone();
        let (memory, place) = (&self.updates.memories[read.memory], self.memories[read.memory]);
        let (depth, width) = (memory.depth, memory.width);
        let enable = match self.lower.netlist.node(read.enable).op {
            Op::Const(1) => None,
            _ => Some(self.value(body, read.enable)),
        };
        let address = self.value(body, read.address);
        // Word `depth` is always zero.
        let within = body.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, address, i64::from(depth));
        let zero = body.constant(u64::from(depth));
        let word = body.builder.ins().select(within, address, zero);
        let offset = body.builder.ins().imul_imm_s(word, i64::from(place.stride));
        let pointer = body.builder.ins().iadd(body.bases[3], offset);
        let state = self.plan.storages[read.storage.index()];
        let signed = self.lower.storages[read.storage.index()].signed;
        let (bytes, limbs) = if width <= 64 { (place.stride, 1) } else { (8, width.div_ceil(64)) };
        for limb in 0..limbs {
            let mut bits = body.load(pointer, place.offset + limb * bytes, bytes, false);
            if signed && width <= 64 {
                bits = field(body, bits, false, 0, Kind { width, signed });
            }
            if let Some(enable) = enable {
                let current = body.base(Base::Current);
                let old = body.load(current, state.offset + limb * bytes, bytes, signed && width <= 64);
                bits = body.builder.ins().select(enable, bits, old);
            }
            body.store_at(bits, Place { base: Base::Next, offset: state.offset + limb * bytes }, bytes);
        }
    }
}

/// `kind.width` bits from `low` on.
pub(super) fn field(body: &mut Body<'_>, value: Ssa, signed: bool, low: u32, kind: Kind) -> Ssa {
    if kind.width == 64 && low == 0 {
        return value;
    }
    let low = i64::from(low);
    let unused = i64::from(64 - kind.width);
    let ins = |body: &mut Body<'_>, value| {
        if low == 0 {
            value
        } else if signed {
            body.builder.ins().sshr_imm_s(value, low)
        } else {
            body.builder.ins().ushr_imm_s(value, low)
        }
    };
    let value = ins(body, value);
    if kind.signed {
        let up = body.builder.ins().ishl_imm_s(value, unused);
        return body.builder.ins().sshr_imm_s(up, unused);
    }
    match kind.width {
        64 => value,
        width => {
            let mask = body.constant(u64::MAX >> (64 - width));
            body.builder.ins().band(value, mask)
        }
    }
}

fn binary(body: &mut Body<'_>, op: Binary, x: Ssa, y: Ssa, (a, b): (Kind, Kind)) -> Ssa {
    let unsigned = (!a.signed && a.width == 64) || (!b.signed && b.width == 64);
    let compare = |body: &mut Body<'_>, signed_code: IntCC, unsigned_code: IntCC| {
        let code = if unsigned { unsigned_code } else { signed_code };
        let flag = body.builder.ins().icmp(code, x, y);
        body.builder.ins().uextend(types::I64, flag)
    };
    match op {
        Binary::Add => body.builder.ins().iadd(x, y),
        Binary::Sub => body.builder.ins().isub(x, y),
        Binary::Mul => body.builder.ins().imul(x, y),
        Binary::And => body.builder.ins().band(x, y),
        Binary::Or => body.builder.ins().bor(x, y),
        Binary::Xor => body.builder.ins().bxor(x, y),
        Binary::Eq => compare(body, IntCC::Equal, IntCC::Equal),
        Binary::Ne => compare(body, IntCC::NotEqual, IntCC::NotEqual),
        Binary::Lt => compare(body, IntCC::SignedLessThan, IntCC::UnsignedLessThan),
        Binary::Le => compare(body, IntCC::SignedLessThanOrEqual, IntCC::UnsignedLessThanOrEqual),
        Binary::Shl | Binary::Shr => shift(body, op, x, y, a, b),
    }
}

/// Shifts by any amount; the hardware's shift looks at six bits only.
fn shift(body: &mut Body<'_>, op: Binary, x: Ssa, y: Ssa, a: Kind, b: Kind) -> Ssa {
    let small = b.width <= 6;
    if op == Binary::Shr && a.signed {
        let last = body.constant(63);
        let by = if small { y } else { body.builder.ins().umin(y, last) };
        return body.builder.ins().sshr(x, by);
    }
    let shifted = if op == Binary::Shl { body.builder.ins().ishl(x, y) } else { body.builder.ins().ushr(x, y) };
    if small {
        return shifted;
    }
    let within = body.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, y, 64);
    let zero = body.constant(0);
    body.builder.ins().select(within, shifted, zero)
}
