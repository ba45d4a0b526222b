//! `README.md` of the output folder, for the engineer who builds and starts the hardware.

use crate::layout::{BURST_BYTES, Layout, PORTS, Region};
use crate::vivado::{BOARD_PART, CONTROL_BASE, PART};
use heatvit_model::config::Config;

/// The register map: byte offset, name, access, meaning. `RESULT_ADDR` and the like get their values from [`Layout`].
pub const REGISTERS: [(u32, &str, &str, &str); 16] = [
    (0x00, "CONTROL", "write", "bit 0 starts a run, bit 1 aborts it"),
    (0x04, "STATUS", "read", "bit 0 busy, bit 1 done"),
    (0x08, "ERROR", "read", "first error since the start, 0 for none (list below)"),
    (0x0c, "IRQ", "read/write", "bit 0 interrupt pending; writing 1 clears it"),
    (0x10, "IMAGE_ADDR", "read/write", "image of port 0"),
    (0x14, "IMAGE_STRIDE", "read/write", "bytes from the image of one port to that of the next"),
    (0x18, "IMAGE_BURSTS", "read/write", "bursts of the image on each port"),
    (0x1c, "PROGRAM_ADDR", "read/write", "program of port 0"),
    (0x20, "PROGRAM_STRIDE", "read/write", "bytes from the program of one port to that of the next"),
    (0x24, "PROGRAM_BURSTS", "read/write", "bursts of the program on each port"),
    (0x28, "RESULT_ADDR", "read/write", "where the result is written"),
    (0x2c, "RESULT_BEATS", "read/write", "16-byte beats of the result"),
    (0x30, "WATCHDOG", "read/write", "cycles allowed for an image, 0 for any number"),
    (0x34, "CYCLES", "read", "cycles of the last run, start to interrupt"),
    (0x38, "ID", "read", "0x48564954"),
    (0x3c, "VERSION", "read", "version of the register map"),
];

/// Codes of the `ERROR` register.
pub const ERRORS: [(u32, &str); 6] = [
    (0, "none"),
    (1, "a memory read was answered with an error"),
    (2, "a memory write was answered with an error"),
    (3, "the program holds a bad descriptor"),
    (4, "the watchdog's cycles are over"),
    (5, "aborted"),
];

fn region(name: &str, file: &str, region: &Region) -> String {
    let line = |port| {
        let bytes = region.bursts * BURST_BYTES;
        format!("| {name}, port {port} | `0x{:08x}` | {bytes} | `{file}{port}.bin` |\n", region.port(port))
    };
    (0..PORTS).map(line).collect()
}

/// What is where in the result.
fn result(config: &Config, layout: &Layout) -> String {
    let classes = config.model.classes;
    let logits = format!(
        "The result is the {classes} logits, little-endian signed 16-bit integers, from `0x{:08x}` on",
        layout.result
    );
    if !config.selectors.enabled {
        return logits + ".";
    }
    let counts = layout.result + 16 * (layout.result_beats - 1);
    let stages: Vec<String> = config.selectors.stages.iter().map(usize::to_string).collect();
    format!(
        "{logits}, and in its last 16 bytes, from `0x{counts:08x}` on,\nunsigned 16-bit token counts: how many rows are left \
         by the selector before block {}, in this order; what lies between is undefined.\nHow many cycles a run takes \
         depends on the image; a watchdog has to allow for one that keeps all tokens.",
        stages.join(", block "),
    )
}

/// The text.
pub fn readme(config: &Config, layout: &Layout) -> String {
    let (m, a) = (&config.model, &config.accelerator);
    let registers: String =
        REGISTERS.iter().map(|(o, n, access, doc)| format!("| 0x{o:02x} | `{n}` | {access} | {doc} |\n")).collect();
    let errors: String = ERRORS.iter().map(|(code, doc)| format!("| {code} | {doc} |\n")).collect();
    let writes: String = layout
        .registers()
        .iter()
        .map(|(offset, value, name)| format!("    write 0x{offset:02x} <- 0x{value:08x}    # {name}\n"))
        .collect();
    let memory = region("program", "images/program.p", &layout.program)
        + &region("image", "images/image.p", &layout.image)
        + &format!("| result | `0x{:08x}` | {} | |\n", layout.result, 16 * layout.result_beats);
    format!(
        "# {name}: a vision transformer accelerator

Written by heatvit {version}. `config.toml` holds every setting, `manifest.json` a digest of every file.

| image | tokens | blocks | channels | heads | classes | array | clock |
|---|---|---|---|---|---|---|---|
| {height}x{width} | {tokens} | {depth} | {embed} | {heads} | {classes} | {rows}x{columns} | {clock} MHz |

## Build

    vivado -mode batch -source build.tcl

for the ZCU102 (part `{part}`, board `{board}`, whose files must be installed).
It makes a project and the block design, synthesizes and implements them, and leaves `heatvit.bit`, `heatvit.xsa` and
reports in `build/`. `vivado/synth_only.tcl` synthesizes the accelerator alone. Another clock, part or address: edit
`settings.tcl`.

| folder | what |
|---|---|
| `rtl/` | the accelerator, Verilog-2005, one module per file; top `heatvit_top` |
| `sim/` | behavioural models of vendor primitives, for simulators other than Vivado's |
| `vivado/` | block design and its block |
| `constraints/` | constraints |
| `images/` | program with weights, and one input image, a file for each memory port |

## Registers

AXI4-Lite, 32 bits, at `0x{control:08x}` for the processors.

| offset | name | access | meaning |
|---|---|---|---|
{registers}
| error | meaning |
|---|---|
{errors}
## Memory

Each of the four 128-bit ports reads its own part of a region in bursts of {burst} bytes. The files of this folder
go to these addresses:

| what | address | bytes | file |
|---|---|---|---|
{memory}
{result}

## Start

{writes}    write 0x00 <- 0x00000001    # CONTROL: start
    wait for the interrupt, read ERROR (0x08), write 0x0c <- 1 to clear the interrupt
    read the result

The next image needs no reset: replace the image (flush the caches: the ports are not coherent) and start again.
",
        name = config.name,
        version = env!("CARGO_PKG_VERSION"),
        height = m.height,
        width = m.width,
        tokens = m.tokens(),
        depth = m.depth,
        embed = m.embed,
        heads = m.heads,
        classes = m.classes,
        rows = a.rows,
        columns = a.columns,
        clock = a.clock_mhz,
        board = BOARD_PART,
        part = PART,
        control = CONTROL_BASE,
        burst = BURST_BYTES,
        result = result(config, layout),
    )
}
