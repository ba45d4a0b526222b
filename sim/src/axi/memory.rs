//! DDR behind four read ports and one write channel, with a shared bandwidth and a latency.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// Read ports.
pub const READ_PORTS: usize = 4;
/// Bytes of a beat.
pub const BEAT_BYTES: u64 = 16;
/// Bursts that a port accepts before the first one is answered.
const OUTSTANDING: usize = 64;

/// An AXI response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Response {
    /// OKAY.
    #[default]
    Okay,
    /// SLVERR.
    SlaveError,
}

impl Response {
    /// As on the wire.
    pub fn code(self) -> u64 {
        match self {
            Self::Okay => 0,
            Self::SlaveError => 2,
        }
    }
}

/// Properties of the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryConfig {
    /// Bytes per cycle over all ports together.
    pub bytes_per_cycle: f64,
    /// Cycles from an accepted address to the first beat, and from the last write beat to its response.
    pub latency_cycles: u64,
    /// Seed of random stalls on every handshake, each with a probability of 1/4; none when absent.
    pub stalls: Option<u64>,
    /// Addresses of beats that answer with an error.
    pub faults: Vec<u64>,
}

impl MemoryConfig {
    /// The project's model of the ZCU102 at a clock: 80 % of 19.2 GB/s, 64 cycles of latency.
    pub fn zcu102(clock_hz: f64) -> Self {
        Self { bytes_per_cycle: (15.36e9 / clock_hz).min(64.0), latency_cycles: 64, stalls: None, faults: Vec::new() }
    }
}

/// A beat on a read data channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadBeat {
    /// Data, little-endian.
    pub data: [u64; 2],
    /// Response.
    pub response: Response,
    /// Last of its burst.
    pub last: bool,
}

#[derive(Clone, Copy, Debug)]
struct Burst {
    address: u64,
    beats: u64,
    ready_at: u64,
}

#[derive(Debug, Default)]
struct ReadPort {
    bursts: VecDeque<Burst>,
    beat: Option<ReadBeat>,
    address_ready: bool,
}

#[derive(Debug, Default)]
struct WriteChannel {
    bursts: VecDeque<Burst>,
    failed: bool,
    responses: VecDeque<(u64, Response)>,
    response: Option<Response>,
    address_ready: bool,
    data_ready: bool,
}

/// Memory with its channels. Per cycle: read what it drives, call the handshake methods for channels on which
/// valid and ready met, then [`Self::tick`].
#[derive(Debug)]
pub struct MemoryModel {
    config: MemoryConfig,
    bytes: Vec<u8>,
    reads: [ReadPort; READ_PORTS],
    write: WriteChannel,
    budget: f64,
    cycle: u64,
    epoch: u64,
    random: Option<ChaCha8Rng>,
    bytes_read: u64,
}

impl MemoryModel {
    /// Memory of `size` zero bytes from address 0 on.
    pub fn new(size: usize, config: MemoryConfig) -> Self {
        let random = config.stalls.map(ChaCha8Rng::seed_from_u64);
        let mut this = Self {
            config,
            bytes: vec![0; size],
            reads: Default::default(),
            write: WriteChannel::default(),
            budget: 0.0,
            cycle: 0,
            epoch: 0,
            random,
            bytes_read: 0,
        };
        this.refresh();
        this
    }

    /// The bytes, to load images and to look at results.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, mutable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Adds an address whose beat answers with an error, or removes all of them.
    pub fn set_faults(&mut self, faults: Vec<u64>) {
        self.config.faults = faults;
    }

    /// Bytes read over all ports since the start.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Ready of a read address channel.
    pub fn address_ready(&self, port: usize) -> bool {
        self.reads[port].address_ready
    }

    /// The beat that a read data channel shows.
    pub fn read_beat(&self, port: usize) -> Option<ReadBeat> {
        self.reads[port].beat
    }

    /// A read address was taken: `length` is AXI's (beats less one).
    pub fn take_address(&mut self, port: usize, address: u64, length: u64) {
        // The first beat can be on the wires `latency` cycles after this one.
        let ready_at = self.cycle + self.config.latency_cycles.max(1);
        self.reads[port].bursts.push_back(Burst { address, beats: length + 1, ready_at });
    }

    /// A read beat was taken.
    pub fn take_beat(&mut self, port: usize) {
        self.reads[port].beat = None;
        self.bytes_read += BEAT_BYTES;
    }

    /// Ready of the write address channel.
    pub fn write_address_ready(&self) -> bool {
        self.write.address_ready
    }

    /// Ready of the write data channel; data are accepted once their address is known.
    pub fn write_data_ready(&self) -> bool {
        self.write.data_ready
    }

