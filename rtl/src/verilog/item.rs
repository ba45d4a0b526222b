//! The body: wires, registers, memories and processes in the order of the module's signals.

use super::format::{assignment, bits_of, literal, range};
use super::printer::{Driver, Named, Printer};
use crate::{Register, SignalId};

/// A piece of the body.
#[derive(Debug)]
pub enum Item {
    /// A wire with its value, or an assignment.
    Wire(String),
    /// A register.
    Register {
        /// Clock enable.
        enable: Option<String>,
        /// `q <= value` under reset.
        reset: Option<(String, String)>,
        /// `(q, next)`.
        next: (String, String),
    },
    /// Anything else.
    Block(String),
}

impl Printer<'_> {
    /// Writes what drives a signal, once.
    pub(super) fn emit(&mut self, id: SignalId) {
        if std::mem::replace(&mut self.done[id.index()], true) {
            return;
        }
        self.owner = self.module.signal(id).name.clone();
        match self.drivers[id.index()] {
            Driver::Elsewhere => {}
            Driver::Assign(index) => self.emit_assign(id, index),
            Driver::Parts => self.emit_parts(id),
            Driver::Process(index) => self.emit_process(index),
            Driver::Register(index) => self.emit_register(&self.module.registers[index]),
            Driver::Memory(index) => self.emit_memory(index),
        }
    }

    /// As [`Self::emit`], in the middle of another item.
    pub(super) fn emit_elsewhere(&mut self, id: SignalId) {
        let (owner, local) = (self.owner.clone(), self.local.take());
        self.emit(id);
        (self.owner, self.local) = (owner, local);
    }

    fn emit_assign(&mut self, id: SignalId, index: usize) {
        let signal = self.module.signal(id);
        let value = self.lowered.term(&self.module.assigns[index].value);
        let text = self.root(value, Some(id));
        let head = if self.declared_inline(id) {
            let sign = if signal.ty.signed && signal.ty.is_scalar() { "signed " } else { "" };
            format!("wire {sign}{}{}", range(signal.ty.total_width()), signal.name)
        } else {
            format!("assign {}", signal.name)
        };
        let comment = if self.declared_inline(id) && !signal.doc.is_empty() {
            format!("    // {}\n", signal.doc)
        } else {
            String::new()
        };
        self.items.push(Item::Wire(comment + &assignment(4, &head, "=", &text)));
    }

    fn emit_parts(&mut self, id: SignalId) {
        let signal = self.module.signal(id);
        let width = signal.ty.part_width();
        for assign in self.module.assigns.iter().filter(|a| a.target == id) {
            let low = assign.part.unwrap_or(0) * width;
            let value = self.lowered.term(&assign.value);
            let text = self.root(value, None);
            let target = bits_of(&signal.name, signal.ty.total_width(), low, width);
            self.items.push(Item::Wire(assignment(4, &format!("assign {target}"), "=", &text)));
        }
    }

    fn emit_register(&mut self, register: &Register) {
        let name = self.module.signal(register.signal).name.clone();
        let enable = register.enable.as_ref().map(|e| self.lowered.term(e)).filter(|e| !self.is_one(*e));
        let enable = enable.map(|e| self.plain(e));
        let next = self.lowered.term(&register.next);
        let next = self.root(next, None);
        let signed = self.module.signal(register.signal).ty.is_scalar() && self.module.signal(register.signal).ty.signed;
        let reset = register.reset.as_ref().map(|value| (name.clone(), literal(value, signed)));
        self.items.push(Item::Register { enable, reset, next: (name, next) });
    }

    /// Whether a term is the constant 1 of one bit.
    pub(super) fn is_one(&self, id: super::term::TermId) -> bool {
        matches!(&self.lowered.terms.get(id).op, super::term::Op::Const(bits) if bits.width() == 1 && bits.bit(0))
    }

    /// Marks a signal as read outside of an expression.
    pub(super) fn read_elsewhere(&mut self, id: SignalId, low: u32, width: u32) {
        let total = self.module.signal(id).ty.total_width();
        self.coverage.mark(Named::Signal(id), total, low, width);
    }
}

/// The body's text; neighbouring registers with the same control share a block.
pub fn text(items: &[Item], clock: &str) -> String {
    let alike = |a: &Item, b: &Item| match (a, b) {
        (Item::Wire(_), Item::Wire(_)) => true,
        (Item::Register { enable: a, reset: c, .. }, Item::Register { enable: b, reset: d, .. }) => {
            a == b && c.is_some() == d.is_some()
        }
        _ => false,
    };
    let blocks = items.chunk_by(alike).map(|group| match &group[0] {
        Item::Register { enable, reset, .. } => registers(group, enable.as_deref(), reset.is_some(), clock),
        _ => group.iter().map(plain).collect(),
    });
    blocks.collect::<Vec<String>>().join("\n")
}

fn plain(item: &Item) -> String {
    match item {
        Item::Wire(text) | Item::Block(text) => text.clone(),
        Item::Register { .. } => String::new(),
    }
}

fn registers(group: &[Item], enable: Option<&str>, has_reset: bool, clock: &str) -> String {
    let lines = |indent: usize, pick: &dyn Fn(&Item) -> Option<(String, String)>| -> String {
        group.iter().filter_map(pick).map(|(name, value)| assignment(indent, &name, "<=", &value)).collect()
    };
    let next = |item: &Item| match item {
        Item::Register { next, .. } => Some(next.clone()),
        _ => None,
    };
    let reset = |item: &Item| match item {
        Item::Register { reset, .. } => reset.clone(),
        _ => None,
    };
    let head = format!("    always @(posedge {clock})");
    match (has_reset, enable) {
        (false, None) if group.len() == 1 => {
            let (name, value) = next(&group[0]).unwrap_or_default();
            assignment(4, &format!("always @(posedge {clock}) {name}"), "<=", &value)
        }
        (false, None) => format!("{head} begin\n{}    end\n", lines(8, &next)),
        (false, Some(enable)) => format!("{head}\n        if ({enable}) begin\n{}        end\n", lines(12, &next)),
        (true, enable) => {
            let otherwise = enable.map_or_else(|| "else begin".to_owned(), |e| format!("else if ({e}) begin"));
            format!(
                "{head}\n        if (rst) begin\n{}        end {otherwise}\n{}        end\n",
                lines(12, &reset),
                lines(12, &next)
            )
        }
    }
}
