//! All bus-side units together: what lies between the AXI ports of the accelerator and its pipeline.
//!
//! The pipeline sees the heads of four FIFOs and pops them together, is cleared by `run_reset`, says
//! `program_done` or `bad_descriptor`, and answers reads of the logits. The AXI ports carry the names
//! that the accelerator gives to the outside: `s_axi_ctrl_*`, `m_axi_p<n>_*`, `interrupt`.

use super::{READ_PORTS, read_port, registers, result_writer, supervisor};
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Direction, Expr, Module, ModuleBuilder, ModuleId, Ty};

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

/// A child's port and the parent's signal that it is tied to.
struct Tied {
    name: String,
    direction: Direction,
    signal: Expr,
}

/// Declares a parent's port `<prefix><name>` like the child's port `name`.
fn bus_port(m: &mut ModuleBuilder, child: &Module, prefix: &str, name: &str) -> Tied {
    let port = child.find(name).map(|id| child.signal(id)).expect("the channel tables name ports of the units");
    let direction = port.port.expect("the channel tables name ports of the units");
    let full = format!("{prefix}{name}");
    let signal = match direction {
        Direction::Input => m.input(&full, port.ty.clone(), &port.doc),
        Direction::Output => m.output(&full, port.ty.clone(), &port.doc),
    };
    Tied { name: name.to_owned(), direction, signal }
}

/// Instantiates a unit; `ties` holds every port by name.
fn place(m: &mut ModuleBuilder, name: &str, (id, unit): (ModuleId, &Module), ties: &[Tied]) {
    let mut instance = m.instance(name, id, unit);
    for tie in ties {
        instance = match tie.direction {
            Direction::Input => instance.input(&tie.name, &tie.signal),
            Direction::Output => instance.output_to(&tie.name, &tie.signal),
        };
    }
    instance.done();
}

fn input(name: &str, signal: &Expr) -> Tied {
    Tied { name: name.to_owned(), direction: Direction::Input, signal: signal.clone() }
}

fn output(name: &str, signal: &Expr) -> Tied {
    Tied { name: name.to_owned(), direction: Direction::Output, signal: signal.clone() }
}

/// Wires between the units.
struct Wires {
    begin: Expr,
    flush: Expr,
    run_reset: Expr,
    ports_idle: Expr,
    read_error: Expr,
    image_addr: Expr,
    image_bursts: Expr,
    program_addr: Expr,
    program_bursts: Expr,
}

