//! The register file behind the AXI4-Lite slave. [`Register`] is the map.

use super::register_channel::RegisterChannel;
use super::{READ_PORTS, REGION_ALIGNMENT, import_control, registered_reset};
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Value of the ID register: "HVIT".
pub const ID: u32 = 0x4856_4954;
/// Value of the VERSION register: changes when the map or the program format does.
pub const VERSION: u32 = 1;

/// Registers by byte offset. Writes to read-only registers are accepted and have no effect; an offset
/// beyond the map is answered with SLVERR. Addresses and strides are multiples of 4096: their
/// low 12 bits are stored as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Register {
    /// Write: bit 0 starts a run (ignored while busy), bit 1 aborts it. Reads as zero.
    Control = 0x00,
    /// Read: bit 0 busy, bit 1 done (the last run wrote its result).
    Status = 0x04,
    /// Read: code of the first error since the start, see [`super::ErrorCode`].
    Error = 0x08,
    /// Bit 0: interrupt pending; writing 1 clears it.
    Irq = 0x0c,
    /// Image region of port 0.
    ImageAddr = 0x10,
    /// From one port's image region to the next.
    ImageStride = 0x14,
    /// Bursts of 256 bytes in each port's image region.
    ImageBursts = 0x18,
    /// Program region of port 0.
    ProgramAddr = 0x1c,
    /// From one port's program region to the next.
    ProgramStride = 0x20,
    /// Bursts of 256 bytes in each port's program region.
    ProgramBursts = 0x24,
    /// Where the logits go.
    ResultAddr = 0x28,
    /// 16-byte beats of logits.
    ResultBeats = 0x2c,
    /// Cycles that a run may take; 0: any number.
    Watchdog = 0x30,
    /// Read: cycles of the last run, from the start's write to the interrupt.
    Cycles = 0x34,
    /// Read: [`ID`].
    Id = 0x38,
    /// Read: [`VERSION`].
    Version = 0x3c,
}

impl Register {
    /// Byte offset.
    pub fn offset(self) -> u32 {
        self as u32
    }

    /// Bits of the stored value above the lowest stored one, and that one: `(width, low)`.
    fn stored_bits(self) -> (u32, u32) {
        let aligned = REGION_ALIGNMENT.ilog2();
        match self {
            Self::ImageAddr | Self::ImageStride | Self::ProgramAddr | Self::ProgramStride | Self::ResultAddr => {
                (32 - aligned, aligned)
            }
            Self::ImageBursts | Self::ProgramBursts | Self::ResultBeats => (16, 0),
            _ => (32, 0),
        }
    }
}

/// The write that takes effect in this cycle.
struct WriteAccess {
    enable: Expr,
    index: Expr,
    data: Expr,
    strobe: Expr,
}

impl WriteAccess {
    /// The write goes to this register.
    fn to(&self, register: Register) -> Expr {
        &self.enable & self.index.eq_lit(u64::from(register.offset() / 4))
    }

    /// Bit of a command register is written as 1.
    fn sets(&self, register: Register, bit: u32) -> Expr {
        self.to(register) & self.strobe.bit(0) & self.data.bit(bit)
    }

    /// A stored register as 32 bits.
    fn stored(&self, m: &mut ModuleBuilder, name: &str, register: Register) -> Expr {
        let (width, low) = register.stored_bits();
        let value = m.reg_declare(name, Ty::bits(width));
        let old = value.shl_const(low).extend(32);
        let bytes: Vec<Expr> =
            (0..4).map(|i| self.strobe.bit(i).mux(&self.data.slice(8 * i, 8), &old.slice(8 * i, 8))).collect();
        let merged = Expr::concat_low_first(&bytes);
        m.drive(&value, &merged.slice(low, width), Some(&self.to(register)), Some(0));
        old
    }
}

/// The register file. Configuration outputs follow a write by at most three cycles.
pub fn registers(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("registers") {
        return id;
    }
    let mut m = ModuleBuilder::new("registers", "Register file behind the AXI4-Lite slave; offsets in the manifest.");
    let channel = slave(design, &mut m);
    let write = channel.write;
    for (name, register, bit, doc) in [
        ("start", Register::Control, 0, "the host starts a run"),
        ("abort", Register::Control, 1, "the host aborts the run"),
        ("irq_clear", Register::Irq, 0, "the host has seen the interrupt"),
    ] {
        m.output_as(name, &write.sets(register, bit), doc);
    }
    let busy = m.input("busy", Ty::bit(), "a run is under way");
    let done = m.input("done", Ty::bit(), "the last run wrote its result");
    let error = m.input("error", Ty::bits(4), "first error since the start");
    let pending = m.input("pending", Ty::bit(), "the interrupt is pending");
    let cycles = m.input("cycles", Ty::bits(32), "cycles of the last run");
    let [image_addr, image_stride, image_bursts] =
        region(&mut m, &write, "image", [Register::ImageAddr, Register::ImageStride, Register::ImageBursts]);
    let [program_addr, program_stride, program_bursts] =
        region(&mut m, &write, "program", [Register::ProgramAddr, Register::ProgramStride, Register::ProgramBursts]);
    let result_addr = write.stored(&mut m, "result_addr_value", Register::ResultAddr);
    let result_beats = write.stored(&mut m, "result_beats_value", Register::ResultBeats);
    let watchdog = write.stored(&mut m, "watchdog_value", Register::Watchdog);
    m.output_as("result_addr", &result_addr, "where the logits go");
    m.output_as("result_beats", &result_beats.trunc(16), "beats of logits");
    m.output_as("watchdog", &watchdog, "cycles that a run may take; 0: any number");
    let zero = Expr::lit(0, 32);
    let map = [
        (Register::Control, zero),
        (Register::Status, Expr::concat(&[done, busy]).extend(32)),
        (Register::Error, error.extend(32)),
        (Register::Irq, pending.extend(32)),
        (Register::ImageAddr, image_addr),
        (Register::ImageStride, image_stride),
        (Register::ImageBursts, image_bursts),
        (Register::ProgramAddr, program_addr),
        (Register::ProgramStride, program_stride),
        (Register::ProgramBursts, program_bursts),
        (Register::ResultAddr, result_addr),
        (Register::ResultBeats, result_beats),
        (Register::Watchdog, watchdog),
        (Register::Cycles, cycles),
        (Register::Id, Expr::lit(u64::from(ID), 32)),
        (Register::Version, Expr::lit(u64::from(VERSION), 32)),
    ];
    debug_assert!(map.iter().zip(0..).all(|((register, _), word)| register.offset() == 4 * word));
    let values: Vec<Expr> = map.into_iter().map(|(_, value)| value).collect();
    let rdata = m.output_reg("rdata", Ty::bits(32), "");
    m.drive(&rdata, &select(&channel.read_index, &values), Some(&channel.fetch), None);
    design.add(m.finish())
}

