//! Faults of the array, post-processing, the read path and the row tables.

use super::Fault;
use super::Found::Tensor;
use super::edit::next;
use heatvit_rtl::{BinaryOp, Expr, ExprKind, UnaryOp, select};

/// The table.
pub const FAULTS: &[Fault] = &[
    Fault {
        module: "pe_middle",
        what: "the lanes' weights are swapped",
        plant: |e| {
            let (low, high) = (e.whole("load_lo"), e.whole("load_hi"));
            e.input("dsp", "CEA2", |_| low.clone());
            e.input("dsp", "CED", |_| high.clone());
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "pe_first",
        what: "half of the offset that keeps the low lane from borrowing",
        plant: |e| e.input("dsp", "C", |_| Expr::slit(1 << 17, 48)),
        found: Tensor("embed"),
    },
    Fault {
        module: "pe_last",
        what: "the high weight lies one bit too low",
        plant: |e| {
            let weight = e.whole("weight").shl_const(18).extend(30);
            e.drive("weight_high", &weight);
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "DSP48E2",
        what: "shadow weights are active at once",
        plant: |e| e.always_enable("ad"),
        found: Tensor("embed"),
    },
    Fault {
        module: "segment",
        what: "the top bit of the low lane is not inverted",
        plant: |e| {
            e.nodes("low", |n| match n.kind() {
                ExprKind::Unary(UnaryOp::Not, a) => Some(a.clone()),
                _ => None,
            });
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "segment",
        what: "the last row's swap is not delayed",
        plant: |e| {
            let early = e.bits("swap_chain", 13, 1);
            e.input("row_15", "swap", |_| early.clone());
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "skew",
        what: "row 15 comes a cycle early",
        plant: |e| {
            let early = e.bits("delayed_14", 8, 8);
            e.part("skewed", 15, &early);
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "register_8",
        what: "the sign bit of a delay is stuck low",
        plant: |e| e.change("q", |old| old.slice(0, 7).extend(8)),
        found: Tensor("embed"),
    },
    Fault {
        module: "deskew",
        what: "pair 0 leaves a cycle early",
        plant: |e| {
            let early = e.bits("delayed_2", 0, 40);
            e.part("aligned", 0, &early);
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "column",
        what: "the second segment is not added",
        plant: |e| {
            let first = e.bits("segment_low", 0, 19).as_signed().extend(20);
            e.drive("low_sum_l1_0", &first);
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "systolic_array",
        what: "column 3 is not loaded, column 2 twice",
        plant: |e| e.constant("load_enable", 3, 2),
        found: Tensor("embed"),
    },
    Fault {
        module: "accumulator_lane",
        what: "the first tile adds to the old sum",
        plant: |e| {
            let kept = e.whole("partial_q");
            e.drive("base", &kept);
        },
        found: Tensor("blocks.0.attn.q"),
    },
    Fault {
        module: "accumulator_lane",
        what: "the partial sum is extended with zeros",
        plant: |e| {
            let total = e.whole("base") + e.whole("sum_d1").as_unsigned();
            e.drive("total", &total.trunc(27));
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "accumulator",
        what: "sums are kept in the row after",
        plant: |e| {
            let after = e.whole("row_d1");
            e.input("lanes", "write_row", |_| after.clone());
        },
        found: Tensor("blocks.0.attn.q"),
    },
    Fault { module: "post_lane", what: "nothing is rounded", plant: |e| e.zero("scale_half"), found: Tensor("embed") },
    Fault {
        module: "post_lane",
        what: "negative ties round up",
        plant: |e| {
            let half = e.whole("scale_half").to_signed().extend(30);
            e.drive("scale_bias", &half);
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "post_lane",
        what: "results wrap where they should saturate",
        plant: |e| {
            e.nodes("byte_out", |n| (*n == Expr::slit(127, 16)).then(|| Expr::slit(32767, 16)));
        },
        found: Tensor("blocks.0.attn.q"),
    },
    Fault {
        module: "post_lane",
        what: "scores beyond the limit are not masked",
        plant: |e| e.zero("beyond"),
        found: Tensor("blocks.0.attn.exp.0"),
    },
    Fault {
        module: "post_lane",
        what: "GELU: the gate is mirrored",
        plant: |e| e.swap_choices("gate_9"),
        found: Tensor("blocks.0.mlp.fc1"),
    },
    Fault {
        module: "post_lane",
        what: "GELU: the square is cut one bit too low",
        plant: |e| {
            e.nodes("drop_8", |n| match n.kind() {
                ExprKind::Slice(a, 8) => Some(a.slice(7, n.width())),
                _ => None,
            });
        },
        found: Tensor("blocks.0.mlp.fc1"),
    },
    Fault {
        module: "post_lane",
        what: "GELU: the code of zero is left out",
        plant: |e| {
            e.nodes("half", |n| match n.kind() {
                ExprKind::Concat(_) => Some(Expr::lit(1 << 14, n.width())),
                _ => None,
            });
        },
        found: Tensor("blocks.0.mlp.fc1"),
    },
    Fault {
        module: "post_path",
        what: "the row's and the operation's shift are exchanged",
        plant: |e| e.swap_choices("sel_2"),
        found: Tensor("blocks.0.attn.q"),
    },
    Fault {
        module: "row_max",
        what: "the smaller of two tiles is kept",
        plant: |e| {
            e.nodes("keep", |n| match n.kind() {
                ExprKind::Binary(BinaryOp::Lt, a, b) => Some(b.lt(a)),
                _ => None,
            });
        },
        found: Tensor("blocks.0.attn.exp.0"),
    },
    Fault {
        module: "row_max",
        what: "the maximum of bank 0 is read for every head",
        plant: |e| {
            let address = &mut e.memory("entries").reads[0].address;
            let row = address.slice(0, address.width() - 1);
            *address = Expr::concat(&[Expr::lit(0, 1), row]);
        },
        found: Tensor("blocks.0.attn.exp.1"),
    },
    Fault {
        module: "norm_table",
        what: "a row's sums start from the last operation's",
        plant: |e| e.zero("first_1"),
        found: Tensor("blocks.0.norm2"),
    },
    Fault {
        module: "norm_table",
        what: "entries are stored one row further on",
        plant: |e| {
            let address = &mut e.memory("entries").writes[0].address;
            *address = next(address);
        },
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "rsqrt",
        what: "the mean is not rounded",
        plant: |e| e.constant("mean_3", 1 << 17, 0),
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "rsqrt",
        what: "the slope is ignored",
        plant: |e| e.zero("drop_8"),
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "rsqrt",
        what: "the mantissa is shifted by two too few",
        plant: |e| e.constant("up", 26, 25),
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "operand_lane",
        what: "LayerNorm is not rounded",
        plant: |e| e.zero("norm_half"),
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "operand_lane",
        what: "exp: the constant is one less",
        plant: |e| e.constant("mantissa", 11184, 11183),
        found: Tensor("blocks.0.attn.exp.0"),
    },
    Fault {
        module: "operand_lane",
        what: "exp: lanes beyond the limit are kept",
        plant: |e| e.drive("kept", &Expr::lit(1, 1)),
        found: Tensor("blocks.0.attn.rowsum.0"),
    },
    Fault {
        module: "operand_path",
        what: "the source changes a cycle early",
        plant: |e| {
            let early = e.whole("source_d4");
            e.input("lanes", "source_5", |_| early.clone());
        },
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "row_scale",
        what: "the second chunk of a row starts anew",
        plant: |e| e.drive("first_1", &Expr::lit(1, 1)),
        found: Tensor("blocks.0.attn.rowsum.0"),
    },
    Fault {
        module: "row_scale",
        what: "the scale of the other bank is read",
        plant: |e| {
            let address = &mut e.memory("scales").reads[0].address;
            let top = address.width() - 1;
            *address = Expr::concat(&[!address.bit(top), address.slice(0, top)]);
        },
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "reciprocal",
        what: "the slope is ignored",
        plant: |e| e.zero("drop"),
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "reciprocal",
        what: "the sum is shifted by one too few",
        plant: |e| e.constant("up", 17, 16),
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "core",
        what: "the residual of another part is added",
        plant: |e| {
            e.nodes("residual_p4", |n| match n.kind() {
                ExprKind::Select(s, options) => {
                    let mut turned = options.clone();
                    turned.rotate_left(1);
                    Some(select(s, &turned))
                }
                _ => None,
            });
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "core",
        what: "the norm's constants change with every operation",
        plant: |e| e.always_enable("norm_constants"),
        found: Tensor("blocks.0.norm1"),
    },
];
