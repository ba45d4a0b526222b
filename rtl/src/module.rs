//! The elaborated form: modules, signals, state, memories, instances. Pure data.

use crate::{Bits, Expr, Ty};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);
        impl $name {
            /// Position in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(/** A module of a design. */ ModuleId);
id!(/** A signal of a module. */ SignalId);
id!(/** A memory of a module. */ MemoryId);

/// Direction of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Driven from outside.
    Input,
    /// Driven by the module.
    Output,
}

/// Who drives a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// An input port.
    Input,
    /// Combinational: an [`Assign`], a [`Process`], an instance's output.
    Wire,
    /// The output of a [`Register`].
    Register,
    /// The data output of a memory's read port.
    ReadData,
}

/// A named signal.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Name, unique within the module, a plain Verilog identifier.
    pub name: String,
    /// Type.
    pub ty: Ty,
    /// Who drives it.
    pub kind: SignalKind,
    /// Port direction, if it is a port. An output port may be a wire, a register or read data.
    pub port: Option<Direction>,
    /// One line for the reader of the Verilog; may be empty.
    pub doc: String,
}

/// A continuous assignment to a wire. A target with lanes takes the flat bits.
#[derive(Clone, Debug)]
pub struct Assign {
    /// The wire.
    pub target: SignalId,
    /// Part of the outermost dimension that is driven; the whole signal when absent.
    pub part: Option<u32>,
    /// Its value, of the target's (or the part's) total width.
    pub value: Expr,
}

/// A statement of a combinational [`Process`]; assignments are blocking.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Gives a variable a value of its total width.
    Assign(SignalId, Expr),
    /// Two-way branch on a 1-bit condition.
    If(Expr, Vec<Statement>, Vec<Statement>),
    /// First arm whose constant equals the subject, else the default.
    Case(Expr, Vec<(Bits, Vec<Statement>)>, Vec<Statement>),
}

/// Combinational statements. Every signal assigned in it is assigned on every path
/// (no latch) and in no other place, and is not read in it before it is assigned.
#[derive(Clone, Debug)]
pub struct Process {
    /// Executed in order whenever an input changes.
    pub body: Vec<Statement>,
}

/// A rising-edge register: `if rst && reset.is_some() { reset } else if enable { next } else { hold }`.
#[derive(Clone, Debug)]
pub struct Register {
    /// The signal that shows the state.
    pub signal: SignalId,
    /// Next value, flat width of the signal.
    pub next: Expr,
    /// Clock enable, 1 bit; always when absent.
    pub enable: Option<Expr>,
    /// Value under synchronous reset; registers without one are not reset.
    pub reset: Option<Bits>,
}

/// How a memory is to be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryStyle {
    /// Block RAM.
    Block,
    /// LUT RAM.
    Distributed,
    /// The tools decide.
    Auto,
}

/// Synchronous write port.
#[derive(Clone, Debug)]
pub struct WritePort {
    /// 1 bit.
    pub enable: Expr,
    /// Word address; writes at or beyond the depth are lost.
    pub address: Expr,
    /// One word.
    pub data: Expr,
    /// Write mask: bit `i` enables the `i`-th of `mask.width()` equal parts of the word.
    pub mask: Option<Expr>,
}

/// Synchronous read port: after an edge with `enable`, `data` holds the word as it was before that edge.
#[derive(Clone, Debug)]
pub struct ReadPort {
    /// 1 bit; `data` holds while low.
    pub enable: Expr,
    /// Word address; beyond the depth zero is read.
    pub address: Expr,
    /// The signal with the word.
    pub data: SignalId,
}

/// A memory with any number of synchronous ports (one write and one read infer a simple dual port RAM).
#[derive(Clone, Debug)]
pub struct Memory {
    /// Name, unique among the module's signals, memories and instances.
    pub name: String,
    /// Bits of a word.
    pub width: u32,
    /// Number of words.
    pub depth: u32,
    /// Initial words (zero where the list ends); none leaves four-state simulators with X.
    pub init: Option<Vec<Bits>>,
    /// Mapping.
    pub style: MemoryStyle,
    /// Write ports; where two write one word at one edge the later port wins.
    pub writes: Vec<WritePort>,
    /// Read ports.
    pub reads: Vec<ReadPort>,
    /// One line for the reader.
    pub doc: String,
}

/// What a port of an instance is tied to.
#[derive(Clone, Debug)]
pub enum Connection {
    /// Input of every instance of the array (or of the single one): an expression of the port's total width.
    Input(Expr),
    /// Output of a single instance: a wire of the port's total width.
    Output(SignalId),
    /// Port of an instance array: instance `i` has the part `offset + i * stride` of the signal, where
    /// a part has the port's total width and the signal is divided into parts along its outermost dimension.
    Lanes {
        /// The parent's signal; the outermost dimension counts parts.
        signal: SignalId,
        /// Part of instance 0.
        offset: u32,
        /// Parts from one instance to the next, at least 1.
        stride: u32,
    },
}

/// An instance, or an array of instances that prints as a `generate` loop.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Name, unique within the module.
    pub name: String,
    /// What is instantiated.
    pub module: ModuleId,
    /// Number of instances for an array; `None` for a single instance.
    pub count: Option<u32>,
    /// Port signal of the child and what it is tied to; every input once, outputs at most once.
    pub connections: Vec<(SignalId, Connection)>,
}

/// Marks a module as the behavioural definition of a vendor primitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Primitive {
    /// Parameters and their values as Verilog literals: printed at each instance, and declared
    /// (as the default) in the behavioural definition. They select exactly the behaviour of the body.
    pub parameters: Vec<(String, String)>,
    /// Name of the clock port of the primitive (`CLK`).
    pub clock: String,
}

/// Where a module comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built with [`crate::ModuleBuilder`].
    Builder,
    /// Imported from a rust-hdl block.
    RustHdl,
    /// Behavioural definition of a vendor primitive.
    Primitive,
}

/// A module type.
#[derive(Clone, Debug)]
pub struct Module {
    /// Name, unique in the design, a plain Verilog identifier.
    pub name: String,
    /// Head comment; may have several lines.
    pub doc: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Set for vendor primitives.
    pub primitive: Option<Primitive>,
    /// All signals, ports among them in declaration order.
    pub signals: Vec<Signal>,
    /// Continuous assignments.
    pub assigns: Vec<Assign>,
    /// Combinational processes.
    pub processes: Vec<Process>,
    /// Registers.
    pub registers: Vec<Register>,
    /// Memories.
    pub memories: Vec<Memory>,
    /// Instances.
    pub instances: Vec<Instance>,
}

impl Module {
    /// The signal's entry.
    pub fn signal(&self, id: SignalId) -> &Signal {
        &self.signals[id.index()]
    }

    /// Ports in declaration order (without the implicit `clk` and `rst`).
    pub fn ports(&self) -> impl Iterator<Item = (SignalId, &Signal)> {
        self.signal_ids().map(|id| (id, self.signal(id))).filter(|(_, s)| s.port.is_some())
    }

    /// All signal ids in order.
    pub fn signal_ids(&self) -> impl Iterator<Item = SignalId> + use<> {
        (0..self.signals.len() as u32).map(SignalId)
    }

    /// Finds a signal by name.
    pub fn find(&self, name: &str) -> Option<SignalId> {
        self.signal_ids().find(|id| self.signal(*id).name == name)
    }
}
