//! pyslang, the strictest front end for Verilog-2005.

use super::{ToolError, run, script, sources, text};
use std::path::Path;

/// Compiles and elaborates all `.v` files of a folder; warnings are objections.
///
/// # Errors
/// With the diagnostics.
pub fn pyslang_check(dir: &Path, top: &str) -> Result<(), ToolError> {
    let mut command = script("pyslang", "pyslang-check.py")?;
    let output = run("pyslang", command.arg(top).args(sources(dir)?))?;
    if output.status.success() {
        return Ok(());
    }
    Err(ToolError::Objection { tool: "pyslang", output: text(&output) })
}
