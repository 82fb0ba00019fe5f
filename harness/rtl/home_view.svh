// What home slices take and send, on pins: the body of the tops that show it.
//
// The module that includes it has the outputs home_*_o and port_answer_o as watched_switch describes
// them, the inputs clk_i and rst_ni, and the parameters Ports and HomeSlices; and it says where to look:
// `HOME_SLICE is slice h, `PORT_ANSWER_VALID and `PORT_ANSWER what comes in at port p.
//
// A view changes only when there is something to see, so that looking costs nothing in idle cycles.

`define HOME_ACTION `HOME_SLICE.u_trackers.u_action

  for (genvar h = 0; h < HomeSlices; h++) begin : gen_view
    link_word_t rx, tx;
    logic [Ports-1:0] taken;
    logic valid, retire;

    assign rx = `HOME_SLICE.rx_i;
    assign tx = `HOME_SLICE.tx_o;
    assign taken = `HOME_SLICE.u_trackers.u_answers.matched | `HOME_SLICE.u_trackers.u_acks.matched;
    assign retire = `HOME_SLICE.u_trackers.retire;
    assign valid = `HOME_ACTION.begins || `HOME_ACTION.accepted || `HOME_ACTION.refuse;

    always_ff @(posedge clk_i) begin
      if (rx.valid) home_rx_o[h] <= {rx.cls, rx.head, rx.tail, rx.flit};
      if (tx.valid) home_tx_o[h] <= {tx.cls, tx.head, tx.tail, tx.flit};
      if (taken != '0) home_answers_o[h] <= taken;
      if (retire) home_retire_o[h] <= 10'(`HOME_SLICE.u_trackers.retire_tracker);
      if (valid) begin
        home_event_o[h] <= {
          64'(`HOME_ACTION.sharers_o),  // 255:192 the directory after, if it ends or settles
          64'(`HOME_ACTION.hit_sharers_i),  // 191:128 what the directory says, if it begins
          5'b0,
          `HOME_ACTION.answer_q.resp,  // 122:120
          2'(`HOME_ACTION.answer_q.state),  // 119:118
          6'(`HOME_ACTION.answer_q.opcode),  // 117:112
          `HOME_ACTION.answer_q.src,  // 111:102
          6'(`HOME_ACTION.request_q.opcode),  // 101:96
          12'(`HOME_ACTION.tracker_q),  // 95:84
          `HOME_ACTION.request_q.txn,  // 83:74
          `HOME_ACTION.request_q.src,  // 73:64
          `HOME_ACTION.request_q.addr,  // 63:16
          6'b0,
          `HOME_ACTION.settle_o,  // 9 only the CompAck is missing
          `HOME_ACTION.unique_o,  // 8 after
          `HOME_ACTION.hit_unique_i,  // 7
          `HOME_ACTION.answer_q.last,  // 6 stands for what was taken at the ports
          `HOME_ACTION.answer_q.lost,  // 5 made up
          `HOME_ACTION.close_o,  // 4 the transaction ends
          `HOME_ACTION.recall_answered_o,  // 3 the recall before it ends
          `HOME_ACTION.refuse,  // 2 no request to a home
          `HOME_ACTION.accepted,  // 1 an answer is taken
          `HOME_ACTION.begins  // 0 the turn of the request has come
        };
      end
    end

    always_ff @(posedge clk_i) begin
      home_rx_valid_o[h] <= rst_ni && rx.valid;
      home_tx_valid_o[h] <= rst_ni && tx.valid;
      home_answers_valid_o[h] <= rst_ni && (taken != '0);
      home_event_valid_o[h] <= rst_ni && valid;
      home_retire_valid_o[h] <= rst_ni && retire;
    end
  end

  for (genvar p = 0; p < Ports; p++) begin : gen_port
    always_ff @(posedge clk_i) begin
      if (`PORT_ANSWER_VALID) begin
        port_answer_o[p] <= {
          `PORT_ANSWER.ack,
          2'(`PORT_ANSWER.state),
          `PORT_ANSWER.txn,
          `PORT_ANSWER.src
        };
      end
    end
  end

`undef HOME_ACTION
