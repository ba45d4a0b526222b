//! Rule 9: no combinational loops.
//!
//! The nodes are parts of signals: an element of the outermost dimension, or the whole of a scalar. A
//! chain through an instance array therefore runs from part to part and is no loop. Modules are
//! summarised, children first, by which outputs depend on which inputs within a cycle.

use super::VerifyError;
use crate::interpret::driver::assigned;
use crate::{Connection, Design, Direction, Expr, Instance, Module, ModuleId, SignalId, SignalKind, Statement, walk};
use std::collections::{BTreeMap, BTreeSet};

type Part = (SignalId, u32);
/// Inputs on which each output depends combinationally.
type Summary = BTreeMap<SignalId, BTreeSet<SignalId>>;

/// Checks all modules.
pub fn check(design: &Design) -> Result<(), VerifyError> {
    let mut summaries: Vec<Summary> = Vec::new();
    for id in design.ids() {
        let graph = Graph::of(design, id, &summaries);
        graph.acyclic()?;
        summaries.push(graph.summary());
    }
    Ok(())
}

struct Graph<'d> {
    module: &'d Module,
    /// What each part reads within the cycle.
    sources: BTreeMap<Part, BTreeSet<Part>>,
}

impl<'d> Graph<'d> {
    fn of(design: &'d Design, id: ModuleId, summaries: &[Summary]) -> Self {
        let module = design.module(id);
        let mut graph = Self { module, sources: BTreeMap::new() };
        for assign in &module.assigns {
            let ty = &module.signal(assign.target).ty;
            match assign.part {
                Some(part) => graph.reads((assign.target, part), &assign.value, 0, ty.part_width()),
                None => {
                    let width = ty.part_width();
                    for part in 0..graph.parts(assign.target) {
                        graph.reads((assign.target, part), &assign.value, part * width, width);
                    }
                }
            }
        }
        for process in &module.processes {
            graph.process(&process.body);
        }
        for instance in &module.instances {
            graph.instance(design, instance, &summaries[instance.module.index()]);
        }
        graph
    }

    fn parts(&self, id: SignalId) -> u32 {
        self.module.signal(id).ty.dims.first().copied().unwrap_or(1)
    }

    fn covered(&self, (id, low, width): (SignalId, u32, u32)) -> impl Iterator<Item = Part> + use<> {
        let part = self.module.signal(id).ty.part_width();
        (low / part..=(low + width - 1) / part).map(move |p| (id, p))
    }

    /// `target` reads bits `low..low + width` of the value; only a plain signal is told apart by bits.
    fn reads(&mut self, target: Part, value: &Expr, low: u32, width: u32) {
        let found: BTreeSet<Part> = match value.as_signal() {
            Some(id) => self.covered((id, low, width)).collect(),
            None => walk::reads(self.module, value).into_iter().flat_map(|r| self.covered(r)).collect(),
        };
        self.sources.entry(target).or_default().extend(found);
    }

    /// All targets of a process depend on all that it reads, except on each other.
    fn process(&mut self, body: &[Statement]) {
        let mut targets = Vec::new();
        assigned(body, &mut targets);
        let mut found = BTreeSet::new();
        let mut visit = |expr: &Expr| {
            let reads = walk::reads(self.module, expr).into_iter().filter(|(id, ..)| !targets.contains(id));
            found.extend(reads.flat_map(|r| self.covered(r)));
        };
        walk::statement_roots(body, &mut visit);
        for target in targets {
            for part in 0..self.parts(target) {
                self.sources.entry((target, part)).or_default().extend(found.iter().copied());
            }
        }
    }

    fn instance(&mut self, design: &Design, instance: &Instance, summary: &Summary) {
        let child = design.module(instance.module);
        for element in 0..instance.count.unwrap_or(1) {
            for (port, connection) in &instance.connections {
                let Some(inputs) = summary.get(port).filter(|i| !i.is_empty()) else { continue };
                let mut found: BTreeSet<Part> = BTreeSet::new();
                for (input, connection) in instance.connections.iter().filter(|(p, _)| inputs.contains(p)) {
                    debug_assert_eq!(child.signal(*input).port, Some(Direction::Input));
                    match connection {
                        Connection::Input(value) => {
                            found.extend(walk::reads(self.module, value).into_iter().flat_map(|r| self.covered(r)));
                        }
                        Connection::Lanes { signal, offset, stride } => {
                            found.insert((*signal, offset + element * stride));
                        }
                        Connection::Output(_) => {}
                    }
                }
                let targets: Vec<Part> = match connection {
                    Connection::Output(wire) => (0..self.parts(*wire)).map(|p| (*wire, p)).collect(),
                    Connection::Lanes { signal, offset, stride } => vec![(*signal, offset + element * stride)],
                    Connection::Input(_) => Vec::new(),
                };
                for target in targets {
                    self.sources.entry(target).or_default().extend(found.iter().copied());
                }
            }
        }
    }

    /// Depth-first search with an explicit stack; a part that is met while it is on the path closes a loop.
    fn acyclic(&self) -> Result<(), VerifyError> {
        let mut finished: BTreeSet<Part> = BTreeSet::new();
        for start in self.sources.keys() {
            let mut path: Vec<(Part, Vec<Part>)> = Vec::new();
            let mut on_path: BTreeSet<Part> = BTreeSet::new();
            let mut next = Some(*start);
            loop {
                if let Some(part) = next.take() {
                    if on_path.contains(&part) {
                        return Err(self.found(&path, part));
                    }
                    if !finished.contains(&part) {
                        let sources = self.sources.get(&part).map_or_else(Vec::new, |s| s.iter().copied().collect());
                        on_path.insert(part);
                        path.push((part, sources));
                    }
                }
                let Some((part, pending)) = path.last_mut() else { break };
                next = pending.pop();
                if next.is_none() {
                    on_path.remove(part);
                    finished.insert(*part);
                    path.pop();
                }
            }
        }
        Ok(())
    }

    fn found(&self, path: &[(Part, Vec<Part>)], part: Part) -> VerifyError {
        let from = path.iter().position(|(p, _)| *p == part).unwrap_or(0);
        let name = |(id, index): Part| {
            let signal = self.module.signal(id);
            if signal.ty.is_scalar() { signal.name.clone() } else { format!("{}[{index}]", signal.name) }
        };
        let mut names: Vec<String> = path[from..].iter().map(|(p, _)| name(*p)).collect();
        names.push(name(part));
        names.reverse();
        VerifyError::Loop { module: self.module.name.clone(), path: names.join(" -> ") }
    }

    fn summary(&self) -> Summary {
        let outputs = self.module.ports().filter(|(_, s)| s.port == Some(Direction::Output));
        outputs.map(|(id, _)| (id, self.inputs_of(id))).collect()
    }

    fn inputs_of(&self, output: SignalId) -> BTreeSet<SignalId> {
        let mut pending: Vec<Part> = (0..self.parts(output)).map(|p| (output, p)).collect();
        let mut seen: BTreeSet<Part> = pending.iter().copied().collect();
        let mut inputs = BTreeSet::new();
        while let Some(part) = pending.pop() {
            if self.module.signal(part.0).kind == SignalKind::Input {
                inputs.insert(part.0);
            }
            for source in self.sources.get(&part).into_iter().flatten() {
                if seen.insert(*source) {
                    pending.push(*source);
                }
            }
        }
        inputs
    }
}
