# The Vivado commands that the flow may use: options (0: a flag, 1: takes a value), fewest and most positional
# arguments, and what the recorder answers ({} for nothing, `first` for the first argument, `echo` for a token made of
# the call). The table was written
# from memory of Vivado, not copied from a manual and never compared with the program itself: it finds misspellings
# and forgotten arguments, it does not prove that Vivado accepts a call. Before another command or option is added, look
# it up in Xilinx' Tcl command reference (UG835).
set vivado_commands {
  create_project      {-force 0 -part 1 -in_memory 0}               0 2 {}
  current_project     {-quiet 0}                                    0 1 echo
  current_design      {-quiet 0}                                    0 1 echo
  set_property        {-dict 1 -quiet 0}                            1 3 {}
  get_property        {-quiet 0}                                    2 2 property
  get_board_parts     {-quiet 0 -filter 1}                          0 1 echo
  get_ipdefs          {-all 0 -filter 1 -quiet 0}                   0 1 newest
  add_files           {-norecurse 0 -fileset 1 -quiet 0}            1 1 {}
  read_verilog        {-sv 0 -library 1 -quiet 0}                   1 1 {}
  get_files           {-quiet 0 -of_objects 1 -filter 1}            0 1 echo
  get_filesets        {-quiet 0}                                    0 1 echo
  update_compile_order {-fileset 1 -quiet 0}                        0 0 {}
  create_bd_design    {-dir 1 -quiet 0}                             1 1 {}
  create_bd_cell      {-type 1 -vlnv 1 -reference 1 -quiet 0}       1 1 first
  apply_bd_automation {-rule 1 -config 1 -dict 1 -quiet 0}          0 1 {}
  get_bd_cells        {-quiet 0 -filter 1 -of_objects 1}            0 1 first
  get_bd_pins         {-quiet 0 -filter 1 -of_objects 1}            0 1 first
  get_bd_intf_pins    {-quiet 0 -filter 1 -of_objects 1}            0 1 first
  get_bd_addr_spaces  {-quiet 0 -filter 1 -of_objects 1}            0 1 first
  get_bd_addr_segs    {-quiet 0 -filter 1 -of_objects 1}            0 1 first
  connect_bd_net      {-net 1 -quiet 0}                             2 99 {}
  connect_bd_intf_net {-intf_net 1 -quiet 0}                        2 2 {}
  assign_bd_address   {-offset 1 -range 1 -target_address_space 1 -quiet 0} 0 1 {}
  validate_bd_design  {-force 0 -quiet 0}                           0 1 {}
  save_bd_design      {-quiet 0}                                    0 1 {}
  make_wrapper        {-files 1 -top 0 -import 0 -quiet 0}          0 1 echo
  launch_runs         {-jobs 1 -to_step 1 -quiet 0}                 1 9 {}
  wait_on_run         {-timeout 1 -quiet 0}                         1 1 {}
  get_runs            {-quiet 0}                                    0 1 echo
  open_run            {-name 1 -quiet 0}                            1 1 {}
  report_timing_summary {-file 1 -quiet 0}                          0 0 {}
  report_utilization  {-hierarchical 0 -file 1 -quiet 0}            0 0 {}
  report_power        {-file 1 -quiet 0}                            0 0 {}
  report_drc          {-file 1 -quiet 0}                            0 0 {}
  write_hw_platform   {-fixed 0 -include_bit 0 -force 0 -file 1 -quiet 0} 0 1 {}
  get_timing_paths    {-setup 0 -hold 0 -max_paths 1 -quiet 0}      0 0 echo
  synth_design        {-mode 1 -flatten_hierarchy 1 -top 1 -part 1} 0 0 {}
  create_clock        {-period 1 -name 1}                           1 1 {}
  get_ports           {-quiet 0}                                    0 1 first
  get_clocks          {-quiet 0}                                    0 1 first
  set_clock_uncertainty {-setup 0 -hold 0}                          2 2 {}
  write_checkpoint    {-force 0 -quiet 0}                           1 1 {}
}

