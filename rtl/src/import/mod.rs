//! Imports rust-hdl blocks: control state machines written as typed Rust.
//!
//! [`import`] turns one rust-hdl 0.46 block into one [`Module`](crate::Module) of origin
//! [`RustHdl`](crate::Origin::RustHdl). It reads the statement tree that `#[hdl_gen]` makes, sizes every
//! expression as Rust does and as Verilog would, refuses the block where the two can differ, and
//! otherwise gives each expression its exact width. It reads no memories, no primitives, no custom
//! Verilog and no connections by interface (`join`, `link`).
//!
//! # How to write a block that can be imported
//!
//! ```
//! use heatvit_rtl::{Design, Interpreter, import::import};
//! use rust_hdl_core::prelude::*;
//! use rust_hdl_widgets::{dff::DFF, dff_setup};
//!
//! #[derive(Copy, Clone, Debug, PartialEq, LogicState)]
//! enum State {
//!     Idle,
//!     Send,
//! }
//!
//! #[derive(LogicBlock, Default)]
//! struct Sender {
//!     pub clock: Signal<In, Clock>,
//!     pub reset: Signal<In, Bit>,
//!     pub start: Signal<In, Bit>,
//!     pub count: Signal<In, Bits<16>>,
//!     pub ready: Signal<In, Bit>,
//!     pub valid: Signal<Out, Bit>,
//!     pub last: Signal<Out, Bit>,
//!     state: DFF<State>,
//!     left: DFF<Bits<16>>,
//!     taken: Signal<Local, Bit>,
//! }
//!
//! impl Logic for Sender {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         // Every DFF: its clock, and `d = q` as the default.
//!         dff_setup!(self, clock, state, left);
//!         // Outputs and locals: a default first, then what overrides it; read them only afterwards.
//!         self.valid.next = self.state.q.val() == State::Send;
//!         self.last.next = self.left.q.val() == 1;
//!         self.taken.next = self.valid.val() & self.ready.val();
//!         match self.state.q.val() {
//!             State::Idle => {
//!                 if self.start.val() {
//!                     self.left.d.next = self.count.val();
//!                     self.state.d.next = State::Send;
//!                 }
//!             }
//!             State::Send => {
//!                 if self.taken.val() {
//!                     self.left.d.next = self.left.q.val() - 1;
//!                     if self.last.val() {
//!                         self.state.d.next = State::Idle;
//!                     }
//!                 }
//!             }
//!         }
//!         // Reset comes last, so that it wins.
//!         if self.reset.val() {
//!             self.state.d.next = State::Idle;
//!         }
//!     }
//! }
//!
//! let mut design = Design::new();
//! let id = import(&mut design, "sender", "Sends `count` beats.\n- count: beats to send, at least 1", Sender::default())?;
//! assert_eq!(design.module(id).registers.len(), 2);
//!
//! let mut sender = Interpreter::new(&design)?;
//! sender.set_input("start", &heatvit_rtl::Bits::new(1, 1))?;
//! sender.set_input("count", &heatvit_rtl::Bits::new(16, 3))?;
//! sender.step();
//! assert_eq!(sender.output("valid")?, heatvit_rtl::Bits::new(1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Ports.** `Signal<In, _>` and `Signal<Out, _>` of `Bit`, `Bits<N>`, `Signed<N>` or an enum with
//! `LogicState` become ports of the same name; no structs, no `InOut`. The clock is
//! `clock: Signal<In, Clock>` and becomes the implicit `clk`. The reset is an ordinary input.
//! Members of a `LogicInterface` field become `field_member`.
//!
//! **State** lives in `DFF` children; a `DFF` named `left` becomes the register `left` and its next
//! value `left_next`. All state starts at zero, an enum in its first state: put the state that the
//! block has at power-up first.
//!
//! **Blocks in blocks**, arrays and `Vec`s of blocks are flattened into the module, their names joined
//! by `_`. `for` loops over literal bounds are unrolled; `self.lanes[i + 1].d.next` is fine.
//!
//! **Statements.** `if`/`else`, `match` on an enum (arms `State::Name` with the type's name, and `_`),
//! assignment. Each signal: assigned on every path, read (own outputs and locals) only where it is
//! assigned, and not assigned again afterwards. Write a child's inputs and read its outputs, never the
//! other way round. A `match` without `_` gives codes that no state has to its last arm.
//!
//! **Expressions** that are always fine: signals and literals assigned to a target of their width;
//! `==`, `!=`, `<`, `<=`, `>`, `>=` between signals of one width or with a literal that fits; `&`, `|`,
//! `^`, `!`, `&&`, `||` on operands of one width; `a + b`, `a - 1` assigned to a target of their width;
//! `a.any()`, `a.all()`, `a.xor()`, `a.get_bit(3)`, `a.get_bits::<4>(8)`, `a.replace_bit(i, flag)`,
//! `a << 3`, `a >> n` of plain signals; `bit_cast::<M, N>(a)` of a plain signal, wider or narrower;
//! `bits::<8>(5)`; 16 by 16 bit products.
//!
//! **Traps.**
//! - Arithmetic inside a comparison, a cast or a right shift is refused where Verilog would keep carry
//!   bits that Rust drops (`a + b == 0`, `(a - b) < 5`, `bit_cast::<16, 8>(a + b)`). Assign the sum to a
//!   `Local` signal first and use that.
//! - Put parentheses around every comparison inside `&` and `|`, and around `&` inside a comparison.
//! - A `Signed` value never meets a literal in a comparison or a widening: use a `Constant<Signed<N>>`.
//! - Rust `const`s are not visible to rust-hdl: use literals or `Constant<Bits<N>>` fields.
//! - There is no arithmetic shift, concatenation, `let`, `+=`, helper function or early return.
//!
//! A line `- port: text` in the description becomes the comment of that port.

