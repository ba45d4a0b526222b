//! One instance in execution.

use super::driver::Source;
use super::{Interpreter, value};
use crate::{Bits, Connection, Expr, ExprKind, Module, ModuleId, SignalId, SignalKind, Statement, path_within};
use std::collections::BTreeMap;

/// An instance's state and the values of this cycle.
#[derive(Debug)]
pub struct Node {
    pub(super) module: ModuleId,
    pub(super) path: String,
    parent: Option<(usize, usize, u32)>,
    pub(super) children: Vec<Vec<usize>>,
    pub(super) values: Vec<Option<Bits>>,
    /// Parts by signal and lowest bit, of signals that are not known as a whole.
    pub(super) parts: BTreeMap<(SignalId, u32), Bits>,
    pub(super) state: Vec<Option<Bits>>,
    pub(super) memories: Vec<Vec<Bits>>,
}

/// What an edge changes in a node.
#[derive(Debug, Default)]
pub struct Update {
    state: Vec<(SignalId, Bits)>,
    words: Vec<(usize, usize, Bits)>,
}

impl Node {
    /// Hierarchical path of something in it.
    pub(super) fn path_of(&self, name: &str) -> String {
        path_within(&self.path, name)
    }

    pub(super) fn new(module: &Module, id: ModuleId, parent: Option<(usize, usize, u32)>, path: &str) -> Self {
        let holds = |kind| matches!(kind, SignalKind::Register | SignalKind::ReadData);
        let state = module.signals.iter().map(|s| holds(s.kind).then(|| Bits::zero(s.ty.total_width()))).collect();
        let memories = module
            .memories
            .iter()
            .map(|m| {
                let mut words = m.init.clone().unwrap_or_default();
                words.resize(m.depth as usize, Bits::zero(m.width));
                words
            })
            .collect();
        let values = vec![None; module.signals.len()];
        let (children, parts) = (Vec::new(), BTreeMap::new());
        Self { module: id, path: path.to_owned(), parent, children, values, parts, state, memories }
    }

    pub(super) fn commit(&mut self, update: Update) {
        for (signal, value) in update.state {
            self.state[signal.index()] = Some(value);
        }
        for (memory, word, value) in update.words {
            self.memories[memory][word] = value;
        }
    }
}

