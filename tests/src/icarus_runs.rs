//! Does a four-state simulator see an X in the whole accelerator where none may be?

use crate::tools::{icarus_run, write_files};
use crate::workload::Workload;
use heatvit_hdl::probe;
use heatvit_hdl::schedule::descriptor::Target;
use heatvit_model::golden;
use heatvit_model::quant::Dims;
use heatvit_rtl::{Design, Direction, Expr, Register, verilog};
use std::fmt::Write as _;
use std::path::Path;

const BENCH: &str = include_str!("../bench/bench.v");

/// Signals that are known in every cycle after the reset, below the top; every valid and ready of the ports
/// comes on top.
const CONTROL: [&str; 26] = [
    "irq",
    "bus_run_reset",
    "bus_valid",
    "core_pop",
    "core_program_done",
    "core_bad_descriptor",
    "host_side.supervisor.control.phase",
    "host_side.registers.channel.write_state",
    "host_side.registers.channel.read_state",
    "host_side.ports[0].element.control.region",
    "host_side.ports[1].element.control.region",
    "host_side.ports[2].element.control.region",
    "host_side.ports[3].element.control.region",
    "host_side.writer.control.state",
    "pipeline.held",
    "pipeline.loader.phase",
    "pipeline.loader.issued",
    "pipeline.loader.retired",
    "pipeline.loader.full",
    "pipeline.streamer.phase",
    "pipeline.streamer.pop",
    "pipeline.store_ready",
    "pipeline.queues_ready",
    "pipeline.retire",
    "pipeline.operand_valid",
    "pipeline.row_written",
];

/// The same in a design with a selector.
const SELECTOR_CONTROL: [&str; 7] = [
    "pipeline.selector.control.phase",
    "pipeline.selector_active",
    "pipeline.selector_count_write",
    "pipeline.selector_package_write",
    "pipeline.selector.divided",
    "pipeline.selector.log.stage",
    "pipeline.counts",
];

/// What a flag vouches for, below the top.
fn payloads(selectors: bool) -> Vec<(String, String)> {
    let written = |targets: &str| {
        format!("dut.{} && dut.{} {targets} 3'd{}", probe::RESULT_VALID, probe::RESULT_TARGET, Target::Scores as u64)
    };
    let mut all = vec![
        (format!("dut.{}", probe::OPERAND_VALID), format!("dut.{}", probe::OPERAND)),
        (format!("dut.{}", probe::RESULT_VALID), format!("dut.{}", probe::RESULT_TARGET)),
        (written("<"), format!("dut.{}", probe::RESULT_BYTES)),
        (written(">="), format!("dut.{}", probe::RESULT_WORDS)),
        (format!("dut.{}", probe::ROW_SUM_VALID), format!("dut.{}", probe::ROW_SUM)),
        (
            "dut.pipeline.streamer.valid".to_owned(),
            "{dut.pipeline.streamer.row, dut.pipeline.streamer.source_address, dut.pipeline.streamer.target_address}"
                .to_owned(),
        ),
        (
            "dut.pipeline.loader.load".to_owned(),
            "{dut.pipeline.loader.load_column, dut.pipeline.loader.load_address, dut.pipeline.loader.load_lanes}"
                .to_owned(),
        ),
    ];
    if selectors {
        let selector = |port: &str| format!("dut.pipeline.selector.{port}");
        all.extend([
            (format!("dut.{}", probe::DECIDED), format!("{{dut.{}, dut.{}}}", probe::SCORE, probe::KEPT)),
            (
                format!("dut.{}", probe::PACKAGE_VALID),
                format!("{{dut.{}, {}}}", probe::PACKAGE, selector("package_address")),
            ),
            (format!("dut.{}", probe::COUNT_VALID), format!("{{dut.{}, dut.{}}}", probe::COUNT_REGISTER, probe::COUNT)),
            (
                selector("control_drop_write"),
                format!("{{{}, {}}}", selector("control_drop_item"), selector("control_drop_weight")),
            ),
            (
                selector("control_offset_write"),
                format!("{{{}, {}}}", selector("control_offset_row"), selector("control_offset")),
            ),
            (selector("control_share_write"), selector("share_of_row")),
        ]);
    }
    for channel in ["b", "r"] {
        let names: &[&str] = if channel == "b" { &["bresp"] } else { &["rdata", "rresp"] };
        all.extend(names.iter().map(|n| (format!("s_axi_ctrl_{channel}valid"), format!("s_axi_ctrl_{n}"))));
    }
    for port in 0..4 {
        for name in ["araddr", "arlen", "arsize", "arburst", "arcache", "arprot"] {
            all.push((format!("m_axi_p{port}_arvalid"), format!("m_axi_p{port}_{name}")));
        }
    }
    for name in ["awaddr", "awlen", "awsize", "awburst", "awcache", "awprot"] {
        all.push(("m_axi_p0_awvalid".to_owned(), format!("m_axi_p0_{name}")));
    }
    all.extend(["wdata", "wstrb", "wlast"].map(|n| ("m_axi_p0_wvalid".to_owned(), format!("m_axi_p0_{n}"))));
    all
}

