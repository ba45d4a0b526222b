//! Expressions of a kernel with their names resolved, and what is known of them without context.

use super::circuit::{Kind, Type};
use crate::{Bits, Expr};
use rust_hdl_core::ast::{VerilogOp, VerilogOpUnary};

/// Width of an unsized literal in Verilog.
pub const LITERAL_WIDTH: u32 = 32;

/// A kernel expression, shaped as in Rust.
#[derive(Clone, Debug)]
pub enum Node {
    /// A signal or a `Constant`.
    Signal {
        /// As written in Rust.
        text: String,
        /// Its handle, or the constant.
        value: Expr,
        /// Rust type.
        ty: Type,
        /// Whether Verilog reads it as signed.
        verilog_signed: bool,
    },
    /// A state of an enum: an unsized constant in Verilog.
    State {
        /// As written in Rust.
        text: String,
        /// Its code.
        code: Bits,
    },
    /// A number or `true`, `false`.
    Literal {
        /// Its value.
        value: u128,
        /// Width that rust-hdl prints; 1 for a bool.
        width: u32,
    },
    /// `bit_cast`, `bits`: the value cut or zero-extended.
    Cast(Box<Node>, u32),
    /// `signed_cast`, or `signed_bit_cast` (whose width is lost).
    Signed(Box<Node>),
    /// `unsigned_cast`.
    Unsigned(Box<Node>),
    /// Parentheses.
    Paren(Box<Node>),
    /// Two operands.
    Binary(Box<Node>, VerilogOp, Box<Node>),
    /// One operand.
    Unary(VerilogOpUnary, Box<Node>),
    /// `get_bit`.
    Index(Box<Node>, Box<Node>),
    /// `get_bits::<width>`.
    Slice(Box<Node>, u32, Box<Node>),
    /// `replace_bit`.
    Replace(Box<Node>, Box<Node>, Box<Node>),
}

/// Width and signedness that Verilog gives an expression, alone or through its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Bits.
    pub width: u32,
    /// Whether operands are sign-extended.
    pub signed: bool,
}

impl Context {
    /// The context of two operands that are sized together.
    pub fn join(self, other: Self) -> Self {
        Self { width: self.width.max(other.width), signed: self.signed && other.signed }
    }
}

