//! Does `heatvit bench sim` measure both sides, and would it notice a difference?

use crate::bad_input::heatvit;
use crate::route::path;
use heatvit_gen::bench::{Subject, replay, subject};
use heatvit_rtl::{Design, Expr, verify};
use heatvit_sim::{Ports, Reference, Simulator};
use serde_json::Value;

/// Every output of control alone is that of Verilator's model for 2,000 cycles, and the figures have their names.
#[test]
fn both_sides_run_and_agree() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("speed.json");
    let options = ["--design", "control", "--cycles", "2000", "--pairs", "1", "--json", path(&json)];
    let (exit, table, err) = heatvit(&[&["bench", "sim"], &options[..]].concat());
    assert_eq!((exit, err.as_str()), (0, ""), "{table}");
    assert!(table.lines().any(|l| l.starts_with("control ") && l.ends_with("x  equal")), "{table}");
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    let [one] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&one["design"], &one["cycles"]), (&"control".into(), &2000.into()));
    assert_eq!(one["outputs_equal"], true);
    if cfg!(target_os = "linux") {
        assert!(one["peak_memory_bytes"].as_u64().unwrap() > 1 << 20, "a process takes more than that");
    }
    let speeds = ["ours", "verilator"].map(|side| {
        assert!(one[side]["build_seconds"].as_f64().unwrap() > 0.0);
        one[side]["cycles_per_second"].as_f64().unwrap()
    });
    assert!((one["ratio"].as_f64().unwrap() / (speeds[0] / speeds[1]) - 1.0).abs() < 1e-6, "one pair has one ratio");
}

#[test]
fn a_missing_verilator_is_refused_with_the_remedy() {
    let (exit, out, err) = heatvit(&["bench", "sim", "--design", "control", "--verilator", "/no/such/verilator"]);
    assert_eq!((exit, out.as_str()), (2, ""));
    let expected = "error: /no/such/verilator: cannot be run: No such file or directory (os error 2); run \
                    scripts/install-tools in the repository, or name the program with --verilator PROGRAM\n";
    assert_eq!(err, expected);
    let (exit, _, err) = heatvit(&["bench", "sim", "--design", "nothing"]);
    assert_eq!(exit, 2);
    assert!(err.contains("[possible values: array-64, array-32, accelerator-64, digits, control]"), "{err}");
}

/// Lets a design replay a subject's stimuli.
fn hashes(subject: &Subject, design: &Design, cycles: u64) -> Vec<u64> {
    let mut simulator = Simulator::new(design).unwrap();
    replay(&mut simulator, &subject.ports, &subject.stimuli, cycles).hashes
}

#[test]
fn one_wrong_bit_changes_the_hash_from_its_cycle_on() {
    let subject = subject("control").unwrap();
    verify(&subject.design).unwrap();
    let cycles = subject.stimuli.len() as u64;
    let right = hashes(&subject, &subject.design, cycles);
    let mut faulty = subject.design.clone();
    let id = faulty.find("sequencer").unwrap();
    let module = faulty.module_mut(id);
    let port = module.find("strobes").unwrap();
    let assign = module.assigns.iter_mut().find(|a| a.target == port).unwrap();
    // The push of an operation, the fifth flag, gets lost.
    let (above, below) = (assign.value.width() - 5, 4);
    assign.value = Expr::concat(&[assign.value.slice(5, above), Expr::lit(0, 1), assign.value.slice(0, below)]);
    let wrong = hashes(&subject, &faulty, cycles);
    let first = right.iter().zip(&wrong).position(|(a, b)| a != b).unwrap();
    assert!(first > 50, "the first descriptor has to come first: {first}");
    assert!(right[first..].iter().zip(&wrong[first..]).all(|(a, b)| a != b));
}

/// The interpreter replays the same as the simulator.
#[test]
fn replays_do_not_depend_on_the_engine() {
    let subject = subject("control").unwrap();
    let mut reference = Reference::new(&subject.design).unwrap();
    let expected = replay(&mut reference, &subject.ports, &subject.stimuli, 300);
    assert_eq!(expected.hashes, hashes(&subject, &subject.design, 300));
}

/// The smaller of the arrays is busy nearly always, and its loader as often as the bandwidth of the stream allows.
#[test]
fn the_stimuli_keep_the_array_busy() {
    let Subject { design, ports, stimuli, .. } = subject("array-32").unwrap();
    verify(&design).unwrap();
    let port = |ports: &Ports, name: &str| ports.inputs.iter().find(|p| p.name == name).unwrap().offset;
    let share = |name: &str| {
        let at = port(&ports, name);
        let cycles = stimuli.len();
        stimuli.frames().take(cycles).filter(|frame| frame[at] == 1).count() as f64 / cycles as f64
    };
    // A tile of 197 rows and 32 columns.
    let (valid, load, swap) = (share("valid"), share("load"), share("swap"));
    assert!(valid > 0.99, "{valid}");
    assert!((load * 197.0 / 32.0 - 1.0).abs() < 0.05, "{load}");
    assert!((swap * 197.0 - 1.0).abs() < 0.05, "{swap}");
}
