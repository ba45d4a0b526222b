//! The bus units under the reference interpreter, against plain Rust models of the protocols.

mod bus_interface;
mod read_port;
mod read_slave;
mod registers;
mod result_writer;
mod supervisor;
mod write_slave;

use super::import_control;
use crate::bench::parameters;
use heatvit_rtl::{Design, Origin};

#[test]
fn control_blocks_come_from_rust_hdl() {
    let mut design = Design::new();
    super::bus_interface(&mut design, &parameters(16));
    let imported: Vec<&str> = design
        .ids()
        .map(|id| design.module(id))
        .filter(|m| m.origin == Origin::RustHdl)
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(imported, ["register_channel", "supervisor_control", "read_port_control", "result_writer_control"]);
}

#[test]
fn units_are_built_once() {
    let mut design = Design::new();
    let first = super::read_port(&mut design);
    let count = design.ids().count();
    assert_eq!(super::read_port(&mut design), first);
    import_control(&mut design, "read_port_control", "", super::read_port_control::ReadPortControl::default());
    assert_eq!(design.ids().count(), count);
}
