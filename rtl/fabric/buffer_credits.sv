// Credits that an input buffer grants its sender: some slots for each class, and a pool for all.
//
// Purpose: a class that has fewer than ClassDepth slots, promised or in use, is granted one of its
// own, so no class can keep another from moving; else, where its sender has fewer than ClassDepth
// credits, one of SharedDepth that all classes share. A class that does not send so takes nothing
// from the others, and one that does gets a credit for each word as soon as there is room for another.
// Latency: two cycles from what makes room to the pulse.
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

  typedef logic [NumClasses-1:0] classes_t;
  typedef logic [$clog2(ClassDepth+1)-1:0] own_t;
  typedef logic [$clog2(ClassDepth+SharedDepth+1)-1:0] slots_t;
  typedef logic [$clog2(SharedDepth+1)-1:0] shared_t;

  classes_t keep_q, drop_q, free_q, events;
  logic busy_q;  // something was granted, or happened, in the last cycle; else nothing can be now
  own_t [NumClasses-1:0] unspent_q;  // credits that the sender has
  slots_t [NumClasses-1:0] slots_q;  // promised or in use
  shared_t shared_q;  // of those, from the pool
  logic pool_empty_q;

  // A slot comes back to the pool when its class has more than its own, one lent just now included.
  classes_t granted, over, over_by_two;
  logic lends;
  shared_t shared_d;

  assign events = keep_q | drop_q | free_q;

  always_comb begin
    classes_t lent;
    lent = '0;
    granted = '0;
    over = '0;
    over_by_two = '0;
    lends = 1'b0;
    shared_d = shared_q;
    if (busy_q || events != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        granted[c] = slots_q[c] < slots_t'(ClassDepth);
        if (unspent_q[c] < own_t'(ClassDepth) && !granted[c]) lent = classes_t'(1) << c;
      end
      lends = lent != '0 && !pool_empty_q;
      if (!lends) lent = '0;
      granted |= lent;
      for (int unsigned c = 0; c < NumClasses; c++) begin
        over[c] = slots_q[c] > slots_t'(ClassDepth) || lent[c];
        over_by_two[c] = slots_q[c] > (lent[c] ? slots_t'(ClassDepth) : slots_t'(ClassDepth + 1));
      end
      shared_d = shared_q + shared_t'(lends) - shared_t'((drop_q & over) != '0) -
          shared_t'((free_q & (over_by_two | (over & ~drop_q))) != '0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credit_o <= '0;
      keep_q <= '0;
      drop_q <= '0;
      free_q <= '0;
      busy_q <= 1'b1;
      unspent_q <= '0;
      slots_q <= '0;
      shared_q <= '0;
      pool_empty_q <= SharedDepth == 0;
    end else begin
      credit_o <= granted;
      keep_q   <= keep_i;
      drop_q   <= drop_i;
      free_q   <= free_i;
      busy_q   <= (granted | events) != '0;
      if ((granted | events) != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (granted[c] != (keep_q[c] || drop_q[c])) begin
            unspent_q[c] <= granted[c] ? unspent_q[c] + 1'b1 : unspent_q[c] - 1'b1;
          end
          slots_q[c] <= slots_q[c] + slots_t'(granted[c]) - slots_t'(free_q[c]) -
              slots_t'(drop_q[c]);
        end
        shared_q <= shared_d;
        pool_empty_q <= shared_d == shared_t'(SharedDepth);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      high_water_o <= '0;
    end else if (keep_q != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        if (keep_q[c] && slots_q[c] - slots_t'(unspent_q[c]) >= slots_t'(high_water_o[c])) begin
          high_water_o[c] <= credit_t'(slots_q[c] - slots_t'(unspent_q[c])) + 1'b1;
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni && (keep_q | drop_q) != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        assert (!((keep_q[c] || drop_q[c]) && unspent_q[c] == '0))
        else $error("buffer_credits: a word of class %0d was sent without a credit", c);
      end
    end
  end

endmodule
