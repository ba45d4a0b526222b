//! Icarus Verilog, the four-state simulator.

use super::{ToolError, run, sources, text};
use std::path::Path;
use std::process::Command;

/// Compiles all `.v` files of a folder with a test bench module `top` among them, runs it and returns what it printed.
///
/// # Errors
/// When compilation or simulation fails or warns.
pub fn icarus_run(dir: &Path, top: &str) -> Result<String, ToolError> {
    let program = dir.join(format!("{top}.vvp"));
    let mut compile = Command::new("iverilog");
    compile.args(["-g2005", "-Wall", "-Wno-timescale", "-s", top, "-o"]).arg(&program).args(sources(dir)?);
    let output = run("iverilog", &mut compile)?;
    if !output.status.success() || text(&output).contains("warning:") {
        return Err(ToolError::Objection { tool: "iverilog", output: text(&output) });
    }
    let output = run("iverilog", Command::new("vvp").arg("-n").arg(&program).current_dir(dir))?;
    if !output.status.success() {
        return Err(ToolError::Objection { tool: "vvp", output: text(&output) });
    }
    Ok(text(&output))
}
