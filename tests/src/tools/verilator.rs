//! Verilator as linter, and where to find it.

use super::{ToolError, kit, run, sources, text};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program inside the wheel. Its own launcher would run whichever `verilator` comes first in PATH.
pub(super) fn command() -> Result<Command, ToolError> {
    let missing = || ToolError::Missing { tool: "verilator" };
    let lib = std::fs::read_dir(kit().join("lib")).map_err(|_| missing())?;
    let mut homes: Vec<PathBuf> =
        lib.filter_map(|e| e.ok().map(|e| e.path().join("site-packages/verilator"))).filter(|p| p.exists()).collect();
    homes.sort();
    let home = homes.pop().ok_or_else(missing)?;
    let mut command = Command::new(home.join("bin/verilator"));
    command.env("VERILATOR_ROOT", &home);
    Ok(command)
}

/// `--lint-only -Wall` over all `.v` files of a folder, without waivers.
///
/// # Errors
/// With the warnings.
pub fn verilator_lint(dir: &Path, top: &str) -> Result<(), ToolError> {
    let mut command = command()?;
    command.args(["--lint-only", "-Wall", "--default-language", "1364-2005", "--top-module", top]);
    let output = run("verilator", command.args(sources(dir)?))?;
    if output.status.success() && !text(&output).contains("%Warning") {
        return Ok(());
    }
    Err(ToolError::Objection { tool: "verilator", output: text(&output) })
}
