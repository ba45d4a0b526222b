//! From a hierarchical design to a netlist: demand-driven, one instance at a time.
//!
//! Wires, ports and lanes dissolve on the way; what remains are storages (inputs, registers, read data),
//! memories and the nodes that compute their next contents.

mod expr;
mod sources;
pub mod value;
mod wide;

use crate::SimError;
use crate::netlist::{Netlist, NodeId, Origin, StorageId};
use heatvit_rtl::{Bits, Design, Direction, ModuleId, SignalId, SignalKind, path_within};
use sources::Sources;
use std::collections::HashMap;
use value::Value;

/// An instance of a module.
#[derive(Debug)]
pub struct Instance {
    /// Its module.
    pub module: ModuleId,
    /// Hierarchical name, empty for the top.
    pub path: String,
    /// Place among all instances in batches, see [`Lower::number_lanes`].
    pub lane: u32,
    parent: Option<(u32, usize, u32)>,
    children: Vec<Vec<u32>>,
    storages: Vec<Option<StorageId>>,
}

impl Instance {
    /// Hierarchical name of something in it.
    fn path_of(&self, name: &str) -> String {
        path_within(&self.path, name)
    }
}

/// A top input, register or read data.
#[derive(Clone, Debug)]
pub struct Storage {
    /// Bits.
    pub width: u32,
    /// Two's complement.
    pub signed: bool,
    /// Instance that holds it.
    pub instance: u32,
    /// Its signal.
    pub signal: SignalId,
    /// True for a top input.
    pub input: bool,
    /// Batch: storages of one signal of one module.
    pub batch: u32,
}

/// What a register takes at an edge.
#[derive(Clone, Debug)]
pub struct RegisterUpdate {
    /// Register.
    pub storage: StorageId,
    /// Next value.
    pub next: Value,
    /// Clock enable.
    pub enable: Option<NodeId>,
    /// Value under reset.
    pub reset: Option<Bits>,
}

impl RegisterUpdate {
    /// Adds the nodes that it reads.
    pub fn operands(&self, into: &mut Vec<NodeId>) {
        self.next.nodes(into);
        into.extend(self.enable);
    }
}

/// A memory of one instance.
#[derive(Clone, Debug)]
pub struct MemoryInstance {
    /// Hierarchical name.
    pub path: String,
    /// Bits of a word.
    pub width: u32,
    /// Words.
    pub depth: u32,
    /// Initial words.
    pub init: Vec<Bits>,
}

/// A read port: `storage` takes the word at an edge.
#[derive(Clone, Debug)]
pub struct ReadUpdate {
    /// Index of the memory.
    pub memory: usize,
    /// Read data.
    pub storage: StorageId,
    /// Enable.
    pub enable: NodeId,
    /// Word address.
    pub address: NodeId,
}

/// A write port.
#[derive(Clone, Debug)]
pub struct WriteUpdate {
    /// Index of the memory.
    pub memory: usize,
    /// Position among the memory's write ports; later ones win.
    pub port: usize,
    /// Enable.
    pub enable: NodeId,
    /// Word address.
    pub address: NodeId,
    /// Word.
    pub data: Value,
    /// Mask over equal parts of the word.
    pub mask: Option<Value>,
}

impl WriteUpdate {
    /// Adds the nodes that it reads.
    pub fn operands(&self, into: &mut Vec<NodeId>) {
        into.extend([self.enable, self.address]);
        self.data.nodes(into);
        self.mask.iter().for_each(|m| m.nodes(into));
    }
}

/// Everything that happens at an edge.
#[derive(Debug, Default)]
pub struct Updates {
    /// Registers.
    pub registers: Vec<RegisterUpdate>,
    /// Memories.
    pub memories: Vec<MemoryInstance>,
    /// Read ports.
    pub reads: Vec<ReadUpdate>,
    /// Write ports, ports of one memory in order.
    pub writes: Vec<WriteUpdate>,
}

/// A design on its way to a netlist; stays alive so that more signals can be asked for later.
#[derive(Debug)]
pub struct Lower {
    design: Design,
    sources: Vec<Sources>,
    /// All instances, parents before children.
    pub instances: Vec<Instance>,
    /// Storages.
    pub storages: Vec<Storage>,
    /// Nodes.
    pub netlist: Netlist,
    origins: HashMap<(u32, usize), u32>,
    driven: HashMap<(u32, u32, u32), Option<Value>>,
    exprs: HashMap<(u32, usize), Value>,
    processes: HashMap<(u32, usize), Option<expr::Variables>>,
}

impl Lower {
    /// Elaborates all instances and their storages.
    pub fn new(design: &Design) -> Result<Self, SimError> {
        let top = design.top().ok_or(SimError::NoTop)?;
        let sources = design.ids().map(|id| Sources::of(design, id)).collect();
        let mut this = Self {
            design: design.clone(),
            sources,
            instances: Vec::new(),
            storages: Vec::new(),
            netlist: Netlist::default(),
            origins: HashMap::new(),
            driven: HashMap::new(),
            exprs: HashMap::new(),
            processes: HashMap::new(),
        };
        this.elaborate(top, None, String::new());
        this.number_lanes();
        Ok(this)
    }

    /// The design.
    pub fn design(&self) -> &Design {
        &self.design
    }

