//! An engine with the accelerator's ports, its memory and its processor.

use super::memory::{MemoryModel, READ_PORTS};
use super::registers::{LiteInputs, LiteOutputs, Registers};
use crate::{Engine, PortId, SimError};

/// Register offsets.
pub mod offset {
    /// Bit 0 starts, bit 1 aborts.
    pub const CONTROL: u32 = 0x00;
    /// Bit 0 busy, bit 1 done.
    pub const STATUS: u32 = 0x04;
    /// First error since the start.
    pub const ERROR: u32 = 0x08;
    /// Bit 0 pending; writing 1 clears it.
    pub const IRQ: u32 = 0x0C;
    /// Address of the image region.
    pub const IMAGE_ADDR: u32 = 0x10;
    /// Bytes from port to port.
    pub const IMAGE_STRIDE: u32 = 0x14;
    /// Bursts per port.
    pub const IMAGE_BURSTS: u32 = 0x18;
    /// Address of the program region.
    pub const PROGRAM_ADDR: u32 = 0x1C;
    /// Bytes from port to port.
    pub const PROGRAM_STRIDE: u32 = 0x20;
    /// Bursts per port.
    pub const PROGRAM_BURSTS: u32 = 0x24;
    /// Address of the results.
    pub const RESULT_ADDR: u32 = 0x28;
    /// Beats of results.
    pub const RESULT_BEATS: u32 = 0x2C;
    /// Cycles allowed per image; 0: any number.
    pub const WATCHDOG: u32 = 0x30;
    /// Cycles of the last run.
    pub const CYCLES: u32 = 0x34;
    /// "HVIT".
    pub const ID: u32 = 0x38;
    /// Version.
    pub const VERSION: u32 = 0x3C;
}

/// Cycles that a register access may take.
const REGISTER_CYCLES: u64 = 10_000;

/// One image to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// Address, stride between ports and bursts per port of the image region.
    pub image: (u32, u32, u32),
    /// The same of the program region.
    pub program: (u32, u32, u32),
    /// Address and beats of the results.
    pub result: (u32, u32),
    /// Watchdog; 0: off.
    pub watchdog: u32,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunReport {
    /// Cycles from the write of the start register to the interrupt.
    pub cycles: u64,
    /// Status register.
    pub status: u32,
    /// Error register.
    pub error: u32,
}

#[derive(Debug)]
struct ReadPorts {
    ar_addr: PortId,
    ar_len: PortId,
    ar_valid: PortId,
    ar_ready: PortId,
    r_data: PortId,
    r_resp: PortId,
    r_last: PortId,
    r_valid: PortId,
    r_ready: PortId,
}

#[derive(Debug)]
struct WritePorts {
    aw_addr: PortId,
    aw_len: PortId,
    aw_valid: PortId,
    aw_ready: PortId,
    w_data: PortId,
    w_strb: PortId,
    w_last: PortId,
    w_valid: PortId,
    w_ready: PortId,
    b_resp: PortId,
    b_valid: PortId,
    b_ready: PortId,
}

#[derive(Debug)]
struct LitePorts {
    inputs: [PortId; 9],
    outputs: [PortId; 6],
}

/// An accelerator on its board. It is reset once, when the board is made.
#[derive(Debug)]
pub struct Board<E> {
    engine: E,
    memory: MemoryModel,
    registers: Registers,
    reads: Vec<ReadPorts>,
    write: WritePorts,
    lite: LitePorts,
    interrupt: PortId,
    cycle: u64,
}

impl<E: Engine> Board<E> {
    /// Connects an accelerator, and resets it for four cycles.
    ///
    /// # Errors
    /// When a port is missing.
    pub fn new(engine: E, memory: MemoryModel, stalls: Option<u64>) -> Result<Self, SimError> {
        let reads = (0..READ_PORTS).map(|p| read_ports(&engine, p)).collect::<Result<_, _>>()?;
        let write = write_ports(&engine)?;
        let lite = lite_ports(&engine)?;
        let interrupt = engine.output("irq")?;
        let registers = Registers::new(stalls);
        let mut this = Self { engine, memory, registers, reads, write, lite, interrupt, cycle: 0 };
        let reset = this.engine.input("rst")?;
        this.engine.set_u64(reset, 1);
        for _ in 0..4 {
            this.engine.step();
        }
        this.engine.set_u64(reset, 0);
        Ok(this)
    }

    /// The engine, to look at signals.
    pub fn engine(&mut self) -> &mut E {
        &mut self.engine
    }

    /// The memory.
    pub fn memory(&mut self) -> &mut MemoryModel {
        &mut self.memory
    }

    /// Cycles since the reset.
    pub fn cycles(&self) -> u64 {
        self.cycle
    }

