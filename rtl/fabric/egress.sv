// Way out of the crossbar: output multiplexers and registers, and the receivers' credits.
//
// Purpose: sends the words that the allocator matched, each against a credit of its class, and makes
// a snoop's destination the port it leaves at.
// Latency: one cycle, one word a cycle and output.
// Reset: links idle, no credits; each pulse on `credit_i` is one more. A returned credit can be
// spent in the cycle after its pulse.
// Stalls nothing; `credit_o` tells the allocator which classes it may send.
//
// What is sent to a dead output is dropped and needs no credit, so nobody waits for it. Its credits
// are void, and pulses do not count, until it is alive again; it then starts with the first packet
// whose header it gets to see.
module egress
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Size       = 10,
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [ChipWidth-1:0] chip_i,
    input logic [Size-1:0] dead_i,
    input logic [Size-1:0] send_i,  // by output
    input logic [IndexWidth-1:0] input_i[Size],  // by output
    input link_word_t word_i[Size],  // by input
    input logic [Size-1:0][NumClasses-1:0] credit_i,  // pulses, by output, class
    output logic [NumClasses-1:0][Size-1:0] credit_o,  // may send a word, by class, output
    output logic [NumClasses-1:0][Size-1:0] credits_o,  // may send two
    output link_word_t tx_o[Size]
);

  for (genvar o = 0; o < Size; o++) begin : gen_output
    credit_t [NumClasses-1:0] credits_q, credits_d;
    logic [NumClasses-1:0] underway_q, underway_d;  // a packet of the class has not ended yet
    logic [NumClasses-1:0] headless_q, headless_d;  // its words are dropped
    class_e cls;
    logic drop, passes;
    logic [NumClasses-1:0] spent;

    assign cls = word_i[input_i[o]].cls;
    assign drop = headless_q[cls];
    assign passes = send_i[o] && !drop;
    assign spent = NumClasses'(passes) << cls;

    // A snoop's destination is the port it leaves at.
    common_header_t header;

    always_comb begin
      header = '0;
      if (passes) begin
        header = word_i[input_i[o]].flit;
        if (cls == ClassSnp && header.dst[NodeIdWidth-1:UnitWidth] == chip_i) begin
          header.dst[UnitWidth-1:0] = UnitWidth'(o);
        end
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        tx_o[o].valid <= 1'b0;
      end else begin
        tx_o[o].valid <= passes;
        if (passes) begin
          tx_o[o].cls  <= cls;
          tx_o[o].head <= word_i[input_i[o]].head;
          tx_o[o].tail <= word_i[input_i[o]].tail;
          tx_o[o].flit <= header;
        end
      end
    end

    always_comb begin
      underway_d = underway_q;
      if (send_i[o]) underway_d[cls] = !word_i[input_i[o]].tail;
      headless_d = dead_i[o] ? '1 : headless_q & underway_d;
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        underway_q <= '0;
        headless_q <= '0;
      end else begin
        underway_q <= underway_d;
        headless_q <= headless_d;
      end
    end

    always_comb begin
      credits_d = credits_q;
      if (spent != credit_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credits_d[c] = credits_q[c] + credit_t'(credit_i[o][c]) - credit_t'(spent[c]);
        end
      end
      if (dead_i[o]) credits_d = '0;
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        credits_q <= '0;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credit_o[c][o]  <= 1'b0;
          credits_o[c][o] <= 1'b0;
        end
      end else if (spent != credit_i[o] || headless_d != '0 || headless_q != '0) begin
        credits_q <= credits_d;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credit_o[c][o]  <= credits_d[c] != '0 || headless_d[c];
          credits_o[c][o] <= credits_d[c] > credit_t'(1) || headless_d[c];
        end
      end
    end

    // Implementation checks.
    always_ff @(posedge clk_i) begin
      if (rst_ni && send_i[o]) begin
        assert (word_i[input_i[o]].head != underway_q[cls])
        else $error("egress: torn packet of class %0d at output %0d", cls, o);
      end
      if (rst_ni && passes && !dead_i[o]) begin
        assert (credits_q[cls] != '0)
        else $error("egress: a word of class %0d leaves output %0d without a credit", cls, o);
      end
      if (rst_ni && (credit_i[o] & ~spent) != '0 && !dead_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          assert (!(credit_i[o][c] && !spent[c] && &credits_q[c]))
          else $error("egress: the receiver at output %0d grants too many credits", o);
        end
      end
    end
  end

endmodule
