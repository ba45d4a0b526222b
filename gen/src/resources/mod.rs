//! What a design takes of the device: DSPs, lookup tables, flip-flops and block RAMs by Yosys, module by module.
//!
//! Modules are synthesized one by one, without looking through their borders, and multiplied by their instances.
//! Vivado does look through and packs two small lookup tables into one, so these are upper bounds; differences of
//! two designs are what they are good for.

mod table;
mod tree;
mod usage;
mod yosys;

pub use table::{Comparison, Report};
pub use tree::{Cells, DesignUsage, ModuleUsage, TreeError, design};
pub use usage::{Percent, Usage, ZU9EG, device};
pub use yosys::{Synthesis, find};

use crate::error::GenError;
use heatvit_rtl::{Design, verilog};

/// Counts a design.
///
/// # Errors
/// Yosys does not run or objects.
pub fn measure(synthesis: &mut Synthesis, of: &Design, top: &str) -> Result<DesignUsage, GenError> {
    let cells = synthesis.cells(&verilog::print(of), top)?;
    design(&cells, top).map_err(|e| GenError::stage("resources", e))
}
