//! Images per second of the golden model on a network of the digits size.
use heatvit_model::golden::run;
use heatvit_model::quant::{Dims, Extreme, random, random_image};
use std::time::Instant;

fn main() {
    let dims = Dims {
        tokens: 82,
        patch_inputs: 16,
        embed: 64,
        depth: 6,
        heads: 4,
        head_dim: 16,
        mlp_hidden: 256,
        classes: 10,
    };
    let network = random(&dims, 1, Extreme::None);
    let image = random_image(&dims, 1);
    let start = Instant::now();
    let mut sum = 0;
    for _ in 0..100 {
        sum += run(&network, &image).logits()[0];
    }
    println!("{:.0} images/s ({sum})", 100.0 / start.elapsed().as_secs_f64());
}
