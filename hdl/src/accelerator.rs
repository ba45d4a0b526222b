//! The top module: the bus interface and the pipeline.

use crate::bus::{READ_CHANNEL, READ_PORTS, SLAVE_CHANNELS, WRITE_CHANNEL, bus_interface};
use crate::core::{core, sequencer};
use crate::parameters::Parameters;
use crate::pipeline::place;
use heatvit_rtl::{Design, Direction, Expr, ModuleBuilder, ModuleId};

/// Name of the top module.
pub const TOP: &str = "heatvit_top";

/// The whole accelerator.
pub fn accelerator(parameters: &Parameters) -> Design {
    let mut design = Design::new();
    let bus = bus_interface(&mut design, parameters);
    let core = core(&mut design, parameters);
    let doc = format!(
        "HeatViT accelerator: {} x {} int8 systolic array, four AXI4 read ports, one AXI4 write channel,\n\
         AXI4-Lite registers and a level interrupt.",
        parameters.rows, parameters.columns
    );
    connect(&mut design, parameters, (TOP, &doc), [bus, core]);
    design
}

/// The accelerator's control on its own, with the bus interface: what a simulator's speed is measured on. Parameters
/// with a selector are needed. Ports of the `sequencer` that the pipeline has not are ports of the top.
pub fn control_part(parameters: &Parameters) -> Design {
    let mut design = Design::new();
    let bus = bus_interface(&mut design, parameters);
    let core = sequencer(&mut design, parameters);
    connect(&mut design, parameters, ("control_part", "Control of the accelerator without its datapath."), [bus, core]);
    design
}

/// The top: the bus interface and what it serves. Ports of the latter that the former does not know lead outside.
fn connect(design: &mut Design, parameters: &Parameters, (name, doc): (&str, &str), [bus_id, core_id]: [ModuleId; 2]) {
    let bus = design.module(bus_id).clone();
    let mut m = ModuleBuilder::new(name, doc);
    let mut names = vec!["pop", "program_done", "bad_descriptor", "result_data"];
    names.extend(parameters.has_selector().then_some("stage_counts"));
    let mut from_core = |name: &&str| {
        let port = bus.find(name).map(|id| bus.signal(id)).expect("a port of the bus interface");
        m.declare(&format!("core_{name}"), port.ty.clone())
    };
    let wires: Vec<Expr> = names.iter().map(&mut from_core).collect();
    let mut outside: Vec<(String, Expr)> = Vec::new();
    for name in outside_ports() {
        let port = bus.find(&name).map(|id| bus.signal(id)).expect("a port of the bus interface");
        let wire = match port.port {
            Some(Direction::Output) => m.output(&name, port.ty.clone(), &port.doc),
            Some(Direction::Input) | None => m.input(&name, port.ty.clone(), &port.doc),
        };
        outside.push((name, wire));
    }
    let inner = ["run_reset", "result_address", "heads", "valid"];
    let inner_wires = inner.map(|name| {
        let port = bus.find(name).map(|id| bus.signal(id)).expect("a port of the bus interface");
        m.declare(&format!("bus_{name}"), port.ty.clone())
    });
    let mut instance = m.instance("host_side", bus_id, &bus);
    for (name, wire) in outside.iter().map(|(n, w)| (n.as_str(), w)).chain(names.iter().copied().zip(&wires)) {
        let is_output = bus.find(name).is_some_and(|id| bus.signal(id).port == Some(Direction::Output));
        instance = if is_output { instance.output_to(name, wire) } else { instance.input(name, wire) };
    }
    for (name, wire) in inner.into_iter().zip(&inner_wires) {
        instance = instance.output_to(name, wire);
    }
    instance.done();
    let served = design.module(core_id);
    let strangers: Vec<_> = served.ports().map(|(_, s)| s).filter(|s| bus.find(&s.name).is_none()).collect();
    let (further, beyond): (Vec<_>, Vec<_>) = strangers.into_iter().partition(|s| s.port == Some(Direction::Input));
    let further: Vec<_> = further.iter().map(|s| (s.name.as_str(), m.input(&s.name, s.ty.clone(), &s.doc))).collect();
    let mut inputs: Vec<(&str, &Expr)> = inner.into_iter().zip(&inner_wires).collect();
    inputs.extend(further.iter().map(|(name, wire)| (*name, wire)));
    let core = place(design, &mut m, "pipeline", core_id, &inputs);
    for (name, wire) in names.iter().zip(&wires) {
        m.assign(wire, &core[*name]);
    }
    for signal in beyond {
        let port = m.output(&signal.name, signal.ty.clone(), &signal.doc);
        m.assign(&port, &core[signal.name.as_str()]);
    }
    design.add(m.finish());
}

/// Names of the top's ports, in their order.
fn outside_ports() -> Vec<String> {
    let mut names: Vec<String> = SLAVE_CHANNELS.iter().map(|c| format!("s_axi_ctrl_{c}")).collect();
    for p in 0..READ_PORTS {
        names.extend(READ_CHANNEL.iter().map(|c| format!("m_axi_p{p}_{c}")));
    }
    names.extend(WRITE_CHANNEL.iter().map(|c| format!("m_axi_p0_{c}")));
    names.push("irq".to_owned());
    names
}
