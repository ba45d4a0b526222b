//! One AXI4 read port with its FIFO.
//!
//! On `start` it takes the addresses and requests first all image bursts, then all program bursts,
//! 16 beats of 16 bytes each, from linearly rising addresses. A burst is requested only when the FIFO
//! has 16 places that are neither filled nor promised, so read data are always taken at once: up to
//! 31 bursts are outstanding. After `abort` (a level that stays until `idle`) nothing more is
//! requested and what is outstanding is taken and dropped. An error response or a burst of the wrong
//! length raises `error` until the next `start`.

use super::read_port_control::{PLACES, ReadPortControl};
use super::{BURST_BEATS, address_attributes, import_control, registered_reset};
use crate::pipeline::child;
use crate::stream::fifo;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty};

/// The port. The first beat is at `head` three cycles after its arrival at the earliest.
pub fn read_port(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("read_port") {
        return id;
    }
    let control_id = import_control(
        design,
        "read_port_control",
        "Requests bursts while the FIFO has room for them and counts what is outstanding.\n\
         - reset: synchronous\n\
         - start: take the addresses and begin\n\
         - abort: request nothing more, drop what comes\n\
         - popped: a beat has left the FIFO\n\
         - push: the beat on the bus goes into the FIFO\n\
         - error: an error response has come since `start`\n\
         - idle: nothing to request and nothing outstanding",
        ReadPortControl::default(),
    );
    let control = child(design, control_id);
    let fifo_id = design.find("fifo").unwrap_or_else(|| fifo(design));
    let fifo = child(design, fifo_id);
    let mut m = ModuleBuilder::new(
        "read_port",
        &format!(
            "AXI4 read port with its FIFO: all image bursts, then all program bursts, {BURST_BEATS} beats each.\n\
             At most {PLACES} beats are in the FIFO or under way to it, so read data never wait."
        ),
    );
    let reset = registered_reset(&mut m);
    let start = m.input("start", Ty::bit(), "take the addresses and begin; only while `idle`");
    let abort = m.input("abort", Ty::bit(), "request nothing more, drop what comes; stays until `idle`");
    let clear = m.input("clear", Ty::bit(), "empty the FIFO; must be low after `start`");
    let settings =
        [("image", "image region of this port"), ("program", "program region of this port")].map(|(region, doc)| {
            let address = m.input(&format!("{region}_addr"), Ty::bits(32), doc);
            let bursts = m.input(&format!("{region}_bursts"), Ty::bits(16), "bursts of 256 bytes in it");
            (region, address, bursts)
        });
    let arready = m.input("arready", Ty::bit(), "");
    let rdata = m.input("rdata", Ty::bits(128), "");
    let rresp = m.input("rresp", Ty::bits(2), "");
    let rlast = m.input("rlast", Ty::bit(), "");
    let rvalid = m.input("rvalid", Ty::bit(), "");
    let pop = m.input("pop", Ty::bit(), "drop `head`; only while `valid`");
    m.output_as("arlen", &Expr::lit(u64::from(BURST_BEATS) - 1, 8), "beats less one");
    address_attributes(&mut m, "ar");
    let araddr = m.output("araddr", Ty::bits(32), "");
    let [arvalid, rready, error, idle] = [
        ("arvalid", ""),
        ("rready", ""),
        ("error", "an error response has come since `start`"),
        ("idle", "nothing to request and nothing outstanding"),
    ]
    .map(|(name, doc)| m.output(name, Ty::bit(), doc));
    let push = m.declare("push", Ty::bit());
    let mut instance = m
        .instance("control", control_id, &control)
        .input("reset", &reset)
        .input("start", &start)
        .input("abort", &abort)
        .input("arready", &arready)
        .input("rvalid", &rvalid)
        .input("rresp", &rresp)
        .input("rlast", &rlast)
        .input("popped", &pop);
    for (region, address, bursts) in &settings {
        instance = instance.input(&format!("{region}_addr"), address).input(&format!("{region}_bursts"), bursts);
    }
    instance
        .output_to("arvalid", &arvalid)
        .output_to("araddr", &araddr)
        .output_to("rready", &rready)
        .output_to("push", &push)
        .output_to("error", &error)
        .output_to("idle", &idle)
        .done();
    let valid = m.output("valid", Ty::bit(), "`head` is valid");
    let head = m.output("head", Ty::bits(128), "oldest beat");
    m.instance("fifo", fifo_id, &fifo)
        .input("clear", &clear)
        .input("push", &push)
        .input("data", &rdata)
        .input("pop", &pop)
        .output_to("valid", &valid)
        .output_to("head", &head)
        .done();
    design.add(m.finish())
}
