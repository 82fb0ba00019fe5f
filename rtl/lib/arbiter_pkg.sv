// Round-robin choice on bit vectors, as pure functions. Vectors are up to 32 bits wide; callers
// with fewer requesters leave the upper bits zero and synthesis removes them.
//
// A round-robin pointer is kept as a mask of the positions served first: all at or above the
// pointer. The lowest request inside the mask wins, else the lowest request at all, so no
// wrap-around needs handling.
package arbiter_pkg;

  localparam int unsigned ArbiterWidth = 32;
  typedef logic [ArbiterWidth-1:0] arbiter_vec_t;

  // All positions above the lowest set bit. A prefix network: the carry chain of `-x` is deeper.
  function automatic arbiter_vec_t above(arbiter_vec_t requests);
    arbiter_vec_t result;
    result = requests << 1;
    result |= result << 1;
    result |= result << 2;
    result |= result << 4;
    result |= result << 8;
    result |= result << 16;
    return result;
  endfunction

  // The chosen request, one-hot; zero when there is none.
  function automatic arbiter_vec_t round_robin(arbiter_vec_t requests, arbiter_vec_t first);
    arbiter_vec_t preferred;
    preferred = requests & first;
    if (preferred == '0) preferred = requests;
    return preferred & ~above(preferred);
  endfunction

  // The next mask when the requester `winner` (one-hot) goes to the last place.
  function automatic arbiter_vec_t pass_first(arbiter_vec_t winner);
    return above(winner);
  endfunction

  // The number of the one bit set; 0 when none is.
  function automatic logic [4:0] index_of(arbiter_vec_t onehot);
    return {
      |(onehot & 32'hffff_0000),
      |(onehot & 32'hff00_ff00),
      |(onehot & 32'hf0f0_f0f0),
      |(onehot & 32'hcccc_cccc),
      |(onehot & 32'haaaa_aaaa)
    };
  endfunction

endpackage
