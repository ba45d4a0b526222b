//! Programs that are not what the compiler wrote.

use super::rig::{Ends, Rig, Trial, all_well};
use super::stream::{DESCRIPTOR, Stream};
use crate::selectors::{memory, network, small};
use heatvit_hdl::bus::ErrorCode::{BadDescriptor, Watchdog};
use heatvit_hdl::schedule::descriptor::{Field, Opcode, select};
use heatvit_model::quant::QuantNetwork;
use heatvit_sim::axi::MemoryConfig;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A value in a field of the n-th descriptor with an opcode.
struct Corruption {
    what: &'static str,
    at: (Opcode, usize),
    field: Field,
    value: u16,
    ends: Ends,
}

const fn corruption(what: &'static str, at: (Opcode, usize), field: Field, value: u16, ends: Ends) -> Corruption {
    Corruption { what, at, field, value, ends }
}

/// A token more than the network of the tests has.
const TOO_MANY: u16 = 22;

/// Descriptors that the loader refuses.
const REFUSED: &[Corruption] = {
    use Opcode::{End, FillResidual, Product, Select, SetCount};
    const BAD: Ends = Ends::With(BadDescriptor);
    &[
        corruption("the first opcode is none", (SetCount, 0), Field::Opcode, 0x4807, BAD),
        corruption("a fill's opcode is none", (FillResidual, 0), Field::Opcode, 0x4800, BAD),
        corruption("a product's opcode is none", (Product, 7), Field::Opcode, 1, BAD),
        corruption("a selector's opcode is none", (Select, 0), Field::Opcode, 0x4006, BAD),
        corruption("the end's opcode is none", (End, 0), Field::Opcode, 0xFFFF, BAD),
        corruption("the first product has the number of the second", (Product, 0), Field::Serial, 1, BAD),
        corruption("a product has the number of the one before", (Product, 9), Field::Serial, 8, BAD),
        corruption("no output tiles", (Product, 2), Field::OutputTiles, 0, BAD),
        corruption("no reduction tiles", (Product, 2), Field::ReductionTiles, 0, BAD),
        corruption("no tokens", (SetCount, 0), Field::Amount, 0, BAD),
        corruption("no candidates", (SetCount, 1), Field::Amount, 0, BAD),
        corruption("more tokens than the memories hold", (SetCount, 0), Field::Amount, TOO_MANY, BAD),
        corruption("more candidates than the memories hold", (SetCount, 1), Field::Amount, TOO_MANY, BAD),
        corruption("as many tokens as a field can say", (SetCount, 0), Field::Amount, 0xFFFF, BAD),
        corruption("more candidates than rows", (SetCount, 0), Field::Amount, TOO_MANY - 3, BAD),
        corruption("two packages", (SetCount, 1), Field::Amount, TOO_MANY - 3, BAD),
        corruption("a selector without heads", (Select, 0), select::HEADS, 0, BAD),
        corruption("a selector with a head too many", (Select, 0), select::HEADS, 3, BAD),
        corruption("a selector with all heads that a field can say", (Select, 1), select::HEADS, 0xFFFF, BAD),
        corruption("a selector without a row", (Select, 1), select::ROW_WORDS, 0, BAD),
        corruption("a selector without slots", (Select, 0), select::LAST_SLOT, 0, BAD),
        corruption("a slot too few for the divider", (Select, 0), select::LAST_SLOT, 4, BAD),
        corruption("a slot more than there are numbers", (Select, 1), select::LAST_SLOT, 32, BAD),
    ]
};

/// Programs that ask for what never comes.
const ENDLESS: &[Corruption] = {
    use Opcode::{End, FillResidual, Product};
    const LATE: Ends = Ends::With(Watchdog);
    &[
        corruption("no end", (End, 0), Field::Opcode, Opcode::Nop as u16, LATE),
        corruption("a fill with as many vectors as it can say", (FillResidual, 0), Field::Amount, 0xFFFF, LATE),
        corruption("a fill without a vector", (FillResidual, 0), Field::Amount, 0, LATE),
        corruption("weights without end", (Product, 0), Field::OutputTiles, 0xFFFF, LATE),
        corruption("tiles without end", (Product, 0), Field::ReductionTiles, 0xFFFF, LATE),
    ]
};

fn corrupted(rig: &Rig<'_>, c: &Corruption) -> Trial {
    let mut trial = rig.trial(c.what);
    let at = trial.stream.nth(c.at.0, c.at.1);
    trial.stream.set(at, c.field, c.value);
    trial
}

fn campaign(corruptions: &[Corruption], memory: MemoryConfig) {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory);
    all_well(corruptions.iter().map(|c| {
        let trial = corrupted(&rig, c);
        rig.expect(&trial, c.ends)
    }));
}

#[test]
fn bad_descriptors_are_refused() {
    campaign(REFUSED, memory());
}

