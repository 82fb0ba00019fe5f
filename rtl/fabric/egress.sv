// Way out of the crossbar: output multiplexers and registers, and the receivers' credits.
//
// Purpose: sends the words that the allocator matched, each against a credit of its class, and makes
// a snoop's destination the port it leaves at.
// Latency: one word a cycle and output. A word goes to the output register in the cycle in which it
// is matched, if its input has it at hand and no word from the memory is due there; else in the next.
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
    parameter int unsigned Size = 10
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [ChipWidth-1:0] chip_i,
    input logic [Size-1:0] dead_i,
    // What is matched: by class, output, and the packets that it leaves under way; by output, from
    // where, one-hot; by input, where to, and whether it is at hand.
    input logic [NumClasses-1:0][Size-1:0] sent_i,
    input logic [NumClasses-1:0][Size-1:0] underway_i,
    input logic [Size-1:0] input_i[Size],
    input logic [NumClasses-1:0][Size-1:0] grant_i[Size],
    input logic [Size-1:0] fresh_i,
    output logic [Size-1:0] direct_o,  // by input: goes out at once
    input link_word_t word_i[Size],  // by input: goes out now
    input logic [Size-1:0][NumClasses-1:0] credit_i,  // pulses, by output, class
    output logic [NumClasses-1:0][Size-1:0] credit_o,  // may send a word, by class, output
    output logic [NumClasses-1:0][Size-1:0] credits_o,  // may send two
    output link_word_t tx_o[Size]
);

  typedef logic [NumClasses-1:0][Size-1:0] queues_t;

  queues_t headless_q, headless_d;  // words of the class are dropped until a packet ends
  queues_t spent;
  logic [Size-1:0] passes;  // what is matched is sent

  always_comb begin
    spent  = sent_i & ~headless_q;
    passes = '0;
    for (int unsigned c = 0; c < NumClasses; c++) begin
      passes |= spent[c];
      headless_d[c] = dead_i | (headless_q[c] & underway_i[c]);
    end
  end

  // Words that go out a cycle after they were matched.
  logic [Size-1:0] late_outputs_q, late_inputs_q;
  logic [Size-1:0] late_input_q[Size];

  always_comb begin
    logic [Size-1:0] outputs;
    outputs = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      direct_o[i] = 1'b0;
      if (fresh_i[i] && !late_inputs_q[i]) begin
        outputs = '0;
        for (int unsigned c = 0; c < NumClasses; c++) outputs |= grant_i[i][c];
        direct_o[i] = (outputs & late_outputs_q) == '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      headless_q <= '0;
      late_outputs_q <= '0;
      late_inputs_q <= '0;
    end else begin
      headless_q <= headless_d;
      for (int unsigned o = 0; o < Size; o++) begin
        late_outputs_q[o] <= passes[o] && (direct_o & input_i[o]) == '0;
        late_input_q[o]   <= input_i[o];
      end
      for (int unsigned i = 0; i < Size; i++) begin
        late_inputs_q[i] <= grant_i[i] != '0 && !direct_o[i];
      end
    end
  end

  for (genvar o = 0; o < Size; o++) begin : gen_output
    logic sends;
    logic [Size-1:0] from;
    link_word_t word;
    common_header_t header;

    assign from  = late_outputs_q[o] ? late_input_q[o] : input_i[o] & direct_o;
    assign sends = late_outputs_q[o] || (passes[o] && from != '0);

    always_comb begin
      word = '0;
      for (int unsigned i = 0; i < Size; i++) begin
        if (from[i]) word |= word_i[i];
      end
      // A snoop's destination is the port it leaves at.
      header = word.flit;
      if (word.cls == ClassSnp && header.dst[NodeIdWidth-1:UnitWidth] == chip_i) begin
        header.dst[UnitWidth-1:0] = UnitWidth'(o);
      end
    end

    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        tx_o[o].valid <= 1'b0;
      end else begin
        tx_o[o].valid <= sends;
        if (sends) begin
          tx_o[o].cls  <= word.cls;
          tx_o[o].head <= word.head;
          tx_o[o].tail <= word.tail;
          tx_o[o].flit <= header;
        end
      end
    end

    credit_t [NumClasses-1:0] credits_q, credits_d;
    logic [NumClasses-1:0] spends;

    always_comb begin
      spends = '0;
      if (passes[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) spends[c] = spent[c][o];
      end
      credits_d = credits_q;
      if (spends != credit_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (spends[c] != credit_i[o][c]) begin
            credits_d[c] = credits_q[c] + (spends[c] ? '1 : credit_t'(1));
          end
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
      end else if (spends != credit_i[o] || headless_q != '0 || dead_i[o]) begin
        credits_q <= credits_d;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credit_o[c][o]  <= credits_d[c] != '0 || headless_d[c][o];
          credits_o[c][o] <= credits_d[c][CreditWidth-1:1] != '0 || headless_d[c][o];
        end
      end
    end

    // Implementation checks.
    logic [NumClasses-1:0] begun_q;  // a packet of the class is on its way out

    always_ff @(posedge clk_i) begin
      if (!rst_ni || dead_i[o]) begin
        begun_q <= '0;
      end else if (sends) begin
        begun_q[word.cls] <= !word.tail;
        assert (word.head != begun_q[word.cls])
        else $error("egress: torn packet of class %0d at output %0d", word.cls, o);
      end
      if (rst_ni && !dead_i[o] && spends != credit_i[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          assert (!spends[c] || credits_q[c] != '0)
          else $error("egress: a word of class %0d leaves output %0d without a credit", c, o);
          assert (spends[c] || !credit_i[o][c] || !(&credits_q[c]))
          else $error("egress: the receiver at output %0d grants too many credits", o);
        end
      end
    end
  end

endmodule
