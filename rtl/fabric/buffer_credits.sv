// Credits that an input buffer grants its sender: some slots for each class, and a pool for all.
//
// Purpose: a class that has fewer than ClassDepth slots, promised or in use, is granted one of its
// own, so no class can keep another from moving; else, where its sender has fewer than ClassDepth
// credits, one of SharedDepth that all classes share. A class that does not send so takes nothing
// from the others, and one that does gets a credit for each word as soon as there is room for another.
// Latency: one cycle from what makes room to the pulse.
// Reset: nothing granted; then up to one credit a cycle and class.
module buffer_credits
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned ClassDepth  = 24,
    parameter int unsigned SharedDepth = 40
) (
    input  logic                     clk_i,
    input  logic                     rst_ni,
    // Classes of the credits of words that come, are dropped as they come, and leave.
    input  logic    [NumClasses-1:0] keep_i,
    input  logic    [NumClasses-1:0] drop_i,
    input  logic    [NumClasses-1:0] free_i,
    output logic    [NumClasses-1:0] credit_o,     // pulses
    output credit_t [NumClasses-1:0] high_water_o  // the most words held since reset
);

  typedef logic [$clog2(SharedDepth+1):0] shared_t;

  credit_t [NumClasses-1:0] unspent_q, unspent_d, slots_q, slots_d;
  logic [NumClasses-1:0] granted;
  logic none_shared_q, none_shared_d;  // all shared slots are promised or in use

  always_comb begin
    logic [NumClasses-1:0] lent;
    granted = '0;
    lent = '0;
    for (int unsigned c = 0; c < NumClasses; c++) begin
      granted[c] = slots_q[c] < credit_t'(ClassDepth);
      if (unspent_q[c] < credit_t'(ClassDepth) && !granted[c]) lent = NumClasses'(1) << c;
    end
    if (!none_shared_q) granted |= lent;
  end

  always_comb begin
    shared_t taken;
    taken = '0;
    unspent_d = unspent_q;
    slots_d = slots_q;
    none_shared_d = none_shared_q;
    if ((granted | keep_i | drop_i | free_i) != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        unspent_d[c] = unspent_q[c] + credit_t'(granted[c]) - credit_t'(keep_i[c] || drop_i[c]);
        slots_d[c] = slots_q[c] + credit_t'(granted[c]) - credit_t'(free_i[c]) -
            credit_t'(drop_i[c]);
        if (slots_d[c] > credit_t'(ClassDepth)) begin
          taken = taken + shared_t'(slots_d[c] - credit_t'(ClassDepth));
        end
      end
      none_shared_d = taken == shared_t'(SharedDepth);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credit_o <= '0;
      unspent_q <= '0;
      slots_q <= '0;
      none_shared_q <= SharedDepth == 0;
    end else begin
      credit_o <= granted;
      unspent_q <= unspent_d;
      slots_q <= slots_d;
      none_shared_q <= none_shared_d;
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      high_water_o <= '0;
    end else if (keep_i != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        if (slots_d[c] - unspent_d[c] > high_water_o[c]) begin
          high_water_o[c] <= slots_d[c] - unspent_d[c];
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni && (keep_i | drop_i) != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        assert (!((keep_i[c] || drop_i[c]) && unspent_q[c] == '0))
        else $error("buffer_credits: a word of class %0d was sent without a credit", c);
      end
    end
  end

endmodule
