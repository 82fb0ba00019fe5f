// A combinational loop, to see that the simulator's giving up is an error and not the end.
//
// Purpose: while `enable_i` is high, `out_o` is its own inverse and never settles.
// Latency: combinational. Reset: none. Dropped or stalled: nothing.
//
/* verilator lint_off UNOPTFLAT */  // the loop is what this module is for
module oscillator (
  input  logic enable_i,
  output logic out_o
);

  assign out_o = enable_i & ~out_o;

endmodule
