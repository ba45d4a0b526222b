//! The elaborated block as a tree of scopes, read through rust-hdl's own visitor.

use super::ImportError;
use rust_hdl_core::ast::{Verilog, VerilogBlock};
use rust_hdl_core::prelude::{Atom, AtomKind, Block, Logic, Probe, TypeKind};

/// How a value is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Bits`, `Bit` and enums.
    Unsigned,
    /// `Signed`.
    Signed,
}

/// Type of a value in Rust.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// Signedness.
    pub kind: Kind,
    /// Bits.
    pub width: u32,
}

impl Type {
    /// `Bits<width>`.
    pub fn bits(width: u32) -> Self {
        Self { kind: Kind::Unsigned, width }
    }

    /// `Signed<width>`.
    pub fn signed(width: u32) -> Self {
        Self { kind: Kind::Signed, width }
    }

    /// Whether values are two's complement.
    pub fn is_signed(self) -> bool {
        self.kind == Kind::Signed
    }
}

/// A signal or constant of a block.
#[derive(Clone, Debug)]
pub struct AtomInfo {
    /// Name below the block; members of an interface as `interface$member`.
    pub name: String,
    /// rust-hdl's kind.
    pub kind: AtomKind,
    /// Type.
    pub ty: Type,
    /// Whether it is a `Clock`.
    pub clock: bool,
    /// States of an enum as `Type::State`, in the order of their codes.
    pub states: Vec<String>,
    /// Value of a constant, as rust-hdl prints it.
    pub value: String,
}

/// What a block does.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// A `DFF`: `q` takes `d` at the rising edge of `clock`.
    Dff,
    /// A combinational kernel.
    Kernel(VerilogBlock),
}

/// A block and the blocks in it.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Name in the parent; elements of arrays as `name$index`.
    pub name: String,
    /// Name for messages, from the imported block down.
    pub path: String,
    /// What it does.
    pub behaviour: Behaviour,
    /// Signals and constants in declaration order.
    pub atoms: Vec<AtomInfo>,
    /// Children in declaration order.
    pub children: Vec<Scope>,
}

/// Reads a block.
pub fn read(name: &str, block: &dyn Block) -> Result<Scope, ImportError> {
    let mut reader = Reader { stack: Vec::new(), namespace: Vec::new(), done: None, error: None };
    block.accept(name, &mut reader);
    match (reader.error, reader.done) {
        (Some(error), _) => Err(error),
        (None, Some(scope)) => Ok(scope),
        (None, None) => Err(ImportError::Child { block: name.to_owned(), kind: "not a `LogicBlock`".to_owned() }),
    }
}

struct Reader {
    stack: Vec<Scope>,
    namespace: Vec<String>,
    done: Option<Scope>,
    error: Option<ImportError>,
}

impl Reader {
    fn fail(&mut self, error: ImportError) {
        self.error.get_or_insert(error);
    }
}

impl Probe for Reader {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let path = match self.stack.last() {
            Some(parent) => format!("{}.{}", parent.path, name.replace('$', ".")),
            None => name.to_owned(),
        };
        let behaviour = behaviour(node).unwrap_or_else(|kind| {
            self.fail(ImportError::Child { block: path.clone(), kind });
            Behaviour::Kernel(Vec::new())
        });
        self.namespace.clear();
        self.stack.push(Scope { name: name.to_owned(), path, behaviour, atoms: Vec::new(), children: Vec::new() });
    }

    fn visit_end_scope(&mut self, _: &str, _: &dyn Block) {
        let Some(scope) = self.stack.pop() else { return };
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(scope),
            None => self.done = Some(scope),
        }
    }

    fn visit_start_namespace(&mut self, name: &str, _: &dyn Block) {
        self.namespace.push(name.to_owned());
    }

    fn visit_end_namespace(&mut self, _: &str, _: &dyn Block) {
        self.namespace.pop();
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        let Some(path) = self.stack.last().map(|s| s.path.clone()) else { return };
        let name = self.namespace.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("$");
        match atom(&path, name, signal) {
            Ok(info) => {
                if let Some(scope) = self.stack.last_mut() {
                    scope.atoms.push(info);
                }
            }
            Err(error) => self.fail(error),
        }
    }
}

/// Recognises a block; the error says what it is instead.
fn behaviour(node: &dyn Block) -> Result<Behaviour, String> {
    let timing: Vec<String> = Logic::timing(node).into_iter().map(|t| t.name).collect();
    match (timing.first().map(String::as_str), Logic::hdl(node)) {
        (Some("dff"), _) => Ok(Behaviour::Dff),
        (Some(name), _) => Err(format!("a primitive (`{name}`)")),
        (None, Verilog::Combinatorial(body)) => Ok(Behaviour::Kernel(body)),
        (None, Verilog::Empty) => Err("a block without `#[hdl_gen]`".to_owned()),
        (None, Verilog::Custom(_)) => Err("a block of custom Verilog".to_owned()),
        (None, Verilog::Blackbox(black_box)) => Err(format!("the black box `{}`", black_box.name)),
        (None, Verilog::Wrapper(_)) => Err("a wrapper of custom Verilog".to_owned()),
    }
}

fn atom(block: &str, name: String, signal: &dyn Atom) -> Result<AtomInfo, ImportError> {
    let descriptor = signal.descriptor();
    let refuse = |kind: &str, remedy: &'static str| {
        let (block, signal) = (block.to_owned(), name.replace('$', "."));
        Err(ImportError::Signal { block, signal, kind: kind.to_owned(), remedy })
    };
    if matches!(signal.kind(), AtomKind::InOutParameter | AtomKind::OutputPassthrough) {
        return refuse("bidirectional", "use one `In` and one `Out` signal");
    }
    let width = signal.bits() as u32;
    let (ty, states) = match descriptor.kind {
        TypeKind::Bits(_) => (Type::bits(width), Vec::new()),
        TypeKind::Signed(_) => (Type::signed(width), Vec::new()),
        TypeKind::Enum(states) => (Type::bits(width), states),
        TypeKind::Composite(_) => return refuse("a struct", "use one signal for each field"),
    };
    if width == 0 {
        return refuse("of no bits", "give an enum at least two states and `Bits` at least one bit");
    }
    let value = signal.verilog().to_string();
    let clock = descriptor.name == "clock";
    Ok(AtomInfo { name, kind: signal.kind(), ty, clock, states, value })
}
