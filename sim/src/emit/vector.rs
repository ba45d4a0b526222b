//! Short batches without a call: the kernels' tasks as vector instructions of 128 bits.

use super::Body;
use super::batch::Host;
use super::lanes::Operand;
use crate::kernels::Task;
use crate::plan::{Place, VECTOR};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{ConstantData, Endianness, InstBuilder, MemFlagsData, Type, Value as Ssa, types};

/// Vectors of a batch from which a call is the better choice.
const MOST_VECTORS: usize = 16;

/// A batch, or a stretch of it, that is to be computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work<'a> {
    pub(super) task: Task,
    pub(super) host: Host,
    /// Target and bytes of its lanes.
    pub(super) to: (Place, u32),
    pub(super) operands: &'a [Operand],
    pub(super) immediate: u64,
}

impl Work<'_> {
    /// Bytes of the lanes in which it is computed.
    fn width(&self) -> u32 {
        let own = match self.task {
            Task::MixedAdd(m) | Task::MixedMul(m) => m.result,
            Task::Convert(bytes) | Task::Narrow(bytes) => bytes,
            _ => self.to.1,
        };
        own.max(self.host.bytes)
    }

    /// Lowest bit of a field, or where it goes.
    fn low(&self) -> u32 {
        self.immediate as u32 & 0xFF
    }

    /// Bits of a field.
    fn size(&self) -> u32 {
        (self.immediate >> 8) as u32
    }

    /// True when there are instructions for it, and few.
    pub(super) fn is_short(&self, lanes: usize) -> bool {
        let width = self.width();
        let possible = match self.task {
            Task::Add | Task::Sub | Task::And | Task::Or | Task::Xor | Task::Eq | Task::Ne => true,
            Task::Mux | Task::Place | Task::PlaceOr | Task::Convert(_) | Task::Narrow(_) | Task::MixedAdd(_) => true,
            // There is no shift of 64-bit lanes that keeps the sign.
            Task::Field => width < 8 || !self.host.signed,
            Task::Lt | Task::Le => width < 8 || self.host.signed,
            Task::Mul => width == 2 || width == 4,
            Task::MixedMul(_) => width < 8,
            Task::Update => self.immediate == 1,
            Task::Shl | Task::Shr | Task::Splat | Task::Copy | Task::UpdateSum(_) | Task::MovingAdd => false,
        };
        possible && are_few(lanes, width)
    }
}

/// True for so many lanes of `bytes` bytes that a call is not worth it.
pub(super) fn are_few(lanes: usize, bytes: u32) -> bool {
    lanes <= MOST_VECTORS * (VECTOR / bytes) as usize
}

/// A part of concatenations.
#[derive(Clone, Debug)]
pub(super) struct WordPart {
    /// The part in all lanes.
    pub(super) from: Operand,
    /// Its host type.
    pub(super) host: Host,
    /// Where its lowest bit goes.
    pub(super) at: u32,
    /// Bits that are taken of it, if not all that there are.
    pub(super) cut: Option<u32>,
}

/// Lanes `first..end`, behind which those up to `limit` may be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes {
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) limit: usize,
}

impl Lanes {
    /// Vectors of lanes of `bytes` bytes: the first lane of each, and how many there are, a power of two.
    fn vectors(self, bytes: u32) -> impl Iterator<Item = (usize, u32)> {
        let mut lane = self.first;
        std::iter::from_fn(move || {
            if lane >= self.end {
                return None;
            }
            let mut count = (VECTOR / bytes) as usize;
            while count > self.limit - lane {
                count /= 2;
            }
            lane += count;
            Some((lane - count, count as u32))
        })
    }
}

fn lane_type(bytes: u32) -> Type {
    match bytes {
        1 => types::I8X16,
        2 => types::I16X8,
        4 => types::I32X4,
        _ => types::I64X2,
    }
}

