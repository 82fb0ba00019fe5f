// Matches crossbar inputs to outputs, each cycle anew.
//
// Purpose: each input is read by at most one output and each output reads at most one input, fairly.
// A separable round-robin allocator of the iSLIP family (McKeown 1999), one iteration, with the
// stages turned round: each input proposes one output, each output accepts one proposal. Pointers
// move only when a proposal is accepted, which makes them drift apart until, under load, they all
// propose different outputs; and only with the last word of a packet, so that a packet goes through
// in one piece where it can.
// Latency: combinational from registered requests.
// Reset: pointers at input, output and class 0, no output locked.
//
// A queue may be read when it holds a word, its output has a credit of the class, and no other input
// has a packet of the class under way at that output. Packets of one class so never interleave at an
// output, while packets of different classes may, word by word. Each pair of input and output has a
// round-robin pointer of its own over the classes: no class can starve another, which the argument
// for freedom from deadlock rests on (RSP and DAT always drain).
module allocator
  import flit_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
#(
    parameter  int unsigned Size       = 10,           // inputs, and outputs
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input  logic                                  clk_i,
    input  logic                                  rst_ni,
    input  logic       [NumClasses-1:0][Size-1:0] ready_i [Size],  // by input, class, output
    input  logic       [NumClasses-1:0][Size-1:0] credit_i,        // by class, output
    input  link_word_t                            word_i  [Size],  // the words read, by input
    output logic       [      Size-1:0]           read_o,          // by input
    output logic       [IndexWidth-1:0]           output_o[Size],  // by input
    output class_e                                class_o [Size],  // by input
    output logic       [      Size-1:0]           send_o,          // by output
    output logic       [IndexWidth-1:0]           input_o [Size]   // by output
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [IndexWidth-1:0] index_t;

  mask_t locked_q[NumClasses];  // outputs at which a packet of the class is under way
  mask_t owned_q[Size][NumClasses];  // those whose packet comes from this input
  mask_t first_output_q[Size];  // round-robin masks, see arbiter_pkg
  mask_t first_input_q[Size];
  logic [Size-1:0][NumClasses-1:0] first_class_q[Size];  // by input, output

  mask_t eligible[Size][NumClasses];
  mask_t proposals[Size];  // by output, the inputs that propose it

  always_comb begin
    mask_t  outputs;
    index_t to;
    outputs = '0;
    to = '0;
    for (int unsigned o = 0; o < Size; o++) proposals[o] = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      outputs = '0;
      for (int unsigned c = 0; c < NumClasses; c++) begin
        eligible[i][c] = ready_i[i][c] & credit_i[c] & (owned_q[i][c] | ~locked_q[c]);
        outputs |= eligible[i][c];
      end
      if (outputs != '0) begin
        to = index_t
            '(index_of(round_robin(arbiter_vec_t'(outputs), arbiter_vec_t'(first_output_q[i]))));
        proposals[to][i] = 1'b1;
      end
    end
  end

  logic [NumClasses-1:0] chosen_class[Size];  // by input, one-hot

  always_comb begin
    mask_t winner;
    index_t from;
    logic [NumClasses-1:0] classes;
    winner = '0;
    from = '0;
    classes = '0;
    read_o = '0;
    send_o = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      output_o[i] = '0;
      class_o[i] = ClassReq;
      chosen_class[i] = '0;
      input_o[i] = '0;
    end
    for (int unsigned o = 0; o < Size; o++) begin
      if (proposals[o] != '0) begin
        winner =
            mask_t'(round_robin(arbiter_vec_t'(proposals[o]), arbiter_vec_t'(first_input_q[o])));
        from = index_t'(index_of(arbiter_vec_t'(winner)));
        for (int unsigned c = 0; c < NumClasses; c++) classes[c] = eligible[from][c][o];
        classes = NumClasses
            '(round_robin(arbiter_vec_t'(classes), arbiter_vec_t'(first_class_q[from][o])));
        send_o[o] = 1'b1;
        input_o[o] = from;
        read_o |= winner;
        output_o[from] = index_t'(o);
        chosen_class[from] = classes;
        class_o[from] = class_e'(3'(index_of(arbiter_vec_t'(classes))));
      end
    end
  end

  function automatic arbiter_vec_t advance(arbiter_vec_t winner, logic tail);
    return tail ? pass_first(winner) : keep_first(winner);
  endfunction

  for (genvar i = 0; i < Size; i++) begin : gen_input
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        first_output_q[i] <= '0;
        first_class_q[i]  <= '0;
        for (int unsigned c = 0; c < NumClasses; c++) owned_q[i][c] <= '0;
      end else if (read_o[i]) begin
        first_output_q[i] <= mask_t'(advance(arbiter_vec_t'(1) << output_o[i], word_i[i].tail));
        first_class_q[i][output_o[i]] <= NumClasses'(advance(
            arbiter_vec_t'(chosen_class[i]), word_i[i].tail
        ));
        if (word_i[i].head != word_i[i].tail) begin
          owned_q[i][class_o[i]][output_o[i]] <= word_i[i].head;
        end
      end
    end
  end

  for (genvar o = 0; o < Size; o++) begin : gen_output
    always_ff @(posedge clk_i) begin
      if (!rst_ni) begin
        first_input_q[o] <= '0;
      end else if (send_o[o]) begin
        first_input_q[o] <=
            mask_t'(advance(arbiter_vec_t'(1) << input_o[o], word_i[input_o[o]].tail));
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned c = 0; c < NumClasses; c++) locked_q[c] <= '0;
    end else begin
      for (int unsigned i = 0; i < Size; i++) begin
        if (read_o[i] && word_i[i].head != word_i[i].tail) begin
          locked_q[class_o[i]][output_o[i]] <= word_i[i].head;
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
          else $error("allocator: input %0d reads for an output that takes another", i);
          assert (word_i[i].head != locked_q[class_o[i]][output_o[i]])
          else $error("allocator: torn packet from input %0d to output %0d", i, output_o[i]);
        end
      end
      assert ($countones(read_o) == $countones(send_o))
      else $error("allocator: inputs and outputs do not pair");
    end
  end

endmodule
