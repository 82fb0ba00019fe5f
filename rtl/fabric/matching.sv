// Pairs inputs with outputs: each input with at most one output and the reverse, fairly.
//
// Purpose: one iteration of a round-robin matching (DRRM: Chao and Park 1998): every input proposes
// one output, and every output accepts one proposal; preferred requests go before the others. A
// pointer moves past the partner that it got, which makes the pointers drift apart until, under
// load, all inputs propose different outputs. An output has a pointer for each class, which only a
// preferred request moves, so that a turn of each class comes to each input.
// One iteration is enough because the allocator keeps a pair for several words (limited service:
// Li, Panwar and Chao 2001), and asks only for the inputs and outputs that are left.
// Latency: combinational.
// Reset: pointers at input and output 0.
module matching
  import flit_pkg::*;
  import arbiter_pkg::*;
#(
    parameter int unsigned Size = 10  // inputs, and outputs
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    input  logic [      Size-1:0]           request_i  [Size],  // by input, outputs
    input  logic [      Size-1:0]           preferred_i[Size],  // of those, which first
    input  logic [NumClasses-1:0][Size-1:0] turn_i,             // by class, outputs: whose pointer
    output logic [      Size-1:0]           proposal_o [Size],  // by input: an output, one-hot
    output logic [      Size-1:0]           proposed_o,         // by output
    output logic [      Size-1:0]           accepted_o [Size]   // by output: an input, one-hot
);

  typedef logic [Size-1:0] mask_t;

  mask_t first_output_q[Size];  // round-robin masks, see arbiter_pkg
  mask_t first_input_q[NumClasses][Size];
  mask_t proposals[Size];
  mask_t prefers;  // inputs whose proposal is a preferred one
  mask_t wins, in_turn;  // inputs that are accepted; outputs that accept a preferred request

  always_comb begin
    mask_t pick;
    pick = '0;
    proposed_o = '0;
    prefers = '0;
    for (int unsigned i = 0; i < Size; i++) proposals[i] = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      proposal_o[i] = '0;
      if (request_i[i] != '0) begin
        prefers[i] = preferred_i[i] != '0;
        pick = prefers[i] ? preferred_i[i] : request_i[i];
        proposal_o[i] =
            mask_t'(round_robin(arbiter_vec_t'(pick), arbiter_vec_t'(first_output_q[i])));
        proposed_o |= proposal_o[i];
        for (int unsigned o = 0; o < Size; o++) proposals[o][i] = proposal_o[i][o];
      end
    end
  end

  always_comb begin
    mask_t pick, first;
    pick = '0;
    first = '0;
    wins = '0;
    in_turn = '0;
    for (int unsigned o = 0; o < Size; o++) begin
      accepted_o[o] = '0;
      if (proposed_o[o]) begin
        first = '0;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (turn_i[c][o]) first |= first_input_q[c][o];
        end
        pick = proposals[o] & prefers;
        in_turn[o] = pick != '0;
        if (!in_turn[o]) pick = proposals[o];
        accepted_o[o] = mask_t'(round_robin(arbiter_vec_t'(pick), arbiter_vec_t'(first)));
        wins |= accepted_o[o];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned i = 0; i < Size; i++) first_output_q[i] <= '0;
      for (int unsigned c = 0; c < NumClasses; c++) begin
        for (int unsigned o = 0; o < Size; o++) first_input_q[c][o] <= '0;
      end
    end else begin
      for (int unsigned i = 0; i < Size; i++) begin
        if (wins[i]) first_output_q[i] <= mask_t'(pass_first(arbiter_vec_t'(proposal_o[i])));
      end
      for (int unsigned o = 0; o < Size; o++) begin
        if (in_turn[o]) begin
          for (int unsigned c = 0; c < NumClasses; c++) begin
            if (turn_i[c][o]) begin
              first_input_q[c][o] <= mask_t'(pass_first(arbiter_vec_t'(accepted_o[o])));
            end
          end
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      for (int unsigned o = 0; o < Size; o++) begin
        assert ($onehot0(accepted_o[o]) && (accepted_o[o] & ~proposals[o]) == '0)
        else $error("matching: output %0d accepts what no input proposes", o);
      end
    end
  end

endmodule
