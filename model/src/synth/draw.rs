//! Parameters as drawn, before they are scaled to what the network makes of them.

use super::noise::Noise;
use super::recipe::{
    CHANNEL_FACTOR, GAIN_FACTOR, KEY_LIKE_QUERY, NORM_BIAS, OUTLIER_CHANNEL_GAIN, OUTLIER_CHANNELS,
    OUTLIER_CHANNELS_LEAST, OUTLIER_CONSTANT, OUTLIER_GAIN, OUTLIER_GAINS, OUTLIER_VARIATION, QKV_BIAS, ROW_FACTOR,
};
use crate::float::{FloatLinear, FloatNorm};
use crate::quant::Dims;

/// What tells the channels of the residual stream apart.
pub(super) struct Channels {
    /// Width of each where the ordinary one has 1.
    pub scale: Vec<f64>,
    /// Value that an outlier channel has in every token, 0 for the others.
    pub constant: Vec<f64>,
}

impl Channels {
    pub(super) fn draw(noise: &mut Noise, embed: usize) -> Self {
        let count = ((embed as f64 * OUTLIER_CHANNELS).round() as usize).max(OUTLIER_CHANNELS_LEAST);
        let outlier = noise.marked(count, embed);
        let scale = outlier.iter().map(|o| if *o { OUTLIER_VARIATION } else { noise.factor(CHANNEL_FACTOR) });
        let scale = scale.collect();
        let constant = outlier.iter().map(|o| if *o { noise.sign() * OUTLIER_CONSTANT } else { 0.0 });
        Self { scale, constant: constant.collect() }
    }

    /// A LayerNorm on the stream.
    pub(super) fn norm(&self, noise: &mut Noise) -> FloatNorm {
        let channels = self.scale.len();
        let large = noise.marked((channels as f64 * OUTLIER_GAINS).round() as usize, channels);
        let gain = (0..channels).map(|c| {
            let usual = noise.factor(GAIN_FACTOR);
            let outlier = if self.constant[c] == 0.0 { 1.0 } else { OUTLIER_CHANNEL_GAIN };
            (usual * outlier * if large[c] { OUTLIER_GAIN } else { 1.0 }) as f32
        });
        FloatNorm { gain: gain.collect(), bias: (0..channels).map(|_| noise.normal(NORM_BIAS) as f32).collect() }
    }
}

/// Rows of logistic weights, each with a factor of its own; outputs have about unit width on inputs of unit width.
pub(super) fn weights(noise: &mut Noise, inputs: usize, outputs: usize) -> Vec<f32> {
    let width = 1.0 / libm::sqrt(inputs as f64);
    let mut all = Vec::with_capacity(inputs * outputs);
    for _ in 0..outputs {
        let row = noise.factor(ROW_FACTOR) * width;
        all.extend((0..inputs).map(|_| noise.logistic(row) as f32));
    }
    all
}

/// A product without bias.
pub(super) fn linear(noise: &mut Noise, inputs: usize, outputs: usize) -> FloatLinear {
    FloatLinear { inputs, outputs, weight: weights(noise, inputs, outputs), bias: vec![0.0; outputs] }
}

/// Queries, keys and values of all heads; keys are in part made of the query weights of the same head.
pub(super) fn qkv(noise: &mut Noise, d: &Dims, gain: &[f32], bias: bool) -> FloatLinear {
    let mut l = linear(noise, d.embed, 3 * d.attention());
    let size = d.attention() * d.embed;
    let own = libm::sqrt(1.0 - KEY_LIKE_QUERY * KEY_LIKE_QUERY);
    let (queries, rest) = l.weight.split_at_mut(size);
    for (key, query) in rest.iter_mut().zip(queries.iter()) {
        *key = (KEY_LIKE_QUERY * f64::from(*query) + own * f64::from(*key)) as f32;
    }
    // Behind gains of any size the outputs have about unit width again.
    let power = gain.iter().map(|g| f64::from(g * g)).sum::<f64>() / gain.len() as f64;
    scale(&mut l.weight, 1.0 / libm::sqrt(power));
    if bias {
        l.bias.iter_mut().for_each(|b| *b = noise.normal(QKV_BIAS) as f32);
    }
    l
}

/// Multiplies all.
pub(super) fn scale(values: &mut [f32], factor: f64) {
    values.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
}
