# Constraints of the whole design, used in implementation. The design has no pins of its own: clock, reset,
# memory and interrupt belong to the processing system, whose IP brings their constraints.

# Margin for jitter that the clock's own constraint does not know, as in the project's timing estimates.
set_clock_uncertainty -setup 0.100 [get_clocks clk_pl_0]

# Loading over JTAG or from flash takes a fraction of the time.
set_property BITSTREAM.GENERAL.COMPRESS TRUE [current_design]
