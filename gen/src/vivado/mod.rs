//! The Vivado side of the output folder: generated settings beside the hand-written flow and constraints,
//! which are built into the tool.

pub mod tcl;

use crate::layout::Layout;
use heatvit_model::config::Config;
use tcl::{Command, Value};

/// The board's part.
pub const PART: &str = "xczu9eg-ffvb1156-2-e";
/// The board, ZCU102.
pub const BOARD_PART: &str = "xilinx.com:zcu102:part0:3.4";
/// Address of the AXI4-Lite registers as the processors see them.
pub const CONTROL_BASE: u64 = 0xa000_0000;
/// The Verilog module that the block design refers to.
pub const TOP: &str = "heatvit_top";

/// Hand-written files and their places in the output folder.
pub const STATIC_FILES: [(&str, &str); 5] = [
    ("build.tcl", include_str!("../../../scripts/vivado/build.tcl")),
    ("vivado/block_design.tcl", include_str!("../../../scripts/vivado/block_design.tcl")),
    ("vivado/heatvit_block.v", include_str!("../../../scripts/vivado/heatvit_block.v")),
    ("vivado/synth_only.tcl", include_str!("../../../scripts/vivado/synth_only.tcl")),
    ("constraints/heatvit.xdc", include_str!("../../../constraints/heatvit.xdc")),
];

fn text(name: &'static str, value: impl Into<String>) -> Command {
    Command::Set { name, value: Value::Text(value.into()) }
}

/// `settings.tcl`: all that the flow needs to know of this configuration.
pub fn settings(config: &Config, layout: &Layout, verilog: &[String]) -> String {
    let files = verilog.iter().map(|name| Value::Text(format!("rtl/{name}"))).collect();
    let comment = |line: &str| Command::Comment(line.to_owned());
    tcl::print(&[
        comment("Settings of this build, read by build.tcl. Written by heatvit; every value may be changed."),
        Command::Blank,
        text("design_name", &config.name),
        text("part", PART),
        text("board_part", BOARD_PART),
        comment("Clock of the accelerator and all its ports (pl_clk0), MHz"),
        Command::Set { name: "clock_mhz", value: Value::Number(u64::from(config.accelerator.clock_mhz)) },
        comment("Address of the control registers for the processors"),
        Command::Set { name: "control_base", value: Value::Address(CONTROL_BASE) },
        comment("Memory that the images of this folder are made for"),
        Command::Set { name: "memory_base", value: Value::Address(layout.base()) },
        Command::Set { name: "memory_bytes", value: Value::Address(layout.end() - layout.base()) },
        comment("Verilog, relative to this folder, leaves first"),
        Command::Set { name: "verilog_files", value: Value::List(files) },
    ])
}
