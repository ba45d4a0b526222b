//! From a kernel expression to an expression of exact widths, refusing what Verilog reads otherwise.
//!
//! Each expression has its Rust type and, on its way down, the context in which Verilog would evaluate
//! rust-hdl's print of it. Every value carries whether its bits in that context are the Rust value
//! extended ([`Value::exact`]), or whether only the low bits, as many as the Rust type has, agree: a
//! sum computed in a wider context keeps its carry, a complement has ones above. Where upper bits are
//! looked at (comparison, widening cast, right shift), an inexact operand is refused.

use super::circuit::Type;
use super::node::{Context, LITERAL_WIDTH, Node, operator, precedence};
use crate::{BinaryOp, Bits, Expr, ExprKind};
use rust_hdl_core::ast::{VerilogOp, VerilogOpUnary};

/// A lowered expression.
pub struct Value {
    /// Of the width of the Rust type.
    pub expr: Expr,
    /// Rust type.
    pub ty: Type,
    /// Whether Verilog's value in the context is this one, extended.
    pub exact: bool,
}

/// Why an expression is refused.
#[derive(Debug)]
pub struct Refusal {
    /// Whether the two languages may differ; otherwise the form is merely not known.
    pub differs: bool,
    /// The expression.
    pub expression: String,
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub remedy: String,
}

type Lowered = Result<Value, Refusal>;

fn differs(node: &Node, reason: String, remedy: String) -> Refusal {
    Refusal { differs: true, expression: node.text(), reason, remedy }
}

fn unsupported(node: &Node, reason: &str, remedy: &str) -> Refusal {
    Refusal { differs: false, expression: node.text(), reason: reason.to_owned(), remedy: remedy.to_owned() }
}

/// `part` of `node` is looked at in more bits than it has in Rust.
fn too_wide(node: &Node, part: &Node, ty: Type, context: Context) -> Refusal {
    let part = part.bare().text();
    differs(
        node,
        format!("`{part}` has {} bits in Rust and is computed in {} bits in Verilog", ty.width, context.width),
        format!("assign `{part}` to a `Local` signal and use that signal here"),
    )
}

/// Value assigned to a target: only the target's bits matter.
pub fn assigned(node: &Node, target: Type) -> Result<Expr, Refusal> {
    let own = node.verilog();
    let context = Context { width: own.width.max(target.width), signed: own.signed };
    let value = lower(node, Some(target), context)?;
    if value.ty != target {
        return Err(unsupported(node, "its type is not that of the target", "cast it with `bit_cast`"));
    }
    Ok(value.expr)
}

/// Value of an operand that Verilog sizes by itself and that must be right in all its bits.
pub fn alone(node: &Node, want: Option<Type>) -> Lowered {
    in_context(node, node, want, node.verilog())
}

/// Value of `part`, right in all bits of the context; `node` is quoted if it is not.
pub fn in_context(node: &Node, part: &Node, want: Option<Type>, context: Context) -> Lowered {
    let value = lower(part, want, context)?;
    if value.exact { Ok(value) } else { Err(too_wide(node, part, value.ty, context)) }
}

fn lower(node: &Node, want: Option<Type>, context: Context) -> Lowered {
    let Some(ty) = node.natural().or(want) else {
        return Err(unsupported(
            node,
            "its width does not show in rust-hdl's tree",
            "assign it to a `Local` signal and use that signal here",
        ));
    };
    if context.width < ty.width {
        return Err(too_wide(node, node, ty, context));
    }
    let (expr, exact) = value(node, ty, context)?;
    let expr = if ty.is_signed() { expr.as_signed() } else { expr.as_unsigned() };
    // In a context of just its width a value has no upper bits to go wrong.
    Ok(Value { expr, ty, exact: exact || context.width == ty.width })
}

