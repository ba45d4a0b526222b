//! The kernels against the definitions, for every set of instructions that this machine has and for any number of
//! threads; whole traces against the network of [`naive`].

use super::executor::Executor;
use super::finish::{Residual, Saturate};
use super::level::Level;
use super::multiply::{Product, Target, multiply};
use super::normalise::normalise;
use super::rows::Rows;
use super::units::{INT8_MAX, INT16_MAX};
use super::{Divide, Model, Trace, naive, product};
use crate::fixed::MULT_MAX;
use crate::layernorm::layernorm;
use crate::poly::rsqrt::rsqrt_table;
use crate::quant::{
    Dims, Extreme, Linear, NormParams, QuantNetwork, random, random_image, random_with_selectors, validate,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A random network.
struct Case {
    /// Tokens, patch inputs, embedding, depth, heads, head channels, hidden channels, classes.
    sizes: [usize; 8],
    /// Blocks with selectors.
    selectors: &'static [usize],
    extreme: Extreme,
}

const CASES: [Case; 9] = [
    Case { sizes: [82, 16, 64, 6, 4, 16, 256, 10], selectors: &[], extreme: Extreme::None },
    Case { sizes: [5, 7, 30, 2, 3, 9, 33, 3], selectors: &[], extreme: Extreme::None },
    Case { sizes: [1, 1, 1, 1, 1, 1, 1, 1], selectors: &[], extreme: Extreme::None },
    Case { sizes: [2, 3, 17, 1, 1, 33, 15, 17], selectors: &[], extreme: Extreme::FullScaleWeights },
    Case { sizes: [33, 48, 48, 3, 3, 16, 80, 5], selectors: &[], extreme: Extreme::EqualScores },
    Case { sizes: [197, 768, 192, 2, 3, 64, 768, 100], selectors: &[], extreme: Extreme::None },
    Case { sizes: [82, 16, 64, 6, 4, 16, 256, 10], selectors: &[1, 3, 5], extreme: Extreme::None },
    Case { sizes: [22, 12, 48, 4, 3, 16, 80, 5], selectors: &[0, 1, 2, 3], extreme: Extreme::FullScaleWeights },
    Case { sizes: [197, 48, 36, 3, 3, 12, 50, 7], selectors: &[1, 2], extreme: Extreme::None },
];

impl Case {
    fn network(&self, seed: u64) -> QuantNetwork {
        let [tokens, patch_inputs, embed, depth, heads, head_dim, mlp_hidden, classes] = self.sizes;
        let dims = Dims { tokens, patch_inputs, embed, depth, heads, head_dim, mlp_hidden, classes };
        let network = match self.selectors {
            [] => random(&dims, seed, self.extreme),
            blocks => random_with_selectors(&dims, blocks, seed, self.extreme),
        };
        validate(&network).unwrap();
        network
    }
}

#[test]
fn whole_traces_equal_the_naive_network() {
    for case in &CASES {
        for seed in 0..2 {
            let network = case.network(seed);
            let image = random_image(&network.dims, seed + 7);
            let expected = naive::run(&network, &image);
            for level in Level::available() {
                let model = Model::with_level(&network, level);
                for divide in [Divide::Images, Divide::Rows] {
                    assert!(model.run(&image, divide) == expected, "{:?} {} {divide:?}", case.sizes, level.name());
                }
            }
        }
    }
}

/// Images of one model, whatever threads there are and whatever they divide; memory of earlier runs leaves no mark.
#[test]
fn threads_change_nothing() {
    for case in &CASES[6..] {
        let network = case.network(3);
        let model = Model::new(&network);
        let images: Vec<Vec<i8>> = (0..5).map(|seed| random_image(&network.dims, seed)).collect();
        let expected: Vec<Trace> = images.iter().map(|image| naive::run(&network, image)).collect();
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let logits = model.run_all(&images);
                assert!(logits.iter().zip(&expected).all(|(l, e)| l == e.logits()), "{threads} threads");
                for divide in [Divide::Images, Divide::Rows] {
                    let found: Vec<Trace> = images.iter().map(|image| model.run(image, divide)).collect();
                    assert!(found == expected, "{threads} threads, {divide:?}");
                }
            });
        }
    }
}