# Properties that the flow may set; from memory as well.
set vivado_properties {
  board_part target_language used_in_synthesis top strategy BITSTREAM.GENERAL.COMPRESS
  CONFIG.PSU__FPGA_PL0_ENABLE CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ
  CONFIG.PSU__USE__M_AXI_GP0 CONFIG.PSU__USE__M_AXI_GP1 CONFIG.PSU__USE__M_AXI_GP2 CONFIG.PSU__MAXIGP0__DATA_WIDTH
  CONFIG.PSU__USE__S_AXI_GP2 CONFIG.PSU__USE__S_AXI_GP3 CONFIG.PSU__USE__S_AXI_GP4 CONFIG.PSU__USE__S_AXI_GP5
  CONFIG.PSU__SAXIGP2__DATA_WIDTH CONFIG.PSU__SAXIGP3__DATA_WIDTH CONFIG.PSU__SAXIGP4__DATA_WIDTH
  CONFIG.PSU__SAXIGP5__DATA_WIDTH CONFIG.PSU__USE__IRQ0 CONFIG.NUM_SI CONFIG.NUM_MI
}

# Pins and interfaces of the IP in the block design; from memory as well.
set ip_pins {
  zynq_ultra_ps_e {pl_clk0 pl_resetn0 pl_ps_irq0 maxihpm0_fpd_aclk saxihp0_fpd_aclk saxihp1_fpd_aclk
    saxihp2_fpd_aclk saxihp3_fpd_aclk M_AXI_HPM0_FPD S_AXI_HP0_FPD S_AXI_HP1_FPD S_AXI_HP2_FPD S_AXI_HP3_FPD}
  proc_sys_reset {slowest_sync_clk ext_reset_in peripheral_reset interconnect_aresetn peripheral_aresetn mb_reset}
  smartconnect {aclk aresetn S00_AXI M00_AXI}
}

# Pins that have to be connected before the block design is valid.
set needed_pins {
  zynq_ultra_ps_e {pl_clk0 pl_resetn0 pl_ps_irq0 maxihpm0_fpd_aclk saxihp0_fpd_aclk saxihp1_fpd_aclk
    saxihp2_fpd_aclk saxihp3_fpd_aclk M_AXI_HPM0_FPD S_AXI_HP0_FPD S_AXI_HP1_FPD S_AXI_HP2_FPD S_AXI_HP3_FPD}
  proc_sys_reset {slowest_sync_clk ext_reset_in}
  smartconnect {aclk aresetn S00_AXI M00_AXI}
  heatvit_block {clk rst irq s_axi_ctrl m_axi_p0 m_axi_p1 m_axi_p2 m_axi_p3}
}

# Address spaces and segments: who sees whom.
set needed_addresses {
  ps/Data:accelerator/s_axi_ctrl/reg0
  accelerator/m_axi_p0:ps/SAXIGP2/HP0_DDR_LOW accelerator/m_axi_p1:ps/SAXIGP3/HP1_DDR_LOW
  accelerator/m_axi_p2:ps/SAXIGP4/HP2_DDR_LOW accelerator/m_axi_p3:ps/SAXIGP5/HP3_DDR_LOW
}

# Boards and their parts.
set vivado_boards {xilinx.com:zcu102:part0:3.4 xczu9eg-ffvb1156-2-e}

# Strategies that the flow may choose, and runs and file sets of a new project; from memory as well.
set vivado_strategies {Flow_PerfOptimized_high Performance_ExplorePostRoutePhysOpt}
set vivado_runs {synth_1 impl_1}
set vivado_filesets {sources_1 constrs_1}

# Calls of which one has to come before a command.
set needed_before {
  current_project create_project
  add_files create_project
  get_files create_project
  get_filesets create_project
  update_compile_order add_files
  create_bd_design add_files
  create_bd_cell create_bd_design
  assign_bd_address create_bd_cell
  validate_bd_design assign_bd_address
  save_bd_design validate_bd_design
  make_wrapper save_bd_design
  launch_runs make_wrapper
  wait_on_run launch_runs
  open_run wait_on_run
  report_timing_summary {open_run create_clock}
  report_utilization {open_run synth_design}
  report_power open_run
  report_drc open_run
  write_hw_platform open_run
  get_timing_paths open_run
  synth_design read_verilog
  create_clock synth_design
  get_ports {synth_design open_run}
  set_clock_uncertainty {open_run create_clock}
  write_checkpoint synth_design
}