fn value(node: &Node, ty: Type, context: Context) -> Result<(Expr, bool), Refusal> {
    match node {
        Node::Signal { value, verilog_signed, .. } => {
            Ok((value.clone(), !ty.is_signed() || (*verilog_signed && context.signed)))
        }
        Node::State { code, .. } => Ok((Expr::constant(code.clone()), true)),
        Node::Literal { value, .. } => literal(node, *value, ty),
        Node::Cast(inner, width) => cast(node, inner, *width, context),
        Node::Signed(inner) => signed(node, inner, ty, context),
        Node::Unsigned(inner) => {
            let value = alone(inner, None)?;
            same_width(node, inner, &value)?;
            Ok((value.expr, true))
        }
        Node::Paren(inner) => lower(inner, Some(ty), context).map(|v| (v.expr, v.exact)),
        Node::Unary(op, inner) => unary(node, op, inner, ty, context),
        Node::Binary(left, op, right) => {
            bound(node, left, op, right)?;
            binary(node, (left, op, right), ty, context)
        }
        Node::Index(base, index) => part(node, base, index, 1),
        Node::Slice(base, width, low) => part(node, base, low, *width),
        Node::Replace(base, index, bit) => replace(node, (base, index, bit), context),
    }
}

fn literal(node: &Node, value: u128, ty: Type) -> Result<(Expr, bool), Refusal> {
    let room = ty.width - u32::from(ty.is_signed());
    if room < 128 && value >> room != 0 {
        let reason = format!("it does not fit the {} bits of its type", ty.width);
        return Err(unsupported(node, &reason, "use a smaller number or a wider signal"));
    }
    Ok((Expr::constant(Bits::new(ty.width, value)), true))
}

/// Printed as `((inner) & mask)`: the mask zero-extends to the context, the inner expression need not.
fn cast(node: &Node, inner: &Node, width: u32, context: Context) -> Result<(Expr, bool), Refusal> {
    let want = matches!(inner.bare(), Node::Literal { .. }).then(|| Type::bits(width));
    let value = lower(inner, want, context)?;
    if width <= value.ty.width {
        return Ok((value.expr.trunc(width), true));
    }
    if !value.exact || value.ty.is_signed() {
        return Err(too_wide(node, inner, value.ty, context));
    }
    Ok((value.expr.extend(width), true))
}

fn same_width(node: &Node, inner: &Node, value: &Value) -> Result<(), Refusal> {
    let own = inner.verilog();
    if own.width == value.ty.width { Ok(()) } else { Err(too_wide(node, inner, value.ty, own)) }
}

/// Printed as `$signed(inner)`: the sign is extended by the context, if that is signed.
fn signed(node: &Node, inner: &Node, ty: Type, context: Context) -> Result<(Expr, bool), Refusal> {
    let value = alone(inner, None)?;
    same_width(node, inner, &value)?;
    let bits = value.expr.as_signed();
    let from = value.ty.width;
    if ty.width > from && !context.signed {
        return Err(differs(
            node,
            "an unsigned operand beside it makes Verilog extend it with zeros".to_owned(),
            "assign it to a `Local` signal, and the number beside it to another of type `Signed`".to_owned(),
        ));
    }
    if ty.width < from { Ok((bits.trunc(ty.width), false)) } else { Ok((bits.extend(ty.width), context.signed)) }
}

fn unary(node: &Node, op: &VerilogOpUnary, inner: &Node, ty: Type, context: Context) -> Result<(Expr, bool), Refusal> {
    match op {
        VerilogOpUnary::Not => Ok((!lower(inner, Some(ty), context)?.expr, false)),
        VerilogOpUnary::Neg => {
            let value = lower(inner, Some(ty), context)?.expr;
            Ok((raw(BinaryOp::Sub, Expr::constant(Bits::zero(ty.width)), value.as_unsigned()), false))
        }
        VerilogOpUnary::All | VerilogOpUnary::Any | VerilogOpUnary::Xor => {
            let value = alone(inner, None)?;
            same_width(node, inner, &value)?;
            let expr = match op {
                VerilogOpUnary::All => value.expr.all(),
                VerilogOpUnary::Any => value.expr.any(),
                _ => value.expr.parity(),
            };
            Ok((expr, true))
        }
    }
}

