//! Writes the logits to memory.
//!
//! `latch` takes address and length (at the begin of a run, so that the host may prepare the next
//! one), `start` writes: bursts of at most 16 beats of 16 bytes, one beat in five cycles. Address and
//! data channels run side by side; the next burst does not wait for the response of the last one.
//! `abort` ends the work after the burst under way, without `done`.

use super::result_writer_control::ResultWriterControl;
use super::{address_attributes, import_control, registered_reset};
use crate::parameters::Parameters;
use crate::pipeline::child;
use heatvit_rtl::{Design, Expr, ModuleBuilder, ModuleId, Ty, select};

/// Logits (i16) of a beat.
const BEAT_LOGITS: u32 = 8;

/// The writer. The logits memory answers `read_address` two cycles later with C logits.
pub fn result_writer(design: &mut Design, parameters: &Parameters) -> ModuleId {
    if let Some(id) = design.find("result_writer") {
        return id;
    }
    let control_id = import_control(
        design,
        "result_writer_control",
        "Announces write bursts, fetches and offers their beats, collects the responses.\n\
         - reset: synchronous\n\
         - latch: take `address` and `beats`\n\
         - start: write\n\
         - abort: stop after the burst under way\n\
         - beat: number of the beat that is fetched or offered\n\
         - phase: cycle of the fetch; the address of phase p is answered in phase p + 2\n\
         - done: all beats are written and answered\n\
         - idle: nothing to write and nothing outstanding\n\
         - error: an error response has come since `latch`",
        ResultWriterControl::default(),
    );
    let control = child(design, control_id);
    let mut m = ModuleBuilder::new(
        "result_writer",
        "AXI4 write channel for the logits: little-endian i16, in bursts of at most 16 beats.",
    );
    let reset = registered_reset(&mut m);
    let latch = m.input("latch", Ty::bit(), "take `address` and `beats`; only while `idle`");
    let start = m.input("start", Ty::bit(), "write; only while `idle` and after `latch`");
    let abort = m.input("abort", Ty::bit(), "stop after the burst under way; stays until `idle`");
    let address = m.input("address", Ty::bits(32), "where to, a multiple of 4096");
    let beats = m.input("beats", Ty::bits(16), "16-byte beats to write");
    let read_data = m.input("read_data", Ty::bits(16 * parameters.columns), "C logits, two cycles after the address");
    let counts = parameters.has_selector().then(|| m.input("stage_counts", Ty::bits(128), "beat of token counts"));
    let awready = m.input("awready", Ty::bit(), "");
    let wready = m.input("wready", Ty::bit(), "");
    let bresp = m.input("bresp", Ty::bits(2), "");
    let bvalid = m.input("bvalid", Ty::bit(), "");
    let awaddr = m.output("awaddr", Ty::bits(32), "");
    let [awvalid, wvalid, wlast, bready] =
        ["awvalid", "wvalid", "wlast", "bready"].map(|name| m.output(name, Ty::bit(), ""));
    let [done, idle, error] = [
        ("done", "all beats are written and answered (one cycle)"),
        ("idle", "nothing to write and nothing outstanding"),
        ("error", "an error response has come since `latch`"),
    ]
    .map(|(name, doc)| m.output(name, Ty::bit(), doc));
    let burst_length = m.declare("burst_length", Ty::bits(4));
    let beat = m.declare("beat", Ty::bits(16));
    let phase = m.declare("phase", Ty::bits(2));
    m.instance("control", control_id, &control)
        .input("reset", &reset)
        .input("latch", &latch)
        .input("start", &start)
        .input("abort", &abort)
        .input("address", &address)
        .input("beats", &beats)
        .input("awready", &awready)
        .input("wready", &wready)
        .input("bvalid", &bvalid)
        .input("bresp", &bresp)
        .output_to("awvalid", &awvalid)
        .output_to("awaddr", &awaddr)
        .output_to("awlen", &burst_length)
        .output_to("wvalid", &wvalid)
        .output_to("wlast", &wlast)
        .output_to("bready", &bready)
        .output_to("beat", &beat)
        .output_to("phase", &phase)
        .output_to("done", &done)
        .output_to("idle", &idle)
        .output_to("error", &error)
        .done();
    m.output_as("awlen", &burst_length.extend(8), "beats less one");
    address_attributes(&mut m, "aw");
    m.output_as("wstrb", &Expr::lit(0xffff, 16), "whole beats");
    let (read_address, wide) = beat_of_words(&mut m, parameters.columns, (&beat, &phase), &read_data);
    m.output_as("read_address", &read_address, "word of the logits memory");
    let fetched = m.wire_doc("fetched", &phase.eq_lit(3), "the beat's last word is at `read_data`");
    let wdata = m.output_reg("wdata", Ty::bits(128), "");
    let wide = match &counts {
        Some(counts) => beat.eq_lit(u64::from(parameters.counts_beat())).mux(counts, &wide),
        None => wide,
    };
    m.drive(&wdata, &wide, Some(&fetched), None);
    design.add(m.finish())
}

/// Address of the words of `beat` and, in phase 3, the beat that they make.
fn beat_of_words(m: &mut ModuleBuilder, columns: u32, (beat, phase): (&Expr, &Expr), word: &Expr) -> (Expr, Expr) {
    if columns < BEAT_LOGITS {
        // Two words make a beat: the even one is read in phase 0 and here in phase 2.
        let even = m.reg("even_word", word);
        return (Expr::concat(&[beat.slice(0, 15), phase.bit(0)]), Expr::concat(&[word.clone(), even]));
    }
    let parts = columns / BEAT_LOGITS;
    if parts == 1 {
        return (beat.clone(), word.clone());
    }
    let options: Vec<Expr> = (0..parts).map(|i| word.slice(128 * i, 128)).collect();
    let bits = parts.ilog2();
    (beat.shr_const(bits).extend(16), select(&beat.slice(0, bits), &options))
}
