//! The figures of the recipe (docs/quantization.md), with their reasons there. Widths are standard deviations.

/// Log-normal width of the factor of a weight row.
pub(super) const ROW_FACTOR: f64 = 0.3;
/// Orders of the cosines of a patch filter, in each direction.
pub(super) const FILTER_ORDERS: usize = 4;
/// Plane waves of a channel's position embedding.
pub(super) const WAVES: usize = 8;
/// Most periods of a wave over the grid.
pub(super) const WAVE_PERIODS: f64 = 3.0;
/// Widths of what patch and position give a channel of the residual stream.
pub(super) const PATCH_WIDTH: f64 = 0.8;
/// See [`PATCH_WIDTH`]; together 1.
pub(super) const POSITION_WIDTH: f64 = 0.6;
/// Log-normal width of the scales of residual channels.
pub(super) const CHANNEL_FACTOR: f64 = 0.5;
/// Share of outlier channels of the residual stream.
pub(super) const OUTLIER_CHANNELS: f64 = 0.01;
/// Fewest of them.
pub(super) const OUTLIER_CHANNELS_LEAST: usize = 2;
/// Their constant, in widths of an ordinary channel.
pub(super) const OUTLIER_CONSTANT: f64 = 6.0;
/// Their variation over tokens, likewise.
pub(super) const OUTLIER_VARIATION: f64 = 3.0;
/// What a block adds to the width of the residual stream.
pub(super) const GROWTH: f64 = 0.3;
/// Share of the added variance that comes from attention.
pub(super) const ATTENTION_SHARE: f64 = 0.4;
/// Width of the biases of a branch, in widths of the branch.
pub(super) const BRANCH_BIAS: f64 = 0.2;
/// Log-normal width of LayerNorm gains.
pub(super) const GAIN_FACTOR: f64 = 0.4;
/// Share of outlier gains.
pub(super) const OUTLIER_GAINS: f64 = 0.02;
/// How much larger they are.
pub(super) const OUTLIER_GAIN: f64 = 4.0;
/// Gain on an outlier channel of the residual stream, relative to others.
pub(super) const OUTLIER_CHANNEL_GAIN: f64 = 1.0 / 3.0;
/// Width of LayerNorm biases.
pub(super) const NORM_BIAS: f64 = 0.2;
/// Width of scores within a row, first and last block.
pub(super) const SCORE_WIDTH: (f64, f64) = (0.8, 2.2);
/// Log-normal width of a head's factor.
pub(super) const HEAD_FACTOR: f64 = 0.35;
/// Largest width of scores.
pub(super) const SCORE_WIDTH_MOST: f64 = 3.5;
/// Share of the query weights in the key weights.
pub(super) const KEY_LIKE_QUERY: f64 = 0.5;
/// Width of the biases of queries, keys and values, in widths of these.
pub(super) const QKV_BIAS: f64 = 0.3;
/// Width of GELU's input.
pub(super) const HIDDEN_WIDTH: f64 = 1.2;
/// Mean and width of its biases.
pub(super) const HIDDEN_BIAS: (f64, f64) = (-0.5, 0.5);
/// Share of wide hidden units.
pub(super) const WIDE_UNITS: f64 = 0.005;
/// How much wider they are.
pub(super) const WIDE_UNIT: f64 = 4.0;
/// Width of the logits.
pub(super) const LOGIT_WIDTH: f64 = 2.5;
/// Width of a selector's hidden units before GELU.
pub(super) const SELECTOR_WIDTH: f64 = 1.0;
/// Root mean square behind GELU of inputs of that width.
pub(super) const SELECTOR_ACTIVE: f64 = 0.65;
/// Width of the biases of a selector's hidden units.
pub(super) const SELECTOR_BIAS: f64 = 0.3;
/// Width of the keep logits of a head over the candidates.
pub(super) const KEEP_WIDTH: f64 = 1.3;
/// Width of the logits of head weights.
pub(super) const HEAD_WEIGHT_WIDTH: f64 = 0.1;
