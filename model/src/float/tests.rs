//! The folded network against the textbook formulas, written down a second time in `f64`.

use super::*;
use crate::image::Normalisation;
use crate::quant::Dims;

fn dims() -> Dims {
    Dims { tokens: 6, patch_inputs: 9, embed: 20, depth: 3, heads: 2, head_dim: 12, mlp_hidden: 28, classes: 5 }
}

fn patches(d: &Dims) -> Vec<f32> {
    (0..d.tokens * d.patch_inputs).map(|i| if i < d.patch_inputs { 0.0 } else { (i as f32 * 1.7).sin() }).collect()
}

type Rows = Vec<Vec<f64>>;

fn product(x: &Rows, l: &FloatLinear) -> Rows {
    let out = |row: &Vec<f64>, n: usize| {
        let weights = &l.weight[n * l.inputs..(n + 1) * l.inputs];
        row.iter().zip(weights).map(|(x, w)| x * f64::from(*w)).sum::<f64>() + f64::from(l.bias[n])
    };
    x.iter().map(|row| (0..l.outputs).map(|n| out(row, n)).collect()).collect()
}

fn norm(x: &Rows, n: &FloatNorm, eps: f64) -> Rows {
    let one = |row: &Vec<f64>| {
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        let variance = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / row.len() as f64;
        let scale = 1.0 / (variance + eps).sqrt();
        row.iter()
            .zip(&n.gain)
            .zip(&n.bias)
            .map(|((v, g), b)| (v - mean) * scale * f64::from(*g) + f64::from(*b))
            .collect()
    };
    x.iter().map(one).collect()
}

fn attention(qkv: &Rows, d: &Dims) -> Rows {
    let mut out = vec![vec![0.0; d.attention()]; d.tokens];
    for h in 0..d.heads {
        let part = |t: usize, which: usize| &qkv[t][which * d.attention() + h * d.head_dim..][..d.head_dim];
        for (t, row) in out.iter_mut().enumerate() {
            let score = |k: usize| part(t, 0).iter().zip(part(k, 1)).map(|(a, b)| a * b).sum::<f64>();
            let exps: Vec<f64> = (0..d.tokens).map(|k| (score(k) / (d.head_dim as f64).sqrt()).exp()).collect();
            let sum: f64 = exps.iter().sum();
            for c in 0..d.head_dim {
                row[h * d.head_dim + c] = (0..d.tokens).map(|k| exps[k] / sum * part(k, 2)[c]).sum();
            }
        }
    }
    out
}

fn add(x: &mut Rows, y: &Rows) {
    x.iter_mut().flatten().zip(y.iter().flatten()).for_each(|(a, b)| *a += b);
}

/// Logits by the textbook.
fn textbook(n: &FloatNetwork, input: &[f32]) -> Vec<f64> {
    let (d, eps) = (&n.dims, n.options.eps);
    let rows: Rows = input.chunks(d.patch_inputs).map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect();
    let mut x = product(&rows, &n.patch_embed);
    x[0] = n.cls_token.iter().map(|v| f64::from(*v)).collect();
    let pos: Rows = n.pos_embed.chunks(d.embed).map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect();
    add(&mut x, &pos);
    for b in &n.blocks {
        let heads = attention(&product(&norm(&x, &b.norm1, eps), &b.qkv), d);
        add(&mut x, &product(&heads, &b.proj));
        let mut hidden = product(&norm(&x, &b.norm2, eps), &b.fc1);
        hidden.iter_mut().flatten().for_each(|v| *v = units::gelu_exact(*v));
        add(&mut x, &product(&hidden, &b.fc2));
    }
    x.truncate(1);
    product(&norm(&x, &n.norm, eps), &n.head).remove(0)
}

#[test]
fn equals_the_textbook() {
    for (seed, delta2) in [(1, 1.0), (2, 0.5), (3, 0.7)] {
        let options = NetworkOptions { channels: 1, delta2, ..NetworkOptions::default() };
        let network = FloatNetwork::random(&dims(), &options, seed);
        let got = forward(&network, Engine::Exact, &patches(&dims()));
        for (g, e) in got.logits().iter().zip(textbook(&network, &patches(&dims()))) {
            assert!((f64::from(*g) - e).abs() < 1e-4, "{g} {e}");
        }
    }
}

#[test]
fn the_polynomials_stay_close() {
    let network = FloatNetwork::random(&dims(), &NetworkOptions { channels: 1, ..NetworkOptions::default() }, 4);
    let [exact, poly] = [Engine::Exact, Engine::Poly].map(|e| forward(&network, e, &patches(&dims())));
    assert_ne!(exact, poly);
    for (a, b) in exact.logits().iter().zip(poly.logits()) {
        assert!((a - b).abs() < 0.15, "{a} {b}");
    }
}

#[test]
fn pixel_normalisation_folds_into_the_patch_embedding() {
    let d = Dims { patch_inputs: 12, ..dims() };
    let mut network = FloatNetwork::random(&d, &NetworkOptions::default(), 7);
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let pixels: Vec<f32> = patches(&d).iter().map(|v| v * 0.5 + 0.5).collect();
    let by = |f: &dyn Fn(usize, f32) -> f32| -> Vec<f32> {
        let value = |(i, p): (usize, &f32)| if i < d.patch_inputs { 0.0 } else { f(i % d.patch_inputs / 4, *p) };
        pixels.iter().enumerate().map(value).collect()
    };
    let expected = textbook(&network, &by(&|c, p| ((f64::from(p) - mean[c]) / std[c]) as f32));
    let normalisation = Normalisation { mean: mean.to_vec(), deviation: std.to_vec() };
    let trained = network.clone();
    network.absorb_normalisation(&normalisation);
    let got = textbook(&network, &by(&|_, p| 2.0 * p - 1.0));
    assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-4), "{got:?} {expected:?}");
    network.release_normalisation(&normalisation);
    let pairs = |l: &FloatLinear| l.weight.iter().chain(&l.bias).copied().collect::<Vec<_>>();
    let (back, first) = (pairs(&network.patch_embed), pairs(&trained.patch_embed));
    assert!(back.iter().zip(&first).all(|(a, b)| (a - b).abs() < 1e-6), "{back:?} {first:?}");
}