    /// The write response, if one is shown.
    pub fn write_response(&self) -> Option<Response> {
        self.write.response
    }

    /// A write address was taken.
    pub fn take_write_address(&mut self, address: u64, length: u64) {
        self.write.bursts.push_back(Burst { address, beats: length + 1, ready_at: self.cycle });
    }

    /// A write beat was taken; ends the burst when it is the burst's last.
    pub fn take_write_beat(&mut self, data: [u64; 2], strobes: u64, last: bool) {
        let Some(burst) = self.write.bursts.front_mut() else { return };
        let address = burst.address;
        burst.address += BEAT_BYTES;
        burst.beats -= 1;
        // A master whose WLAST disagrees with AWLEN gets an error, as the burst has no defined end.
        let ends = burst.beats == 0;
        let failed = ends != last || !self.store(address, data, strobes);
        self.write.failed |= failed;
        if ends || last {
            self.write.bursts.pop_front();
            let response = if self.write.failed { Response::SlaveError } else { Response::Okay };
            self.write.failed = false;
            self.write.responses.push_back((self.cycle + self.config.latency_cycles.max(1), response));
        }
    }

    /// The write response was taken.
    pub fn take_write_response(&mut self) {
        self.write.response = None;
    }

    fn store(&mut self, address: u64, data: [u64; 2], strobes: u64) -> bool {
        let Some(range) = self.range(address) else { return false };
        if self.config.faults.contains(&address) {
            return false;
        }
        let bytes = data.iter().flat_map(|d| d.to_le_bytes());
        for (i, (to, from)) in self.bytes[range].iter_mut().zip(bytes).enumerate() {
            if strobes >> i & 1 == 1 {
                *to = from;
            }
        }
        true
    }

    fn range(&self, address: u64) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(address).ok()?;
        let end = start.checked_add(BEAT_BYTES as usize)?;
        (end <= self.bytes.len()).then_some(start..end)
    }

    fn fetch(&self, address: u64, last: bool) -> ReadBeat {
        match self.range(address) {
            Some(range) if !self.config.faults.contains(&address) => {
                let mut data = [0u8; BEAT_BYTES as usize];
                data.copy_from_slice(&self.bytes[range]);
                let word = u128::from_le_bytes(data);
                ReadBeat { data: [word as u64, (word >> 64) as u64], response: Response::Okay, last }
            }
            _ => ReadBeat { data: [0; 2], response: Response::SlaveError, last },
        }
    }

    /// Begins an image: the turning order and the saved bandwidth start anew, so that an image takes the same
    /// cycles whatever ran before it.
    pub fn begin_image(&mut self) {
        self.epoch = self.cycle;
        self.budget = 0.0;
    }

    /// True where a random stall does not hold a handshake back.
    fn free(&mut self) -> bool {
        self.random.as_mut().is_none_or(|r| !r.random_bool(0.25))
    }

    /// Ends the cycle: decides what the channels show in the next one.
    pub fn tick(&mut self) {
        self.cycle += 1;
        // Unused bandwidth of more than a beat per port does not accumulate.
        let most = self.config.bytes_per_cycle.max(BEAT_BYTES as f64) + BEAT_BYTES as f64;
        self.budget = (self.budget + self.config.bytes_per_cycle).min(most);
        self.refresh();
    }

    fn refresh(&mut self) {
        for turn in 0..READ_PORTS {
            // A turning order shares the bandwidth evenly.
            let port = (turn + (self.cycle - self.epoch) as usize) % READ_PORTS;
            self.refresh_read(port);
        }
        self.write.address_ready = self.write.bursts.len() < OUTSTANDING && self.free();
        self.write.data_ready = !self.write.bursts.is_empty() && self.free();
        let due = self.write.responses.front().is_some_and(|(at, _)| *at <= self.cycle);
        if self.write.response.is_none() && due && self.free() {
            self.write.response = self.write.responses.pop_front().map(|(_, response)| response);
        }
    }

    fn refresh_read(&mut self, port: usize) {
        self.reads[port].address_ready = self.reads[port].bursts.len() < OUTSTANDING && self.free();
        let Some(burst) = self.reads[port].bursts.front().copied() else { return };
        let due = burst.ready_at <= self.cycle && self.budget >= BEAT_BYTES as f64;
        if self.reads[port].beat.is_some() || !due || !self.free() {
            return;
        }
        self.budget -= BEAT_BYTES as f64;
        let last = burst.beats == 1;
        self.reads[port].beat = Some(self.fetch(burst.address, last));
        if last {
            self.reads[port].bursts.pop_front();
        } else if let Some(front) = self.reads[port].bursts.front_mut() {
            front.address += BEAT_BYTES;
            front.beats -= 1;
        }
    }
}
