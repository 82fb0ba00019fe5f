// Credits that an input buffer grants its sender: some slots for each class, and a pool for all.
//
// Purpose: a class that has not all of its own ClassDepth slots, promised or in use, is granted one,
// so no class can keep another from moving; else, where its sender has fewer than ClassDepth credits,
// it is lent one of SharedDepth that all classes share. A slot that becomes free pays back one that
// is lent, if there is one. A class that does not send so takes nothing from the others, and one that
// does gets a credit for each word as soon as there is room for another.
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
  typedef logic [$clog2(SharedDepth+2)-1:0] shared_t;  // SharedDepth may be 0
  typedef logic [$clog2(ClassDepth+SharedDepth+1)-1:0] slots_t;
  typedef logic signed [1:0] step_t;

  // One up, or down, or down by two, as one number: a counter then takes one adder.
  function automatic step_t step(logic up, logic down, logic down_again);
    return {(down && !up) || down_again, up ^ down ^ down_again};
  endfunction

  classes_t keep_q, drop_q, free_q, events;
  logic busy_q;  // something was granted, or happened, in the last cycle; else nothing can be now
  own_t [NumClasses-1:0] unspent_q;  // credits that the sender has
  own_t [NumClasses-1:0] own_q;  // own slots, promised or in use
  shared_t [NumClasses-1:0] lent_q;  // lent slots, promised or in use
  shared_t shared_q;  // all that are lent
  logic pool_empty_q;

  classes_t grants, lends;  // of the class's own, of the pool
  classes_t pays, pays_two;  // pays back one slot, and another
  logic one_pays, two_pay;
  shared_t shared_d;

  assign events = keep_q | drop_q | free_q;

  always_comb begin
    grants = '0;
    lends = '0;
    pays = '0;
    pays_two = '0;
    one_pays = 1'b0;
    two_pay = 1'b0;
    shared_d = shared_q;
    if (busy_q || events != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        grants[c] = own_q[c] != own_t'(ClassDepth);
        if (!grants[c] && unspent_q[c] != own_t'(ClassDepth)) lends = classes_t'(1) << c;
      end
      if (pool_empty_q) lends = '0;
      // One lent just now included: a class has all of its own while it has one that is lent.
      for (int unsigned c = 0; c < NumClasses; c++) begin
        pays[c] = (drop_q[c] || free_q[c]) && (lent_q[c] != '0 || lends[c]);
        pays_two[c] = drop_q[c] && free_q[c] && lent_q[c] > (lends[c] ? '0 : shared_t'(1));
      end
      one_pays = pays != '0;
      two_pay  = pays_two != '0 || ((pays & drop_q) != '0 && (pays & free_q & ~drop_q) != '0);
      shared_d = shared_q + shared_t'(step(lends != '0, one_pays, two_pay));
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
      own_q <= '0;
      lent_q <= '0;
      shared_q <= '0;
      pool_empty_q <= SharedDepth == 0;
    end else begin
      credit_o <= grants | lends;
      keep_q   <= keep_i;
      drop_q   <= drop_i;
      free_q   <= free_i;
      busy_q   <= (grants | lends | events) != '0;
      if ((grants | lends | events) != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          unspent_q[c] <= unspent_q[c] + own_t'(step(
              grants[c] || lends[c], keep_q[c] || drop_q[c], 1'b0
          ));
          own_q[c] <= own_q[c] + own_t'(step(
              grants[c],
              (drop_q[c] || free_q[c]) && (!pays[c] || (drop_q[c] && free_q[c] && !pays_two[c])),
              drop_q[c] && free_q[c] && !pays[c]
          ));
          lent_q[c] <= lent_q[c] + shared_t'(step(lends[c], pays[c], pays_two[c]));
        end
        shared_q <= shared_d;
        pool_empty_q <= shared_d == shared_t'(SharedDepth);
      end
    end
  end

  // Words held, for the counters.
  slots_t [NumClasses-1:0] held_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      held_q <= '0;
      high_water_o <= '0;
    end else if ((keep_q | free_q) != '0) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        held_q[c] <= held_q[c] + slots_t'(step(keep_q[c], free_q[c], 1'b0));
        if (keep_q[c] && !free_q[c] && held_q[c] == slots_t'(high_water_o[c])) begin
          high_water_o[c] <= credit_t'(held_q[c]) + 1'b1;
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
