// Data of a home slice: for each tracker a line, in flits, and the payload of a request of up to 16
// bytes.
//
// The line is that of a WriteBackFull or WriteUnique, the dirty one that a snoop brought, or what
// memory holds, for an atomic. It and the payload of a request that changes a part of it stay apart
// until they leave (home_atomic). Answers are written at once, requests when no answer is.
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
    input  logic                           request_piece_i,    // up to 16 bytes, no line
    input  flit_index_t                    request_index_i,
    input  logic        [   FlitWidth-1:0] request_data_i,
    // From answers; dropped when not accepted
    input  logic                           answer_valid_i,
    input  logic                           answer_accept_i,
    input  logic        [TrackerWidth-1:0] answer_tracker_i,
    input  flit_index_t                    answer_index_i,
    input  logic        [   FlitWidth-1:0] answer_data_i,
    // Read, combinational
    input  logic        [TrackerWidth-1:0] read_tracker_i,
    input  flit_index_t                    read_index_i,
    output logic        [   FlitWidth-1:0] read_data_o,
    output logic        [   FlitWidth-1:0] read_piece_o
);

  localparam int unsigned RowWidth = TrackerWidth + FlitIndexWidth;

  logic [FlitWidth-1:0] lines_q[Trackers*LineFlits];
  logic [FlitWidth-1:0] pieces_q[Trackers];

  logic write;
  logic [RowWidth-1:0] write_row;
  logic [FlitWidth-1:0] write_data;

  assign request_ready_o = !answer_valid_i;

  assign write = answer_valid_i ? answer_accept_i : (request_valid_i && !request_piece_i);
  assign write_row = answer_valid_i ? {answer_tracker_i, answer_index_i}
                                    : {request_tracker_i, request_index_i};
  assign write_data = answer_valid_i ? answer_data_i : request_data_i;

  always_ff @(posedge clk_i) begin
    if (write) lines_q[write_row] <= write_data;
    if (request_valid_i && request_piece_i) pieces_q[request_tracker_i] <= request_data_i;
  end

  assign read_data_o  = lines_q[{read_tracker_i, read_index_i}];
  assign read_piece_o = pieces_q[read_tracker_i];

endmodule