    /// One cycle: drives, calls `hook` with the settled engine, then the edge. Returns whether this cycle completed
    /// a register write and whether the interrupt was high.
    fn cycle(&mut self, hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>) -> Result<(bool, bool), SimError> {
        self.drive_memory();
        let lite = self.registers.drive();
        self.drive_lite(lite);
        let outputs = self.lite_outputs();
        let interrupt = self.engine.get_u64(self.interrupt) & 1 == 1;
        self.handshakes();
        hook(&mut self.engine, self.cycle)?;
        self.engine.step();
        self.memory.tick();
        let written = self.registers.tick(outputs);
        self.cycle += 1;
        Ok((written, interrupt))
    }

    fn drive_memory(&mut self) {
        for (port, p) in self.reads.iter().enumerate() {
            self.engine.set_u64(p.ar_ready, u64::from(self.memory.address_ready(port)));
            let beat = self.memory.read_beat(port);
            self.engine.set_u64(p.r_valid, u64::from(beat.is_some()));
            let beat = beat.unwrap_or_default();
            self.engine.set(p.r_data, &beat.data);
            self.engine.set_u64(p.r_resp, beat.response.code());
            self.engine.set_u64(p.r_last, u64::from(beat.last));
        }
        self.engine.set_u64(self.write.aw_ready, u64::from(self.memory.write_address_ready()));
        self.engine.set_u64(self.write.w_ready, u64::from(self.memory.write_data_ready()));
        let response = self.memory.write_response();
        self.engine.set_u64(self.write.b_valid, u64::from(response.is_some()));
        self.engine.set_u64(self.write.b_resp, response.unwrap_or_default().code());
    }

    fn drive_lite(&mut self, lite: LiteInputs) {
        let bit = u64::from;
        let address = u64::from(lite.address);
        let values = [
            address,
            bit(lite.write_address_valid),
            u64::from(lite.data),
            0xF,
            bit(lite.write_data_valid),
            bit(lite.response_ready),
            address,
            bit(lite.read_address_valid),
            bit(lite.read_data_ready),
        ];
        for (port, value) in self.lite.inputs.iter().zip(values) {
            self.engine.set_u64(*port, value);
        }
    }

    fn lite_outputs(&mut self) -> LiteOutputs {
        let values = self.lite.outputs.map(|port| self.engine.get_u64(port));
        LiteOutputs {
            write_address_ready: values[0] == 1,
            write_data_ready: values[1] == 1,
            response_valid: values[2] == 1,
            read_address_ready: values[3] == 1,
            read_data_valid: values[4] == 1,
            read_data: values[5] as u32,
        }
    }

    fn handshakes(&mut self) {
        let (engine, memory) = (&mut self.engine, &mut self.memory);
        for (port, p) in self.reads.iter().enumerate() {
            if memory.address_ready(port) && engine.get_u64(p.ar_valid) == 1 {
                memory.take_address(port, engine.get_u64(p.ar_addr), engine.get_u64(p.ar_len));
            }
            if memory.read_beat(port).is_some() && engine.get_u64(p.r_ready) == 1 {
                memory.take_beat(port);
            }
        }
        let w = &self.write;
        if memory.write_data_ready() && engine.get_u64(w.w_valid) == 1 {
            let mut data = [0; 2];
            engine.get(w.w_data, &mut data);
            memory.take_write_beat(data, engine.get_u64(w.w_strb), engine.get_u64(w.w_last) == 1);
        }
        if memory.write_address_ready() && engine.get_u64(w.aw_valid) == 1 {
            memory.take_write_address(engine.get_u64(w.aw_addr), engine.get_u64(w.aw_len));
        }
        if memory.write_response().is_some() && engine.get_u64(w.b_ready) == 1 {
            memory.take_write_response();
        }
    }

