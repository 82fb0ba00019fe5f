// Credits that the input buffers grant their senders: some slots for each class, and a pool for all.
//
// Purpose: a class that has not all of its own ClassDepth slots, promised or in use, is granted one,
// so no class can keep another from moving; else, where its sender has fewer than ClassDepth credits,
// it is lent one of SharedDepth that all classes of the input share. A slot that becomes free pays
// back one that is lent, if there is one. A class that does not send so takes nothing from the
// others, and one that does gets a credit for each word as soon as there is room for another. The
// credit of a word that is dropped as it comes goes straight back.
// Latency: two cycles from what makes room to the pulse.
// Reset: nothing granted; then up to one credit a cycle and class.
module buffer_credits
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Size        = 10,  // inputs
    parameter int unsigned ClassDepth  = 24,
    parameter int unsigned SharedDepth = 40
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    // By input, classes of the credits of words that come, are dropped as they come, and leave.
    input  logic [Size-1:0][NumClasses-1:0] keep_i,
    input  logic [Size-1:0][NumClasses-1:0] drop_i,
    input  logic [Size-1:0][NumClasses-1:0] free_i,
    output logic [Size-1:0][NumClasses-1:0] credit_o,                  // pulses
    // The most words held since reset, bit by bit.
    output logic [Size-1:0][NumClasses-1:0] high_water_o[CreditWidth]
);

  localparam int unsigned Lanes = Size * NumClasses;
  localparam int unsigned OwnWidth = $clog2(ClassDepth + 1);
  localparam int unsigned SharedWidth = $clog2(SharedDepth + 2);  // SharedDepth may be 0

  typedef logic [Size-1:0][NumClasses-1:0] lanes_t;

  lanes_t keep_q, drop_q, free_q;
  // The sender has all the credits it may have; the class all its own slots, promised or in use; it
  // has slots that are lent.
  lanes_t sated_q, full_q, owes_q;
  logic [Size-1:0] pool_empty_q;

  lanes_t grants, lends;  // of the class's own, of the pool
  lanes_t pays;  // what becomes free was lent
  logic [Size-1:0] one_lent, one_paid;

  // The last of the classes.
  function automatic logic [NumClasses-1:0] last_of(logic [NumClasses-1:0] classes);
    logic [NumClasses-1:0] up_to;  // it and all before
    up_to = classes | (classes >> 1);
    up_to |= up_to >> 2;
    up_to |= up_to >> 4;
    return up_to & ~(up_to >> 1);
  endfunction

  always_comb begin
    lanes_t wants;
    grants = ~full_q & ~drop_q;
    wants  = full_q & ~sated_q & ~drop_q;
    for (int unsigned i = 0; i < Size; i++) begin
      lends[i] = last_of(wants[i]) & ~{NumClasses{pool_empty_q[i]}};
    end
    // One lent just now included: a class has all of its own while it has one that is lent.
    pays = free_q & (owes_q | lends);
    for (int unsigned i = 0; i < Size; i++) begin
      one_lent[i] = lends[i] != '0;
      one_paid[i] = pays[i] != '0;
    end
  end

  // Credits that the senders have.
  lanes_t sated_d, has, has_q;

  lane_counters #(
      .Lanes(Lanes),
      .Width(OwnWidth),
      .Mark (ClassDepth)
  ) u_unspent (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (grants | lends),
      .down_i   (keep_q),
      .count_o  (),
      .some_o   (has),
      .several_o(),
      .mark_o   (sated_d)
  );

  // Own slots, promised or in use.
  lanes_t full_d;

  lane_counters #(
      .Lanes(Lanes),
      .Width(OwnWidth),
      .Mark (ClassDepth)
  ) u_own (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (grants),
      .down_i   (free_q & ~pays),
      .count_o  (),
      .some_o   (),
      .several_o(),
      .mark_o   (full_d)
  );

  // Lent slots, promised or in use; and all of an input.
  lanes_t owes_d;
  logic [Size-1:0] pool_empty_d;

  lane_counters #(
      .Lanes(Lanes),
      .Width(SharedWidth)
  ) u_lent (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (lends),
      .down_i   (pays),
      .count_o  (),
      .some_o   (owes_d),
      .several_o(),
      .mark_o   ()
  );

  lane_counters #(
      .Lanes(Size),
      .Width(SharedWidth),
      .Mark (SharedDepth)
  ) u_pool (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (one_lent),
      .down_i   (one_paid),
      .count_o  (),
      .some_o   (),
      .several_o(),
      .mark_o   (pool_empty_d)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credit_o <= '0;
      keep_q <= '0;
      drop_q <= '0;
      free_q <= '0;
      sated_q <= '0;
      full_q <= '0;
      owes_q <= '0;
      has_q <= '0;
      pool_empty_q <= {Size{SharedDepth == 0}};
    end else begin
      credit_o <= grants | lends | drop_q;
      keep_q <= keep_i;
      drop_q <= drop_i;
      free_q <= free_i;
      sated_q <= sated_d;
      full_q <= full_d;
      owes_q <= owes_d;
      has_q <= has;
      pool_empty_q <= pool_empty_d;
    end
  end

  // Words held, and the most there were, for the registers.
  logic [Lanes-1:0] held[CreditWidth], most[CreditWidth];
  lanes_t rises;

  always_comb begin
    rises = keep_q & ~free_q;
    for (int unsigned b = 0; b < CreditWidth; b++) begin
      rises &= ~(held[b] ^ most[b]);
      high_water_o[b] = most[b];
    end
  end

  lane_counters #(
      .Lanes(Lanes),
      .Width(CreditWidth)
  ) u_held (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (keep_q),
      .down_i   (free_q),
      .count_o  (held),
      .some_o   (),
      .several_o(),
      .mark_o   ()
  );

  lane_counters #(
      .Lanes(Lanes),
      .Width(CreditWidth)
  ) u_most (
      .clk_i,
      .rst_ni,
      .clear_i  ('0),
      .up_i     (rises),
      .down_i   ('0),
      .count_o  (most),
      .some_o   (),
      .several_o(),
      .mark_o   ()
  );

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (((keep_q | drop_q) & ~has_q) == '0)
      else
        $error(
            "buffer_credits: words were sent without a credit, by input and class: %b",
            (keep_q | drop_q) & ~has_q
        );
    end
  end

endmodule
