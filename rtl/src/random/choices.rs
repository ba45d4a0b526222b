//! A sequence of choices, and how it shrinks.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers that decide what a design looks like: given ones first, then random ones or zeros.
#[derive(Clone, Debug)]
pub struct Choices {
    taken: Vec<u64>,
    at: usize,
    random: Option<ChaCha8Rng>,
}

impl Choices {
    /// Random ones from a seed.
    pub fn from_seed(seed: u64) -> Self {
        Self { taken: Vec::new(), at: 0, random: Some(ChaCha8Rng::seed_from_u64(seed)) }
    }

    /// Those of a sequence, then zeros.
    pub fn replay(sequence: &[u64]) -> Self {
        Self { taken: sequence.to_vec(), at: 0, random: None }
    }

    /// What was chosen so far: it makes the same design again.
    pub fn taken(&self) -> &[u64] {
        &self.taken[..self.at.min(self.taken.len())]
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        if self.at == self.taken.len() {
            self.taken.push(self.random.as_mut().map_or(0, |random| random.random_range(0..n.max(1))));
        }
        let number = self.taken[self.at] % n.max(1);
        self.taken[self.at] = number;
        self.at += 1;
        number
    }
}

/// A shorter sequence of smaller numbers that still `fails`, after at most `attempts` attempts.
pub fn shrink(sequence: &[u64], attempts: usize, mut fails: impl FnMut(&[u64]) -> bool) -> Vec<u64> {
    let mut best = sequence.to_vec();
    let mut left = attempts;
    let mut better = |best: &mut Vec<u64>, candidate: Vec<u64>| -> Option<bool> {
        left = left.checked_sub(1)?;
        let found = candidate != *best && fails(&candidate);
        if found {
            *best = candidate;
        }
        Some(found)
    };
    let mut improved = true;
    while improved {
        improved = false;
        for length in [64, 16, 4, 2, 1] {
            let mut at = 0;
            while at < best.len() {
                let end = (at + length).min(best.len());
                let without = [&best[..at], &best[end..]].concat();
                let mut zeroed = best.clone();
                zeroed[at..end].fill(0);
                let Some(shorter) = better(&mut best, without) else { return best };
                let Some(plainer) = (if shorter { Some(false) } else { better(&mut best, zeroed) }) else {
                    return best;
                };
                improved |= shorter || plainer;
                at += if shorter { 0 } else { length };
            }
        }
        for at in 0..best.len() {
            let mut smaller = best.clone();
            smaller[at] /= 2;
            let Some(found) = better(&mut best, smaller) else { return best };
            improved |= found;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_makes_the_same_choices() {
        let mut random = Choices::from_seed(3);
        let numbers: Vec<u64> = (1..50).map(|n| random.below(n)).collect();
        let mut replay = Choices::replay(random.taken());
        assert_eq!((1..50).map(|n| replay.below(n)).collect::<Vec<_>>(), numbers);
        assert_eq!(replay.below(9), 0);
    }

    #[test]
    fn a_sequence_shrinks_to_what_matters() {
        let sequence: Vec<u64> = (0..200).map(|i| i * 7 % 100).collect();
        // Any number above 50 with a number above 20 behind it.
        let fails = |s: &[u64]| s.iter().position(|n| *n > 50).is_some_and(|at| s[at + 1..].iter().any(|n| *n > 20));
        let small = shrink(&sequence, 10_000, fails);
        assert_eq!(small.len(), 2);
        assert!(fails(&small) && small[0] < 103 && small[1] < 43, "{small:?}");
        assert_eq!(shrink(&sequence, 0, fails), sequence);
    }
}
