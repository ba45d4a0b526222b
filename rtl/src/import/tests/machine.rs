//! A state machine with a child, driven with random inputs in both simulators.

use crate::import::import;
use crate::{Bits as Vector, Design, Direction, Interpreter, Origin};
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::{dff::DFF, dff_setup};

#[derive(Copy, Clone, Debug, PartialEq, LogicState)]
enum State {
    Idle,
    Load,
    Run,
    Drain,
    Stop,
}

#[derive(LogicBlock, Default)]
struct Timer {
    pub clock: Signal<In, Clock>,
    pub clear: Signal<In, Bit>,
    pub step: Signal<In, Bits<4>>,
    pub ticks: Signal<Out, Bits<12>>,
    pub late: Signal<Out, Bit>,
    count: DFF<Bits<12>>,
}

impl Logic for Timer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, count);
        self.ticks.next = self.count.q.val();
        self.late.next = self.count.q.val() > 200;
        self.count.d.next = self.count.q.val() + bit_cast::<12, 4>(self.step.val());
        if self.clear.val() {
            self.count.d.next = 0.into();
        }
    }
}

#[derive(LogicBlock)]
struct Machine {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub amount: Signal<In, Bits<8>>,
    pub ready: Signal<In, Bit>,
    pub offset: Signal<In, Signed<8>>,
    pub valid: Signal<Out, Bit>,
    pub data: Signal<Out, Bits<8>>,
    pub state_code: Signal<Out, State>,
    pub negative: Signal<Out, Bit>,
    pub total: Signal<Out, Bits<16>>,
    pub late: Signal<Out, Bit>,
    pub shifted: Signal<Out, Bits<8>>,
    pub lanes_out: Signal<Out, Bits<4>>,
    state: DFF<State>,
    left: DFF<Bits<8>>,
    sum: DFF<Bits<16>>,
    level: DFF<Signed<8>>,
    lanes: [DFF<Bits<4>>; 3],
    timer: Timer,
    taken: Signal<Local, Bit>,
    next_left: Signal<Local, Bits<8>>,
    limit: Constant<Bits<8>>,
    zero: Constant<Signed<8>>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            clock: Default::default(),
            reset: Default::default(),
            start: Default::default(),
            amount: Default::default(),
            ready: Default::default(),
            offset: Default::default(),
            valid: Default::default(),
            data: Default::default(),
            state_code: Default::default(),
            negative: Default::default(),
            total: Default::default(),
            late: Default::default(),
            shifted: Default::default(),
            lanes_out: Default::default(),
            state: Default::default(),
            left: Default::default(),
            sum: Default::default(),
            level: Default::default(),
            lanes: Default::default(),
            timer: Default::default(),
            taken: Default::default(),
            next_left: Default::default(),
            limit: Constant::new(100.into()),
            zero: Constant::new(0.into()),
        }
    }
}

impl Logic for Machine {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, left, sum, level);
        self.timer.clock.next = self.clock.val();
        self.timer.step.next = self.left.q.val().get_bits::<4>(2);
        self.timer.clear.next = self.state.q.val() == State::Idle;
        self.late.next = self.timer.late.val();
        for i in 0..3 {
            self.lanes[i].clock.next = self.clock.val();
        }
        self.lanes[0].d.next = self.timer.ticks.val().get_bits::<4>(4);
        for i in 1..3 {
            self.lanes[i].d.next = self.lanes[i - 1].q.val() + 3;
        }
        self.lanes_out.next = self.lanes[2].q.val();
        self.valid.next = (self.state.q.val() == State::Run) | (self.state.q.val() == State::Drain);
        self.taken.next = self.valid.val() && self.ready.val();
        self.next_left.next = self.left.q.val() - 1;
        self.data.next = self.left.q.val() ^ 0x5A;
        self.state_code.next = self.state.q.val();
        self.total.next = self.sum.q.val();
        self.negative.next = self.level.q.val() < self.zero.val();
        self.shifted.next = (self.left.q.val() + self.amount.val()) >> 1;
        match self.state.q.val() {
            State::Idle => {
                self.level.d.next = self.offset.val();
                if self.start.val() & (self.amount.val() != 0) {
                    self.state.d.next = State::Load;
                }
            }
            State::Load => {
                self.left.d.next = self.amount.val();
                if self.amount.val() > self.limit.val() {
                    self.left.d.next = self.limit.val();
                }
                self.state.d.next = State::Run;
            }
            State::Run => {
                if self.taken.val() {
                    self.left.d.next = self.next_left.val();
                    self.sum.d.next = self.sum.q.val() + bit_cast::<16, 8>(self.data.val());
                    self.level.d.next = self.level.q.val() + self.offset.val();
                    if self.next_left.val() == 0 {
                        self.state.d.next = State::Drain;
                    }
                } else if self.late.val() {
                    self.state.d.next = State::Stop;
                }
            }
            State::Drain => {
                if self.taken.val() {
                    self.state.d.next = State::Idle;
                }
            }
            State::Stop => {
                self.sum.d.next = self.sum.q.val().replace_bit(15, true);
                if !self.start.val() {
                    self.state.d.next = State::Idle;
                }
            }
        }
        if self.reset.val() {
            self.state.d.next = State::Idle;
            self.sum.d.next = 0.into();
        }
    }
}

