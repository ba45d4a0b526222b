//! The whole selector between models of the memories and multipliers that it borrows.

use crate::bench::{Bench, parameters};
use crate::parameters::{MAX_SELECTORS, Parameters};
use crate::selector::selector;
use heatvit_model::fixed::{round_shift, saturate};
use heatvit_model::golden::selector::{decide, package, score};
use heatvit_rtl::{Bits, Design};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Cycles from an address to the memories' data.
const MEMORY: usize = 3;
/// Cycles from the memories' data to a word of the package.
const LANES: usize = 5;

/// A design for up to `max_tokens` tokens of `heads` heads.
fn design(heads: u32, max_tokens: u32) -> Design {
    let mut design = Design::new();
    selector(&mut design, &Parameters { selector_heads: heads, max_tokens, ..parameters(64) });
    design
}

/// What a stage is given.
#[derive(Clone)]
struct Stage {
    heads: usize,
    row_words: usize,
    threshold: u32,
    make_package: bool,
    last_slot: usize,
    /// Logits of each candidate row: keep less drop, head weights.
    keep: Vec<Vec<i32>>,
    weight: Vec<Vec<i32>>,
    /// The residual stream, one channel a word: candidates, and behind them a package if there is one.
    x: Vec<i32>,
}

impl Stage {
    fn candidates(&self) -> usize {
        self.keep.len()
    }

    fn rows(&self) -> usize {
        self.x.len() / self.row_words
    }

    fn scores(&self) -> Vec<u32> {
        self.keep.iter().zip(&self.weight).map(|(k, w)| score(k, w)).collect()
    }
}

/// What a stage leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Left {
    /// Old row of each new one.
    from: Vec<usize>,
    /// A new package, at this word of memory X.
    package: Option<(usize, Vec<i32>)>,
    /// Rows with and without the package.
    counts: [usize; 2],
}

/// The golden model's answer, and the weight of the package after the stage.
fn expected(stage: &Stage, incoming: Option<u32>) -> (Left, Option<u32>) {
    let (scores, n) = (stage.scores(), stage.candidates());
    let mask = decide(&scores, stage.threshold);
    let made = package(&stage.x, stage.row_words, &scores, &mask, incoming).filter(|_| stage.make_package);
    let mut from: Vec<usize> = (0..n).filter(|row| mask[*row]).collect();
    let kept = from.len();
    let weight = made.as_ref().map(|p| p.weight).or(incoming);
    if weight.is_some() {
        from.push(n);
    }
    let counts = [from.len(), kept];
    (Left { from, package: made.map(|p| (n * stage.row_words, p.row)), counts }, weight)
}

/// Outputs of the last cycles, the present one last.
struct Past(VecDeque<[u64; 3]>);

impl Past {
    /// Address, share and accumulation, this many cycles ago.
    fn ago(&self, cycles: usize) -> [u64; 3] {
        self.0[self.0.len() - 1 - cycles]
    }

    /// The word of the package that leaves the lanes in this cycle.
    fn package_word(&self, x: &[i32]) -> i32 {
        let mut sum = 0;
        for at in LANES.. {
            let [_, share, accumulate] = self.ago(at);
            sum += share as i64 * i64::from(x[self.ago(at + MEMORY)[0] as usize]);
            if accumulate == 0 {
                break;
            }
        }
        saturate(round_shift(sum, 14), 16) as i32
    }
}

/// The selector with what surrounds it.
struct System<'d> {
    bench: Bench<'d>,
    past: Past,
    product: u128,
}

impl<'d> System<'d> {
    fn new(design: &'d Design) -> Self {
        Self { bench: Bench::new(design), past: Past(VecDeque::new()), product: 0 }
    }

    fn start(&mut self, stage: &Stage) {
        let settings = [
            ("last_slot", stage.last_slot),
            ("last_head", stage.heads - 1),
            ("row_words", stage.row_words),
            ("threshold", stage.threshold as usize),
            ("make_package", usize::from(stage.make_package)),
            ("rows", stage.rows()),
            ("candidates", stage.candidates()),
        ];
        for (port, value) in settings {
            self.bench.set(port, value as u128);
        }
        self.past.0 = VecDeque::from(vec![[0; 3]; LANES + MEMORY + 1]);
        self.bench.set("run", 1);
    }

