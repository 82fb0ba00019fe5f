// Pairs inputs with outputs: each input with at most one output and the reverse, fairly.
//
// Purpose: a separable round-robin matching of the iSLIP family (McKeown 1999) with the stages
// turned round: in each iteration every input without a partner proposes one output, and every
// output without one accepts one proposal. The first iteration sees only the preferred requests, and those that
// go on with a packet before all else.
// Pointers move only for pairs made in the first iteration, which makes them drift apart until,
// under load, all inputs propose different outputs; and only with the last word of a packet, so that
// a packet goes through in one piece where it can.
// Latency: combinational.
// Reset: pointers at input and output 0.
module matching
  import arbiter_pkg::*;
#(
    parameter  int unsigned Size       = 10,           // inputs, and outputs
    parameter  int unsigned Iterations = 2,
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input  logic                  clk_i,
    input  logic                  rst_ni,
    input  logic [      Size-1:0] preferred_i[Size],  // by input, outputs
    input  logic [      Size-1:0] request_i  [Size],  // by input, outputs
    input  logic [      Size-1:0] goes_on_i  [Size],  // those where a packet is under way
    input  logic [      Size-1:0] tail_i,             // by input: it sends the last of a packet
    output logic [      Size-1:0] read_o,             // by input: it has a partner
    output logic [IndexWidth-1:0] output_o   [Size],  // by input, its partner
    output logic [      Size-1:0] send_o,             // by output: it has a partner
    output logic [      Size-1:0] first_o,            // since the first iteration
    output logic [IndexWidth-1:0] input_o    [Size]   // by output, its partner
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [IndexWidth-1:0] index_t;

  mask_t first_output_q[Size];  // round-robin masks, see arbiter_pkg
  mask_t first_input_q [Size];

  always_comb begin
    mask_t pick, proposed;
    mask_t proposals[Size];
    pick = '0;
    proposed = '0;
    read_o = '0;
    send_o = '0;
    first_o = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      output_o[i]  = '0;
      input_o[i]   = '0;
      proposals[i] = '0;
    end
    for (int unsigned n = 0; n < Iterations; n++) begin
      proposed = '0;
      for (int unsigned i = 0; i < Size; i++) begin
        pick = (n == 0) ? preferred_i[i] : request_i[i] & ~send_o;
        if (n == 0 && goes_on_i[i] != '0) pick = goes_on_i[i];
        if (pick != '0 && !read_o[i]) begin
          pick = mask_t'(round_robin(arbiter_vec_t'(pick), arbiter_vec_t'(first_output_q[i])));
          proposed |= pick;
          proposals[index_t'(index_of(arbiter_vec_t'(pick)))][i] = 1'b1;
        end
      end
      for (int unsigned o = 0; o < Size; o++) begin
        if (proposed[o]) begin
          pick =
              mask_t'(round_robin(arbiter_vec_t'(proposals[o]), arbiter_vec_t'(first_input_q[o])));
          proposals[o] = '0;
          read_o |= pick;
          input_o[o] = index_t'(index_of(arbiter_vec_t'(pick)));
          output_o[input_o[o]] = index_t'(o);
        end
      end
      send_o |= proposed;
      if (n == 0) first_o = proposed;
    end
  end

  function automatic mask_t advance(index_t winner, logic tail);
    arbiter_vec_t onehot;
    onehot = arbiter_vec_t'(1) << winner;
    return mask_t'(tail ? pass_first(onehot) : keep_first(onehot));
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned i = 0; i < Size; i++) begin
        first_output_q[i] <= '0;
        first_input_q[i]  <= '0;
      end
    end else begin
      for (int unsigned o = 0; o < Size; o++) begin
        if (first_o[o] || (send_o[o] && !tail_i[input_o[o]])) begin
          first_input_q[o] <= advance(input_o[o], tail_i[input_o[o]]);
          first_output_q[input_o[o]] <= advance(index_t'(o), tail_i[input_o[o]]);
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      for (int unsigned i = 0; i < Size; i++) begin
        if (read_o[i]) begin
          assert (send_o[output_o[i]] && input_o[output_o[i]] == index_t'(i))
          else $error("matching: input %0d has a partner that has another", i);
        end
      end
      assert ($countones(read_o) == $countones(send_o))
      else $error("matching: inputs and outputs do not pair");
    end
  end

endmodule
