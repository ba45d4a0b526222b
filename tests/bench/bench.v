// One image through the accelerator in a four-state simulator. Whatever nobody drives is X: payloads while their
// valid is low, and memory that was never written. The lines marked with an at sign are filled in by the test.
`timescale 1ns / 1ps
`default_nettype none

module bench;
    reg clk = 1'b0;
    reg rst = 1'b1;
    always #5 clk = ~clk;

    reg [127:0] memory [0:@WORDS@ - 1];
    initial $readmemh("@MEMORY@", memory);

@WIRES@
    heatvit_top dut (
@PINS@
        .clk(clk),
        .rst(rst)
    );

    read_slave p0 (clk, rst, m_axi_p0_araddr, m_axi_p0_arlen, m_axi_p0_arvalid, m_axi_p0_arready, m_axi_p0_rdata,
        m_axi_p0_rresp, m_axi_p0_rlast, m_axi_p0_rvalid, m_axi_p0_rready);
    read_slave p1 (clk, rst, m_axi_p1_araddr, m_axi_p1_arlen, m_axi_p1_arvalid, m_axi_p1_arready, m_axi_p1_rdata,
        m_axi_p1_rresp, m_axi_p1_rlast, m_axi_p1_rvalid, m_axi_p1_rready);
    read_slave p2 (clk, rst, m_axi_p2_araddr, m_axi_p2_arlen, m_axi_p2_arvalid, m_axi_p2_arready, m_axi_p2_rdata,
        m_axi_p2_rresp, m_axi_p2_rlast, m_axi_p2_rvalid, m_axi_p2_rready);
    read_slave p3 (clk, rst, m_axi_p3_araddr, m_axi_p3_arlen, m_axi_p3_arvalid, m_axi_p3_arready, m_axi_p3_rdata,
        m_axi_p3_rresp, m_axi_p3_rlast, m_axi_p3_rvalid, m_axi_p3_rready);
    write_slave w0 (clk, rst, m_axi_p0_awaddr, m_axi_p0_awlen, m_axi_p0_awvalid, m_axi_p0_awready, m_axi_p0_wdata,
        m_axi_p0_wstrb, m_axi_p0_wlast, m_axi_p0_wvalid, m_axi_p0_wready, m_axi_p0_bresp, m_axi_p0_bvalid,
        m_axi_p0_bready);

    // The processor's side of the register port.
    reg awvalid = 1'b0;
    reg wvalid = 1'b0;
    reg arvalid = 1'b0;
    reg [11:0] address;
    reg [31:0] data;
    assign s_axi_ctrl_awvalid = awvalid;
    assign s_axi_ctrl_awaddr = awvalid ? address : 12'bx;
    assign s_axi_ctrl_wvalid = wvalid;
    assign s_axi_ctrl_wdata = wvalid ? data : 32'bx;
    assign s_axi_ctrl_wstrb = wvalid ? 4'hf : 4'bx;
    assign s_axi_ctrl_bready = 1'b1;
    assign s_axi_ctrl_arvalid = arvalid;
    assign s_axi_ctrl_araddr = arvalid ? address : 12'bx;
    assign s_axi_ctrl_rready = 1'b1;

    task write_register(input [11:0] at, input [31:0] value);
        begin
            address <= at;
            data <= value;
            awvalid <= 1'b1;
            wvalid <= 1'b1;
            @(posedge clk);
            while (!s_axi_ctrl_bvalid) begin
                if (s_axi_ctrl_awready) awvalid <= 1'b0;
                if (s_axi_ctrl_wready) wvalid <= 1'b0;
                @(posedge clk);
            end
        end
    endtask

    task read_register(input [11:0] at);
        begin
            address <= at;
            arvalid <= 1'b1;
            @(posedge clk);
            while (!s_axi_ctrl_rvalid) begin
                if (s_axi_ctrl_arready) arvalid <= 1'b0;
                @(posedge clk);
            end
        end
    endtask

    integer i;
    initial begin
        repeat (4) @(posedge clk);
        rst <= 1'b0;