impl Interpreter<'_> {
    /// Value of a signal, flat.
    pub(super) fn signal(&mut self, node: usize, id: SignalId) -> Bits {
        // Within a process, what it has assigned so far.
        if let Some(assigned) = self.frames.last().filter(|(n, _)| *n == node).and_then(|(_, frame)| frame.get(&id)) {
            return assigned.clone();
        }
        if let Some(state) = &self.nodes[node].state[id.index()] {
            return state.clone();
        }
        if let Some(known) = &self.nodes[node].values[id.index()] {
            return known.clone();
        }
        let module = self.design.module(self.nodes[node].module);
        let value = match module.signal(id).kind {
            SignalKind::Input => self.input(node, id),
            _ => self.driven(node, id),
        };
        self.nodes[node].values[id.index()] = Some(value.clone());
        value
    }

    fn input(&mut self, node: usize, id: SignalId) -> Bits {
        let width = self.design.module(self.nodes[node].module).signal(id).ty.total_width();
        let Some((parent, instance, element)) = self.nodes[node].parent else {
            return self.inputs.get(&id.0).map_or_else(|| Bits::zero(width), |v| value::resize(v, width, false));
        };
        let instance = &self.design.module(self.nodes[parent].module).instances[instance];
        let connection = instance.connections.iter().find(|(port, _)| *port == id).map(|(_, c)| c);
        match connection {
            Some(Connection::Input(expr)) => self.expr(parent, expr),
            Some(Connection::Lanes { signal, offset, stride }) => {
                self.part(parent, *signal, (offset + element * stride) * width, width)
            }
            Some(Connection::Output(_)) | None => Bits::zero(width),
        }
    }

    fn driven(&mut self, node: usize, id: SignalId) -> Bits {
        let module = self.nodes[node].module;
        let width = self.design.module(module).signal(id).ty.total_width();
        let mut whole = Bits::zero(width);
        for (low, source) in self.drivers[module.index()].sources(id).to_vec() {
            let part = self.single_source(node, id, low, &source);
            whole = if part.width() == width { part } else { value::insert(&whole, low, &part) };
        }
        whole
    }

    fn source(&mut self, node: usize, id: SignalId, source: &Source) -> Bits {
        match source {
            Source::Value(expr) => self.expr(node, expr),
            Source::Process(index) => {
                let width = self.design.module(self.nodes[node].module).signal(id).ty.total_width();
                self.process(node, *index).remove(&id).unwrap_or_else(|| Bits::zero(width))
            }
            Source::Child { instance, element, port } => {
                let child = self.nodes[node].children[*instance][*element as usize];
                self.signal(child, *port)
            }
        }
    }

    /// Some bits of a signal. Where one source drives just these, no other is asked: a chain through an
    /// instance array has its elements in one signal, and each depends on the one before it.
    fn part(&mut self, node: usize, id: SignalId, low: u32, width: u32) -> Bits {
        let module = self.nodes[node].module;
        let sources = self.drivers[module.index()].sources(id);
        let known = self.nodes[node].values[id.index()].is_some();
        if sources.len() > 1 && !known {
            let next = sources.iter().map(|(at, _)| *at).filter(|at| *at > low).min();
            let single = next.is_none_or(|at| at >= low + width);
            if let (Some((_, source)), true) = (sources.iter().find(|(at, _)| *at == low).cloned(), single) {
                let whole = self.single_source(node, id, low, &source);
                return value::slice(&whole, 0, width);
            }
        }
        let whole = self.signal(node, id);
        value::slice(&whole, low, width)
    }

    /// What one source of several drives, remembered for this cycle: an element may be used more than once by the
    /// next one, and the work would double with each.
    fn single_source(&mut self, node: usize, id: SignalId, low: u32, source: &Source) -> Bits {
        if let Some(known) = self.nodes[node].parts.get(&(id, low)) {
            return known.clone();
        }
        let value = self.source(node, id, source);
        self.nodes[node].parts.insert((id, low), value.clone());
        value
    }

    fn process(&mut self, node: usize, index: usize) -> BTreeMap<SignalId, Bits> {
        let module = self.design.module(self.nodes[node].module);
        self.frames.push((node, BTreeMap::new()));
        self.execute(node, &module.processes[index].body);
        self.frames.pop().map(|(_, variables)| variables).unwrap_or_default()
    }

    fn execute(&mut self, node: usize, body: &[Statement]) {
        for statement in body {
            match statement {
                Statement::Assign(target, expr) => {
                    let value = self.expr(node, expr);
                    if let Some((_, variables)) = self.frames.last_mut() {
                        variables.insert(*target, value);
                    }
                }
                Statement::If(condition, then, otherwise) => {
                    let taken = if self.expr(node, condition).bit(0) { then } else { otherwise };
                    self.execute(node, taken);
                }
                Statement::Case(subject, arms, default) => {
                    let subject = self.expr(node, subject);
                    let arm = arms.iter().find(|(constant, _)| *constant == subject).map_or(default, |(_, arm)| arm);
                    self.execute(node, arm);
                }
            }
        }
    }

    /// Value of an expression in a node.
    fn expr(&mut self, node: usize, expr: &Expr) -> Bits {
        let width = expr.width();
        match expr.kind() {
            ExprKind::Const(bits) => bits.clone(),
            ExprKind::Signal(id) => self.signal(node, *id),
            ExprKind::Element(id, index) => self.part(node, *id, index * width, width),
            ExprKind::Slice(a, low) => value::slice(&self.expr(node, a), *low, width),
            ExprKind::Concat(parts) => {
                let parts: Vec<Bits> = parts.iter().rev().map(|p| self.expr(node, p)).collect();
                Bits::concat_low_first(&parts)
            }
            ExprKind::Extend(a) => value::resize(&self.expr(node, a), width, a.is_signed()),
            ExprKind::Cast(a) => self.expr(node, a),
            ExprKind::Unary(op, a) => value::unary(*op, &self.expr(node, a)),
            ExprKind::Binary(op, a, b) => {
                let (left, right) = (self.expr(node, a), self.expr(node, b));
                value::binary(*op, &left, &right, a.is_signed())
            }
            ExprKind::Mux(c, a, b) => {
                let taken = if self.expr(node, c).bit(0) { a } else { b };
                self.expr(node, taken)
            }
            ExprKind::Select(selector, options) => {
                let at = self.expr(node, selector).low_u64().min(options.len() as u64 - 1);
                self.expr(node, &options[at as usize])
            }
        }
    }

    /// Effect of an edge on a node, from values before the edge.
    pub(super) fn update(&mut self, node: usize) -> Update {
        let module = self.design.module(self.nodes[node].module);
        let mut update = Update::default();
        for register in &module.registers {
            if let (true, Some(reset)) = (self.reset, &register.reset) {
                update.state.push((register.signal, reset.clone()));
            } else if register.enable.as_ref().is_none_or(|e| self.expr(node, e).bit(0)) {
                let next = self.expr(node, &register.next);
                update.state.push((register.signal, next));
            }
        }
        for (index, memory) in module.memories.iter().enumerate() {
            for read in &memory.reads {
                if self.expr(node, &read.enable).bit(0) {
                    let at = self.expr(node, &read.address).low_u64() as usize;
                    let word = self.nodes[node].memories[index].get(at).cloned();
                    update.state.push((read.data, word.unwrap_or_else(|| Bits::zero(memory.width))));
                }
            }
            let mut written: Vec<(usize, Bits)> = Vec::new();
            for port in &memory.writes {
                if !self.expr(node, &port.enable).bit(0) {
                    continue;
                }
                let at = self.expr(node, &port.address).low_u64() as usize;
                if at >= memory.depth as usize {
                    continue;
                }
                let data = self.expr(node, &port.data);
                let mask = port.mask.as_ref().map(|m| self.expr(node, m));
                let old = written.iter().rev().find(|(a, _)| *a == at).map(|(_, w)| w.clone());
                let old = old.unwrap_or_else(|| self.nodes[node].memories[index][at].clone());
                written.push((at, masked(&old, &data, mask.as_ref())));
            }
            update.words.extend(written.into_iter().map(|(at, word)| (index, at, word)));
        }
        update
    }
}

fn masked(old: &Bits, new: &Bits, mask: Option<&Bits>) -> Bits {
    let Some(mask) = mask else { return new.clone() };
    let part = new.width() / mask.width();
    let parts: Vec<Bits> =
        (0..mask.width()).map(|i| value::slice(if mask.bit(i) { new } else { old }, i * part, part)).collect();
    Bits::concat_low_first(&parts)
}
