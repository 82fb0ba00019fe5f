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
  logic [Size-1:0] left_q[2][WeightWidth];  // words left of the turn, bit by bit

  always_comb begin
    logic [Size-1:0] mine;
    for (int unsigned p = 0; p < 2; p++) begin
      mine = (p == 1) ? sent_high_i : ~sent_high_i;
      counts[p] = outputs_of(sent_i & turn_q[p]) & mine;
      passes[p] = outputs_of(ended_i & turn_q[p]) & last_q[p] & mine;
      next[p] = following(turn_q[p], wanted_q[p]);
      passes[p] |= outputs_of(wanted_q[p]) & ~outputs_of(wanted_q[p] & turn_q[p]);
    end
  end

  logic [Size-1:0] left_d[2][WeightWidth], last_d[2];

  always_comb begin
    logic [Size-1:0] weight, borrow;
    weight = '0;
    for (int unsigned p = 0; p < 2; p++) begin
      last_d[p] = '1;
      borrow = counts[p] & ~last_q[p];
      for (int unsigned b = 0; b < WeightWidth; b++) begin
        weight = '0;
        for (int unsigned c = 0; c < NumClasses; c++)
        weight |= next[p][c] & {Size{weights_i[c][b]}};
        left_d[p][b] = (weight & passes[p]) | ((left_q[p][b] ^ borrow) & ~passes[p]);
        borrow &= ~left_q[p][b];
        if (b > 0) last_d[p] &= ~left_d[p][b];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned p = 0; p < 2; p++) begin
      if (!rst_ni) begin
        wanted_q[p] <= '0;
        turn_q[p]   <= queues_t'({Size{1'b1}});  // of class 0
        last_q[p]   <= '1;
      end else begin
        wanted_q[p] <= wanted_d[p];
        turn_q[p]   <= (next[p] & {NumClasses{passes[p]}}) | (turn_q[p] & ~{NumClasses{passes[p]}});
        last_q[p]   <= last_d[p];
      end
      for (int unsigned b = 0; b < WeightWidth; b++) left_q[p][b] <= rst_ni ? left_d[p][b] : '0;
    end
  end

  // Runs of high priority, and what is due after them.
  logic [Size-1:0] urgent_q;  // a word of high priority could go
  queues_t due_q;
  logic [Size-1:0] kept_back, run_over, run_over_q;

  assign kept_back = outputs_of(low_waits_q);

  lane_counters #(
      .Lanes(Size),
      .Width($clog2(HighRun + 1)),
      .Mark (HighRun - 1)
  ) u_run (
      .clk_i,
      .rst_ni,
      .clear_i  (sent_high_i & ~(kept_back & ~run_over_q)),
      .up_i     (sent_high_i),
      .down_i   ('0),
      .count_o  (),
      .some_o   (),
      .several_o(),
      .mark_o   (run_over)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      urgent_q <= '0;
      due_q <= '0;
      low_waits_q <= '0;
      run_over_q <= '0;
    end else begin
      urgent_q <= outputs_of(wanted_d[1]);
      low_waits_q <= low_waits_d;
      run_over_q <= run_over;
      due_q <= (due_q & low_waits_d & ~(ended_i & ~{NumClasses{sent_high_i}}) &
                ~{NumClasses{sent_high_i & run_over_q}}) |
          (low_waits_q & {NumClasses{sent_high_i & run_over_q}});
    end
  end

  logic [Size-1:0] due;

  assign due = outputs_of(due_q);
  assign passes_o = (passes[1] & urgent_q) | (passes[0] & ~urgent_q);

  queues_t urgent, not_due;

  assign urgent  = {NumClasses{urgent_q}};
  assign not_due = ~{NumClasses{due}};

  always_comb begin
    low_o[0] = due_q | (turn_q[0] & ~urgent);
    low_o[1] = due_q | (next[0] & ~urgent);
    high_o[0] = turn_q[1] & urgent & not_due;
    high_o[1] = next[1] & urgent & not_due;
    low_stays_o = turn_q[0] & ~{NumClasses{last_q[0]}} & not_due;
    high_stays_o = turn_q[1] & ~{NumClasses{last_q[1]}} & not_due;
  end

endmodule
