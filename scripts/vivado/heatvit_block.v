// The accelerator as a block of a block design: the ports of heatvit_top, with the attributes that tell the
// IP integrator which of them form clock, reset, interrupt and bus interfaces. Hand-written and the same for
// every configuration, because the ports are.
`default_nettype none

module heatvit_block (
  (* X_INTERFACE_INFO = "xilinx.com:signal:clock:1.0 clk CLK" *)
  (* X_INTERFACE_PARAMETER = "ASSOCIATED_BUSIF s_axi_ctrl:m_axi_p0:m_axi_p1:m_axi_p2:m_axi_p3, ASSOCIATED_RESET rst" *)
  input  wire         clk,
  (* X_INTERFACE_INFO = "xilinx.com:signal:reset:1.0 rst RST" *)
  (* X_INTERFACE_PARAMETER = "POLARITY ACTIVE_HIGH" *)
  input  wire         rst,
  (* X_INTERFACE_INFO = "xilinx.com:signal:interrupt:1.0 irq INTERRUPT" *)
  (* X_INTERFACE_PARAMETER = "SENSITIVITY LEVEL_HIGH" *)
  output wire         irq,
  // Registers, AXI4-Lite
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl AWADDR" *)
  (* X_INTERFACE_PARAMETER = "PROTOCOL AXI4LITE, DATA_WIDTH 32, ADDR_WIDTH 12" *)
  input  wire [11:0]  s_axi_ctrl_awaddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl AWVALID" *)
  input  wire         s_axi_ctrl_awvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl AWREADY" *)
  output wire         s_axi_ctrl_awready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl WDATA" *)
  input  wire [31:0]  s_axi_ctrl_wdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl WSTRB" *)
  input  wire [3:0]   s_axi_ctrl_wstrb,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl WVALID" *)
  input  wire         s_axi_ctrl_wvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl WREADY" *)
  output wire         s_axi_ctrl_wready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl BRESP" *)
  output wire [1:0]   s_axi_ctrl_bresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl BVALID" *)
  output wire         s_axi_ctrl_bvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl BREADY" *)
  input  wire         s_axi_ctrl_bready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl ARADDR" *)
  input  wire [11:0]  s_axi_ctrl_araddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl ARVALID" *)
  input  wire         s_axi_ctrl_arvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl ARREADY" *)
  output wire         s_axi_ctrl_arready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl RDATA" *)
  output wire [31:0]  s_axi_ctrl_rdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl RRESP" *)
  output wire [1:0]   s_axi_ctrl_rresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl RVALID" *)
  output wire         s_axi_ctrl_rvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 s_axi_ctrl RREADY" *)
  input  wire         s_axi_ctrl_rready,

  // Read port 0
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARADDR" *)
  (* X_INTERFACE_PARAMETER = "PROTOCOL AXI4, DATA_WIDTH 128, ADDR_WIDTH 32, READ_WRITE_MODE READ_WRITE, MAX_BURST_LENGTH 16, SUPPORTS_NARROW_BURST 0, NUM_READ_OUTSTANDING 32, NUM_WRITE_OUTSTANDING 1" *)
  output wire [31:0]  m_axi_p0_araddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARLEN" *)
  output wire [7:0]   m_axi_p0_arlen,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARSIZE" *)
  output wire [2:0]   m_axi_p0_arsize,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARBURST" *)
  output wire [1:0]   m_axi_p0_arburst,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARCACHE" *)
  output wire [3:0]   m_axi_p0_arcache,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARPROT" *)
  output wire [2:0]   m_axi_p0_arprot,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARVALID" *)
  output wire         m_axi_p0_arvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 ARREADY" *)
  input  wire         m_axi_p0_arready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 RDATA" *)
  input  wire [127:0] m_axi_p0_rdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 RRESP" *)
  input  wire [1:0]   m_axi_p0_rresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 RLAST" *)
  input  wire         m_axi_p0_rlast,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 RVALID" *)
  input  wire         m_axi_p0_rvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 RREADY" *)
  output wire         m_axi_p0_rready,

  // Write channel of port 0
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWADDR" *)
  output wire [31:0]  m_axi_p0_awaddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWLEN" *)
  output wire [7:0]   m_axi_p0_awlen,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWSIZE" *)
  output wire [2:0]   m_axi_p0_awsize,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWBURST" *)
  output wire [1:0]   m_axi_p0_awburst,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWCACHE" *)
  output wire [3:0]   m_axi_p0_awcache,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWPROT" *)
  output wire [2:0]   m_axi_p0_awprot,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWVALID" *)
  output wire         m_axi_p0_awvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 AWREADY" *)
  input  wire         m_axi_p0_awready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 WDATA" *)
  output wire [127:0] m_axi_p0_wdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 WSTRB" *)
  output wire [15:0]  m_axi_p0_wstrb,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 WLAST" *)
  output wire         m_axi_p0_wlast,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 WVALID" *)
  output wire         m_axi_p0_wvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 WREADY" *)
  input  wire         m_axi_p0_wready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 BRESP" *)
  input  wire [1:0]   m_axi_p0_bresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 BVALID" *)
  input  wire         m_axi_p0_bvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p0 BREADY" *)
  output wire         m_axi_p0_bready,

  // Read port 1
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARADDR" *)
  (* X_INTERFACE_PARAMETER = "PROTOCOL AXI4, DATA_WIDTH 128, ADDR_WIDTH 32, READ_WRITE_MODE READ_ONLY, MAX_BURST_LENGTH 16, SUPPORTS_NARROW_BURST 0, NUM_READ_OUTSTANDING 32" *)
  output wire [31:0]  m_axi_p1_araddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARLEN" *)
  output wire [7:0]   m_axi_p1_arlen,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARSIZE" *)
  output wire [2:0]   m_axi_p1_arsize,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARBURST" *)
  output wire [1:0]   m_axi_p1_arburst,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARCACHE" *)
  output wire [3:0]   m_axi_p1_arcache,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARPROT" *)
  output wire [2:0]   m_axi_p1_arprot,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARVALID" *)
  output wire         m_axi_p1_arvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 ARREADY" *)
  input  wire         m_axi_p1_arready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 RDATA" *)
  input  wire [127:0] m_axi_p1_rdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 RRESP" *)
  input  wire [1:0]   m_axi_p1_rresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 RLAST" *)
  input  wire         m_axi_p1_rlast,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 RVALID" *)
  input  wire         m_axi_p1_rvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p1 RREADY" *)
  output wire         m_axi_p1_rready,

  // Read port 2
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARADDR" *)
  (* X_INTERFACE_PARAMETER = "PROTOCOL AXI4, DATA_WIDTH 128, ADDR_WIDTH 32, READ_WRITE_MODE READ_ONLY, MAX_BURST_LENGTH 16, SUPPORTS_NARROW_BURST 0, NUM_READ_OUTSTANDING 32" *)
  output wire [31:0]  m_axi_p2_araddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARLEN" *)
  output wire [7:0]   m_axi_p2_arlen,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARSIZE" *)
  output wire [2:0]   m_axi_p2_arsize,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARBURST" *)
  output wire [1:0]   m_axi_p2_arburst,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARCACHE" *)
  output wire [3:0]   m_axi_p2_arcache,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARPROT" *)
  output wire [2:0]   m_axi_p2_arprot,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARVALID" *)
  output wire         m_axi_p2_arvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 ARREADY" *)
  input  wire         m_axi_p2_arready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 RDATA" *)
  input  wire [127:0] m_axi_p2_rdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 RRESP" *)
  input  wire [1:0]   m_axi_p2_rresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 RLAST" *)
  input  wire         m_axi_p2_rlast,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 RVALID" *)
  input  wire         m_axi_p2_rvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p2 RREADY" *)
  output wire         m_axi_p2_rready,

  // Read port 3
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARADDR" *)
  (* X_INTERFACE_PARAMETER = "PROTOCOL AXI4, DATA_WIDTH 128, ADDR_WIDTH 32, READ_WRITE_MODE READ_ONLY, MAX_BURST_LENGTH 16, SUPPORTS_NARROW_BURST 0, NUM_READ_OUTSTANDING 32" *)
  output wire [31:0]  m_axi_p3_araddr,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARLEN" *)
  output wire [7:0]   m_axi_p3_arlen,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARSIZE" *)
  output wire [2:0]   m_axi_p3_arsize,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARBURST" *)
  output wire [1:0]   m_axi_p3_arburst,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARCACHE" *)
  output wire [3:0]   m_axi_p3_arcache,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARPROT" *)
  output wire [2:0]   m_axi_p3_arprot,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARVALID" *)
  output wire         m_axi_p3_arvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 ARREADY" *)
  input  wire         m_axi_p3_arready,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 RDATA" *)
  input  wire [127:0] m_axi_p3_rdata,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 RRESP" *)
  input  wire [1:0]   m_axi_p3_rresp,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 RLAST" *)
  input  wire         m_axi_p3_rlast,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 RVALID" *)
  input  wire         m_axi_p3_rvalid,
  (* X_INTERFACE_INFO = "xilinx.com:interface:aximm:1.0 m_axi_p3 RREADY" *)
  output wire         m_axi_p3_rready
);

  heatvit_top top (
    .clk(clk),
    .rst(rst),
    .irq(irq),
    .s_axi_ctrl_awaddr(s_axi_ctrl_awaddr),
    .s_axi_ctrl_awvalid(s_axi_ctrl_awvalid),
    .s_axi_ctrl_awready(s_axi_ctrl_awready),
    .s_axi_ctrl_wdata(s_axi_ctrl_wdata),
    .s_axi_ctrl_wstrb(s_axi_ctrl_wstrb),
    .s_axi_ctrl_wvalid(s_axi_ctrl_wvalid),
    .s_axi_ctrl_wready(s_axi_ctrl_wready),
    .s_axi_ctrl_bresp(s_axi_ctrl_bresp),
    .s_axi_ctrl_bvalid(s_axi_ctrl_bvalid),
    .s_axi_ctrl_bready(s_axi_ctrl_bready),
    .s_axi_ctrl_araddr(s_axi_ctrl_araddr),
    .s_axi_ctrl_arvalid(s_axi_ctrl_arvalid),
    .s_axi_ctrl_arready(s_axi_ctrl_arready),
    .s_axi_ctrl_rdata(s_axi_ctrl_rdata),
    .s_axi_ctrl_rresp(s_axi_ctrl_rresp),
    .s_axi_ctrl_rvalid(s_axi_ctrl_rvalid),
    .s_axi_ctrl_rready(s_axi_ctrl_rready),
    .m_axi_p0_araddr(m_axi_p0_araddr),
    .m_axi_p0_arlen(m_axi_p0_arlen),
    .m_axi_p0_arsize(m_axi_p0_arsize),
    .m_axi_p0_arburst(m_axi_p0_arburst),
    .m_axi_p0_arcache(m_axi_p0_arcache),
    .m_axi_p0_arprot(m_axi_p0_arprot),
    .m_axi_p0_arvalid(m_axi_p0_arvalid),
    .m_axi_p0_arready(m_axi_p0_arready),
    .m_axi_p0_rdata(m_axi_p0_rdata),
    .m_axi_p0_rresp(m_axi_p0_rresp),
    .m_axi_p0_rlast(m_axi_p0_rlast),
    .m_axi_p0_rvalid(m_axi_p0_rvalid),
    .m_axi_p0_rready(m_axi_p0_rready),
    .m_axi_p0_awaddr(m_axi_p0_awaddr),
    .m_axi_p0_awlen(m_axi_p0_awlen),
    .m_axi_p0_awsize(m_axi_p0_awsize),
    .m_axi_p0_awburst(m_axi_p0_awburst),
    .m_axi_p0_awcache(m_axi_p0_awcache),
    .m_axi_p0_awprot(m_axi_p0_awprot),
    .m_axi_p0_awvalid(m_axi_p0_awvalid),
    .m_axi_p0_awready(m_axi_p0_awready),
    .m_axi_p0_wdata(m_axi_p0_wdata),
    .m_axi_p0_wstrb(m_axi_p0_wstrb),
    .m_axi_p0_wlast(m_axi_p0_wlast),
    .m_axi_p0_wvalid(m_axi_p0_wvalid),
    .m_axi_p0_wready(m_axi_p0_wready),
    .m_axi_p0_bresp(m_axi_p0_bresp),
    .m_axi_p0_bvalid(m_axi_p0_bvalid),
    .m_axi_p0_bready(m_axi_p0_bready),
    .m_axi_p1_araddr(m_axi_p1_araddr),
    .m_axi_p1_arlen(m_axi_p1_arlen),
    .m_axi_p1_arsize(m_axi_p1_arsize),
    .m_axi_p1_arburst(m_axi_p1_arburst),
    .m_axi_p1_arcache(m_axi_p1_arcache),
    .m_axi_p1_arprot(m_axi_p1_arprot),
    .m_axi_p1_arvalid(m_axi_p1_arvalid),
    .m_axi_p1_arready(m_axi_p1_arready),
    .m_axi_p1_rdata(m_axi_p1_rdata),
    .m_axi_p1_rresp(m_axi_p1_rresp),
    .m_axi_p1_rlast(m_axi_p1_rlast),
    .m_axi_p1_rvalid(m_axi_p1_rvalid),
    .m_axi_p1_rready(m_axi_p1_rready),
    .m_axi_p2_araddr(m_axi_p2_araddr),
    .m_axi_p2_arlen(m_axi_p2_arlen),
    .m_axi_p2_arsize(m_axi_p2_arsize),
    .m_axi_p2_arburst(m_axi_p2_arburst),
    .m_axi_p2_arcache(m_axi_p2_arcache),
    .m_axi_p2_arprot(m_axi_p2_arprot),
    .m_axi_p2_arvalid(m_axi_p2_arvalid),
    .m_axi_p2_arready(m_axi_p2_arready),
    .m_axi_p2_rdata(m_axi_p2_rdata),
    .m_axi_p2_rresp(m_axi_p2_rresp),
    .m_axi_p2_rlast(m_axi_p2_rlast),
    .m_axi_p2_rvalid(m_axi_p2_rvalid),
    .m_axi_p2_rready(m_axi_p2_rready),
    .m_axi_p3_araddr(m_axi_p3_araddr),
    .m_axi_p3_arlen(m_axi_p3_arlen),
    .m_axi_p3_arsize(m_axi_p3_arsize),
    .m_axi_p3_arburst(m_axi_p3_arburst),
    .m_axi_p3_arcache(m_axi_p3_arcache),
    .m_axi_p3_arprot(m_axi_p3_arprot),
    .m_axi_p3_arvalid(m_axi_p3_arvalid),
    .m_axi_p3_arready(m_axi_p3_arready),
    .m_axi_p3_rdata(m_axi_p3_rdata),
    .m_axi_p3_rresp(m_axi_p3_rresp),
    .m_axi_p3_rlast(m_axi_p3_rlast),
    .m_axi_p3_rvalid(m_axi_p3_rvalid),
    .m_axi_p3_rready(m_axi_p3_rready)
  );

endmodule

`default_nettype wire
