//! Rule 3: expressions are well formed.

use super::VerifyError;
use crate::{BinaryOp, Expr, ExprKind, Module, UnaryOp, walk};
use std::collections::HashSet;

/// Checks all expressions of a module; shared nodes once.
pub fn check(module: &Module) -> Result<(), VerifyError> {
    if let Some(signal) = module.signals.iter().find(|s| s.ty.total_width() == 0) {
        let place = format!("signal `{}`", signal.name);
        return Err(error(module, place, "has no bits; give it a width of at least 1".to_owned()));
    }
    let mut seen = HashSet::new();
    let mut result = Ok(());
    walk::roots(module, &mut |root| {
        if result.is_ok() {
            result = tree(module, root, &mut seen);
        }
    });
    result
}

fn error(module: &Module, place: String, problem: String) -> VerifyError {
    VerifyError::Expression { module: module.name.clone(), place, problem }
}

fn tree(module: &Module, root: &Expr, seen: &mut HashSet<usize>) -> Result<(), VerifyError> {
    let mut pending = vec![root];
    while let Some(expr) = pending.pop() {
        if !seen.insert(expr.node_id()) {
            continue;
        }
        if let Some(problem) = problem(module, expr) {
            return Err(error(module, near(module, root), problem));
        }
        pending.extend(walk::operands(expr));
    }
    Ok(())
}

/// Names the signals that an expression reads, for the reader of an error.
fn near(module: &Module, root: &Expr) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![root];
    while let Some(expr) = pending.pop() {
        if !seen.insert(expr.node_id()) {
            continue;
        }
        if let ExprKind::Signal(id) | ExprKind::Element(id, _) = expr.kind() {
            names.extend(module.signals.get(id.index()).map(|s| s.name.as_str()));
        }
        pending.extend(walk::operands(expr));
    }
    names.sort_unstable();
    names.dedup();
    names.truncate(6);
    if names.is_empty() { "a constant expression".to_owned() } else { format!("expression of `{}`", names.join("`, `")) }
}

fn problem(module: &Module, expr: &Expr) -> Option<String> {
    let (width, signed) = (expr.width(), expr.is_signed());
    if width == 0 {
        return Some("a value of no bits; slice or shift less".to_owned());
    }
    let fails = |wrong: bool, text: String| wrong.then_some(text);
    match expr.kind() {
        ExprKind::Const(bits) => fails(bits.width() != width, format!("a constant of {} bits as {width}", bits.width())),
        ExprKind::Signal(id) => match module.signals.get(id.index()) {
            None => Some("a signal of another module; use this builder's handles".to_owned()),
            Some(s) => fails(
                s.ty.total_width() != width,
                format!("`{}` of {} bits read as {width}; use this builder's handle", s.name, s.ty.total_width()),
            ),
        },
        ExprKind::Element(id, index) => match module.signals.get(id.index()) {
            None => Some("an element of another module's signal; use this builder's handles".to_owned()),
            Some(s) if *index >= s.ty.elements() => {
                Some(format!("element {index} of `{}`, which has {}", s.name, s.ty.elements()))
            }
            Some(s) => fails(s.ty.width != width, format!("an element of `{}` read as {width} bits", s.name)),
        },
        ExprKind::Slice(a, low) => fails(
            low + width > a.width() || signed,
            format!("bits {low}..{} of a value of {} bits; slice within it", low + width, a.width()),
        ),
        ExprKind::Concat(parts) => {
            fails(parts.iter().map(Expr::width).sum::<u32>() != width || signed, "a concatenation of other width".into())
        }
        ExprKind::Extend(a) => fails(
            a.width() > width || a.is_signed() != signed,
            format!("an extension of {} bits to {width}; truncate to make a value narrower", a.width()),
        ),
        ExprKind::Cast(a) => fails(a.width() != width, "a change of signedness with another width".to_owned()),
        ExprKind::Unary(op, a) => {
            let expected = if matches!(op, UnaryOp::Not | UnaryOp::Neg) { a.width() } else { 1 };
            fails(expected != width, format!("a unary result of {width} bits; it has {expected}"))
        }
        ExprKind::Binary(op, a, b) => binary(*op, a, b, width),
        ExprKind::Mux(c, a, b) => {
            let alike = [a, b].iter().all(|e| e.width() == width && e.is_signed() == signed);
            fails(c.width() != 1, format!("a condition of {} bits; compare it with a number", c.width()))
                .or(fails(!alike, "branches of different types; extend the narrower one".to_owned()))
        }
        ExprKind::Select(_, options) => {
            let alike = options.iter().all(|e| e.width() == width && e.is_signed() == signed);
            fails(options.is_empty(), "a selection without options; give at least one".to_owned())
                .or(fails(!alike, "options of different types; extend the narrower ones".to_owned()))
        }
    }
}

fn binary(op: BinaryOp, a: &Expr, b: &Expr, width: u32) -> Option<String> {
    let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
    let compares = matches!(op, BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le);
    if shift && b.is_signed() {
        return Some("a shift by a signed amount; make the amount unsigned".to_owned());
    }
    if !shift && (a.width() != b.width() || a.is_signed() != b.is_signed()) {
        return Some("operands of different types; extend the narrower one".to_owned());
    }
    let expected = if compares { 1 } else { a.width() };
    (expected != width).then(|| format!("a result of {width} bits; it has {expected}"))
}
