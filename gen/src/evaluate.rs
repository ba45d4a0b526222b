//! Images through an engine, in parallel; results are in the order of the images for any number of threads.

use crate::data_set::{About, DataSet, Image};
use crate::error::GenError;
use crate::pipeline::float_patches;
use crate::progress;
use crate::tokens::{Stage, float_stages};
use heatvit_model::config::Config;
use heatvit_model::float::{Engine, Folded, forward_wanted};
use rayon::prelude::*;
use std::borrow::Cow;

/// Classes that the second accuracy looks at.
const FIRST: usize = 5;
/// Images between two looks at the errors, for each thread: a damaged image ends a long run early.
const IMAGES_PER_THREAD: usize = 32;

/// Images that are there, or are read one by one.
pub trait ImageSource: Sync {
    /// Number of images.
    fn count(&self) -> usize;

    /// One of them.
    ///
    /// # Errors
    /// An unreadable file.
    fn get(&self, index: usize) -> Result<Cow<'_, Image>, GenError>;
}

impl ImageSource for [Image] {
    fn count(&self) -> usize {
        self.len()
    }

    fn get(&self, index: usize) -> Result<Cow<'_, Image>, GenError> {
        Ok(Cow::Borrowed(&self[index]))
    }
}

/// A part of a data set, as [`DataSet::image_of`] chooses it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    set: &'a DataSet,
    count: usize,
}

impl<'a> Part<'a> {
    /// So many images, or all.
    pub fn new(set: &'a DataSet, count: Option<usize>) -> Self {
        Self { set, count: set.len().min(count.unwrap_or(usize::MAX)) }
    }
}

impl ImageSource for Part<'_> {
    fn count(&self) -> usize {
        self.count
    }

    fn get(&self, index: usize) -> Result<Cow<'_, Image>, GenError> {
        self.set.image_of(index, self.count).map(Cow::Owned)
    }
}

/// Applies `engine` to every image, with progress; no more images are held than there are threads.
///
/// # Errors
/// The error of the first image, in their order, that has one.
pub fn each<T: Send>(
    what: &'static str,
    images: &(impl ImageSource + ?Sized),
    engine: impl Fn(usize, &Image) -> Result<T, GenError> + Sync,
) -> Result<Vec<T>, GenError> {
    let bar = progress::bar(what, images.count());
    let one = |index: usize| {
        let result = images.get(index).and_then(|image| engine(index, &image));
        bar.inc(1);
        result
    };
    let step = IMAGES_PER_THREAD * rayon::current_num_threads();
    let mut results = Vec::with_capacity(images.count());
    for start in (0..images.count()).step_by(step) {
        let end = images.count().min(start + step);
        let some: Vec<Result<T, GenError>> = (start..end).into_par_iter().map(one).collect();
        for result in some {
            results.push(result?);
        }
    }
    bar.finish_and_clear();
    Ok(results)
}

/// What an engine says about an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The image.
    pub about: About,
    /// Class of the largest logit.
    pub class: usize,
    /// Whether the image's class is among the five largest logits.
    pub in_first: bool,
    /// The logits, if they are kept.
    pub logits: Vec<f32>,
}

impl Answer {
    /// Reads the logits.
    pub fn new<T: PartialOrd + Copy>(about: &About, logits: &[T], kept: Option<impl Fn(T) -> f32>) -> Self {
        let in_first = about.label.is_some_and(|label| rank(logits, label) < FIRST);
        let logits_kept = kept.map_or(Vec::new(), |real| logits.iter().map(|l| real(*l)).collect());
        Self { about: about.clone(), class: class_of(logits), in_first, logits: logits_kept }
    }
}

fn engine_name(engine: Engine) -> &'static str {
    match engine {
        Engine::Exact => "float",
        Engine::Poly => "float-poly",
    }
}