mod body;
mod circuit;
mod error;
mod lower;
mod names;
mod node;
mod split;

#[cfg(test)]
mod tests;

pub use error::ImportError;

use crate::{Design, ModuleBuilder, ModuleId, Origin, SignalId};
use circuit::{Behaviour, Scope};
use names::{Declarations, Names};
use rust_hdl_core::prelude::Block;
use std::collections::{BTreeMap, BTreeSet};

/// Adds the block to the design as a module; see the module's head for what a block may contain.
///
/// # Errors
/// When the block is outside the subset, or where its Verilog could differ from its simulation.
pub fn import<B: Block>(design: &mut Design, name: &str, doc: &str, block: B) -> Result<ModuleId, ImportError> {
    let scope = circuit::read(name, &block)?;
    let (doc, comments) = comments(doc);
    let mut module = ModuleBuilder::new(name, &doc);
    module.origin(Origin::RustHdl);
    let mut declarations =
        Declarations { module: &mut module, comments: &comments, flops: Vec::new(), codes: Vec::new() };
    let ports = declarations.ports(&scope)?;
    let mut kernels = Vec::new();
    declare(&mut declarations, &scope, "", ports, &mut kernels)?;
    let (flops, codes) = (declarations.flops, declarations.codes);
    let next_states: BTreeSet<SignalId> = flops.iter().map(|f| module.id(&f.next)).collect();
    for (scope, names) in &kernels {
        if let Behaviour::Kernel(body) = &scope.behaviour {
            let statements = body::lower_kernel(scope, names, body)?;
            split::add_drivers(&mut module, &statements, &next_states);
        }
    }
    for flop in &flops {
        module.drive(&flop.state, &flop.next, None, None);
    }
    let mut module = module.finish();
    for (signal, codes) in codes {
        module.signals[signal.index()].doc = codes;
    }
    check_comments(&module, &comments)?;
    Ok(design.add(module))
}

/// Declares the signals of a block and of all blocks in it; lists the kernels with their names.
fn declare<'s>(
    declarations: &mut Declarations<'_>,
    scope: &'s Scope,
    prefix: &str,
    ports: Names,
    kernels: &mut Vec<(&'s Scope, Names)>,
) -> Result<(), ImportError> {
    let (names, inner) = declarations.kernel(scope, prefix, ports)?;
    kernels.push((scope, names));
    for (child, ports) in scope.children.iter().zip(inner) {
        if matches!(child.behaviour, Behaviour::Kernel(_)) {
            declare(declarations, child, &names::flat(prefix, &child.name), ports, kernels)?;
        }
    }
    Ok(())
}

/// Takes the lines `- port: text` out of a description.
fn comments(doc: &str) -> (String, BTreeMap<String, String>) {
    let mut comments = BTreeMap::new();
    let mut rest = Vec::new();
    for line in doc.lines() {
        match line.strip_prefix("- ").and_then(|l| l.split_once(": ")) {
            Some((port, text)) => {
                comments.insert(port.to_owned(), text.to_owned());
            }
            None => rest.push(line),
        }
    }
    (rest.join("\n"), comments)
}

fn check_comments(module: &crate::Module, comments: &BTreeMap<String, String>) -> Result<(), ImportError> {
    let known = |name: &String| module.ports().any(|(_, signal)| signal.name == *name);
    match comments.keys().find(|name| !known(name)) {
        None => Ok(()),
        Some(port) => Err(ImportError::PortComment {
            module: module.name.clone(),
            port: port.clone(),
            ports: module.ports().map(|(_, s)| format!("`{}`", s.name)).collect::<Vec<_>>().join(", "),
        }),
    }
}