#[test]
fn bad_descriptors_are_refused_in_a_memory_that_stalls() {
    campaign(REFUSED, MemoryConfig { stalls: Some(5), ..memory() });
}

#[test]
fn what_never_comes_ends_the_watchdog() {
    campaign(ENDLESS, memory());
}

/// The first product whose stationary operand is read from a memory waits for a product that does not exist.
#[test]
fn waiting_for_ever_ends_the_watchdog() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let mut trial = rig.trial("a product that never comes is waited for");
    let stream = &mut trial.stream;
    let waits =
        |at: &&usize| stream.get(**at, Field::Opcode) == Opcode::Product as u16 && stream.get(**at, Field::Wait) > 0;
    let at = *stream.descriptors.iter().find(waits).unwrap();
    stream.set(at, Field::Wait, 0xFFFF);
    rig.expect(&trial, Ends::With(Watchdog)).unwrap();
}

/// An early end is a program like any other: the logits are what the one before left.
#[test]
fn an_early_end_is_an_end() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let places: Vec<usize> = rig.trial("").stream.descriptors;
    all_well(places.into_iter().map(|at| {
        let mut trial = rig.trial(format!("the end at byte {at}"));
        if trial.stream.get(at, Field::Opcode) != Opcode::End as u16 {
            trial.stream.set(at, Field::Opcode, Opcode::End as u16);
        }
        rig.expect(&trial, Ends::Done)
    }));
}

#[test]
fn regions_that_are_too_short_end_the_watchdog() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let job = rig.trial("").job;
    let bursts = job.program.2;
    let trials = [0, 1, bursts / 4, bursts / 2, bursts - 1].map(|bursts| {
        let mut trial = rig.trial(format!("{bursts} bursts of the program"));
        trial.job.program.2 = bursts;
        trial
    });
    let mut nothing = rig.trial("no bursts at all");
    (nothing.job.program.2, nothing.job.image.2) = (0, 0);
    let trials: Vec<Trial> = trials.into_iter().chain([nothing]).collect();
    all_well(trials.iter().map(|t| rig.expect(t, Ends::With(Watchdog))));
}

#[test]
fn bad_images_are_refused() {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory());
    let mut opcode = rig.trial("the image's opcode is none");
    opcode.image[0] ^= 0x80;
    rig.expect(&opcode, Ends::With(BadDescriptor)).unwrap();
    let mut endless = rig.trial("the image has as many vectors as it can say");
    endless.image[2 * Field::Amount as usize..][..2].fill(0xFF);
    rig.expect(&endless, Ends::With(Watchdog)).unwrap();
    let mut padded = rig.trial("bursts of nothing behind the image");
    padded.job.image.2 += 2;
    rig.expect(&padded, Ends::Done).unwrap();
}

/// Without a selector in the accelerator its opcode is none.
#[test]
fn a_dense_accelerator_refuses_a_selector() {
    let dense = QuantNetwork { selectors: Vec::new(), ..network(&small(), &[1], 12) };
    let mut rig = Rig::new(&dense, memory());
    assert!(!rig.parameters.has_selector());
    let mut trial = rig.trial("a selector at the end");
    let at = trial.stream.nth(Opcode::End, 0);
    trial.stream.set(at, Field::Opcode, Opcode::Select as u16);
    rig.expect(&trial, Ends::With(BadDescriptor)).unwrap();
}

/// Inverts single bits of descriptors: any end will do, but an end there must be.
fn flips(seed: u64, count: usize, memory: MemoryConfig, choose: impl Fn(&Stream, &mut ChaCha8Rng) -> usize) {
    let network = network(&small(), &[1, 2], 11);
    let mut rig = Rig::new(&network, memory);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut ends = std::collections::BTreeMap::new();
    all_well((0..count).map(|_| {
        let mut trial = rig.trial("");
        let at = choose(&trial.stream, &mut random);
        let bit = random.random_range(0..8 * DESCRIPTOR);
        trial.what = format!("seed {seed}: bit {} of field {} of the descriptor at byte {at}", bit % 16, bit / 16);
        trial.stream.flip(at, bit);
        *ends.entry(format!("{:?}", rig.any(&trial)?)).or_insert(0) += 1;
        Ok(())
    }));
    println!("seed {seed}: {ends:?}");
}

#[test]
fn flipped_bits_of_descriptors_end() {
    flips(1, 100, memory(), |stream, random| stream.descriptors[random.random_range(0..stream.descriptors.len())]);
}

#[test]
fn flipped_bits_of_selectors_end() {
    flips(2, 60, memory(), |stream, random| stream.nth(Opcode::Select, random.random_range(0..2)));
}

#[test]
fn flipped_bits_end_in_a_memory_that_stalls() {
    let stalled = MemoryConfig { stalls: Some(9), ..memory() };
    flips(3, 40, stalled, |stream, random| stream.descriptors[random.random_range(0..stream.descriptors.len())]);
}
