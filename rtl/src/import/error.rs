//! Why a rust-hdl block is refused.

/// A block that cannot be imported. Every message names the block (with its path below the imported
/// one), quotes what offends and says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// Rust and Verilog could compute different values.
    #[error("block `{block}`: `{expression}` can differ between Rust and Verilog: {reason}; {remedy}")]
    Differs {
        /// Block with the expression.
        block: String,
        /// The expression as it is written in Rust, without `self.`, `.val()` and `.into()`.
        expression: String,
        /// How the two readings differ.
        reason: String,
        /// What to write instead.
        remedy: String,
    },
    /// The importer does not know this form.
    #[error("block `{block}`: `{expression}` is not imported: {reason}; {remedy}")]
    Unsupported {
        /// Block with the expression.
        block: String,
        /// The expression or statement.
        expression: String,
        /// What is missing.
        reason: String,
        /// What to write instead.
        remedy: String,
    },
    /// A child that is neither a `DFF` nor a block with a kernel.
    #[error("block `{block}` is {kind}, which is not imported; keep state in `DFF` children and memories outside")]
    Child {
        /// Path of the child.
        block: String,
        /// What it was recognised as.
        kind: String,
    },
    /// A signal of a kind or type that has no counterpart.
    #[error("block `{block}`: signal `{signal}` is {kind}; {remedy}")]
    Signal {
        /// Block with the signal.
        block: String,
        /// Name of the signal.
        signal: String,
        /// What it is.
        kind: String,
        /// What to use instead.
        remedy: &'static str,
    },
    /// A name that is no signal, constant, loop variable or state.
    #[error("block `{block}`: `{name}` is unknown to rust-hdl; {remedy}")]
    Name {
        /// Block with the name.
        block: String,
        /// The name.
        name: String,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A signal is assigned or read where that has no single meaning.
    #[error("block `{block}`: `{signal}` {problem}")]
    Flow {
        /// Block with the signal.
        block: String,
        /// Name of the signal.
        signal: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// A port comment for a port that does not exist.
    #[error("module `{module}`: the description has a comment for `{port}`, which is no port; its ports are {ports}")]
    PortComment {
        /// The module.
        module: String,
        /// The port of the comment.
        port: String,
        /// All ports.
        ports: String,
    },
}
