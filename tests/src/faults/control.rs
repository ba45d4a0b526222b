//! Faults of memories, stream, control and buses.

use super::Fault;
use super::Found::{Error, Status, Tensor};
use super::edit::next;
use heatvit_gen::verify::Ending::{Error as Code, NoAnswer, NoInterrupt};
use heatvit_rtl::{BinaryOp, Expr, ExprKind, select};

/// The table. Two edits are missing because another part of the design makes them harmless: stationary lanes beyond
/// the token count may hold anything, since the streamed exponentials are zero there and scores are masked; and a FIFO
/// that is not cleared starts the next image with the padding of the program, which is skipped.
pub const FAULTS: &[Fault] = &[
    Fault {
        module: "value_memory",
        what: "the wrong bank",
        plant: |e| e.change("rotation_1", next),
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "value_bank",
        what: "every channel goes to the first one's address",
        plant: |e| {
            let bits = e.whole("write_address").width();
            let base = e.whole("base").trunc(bits);
            e.drive("write_address", &base);
        },
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "operand_memory",
        what: "a write covers all parts of its word",
        plant: |e| e.memory("words").writes[0].mask = None,
        found: Tensor("blocks.0.attn.scores.0"),
    },
    Fault {
        module: "key_memory",
        what: "keys are written one word further on",
        plant: |e| {
            let address = &mut e.memory("words").writes[0].address;
            *address = next(address);
        },
        found: Tensor("blocks.0.attn.scores.0"),
    },
    Fault {
        module: "score_memory",
        what: "the lowest address bit is stuck",
        plant: |e| {
            let address = &mut e.memory("words").reads[0].address;
            *address = Expr::concat(&[address.slice(1, address.width() - 1), Expr::lit(0, 1)]);
        },
        found: Tensor("blocks.0.attn.exp.0"),
    },
    Fault {
        module: "residual_memory",
        what: "results go to the next part of their word",
        plant: |e| {
            let mask = e.whole("mask");
            e.memory("words").writes[0].mask = Some(Expr::concat(&[mask.slice(0, 3), mask.bit(3)]));
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "logit_memory",
        what: "the write enable is stuck low",
        plant: |e| e.memory("words").writes[0].enable = Expr::lit(0, 1),
        found: Tensor("logits"),
    },
    Fault {
        module: "parameter_store",
        what: "every tile has the parameters of the tile before",
        plant: |e| e.constant("read_slot", 7, 6),
        found: Tensor("embed"),
    },
    Fault {
        module: "parameter_lane",
        what: "the bias loses its upper bits",
        plant: |e| e.change("bias", |old| old.slice(0, 12).as_signed().extend(27)),
        found: Tensor("blocks.0.attn.q"),
    },
    Fault {
        module: "stream_queue",
        what: "the third entry is never written",
        plant: |e| e.never_enable("entry_2"),
        found: Error(NoInterrupt, "blocks.0.norm1"),
    },
    Fault {
        module: "post_queue",
        what: "the entry before the oldest is shown",
        plant: |e| {
            e.nodes("head", |n| match n.kind() {
                ExprKind::Select(s, options) => Some(select(&(s + Expr::lit(3, 2)).trunc(2), options)),
                _ => None,
            });
        },
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "fifo",
        what: "valid is stuck high",
        plant: |e| e.drive("valid", &Expr::lit(1, 1)),
        found: Error(Code(3), "blocks.0.norm1"),
    },
    Fault {
        module: "fifo",
        what: "a beat is written one word further on",
        plant: |e| {
            let address = &mut e.memory("beats").writes[0].address;
            *address = next(address);
        },
        found: Error(Code(3), "embed"),
    },
    Fault {
        module: "unpacker",
        what: "the vectors of a beat are exchanged",
        plant: |e| {
            e.nodes("vector", |n| match n.kind() {
                ExprKind::Select(s, options) => Some(select(s, &[options[1].clone(), options[0].clone()])),
                _ => None,
            });
        },
        found: Tensor("embed"),
    },
    Fault {
        module: "unpacker",
        what: "the rest of a begun beat is not dropped",
        plant: |e| e.zero("dropped"),
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "count_registers",
        what: "one token more than was set",
        plant: |e| e.change("count_1", next),
        found: Error(Code(3), "embed"),
    },
    Fault {
        module: "core",
        what: "the loader takes one column less",
        plant: |e| e.input("loader", "column_last", |_| Expr::lit(6, 16)),
        found: Tensor("embed"),
    },
    Fault {
        module: "loader_control",
        what: "the count of products is not reset",
        plant: |e| {
            let kept = e.whole("issued");
            e.nodes("issued_next", |n| {
                matches!(n.kind(), ExprKind::Const(b) if b.low_u64() == 0).then(|| kept.clone())
            });
        },
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "loader_control",
        what: "the second reduction tile loads the keys of the first",
        plant: |e| {
            let base = e.whole("reduction_base");
            e.drive("next_reduction_base", &base);
        },
        found: Tensor("blocks.0.attn.o"),
    },
    Fault {
        module: "streamer_control",
        what: "rows do not wait for what they depend on",
        plant: |e| e.drive("free", &Expr::lit(1, 1)),
        found: Tensor("blocks.0.norm1"),
    },
    Fault {
        module: "streamer_control",
        what: "one row less",
        plant: |e| e.constant("last_row", 1, 2),
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "streamer_control",
        what: "the limit does not fall with the reduction tiles",
        plant: |e| {
            let left = e.whole("terms_left");
            e.nodes("terms_left_next", |n| match n.kind() {
                ExprKind::Binary(BinaryOp::Sub, ..) => Some(left.resize(n.width())),
                _ => None,
            });
        },
        found: Tensor("blocks.0.attn.rowsum.0"),
    },
    Fault {
        module: "read_port_control",
        what: "bursts are half as far apart",
        plant: |e| e.constant("address_next", 256, 128),
        found: Error(Code(3), "embed"),
    },
    Fault {
        module: "read_port_control",
        what: "the last beat is expected one early",
        plant: |e| e.constant("burst_ends", 1, 2),
        found: Error(Code(1), "embed"),
    },
    Fault {
        module: "read_port_control",
        what: "places of the FIFO are not given back",
        plant: |e| e.constant("free_next", 1, 0),
        found: Error(NoInterrupt, "blocks.0.norm2"),
    },
    Fault {
        module: "result_writer",
        what: "the word after is written",
        plant: |e| e.change("read_address", next),
        found: Tensor("logits"),
    },
    Fault {
        module: "result_writer_control",
        what: "every second beat is skipped",
        plant: |e| e.constant("index_next", 1, 2),
        found: Tensor("logits"),
    },
    Fault {
        module: "result_writer_control",
        what: "bursts are announced one beat short",
        plant: |e| e.constant("left_less_one", 1, 2),
        found: Tensor("logits"),
    },
    Fault {
        module: "registers",
        what: "port 3 reads the image region of port 2",
        plant: |e| {
            let before = e.whole("image_addr_2");
            e.drive("image_addr_3", &before);
        },
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "register_channel",
        what: "writes are never answered",
        plant: |e| e.zero("bvalid"),
        found: Error(NoAnswer, "embed"),
    },
    Fault {
        module: "supervisor_control",
        what: "the interrupt is stuck low",
        plant: |e| e.zero("irq"),
        found: Error(NoInterrupt, "logits"),
    },
    Fault { module: "supervisor_control", what: "the done bit is stuck low", plant: |e| e.zero("done"), found: Status },
    Fault {
        module: "supervisor_control",
        what: "the pipeline is not cleared between runs",
        plant: |e| e.zero("run_reset"),
        found: Tensor("logits"),
    },
    Fault {
        module: "supervisor",
        what: "the abort is stuck high",
        plant: |e| e.input("control", "abort", |_| Expr::lit(1, 1)),
        found: Error(Code(5), "embed"),
    },
    Fault {
        module: "read_port",
        what: "the halves of a beat are exchanged",
        plant: |e| e.input("fifo", "data", |data| Expr::concat(&[data.slice(0, 64), data.slice(64, 64)])),
        found: Error(Code(3), "embed"),
    },
    Fault {
        module: "bus_interface",
        what: "the program region is taken for as long as the image region",
        plant: |e| {
            let bursts = e.whole("image_bursts");
            e.input("ports", "program_bursts", |_| bursts.clone());
        },
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "flag_register",
        what: "valid flags are stuck low",
        plant: |e| e.zero("q"),
        found: Error(NoInterrupt, "embed"),
    },
    Fault {
        module: "heatvit_top",
        what: "beats are never taken",
        plant: |e| e.zero("core_pop"),
        found: Error(NoInterrupt, "embed"),
    },
];
