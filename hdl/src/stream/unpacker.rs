//! Cuts 64-byte beats into R-byte vectors.

use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Bits of a beat over the four ports.
const BEAT_BITS: u32 = 512;

/// Presents the four port heads as one beat and, from it, one vector of `rows` bytes after the other.
/// With 64 rows a vector is a beat, and the module has no `clear` and no `align`.
pub fn unpacker(design: &mut Design, rows: u32) -> ModuleId {
    let vector_bits = 8 * rows;
    let per_beat = BEAT_BITS / vector_bits;
    let mut m = ModuleBuilder::new(
        "unpacker",
        &format!("Cuts beats of 64 bytes (16 from each port) into vectors of {rows} bytes, lowest bytes first."),
    );
    let valid = m.input("valid", Ty::bits(4), "head of each port's FIFO is valid");
    let heads = m.input("heads", Ty::bits(128).lanes(4), "heads of the ports' FIFOs");
    let take_beat = m.input("take_beat", Ty::bit(), "the beat was used as a whole");
    let take_vector = m.input("take_vector", Ty::bit(), "the vector was used");
    let ready = m.wire("ready", &valid.all());
    m.output_as("vector_valid", &ready, "a vector is there");
    if per_beat == 1 {
        m.output_as("beat_valid", &ready, "a whole beat is there");
        m.output_as("vector", &heads, "current vector");
        m.output_as("pop", &((&take_beat | &take_vector) & &ready), "drop the heads of all ports");
        return design.add(m.finish());
    }
    let clear = m.input("clear", Ty::bit(), "start at a beat boundary");
    let align = m.input("align", Ty::bit(), "drop the rest of a begun beat");
    let bits = per_beat.ilog2();
    let index = m.reg_declare("index", Ty::bits(bits));
    let at_start = m.wire("at_start", &index.eq_lit(0));
    m.output_as("beat_valid", &(&ready & &at_start), "a whole beat is there");
    let vectors: Vec<Expr> = (0..per_beat).map(|i| heads.slice(i * vector_bits, vector_bits)).collect();
    m.output_as("vector", &select(&index, &vectors), "current vector");
    let last = m.wire("last", &(&take_vector & index.eq_lit(u64::from(per_beat - 1))));
    let dropped = m.wire("dropped", &(&align & !&at_start));
    m.output_as("pop", &((&take_beat | &last | &dropped) & &ready), "drop the heads of all ports");
    let restart = &clear | &dropped;
    m.drive(&index, &restart.mux(&Expr::lit(0, bits), &(&index + &take_vector).trunc(bits)), None, Some(0));
    design.add(m.finish())
}
