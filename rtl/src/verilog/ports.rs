//! The module header.

use super::format::range;
use super::printer::is_variable;
use crate::{Design, Direction, ModuleId, Ty};

/// `16 x 8 bits, signed` for a type with lanes, else nothing.
pub fn lanes(ty: &Ty) -> String {
    if ty.is_scalar() {
        return String::new();
    }
    let dims: Vec<String> = ty.dims.iter().map(u32::to_string).collect();
    format!("{} x {} bit{}{}", dims.join(" x "), ty.width, if ty.width == 1 { "" } else { "s" }, sign(ty))
}

fn sign(ty: &Ty) -> &'static str {
    if ty.signed { ", signed" } else { "" }
}

/// Parameters, ports and their comments, up to `);`.
pub fn header(design: &Design, id: ModuleId, clock: &str) -> String {
    let module = design.module(id);
    let mut rows: Vec<(String, String, String)> = Vec::new();
    if design.needs_clock(id) {
        rows.push(("input  wire ".to_owned(), clock.to_owned(), "clock".to_owned()));
    }
    if design.needs_reset(id) {
        rows.push(("input  wire ".to_owned(), "rst".to_owned(), "synchronous reset, active high".to_owned()));
    }
    for (port, signal) in module.ports() {
        let direction = match signal.port {
            Some(Direction::Input) => "input  wire ",
            _ if is_variable(module, port) => "output reg  ",
            _ => "output wire ",
        };
        let sign = if signal.ty.is_scalar() && signal.ty.signed { "signed " } else { "" };
        let notes = [signal.doc.clone(), lanes(&signal.ty)];
        let notes: Vec<String> = notes.into_iter().filter(|n| !n.is_empty()).collect();
        rows.push((
            format!("{direction}{sign}{}", range(signal.ty.total_width())),
            signal.name.clone(),
            notes.join("; "),
        ));
    }
    let types = rows.iter().map(|(ty, ..)| ty.len()).max().unwrap_or(0);
    let names = rows.iter().map(|(_, name, _)| name.len() + 1).max().unwrap_or(0);
    let count = rows.len();
    let lines: Vec<String> = rows
        .into_iter()
        .enumerate()
        .map(|(i, (ty, name, note))| {
            let name = if i + 1 < count { format!("{name},") } else { name };
            let note = if note.is_empty() { note } else { format!(" // {note}") };
            format!("    {ty:types$}{name:names$}{note}").trim_end().to_owned() + "\n"
        })
        .collect();
    let parameters = module.primitive.as_ref().map(|p| {
        let list: Vec<String> = p.parameters.iter().map(|(n, v)| format!("    parameter {n} = {v}")).collect();
        format!("#(\n{}\n) ", list.join(",\n"))
    });
    format!("module {} {}(\n{});\n\n", module.name, parameters.unwrap_or_default(), lines.concat())
}