/// rust-hdl prints operands without parentheses: the tree must be what Verilog's precedence makes of it.
fn bound(node: &Node, left: &Node, op: &VerilogOp, right: &Node) -> Result<(), Refusal> {
    let check = |operand: &Node, inner: &VerilogOp, least: u32| {
        if precedence(inner) >= least {
            return Ok(());
        }
        Err(differs(
            node,
            format!("Verilog does not bind `{}` tighter than `{}` as Rust does", operator(inner), operator(op)),
            format!("write `({})`", operand.text()),
        ))
    };
    if let Node::Binary(_, inner, _) = left {
        check(left, inner, precedence(op))?;
    }
    if let Node::Binary(_, inner, _) = right {
        check(right, inner, precedence(op) + 1)?;
    }
    Ok(())
}

/// An operator of operands of one type, modulo 2^width.
fn raw(op: BinaryOp, a: Expr, b: Expr) -> Expr {
    let (width, signed) = (a.width(), a.is_signed());
    Expr::new(ExprKind::Binary(op, a, b), width, signed)
}

fn binary(
    node: &Node,
    (left, op, right): (&Node, &VerilogOp, &Node),
    ty: Type,
    context: Context,
) -> Result<(Expr, bool), Refusal> {
    let both = |op: BinaryOp| -> Result<(Expr, bool), Refusal> {
        let a = lower(left, Some(ty), context)?;
        let mut b = lower(right, Some(ty), context)?;
        if op == BinaryOp::Add && b.ty == Type::bits(1) && b.exact {
            // `bits + flag`.
            b = Value { expr: b.expr.extend(ty.width), ty: Type { width: ty.width, ..b.ty }, exact: true };
        }
        if a.ty != ty || b.ty != ty {
            return Err(unsupported(node, "its operands have different types", "cast one of them with `bit_cast`"));
        }
        let exact = a.exact && b.exact && !matches!(op, BinaryOp::Add | BinaryOp::Sub);
        Ok((raw(op, a.expr, b.expr), exact))
    };
    match op {
        VerilogOp::Add => both(BinaryOp::Add),
        VerilogOp::Sub => both(BinaryOp::Sub),
        VerilogOp::BitAnd => both(BinaryOp::And),
        VerilogOp::BitOr => both(BinaryOp::Or),
        VerilogOp::BitXor => both(BinaryOp::Xor),
        VerilogOp::Mul => product(node, left, right, ty, context),
        VerilogOp::Shl | VerilogOp::Shr => shift(node, (left, op, right), ty, context),
        VerilogOp::LogicalAnd => Ok((&flag(node, left)? & &flag(node, right)?, true)),
        VerilogOp::LogicalOr => Ok((&flag(node, left)? | &flag(node, right)?, true)),
        VerilogOp::Eq | VerilogOp::Ne | VerilogOp::Lt | VerilogOp::Le | VerilogOp::Gt | VerilogOp::Ge => {
            compare(node, left, op, right).map(|expr| (expr, true))
        }
    }
}

/// An operand of `&&` and `||`.
fn flag(node: &Node, operand: &Node) -> Result<Expr, Refusal> {
    in_context(node, operand, Some(Type::bits(1)), operand.verilog()).map(|v| v.expr)
}

fn compare(node: &Node, left: &Node, op: &VerilogOp, right: &Node) -> Result<Expr, Refusal> {
    let context = left.verilog().join(right.verilog());
    let want = left.natural().or_else(|| right.natural());
    let orders = !matches!(op, VerilogOp::Eq | VerilogOp::Ne);
    if orders && want.is_some_and(Type::is_signed) && !context.signed {
        return Err(differs(
            node,
            "an unsigned operand makes Verilog compare unsigned".to_owned(),
            "assign the number to a `Local` signal of type `Signed` and compare with that".to_owned(),
        ));
    }
    let a = in_context(node, left, want, context)?;
    let b = in_context(node, right, want, context)?;
    if a.ty != b.ty {
        return Err(unsupported(node, "its operands have different types", "cast one of them with `bit_cast`"));
    }
    let (a, b) = (a.expr, b.expr);
    Ok(match op {
        VerilogOp::Eq => a.eq(&b),
        VerilogOp::Ne => a.ne(&b),
        VerilogOp::Lt => a.lt(&b),
        VerilogOp::Le => a.le(&b),
        VerilogOp::Gt => a.gt(&b),
        _ => a.ge(&b),
    })
}

