//! The Verilog-2005 printer.
//!
//! One file per module type. The text means exactly what the interpreter computes: every operator gets
//! operands of its own width and signedness, so that Verilog's context rules have nothing left to decide.
//! Where a rule of the language helps the reader (sign extension in sums and products), it is used only
//! at the root of an assignment, where the context is known.
//!
//! The printer expects a design that [`crate::verify`] accepts.

mod format;
mod instance;
mod item;
mod lower;
mod names;
mod ports;
mod printer;
mod process;
mod storage;
mod term;
mod text;
mod unused;

pub(crate) use storage::address_bits;

use crate::{Design, Origin};

/// A printed module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerilogFile {
    /// File name: the module's name with `.v`.
    pub name: String,
    /// The text.
    pub text: String,
    /// A vendor primitive's behaviour: for simulators, not for synthesis.
    pub simulation_only: bool,
}

/// Prints every module of a design, children before parents.
pub fn print(design: &Design) -> Vec<VerilogFile> {
    design
        .ids()
        .map(|id| {
            let module = design.module(id);
            VerilogFile {
                name: format!("{}.v", module.name),
                text: printer::Printer::new(design, id).file(),
                simulation_only: module.origin == Origin::Primitive,
            }
        })
        .collect()
}
