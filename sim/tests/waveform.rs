//! A waveform read back by another crate shows the values that the simulator had.

use heatvit_rtl::random::{Choices, Style, design};
use heatvit_rtl::{Bits, Design, Direction, Expr, ModuleBuilder, Ty};
use heatvit_sim::{Engine as _, SimError, Simulator, Wave};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::io::{Cursor, Seek, SeekFrom, Write};
use wellen::{Hierarchy, LoadOptions, ScopeRef, VarRef, viewers};

fn counters() -> Design {
    let mut design = Design::new();
    let mut m = ModuleBuilder::new("counter", "");
    let step = m.input("step", Ty::bits(8), "");
    let count = m.output_reg("count", Ty::bits(8), "");
    let next = m.wire("next", &(&count + &step).trunc(8));
    m.drive(&count, &next, None, None);
    let child = m.finish();
    let id = design.add(child.clone());
    let mut m = ModuleBuilder::new("counters", "");
    let steps = m.declare("steps", Ty::bits(8).lanes(3));
    m.assign(&steps, &Expr::concat_low_first(&[Expr::lit(1, 8), Expr::lit(2, 8), Expr::lit(3, 8)]));
    let counts = m.output("counts", Ty::bits(8).lanes(3), "");
    m.array("lanes", id, &child, 3).lanes("step", &steps).lanes("count", &counts).done();
    design.add(m.finish());
    design
}

#[test]
fn waveform_reads_back() {
    let mut simulator = Simulator::new(&counters()).unwrap();
    for _ in 0..5 {
        simulator.try_step().unwrap();
    }
    let mut wave = Wave::new(&mut simulator, Cursor::new(Vec::new()), 5, |p| p != "steps").unwrap();
    for cycle in 5..9 {
        wave.sample(&mut simulator, cycle).unwrap();
        simulator.try_step().unwrap();
    }
    let file = wave.finish().unwrap().into_inner();
    let header = viewers::read_header(Cursor::new(file), &LoadOptions::default()).unwrap();
    let hierarchy = header.hierarchy;
    let body = viewers::read_body(header.body, &hierarchy, None).unwrap();
    // The file begins at time 0 with unknown values.
    assert_eq!(body.time_table, [0, 5, 6, 7, 8]);
    let mut source = body.source;
    for lane in 0..3u64 {
        for (name, ahead) in [("count", 0), ("next", 1)] {
            let scope = format!("lanes[{lane}]");
            let variable = hierarchy.lookup_var(&["top", &scope], name).unwrap();
            let signal = hierarchy[variable].signal_ref();
            let loaded = source.load_signals(&[signal], &hierarchy, false);
            let changes: Vec<(u32, String)> = loaded[0]
                .iter_changes()
                .map(|(t, v)| (t, v.to_bit_string().unwrap()))
                .filter(|(t, _)| *t > 0)
                .collect();
            let expected: Vec<(u32, String)> =
                (0..4u32).map(|t| (t + 1, format!("{:08b}", (u64::from(t) + 5 + ahead) * (lane + 1)))).collect();
            assert_eq!(changes, expected, "{scope}.{name}");
        }
    }
}

/// Variables of a scope and below by path, without the top's name.
fn variables(hierarchy: &Hierarchy, scope: ScopeRef, prefix: &str, into: &mut BTreeMap<String, VarRef>) {
    for variable in hierarchy[scope].vars(hierarchy) {
        into.insert(format!("{prefix}{}", hierarchy[variable].name(hierarchy)), variable);
    }
    for child in hierarchy[scope].scopes(hierarchy) {
        variables(hierarchy, child, &format!("{prefix}{}.", hierarchy[child].name(hierarchy)), into);
    }
}

/// All signals and words of memories with their present values.
fn values(simulator: &mut Simulator) -> Result<BTreeMap<String, Bits>, SimError> {
    let signals = simulator.paths().into_iter().map(|path| Ok((path.clone(), simulator.peek(&path)?)));
    let mut all = signals.collect::<Result<BTreeMap<String, Bits>, SimError>>()?;
    for path in simulator.memory_paths() {
        let memory = simulator.memory(path)?;
        let words =
            (0..simulator.memory_shape(memory).0).map(|i| (format!("{path}.word_{i}"), simulator.word(memory, i)));
        all.extend(words);
    }
    Ok(all)
}

