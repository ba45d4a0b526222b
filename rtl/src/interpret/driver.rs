//! Who drives which bits of a wire.

use crate::{Connection, Design, Direction, Expr, ModuleId, SignalId, Statement};

/// A source of some bits of a wire.
#[derive(Clone, Debug)]
pub enum Source {
    /// An assignment's value.
    Value(Expr),
    /// A process, by index.
    Process(usize),
    /// Output port of element `element` of an instance.
    Child {
        /// Index of the instance.
        instance: usize,
        /// Index in the instance array.
        element: u32,
        /// The child's port.
        port: SignalId,
    },
}

/// Sources of every wire of a module as `(lowest bit, source)`.
#[derive(Debug)]
pub struct Drivers(Vec<Vec<(u32, Source)>>);

impl Drivers {
    /// Collects the sources of a module's wires.
    pub fn of(design: &Design, id: ModuleId) -> Self {
        let module = design.module(id);
        let mut all: Vec<Vec<(u32, Source)>> = vec![Vec::new(); module.signals.len()];
        for assign in &module.assigns {
            let low = assign.part.unwrap_or(0) * module.signal(assign.target).ty.part_width();
            all[assign.target.index()].push((low, Source::Value(assign.value.clone())));
        }
        for (index, process) in module.processes.iter().enumerate() {
            let mut targets = Vec::new();
            assigned(&process.body, &mut targets);
            for target in targets {
                all[target.index()].push((0, Source::Process(index)));
            }
        }
        for (index, instance) in module.instances.iter().enumerate() {
            let child = design.module(instance.module);
            for (port, connection) in &instance.connections {
                if child.signal(*port).port != Some(Direction::Output) {
                    continue;
                }
                for element in 0..instance.count.unwrap_or(1) {
                    let (signal, low) = match connection {
                        Connection::Output(signal) => (*signal, 0),
                        Connection::Lanes { signal, offset, stride } => {
                            let width = child.signal(*port).ty.total_width();
                            (*signal, (offset + element * stride) * width)
                        }
                        Connection::Input(_) => continue,
                    };
                    all[signal.index()].push((low, Source::Child { instance: index, element, port: *port }));
                }
            }
        }
        Self(all)
    }

    /// Sources of a wire.
    pub fn sources(&self, signal: SignalId) -> &[(u32, Source)] {
        &self.0[signal.index()]
    }
}

/// Signals that statements assign, each once, in order of appearance.
pub fn assigned(body: &[Statement], into: &mut Vec<SignalId>) {
    for statement in body {
        match statement {
            Statement::Assign(target, _) if !into.contains(target) => into.push(*target),
            Statement::Assign(..) => {}
            Statement::If(_, a, b) => {
                assigned(a, into);
                assigned(b, into);
            }
            Statement::Case(_, arms, default) => {
                arms.iter().for_each(|(_, arm)| assigned(arm, into));
                assigned(default, into);
            }
        }
    }
}
