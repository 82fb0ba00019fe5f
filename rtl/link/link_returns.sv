// What a link end tells the other about the way back: how many credits it has granted in all, by
// class, and whether flits have arrived or are missing.
//
// Purpose: counts the credits that the core gives and chooses which count, or the
// acknowledgement, rides on the next flit. Counts are told as totals, so that a word that is
// lost or seen twice changes nothing; what has changed is told first, and every fourth flit
// tells one in turn whether it has changed or not, so that none stays unknown.
// Latency: a credit or an arrival can be told in the second cycle after it.
// Reset: nothing granted, nothing to tell.
module link_returns
  import flit_pkg::*;
  import link_pkg::*;
(
    input logic clk_i,
    input logic rst_ni,

    input logic [NumClasses-1:0] credit_i,    // pulses from the core
    input logic                  accept_i,    // a flit arrived
    input logic                  ask_i,       // flits are missing
    input seq_t                  expected_i,
    input logic                  flit_i,      // a flit leaves with what is chosen
    input logic                  status_i,    // a word leaves with everything

    output logic      [           2:0] ret_kind_o,  // chosen for a flit
    output count_t                     ret_o,
    output ret_kind_e                  ack_kind_o,  // for the other words
    output count_t    [NumClasses-1:0] counts_o,
    output logic                       pending_o    // something has changed
);

  import arbiter_pkg::*;

  localparam int unsigned NumReturns = NumClasses + 1;  // the counts and the acknowledgement
  typedef logic [NumReturns-1:0] returns_t;

  count_t [NumClasses-1:0] counts_q;
  returns_t changed_q, first_q, turn_q, told, changed_d;
  logic ask_q, ask_d;
  logic [1:0] period_q;
  logic [2:0] ret_kind_q;

  assign counts_o   = counts_q;
  assign ret_kind_o = ret_kind_q;
  assign ack_kind_o = ask_q ? RetNak : RetAck;
  assign pending_o  = ask_q || changed_q != '0;

  always_comb begin
    ret_o = count_t'(expected_i);
    if (ret_kind_q < 3'(NumClasses)) ret_o = counts_q[ret_kind_q];
  end

  always_comb begin
    told = '0;
    if (status_i) told = '1;
    else if (flit_i) told = returns_t'(1) << ((ret_kind_q == RetNak) ? RetAck : ret_kind_q);
    changed_d = (changed_q & ~told) | {accept_i, credit_i};
    ask_d = ask_i || (ask_q && !status_i && !(flit_i && ret_kind_q == RetNak));
  end

  // The choice for the next flit.
  arbiter_vec_t choice;
  logic refresh;
  assign refresh = period_q == '0 || changed_d == '0;
  assign choice = refresh ? arbiter_vec_t'(turn_q) : round_robin(
      arbiter_vec_t'(changed_d), arbiter_vec_t'(first_q)
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      counts_q <= '0;
      changed_q <= '0;
      ask_q <= 1'b0;
      ret_kind_q <= RetAck;
      first_q <= '1;
      turn_q <= returns_t'(1);
      period_q <= '0;
    end else begin
      if (credit_i != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          counts_q[c] <= counts_q[c] + count_t'(credit_i[c]);
        end
      end
      changed_q <= changed_d;
      ask_q <= ask_d;
      if (ask_d) begin
        ret_kind_q <= RetNak;
      end else if (flit_i || ret_kind_q == RetNak || (changed_q == '0 && changed_d != '0)) begin
        ret_kind_q <= 3'(index_of(choice));
        if (!refresh) first_q <= returns_t'(pass_first(choice));
        if (flit_i) period_q <= period_q + 1'b1;
        if (flit_i && period_q == '0) turn_q <= {turn_q[NumReturns-2:0], turn_q[NumReturns-1]};
      end
    end
  end

endmodule
