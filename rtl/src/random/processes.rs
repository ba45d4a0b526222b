//! Random combinational processes: branches and cases that assign on every path.

use super::Generator;
use crate::{Bits, Expr, ModuleBuilder, SignalId, Statement, Ty};

/// Deepest nesting.
const DEPTH: u32 = 3;

impl Generator<'_> {
    /// A process that drives one to three wires, which join the pool.
    pub(super) fn process(&mut self, m: &mut ModuleBuilder) {
        let wires: Vec<(Expr, Ty)> = (0..self.within(1..=3))
            .map(|_| {
                let ty = self.ty();
                (m.declare(&self.name("p"), ty.clone()), ty)
            })
            .collect();
        let targets: Vec<(SignalId, Ty)> = wires.iter().map(|(wire, ty)| (m.id(wire), ty.clone())).collect();
        // A value for every path; what follows may overwrite it.
        let mut body: Vec<Statement> = targets.iter().map(|(id, ty)| Statement::Assign(*id, self.of(ty))).collect();
        // From here on the wires may be read, too.
        let outer = self.pool.len();
        self.pool.extend(wires.iter().map(|(wire, _)| wire.clone()));
        body.extend(self.statements(&targets, DEPTH));
        self.pool.truncate(outer);
        m.process(body);
        self.pool.extend(wires.into_iter().map(|(wire, _)| wire));
    }

    fn statements(&mut self, targets: &[(SignalId, Ty)], depth: u32) -> Vec<Statement> {
        (0..self.below(3)).map(|_| self.statement(targets, depth)).collect()
    }

    fn statement(&mut self, targets: &[(SignalId, Ty)], depth: u32) -> Statement {
        let kind = if depth == 0 { 0 } else { self.below(4) };
        match kind {
            0 | 1 => {
                let (id, ty) = targets[self.below(targets.len() as u32) as usize].clone();
                Statement::Assign(id, self.of(&ty))
            }
            2 => {
                let condition = self.bit();
                let then = self.statements(targets, depth - 1);
                Statement::If(condition, then, self.statements(targets, depth - 1))
            }
            _ => {
                let subject = self.limited(4).as_unsigned();
                let arms = (0..self.within(1..=1 << subject.width().min(2)))
                    .map(|i| (Bits::new(subject.width(), u128::from(i)), self.statements(targets, depth - 1)))
                    .collect();
                Statement::Case(subject, arms, self.statements(targets, depth - 1))
            }
        }
    }
}