impl Node {
    /// The Rust type, as far as the tree shows it: neither literals nor `signed_bit_cast` do.
    pub fn natural(&self) -> Option<Type> {
        use VerilogOp as Op;
        match self {
            Self::Signal { ty, .. } => Some(*ty),
            Self::State { code, .. } => Some(Type::bits(code.width())),
            Self::Literal { width, .. } => (*width == 1).then(|| Type::bits(1)),
            Self::Cast(_, width) | Self::Slice(_, width, _) => Some(Type::bits(*width)),
            Self::Signed(inner) => match inner.natural()? {
                Type { kind: Kind::Unsigned, width } => Some(Type::signed(width)),
                Type { kind: Kind::Signed, .. } => None,
            },
            Self::Unsigned(inner) => inner.natural().map(|ty| Type::bits(ty.width)),
            Self::Paren(inner) | Self::Replace(inner, ..) => inner.natural(),
            Self::Index(..) => Some(Type::bits(1)),
            Self::Unary(VerilogOpUnary::Not | VerilogOpUnary::Neg, inner) => inner.natural(),
            Self::Unary(..) => Some(Type::bits(1)),
            Self::Binary(left, op, right) => match op {
                Op::Add | Op::Sub | Op::BitAnd | Op::BitOr | Op::BitXor => left.natural().or_else(|| right.natural()),
                Op::Mul => left.natural().or_else(|| right.natural()).map(|ty| Type { width: 32, ..ty }),
                Op::Shl | Op::Shr => left.natural(),
                Op::LogicalAnd | Op::LogicalOr | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                    Some(Type::bits(1))
                }
            },
        }
    }

    /// Width and signedness that Verilog gives the expression by itself.
    pub fn verilog(&self) -> Context {
        use VerilogOp as Op;
        let unsigned = |width| Context { width, signed: false };
        match self {
            Self::Signal { ty, verilog_signed, .. } => Context { width: ty.width, signed: *verilog_signed },
            Self::State { .. } => unsigned(LITERAL_WIDTH),
            Self::Literal { width, .. } | Self::Slice(_, width, _) => unsigned(*width),
            Self::Cast(inner, width) => unsigned(inner.verilog().width.max(*width)),
            Self::Signed(inner) => Context { signed: true, ..inner.verilog() },
            Self::Unsigned(inner) => unsigned(inner.verilog().width),
            Self::Paren(inner) | Self::Unary(VerilogOpUnary::Not | VerilogOpUnary::Neg, inner) => inner.verilog(),
            Self::Index(..) | Self::Unary(..) => unsigned(1),
            Self::Replace(base, ..) => unsigned(base.verilog().width.max(LITERAL_WIDTH)),
            Self::Binary(left, op, right) => match op {
                Op::Add | Op::Sub | Op::Mul | Op::BitAnd | Op::BitOr | Op::BitXor => {
                    left.verilog().join(right.verilog())
                }
                Op::Shl | Op::Shr => left.verilog(),
                Op::LogicalAnd | Op::LogicalOr | Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge => unsigned(1),
            },
        }
    }

    /// The expression without enclosing parentheses.
    pub fn bare(&self) -> &Self {
        match self {
            Self::Paren(inner) => inner.bare(),
            other => other,
        }
    }

    /// The expression in Rust, without `self.`, `.val()` and `.into()`.
    pub fn text(&self) -> String {
        match self {
            Self::Signal { text, .. } | Self::State { text, .. } => text.clone(),
            Self::Literal { value, width: 1 } => (*value != 0).to_string(),
            Self::Literal { value, .. } => value.to_string(),
            Self::Cast(inner, width) if matches!(inner.bare(), Self::Literal { .. }) => {
                format!("bits::<{width}>({})", inner.bare().text())
            }
            Self::Cast(inner, width) => match inner.natural() {
                Some(ty) => format!("bit_cast::<{width}, {}>({})", ty.width, inner.bare().text()),
                None => format!("bit_cast::<{width}, _>({})", inner.bare().text()),
            },
            Self::Signed(inner) => match inner.natural() {
                Some(ty) if ty.is_signed() => format!("signed_bit_cast::<_, {}>({})", ty.width, inner.bare().text()),
                _ => format!("signed_cast({})", inner.bare().text()),
            },
            Self::Unsigned(inner) => format!("unsigned_cast({})", inner.bare().text()),
            Self::Paren(inner) => format!("({})", inner.text()),
            Self::Binary(left, op, right) => format!("{} {} {}", left.text(), operator(op), right.text()),
            Self::Unary(VerilogOpUnary::Not, inner) => format!("!{}", inner.text()),
            Self::Unary(VerilogOpUnary::Neg, inner) => format!("-{}", inner.text()),
            Self::Unary(VerilogOpUnary::All, inner) => format!("{}.all()", inner.text()),
            Self::Unary(VerilogOpUnary::Any, inner) => format!("{}.any()", inner.text()),
            Self::Unary(VerilogOpUnary::Xor, inner) => format!("{}.xor()", inner.text()),
            Self::Index(base, index) => format!("{}.get_bit({})", base.text(), index.text()),
            Self::Slice(base, width, low) => format!("{}.get_bits::<{width}>({})", base.text(), low.text()),
            Self::Replace(base, index, value) => {
                format!("{}.replace_bit({}, {})", base.text(), index.text(), value.text())
            }
        }
    }
}

/// The operator, alike in both languages.
pub fn operator(op: &VerilogOp) -> &'static str {
    match op {
        VerilogOp::Add => "+",
        VerilogOp::Sub => "-",
        VerilogOp::Mul => "*",
        VerilogOp::LogicalAnd => "&&",
        VerilogOp::LogicalOr => "||",
        VerilogOp::BitXor => "^",
        VerilogOp::BitAnd => "&",
        VerilogOp::BitOr => "|",
        VerilogOp::Shl => "<<",
        VerilogOp::Shr => ">>",
        VerilogOp::Eq => "==",
        VerilogOp::Lt => "<",
        VerilogOp::Le => "<=",
        VerilogOp::Ne => "!=",
        VerilogOp::Ge => ">=",
        VerilogOp::Gt => ">",
    }
}

/// How tightly Verilog binds an operator; all of them associate to the left.
pub fn precedence(op: &VerilogOp) -> u32 {
    match op {
        VerilogOp::Mul => 10,
        VerilogOp::Add | VerilogOp::Sub => 9,
        VerilogOp::Shl | VerilogOp::Shr => 8,
        VerilogOp::Lt | VerilogOp::Le | VerilogOp::Gt | VerilogOp::Ge => 7,
        VerilogOp::Eq | VerilogOp::Ne => 6,
        VerilogOp::BitAnd => 5,
        VerilogOp::BitXor => 4,
        VerilogOp::BitOr => 3,
        VerilogOp::LogicalAnd => 2,
        VerilogOp::LogicalOr => 1,
    }
}
