//! From descriptor bits to the fields of an operation, and the count registers that bounds refer to.

use crate::parameters::Parameters;
use crate::schedule::descriptor::{COUNT_REGISTERS, Field, counts, flags};
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// A field of a descriptor's 512 bits.
pub fn field(descriptor: &Expr, field: Field) -> Expr {
    descriptor.slice(16 * field as u32, 16)
}

/// The fields that the streamer's queue carries, in its order.
const STREAM_FIELDS: [Field; 8] = [
    Field::Flags,
    Field::Counts,
    Field::OutputTiles,
    Field::ReductionTiles,
    Field::SourceBase,
    Field::SourcePitch,
    Field::TargetBase,
    Field::TargetPitch,
];
/// Fields of the row scale behind them.
const ROW_SCALE_FIELDS: [Field; 3] = [Field::RowGainLow, Field::GainHigh, Field::Exponents];

/// The streamer's queue entry of a descriptor.
pub fn op_fields(descriptor: &Expr) -> Expr {
    let parts: Vec<Expr> = STREAM_FIELDS.iter().chain(&ROW_SCALE_FIELDS).map(|f| field(descriptor, *f)).collect();
    Expr::concat_low_first(&parts)
}

/// A field of the streamer's queue entry.
pub fn stream_field(entry: &Expr, wanted: Field) -> Expr {
    let at = STREAM_FIELDS.iter().chain(&ROW_SCALE_FIELDS).position(|f| *f as u32 == wanted as u32);
    entry.slice(16 * at.expect("the field is in the table above") as u32, 16)
}

/// Bounds of an operation with the count registers put in.
#[derive(Debug)]
pub struct Operation {
    /// Rows to stream.
    pub count: Expr,
    /// Tokens that the stationary operand holds.
    pub limit: Expr,
    /// Output tiles.
    pub output_tiles: Expr,
    /// Reduction tiles.
    pub reduction_tiles: Expr,
}

impl Operation {
    /// Resolves `[Counts, OutputTiles, ReductionTiles]` of an operation; wires get the prefix `name`.
    pub fn resolve(
        m: &mut ModuleBuilder,
        name: &str,
        parameters: &Parameters,
        registers: &Expr,
        [which, outputs, reductions]: [&Expr; 3],
    ) -> Self {
        let values: Vec<Expr> = (0..COUNT_REGISTERS).map(|i| registers.slice(16 * i, 16)).collect();
        let chosen = |place: u32| select(&which.slice(place, COUNT_REGISTERS.ilog2()), &values);
        let count = m.wire(&format!("{name}_count"), &chosen(counts::ROWS));
        let limit = m.wire(&format!("{name}_limit"), &chosen(counts::LIMIT));
        let tiles = |size: u32| (&limit + Expr::lit(u64::from(size) - 1, 16)).shr_const(size.ilog2()).resize(16);
        let output_tiles = which.bit(counts::OUTPUTS_FROM_LIMIT).mux(&tiles(parameters.columns), outputs);
        let reduction_tiles = which.bit(counts::REDUCTION_FROM_LIMIT).mux(&tiles(parameters.rows), reductions);
        Self {
            output_tiles: m.wire(&format!("{name}_output_tiles"), &output_tiles),
            reduction_tiles: m.wire(&format!("{name}_reduction_tiles"), &reduction_tiles),
            count,
            limit,
        }
    }
}

/// Flag bits of a flags field.
pub fn flag(value: &Expr, place: u32) -> Expr {
    value.bit(place)
}

/// Destination memory of a flags field.
pub fn target(value: &Expr) -> Expr {
    value.slice(flags::TARGET, 3)
}

/// Registers of token counts that the bounds of operations name.
pub fn count_registers(design: &mut Design) -> ModuleId {
    if let Some(id) = design.find("count_registers") {
        return id;
    }
    let mut m = ModuleBuilder::new(
        "count_registers",
        "Token counts that the bounds of operations name; register 0 always holds 1.",
    );
    let bits = COUNT_REGISTERS.ilog2();
    let write = m.input("write", Ty::bit(), "set a register");
    let index = m.input("index", Ty::bits(bits), "which");
    let value = m.input("value", Ty::bits(16), "its new value");
    let mut all = vec![Expr::lit(1, 16)];
    for i in 1..COUNT_REGISTERS {
        let register = m.reg_declare(&format!("count_{i}"), Ty::bits(16));
        m.drive(&register, &value, Some(&(&write & index.eq_lit(u64::from(i)))), Some(1));
        all.push(register);
    }
    let counts = m.output("counts", Ty::bits(16).lanes(COUNT_REGISTERS), "all registers");
    m.assign(&counts, &Expr::concat_low_first(&all));
    design.add(m.finish())
}
