//! A memory behind an AXI4 write channel, with random stalls; checks the master.

use crate::bench::{Bench, chance};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, VecDeque};

/// The slave.
pub struct WriteSlave {
    prefix: String,
    rng: ChaCha8Rng,
    pace: f64,
    /// The slave takes no address before it has seen the last beat of its burst.
    pub data_first: bool,
    announced: VecDeque<(u64, u64)>,
    data: VecDeque<(u128, bool)>,
    answers: u64,
    address_ready: bool,
    data_ready: bool,
    answering: bool,
    held_address: Option<(u128, u128)>,
    held_data: Option<(u128, bool)>,
    /// Response to the burst of this number.
    pub flaw: Option<(u64, u128)>,
    /// Bursts announced, answered.
    pub bursts: (u64, u64),
    /// What was written.
    pub memory: BTreeMap<u64, u128>,
}

impl WriteSlave {
    pub fn new(prefix: &str, seed: u64, pace: f64) -> Self {
        Self {
            prefix: prefix.to_owned(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            pace,
            data_first: false,
            announced: VecDeque::new(),
            data: VecDeque::new(),
            answers: 0,
            address_ready: false,
            data_ready: false,
            answering: false,
            held_address: None,
            held_data: None,
            flaw: None,
            bursts: (0, 0),
            memory: BTreeMap::new(),
        }
    }

    /// Nothing announced, nothing unanswered.
    pub fn is_quiet(&self) -> bool {
        self.announced.is_empty() && self.data.is_empty() && self.answers == 0 && self.held_address.is_none()
    }

    fn name(&self, port: &str) -> String {
        format!("{}{port}", self.prefix)
    }

    /// Drives the slave's side for this cycle.
    pub fn drive(&mut self, bench: &mut Bench) {
        let may = !self.data_first || self.data.iter().any(|(_, last)| *last);
        self.address_ready = may && chance(&mut self.rng, self.pace);
        self.data_ready = chance(&mut self.rng, self.pace);
        if !self.answering {
            self.answering = self.answers > 0 && chance(&mut self.rng, self.pace / 4.0);
        }
        let code = self.flaw.filter(|(burst, _)| *burst == self.bursts.1).map_or(0, |(_, code)| code);
        bench.set(&self.name("awready"), u128::from(self.address_ready));
        bench.set(&self.name("wready"), u128::from(self.data_ready));
        bench.set(&self.name("bvalid"), u128::from(self.answering));
        bench.set(&self.name("bresp"), if self.answering { code } else { 3 });
    }

    /// Looks at both sides at the end of the cycle.
    pub fn observe(&mut self, bench: &mut Bench) {
        let address = (bench.get(&self.name("awaddr")), bench.get(&self.name("awlen")));
        let valid = bench.flag(&self.name("awvalid"));
        if let Some(held) = self.held_address {
            assert!(valid && held == address, "the address changed before awready");
        }
        self.held_address = (valid && !self.address_ready).then_some(address);
        if valid && self.address_ready {
            assert_eq!(address.0 % 256, 0, "bursts never cross 4 KiB");
            assert_eq!((bench.get(&self.name("awsize")), bench.get(&self.name("awburst"))), (4, 1));
            self.announced.push_back((address.0 as u64, address.1 as u64 + 1));
            self.bursts.0 += 1;
        }
        let data = (bench.get(&self.name("wdata")), bench.flag(&self.name("wlast")));
        let valid = bench.flag(&self.name("wvalid"));
        if let Some(held) = self.held_data {
            assert!(valid && held == data, "the data changed before wready");
        }
        self.held_data = (valid && !self.data_ready).then_some(data);
        if valid && self.data_ready {
            assert_eq!(bench.get(&self.name("wstrb")), 0xffff);
            self.data.push_back(data);
        }
        if self.answering && bench.flag(&self.name("bready")) {
            self.answering = false;
            self.answers -= 1;
            self.bursts.1 += 1;
        }
        self.store();
    }

    /// Stores a burst when its address and all its beats are here.
    fn store(&mut self) {
        let Some(&(address, beats)) = self.announced.front() else { return };
        if (self.data.len() as u64) < beats {
            assert!(self.data.iter().all(|(_, last)| !last), "wlast too early");
            return;
        }
        for i in 0..beats {
            let (data, last) = self.data.pop_front().expect("counted above");
            assert_eq!(last, i == beats - 1, "wlast");
            assert!(self.memory.insert(address + 16 * i, data).is_none(), "written twice");
        }
        self.announced.pop_front();
        self.answers += 1;
    }
}
