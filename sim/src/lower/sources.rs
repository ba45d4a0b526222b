//! Who drives which bits of a module's wires.

use heatvit_rtl::{Connection, Design, Direction, Expr, ModuleId, SignalId, Statement};

/// A driver of some bits of a wire.
#[derive(Clone, Debug)]
pub enum Driver {
    /// An assignment.
    Assign(Expr),
    /// A process, by index.
    Process(usize),
    /// An output port of element `element` of an instance array.
    Child {
        /// Index of the instance.
        instance: usize,
        /// Element of the array.
        element: u32,
        /// Port.
        port: SignalId,
    },
}

/// A driver with the bits that it drives.
#[derive(Clone, Debug)]
pub struct Driven {
    /// Lowest bit.
    pub low: u32,
    /// Number of bits.
    pub width: u32,
    /// Who.
    pub by: Driver,
}

/// Drivers of all signals of a module.
#[derive(Debug)]
pub struct Sources(Vec<Vec<Driven>>);

impl Sources {
    /// Collects the drivers of a module's wires.
    pub fn of(design: &Design, id: ModuleId) -> Self {
        let module = design.module(id);
        let mut all: Vec<Vec<Driven>> = vec![Vec::new(); module.signals.len()];
        for assign in &module.assigns {
            let low = assign.part.unwrap_or(0) * module.signal(assign.target).ty.part_width();
            let by = Driver::Assign(assign.value.clone());
            all[assign.target.index()].push(Driven { low, width: assign.value.width(), by });
        }
        for (index, process) in module.processes.iter().enumerate() {
            let mut targets = Vec::new();
            assigned(&process.body, &mut targets);
            for target in targets {
                let width = module.signal(target).ty.total_width();
                all[target.index()].push(Driven { low: 0, width, by: Driver::Process(index) });
            }
        }
        for (index, instance) in module.instances.iter().enumerate() {
            for (port, connection) in &instance.connections {
                let child = design.module(instance.module).signal(*port);
                if child.port != Some(Direction::Output) {
                    continue;
                }
                let width = child.ty.total_width();
                for element in 0..instance.count.unwrap_or(1) {
                    let (signal, low) = match connection {
                        Connection::Output(signal) => (*signal, 0),
                        Connection::Lanes { signal, offset, stride } => (*signal, (offset + element * stride) * width),
                        Connection::Input(_) => continue,
                    };
                    let by = Driver::Child { instance: index, element, port: *port };
                    all[signal.index()].push(Driven { low, width, by });
                }
            }
        }
        for drivers in &mut all {
            drivers.sort_by_key(|d| d.low);
        }
        Self(all)
    }

    /// Drivers of a wire, the lowest bits first.
    pub fn drivers(&self, signal: SignalId) -> &[Driven] {
        &self.0[signal.index()]
    }
}

/// Signals that statements assign, each once, in order of appearance.
fn assigned(body: &[Statement], into: &mut Vec<SignalId>) {
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
