//! Printed Verilog as a running engine: compiled by Verilator into a process that talks over pipes.
//!
//! A request is one byte (0 evaluate, 1 rising edge) and all inputs, the answer is all outputs; every
//! port travels as little-endian 32-bit words. The C++ side is generated from the top's ports.

use super::{ToolError, run, sources, text, verilator, write_files};
use heatvit_rtl::{Bits, Design, Direction, verilog};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use tempfile::TempDir;

/// What the wheel's make file needs to be told: it was configured on another machine.
const MAKE_FLAGS: &str = "CXX=g++ LINK=g++ CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-lpthread \
                          CFG_CXXFLAGS_STD_NEWEST=-std=gnu++20 OPT_FAST=-O1 OPT_SLOW=-O0 OPT_GLOBAL=-O1";

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
    value: Bits,
}

impl PortInfo {
    fn words(&self) -> usize {
        self.width.div_ceil(32) as usize
    }
}

/// A compiled design in its process.
#[derive(Debug)]
pub struct Verilated {
    inputs: Vec<PortInfo>,
    outputs: Vec<PortInfo>,
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
        let top = design.top().ok_or(ToolError::NoPort { name: "any".to_owned() })?;
        let module = design.module(top);
        let info = |name: &str, width: u32| PortInfo { name: name.to_owned(), width, value: Bits::zero(width) };
        let pick = |direction: Direction| -> Vec<PortInfo> {
            let ports = module.ports().filter(|(_, s)| s.port == Some(direction));
            ports.map(|(_, s)| info(&s.name, s.ty.total_width())).collect()
        };
        let (mut inputs, outputs) = (pick(Direction::Input), pick(Direction::Output));
        if design.needs_reset(top) {
            inputs.push(info("rst", 1));
        }
        let dir = tempfile::tempdir().map_err(ToolError::io("making a temporary folder"))?;
        write_files(dir.path(), &verilog::print(design))?;
        let main = main_cpp(&inputs, &outputs, design.needs_clock(top));
        std::fs::write(dir.path().join("main.cpp"), main).map_err(ToolError::io("writing main.cpp"))?;
        compile(dir.path(), &module.name)?;
        let mut child = std::process::Command::new(dir.path().join("build/engine"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(ToolError::io("starting the compiled design"))?;
        let to = child.stdin.take().expect("standard input was piped");
        let from = child.stdout.take().expect("standard output was piped");
        Ok(Self { inputs, outputs, stale: true, child, to, from, _dir: dir })
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
            let info = &mut self.inputs[port.index];
            info.value = Bits::from_limbs(info.width, value.limbs());
            self.stale = true;
        }
    }

    /// Value of a port for the present inputs and state.
    ///
    /// # Errors
    /// When the process has died.
    pub fn get(&mut self, port: Port) -> Result<Bits, ToolError> {
        if port.direction == Direction::Input {
            return Ok(self.inputs[port.index].value.clone());
        }
        if self.stale {
            self.exchange(0)?;
        }
        Ok(self.outputs[port.index].value.clone())
    }

    /// One rising clock edge.
    ///
    /// # Errors
    /// When the process has died.
    pub fn step(&mut self) -> Result<(), ToolError> {
        self.exchange(1)
    }

    fn exchange(&mut self, request: u8) -> Result<(), ToolError> {
        let mut message = vec![request];
        for port in &self.inputs {
            for word in 0..port.words() {
                let limb = port.value.limbs().get(word / 2).copied().unwrap_or(0);
                message.extend(((limb >> (32 * (word % 2))) as u32).to_le_bytes());
            }
        }
        self.to.write_all(&message).map_err(ToolError::io("writing to the compiled design"))?;
        self.to.flush().map_err(ToolError::io("writing to the compiled design"))?;
        let mut answer = vec![0; self.outputs.iter().map(|p| 4 * p.words()).sum()];
        self.from.read_exact(&mut answer).map_err(ToolError::io("reading from the compiled design"))?;
        let mut words = answer.chunks_exact(4).map(|b| u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])));
        for port in &mut self.outputs {
            let mut limbs = vec![0u64; port.width.div_ceil(64) as usize];
            for word in 0..port.width.div_ceil(32) as usize {
                limbs[word / 2] |= words.next().unwrap_or(0) << (32 * (word % 2));
            }
            port.value = Bits::from_limbs(port.width, &limbs);
        }
        self.stale = false;
        Ok(())
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

fn compile(dir: &Path, top: &str) -> Result<(), ToolError> {
    let mut command = verilator::command()?;
    command.args(["--cc", "--exe", "--build", "-Wno-fatal", "--x-assign", "0", "--x-initial", "0", "--prefix", "Vtop"]);
    command.args(["--default-language", "1364-2005", "--top-module", top, "-MAKEFLAGS", MAKE_FLAGS, "-j", "2"]);
    command.arg("--Mdir").arg(dir.join("build")).args(["-o", "engine"]);
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
    let edge = if clocked { "top->clk = 1; top->eval(); top->clk = 0; top->eval();" } else { "" };
    let request: usize = inputs.iter().map(|p| 4 * p.words()).sum::<usize>();
    let answer: usize = outputs.iter().map(|p| 4 * p.words()).sum::<usize>();
    format!(
        "#include \"Vtop.h\"\n#include <cstdio>\n#include <cstring>\n\
         static unsigned char in[{request} + 1], out[{answer} + 1], *from, *to;\n\
         static IData word() {{ IData w; memcpy(&w, from, 4); from += 4; return w; }}\n\
         static void put(IData w) {{ memcpy(to, &w, 4); to += 4; }}\n\
         int main() {{\n    Vtop *top = new Vtop;\n\
         {indent}while (fread(in, {request} + 1, 1, stdin) == 1) {{\n        from = in + 1; to = out;\n{reads}\
         {indent}    top->eval();\n        if (in[0]) {{ {edge} }}\n{writes}\
         {indent}    fwrite(out, {answer}, 1, stdout); fflush(stdout);\n    }}\n    return 0;\n}}\n",
        indent = "    "
    )
}
