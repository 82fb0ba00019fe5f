// Types that the stages of the fabric hand to each other.
package fabric_pkg;

  // Width of a count of credits; a receiver may not grant more than 2**CreditWidth - 1.
  localparam int unsigned CreditWidth = 8;
  typedef logic [CreditWidth-1:0] credit_t;

  // Set in the flit of a header of high priority: the upper bit of its qos.
  localparam int unsigned PriorityBit = $bits(flit_pkg::opcode_e) + 3;

  // What a class may send in its turn at an output, in words; at least 1.
  localparam int unsigned WeightWidth = 4;
  typedef logic [WeightWidth-1:0] weight_t;

  // How often the last word of a packet is sent again to reach the declared length.
  typedef logic [3:0] fill_t;

  // A link word after the framing and header checks. With `drop` it goes no further and only its
  // credit returns. `cause` is set in the cycle in which an error is found, with or without `drop`.
  // Of a word that had to make way for it only the credit is left, in `displaced`, by class.
  typedef struct packed {
    logic                            valid;
    logic                            drop;
    logic [flit_pkg::NumClasses-1:0] displaced;
    supernode_pkg::error_cause_e     cause;
    flit_pkg::class_e                cls;
    logic                            head;
    logic                            tail;
    fill_t                           fill;
    logic [flit_pkg::FlitWidth-1:0]  flit;
  } checked_word_t;

  // What the buffer stores of a word. Its class is known from the queue; `credit_class` is the
  // class whose credit the sender spent on it.
  typedef struct packed {
    logic                           head;
    logic                           tail;
    fill_t                          fill;
    flit_pkg::class_e               credit_class;
    logic [flit_pkg::FlitWidth-1:0] flit;
  } slot_t;

  // Why an input that holds words sends none in a cycle, one cause: some word could have gone but
  // others were given its outputs; or else other inputs' packets are under way where its words want
  // to go; or else there are no credits at their outputs.
  typedef struct packed {
    logic arbitration;
    logic credit;
    logic lock;
  } stall_t;

  // What one input of the crossbar did in a cycle, for the counters.
  typedef struct packed {
    logic   grant;
    stall_t stall;
  } fabric_events_t;

endpackage
