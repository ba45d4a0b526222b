//! Register file over AXI4-Lite, against an array of words.

use crate::bench::{Bench, chance};
use crate::bus::{ID, Register, VERSION};
use heatvit_rtl::Design;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// OKAY and SLVERR.
const OKAY: u128 = 0;
const SLVERR: u128 = 2;

fn design() -> Design {
    let mut design = Design::new();
    crate::bus::registers(&mut design);
    design
}

/// A host on the AXI4-Lite port; channels stall at random.
pub struct Host {
    prefix: String,
    rng: ChaCha8Rng,
    pace: f64,
}

impl Host {
    pub fn new(prefix: &str, seed: u64, pace: f64) -> Self {
        Self { prefix: prefix.to_owned(), rng: ChaCha8Rng::seed_from_u64(seed), pace }
    }

    fn name(&self, port: &str) -> String {
        format!("{}{port}", self.prefix)
    }

    fn idle(&self, bench: &mut Bench) {
        for port in ["awvalid", "wvalid", "bready", "arvalid", "rready"] {
            bench.set(&self.name(port), 0);
        }
    }

    /// Writes; `each` sees every cycle before its edge. Returns the response and the number of the edge at
    /// which the write was accepted.
    pub fn write(
        &mut self,
        bench: &mut Bench,
        (address, data, strobe): (u32, u32, u32),
        each: &mut dyn FnMut(&mut Bench),
    ) -> (u128, u64) {
        let (mut address_sent, mut data_sent) = (false, false);
        let (mut address_up, mut data_up) = (false, false);
        let mut accepted = 0;
        let limit = bench.now + 1_000;
        loop {
            assert!(bench.now < limit, "no response to a write");
            address_up = !address_sent && (address_up || chance(&mut self.rng, self.pace));
            data_up = !data_sent && (data_up || chance(&mut self.rng, self.pace));
            let answer_ready = chance(&mut self.rng, self.pace);
            bench.set(&self.name("awvalid"), u128::from(address_up));
            // Values count only beside their valid.
            bench.set(&self.name("awaddr"), u128::from(if address_up { address } else { 0xfff }));
            bench.set(&self.name("wvalid"), u128::from(data_up));
            bench.set(&self.name("wdata"), u128::from(if data_up { data } else { !0 }));
            bench.set(&self.name("wstrb"), u128::from(if data_up { strobe } else { 0xf }));
            bench.set(&self.name("bready"), u128::from(answer_ready));
            each(bench);
            if address_up && bench.flag(&self.name("awready")) {
                address_sent = true;
                accepted = bench.now;
            }
            if data_up && bench.flag(&self.name("wready")) {
                data_sent = true;
                accepted = bench.now;
            }
            let answer = bench.flag(&self.name("bvalid")) && answer_ready;
            assert!(!answer || (address_sent && data_sent), "answered too early");
            let response = bench.get(&self.name("bresp"));
            bench.step();
            if answer {
                self.idle(bench);
                return (response, accepted);
            }
        }
    }

    /// Reads; returns data and response.
    pub fn read(&mut self, bench: &mut Bench, address: u32, each: &mut dyn FnMut(&mut Bench)) -> (u32, u128) {
        let (mut sent, mut up) = (false, false);
        let mut held = None;
        let limit = bench.now + 1_000;
        loop {
            assert!(bench.now < limit, "no response to a read");
            up = !sent && (up || chance(&mut self.rng, self.pace));
            let ready = chance(&mut self.rng, self.pace);
            bench.set(&self.name("arvalid"), u128::from(up));
            bench.set(&self.name("araddr"), u128::from(if up { address } else { 0 }));
            bench.set(&self.name("rready"), u128::from(ready));
            each(bench);
            sent |= up && bench.flag(&self.name("arready"));
            let valid = bench.flag(&self.name("rvalid"));
            let answer = (bench.get(&self.name("rdata")) as u32, bench.get(&self.name("rresp")));
            assert!(held.is_none_or(|h| valid && h == answer), "the answer changed before rready");
            held = valid.then_some(answer);
            bench.step();
            if valid && ready {
                self.idle(bench);
                return answer;
            }
        }
    }
}

/// Bits that a register keeps.
fn kept(word: u32) -> u32 {
    match 4 * word {
        0x10 | 0x14 | 0x1c | 0x20 | 0x28 => 0xffff_f000,
        0x18 | 0x24 | 0x2c => 0xffff,
        0x30 => 0xffff_ffff,
        _ => 0,
    }
}

