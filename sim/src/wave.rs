//! FST waveforms: signals and memories of a simulator, in their hierarchy, over a window of cycles.
//!
//! An element of an instance array is a scope `name[3]`, a memory is a scope with a variable `word_5` for
//! each word, because readers take brackets in a variable's name for its bits.
//! Only values that change are written. A simulator without a waveform pays nothing; one with a waveform is
//! compiled once more, because its wires have to be kept.

use crate::{MemoryHandle, SignalHandle, SimError, Simulator};
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType,
};
use std::error::Error;
use std::io::{Seek, Write};

struct Trace {
    handle: SignalHandle,
    id: FstSignalId,
    width: u32,
    last: Vec<u64>,
}

/// A memory whose words are variables.
struct Words {
    handle: MemoryHandle,
    ids: Vec<FstSignalId>,
    /// Its bytes when they were last written down; empty before.
    last: Vec<u64>,
}

/// A waveform under construction.
pub struct Wave<W: Write + Seek> {
    body: FstBodyWriter<W>,
    traces: Vec<Trace>,
    memories: Vec<Words>,
    started: bool,
    /// Bytes of changes that are held before they are written.
    held: usize,
}

/// Bytes of changes that are held unless told otherwise: the file's blocks, and what a waveform takes of memory.
const HELD: usize = 64 << 20;

impl<W: Write + Seek> std::fmt::Debug for Wave<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (signals, memories) = (self.traces.len(), self.memories.len());
        f.debug_struct("Wave").field("signals", &signals).field("memories", &memories).finish()
    }
}

/// With its causes: the writer itself says only that writing failed.
fn failed(error: impl Error) -> SimError {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    SimError::Wave(text)
}

impl<W: Write + Seek> Wave<W> {
    /// Starts a waveform of the signals and memories whose path `wanted` accepts; one cycle is one microsecond on its
    /// axis.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn new(
        simulator: &mut Simulator,
        out: W,
        first_cycle: u64,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, SimError> {
        let info = FstInfo {
            start_time: first_cycle,
            timescale_exponent: -6,
            version: concat!("heatvit ", env!("CARGO_PKG_VERSION")).to_owned(),
            // No date: equal runs give equal files.
            date: String::new(),
            file_type: FstFileType::Verilog,
        };
        let mut header = FstHeaderWriter::new(out, &info).map_err(failed)?;
        let mut traces = Vec::new();
        let mut scope: Vec<String> = Vec::new();
        for path in simulator.paths().into_iter().filter(|p| wanted(p)) {
            let mut names: Vec<&str> = std::iter::once("top").chain(path.split('.')).collect();
            let Some(name) = names.pop() else { continue };
            enter(&mut header, &mut scope, &names)?;
            let handle = simulator.signal(&path)?;
            let width = simulator.width(handle);
            let ty = FstSignalType::bit_vec(width);
            let id = header.var(name, ty, FstVarType::Wire, FstVarDirection::Implicit, None).map_err(failed)?;
            traces.push(Trace { handle, id, width, last: vec![0; width.div_ceil(64) as usize] });
        }
        let mut memories = Vec::new();
        for path in simulator.memory_paths().filter(|p| wanted(p)) {
            let names: Vec<&str> = std::iter::once("top").chain(path.split('.')).collect();
            enter(&mut header, &mut scope, &names)?;
            let handle = simulator.memory(path)?;
            memories.push(Words { handle, ids: words(&mut header, simulator.memory_shape(handle))?, last: Vec::new() });
        }
        enter(&mut header, &mut scope, &[])?;
        Ok(Self { body: header.finish().map_err(failed)?, traces, memories, started: false, held: HELD })
    }

    /// Holds at most about so many bytes of changes before they are written as a block.
    #[must_use]
    pub fn holding(self, held: usize) -> Self {
        Self { held, ..self }
    }

    /// Writes the present cycle's changes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn sample(&mut self, simulator: &mut Simulator, cycle: u64) -> Result<(), SimError> {
        self.body.time_change(cycle).map_err(failed)?;
        for trace in &mut self.traces {
            let mut limbs = vec![0; trace.last.len()];
            simulator.read(trace.handle, &mut limbs)?;
            if self.started && limbs == trace.last {
                continue;
            }
            self.body.signal_change(trace.id, &digits(&limbs, trace.width)).map_err(failed)?;
            trace.last = limbs;
        }
        for memory in &mut self.memories {
            memory.sample(&mut self.body, simulator)?;
        }
        self.started = true;
        if self.body.size() > self.held {
            self.body.flush().map_err(failed)?;
        }
        Ok(())
    }

    /// Completes the file and returns it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(self) -> Result<W, SimError> {
        self.body.finish().map_err(failed)
    }
}

impl Words {
    /// Writes the words that have changed.
    fn sample<W: Write + Seek>(&mut self, body: &mut FstBodyWriter<W>, simulator: &Simulator) -> Result<(), SimError> {
        let (_, width) = simulator.memory_shape(self.handle);
        let now = simulator.memory_limbs(self.handle);
        let mut changed: Vec<u32> = match self.last.is_empty() {
            true => (0..self.ids.len() as u32).collect(),
            false => {
                let differing = self.last.iter().zip(now).enumerate().filter(|(_, (a, b))| a != b);
                differing.flat_map(|(limb, _)| simulator.words_in_limb(self.handle, limb as u32)).collect()
            }
        };
        changed.dedup();
        for index in changed {
            let word = simulator.word(self.handle, index);
            body.signal_change(self.ids[index as usize], &digits(word.limbs(), width)).map_err(failed)?;
        }
        if self.last != now {
            self.last.clear();
            self.last.extend_from_slice(now);
        }
        Ok(())
    }
}

/// Declares the words of a memory of a depth and a width.
fn words<W: Write + Seek>(
    header: &mut FstHeaderWriter<W>,
    (depth, width): (u32, u32),
) -> Result<Vec<FstSignalId>, SimError> {
    let ty = || FstSignalType::bit_vec(width);
    let word = |i: u32| header.var(format!("word_{i}"), ty(), FstVarType::Reg, FstVarDirection::Implicit, None);
    (0..depth).map(word).collect::<Result<_, _>>().map_err(failed)
}

/// Binary digits, the highest first.
fn digits(limbs: &[u64], width: u32) -> Vec<u8> {
    (0..width).rev().map(|bit| b'0' + (limbs[bit as usize / 64] >> (bit % 64) & 1) as u8).collect()
}

/// Closes and opens scopes until `names` is the present one.
fn enter<W: Write + Seek>(
    header: &mut FstHeaderWriter<W>,
    scope: &mut Vec<String>,
    names: &[&str],
) -> Result<(), SimError> {
    let common = scope.iter().zip(names).take_while(|(a, b)| a == *b).count();
    while scope.len() > common {
        header.up_scope().map_err(failed)?;
        scope.pop();
    }
    for name in &names[common..] {
        header.scope(name, "", FstScopeType::Module).map_err(failed)?;
        scope.push((*name).to_owned());
    }
    Ok(())
}
