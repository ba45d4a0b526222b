//! Expression by expression: what agrees in both languages is imported, what may differ is refused.

use crate::import::import;
use crate::{Bits as Vector, Design, Interpreter};
use rust_hdl_core::prelude::*;

/// A block with operands of several types and one output, named as the test.
macro_rules! form {
    ($name:ident, $out:ty, $update:item) => {
        #[derive(LogicBlock, Default)]
        struct $name {
            pub a: Signal<In, Bits<8>>,
            pub b: Signal<In, Bits<8>>,
            pub s: Signal<In, Signed<8>>,
            pub t: Signal<In, Signed<8>>,
            pub w: Signal<In, Signed<32>>,
            pub n: Signal<In, Bits<3>>,
            pub x: Signal<In, Bits<16>>,
            pub y: Signal<In, Bits<16>>,
            pub p: Signal<In, Bit>,
            pub q: Signal<In, Bit>,
            pub o: Signal<Out, $out>,
        }
        impl Logic for $name {
            $update
        }
    };
}

/// The whole message with which a block is refused.
macro_rules! refused {
    ($test:ident, $out:ty, $update:item, $message:expr) => {
        #[test]
        fn $test() {
            form!(Form, $out, $update);
            let error = import(&mut Design::new(), "form", "", Form::default()).unwrap_err();
            assert_eq!(error.to_string(), $message);
        }
    };
}

/// The block gives the same output in both simulators for 500 random inputs.
macro_rules! agrees {
    ($test:ident, $out:ty, $update:item) => {
        #[test]
        fn $test() {
            form!(Form, $out, $update);
            let mut design = Design::new();
            import(&mut design, "form", "", Form::default()).unwrap();
            let mut ours = Interpreter::new(&design).unwrap();
            let mut theirs = Form::default();
            theirs.connect_all();
            let mut random = super::machine::Random(11);
            for _ in 0..500 {
                let word = random.next();
                let wide = random.next() as i32;
                // rust-hdl cannot cast the most negative value: it never returns.
                let signed = |bits: u64| i64::from((bits as i8).max(-127));
                theirs.a.next = (word & 255).into();
                theirs.b.next = (word >> 8 & 255).into();
                theirs.s.next = signed(word >> 16 & 255).into();
                theirs.t.next = signed(word >> 24 & 255).into();
                theirs.w.next = i64::from(wide).into();
                theirs.n.next = (word >> 32 & 7).into();
                theirs.x.next = (word >> 36 & 0xFFFF).into();
                theirs.y.next = (word >> 40 & 0xFFFF).into();
                theirs.p.next = word >> 62 & 1 == 1;
                theirs.q.next = word >> 63 & 1 == 1;
                assert!(simulate(&mut theirs, 10));
                let bits = |width: u32, value: u64| Vector::new(width, u128::from(value));
                for (name, value) in [
                    ("a", bits(8, word)),
                    ("b", bits(8, word >> 8)),
                    ("s", Vector::from_i128(8, signed(word >> 16 & 255).into())),
                    ("t", Vector::from_i128(8, signed(word >> 24 & 255).into())),
                    ("w", Vector::from_i128(32, wide.into())),
                    ("n", bits(3, word >> 32)),
                    ("x", bits(16, word >> 36)),
                    ("y", bits(16, word >> 40)),
                    ("p", bits(1, word >> 62)),
                    ("q", bits(1, word >> 63)),
                ] {
                    ours.set_input(name, &value).unwrap();
                }
                let expected =
                    crate::import::names::number(&theirs.o.verilog().to_string(), <$out as Synth>::BITS as u32);
                assert_eq!(ours.output("o").unwrap(), expected, "inputs {word:x} {wide:x}");
            }
        }
    };
}

