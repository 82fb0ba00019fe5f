// Says which words are to go first at each output: whose turn it is.
//
// Purpose: shares an output between the classes by their weights, and lets high priority go first.
// Among words of the same priority it is one class's turn; the turn passes on, round robin, with the
// packet in which the class has sent its weight in words, or when it has nothing to send and another
// class has.
// Where a word of low priority waits that only the others' priority keeps back, its class is due
// after HighRun words of high priority, and goes before these with one packet. So neither class nor
// priority can starve another, which the argument for freedom from deadlock rests on (RSP and DAT
// always drain). An input that has an output keeps it while the turn of its class lasts: a word of
// high priority waits for the end of a turn, not only of a packet.
// Latency: combinational from registers, so it knows what waited a cycle ago; the words that go in
// this cycle are already counted.
// Reset: the turns are at class 0.
module turns
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Size = 10  // inputs, and outputs
) (
    input  logic                               clk_i,
    input  logic                               rst_ni,
    input  weight_t [NumClasses-1:0]           weights_i,
    // By class, output: what goes in this cycle, and what of it ends a packet. By output: whether
    // that is of high priority.
    input  logic    [NumClasses-1:0][Size-1:0] sent_i,
    input  logic    [NumClasses-1:0][Size-1:0] ended_i,
    input  logic    [      Size-1:0]           sent_high_i,
    // By input, class, output: the queue's first word is of high priority; what has a credit in the
    // next cycle; and of that, what no packet under way keeps back.
    input  logic    [NumClasses-1:0][Size-1:0] high_i      [Size],
    input  logic    [NumClasses-1:0][Size-1:0] ready_i     [Size],
    input  logic    [NumClasses-1:0][Size-1:0] eligible_i  [Size],
    // By class, output: words of low and of high priority that are to go first in the next cycle: if
    // the turn does not pass, if it does; and where it does. Apart, since this is known last.
    output logic    [NumClasses-1:0][Size-1:0] low_o       [   2],
    output logic    [NumClasses-1:0][Size-1:0] high_o      [   2],
    output logic    [      Size-1:0]           passes_o,
    // The same, where an input has the output and may keep it from this packet to the next.
    output logic    [NumClasses-1:0][Size-1:0] low_stays_o,
    output logic    [NumClasses-1:0][Size-1:0] high_stays_o
);

  localparam int unsigned HighRun = 15;
  localparam logic [3:0] LastOfRun = 4'(HighRun - 1);

  typedef logic [NumClasses-1:0][Size-1:0] queues_t;

  // The class that follows in turn, of those that want one; else the same.
  function automatic queues_t following(queues_t turn, queues_t wanted);
    queues_t later, result;
    logic [Size-1:0] after, some, taken;
    after = '0;
    some  = '0;
    taken = '0;
    for (int unsigned c = 0; c < NumClasses; c++) begin
      later[c] = wanted[c] & after;
      after |= turn[c];
      some |= later[c];
    end
    for (int unsigned c = 0; c < NumClasses; c++) begin
      result[c] = (later[c] | (wanted[c] & ~some)) & ~taken;
      taken |= result[c];
    end
    for (int unsigned c = 0; c < NumClasses; c++) result[c] |= turn[c] & ~taken;
    return result;
  endfunction

  function automatic logic [Size-1:0] outputs_of(queues_t queues);
    logic [Size-1:0] result;
    result = '0;
    for (int unsigned c = 0; c < NumClasses; c++) result |= queues[c];
    return result;
  endfunction

  // By priority, 1 for high: what may go next.
  queues_t wanted_d[2], wanted_q[2];
  queues_t low_waits_d, low_waits_q;

  always_comb begin
    wanted_d[0] = '0;
    wanted_d[1] = '0;
    low_waits_d = '0;
    for (int unsigned i = 0; i < Size; i++) begin
      wanted_d[0] |= eligible_i[i] & ~high_i[i];
      wanted_d[1] |= eligible_i[i] & high_i[i];
      low_waits_d |= ready_i[i] & ~high_i[i];
    end
  end

  // Each priority has its own turns: words of high priority could else move the turns of the others
  // past a class for ever.
  queues_t turn_q[2], next[2];
  logic [Size-1:0] counts[2], passes[2];
  logic [Size-1:0] last_q[2];  // the next word of the turn is its last, if it ends a packet
  weight_t sent_q[2][Size];  // words sent in the turn

  always_comb begin
    logic [Size-1:0] mine;
    for (int unsigned p = 0; p < 2; p++) begin
      mine = (p == 1) ? sent_high_i : ~sent_high_i;
      counts[p] = outputs_of(sent_i & turn_q[p]) & mine;
      passes[p] = outputs_of(ended_i & turn_q[p]) & last_q[p] & mine;
      next[p] = turn_q[p];
      if (wanted_q[p] != '0) begin
        next[p] = following(turn_q[p], wanted_q[p]);
        passes[p] |= outputs_of(wanted_q[p]) & ~outputs_of(wanted_q[p] & turn_q[p]);
      end
    end
  end

  // The weight of the class that follows.
  weight_t next_weight[2][Size], weight[2][Size];

  always_comb begin
    for (int unsigned p = 0; p < 2; p++) begin
      for (int unsigned o = 0; o < Size; o++) begin
        next_weight[p][o] = '0;
        weight[p][o] = '0;
        if (passes[p][o]) begin
          for (int unsigned c = 0; c < NumClasses; c++) begin
            if (next[p][c][o]) next_weight[p][o] |= weights_i[c];
          end
        end
        if (counts[p][o]) begin
          for (int unsigned c = 0; c < NumClasses; c++) begin
            if (turn_q[p][c][o]) weight[p][o] |= weights_i[c];
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      for (int unsigned p = 0; p < 2; p++) begin
        wanted_q[p] <= '0;
        turn_q[p] <= '0;
        turn_q[p][0] <= '1;
        last_q[p] <= '1;
        for (int unsigned o = 0; o < Size; o++) sent_q[p][o] <= '0;
      end
    end else begin
      for (int unsigned p = 0; p < 2; p++) begin
        wanted_q[p] <= wanted_d[p];
        if ((counts[p] | passes[p]) != '0) begin
          for (int unsigned c = 0; c < NumClasses; c++) begin
            turn_q[p][c] <= (next[p][c] & passes[p]) | (turn_q[p][c] & ~passes[p]);
          end
          for (int unsigned o = 0; o < Size; o++) begin
            if (passes[p][o]) begin
              sent_q[p][o] <= '0;
              last_q[p][o] <= next_weight[p][o] <= weight_t'(1);
            end else if (counts[p][o] && !last_q[p][o]) begin
              sent_q[p][o] <= sent_q[p][o] + 1'b1;
              last_q[p][o] <= {1'b0, sent_q[p][o]} + 5'd2 >= {1'b0, weight[p][o]};
            end
          end
        end
      end
    end
  end

  // Runs of high priority, and what is due after them.
  logic [Size-1:0] urgent_q;  // a word of high priority could go
  logic [3:0] run_q[Size];
  queues_t due_q;
  logic [Size-1:0] high_sent, kept_back;

  always_comb begin
    high_sent = '0;
    kept_back = '0;
    if (sent_high_i != '0) begin
      high_sent = sent_high_i;
      kept_back = outputs_of(low_waits_q);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      urgent_q <= '0;
      due_q <= '0;
      low_waits_q <= '0;
      for (int unsigned o = 0; o < Size; o++) run_q[o] <= '0;
    end else begin
      urgent_q <= outputs_of(wanted_d[1]);
      low_waits_q <= low_waits_d;
      if (due_q != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          due_q[c] <= due_q[c] & low_waits_d[c] & ~(ended_i[c] & ~sent_high_i);
        end
      end
      for (int unsigned o = 0; o < Size; o++) begin
        if (high_sent[o]) begin
          run_q[o] <= (kept_back[o] && run_q[o] != LastOfRun) ? run_q[o] + 1'b1 : '0;
          if (run_q[o] == LastOfRun) begin
            for (int unsigned c = 0; c < NumClasses; c++) due_q[c][o] <= low_waits_q[c][o];
          end
        end
      end
    end
  end

  logic [Size-1:0] due;

  assign due = outputs_of(due_q);
  assign passes_o = (passes[1] & urgent_q) | (passes[0] & ~urgent_q);

  always_comb begin
    for (int unsigned c = 0; c < NumClasses; c++) begin
      low_o[0][c] = due_q[c] | (turn_q[0][c] & ~urgent_q);
      low_o[1][c] = due_q[c] | (next[0][c] & ~urgent_q);
      high_o[0][c] = turn_q[1][c] & urgent_q & ~due;
      high_o[1][c] = next[1][c] & urgent_q & ~due;
      low_stays_o[c] = turn_q[0][c] & ~last_q[0] & ~due;
      high_stays_o[c] = turn_q[1][c] & ~last_q[1] & ~due;
    end
  end

endmodule
