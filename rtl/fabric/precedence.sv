// Says which of the words that may go are to go first.
//
// Purpose: words of high priority go before the others, and among equals the class goes whose turn
// it is at the output. A turn ends with the packet in which the class has sent its weight in words,
// or when the class has nothing to send. Where a word of low priority could go, at most HighRun words
// of high priority in a row go before it, at an output and from an input. So neither class nor
// priority can starve another, which the argument for freedom from deadlock rests on (RSP and DAT
// always drain).
// Latency: combinational.
// Reset: the turns are at class 0.
module precedence
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
    input  logic    [NumClasses-1:0][Size-1:0] eligible_i [Size],  // by input, class, output
    input  logic    [NumClasses-1:0][Size-1:0] high_i     [Size],  // of those, high priority
    output logic    [      Size-1:0]           preferred_o[Size],  // by input, outputs
    output logic    [NumClasses-1:0][Size-1:0] turn_o,             // by class, outputs
    output logic    [NumClasses-1:0][Size-1:0] first_o,            // its turn is now or later
    // What goes, by output; `taken_i` only counts for the classes' turns.
    input  logic    [      Size-1:0]           send_i,
    input  logic    [      Size-1:0]           taken_i,            // in its class's turn
    input  logic    [IndexWidth-1:0]           input_i    [Size],
    input  class_e                             class_i    [Size],
    input  logic    [      Size-1:0]           tail_i
);

  localparam int unsigned HighRun = 15;

  typedef logic [Size-1:0] mask_t;
  typedef logic [$clog2(HighRun+1)-1:0] run_t;
  typedef logic [NumClasses-1:0] classes_t;

  // By priority and class, the outputs at which the class's turn is now or later.
  logic [1:0][NumClasses-1:0][Size-1:0] first_q;
  mask_t output_due_q, input_due_q;  // a word of low priority goes next
  mask_t high, low;  // outputs for which there is a word of high, of low priority
  mask_t urgent;  // outputs that take words of high priority
  mask_t low_inputs;  // inputs with a word of low priority

  always_comb begin
    mask_t wanted[NumClasses], first[NumClasses];
    mask_t some, unasked;
    high = '0;
    low = '0;
    low_inputs = '0;
    unasked = '0;
    for (int unsigned c = 0; c < NumClasses; c++) wanted[c] = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      if (eligible_i[i] != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) wanted[c] |= eligible_i[i][c];
        if (high_i[i] != '0) begin
          for (int unsigned c = 0; c < NumClasses; c++) high |= high_i[i][c];
        end
      end
    end
    urgent = '0;
    if (high != '0) begin
      for (int unsigned i = 0; i < Size; i++) begin
        some = '0;
        for (int unsigned c = 0; c < NumClasses; c++) some |= eligible_i[i][c] & ~high_i[i][c];
        low |= some;
        low_inputs[i] = some != '0;
      end
      urgent = high & ~(low & output_due_q);
      for (int unsigned c = 0; c < NumClasses; c++) begin
        wanted[c] = '0;
        for (int unsigned i = 0; i < Size; i++) begin
          wanted[c] |= eligible_i[i][c] & ~(high_i[i][c] ^ urgent);
        end
      end
    end

    for (int unsigned c = 0; c < NumClasses; c++) begin
      first[c] = (first_q[0][c] & ~urgent) | (first_q[1][c] & urgent);
    end
    some = '0;
    for (int unsigned c = 0; c < NumClasses; c++) some |= wanted[c] & first[c];
    for (int unsigned c = 0; c < NumClasses; c++) begin
      turn_o[c] = wanted[c] & (first[c] | ~some) & ~unasked;
      unasked |= turn_o[c];
    end

    for (int unsigned i = 0; i < Size; i++) begin
      preferred_o[i] = '0;
      if (eligible_i[i] != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          preferred_o[i] |= eligible_i[i][c] & turn_o[c] & ~(high_i[i][c] ^ urgent);
        end
        if ((preferred_o[i] & urgent) != '0 && !input_due_q[i]) preferred_o[i] &= urgent;
      end
    end
  end

  // The classes' turns.
  typedef struct packed {
    classes_t first;  // round-robin mask
    weight_t  sent;   // words sent in the turn so far
  } turn_t;

  // Each priority has its own turns, by output: words of high priority could else move the turns of
  // the others past a class for ever.
  turn_t turn_q[2][Size];
  turn_t turn_d[Size];
  mask_t high_sent;  // outputs that get a word of high priority

  always_comb begin
    high_sent = '0;
    if (high != '0) begin
      for (int unsigned o = 0; o < Size; o++) begin
        high_sent[o] = send_i[o] && high_i[input_i[o]][class_i[o]][o];
      end
    end
  end

  function automatic turn_t next_turn(turn_t old, class_e cls, logic tail, weight_t weight);
    turn_t next;
    next.first = classes_t'(keep_first(arbiter_vec_t'(1) << cls));
    next.sent  = (old.first == next.first) ? old.sent : '0;
    if (tail && {1'b0, next.sent} + 1'b1 >= {1'b0, weight}) begin
      next.first = next.first << 1;
      next.sent  = '0;
    end else if (next.sent != '1) begin
      next.sent = next.sent + 1'b1;
    end
    return next;
  endfunction

  always_comb begin
    for (int unsigned o = 0; o < Size; o++) begin
      turn_d[o] = '0;
      if (taken_i[o]) begin
        turn_d[o] =
            next_turn(turn_q[high_sent[o]][o], class_i[o], tail_i[o], weights_i[class_i[o]]);
      end
    end
  end

  assign first_o = first_q[0];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_q <= '0;
      for (int unsigned o = 0; o < Size; o++) begin
        turn_q[0][o] <= '0;
        turn_q[1][o] <= '0;
      end
    end else begin
      for (int unsigned o = 0; o < Size; o++) begin
        if (taken_i[o]) begin
          turn_q[high_sent[o]][o] <= turn_d[o];
          for (int unsigned c = 0; c < NumClasses; c++) begin
            first_q[high_sent[o]][c][o] <= turn_d[o].first[c];
          end
        end
      end
    end
  end

  // Runs of high priority.
  run_t output_run_q[Size], input_run_q[Size];

  function automatic run_t next_run(run_t run, logic is_high, logic low_waits);
    if (!is_high || !low_waits) return '0;
    return (run == run_t'(HighRun)) ? run : run + 1'b1;
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      output_due_q <= '0;
      input_due_q  <= '0;
      for (int unsigned o = 0; o < Size; o++) begin
        output_run_q[o] <= '0;
        input_run_q[o]  <= '0;
      end
    end else begin
      for (int unsigned o = 0; o < Size; o++) begin
        if (send_i[o] && (high_sent[o] || output_run_q[o] != '0)) begin
          output_run_q[o] <= next_run(output_run_q[o], high_sent[o], low[o]);
          output_due_q[o] <= next_run(output_run_q[o], high_sent[o], low[o]) == run_t'(HighRun);
        end
        if (send_i[o] && (high_sent[o] || input_run_q[input_i[o]] != '0)) begin
          input_run_q[input_i[o]] <= next_run(
              input_run_q[input_i[o]], high_sent[o], low_inputs[input_i[o]]
          );
          input_due_q[input_i[o]] <= next_run(
              input_run_q[input_i[o]], high_sent[o], low_inputs[input_i[o]]
          ) == run_t'(HighRun);
        end
      end
    end
  end

endmodule
