//! Scores of many images, for choosing thresholds on the integer model.

use super::observer::Wanted;
use super::{Divide, Model};
use crate::quant::QuantNetwork;
use rayon::prelude::*;

/// Scores of the candidates at the stage `network.selectors[stage]`, one list per image in their order; thresholds
/// of earlier stages are in effect. No list for a stage that the network does not have.
pub fn candidate_scores(network: &QuantNetwork, stage: usize, images: &[Vec<i8>]) -> Vec<Vec<u32>> {
    let Some(selector) = network.selectors.get(stage) else { return Vec::new() };
    // Later blocks cannot change the scores.
    let mut front = network.clone();
    front.blocks.truncate(selector.block + 1);
    let model = Model::new(&front);
    let (name, divide) = (format!("selectors.{}.score", selector.block), Divide::for_images(images.len()));
    let scores = |image: &Vec<i8>| {
        let mut observer = Wanted::new(|tensor| tensor == name);
        model.observe(image, divide, &mut observer);
        let rows = observer.trace.get(&name).map_or(&[][..], |t| &t.data);
        rows.iter().skip(1).map(|s| *s as u32).collect()
    };
    images.par_iter().map(scores).collect()
}
