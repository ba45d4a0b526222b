//! One difference between RTL and golden model, in the terms of the network.

use super::plan::{Event, Stream};
use std::fmt;

/// Where RTL and golden model differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Tensor as in docs/tensors.md; empty for an event after the last expected one.
    pub tensor: String,
    /// Row: the token.
    pub row: usize,
    /// Column: the channel, or the attended token of scores and exp.
    pub column: usize,
    /// Where the value was seen.
    pub stream: Stream,
    /// Cycle since the start of the image; `None` when the value never came.
    pub cycle: Option<u64>,
    /// The golden model's value; `None` when it has none there.
    pub expected: Option<i32>,
    /// The design's value.
    pub got: Option<i32>,
}

impl Difference {
    pub(super) fn surplus(stream: Stream, event: &Event) -> Self {
        let got = event.lanes.first().copied();
        Self { tensor: String::new(), row: 0, column: 0, stream, cycle: Some(event.cycle), expected: None, got }
    }

    /// Earlier cycles first; a value that never came is later than any that did, and among those the order
    /// of the program decides, whatever their streams.
    pub(super) fn order(&self) -> (u64, Option<Stream>) {
        (self.cycle.unwrap_or(u64::MAX), self.cycle.map(|_| self.stream))
    }

    /// The part of the network: a block, or what stands before and behind the blocks.
    pub fn layer(&self) -> &str {
        match self.tensor.strip_prefix("blocks.").and_then(|rest| rest.find('.')) {
            Some(digits) => &self.tensor[..self.tensor.len().min("blocks.".len() + digits)],
            None if self.tensor.is_empty() => "after the last operation",
            None => &self.tensor,
        }
    }

    fn column_name(&self) -> &'static str {
        match self.tensor.rsplit('.').nth(1) {
            Some("scores" | "exp") => "key token",
            _ => "channel",
        }
    }
}

fn value(value: Option<i32>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |v| v.to_string())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  layer     {}", self.layer())?;
        if !self.tensor.is_empty() {
            writeln!(f, "  tensor    {}", self.tensor)?;
            writeln!(f, "  token     {}", self.row)?;
            writeln!(f, "  {:<9} {}", self.column_name(), self.column)?;
        }
        match self.cycle {
            Some(cycle) => writeln!(f, "  cycle     {cycle} (stream: {})", self.stream.name())?,
            None => writeln!(f, "  cycle     never (stream: {})", self.stream.name())?,
        }
        writeln!(f, "  expected  {}", value(self.expected))?;
        write!(f, "  got       {}", value(self.got))
    }
}
