# Builds the bitstream and the hardware platform for the board in settings.tcl:
#
#     vivado -mode batch -source build.tcl
#
# The folder may stand anywhere. Everything that is made goes into build/ beside this file:
# heatvit.bit, heatvit.xsa and reports/. Hand-written; the same for every configuration.

set here [file dirname [file normalize [info script]]]
source [file join $here settings.tcl]
set build [file join $here build]
set reports [file join $build reports]
file mkdir $reports

proc fail {problem remedy} {
  puts stderr "heatvit: $problem; $remedy"
  exit 1
}

proc run {name args} {
  launch_runs $name {*}$args -jobs 4
  wait_on_run $name
  if {[get_property PROGRESS [get_runs $name]] ne "100%"} {
    fail "$name did not finish" "read its log in build/project/project.runs/$name/runme.log"
  }
}

# 1. Project
create_project -force project [file join $build project] -part $part
if {[llength [get_board_parts -quiet $board_part]] == 0} {
  fail "Vivado does not know the board $board_part" "install its board files (Vivado Store, Boards)"
}
set_property board_part $board_part [current_project]
set_property target_language Verilog [current_project]

# 2. Sources
foreach name $verilog_files {
  add_files -norecurse [file join $here $name]
}
add_files -norecurse [file join $here vivado heatvit_block.v]
add_files -fileset constrs_1 -norecurse [file join $here constraints heatvit.xdc]
set_property used_in_synthesis false [get_files heatvit.xdc]
update_compile_order -fileset sources_1

# 3. Block design: processors, memory ports, clock, reset, interrupt
source [file join $here vivado block_design.tcl]
set wrapper [make_wrapper -files [get_files system.bd] -top]
add_files -norecurse $wrapper
set_property top system_wrapper [get_filesets sources_1]
update_compile_order -fileset sources_1

# 4. Synthesis, implementation, bitstream
set_property strategy Flow_PerfOptimized_high [get_runs synth_1]
set_property strategy Performance_ExplorePostRoutePhysOpt [get_runs impl_1]
run synth_1
run impl_1 -to_step write_bitstream

# 5. Reports and products
open_run impl_1
report_timing_summary -file [file join $reports timing.txt]
report_utilization -hierarchical -file [file join $reports utilization.txt]
report_power -file [file join $reports power.txt]
report_drc -file [file join $reports drc.txt]
set products [get_property DIRECTORY [get_runs impl_1]]
file copy -force [file join $products system_wrapper.bit] [file join $build heatvit.bit]
write_hw_platform -fixed -include_bit -force -file [file join $build heatvit.xsa]

set slack [get_property SLACK [get_timing_paths -setup -max_paths 1]]
if {$slack < 0} {
  fail "setup timing is missed by [expr {-$slack}] ns at $clock_mhz MHz" "lower clock_mhz in settings.tcl"
}
puts "heatvit: $design_name is built, slack $slack ns at $clock_mhz MHz; see $build"
