// A queue of records, the subject of the tests of the crate `verilated`.
//
// Purpose: first in, first out, one record of several fields per entry; the port widths are chosen
//   to meet every way in which Verilator stores a port.
// Latency: a record pushed at one edge is at the outputs after the next one at the earliest.
// Reset: synchronous, active low, empties the queue; the memory keeps its content.
// Dropped or stalled: pushing into a full queue and popping an empty one are errors of the user,
//   reported by an assertion and otherwise ignored.
module record_queue #(
  parameter int unsigned Depth        = 4,    // 2 and above
  parameter int unsigned PayloadWidth = 200   // 65 and above
) (
  input  logic                    clk_i,
  input  logic                    rst_ni,

  input  logic                    push_i,
  input  logic [7:0]              kind_i,
  input  logic [11:0]             tag_i,
  input  logic [31:0]             word_i,
  input  logic [39:0]             addr_i,
  input  logic [63:0]             stamp_i,
  input  logic [127:0]            key_i,
  input  logic [PayloadWidth-1:0] payload_i,

  input  logic                    pop_i,
  output logic                    valid_o,
  output logic [7:0]              kind_o,
  output logic [11:0]             tag_o,
  output logic [31:0]             word_o,
  output logic [39:0]             addr_o,
  output logic [63:0]             stamp_o,
  output logic [127:0]            key_o,
  output logic [PayloadWidth-1:0] payload_o,

  // Sum over an unpacked array of weights, per lane of 16 bits; combinational.
  input  logic [15:0]             weight_i [3],
  input  logic [99:0]             mask_i   [2][2],
  output logic [15:0]             sum_o,
  output logic [99:0]             mask_o   [2],

  // Ends the simulation, or stops it.
  input  logic                    finish_i,
  input  logic                    stop_i
);

  localparam int unsigned PtrWidth = $clog2(Depth);

  typedef struct packed {
    logic [7:0]              kind;
    logic [11:0]             tag;
    logic [31:0]             word;
    logic [39:0]             addr;
    logic [63:0]             stamp;
    logic [127:0]            key;
    logic [PayloadWidth-1:0] payload;
  } record_t;

  record_t             mem [Depth];
  record_t             head;
  logic [PtrWidth-1:0] read_q, write_q;
  logic [PtrWidth:0]   level_q;
  logic                full, empty, push, pop;

  assign full  = level_q == (PtrWidth + 1)'(Depth);
  assign empty = level_q == '0;
  assign push  = push_i && !full;
  assign pop   = pop_i && !empty;
  assign head  = mem[read_q];

  function automatic logic [PtrWidth-1:0] next(logic [PtrWidth-1:0] ptr);
    return ptr == PtrWidth'(Depth - 1) ? '0 : ptr + 1'b1;
  endfunction

  always_ff @(posedge clk_i) begin
    if (push) begin
      mem[write_q] <= '{kind: kind_i, tag: tag_i, word: word_i, addr: addr_i, stamp: stamp_i,
                        key: key_i, payload: payload_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      read_q  <= '0;
      write_q <= '0;
      level_q <= '0;
    end else begin
      if (push) write_q <= next(write_q);
      if (pop) read_q <= next(read_q);
      level_q <= level_q + (PtrWidth + 1)'(push) - (PtrWidth + 1)'(pop);
    end
  end

  assign valid_o   = !empty;
  assign kind_o    = head.kind;
  assign tag_o     = head.tag;
  assign word_o    = head.word;
  assign addr_o    = head.addr;
  assign stamp_o   = head.stamp;
  assign key_o     = head.key;
  assign payload_o = head.payload;

  assign sum_o     = weight_i[0] + weight_i[1] + weight_i[2];
  assign mask_o[0] = mask_i[0][0] & mask_i[0][1];
  assign mask_o[1] = mask_i[1][0] & mask_i[1][1];

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(push_i && full)) else $error("push into a full queue of %0d", Depth);
      assert (!(pop_i && empty));
      cover (full);
      if (finish_i) $finish;
      if (stop_i) $stop;
    end
  end

endmodule