@SETTINGS@
        write_register(12'h000, 32'd1);
        while (!irq) @(posedge clk);
        read_register(12'h008);
        $display("ERROR %0d", s_axi_ctrl_rdata);
        for (i = 0; i < @BEATS@; i = i + 1) $display("RESULT %h", memory[@RESULT@ + i]);
        write_register(12'h00c, 32'd1);
        repeat (4) @(posedge clk);
        $display("DONE irq %b, payloads never seen %0b, cycle %0d, checks %0d", irq, ~seen, cycle, checks);
        $finish(0);
    end

    // Checks in the middle of every cycle after the reset.
    integer cycle = 0;
    integer checks = 0;
    integer found = 0;
    reg [@PAYLOADS@ - 1:0] seen = 0;
    task unknown(input [8 * 64 - 1:0] what);
        begin
            $display("X cycle %0d %0s", cycle, what);
            found = found + 1;
            if (found == 20) $finish(0);
        end
    endtask
    always @(negedge clk) if (!rst) begin
        cycle = cycle + 1;
        if (cycle == 200000) begin
            $display("TIMEOUT");
            $finish(0);
        end
@CHECKS@
    end
endmodule

// Answers one burst at a time.
module read_slave(
    input  wire         clk,
    input  wire         rst,
    input  wire [31:0]  araddr,
    input  wire [7:0]   arlen,
    input  wire         arvalid,
    output wire         arready,
    output wire [127:0] rdata,
    output wire [1:0]   rresp,
    output wire         rlast,
    output wire         rvalid,
    input  wire         rready
);
    reg busy;
    reg [7:0] left;
    reg [31:0] at;
    assign arready = ~busy;
    assign rvalid = busy;
    assign rdata = busy ? bench.memory[at[31:4]] : 128'bx;
    assign rresp = busy ? 2'd0 : 2'bx;
    assign rlast = busy ? left == 8'd0 : 1'bx;
    always @(posedge clk) begin
        if (rst) begin
            busy <= 1'b0;
        end else if (~busy) begin
            busy <= arvalid;
            at <= araddr;
            left <= arlen;
        end else if (rready) begin
            busy <= left != 8'd0;
            at <= at + 32'd16;
            left <= left - 8'd1;
        end
    end
endmodule

// Takes one burst at a time, whole beats only.
module write_slave(
    input  wire         clk,
    input  wire         rst,
    input  wire [31:0]  awaddr,
    input  wire [7:0]   awlen,
    input  wire         awvalid,
    output wire         awready,
    input  wire [127:0] wdata,
    input  wire [15:0]  wstrb,
    input  wire         wlast,
    input  wire         wvalid,
    output wire         wready,
    output wire [1:0]   bresp,
    output wire         bvalid,
    input  wire         bready
);
    reg busy;
    reg answering;
    reg [7:0] left;
    reg [31:0] at;
    assign awready = ~busy;
    assign wready = busy & ~answering;
    assign bvalid = answering;
    assign bresp = answering ? 2'd0 : 2'bx;
    always @(posedge clk) begin
        if (rst) begin
            busy <= 1'b0;
            answering <= 1'b0;
        end else if (~busy) begin
            busy <= awvalid;
            at <= awaddr;
            left <= awlen;
        end else if (wready & wvalid) begin
            if (wstrb !== 16'hffff || wlast !== (left == 8'd0)) $display("BAD BEAT strobe %b last %b", wstrb, wlast);
            bench.memory[at[31:4]] <= wdata;
            at <= at + 32'd16;
            left <= left - 8'd1;
            answering <= wlast;
        end else if (bvalid & bready) begin
            busy <= 1'b0;
            answering <= 1'b0;
        end
    end
endmodule

`default_nettype wire