/// The interface: registers, supervisor, four read ports, result writer.
pub fn bus_interface(design: &mut Design, parameters: &Parameters) -> ModuleId {
    if let Some(id) = design.find("bus_interface") {
        return id;
    }
    let ids = [registers(design), supervisor(design), read_port(design), result_writer(design, parameters)];
    let [registers, supervisor, port, writer] = ids.map(|id| child(design, id));
    let mut m = ModuleBuilder::new(
        "bus_interface",
        "Everything between the AXI ports and the pipeline: registers, supervisor, read ports, result writer.",
    );
    let mut wire = |name: &str, width: u32| m.declare(name, Ty::bits(width));
    let [start, abort, irq_clear, busy, done] =
        ["start", "abort", "irq_clear", "busy", "done"].map(|name| wire(name, 1));
    let [begin, flush, write_start, writer_done, writer_idle, write_error, ports_idle, read_error] = [
        "begin",
        "flush",
        "write_start",
        "writer_done",
        "writer_idle",
        "write_error",
        "ports_idle",
        "read_error",
    ]
    .map(|name| wire(name, 1));
    let [watchdog, cycles, result_addr] = ["watchdog", "cycles", "result_addr"].map(|name| wire(name, 32));
    let [result_beats, image_bursts, program_bursts] =
        ["result_beats", "image_bursts", "program_bursts"].map(|name| wire(name, 16));
    let error = wire("error", 4);
    let [image_addr, program_addr] =
        ["image_addr", "program_addr"].map(|name| m.declare(name, Ty::bits(32).lanes(READ_PORTS)));
    let interrupt = m.output("interrupt", Ty::bit(), "a run has ended; level until cleared in the IRQ register");
    let run_reset = m.output("run_reset", Ty::bit(), "the pipeline is to be cleared: between runs");
    let program_done = m.input("program_done", Ty::bit(), "all operations are retired, the logits can be read");
    let bad_descriptor = m.input("bad_descriptor", Ty::bit(), "the loader refuses a descriptor");

    let mut ties: Vec<Tied> =
        SLAVE_CHANNELS.iter().map(|name| bus_port(&mut m, &registers, "s_axi_ctrl_", name)).collect();
    ties.extend(
        [("busy", &busy), ("done", &done), ("error", &error), ("pending", &interrupt), ("cycles", &cycles)]
            .map(|(name, signal)| input(name, signal)),
    );
    ties.extend(
        [
            ("start", &start),
            ("abort", &abort),
            ("irq_clear", &irq_clear),
            ("image_addr", &image_addr),
            ("image_bursts", &image_bursts),
            ("program_addr", &program_addr),
            ("program_bursts", &program_bursts),
            ("result_addr", &result_addr),
            ("result_beats", &result_beats),
            ("watchdog", &watchdog),
        ]
        .map(|(name, signal)| output(name, signal)),
    );
    place(&mut m, "registers", (ids[0], &registers), &ties);

    let mut ties: Vec<Tied> = [
        ("start", &start),
        ("abort", &abort),
        ("irq_clear", &irq_clear),
        ("watchdog", &watchdog),
        ("program_done", &program_done),
        ("writer_done", &writer_done),
        ("writer_idle", &writer_idle),
        ("ports_idle", &ports_idle),
        ("read_error", &read_error),
        ("write_error", &write_error),
        ("bad_descriptor", &bad_descriptor),
    ]
    .map(|(name, signal)| input(name, signal))
    .into();
    ties.extend(
        [
            ("run_reset", &run_reset),
            ("begin", &begin),
            ("write_start", &write_start),
            ("flush", &flush),
            ("busy", &busy),
            ("done", &done),
            ("error", &error),
            ("interrupt", &interrupt),
            ("cycles", &cycles),
        ]
        .map(|(name, signal)| output(name, signal)),
    );
    place(&mut m, "supervisor", (ids[1], &supervisor), &ties);

    let mut ties: Vec<Tied> = WRITE_CHANNEL.iter().map(|name| bus_port(&mut m, &writer, "m_axi_p0_", name)).collect();
    let words = Ty::bits(16 * parameters.columns);
    let result_data = m.input("result_data", words, "C logits, two cycles after `result_address`");
    let result_address = m.output("result_address", Ty::bits(16), "group of C logits to read");
    ties.extend(
        [
            ("latch", &begin),
            ("start", &write_start),
            ("abort", &flush),
            ("address", &result_addr),
            ("beats", &result_beats),
            ("read_data", &result_data),
        ]
        .map(|(name, signal)| input(name, signal)),
    );
    ties.extend(
        [
            ("done", &writer_done),
            ("idle", &writer_idle),
            ("error", &write_error),
            ("read_address", &result_address),
        ]
        .map(|(name, signal)| output(name, signal)),
    );
    place(&mut m, "writer", (ids[3], &writer), &ties);

    let wires = Wires {
        begin,
        flush,
        run_reset,
        ports_idle,
        read_error,
        image_addr,
        image_bursts,
        program_addr,
        program_bursts,
    };
    read_ports(&mut m, ids[2], &port, &wires);
    design.add(m.finish())
}

/// The four read ports as one instance array.
fn read_ports(m: &mut ModuleBuilder, id: ModuleId, port: &Module, wires: &Wires) {
    let mut lanes = Vec::new();
    for name in READ_CHANNEL {
        let outside: Vec<Tied> =
            (0..READ_PORTS).map(|p| bus_port(m, port, &format!("m_axi_p{p}_"), name)).collect();
        let ty = m.ty(&outside[0].signal).lanes(READ_PORTS);
        let all = m.declare(&format!("port_{name}"), ty);
        for (p, tie) in (0..).zip(&outside) {
            match tie.direction {
                Direction::Input => m.assign_part(&all, p, &tie.signal),
                Direction::Output => {
                    let lane = m.element(&all, p);
                    m.assign(&tie.signal, &lane);
                }
            }
        }
        lanes.push((name, all));
    }
    let pop = m.input("pop", Ty::bit(), "drop the heads of all FIFOs; only while all are valid");
    let heads = m.output("heads", Ty::bits(128).lanes(READ_PORTS), "heads of the ports' FIFOs");
    let valid = m.output("valid", Ty::bits(READ_PORTS), "head of each port's FIFO is valid");
    let [port_valid, port_idle, port_error] =
        ["port_valid", "port_idle", "port_error"].map(|name| m.declare(name, Ty::bit().lanes(READ_PORTS)));
    let mut array = m
        .array("ports", id, port, READ_PORTS)
        .input("start", &wires.begin)
        .input("abort", &wires.flush)
        .input("clear", &wires.run_reset)
        .lanes("image_addr", &wires.image_addr)
        .input("image_bursts", &wires.image_bursts)
        .lanes("program_addr", &wires.program_addr)
        .input("program_bursts", &wires.program_bursts)
        .input("pop", &pop)
        .lanes("head", &heads)
        .lanes("valid", &port_valid)
        .lanes("idle", &port_idle)
        .lanes("error", &port_error);
    for (name, all) in &lanes {
        array = array.lanes(name, all);
    }
    array.done();
    m.assign(&valid, &port_valid);
    m.assign(&wires.ports_idle, &port_idle.all());
    m.assign(&wires.read_error, &port_error.any());
}
