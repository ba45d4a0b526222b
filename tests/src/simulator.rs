//! Does the fast simulator equal the reference interpreter on the accelerator's datapath?

use heatvit_hdl::Parameters;
use heatvit_rtl::{Design, Direction};
use heatvit_sim::{Engine, PortId, Reference, Simulator};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn parameters() -> Parameters {
    Parameters {
        rows: 16,
        columns: 4,
        max_tokens: 16,
        a_words: 16,
        k_words: 16,
        v_words: 16,
        s_words: 16,
        x_words: 16,
        out_words: 2,
        selector_heads: 0,
    }
}

/// The same with selector hardware.
fn selecting() -> Parameters {
    Parameters { selector_heads: 3, ..parameters() }
}

fn compare(cycles: usize, build: impl FnOnce(&mut Design)) {
    let mut design = Design::new();
    build(&mut design);
    let mut reference = Reference::new(&design).unwrap();
    let mut fast = Simulator::new(&design).unwrap();
    let top = design.module(design.top().unwrap());
    let inputs: Vec<PortId> = top
        .ports()
        .filter(|(_, s)| s.port == Some(Direction::Input))
        .map(|(_, s)| reference.input(&s.name).unwrap())
        .collect();
    let outputs: Vec<&str> =
        top.ports().filter(|(_, s)| s.port == Some(Direction::Output)).map(|(_, s)| s.name.as_str()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for cycle in 0..cycles {
        for port in &inputs {
            let limbs: [u64; 16] = rng.random();
            reference.set(*port, &limbs);
            fast.set(*port, &limbs);
        }
        for name in &outputs {
            let port = fast.output(name).unwrap();
            let (mut expected, mut got) = ([0; 16], [0; 16]);
            reference.get(port, &mut expected);
            fast.get(port, &mut got);
            assert_eq!(expected, got, "cycle {cycle} output {name}");
        }
        reference.step();
        fast.step();
        let got = fast.state();
        for (path, value) in reference.interpreter().state() {
            assert_eq!(Some(&value), got.get(&path), "cycle {cycle} {path}");
        }
    }
}

#[test]
fn systolic_array() {
    compare(60, |d| {
        heatvit_hdl::array::systolic_array(d, &parameters());
    });
}

#[test]
fn array_between_loaders_and_accumulators() {
    compare(60, |d| {
        heatvit_hdl::array_part(d, &parameters());
    });
}

#[test]
fn accumulator() {
    compare(200, |d| {
        heatvit_hdl::array::accumulator(d, &parameters());
    });
}

#[test]
fn post_path() {
    compare(100, |d| {
        heatvit_hdl::post::post_path(d, &parameters());
    });
}

#[test]
fn operand_path() {
    compare(60, |d| {
        heatvit_hdl::operand::operand_path(d, &parameters());
    });
}

#[test]
fn row_scale() {
    compare(200, |d| {
        heatvit_hdl::operand::row_scale(d, &parameters());
    });
}

#[test]
fn value_memory() {
    compare(200, |d| {
        heatvit_hdl::memory::value_memory(d, &parameters());
    });
}

#[test]
fn operand_memory() {
    compare(200, |d| {
        heatvit_hdl::memory::operand_memory(d, &parameters(), "scores", 16, 13, "");
    });
}

#[test]
fn fifo() {
    compare(300, |d| {
        heatvit_hdl::stream::fifo(d);
    });
}

#[test]
fn unpacker_and_parameters() {
    compare(200, |d| {
        heatvit_hdl::stream::parameter_store(d, &parameters());
    });
}

#[test]
fn pruning_operand_path() {
    compare(60, |d| {
        heatvit_hdl::operand::operand_path(d, &selecting());
    });
}

#[test]
fn pruning_row_scale() {
    compare(200, |d| {
        heatvit_hdl::operand::row_scale(d, &selecting());
    });
}

#[test]
fn divider() {
    compare(300, |d| {
        heatvit_hdl::selector::divider(d);
    });
}

#[test]
fn scoring() {
    compare(300, |d| {
        heatvit_hdl::selector::scoring(d, 3);
    });
}

#[test]
fn selector_tables() {
    compare(300, |d| {
        heatvit_hdl::selector::offset_table(d, &selecting());
    });
    compare(300, |d| {
        heatvit_hdl::selector::drop_table(d, &selecting());
    });
    compare(300, |d| {
        heatvit_hdl::selector::count_log(d);
    });
}

#[test]
fn selector() {
    compare(2_000, |d| {
        heatvit_hdl::selector::selector(d, &selecting());
    });
}

/// Each module of the accelerator with a selector as a top of its own, the whole accelerator last.
#[test]
fn every_module_of_the_accelerator() {
    let whole = heatvit_hdl::accelerator(&selecting());
    let mut part = Design::new();
    for (seed, id) in (0..).zip(whole.ids()) {
        part.add(whole.module(id).clone());
        let name = &whole.module(id).name;
        heatvit_sim::lockstep(&part, 60, seed).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}
