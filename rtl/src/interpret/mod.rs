//! The reference interpreter: the language's meaning, as plainly as it can be written.
//!
//! It keeps one node per instance and evaluates signals on demand, once per cycle. It is slow and
//! meant for tests, where faster engines are compared with it.

pub(crate) mod driver;
mod node;
#[cfg(test)]
mod tests;
pub(crate) mod value;

use crate::{Bits, Design, Direction, ModuleId, path_within};
use driver::Drivers;
use node::Node;
use std::collections::BTreeMap;

/// Why a design or a request cannot be interpreted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InterpretError {
    /// The design has no module.
    #[error("the design has no top module; add one")]
    NoTop,
    /// No such top port.
    #[error("the top module has no {direction} port `{name}`")]
    NoPort {
        /// `input` or `output`.
        direction: &'static str,
        /// As asked for.
        name: String,
    },
}

/// A design in execution.
#[derive(Debug)]
pub struct Interpreter<'d> {
    design: &'d Design,
    drivers: Vec<Drivers>,
    nodes: Vec<Node>,
    /// Variables of the processes under way, the innermost last, with the node that each belongs to.
    frames: Vec<(usize, BTreeMap<crate::SignalId, Bits>)>,
    inputs: BTreeMap<u32, Bits>,
    reset: bool,
    top: ModuleId,
}

impl<'d> Interpreter<'d> {
    /// Elaborates the design; all state is zero (memories with `init`: their initial words).
    ///
    /// # Errors
    /// When the design is empty.
    pub fn new(design: &'d Design) -> Result<Self, InterpretError> {
        let top = design.top().ok_or(InterpretError::NoTop)?;
        let drivers = design.ids().map(|id| Drivers::of(design, id)).collect();
        let mut this =
            Self { design, drivers, nodes: Vec::new(), frames: Vec::new(), inputs: BTreeMap::new(), reset: false, top };
        this.elaborate(top, None, "");
        Ok(this)
    }

    fn elaborate(&mut self, module: ModuleId, parent: Option<(usize, usize, u32)>, path: &str) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node::new(self.design.module(module), module, parent, path));
        let instances = &self.design.module(module).instances;
        for (i, instance) in instances.iter().enumerate() {
            let children = (0..instance.count.unwrap_or(1))
                .map(|k| {
                    let name = match instance.count {
                        Some(_) => format!("{}[{k}]", instance.name),
                        None => instance.name.clone(),
                    };
                    let path = path_within(path, &name);
                    self.elaborate(instance.module, Some((at, i, k)), &path)
                })
                .collect();
            self.nodes[at].children.push(children);
        }
        at
    }

    fn port(&self, name: &str, direction: Direction) -> Result<u32, InterpretError> {
        let top = self.design.module(self.top);
        top.ports().find(|(_, s)| s.name == name && s.port == Some(direction)).map(|(id, _)| id.0).ok_or_else(|| {
            InterpretError::NoPort {
                direction: if direction == Direction::Input { "input" } else { "output" },
                name: name.to_owned(),
            }
        })
    }

    /// Sets a top input (`rst` is one where the design has a reset); inputs start at zero.
    ///
    /// # Errors
    /// When there is no such input.
    pub fn set_input(&mut self, name: &str, value: &Bits) -> Result<(), InterpretError> {
        if name == "rst" {
            self.reset = value.bit(0);
            return Ok(());
        }
        let id = self.port(name, Direction::Input)?;
        self.inputs.insert(id, value.clone());
        self.forget();
        Ok(())
    }

    /// Value of a top output for the present inputs and state.
    ///
    /// # Errors
    /// When there is no such output.
    pub fn output(&mut self, name: &str) -> Result<Bits, InterpretError> {
        let id = self.port(name, Direction::Output)?;
        Ok(self.signal(0, crate::SignalId(id)))
    }

    /// Value of any signal by hierarchical path (`pairs[3].segments[0].sums`).
    pub fn peek(&mut self, path: &str) -> Option<Bits> {
        let (instance, name) = path.rsplit_once('.').unwrap_or(("", path));
        let node = self.nodes.iter().position(|n| n.path == instance)?;
        let id = self.design.module(self.nodes[node].module).find(name)?;
        Some(self.signal(node, id))
    }

    /// All registers and read data by hierarchical path.
    pub fn state(&self) -> BTreeMap<String, Bits> {
        let mut all = BTreeMap::new();
        for node in &self.nodes {
            let module = self.design.module(node.module);
            for (signal, value) in module.signals.iter().zip(&node.state) {
                if let Some(value) = value {
                    all.insert(node.path_of(&signal.name), value.clone());
                }
            }
        }
        all
    }

    /// Words of all memories by hierarchical path.
    pub fn memories(&self) -> BTreeMap<String, &[Bits]> {
        let mut all = BTreeMap::new();
        for node in &self.nodes {
            let module = self.design.module(node.module);
            for (memory, words) in module.memories.iter().zip(&node.memories) {
                all.insert(node.path_of(&memory.name), words.as_slice());
            }
        }
        all
    }

    fn forget(&mut self) {
        for node in &mut self.nodes {
            node.values.fill(None);
            node.parts.clear();
        }
    }

    /// One rising clock edge.
    pub fn step(&mut self) {
        let updates: Vec<node::Update> = (0..self.nodes.len()).map(|n| self.update(n)).collect();
        for (node, update) in self.nodes.iter_mut().zip(updates) {
            node.commit(update);
        }
        self.forget();
    }
}