/// Address, stride and length of one region; each port gets its own address.
fn region(m: &mut ModuleBuilder, write: &WriteAccess, name: &str, [addr, stride, bursts]: [Register; 3]) -> [Expr; 3] {
    let addr = write.stored(m, &format!("{name}_addr_value"), addr);
    let stride = write.stored(m, &format!("{name}_stride_value"), stride);
    let bursts = write.stored(m, &format!("{name}_bursts_value"), bursts);
    let ports = m.output(&format!("{name}_addr"), Ty::bits(32).lanes(READ_PORTS), "region of each port");
    let mut port_addr = m.reg(&format!("{name}_addr_0"), &addr);
    m.assign_part(&ports, 0, &port_addr);
    for port in 1..READ_PORTS {
        port_addr = m.reg(&format!("{name}_addr_{port}"), &(&port_addr + &stride).trunc(32));
        m.assign_part(&ports, port, &port_addr);
    }
    m.output_as(&format!("{name}_bursts"), &bursts.trunc(16), "bursts of 256 bytes in each port's region");
    [addr, stride, bursts]
}

/// What the slave's channels ask of the registers.
struct Channel {
    write: WriteAccess,
    fetch: Expr,
    read_index: Expr,
}

/// The bus side: handshakes, latched addresses and data, responses.
fn slave(design: &mut Design, m: &mut ModuleBuilder) -> Channel {
    let control_id = import_control(
        design,
        "register_channel",
        "AXI4-Lite slave: one write and one read in flight, address and data in any order.\n\
         - reset: synchronous\n\
         - write: the latched address and data take effect\n\
         - fetch: the latched address is looked up",
        RegisterChannel::default(),
    );
    let control = child(design, control_id);
    let reset = registered_reset(m);
    let [awaddr, araddr] = ["awaddr", "araddr"].map(|name| m.input(name, Ty::bits(12), ""));
    let wdata = m.input("wdata", Ty::bits(32), "");
    let wstrb = m.input("wstrb", Ty::bits(4), "");
    let inputs = ["awvalid", "wvalid", "bready", "arvalid", "rready"].map(|name| (name, m.input(name, Ty::bit(), "")));
    let outputs =
        ["awready", "wready", "bvalid", "arready", "rvalid"].map(|name| (name, m.output(name, Ty::bit(), "")));
    let [write, fetch] = ["write", "fetch"].map(|name| m.declare(name, Ty::bit()));
    let mut instance = m.instance("channel", control_id, &control).input("reset", &reset);
    for (name, signal) in &inputs {
        instance = instance.input(name, signal);
    }
    for (name, signal) in &outputs {
        instance = instance.output_to(name, signal);
    }
    instance.output_to("write", &write).output_to("fetch", &fetch).done();
    let [(_, awvalid), (_, wvalid), _, (_, arvalid), _] = inputs;
    let [(_, awready), (_, wready), _, (_, arready), _] = outputs;
    let take_address = m.wire("take_address", &(&awvalid & &awready));
    let take_data = m.wire("take_data", &(&wvalid & &wready));
    let take_read = m.wire("take_read", &(&arvalid & &arready));
    let write_address = m.reg_en("write_address", &take_address, &awaddr.slice(2, 10));
    let data = m.reg_en("write_data", &take_data, &wdata);
    let strobe = m.reg_en("write_strobe", &take_data, &wstrb);
    let read_address = m.reg_en("read_address", &take_read, &araddr.slice(2, 10));
    let known_write = m.wire("known_write", &!write_address.slice(4, 6).any());
    for (name, enable, address) in [("bresp", &write, &write_address), ("rresp", &fetch, &read_address)] {
        let response = m.output_reg(name, Ty::bits(2), "OKAY, or SLVERR beyond the map");
        m.drive(&response, &Expr::concat(&[address.slice(4, 6).any(), Expr::lit(0, 1)]), Some(enable), None);
    }
    let enable = m.wire("write_known", &(&write & &known_write));
    let write = WriteAccess { enable, index: write_address.slice(0, 4), data, strobe };
    Channel { write, fetch, read_index: read_address.slice(0, 4) }
}
