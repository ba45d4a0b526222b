//! All bus-side units together: what lies between the AXI ports of the accelerator and its pipeline.
//!
//! The pipeline sees the heads of four FIFOs and pops them together, is cleared by `run_reset`, says
//! `program_done` or `bad_descriptor`, and answers reads of the logits. The AXI ports carry the names
//! that the accelerator gives to the outside: `s_axi_ctrl_*`, `m_axi_p<n>_*`, `irq`.

use super::{READ_PORTS, read_port, registers, result_writer, supervisor};
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Direction, Expr, Module, ModuleBuilder, ModuleId, Ty};
use std::collections::BTreeMap;

/// Ports of [`registers`] that belong to the AXI4-Lite slave.
pub const SLAVE_CHANNELS: [&str; 17] = [
    "awaddr", "awvalid", "awready", "wdata", "wstrb", "wvalid", "wready", "bresp", "bvalid", "bready", "araddr",
    "arvalid", "arready", "rdata", "rresp", "rvalid", "rready",
];
/// Ports of [`read_port`] that belong to the AXI4 read channel.
pub const READ_CHANNEL: [&str; 13] = [
    "araddr", "arlen", "arsize", "arburst", "arcache", "arprot", "arvalid", "arready", "rdata", "rresp", "rlast",
    "rvalid", "rready",
];
/// Ports of [`result_writer`] that belong to the AXI4 write channel.
pub const WRITE_CHANNEL: [&str; 16] = [
    "awaddr", "awlen", "awsize", "awburst", "awcache", "awprot", "awvalid", "awready", "wdata", "wstrb", "wlast",
    "wvalid", "wready", "bresp", "bvalid", "bready",
];

/// Wires between the units: name and bits.
const WIRES: [(&str, u32); 18] = [
    ("start", 1),
    ("abort", 1),
    ("irq_clear", 1),
    ("busy", 1),
    ("done", 1),
    ("begin_run", 1),
    ("flush", 1),
    ("write_start", 1),
    ("writer_done", 1),
    ("writer_idle", 1),
    ("write_error", 1),
    ("ports_idle", 1),
    ("read_error", 1),
    ("error", 4),
    ("image_bursts", 16),
    ("program_bursts", 16),
    ("result_beats", 16),
    ("result_addr", 32),
];

/// Ports of the units that are tied to the wire (or port of the interface) of the same name.
const REGISTERS_TIES: [&str; 14] = [
    "start",
    "abort",
    "irq_clear",
    "busy",
    "done",
    "error",
    "cycles",
    "watchdog",
    "image_addr",
    "image_bursts",
    "program_addr",
    "program_bursts",
    "result_addr",
    "result_beats",
];
const SUPERVISOR_TIES: [&str; 20] = [
    "start",
    "abort",
    "irq_clear",
    "watchdog",
    "program_done",
    "writer_done",
    "writer_idle",
    "ports_idle",
    "read_error",
    "write_error",
    "bad_descriptor",
    "run_reset",
    "begin_run",
    "write_start",
    "flush",
    "busy",
    "done",
    "error",
    "irq",
    "cycles",
];
/// Ports of the result writer and what they are tied to.
const WRITER_TIES: [(&str, &str); 10] = [
    ("latch", "begin_run"),
    ("start", "write_start"),
    ("abort", "flush"),
    ("address", "result_addr"),
    ("beats", "result_beats"),
    ("read_data", "result_data"),
    ("read_address", "result_address"),
    ("done", "writer_done"),
    ("idle", "writer_idle"),
    ("error", "write_error"),
];

/// The interface's signals by name.
type Signals = BTreeMap<&'static str, Expr>;

/// Declares a port of the interface like the unit's port `name`, with a prefix.
fn bus_port(m: &mut ModuleBuilder, unit: &Module, prefix: &str, name: &str) -> Expr {
    let port = unit.find(name).map(|id| unit.signal(id)).expect("the channel tables name ports of the units");
    let full = format!("{prefix}{name}");
    match port.port {
        Some(Direction::Output) => m.output(&full, port.ty.clone(), &port.doc),
        Some(Direction::Input) | None => m.input(&full, port.ty.clone(), &port.doc),
    }
}

fn is_output(unit: &Module, port: &str) -> bool {
    unit.find(port).is_some_and(|id| unit.signal(id).port == Some(Direction::Output))
}

/// Instantiates a unit: `channels` lead to the outside under `prefix`, `ties` to the interface's signals.
fn place<'t>(
    m: &mut ModuleBuilder,
    name: &str,
    (id, unit): (ModuleId, &Module),
    (prefix, channels): (&str, &[&str]),
    (signals, ties): (&Signals, impl Iterator<Item = (&'t str, &'t str)>),
) {
    let outside = channels.iter().map(|port| (*port, bus_port(m, unit, prefix, port)));
    let mut all: Vec<(&str, Expr)> = outside.collect();
    all.extend(ties.map(|(port, signal)| (port, signals[signal].clone())));
    let mut instance = m.instance(name, id, unit);
    for (port, signal) in &all {
        instance = if is_output(unit, port) { instance.output_to(port, signal) } else { instance.input(port, signal) };
    }
    instance.done();
}