fn binary(bits: &Bits) -> String {
    (0..bits.width()).rev().map(|i| if bits.bit(i) { '1' } else { '0' }).collect()
}

/// Cycles that are written down, after as many that are not.
const CYCLES: u64 = 12;

/// Random designs with hierarchy, instance arrays, memories and wide words: the reader finds exactly the design's signals
/// and words, and in every cycle the value that the simulator has.
#[test]
fn all_signals_and_memories_of_random_designs_are_in_the_file_in_every_cycle() {
    let (mut arrays, mut words) = (0, 0);
    for seed in 0..20 {
        let design = design(&mut Choices::from_seed(seed), Style::default());
        let mut simulator = Simulator::new(&design).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let top = design.module(design.top().unwrap());
        let inputs = top.ports().filter(|(_, s)| s.port == Some(Direction::Input));
        let inputs: Vec<_> = inputs.map(|(_, s)| simulator.input(&s.name).unwrap()).collect();
        let mut drive = |simulator: &mut Simulator| {
            inputs.iter().for_each(|port| simulator.set(*port, &random.random::<[u64; 3]>()));
        };
        for _ in 0..CYCLES {
            drive(&mut simulator);
            simulator.try_step().unwrap();
        }
        let mut wave = Wave::new(&mut simulator, Cursor::new(Vec::new()), CYCLES, |_| true).unwrap();
        // A file of many blocks reads as one of a single block.
        if seed % 2 == 1 {
            wave = wave.holding(20 * seed as usize);
        }
        let mut expected = Vec::new();
        for cycle in CYCLES..2 * CYCLES {
            drive(&mut simulator);
            wave.sample(&mut simulator, cycle).unwrap();
            expected.push(values(&mut simulator).unwrap());
            simulator.try_step().unwrap();
        }
        let file = wave.finish().unwrap().into_inner();
        let header = viewers::read_header(Cursor::new(file), &LoadOptions::default()).unwrap();
        let hierarchy = header.hierarchy;
        let mut body = viewers::read_body(header.body, &hierarchy, None).unwrap();
        let mut found = BTreeMap::new();
        let tops: Vec<ScopeRef> = hierarchy.scopes().collect();
        assert_eq!((tops.len(), hierarchy[tops[0]].name(&hierarchy)), (1, "top"));
        variables(&hierarchy, tops[0], "", &mut found);
        assert!(found.keys().eq(expected[0].keys()), "seed {seed}: {:?}", found.keys());
        arrays += found.keys().filter(|path| path.contains("].")).count();
        words += found.keys().filter(|path| path.contains(".word_")).count();
        for (path, variable) in &found {
            let reference = hierarchy[*variable].signal_ref();
            assert_eq!(hierarchy[*variable].length(&hierarchy), Some(expected[0][path].width()), "seed {seed}: {path}");
            let loaded = body.source.load_signals(&[reference], &hierarchy, false);
            for (cycle, expected) in (CYCLES..).zip(&expected) {
                let at = body.time_table.iter().position(|t| *t == cycle).unwrap() as u32;
                let offset = loaded[0].get_offset(at).unwrap();
                let value = loaded[0].get_value_at(&offset, 0).to_bit_string().unwrap();
                assert_eq!(value, binary(&expected[path]), "seed {seed}, cycle {cycle}: {path}");
            }
        }
    }
    assert!(arrays > 20 && words > 100, "{arrays} signals in arrays and {words} words of memories");
}

/// A disk that is full after so many bytes.
struct Full(Cursor<Vec<u8>>, usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.1 = self.1.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Full {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_becomes_full() {
    let mut failed = 0;
    for room in [0, 40, 400, 440, 600] {
        let mut simulator = Simulator::new(&counters()).unwrap();
        let written = Wave::new(&mut simulator, Full(Cursor::default(), room), 0, |_| true).and_then(|mut wave| {
            (0..4).try_for_each(|cycle| wave.sample(&mut simulator, cycle))?;
            wave.finish()
        });
        match written {
            Ok(_) => {}
            Err(SimError::Wave(_)) => failed += 1,
            Err(other) => panic!("{room} bytes: {other}"),
        }
    }
    assert!(failed >= 2, "{failed}");
}
