//! Which patches the selectors keep, and statistics of it over images.

use crate::data_set::About;
use heatvit_model::golden::Trace;
use num_traits::AsPrimitive;
use serde::Serialize;

/// What a stage did with the patches of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Whether each patch is still a token behind the stage.
    pub kept: Vec<bool>,
    /// Score of each patch that was a candidate, in 1/512.
    pub score: Vec<Option<i32>>,
    /// Rows behind the stage, with class and package token.
    pub rows: usize,
}

/// Score that the float engines call 1, in the integers' units.
const SCORE_ONE: f64 = 512.0;

/// The stages of an image in the golden model, in order; empty for a dense network.
pub fn stages(trace: &Trace) -> Vec<Stage> {
    read_stages(trace, 1.0)
}

/// The same of a float engine's trace.
pub fn float_stages(trace: &Trace<f32>) -> Vec<Stage> {
    read_stages(trace, SCORE_ONE)
}

fn read_stages<T: Clone + AsPrimitive<f64>>(trace: &Trace<T>, one: f64) -> Vec<Stage> {
    let named = |part: &'static str| trace.tensors.iter().filter(move |t| t.name.ends_with(part));
    // All patches are candidates of the first stage; row 0 is the class token.
    let patches = named(".mask").next().map_or(0, |mask| mask.rows - 1);
    let selectors = named(".mask").zip(named(".score")).zip(&trace.stages);
    let mut candidates: Vec<usize> = (0..patches).collect();
    selectors
        .map(|((mask, score), counts)| {
            let mut stage = Stage { kept: vec![false; patches], score: vec![None; patches], rows: counts.tokens };
            for ((patch, kept), score) in candidates.iter().zip(&mask.data[1..]).zip(&score.data[1..]) {
                stage.kept[*patch] = kept.as_() > 0.5;
                stage.score[*patch] = Some((score.as_() * one).round() as i32);
            }
            candidates.retain(|patch| stage.kept[*patch]);
            stage
        })
        .collect()
}

/// Tokens over the images of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tokens {
    /// Rows before the first selector.
    pub dense: usize,
    /// Mean rows behind each stage, with class and package token.
    pub stage_mean: Vec<f64>,
    /// Their standard deviation over images.
    pub stage_deviation: Vec<f64>,
    /// Share of the patches on which there is some of the subject that are kept by the last stage; absent where
    /// the data set does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_kept: Option<f64>,
    /// The same of the other patches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_kept: Option<f64>,
}

impl Tokens {
    /// Statistics of images and their stages; `None` for a dense network.
    pub fn of(images: &[About], stages: &[Vec<Stage>], dense: usize) -> Option<Self> {
        let count = stages.first()?.len();
        let rows = |s: usize| stages.iter().map(move |image| image[s].rows as f64);
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / stages.len() as f64;
        let stage_mean: Vec<f64> = (0..count).map(|s| mean(&mut rows(s))).collect();
        let variance = |s: usize| mean(&mut rows(s).map(|r| (r - stage_mean[s]) * (r - stage_mean[s])));
        let stage_deviation = (0..count).map(|s| variance(s).sqrt()).collect();
        let [subject_kept, background_kept] = [true, false].map(|subject| kept_share(images, stages, subject));
        (count > 0).then_some(Self { dense, stage_mean, stage_deviation, subject_kept, background_kept })
    }
}

/// Share of the patches with (or without) the subject that the last stage keeps.
fn kept_share(images: &[About], stages: &[Vec<Stage>], subject: bool) -> Option<f64> {
    let (mut all, mut kept) = (0usize, 0usize);
    for (image, stages) in images.iter().zip(stages) {
        let (subjects, last) = (image.subject.as_ref()?, stages.last()?);
        for (_, is_kept) in subjects.iter().zip(&last.kept).filter(|(s, _)| **s == subject) {
            all += 1;
            kept += usize::from(*is_kept);
        }
    }
    (all > 0).then(|| kept as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatvit_model::golden::StageCounts;

    /// Five patches; the first stage keeps 0, 2 and 4, the second keeps 4.
    fn trace() -> Trace {
        let mut trace = Trace::default();
        trace.record("selectors.1.score".to_owned(), 1, &[7, 300, 100, 400, 255, 256]);
        trace.record("selectors.1.mask".to_owned(), 1, &[1, 1, 0, 1, 0, 1]);
        trace.record("selectors.3.score".to_owned(), 1, &[9, 10, 20, 500]);
        trace.record("selectors.3.mask".to_owned(), 1, &[1, 0, 0, 1]);
        trace.stages = vec![
            StageCounts { tokens: 5, candidates_and_class: 4 },
            StageCounts { tokens: 3, candidates_and_class: 2 },
        ];
        trace
    }

    #[test]
    fn rows_of_later_stages_belong_to_the_patches_that_are_left() {
        let stages = stages(&trace());
        assert_eq!(stages[0].kept, [true, false, true, false, true]);
        assert_eq!(stages[1].kept, [false, false, false, false, true]);
        assert_eq!(stages[1].score, [Some(10), None, Some(20), None, Some(500)]);
        assert_eq!((stages[0].rows, stages[1].rows), (5, 3));
    }

    #[test]
    fn statistics_over_images() {
        let image = |subject: Option<Vec<bool>>| About { label: None, subject };
        let known = image(Some(vec![false, false, true, false, true]));
        let all = vec![Stage { kept: vec![true; 5], score: vec![Some(512); 5], rows: 6 }; 2];
        let stages = [stages(&trace()), all];
        let tokens = Tokens::of(&[known.clone(), known], &stages, 6).unwrap();
        assert_eq!((tokens.stage_mean, tokens.stage_deviation), (vec![5.5, 4.5], vec![0.5, 1.5]));
        assert_eq!((tokens.subject_kept, tokens.background_kept), (Some(0.75), Some(0.5)));
        let unknown = Tokens::of(&[image(None), image(None)], &stages, 6).unwrap();
        assert_eq!((unknown.subject_kept, unknown.background_kept), (None, None));
        assert_eq!(Tokens::of(&[image(None)], &[Vec::new()], 6), None);
    }
}
