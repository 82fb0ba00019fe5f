// What the two ends of a link say to each other: the wire word, its kinds and its CRC.
// docs/link.md has the picture of the word and why it looks so.
package link_pkg;
  import flit_pkg::*;

  localparam int unsigned SeqWidth = 8;
  localparam int unsigned CountWidth = 9;
  localparam int unsigned CrcWidth = 24;

  typedef logic [SeqWidth-1:0] seq_t;
  typedef logic [CountWidth-1:0] count_t;
  typedef logic [CrcWidth-1:0] crc_t;

  // What a wire word is. Codes below KindStatus are classes: the word carries a flit.
  typedef enum logic [2:0] {
    KindStatus = 3'd5,  // no flit; `flit` holds the count of credits of every class
    KindInit   = 3'd6,  // training after reset
    KindTrain  = 3'd7   // training of a link that was up
  } kind_e;

  // What `ret` is. Codes below RetAck are classes: the count of credits granted of that class.
  typedef enum logic [2:0] {
    RetAck = 3'd5,  // all words before `ret` have arrived
    RetNak = 3'd6   // the same, and please send again from there
  } ret_kind_e;

  // Everything that the CRC covers.
  typedef struct packed {
    logic [2:0]           kind;
    logic                 head;      // of a training word: the sender has heard the other end
    logic                 tail;
    seq_t                 seq;       // of the flit; else of the flit that would be sent next
    logic [2:0]           ret_kind;
    count_t               ret;
    logic [FlitWidth-1:0] flit;
  } wire_body_t;

  // What a wire carries in one cycle. The CRC of a word without anything set is not zero, so that
  // neither silence nor a flipped `valid` makes a word.
  typedef struct packed {
    logic       valid;
    wire_body_t body;
    crc_t       crc;
  } wire_word_t;

  // Generator polynomial, without the term x^24: CRC-24 0x880ee6 of Koopman's tables, in full
  // 0x1101dcd. Its Hamming distance is 7 at the length of a wire word, which a test computes again.
  localparam crc_t CrcPolynomial = 24'h101dcd;
  localparam crc_t CrcEmpty = '1;  // the CRC of an empty body

  localparam int unsigned BodyWidth = $bits(wire_body_t);
  typedef logic [BodyWidth-1:0] body_bits_t;
  typedef body_bits_t [CrcWidth-1:0] crc_masks_t;

  // For each bit of the CRC, the bits of the body whose parity it is. Bit i of the body is the
  // coefficient of x^(i + 24), so a burst is one of neighbouring bits of {body, crc}.
  function automatic crc_masks_t crc_masks();
    crc_masks_t masks;
    crc_t power;
    power = CrcPolynomial;
    for (int unsigned i = 0; i < BodyWidth; i++) begin
      for (int unsigned j = 0; j < CrcWidth; j++) masks[j][i] = power[j];
      power = {power[CrcWidth-2:0], 1'b0} ^ (power[CrcWidth-1] ? CrcPolynomial : '0);
    end
    return masks;
  endfunction

  localparam crc_masks_t CrcMasks = crc_masks();

  function automatic crc_t crc(wire_body_t body);
    crc_t value;
    for (int unsigned j = 0; j < CrcWidth; j++) begin
      value[j] = ^(CrcMasks[j] & body_bits_t'(body)) ^ CrcEmpty[j];
    end
    return value;
  endfunction

endpackage
