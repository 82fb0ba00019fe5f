// Types that the stages of the fabric hand to each other.
package fabric_pkg;

  // Width of a count of credits; a receiver may not grant more than 2**CreditWidth - 1.
  localparam int unsigned CreditWidth = 8;
  typedef logic [CreditWidth-1:0] credit_t;

  // How often the last word of a packet is sent again to reach the declared length.
  typedef logic [3:0] fill_t;

  // A link word after the framing and header checks. With `drop` it goes no further and only its
  // credit returns. `cause` is set in the cycle in which an error is found, with or without `drop`.
  typedef struct packed {
    logic                           valid;
    logic                           drop;
    supernode_pkg::error_cause_e    cause;
    flit_pkg::class_e               cls;
    logic                           head;
    logic                           tail;
    fill_t                          fill;
    logic [flit_pkg::FlitWidth-1:0] flit;
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

endpackage
