//! Printed Verilog as a running engine: compiled by Verilator into a process that talks over pipes.
//!
//! A request is one byte (1: a rising edge with the inputs sent before, 0: none) and all inputs, the answer is
//! all outputs for these inputs; every port travels as little-endian 32-bit words. The C++ side is generated
//! from the top's ports.

use super::{ToolError, run, sources, text, verilator, write_files};
use heatvit_rtl::{Bits, Design, Direction, verilog};
use heatvit_sim::{Engine, PortId, SimError};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use tempfile::TempDir;

/// What the wheel's make file needs to be told: it was configured on another machine.
const MAKE_FLAGS: &str = "CXX=g++ LINK=g++ CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-lpthread \
                          CFG_CXXFLAGS_STD_NEWEST=-std=gnu++20 OPT_SLOW=-O0 OPT_GLOBAL=-O1";

/// A port of the running design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    direction: Direction,
    index: usize,
}

#[derive(Debug)]
struct PortInfo {
    name: String,
    width: u32,
    /// First byte among all ports of its direction.
    offset: usize,
}

impl PortInfo {
    fn words(&self) -> usize {
        self.width.div_ceil(32) as usize
    }

    /// Its bytes within those of all ports of its direction.
    fn bytes(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + 4 * self.words()
    }

    /// Bytes to limbs; limbs beyond the port become zero.
    fn read(&self, all: &[u8], limbs: &mut [u64]) {
        limbs.fill(0);
        for (word, bytes) in all[self.bytes()].chunks_exact(4).enumerate() {
            if let Some(limb) = limbs.get_mut(word / 2) {
                let value = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
                *limb |= u64::from(value) << (32 * (word % 2));
            }
        }
    }

