//! Errors that somebody could make in the Vivado flow, and what finds each.

use super::Check::{self, Recorder, Tclint};

/// One edit of one file: the first occurrence of `from` becomes `to`.
pub struct Mutant {
    pub name: &'static str,
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub check: Check,
    /// Part of what the check says.
    pub finding: &'static str,
}

type Row = (&'static str, &'static str, &'static str, Check, &'static str);

fn of(file: &'static str, rows: &[Row]) -> Vec<Mutant> {
    let mutant = |&(name, from, to, check, finding): &Row| Mutant { name, file, from, to, check, finding };
    rows.iter().map(mutant).collect()
}

/// All of them.
pub fn mutants() -> Vec<Mutant> {
    let files: [(&'static str, &[Row]); 6] = [
        ("settings.tcl", SETTINGS),
        ("build.tcl", BUILD),
        ("vivado/block_design.tcl", BLOCK_DESIGN),
        ("vivado/heatvit_block.v", BLOCK),
        ("vivado/synth_only.tcl", SYNTH_ONLY),
        ("constraints/heatvit.xdc", CONSTRAINTS),
    ];
    files.into_iter().flat_map(|(file, rows)| of(file, rows)).collect()
}

#[rustfmt::skip]
const SETTINGS: &[Row] = &[
    ("missing file", "rtl/heatvit_top.v", "rtl/heatvit_tap.v", Recorder, "no such file"),
    ("variable never set", "set clock_mhz", "set clock_khz", Recorder, "can't read \"clock_mhz\""),
    ("wrong part", "set part xczu9eg-ffvb1156-2-e", "set part xczu7ev-ffvc1156-2-e", Recorder, "no such part"),
    ("wrong speed grade", "-2-e", "-2-x", Recorder, "no such part: xczu9eg-ffvb1156-2-x"),
    ("wrong board", "zcu102:part0", "zcu120:part0", Recorder, "no such board"),
    ("no Verilog", "set verilog_files", "set verilog_file", Recorder, "can't read \"verilog_files\""),
    ("misspelt set", "set board_part", "sett board_part", Recorder, "unknown command sett"),
    ("unbalanced bracket", "[list", "list", Tclint, "too many args for set"),
    ("bracket not closed", "rtl/heatvit_top.v]", "rtl/heatvit_top.v", Tclint, "syntax error"),
];

#[rustfmt::skip]
const BUILD: &[Row] = &[
    ("misspelt command", "create_project -force", "create_projekt -force", Recorder, "unknown command create_projekt"),
    ("unknown option", "-norecurse [file join $here vivado", "-recursive [file join $here vivado", Recorder, "no option -recursive"),
    ("option without its value", "-file [file join $reports power.txt]", "-file", Recorder, "report_power -file needs a value"),
    ("missing part", "-part $part", "", Recorder, "no such part: "),
    ("missing file of the flow", "vivado heatvit_block.v", "vivado heatvit_blok.v", Recorder, "no such file"),
    ("missing script", "vivado block_design.tcl", "vivado blockdesign.tcl", Recorder, "couldn't read file"),
    ("missing constraints", "constraints heatvit.xdc]", "constraints heatwit.xdc]", Recorder, "no such file"),
    ("property of a file that is not there", "get_files heatvit.xdc", "get_files heatvit.xcd", Recorder, "no such file: heatvit.xcd"),
    ("wrong file set", "-fileset constrs_1", "-fileset constr_1", Recorder, "no such fileset: constr_1"),
    ("missing argument", "wait_on_run $name", "wait_on_run", Recorder, "wait_on_run takes 1 to 1 arguments, not 0"),
    ("misspelt variable", "$reports power.txt", "$report power.txt", Recorder, "can't read \"report\""),
    ("wrong top", "top system_wrapper", "top system_wraper", Recorder, "no such top: system_wraper"),
    ("wrong wrapper", "get_files system.bd", "get_files systems.bd", Recorder, "no such file: systems.bd"),
    ("top before its wrapper", "set wrapper [make_wrapper -files [get_files system.bd] -top]\nadd_files -norecurse $wrapper\n", "", Recorder, "launch_runs before make_wrapper"),
    ("wrong run", "run impl_1", "run impl_2", Recorder, "no such run: impl_2"),
    ("wrong strategy", "Flow_PerfOptimized_high", "Flow_PerfOptimised_high", Recorder, "no such strategy"),
    ("strategy after the run", "run synth_1\n", "run synth_1\nset_property strategy Flow_PerfOptimized_high [get_runs synth_1]\n", Recorder, "strategy is set after launch_runs"),
    ("no truth value", "used_in_synthesis false", "used_in_synthesis fales", Recorder, "used_in_synthesis is not a truth value"),
    ("property on nothing", "Verilog [current_project]", "Verilog", Recorder, "set on nothing"),
    ("files before the project", "# 1. Project\n", "add_files -norecurse $here\n", Recorder, "add_files before create_project"),
    ("reports of a run that is not open", "open_run impl_1\n", "", Recorder, "report_power before open_run"),
    ("run without an end", "  wait_on_run $name\n", "", Recorder, "open_run before wait_on_run"),
    ("brace not closed", "  exit 1\n}", "  exit 1\n", Recorder, "missing close-brace"),
    ("brace not opened", "} {\n  fail \"setup", "} \n  fail \"setup", Tclint, "Expected then or body argument"),
    ("quote not closed", "did not finish\"", "did not finish", Tclint, "syntax error"),
];

#[rustfmt::skip]
const BLOCK_DESIGN: &[Row] = &[
    ("wrong pin", "accelerator/rst", "accelerator/reset", Recorder, "has no pin reset"),
    ("wrong interface", "accelerator/m_axi_p$port ps", "accelerator/m_axi_q$port ps", Recorder, "has no pin m_axi_q0"),
    ("wrong pin of the processors", "ps/pl_ps_irq0", "ps/pl_ps_irq9", Recorder, "has no pin pl_ps_irq9"),
    ("wrong cell", "[get_bd_pins reset/peripheral_reset]", "[get_bd_pins resets/peripheral_reset]", Recorder, "no such cell: resets"),
    ("wrong property", "PSU__USE__IRQ0", "PSU__USE__IRQ", Recorder, "unknown property CONFIG.PSU__USE__IRQ"),
    ("wrong module", "-reference heatvit_block", "-reference heatvit_blok", Recorder, "no such module: heatvit_blok"),
    ("wrong IP", "newest_ip smartconnect", "newest_ip smartconect", Recorder, "no such IP: smartconect"),
    ("missing driver", "[get_bd_pins reset/ext_reset_in]", "", Recorder, "takes 2 to 99 arguments, not 1"),
    ("clock of a memory port missing", "  [get_bd_pins ps/saxihp2_fpd_aclk] \\\n", "", Recorder, "ps/saxihp2_fpd_aclk is not connected"),
    ("clock of the accelerator missing", "  [get_bd_pins accelerator/clk] \\\n", "", Recorder, "accelerator/clk is not connected"),
    ("interrupt missing", "connect_bd_net [get_bd_pins accelerator/irq] [get_bd_pins ps/pl_ps_irq0]\n", "", Recorder, "accelerator/irq is not connected"),
    ("reset of a bridge missing", "  connect_bd_net [get_bd_pins reset/interconnect_aresetn] [get_bd_pins $name/aresetn]\n", "", Recorder, "control/aresetn is not connected"),
    ("memory port missing", "foreach port {0 1 2 3} {\n  bridge", "foreach port {0 1 2} {\n  bridge", Recorder, "accelerator/m_axi_p3 is not connected"),
    ("memory port twice", "foreach port {0 1 2 3} {\n  bridge", "foreach port {0 1 2 2} {\n  bridge", Recorder, "accelerator/m_axi_p2 is connected already"),
    ("ports exchanged", "expr {$port + 2}", "expr {$port + 3}", Recorder, "no such address segment: ps/SAXIGP3/HP0_DDR_LOW"),
    ("wrong address space", "get_bd_addr_spaces ps/Data", "get_bd_addr_spaces ps/Date", Recorder, "no such address space: ps/Date"),
    ("address missing", "foreach port {0 1 2 3} {\n  assign", "foreach port {0 1 3} {\n  assign", Recorder, "no address for accelerator/m_axi_p2"),
    ("saved before it is valid", "validate_bd_design\nsave_bd_design", "save_bd_design\nvalidate_bd_design", Recorder, "save_bd_design before validate_bd_design"),
    ("cells before the design", "create_bd_design system\n", "", Recorder, "create_bd_cell before create_bd_design"),
    ("continuation missing", "[get_bd_pins accelerator/clk] \\", "[get_bd_pins accelerator/clk]", Recorder, "ps/saxihp0_fpd_aclk is not connected"),
    ("brace not closed", "  return [lindex $found end]\n}", "  return [lindex $found end]\n", Tclint, "syntax error"),
];

#[rustfmt::skip]
const BLOCK: &[Row] = &[
    ("port that the top has not", "m_axi_p3_rlast,", "m_axi_p3_last,", Recorder, "heatvit_top has no port m_axi_p3_last"),
    ("wrong instance", "  heatvit_top top (", "  heatvit_tap top (", Recorder, "heatvit_block.v: no such module: heatvit_tap"),
    ("wrong module name", "module heatvit_block", "module heatvit_blok", Recorder, "no such module: heatvit_block"),
];

#[rustfmt::skip]
const SYNTH_ONLY: &[Row] = &[
    ("wrong port", "get_ports clk", "get_ports clock", Recorder, "heatvit_top has no port clock"),
    ("wrong top", "-top heatvit_top", "-top heatvit_tip", Recorder, "no such top: heatvit_tip"),
    ("missing clock", "create_clock -period [expr {1000.0 / $clock_mhz}] -name clk [get_ports clk]\n", "", Recorder, "report_timing_summary before open_run or create_clock"),
    ("clock before its design", "synth_design -mode out_of_context -flatten_hierarchy rebuilt -top heatvit_top -part $part\n", "", Recorder, "create_clock before synth_design"),
    ("option without its value", "-part $part", "-part", Recorder, "synth_design -part needs a value"),
    ("missing settings", "settings.tcl", "setting.tcl", Recorder, "couldn't read file"),
    ("clock without its source", " [get_ports clk]", "", Recorder, "create_clock takes 1 to 1 arguments, not 0"),
];

#[rustfmt::skip]
const CONSTRAINTS: &[Row] = &[
    ("option without its value", "-setup 0.100", "-setup", Recorder, "takes 2 to 2 arguments"),
    ("wrong property", "BITSTREAM.GENERAL.COMPRESS", "BITSTREAM.COMPRESS", Recorder, "unknown property"),
    ("wrong clock", "get_clocks clk_pl_0", "get_clocks clk_pl0", Recorder, "no such clock: clk_pl0"),
    ("port of the design, which has none", "[get_clocks clk_pl_0]", "[get_ports clk]", Recorder, "system_wrapper has no port clk"),
    ("unknown option", "-setup 0.100", "-setups 0.100", Recorder, "set_clock_uncertainty has no option -setups"),
    ("misspelt command", "set_clock_uncertainty", "set_clock_uncertainity", Recorder, "unknown command set_clock_uncertainity"),
    ("bracket not closed", "[current_design]", "[current_design", Tclint, "syntax error"),
];
