// Directory set of a line: its address as a polynomial over GF(2), modulo a primitive one.
//
// The home interleave is the XOR fold of the line address to k bits (k = 0 to 3), which is the same
// polynomial modulo x**k + 1. For three or more set bits the two moduli have no common factor, so
// any SetBits + k neighbouring address bits map one to one onto {set, home}: lines at every
// power-of-two stride spread evenly over all sets of all homes.
//
// The low SetBits address bits enter the set unchanged. Hence the tag (the bits above) and the set
// give the line back: low bits = set ^ hash({tag, 0}).
//
// Combinational. Without enable_i the set is 0, so that simulation has nothing to do.
module home_set_hash
  import home_pkg::*;
#(
    parameter int unsigned SetBits = 6  // 1 to 16
) (
    input  logic                     enable_i,
    input  line_addr_t               line_i,
    output logic       [SetBits-1:0] set_o
);

  // Mask[b] selects the address bits whose XOR is set bit b.
  typedef logic [SetBits-1:0][LineAddrWidth-1:0] mask_t;

  function automatic mask_t masks();
    mask_t result;
    logic [SetBits-1:0] power;  // x**i modulo the polynomial
    logic carry;
    result = '0;
    power  = SetBits'(1);
    for (int unsigned i = 0; i < LineAddrWidth; i++) begin
      for (int unsigned b = 0; b < SetBits; b++) result[b][i] = power[b];
      carry = power[SetBits-1];
      power = SetBits'({power, 1'b0});
      if (carry) power ^= SetBits'(set_polynomial(SetBits));
    end
    return result;
  endfunction

  localparam mask_t Mask = masks();

  always_comb begin
    set_o = '0;
    if (enable_i) begin
      for (int unsigned b = 0; b < SetBits; b++) set_o[b] = ^(line_i & Mask[b]);
    end
  end

endmodule
