//! Single values, registers and memory reads as straight-line code on 64-bit integers.

use super::{Body, Emitter, packed_limb};
use crate::lower::value::{Piece, Repr, Source, Value};
use crate::netlist::{Binary, Kind, NodeId, Op, StorageId};
use crate::plan::{Choice, Part, Place};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value as Ssa, types};
use std::ops::Range;

/// Units for which a value that has a place is kept at hand: to load it again costs less than to hold it for longer,
/// when there are too few registers.
const AT_HAND: u32 = 8;
/// What is held in a byte.
const BIT: Kind = Kind::BIT;

impl Emitter<'_> {
    /// The value of a node in this function, extended to 64 bits.
    pub(super) fn value(&mut self, body: &mut Body<'_>, id: NodeId) -> Ssa {
        let value = self.native(body, id);
        if body.is_bit(value) { body.builder.ins().uextend(types::I64, value) } else { value }
    }

    /// The value of a node as it is computed: a bit in the low bit of a byte, everything else in 64 bits.
    pub(super) fn native(&mut self, body: &mut Body<'_>, id: NodeId) -> Ssa {
        let home = self.plan.homes.get(&id).copied();
        if let Some((known, unit)) = body.values.get(&id).copied()
            && (home.is_none() || body.unit - unit <= AT_HAND)
        {
            return known;
        }
        let kind = self.circuit.netlist.kind(id);
        let value = match home {
            Some(place) if kind == BIT => body.load_bit(place),
            Some(place) => {
                let pointer = body.base(place.base);
                body.load(pointer, place.offset, kind.bytes(), kind.signed)
            }
            None => self.compute(body, id),
        };
        body.keep(id, value);
        value
    }

    /// Computes a node and stores it if it has a place.
    pub(super) fn scalar(&mut self, body: &mut Body<'_>, id: NodeId) {
        if self.plan.read_in_place.contains(&id) {
            return;
        }
        let value = self.compute(body, id);
        body.keep(id, value);
        if let Some(place) = self.plan.homes.get(&id).copied() {
            let bytes = self.circuit.netlist.kind(id).bytes();
            body.store_at(value, place, bytes);
        }
    }

    fn compute(&mut self, body: &mut Body<'_>, id: NodeId) -> Ssa {
        let node = self.circuit.netlist.node(id).clone();
        let value = match node.op {
            Op::Const(value) => body.constant(value),
            Op::Load(storage, low) => self.storage_bits(body, storage, low, node.kind),
            Op::Field(source, low) => {
                let value = self.value(body, source);
                let signed = self.circuit.netlist.kind(source).signed;
                field(body, value, signed, low, node.kind)
            }
            Op::Concat(parts) => self.concat(body, &parts),
            Op::Parity(a) => {
                let value = self.value(body, a);
                let ones = body.builder.ins().popcnt(value);
                body.builder.ins().band_imm_s(ones, 1)
            }
            Op::Binary(op @ (Binary::And | Binary::Or | Binary::Xor), a, b) if self.are_bits(&[id, a, b]) => {
                let (x, y) = (self.native(body, a), self.native(body, b));
                logic(body, op, x, y)
            }
            Op::Binary(op, a, b) => {
                let (x, y) = (self.value(body, a), self.value(body, b));
                let kinds = (self.circuit.netlist.kind(a), self.circuit.netlist.kind(b));
                binary(body, op, x, y, kinds)
            }
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.native(body, c), self.like(body, id, a), self.like(body, id, b));
                body.builder.ins().select(c, a, b)
            }
        };
        match (node.kind == BIT, body.is_bit(value)) {
            (true, false) => body.builder.ins().ireduce(types::I8, value),
            (false, true) => body.builder.ins().uextend(types::I64, value),
            _ => value,
        }
    }

    fn are_bits(&self, nodes: &[NodeId]) -> bool {
        nodes.iter().all(|id| self.circuit.netlist.kind(*id) == BIT)
    }

    /// An operand of a choice, as its result is held.
    fn like(&mut self, body: &mut Body<'_>, result: NodeId, id: NodeId) -> Ssa {
        match (self.circuit.netlist.kind(result) == BIT, self.circuit.netlist.kind(id) == BIT) {
            (true, true) => self.native(body, id),
            (true, false) => {
                let value = self.value(body, id);
                body.builder.ins().ireduce(types::I8, value)
            }
            (false, _) => self.value(body, id),
        }
    }

    fn concat(&mut self, body: &mut Body<'_>, parts: &[(NodeId, u32)]) -> Ssa {
        let mut whole = None;
        let mut at = 0;
        if let Some(bytes) = self.side_by_side_parts(body, parts) {
            return bytes;
        }
        for (part, width) in parts {
            let value = self.value(body, *part);
            let of = self.circuit.netlist.kind(*part);
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

    /// Bits of a wide value that consist of parts that lie side by side in memory.
    fn side_by_side_limb(&self, body: &mut Body<'_>, value: &Value, bits: Range<u32>) -> Option<Ssa> {
        let whole = |cut: Cut| match cut.source {
            Source::Node(id) if cut.count == cut.of => Some((id, cut.of)),
            _ => None,
        };
        let parts = cuts(value, bits).map(whole).collect::<Option<Vec<_>>>()?;
        if parts.len() > 1 { self.side_by_side_parts(body, &parts) } else { None }
    }

    /// The whole of parts that lie side by side in memory.
    fn side_by_side_parts(&self, body: &mut Body<'_>, parts: &[(NodeId, u32)]) -> Option<Ssa> {
        let first = self.plan.homes.get(&parts[0].0)?;
        let mut bytes = 0;
        for (part, width) in parts {
            let size = self.circuit.netlist.kind(*part).bytes();
            if *width != 8 * size || self.plan.homes.get(part) != Some(&first.plus(bytes)) {
                return None;
            }
            bytes += size;
        }
        let pointer = body.base(first.base);
        bytes.is_power_of_two().then(|| body.load(pointer, first.offset, bytes, false))
    }

    /// Bits of a storage that do not lie on a boundary of bytes.
    fn storage_bits(&mut self, body: &mut Body<'_>, storage: StorageId, low: u32, kind: Kind) -> Ssa {
        let store = *self.circuit.store(storage);
        let (width, signed, bytes) = (store.kind.width, store.kind.signed, store.bytes);
        let place = self.layout.places[storage.index()];
        let pointer = body.base(place.base);
        if width <= 64 {
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
        let register = self.circuit.updates.registers[index].clone();
        let enable = register.enable.map(|e| self.native(body, e));
        let store = *self.circuit.store(register.storage);
        let now = self.layout.places[register.storage.index()];
        let in_place = now == now.next();
        match enable {
            None => {
                self.store_value(body, &register.next, store.bytes, now.next(), |_, _, _, value| value);
                self.touch(body, register.storage);
            }
            Some(enable) if in_place => self.when(body, enable, |this, body| {
                this.store_value(body, &register.next, store.bytes, now, |_, _, _, value| value);
                this.touch(body, register.storage);
            }),
            Some(enable) => {
                let signed = store.kind.signed && store.kind.width <= 64;
                self.store_value(body, &register.next, store.bytes, now.next(), |body, offset, bytes, value| {
                    let pointer = body.base(now.base);
                    let old = match body.is_bit(value) {
                        true => body.load_bit(now),
                        false => body.load(pointer, now.offset + offset, bytes, signed),
                    };
                    body.builder.ins().select(enable, value, old)
                });
            }
        }
    }

    /// Choices, as a branch.
    pub(super) fn choice(&mut self, body: &mut Body<'_>, choice: &Choice) {
        let flag = self.native(body, choice.condition);
        let [yes, no, after] = [(); 3].map(|()| body.builder.create_block());
        let held = |id: &NodeId| if self.circuit.netlist.kind(*id) == BIT { types::I8 } else { types::I64 };
        let results: Vec<Ssa> =
            choice.muxes.iter().map(|id| body.builder.append_block_param(after, held(id))).collect();
        body.builder.ins().brif(flag, yes, &[], no, &[]);
        for (side, block) in [yes, no].into_iter().enumerate() {
            body.builder.switch_to_block(block);
            let known = body.values.clone();
            choice.sides[side].iter().for_each(|unit| self.unit(body, unit));
            let operands = choice.operands(self.circuit, side);
            let values = choice.muxes.iter().zip(operands).map(|(mux, id)| self.like(body, *mux, id).into());
            let values: Vec<BlockArg> = values.collect();
            body.builder.ins().jump(after, &values);
            body.values = known;
        }
        body.builder.switch_to_block(after);
        for (id, value) in choice.muxes.iter().zip(results) {
            body.keep(*id, value);
            if let Some(place) = self.plan.homes.get(id).copied() {
                body.store_at(value, place, self.circuit.netlist.kind(*id).bytes());
            }
        }
    }

    /// A part, behind a test of what it depends on.
    pub(super) fn part(&mut self, body: &mut Body<'_>, part: &Part) {
        let mut any = None;
        for (place, mask) in &part.depends_on {
            let pointer = body.base(place.base);
            let word = body.load(pointer, place.offset, 8, false);
            let mask = body.constant(*mask);
            let changed = body.builder.ins().band(word, mask);
            any = Some(any.map_or(changed, |any| body.builder.ins().bor(any, changed)));
        }
        let Some(any) = any else { return part.units.iter().for_each(|unit| self.unit(body, unit)) };
        self.when(body, any, |this, body| part.units.iter().for_each(|unit| this.unit(body, unit)));
    }

    /// Tells that a register that is written in place has changed.
    pub(super) fn touch(&mut self, body: &mut Body<'_>, storage: StorageId) {
        if let Some(version) = self.layout.watch.version(storage) {
            let pointer = body.base(version.base);
            let old = body.load(pointer, version.offset, 1, false);
            let new = body.builder.ins().iadd_imm_s(old, 1);
            body.store_at(new, version.next(), 1);
        }
    }

    /// Code behind a test.
    pub(super) fn when(&mut self, body: &mut Body<'_>, flag: Ssa, then: impl FnOnce(&mut Self, &mut Body<'_>)) {
        self.either(body, flag, then, |_, _| {});
    }

    /// Code for both outcomes of a test.
    pub(super) fn either(
        &mut self,
        body: &mut Body<'_>,
        flag: Ssa,
        yes: impl FnOnce(&mut Self, &mut Body<'_>),
        no: impl FnOnce(&mut Self, &mut Body<'_>),
    ) {
        let [taken, skipped, after] = [(); 3].map(|()| body.builder.create_block());
        body.builder.ins().brif(flag, taken, &[], skipped, &[]);
        // What is computed behind the test is not there where it was skipped.
        let known = body.values.clone();
        body.builder.switch_to_block(taken);
        yes(self, body);
        body.builder.ins().jump(after, &[]);
        body.values.clone_from(&known);
        body.builder.switch_to_block(skipped);
        no(self, body);
        body.builder.ins().jump(after, &[]);
        body.values = known;
        body.builder.switch_to_block(after);
    }

    /// Stores a value limb by limb, each through `adapt(body, byte offset, bytes, limb)`; whole runs of bytes
    /// are copied where nothing is to be adapted is left to the caller.
    fn store_value(
        &mut self,
        body: &mut Body<'_>,
        value: &Value,
        bytes: u32,
        place: Place,
        mut adapt: impl FnMut(&mut Body<'_>, u32, u32, Ssa) -> Ssa,
    ) {
        if value.width <= 64 {
            let limb = match value.pieces()[0].source {
                Source::Node(id) if bytes == 1 => self.native(body, id),
                Source::Node(id) => self.value(body, id),
                Source::Storage(storage, low) => self.storage_bits(body, storage, low, Kind::bits(value.width)),
            };
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

    /// Puts values into limbs, zero-extended.
    pub(super) fn pack(&mut self, body: &mut Body<'_>, values: &[Value], places: &[Range<usize>]) {
        for (value, place) in values.iter().zip(places) {
            let home = match value.repr {
                Repr::Node(id) => self.plan.homes.get(&id).copied(),
                Repr::Wide(_) => None,
            };
            for (limb, at) in (0..).zip(place.clone()).filter(|(_, at)| home != Some(packed_limb(*at))) {
                let bits = self.limb(body, value, limb);
                body.store_at(bits, packed_limb(at), 8);
            }
        }
    }

    /// 64 bits of a wide value (fewer, zero-extended, at its end).
    pub(super) fn limb(&mut self, body: &mut Body<'_>, value: &Value, limb: u32) -> Ssa {
        let (from, to) = (limb * 64, (limb * 64 + 64).min(value.width));
        if let Some(bytes) = self.side_by_side_limb(body, value, from..to) {
            return bytes;
        }
        let mut whole = None;
        for Cut { source, low, count, at, .. } in cuts(value, from..to) {
            let bits = match source {
                Source::Storage(storage, base) => self.storage_bits(body, storage, base + low, Kind::bits(count)),
                Source::Node(id) => {
                    let bits = self.value(body, id);
                    let signed = self.circuit.netlist.kind(id).signed;
                    field(body, bits, signed, low, Kind::bits(count))
                }
            };
            let bits = body.builder.ins().ishl_imm_s(bits, i64::from(at));
            whole = Some(match whole {
                None => bits,
                Some(low) => body.builder.ins().bor(low, bits),
            });
        }
        whole.unwrap_or_else(|| body.constant(0))
    }
}

/// What some bits of a value take of one of its pieces.
#[derive(Clone, Copy, Debug)]
struct Cut {
    source: Source,
    /// Bits of the piece.
    of: u32,
    /// The lowest bit that is taken of it, and how many.
    low: u32,
    count: u32,
    /// Where they go among the bits.
    at: u32,
}

/// The pieces that some bits of a value consist of.
fn cuts(value: &Value, bits: Range<u32>) -> impl Iterator<Item = Cut> {
    let mut end = 0;
    value.pieces().into_iter().filter_map(move |Piece { width, source }| {
        let start = end;
        end += width;
        let (first, last) = (bits.start.max(start), bits.end.min(end));
        let (low, at) = (first - start, first - bits.start);
        (first < last).then(|| Cut { source, of: width, low, count: last - first, at })
    })
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

/// Bitwise operators on values of one type.
fn logic(body: &mut Body<'_>, op: Binary, x: Ssa, y: Ssa) -> Ssa {
    match op {
        Binary::And => body.builder.ins().band(x, y),
        Binary::Or => body.builder.ins().bor(x, y),
        _ => body.builder.ins().bxor(x, y),
    }
}

fn binary(body: &mut Body<'_>, op: Binary, x: Ssa, y: Ssa, (a, b): (Kind, Kind)) -> Ssa {
    let unsigned = (!a.signed && a.width == 64) || (!b.signed && b.width == 64);
    let compare = |body: &mut Body<'_>, signed_code: IntCC, unsigned_code: IntCC| {
        let code = if unsigned { unsigned_code } else { signed_code };
        body.builder.ins().icmp(code, x, y)
    };
    match op {
        Binary::Add => body.builder.ins().iadd(x, y),
        Binary::Sub => body.builder.ins().isub(x, y),
        Binary::Mul => body.builder.ins().imul(x, y),
        Binary::And | Binary::Or | Binary::Xor => logic(body, op, x, y),
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