/// Wires, and the ports towards the pipeline.
fn signals(m: &mut ModuleBuilder, parameters: &Parameters) -> Signals {
    let mut all = Signals::new();
    for (name, width) in WIRES {
        all.insert(name, m.declare(name, Ty::bits(width)));
    }
    for name in ["watchdog", "cycles"] {
        all.insert(name, m.declare(name, Ty::bits(32)));
    }
    for name in ["image_addr", "program_addr"] {
        all.insert(name, m.declare(name, Ty::bits(32).lanes(READ_PORTS)));
    }
    let bit = Ty::bit;
    let words = Ty::bits(16 * parameters.columns);
    for (name, ty, doc) in [
        ("program_done", bit(), "all operations are retired, the logits can be read"),
        ("bad_descriptor", bit(), "the loader refuses a descriptor"),
        ("result_data", words, "C logits, two cycles after `result_address`"),
        ("pop", bit(), "drop the heads of all FIFOs; only while all are valid"),
    ] {
        all.insert(name, m.input(name, ty, doc));
    }
    if parameters.has_selector() {
        all.insert("stage_counts", m.input("stage_counts", Ty::bits(128), "token counts, the beat behind the logits"));
    }
    for (name, ty, doc) in [
        ("irq", bit(), "a run has ended; level until cleared in the IRQ register"),
        ("run_reset", bit(), "the pipeline is to be cleared: between runs"),
        ("result_address", Ty::bits(16), "group of C logits to read"),
        ("heads", Ty::bits(128).lanes(READ_PORTS), "heads of the ports' FIFOs"),
        ("valid", Ty::bits(READ_PORTS), "head of each port's FIFO is valid"),
    ] {
        all.insert(name, m.output(name, ty, doc));
    }
    all
}

/// The interface: registers, supervisor, four read ports, result writer.
pub fn bus_interface(design: &mut Design, parameters: &Parameters) -> ModuleId {
    if let Some(id) = design.find("bus_interface") {
        return id;
    }
    let ids = [registers(design), supervisor(design), read_port(design), result_writer(design, parameters)];
    let [registers, supervisor, port, writer] = ids.map(|id| (id, child(design, id)));
    let mut m = ModuleBuilder::new(
        "bus_interface",
        "Everything between the AXI ports and the pipeline: registers, supervisor, read ports, result writer.",
    );
    let signals = signals(&mut m, parameters);
    let same = |name: &&'static str| (*name, *name);
    let ties = REGISTERS_TIES.iter().map(same).chain([("pending", "irq")]);
    place(&mut m, "registers", (registers.0, &registers.1), ("s_axi_ctrl_", &SLAVE_CHANNELS), (&signals, ties));
    let ties = SUPERVISOR_TIES.iter().map(same);
    place(&mut m, "supervisor", (supervisor.0, &supervisor.1), ("", &[]), (&signals, ties));
    read_ports(&mut m, port.0, &port.1, &signals);
    let counts = parameters.has_selector().then_some(("stage_counts", "stage_counts"));
    let ties = WRITER_TIES.into_iter().chain(counts);
    place(&mut m, "writer", (writer.0, &writer.1), ("m_axi_p0_", &WRITE_CHANNEL), (&signals, ties));
    design.add(m.finish())
}

/// The outside ports of one signal of the read channels, side by side in a wire with a lane for each port.
fn channel_lanes(m: &mut ModuleBuilder, port: &Module, name: &str) -> Expr {
    let outside: Vec<Expr> = (0..READ_PORTS).map(|p| bus_port(m, port, &format!("m_axi_p{p}_"), name)).collect();
    let ty = m.ty(&outside[0]).lanes(READ_PORTS);
    let lanes = m.declare(&format!("port_{name}"), ty);
    for (p, signal) in (0..).zip(&outside) {
        if is_output(port, name) {
            let lane = m.element(&lanes, p);
            m.assign(signal, &lane);
        } else {
            m.assign_part(&lanes, p, signal);
        }
    }
    lanes
}

/// The four read ports as one instance array.
fn read_ports(m: &mut ModuleBuilder, id: ModuleId, port: &Module, signals: &Signals) {
    let channels = READ_CHANNEL.map(|name| (name, channel_lanes(m, port, name)));
    let [valid, idle, error] =
        ["port_valid", "port_idle", "port_error"].map(|name| m.declare(name, Ty::bit().lanes(READ_PORTS)));
    let mut array = m
        .array("ports", id, port, READ_PORTS)
        .input("start", &signals["begin_run"])
        .input("abort", &signals["flush"])
        .input("clear", &signals["run_reset"])
        .lanes("image_addr", &signals["image_addr"])
        .input("image_bursts", &signals["image_bursts"])
        .lanes("program_addr", &signals["program_addr"])
        .input("program_bursts", &signals["program_bursts"])
        .input("pop", &signals["pop"])
        .lanes("head", &signals["heads"])
        .lanes("valid", &valid)
        .lanes("idle", &idle)
        .lanes("error", &error);
    for (name, lanes) in &channels {
        array = array.lanes(name, lanes);
    }
    array.done();
    m.assign(&signals["valid"], &valid);
    m.assign(&signals["ports_idle"], &idle.all());
    m.assign(&signals["read_error"], &error.any());
}
