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
// to packet until the turn of the class is over.
//
// The word at the head of the SNP queue may want several outputs. When it goes, it goes to all of
// those that may take it and that nobody else asks for.
module allocator
  import flit_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
#(
    parameter  int unsigned Size       = 10,           // inputs, and outputs
    localparam int unsigned IndexWidth = $clog2(Size)
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  weight_t [NumClasses-1:0]           weights_i,
    // By input, class, output.
    input  logic    [NumClasses-1:0][Size-1:0] waiting_i[Size],  // a word in the next cycle
    input  logic    [NumClasses-1:0][Size-1:0] tail_i   [Size],  // now in front: a packet's end
    input  logic    [NumClasses-1:0][Size-1:0] high_i   [Size],  // now in front: high priority
    // By class, output: credits that there are now.
    input  logic    [NumClasses-1:0][Size-1:0] credit_i,         // one or more
    input  logic    [NumClasses-1:0][Size-1:0] credits_i,        // two or more
    // What goes now; registers.
    output logic    [NumClasses-1:0][Size-1:0] grant_o  [Size],  // by input
    output logic    [      Size-1:0]           read_o,           // by input
    output class_e                             class_o  [Size],  // by input
    output logic    [IndexWidth-1:0]           output_o [Size],  // by input: where to
    output logic    [      Size-1:0]           send_o,           // by output
    output logic    [IndexWidth-1:0]           input_o  [Size],  // by output
    output stall_t  [      Size-1:0]           stall_o           // by input
);

  typedef logic [Size-1:0] mask_t;
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [NumClasses-1:0] classes_t;
  typedef logic [NumClasses-1:0][Size-1:0] queues_t;

  // Outputs of some class.
  function automatic mask_t outputs_of(queues_t queues);
    mask_t result;
    result = '0;
    for (int unsigned c = 0; c < NumClasses; c++) result |= queues[c];
    return result;
  endfunction

  // Classes for some of the outputs.
  function automatic classes_t classes_of(queues_t queues, mask_t outputs);
    classes_t result;
    for (int unsigned c = 0; c < NumClasses; c++) result[c] = (queues[c] & outputs) != '0;
    return result;
  endfunction

  // Words that may go in the next cycle.
  queues_t underway_q[Size], underway_d[Size];  // the next word is not the first of its packet
  queues_t ready[Size], eligible[Size];

  always_comb begin
    queues_t spent, locked, available;
    spent  = '0;
    locked = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      underway_d[i] = underway_q[i];
      if (grant_o[i] != '0) begin
        underway_d[i] = (underway_q[i] & ~grant_o[i]) | (grant_o[i] & ~tail_i[i]);
        spent |= grant_o[i];
      end
      locked |= underway_d[i];
    end
    available = (credit_i & ~spent) | credits_i;
    for (int unsigned i = 0; i < Size; i++) begin
      ready[i] = '0;
      eligible[i] = '0;
      if (waiting_i[i] != '0) begin
        ready[i] = waiting_i[i] & available;
        eligible[i] = ready[i] & (underway_d[i] | ~locked);
      end
    end
  end

  queues_t low, high, low_stays, high_stays, first[Size];

  turns #(
      .Size(Size)
  ) u_turns (
      .clk_i,
      .rst_ni,
      .weights_i,
      .high_i,
      .grant_i     (grant_o),
      .tail_i,
      .ready_i     (ready),
      .eligible_i  (eligible),
      .low_o       (low),
      .high_o      (high),
      .low_stays_o (low_stays),
      .high_stays_o(high_stays)
  );

  // Pairs that go on.
  queues_t kept[Size];
  mask_t busy;  // outputs of those

  always_comb begin
    busy = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      first[i] = '0;
      kept[i]  = '0;
      if (eligible[i] != '0) begin
        first[i] = eligible[i] & ((low & ~high_i[i]) | (high & high_i[i]));
        if (grant_o[i] != '0) begin
          kept[i] = grant_o[i] & eligible[i] &
              (underway_d[i] | (low_stays & ~high_i[i]) | (high_stays & high_i[i]));
          // A snoop that is left for other outputs starts anew.
          kept[i][ClassSnp] = kept[i][ClassSnp] & underway_d[i][ClassSnp];
          busy |= outputs_of(kept[i]);
        end
      end
    end
  end

  // The others.
  mask_t request[Size], preferred[Size], proposal[Size], accepted[Size];
  mask_t  proposed;
  class_e class_pick[Size];

  always_comb begin
    for (int unsigned i = 0; i < Size; i++) begin
      request[i]   = '0;
      preferred[i] = '0;
      if (eligible[i] != '0 && kept[i] == '0) begin
        request[i]   = outputs_of(eligible[i]) & ~busy;
        preferred[i] = outputs_of(first[i]) & ~busy;
      end
    end
  end

  matching #(
      .Size(Size)
  ) u_matching (
      .clk_i,
      .rst_ni,
      .request_i  (request),
      .preferred_i(preferred),
      .turn_i     (low | high),
      .proposal_o (proposal),
      .proposed_o (proposed),
      .accepted_o (accepted)
  );

  always_comb begin
    classes_t classes;
    classes = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      class_pick[i] = ClassReq;
      if (proposal[i] != '0) begin
        classes = classes_of(first[i], proposal[i]);
        if (classes == '0) classes = classes_of(eligible[i], proposal[i]);
        for (int unsigned c = NumClasses; c > 0; c--) begin
          if (classes[c-1]) class_pick[i] = class_e'(3'(c - 1));
        end
      end
    end
  end

  // All together.
  queues_t grant_d[Size];
  mask_t read_d, send_d;
  index_t input_d[Size];

  always_comb begin
    mask_t wins, snoops;
    wins   = '0;
    snoops = '0;
    send_d = busy | proposed;
    for (int unsigned o = 0; o < Size; o++) begin
      // The partner stays unless another one is chosen.
      input_d[o] = input_o[o];
      if (proposed[o]) begin
        wins |= accepted[o];
        input_d[o] = index_t'(index_of(arbiter_vec_t'(accepted[o])));
      end
    end
    for (int unsigned i = 0; i < Size; i++) begin
      grant_d[i] = kept[i];
      if (wins[i]) grant_d[i][class_pick[i]] = proposal[i];
      snoops[i] = class_pick[i] == ClassSnp;
    end
    // Each output that nobody asks for has one input in mind for another copy.
    if (snoops != '0) begin
      for (int unsigned o = 0; o < Size; o++) begin
        if (!busy[o] && !proposed[o]) begin
          for (int unsigned i = Size; i > 0; i--) begin
            if (snoops[i-1] && eligible[i-1][ClassSnp][o]) input_d[o] = index_t'(i - 1);
          end
          for (int unsigned i = 0; i < Size; i++) begin
            if (input_d[o] == index_t'(i) && wins[i] && snoops[i] && eligible[i][ClassSnp][o]) begin
              grant_d[i][ClassSnp][o] = 1'b1;
              send_d[o] = 1'b1;
            end
          end
        end
      end
    end
    for (int unsigned i = 0; i < Size; i++) read_d[i] = wins[i] || kept[i] != '0;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_o <= '0;
      send_o <= '0;
      for (int unsigned i = 0; i < Size; i++) begin
        underway_q[i] <= '0;
        grant_o[i] <= '0;
      end
    end else begin
      read_o <= read_d;
      send_o <= send_d;
      for (int unsigned i = 0; i < Size; i++) begin
        underway_q[i] <= underway_d[i];
        grant_o[i] <= grant_d[i];
        if (proposal[i] != '0) begin
          class_o[i]  <= class_pick[i];
          output_o[i] <= index_t'(index_of(arbiter_vec_t'(proposal[i])));
        end
        input_o[i] <= input_d[i];
      end
    end
  end

  // Why an input that holds words sends none.
  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < Size; i++) begin
      stall_o[i] <= '0;
      if (rst_ni && waiting_i[i] != '0 && !read_d[i]) begin
        stall_o[i].arbitration <= eligible[i] != '0;
        stall_o[i].credit <= ready[i] == '0;
        stall_o[i].lock <= ready[i] != '0 && eligible[i] == '0;
      end
    end
  end

endmodule
