//! The way of a stationary vector from the stream, K or V to the array, as long as the streamed operand's.

use crate::parameters::Parameters;
use crate::pipeline::{delay_line, flag_line};
use heatvit_rtl::{Design, Expr, ModuleBuilder, Ty};

/// Cycles from a memory's address register to V's data, to which the other sources are delayed.
const MEMORY_CYCLES: u32 = 3;

/// What comes from the loader.
pub(super) struct LoadPorts<'a> {
    pub load: &'a Expr,
    pub column: &'a Expr,
    pub lanes: &'a Expr,
    /// 0 stream, 1 K, 2 V.
    pub source: &'a Expr,
    pub vector: &'a Expr,
    /// A word of K, two cycles after its address.
    pub keys: &'a Expr,
    /// A word of V, three cycles after its address.
    pub values: &'a Expr,
}

/// What goes to the array and to the memories.
pub(super) struct Load {
    pub weight: Expr,
    pub load: Expr,
    pub column: Expr,
}

/// Chooses the source, masks lanes that are not real, and delays to the streamed operand's latency.
pub(super) fn load_path(
    design: &mut Design,
    m: &mut ModuleBuilder,
    parameters: &Parameters,
    ports: &LoadPorts<'_>,
) -> Load {
    let rows = parameters.rows;
    let latency = parameters.latencies().operand;
    let source = delay_line(design, m, "load_source", ports.source, MEMORY_CYCLES);
    let lanes = delay_line(design, m, "load_lanes", ports.lanes, MEMORY_CYCLES);
    let vector = delay_line(design, m, "load_vector", &ports.vector.as_unsigned(), MEMORY_CYCLES);
    let keys = m.reg("load_keys", &ports.keys.as_unsigned());
    let chosen = source.eq_lit(2).mux(ports.values, &source.eq_lit(1).mux(&keys, &vector));
    let chosen = m.wire("load_chosen", &chosen);
    let masked: Vec<Expr> = (0..rows)
        .map(|lane| lanes.gt(&Expr::lit(u64::from(lane), 16)).mux(&chosen.slice(8 * lane, 8), &Expr::lit(0, 8)))
        .collect();
    let masked = m.reg("load_masked", &Expr::concat_low_first(&masked));
    let weight = delay_line(design, m, "load_weight", &masked, latency - MEMORY_CYCLES - 1);
    let load = flag_line(design, m, "load_valid", ports.load, latency);
    let column = ports.column.slice(0, parameters.columns.ilog2());
    let column = delay_line(design, m, "load_column", &column, latency);
    let wide = m.declare("weight", Ty::bits(8).lanes(rows));
    m.assign(&wide, &weight);
    Load { weight: wide, load, column }
}
