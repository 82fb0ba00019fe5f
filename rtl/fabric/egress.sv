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
    input logic [Size-1:0][Size-1:0] input_i,
    input logic [Size-1:0] read_i,
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
  logic [Size-1:0] late_outputs_d, late_inputs_d;
  logic [Size-1:0][Size-1:0] late_input_q;

  // Where `input_i` is left over from an earlier word, its input is either late or not fresh.
  always_comb begin
    logic [Size-1:0] blocked;
    blocked = late_inputs_q;
    for (int unsigned o = 0; o < Size; o++) blocked |= input_i[o] & {Size{late_outputs_q[o]}};
    direct_o = fresh_i & ~blocked;
    for (int unsigned o = 0; o < Size; o++) begin
      late_outputs_d[o] = passes[o] && (direct_o & input_i[o]) == '0;
    end
    late_inputs_d = read_i & ~direct_o;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      headless_q <= '0;
      late_outputs_q <= '0;
      late_inputs_q <= '0;
    end else begin
      headless_q <= headless_d;
      late_outputs_q <= late_outputs_d;
      late_input_q <= input_i;
      late_inputs_q <= late_inputs_d;
    end
  end

  for (genvar o = 0; o < Size; o++) begin : gen_output
    logic sends, snoops_here;
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
      snoops_here = word.cls == ClassSnp && header.dst[NodeIdWidth-1:UnitWidth] == chip_i;
      header.dst[UnitWidth-1:0] = snoops_here ? UnitWidth'(o) : header.dst[UnitWidth-1:0];
    end

    link_word_t tx_q;

    always_ff @(posedge clk_i) begin
      if (!rst_ni || !sends) begin
        tx_q <= '0;
      end else begin
        tx_q <= '{valid: 1'b1, cls: word.cls, head: word.head, tail: word.tail, flit: header};
      end
    end

    assign tx_o[o] = tx_q;

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
    end
  end

  // The receivers' credits.
  queues_t returned, dead, some, several, all, has_q, full_q;

  assign dead = {NumClasses{dead_i}};

  always_comb begin
    for (int unsigned o = 0; o < Size; o++) begin
      for (int unsigned c = 0; c < NumClasses; c++) returned[c][o] = credit_i[o][c];
    end
  end

  lane_counters #(
      .Lanes(NumClasses * Size),
      .Width(CreditWidth),
      .Mark (2 ** CreditWidth - 1)
  ) u_credits (
      .clk_i,
      .rst_ni,
      .clear_i  (dead),
      .up_i     (returned),
      .down_i   (spent),
      .count_o  (),
      .some_o   (some),
      .several_o(several),
      .mark_o   (all)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credit_o <= '0;
      credits_o <= '0;
      has_q <= '0;
      full_q <= '0;
    end else begin
      credit_o <= some | headless_d;
      credits_o <= several | headless_d;
      has_q <= some;
      full_q <= all;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert ((spent & ~dead & ~has_q) == '0)
      else $error("egress: words leave without a credit, by class and output: %b", spent & ~has_q);
      assert ((returned & ~dead & ~spent & full_q) == '0)
      else
        $error(
            "egress: receivers grant too many credits, by class and output: %b", returned & full_q
        );
    end
  end

endmodule
