// Ends the packets that a dead link leaves open, so that nobody waits for their rest.
//
// Purpose: passes words on; once the link is dead, sends a last word for each class in which a
// packet is under way, as soon as the other end would have had a credit for it. The switch fills
// such a packet to its declared length.
// Latency: none while the link lives.
// Reset: no packet is open.
module link_close
  import flit_pkg::*;
  import link_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,

    input  logic                        dead_i,
    input  link_word_t                  word_i,
    input  logic       [NumClasses-1:0] credit_i,  // pulses from the core
    output link_word_t                  word_o
);

  import arbiter_pkg::*;

  logic [NumClasses-1:0] open_q;
  logic [NumClasses-1:0][CountWidth-2:0] credits_q;  // held for the other end
  logic [NumClasses-1:0] able, taken;
  arbiter_vec_t choice;

  always_comb begin
    able   = '0;
    choice = '0;
    word_o = word_i;
    if (dead_i && !word_i.valid) begin
      for (int unsigned c = 0; c < NumClasses; c++) able[c] = open_q[c] && credits_q[c] != '0;
      choice = round_robin(arbiter_vec_t'(able), '1);
      word_o.valid = able != '0;
      word_o.cls = class_e'(index_of(choice));
      word_o.head = 1'b0;
      word_o.tail = 1'b1;
      word_o.flit = '0;
    end
    taken = word_o.valid ? NumClasses'(1) << word_o.cls : '0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      open_q <= '0;
      credits_q <= '0;
    end else begin
      if (word_o.valid) open_q[word_o.cls] <= !word_o.tail;
      if (taken != credit_i) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credits_q[c] <= credits_q[c] + (CountWidth-1)'(credit_i[c]) - (CountWidth-1)'(taken[c]);
        end
      end
    end
  end

endmodule
