//! One picture of an image: as it is, as a map of scores, or as what a stage leaves of it.

use super::scale;
use crate::tokens::Stage;
use heatvit_model::image::ImageShape;

/// Side of a patch in the panels' own units.
const SIDE: usize = 10;

/// What a stage says about a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Still a token.
    Kept,
    /// Dropped by this stage.
    Dropped,
    /// Dropped by an earlier one.
    Gone,
}

impl Fate {
    /// Of a patch, by a stage.
    pub fn of(stage: &Stage, patch: usize) -> Self {
        match (stage.kept[patch], stage.score[patch]) {
            (true, _) => Self::Kept,
            (false, Some(_)) => Self::Dropped,
            (false, None) => Self::Gone,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Kept => "k",
            Self::Dropped => "d",
            Self::Gone => "g",
        }
    }
}

/// The patches of an image, and what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// Rows and columns of patches.
    pub size: (usize, usize),
    /// Whether there is some of the subject on each.
    pub subject: Option<&'a [bool]>,
}

impl<'a> Grid<'a> {
    /// Of an image.
    pub fn new(shape: &ImageShape, subject: Option<&'a [bool]>) -> Self {
        let side = shape.patch.max(1);
        Self { size: (shape.height / side, shape.width / side), subject }
    }

    /// An SVG element over the grid; `label` is escaped already.
    pub fn svg(&self, class: &str, label: &str, content: &str) -> String {
        let (width, height) = (self.size.1 * SIDE, self.size.0 * SIDE);
        format!(
            r#"<svg class="{class}" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{content}</svg>"#
        )
    }

    /// The picture itself, to be repeated with [`repeat`].
    pub fn image(&self, id: &str, uri: &str) -> String {
        let (width, height) = (self.size.1 * SIDE, self.size.0 * SIDE);
        format!(r#"<image id="{id}" width="{width}" height="{height}" preserveAspectRatio="none" href="{uri}"/>"#)
    }

    /// Candidates in the colour of their score, the region that is kept outlined.
    pub fn scores(&self, stage: &Stage) -> String {
        let cell = |patch: usize| match stage.score[patch] {
            Some(score) => self.cell(patch, &format!(r#"fill="{}""#, scale::colour(score)), stage),
            None => self.cell(patch, r#"class="n""#, stage),
        };
        self.patches().map(cell).collect::<String>() + &self.outline(&stage.kept)
    }

    /// Veils over the patches that are dropped, the region that is kept outlined.
    pub fn veils(&self, stage: &Stage) -> String {
        let cell = |patch| self.cell(patch, &format!(r#"class="{}""#, Fate::of(stage, patch).class()), stage);
        self.patches().map(cell).collect::<String>() + &self.outline(&stage.kept)
    }

    fn patches(&self) -> std::ops::Range<usize> {
        0..self.size.0 * self.size.1
    }

    fn cell(&self, patch: usize, look: &str, stage: &Stage) -> String {
        let (x, y) = (patch % self.size.1 * SIDE, patch / self.size.1 * SIDE);
        let text = self.tooltip(patch, stage);
        format!(r#"<path {look} d="M{x} {y}h{SIDE}v{SIDE}h-{SIDE}z"><title>{text}</title></path>"#)
    }

    /// What is said about a patch.
    pub fn tooltip(&self, patch: usize, stage: &Stage) -> String {
        let fate = match (Fate::of(stage, patch), stage.score[patch]) {
            (Fate::Kept, Some(score)) => format!("score {}, kept", scale::score(score)),
            (Fate::Dropped, Some(score)) => format!("score {}, dropped", scale::score(score)),
            _ => "dropped before".to_owned(),
        };
        let subject = self.subject.and_then(|s| s.get(patch)).map_or("", |s| if *s { ", subject" } else { "" });
        format!("row {}, column {}: {fate}{subject}", patch / self.size.1 + 1, patch % self.size.1 + 1)
    }

    /// The borders between what is kept and what is not.
    fn outline(&self, kept: &[bool]) -> String {
        let (rows, columns) = self.size;
        let at = |row: Option<usize>, column: Option<usize>| match (row, column) {
            (Some(r), Some(c)) if r < rows && c < columns => kept[r * columns + c],
            _ => false,
        };
        let mut path = String::new();
        for r in 0..=rows {
            let differs = |c: usize| at(Some(r), Some(c)) != at(r.checked_sub(1), Some(c));
            for (from, to) in runs(columns, differs) {
                path += &format!("M{} {}h{}", from * SIDE, r * SIDE, (to - from) * SIDE);
            }
        }
        for c in 0..=columns {
            let differs = |r: usize| at(Some(r), Some(c)) != at(Some(r), c.checked_sub(1));
            for (from, to) in runs(rows, differs) {
                path += &format!("M{} {}v{}", c * SIDE, from * SIDE, (to - from) * SIDE);
            }
        }
        if path.is_empty() { path } else { format!(r#"<path class="ou" d="{path}"/><path class="ol" d="{path}"/>"#) }
    }
}

/// A picture that is on the page already.
pub fn repeat(id: &str) -> String {
    format!(r##"<use href="#{id}"/>"##)
}

/// The longest stretches of 0..n in which `is` holds.
fn runs(n: usize, is: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for i in (0..n).filter(|i| is(*i)) {
        match runs.last_mut() {
            Some((_, end)) if *end == i => *end = i + 1,
            _ => runs.push((i, i + 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outline_runs_around_what_is_kept() {
        let grid = Grid { size: (2, 2), subject: None };
        let path = grid.outline(&[true, true, false, false]);
        assert!(path.contains(r#"class="ol" d="M0 0h20M0 10h20M0 0v10M20 0v10""#), "{path}");
        assert_eq!(grid.outline(&[false; 4]), "");
    }

    #[test]
    fn the_fate_of_a_patch_follows_mask_and_score() {
        let stage = Stage { kept: vec![true, false, false], score: vec![Some(300), Some(3), None], rows: 3 };
        assert_eq!([0, 1, 2].map(|p| Fate::of(&stage, p)), [Fate::Kept, Fate::Dropped, Fate::Gone]);
        let grid = Grid { size: (1, 3), subject: Some(&[true, false, false]) };
        assert_eq!(grid.tooltip(0, &stage), "row 1, column 1: score 0.586, kept, subject");
        assert_eq!(grid.tooltip(1, &stage), "row 1, column 2: score 0.006, dropped");
        assert_eq!(grid.tooltip(2, &stage), "row 1, column 3: dropped before");
    }
}
