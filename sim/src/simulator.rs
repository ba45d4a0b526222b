//! The fast simulator: lowers a design, plans batches, compiles them and runs them.
#![expect(unsafe_code, reason = "generated code is called with raw pointers to buffers that the plan has measured")]

use crate::SimError;
use crate::emit::{Code, MemoryPlace, Program, compile, place_memories};
use crate::engine::{Engine, PortId, RESET, find_port};
use crate::lower::value::{Piece, Source, Value};
use crate::lower::{Lower, Updates};
use crate::netlist::{Kind, NodeId, Op};
use crate::plan::{Base, Place, Plan, stored_bytes};
use heatvit_rtl::{Bits, Design, Direction};
use std::collections::{BTreeMap, HashMap};

/// A signal whose value is kept, see [`Simulator::signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalHandle(u32);

/// A memory, see [`Simulator::memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHandle(usize);

/// Bytes beyond the end of each buffer that generated code may read.
const SLACK_LIMBS: usize = 16;

/// 64-byte aligned memory.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Line([u64; 8]);

#[derive(Debug)]
struct Buffer(Vec<Line>);

impl Buffer {
    fn new(bytes: u32) -> Self {
        Self(vec![Line([0; 8]); bytes as usize / 64 + 1 + SLACK_LIMBS / 8])
    }

    fn pointer(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn limb(&self, offset: u32) -> u64 {
        let limb = |i: usize| self.0[i / 8].0[i % 8];
        let (at, shift) = (offset as usize / 8, offset % 8 * 8);
        if shift == 0 { limb(at) } else { limb(at) >> shift | limb(at + 1) << (64 - shift) }
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) {
        for (i, byte) in bytes.iter().enumerate() {
            let at = offset as usize + i;
            let limb = &mut self.0[at / 64].0[at / 8 % 8];
            *limb = *limb & !(0xFF << (at % 8 * 8)) | u64::from(*byte) << (at % 8 * 8);
        }
    }

    fn read(&self, offset: u32, bytes: u32) -> u64 {
        Kind::bits(8 * bytes).canonical(self.limb(offset))
    }
}

/// A design in execution.
#[derive(Debug)]
pub struct Simulator {
    lower: Lower,
    updates: Updates,
    plan: Plan,
    memory_places: Vec<MemoryPlace>,
    program: Option<Program>,
    handles: Vec<Value>,
    known: HashMap<(u32, u32), SignalHandle>,
    outputs: Vec<Option<SignalHandle>>,
    inputs: Vec<Option<usize>>,
    current: Buffer,
    next: Buffer,
    scratch: Buffer,
    words: Buffer,
    reset: bool,
    fresh: bool,
    cycles: u64,
}

impl Simulator {
    /// Elaborates the design; all state is zero (memories with `init`: their initial words).
    ///
    /// # Errors
    /// When the design is empty or has a combinational loop.
    pub fn new(design: &Design) -> Result<Self, SimError> {
        let top = design.module(design.top().ok_or(SimError::NoTop)?);
        let mut lower = Lower::new(design)?;
        let updates = lower.updates()?;
        let plan = Plan::storages(&lower);
        let (memory_places, word_bytes) = place_memories(&updates);
        let mut words = Buffer::new(word_bytes);
        for (memory, place) in updates.memories.iter().zip(&memory_places) {
            for (index, word) in memory.init.iter().take(memory.depth as usize).enumerate() {
                write_word(&mut words, *place, index as u32, word);
            }
        }
        // The top is instance 0; all its inputs are storages, in order, before any other instance's.
        let signals = top.signals.len();
        let mut inputs = vec![None; signals];
        for (index, storage) in lower.storages.iter().enumerate().filter(|(_, s)| s.input) {
            inputs[storage.signal.index()] = Some(index);
        }
        let mut this = Self {
            current: Buffer::new(plan.state_bytes),
            next: Buffer::new(plan.state_bytes),
            scratch: Buffer::new(plan.scratch_bytes),
            words,
            lower,
            updates,
            plan,
            memory_places,
            program: None,
            handles: Vec::new(),
            known: HashMap::new(),
            outputs: vec![None; signals],
            inputs,
            reset: false,
            fresh: false,
            cycles: 0,
        };
        for (id, signal) in top.ports().filter(|(_, s)| s.port == Some(Direction::Output)) {
            let handle = this.signal(&signal.name)?;
            this.outputs[id.index()] = Some(handle);
        }
        this.build()?;
        Ok(this)
    }