/// Checks of all control signals and payloads.
fn checks(w: &Workload) -> String {
    let top = w.design.module(w.design.top().unwrap());
    let handshakes = top.ports().filter(|(_, s)| s.port == Some(Direction::Output)).map(|(_, s)| s.name.clone());
    let handshakes = handshakes.filter(|name| name.ends_with("valid") || name.ends_with("ready"));
    let selectors = w.program.selectors > 0;
    let below = CONTROL.iter().chain(SELECTOR_CONTROL.iter().filter(|_| selectors));
    let control = handshakes.chain(below.map(|path| format!("dut.{path}")));
    let mut text = String::new();
    for path in control {
        let _ = writeln!(text, "        if (^{path} === 1'bx) unknown(\"{path}\");");
    }
    for (number, (flag, payload)) in payloads(selectors).into_iter().enumerate() {
        let _ = writeln!(text, "        if (({flag}) === 1'b1) begin");
        let _ = writeln!(text, "            checks = checks + 1;");
        let _ = writeln!(text, "            seen[{number}] = 1'b1;");
        let _ = writeln!(text, "            if (^{payload} === 1'bx) unknown(\"{payload}\");\n        end");
    }
    text
}

/// The bench for one image, with the memory beside it.
fn write_bench(w: &Workload, dir: &Path, patches: &[i8]) {
    let mut memory = w.memory();
    w.place_image(&mut memory, patches);
    let beats = memory.chunks_exact(16).map(|b| format!("{:032x}\n", u128::from_le_bytes(b.try_into().unwrap())));
    let hex = dir.join("memory.hex");
    std::fs::write(&hex, beats.collect::<String>()).unwrap();
    let (mut wires, mut pins, mut settings) = (String::new(), String::new(), String::new());
    for (_, port) in w.design.module(w.design.top().unwrap()).ports() {
        let _ = writeln!(wires, "    wire [{}:0] {};", port.ty.total_width() - 1, port.name);
        let _ = writeln!(pins, "        .{0}({0}),", port.name);
    }
    for (offset, value, _) in w.layout.registers() {
        let _ = writeln!(settings, "        write_register(12'h{offset:03x}, 32'h{value:x});");
    }
    let numbers = [
        ("@WORDS@", memory.len() / 16),
        ("@RESULT@", w.layout.result as usize / 16),
        ("@BEATS@", w.program.result_beats()),
        ("@PAYLOADS@", payloads(w.program.selectors > 0).len()),
    ];
    let texts = [
        ("@MEMORY@", hex.to_str().unwrap()),
        ("@WIRES@", &wires),
        ("@PINS@", &pins),
        ("@SETTINGS@", &settings),
        ("@CHECKS@", &checks(w)),
    ];
    let bench = texts.into_iter().fold(BENCH.to_owned(), |bench, (mark, text)| bench.replace(mark, text));
    let bench = numbers.into_iter().fold(bench, |bench, (mark, number)| bench.replace(mark, &number.to_string()));
    std::fs::write(dir.join("bench.v"), bench).unwrap();
}

