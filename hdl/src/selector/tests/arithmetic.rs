//! Sigmoid, divider and the terms of a score.

use crate::bench::Bench;
use crate::selector::scoring::sigmoid;
use crate::selector::{divider, scoring};
use heatvit_model::golden::selector::{SCORE_ONE, score};
use heatvit_model::poly::plan::plan;
use heatvit_rtl::{Bits, Design, ModuleId};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn built(build: impl FnOnce(&mut Design) -> ModuleId) -> Design {
    let mut design = Design::new();
    build(&mut design);
    design
}

/// A new argument each cycle, the result of the one before.
#[test]
fn the_sigmoid_is_plan_for_every_argument() {
    let design = built(sigmoid);
    let mut bench = Bench::new(&design);
    for x in -32768..=32767i32 {
        bench.set("x", u128::from(x as u16));
        bench.step();
        assert_eq!(bench.get("y"), u128::from(plan(x)), "{x}");
    }
}

/// Divides and checks the quotient and the cycle in which it comes.
fn divide(bench: &mut Bench<'_>, steps: u32, numerator: u64, denominator: u64) {
    for (port, value) in [("steps", u64::from(steps)), ("numerator", numerator), ("denominator", denominator)] {
        bench.set(port, u128::from(value));
    }
    bench.pulse("start");
    // The operands are taken with `start`.
    for port in ["steps", "numerator", "denominator"] {
        bench.set(port, 0x2_aaaa);
    }
    for cycle in 1..=steps {
        assert!(!bench.flag("valid"), "cycle {cycle} of {steps} steps");
        bench.step();
    }
    assert!(bench.flag("valid"));
    let expected = (numerator << (2 * steps - 1)) / denominator;
    assert_eq!(bench.get("quotient"), u128::from(expected), "{numerator} / {denominator}");
}

#[test]
fn the_divider_rounds_down() {
    let design = built(divider);
    let mut bench = Bench::new(&design);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    const ALL: u64 = (1 << 18) - 1;
    for steps in [5, 8] {
        for denominator in [1, 2, 3, 255, 1 << 17, ALL - 1, ALL] {
            for numerator in [0, 1, denominator / 2, denominator - 1, denominator] {
                divide(&mut bench, steps, numerator.min(denominator), denominator);
            }
        }
        for _ in 0..3_000 {
            let denominator = rng.random_range(1..=ALL) >> rng.random_range(0..18u32);
            let denominator = denominator.max(1);
            divide(&mut bench, steps, rng.random_range(0..=denominator), denominator);
        }
    }
}

/// A quotient comes once, and a start ends the division before.
#[test]
fn a_start_begins_anew() {
    let design = built(divider);
    let mut bench = Bench::new(&design);
    for (port, value) in [("steps", 8), ("numerator", 7), ("denominator", 9)] {
        bench.set(port, value);
    }
    bench.pulse("start");
    (0..4).for_each(|_| bench.step());
    divide(&mut bench, 5, 1, 3);
    for _ in 0..20 {
        bench.step();
        assert!(!bench.flag("valid"));
        assert_eq!(bench.get("quotient"), 512 / 3, "stands until the next start");
    }
}

/// Logits of a token, corners among them.
fn logits(rng: &mut ChaCha8Rng, heads: u32) -> Vec<i32> {
    let one = |rng: &mut ChaCha8Rng| match rng.random_range(0..6) {
        0 => rng.random_range(-32768..=32767),
        1 => [-32768, -1280, -1279, -608, -256, 0, 256, 608, 1279, 1280, 32767][rng.random_range(0..11)],
        _ => rng.random_range(-1500..1500),
    };
    (0..heads).map(|_| one(rng)).collect()
}

fn word(logits: &[i32]) -> Bits {
    Bits::concat_low_first(&logits.iter().map(|l| Bits::new(16, u128::from(*l as u16))).collect::<Vec<_>>())
}

/// Scores of tokens as fast after one another as the unit takes them: the words of the next token overwrite those of
/// the present one while its last head is read.
fn scores(heads: u32, tokens: &[(Vec<i32>, Vec<i32>)]) -> Vec<u32> {
    let design = built(|d| scoring(d, heads));
    let mut bench = Bench::new(&design);
    let period = heads + 1;
    let mut found = Vec::new();
    let mut product = 0;
    for cycle in 0..period * (tokens.len() as u32 + 2) + 8 {
        let at = |later: u32| cycle.checked_sub(later).map(|c| ((c / period) as usize, c % period));
        let token = |later: u32| at(later).and_then(|(i, slot)| tokens.get(i).map(|t| (t, slot)));
        // The words come one and two cycles before the first head: the second one is taken while the first is there.
        let (keep, weight) = (token(0), token(1));
        bench.set("take_keep", u128::from(keep.is_some_and(|(_, slot)| slot == 0)));
        bench.set("take_weight", u128::from(weight.is_some_and(|(_, slot)| slot == 0)));
        match (keep, weight) {
            (Some(((keep, _), 0)), _) => bench.set_bits("word", &word(keep)),
            (_, Some(((_, weight), 0))) => bench.set_bits("word", &word(weight)),
            _ => bench.set_bits("word", &Bits::ones(16 * heads)),
        }
        bench.set("head_0", u128::from(at(2).map_or(0, |(_, slot)| slot.min(heads - 1))));
        bench.set("first_3", u128::from(token(5).is_some_and(|(_, slot)| slot == 0)));
        bench.set("product_3", product);
        product = bench.get("factor_a_2") * bench.get("factor_b_2");
        // The last head's term is in the sums four cycles after its number.
        if token(6).is_some_and(|(_, slot)| slot == heads - 1) {
            let [numerator, denominator] = ["numerator_4", "denominator_4"].map(|port| bench.get(port) as u32);
            found.push(SCORE_ONE * numerator / denominator);
        }
        bench.step();
    }
    found
}

#[test]
fn scores_are_the_golden_model_s() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for heads in 1..=16 {
        let mut tokens: Vec<_> = (0..60).map(|_| (logits(&mut rng, heads), logits(&mut rng, heads))).collect();
        // Weights that are all zero, and the largest sums.
        tokens.push((vec![5; heads as usize], vec![-2000; heads as usize]));
        tokens.push((vec![2000; heads as usize], vec![2000; heads as usize]));
        let expected: Vec<u32> = tokens.iter().map(|(keep, weight)| score(keep, weight)).collect();
        assert_eq!(scores(heads, &tokens), expected, "{heads} heads");
    }
}
