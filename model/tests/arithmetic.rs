//! The worked examples of docs/arithmetic.md.

use heatvit_model::fixed::{Rescale, mantissa_exponent, normalize_mult, rescale, round_shift, saturate};
use heatvit_model::golden::selector::{Package, decide, global_mean, package, score, share};
use heatvit_model::image::quantize_pixel;
use heatvit_model::layernorm::{NormParams, layernorm, row_norm};
use heatvit_model::poly::exp::exp7;
use heatvit_model::poly::gelu::{GeluParams, gelu};
use heatvit_model::poly::plan::plan;
use heatvit_model::poly::recip::{recip, recip_table};
use heatvit_model::poly::rsqrt::{rsqrt, rsqrt_table};
use heatvit_model::quant::RowScale;

#[test]
fn rounding_and_saturation() {
    assert_eq!([6, -6, 5].map(|x| round_shift(x, 2)), [2, -2, 1]);
    assert_eq!((saturate(-200, 8), saturate(40000, 16)), (-127, 32767));
}

#[test]
fn rescaling_and_product() {
    assert_eq!(rescale(123_456, Rescale { mult: 53687, sel: 3 }), 25);
    let acc = 100 * 127 - 50 * 64 + 381;
    assert_eq!(acc, 9881);
    assert_eq!(rescale(acc, Rescale { mult: 26421, sel: 2 }), 16);
    assert_eq!(normalize_mult(70_000, 22), Rescale { mult: 17_500, sel: 1 });
}

#[test]
fn codes_of_zero_are_in_the_bias() {
    let accumulator = |x: [i32; 2], bias: i32| x[0] * 127 + x[1] * 64 + bias;
    assert_eq!(accumulator([40 - 122, -2 - 122], 381 + 122 * (127 + 64)), accumulator([40, -2], 381));
    assert_eq!(accumulator([40, -2], 381), 5333);
}

#[test]
fn residual_saturates_once() {
    assert_eq!((saturate(32000 + 1000, 16), saturate(-32000 + 64767, 16)), (32767, 32767));
}

#[test]
fn pixels() {
    assert_eq!([0, 127, 128, 255].map(quantize_pixel), [-127, 0, 0, 127]);
}

#[test]
fn norm() {
    let (gain, exponent) = mantissa_exponent(127.0 * 4.0 / (64.0 * 4.0)).unwrap();
    let params = NormParams { gain, exponent, eps: 1 };
    assert_eq!((gain, exponent), (130_048, -16));
    let row = row_norm(100, 13_800, 4, &params, &rsqrt_table());
    assert_eq!(row.mean, 1600);
    assert_eq!(rsqrt(4 * 13_800 - 100 * 100 + 1, &rsqrt_table()), (78913, 8));
    assert_eq!(layernorm(&[100, -50, 30, 20], &params, &rsqrt_table()), [45, -45, 3, -3]);
}

#[test]
fn softmax() {
    assert_eq!(rescale(5000, Rescale { mult: 31457, sel: 1 }), 150);
    assert_eq!([100, 0, 256].map(exp7), [97, 127, 63]);
    let factor = recip(254, 65536, -16, &recip_table());
    assert!((factor.factor() - 0.003_936_8).abs() < 5e-8, "{}", factor.factor());
    assert_eq!(rescale(127 * 60 + 127 * 21, factor), 40);
}

#[test]
fn activation() {
    let params = GeluParams::new(4.0 / 127.0, 1.0).unwrap();
    assert_eq!(params, GeluParams { t: 2542, kappa: 38445, d1: 16384, shift: 5, zero: -122 });
    assert_eq!([1000, 0, -1000].map(|x| gelu(x, &params)), [-96, -122, -127]);
}

#[test]
fn sigmoid() {
    assert_eq!([100, 300, 700, 2000].map(plan), [4896, 6320, 7612, 8192]);
    assert_eq!([-100, -300, -700, -2000].map(plan), [3296, 1872, 580, 0]);
}

#[test]
fn selector_mean() {
    let scale = RowScale { gain: 65536, exponent: -16 };
    assert_eq!(rescale(127 * 33 + 127 * 60, recip(254, 65536, -16, &recip_table())), 46);
    assert_eq!(global_mean(&[9, 33, 60], 1, scale, &recip_table()), [46]);
}

#[test]
fn selector_score_and_decision() {
    assert_eq!((round_shift(6320 * 7612, 13), round_shift(3296 * 4096, 13)), (5873, 1648));
    assert_eq!(512 * (5873 + 1648) / (7612 + 4096), 328);
    assert_eq!(score(&[300, -100], &[700, 0]), 328);
    assert_eq!(decide(&[0, 328, 255, 256], 256), [true, true, false, true]);
}

#[test]
fn package_token() {
    assert_eq!([100, 28, 72].map(|weight| share(weight, 200)), [8192, 2293, 5898]);
    assert_eq!(round_shift(8192 * 1000 - 2293 * 500 + 5898 * 40, 14), 444);
    let (x, scores, mask) = ([7, 1000, 9, -500, 40], [0, 100, 300, 28], [true, false, true, false]);
    assert_eq!(package(&x, 1, &scores, &mask, Some(72)), Some(Package { row: vec![444], weight: 200 }));
}
