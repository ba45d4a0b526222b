# The Vivado commands that the flow may use: options (0: a flag, 1: takes a value), fewest and most positional
# arguments, and what the recorder answers ({} for nothing, `echo` for a token made of the call). The table was written
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
  create_bd_cell      {-type 1 -vlnv 1 -reference 1 -quiet 0}       1 1 cell
  apply_bd_automation {-rule 1 -config 1 -dict 1 -quiet 0}          0 1 {}
  get_bd_cells        {-quiet 0 -filter 1 -of_objects 1}            0 1 cell
  get_bd_pins         {-quiet 0 -filter 1 -of_objects 1}            0 1 pin
  get_bd_intf_pins    {-quiet 0 -filter 1 -of_objects 1}            0 1 pin
  get_bd_addr_spaces  {-quiet 0 -filter 1 -of_objects 1}            0 1 echo
  get_bd_addr_segs    {-quiet 0 -filter 1 -of_objects 1}            0 1 echo
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
  get_ports           {-quiet 0}                                    0 1 port
  get_clocks          {-quiet 0}                                    0 1 clock
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
