//! Yosys: structural checks, latches, cell counts.

use super::{ToolError, run, script, sources, text};
use std::collections::BTreeMap;
use std::path::Path;

/// What Yosys found after `proc; check -assert`.
#[derive(Debug, serde::Deserialize)]
pub struct YosysReport {
    /// Latches in all modules.
    pub latches: u32,
    /// Cells by kind, per module.
    pub modules: BTreeMap<String, BTreeMap<String, u32>>,
}

/// Reads all `.v` files of a folder.
///
/// # Errors
/// When Yosys objects to anything.
pub fn yosys_check(dir: &Path, top: &str) -> Result<YosysReport, ToolError> {
    let mut command = script("yosys", "yosys-check.py")?;
    let output = run("yosys", command.arg(top).args(sources(dir)?))?;
    let all = text(&output);
    let objection = || ToolError::Objection { tool: "yosys", output: all.clone() };
    if !output.status.success() || all.lines().any(|l| l.starts_with("Warning:")) {
        return Err(objection());
    }
    let report = all.lines().find_map(|l| l.strip_prefix("REPORT ")).ok_or_else(objection)?;
    serde_json::from_str(report).map_err(|_| objection())
}
