use super::*;
use crate::compare::{Orientation, Stream};
use heatvit_model::golden::run;
use heatvit_model::quant::{Dims, Extreme, random, random_image};

const DIMS: Dims =
    Dims { tokens: 5, patch_inputs: 16, embed: 32, depth: 1, heads: 2, head_dim: 16, mlp_hidden: 48, classes: 3 };

/// Every tensor row by row in one stream: the simplest plan that shows everything.
fn plan(golden: &Trace) -> Vec<Stretch> {
    let stretch = |t: &heatvit_model::golden::Tensor| Stretch {
        tensor: Some(t.name.clone()),
        stream: Stream::Result,
        events: t.rows,
        row: 0,
        column: 0,
        lanes: t.cols,
        orientation: Orientation::AlongRow,
    };
    golden.tensors.iter().map(stretch).collect()
}

/// A device that computes with the golden model and spoils one value of chosen images.
struct Fake {
    network: QuantNetwork,
    spoil: Option<Vec<i8>>,
}

impl Device for Fake {
    fn run(&mut self, patches: &[i8], _: &CycleBar) -> Result<Run, GenError> {
        let golden = run(&self.network, patches);
        let rows = golden.tensors.iter().flat_map(|t| t.data.chunks(t.cols));
        let mut events: Vec<Event> =
            rows.zip(100..).map(|(row, cycle)| Event { cycle, stream: Stream::Result, lanes: row.to_vec() }).collect();
        if self.spoil.as_deref() == Some(patches) {
            events[7].lanes[3] += 1;
        }
        Ok(Run { cycles: 1000, logits: golden.logits().to_vec(), events, macs: 5000, ..Run::default() })
    }

    fn trace(&mut self, _: &[i8], _: Range<u64>, _: &Path, _: &CycleBar) -> Result<(), GenError> {
        Ok(())
    }
}

fn outcomes(spoiled: Option<usize>) -> Vec<Outcome> {
    let network = random(&DIMS, 3, Extreme::None);
    let patches: Vec<Vec<i8>> = (0..9).map(|i| random_image(&DIMS, i)).collect();
    let spoil = spoiled.map(|i| patches[i].clone());
    let bar = CycleBar::new("test", patches.len(), 1000);
    images(&network, plan, &patches, &bar, || Ok(Fake { network: network.clone(), spoil: spoil.clone() })).unwrap()
}

#[test]
fn equal_devices_give_equal_outcomes() {
    let outcomes = outcomes(None);
    assert!(outcomes.iter().all(Outcome::equal));
    let labels = outcomes.iter().map(|o| About { label: Some(o.golden_class), subject: None }).collect::<Vec<_>>();
    let summary = summarize(&outcomes, &labels, Dense { macs: 6000, cycles: 1000, tokens: 5 }, Duration::from_secs(1));
    assert_eq!((summary.images, summary.mismatches, summary.tensors_compared), (9, Some(0), Some(9 * 18)));
    assert_eq!((summary.accuracy.int8, summary.accuracy.rtl, summary.accuracy.float), (Some(1.0), Some(1.0), None));
    assert_eq!(summary.macs, Some(Macs { dense: 6000, executed_mean: 5000.0, selectors_mean: None, saved: None }));
}

#[test]
fn a_spoiled_value_is_reported_in_the_networks_terms() {
    let outcomes = outcomes(Some(6));
    assert_eq!(outcomes.iter().position(|o| !o.equal()), Some(6));
    assert_eq!(outcomes.iter().filter(|o| !o.equal()).count(), 1);
    let network = random(&DIMS, 3, Extreme::None);
    let golden = run(&network, &random_image(&DIMS, 6));
    let expected = golden.get("blocks.0.norm1").unwrap().data[2 * 32 + 3];
    assert_eq!(
        report(6, &outcomes[6]),
        format!(
            "image 6 differs from the golden model\n  layer     blocks.0\n  tensor    blocks.0.norm1\n  token     2\n  \
             channel   3\n  cycle     107 (stream: result)\n  expected  {expected}\n  got       {}\n  \
             in all    1 of {} elements in 1 of 18 tensors\n",
            expected + 1,
            golden.tensors.iter().map(|t| t.data.len()).sum::<usize>()
        )
    );
    assert_eq!(window(&outcomes[6]), 0..207);
}

#[test]
fn an_ending_other_than_done_makes_an_outcome_unequal() {
    let sound = outcomes(None).swap_remove(0);
    for (ending, line) in [
        (Ending::Error(3), "3 (the program holds a bad descriptor)"),
        (Ending::Error(9), "9 (unknown code)"),
        (Ending::NotDone, "an interrupt, but the status register does not say that the run is done"),
        (Ending::NoInterrupt, "no interrupt: the design hangs"),
        (Ending::NoAnswer, "the register port does not answer"),
    ] {
        let outcome = Outcome { ending, ..sound.clone() };
        assert!(!outcome.equal());
        assert!(report(0, &outcome).contains(&format!("\n  error     {line}\n")), "{ending:?}");
    }
    assert!(!report(0, &sound).contains("error"));
}