/// rust-hdl multiplies 16 by 16 bits only; the context of 32 bits extends both operands.
fn product(node: &Node, left: &Node, right: &Node, ty: Type, context: Context) -> Result<(Expr, bool), Refusal> {
    let half = Type { width: 16, ..ty };
    let a = in_context(node, left, Some(half), context)?;
    let b = in_context(node, right, Some(half), context)?;
    if a.ty != half || b.ty != half {
        return Err(unsupported(node, "its operands are not both of 16 bits", "cast them with `bit_cast`"));
    }
    Ok((raw(BinaryOp::Mul, a.expr.extend(32), b.expr.extend(32)), !ty.is_signed() || context.signed))
}

fn shift(
    node: &Node,
    (left, op, right): (&Node, &VerilogOp, &Node),
    ty: Type,
    context: Context,
) -> Result<(Expr, bool), Refusal> {
    let value = lower(left, Some(ty), context)?;
    let to_left = matches!(op, VerilogOp::Shl);
    if !to_left && !value.exact {
        return Err(too_wide(node, left, value.ty, context));
    }
    let width = ty.width;
    let expr = match right.bare() {
        Node::Literal { value: amount, .. } => {
            let amount = u32::try_from(*amount).unwrap_or(width).min(width);
            if amount == width {
                Expr::constant(Bits::zero(width))
            } else if to_left {
                value.expr.trunc(width - amount).shl_const(amount)
            } else {
                value.expr.shr_const(amount).extend(width)
            }
        }
        _ => {
            let amount = alone(right, None)?.expr;
            if to_left { value.expr.shl(&amount) } else { value.expr.shr(&amount) }
        }
    };
    Ok((expr, !to_left))
}

/// `get_bit` and `get_bits`.
fn part(node: &Node, base: &Node, low: &Node, width: u32) -> Result<(Expr, bool), Refusal> {
    let Node::Signal { value, ty, .. } = base else {
        return Err(unsupported(
            node,
            "Verilog takes bits of signals only",
            "assign the value to a `Local` signal and take the bits of that signal",
        ));
    };
    if ty.is_signed() {
        return Err(unsupported(
            node,
            "bits of a `Signed` value are unsigned in Verilog",
            "take `unsigned_cast` first",
        ));
    }
    let outside = || unsupported(node, "it reaches beyond the signal", "take fewer bits or from a lower place");
    match low.bare() {
        Node::Literal { value: at, .. } => {
            let at = u32::try_from(*at).map_err(|_| outside())?;
            if at.checked_add(width).is_none_or(|end| end > ty.width) {
                return Err(outside());
            }
            Ok((value.as_unsigned().slice(at, width), true))
        }
        _ if width > ty.width => Err(outside()),
        _ => {
            let at = alone(low, Some(Type::bits(LITERAL_WIDTH)))?.expr;
            Ok((value.as_unsigned().shr(&at).slice(0, width), true))
        }
    }
}

/// `replace_bit`, printed as `(base & ~(1 << (index)) | ((bit) << (index)))`.
fn replace(node: &Node, (base, index, bit): (&Node, &Node, &Node), context: Context) -> Result<(Expr, bool), Refusal> {
    if matches!(base, Node::Binary(..)) {
        return Err(differs(node, "Verilog binds it otherwise".to_owned(), format!("write `({})`", base.text())));
    }
    let value = lower(base, None, context)?;
    let bit = in_context(node, bit, Some(Type::bits(1)), context)?.expr;
    let index = alone(index, Some(Type::bits(LITERAL_WIDTH)))?.expr;
    let width = value.ty.width;
    let hole = !Expr::lit(1, width).shl(&index);
    let placed = bit.extend(width).shl(&index);
    Ok((&(&value.expr.as_unsigned() & &hole) | &placed, value.exact))
}
