# Synthesis of the accelerator alone, for resources and a first look at timing in minutes:
#
#     vivado -mode batch -source vivado/synth_only.tcl
#
# Needs neither board files nor the block design. Reports go into build/synth_only/.

set here [file dirname [file dirname [file normalize [info script]]]]
source [file join $here settings.tcl]
set reports [file join $here build synth_only]
file mkdir $reports

foreach name $verilog_files {
  read_verilog [file join $here $name]
}
synth_design -mode out_of_context -flatten_hierarchy rebuilt -top heatvit_top -part $part
create_clock -period [expr {1000.0 / $clock_mhz}] -name clk [get_ports clk]
report_utilization -hierarchical -file [file join $reports utilization.txt]
report_timing_summary -file [file join $reports timing.txt]
write_checkpoint -force [file join $reports heatvit_top.dcp]
