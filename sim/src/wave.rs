//! FST waveforms: signals of a simulator, in their hierarchy, over a window of cycles.
//!
//! Only values that change are written. A simulator without a waveform pays nothing; one with a waveform is
//! compiled once more, because its wires have to be kept.

use crate::{SignalHandle, SimError, Simulator};
use fst_writer::{
    FstBodyWriter, FstFileType, FstHeaderWriter, FstInfo, FstScopeType, FstSignalId, FstSignalType, FstVarDirection,
    FstVarType,
};
use std::io::{Seek, Write};

struct Trace {
    handle: SignalHandle,
    id: FstSignalId,
    width: u32,
    last: Vec<u64>,
}

/// A waveform under construction.
pub struct Wave<W: Write + Seek> {
    body: FstBodyWriter<W>,
    traces: Vec<Trace>,
    started: bool,
}

impl<W: Write + Seek> std::fmt::Debug for Wave<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wave").field("signals", &self.traces.len()).finish()
    }
}

fn failed(error: impl std::fmt::Display) -> SimError {
    SimError::Wave(error.to_string())
}

impl<W: Write + Seek> Wave<W> {
    /// Starts a waveform of the signals whose path `wanted` accepts; one cycle is one microsecond on its axis.
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
        enter(&mut header, &mut scope, &[])?;
        Ok(Self { body: header.finish().map_err(failed)?, traces, started: false })
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
            let digits: Vec<u8> =
                (0..trace.width).rev().map(|bit| b'0' + (limbs[bit as usize / 64] >> (bit % 64) & 1) as u8).collect();
            self.body.signal_change(trace.id, &digits).map_err(failed)?;
            trace.last = limbs;
        }
        self.started = true;
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
