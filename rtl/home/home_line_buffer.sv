// Line buffer of a home slice: one line for each tracker, in flits.
//
// Holds the data of WriteBackFull and WriteUnique from its arrival until its MemWrite has left, and
// the dirty data that a snoop brought. Bytes that a WriteUnique enables are masked out of a snooped
// line, which is how the two merge. Answers are written at once, requests when no answer is.
// Written data is readable in the next cycle.
module home_line_buffer
  import flit_pkg::*;
  import home_pkg::*;
#(
    parameter int unsigned Trackers = 32,
    localparam int unsigned TrackerWidth = $clog2(Trackers)
) (
    input  logic                           clk_i,
    // From requests
    input  logic                           request_valid_i,
    output logic                           request_ready_o,
    input  logic        [TrackerWidth-1:0] request_tracker_i,
    input  flit_index_t                    request_index_i,
    input  logic        [   FlitWidth-1:0] request_data_i,
    // From answers; dropped when not accepted
    input  logic                           answer_valid_i,
    input  logic                           answer_accept_i,
    input  logic        [TrackerWidth-1:0] answer_tracker_i,
    input  flit_index_t                    answer_index_i,
    input  logic        [   FlitBytes-1:0] answer_mask_i,      // bytes to write
    input  logic        [   FlitWidth-1:0] answer_data_i,
    // Read, combinational
    input  logic        [TrackerWidth-1:0] read_tracker_i,
    input  flit_index_t                    read_index_i,
    output logic        [   FlitWidth-1:0] read_data_o
);

  localparam int unsigned RowWidth = TrackerWidth + FlitIndexWidth;

  logic [FlitWidth-1:0] memory_q[Trackers*LineFlits];

  logic write;
  logic [RowWidth-1:0] write_row;
  logic [FlitBytes-1:0] write_mask;
  logic [FlitWidth-1:0] write_data;

  assign request_ready_o = !answer_valid_i;

  assign write = answer_valid_i ? answer_accept_i : request_valid_i;
  assign write_row = answer_valid_i ? {answer_tracker_i, answer_index_i}
                                    : {request_tracker_i, request_index_i};
  assign write_mask = answer_valid_i ? answer_mask_i : '1;
  assign write_data = answer_valid_i ? answer_data_i : request_data_i;

  always_ff @(posedge clk_i) begin
    if (write) begin
      for (int unsigned b = 0; b < FlitBytes; b++) begin
        if (write_mask[b]) memory_q[write_row][8*b+:8] <= write_data[8*b+:8];
      end
    end
  end

  assign read_data_o = memory_q[{read_tracker_i, read_index_i}];

endmodule
