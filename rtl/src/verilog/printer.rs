//! The state of printing one module, and its file as a whole.

use super::format::range;
use super::item::Item;
use super::lower::Lowered;
use super::names::Names;
use super::ports;
use super::process::Local;
use super::term::TermId;
use super::unused::Coverage;
use crate::interpret::driver::assigned;
use crate::{Connection, Design, Direction, Module, ModuleId, SignalId, SignalKind};
use std::collections::HashMap;

/// What drives a signal, as far as the order of the text is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// A port, an instance.
    Elsewhere,
    /// One assignment of the whole signal, by index: declared where it is assigned.
    Assign(usize),
    /// Assignments of parts.
    Parts,
    /// A process, by index.
    Process(usize),
    /// A register, by index.
    Register(usize),
    /// A memory, by index.
    Memory(usize),
}

/// Something with a name that stands for a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A signal of the module.
    Signal(SignalId),
    /// A wire that the printer added.
    Temporary(usize),
}

/// A wire that the printer added.
#[derive(Debug)]
pub struct Temporary {
    /// Its name.
    pub name: String,
    /// Bits.
    pub width: u32,
    /// Declared signed.
    pub signed: bool,
}

/// Printing of one module.
pub struct Printer<'d> {
    pub(super) design: &'d Design,
    pub(super) id: ModuleId,
    pub(super) module: &'d Module,
    pub(super) lowered: Lowered,
    pub(super) names: Names,
    pub(super) named: HashMap<TermId, Named>,
    pub(super) temporaries: Vec<Temporary>,
    pub(super) drivers: Vec<Driver>,
    pub(super) done: Vec<bool>,
    pub(super) items: Vec<Item>,
    pub(super) coverage: Coverage,
    pub(super) owner: String,
    pub(super) local: Option<Local>,
    /// Registers of process-local temporaries: declarations.
    pub(super) locals: Vec<String>,
    pub(super) clock: String,
}

impl<'d> Printer<'d> {
    /// Prepares a module.
    pub fn new(design: &'d Design, id: ModuleId) -> Self {
        let module = design.module(id);
        let lowered = Lowered::of(module);
        let drivers = drivers(module);
        let mut named = HashMap::new();
        for (index, driver) in drivers.iter().enumerate() {
            if let Driver::Assign(assign) = driver {
                let value = lowered.terms.bare(lowered.term(&module.assigns[*assign].value));
                if !lowered.terms.get(value).op.is_wiring() {
                    named.entry(value).or_insert(Named::Signal(SignalId(index as u32)));
                }
            }
        }
        let clock = module.primitive.as_ref().map_or("clk", |p| &p.clock).to_owned();
        Self {
            design,
            id,
            module,
            lowered,
            names: Names::of(module),
            named,
            temporaries: Vec::new(),
            done: vec![false; drivers.len()],
            drivers,
            items: Vec::new(),
            coverage: Coverage::default(),
            owner: String::new(),
            local: None,
            locals: Vec::new(),
            clock,
        }
    }

    /// The file.
    pub fn file(mut self) -> String {
        for id in self.module.signal_ids() {
            self.emit(id);
        }
        for memory in 0..self.module.memories.len() {
            self.emit_rom_or_write_only(memory);
        }
        let instances = self.instances();
        let mut out = String::from("`default_nettype none\n\n");
        for line in self.module.doc.lines() {
            out.push_str(&format!("// {line}\n"));
        }
        out.push_str(&ports::header(self.design, self.id, &self.clock));
        out.push_str(&self.declarations());
        out.push_str(&super::item::text(&self.items, &self.clock));
        out.push_str(&instances);
        out.push_str(&self.unused());
        if let Some(primitive) = &self.module.primitive {
            out.push_str(&super::instance::configuration_check(&self.module.name, primitive));
        }
        out.push_str("\nendmodule\n\n`default_nettype wire\n");
        out
    }

    /// Declarations of everything that is not declared where it is assigned.
    fn declarations(&self) -> String {
        let mut out = String::new();
        for (id, signal) in self.module.signal_ids().map(|id| (id, self.module.signal(id))) {
            let keyword = match self.drivers[id.index()] {
                _ if signal.port.is_some() => continue,
                Driver::Assign(_) => continue,
                Driver::Elsewhere | Driver::Parts => "wire",
                Driver::Process(_) | Driver::Register(_) | Driver::Memory(_) => "reg",
            };
            let sign = if signal.ty.is_scalar() && signal.ty.signed { "signed " } else { "" };
            let lanes = ports::lanes(&signal.ty);
            let notes: Vec<&str> = [signal.doc.as_str(), lanes.as_str()].into_iter().filter(|s| !s.is_empty()).collect();
            let comment = if notes.is_empty() { String::new() } else { format!(" // {}", notes.join("; ")) };
            out.push_str(&format!("    {keyword} {sign}{}{};{comment}\n", range(signal.ty.total_width()), signal.name));
        }
        out.push_str(&self.locals.concat());
        if out.is_empty() { out } else { format!("{out}\n") }
    }

    /// Whether a signal is a wire that is declared together with its assignment.
    pub(super) fn declared_inline(&self, id: SignalId) -> bool {
        self.module.signal(id).port.is_none()
    }
}

fn drivers(module: &Module) -> Vec<Driver> {
    let mut drivers = vec![Driver::Elsewhere; module.signals.len()];
    for (index, assign) in module.assigns.iter().enumerate() {
        drivers[assign.target.index()] = if assign.part.is_none() { Driver::Assign(index) } else { Driver::Parts };
    }
    for (index, process) in module.processes.iter().enumerate() {
        let mut targets = Vec::new();
        assigned(&process.body, &mut targets);
        targets.iter().for_each(|target| drivers[target.index()] = Driver::Process(index));
    }
    for (index, register) in module.registers.iter().enumerate() {
        drivers[register.signal.index()] = Driver::Register(index);
    }
    for (index, memory) in module.memories.iter().enumerate() {
        memory.reads.iter().for_each(|read| drivers[read.data.index()] = Driver::Memory(index));
    }
    drivers
}

/// Whether a signal is printed as `reg`.
pub fn is_variable(module: &Module, id: SignalId) -> bool {
    let in_process = || {
        let mut targets = Vec::new();
        module.processes.iter().for_each(|p| assigned(&p.body, &mut targets));
        targets.contains(&id)
    };
    matches!(module.signal(id).kind, SignalKind::Register | SignalKind::ReadData) || in_process()
}

/// Outputs of the child without a connection.
pub fn unconnected_outputs<'m>(
    child: &'m Module,
    connections: &[(SignalId, Connection)],
) -> Vec<(SignalId, &'m crate::Signal)> {
    child
        .ports()
        .filter(|(_, s)| s.port == Some(Direction::Output))
        .filter(|(id, _)| !connections.iter().any(|(port, _)| port == id))
        .collect()
}
