# The block design `system`: the Zynq UltraScale+ processors with the accelerator beside them. Read by build.tcl
# after settings.tcl. One clock (pl_clk0) drives everything.

proc newest_ip {name} {
  set found [lsort -dictionary [get_ipdefs -all "xilinx.com:ip:$name:*"]]
  if {[llength $found] == 0} {
    fail "this Vivado has no IP $name" "use an edition that supports Zynq UltraScale+"
  }
  return [lindex $found end]
}

create_bd_design system

# Processors: the board's preset, then clock, control port, four 128-bit memory ports, interrupt.
# S_AXI_GP2..5 are the ports HP0..3.
set ps [create_bd_cell -type ip -vlnv [newest_ip zynq_ultra_ps_e] ps]
apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config {apply_board_preset 1} $ps
set_property -dict [list \
  CONFIG.PSU__FPGA_PL0_ENABLE 1 \
  CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz \
  CONFIG.PSU__USE__M_AXI_GP0 1 \
  CONFIG.PSU__USE__M_AXI_GP1 0 \
  CONFIG.PSU__USE__M_AXI_GP2 0 \
  CONFIG.PSU__MAXIGP0__DATA_WIDTH 32 \
  CONFIG.PSU__USE__S_AXI_GP2 1 \
  CONFIG.PSU__USE__S_AXI_GP3 1 \
  CONFIG.PSU__USE__S_AXI_GP4 1 \
  CONFIG.PSU__USE__S_AXI_GP5 1 \
  CONFIG.PSU__SAXIGP2__DATA_WIDTH 128 \
  CONFIG.PSU__SAXIGP3__DATA_WIDTH 128 \
  CONFIG.PSU__SAXIGP4__DATA_WIDTH 128 \
  CONFIG.PSU__SAXIGP5__DATA_WIDTH 128 \
  CONFIG.PSU__USE__IRQ0 1] $ps

create_bd_cell -type module -reference heatvit_block accelerator
set reset [create_bd_cell -type ip -vlnv [newest_ip proc_sys_reset] reset]

# Clock and reset
set clock [get_bd_pins ps/pl_clk0]
connect_bd_net $clock \
  [get_bd_pins accelerator/clk] \
  [get_bd_pins reset/slowest_sync_clk] \
  [get_bd_pins ps/maxihpm0_fpd_aclk] \
  [get_bd_pins ps/saxihp0_fpd_aclk] \
  [get_bd_pins ps/saxihp1_fpd_aclk] \
  [get_bd_pins ps/saxihp2_fpd_aclk] \
  [get_bd_pins ps/saxihp3_fpd_aclk]
connect_bd_net [get_bd_pins ps/pl_resetn0] [get_bd_pins reset/ext_reset_in]
connect_bd_net [get_bd_pins reset/peripheral_reset] [get_bd_pins accelerator/rst]
connect_bd_net [get_bd_pins accelerator/irq] [get_bd_pins ps/pl_ps_irq0]

# A SmartConnect of one master and one slave adapts identifiers and address widths.
proc bridge {name from to} {
  create_bd_cell -type ip -vlnv [newest_ip smartconnect] $name
  set_property -dict [list CONFIG.NUM_SI 1 CONFIG.NUM_MI 1] [get_bd_cells $name]
  connect_bd_net [get_bd_pins ps/pl_clk0] [get_bd_pins $name/aclk]
  connect_bd_net [get_bd_pins reset/interconnect_aresetn] [get_bd_pins $name/aresetn]
  connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $name/S00_AXI]
  connect_bd_intf_net [get_bd_intf_pins $name/M00_AXI] [get_bd_intf_pins $to]
}
bridge control ps/M_AXI_HPM0_FPD accelerator/s_axi_ctrl
foreach port {0 1 2 3} {
  bridge memory_$port accelerator/m_axi_p$port ps/S_AXI_HP${port}_FPD
}

# Addresses: registers for the processors, the lower 2 GB of memory for the accelerator
assign_bd_address -offset $control_base -range 4K \
  -target_address_space [get_bd_addr_spaces ps/Data] [get_bd_addr_segs accelerator/s_axi_ctrl/reg0]
foreach port {0 1 2 3} {
  assign_bd_address -offset 0 -range 2G \
    -target_address_space [get_bd_addr_spaces accelerator/m_axi_p$port] \
    [get_bd_addr_segs ps/SAXIGP[expr {$port + 2}]/HP${port}_DDR_LOW]
}

validate_bd_design
save_bd_design
