// First-in first-out queue over a memory, any depth. The head is shown in the cycle after it was
// pushed. The owner never pushes into a full queue (asserted): it counts places elsewhere.
module home_queue #(
    parameter int unsigned Width = 8,
    parameter int unsigned Depth = 16  // at least 2
) (
    input  logic             clk_i,
    input  logic             rst_ni,
    input  logic             push_i,
    input  logic [Width-1:0] data_i,
    output logic             valid_o,
    output logic [Width-1:0] data_o,
    input  logic             pop_i
);

  localparam int unsigned IndexWidth = $clog2(Depth);
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  logic [Width-1:0] memory_q[Depth];
  logic [IndexWidth-1:0] head_q, tail_q;
  logic [CountWidth-1:0] count_q;

  function automatic logic [IndexWidth-1:0] advance(logic [IndexWidth-1:0] index);
    return (index == IndexWidth'(Depth - 1)) ? '0 : index + IndexWidth'(1);
  endfunction

  assign valid_o = count_q != '0;
  assign data_o  = memory_q[head_q];

  always_ff @(posedge clk_i) begin
    if (push_i) memory_q[tail_q] <= data_i;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      head_q  <= '0;
      tail_q  <= '0;
      count_q <= '0;
    end else begin
      if (push_i) tail_q <= advance(tail_q);
      if (pop_i) head_q <= advance(head_q);
      if (push_i != pop_i) count_q <= push_i ? count_q + CountWidth'(1) : count_q - CountWidth'(1);
      assert (!push_i || (count_q != CountWidth'(Depth)));
      assert (!pop_i || valid_o);
    end
  end

endmodule
