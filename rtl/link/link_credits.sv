// Passes the credits of the far core on to the own core, as far as the replay buffer has room.
//
// Purpose: takes the totals that the other end tells and gives the core a pulse for each credit
// that is new, one a cycle. A credit promises the core a place in the replay buffer, so a word
// that the core sends always has one; no class may hold more promises than its share, so that
// classes do not wait for each other.
// Latency: a credit told in one cycle is passed on in the second cycle after it.
// Reset: no credits.
// Ignored: totals that are older than what is known already; they come late or twice.
module link_credits
  import flit_pkg::*;
  import link_pkg::*;
#(
    parameter int unsigned Window = 160  // places in the replay buffer
) (
    input logic clk_i,
    input logic rst_ni,

    // Of a word of the other end.
    input logic                    told_i,
    input logic   [           2:0] kind_i,
    input logic   [           2:0] ret_kind_i,
    input count_t                  ret_i,
    input count_t [NumClasses-1:0] counts_i,

    input logic   take_i,        // the core sends a word
    input class_e take_class_i,
    input count_t freed_i,       // places that acknowledgements make free

    output logic [NumClasses-1:0] credit_o,  // pulses to the core
    output logic [NumClasses-1:0] held_o     // the core has a credit
);

  import arbiter_pkg::*;

  localparam int unsigned Share = (Window >= NumClasses) ? Window / NumClasses : 1;
  typedef count_t places_t;

  count_t [NumClasses-1:0] known_q, passed_q;
  places_t [NumClasses-1:0] promised_q;
  places_t used_q;  // places promised or taken
  logic [NumClasses-1:0] credit_q, first_q;

  // Totals in the word: all of a status word, one of a flit.
  count_t [NumClasses-1:0] totals;
  logic   [NumClasses-1:0] newer;
  always_comb begin
    totals = {NumClasses{ret_i}};
    newer  = '0;
    if (told_i) begin
      if (kind_i == KindStatus) begin
        totals = counts_i;
        newer  = '1;
      end else if (kind_i < KindStatus && ret_kind_i < RetAck) begin
        newer[ret_kind_i] = 1'b1;
      end
      for (int unsigned c = 0; c < NumClasses; c++) begin
        // A total that is behind looks like one that is more than half of the range ahead.
        if (totals[c] - known_q[c] >= count_t'(2 ** (CountWidth - 1))) newer[c] = 1'b0;
      end
    end
  end

  logic [NumClasses-1:0] waiting, held;
  arbiter_vec_t choice;
  always_comb begin
    for (int unsigned c = 0; c < NumClasses; c++) begin
      waiting[c] = known_q[c] != passed_q[c] && promised_q[c] < places_t'(Share);
      held[c] = promised_q[c] != '0;
    end
    choice = '0;
    if (waiting != '0 && 32'(used_q) < Window) begin
      choice = round_robin(arbiter_vec_t'(waiting), arbiter_vec_t'(first_q));
    end
  end

  logic [NumClasses-1:0] give, take;
  assign give = NumClasses'(choice);
  assign take = take_i ? NumClasses'(1) << take_class_i : '0;
  assign credit_o = credit_q;
  assign held_o = held;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      known_q <= '0;
      passed_q <= '0;
      promised_q <= '0;
      used_q <= '0;
      credit_q <= '0;
      first_q <= '1;
    end else begin
      credit_q <= give;
      if (told_i) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (newer[c]) known_q[c] <= totals[c];
        end
      end
      if (give != '0) first_q <= NumClasses'(pass_first(choice));
      if (give != '0 || take != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (give[c]) passed_q[c] <= passed_q[c] + 1'b1;
          promised_q[c] <= promised_q[c] + places_t'(give[c]) - places_t'(take[c]);
        end
      end
      used_q <= used_q + places_t'(give != '0) - freed_i;
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (32'(used_q) <= Window)
      else $error("link_credits: %0d places promised or taken of %0d", used_q, Window);
      assert ((take & ~held) == '0)
      else $error("link_credits: a word is taken without a credit");
    end
  end

endmodule