    /// Limbs to bytes; missing limbs are zero, bits beyond the width are dropped.
    fn write(&self, all: &mut [u8], limbs: &[u64]) {
        for (word, bytes) in all[self.bytes()].chunks_exact_mut(4).enumerate() {
            let limb = limbs.get(word / 2).copied().unwrap_or(0);
            let bits = (self.width - 32 * word as u32).min(32);
            let value = (limb >> (32 * (word % 2))) as u32 & (u32::MAX >> (32 - bits));
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// Lays out the ports of one direction side by side.
fn lay_out(ports: impl Iterator<Item = (String, u32)>) -> Vec<PortInfo> {
    let mut offset = 0;
    ports
        .map(|(name, width)| {
            let info = PortInfo { name, width, offset };
            offset = info.bytes().end;
            info
        })
        .collect()
}

fn total(ports: &[PortInfo]) -> usize {
    ports.last().map_or(0, |p| p.bytes().end)
}

/// A compiled design in its process.
#[derive(Debug)]
pub struct Verilated {
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
    /// The next request: its kind, then the inputs.
    request: Vec<u8>,
    answer: Vec<u8>,
    /// Inputs or state have changed since the last answer.
    stale: bool,
    child: Child,
    to: ChildStdin,
    from: ChildStdout,
    _dir: TempDir,
}

impl Verilated {
    /// Prints, compiles and starts a design.
    ///
    /// # Errors
    /// When Verilator or the compiler objects, or the design has no top.
    pub fn new(design: &Design) -> Result<Self, ToolError> {
        Self::compiled(design, "OPT_FAST=-O1", &[])
    }

    /// The same for large designs and few cycles: compiled faster, runs slower. Verilator's own optimization is left out,
    /// too: of 1,600 random designs it changed what two compute (`-fno-dfg` does not) and stopped with an internal
    /// error on one.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn unoptimized(design: &Design) -> Result<Self, ToolError> {
        Self::compiled(design, "OPT_FAST=-O0", &["-O0"])
    }

    fn compiled(design: &Design, optimization: &str, more: &[&str]) -> Result<Self, ToolError> {
        let top = design.top().ok_or(ToolError::NoPort { name: "any".to_owned() })?;
        let module = design.module(top);
        let pick = |direction: Direction| {
            let ports = module.ports().filter(move |(_, s)| s.port == Some(direction));
            ports.map(|(_, s)| (s.name.clone(), s.ty.total_width()))
        };
        let reset = design.needs_reset(top).then(|| ("rst".to_owned(), 1));
        let inputs = lay_out(pick(Direction::Input).chain(reset));
        let outputs = lay_out(pick(Direction::Output));
        let dir = tempfile::tempdir().map_err(ToolError::io("making a temporary folder"))?;
        write_files(dir.path(), &verilog::print(design))?;
        let main = main_cpp(&inputs, &outputs, design.needs_clock(top));
        std::fs::write(dir.path().join("main.cpp"), main).map_err(ToolError::io("writing main.cpp"))?;
        compile(dir.path(), &module.name, optimization, more)?;
        let mut child = std::process::Command::new(dir.path().join("build/engine"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(ToolError::io("starting the compiled design"))?;
        let to = child.stdin.take().expect("standard input was piped");
        let from = child.stdout.take().expect("standard output was piped");
        let (request, answer) = (vec![0; 1 + total(&inputs)], vec![0; total(&outputs)]);
        Ok(Self { inputs, outputs, request, answer, stale: true, child, to, from, _dir: dir })
    }

    /// An input port (`rst` is one where the design has a reset).
    ///
    /// # Errors
    /// When there is no such port.
    pub fn input(&self, name: &str) -> Result<Port, ToolError> {
        find(&self.inputs, Direction::Input, name)
    }

    /// An output port.
    ///
    /// # Errors
    /// When there is no such port.
    pub fn output(&self, name: &str) -> Result<Port, ToolError> {
        find(&self.outputs, Direction::Output, name)
    }

    /// Sets an input; inputs start at zero. Outputs cannot be set.
    pub fn set(&mut self, port: Port, value: &Bits) {
        if port.direction == Direction::Input {
            self.set_limbs(port.index, value.limbs());
        }
    }

    fn set_limbs(&mut self, index: usize, limbs: &[u64]) {
        self.inputs[index].write(&mut self.request[1..], limbs);
        self.stale = true;
    }

    /// Value of a port for the present inputs and state.
    ///
    /// # Errors
    /// When the process has died.
    pub fn get(&mut self, port: Port) -> Result<Bits, ToolError> {
        let input = port.direction == Direction::Input;
        let width = if input { self.inputs[port.index].width } else { self.outputs[port.index].width };
        let mut limbs = vec![0; width.div_ceil(64) as usize];
        if input {
            self.inputs[port.index].read(&self.request[1..], &mut limbs);
        } else {
            self.get_limbs(port.index, &mut limbs)?;
        }
        Ok(Bits::from_limbs(width, &limbs))
    }

    fn get_limbs(&mut self, index: usize, limbs: &mut [u64]) -> Result<(), ToolError> {
        if self.stale {
            self.exchange()?;
        }
        self.outputs[index].read(&self.answer, limbs);
        Ok(())
    }

    /// One rising clock edge. It travels with the inputs of the next cycle, so that a cycle costs one exchange.
    ///
    /// # Errors
    /// When the process has died.
    pub fn step(&mut self) -> Result<(), ToolError> {
        if self.stale {
            self.exchange()?;
        }
        self.request[0] = 1;
        self.stale = true;
        Ok(())
    }

    fn exchange(&mut self) -> Result<(), ToolError> {
        self.to.write_all(&self.request).map_err(ToolError::io("writing to the compiled design"))?;
        self.to.flush().map_err(ToolError::io("writing to the compiled design"))?;
        self.from.read_exact(&mut self.answer).map_err(ToolError::io("reading from the compiled design"))?;
        self.request[0] = 0;
        self.stale = false;
        Ok(())
    }
}

/// Why a running design may be relied on: nothing but its own crash ends the process before the engine is dropped,
/// and a crash has to fail the test.
const ALIVE: &str = "the compiled design crashed";

/// Ids are positions among the inputs, or among the outputs.
impl Engine for Verilated {
    fn input(&self, name: &str) -> Result<PortId, SimError> {
        let port = Self::input(self, name);
        port.map(|p| PortId(p.index as u32)).map_err(|_| SimError::NoPort { direction: "input", name: name.to_owned() })
    }

    fn output(&self, name: &str) -> Result<PortId, SimError> {
        let port = Self::output(self, name);
        port.map(|p| PortId(p.index as u32))
            .map_err(|_| SimError::NoPort { direction: "output", name: name.to_owned() })
    }

    fn set(&mut self, port: PortId, limbs: &[u64]) {
        self.set_limbs(port.0 as usize, limbs);
    }

    fn get(&mut self, port: PortId, limbs: &mut [u64]) {
        self.get_limbs(port.0 as usize, limbs).expect(ALIVE);
    }

    fn step(&mut self) {
        Self::step(self).expect(ALIVE);
    }
}

impl Drop for Verilated {
    fn drop(&mut self) {
        // The process ends by itself when its input closes; this only keeps it from lingering.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find(ports: &[PortInfo], direction: Direction, name: &str) -> Result<Port, ToolError> {
    let index = ports.iter().position(|p| p.name == name);
    index.map(|index| Port { direction, index }).ok_or_else(|| ToolError::NoPort { name: name.to_owned() })
}

fn compile(dir: &Path, top: &str, optimization: &str, more: &[&str]) -> Result<(), ToolError> {
    let flags = format!("{MAKE_FLAGS} {optimization}");
    let mut command = verilator::command()?;
    command.args(["--cc", "--exe", "--build", "-Wno-fatal", "--x-assign", "0", "--x-initial", "0", "--prefix", "Vtop"]);
    command.args(["--default-language", "1364-2005", "--top-module", top, "-MAKEFLAGS", &flags, "-j", "2"]);
    command.args(more).arg("--Mdir").arg(dir.join("build")).args(["-o", "engine"]);
    let output = run("verilator", command.args(sources(dir)?).arg(dir.join("main.cpp")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ToolError::Objection { tool: "verilator", output: text(&output) })
}

fn main_cpp(inputs: &[PortInfo], outputs: &[PortInfo], clocked: bool) -> String {
    let (mut reads, mut writes) = (String::new(), String::new());
    for port in inputs {
        let _ = match port.width {
            0..=32 => writeln!(reads, "        top->{} = word();", port.name),
            33..=64 => {
                writeln!(reads, "        {{ QData low = word(); top->{} = low | (QData)word() << 32; }}", port.name)
            }
            _ => writeln!(reads, "        for (int i = 0; i < {}; i++) top->{}[i] = word();", port.words(), port.name),
        };
    }
    for port in outputs {
        let _ = match port.width {
            0..=32 => writeln!(writes, "        put(top->{});", port.name),
            33..=64 => writeln!(writes, "        put(top->{0}); put(top->{0} >> 32);", port.name),
            _ => writeln!(writes, "        for (int i = 0; i < {}; i++) put(top->{}[i]);", port.words(), port.name),
        };
    }
    let edge = if clocked { "top->clk = 1; top->eval(); top->clk = 0;" } else { "" };
    let (request, answer) = (total(inputs), total(outputs));
    format!(
        "#include \"Vtop.h\"\n#include <cstdio>\n#include <cstring>\n\
         static unsigned char in[{request} + 1], out[{answer} + 1], *from, *to;\n\
         static IData word() {{ IData w; memcpy(&w, from, 4); from += 4; return w; }}\n\
         static void put(IData w) {{ memcpy(to, &w, 4); to += 4; }}\n\
         int main() {{\n    Vtop *top = new Vtop;\n\
         {indent}while (fread(in, {request} + 1, 1, stdin) == 1) {{\n        from = in + 1; to = out;\n\
         {indent}    if (in[0]) {{ {edge} }}\n{reads}\
         {indent}    top->eval();\n{writes}\
         {indent}    fwrite(out, {answer}, 1, stdout); fflush(stdout);\n    }}\n    return 0;\n}}\n",
        indent = "    "
    )
}
