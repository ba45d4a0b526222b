//! Random registers and memories.

use super::Generator;
use crate::{Bits, Direction, Expr, Memory, MemoryStyle, Module, ModuleBuilder, ReadPort, SignalKind, Ty, WritePort};

/// Words that are named as initial ones at most.
const MOST_WORDS: u32 = 40;

/// A memory whose read data are declared, so that expressions may use them, and that has no ports yet.
pub(super) struct Planned {
    width: u32,
    depth: u32,
    parts: u32,
    data: Vec<Expr>,
}

impl Generator<'_> {
    /// Declares registers, which join the pool.
    pub(super) fn registers(&mut self, m: &mut ModuleBuilder, count: u32) -> Vec<(Expr, Ty)> {
        (0..count)
            .map(|_| {
                let ty = self.ty();
                let register = m.reg_declare(&self.name("r"), ty.clone());
                self.pool.push(register.clone());
                (register, ty)
            })
            .collect()
    }

    /// Gives them next values, some an enable, some a reset.
    pub(super) fn drive(&mut self, m: &mut ModuleBuilder, registers: Vec<(Expr, Ty)>) {
        for (register, ty) in registers {
            self.drive_one(m, &register, &ty);
        }
    }

    pub(super) fn drive_one(&mut self, m: &mut ModuleBuilder, register: &Expr, ty: &Ty) {
        let next = self.of(ty);
        let enable = self.chance(1, 2).then(|| self.bit());
        let reset = (self.chance(1, 2) || self.style.known).then(|| self.choices.below(u64::MAX));
        m.drive(register, &next, enable.as_ref(), reset);
    }

    /// A shift chain: registers that pass a value on.
    pub(super) fn delay(&mut self, m: &mut ModuleBuilder) {
        let value = self.any();
        let stages = self.within(1..=6);
        let name = self.name("d");
        let delayed = if self.style.known {
            (0..stages).fold(value, |v, i| m.reg_reset(&format!("{name}_{i}"), &v, 0))
        } else {
            m.delay(&name, &value, stages)
        };
        self.pool.push(delayed);
    }

    /// Declares the read data of a memory of one to three read ports.
    pub(super) fn plan_memory(&mut self, m: &mut ModuleBuilder) -> Planned {
        let (parts, part) = (self.within(1..=5), self.within(1..=40));
        let width = parts * part;
        let depth = match self.below(3) {
            0 => 1 << self.within(1..=5),
            _ if self.style.known => 8,
            1 => self.within(2..=9),
            _ => self.within(10..=300),
        };
        let data: Vec<Expr> =
            (0..self.within(1..=3)).map(|_| m.reg_declare(&self.name("q"), Ty::bits(width))).collect();
        self.pool.extend(data.iter().map(|q| if width > self.style.widest { q.slice(0, part) } else { q.clone() }));
        Planned { width, depth, parts, data }
    }

    /// Adds a planned memory with up to two write ports to the finished module.
    pub(super) fn add_memory(&mut self, module: &mut Module, planned: Planned) {
        let Planned { width, depth, parts, data } = planned;
        let bits = depth.next_power_of_two().ilog2().max(1);
        // Where all has to be known, ports depend on inputs alone; those come first in the pool.
        let all = self.pool.clone();
        if self.style.known {
            self.pool.retain(|e| e.as_signal().is_some_and(|id| module.signal(id).kind == SignalKind::Input));
        }
        let writes = (0..self.below(3))
            .map(|_| WritePort {
                enable: self.bit(),
                address: self.limited(bits).as_unsigned(),
                data: self.of(&Ty::bits(width)),
                mask: self.chance(1, 2).then(|| self.of(&Ty::bits(parts))),
            })
            .collect();
        let mut reads = Vec::new();
        for expr in data {
            let Some(id) = expr.as_signal() else { continue };
            module.signals[id.index()].kind = SignalKind::ReadData;
            let enable = if self.style.known || self.chance(1, 3) { Expr::lit(1, 1) } else { self.bit() };
            reads.push(ReadPort { enable, address: self.limited(bits).as_unsigned(), data: id });
        }
        self.pool = all;
        let words = if self.style.known { depth } else { self.below(depth.min(MOST_WORDS) + 1) };
        let init: Vec<Bits> = (0..words).map(|_| self.limbs(width)).collect();
        let init = (!init.is_empty()).then_some(init);
        let style = [MemoryStyle::Auto, MemoryStyle::Block, MemoryStyle::Distributed][self.below(3) as usize];
        let name = self.name("memory");
        module.memories.push(Memory { name, width, depth, init, style, writes, reads, doc: String::new() });
    }

    /// Makes the first read data of a planned memory an output port.
    pub(super) fn expose(planned: &Planned, module: &mut Module) {
        if let Some(id) = planned.data.first().and_then(Expr::as_signal) {
            module.signals[id.index()].port = Some(Direction::Output);
        }
    }
}
