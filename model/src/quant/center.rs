//! Weights behind LayerNorm without the means of their rows.
//!
//! What LayerNorm writes adds up to zero, so a constant that is taken from all weights of a row changes nothing but what the
//! row makes of rounding errors, which do not add up to zero: their sum of squares is least without the mean.

use crate::float::{FloatLinear, Folded};

/// Takes the mean of every row from it.
fn rows(l: &mut FloatLinear) {
    for row in l.weight.chunks_mut(l.inputs) {
        let mean = row.iter().map(|w| f64::from(*w)).sum::<f64>() / row.len() as f64;
        row.iter_mut().for_each(|w| *w = (f64::from(*w) - mean) as f32);
    }
}

/// Does so in every product that reads whole normalised rows. Local features read the parts of heads.
pub(super) fn center(network: &mut Folded) {
    for block in &mut network.blocks {
        [&mut block.q, &mut block.k, &mut block.v, &mut block.fc1].into_iter().for_each(rows);
    }
    network.selectors.iter_mut().for_each(|s| rows(&mut s.weigh));
    rows(&mut network.head);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::float::linear;

    #[test]
    fn what_adds_up_to_zero_is_read_as_before() {
        let mut l =
            FloatLinear { inputs: 3, outputs: 2, weight: vec![5.0, 6.0, 10.0, 0.0, 0.0, 0.0], bias: vec![1.0, 2.0] };
        let input = [1.0, -3.0, 2.0];
        let before = linear(&input, &l);
        rows(&mut l);
        assert_eq!(l.weight, [-2.0, -1.0, 3.0, 0.0, 0.0, 0.0]);
        assert_eq!((linear(&input, &l), before), (vec![8.0, 2.0], vec![8.0, 2.0]));
    }
}