    /// Writes a register; returns the cycle in which address and data were taken.
    ///
    /// # Errors
    /// When the port does not answer, or the hook fails.
    pub fn write_register(
        &mut self,
        register: u32,
        value: u32,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<u64, SimError> {
        self.registers.write(register, value);
        let (start, mut taken) = (self.cycle, self.cycle);
        while !self.registers.idle() {
            let now = self.cycle;
            if self.cycle(hook)?.0 {
                taken = now;
            }
            self.check_register(register, start)?;
        }
        Ok(taken)
    }

    /// Reads a register.
    ///
    /// # Errors
    /// When the port does not answer, or the hook fails.
    pub fn read_register(
        &mut self,
        register: u32,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<u32, SimError> {
        self.registers.read(register);
        let start = self.cycle;
        while !self.registers.idle() {
            self.cycle(hook)?;
            self.check_register(register, start)?;
        }
        Ok(self.registers.result().unwrap_or(0))
    }

    fn check_register(&self, offset: u32, start: u64) -> Result<(), SimError> {
        let cycles = self.cycle - start;
        if cycles > REGISTER_CYCLES { Err(SimError::RegisterTimeout { offset, cycles }) } else { Ok(()) }
    }

    /// Writes the registers, starts, waits for the interrupt, reads status and error and clears the interrupt.
    /// The accelerator needs no reset between two runs.
    ///
    /// # Errors
    /// When there is no interrupt within `limit` cycles, the register port does not answer, or the hook fails.
    pub fn run_image(
        &mut self,
        job: &Job,
        limit: u64,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<RunReport, SimError> {
        let start = self.start(job, hook)?;
        self.finish(start, limit, hook)
    }

    /// Writes the registers and starts; returns the cycle in which the write of the start register was taken.
    ///
    /// # Errors
    /// When the register port does not answer, or the hook fails.
    pub fn start(
        &mut self,
        job: &Job,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<u64, SimError> {
        let settings = [
            (offset::IMAGE_ADDR, job.image.0),
            (offset::IMAGE_STRIDE, job.image.1),
            (offset::IMAGE_BURSTS, job.image.2),
            (offset::PROGRAM_ADDR, job.program.0),
            (offset::PROGRAM_STRIDE, job.program.1),
            (offset::PROGRAM_BURSTS, job.program.2),
            (offset::RESULT_ADDR, job.result.0),
            (offset::RESULT_BEATS, job.result.1),
            (offset::WATCHDOG, job.watchdog),
        ];
        for (register, value) in settings {
            self.write_register(register, value, hook)?;
        }
        self.memory.begin_image();
        self.write_register(offset::CONTROL, 1, hook)
    }

    /// The rest of a run that began in cycle `start`: waits for the interrupt, reads status and error and clears the
    /// interrupt. A run that has to be aborted is begun with [`Self::start`], and ended here.
    ///
    /// # Errors
    /// When there is no interrupt within `limit` cycles, the register port does not answer, or the hook fails.
    pub fn finish(
        &mut self,
        start: u64,
        limit: u64,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<RunReport, SimError> {
        let cycles = self.wait(start, limit, hook)?;
        let status = self.read_register(offset::STATUS, hook)?;
        let error = self.read_register(offset::ERROR, hook)?;
        self.write_register(offset::IRQ, 1, hook)?;
        Ok(RunReport { cycles, status, error })
    }

    /// Lets cycles pass without an access to the registers.
    ///
    /// # Errors
    /// When the hook fails.
    pub fn pass(
        &mut self,
        cycles: u64,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<(), SimError> {
        (0..cycles).try_for_each(|_| self.cycle(hook).map(|_| ()))
    }

    /// Runs until the interrupt; returns the cycles since `start`.
    ///
    /// # Errors
    /// When there is no interrupt within `limit` cycles, or the hook fails.
    pub fn wait(
        &mut self,
        start: u64,
        limit: u64,
        hook: &mut dyn FnMut(&mut E, u64) -> Result<(), SimError>,
    ) -> Result<u64, SimError> {
        loop {
            let now = self.cycle;
            if self.cycle(hook)?.1 {
                return Ok(now - start);
            }
            if now - start >= limit {
                return Err(SimError::CycleLimit { cycles: limit });
            }
        }
    }
}

fn read_ports(engine: &impl Engine, port: usize) -> Result<ReadPorts, SimError> {
    let name = |signal: &str| format!("m_axi_p{port}_{signal}");
    let input = |signal: &str| engine.input(&name(signal));
    let output = |signal: &str| engine.output(&name(signal));
    Ok(ReadPorts {
        ar_addr: output("araddr")?,
        ar_len: output("arlen")?,
        ar_valid: output("arvalid")?,
        ar_ready: input("arready")?,
        r_data: input("rdata")?,
        r_resp: input("rresp")?,
        r_last: input("rlast")?,
        r_valid: input("rvalid")?,
        r_ready: output("rready")?,
    })
}

fn write_ports(engine: &impl Engine) -> Result<WritePorts, SimError> {
    let input = |signal: &str| engine.input(&format!("m_axi_p0_{signal}"));
    let output = |signal: &str| engine.output(&format!("m_axi_p0_{signal}"));
    Ok(WritePorts {
        aw_addr: output("awaddr")?,
        aw_len: output("awlen")?,
        aw_valid: output("awvalid")?,
        aw_ready: input("awready")?,
        w_data: output("wdata")?,
        w_strb: output("wstrb")?,
        w_last: output("wlast")?,
        w_valid: output("wvalid")?,
        w_ready: input("wready")?,
        b_resp: input("bresp")?,
        b_valid: input("bvalid")?,
        b_ready: output("bready")?,
    })
}

fn lite_ports(engine: &impl Engine) -> Result<LitePorts, SimError> {
    let name = |signal: &str| format!("s_axi_ctrl_{signal}");
    let input = |signal: &str| engine.input(&name(signal));
    let output = |signal: &str| engine.output(&name(signal));
    Ok(LitePorts {
        inputs: [
            input("awaddr")?,
            input("awvalid")?,
            input("wdata")?,
            input("wstrb")?,
            input("wvalid")?,
            input("bready")?,
            input("araddr")?,
            input("arvalid")?,
            input("rready")?,
        ],
        outputs: [
            output("awready")?,
            output("wready")?,
            output("bvalid")?,
            output("arready")?,
            output("rvalid")?,
            output("rdata")?,
        ],
    })
}
