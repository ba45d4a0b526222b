//! Random legal designs in several engines: the interpreter, the simulator, and other people's simulators on the
//! printed Verilog.

pub mod agreement;
pub mod search;
#[cfg(test)]
mod tests;
pub mod together;

use heatvit_hdl::{array, bus, control, selector};
use heatvit_rtl::random::{Choices, Leaf, Style, design};
use heatvit_rtl::{Design, ModuleId};

/// Modules that are placed as they are: state machines that come from rust-hdl blocks, and a primitive.
const LEAVES: [Leaf; 5] = [
    |d| control::streamer(d),
    |d| control::loader(d),
    |d| bus::supervisor(d),
    |d| selector::selector_control(d),
    array_lane,
];

/// The smallest array, with its DSP slices.
fn array_lane(design: &mut Design) -> ModuleId {
    let parameters = heatvit_hdl::Parameters {
        rows: 16,
        columns: 4,
        max_tokens: 8,
        a_words: 8,
        k_words: 8,
        v_words: 8,
        s_words: 8,
        x_words: 8,
        out_words: 1,
        selector_heads: 0,
    };
    array::systolic_array(design, &parameters)
}

/// Everything that the language has.
pub const ANYTHING: Style<'static> = Style { widest: 160, known: false, leaves: &LEAVES };
/// Small designs all of whose state a reset makes known.
pub const KNOWN: Style<'static> = Style { widest: 40, known: true, leaves: &[] };

/// The design of a seed.
pub fn of_seed(seed: u64, style: Style<'_>) -> Design {
    design(&mut Choices::from_seed(seed), style)
}