    /// Generates code for all values that are asked for so far; happens by itself before the next cycle.
    fn build(&mut self) -> Result<(), SimError> {
        let storages = self.plan.storages.clone();
        let mut plan = Plan {
            storages,
            state_bytes: self.plan.state_bytes,
            // Inputs come first in scratch memory and stay where they are.
            scratch_bytes: self.input_bytes(),
            ..Plan::default()
        };
        plan.schedule(&self.lower, &self.updates, &self.handles);
        let program = compile(&self.lower, &self.updates, &mut plan, &self.memory_places)?;
        let mut scratch = Buffer::new(program.scratch_bytes);
        let keep = self.scratch.0.len().min(self.input_bytes() as usize / 64 + 1);
        scratch.0[..keep].clone_from_slice(&self.scratch.0[..keep]);
        for (place, bytes) in &program.constants {
            scratch.write(place.offset, bytes);
        }
        (self.scratch, self.plan, self.program, self.fresh) = (scratch, plan, Some(program), false);
        Ok(())
    }

    /// Bytes of scratch memory that the top inputs take.
    fn input_bytes(&self) -> u32 {
        let ends = self.lower.storages.iter().zip(&self.plan.storages).filter(|(s, _)| s.input);
        ends.map(|(s, p)| p.offset + stored_bytes(s.width)).max().unwrap_or(0)
    }

    /// A signal by hierarchical path (`pairs[3].segments[0].sums`), to be read with [`Self::read`].
    /// Asking for a signal that was not kept so far makes the next cycle compile the design again.
    ///
    /// # Errors
    /// When there is no such signal, or its value is part of a combinational loop.
    pub fn signal(&mut self, path: &str) -> Result<SignalHandle, SimError> {
        let no_signal = || SimError::NoSignal { path: path.to_owned() };
        let (instance, signal) = self.lower.find(path).ok_or_else(no_signal)?;
        let key = (instance, signal.index() as u32);
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let value = self.lower.signal(instance, signal)?;
        let handle = SignalHandle(self.handles.len() as u32);
        let mut nodes = Vec::new();
        crate::plan::nodes_of(&value, &mut nodes);
        let stored = |id: &NodeId| {
            self.plan.homes.contains_key(id) || matches!(self.lower.netlist.node(*id).op, Op::Const(_) | Op::Load(..))
        };
        let at_hand = nodes.iter().all(stored);
        self.handles.push(value);
        self.known.insert(key, handle);
        if !at_hand && self.program.is_some() {
            self.program = None;
            self.fresh = false;
        }
        Ok(handle)
    }

    /// Width of a signal in bits.
    pub fn width(&self, handle: SignalHandle) -> u32 {
        self.handles[handle.0 as usize].width
    }

    /// Hierarchical paths of all signals, in order of declaration, parents first.
    pub fn paths(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (index, instance) in self.lower.instances.iter().enumerate() {
            let module = self.lower.design().module(instance.module);
            all.extend(module.signal_ids().map(|id| self.lower.path_of(index as u32, id)));
        }
        all
    }

    /// Value of a signal in the present cycle, as little-endian limbs; limbs beyond its width become zero.
    ///
    /// # Errors
    /// When the design has to be compiled again and that fails.
    pub fn read(&mut self, handle: SignalHandle, limbs: &mut [u64]) -> Result<(), SimError> {
        self.evaluate()?;
        limbs.fill(0);
        let value = &self.handles[handle.0 as usize];
        let mut at = 0;
        for piece in value.pieces() {
            self.read_piece(piece, at, limbs);
            at += piece.width;
        }
        Ok(())
    }