impl Body<'_> {
    /// Computes some lanes.
    ///
    /// Results that are narrower than what they are computed in are stored a whole vector at a time where there are as
    /// many: a processor waits for narrow stores when they are loaded together.
    pub(super) fn vectors(&mut self, work: &Work<'_>, lanes: Lanes) {
        let (width, (to, result)) = (work.width(), work.to);
        let (most, whole) = ((VECTOR / width) as usize, (VECTOR / result) as usize);
        let Lanes { mut first, end, limit } = lanes;
        while result < width && first < end && limit - first >= whole {
            let mut parts: Vec<Ssa> = Vec::new();
            for lane in (first..first + whole).step_by(most) {
                // Behind the last lane anything may stand.
                let part = if lane < end { self.vector(work, lane, most as u32) } else { parts[0] };
                parts.push(part);
            }
            let packed = self.pack_lanes(parts, width, result);
            let packed = self.finished(work, packed, result);
            self.store_lanes(packed, result, to.plus(first as u32 * result), result, whole as u32);
            first += whole;
        }
        for (lane, count) in (Lanes { first, end, limit }).vectors(width) {
            let value = self.vector(work, lane, count);
            let value = self.finished(work, value, width);
            self.store_lanes(value, width, to.plus(lane as u32 * result), result, count);
        }
    }

    /// Concatenations in some lanes.
    pub(super) fn concat(&mut self, parts: &[WordPart], (to, bytes): (Place, u32), lanes: Lanes) {
        for (lane, count) in lanes.vectors(bytes) {
            let placed = parts.iter().map(|part| self.placed(part, lane, count, bytes)).collect::<Vec<_>>();
            let whole = placed.into_iter().reduce(|low, high| self.builder.ins().bor(low, high));
            if let Some(whole) = whole {
                self.store_lanes(whole, bytes, to.plus(lane as u32 * bytes), bytes, count);
            }
        }
    }

    /// A part of concatenations where it belongs.
    fn placed(&mut self, part: &WordPart, lane: usize, count: u32, bytes: u32) -> Ssa {
        let Host { bytes: own, signed } = part.host;
        let mut value = self.load_lanes(part.from.place(lane), (own, signed), count, bytes);
        if let Some(size) = part.cut {
            value = self.field_lanes(value, lane_type(bytes), false, (0, size));
        }
        self.shift_lanes(value, part.at, |b, v, by| b.ins().ishl(v, by))
    }

    /// Vectors of lanes that come by turns from two places.
    pub(super) fn interleave(&mut self, to: Place, from: [Place; 2], bytes: u32, vectors: u32) {
        let lanes = VECTOR / bytes;
        for vector in 0..vectors {
            let [a, b] = from.map(|place| {
                let lanes = self.load_lanes(place.plus(vector * VECTOR), (bytes, false), lanes, bytes);
                self.view(lanes, types::I8X16)
            });
            for half in 0..2 {
                let pairs = half * lanes / 2..(half + 1) * lanes / 2;
                let taken = pairs.flat_map(|lane| [lane * bytes, VECTOR + lane * bytes]);
                let mask: Vec<u8> = taken.flat_map(|first| (first..first + bytes).map(|byte| byte as u8)).collect();
                let mixed = self.shuffled(a, b, &mask);
                self.store_lanes(mixed, 1, to.plus((2 * vector + half) * VECTOR), 1, VECTOR);
            }
        }
    }

    /// Lanes of `bytes` bytes without what a narrower result does not have.
    fn finished(&mut self, work: &Work<'_>, value: Ssa, bytes: u32) -> Ssa {
        match work.task {
            Task::Narrow(_) => self.field_lanes(value, lane_type(bytes), work.host.signed, (0, work.size())),
            _ => value,
        }
    }

    /// The low `result` bytes of all lanes of some vectors in one vector.
    fn pack_lanes(&mut self, mut parts: Vec<Ssa>, mut width: u32, result: u32) -> Ssa {
        while width > result {
            let half = width / 2;
            parts = parts.chunks(2).map(|pair| self.narrow_lanes(pair[0], pair[1], width, half)).collect();
            width = half;
        }
        parts[0]
    }

    /// Bytes of two vectors.
    fn shuffled(&mut self, a: Ssa, b: Ssa, mask: &[u8]) -> Ssa {
        let mask = self.builder.func.dfg.immediates.push(ConstantData::from(mask));
        self.builder.ins().shuffle(a, b, mask)
    }

    /// The low halves of the lanes of two vectors.
    fn narrow_lanes(&mut self, a: Ssa, b: Ssa, width: u32, half: u32) -> Ssa {
        let (a, b) = (self.view(a, types::I8X16), self.view(b, types::I8X16));
        let lanes = VECTOR / width;
        let taken =
            |from: u32| (0..lanes).flat_map(move |l| (0..half).map(move |byte| (from + l * width + byte) as u8));
        let mask: Vec<u8> = taken(0).chain(taken(VECTOR)).collect();
        let narrow = self.shuffled(a, b, &mask);
        self.view(narrow, lane_type(half))
    }

    /// One integer in every lane.
    pub(super) fn repeat(&mut self, value: Ssa, bytes: u32, place: Place, lanes: u32) {
        let lane = lane_type(bytes).lane_type();
        let scalar = if bytes < 8 { self.builder.ins().ireduce(lane, value) } else { value };
        let vector = self.builder.ins().splat(lane_type(bytes), scalar);
        let lanes = Lanes { first: 0, end: lanes as usize, limit: lanes as usize };
        for (lane, count) in lanes.vectors(bytes) {
            self.store_lanes(vector, bytes, place.plus(lane as u32 * bytes), bytes, count);
        }
    }

    /// Two integers of eight bytes side by side.
    pub(super) fn store_halves(&mut self, [low, high]: [Ssa; 2], place: Place) {
        let low = self.builder.ins().scalar_to_vector(types::I64X2, low);
        let both = self.builder.ins().insertlane(low, high, 1);
        self.store_lanes(both, 8, place, 8, 2);
    }

    /// The lanes from `lane` on, in the width in which they are computed.
    fn vector(&mut self, work: &Work<'_>, lane: usize, count: u32) -> Ssa {
        let width = work.width();
        let ty = lane_type(width);
        let Host { bytes, signed } = work.host;
        let (to, result) = work.to;
        let target = to.plus(lane as u32 * result);
        let load = |body: &mut Self, index: usize, bytes: u32, signed: bool| {
            body.load_lanes(work.operands[index].place(lane), (bytes, signed), count, width)
        };
        match work.task {
            Task::Mux => {
                let flags = load(self, 0, 1, false);
                let (a, b) = (load(self, 1, bytes, signed), load(self, 2, bytes, signed));
                self.choose(ty, flags, a, b)
            }
            Task::Update => {
                let (new, flags) = (load(self, 0, bytes, signed), load(self, 1, 1, false));
                let old = self.load_lanes(target, (bytes, signed), count, width);
                self.choose(ty, flags, new, old)
            }
            Task::Field | Task::Place | Task::PlaceOr => {
                let a = load(self, 0, bytes, signed);
                let (low, size) = (work.low(), work.size());
                match work.task {
                    Task::Field => self.field_lanes(a, ty, signed, (low, size)),
                    _ => {
                        let cut = self.field_lanes(a, ty, false, (0, size));
                        let placed = self.shift_lanes(cut, low, |b, v, by| b.ins().ishl(v, by));
                        if work.task == Task::Place {
                            placed
                        } else {
                            let old = self.load_lanes(target, (bytes, signed), count, width);
                            self.builder.ins().bor(old, placed)
                        }
                    }
                }
            }
            Task::Convert(_) => load(self, 0, bytes, signed),
            // What is above them goes when they are narrow.
            Task::Narrow(_) => {
                let a = load(self, 0, bytes, false);
                self.shift_lanes(a, work.low(), |b, v, by| b.ins().ushr(v, by))
            }
            Task::MixedAdd(m) | Task::MixedMul(m) => {
                let (a, b) = (load(self, 0, m.a, true), load(self, 1, m.b, true));
                match work.task {
                    Task::MixedAdd(_) => self.builder.ins().iadd(a, b),
                    _ => self.builder.ins().imul(a, b),
                }
            }
            _ => {
                let (a, b) = (load(self, 0, bytes, signed), load(self, 1, bytes, signed));
                self.binary_lanes(work.task, signed, a, b, ty)
            }
        }
    }

    fn binary_lanes(&mut self, task: Task, signed: bool, a: Ssa, b: Ssa, ty: Type) -> Ssa {
        let code = match (task, signed) {
            (Task::Add, _) => return self.builder.ins().iadd(a, b),
            (Task::Sub, _) => return self.builder.ins().isub(a, b),
            (Task::Mul, _) => return self.builder.ins().imul(a, b),
            (Task::And, _) => return self.builder.ins().band(a, b),
            (Task::Or, _) => return self.builder.ins().bor(a, b),
            (Task::Xor, _) => return self.builder.ins().bxor(a, b),
            (Task::Eq, _) => IntCC::Equal,
            (Task::Ne, _) => IntCC::NotEqual,
            (Task::Lt, true) => IntCC::SignedLessThan,
            (Task::Lt, false) => IntCC::UnsignedLessThan,
            (_, true) => IntCC::SignedLessThanOrEqual,
            (_, false) => IntCC::UnsignedLessThanOrEqual,
        };
        let mask = self.builder.ins().icmp(code, a, b);
        let one = self.splat_lanes(ty, 1);
        self.builder.ins().band(mask, one)
    }

    /// `if flag { a } else { b }`; flags are 0 or 1.
    fn choose(&mut self, ty: Type, flags: Ssa, a: Ssa, b: Ssa) -> Ssa {
        let zero = self.splat_lanes(ty, 0);
        let mask = self.builder.ins().isub(zero, flags);
        self.builder.ins().bitselect(mask, a, b)
    }

    fn splat_lanes(&mut self, ty: Type, value: u64) -> Ssa {
        let lane = ty.lane_type();
        let kept = value & (u64::MAX >> (64 - lane.bits()));
        let scalar = self.builder.ins().iconst(lane, kept as i64);
        self.builder.ins().splat(ty, scalar)
    }

    fn shift_lanes(
        &mut self,
        value: Ssa,
        by: u32,
        shift: impl FnOnce(&mut cranelift_frontend::FunctionBuilder<'_>, Ssa, Ssa) -> Ssa,
    ) -> Ssa {
        if by == 0 {
            return value;
        }
        let by = self.builder.ins().iconst(types::I32, i64::from(by));
        shift(&mut self.builder, value, by)
    }

    /// `size` bits from `low` on, sign- or zero-extended.
    fn field_lanes(&mut self, value: Ssa, ty: Type, signed: bool, (low, size): (u32, u32)) -> Ssa {
        let bits = ty.lane_bits();
        if size == bits {
            return value;
        }
        if signed {
            let up = self.shift_lanes(value, bits - low - size, |b, v, by| b.ins().ishl(v, by));
            return self.shift_lanes(up, bits - size, |b, v, by| b.ins().sshr(v, by));
        }
        let down = self.shift_lanes(value, low, |b, v, by| b.ins().ushr(v, by));
        if low + size >= bits {
            return down;
        }
        let mask = self.splat_lanes(ty, u64::MAX >> (64 - size));
        self.builder.ins().band(down, mask)
    }

    fn view(&mut self, value: Ssa, ty: Type) -> Ssa {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        self.builder.ins().bitcast(ty, MemFlagsData::new().with_endianness(Endianness::Little), value)
    }

    /// `count` lanes of `bytes` bytes in the low lanes of a vector with lanes of `width` bytes.
    fn load_lanes(&mut self, place: Place, (bytes, signed): (u32, bool), count: u32, width: u32) -> Ssa {
        let pointer = self.base(place.base);
        let offset = place.offset as i32;
        let mut vector = match count * bytes {
            VECTOR => self.builder.ins().load(lane_type(bytes), Self::flags(), pointer, offset),
            size => {
                let (flags, ins) = (Self::flags(), self.builder.ins());
                let low = match size {
                    8 => ins.load(types::I64, flags, pointer, offset),
                    4 => ins.load(types::I32, flags, pointer, offset),
                    2 => ins.uload16(types::I32, flags, pointer, offset),
                    _ => ins.uload8(types::I32, flags, pointer, offset),
                };
                let vector = self.builder.ins().scalar_to_vector(lane_type(size.max(4)), low);
                self.view(vector, lane_type(bytes))
            }
        };
        let mut at = bytes;
        while at < width {
            vector = match signed {
                true => self.builder.ins().swiden_low(vector),
                false => self.builder.ins().uwiden_low(vector),
            };
            at *= 2;
        }
        vector
    }

    /// The low `bytes` bytes of `count` lanes side by side.
    fn store_lanes(&mut self, value: Ssa, width: u32, place: Place, bytes: u32, count: u32) {
        let mut vector = value;
        if bytes < width {
            let source = self.view(vector, types::I8X16);
            let taken = (0..count).flat_map(|lane| (0..bytes).map(move |byte| (lane * width + byte) as u8));
            let mut mask: Vec<u8> = taken.collect();
            mask.resize(VECTOR as usize, 0);
            vector = self.shuffled(source, source, &mask);
        }
        let pointer = self.base(place.base);
        let size = count * bytes;
        let stored = if size == VECTOR {
            vector
        } else {
            let lanes = self.view(vector, lane_type(size));
            self.builder.ins().extractlane(lanes, 0)
        };
        self.builder.ins().store(Self::flags(), stored, pointer, place.offset as i32);
    }
}
