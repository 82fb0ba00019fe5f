// Says which words go through the crossbar in the next cycle.
//
// Purpose: finds the words that may go, keeps the pairs of input and output that go on, and pairs
// the inputs and outputs that are left (`matching`), those first whose turn it is (`turns`).
// Latency: one cycle; it counts on what is written to the buffers in the same cycle.
// Reset: nothing goes, no output is locked.
//
// A queue may be read when it holds a word, its output has a credit of the class, and no other input
// has a packet of the class under way at that output. Packets of one class so never interleave at an
// output; packets of different classes may.
//
// An input and an output stay together while the words of a packet follow each other, and from packet
// to packet until the turn of the class is over, as long as the next word is there already. Such a
// pair is known from registers alone, which leaves the cycle to the others.
//
// The word at the head of the SNP queue may want several outputs. Every second cycle it asks for all
// of them at once, and goes to those that it gets.
module allocator
  import flit_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
#(
    parameter  int unsigned Size       = 10,           // inputs, and outputs
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input logic clk_i,
    input logic rst_ni,
    input weight_t [NumClasses-1:0] weights_i,
    // By input: some queue may hold a word in the next cycle; the snoop in front then wants several
    // outputs.
    input logic [Size-1:0] active_i,
    input logic [Size-1:0] several_i,
    // By input, class, output.
    input logic [NumClasses-1:0][Size-1:0] waiting_i[Size],  // a word in the next cycle
    input logic [NumClasses-1:0][Size-1:0] more_i[Size],  // now a word behind that in front
    input logic [NumClasses-1:0][Size-1:0] tail_i[Size],  // now in front: a packet's end
    input logic [NumClasses-1:0][Size-1:0] high_i[Size],  // now in front: high priority
    // By class, output: credits that there are now.
    input logic [NumClasses-1:0][Size-1:0] credit_i,  // one or more
    input logic [NumClasses-1:0][Size-1:0] credits_i,  // two or more
    // What goes now, by class, output, and the packets that it leaves under way.
    output logic [NumClasses-1:0][Size-1:0] sent_o,
    output logic [NumClasses-1:0][Size-1:0] underway_o,
    // The same; registers.
    output logic [NumClasses-1:0][Size-1:0] grant_o[Size],  // by input
    output logic [Size-1:0] read_o,  // by input
    output class_e [Size-1:0] class_o,  // by input
    output logic [Size-1:0][IndexWidth-1:0] output_o,  // by input: where to
    output logic [Size-1:0][Size-1:0] input_o,  // by output: from where, one-hot
    output stall_t [Size-1:0] stall_o  // by input
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [NumClasses-1:0][Size-1:0] queues_t;

  // Outputs of some class.
  function automatic mask_t outputs_of(queues_t queues);
    mask_t result;
    result = '0;
    for (int unsigned c = 0; c < NumClasses; c++) result |= queues[c];
    return result;
  endfunction

  // The class of queues of one class.
  function automatic logic [2:0] class_of(queues_t queues);
    logic [2:0] result;
    result = '0;
    for (int unsigned c = 0; c < NumClasses; c++) result |= (queues[c] != '0) ? 3'(c) : '0;
    return result;
  endfunction

  // What goes now.
  queues_t ended;
  queues_t sent_high;

  always_comb begin
    sent_o = '0;
    ended = '0;
    sent_high = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      sent_o |= grant_o[i];
      ended |= grant_o[i] & tail_i[i];
      sent_high |= grant_o[i] & high_i[i];
    end
  end

  // Words that may go in the next cycle.
  queues_t underway_q[Size], underway_d[Size];  // the next word is not the first of its packet
  queues_t locked_q, available;  // some input has a packet under way; there is a credit
  queues_t ready[Size], eligible[Size];

  assign underway_o = (locked_q | sent_o) & ~ended;
  assign available  = (credit_i & ~sent_o) | credits_i;

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) begin
      underway_d[i] = (underway_q[i] & ~grant_o[i]) | (grant_o[i] & ~tail_i[i]);
      ready[i] = waiting_i[i] & available;
      eligible[i] = ready[i] & (underway_d[i] | ~underway_o);
    end
  end

  queues_t low[2], high[2], low_stays, high_stays;
  mask_t   passes;
  queues_t passing;  // the same for each class

  turns #(
      .Size(Size)
  ) u_turns (
      .clk_i,
      .rst_ni,
      .weights_i,
      .sent_i      (sent_o),
      .ended_i     (ended),
      .sent_high_i (outputs_of(sent_high)),
      .high_i,
      .ready_i     (ready),
      .eligible_i  (eligible),
      .low_o       (low),
      .high_o      (high),
      .passes_o    (passes),
      .low_stays_o (low_stays),
      .high_stays_o(high_stays)
  );

  // Pairs that stay together, and words that go on in them; none without a credit. What follows a
  // snoop in its queue is not known.
  queues_t kept[Size];
  mask_t held_inputs, held_outputs, kept_inputs;

  always_comb begin
    queues_t held, all_held;
    held = '0;
    all_held = '0;
    held_inputs = '0;
    kept_inputs = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      held = grant_o[i] & more_i[i] &
          (~tail_i[i] | (low_stays & ~high_i[i]) | (high_stays & high_i[i]));
      held[ClassSnp] = '0;
      kept[i] = held & available;
      held_inputs[i] = held != '0;
      all_held |= held;
      kept_inputs[i] = kept[i] != '0;
    end
    held_outputs = outputs_of(all_held);
  end

  // What the others ask for, and the class in which they would go.
  mask_t request[Size], preferred[Size];
  queues_t pick[Size];
  mask_t asks, all;  // inputs that ask for something; for all outputs of a snoop
  mask_t all_q, blocked_q;  // that did so just now; whose snoop could go nowhere

  assign asks = active_i & ~held_inputs;
  assign all = several_i & ~all_q & ~blocked_q;
  assign passing = {NumClasses{passes}};

  always_comb begin
    queues_t stays, follows, first;
    mask_t taken;
    stays   = '0;
    follows = '0;
    first   = '0;
    taken   = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      request[i]   = '0;
      preferred[i] = '0;
      pick[i]      = '0;
      if (asks[i]) begin
        stays   = eligible[i] & ((low[0] & ~high_i[i]) | (high[0] & high_i[i]));
        follows = eligible[i] & ((low[1] & ~high_i[i]) | (high[1] & high_i[i]));
        first   = (follows & passing) | (stays & ~passing);
        if (all[i]) begin
          request[i] = eligible[i][ClassSnp] & ~held_outputs;
          preferred[i] = first[ClassSnp] & ~held_outputs;
          pick[i][ClassSnp] = '1;
        end else begin
          request[i] = outputs_of(eligible[i]) & ~held_outputs;
          preferred[i] = ((outputs_of(follows) & passes) |
                          (outputs_of(stays) & ~passes)) & ~held_outputs;
          taken = '0;
          for (int unsigned c = 0; c < NumClasses; c++) begin
            pick[i][c] = (first[c] | (eligible[i][c] & ~preferred[i])) & ~taken;
            taken |= pick[i][c];
          end
        end
      end
    end
  end

  mask_t proposal[Size], accepted[Size];
  queues_t turn;

  assign turn = ((low[1] | high[1]) & passing) | ((low[0] | high[0]) & ~passing);

  matching #(
      .Size(Size)
  ) u_matching (
      .clk_i,
      .rst_ni,
      .asks_i     (asks),
      .request_i  (request),
      .preferred_i(preferred),
      .all_i      (all),
      .turn_i     (turn),
      .proposal_o (proposal),
      .accepted_o (accepted)
  );

  // All together.
  queues_t grant_d[Size];
  mask_t   read_d;

  always_comb begin
    mask_t won[Size];
    for (int unsigned i = 0; i < Size; i++) won[i] = '0;
    for (int unsigned o = 0; o < Size; o++) begin
      if (accepted[o] != '0) begin
        for (int unsigned i = 0; i < Size; i++) won[i][o] = accepted[o][i];
      end
    end
    read_d = kept_inputs;
    for (int unsigned i = 0; i < Size; i++) begin
      grant_d[i] = kept[i];
      if (won[i] != '0) begin
        read_d[i] = 1'b1;
        grant_d[i] |= pick[i] & {NumClasses{won[i]}};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_o <= '0;
      locked_q <= '0;
      all_q <= '0;
      blocked_q <= '0;
      for (int unsigned i = 0; i < Size; i++) begin
        underway_q[i] <= '0;
        grant_o[i] <= '0;
      end
    end else begin
      read_o   <= read_d;
      locked_q <= underway_o;
      all_q    <= all;
      for (int unsigned i = 0; i < Size; i++) begin
        blocked_q[i] <= waiting_i[i][ClassSnp] != '0 && eligible[i][ClassSnp] == '0;
        underway_q[i] <= underway_d[i];
        grant_o[i] <= grant_d[i];
        // The partner stays while the pair does.
        if (asks[i]) begin
          output_o[i] <= index_t'(index_of(arbiter_vec_t'(proposal[i])));
          class_o[i]  <= class_e'(class_of(pick[i] & {NumClasses{proposal[i]}}));
        end
      end
      for (int unsigned o = 0; o < Size; o++) begin
        if (accepted[o] != '0) input_o[o] <= accepted[o];
      end
    end
  end

  // Why an input that holds words sends none.
  stall_t [Size-1:0] stall_q;  // why, if it does not

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < Size; i++) begin
      stall_q[i] <= '0;
      if (rst_ni && active_i[i]) begin
        stall_q[i].arbitration <= eligible[i] != '0;
        stall_q[i].credit <= waiting_i[i] != '0 && ready[i] == '0;
        stall_q[i].lock <= ready[i] != '0 && eligible[i] == '0;
      end
    end
  end

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) stall_o[i] = read_o[i] ? '0 : stall_q[i];
  end

endmodule
