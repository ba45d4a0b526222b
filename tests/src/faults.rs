//! Does the checking find every planted fault, and does it name the first tensor that differs?
//!
//! A fault is one small edit of one module of the elaborated design. It runs two small networks, of which every
//! image is compared in every tensor as `heatvit run` does it; the tables say what must come out. Faults of the token
//! selector run networks that prune, all others dense ones.

mod control;
mod datapath;
mod edit;
mod selector;

use crate::bench::Case;
use edit::Edit;
use heatvit_gen::cli::EXIT_MISMATCH;
use heatvit_gen::prove::Trial;
use heatvit_gen::verify::{Ending, Outcome};
use heatvit_hdl::{Parameters, accelerator};
use heatvit_model::quant::{Dims, Extreme, QuantNetwork, random, random_image, random_with_selectors};
use heatvit_rtl::Design;
use heatvit_sim::axi::MemoryConfig;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

/// What comes of a fault, with the first tensor that differs or whose values never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found<'t> {
    /// The run ends as it should.
    Tensor(&'t str),
    /// The design reports an error, or its run does not end.
    Error(Ending, &'t str),
    /// All tensors are equal, but the status register is not what it must be.
    Status,
}

impl<'t> Found<'t> {
    /// What a run with a difference shows.
    fn of(outcome: &'t Outcome) -> Self {
        let tensor = outcome.comparison.first.as_ref().map_or("", |f| f.tensor.as_str());
        match outcome.ending {
            Ending::Done => Self::Tensor(tensor),
            Ending::NotDone if tensor.is_empty() => Self::Status,
            ending => Self::Error(ending, tensor),
        }
    }

    /// Starts of lines that the report of the fault holds.
    fn lines(self) -> Vec<String> {
        let tensor = |name| vec![format!("  tensor    {name}\n"), "  token     ".to_owned(), "  expected  ".to_owned()];
        let also = |name, line: &str| [tensor(name), vec![line.to_owned(), "  got       ".to_owned()]].concat();
        match self {
            Self::Tensor(name) => also(name, "  cycle     "),
            Self::Error(_, name) => also(name, "  error     "),
            Self::Status => vec!["  error     an interrupt, but the status register".to_owned()],
        }
    }
}

/// A fault in one module.
struct Fault {
    module: &'static str,
    what: &'static str,
    plant: fn(&mut Edit<'_>),
    found: Found<'static>,
}

/// Several tiles in every direction of a 32x8 array, none of them full.
fn dims() -> Dims {
    Dims { tokens: 35, patch_inputs: 20, embed: 40, depth: 1, heads: 2, head_dim: 12, mlp_hidden: 72, classes: 11 }
}

fn parameters() -> Parameters {
    Parameters::for_dims(&dims(), 32, 8)
}

/// Networks and images in which every fault of the tables shows.
fn cases(parameters: &Parameters) -> [Case; 2] {
    let many = random(&dims(), 5, Extreme::None);
    let few = Dims { tokens: 3, ..dims() };
    let mut quiet = random(&few, 5, Extreme::None);
    // A residual of a few steps: the fraction of its mean shows.
    quiet.pos.iter_mut().for_each(|p| *p %= 8);
    quiet.embed.mult.iter_mut().for_each(|m| *m = (*m >> 8).max(1));
    // All scores negative: a lane that is wrongly taken for a score of zero shows.
    let block = &mut quiet.blocks[0];
    for (layer, bias) in [(&mut block.q, 20_000), (&mut block.k, -20_000)] {
        layer.weight.fill(0);
        layer.bias.fill(bias);
    }
    [many, quiet].map(|mut network| {
        // Powers of two as multipliers: then ties occur, and the rule for them shows.
        network.embed.mult.iter_mut().for_each(|m| *m = m.next_power_of_two().min(1 << 16));
        case(network, parameters, 0..2)
    })
}

fn case(network: QuantNetwork, parameters: &Parameters, images: Range<u64>) -> Case {
    let patches = images.map(|i| random_image(&network.dims, i)).collect();
    Case::new(network, parameters, patches).unwrap()
}

/// Local features of two heads share a word of a 16x4 array, and there are two such words.
fn pruned_dims() -> Dims {
    Dims { tokens: 21, patch_inputs: 16, embed: 48, depth: 2, heads: 4, head_dim: 12, mlp_hidden: 40, classes: 5 }
}

fn pruned_parameters() -> Parameters {
    Parameters::for_dims(&pruned_dims(), 16, 4).with_selectors(&pruned_dims())
}

/// Networks and images in which every fault of the selectors' table shows.
fn pruned_cases(parameters: &Parameters) -> [Case; 2] {
    let pruned = || random_with_selectors(&pruned_dims(), &[0, 1], 24, Extreme::None);
    // Head weights are all zero, so a score is the share of heads that rather keep the token: zeros and ties.
    let mut even = pruned();
    for selector in &mut even.selectors {
        selector.weight.weight.fill(0);
        selector.weight.bias.fill(-(1 << 24));
        selector.threshold = 256;
    }
    [case(pruned(), parameters, 0..4), case(even, parameters, 0..4)]
}

/// The sound design with one fault.
fn planted(sound: &Design, fault: &Fault) -> Design {
    let mut design = sound.clone();
    (fault.plant)(&mut Edit::new(&mut design, fault.module));
    heatvit_rtl::verify(&design).unwrap_or_else(|e| panic!("{}: {}: {e}", fault.module, fault.what));
    design
}

/// Runs a faulty design until it shows; a complaint unless it shows as the table says and the tool would end in
/// exit 1 with a report that names the place.
fn check(design: &Design, cases: &[Case], limit: u64, fault: &Fault) -> Result<(), String> {
    let memory = MemoryConfig::zcu102(300e6);
    for case in cases {
        let outcomes = case.run(design, &memory, Some(limit))?;
        let trial = Trial { outcomes, build: Duration::ZERO };
        let Some(index) = trial.differing() else { continue };
        let (found, text) = (Found::of(&trial.outcomes[index]), trial.report());
        let missing: Vec<String> = found.lines().into_iter().filter(|line| !text.contains(line.as_str())).collect();
        return match found == fault.found && missing.is_empty() && trial.exit() == EXIT_MISMATCH {
            true => Ok(()),
            false => Err(format!("found {found:?}, expected {:?}; {missing:?} is not in\n{text}", fault.found)),
        };
    }
    Err(format!("not found, expected {:?}", fault.found))
}

/// Plants the faults one at a time. A run counts as hung after twice the cycles of the longest sound one.
fn campaign(faults: &[Fault], parameters: &Parameters, cases: &[Case]) {
    let sound = accelerator(parameters);
    let cycles = cases.iter().flat_map(|case| case.equal(&sound, &MemoryConfig::zcu102(300e6)).unwrap());
    let limit = 2 * cycles.max().unwrap();
    let mut complaints = Vec::new();
    for fault in faults {
        if let Err(complaint) = check(&planted(&sound, fault), cases, limit, fault) {
            complaints.push(format!("{}: {}: {complaint}", fault.module, fault.what));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn faults_of_the_datapath_are_found() {
    campaign(datapath::FAULTS, &parameters(), &cases(&parameters()));
}

#[test]
fn faults_of_memories_and_control_are_found() {
    campaign(control::FAULTS, &parameters(), &cases(&parameters()));
}

#[test]
fn faults_of_the_selector_are_found() {
    campaign(selector::FAULTS, &pruned_parameters(), &pruned_cases(&pruned_parameters()));
}

/// The delay lines are one kind of unit, whatever their widths.
#[test]
fn every_module_has_a_fault() {
    let dense = datapath::FAULTS.iter().chain(control::FAULTS);
    spares_no_module(&accelerator(&parameters()), dense.clone());
    spares_no_module(&accelerator(&pruned_parameters()), dense.chain(selector::FAULTS));
}

fn spares_no_module(design: &Design, faults: impl Iterator<Item = &'static Fault>) {
    let faulty: BTreeSet<&str> = faults.map(|f| f.module).collect();
    let names = design.ids().map(|id| design.module(id).name.clone());
    let spared: Vec<String> =
        names.filter(|name| !faulty.contains(name.as_str()) && !name.starts_with("register_")).collect();
    assert!(spared.is_empty(), "no fault is planted in {spared:?}");
}
