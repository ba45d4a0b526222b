//! A memory behind an AXI4 read channel, with random latency and stalls; checks the master.

use crate::bench::{Bench, chance};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// The word at an address: its hash, so that every beat is recognised.
pub fn word(address: u64) -> u128 {
    let mixed = (address + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u128::from(mixed) << 64 | u128::from(address)
}

/// A response that is not as it should be.
#[derive(Clone, Copy, PartialEq)]
pub enum Flaw {
    /// Response code on a beat.
    Response(u128),
    /// RLAST inverted on a beat.
    Last,
}

/// The slave.
pub struct ReadSlave {
    prefix: String,
    rng: ChaCha8Rng,
    /// Probability that a handshake goes through in a cycle.
    pub pace: f64,
    latency: u64,
    requests: VecDeque<(u64, u64)>,
    beat: u64,
    offered: bool,
    held: Option<u128>,
    ready: bool,
    /// Address of the flawed beat.
    pub flaw: Option<(u64, Flaw)>,
    /// Bursts taken.
    pub bursts: Vec<u64>,
    /// Beats delivered.
    pub beats: u64,
}

impl ReadSlave {
    pub fn new(prefix: &str, seed: u64, pace: f64, latency: u64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            pace,
            latency,
            requests: VecDeque::new(),
            beat: 0,
            offered: false,
            held: None,
            ready: false,
            flaw: None,
            bursts: Vec::new(),
            beats: 0,
        }
    }

    /// Beats requested and not delivered.
    pub fn outstanding(&self) -> u64 {
        16 * self.bursts.len() as u64 - self.beats
    }

    fn name(&self, port: &str) -> String {
        format!("{}{port}", self.prefix)
    }

    /// Drives the slave's side for this cycle.
    pub fn drive(&mut self, bench: &mut Bench) {
        self.ready = chance(&mut self.rng, self.pace);
        bench.set(&self.name("arready"), u128::from(self.ready));
        if !self.offered {
            let due = self.requests.front().is_some_and(|(_, at)| *at <= bench.now);
            self.offered = due && chance(&mut self.rng, self.pace);
        }
        bench.set(&self.name("rvalid"), u128::from(self.offered));
        let Some((address, _)) = self.requests.front().filter(|_| self.offered) else { return };
        let address = address + 16 * self.beat;
        let flaw = self.flaw.filter(|(at, _)| *at == address).map(|(_, flaw)| flaw);
        let response = if let Some(Flaw::Response(code)) = flaw { code } else { 0 };
        let last = (self.beat == 15) != (flaw == Some(Flaw::Last));
        bench.set(&self.name("rdata"), word(address));
        bench.set(&self.name("rresp"), response);
        bench.set(&self.name("rlast"), u128::from(last));
    }

    /// Looks at both sides at the end of the cycle.
    pub fn observe(&mut self, bench: &mut Bench) {
        let valid = bench.flag(&self.name("arvalid"));
        let address = bench.get(&self.name("araddr"));
        if let Some(held) = self.held {
            assert!(valid, "arvalid fell before arready");
            assert_eq!(address, held, "araddr changed before arready");
        }
        self.held = valid.then_some(address);
        if valid && self.ready {
            assert_eq!(address % 256, 0, "bursts are aligned, so they never cross 4 KiB");
            assert_eq!(bench.get(&self.name("arlen")), 15);
            assert_eq!(bench.get(&self.name("arsize")), 4);
            assert_eq!(bench.get(&self.name("arburst")), 1);
            self.requests.push_back((address as u64, bench.now + self.latency));
            self.bursts.push(address as u64);
            self.held = None;
        }
        if self.offered && bench.flag(&self.name("rready")) {
            self.offered = false;
            self.beats += 1;
            self.beat += 1;
            if self.beat == 16 {
                self.beat = 0;
                self.requests.pop_front();
            }
        }
    }
}