    /// Memories and multipliers answer; outputs of this cycle are settled afterwards.
    fn answer(&mut self, stage: &Stage) {
        let bench = &mut self.bench;
        let at = self.past.ago(MEMORY - 1)[0] as usize;
        let logits = if at % 2 == 0 { &stage.keep } else { &stage.weight };
        // What nobody wrote is anything.
        let lanes: Vec<Bits> = match logits.get(at / 2) {
            Some(row) => row.iter().map(|l| Bits::new(16, u128::from(*l as u16))).collect(),
            None => vec![Bits::ones(16); stage.heads],
        };
        bench.set_bits("word", &Bits::concat_low_first(&lanes));
        bench.set("product", self.product);
        self.product = bench.get("factor_a") * bench.get("factor_b");
        self.past.0.push_back(["address", "share", "accumulate"].map(|port| bench.get(port) as u64));
    }

    /// One stage from start to `done`.
    fn run(&mut self, stage: &Stage) -> Left {
        self.start(stage);
        let (mut words, mut counts) = (Vec::new(), Vec::new());
        let limit = self.bench.now + 4_000 + 100 * stage.rows() as u64 * (1 + stage.row_words) as u64;
        loop {
            assert!(self.bench.now < limit, "hangs");
            self.answer(stage);
            if self.bench.flag("package_write") {
                assert!(counts.is_empty(), "the counts come behind the package");
                words.push((self.bench.get("package_address") as usize, self.past.package_word(&stage.x)));
            }
            let count = self.bench.flag("count_write").then(|| ["count_register", "count"].map(|p| self.bench.get(p)));
            let done = self.bench.flag("done");
            assert!(!(done && count.is_some()));
            self.bench.step();
            if let Some([register, value]) = count {
                // The registers change while the selector runs.
                self.bench.set(["", "rows", "candidates"][register as usize], value);
                counts.push((register, value as usize));
            }
            if done {
                break;
            }
        }
        self.bench.set("run", 0);
        assert!(!self.bench.flag("active"));
        assert_eq!(counts.iter().map(|(register, _)| *register).collect::<Vec<_>>(), [1, 2]);
        let counts = [counts[0].1, counts[1].1];
        let package = words.first().map(|(at, _)| {
            assert_eq!(
                words.iter().map(|(a, _)| *a).collect::<Vec<_>>(),
                (*at..at + stage.row_words).collect::<Vec<_>>()
            );
            (*at, words.iter().map(|(_, word)| *word).collect())
        });
        let from = (0..counts[0]).map(|row| (row * stage.row_words + self.offset(row)) / stage.row_words).collect();
        Left { from, package, counts }
    }

    fn offset(&mut self, row: usize) -> usize {
        self.bench.set("gather_row", row as u128);
        self.bench.step();
        self.bench.get("gather_offset") as usize
    }

    fn reset(&mut self) {
        self.bench.set("run", 0);
        self.bench.pulse("reset");
        assert!(!self.bench.flag("active"));
        assert_eq!(self.bench.bits("stage_counts"), Bits::zero(16 * MAX_SELECTORS));
    }

    fn stage_counts(&mut self) -> Vec<usize> {
        let all = self.bench.bits("stage_counts");
        (0..MAX_SELECTORS).map(|i| (all.limbs()[i as usize / 4] >> (16 * (i % 4)) & 0xffff) as usize).collect()
    }
}

fn random_stage(rng: &mut ChaCha8Rng, heads: usize, row_words: usize, candidates: usize, x: Vec<i32>) -> Stage {
    let spread = *[80, 400, 3000].choose(rng).unwrap();
    let mut logits =
        || (0..candidates).map(|_| (0..heads).map(|_| rng.random_range(-spread..=spread)).collect()).collect();
    let (keep, weight) = (logits(), logits());
    let slots = (heads + 1).max(6);
    let mut stage = Stage {
        heads,
        row_words,
        threshold: 0,
        make_package: rng.random_bool(0.8),
        last_slot: rng.random_range(slots - 1..32.max(slots)),
        keep,
        weight,
        x,
    };
    // All dropped, none dropped, or the score of some row: it ties and stays.
    let scores = stage.scores();
    stage.threshold = match rng.random_range(0..6) {
        0 => 0,
        1 => 513,
        _ => *scores.choose(rng).unwrap(),
    };
    stage
}

