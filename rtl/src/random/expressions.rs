//! Random types and expressions.

use super::Generator;
use crate::{Bits, Expr, ModuleBuilder, Ty, select};

/// Widest operands of a product, and of a shift by a value of the pool.
const FACTORS: [u32; 2] = [70, 40];

impl Generator<'_> {
    /// Widths of all kinds: flags, narrow words, words of up to a limb, and wider ones.
    pub(super) fn width(&mut self) -> u32 {
        let widest = self.style.widest;
        let width = match self.below(14) {
            0..4 => 1,
            4..9 => self.within(2..=33),
            9 => [8, 16, 32, 64][self.below(4) as usize],
            10 | 11 => self.within(33..=64),
            _ => self.within(65..=150),
        };
        width.min(widest)
    }

    pub(super) fn ty(&mut self) -> Ty {
        let width = self.width();
        if self.chance(1, 2) { Ty::signed(width) } else { Ty::bits(width) }
    }

    pub(super) fn limbs(&mut self, width: u32) -> Bits {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| self.choices.below(u64::MAX)).collect();
        match self.below(4) {
            0 => Bits::zero(width),
            1 => Bits::ones(width),
            _ => Bits::from_limbs(width, &limbs),
        }
    }

    /// A value of the pool, now and then a constant.
    pub(super) fn any(&mut self) -> Expr {
        if self.pool.is_empty() || self.chance(1, 16) {
            let width = self.width();
            return Expr::constant(self.limbs(width));
        }
        let index = self.below(self.pool.len() as u32);
        self.pool[index as usize].clone()
    }

    pub(super) fn bit(&mut self) -> Expr {
        let value = self.any();
        let index = self.below(value.width());
        value.bit(index)
    }

    /// A value of at most so many bits.
    pub(super) fn limited(&mut self, width: u32) -> Expr {
        let value = self.any();
        value.resize(value.width().min(width))
    }

    /// Values put together by one operator, or a few of them.
    pub(super) fn expr(&mut self) -> Expr {
        let (mut a, b) = (self.any(), self.any());
        if self.chance(1, 4) {
            a = self.operator(a, b.clone());
        }
        let value = self.operator(a, b);
        let widest = self.style.widest;
        if value.width() > widest { value.trunc(widest) } else { value }
    }

    fn operator(&mut self, a: Expr, b: Expr) -> Expr {
        match self.below(30) {
            0 => a & b,
            1 => a | b,
            2 => a ^ b,
            3 => !a,
            4 => a + b,
            5 => a - b,
            6 => self.limited(FACTORS[0]) * self.limited(FACTORS[1]),
            7 => a.eq(&b),
            8 => a.ne(&b),
            9 => a.lt(&b),
            10 => a.le(&b),
            11 => a.gt(&b),
            12 => a.ge(&b),
            13 => a.shl(&self.limited(7).as_unsigned()),
            14 => a.shr(&self.limited(7).as_unsigned()),
            15 => a.shr(&b.as_unsigned()),
            16 => a.shl_const(self.below(9)),
            17 => a.shr_const(self.below(a.width())),
            18 => -&a,
            19 => a.any(),
            20 => a.all(),
            21 => a.parity(),
            22 => self.bit().mux(&a, &b),
            23 => {
                let options: Vec<Expr> = (0..self.within(1..=9)).map(|_| self.any()).collect();
                select(&self.limited(4).as_unsigned(), &options)
            }
            24 => Expr::concat(&[a, b]),
            25 => Expr::concat(&vec![a; self.within(1..=3) as usize]),
            26 => a.as_signed(),
            27 => a.as_unsigned(),
            28 => {
                let low = self.below(a.width());
                a.slice(low, self.within(1..=a.width() - low))
            }
            _ => {
                let value = self.limited(60);
                value.saturate(self.within(2..=9))
            }
        }
    }

    /// An expression of a type.
    pub(super) fn of(&mut self, ty: &Ty) -> Expr {
        let value = self.expr().resize(ty.total_width());
        if ty.signed && ty.is_scalar() { value.as_signed() } else { value.as_unsigned() }
    }

    /// Adds `count` values to the pool, some of them with a name.
    pub(super) fn grow(&mut self, m: &mut ModuleBuilder, count: u32) {
        for _ in 0..count {
            let mut value = self.expr();
            if self.chance(1, 2) {
                value = m.wire(&self.name("w"), &value);
            }
            self.pool.push(value);
        }
    }

    /// A wire with lanes in one or two dimensions, driven as a whole or part by part; some elements join the pool.
    pub(super) fn lanes(&mut self, m: &mut ModuleBuilder) {
        let mut ty = self.ty().lanes(self.within(1..=5));
        ty.width = ty.width.min(40);
        if self.chance(1, 3) {
            ty = ty.lanes(self.within(1..=3));
        }
        let wire = m.declare(&self.name("lanes"), ty.clone());
        if self.chance(1, 2) {
            for part in 0..ty.dims[0] {
                let value = self.of(&Ty::bits(ty.part_width()));
                m.assign_part(&wire, part, &value);
            }
        } else {
            let parts: Vec<Expr> = (0..ty.elements()).map(|_| self.of(&Ty::bits(ty.width))).collect();
            m.assign(&wire, &Expr::concat_low_first(&parts));
        }
        for _ in 0..2 {
            let index = self.below(ty.elements());
            self.pool.push(m.element(&wire, index));
        }
        if ty.total_width() <= self.style.widest {
            self.pool.push(wire);
        }
    }
}
