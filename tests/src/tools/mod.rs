//! Drivers of the external tools that read the printed Verilog.
//!
//! They are installed by `scripts/install-tools`; a missing tool is an error, never a skipped test.

mod icarus;
mod pyslang;
mod verilated;
mod verilator;
mod yosys;

pub use icarus::icarus_run;
pub use pyslang::pyslang_check;
pub use verilated::{Port, Verilated};
pub use verilator::verilator_lint;
pub use yosys::{YosysReport, yosys_check};

use heatvit_rtl::verilog::VerilogFile;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Why a tool gave no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The program is not there.
    #[error("{tool} is missing: run scripts/install-tools")]
    Missing {
        /// The tool.
        tool: &'static str,
    },
    /// The tool objects to its input.
    #[error("{tool} objects:\n{output}")]
    Objection {
        /// The tool.
        tool: &'static str,
        /// What it printed.
        output: String,
    },
    /// A file or a pipe failed.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// No such port of the top module.
    #[error("the top module has no port `{name}`")]
    NoPort {
        /// As asked for.
        name: String,
    },
}

impl ToolError {
    fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The folder that `scripts/install-tools` fills.
fn kit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools")
}

/// A Python script of `scripts/tools` under the kit's interpreter.
fn script(tool: &'static str, name: &str) -> Result<Command, ToolError> {
    let python = kit().join("bin/python");
    if !python.exists() {
        return Err(ToolError::Missing { tool });
    }
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/tools").join(name));
    Ok(command)
}

/// Runs a tool to its end.
fn run(tool: &'static str, command: &mut Command) -> Result<Output, ToolError> {
    command.output().map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => ToolError::Missing { tool },
        _ => ToolError::Io { what: format!("running {tool}"), source },
    })
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// All `.v` files of a folder, sorted.
fn sources(dir: &Path) -> Result<Vec<PathBuf>, ToolError> {
    let entries = std::fs::read_dir(dir).map_err(ToolError::io(format!("reading {}", dir.display())))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.extension().is_some_and(|e| e == "v")).collect();
    files.sort();
    Ok(files)
}

/// Writes printed modules into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write_files(dir: &Path, files: &[VerilogFile]) -> Result<(), ToolError> {
    for file in files {
        let path = dir.join(&file.name);
        std::fs::write(&path, &file.text).map_err(ToolError::io(format!("writing {}", path.display())))?;
    }
    Ok(())
}
