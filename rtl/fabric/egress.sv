// Way out of the crossbar: output multiplexers and registers, and the receivers' credits.
//
// Purpose: sends the words that the allocator matched, each against a credit of its class.
// Latency: one cycle, one word a cycle and output.
// Reset: links idle, no credits; each pulse on `credit_i` is one more. A returned credit can be
// spent in the cycle after its pulse.
// Nothing is dropped; `credit_o` tells the allocator which classes it may send.
module egress
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Size       = 10,
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [Size-1:0] send_i,  // by output
    input logic [IndexWidth-1:0] input_i[Size],  // by output
    input link_word_t word_i[Size],  // by input
    input logic [Size-1:0][NumClasses-1:0] credit_i,  // pulses, by output, class
    output logic [NumClasses-1:0][Size-1:0] credit_o,  // there is a credit, by class, output
    output link_word_t tx_o[Size]
);

  for (genvar o = 0; o < Size; o++) begin : gen_output
    credit_t [NumClasses-1:0] credits_q;
    logic [NumClasses-1:0] spent;

    assign spent = NumClasses'(send_i[o]) << word_i[input_i[o]].cls;

    always_ff @(posedge clk_i) begin
      if (!rst_ni) tx_o[o].valid <= 1'b0;
      else if (send_i[o]) tx_o[o] <= word_i[input_i[o]];
      else tx_o[o].valid <= 1'b0;
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        credits_q <= '0;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credits_q[c]   <= '0;
          credit_o[c][o] <= 1'b0;
        end
      end else if (spent != credit_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credits_q[c]   <= credits_q[c] + credit_t'(credit_i[o][c]) - credit_t'(spent[c]);
          credit_o[c][o] <= (credits_q[c] != credit_t'(spent[c])) || credit_i[o][c];
        end
      end
    end

    // Implementation checks.
    always_ff @(posedge clk_i) begin
      if (rst_ni && spent != credit_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          assert (!(spent[c] && credits_q[c] == '0))
          else $error("egress: a word of class %0d leaves output %0d without a credit", c, o);
          assert (!(credit_i[o][c] && !spent[c] && &credits_q[c]))
          else $error("egress: the receiver at output %0d grants too many credits", o);
        end
      end
    end
  end

endmodule