/// An image: stages one after the other, each on what the one before left. Returns how many packages were merged
/// into a later one.
fn image(system: &mut System<'_>, rng: &mut ChaCha8Rng, heads: usize, tokens: usize, stages: u32) -> u32 {
    let row_words = rng.random_range(1..6);
    let mut x: Vec<i32> = (0..tokens * row_words).map(|_| rng.random_range(-32767..=32767)).collect();
    let (mut candidates, mut weight, mut log, mut merged) = (tokens, None, Vec::new(), 0);
    for at in 0..stages {
        let stage = random_stage(rng, heads, row_words, candidates, x.clone());
        let (left, next) = expected(&stage, weight);
        assert_eq!(system.run(&stage), left, "stage {at}, {candidates} candidates, package of {weight:?}");
        merged += u32::from(weight.is_some() && left.package.is_some());
        let row = |from: usize| match &left.package {
            Some((place, words)) if from * row_words == *place => words.clone(),
            _ => x[from * row_words..][..row_words].to_vec(),
        };
        x = left.from.iter().flat_map(|from| row(*from)).collect();
        (candidates, weight) = (left.counts[1], next);
        log.push(left.counts[0]);
        let mut all = log.clone();
        all.resize(MAX_SELECTORS as usize, 0);
        assert_eq!(system.stage_counts(), all);
    }
    merged
}

#[test]
fn stages_prune_as_the_golden_model_does() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut merged = 0;
    for heads in [1, 2, 3, 4, 5, 16] {
        let design = design(heads, 16);
        let mut system = System::new(&design);
        // The most tokens are a power of two here: the tables are full.
        for tokens in [1, 2, 3, 7, 15, 16, 16] {
            merged += image(&mut system, &mut rng, heads as usize, tokens, 3);
            system.reset();
        }
    }
    assert!(merged > 10, "{merged}");
}

#[test]
fn as_many_stages_as_are_allowed_are_logged() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let design = design(2, 40);
    let mut system = System::new(&design);
    for tokens in [40, 33] {
        image(&mut system, &mut rng, 2, tokens, MAX_SELECTORS);
        system.reset();
    }
}

/// The largest weights: every token scores 1 and is dropped, stage after stage.
#[test]
fn the_sum_of_weights_does_not_overflow() {
    let design = design(1, 512);
    let mut system = System::new(&design);
    let x: Vec<i32> = (0..512).map(|row| if row % 2 == 0 { 32767 } else { 32766 }).collect();
    let (keep, weight) = (vec![vec![2000]; 512], vec![vec![0]; 512]);
    let stage = Stage { heads: 1, row_words: 1, threshold: 513, make_package: true, last_slot: 5, keep, weight, x };
    let (left, total) = expected(&stage, None);
    assert_eq!(total, Some(511 * 512));
    assert_eq!(system.run(&stage), left);
}

#[test]
fn a_reset_in_the_middle_leaves_nothing_behind() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let design = design(3, 12);
    let mut system = System::new(&design);
    for _ in 0..40 {
        let x = (0..24).map(|_| rng.random_range(-32767..=32767)).collect();
        let stage = random_stage(&mut rng, 3, 2, 12, x);
        system.start(&stage);
        for _ in 0..rng.random_range(0..250) {
            system.answer(&stage);
            let done = system.bench.flag("done");
            system.bench.step();
            if done {
                break;
            }
        }
        system.reset();
        // A division or a word under way still ends, within this time; the next image takes longer to arrive.
        (0..30).for_each(|_| system.bench.step());
        image(&mut system, &mut rng, 3, 9, 2);
        system.reset();
    }
}
