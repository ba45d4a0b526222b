//! Random legal designs, for tests that compare what reads designs: interpreter, simulator, printer.
//!
//! A design is a function of a sequence of [`Choices`], so a design that shows a difference shrinks by making its
//! sequence shorter and its numbers smaller ([`shrink`]). Zero is always the plainest choice.

mod arrays;
mod choices;
mod expressions;
mod modules;
mod prefixed;
mod processes;
mod state;

pub use choices::{Choices, shrink};
pub use prefixed::add_prefixed;

use crate::{Design, Expr, ModuleId};

/// A module that is placed as it is, such as an imported state machine.
pub type Leaf = fn(&mut Design) -> ModuleId;

/// What designs may hold.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Widest signals and operands, in bits.
    pub widest: u32,
    /// A reset and an edge make all state known: registers have reset values, memories initial words and their ports
    /// depend on the top's inputs alone. For simulators with a value for the unknown.
    pub known: bool,
    /// Modules to place as they are.
    pub leaves: &'a [Leaf],
}

impl Default for Style<'_> {
    fn default() -> Self {
        Self { widest: 160, known: false, leaves: &[] }
    }
}

/// A design: leaf modules in chains and grids, alone and below others, under a top with logic of its own.
pub fn design(choices: &mut Choices, style: Style<'_>) -> Design {
    let mut generator = Generator { choices, style, pool: Vec::new(), names: 0 };
    let mut design = Design::new();
    generator.top(&mut design);
    design
}

/// What the parts of the generator share.
struct Generator<'a> {
    choices: &'a mut Choices,
    style: Style<'a>,
    /// Values that expressions of the present module may use.
    pool: Vec<Expr>,
    names: u32,
}

impl Generator<'_> {
    /// A number below `n`.
    fn below(&mut self, n: u32) -> u32 {
        self.choices.below(u64::from(n)) as u32
    }

    /// A number of a range, most plainly the first.
    fn within(&mut self, range: std::ops::RangeInclusive<u32>) -> u32 {
        range.start() + self.below(range.end() - range.start() + 1)
    }

    /// True in `one` of `n` cases.
    fn chance(&mut self, one: u32, n: u32) -> bool {
        self.below(n) + one >= n
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}_{}", self.names)
    }
}
