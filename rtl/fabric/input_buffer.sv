// Buffer of one crossbar input: virtual output queues in one shared memory.
//
// Purpose: keeps one queue of words for each class and output, all of them linked lists through
// one memory, and grants the sender its credits. Class SNP has one queue for all outputs: a multicast
// is one word with the set of outputs that still want their copy.
// Latency: a word written in one cycle can be read in the next; one write, one drop and one read a
// cycle.
// Reset: queues empty, no credits granted; then up to one a cycle and class, a cycle after its reason.
//
// A class has ClassDepth words of the memory for its own, so that no class can keep another from
// moving, and all share SharedDepth more. A sender never has more than ClassDepth credits of a class:
// a class that does not send takes nothing from the others. It gets one for each word that it has sent
// as soon as there is room for another, and for the last ones when words leave.
//
// A queue has the priority of its first packet. A word with fill = n is sent n + 1 times, without
// its tail mark but for the last. A multicast gives its slot and its credit back with the last copy.
// Never stalls and drops nothing: the credits bound what can arrive, the senders keep to them.
module input_buffer
  import flit_pkg::*;
  import fabric_pkg::*;
  import arbiter_pkg::*;
#(
    parameter  int unsigned Outputs     = 10,
    parameter  int unsigned ClassDepth  = 24,
    parameter  int unsigned SharedDepth = 40,
    localparam int unsigned IndexWidth  = $clog2(Outputs)
) (
    input  logic                                     clk_i,
    input  logic                                     rst_ni,
    input  logic                                     write_i,
    input  class_e                                   write_class_i,
    input  logic       [   Outputs-1:0]              write_outputs_i,  // several: a multicast SNP
    input  slot_t                                    write_slot_i,
    input  logic                                     drop_i,
    input  class_e                                   drop_class_i,
    // By class and output: the queue holds a word in the next cycle; and the word that is in front
    // now ends a packet, is of high priority.
    output logic       [NumClasses-1:0][Outputs-1:0] waiting_o,
    output logic       [NumClasses-1:0][Outputs-1:0] tail_o,
    output logic       [NumClasses-1:0][Outputs-1:0] high_o,
    input  logic       [NumClasses-1:0][Outputs-1:0] grant_i,          // what is read; several: SNP
    input  logic                                     read_i,           // the same, encoded
    input  class_e                                   read_class_i,
    input  logic       [IndexWidth-1:0]              read_output_i,
    output link_word_t                               read_word_o,      // in the cycle of read_i
    output logic       [NumClasses-1:0]              credit_o,
    output credit_t    [NumClasses-1:0]              high_water_o
);

  localparam int unsigned Slots = ClassDepth * NumClasses + SharedDepth;
  localparam int unsigned SlotIndexWidth = $clog2(Slots);
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [SlotIndexWidth-1:0] slot_index_t;
  typedef logic [SlotIndexWidth:0] slot_count_t;
  typedef logic [$clog2(SharedDepth+1):0] shared_t;

  // What a queue has to know of a word while the word in front of it leaves.
  typedef struct packed {
    logic               tail;
    logic               fills;    // it is sent more than once
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
  logic [NumClasses-1:0][Outputs-1:0] ready_q;  // the queue holds a word
  logic [NumClasses-1:0][Outputs-1:0] more_q;  // and will after it has been read once

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
  logic is_last;  // of its queue
  logic last_copy;  // the next one is the last of this word

  always_comb begin
    slot = slot_t'('0);
    next = '0;
    read_index = '0;
    read_queue = '0;
    again = 1'b0;
    empties = 1'b0;
    is_last = 1'b0;
    read_word_o = '0;
    if (read_i) begin
      read_queue = queue_of(read_class_i, read_output_i);
      read_index = first_q[read_class_i][read_queue];
      slot = memory_q[read_index];
      next = next_q[read_index];
      if (read_class_i == ClassSnp) again = ready_q[ClassSnp] != grant_i[ClassSnp];
      else again = slot.fill != sent_q[read_class_i][read_queue];
      is_last = read_index == last_q[read_class_i][read_queue];
      empties = is_last && !again;
      read_word_o.valid = 1'b1;
      read_word_o.cls = read_class_i;
      read_word_o.head = slot.head;
      read_word_o.tail = slot.tail && (read_class_i == ClassSnp || !again);
      read_word_o.flit = slot.flit;
    end
  end

  assign pop = read_i && !again;
  assign last_copy = slot.fill == sent_q[read_class_i][read_queue] + 1'b1;

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
      becomes_first = (ready_q[write_class_i] & (write_class_i == ClassSnp ? '1 : write_outputs_i))
          == '0 || (empties && read_class_i == write_class_i && read_queue == write_queue);
    end
  end

  // The next cycle. Of the SNP queue it is known what is left of the word in front, or that there
  // is a first one, but not what the word behind it wants.
  always_comb begin
    waiting_o = (ready_q & ~grant_i) | (more_q & grant_i);
    if (write_i && (write_class_i != ClassSnp || ready_q[ClassSnp] == '0)) begin
      waiting_o[write_class_i] |= write_outputs_i;
    end
  end

  // Queues. Those that hold no word are not of high priority.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ready_q <= '0;
      more_q  <= '0;
      high_o  <= '0;
    end else begin
      if (read_i) begin
        if (read_class_i == ClassSnp) begin
          ready_q[ClassSnp] <= again ? ready_q[ClassSnp] & ~grant_i[ClassSnp] :
              empties ? '0 : next.outputs;
          if (pop) high_o[ClassSnp] <= {Outputs{next.high && !empties}};
          if (pop) tail_o[ClassSnp] <= {Outputs{next.tail}};
        end else begin
          sent_q[read_class_i][read_queue] <= again ? sent_q[read_class_i][read_queue] + 1'b1 : '0;
          if (empties) ready_q[read_class_i][read_queue] <= 1'b0;
          if (pop) high_o[read_class_i][read_queue] <= next.high && !empties;
          if (pop) begin
            more_q[read_class_i][read_queue] <= !is_last && (next.fills ||
                next.index != last_q[read_class_i][read_queue]);
            tail_o[read_class_i][read_queue] <= next.tail && !next.fills;
          end else begin
            more_q[read_class_i][read_queue] <= !is_last || !last_copy;
            tail_o[read_class_i][read_queue] <= slot.tail && last_copy;
          end
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
            ready_q[ClassSnp] <= write_outputs_i;
            high_o[ClassSnp]  <= {Outputs{write_high}};
            tail_o[ClassSnp]  <= {Outputs{write_slot_i.tail}};
          end else begin
            ready_q[write_class_i][write_queue] <= 1'b1;
            more_q[write_class_i][write_queue]  <= write_slot_i.fill != '0;
            high_o[write_class_i][write_queue]  <= write_high;
            tail_o[write_class_i][write_queue]  <= write_slot_i.tail && write_slot_i.fill == '0;
          end
        end else begin
          if (write_class_i != ClassSnp) more_q[write_class_i][write_queue] <= 1'b1;
          next_q[last_q[write_class_i][write_queue]] <= '{
              tail: write_slot_i.tail,
              fills: write_slot_i.fill != '0,
              high: write_high,
              outputs: write_outputs_i,
              index: write_index
          };
        end
        last_q[write_class_i][write_queue] <= write_index;
      end
    end
  end

  // Credits: a class that has fewer than ClassDepth slots, promised or in use, gets one of its own;
  // else, where its sender does not have ClassDepth credits, one of those that are shared.
  credit_t [NumClasses-1:0] unspent_q, unspent_d, slots_q, slots_d;
  logic [NumClasses-1:0] granted, spent, freed;
  logic none_shared_q;  // all shared slots are promised or in use

  assign spent = (NumClasses'(write_i) << write_slot_i.credit_class) |
      (NumClasses'(drop_i) << drop_class_i);

  always_comb begin
    logic [NumClasses-1:0] lent;
    granted = '0;
    lent = '0;
    for (int unsigned c = 0; c < NumClasses; c++) begin
      granted[c] = slots_q[c] < credit_t'(ClassDepth);
      if (unspent_q[c] < credit_t'(ClassDepth) && !granted[c]) lent = NumClasses'(1) << c;
    end
    if (!none_shared_q) granted |= lent;
    for (int unsigned c = 0; c < NumClasses; c++) begin
      freed[c] = pop && slot.credit_class == class_e'(3'(c));
      unspent_d[c] = unspent_q[c] + credit_t'(granted[c]) - credit_t'(spent[c]);
      slots_d[c] = slots_q[c] + credit_t'(granted[c]) - credit_t'(freed[c]) -
          credit_t'(drop_i && drop_class_i == class_e'(3'(c)));
    end
  end

  always_ff @(posedge clk_i) begin
    shared_t lent;
    lent = '0;
    if (!rst_ni) begin
      credit_o <= '0;
      unspent_q <= '0;
      slots_q <= '0;
      none_shared_q <= SharedDepth == 0;
    end else begin
      credit_o <= granted;
      if (granted != '0 || write_i || drop_i || pop) begin
        unspent_q <= unspent_d;
        slots_q   <= slots_d;
        for (int unsigned c = 0; c < NumClasses; c++) begin
          if (slots_d[c] > credit_t'(ClassDepth)) begin
            lent = lent + shared_t'(slots_d[c] - credit_t'(ClassDepth));
          end
        end
        none_shared_q <= lent == shared_t'(SharedDepth);
      end
    end
  end

  // Words held, for the counters; a slot is held until its last copy has left.
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      high_water_o <= '0;
    end else if (write_i) begin
      for (int unsigned c = 0; c < NumClasses; c++) begin
        if (slots_q[c] - unspent_q[c] > high_water_o[c]) begin
          high_water_o[c] <= slots_q[c] - unspent_q[c];
        end
      end
    end
  end

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(write_i && !fresh && free_first_q == free_last_q && ready_q != '0))
      else $error("input_buffer: word written while all slots are in use");
      assert (!write_i || $onehot(
          write_outputs_i
      ) || (write_class_i == ClassSnp && write_outputs_i != '0 && write_slot_i.head &&
            write_slot_i.tail))
      else
        $error("input_buffer: class %0d cannot go to outputs %b", write_class_i, write_outputs_i);
      assert ((grant_i & ~ready_q) == '0 && (grant_i != '0) == read_i)
      else $error("input_buffer: read of an empty queue");
      for (int unsigned c = 0; c < NumClasses; c++) begin
        assert (!(spent[c] && unspent_q[c] == '0))
        else $error("input_buffer: a word of class %0d was sent without a credit", c);
      end
    end
  end

endmodule
