//! What the verifier finds.

/// A violation of one of the verifier's rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Rule 1.
    #[error("the design has no top module; add one")]
    NoTop,
    /// Rule 1.
    #[error("module `{module}`: instance `{instance}` is of a module that comes later; add the child first")]
    Order {
        /// The parent.
        module: String,
        /// The instance.
        instance: String,
    },
    /// Rule 2.
    #[error("module `{module}`: `{name}` is {problem}; choose another name")]
    Name {
        /// The module.
        module: String,
        /// The offending name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Rule 3.
    #[error("module `{module}`, {place}: {problem}")]
    Expression {
        /// The module.
        module: String,
        /// Where the expression is used.
        place: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// Rules 4 and 5.
    #[error("module `{module}`, {place}: {found} bits where {expected} are needed; extend or truncate the value")]
    Width {
        /// The module.
        module: String,
        /// Where.
        place: String,
        /// Bits that the place takes.
        expected: u32,
        /// Bits that it is given.
        found: u32,
    },
    /// Rule 5.
    #[error("module `{module}`, memory `{memory}`: {problem}")]
    Memory {
        /// The module.
        module: String,
        /// The memory.
        memory: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Rule 6.
    #[error("module `{module}`: bit {bit} of `{signal}` has no driver; assign it")]
    Undriven {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
        /// The first such bit.
        bit: u32,
    },
    /// Rule 6.
    #[error("module `{module}`: bit {bit} of `{signal}` has more than one driver; keep one")]
    DrivenTwice {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
        /// The first such bit.
        bit: u32,
    },
    /// Rule 6.
    #[error("module `{module}`: `{signal}` is {kind} and cannot be driven {how}")]
    WrongDriver {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
        /// What the signal is.
        kind: &'static str,
        /// What drives it.
        how: &'static str,
    },
    /// Rule 7.
    #[error("module `{module}`, instance `{instance}`: port `{port}` {problem}")]
    Connection {
        /// The parent.
        module: String,
        /// The instance.
        instance: String,
        /// The child's port.
        port: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Rule 8.
    #[error("module `{module}`: `{signal}` is not assigned on every path of its process (a latch); assign a default first")]
    Latch {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
    },
    /// Rule 8.
    #[error("module `{module}`: `{signal}` is read in its process before it is assigned; assign it first")]
    ReadBeforeAssigned {
        /// The module.
        module: String,
        /// The signal.
        signal: String,
    },
    /// Rule 9.
    #[error("module `{module}`: combinational loop {path}; put a register into it")]
    Loop {
        /// The module.
        module: String,
        /// Signals of the loop.
        path: String,
    },
}
