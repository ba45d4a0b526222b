//! What the names in a block's kernel stand for.

use super::ImportError;
use super::circuit::{AtomInfo, Behaviour, Scope, Type};
use crate::{Bits, Expr, ModuleBuilder, SignalId, Ty};
use rust_hdl_core::prelude::AtomKind;
use std::collections::BTreeMap;

/// How a kernel may use a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its own input: read only.
    Input,
    /// Its own output or local: assigned, then read.
    Own,
    /// A child's input: assigned only.
    ChildInput,
    /// A child's output: read only.
    ChildOutput,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Name {
    /// A signal.
    Signal {
        /// Its handle.
        value: Expr,
        /// Rust type.
        ty: Type,
        /// Permitted uses.
        role: Role,
    },
    /// A `Constant`.
    Constant {
        /// Its value.
        value: Expr,
        /// Rust type.
        ty: Type,
    },
    /// The block's own clock.
    Clock,
    /// A child's clock.
    ChildClock,
    /// A state of an enum.
    State(Bits),
}

/// Names of one kernel, with `$` where Rust has `.` or `::`.
pub type Names = BTreeMap<String, Name>;

/// A register whose next value a kernel assigns.
#[derive(Clone, Debug)]
pub struct Flop {
    /// Output.
    pub state: Expr,
    /// Next value.
    pub next: Expr,
}

/// Declares the signals of the imported module and of the blocks in it.
pub struct Declarations<'m> {
    /// The module under construction.
    pub module: &'m mut ModuleBuilder,
    /// Comments for ports.
    pub comments: &'m BTreeMap<String, String>,
    /// All registers.
    pub flops: Vec<Flop>,
    /// Comments that are known only now: the codes of enum states.
    pub codes: Vec<(SignalId, String)>,
}

impl Declarations<'_> {
    /// Declares the ports of the imported block and returns them by name.
    pub fn ports(&mut self, block: &Scope) -> Result<Names, ImportError> {
        let mut names = Names::new();
        for atom in block.atoms.iter().filter(|a| is_port(a)) {
            let emitted = flat("", &atom.name);
            let comment = self.comments.get(&emitted).map_or("", String::as_str).to_owned();
            let name = if atom.clock {
                top_clock(block, atom)?
            } else if atom.kind == AtomKind::InputParameter {
                let value = self.module.input(&emitted, port_type(atom.ty), &comment);
                Name::Signal { value, ty: atom.ty, role: Role::Input }
            } else {
                let value = self.module.output(&emitted, port_type(atom.ty), &comment);
                Name::Signal { value, ty: atom.ty, role: Role::Own }
            };
            names.insert(atom.name.clone(), name);
        }
        Ok(names)
    }

    /// Completes the names of a kernel: locals, constants, states and the children's ports. Returns
    /// them with the names that each child's own kernel starts from.
    pub fn kernel(
        &mut self,
        block: &Scope,
        prefix: &str,
        mut names: Names,
    ) -> Result<(Names, Vec<Names>), ImportError> {
        for atom in &block.atoms {
            self.states(&mut names, atom);
            if is_port(atom) {
                continue;
            }
            let name = match atom.kind {
                _ if atom.clock => return Err(internal_clock(block, atom)),
                AtomKind::Constant => Name::Constant { value: constant(atom), ty: atom.ty },
                _ => self.wire(&flat(prefix, &atom.name), atom, Role::Own),
            };
            names.insert(atom.name.clone(), name);
        }
        let mut inner = Vec::new();
        for child in &block.children {
            inner.push(self.child(child, prefix, &mut names)?);
        }
        Ok((names, inner))
    }

    fn child(&mut self, child: &Scope, prefix: &str, names: &mut Names) -> Result<Names, ImportError> {
        let emitted = flat(prefix, &child.name);
        let mut inside = Names::new();
        let mut flop = (None, None);
        for atom in child.atoms.iter().filter(|a| is_port(a)) {
            self.states(names, atom);
            let outer_name = format!("{}${}", child.name, atom.name);
            let input = atom.kind == AtomKind::InputParameter;
            if atom.clock {
                if !input {
                    return Err(internal_clock(child, atom));
                }
                names.insert(outer_name, Name::ChildClock);
                inside.insert(atom.name.clone(), Name::Clock);
                continue;
            }
            let (outer, inner) = if input { (Role::ChildInput, Role::Input) } else { (Role::ChildOutput, Role::Own) };
            let name = match (&child.behaviour, input) {
                (Behaviour::Dff, false) => {
                    let value = self.module.reg_declare(&emitted, port_type(atom.ty));
                    self.describe(&value, atom);
                    flop.0 = Some(value.clone());
                    Name::Signal { value, ty: atom.ty, role: outer }
                }
                (Behaviour::Dff, true) => self.wire(&format!("{emitted}_next"), atom, outer),
                (Behaviour::Kernel(_), _) => self.wire(&flat(&emitted, &atom.name), atom, outer),
            };
            if let Name::Signal { value, ty, .. } = &name {
                if input {
                    flop.1 = Some(value.clone());
                }
                inside.insert(atom.name.clone(), Name::Signal { value: value.clone(), ty: *ty, role: inner });
            }
            names.insert(outer_name, name);
        }
        if let (Behaviour::Dff, (Some(state), Some(next))) = (&child.behaviour, flop) {
            self.flops.push(Flop { state, next });
        }
        Ok(inside)
    }

    fn wire(&mut self, emitted: &str, atom: &AtomInfo, role: Role) -> Name {
        Name::Signal { value: self.module.declare(emitted, port_type(atom.ty)), ty: atom.ty, role }
    }

    fn states(&self, names: &mut Names, atom: &AtomInfo) {
        for (code, state) in atom.states.iter().enumerate() {
            names.insert(state.replace("::", "$"), Name::State(Bits::new(atom.ty.width, code as u128)));
        }
    }

    fn describe(&mut self, value: &Expr, atom: &AtomInfo) {
        let codes: Vec<String> = atom
            .states
            .iter()
            .enumerate()
            .map(|(code, state)| format!("{code} {}", state.rsplit("::").next().unwrap_or(state)))
            .collect();
        if !codes.is_empty() {
            self.codes.push((self.module.id(value), codes.join(", ")));
        }
    }
}