/// Runs one image; what the bench says, and the result words as it prints them.
fn run(w: &Workload, patches: &[i8]) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    write_files(dir.path(), &verilog::print(&w.design)).unwrap();
    write_bench(w, dir.path(), patches);
    let output = icarus_run(dir.path(), "bench").unwrap_or_else(|e| panic!("{e}"));
    let (results, rest) = output.lines().partition::<Vec<&str>, _>(|l| l.starts_with("RESULT "));
    let owned = |lines: Vec<&str>| lines.into_iter().map(str::to_owned).collect();
    (owned(rest), owned(results))
}

/// Dimensions that fill no word: the rest of each word was never written.
fn workload() -> Workload {
    let dims =
        Dims { tokens: 5, patch_inputs: 16, embed: 36, depth: 1, heads: 2, head_dim: 16, mlp_hidden: 44, classes: 3 };
    Workload::random(&dims, (16, 4), 1)
}

#[test]
fn no_x_escapes() {
    no_x_escapes_from(&workload(), 1);
}

/// Two stages, of which the second merges the package of the first; padded words everywhere.
fn pruned_workload() -> Workload {
    let dims =
        Dims { tokens: 9, patch_inputs: 16, embed: 24, depth: 2, heads: 2, head_dim: 12, mlp_hidden: 44, classes: 3 };
    Workload::pruned(&dims, &[0, 1], (16, 4), 1)
}

#[test]
fn no_x_escapes_with_selectors() {
    let w = pruned_workload();
    let stages = |image| golden::run(&w.network, &w.image(image)).stages;
    let drops = |image: &u64| {
        let s = stages(*image);
        (9 > s[0].candidates_and_class) && s[0].candidates_and_class > s[1].candidates_and_class
    };
    let image = (0..50).find(drops).expect("an image of which both stages drop something");
    no_x_escapes_from(&w, image);
}

fn no_x_escapes_from(w: &Workload, image: u64) {
    let image = w.image(image);
    let (said, results) = run(w, &image);
    let expected: Vec<String> = w
        .expected(&image)
        .chunks_exact(16)
        .map(|b| format!("RESULT {:032x}", u128::from_le_bytes(b.try_into().unwrap())))
        .collect();
    assert_eq!(results, expected, "{said:#?}");
    assert_eq!(said.len(), 2, "{said:#?}");
    assert_eq!(said[0], "ERROR 0");
    assert!(said[1].starts_with("DONE irq 0, payloads never seen 0,"), "{}", said[1]);
}

/// The register of a module that is to be broken.
fn register<'d>(design: &'d mut Design, module: &str, name: &str) -> &'d mut Register {
    let module = design.find(module).unwrap();
    let module = design.module_mut(module);
    let signal = module.find(name).unwrap();
    module.registers.iter_mut().find(|r| r.signal == signal).unwrap()
}

/// The bench is no rubber stamp: it sees control without a reset, and a payload out of memory that nobody wrote.
#[test]
fn the_bench_sees_planted_x() {
    let mut w = workload();
    register(&mut w.design, "core", "draining").reset = None;
    let (said, _) = run(&w, &w.image(1));
    assert!(said.iter().any(|l| l.starts_with("X cycle") && l.ends_with("dut.pipeline.held")), "{said:#?}");

    let mut w = workload();
    register(&mut w.design, "logit_memory", "known").next = Expr::lit(1, 1);
    let (said, results) = run(&w, &w.image(1));
    assert!(said[0].starts_with("X cycle") && said[0].ends_with(" m_axi_p0_wdata"), "{said:#?}");
    assert!(results[0].contains("xxxx"), "{results:#?}");
}