    fn read_piece(&self, piece: Piece, at: u32, limbs: &mut [u64]) {
        let mut done = 0;
        while done < piece.width {
            let count = (piece.width - done).min(64);
            let bits = match piece.source {
                Source::Node(id) => self.node(id),
                Source::Storage(storage, low) => self.storage_bits(storage.index(), low + done),
            };
            let bits = Kind::bits(count).canonical(bits);
            let (limb, shift) = ((at + done) as usize / 64, (at + done) % 64);
            if let Some(to) = limbs.get_mut(limb) {
                *to |= bits << shift;
            }
            if let (Some(to), 1..) = (limbs.get_mut(limb + 1), shift) {
                *to |= bits >> (64 - shift);
            }
            done += count;
        }
    }

    fn buffer(&self, base: Base) -> &Buffer {
        match base {
            Base::Current => &self.current,
            Base::Next => &self.next,
            Base::Scratch => &self.scratch,
        }
    }

    fn node(&self, id: NodeId) -> u64 {
        let node = self.lower.netlist.node(id);
        if let Op::Const(value) = node.op {
            return value;
        }
        match self.plan.homes.get(&id) {
            Some(place) => {
                let kind = Kind { width: 8 * node.kind.bytes(), signed: node.kind.signed };
                kind.canonical(self.buffer(place.base).limb(place.offset))
            }
            None => match node.op {
                Op::Load(storage, low) => node.kind.canonical(self.storage_bits(storage.index(), low)),
                _ => 0,
            },
        }
    }

    /// 64 bits from `low` on; what lies beyond the storage is arbitrary.
    fn storage_bits(&self, storage: usize, low: u32) -> u64 {
        let place: Place = self.plan.storages[storage];
        let buffer = self.buffer(place.base);
        let at = place.offset + low / 8;
        let bits = buffer.limb(at) >> (low % 8);
        if low.is_multiple_of(8) { bits } else { bits | buffer.limb(at + 8) << (64 - low % 8) }
    }

    /// Value of any signal by hierarchical path.
    ///
    /// # Errors
    /// See [`Self::signal`].
    pub fn peek(&mut self, path: &str) -> Result<Bits, SimError> {
        let handle = self.signal(path)?;
        let width = self.width(handle);
        let mut limbs = vec![0; width.div_ceil(64) as usize];
        self.read(handle, &mut limbs)?;
        Ok(Bits::from_limbs(width, &limbs))
    }

    /// All registers and read data by hierarchical path.
    pub fn state(&self) -> BTreeMap<String, Bits> {
        let storages = self.lower.storages.iter().enumerate().filter(|(_, s)| !s.input);
        let bits = |index: usize, width: u32| {
            let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|i| self.storage_bits(index, i * 64)).collect();
            Bits::from_limbs(width, &limbs)
        };
        storages.map(|(index, s)| (self.lower.path_of(s.instance, s.signal), bits(index, s.width))).collect()
    }

    /// A memory by hierarchical path.
    ///
    /// # Errors
    /// When there is no such memory.
    pub fn memory(&self, path: &str) -> Result<MemoryHandle, SimError> {
        let found = self.updates.memories.iter().position(|m| m.path == path);
        found.map(MemoryHandle).ok_or_else(|| SimError::NoMemory { path: path.to_owned() })
    }

    /// A word of a memory as it is before the next edge; zero beyond the depth.
    pub fn word(&self, memory: MemoryHandle, index: u32) -> Bits {
        let (entry, place) = (&self.updates.memories[memory.0], self.memory_places[memory.0]);
        if index >= entry.depth {
            return Bits::zero(entry.width);
        }
        let at = place.offset + index * place.stride;
        if entry.width <= 64 {
            return Bits::from_limbs(entry.width, &[self.words.read(at, place.stride)]);
        }
        let limbs: Vec<u64> = (0..entry.width.div_ceil(64)).map(|i| self.words.limb(at + i * 8)).collect();
        Bits::from_limbs(entry.width, &limbs)
    }