/// A fixed stream of pseudo-random words (the splitmix64 generator).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn settle(block: &mut Machine) {
    assert!(simulate(block, 50), "rust-hdl does not settle");
}

#[test]
fn both_simulators_agree_at_every_cycle() {
    let mut design = Design::new();
    import(&mut design, "machine", "", Machine::default()).unwrap();
    let mut ours = Interpreter::new(&design).unwrap();
    let mut theirs = Machine::default();
    theirs.connect_all();
    settle(&mut theirs);
    let mut random = Random(7);
    let mut seen = [0u32; 5];
    for cycle in 0..3000 {
        let word = random.next();
        let (reset, start, ready) = (word % 97 == 0, word >> 8 & 3 != 0, word >> 10 & 7 > 2);
        let amount = if word >> 13 & 1 == 1 { word >> 16 & 255 } else { word >> 16 & 7 };
        let offset = (word >> 24) as i8;
        theirs.reset.next = reset;
        theirs.start.next = start;
        theirs.ready.next = ready;
        theirs.amount.next = amount.into();
        theirs.offset.next = i64::from(offset).into();
        theirs.clock.next = Clock { clk: false };
        settle(&mut theirs);
        let flags = [("reset", reset), ("start", start), ("ready", ready)];
        for (name, value) in flags {
            ours.set_input(name, &Vector::new(1, u128::from(value))).unwrap();
        }
        ours.set_input("amount", &Vector::new(8, u128::from(amount))).unwrap();
        ours.set_input("offset", &Vector::from_i128(8, i128::from(offset))).unwrap();
        let state = theirs.state_code.val() as usize;
        seen[state] += 1;
        let expected = [
            ("valid", u64::from(theirs.valid.val())),
            ("data", theirs.data.val().to_u64()),
            ("state_code", state as u64),
            ("negative", u64::from(theirs.negative.val())),
            ("total", theirs.total.val().to_u64()),
            ("late", u64::from(theirs.late.val())),
            ("shifted", theirs.shifted.val().to_u64()),
            ("lanes_out", theirs.lanes_out.val().to_u64()),
        ];
        for (name, value) in expected {
            assert_eq!(ours.output(name).unwrap().low_u64(), value, "{name} in cycle {cycle}");
        }
        theirs.clock.next = Clock { clk: true };
        settle(&mut theirs);
        ours.step();
    }
    assert!(seen.iter().all(|count| *count > 20), "states visited: {seen:?}");
}

#[test]
fn names_stay_as_written() {
    let mut design = Design::new();
    let doc = "A machine.\n- amount: words to send\nSecond line.";
    let id = import(&mut design, "machine", doc, Machine::default()).unwrap();
    let module = design.module(id);
    assert_eq!((module.name.as_str(), module.doc.as_str()), ("machine", "A machine.\nSecond line."));
    assert_eq!(module.origin, Origin::RustHdl);
    let ports: Vec<(&str, Option<Direction>, u32, bool)> =
        module.ports().map(|(_, s)| (s.name.as_str(), s.port, s.ty.width, s.ty.signed)).collect();
    let (input, output) = (Some(Direction::Input), Some(Direction::Output));
    assert_eq!(
        ports,
        [
            ("reset", input, 1, false),
            ("start", input, 1, false),
            ("amount", input, 8, false),
            ("ready", input, 1, false),
            ("offset", input, 8, true),
            ("valid", output, 1, false),
            ("data", output, 8, false),
            ("state_code", output, 3, false),
            ("negative", output, 1, false),
            ("total", output, 16, false),
            ("late", output, 1, false),
            ("shifted", output, 8, false),
            ("lanes_out", output, 4, false),
        ]
    );
    let registers: Vec<&str> = module.registers.iter().map(|r| module.signal(r.signal).name.as_str()).collect();
    assert_eq!(registers, ["state", "left", "sum", "level", "lanes_0", "lanes_1", "lanes_2", "timer_count"]);
    let doc = |name: &str| module.signal(module.find(name).unwrap()).doc.as_str();
    assert_eq!(doc("state"), "0 Idle, 1 Load, 2 Run, 3 Drain, 4 Stop");
    assert_eq!(doc("amount"), "words to send");
    assert!(module.find("taken").is_some() && module.find("timer_step").is_some());
}