fn random_linear(rng: &mut ChaCha8Rng, inputs: usize, outputs: usize, full: bool) -> Linear {
    let mut weight = || if full { [-127, 127][rng.random_range(0..2)] } else { rng.random_range(-127..=127) };
    let weight = (0..inputs * outputs).map(|_| weight()).collect();
    let bias = (0..outputs).map(|_| rng.random_range(-1_000_000..=1_000_000)).collect();
    let mult = (0..outputs).map(|_| rng.random_range(0..=MULT_MAX)).collect();
    Linear { name: "l".to_owned(), inputs, outputs, weight, bias, mult, sel: rng.random_range(0..=3) }
}

#[test]
fn products_equal_the_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for case in 0..300 {
        let full = case % 5 == 0;
        let mut size = || *[1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 70].get(rng.random_range(0..12)).unwrap();
        let (rows, inputs, outputs) = (size(), size(), size());
        let l = random_linear(&mut rng, inputs, outputs, full);
        let input: Vec<i32> = (0..rows * inputs).map(|_| rng.random_range(-127..=127)).collect();
        let stream: Vec<i32> = (0..rows * outputs).map(|_| rng.random_range(-32767..=32767)).collect();
        let narrow: Vec<i16> = input.iter().map(|v| *v as i16).collect();
        let (mut packed, mut output) = (Rows::default(), Rows::default());
        packed.fill(inputs, narrow.chunks(inputs));
        let prepared = Product::of(&l);
        let mut sum = stream.clone();
        product::linear_residual(&mut sum, &input, &l);
        for level in Level::available() {
            let how = Executor { level, divide: Divide::Images };
            for (bits, limit) in [(8, INT8_MAX), (16, INT16_MAX)] {
                let finish = Saturate { scales: &prepared.scales, limit };
                multiply(how, &packed, &prepared.weights, Target::all(&mut output, rows, outputs), &finish);
                let found: Vec<i32> = output.iter().flatten().map(|v| i32::from(*v)).collect();
                assert_eq!(found, product::linear(&input, &l, bits), "{rows} x {inputs} x {outputs} {}", level.name());
            }
            let mut elements: Vec<i16> = stream.iter().map(|v| *v as i16).collect();
            let target = Target { elements: &mut elements, stride: outputs, from: 0 };
            multiply(how, &packed, &prepared.weights, target, &Residual { scales: &prepared.scales });
            assert!(elements.iter().map(|v| i32::from(*v)).eq(sum.iter().copied()), "{rows} x {inputs} x {outputs}");
        }
    }
}

#[test]
fn norms_equal_the_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let table = rsqrt_table();
    for case in 0..200 {
        let embed = [1, 2, 17, 64, 192, 768, 2047][case % 7];
        let params = NormParams {
            gain: rng.random_range(1 << 16..=MULT_MAX),
            exponent: rng.random_range(-30..10),
            eps: rng.random_range(1..100_000),
        };
        let limit = [0, 1, 100, 32767][rng.random_range(0..4)];
        let stream: Vec<i16> = (0..3 * embed).map(|_| rng.random_range(-limit..=limit)).collect();
        let wide: Vec<i32> = stream.iter().map(|x| i32::from(*x)).collect();
        let expected: Vec<i32> = wide.chunks(embed).flat_map(|row| layernorm(row, &params, &table)).collect();
        for level in Level::available() {
            let mut normed = Rows::default();
            normalise(Executor { level, divide: Divide::Rows }, &stream, embed, &params, &table, &mut normed);
            assert!(normed.iter().flatten().map(|v| i32::from(*v)).eq(expected.iter().copied()), "{embed}");
        }
    }
}