// The nine forms that are known to differ.
refused!(
    cast_of_sum,
    Bits<16>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<16, 8>(self.a.val() + self.b.val());
    },
    "block `form`: `bit_cast::<16, 8>(a + b)` can differ between Rust and Verilog: `a + b` has 8 bits in Rust and is \
     computed in 16 bits in Verilog; assign `a + b` to a `Local` signal and use that signal here"
);
refused!(
    cast_of_shift,
    Bits<16>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<16, 8>(self.a.val() << 4);
    },
    "block `form`: `bit_cast::<16, 8>(a << 4)` can differ between Rust and Verilog: `a << 4` has 8 bits in Rust and is \
     computed in 16 bits in Verilog; assign `a << 4` to a `Local` signal and use that signal here"
);
refused!(
    sign_extension_beside_a_literal,
    Signed<32>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = signed_bit_cast::<32, 8>(self.s.val()) + 1.into();
    },
    "block `form`: `signed_bit_cast::<_, 8>(s)` can differ between Rust and Verilog: an unsigned operand beside it makes \
     Verilog extend it with zeros; assign it to a `Local` signal, and the number beside it to another of type `Signed`"
);
refused!(
    and_beside_a_comparison,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() & self.b.val() == self.b.val();
    },
    "block `form`: `a & b == b` can differ between Rust and Verilog: Verilog does not bind `&` tighter than `==` as Rust \
     does; write `(a & b)`"
);
refused!(
    signed_against_a_literal,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.s.val() < 0.into();
    },
    "block `form`: `s < 0` can differ between Rust and Verilog: an unsigned operand makes Verilog compare unsigned; \
     compare with a `Constant<Signed<8>>` field"
);
refused!(
    difference_against_a_literal,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() - self.b.val()) < 5;
    },
    "block `form`: `(a - b) < 5` can differ between Rust and Verilog: `a - b` has 8 bits in Rust and is computed in 32 \
     bits in Verilog; assign `a - b` to a `Local` signal and use that signal here"
);
refused!(
    narrowed_signed_compared,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = signed_bit_cast::<8, 32>(self.w.val()) == self.s.val();
    },
    "block `form`: `signed_bit_cast::<_, 32>(w) == s` can differ between Rust and Verilog: `signed_bit_cast::<_, 32>(w)` \
     has 8 bits in Rust and is computed in 32 bits in Verilog; assign `signed_bit_cast::<_, 32>(w)` to a `Local` signal \
     and use that signal here"
);
refused!(
    cast_of_complement,
    Bits<16>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<16, 8>(!self.a.val());
    },
    "block `form`: `bit_cast::<16, 8>(!a)` can differ between Rust and Verilog: `!a` has 8 bits in Rust and is computed \
     in 16 bits in Verilog; assign `!a` to a `Local` signal and use that signal here"
);
refused!(
    sum_against_a_literal,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() + self.b.val() == 0;
    },
    "block `form`: `a + b == 0` can differ between Rust and Verilog: `a + b` has 8 bits in Rust and is computed in 32 \
     bits in Verilog; assign `a + b` to a `Local` signal and use that signal here"
);

// More of the same kinds.
refused!(
    shift_of_a_sum_with_a_literal,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() + 1) >> 1;
    },
    "block `form`: `(a + 1) >> 1` can differ between Rust and Verilog: `a + 1` has 8 bits in Rust and is computed in 32 \
     bits in Verilog; assign `a + 1` to a `Local` signal and use that signal here"
);
refused!(
    complement_against_a_literal,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = !self.a.val() == 5;
    },
    "block `form`: `!a == 5` can differ between Rust and Verilog: `!a` has 8 bits in Rust and is computed in 32 bits in \
     Verilog; assign `!a` to a `Local` signal and use that signal here"
);
refused!(
    or_beside_a_comparison,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = 0.into();
        if self.a.val() | self.b.val() != self.a.val() {
            self.o.next = 1.into();
        }
    },
    "block `form`: `a | b != a` can differ between Rust and Verilog: Verilog does not bind `|` tighter than `!=` as Rust \
     does; write `(a | b)`"
);
refused!(
    sum_as_any,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() + 1).any();
    },
    "block `form`: `(a + 1).any()` can differ between Rust and Verilog: `a + 1` has 8 bits in Rust and is computed in 32 \
     bits in Verilog; assign `a + 1` to a `Local` signal and use that signal here"
);
refused!(
    literal_too_large,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.n.val() == 9;
    },
    "block `form`: `9` is not imported: it does not fit the 3 bits of its type; use a smaller number or a wider signal"
);
refused!(
    bits_beyond_the_signal,
    Bits<4>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().get_bits::<4>(5);
    },
    "block `form`: `a.get_bits::<4>(5)` is not imported: it reaches beyond the signal; take fewer bits or from a lower \
     place"
);
refused!(
    bits_of_an_expression,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() + self.b.val()).get_bit(7);
    },
    "block `form`: `(a + b).get_bit(7)` is not imported: Verilog takes bits of signals only; assign the value to a \
     `Local` signal and take the bits of that signal"
);

