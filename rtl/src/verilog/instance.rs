//! Instances and arrays of instances.

use super::format::wrap;
use super::printer::{Printer, unconnected_outputs};
use super::term::Op;
use crate::{Connection, Direction, Instance, Module, Primitive, SignalId};

/// Name of the instance inside the block of an array.
const ELEMENT: &str = "element";

impl Printer<'_> {
    /// All instances. Their inputs may add wires to the body.
    pub(super) fn instances(&mut self) -> String {
        let arrays = self.module.instances.iter().any(|i| i.count.is_some());
        let counter = if arrays { self.names.fresh("i") } else { String::new() };
        let declaration = if arrays { format!("\n    genvar {counter};\n") } else { String::new() };
        let all: String = self.module.instances.iter().map(|instance| self.instance(instance, &counter)).collect();
        declaration + &all
    }

    fn instance(&mut self, instance: &Instance, counter: &str) -> String {
        let child = self.design.module(instance.module);
        let array = instance.count.is_some();
        let pad = if array { "            " } else { "        " };
        let mut pins: Vec<(String, String)> = Vec::new();
        if self.design.needs_clock(instance.module) {
            let port = child.primitive.as_ref().map_or("clk", |p| &p.clock);
            pins.push((port.to_owned(), self.clock.clone()));
        }
        if self.design.needs_reset(instance.module) {
            pins.push(("rst".to_owned(), "rst".to_owned()));
        }
        let mut wires = String::new();
        let open = unconnected_outputs(child, &instance.connections);
        for (port, signal) in child.ports() {
            let text = match instance.connections.iter().find(|(p, _)| *p == port) {
                Some((_, connection)) => self.pin(instance, child, port, connection, counter),
                None if open.iter().any(|(p, _)| *p == port) => {
                    let indent = if array { "            " } else { "    " };
                    let name = self.names.fresh(&format!("{}_{}_unused", instance.name, signal.name));
                    let range = super::format::range(signal.ty.total_width());
                    wires.push_str(&format!("{indent}wire {range}{name};\n"));
                    name
                }
                None => continue,
            };
            pins.push((signal.name.clone(), text));
        }
        let lines: Vec<String> = pins.iter().map(|(port, text)| format!("{pad}.{port}({text})")).collect();
        let pins = lines.join(",\n");
        let parameters = child.primitive.as_ref().map(parameters).unwrap_or_default();
        let module = &child.name;
        match instance.count {
            None => format!("\n{wires}    {module} {parameters}{} (\n{pins}\n    );\n", instance.name),
            Some(count) => format!(
                "\n    generate\n        for ({counter} = 0; {counter} < {count}; {counter} = {counter} + 1) begin : {}\n\
                 {wires}            {module} {parameters}{ELEMENT} (\n{}\n            );\n        end\n    endgenerate\n",
                instance.name,
                pins.lines().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n"),
            ),
        }
    }

    fn pin(
        &mut self,
        instance: &Instance,
        child: &Module,
        port: SignalId,
        connection: &Connection,
        counter: &str,
    ) -> String {
        let signal = child.signal(port);
        match connection {
            Connection::Input(expr) => {
                let bare = self.lowered.terms.bare(self.lowered.term(expr));
                if !matches!(self.lowered.terms.get(bare).op, Op::Const(_) | Op::Part(..)) {
                    self.owner = format!("{}_{}", instance.name, signal.name);
                    self.named_exactly(bare);
                }
                self.leaf(bare)
            }
            Connection::Output(wire) => self.module.signal(*wire).name.clone(),
            Connection::Lanes { signal: lanes, offset, stride } => {
                let width = signal.ty.total_width();
                if signal.port == Some(Direction::Input) {
                    for element in 0..instance.count.unwrap_or(1) {
                        self.read_elsewhere(*lanes, (offset + element * stride) * width, width);
                    }
                }
                let lanes = self.module.signal(*lanes);
                let total = lanes.ty.total_width();
                match instance.count {
                    None => super::format::bits_of(&lanes.name, total, offset * width, width),
                    Some(_) if total == width => lanes.name.clone(),
                    Some(_) => affine(&lanes.name, width, *offset, *stride, counter),
                }
            }
        }
    }
}

/// `name[(2 * i + 1) * 8 +: 8]`.
fn affine(name: &str, width: u32, offset: u32, stride: u32, counter: &str) -> String {
    let scaled = if stride == 1 { counter.to_owned() } else { format!("{stride} * {counter}") };
    let index = if offset == 0 { scaled.clone() } else { format!("{scaled} + {offset}") };
    match width {
        1 => format!("{name}[{index}]"),
        _ if index == *counter => format!("{name}[{index} * {width} +: {width}]"),
        _ => format!("{name}[({index}) * {width} +: {width}]"),
    }
}

fn parameters(primitive: &Primitive) -> String {
    let list: Vec<String> = primitive.parameters.iter().map(|(n, v)| format!(".{n}({v})")).collect();
    format!("#(\n{}\n    ) ", wrap(&format!("        {}", list.join(", ")), 0))
}

/// Ends a simulation that asks a primitive for a configuration which its behaviour here does not cover.
pub fn configuration_check(name: &str, primitive: &Primitive) -> String {
    let tests: Vec<String> = primitive.parameters.iter().map(|(n, v)| format!("({n} != {v})")).collect();
    if tests.is_empty() {
        return String::new();
    }
    let condition = wrap(&format!("        if ({})", tests.join(" || ")), 4);
    format!(
        "\n    initial begin\n{condition} begin\n            $display(\"{name}: this configuration is not modelled\");\n            \
         $finish;\n        end\n    end\n"
    )
}
