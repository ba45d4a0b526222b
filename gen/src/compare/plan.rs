//! What the probes will show, in the order in which they show it: the map from an event of a stream to
//! elements of a golden tensor.

/// A stream of events; the index of its probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Rows that post-processing writes.
    Result,
    /// Rows at the edge of the array.
    Operand,
    /// Sums of the rows of exp.
    RowSum,
    /// Scores of the tokens at a selector.
    Score,
    /// Whether it keeps them.
    Mask,
    /// Words of a package token.
    Package,
    /// Words that the design wrote to the board's memory.
    Written,
}

impl Stream {
    /// Name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Operand => "operand",
            Self::RowSum => "row sum",
            Self::Score => "score",
            Self::Mask => "decision",
            Self::Package => "package",
            Self::Written => "written word",
        }
    }
}

/// How an event lies in its tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// Lanes are neighbours in a row; successive events are successive rows.
    AlongRow,
    /// Lanes are neighbours in a column; successive events are successive columns.
    AlongColumn,
}

/// Successive events of one stream that belong to one tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Tensor; `None` for events that no tensor holds (padding).
    pub tensor: Option<String>,
    /// Stream.
    pub stream: Stream,
    /// Number of events.
    pub events: usize,
    /// Row of lane 0 of the first event.
    pub row: usize,
    /// Column of lane 0 of the first event.
    pub column: usize,
    /// First lanes of the event that are elements; the rest is padding.
    pub lanes: usize,
    /// How events lie.
    pub orientation: Orientation,
}

impl Stretch {
    /// Row and column of a lane of an event.
    pub fn place(&self, event: usize, lane: usize) -> (usize, usize) {
        match self.orientation {
            Orientation::AlongRow => (self.row + event, self.column + lane),
            Orientation::AlongColumn => (self.row + lane, self.column + event),
        }
    }
}

/// One event of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Cycle since the start of the image.
    pub cycle: u64,
    /// Which probe.
    pub stream: Stream,
    /// Values of the lanes.
    pub lanes: Vec<i32>,
}
