//! Edits of a finished module, for planting faults and for tools that rewrite designs. What is left is not
//! verified here: call [`crate::verify`] afterwards.

use crate::{Expr, ExprKind, Module, SignalId, Statement};
use std::collections::BTreeMap;

/// A signal as an expression, for edits that refer to it.
pub fn value_of(module: &Module, signal: SignalId) -> Expr {
    let ty = &module.signal(signal).ty;
    Expr::new(ExprKind::Signal(signal), ty.total_width(), ty.signed && ty.is_scalar())
}

/// The expressions that drive a signal: of assignments, of statements in processes, next values of a register.
pub fn drivers(module: &mut Module, signal: SignalId) -> Vec<&mut Expr> {
    let mut found: Vec<&mut Expr> =
        module.assigns.iter_mut().filter(|a| a.target == signal).map(|a| &mut a.value).collect();
    found.extend(module.registers.iter_mut().filter(|r| r.signal == signal).map(|r| &mut r.next));
    for process in &mut module.processes {
        statement_drivers(&mut process.body, signal, &mut found);
    }
    found
}

fn statement_drivers<'m>(body: &'m mut [Statement], signal: SignalId, found: &mut Vec<&'m mut Expr>) {
    for statement in body {
        match statement {
            Statement::Assign(target, value) => {
                if *target == signal {
                    found.push(value);
                }
            }
            Statement::If(_, then, otherwise) => {
                statement_drivers(then, signal, found);
                statement_drivers(otherwise, signal, found);
            }
            Statement::Case(_, arms, default) => {
                arms.iter_mut().for_each(|(_, arm)| statement_drivers(arm, signal, found));
                statement_drivers(default, signal, found);
            }
        }
    }
}

/// `expr` with every outermost node for which `replacement` has another one exchanged for it.
pub fn replace(expr: &Expr, replacement: &dyn Fn(&Expr) -> Option<Expr>) -> Expr {
    replace_shared(expr, replacement, &mut BTreeMap::new())
}

/// Shared nodes are rewritten once, or deep selections would take exponential time.
fn replace_shared(expr: &Expr, replacement: &dyn Fn(&Expr) -> Option<Expr>, done: &mut BTreeMap<usize, Expr>) -> Expr {
    if let Some(known) = done.get(&expr.node_id()) {
        return known.clone();
    }
    let new = replacement(expr).unwrap_or_else(|| {
        let mut go = |e: &Expr| replace_shared(e, replacement, done);
        let kind = match expr.kind() {
            leaf @ (ExprKind::Const(_) | ExprKind::Signal(_) | ExprKind::Element(..)) => leaf.clone(),
            ExprKind::Slice(a, low) => ExprKind::Slice(go(a), *low),
            ExprKind::Concat(parts) => ExprKind::Concat(parts.iter().map(go).collect()),
            ExprKind::Extend(a) => ExprKind::Extend(go(a)),
            ExprKind::Cast(a) => ExprKind::Cast(go(a)),
            ExprKind::Unary(op, a) => ExprKind::Unary(*op, go(a)),
            ExprKind::Binary(op, a, b) => ExprKind::Binary(*op, go(a), go(b)),
            ExprKind::Mux(c, a, b) => ExprKind::Mux(go(c), go(a), go(b)),
            ExprKind::Select(s, options) => ExprKind::Select(go(s), options.iter().map(go).collect()),
        };
        Expr::new(kind, expr.width(), expr.is_signed())
    });
    done.insert(expr.node_id(), new.clone());
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Bits, Design, Interpreter, ModuleBuilder, Ty, verify};

    #[test]
    fn a_constant_is_exchanged_everywhere_in_a_driver() {
        let mut m = ModuleBuilder::new("top", "");
        let a = m.input("a", Ty::bits(8), "");
        m.output_as("b", &(&(&a + Expr::lit(1, 8)) + Expr::lit(1, 8)).trunc(8), "");
        let mut design = Design::new();
        let id = design.add(m.finish());
        let module = design.module_mut(id);
        let b = module.find("b").unwrap();
        let driver = drivers(module, b).remove(0);
        *driver = replace(driver, &|e| (*e == Expr::lit(1, 8)).then(|| Expr::lit(5, 8)));
        verify(&design).unwrap();
        let mut engine = Interpreter::new(&design).unwrap();
        engine.set_input("a", &Bits::new(8, 7)).unwrap();
        assert_eq!(engine.output("b").unwrap(), Bits::new(8, 17));
    }

    #[test]
    fn a_register_is_driven_by_its_next_value() {
        let mut m = ModuleBuilder::new("top", "");
        let a = m.input("a", Ty::bits(8), "");
        m.reg("r", &a);
        let mut module = m.finish();
        let r = module.find("r").unwrap();
        let looped = value_of(&module, r);
        *drivers(&mut module, r).remove(0) = looped.clone();
        assert_eq!(module.registers[0].next, looped);
    }
}
