//! What a long quantization tells while it works.

/// A part of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Rows are taken from runs of images.
    Sampling,
    /// Hidden units of blocks are narrowed.
    Narrowing,
    /// Ranges are counted over images.
    Calibrating,
    /// Weights of blocks are rounded.
    Rounding,
}

impl Phase {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sampling => "sampling",
            Self::Narrowing => "narrowing",
            Self::Calibrating => "calibrating",
            Self::Rounding => "rounding",
        }
    }
}

/// How far a phase has come. Each starts with `done = 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which phase.
    pub phase: Phase,
    /// Images or blocks that are done.
    pub done: usize,
    /// All of them.
    pub total: usize,
}

/// Who is told.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Progress);
