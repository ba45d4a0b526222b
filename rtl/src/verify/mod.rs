//! The verifier. A design that it accepts has one meaning, and prints, interprets and simulates alike.
//!
//! Rules, in the order in which they are checked:
//!
//! 1. The design has a top, and a module instantiates only modules that were added before it.
//! 2. Names are Verilog identifiers, no keyword of Verilog-2005, SystemVerilog or VHDL, not `clk` or `rst`, and
//!    differ within a module and between modules even where case does not count (file names, VHDL).
//! 3. Every expression is well formed: signals of this module, slices and elements within range, equal
//!    operand types, one-bit conditions, no width of zero.
//! 4. Widths agree in assignments, registers, memories, processes and connections.
//! 5. A memory address is at most as wide as the depth needs, and initial words fit.
//! 6. Every bit of a wire has exactly one driver; registers and read data have theirs; inputs have none.
//! 7. Every input of an instance is connected once, outputs at most once, parts of lanes are within range.
//! 8. A process assigns each of its signals on every path and reads none before it is assigned.
//! 9. No combinational loop, through the hierarchy, told apart by parts of signals with lanes.

mod drivers;
mod error;
mod expressions;
mod loops;
mod names;
mod process;
mod widths;

pub use error::VerifyError;

use crate::Design;

/// Checks a whole design against the rules above; the first violation is returned.
///
/// # Errors
/// With module, signal and remedy.
pub fn verify(design: &Design) -> Result<(), VerifyError> {
    let top = design.top().ok_or(VerifyError::NoTop)?;
    debug_assert!(top.index() < design.ids().count());
    names::modules(design)?;
    for id in design.ids() {
        let module = design.module(id);
        if let Some(instance) = module.instances.iter().find(|i| i.module >= id) {
            return Err(VerifyError::Order { module: module.name.clone(), instance: instance.name.clone() });
        }
        names::module(module)?;
        expressions::check(module)?;
        widths::check(design, module)?;
        drivers::check(design, module)?;
        process::check(module)?;
    }
    loops::check(design)
}

#[cfg(test)]
mod tests;