    fn elaborate(&mut self, module: ModuleId, parent: Option<(u32, usize, u32)>, path: String) -> u32 {
        let at = self.instances.len() as u32;
        let storages = self.storages_of(module, at, parent.is_none());
        self.instances.push(Instance { module, path, lane: 0, parent, children: Vec::new(), storages });
        let arrays: Vec<(String, ModuleId, Option<u32>)> =
            self.design.module(module).instances.iter().map(|i| (i.name.clone(), i.module, i.count)).collect();
        for (index, (name, child, count)) in arrays.into_iter().enumerate() {
            let path = self.instances[at as usize].path_of(&name);
            let children = (0..count.unwrap_or(1))
                .map(|k| {
                    let element = count.map_or(String::new(), |_| format!("[{k}]"));
                    self.elaborate(child, Some((at, index, k)), format!("{path}{element}"))
                })
                .collect();
            self.instances[at as usize].children.push(children);
        }
        at
    }

    /// Numbers the instances for batches: those of one place in the source stand together, and among them the outermost
    /// array runs fastest. What passes from element to element of an inner array, as partial sums do in a
    /// column, then moves by a whole row of lanes.
    fn number_lanes(&mut self) {
        let mut keys: Vec<(Vec<usize>, Vec<u32>)> = Vec::with_capacity(self.instances.len());
        for instance in &self.instances {
            let key = match instance.parent {
                None => (Vec::new(), Vec::new()),
                Some((parent, array, element)) => {
                    let (places, elements) = &keys[parent as usize];
                    ([places.as_slice(), &[array]].concat(), [&[element], elements.as_slice()].concat())
                }
            };
            keys.push(key);
        }
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by(|a, b| keys[*a].cmp(&keys[*b]));
        for (lane, index) in order.into_iter().enumerate() {
            self.instances[index].lane = lane as u32;
        }
    }

    fn storages_of(&mut self, module: ModuleId, instance: u32, top: bool) -> Vec<Option<StorageId>> {
        let design = &self.design;
        let mut all = Vec::new();
        for id in design.module(module).signal_ids() {
            let signal = design.module(module).signal(id);
            let input = top && signal.port == Some(Direction::Input);
            if !input && !matches!(signal.kind, SignalKind::Register | SignalKind::ReadData) {
                all.push(None);
                continue;
            }
            let next = self.origins.len() as u32;
            let batch = *self.origins.entry((module.index() as u32, usize::MAX - id.index())).or_insert(next);
            all.push(Some(StorageId(self.storages.len() as u32)));
            self.storages.push(Storage {
                width: signal.ty.total_width(),
                signed: signal.ty.signed && signal.ty.is_scalar(),
                instance,
                signal: id,
                input,
                batch,
            });
        }
        all
    }

    /// Hierarchical name of a signal.
    pub fn path_of(&self, instance: u32, signal: SignalId) -> String {
        let entry = &self.instances[instance as usize];
        entry.path_of(&self.design.module(entry.module).signal(signal).name)
    }

    /// Finds a signal by hierarchical name.
    pub fn find(&self, path: &str) -> Option<(u32, SignalId)> {
        let (instance, name) = path.rsplit_once('.').unwrap_or(("", path));
        let at = self.instances.iter().position(|i| i.path == instance)?;
        Some((at as u32, self.design.module(self.instances[at].module).find(name)?))
    }

    /// The storage behind a signal, if it is one.
    pub fn storage_of(&self, instance: u32, signal: SignalId) -> Option<StorageId> {
        self.instances[instance as usize].storages[signal.index()]
    }

    /// Lowers everything that an edge changes.
    pub fn updates(&mut self) -> Result<Updates, SimError> {
        let mut all = Updates::default();
        for instance in 0..self.instances.len() as u32 {
            self.registers(instance, &mut all)?;
            self.memories(instance, &mut all)?;
        }
        Ok(all)
    }

    fn registers(&mut self, instance: u32, all: &mut Updates) -> Result<(), SimError> {
        let registers = self.design.module(self.instances[instance as usize].module).registers.clone();
        for register in registers {
            let Some(storage) = self.storage_of(instance, register.signal) else { continue };
            let next = self.expr(instance, &register.next)?;
            let next = self.netlist.value_cast(&next, self.storages[storage.index()].signed);
            let enable = register.enable.as_ref().map(|e| self.node(instance, e)).transpose()?;
            all.registers.push(RegisterUpdate { storage, next, enable, reset: register.reset });
        }
        Ok(())
    }

    fn memories(&mut self, instance: u32, all: &mut Updates) -> Result<(), SimError> {
        let memories = self.design.module(self.instances[instance as usize].module).memories.clone();
        for memory in memories {
            let index = all.memories.len();
            all.memories.push(MemoryInstance {
                path: self.instances[instance as usize].path_of(&memory.name),
                width: memory.width,
                depth: memory.depth,
                init: memory.init.unwrap_or_default(),
            });
            for read in memory.reads {
                let Some(storage) = self.storage_of(instance, read.data) else { continue };
                let enable = self.node(instance, &read.enable)?;
                let address = self.node(instance, &read.address)?;
                all.reads.push(ReadUpdate { memory: index, storage, enable, address });
            }
            for (port, write) in memory.writes.into_iter().enumerate() {
                let enable = self.node(instance, &write.enable)?;
                let address = self.node(instance, &write.address)?;
                let data = self.expr(instance, &write.data)?;
                let data = self.netlist.value_cast(&data, false);
                let mask = write.mask.as_ref().map(|m| self.expr(instance, m)).transpose()?;
                all.writes.push(WriteUpdate { memory: index, port, enable, address, data, mask });
            }
        }
        Ok(())
    }

    /// Tells the netlist for which expression of which instance nodes are made.
    fn set_origin(&mut self, instance: u32, key: usize) {
        let module = self.instances[instance as usize].module.index() as u32;
        let next = self.origins.len() as u32;
        let source = *self.origins.entry((module, key)).or_insert(next);
        self.netlist.origin = Origin { source, step: 0 };
        self.netlist.instance = self.instances[instance as usize].lane;
    }
}
