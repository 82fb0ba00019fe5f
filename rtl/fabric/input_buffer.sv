// Buffer of one crossbar input: virtual output queues in one shared memory.
//
// Purpose: keeps one queue of words for each class and output, all of them linked lists through
// one memory of ClassDepth words a class, and returns the sender's credits. Class SNP has one queue
// for all outputs: a multicast is one word with the set of outputs that still want their copy.
// Latency: a word written in one cycle can be read in the next; one write, one drop and one read a
// cycle.
// Reset: queues empty, all ClassDepth credits of each class still to be granted; they leave one a
// cycle and class, as do later returns, a cycle after the word has been read or dropped.
//
// A queue has the priority of its first packet. A word with fill = n is sent n + 1 times, without
// its tail mark but for the last. A multicast gives its slot and its credit back with the last copy.
// Never stalls and drops nothing: the credits bound what can arrive, the senders keep to them.
module input_buffer
  import flit_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
#(
    parameter  int unsigned Outputs    = 10,
    parameter  int unsigned ClassDepth = 32,
    localparam int unsigned IndexWidth = $clog2(Outputs)
) (
    input  logic                                     clk_i,
    input  logic                                     rst_ni,
    input  logic                                     write_i,
    input  class_e                                   write_class_i,
    input  logic       [   Outputs-1:0]              write_outputs_i,  // several: a multicast SNP
    input  slot_t                                    write_slot_i,
    input  logic                                     drop_i,
    input  class_e                                   drop_class_i,
    output logic       [NumClasses-1:0][Outputs-1:0] ready_o,          // the queue holds a word
    output logic       [NumClasses-1:0][Outputs-1:0] high_o,           // if so, of high priority
    input  logic                                     read_i,
    input  class_e                                   read_class_i,
    input  logic       [IndexWidth-1:0]              read_output_i,
    input  logic       [   Outputs-1:0]              read_copies_i,    // all outputs that read it
    output link_word_t                               read_word_o,      // in the cycle of read_i
    output logic       [NumClasses-1:0]              credit_o,
    output credit_t    [NumClasses-1:0]              high_water_o
);

  localparam int unsigned Slots = ClassDepth * NumClasses;
  localparam int unsigned SlotIndexWidth = $clog2(Slots);
  localparam int unsigned OwedWidth = $clog2(ClassDepth + 1);
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [SlotIndexWidth-1:0] slot_index_t;
  typedef logic [SlotIndexWidth:0] slot_count_t;
  typedef logic [OwedWidth-1:0] owed_t;

  // What a queue has to know of a word while the word in front of it leaves.
  typedef struct packed {
    logic               high;
    logic [Outputs-1:0] outputs;
    slot_index_t        index;
  } entry_t;

  localparam slot_index_t LastSlot = slot_index_t'(Slots - 1);

  slot_t memory_q[Slots];
  entry_t next_q[Slots];  // what follows the word of a slot in its queue
  slot_index_t first_q[NumClasses][Outputs];
  slot_index_t last_q[NumClasses][Outputs];
  fill_t sent_q[NumClasses][Outputs];  // copies of the first word sent so far

  // The queue of a class and output.
  function automatic index_t queue_of(class_e cls, index_t out);
    return (cls == ClassSnp) ? '0 : out;
  endfunction

  // Read.
  slot_t slot;
  entry_t next;
  slot_index_t read_index;
  index_t read_queue;
  logic again;  // the word stays for another copy
  logic pop, empties;

  always_comb begin
    slot = slot_t'('0);
    next = '0;
    read_index = '0;
    read_queue = '0;
    again = 1'b0;
    empties = 1'b0;
    read_word_o = '0;
    if (read_i) begin
      read_queue = queue_of(read_class_i, read_output_i);
      read_index = first_q[read_class_i][read_queue];
      slot = memory_q[read_index];
      next = next_q[read_index];
      if (read_class_i == ClassSnp) again = ready_o[ClassSnp] != read_copies_i;
      else again = slot.fill != sent_q[read_class_i][read_queue];
      empties = read_index == last_q[read_class_i][read_queue] && !again;
      read_word_o.valid = 1'b1;
      read_word_o.cls = read_class_i;
      read_word_o.head = slot.head;
      read_word_o.tail = slot.tail && (read_class_i == ClassSnp || !again);
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

  // Words of a packet have the priority of its header.
  logic write_high;
  logic [NumClasses-1:0] high_q;  // of the packet under way in each class
  index_t write_queue;
  logic becomes_first;

  assign write_high = write_slot_i.head ? write_slot_i.flit[PriorityBit] : high_q[write_class_i];

  // A word written to a queue that its last word leaves in this cycle becomes its first.
  always_comb begin
    write_queue   = '0;
    becomes_first = 1'b0;
    if (write_i) begin
      write_queue = queue_of(write_class_i, index_t'(index_of(arbiter_vec_t'(write_outputs_i))));
      becomes_first = (ready_o[write_class_i] & (write_class_i == ClassSnp ? '1 : write_outputs_i))
          == '0 || (empties && read_class_i == write_class_i && read_queue == write_queue);
    end
  end

  // Queues.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ready_o <= '0;
    end else begin
      if (read_i) begin
        if (read_class_i == ClassSnp) begin
          ready_o[ClassSnp] <= again ? ready_o[ClassSnp] & ~read_copies_i :
              empties ? '0 : next.outputs;
          if (pop) high_o[ClassSnp] <= {Outputs{next.high}};
        end else begin
          sent_q[read_class_i][read_queue] <= again ? sent_q[read_class_i][read_queue] + 1'b1 : '0;
          if (empties) ready_o[read_class_i][read_queue] <= 1'b0;
          if (pop) high_o[read_class_i][read_queue] <= next.high;
        end
        if (pop) first_q[read_class_i][read_queue] <= next.index;
      end
      if (write_i) begin
        if (write_slot_i.head) high_q[write_class_i] <= write_high;
        memory_q[write_index] <= write_slot_i;
        if (becomes_first) begin
          first_q[write_class_i][write_queue] <= write_index;
          sent_q[write_class_i][write_queue]  <= '0;
          if (write_class_i == ClassSnp) begin
            ready_o[ClassSnp] <= write_outputs_i;
            high_o[ClassSnp]  <= {Outputs{write_high}};
          end else begin
            ready_o[write_class_i][write_queue] <= 1'b1;
            high_o[write_class_i][write_queue]  <= write_high;
          end
        end else begin
          next_q[last_q[write_class_i][write_queue]] <= '{
              high: write_high,
              outputs: write_outputs_i,
              index: write_index
          };
        end
        last_q[write_class_i][write_queue] <= write_index;
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

  // Words held, for the counters; a slot is held until its last copy has left.
  credit_t held_q[NumClasses];

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      high_water_o <= '0;
      for (int unsigned c = 0; c < NumClasses; c++) held_q[c] <= '0;
    end else if (!(write_i && pop && write_slot_i.credit_class == slot.credit_class)) begin
      if (pop) held_q[slot.credit_class] <= held_q[slot.credit_class] - 1'b1;
      if (write_i) begin
        held_q[write_slot_i.credit_class] <= held_q[write_slot_i.credit_class] + 1'b1;
        if (held_q[write_slot_i.credit_class] == high_water_o[write_slot_i.credit_class]) begin
          high_water_o[write_slot_i.credit_class] <= high_water_o[write_slot_i.credit_class] + 1'b1;
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(write_i && !fresh && free_first_q == free_last_q && ready_o != '0))
      else $error("input_buffer: word written while all slots are in use");
      assert (!write_i || $onehot(
          write_outputs_i
      ) || (write_class_i == ClassSnp && write_outputs_i != '0 && write_slot_i.head &&
            write_slot_i.tail))
      else
        $error("input_buffer: class %0d cannot go to outputs %b", write_class_i, write_outputs_i);
      assert (!read_i || (read_copies_i != '0 && (read_copies_i & ~ready_o[read_class_i]) == '0))
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
