// Buffer of one crossbar input: virtual output queues in one shared memory.
//
// Purpose: keeps one queue of words for each class and output, all of them linked lists through one
// memory. Class SNP has one queue for all outputs: a multicast is one word with the set of outputs
// that still want their copy.
// Latency: a word written in one cycle can be read in the next; one write and one read a cycle. The memory gives the word in the cycle after the read. The word written last, if it was
// the first of its queue, can also be had in the cycle of the read (`fresh_o`, `direct_i`).
// Reset: queues empty.
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
    // By class and output: the queue holds a word in the next cycle; and the word that is in front
    // now ends a packet, is of high priority.
    output logic       [NumClasses-1:0][Outputs-1:0] waiting_o,
    output logic                                     active_o,         // some may hold one
    output logic                                     several_o,        // SNP: for several outputs
    output logic       [NumClasses-1:0][Outputs-1:0] tail_o,
    output logic       [NumClasses-1:0][Outputs-1:0] high_o,
    // It holds another word behind that, or the same once more; of SNP not known.
    output logic       [NumClasses-1:0][Outputs-1:0] more_o,
    input  logic       [NumClasses-1:0][Outputs-1:0] grant_i,          // what is read; several: SNP
    input  logic                                     read_i,           // the same, encoded
    input  class_e                                   read_class_i,
    input  logic       [IndexWidth-1:0]              read_output_i,
    output logic                                     fresh_o,          // it could be had at once
    input  logic                                     direct_i,         // and is
    output link_word_t                               word_o,
    output logic       [NumClasses-1:0]              free_o            // credits whose slot is free
);

  localparam int unsigned Slots = ClassDepth * NumClasses + SharedDepth;
  localparam int unsigned SlotIndexWidth = $clog2(Slots);
  localparam int unsigned Queues = 2 ** (IndexWidth + 3);
  typedef logic [IndexWidth-1:0] index_t;
  typedef logic [IndexWidth+2:0] queue_t;
  typedef logic [SlotIndexWidth-1:0] slot_index_t;
  typedef logic [SlotIndexWidth:0] slot_count_t;
  typedef logic [NumClasses-1:0][Outputs-1:0] queues_t;

  // What a queue has to know of a word while the word in front of it leaves.
  typedef struct packed {
    logic               tail;
    logic               fills;    // it is sent more than once
    logic               high;
    logic [Outputs-1:0] outputs;
    slot_index_t        index;
  } entry_t;

  localparam slot_index_t LastSlot = slot_index_t'(Slots - 1);

  // What is sent of a word, but for its class and tail; and what has to be known when it is read.
  typedef struct packed {
    logic                 head;
    logic [FlitWidth-1:0] flit;
  } payload_t;

  typedef struct packed {
    logic   tail;
    fill_t  fill;
    class_e credit_class;
  } info_t;

  (* no_rw_check *)
  // a slot that is written is free, so it is not read in the same cycle
  payload_t memory_q[Slots];
  info_t info_q[Slots];
  entry_t next_q[Slots];  // what follows the word of a slot in its queue

  // By queue. The slot of the first word is in one of two memories, since a memory has one port to
  // write: in the one when the word became the first by being written, in the other when it did by
  // the one before it leaving.
  slot_index_t written_q[Queues];
  slot_index_t followed_q[Queues];
  slot_index_t last_q[Queues];
  fill_t sent_q[Queues];  // how often the word in front has been sent, if it has

  queues_t ready_q;  // the queue holds a word
  queues_t follows_q;  // its first word followed another
  queues_t again_q;  // its first word stays when it is read; not of SNP
  queues_t begun_q;  // its first word has been read; not of SNP
  logic snoops_q;  // the SNP queue holds two words or more
  logic holds_q;  // some queue holds a word

  // The queue of a class and output.
  function automatic queue_t queue_of(class_e cls, index_t out);
    return {cls, (cls == ClassSnp) ? index_t'(0) : out};
  endfunction

  // Read.
  info_t info;
  entry_t next;
  queue_t read_queue;
  slot_index_t read_index;
  logic is_snoop, again, pop;  // the word is a SNP; it stays for another copy; it leaves

  assign is_snoop = grant_i[ClassSnp] != '0;
  assign again = is_snoop ? ready_q[ClassSnp] != grant_i[ClassSnp] : (grant_i & again_q) != '0;
  assign pop = read_i && !again;

  always_comb begin
    info = info_t'('0);
    next = '0;
    read_queue = '0;
    read_index = '0;
    if (read_i) begin
      read_queue = queue_of(read_class_i, read_output_i);
      read_index = ((grant_i & follows_q) != '0) ? followed_q[read_queue] : written_q[read_queue];
      info = info_q[read_index];
      next = next_q[read_index];
    end
  end

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

  // Write. Words of a packet have the priority of its header.
  logic write_high;
  logic [NumClasses-1:0] high_q;  // of the packet under way in each class
  queue_t write_queue;
  queues_t written;

  always_comb begin
    write_high = write_slot_i.head ? write_slot_i.flit[PriorityBit] : high_q[write_class_i];
    write_queue = '0;
    written = '0;
    if (write_i) begin
      write_queue = queue_of(write_class_i, index_t'(index_of(arbiter_vec_t'(write_outputs_i))));
      written[write_class_i] = write_outputs_i;
    end
  end

  // The word that leaves now: that of this read if it is direct, else that of the one before.
  payload_t stored_q, written_payload_q;
  class_e class_q;
  logic tail, tail_q;
  queues_t first;  // queues whose first word comes now
  queue_t written_queue_q;
  logic first_q;  // the word written last came just before, as the first of its queue

  assign fresh_o = read_i && first_q && read_queue == written_queue_q;
  assign tail = (grant_i & tail_o) != '0;

  always_comb begin
    word_o.valid = direct_i;
    word_o.cls = direct_i ? read_class_i : class_q;
    word_o.tail = direct_i ? tail : tail_q;
    {word_o.head, word_o.flit} = direct_i ? written_payload_q : stored_q;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) first_q <= 1'b0;
    else first_q <= first != '0;
    if (write_i) begin
      written_queue_q   <= write_queue;
      written_payload_q <= '{head: write_slot_i.head, flit: write_slot_i.flit};
    end
    if (read_i) begin
      stored_q <= memory_q[read_index];
      class_q  <= read_class_i;
      tail_q   <= tail;
    end
  end

  // The next cycle. Of the SNP queue it is known what is left of the word in front, or that there
  // is a first one, but not what the word behind it wants.
  always_comb begin
    waiting_o = (ready_q & ~grant_i) | (more_o & grant_i) | written;
    if (ready_q[ClassSnp] != '0) waiting_o[ClassSnp] = ready_q[ClassSnp] & ~grant_i[ClassSnp];
    active_o  = holds_q || write_i;
    several_o = !$onehot0(waiting_o[ClassSnp]);
  end

  // Queues. Those that hold no word are not of high priority; the rest of their state is left over.
  queues_t ready_d, follows_d, more_d, again_d, begun_d, tail_d, high_d;
  logic snoops_d, joins;
  fill_t sent;

  // What becomes of one bit of each queue: of those whose first word is new, of those that are read.
  function automatic queues_t after(queues_t state, queues_t first_of, logic if_first,
                                    queues_t read_of, logic if_read);
    queues_t result;
    result = state & ~first_of & ~read_of;
    if (if_first) result |= first_of;
    if (if_read) result |= read_of & ~first_of;
    return result;
  endfunction

  always_comb begin
    logic last_copy, is_last, fills, stays;
    logic [Outputs-1:0] behind;  // outputs that the snoop behind the one that leaves wants
    first = '0;
    behind = '0;
    last_copy = 1'b0;
    is_last = 1'b0;
    fills = 1'b0;
    stays = 1'b0;
    ready_d = ready_q;
    follows_d = follows_q;
    more_d = more_o;
    again_d = again_q;
    begun_d = begun_q;
    tail_d = tail_o;
    high_d = high_o;
    snoops_d = snoops_q;
    joins = 1'b0;
    sent = fill_t'(1);
    if (read_i || write_i) begin
      // The word that is written: the first of its queue, or behind others.
      fills = write_slot_i.fill != '0;
      first = written & (~ready_q | (grant_i & ~more_o));
      if (ready_q[ClassSnp] != '0 && !(is_snoop && pop && !snoops_q)) first[ClassSnp] = '0;
      else first[ClassSnp] = written[ClassSnp];
      joins = write_i && first == '0;

      // The word that is read.
      if ((grant_i & begun_q) != '0) sent = sent_q[read_queue] + 1'b1;
      last_copy = sent == info.fill;
      is_last = (pop ? next.index : read_index) == last_q[read_queue];
      stays = (grant_i & more_o) != '0;

      ready_d = (ready_q & ~(grant_i & ~more_o)) | first;
      follows_d = (follows_q | (pop ? grant_i : '0)) & ~first;
      more_d = after(more_o, first, fills, grant_i, (pop ? next.fills : !last_copy) || !is_last) |
          (written & ~first);
      again_d = after(again_q, first, fills, grant_i, pop ? next.fills : !last_copy);
      begun_d = after(begun_q, '0, 1'b0, grant_i, !pop);
      tail_d = after(
        tail_o,
        first,
        write_slot_i.tail && !fills,
        grant_i,
        pop ? next.tail && !next.fills : info.tail && last_copy
      );
      high_d = after(high_o, first, write_high, grant_i,
                     stays && (pop ? next.high : (grant_i & high_o) != '0));

      // The row of snoops is one queue; its first word stays until each output has its copy.
      more_d[ClassSnp] = '0;
      again_d[ClassSnp] = '0;
      begun_d[ClassSnp] = '0;
      tail_d[ClassSnp] = tail_o[ClassSnp];
      high_d[ClassSnp] = high_o[ClassSnp];
      if (is_snoop && pop) begin
        if (snoops_q) behind = next.outputs;
        ready_d[ClassSnp] |= behind;
        follows_d[ClassSnp] = '1;
        tail_d[ClassSnp] = next.tail ? behind : '0;
        high_d[ClassSnp] = next.high ? behind : '0;
        snoops_d = snoops_q && !is_last;
      end
      if (write_i && write_class_i == ClassSnp) begin
        if (joins) begin
          snoops_d = 1'b1;
        end else begin
          follows_d[ClassSnp] = '0;
          tail_d[ClassSnp] = write_slot_i.tail ? first[ClassSnp] : '0;
          high_d[ClassSnp] = write_high ? first[ClassSnp] : '0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ready_q  <= '0;
      more_o   <= '0;
      again_q  <= '0;
      begun_q  <= '0;
      high_o   <= '0;
      snoops_q <= 1'b0;
      holds_q  <= 1'b0;
    end else begin
      ready_q <= ready_d;
      holds_q <= ready_d != '0;
      follows_q <= follows_d;
      more_o <= more_d;
      again_q <= again_d;
      begun_q <= begun_d;
      tail_o <= tail_d;
      high_o <= high_d;
      snoops_q <= snoops_d;
      if (read_i) sent_q[read_queue] <= sent;
      if (pop) followed_q[read_queue] <= next.index;
      if (write_i) begin
        if (write_slot_i.head) high_q[write_class_i] <= write_high;
        memory_q[write_index] <= '{head: write_slot_i.head, flit: write_slot_i.flit};
        info_q[write_index] <= '{
            tail: write_slot_i.tail,
            fill: write_slot_i.fill,
            credit_class: write_slot_i.credit_class
        };
        last_q[write_queue] <= write_index;
        if (joins) begin
          next_q[last_q[write_queue]] <= '{
              tail: write_slot_i.tail,
              fills: write_slot_i.fill != '0,
              high: write_high,
              outputs: write_outputs_i,
              index: write_index
          };
        end else begin
          written_q[write_queue] <= write_index;
        end
      end
    end
  end

  assign free_o = NumClasses'(pop) << info.credit_class;

  // Implementation checks.
  always_ff @(posedge clk_i) begin
    if (rst_ni && write_i) begin
      assert (!(!fresh && free_first_q == free_last_q && ready_q != '0))
      else $error("input_buffer: word written while all slots are in use");
      assert ($onehot(
          write_outputs_i
      ) || (write_class_i == ClassSnp && write_outputs_i != '0 && write_slot_i.head &&
            write_slot_i.tail))
      else
        $error("input_buffer: class %0d cannot go to outputs %b", write_class_i, write_outputs_i);
    end
    if (rst_ni) begin
      assert ((grant_i & ~ready_q) == '0 && (grant_i != '0) == read_i)
      else $error("input_buffer: read of an empty queue");
    end
  end

endmodule
