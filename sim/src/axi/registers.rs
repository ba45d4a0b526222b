//! The processor's side of an AXI4-Lite register port: one write or read at a time.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What the processor drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteInputs {
    /// Address of either channel.
    pub address: u32,
    /// Write data.
    pub data: u32,
    /// AWVALID.
    pub write_address_valid: bool,
    /// WVALID.
    pub write_data_valid: bool,
    /// BREADY.
    pub response_ready: bool,
    /// ARVALID.
    pub read_address_valid: bool,
    /// RREADY.
    pub read_data_ready: bool,
}

/// What the accelerator drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiteOutputs {
    /// AWREADY.
    pub write_address_ready: bool,
    /// WREADY.
    pub write_data_ready: bool,
    /// BVALID.
    pub response_valid: bool,
    /// ARREADY.
    pub read_address_ready: bool,
    /// RVALID.
    pub read_data_valid: bool,
    /// Read data.
    pub read_data: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Write { address_sent: bool, data_sent: bool },
    Read { address_sent: bool },
}

/// Master of the register port.
#[derive(Debug)]
pub struct Registers {
    state: State,
    address: u32,
    data: u32,
    response_ready: bool,
    result: Option<u32>,
    random: Option<ChaCha8Rng>,
}

impl Registers {
    /// An idle master; with a seed its ready signals stall at random.
    pub fn new(stalls: Option<u64>) -> Self {
        let random = stalls.map(|s| ChaCha8Rng::seed_from_u64(s ^ 0x4C49_5445));
        Self { state: State::Idle, address: 0, data: 0, response_ready: true, result: None, random }
    }

    /// Starts a write.
    pub fn write(&mut self, offset: u32, value: u32) {
        self.state = State::Write { address_sent: false, data_sent: false };
        (self.address, self.data, self.result) = (offset, value, None);
    }

    /// Starts a read.
    pub fn read(&mut self, offset: u32) {
        self.state = State::Read { address_sent: false };
        (self.address, self.result) = (offset, None);
    }

    /// True when nothing is under way.
    pub fn idle(&self) -> bool {
        self.state == State::Idle
    }

    /// What the last read returned.
    pub fn result(&self) -> Option<u32> {
        self.result
    }

    /// What the master drives in this cycle.
    pub fn drive(&self) -> LiteInputs {
        let mut inputs = LiteInputs { address: self.address, data: self.data, ..LiteInputs::default() };
        match self.state {
            State::Idle => {}
            State::Write { address_sent, data_sent } => {
                (inputs.write_address_valid, inputs.write_data_valid) = (!address_sent, !data_sent);
                inputs.response_ready = self.response_ready;
            }
            State::Read { address_sent } => {
                inputs.read_address_valid = !address_sent;
                inputs.read_data_ready = self.response_ready;
            }
        }
        inputs
    }

    /// Ends the cycle. Returns true when this cycle completed the address and data of a write.
    pub fn tick(&mut self, outputs: LiteOutputs) -> bool {
        let mut written = false;
        match self.state {
            State::Idle => {}
            State::Write { address_sent, data_sent } => {
                let address_now = address_sent || outputs.write_address_ready;
                let data_now = data_sent || outputs.write_data_ready;
                written = address_now && data_now && !(address_sent && data_sent);
                self.state = if outputs.response_valid && self.response_ready {
                    State::Idle
                } else {
                    State::Write { address_sent: address_now, data_sent: data_now }
                };
            }
            State::Read { address_sent } => {
                if outputs.read_data_valid && self.response_ready {
                    self.result = Some(outputs.read_data);
                    self.state = State::Idle;
                } else {
                    self.state = State::Read { address_sent: address_sent || outputs.read_address_ready };
                }
            }
        }
        self.response_ready = self.random.as_mut().is_none_or(|r| !r.random_bool(0.25));
        written
    }
}
