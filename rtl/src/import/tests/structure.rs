//! Blocks that are refused for what they consist of or for how they use their signals.

use crate::Design;
use crate::import::import;
use rust_hdl_core::prelude::*;
use rust_hdl_widgets::edge_ff::EdgeDFF;
use rust_hdl_widgets::prelude::RAM;
use rust_hdl_widgets::{dff::DFF, dff_setup};

fn message<B: Block>(block: B) -> String {
    import(&mut Design::new(), "top", "", block).unwrap_err().to_string()
}

/// A block around one register and one local whose kernel breaks a rule.
macro_rules! misuse {
    ($test:ident, $update:item, $message:expr) => {
        #[test]
        fn $test() {
            #[derive(LogicBlock, Default)]
            struct Misuse {
                pub clock: Signal<In, Clock>,
                pub a: Signal<In, Bits<4>>,
                pub p: Signal<In, Bit>,
                pub o: Signal<Out, Bits<4>>,
                r: DFF<Bits<4>>,
                l: Signal<Local, Bits<4>>,
            }
            impl Logic for Misuse {
                $update
            }
            assert_eq!(message(Misuse::default()), $message);
        }
    };
}

misuse!(
    latch,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.o.next = self.r.q.val();
        if self.p.val() {
            self.l.next = self.a.val();
        }
    },
    "block `top`: `l` is not assigned on every path (a latch); assign a default first (`dff_setup!` does for a `DFF`)"
);
misuse!(
    register_without_default,
    #[hdl_gen]
    fn update(&mut self) {
        self.r.clock.next = self.clock.val();
        self.l.next = self.a.val();
        self.o.next = self.r.q.val();
        if self.p.val() {
            self.r.d.next = self.a.val();
        }
    },
    "block `top`: `r.d` is not assigned on every path (a latch); assign a default first (`dff_setup!` does for a `DFF`)"
);
misuse!(
    register_without_clock,
    #[hdl_gen]
    fn update(&mut self) {
        self.l.next = self.a.val();
        self.o.next = self.r.q.val();
        self.r.d.next = self.a.val();
    },
    "block `top`: `r.clock` is not connected; connect it to `clock`, or use `dff_setup!`"
);
misuse!(
    read_before_assigned,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.o.next = self.l.val();
        self.l.next = self.a.val();
    },
    "block `top`: `l` is read where it is not assigned on every path; assign it first"
);
misuse!(
    assigned_after_read,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.l.next = self.a.val();
        self.o.next = self.l.val();
        if self.p.val() {
            self.l.next = 3.into();
        }
    },
    "block `top`: `l` is assigned again after it was read; assign its final value before it is read"
);
misuse!(
    next_state_read,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.l.next = self.a.val();
        self.o.next = self.r.d.val();
    },
    "block `top`: `r.d` is an input of a child and is read; read `q`, or a `Local` signal with its value"
);
misuse!(
    input_assigned,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.l.next = self.a.val();
        self.o.next = self.a.val();
        self.a.next = 1.into();
    },
    "block `top`: `a` is an input of this block and is assigned in it; use a `Local` signal"
);
misuse!(
    child_output_assigned,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.l.next = self.a.val();
        self.o.next = self.a.val();
        self.r.q.next = 1.into();
    },
    "block `top`: `r.q` is an output of a child and is assigned; assign the child's input"
);

const LIMIT: u64 = 3;

misuse!(
    rust_constant,
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, r);
        self.l.next = self.a.val();
        self.o.next = self.a.val() + LIMIT;
    },
    "block `top`: `LIMIT` is unknown to rust-hdl; use a signal, a `Constant` field, a literal or `Enum::State`"
);

#[test]
fn paths_that_exclude_each_other_are_told_apart() {
    #[derive(LogicBlock, Default)]
    struct Paths {
        pub a: Signal<In, Bits<4>>,
        pub p: Signal<In, Bit>,
        pub o: Signal<Out, Bits<4>>,
        l: Signal<Local, Bits<4>>,
    }
    impl Logic for Paths {
        #[hdl_gen]
        fn update(&mut self) {
            if self.p.val() {
                self.l.next = self.a.val();
                self.o.next = self.l.val();
            } else {
                self.l.next = 3.into();
                self.o.next = !self.l.val();
            }
        }
    }
    let mut design = Design::new();
    let id = import(&mut design, "paths", "", Paths::default()).unwrap();
    assert_eq!(design.module(id).processes.len(), 2);
}

/// A block with one child of the given type.
macro_rules! around {
    ($test:ident, $child:ty, $value:expr, $message:expr) => {
        #[test]
        fn $test() {
            #[derive(LogicBlock)]
            struct Around {
                pub clock: Signal<In, Clock>,
                inner: $child,
            }
            impl Logic for Around {
                #[hdl_gen]
                fn update(&mut self) {}
            }
            let block = Around { clock: Signal::default(), inner: $value };
            assert_eq!(message(block), $message);
        }
    };
}

around!(
    memory,
    RAM<Bits<8>, 4>,
    RAM::default(),
    "block `top.inner` is a primitive (`ram_read`), which is not imported; keep state in `DFF` children and memories \
     outside"
);
around!(
    edge_register,
    EdgeDFF<Bits<4>>,
    EdgeDFF::default(),
    "block `top.inner` is a primitive (`edge_ff`), which is not imported; keep state in `DFF` children and memories \
     outside"
);

#[derive(LogicBlock, Default)]
struct ByHand {
    pub a: Signal<In, Bit>,
}

impl Logic for ByHand {
    fn update(&mut self) {}
}

around!(
    block_without_kernel,
    ByHand,
    ByHand::default(),
    "block `top.inner` is a block without `#[hdl_gen]`, which is not imported; keep state in `DFF` children and memories \
     outside"
);
around!(
    bidirectional,
    Signal<InOut, Bit>,
    Signal::default(),
    "block `top`: signal `inner` is bidirectional; use one `In` and one `Out` signal"
);
around!(
    second_clock,
    Signal<In, Clock>,
    Signal::default(),
    "block `top`: signal `inner` is a second clock; the only clock is the input `clock: Signal<In, Clock>`"
);

#[derive(Copy, Clone, Debug, PartialEq, Default, LogicStruct)]
struct Pair {
    low: Bits<4>,
    high: Bits<4>,
}

around!(
    structure,
    Signal<In, Pair>,
    Signal::default(),
    "block `top`: signal `inner` is a struct; use one signal for each field"
);

#[test]
fn comment_for_no_port() {
    let error = import(&mut Design::new(), "hand", "- b: nothing", Open::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "module `hand`: the description has a comment for `b`, which is no port; its ports are `a`, `o`"
    );
}

#[derive(LogicBlock, Default)]
struct Open {
    pub a: Signal<In, Bit>,
    pub o: Signal<Out, Bit>,
}

impl Logic for Open {
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = !self.a.val();
    }
}