#[test]
fn the_map_holds_what_is_written() {
    let design = design();
    for (seed, pace) in [(1, 1.0), (2, 0.5), (3, 0.2)] {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(&design);
        let mut host = Host::new("", seed, pace);
        let mut model = [0u32; 16];
        for _ in 0..400 {
            let address =
                if chance(&mut rng, 0.1) { rng.random_range(0x40..0x1000) } else { rng.random_range(0..0x40) };
            let known = address < 0x40;
            let response = if known { OKAY } else { SLVERR };
            let word = (address / 4) as usize;
            if chance(&mut rng, 0.5) {
                let (data, strobe) = (rng.random::<u32>(), rng.random_range(0..16));
                assert_eq!(host.write(&mut bench, (address, data, strobe), &mut |_| ()).0, response);
                let mask = (0..4).filter(|i| strobe >> i & 1 == 1).fold(0, |m, i| m | 0xffu32 << (8 * i));
                if known {
                    model[word] = ((model[word] & !mask) | (data & mask)) & kept(word as u32);
                }
            } else {
                let (data, code) = host.read(&mut bench, address, &mut |_| ());
                assert_eq!(code, response);
                let expected = match address & !3 {
                    0x38 => ID,
                    0x3c => VERSION,
                    _ if known => model[word],
                    _ => data,
                };
                assert_eq!(data, expected, "address {address:#x}");
            }
        }
    }
}

#[test]
fn a_second_write_waits_for_the_answer_to_the_first() {
    let design = design();
    let mut bench = Bench::new(&design);
    let watchdog = u128::from(Register::Watchdog.offset());
    // Data first: the slave takes one word and no more.
    bench.set("wvalid", 1);
    bench.set("wstrb", 0xf);
    bench.set("wdata", 11);
    assert!(bench.flag("wready"));
    bench.step();
    bench.set("wdata", 22);
    for _ in 0..3 {
        assert!(!bench.flag("wready"));
        bench.step();
    }
    bench.set("awvalid", 1);
    bench.set("awaddr", watchdog);
    assert!(bench.flag("awready"));
    bench.step();
    for _ in 0..4 {
        assert!(!bench.flag("awready") && !bench.flag("wready"));
        bench.step();
    }
    assert!(bench.flag("bvalid"));
    assert_eq!(bench.get("watchdog"), 11);
    bench.set("bready", 1);
    (0..6).for_each(|_| bench.step());
    assert_eq!(bench.get("watchdog"), 22);
}

#[test]
fn every_port_gets_its_own_region() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut host = Host::new("", 1, 1.0);
    let settings = [
        (Register::ImageAddr, 0x1000_0000),
        (Register::ImageStride, 0x2000),
        (Register::ImageBursts, 11),
        (Register::ProgramAddr, 0x4000_5000),
        (Register::ProgramStride, 0x10_0000),
        (Register::ProgramBursts, 0xfff0),
        (Register::ResultAddr, 0x7000_0000),
        (Register::ResultBeats, 2),
        (Register::Watchdog, 123_456_789),
    ];
    for (register, value) in settings {
        host.write(&mut bench, (register.offset(), value, 0xf), &mut |_| ());
    }
    (0..3).for_each(|_| bench.step());
    let lanes = |base: u32, stride: u32| (0..4).fold(0u128, |all, p| all | u128::from(base + p * stride) << (32 * p));
    assert_eq!(bench.get("image_addr"), lanes(0x1000_0000, 0x2000));
    assert_eq!(bench.get("program_addr"), lanes(0x4000_5000, 0x10_0000));
    let outputs = ["image_bursts", "program_bursts", "result_addr", "result_beats", "watchdog"];
    let values = outputs.map(|name| bench.get(name));
    assert_eq!(values, [11, 0xfff0, 0x7000_0000, 2, 123_456_789]);
}

#[test]
fn commands_are_pulses_and_status_reads_back() {
    let design = design();
    let mut bench = Bench::new(&design);
    let mut host = Host::new("", 1, 0.5);
    let cases = [
        (Register::Control, 1, 0xf, [1, 0, 0]),
        (Register::Control, 2, 0xf, [0, 1, 0]),
        (Register::Control, 3, 0x1, [1, 1, 0]),
        (Register::Control, 3, 0xe, [0, 0, 0]),
        (Register::Irq, 1, 0xf, [0, 0, 1]),
        (Register::Irq, 0xfffe, 0xf, [0, 0, 0]),
        (Register::Status, 3, 0xf, [0, 0, 0]),
    ];
    for (register, data, strobe, expected) in cases {
        let mut pulses = [0; 3];
        host.write(&mut bench, (register.offset(), data, strobe), &mut |bench| {
            for (count, name) in pulses.iter_mut().zip(["start", "abort", "irq_clear"]) {
                *count += u32::from(bench.flag(name));
            }
        });
        assert_eq!(pulses, expected, "{register:?} {data:#x} {strobe:#x}");
    }
    for (name, value) in [("busy", 1), ("done", 1), ("error", 4), ("pending", 1), ("cycles", 0x1234_5678)] {
        bench.set(name, value);
    }
    let read = [Register::Status, Register::Error, Register::Irq, Register::Cycles, Register::Control]
        .map(|register| host.read(&mut bench, register.offset(), &mut |_| ()));
    assert_eq!(read, [(3, OKAY), (4, OKAY), (1, OKAY), (0x1234_5678, OKAY), (0, OKAY)]);
}