// What agrees.
agrees!(
    signed_comparison,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.s.val() < self.t.val();
    }
);
agrees!(
    carry_dropped_by_shift,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() + self.b.val()) >> 1;
    }
);
agrees!(
    complement,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = !self.a.val();
    }
);
agrees!(
    sign_extended_sum,
    Signed<32>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = signed_bit_cast::<32, 8>(self.s.val()) + signed_bit_cast::<32, 8>(self.t.val());
    }
);
agrees!(
    sign_extended_product,
    Signed<32>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = signed_bit_cast::<16, 8>(self.s.val()) * signed_bit_cast::<16, 8>(self.t.val());
    }
);
agrees!(
    product,
    Bits<32>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.x.val() * self.y.val();
    }
);
agrees!(
    sum_and_difference,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() + self.b.val() - 3;
    }
);
agrees!(
    sum_of_one_width_compared,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() + self.b.val()) == self.b.val();
    }
);
agrees!(
    bitwise,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() & self.b.val()) | (self.a.val() ^ !self.b.val());
    }
);
agrees!(
    flags,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.p.val() & !self.q.val()) || (self.a.val() >= self.b.val()) && (self.n.val() != 3);
    }
);
agrees!(
    orders,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = 0.into();
        if self.a.val() <= 100 {
            self.o.next = 1.into();
        } else if self.a.val() > self.b.val() {
            self.o.next = bits::<8>(2);
        }
    }
);
agrees!(
    cast_wider,
    Bits<16>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<16, 8>(self.a.val()) + bit_cast::<16, 8>(self.b.val());
    }
);
agrees!(
    cast_narrower,
    Bits<4>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = bit_cast::<4, 8>(self.a.val() + self.b.val());
    }
);
agrees!(
    shift_by_a_signal,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() << self.n.val();
    }
);
agrees!(
    shifts_by_literals,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = (self.a.val() << 3) | (self.b.val() >> 5);
    }
);
agrees!(
    parts,
    Bits<4>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().get_bits::<4>(3);
        if self.b.val().get_bit(2) {
            self.o.next = self.a.val().get_bits::<4>(self.n.val().get_bits::<2>(0).index());
        }
    }
);
agrees!(
    bit_by_index,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().get_bit(self.n.val().index());
    }
);
agrees!(
    bits_replaced_at_fixed_places,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().replace_bit(0, self.p.val());
        if self.q.val() {
            self.o.next = self.b.val().replace_bit(7, self.p.val()).replace_bit(3, true);
        }
    }
);
agrees!(
    bit_replaced,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().replace_bit(self.n.val().index(), self.p.val());
    }
);
agrees!(
    reductions,
    Bit,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val().any() & (!self.n.val().all() ^ self.b.val().xor());
    }
);
agrees!(
    flag_added,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = self.a.val() + self.p.val();
    }
);
agrees!(
    casts_of_sign,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        self.o.next = unsigned_cast(signed_cast(self.a.val()) - self.s.val());
    }
);
agrees!(
    match_on_a_flag,
    Bits<8>,
    #[hdl_gen]
    fn update(&mut self) {
        match self.p.val() {
            true => self.o.next = self.a.val(),
            false => self.o.next = self.b.val(),
        }
    }
);