    /// Cycles since the start.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Computes the present cycle if that has not been done.
    ///
    /// # Errors
    /// When the design has to be compiled again and that fails.
    pub fn evaluate(&mut self) -> Result<(), SimError> {
        if self.program.is_none() {
            self.build()?;
        }
        if !self.fresh {
            self.run(|program| &program.cycle);
            self.fresh = true;
        }
        Ok(())
    }

    fn run(&mut self, part: impl Fn(&Program) -> &[Code]) {
        let Some(program) = &self.program else { return };
        for code in part(program) {
            let buffers = [&mut self.current, &mut self.next, &mut self.scratch, &mut self.words];
            let [current, next, scratch, words] = buffers.map(Buffer::pointer);
            // SAFETY: the buffers have the sizes that the plan measured for this program, and nothing else
            // refers to them while the code runs.
            unsafe { code(current, next, scratch, words) };
        }
    }

    /// One rising clock edge.
    ///
    /// # Errors
    /// When the design has to be compiled again and that fails.
    pub fn try_step(&mut self) -> Result<(), SimError> {
        self.evaluate()?;
        self.run(|program| &program.commit);
        if self.reset {
            self.apply_reset();
        }
        std::mem::swap(&mut self.current, &mut self.next);
        self.fresh = false;
        self.cycles += 1;
        Ok(())
    }

    fn apply_reset(&mut self) {
        for register in &self.updates.registers {
            let Some(value) = &register.reset else { continue };
            let storage = &self.lower.storages[register.storage.index()];
            let at = self.plan.storages[register.storage.index()].offset;
            if storage.width <= 64 {
                let kind = Kind { width: storage.width, signed: storage.signed };
                let bytes = kind.canonical(value.low_u64()).to_le_bytes();
                self.next.write(at, &bytes[..stored_bytes(storage.width) as usize]);
            } else {
                let limbs = value.limbs().iter().enumerate();
                limbs.for_each(|(i, limb)| self.next.write(at + i as u32 * 8, &limb.to_le_bytes()));
            }
        }
    }
}

fn write_word(words: &mut Buffer, place: MemoryPlace, index: u32, word: &Bits) {
    let bytes: Vec<u8> = word.limbs().iter().flat_map(|l| l.to_le_bytes()).collect();
    let used = bytes.len().min(place.stride as usize);
    words.write(place.offset + index * place.stride, &bytes[..used]);
}

impl Engine for Simulator {
    fn input(&self, name: &str) -> Result<PortId, SimError> {
        find_port(self.lower.design(), name, Direction::Input)
    }

    fn output(&self, name: &str) -> Result<PortId, SimError> {
        find_port(self.lower.design(), name, Direction::Output)
    }

    fn set(&mut self, port: PortId, limbs: &[u64]) {
        if port == RESET {
            self.reset = limbs.first().is_some_and(|l| l & 1 == 1);
            return;
        }
        let Some(index) = self.inputs.get(port.0 as usize).copied().flatten() else { return };
        let (width, signed) = (self.lower.storages[index].width, self.lower.storages[index].signed);
        let at = self.plan.storages[index].offset;
        self.fresh = false;
        if width <= 64 {
            let kind = Kind { width, signed };
            let bytes = kind.canonical(limbs.first().copied().unwrap_or(0)).to_le_bytes();
            self.scratch.write(at, &bytes[..stored_bytes(width) as usize]);
            return;
        }
        let bits = Bits::from_limbs(width, limbs);
        for (i, limb) in bits.limbs().iter().enumerate() {
            self.scratch.write(at + i as u32 * 8, &limb.to_le_bytes());
        }
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        limbs.fill(0);
        if let Some(handle) = self.outputs.get(port.0 as usize).copied().flatten() {
            // Outputs are kept from the start, so that reading one compiles nothing that has not compiled before.
            let _ = self.read(handle, limbs);
        }
    }

    fn step(&mut self) {
        // See `get`: recompilation after a new `signal` fails only where the first compilation would have failed.
        let _ = self.try_step();
    }
}
