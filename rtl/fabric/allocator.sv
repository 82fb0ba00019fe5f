// Says which words go through the crossbar in this cycle.
//
// Purpose: finds the words that may go, lets `precedence` say which of them are to go first, pairs
// inputs with outputs (`matching`) and picks each pair's class.
// Latency: combinational from registered requests; `stall_o` one cycle.
// Reset: no output locked.
//
// A queue may be read when it holds a word, its output has a credit of the class, and no other input
// has a packet of the class under way at that output. Packets of one class so never interleave at an
// output. Packets of different classes may, but an input does not begin another packet for an output
// while the next word of one under way there may go.
//
// The word at the head of the SNP queue may want several outputs. When it goes, it goes to all of
// those that may take it and that nobody else has been given.
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
    input  weight_t    [NumClasses-1:0]           weights_i,
    input  logic       [NumClasses-1:0][Size-1:0] ready_i  [Size],  // by input, class, output
    input  logic       [NumClasses-1:0][Size-1:0] high_i   [Size],  // of those, high priority
    input  logic       [NumClasses-1:0][Size-1:0] credit_i,         // by class, output
    input  link_word_t                            word_i   [Size],  // the words read, by input
    output logic       [      Size-1:0]           read_o,           // by input
    output class_e                                class_o  [Size],  // by input
    output logic       [IndexWidth-1:0]           output_o [Size],  // by input: where to
    output logic       [      Size-1:0]           copies_o [Size],  // by input: all it goes to
    output logic       [      Size-1:0]           send_o,           // by output
    output logic       [IndexWidth-1:0]           input_o  [Size],  // by output
    output stall_t     [      Size-1:0]           stall_o           // by input
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [NumClasses-1:0] classes_t;

  logic [NumClasses-1:0][Size-1:0] locked_q;  // outputs with a packet of the class under way
  logic [NumClasses-1:0][Size-1:0] owned_q[Size];  // those whose packet comes from this input

  // Words that may go.
  logic [NumClasses-1:0][Size-1:0] unlocked[Size], eligible[Size], high[Size];
  mask_t request[Size];

  mask_t goes_on[Size];  // outputs for which the next word of a packet under way may go

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) begin
      unlocked[i] = '0;
      eligible[i] = '0;
      high[i] = '0;
      request[i] = '0;
      goes_on[i] = '0;
      if (ready_i[i] != '0) begin
        unlocked[i] = ready_i[i] & (owned_q[i] | ~locked_q);
        eligible[i] = unlocked[i] & credit_i;
        if (owned_q[i] != '0) begin
          for (int unsigned c = 0; c < NumClasses; c++) begin
            goes_on[i] |= eligible[i][c] & owned_q[i][c];
          end
          for (int unsigned c = 0; c < NumClasses; c++) begin
            eligible[i][c] &= owned_q[i][c] | ~goes_on[i];
          end
        end
        high[i] = eligible[i] & high_i[i];
        for (int unsigned c = 0; c < NumClasses; c++) request[i] |= eligible[i][c];
      end
    end
  end

  mask_t preferred[Size];
  logic [NumClasses-1:0][Size-1:0] turn, first_class;
  mask_t paired, taken, counts, tail_by_input, tail_by_output;
  index_t partner[Size];
  class_e class_by_output[Size];

  precedence #(
      .Size(Size)
  ) u_precedence (
      .clk_i,
      .rst_ni,
      .weights_i,
      .eligible_i (eligible),
      .high_i     (high),
      .preferred_o(preferred),
      .turn_o     (turn),
      .first_o    (first_class),
      .send_i     (send_o),
      .taken_i    (counts),
      .input_i    (input_o),
      .class_i    (class_by_output),
      .tail_i     (tail_by_output)
  );

  matching #(
      .Size(Size)
  ) u_matching (
      .clk_i,
      .rst_ni,
      .preferred_i(preferred),
      .request_i  (request),
      .goes_on_i  (goes_on),
      .tail_i     (tail_by_input),
      .read_o,
      .output_o,
      .send_o     (paired),
      .first_o    (taken),
      .input_o    (partner)
  );

  // The class of each pair: the one whose turn it is, or else any.
  always_comb begin
    mask_t extra;
    classes_t classes, in_turn, first;
    extra   = '0;
    classes = '0;
    in_turn = '0;
    counts  = '0;
    first   = '0;
    send_o  = paired;
    for (int unsigned i = 0; i < Size; i++) begin
      class_o[i]  = ClassReq;
      copies_o[i] = '0;
      input_o[i]  = partner[i];
    end
    for (int unsigned o = 0; o < Size; o++) begin
      if (paired[o]) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          classes[c] = eligible[partner[o]][c][o];
          in_turn[c] = classes[c] && turn[c][o];
          first[c]   = first_class[c][o];
        end
        if (taken[o] && in_turn != '0) begin
          classes   = in_turn;
          counts[o] = 1'b1;
        end
        classes = classes_t'(round_robin(arbiter_vec_t'(classes), arbiter_vec_t'(first)));
        class_o[partner[o]] = class_e'(3'(index_of(arbiter_vec_t'(classes))));
        copies_o[partner[o]][o] = 1'b1;
      end
    end
    for (int unsigned i = 0; i < Size; i++) begin
      if (read_o[i] && class_o[i] == ClassSnp) begin
        extra = eligible[i][ClassSnp] & ~send_o;
        copies_o[i] |= extra;
        send_o |= extra;
        for (int unsigned o = 0; o < Size; o++) if (extra[o]) input_o[o] = index_t'(i);
      end
    end
  end

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) tail_by_input[i] = word_i[i].tail;
    for (int unsigned o = 0; o < Size; o++) begin
      class_by_output[o] = class_o[input_o[o]];
      tail_by_output[o]  = word_i[input_o[o]].tail;
    end
  end

  // Packets of several words hold their output.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      locked_q <= '0;
      for (int unsigned i = 0; i < Size; i++) owned_q[i] <= '0;
    end else begin
      for (int unsigned i = 0; i < Size; i++) begin
        if (read_o[i] && word_i[i].head != word_i[i].tail) begin
          locked_q[class_o[i]][output_o[i]]   <= word_i[i].head;
          owned_q[i][class_o[i]][output_o[i]] <= word_i[i].head;
        end
      end
    end
  end

  // Why an input that holds words sends none.
  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < Size; i++) begin
      stall_o[i] <= '0;
      if (rst_ni && ready_i[i] != '0 && !read_o[i]) begin
        stall_o[i].arbitration <= request[i] != '0;
        stall_o[i].credit <= request[i] == '0 && unlocked[i] != '0;
        stall_o[i].lock <= unlocked[i] == '0;
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      for (int unsigned i = 0; i < Size; i++) begin
        if (read_o[i]) begin
          assert (word_i[i].head != locked_q[class_o[i]][output_o[i]])
          else $error("allocator: torn packet from input %0d to output %0d", i, output_o[i]);
        end
      end
    end
  end

endmodule
