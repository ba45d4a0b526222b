//! The fast simulator: lowers a design, plans batches, compiles them and runs them.
#![expect(unsafe_code, reason = "generated code is called with raw pointers to buffers that the plan has measured")]

use crate::buffer::{Buffer, Regions};
use crate::circuit::Circuit;
use crate::emit::{Code, MemoryPlace, Program, compile, place_memories};
use crate::engine::{Engine, PortId, RESET, find_port};
use crate::lower::value::Value;
use crate::lower::{Lower, Updates};
use crate::netlist::{Kind, StorageId};
use crate::plan::{Base, Layout, Outlook, Plan};
use crate::profile::Profile;
use crate::readout::Readout;
use crate::{Ports, SimError};
use heatvit_rtl::{Bits, Design, Direction};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// A signal whose value is kept, see [`Simulator::signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalHandle(u32);

/// A memory, see [`Simulator::memory`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryHandle(usize);

/// Where a top input lies in scratch memory.
#[derive(Clone, Copy, Debug)]
struct Input {
    at: u32,
    kind: Kind,
}

impl Input {
    /// Its limb `index`, in limbs of scratch memory, and what that holds.
    fn limb(self, index: u32) -> (usize, Kind) {
        let kind = if self.kind.width <= 64 { self.kind } else { Kind::bits((self.kind.width - 64 * index).min(64)) };
        ((self.at / 8 + index) as usize, kind)
    }

    fn limbs(self) -> u32 {
        self.kind.width.div_ceil(64)
    }
}

/// A design in execution.
#[derive(Debug)]
pub struct Simulator {
    lower: Lower,
    updates: Updates,
    circuit: Circuit,
    layout: Layout,
    readouts: Vec<Readout>,
    memory_places: Vec<MemoryPlace>,
    program: Option<Program>,
    handles: Vec<Value>,
    known: HashMap<(u32, u32), SignalHandle>,
    /// Of each top signal that is an output, in limbs of scratch memory.
    outputs: Vec<Option<Range<usize>>>,
    /// All outputs, side by side.
    frame: Option<Range<usize>>,
    /// The outputs among the top's signals; theirs are the first handles.
    output_ports: Vec<usize>,
    inputs: Vec<Option<Input>>,
    /// Bits of each limb of all inputs, which are the first limbs of scratch memory.
    driven: Vec<u64>,
    /// Inputs that are signed.
    signed: Vec<Input>,
    regions: Regions,
    reset: bool,
    fresh: bool,
    cycles: u64,
    profile: Profile,
    outlook: Outlook,
    /// True when the changes of this cycle are known, which they are not after a reset.
    noticed: bool,
}

impl Simulator {
    /// Elaborates the design; all state is zero (memories with `init`: their initial words).
    ///
    /// # Errors
    /// When the design is empty or too large, or has a combinational loop.
    pub fn new(design: &Design) -> Result<Self, SimError> {
        let top = design.module(design.top().ok_or(SimError::NoTop)?);
        crate::limits::check(design)?;
        let mut lower = Lower::new(design)?;
        let updates = lower.updates()?;
        let (memory_places, word_bytes) = place_memories(&updates);
        let mut words = Buffer::new(word_bytes);
        for (memory, place) in updates.memories.iter().zip(&memory_places) {
            for (index, word) in memory.init.iter().take(memory.depth as usize).enumerate() {
                write_word(&mut words, *place, index as u32, word);
            }
        }
        // The top is instance 0; all its inputs are storages, in order, before any other instance's.
        let signals = top.signals.len();
        let (mut handles, mut known, mut output_ports) = (Vec::new(), HashMap::new(), Vec::new());
        for (id, _) in top.ports().filter(|(_, s)| s.port == Some(Direction::Output)) {
            output_ports.push(id.index());
            known.insert((0, id.index() as u32), SignalHandle(handles.len() as u32));
            handles.push(lower.signal(0, id)?);
        }
        let circuit = Circuit::new(&lower, &updates, &handles);
        let (plan, layout) = Plan::new(&circuit, None, &Profile::default())?;
        let mut inputs = vec![None; signals];
        for (index, storage) in lower.storages.iter().enumerate().filter(|(_, s)| s.input) {
            let kind = Kind { width: storage.width, signed: storage.signed };
            inputs[storage.signal.index()] = Some(Input { at: layout.places[index].offset, kind });
        }
        let ports: Vec<Input> = top.ports().filter_map(|(id, _)| inputs[id.index()]).collect();
        let bits = |input: &Input, index: u32| Kind { signed: false, ..input.limb(index).1 }.canonical(u64::MAX);
        let driven = ports.iter().flat_map(|input| (0..input.limbs()).map(|i| bits(input, i))).collect();
        let signed = ports.iter().filter(|i| i.kind.signed && i.kind.width <= 64).copied().collect();
        let mut this = Self {
            regions: Regions {
                current: Buffer::new(layout.state_bytes),
                next: Buffer::new(layout.state_bytes),
                scratch: Buffer::new(layout.held_bytes),
                words,
            },
            lower,
            updates,
            circuit,
            layout,
            readouts: Vec::new(),
            memory_places,
            program: None,
            handles,
            known,
            outputs: vec![None; signals],
            output_ports,
            frame: None,
            inputs,
            driven,
            signed,
            reset: false,
            fresh: false,
            cycles: 0,
            profile: Profile::default(),
            outlook: Outlook::default(),
            noticed: false,
        };
        this.compile(plan)?;
        Ok(this)
    }

