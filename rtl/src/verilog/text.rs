//! Terms as Verilog expressions.
//!
//! Invariant: a text has the term's width by itself, so that no context can widen an operand. Its
//! signedness is tracked, because a comparison or an arithmetic shift depends on it. Forms that rely
//! on an assignment's context (`product <= a * b`) appear only at the root.

use super::format::{bits_of, literal};
use super::printer::{Driver, Named, Printer, Temporary};
use super::term::{Op, Term, TermId};
use crate::{BinaryOp, Bits, SignalId, UnaryOp};

/// Operands longer than this get a name.
const LONG: usize = 72;

/// How a text binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Leaf,
    /// A chain of one associative operator.
    Chain(&'static str),
    Other,
}

/// A text with Verilog's idea of its signedness.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    signed: bool,
    shape: Shape,
}

impl Text {
    fn leaf(text: String, signed: bool) -> Self {
        Self { text, signed, shape: Shape::Leaf }
    }

    fn other(text: String, signed: bool) -> Self {
        Self { text, signed, shape: Shape::Other }
    }

    fn closed(&self) -> String {
        if self.shape == Shape::Leaf { self.text.clone() } else { format!("({})", self.text) }
    }

    fn made(self, signed: bool) -> Self {
        match (self.signed, signed) {
            (false, true) => Self::leaf(format!("$signed({})", self.text), true),
            (true, false) => Self::leaf(format!("$unsigned({})", self.text), false),
            _ => self,
        }
    }
}

/// An operand of a sum or product, with its extension taken off.
struct Narrow {
    inner: TermId,
    bits: u32,
    /// How it was extended, if it was.
    signed: Option<bool>,
}

