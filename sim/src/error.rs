//! What can go wrong in a simulation.

/// Why a simulation could not be built or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The design has no module.
    #[error("the design has no top module; add one")]
    NoTop,
    /// No such top port.
    #[error("the top module has no {direction} port `{name}`")]
    NoPort {
        /// `input` or `output`.
        direction: &'static str,
        /// As asked for.
        name: String,
    },
    /// No such signal.
    #[error("no signal `{path}` in the design; paths look like `array.pairs[3].low`")]
    NoSignal {
        /// As asked for.
        path: String,
    },
    /// No such memory.
    #[error("no memory `{path}` in the design; paths look like `operands.words`")]
    NoMemory {
        /// As asked for.
        path: String,
    },
    /// The design does not fit.
    #[error("the design has {size} {what}, more than the {limit} that can be simulated; make it smaller")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How many it has.
        size: u64,
        /// How many it may have.
        limit: u64,
    },
    /// A value depends on itself within a cycle.
    #[error("`{path}` depends on itself within one cycle; put a register into the loop")]
    Loop {
        /// A signal of the loop.
        path: String,
    },
    /// A run took longer than allowed.
    #[error("no interrupt after {cycles} cycles; raise the limit or look at the trace")]
    CycleLimit {
        /// The limit.
        cycles: u64,
    },
    /// A bus transfer of the register port did not finish.
    #[error("the register port did not answer at offset {offset:#x} within {cycles} cycles")]
    RegisterTimeout {
        /// Register offset.
        offset: u32,
        /// Cycles waited.
        cycles: u64,
    },
    /// The code generator refused the program.
    #[error("code generation failed: {0}")]
    Code(String),
    /// A file could not be written.
    #[error("waveform: {0}")]
    Wave(String),
}
