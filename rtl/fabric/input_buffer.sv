// Buffer of one crossbar input: virtual output queues in one shared memory.
//
// Purpose: keeps one queue of words for each class and output, all of them linked lists through
// one memory of ClassDepth words a class, and returns the sender's credits.
// Latency: a word written in one cycle can be read in the next; one write, one drop and one read a
// cycle.
// Reset: queues empty, all ClassDepth credits of each class still to be granted; they leave one a
// cycle and class, as do later returns, a cycle after the word has been read or dropped.
//
// A word with fill = n is sent n + 1 times, without its tail mark but for the last.
// Never stalls and drops nothing: the credits bound what can arrive, the senders keep to them.
module input_buffer
  import flit_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Outputs    = 10,
    parameter  int unsigned ClassDepth = 16,
    localparam int unsigned IndexWidth = $clog2(Outputs)
) (
    input  logic                                     clk_i,
    input  logic                                     rst_ni,
    input  logic                                     write_i,
    input  class_e                                   write_class_i,
    input  logic       [IndexWidth-1:0]              write_output_i,
    input  slot_t                                    write_slot_i,
    input  logic                                     drop_i,
    input  class_e                                   drop_class_i,
    output logic       [NumClasses-1:0][Outputs-1:0] ready_o,         // the queue holds a word
    input  logic                                     read_i,
    input  class_e                                   read_class_i,
    input  logic       [IndexWidth-1:0]              read_output_i,
    output link_word_t                               read_word_o,     // in the cycle of read_i
    output logic       [NumClasses-1:0]              credit_o
);

  localparam int unsigned Slots = ClassDepth * NumClasses;
  localparam int unsigned SlotIndexWidth = $clog2(Slots);
  localparam int unsigned OwedWidth = $clog2(ClassDepth + 1);
  typedef logic [SlotIndexWidth-1:0] slot_index_t;
  typedef logic [SlotIndexWidth:0] slot_count_t;
  typedef logic [OwedWidth-1:0] owed_t;

  localparam slot_index_t LastSlot = slot_index_t'(Slots - 1);

  slot_t memory_q[Slots];
  slot_index_t next_q[Slots];
  slot_index_t first_q[NumClasses][Outputs];
  slot_index_t last_q[NumClasses][Outputs];
  fill_t sent_q[NumClasses][Outputs];  // copies of the first word sent so far

  // Read.
  slot_t slot;
  slot_index_t read_index;
  logic again;  // the word stays for another copy
  logic pop, empties;

  always_comb begin
    slot = slot_t'('0);
    read_index = '0;
    again = 1'b0;
    empties = 1'b0;
    read_word_o = '0;
    if (read_i) begin
      read_index = first_q[read_class_i][read_output_i];
      slot = memory_q[read_index];
      again = slot.fill != sent_q[read_class_i][read_output_i];
      empties = read_index == last_q[read_class_i][read_output_i] && !again;
      read_word_o.valid = 1'b1;
      read_word_o.cls = read_class_i;
      read_word_o.head = slot.head;
      read_word_o.tail = slot.tail && !again;
      read_word_o.flit = slot.flit;
    end
  end

  assign pop = read_i && !again;

  // Free slots: those never used yet, in order, then those in a ring.
  slot_index_t free_q[Slots];
  slot_index_t free_first_q, free_last_q;
  slot_count_t fresh_q;  // slots used at least once
  logic fresh;
  slot_index_t write_index;

  assign fresh = fresh_q != slot_count_t'(Slots);
  assign write_index = fresh ? fresh_q[SlotIndexWidth-1:0] : free_q[free_first_q];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      free_first_q <= '0;
      free_last_q <= '0;
      fresh_q <= '0;
    end else begin
      if (write_i) begin
        if (fresh) fresh_q <= fresh_q + 1'b1;
        else free_first_q <= (free_first_q == LastSlot) ? '0 : free_first_q + 1'b1;
      end
      if (pop) begin
        free_q[free_last_q] <= read_index;
        free_last_q <= (free_last_q == LastSlot) ? '0 : free_last_q + 1'b1;
      end
    end
  end

  // Queues. A word written to a queue that its last word leaves in this cycle becomes its first.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ready_o <= '0;
    end else begin
      if (read_i) begin
        sent_q[read_class_i][read_output_i] <=
            again ? sent_q[read_class_i][read_output_i] + 1'b1 : '0;
        if (pop) first_q[read_class_i][read_output_i] <= next_q[read_index];
        if (empties) ready_o[read_class_i][read_output_i] <= 1'b0;
      end
      if (write_i) begin
        memory_q[write_index] <= write_slot_i;
        if (!ready_o[write_class_i][write_output_i] ||
            (empties && read_class_i == write_class_i && read_output_i == write_output_i)) begin
          first_q[write_class_i][write_output_i] <= write_index;
          sent_q[write_class_i][write_output_i]  <= '0;
        end else begin
          next_q[last_q[write_class_i][write_output_i]] <= write_index;
        end
        last_q[write_class_i][write_output_i]  <= write_index;
        ready_o[write_class_i][write_output_i] <= 1'b1;
      end
    end
  end

  // Credits.
  owed_t [NumClasses-1:0] owed_q;
  logic [NumClasses-1:0] freed, dropped;

  assign freed   = NumClasses'(pop) << slot.credit_class;
  assign dropped = NumClasses'(drop_i) << drop_class_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      credit_o <= '0;
      owed_q   <= {NumClasses{owed_t'(ClassDepth)}};
    end else begin
      credit_o <= '0;
      if (owed_q != '0 || freed != '0 || dropped != '0) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          credit_o[c] <= owed_q[c] != '0;
          owed_q[c] <= owed_q[c] - owed_t'(owed_q[c] != '0) + owed_t'(freed[c]) +
              owed_t'(dropped[c]);
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(write_i && !fresh && free_first_q == free_last_q && ready_o != '0))
      else $error("input_buffer: word written while all slots are in use");
      assert (!(read_i && !ready_o[read_class_i][read_output_i]))
      else $error("input_buffer: read of an empty queue");
      if (pop || drop_i) begin
        for (int unsigned c = 0; c < NumClasses; c++) begin
          assert (!((freed[c] || dropped[c]) && owed_q[c] == owed_t'(ClassDepth)))
          else $error("input_buffer: a credit of class %0d returns that was never granted", c);
        end
      end
    end
  end

endmodule
