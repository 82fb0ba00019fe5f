// Pairs inputs with outputs: each input with at most one output and the reverse, fairly.
//
// Purpose: one iteration of a round-robin matching (DRRM: Chao and Park 1998): every input proposes
// one output, and every output accepts one proposal; preferred requests go before the others. A
// pointer moves past the partner that it got, which makes the pointers drift apart until, under
// load, all inputs propose different outputs. An output has a pointer for each class, which only a
// preferred request moves, so that a turn of each class comes to each input.
// An input may also propose all its outputs at once, and then gets each that accepts.
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
    input  logic [      Size-1:0]           asks_i,             // by input: may request something
    input  logic [      Size-1:0]           request_i  [Size],  // by input, outputs
    input  logic [      Size-1:0]           preferred_i[Size],  // of those, which first
    input  logic [      Size-1:0]           all_i,              // by input: proposes all of them
    input  logic [NumClasses-1:0][Size-1:0] turn_i,             // by class, outputs: whose pointer
    output logic [      Size-1:0]           proposal_o [Size],  // by input: outputs
    output logic [      Size-1:0]           accepted_o [Size]   // by output: an input, one-hot
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [2*Size-1:0] twice_t;

  // The first of the requests at or above the pointer, else the first at all.
  function automatic mask_t choose(mask_t requests, mask_t first);
    twice_t candidates;
    candidates = {requests, requests & first};
    candidates &= -candidates;
    return candidates[2*Size-1:Size] | candidates[Size-1:0];
  endfunction

  mask_t first_output_q[Size];  // round-robin masks, see arbiter_pkg
  mask_t first_input_q[NumClasses][Size];
  mask_t proposals[Size], preferences[Size];  // by output, inputs
  mask_t in_turn, wins;  // outputs that accept a preferred request; inputs that are accepted

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) begin
      proposals[i]   = '0;
      preferences[i] = '0;
    end
    for (int unsigned i = 0; i < Size; i++) begin
      proposal_o[i] = '0;
      if (asks_i[i]) begin
        proposal_o[i] = request_i[i];
        if (!all_i[i]) begin
          proposal_o[i] = (preferred_i[i] != '0) ? choose(preferred_i[i], first_output_q[i]) :
              choose(request_i[i], first_output_q[i]);
        end
        for (int unsigned o = 0; o < Size; o++) begin
          if (proposal_o[i][o]) begin
            proposals[o][i]   = 1'b1;
            preferences[o][i] = preferred_i[i][o];
          end
        end
      end
    end
  end

  always_comb begin
    mask_t first;
    first   = '0;
    wins    = '0;
    in_turn = '0;
    for (int unsigned o = 0; o < Size; o++) begin
      accepted_o[o] = '0;
      if (proposals[o] != '0) begin
        first = '0;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (turn_i[c][o]) first |= first_input_q[c][o];
        end
        in_turn[o] = preferences[o] != '0;
        accepted_o[o] = in_turn[o] ? choose(preferences[o], first) : choose(proposals[o], first);
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
        if (wins[i] && !all_i[i]) begin
          first_output_q[i] <= mask_t'(pass_first(arbiter_vec_t'(proposal_o[i])));
        end
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
