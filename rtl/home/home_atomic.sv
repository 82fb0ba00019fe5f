// What a write of up to 16 bytes makes of the flit of the line in which it lies.
//
// Purpose: merges the payload of a WriteUnique into the flit, and computes the far atomics: the word
// of 4 or 8 bytes at the request's address, and the operand at the same byte lanes of the payload.
// The new value of an AtomicCompare is at those lanes with bit 3 flipped.
// Latency: combinational. While `valid_i` is low the outputs mean nothing.
module home_atomic
  import flit_pkg::*;
(
    input logic valid_i,
    // verilator lint_off UNUSEDSIGNAL
    input req_header_t request_i,  // opcode, atomic_op, size, address and byte enables
    // verilator lint_on UNUSEDSIGNAL
    input logic [FlitWidth-1:0] payload_i,
    input logic [FlitWidth-1:0] old_i,
    output logic [FlitWidth-1:0] new_o,
    output logic [FlitBytes-1:0] be_o,  // the bytes that are written
    output logic [FlitWidth-1:0] word_o  // of the old flit only those
);

  typedef logic [63:0] word_t;

  logic upper, lower_word, wide;
  word_t old_half, operand_half, swap_half;
  word_t old, operand, swap, result;  // words of 4 bytes are in the upper half, for their sign
  word_t new_half;

  assign wide = request_i.size[0];  // 8 bytes
  assign upper = request_i.addr[3];  // of the two halves of the flit
  assign lower_word = !wide && !request_i.addr[2];

  // The word at the top of its half of a flit.
  function automatic word_t at_top(word_t half, logic low);
    return low ? {half[31:0], 32'b0} : half;
  endfunction

  function automatic word_t computed(atomic_op_e op, word_t a, word_t b);
    unique case (op)
      AtomicAdd:  return a + b;
      AtomicAnd:  return a & b;
      AtomicXor:  return a ^ b;
      AtomicOr:   return a | b;
      AtomicSmax: return ($signed(a) > $signed(b)) ? a : b;
      AtomicSmin: return ($signed(a) < $signed(b)) ? a : b;
      AtomicUmax: return (a > b) ? a : b;
      AtomicUmin: return (a < b) ? a : b;
      default:    return a;
    endcase
  endfunction

  always_comb begin
    old_half = '0;
    operand_half = '0;
    swap_half = '0;
    old = '0;
    operand = '0;
    swap = '0;
    result = '0;
    new_half = '0;
    be_o = request_i.be;
    new_o = '0;
    word_o = '0;
    if (valid_i && (request_i.opcode != OpWriteUnique)) begin
      old_half = upper ? old_i[127:64] : old_i[63:0];
      operand_half = upper ? payload_i[127:64] : payload_i[63:0];
      swap_half = upper ? payload_i[63:0] : payload_i[127:64];
      // The other word of the half must not carry into this one, nor decide a comparison.
      old = at_top(old_half, lower_word);
      operand = at_top(operand_half, lower_word);
      swap = at_top(swap_half, lower_word);
      if (!wide) begin
        old[31:0] = '0;
        operand[31:0] = '0;
        swap[31:0] = '0;
      end
      unique case (request_i.opcode)
        OpAtomicSwap:    result = operand;
        OpAtomicCompare: result = (old == operand) ? swap : old;
        default:         result = computed(request_i.atomic_op, old, operand);
      endcase
      new_half = wide ? result
          : (lower_word ? {old_half[63:32], result[63:32]} : {result[63:32], old_half[31:0]});
      new_o = upper ? {new_half, old_i[63:0]} : {old_i[127:64], new_half};
      be_o = (wide ? FlitBytes'('hff) : FlitBytes'('hf)) << request_i.addr[3:0];
    end else if (valid_i) begin
      for (int unsigned b = 0; b < FlitBytes; b++) begin
        new_o[8*b+:8] = request_i.be[b] ? payload_i[8*b+:8] : old_i[8*b+:8];
      end
    end
    if (valid_i) begin
      for (int unsigned b = 0; b < FlitBytes; b++) begin
        if (be_o[b]) word_o[8*b+:8] = old_i[8*b+:8];
      end
    end
  end

endmodule