/// Answers and tokens of every image in float arithmetic.
///
/// # Errors
/// An unreadable image.
pub fn in_float(
    folded: &Folded,
    config: &Config,
    engine: Engine,
    images: &(impl ImageSource + ?Sized),
    keep_logits: bool,
) -> Result<Vec<(Answer, Vec<Stage>)>, GenError> {
    let wanted = |name: &str| name == "logits" || name.ends_with(".mask") || name.ends_with(".score");
    each(engine_name(engine), images, |_, image| {
        let trace = forward_wanted(folded, engine, &float_patches(config, image)?, &wanted);
        let answer = Answer::new(&image.about, trace.logits(), keep_logits.then_some(|l| l));
        Ok((answer, float_stages(&trace)))
    })
}

/// Place of the largest value; the first of equal ones.
pub fn class_of<T: PartialOrd>(logits: &[T]) -> usize {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best })
}

/// Number of logits before that of `class` when they are sorted; of equal ones the first comes first.
fn rank<T: PartialOrd>(logits: &[T], class: usize) -> usize {
    let before = |i: usize| logits[i] > logits[class] || (i < class && logits[i] == logits[class]);
    (0..logits.len()).filter(|i| before(*i)).count()
}

/// Share of right classes among the images whose class is known; `None` without such.
pub fn accuracy(pairs: impl Iterator<Item = (Option<usize>, usize)>) -> Option<f64> {
    share(pairs.filter_map(|(label, class)| Some(label? == class)))
}

/// Share of images whose class is among the five largest logits, if the network has more classes.
pub fn accuracy_top5(answers: &[Answer], classes: usize) -> Option<f64> {
    let known = answers.iter().filter(|a| a.about.label.is_some());
    (classes > FIRST).then(|| share(known.map(|a| a.in_first))).flatten()
}

fn share(answers: impl Iterator<Item = bool>) -> Option<f64> {
    let (right, all) = answers.fold((0usize, 0usize), |(right, all), answer| (right + usize::from(answer), all + 1));
    (all > 0).then(|| right as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatvit_model::image::Pixels;

    fn images() -> Vec<Image> {
        let about = |label| About { label: Some(label), subject: None };
        (0..500).map(|label| Image { pixels: Pixels::Bytes(Vec::new()), about: about(label) }).collect()
    }

    #[test]
    fn results_keep_the_order_of_images() {
        let labels = each("test", images().as_slice(), |_, image| Ok(image.about.label.unwrap())).unwrap();
        assert_eq!(labels, (0..500).collect::<Vec<_>>());
        assert_eq!(accuracy(images().iter().map(|i| i.about.label).zip(labels)), Some(1.0));
    }

    #[test]
    fn the_first_error_wins() {
        let fail = |index: usize, _: &Image| -> Result<(), GenError> {
            if index % 20 == 19 { Err(GenError::stage("test", index)) } else { Ok(()) }
        };
        assert!(each("test", images().as_slice(), fail).unwrap_err().to_string().contains("19"));
    }

    #[test]
    fn equal_logits_choose_the_first_class() {
        assert_eq!(class_of(&[1, 3, 3, 2]), 1);
        assert_eq!(class_of::<i32>(&[]), 0);
        assert_eq!((0..4).map(|class| rank(&[1, 3, 3, 2], class)).collect::<Vec<_>>(), [3, 0, 1, 2]);
    }

    #[test]
    fn images_without_a_class_do_not_count() {
        let answer =
            |label, in_first| Answer { about: About { label, subject: None }, class: 1, in_first, logits: vec![] };
        let answers = [answer(Some(1), true), answer(None, false), answer(Some(2), true), answer(Some(3), false)];
        let pairs = |answers: &[Answer]| accuracy(answers.iter().map(|a| (a.about.label, a.class)));
        assert_eq!((pairs(&answers), pairs(&answers[1..2])), (Some(1.0 / 3.0), None));
        assert_eq!((accuracy_top5(&answers, 6), accuracy_top5(&answers, 5)), (Some(2.0 / 3.0), None));
    }
}
