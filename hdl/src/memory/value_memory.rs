//! The transposing memory of V: written by token, read by channel.
//!
//! Element (token t, channel d) lies in bank `(t + d) mod R` at address `(t / R) * pitch + d`.
//! The C channels of one token that arrive together fall into C banks, the R tokens of one channel
//! that are needed together into all R: neither side ever meets a bank conflict, and nothing but two
//! rotations is needed to transpose.

use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, MemoryStyle, ModuleBuilder, ModuleId, Ty, WritePort};

fn value_bank(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let lane_bits = parameters.rows.ilog2();
    let depth = parameters.v_words.max(2);
    let address_bits = depth.next_power_of_two().ilog2();
    let mut m = ModuleBuilder::new("value_bank", "One bank of the transposing memory.");
    let index = m.input("index", Ty::bits(lane_bits), "number of this bank");
    let write = m.input("write", Ty::bit(), "a token's channels arrive");
    let rotation = m.input("rotation", Ty::bits(lane_bits), "bank of the first channel");
    let base = m.input("base", Ty::bits(16), "address of the first channel");
    let data = m.input("data", Ty::bits(8), "channel for this bank, if there is one");
    let read = m.input("read", Ty::bit(), "read");
    let address = m.input("address", Ty::bits(16), "address to read");
    let channel = m.wire("channel", &(&index - &rotation).trunc(lane_bits).as_unsigned());
    let mine = if parameters.columns == parameters.rows {
        write
    } else {
        &write & channel.lt(&Expr::lit(u64::from(parameters.columns), lane_bits))
    };
    let write_address = m.wire("write_address", &(&base + &channel).trunc(address_bits));
    let q = m.memory(
        "elements",
        (8, depth),
        MemoryStyle::Block,
        None,
        Some(WritePort { enable: mine, address: write_address, data, mask: None }),
        (&read, &address.trunc(address_bits)),
        "elements of V",
    );
    let out = m.output_reg("q", Ty::bits(8), "two cycles after the address");
    m.drive(&out, &q, None, None);
    design.add(m.finish())
}

/// Rotates `count` bytes upwards by `amount` places (`down`: downwards).
fn rotate(bytes: &Expr, amount: &Expr, down: bool) -> Expr {
    let width = bytes.width();
    (0..amount.width()).fold(bytes.clone(), |value, stage| {
        let shift = (8 << stage) % width;
        let cut = if down { shift } else { width - shift };
        let rotated = Expr::concat(&[value.slice(0, cut), value.slice(cut, width - cut)]);
        amount.bit(stage).mux(&rotated, &value)
    })
}

/// The memory. A write takes effect three cycles after `write`; read data appear three cycles after `read`.
pub fn value_memory(design: &mut Design, parameters: &Parameters) -> ModuleId {
    let id = value_bank(design, parameters);
    let bank = child(design, id);
    let (rows, columns) = (parameters.rows, parameters.columns);
    let lane_bits = rows.ilog2();
    let mut m = ModuleBuilder::new(
        "value_memory",
        "Transposing memory of V: element (token t, channel d) in bank (t + d) mod R at (t / R) * pitch + d.",
    );
    let write = m.input("write", Ty::bit(), "`data` holds C channels of one token");
    let token = m.input("token", Ty::bits(16), "the token");
    let channel = m.input("channel", Ty::bits(16), "the first channel");
    let pitch = m.input("pitch", Ty::bits(16), "channels of all heads");
    let data = m.input("data", Ty::bits(8 * columns), "channels");
    let read = m.input("read", Ty::bit(), "read R tokens of one channel");
    let address = m.input("address", Ty::bits(16), "(token / R) * pitch + channel");
    // Cycle 1: the tile's base and the bank of the first channel.
    let write_1 = m.reg_reset("write_1", &write, 0);
    let tile = token.shr_const(lane_bits);
    let tile_base = m.reg("tile_base", &(&tile * &pitch).trunc(16));
    let channel_1 = m.reg("channel_1", &channel);
    let rotation_1 = m.reg("rotation_1", &(token.trunc(lane_bits) + channel.trunc(lane_bits)).trunc(lane_bits));
    let data_1 = m.reg("data_1", &data);
    // Cycle 2: rotate.
    let write_2 = m.reg_reset("write_2", &write_1, 0);
    let base = m.reg("base", &(&tile_base + &channel_1).trunc(16));
    let rotation_2 = m.reg("rotation_2", &rotation_1);
    let rotated = m.reg("rotated", &rotate(&data_1.extend(8 * rows), &rotation_1, false));
    let lanes = m.declare("bank_data", Ty::bits(8).lanes(rows));
    m.assign(&lanes, &rotated);
    let index = m.declare("bank_index", Ty::bits(lane_bits).lanes(rows));
    let numbers: Vec<Expr> = (0..rows).map(|i| Expr::lit(u64::from(i), lane_bits)).collect();
    m.assign(&index, &Expr::concat_low_first(&numbers));
    let mut q = None;
    m.array("banks", id, &bank, rows)
        .lanes("index", &index)
        .input("write", &write_2)
        .input("rotation", &rotation_2)
        .input("base", &base)
        .lanes("data", &lanes)
        .input("read", &read)
        .input("address", &address)
        .output("q", "bank_q", &mut q)
        .done();
    let amount = m.delay("amount", &address.trunc(lane_bits), 2);
    let q = q.expect("declared by the array");
    let out = m.output_reg("read_data", Ty::bits(8 * rows), "token 0 of the tile in the lowest byte");
    m.drive(&out, &rotate(&q, &amount, true), None, None);
    design.add(m.finish())
}
