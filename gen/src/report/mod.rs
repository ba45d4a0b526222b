//! One self-contained page about a run: its figures, and pictures of which patches the selectors keep.
//!
//! [`gather`] collects plain data, everything else turns it into text: equal data, equal bytes.

mod card;
mod chart;
mod figures;
pub mod gather;
mod page;
mod panel;
pub mod place;
mod scale;
mod text;

pub use page::render;

use crate::summary::Summary;
use crate::tokens::Stage;
use heatvit_model::image::ImageShape;
use heatvit_model::selector::PackageRule;

/// Everything that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the network.
    pub name: String,
    /// Name and value of what was configured.
    pub facts: Vec<(&'static str, String)>,
    /// How the network cuts an image.
    pub shape: ImageShape,
    /// In the order of the blocks; empty for a dense network.
    pub selectors: Vec<SelectorFacts>,
    /// The run's figures, over all its images.
    pub summary: Summary,
    /// For each stage, the rows behind it of every image of the run.
    pub rows: Vec<Vec<usize>>,
    /// For each stage, what is kept of subject and background; empty where the data set does not know.
    pub shares: Vec<Share>,
    /// The images that are shown.
    pub cards: Vec<Card>,
}

/// A selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelectorFacts {
    /// The block it sits before, from 0.
    pub block: usize,
    /// Lowest score that is kept, in 1/512.
    pub threshold: u32,
    /// What becomes of dropped tokens.
    pub package: PackageRule,
}

/// Share of patches that are still tokens behind a stage, over all images of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Of those with some of the subject on them.
    pub subject: f64,
    /// Of the others.
    pub background: f64,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its place among the run's images, from 0.
    pub index: usize,
    /// Pixels, row by row, channels side by side.
    pub pixels: Vec<u8>,
    /// Class by the data set.
    pub label: Option<usize>,
    /// Class by the design's logits.
    pub class: usize,
    /// Cycles.
    pub cycles: u64,
    /// Whether the design did exactly what the integer model says.
    pub equal: bool,
    /// Whether there is some of the subject on each patch, where the data set knows.
    pub subject: Option<Vec<bool>>,
    /// What the selectors did.
    pub stages: Vec<Stage>,
}

#[cfg(test)]
mod tests;
