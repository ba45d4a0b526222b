//! Patch filters, position embedding and class token.

use super::draw::{Channels, scale};
use super::noise::Noise;
use super::recipe::{FILTER_ORDERS, PATCH_WIDTH, POSITION_WIDTH, WAVE_PERIODS, WAVES};
use crate::float::FloatNetwork;
use crate::image::ImageShape;
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};

/// A smooth coloured filter, elements in the order channel, row, column.
fn filter(noise: &mut Noise, shape: &ImageShape) -> Vec<f32> {
    let side = shape.patch;
    let colour: Vec<f64> = (0..shape.channels).map(|_| noise.normal(1.0)).collect();
    let mut smooth = vec![0.0; side * side];
    for (u, v) in (0..FILTER_ORDERS).flat_map(|u| (0..FILTER_ORDERS).map(move |v| (u, v))) {
        let amplitude = noise.normal(1.0 / (1 + u + v) as f64);
        let wave = |order: usize, x: usize| libm::cos(PI * order as f64 * (x as f64 + 0.5) / side as f64);
        for (at, value) in smooth.iter_mut().enumerate() {
            *value += amplitude * wave(u, at / side) * wave(v, at % side);
        }
    }
    colour.iter().flat_map(|c| smooth.iter().map(move |s| (c * s) as f32)).collect()
}

/// Plane waves over the grid of patches for one channel, width about 1; the class token has none.
fn waves(noise: &mut Noise, rows: usize, columns: usize) -> Vec<f64> {
    let mut field = vec![0.0; rows * columns];
    let mut power = 0.0;
    for _ in 0..WAVES {
        let periods = WAVE_PERIODS * noise.uniform();
        let (direction, phase) = (TAU * noise.uniform(), TAU * noise.uniform());
        let amplitude = noise.normal(1.0) / (0.5 + periods);
        power += amplitude * amplitude / 2.0;
        let (y, x) = (periods * libm::sin(direction) / rows as f64, periods * libm::cos(direction) / columns as f64);
        for (at, value) in field.iter_mut().enumerate() {
            let angle = TAU * (y * (at / columns) as f64 + x * (at % columns) as f64) + phase;
            *value += amplitude * libm::cos(angle);
        }
    }
    field.iter_mut().for_each(|v| *v /= libm::sqrt(power));
    field
}

fn positions(noise: &mut Noise, shape: &ImageShape, channels: &Channels) -> Vec<f32> {
    let (rows, columns) = (shape.height / shape.patch, shape.width / shape.patch);
    let embed = channels.scale.len();
    let mut pos = vec![0.0f32; (rows * columns + 1) * embed];
    for (c, (scale, constant)) in channels.scale.iter().zip(&channels.constant).enumerate() {
        pos[c] = *constant as f32;
        for (t, wave) in waves(noise, rows, columns).into_iter().enumerate() {
            pos[(t + 1) * embed + c] = (wave * POSITION_WIDTH * scale + constant) as f32;
        }
    }
    pos
}

/// Mean and width of every output of the patch embedding over all patches of all images.
fn statistics(network: &FloatNetwork, images: &[Vec<f32>]) -> Vec<(f64, f64)> {
    let l = &network.patch_embed;
    let of = |weights: &[f32]| {
        let (mut count, mut sum, mut squares) = (0.0f64, 0.0f64, 0.0f64);
        // Row 0 belongs to the class token.
        for patch in images.iter().flat_map(|image| image.chunks(l.inputs).skip(1)) {
            let value = f64::from(weights.iter().zip(patch).map(|(w, p)| w * p).sum::<f32>());
            (count, sum, squares) = (count + 1.0, sum + value, squares + value * value);
        }
        let mean = sum / count.max(1.0);
        (mean, libm::sqrt((squares / count.max(1.0) - mean * mean).max(0.0)))
    };
    l.weight.par_chunks(l.inputs).map(of).collect()
}

/// Fills the embedding of a network: what patches give a channel has its width over the images and mean 0.
pub(super) fn embedding(
    network: &mut FloatNetwork,
    channels: &Channels,
    shape: &ImageShape,
    images: &[Vec<f32>],
    noise: &mut Noise,
) {
    network.patch_embed.weight = channels.scale.iter().flat_map(|_| filter(noise, shape)).collect();
    network.patch_embed.bias = vec![0.0; channels.scale.len()];
    let statistics = statistics(network, images);
    let patch = &mut network.patch_embed;
    for (((row, bias), (mean, width)), channel) in
        patch.weight.chunks_mut(patch.inputs).zip(&mut patch.bias).zip(statistics).zip(&channels.scale)
    {
        // Images without any structure leave the filters as drawn.
        let factor = if width > 1e-6 { PATCH_WIDTH * channel / width } else { 1.0 };
        scale(row, factor);
        *bias = (-mean * factor) as f32;
    }
    network.pos_embed = positions(noise, shape, channels);
    network.cls_token = channels.scale.iter().map(|s| noise.normal(*s) as f32).collect();
}
