//! A small register-transfer language, elaborated at run time.
//!
//! A [`Design`] is a list of [`Module`]s with one top. Modules are made with a
//! [`ModuleBuilder`], checked by the one verifier and then handed, unchanged, to
//! the Verilog printer, to the reference interpreter and to the fast simulator.
//! The language is two-state, has one clock (`clk`) and one synchronous reset
//! (`rst`), and knows nothing of transformers.
//!
//! It holds no host closures: whatever a design does is visible in its value.

mod bits;
mod builder;
mod design;
mod expr;
pub mod import;
mod interpret;
mod module;
mod path;
#[cfg(feature = "random")]
pub mod random;
pub mod rewrite;
mod ty;
mod verify;
pub mod verilog;
mod walk;

pub use bits::Bits;
pub use builder::{InstanceBuilder, ModuleBuilder};
pub use design::Design;
pub use expr::{BinaryOp, Expr, ExprKind, UnaryOp, select};
pub use interpret::{InterpretError, Interpreter};
pub use module::{
    Assign, Connection, Direction, Instance, Memory, MemoryId, MemoryStyle, Module, ModuleId, Origin, Primitive,
    Process, ReadPort, Register, Signal, SignalId, SignalKind, Statement, WritePort,
};
pub use path::path_within;
pub use ty::Ty;
pub use verify::{VerifyError, verify};
