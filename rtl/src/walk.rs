//! Visits of a module's expressions.

use crate::{Connection, Expr, ExprKind, Module, SignalId, Statement};
use std::collections::BTreeSet;

/// Calls `visit` with every expression that a module holds, in a fixed order.
pub fn roots<'m>(module: &'m Module, visit: &mut dyn FnMut(&'m Expr)) {
    module.assigns.iter().for_each(|a| visit(&a.value));
    module.processes.iter().for_each(|p| statement_roots(&p.body, visit));
    for register in &module.registers {
        visit(&register.next);
        register.enable.iter().for_each(&mut *visit);
    }
    for memory in &module.memories {
        for port in &memory.writes {
            [&port.enable, &port.address, &port.data].into_iter().chain(&port.mask).for_each(&mut *visit);
        }
        for port in &memory.reads {
            [&port.enable, &port.address].into_iter().for_each(&mut *visit);
        }
    }
    for instance in &module.instances {
        for (_, connection) in &instance.connections {
            if let Connection::Input(expr) = connection {
                visit(expr);
            }
        }
    }
}

/// As [`roots`], of statements.
pub fn statement_roots<'m>(body: &'m [Statement], visit: &mut dyn FnMut(&'m Expr)) {
    for statement in body {
        match statement {
            Statement::Assign(_, value) => visit(value),
            Statement::If(condition, then, otherwise) => {
                visit(condition);
                statement_roots(then, visit);
                statement_roots(otherwise, visit);
            }
            Statement::Case(subject, arms, default) => {
                visit(subject);
                arms.iter().for_each(|(_, arm)| statement_roots(arm, visit));
                statement_roots(default, visit);
            }
        }
    }
}

/// Operands of an expression, in order.
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    match expr.kind() {
        ExprKind::Const(_) | ExprKind::Signal(_) | ExprKind::Element(..) => Vec::new(),
        ExprKind::Slice(a, _) | ExprKind::Extend(a) | ExprKind::Cast(a) | ExprKind::Unary(_, a) => vec![a],
        ExprKind::Concat(parts) => parts.iter().collect(),
        ExprKind::Binary(_, a, b) => vec![a, b],
        ExprKind::Mux(c, a, b) => vec![c, a, b],
        ExprKind::Select(selector, options) => std::iter::once(selector).chain(options).collect(),
    }
}

/// Bits that an expression reads, as `(signal, lowest bit, width)`; shared nodes are visited once.
pub fn reads(module: &Module, expr: &Expr) -> BTreeSet<(SignalId, u32, u32)> {
    let mut found = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        if !seen.insert(expr.node_id()) {
            continue;
        }
        match leaf(module, expr) {
            Some(leaf) => drop(found.insert(leaf)),
            None => pending.extend(operands(expr)),
        }
    }
    found
}

/// The bits of a signal, if the expression is nothing else.
fn leaf(module: &Module, expr: &Expr) -> Option<(SignalId, u32, u32)> {
    match expr.kind() {
        ExprKind::Signal(id) => Some((*id, 0, expr.width())),
        ExprKind::Element(id, index) => Some((*id, index * module.signal(*id).ty.width, expr.width())),
        ExprKind::Slice(a, low) => leaf(module, a).map(|(id, at, _)| (id, at + low, expr.width())),
        ExprKind::Cast(a) => leaf(module, a),
        _ => None,
    }
}