    /// Generates code for all values that are asked for so far; happens by itself before the next cycle.
    fn build(&mut self) -> Result<(), SimError> {
        self.circuit = self.circuit.keep(&self.lower, &self.updates, &self.handles);
        let (plan, _) = Plan::new(&self.circuit, Some(self.layout.clone()), &self.profile)?;
        self.compile(plan)
    }

    fn compile(&mut self, mut plan: Plan) -> Result<(), SimError> {
        let outputs = self.output_ports.len();
        let program = compile(&self.circuit, &self.layout, &mut plan, &self.memory_places, outputs)?;
        let ends = program.packed.first().zip(program.packed.last());
        self.frame = ends.map(|(first, last)| first.start..last.end);
        for (port, packed) in self.output_ports.iter().zip(&program.packed) {
            self.outputs[*port] = Some(packed.clone());
        }
        let mut scratch = Buffer::new(program.scratch_bytes);
        scratch.keep(&self.regions.scratch, self.layout.held_bytes);
        for (place, bytes) in &program.constants {
            scratch.write(place.offset, bytes);
        }
        self.layout.watch.all_changed(&mut scratch);
        self.outlook = std::mem::take(&mut plan.outlook);
        if self.outlook.is_hopeless() && !self.profile.is_closed() {
            self.profile = Profile::none();
        }
        let readout = |value| Readout::new(&self.circuit, &self.layout, &plan.homes, value);
        self.readouts = self.circuit.kept.iter().map(readout).collect();
        (self.regions.scratch, self.program, self.fresh, self.noticed) = (scratch, Some(program), false, false);
        Ok(())
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
        self.handles.push(value);
        self.known.insert(key, handle);
        self.program = None;
        self.fresh = false;
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
        self.readouts[handle.0 as usize].read(&self.regions, limbs);
        Ok(())
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
            let mut limbs = vec![0; width.div_ceil(64) as usize];
            let readout = Readout::of_storage(&self.circuit, &self.layout, StorageId(index as u32), width);
            readout.read(&self.regions, &mut limbs);
            Bits::from_limbs(width, &limbs)
        };
        storages.map(|(index, s)| (self.lower.path_of(s.instance, s.signal), bits(index, s.width))).collect()
    }

    /// Hierarchical paths of all memories, parents first.
    pub fn memory_paths(&self) -> impl Iterator<Item = &str> {
        self.updates.memories.iter().map(|m| m.path.as_str())
    }

    /// Number of words of a memory and bits of a word.
    pub fn memory_shape(&self, memory: MemoryHandle) -> (u32, u32) {
        let entry = &self.updates.memories[memory.0];
        (entry.depth, entry.width)
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
            return Bits::from_limbs(entry.width, &[self.regions.words.read(at, place.stride)]);
        }
        let limbs: Vec<u64> = (0..entry.width.div_ceil(64)).map(|i| self.regions.words.limb(at + i * 8)).collect();
        Bits::from_limbs(entry.width, &limbs)
    }

    /// The limbs in which a memory lies; those at its ends may hold something else, too.
    pub(crate) fn memory_limbs(&self, memory: MemoryHandle) -> &[u64] {
        let (depth, place) = (self.updates.memories[memory.0].depth, self.memory_places[memory.0]);
        let end = place.offset + depth * place.stride;
        &self.regions.words.limbs()[place.offset as usize / 8..end.div_ceil(8) as usize]
    }

    /// The words of which bytes lie in one of [`Self::memory_limbs`].
    pub(crate) fn words_in_limb(&self, memory: MemoryHandle, limb: u32) -> Range<u32> {
        let (depth, place) = (self.updates.memories[memory.0].depth, self.memory_places[memory.0]);
        let low = place.offset / 8 * 8 + limb * 8;
        let (first, end) = (low.saturating_sub(place.offset), low + 8 - place.offset);
        first / place.stride..end.div_ceil(place.stride).min(depth)
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
            if self.profile.needs_changes(self.cycles) {
                self.layout.watch.notice_inputs(&mut self.regions);
            }
            self.run(|program| &program.evaluate);
            self.fresh = true;
        }
        Ok(())
    }

    fn run(&mut self, part: impl Fn(&Program) -> &[Code]) {
        let Some(program) = &self.program else { return };
        for code in part(program) {
            let Regions { current, next, scratch, words } = &mut self.regions;
            let [current, next, scratch, words] = [current, next, scratch, words].map(Buffer::pointer);
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
        if self.profile.is_due(self.cycles) {
            self.profile_cycle()?;
        }
        self.run(|program| &program.step);
        self.noticed = self.profile.needs_changes(self.cycles);
        match self.noticed {
            true => self.layout.watch.settle(&mut self.regions),
            false => self.layout.watch.advance(&mut self.regions),
        }
        if self.reset {
            self.apply_reset();
        }
        std::mem::swap(&mut self.regions.current, &mut self.regions.next);
        self.fresh = false;
        self.cycles += 1;
        Ok(())
    }

    /// Looks at what changed in this cycle; when that was done often enough, the rest of the run uses it if that pays.
    fn profile_cycle(&mut self) -> Result<(), SimError> {
        if self.noticed {
            self.profile.add(self.layout.watch.changes(&self.regions));
        }
        if !self.profile.is_complete() {
            return Ok(());
        }
        if self.outlook.is_good(&self.profile) {
            return self.adapt();
        }
        self.profile = Profile::none();
        Ok(())
    }

    /// Compiles the design anew so that what changed seldom so far is left out where it does not change. Happens by itself
    /// once in a long run if it pays; the results are the same.
    ///
    /// # Errors
    /// When the design cannot be compiled.
    pub fn adapt(&mut self) -> Result<(), SimError> {
        self.profile.close();
        self.build()?;
        self.evaluate()
    }

    /// Whether it has.
    pub fn has_adapted(&self) -> bool {
        self.profile.is_closed()
    }

    fn apply_reset(&mut self) {
        for register in &self.circuit.updates.registers {
            let Some(value) = &register.reset else { continue };
            let store = *self.circuit.store(register.storage);
            let place = self.layout.places[register.storage.index()].next();
            let limbs: Vec<u64> = match store.kind.width {
                0..=64 => vec![Kind { width: value.width(), signed: register.next.signed }.canonical(value.low_u64())],
                _ => value.limbs().to_vec(),
            };
            let bytes: Vec<u8> = limbs.iter().flat_map(|l| l.to_le_bytes()).collect();
            self.regions.write(place, &bytes[..store.bytes as usize]);
            let now = self.layout.places[register.storage.index()];
            if now.base == Base::Watched {
                self.regions.write(now, &bytes[..store.bytes as usize]);
            }
        }
        // The next values that were computed are gone, whether or not anything changed.
        self.layout.watch.all_changed(&mut self.regions.scratch);
        self.noticed = false;
    }
}