impl Printer<'_> {
    /// Text for a place of exactly the term's width; `target` is the signal that is being driven.
    pub(super) fn root(&mut self, id: TermId, target: Option<SignalId>) -> String {
        let bare = self.lowered.terms.bare(id);
        match self.name(bare) {
            Some(named) if Some(named) != target.map(Named::Signal) => self.named(named).text,
            _ => self.root_of(bare),
        }
    }

    /// Text of an operation, not of a name for it.
    pub(super) fn root_of(&mut self, bare: TermId) -> String {
        let Term { op, width, signed } = self.lowered.terms.get(bare).clone();
        match op {
            Op::Binary(op @ (BinaryOp::Add | BinaryOp::Sub), a, b) => self.sum(op, a, b, width),
            Op::Binary(BinaryOp::Mul, a, b) => self.product(a, b),
            Op::Binary(BinaryOp::Shr, a, amount) if signed => {
                let value = self.operand(a).made(true);
                format!("{} >>> {}", value.closed(), self.operand(amount).closed())
            }
            Op::Mux(..) => self.chain(bare),
            Op::Select(selector, options) => self.selection(selector, &options),
            _ => self.render(bare).text,
        }
    }

    /// Text of a condition or another place that sizes itself.
    pub(super) fn plain(&mut self, id: TermId) -> String {
        self.operand(id).text
    }

    /// A name, a part of a signal or a constant.
    pub(super) fn leaf(&mut self, id: TermId) -> String {
        self.leaf_text(id).text
    }

    /// The same as an index: of a signed one Verilog would take the sign, and half of the words would not be reached.
    pub(super) fn index(&mut self, id: TermId) -> String {
        self.leaf_text(id).made(false).text
    }

    fn leaf_text(&mut self, id: TermId) -> Text {
        let bare = self.lowered.terms.bare(id);
        match self.lowered.terms.get(bare).op {
            Op::Const(_) | Op::Part(..) => self.render(bare),
            _ => {
                let named = self.name_of(bare);
                self.named(named)
            }
        }
    }

    fn name(&self, bare: TermId) -> Option<Named> {
        let local = self.local.as_ref().and_then(|l| l.named.get(&bare));
        local.or_else(|| self.named.get(&bare)).copied()
    }

    /// The name of a term; a wire is made for it when there is none.
    pub(super) fn name_of(&mut self, bare: TermId) -> Named {
        if let Some(named) = self.name(bare) {
            return named;
        }
        let suffix = suffix(&self.lowered.terms.get(bare).op);
        let wanted = format!("{}_{suffix}", self.owner);
        self.temporary(bare, &wanted, None)
    }

    /// Names a term after the owner itself.
    pub(super) fn named_exactly(&mut self, bare: TermId) {
        if self.name(bare).is_none() {
            let wanted = self.owner.clone();
            self.temporary(bare, &wanted, None);
        }
    }

    /// The name that a term has got.
    pub(super) fn leaf_of_named(&mut self, bare: TermId) -> String {
        let named = self.name_of(bare);
        self.named(named).text
    }

    /// Makes a wire for a term, with the given text if it was rendered already.
    pub(super) fn temporary(&mut self, bare: TermId, wanted: &str, text: Option<String>) -> Named {
        if self.reads_variables(bare) {
            return self.local_temporary(bare, wanted, text);
        }
        let outer = self.local.take();
        let text = text.unwrap_or_else(|| self.root_of(bare));
        self.local = outer;
        let named = self.declare(bare, wanted);
        self.named.insert(bare, named);
        let head = self.head(named);
        self.items.push(super::item::Item::Wire(super::format::assignment(4, &format!("wire {head}"), "=", &text)));
        named
    }

    /// Enters a temporary; returns its name.
    pub(super) fn declare(&mut self, bare: TermId, wanted: &str) -> Named {
        let Term { width, signed, .. } = *self.lowered.terms.get(bare);
        let name = self.names.fresh(wanted);
        self.temporaries.push(Temporary { name, width, signed });
        Named::Temporary(self.temporaries.len() - 1)
    }

    /// `signed [7:0] name` of a temporary.
    pub(super) fn head(&self, named: Named) -> String {
        let Named::Temporary(index) = named else { return String::new() };
        let temporary = &self.temporaries[index];
        let sign = if temporary.signed { "signed " } else { "" };
        format!("{sign}{}{}", super::format::range(temporary.width), temporary.name)
    }

    fn named(&mut self, named: Named) -> Text {
        match named {
            Named::Signal(id) => {
                let width = self.module.signal(id).ty.total_width();
                self.part(id, 0, width)
            }
            Named::Temporary(index) => {
                let Temporary { name, width, signed } = &self.temporaries[index];
                self.coverage.mark(named, *width, 0, *width);
                Text::leaf(name.clone(), *signed)
            }
        }
    }

    /// Bits of a signal, which is written out first where its declaration is its assignment.
    pub(super) fn part(&mut self, id: SignalId, low: u32, width: u32) -> Text {
        if matches!(self.drivers[id.index()], Driver::Assign(_)) && !self.done[id.index()] {
            self.emit_elsewhere(id);
        }
        let signal = self.module.signal(id);
        let total = signal.ty.total_width();
        self.coverage.mark(Named::Signal(id), total, low, width);
        let signed = width == total && signal.ty.signed && signal.ty.is_scalar();
        Text::leaf(bits_of(&signal.name, total, low, width), signed)
    }

    fn operand(&mut self, id: TermId) -> Text {
        let outer = self.lowered.terms.get(id).signed;
        let bare = self.lowered.terms.bare(id);
        if let Op::Const(bits) = &self.lowered.terms.get(bare).op {
            return constant(bits, outer);
        }
        if let Some(named) = self.name(bare) {
            return self.named(named);
        }
        if self.needs_name(bare) {
            let named = self.name_of(bare);
            return self.named(named);
        }
        let text = self.render(bare);
        let op = &self.lowered.terms.get(bare).op;
        if text.text.len() <= LONG || matches!(op, Op::Part(..)) {
            return text;
        }
        let wanted = format!("{}_{}", self.owner, suffix(op));
        let named = self.temporary(bare, &wanted, Some(text.text));
        self.named(named)
    }

    fn needs_name(&self, bare: TermId) -> bool {
        let term = self.lowered.terms.get(bare);
        let shared = self.lowered.uses(bare) > 1;
        match &term.op {
            Op::Binary(BinaryOp::Mul, ..) | Op::Select(..) => true,
            Op::Binary(BinaryOp::Shr, ..) if term.signed => true,
            Op::Mux(_, a, b) => shared || self.is_choice(*a) || self.is_choice(*b),
            Op::Binary(..) | Op::Unary(UnaryOp::Neg, _) => shared,
            _ => false,
        }
    }

    fn is_choice(&self, id: TermId) -> bool {
        let bare = self.lowered.terms.bare(id);
        matches!(self.lowered.terms.get(bare).op, Op::Mux(..) | Op::Select(..)) && self.name(bare).is_none()
    }

    fn render(&mut self, bare: TermId) -> Text {
        let Term { op, width, signed } = self.lowered.terms.get(bare).clone();
        match op {
            Op::Const(bits) => constant(&bits, signed),
            Op::Part(id, low) => self.part(id, low, width),
            Op::Slice(inner, low) => self.slice(inner, low, width),
            Op::Concat(parts) => self.concat(&parts),
            Op::Extend(inner) => self.extension(inner, width),
            Op::Cast(inner) => self.operand(inner),
            Op::Unary(op, a) => self.unary(op, a),
            Op::Binary(op, a, b) => self.binary(op, a, b),
            Op::Mux(c, a, b) => {
                let (c, a, b) = (self.operand(c).closed(), self.operand(a), self.operand(b));
                Text::other(format!("{c} ? {} : {}", a.closed(), b.closed()), a.signed && b.signed)
            }
            Op::Select(..) => {
                let named = self.name_of(bare);
                self.named(named)
            }
        }
    }

    fn slice(&mut self, inner: TermId, low: u32, width: u32) -> Text {
        let bare = self.lowered.terms.bare(inner);
        match self.name_of(bare) {
            Named::Signal(id) => self.part(id, low, width),
            named @ Named::Temporary(index) => {
                let total = self.temporaries[index].width;
                self.coverage.mark(named, total, low, width);
                Text::leaf(bits_of(&self.temporaries[index].name, total, low, width), false)
            }
        }
    }

    fn concat(&mut self, parts: &[TermId]) -> Text {
        let mut texts = Vec::new();
        for run in parts.chunk_by(|a, b| a == b) {
            let text = self.operand(run[0]).text;
            if run.len() > 1 { texts.push(format!("{{{}{{{text}}}}}", run.len())) } else { texts.push(text) }
        }
        Text::leaf(format!("{{{}}}", texts.join(", ")), false)
    }

    fn extension(&mut self, inner: TermId, width: u32) -> Text {
        let Term { width: bits, signed, .. } = *self.lowered.terms.get(inner);
        let more = width - bits;
        if !signed {
            let text = self.operand(inner).text;
            return Text::leaf(format!("{{{more}'d0, {text}}}"), false);
        }
        if bits == 1 {
            let text = self.operand(inner).text;
            return Text::leaf(format!("{{{width}{{{text}}}}}"), false);
        }
        let bare = self.lowered.terms.bare(inner);
        let sign = match self.lowered.terms.get(bare).op {
            Op::Part(id, low) => self.part(id, low + bits - 1, 1),
            Op::Slice(source, low) => self.slice(source, low + bits - 1, 1),
            _ => self.slice(bare, bits - 1, 1),
        };
        let text = self.operand(inner).text;
        let copies = if more == 1 { sign.text } else { format!("{{{more}{{{}}}}}", sign.text) };
        Text::leaf(format!("{{{copies}, {text}}}"), false)
    }

    fn unary(&mut self, op: UnaryOp, a: TermId) -> Text {
        let a = self.operand(a);
        let (mark, signed) = match op {
            UnaryOp::Not => ("~", a.signed),
            UnaryOp::Neg => ("-", a.signed),
            UnaryOp::ReduceAnd => ("&", false),
            UnaryOp::ReduceOr => ("|", false),
            UnaryOp::ReduceXor => ("^", false),
        };
        let text =
            if a.text.starts_with('-') { format!("{mark}({})", a.text) } else { format!("{mark}{}", a.closed()) };
        if op == UnaryOp::Not { Text { text, signed, shape: Shape::Chain("~") } } else { Text::other(text, signed) }
    }

    fn binary(&mut self, op: BinaryOp, a: TermId, b: TermId) -> Text {
        match op {
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq | BinaryOp::Ne => self.comparison(op, a, b),
            BinaryOp::And => self.associative("&", a, b),
            BinaryOp::Or => self.associative("|", a, b),
            BinaryOp::Xor => self.associative("^", a, b),
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Shl | BinaryOp::Shr => {
                let mark = match op {
                    BinaryOp::Add => "+",
                    BinaryOp::Sub => "-",
                    BinaryOp::Mul => "*",
                    BinaryOp::Shl => "<<",
                    _ => ">>",
                };
                let (a, b) = (self.operand(a), self.operand(b));
                let shift = matches!(op, BinaryOp::Shl | BinaryOp::Shr);
                Text::other(format!("{} {mark} {}", a.closed(), b.closed()), a.signed && (shift || b.signed))
            }
        }
    }

    fn associative(&mut self, mark: &'static str, a: TermId, b: TermId) -> Text {
        let (a, b) = (self.operand(a), self.operand(b));
        // `~x` binds tighter than any operator with two operands.
        let inside = |t: &Text| match t.shape {
            Shape::Chain(own) if own == mark || own == "~" => t.text.clone(),
            _ => t.closed(),
        };
        Text {
            text: format!("{} {mark} {}", inside(&a), inside(&b)),
            signed: a.signed && b.signed,
            shape: Shape::Chain(mark),
        }
    }

    fn comparison(&mut self, op: BinaryOp, a: TermId, b: TermId) -> Text {
        let signed = self.lowered.terms.get(a).signed;
        let flip = matches!(self.lowered.terms.get(a).op, Op::Const(_));
        let (mut a, mut b) = (self.operand(a), self.operand(b));
        if matches!(op, BinaryOp::Lt | BinaryOp::Le) {
            if signed {
                (a, b) = (a.made(true), b.made(true));
            } else if a.signed && b.signed {
                a = a.made(false);
            }
        }
        let mark = match (op, flip) {
            (BinaryOp::Lt, false) => "<",
            (BinaryOp::Lt, true) => ">",
            (BinaryOp::Le, false) => "<=",
            (BinaryOp::Le, true) => ">=",
            (BinaryOp::Ne, _) => "!=",
            _ => "==",
        };
        let (left, right) = if flip { (b, a) } else { (a, b) };
        Text::other(format!("{} {mark} {}", left.closed(), right.closed()), false)
    }

    fn narrow(&self, id: TermId) -> Narrow {
        let bare = self.lowered.terms.bare(id);
        let term = self.lowered.terms.get(bare);
        match term.op {
            Op::Extend(inner) if self.name(bare).is_none() => {
                let inner_term = self.lowered.terms.get(inner);
                Narrow { inner, bits: inner_term.width, signed: Some(inner_term.signed) }
            }
            _ => Narrow { inner: id, bits: term.width, signed: None },
        }
    }

    /// A sum at the root: the target is at most one bit wider than the operands, and extends them.
    fn sum(&mut self, op: BinaryOp, a: TermId, b: TermId, width: u32) -> String {
        let (left, right) = (self.narrow(a), self.narrow(b));
        let near = |n: &Narrow| n.bits + 1 >= width;
        let kinds: Vec<bool> = [&left, &right].into_iter().filter_map(|n| n.signed).collect();
        let mark = if op == BinaryOp::Add { "+" } else { "-" };
        if !near(&left) || !near(&right) || kinds.iter().any(|k| *k != kinds[0]) {
            let (a, b) = (self.operand(a), self.operand(b));
            return format!("{} {mark} {}", a.closed(), b.closed());
        }
        let (a, b) = self.extended_by_context(&left, &right, kinds.first().copied());
        format!("{} {mark} {}", a.closed(), b.closed())
    }

    fn product(&mut self, a: TermId, b: TermId) -> String {
        let (left, right) = (self.narrow(a), self.narrow(b));
        let signed = left.signed == Some(true) || right.signed == Some(true);
        let kind = if signed { Some(true) } else { left.signed.or(right.signed) };
        let (a, b) = self.extended_by_context(&left, &right, kind);
        format!("{} * {}", a.closed(), b.closed())
    }

    fn extended_by_context(&mut self, a: &Narrow, b: &Narrow, signed: Option<bool>) -> (Text, Text) {
        let (mut left, mut right) = (self.narrowed(a, signed), self.narrowed(b, signed));
        if signed == Some(false) && left.signed && right.signed {
            left = left.made(false);
        }
        if signed == Some(true) {
            (left, right) = (left.made(true), right.made(true));
        }
        (left, right)
    }

    fn narrowed(&mut self, narrow: &Narrow, signed: Option<bool>) -> Text {
        let bare = self.lowered.terms.bare(narrow.inner);
        if let (Op::Const(bits), Some(true)) = (&self.lowered.terms.get(bare).op, signed) {
            return constant(bits, true);
        }
        let text = self.operand(narrow.inner);
        // An unsigned number among signed ones gains a zero bit.
        match (narrow.signed, signed) {
            (Some(false), Some(true)) => Text::leaf(format!("{{1'b0, {}}}", text.text), false),
            // The context extends operands before it applies operators: close off all but names.
            (Some(true), _) if text.shape != Shape::Leaf => Text::leaf(format!("$signed({})", text.text), true),
            (Some(false), _) if text.shape != Shape::Leaf => Text::leaf(format!("{{{}}}", text.text), false),
            _ => text,
        }
    }

    /// `c ? a : d ? b : ...`, one choice a line.
    fn chain(&mut self, bare: TermId) -> String {
        let mut lines = Vec::new();
        let mut at = bare;
        while let Op::Mux(c, a, b) = self.lowered.terms.get(at).op.clone() {
            let condition = self.operand(c).closed();
            let then = self.operand(a).closed();
            lines.push(format!("{condition} ? {then} :"));
            at = self.lowered.terms.bare(b);
            let next_is_open = self.lowered.uses(at) <= 1 && self.name(at).is_none();
            if !next_is_open || !matches!(self.lowered.terms.get(at).op, Op::Mux(..)) {
                lines.push(self.operand(b).closed());
                break;
            }
        }
        if lines.len() == 2 { lines.join(" ") } else { lines.join("\n") }
    }

    fn selection(&mut self, selector: TermId, options: &[TermId]) -> String {
        let bits = self.lowered.terms.get(selector).width;
        let selector = self.leaf(selector);
        let mut lines = Vec::new();
        for (i, option) in options.iter().enumerate() {
            let text = self.operand(*option).closed();
            if i + 1 < options.len() {
                let number = literal(&Bits::new(bits, i as u128), false);
                lines.push(format!("({selector} == {number}) ? {text} :"));
            } else {
                lines.push(text);
            }
        }
        lines.join("\n")
    }
}

fn constant(bits: &Bits, signed: bool) -> Text {
    Text::leaf(literal(bits, signed), signed)
}

/// What a temporary's name says of it.
fn suffix(op: &Op) -> &'static str {
    match op {
        Op::Binary(BinaryOp::Add, ..) => "sum",
        Op::Binary(BinaryOp::Sub, ..) => "difference",
        Op::Binary(BinaryOp::Mul, ..) => "product",
        Op::Binary(BinaryOp::Shl | BinaryOp::Shr, ..) => "shifted",
        Op::Binary(BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le, ..) => "test",
        Op::Unary(UnaryOp::Neg, _) => "negated",
        Op::Mux(..) | Op::Select(..) => "choice",
        Op::Concat(_) => "joined",
        Op::Extend(_) => "extended",
        _ => "bits",
    }
}
