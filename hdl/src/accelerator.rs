//! The top module: the bus interface and the pipeline.

use crate::bus::{READ_CHANNEL, READ_PORTS, SLAVE_CHANNELS, WRITE_CHANNEL, bus_interface};
use crate::core::core;
use crate::parameters::Parameters;
use crate::pipeline::place;
use heatvit_rtl::{Design, Direction, Expr, ModuleBuilder};

/// Name of the top module.
pub const TOP: &str = "heatvit_top";

/// The whole accelerator.
pub fn accelerator(parameters: &Parameters) -> Design {
    let mut design = Design::new();
    let bus_id = bus_interface(&mut design, parameters);
    let core_id = core(&mut design, parameters);
    let bus = design.module(bus_id).clone();
    let mut m = ModuleBuilder::new(
        TOP,
        &format!(
            "HeatViT accelerator: {} x {} int8 systolic array, four AXI4 read ports, one AXI4 write channel,\n\
             AXI4-Lite registers and a level interrupt.",
            parameters.rows, parameters.columns
        ),
    );
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
    let inputs: Vec<(&str, &Expr)> = inner.into_iter().zip(&inner_wires).collect();
    let core = place(&design, &mut m, "pipeline", core_id, &inputs);
    for (name, wire) in names.iter().zip(&wires) {
        m.assign(wire, &core[*name]);
    }
    design.add(m.finish());
    design
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