fn is_port(atom: &AtomInfo) -> bool {
    matches!(atom.kind, AtomKind::InputParameter | AtomKind::OutputParameter)
}

fn port_type(ty: Type) -> Ty {
    if ty.is_signed() { Ty::signed(ty.width) } else { Ty::bits(ty.width) }
}

/// Name in the module: the path below the imported block, joined by underscores.
pub fn flat(prefix: &str, name: &str) -> String {
    let name = name.replace('$', "_");
    if prefix.is_empty() { name } else { format!("{prefix}_{name}") }
}

fn top_clock(block: &Scope, atom: &AtomInfo) -> Result<Name, ImportError> {
    if atom.name == "clock" && atom.kind == AtomKind::InputParameter {
        Ok(Name::Clock)
    } else {
        Err(internal_clock(block, atom))
    }
}

fn internal_clock(block: &Scope, atom: &AtomInfo) -> ImportError {
    ImportError::Signal {
        block: block.path.clone(),
        signal: atom.name.replace('$', "."),
        kind: "a second clock".to_owned(),
        remedy: "the only clock is the input `clock: Signal<In, Clock>`",
    }
}

/// Value of a `Constant`, which rust-hdl tells as text only.
fn constant(atom: &AtomInfo) -> Expr {
    let expr = Expr::constant(number(&atom.value, atom.ty.width));
    if atom.ty.is_signed() { expr.as_signed() } else { expr }
}

/// Reads what rust-hdl prints for a literal: `8'h2a`, `5'b10011`.
pub fn number(text: &str, width: u32) -> Bits {
    let digits = text.split_once('\'').map_or("", |(_, digits)| digits);
    let bits_per_digit = if digits.starts_with('b') { 1 } else { 4 };
    let values: Vec<Bits> = digits
        .chars()
        .rev()
        .filter_map(|c| c.to_digit(1 << bits_per_digit))
        .zip(0..digits.len().saturating_sub(1))
        .map(|(digit, _)| Bits::new(bits_per_digit, u128::from(digit)))
        .collect();
    Bits::from_limbs(width, Bits::concat_low_first(&values).limbs())
}
