// Takes out of the fabric what nodes answer a home of this chip without data: the answer to a snoop
// that says nothing but that it is one, and the acknowledgement that ends a transaction.
//
// Purpose: a SnpResp or CompAck for a home of this chip goes to it straight from the port at which
// it comes in (home_answers, home_acks), all ports in the same cycle; so as many nodes as were
// snooped can answer at once, and none queues for the home's port of the crossbar, which is left to
// requests.
// Latency: combinational from `words_i`, which are registers of ingress_check.
// Dropped, stalled: nothing; whether the home waits for the answer it sees itself.
module port_answers
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter int unsigned Ports = 8,
    parameter int unsigned HomeSlices = 2
) (
    input chip_id_t chip_i,
    input checked_word_t words_i[Ports],
    output logic [Ports-1:0] taken_o,  // it goes no further in the fabric
    output logic [HomeSlices-1:0][Ports-1:0] valid_o,  // for which home
    output port_answer_t [Ports-1:0] answer_o
);

  // Of a word, what it says if it is a header of class RSP.
  // verilator lint_off UNUSEDSIGNAL
  rsp_header_t header;
  // verilator lint_on UNUSEDSIGNAL

  always_comb begin
    header   = '0;
    taken_o  = '0;
    valid_o  = '0;
    answer_o = '0;
    for (int unsigned p = 0; p < Ports; p++) begin
      if (words_i[p].valid && !words_i[p].drop && words_i[p].cls == ClassRsp) begin
        header = words_i[p].flit;
        answer_o[p] = '{
            ack: header.opcode == OpCompAck,
            state: header.state,
            src: header.src,
            txn: header.txn,
            addr: header.addr
        };
        for (int unsigned h = 0; h < HomeSlices; h++) begin
          valid_o[h][p] = header.opcode inside {OpSnpResp, OpCompAck}
              && header.dst == {chip_i, UnitWidth'(UnitHome0 + h)};
          taken_o[p] |= valid_o[h][p];
        end
      end
    end
  end

endmodule