/// Copies limbs; what is missing becomes zero.
#[inline]
fn copy_limbs(to: &mut [u64], from: &[u64]) {
    if let ([to], [from]) = (&mut *to, from) {
        *to = *from;
        return;
    }
    let count = to.len().min(from.len());
    to[..count].copy_from_slice(&from[..count]);
    to[count..].fill(0);
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
        let Some(Some(input)) = self.inputs.get(port.0 as usize).copied() else { return };
        self.fresh = false;
        let to = self.regions.scratch.limbs_mut();
        for i in 0..input.limbs() {
            let (at, kind) = input.limb(i);
            to[at] = kind.canonical(limbs.get(i as usize).copied().unwrap_or(0));
        }
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        // Outputs are kept from the start, so that reading one compiles nothing that has not compiled before.
        let known = self.evaluate().is_ok();
        match self.outputs.get(port.0 as usize) {
            Some(Some(from)) if known => copy_limbs(limbs, &self.regions.scratch.limbs()[from.clone()]),
            _ => limbs.fill(0),
        }
    }

    fn drive(&mut self, _: &Ports, frame: &[u64]) {
        self.fresh = false;
        let to = self.regions.scratch.limbs_mut();
        for ((to, bits), limb) in to.iter_mut().zip(&self.driven).zip(frame) {
            *to = limb & bits;
        }
        for input in &self.signed {
            let (at, kind) = input.limb(0);
            to[at] = kind.canonical(to[at]);
        }
        // The reset comes last, if there is one.
        self.reset = frame.get(self.driven.len()).is_some_and(|l| l & 1 == 1);
    }

    fn observe(&mut self, _: &Ports, frame: &mut [u64]) {
        // See `get`.
        let known = self.evaluate().is_ok();
        match (&self.frame, known) {
            (Some(outputs), true) => copy_limbs(frame, &self.regions.scratch.limbs()[outputs.clone()]),
            _ => frame.fill(0),
        }
    }

    fn step(&mut self) {
        // See `get`: recompilation after a new `signal` fails only where the first compilation would have failed.
        let _ = self.try_step();
    }
}
