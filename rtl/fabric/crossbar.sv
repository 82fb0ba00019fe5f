// The fabric between the ways in and the ways out: buffers, allocator, output registers.
//
// Purpose: takes routed words at each input and delivers them at their outputs, in order for each
// input, output and class. A word of class SNP that is a packet of its own may go to several.
// Latency: two cycles when nothing contends: one into the buffer and to a grant, one through the
// crossbar.
// Reset: everything empty; credits as in buffer_credits and egress.
// Nothing is dropped here but what goes to a dead output; inputs are stalled only by the credits
// they are not given.
module crossbar
  import flit_pkg::*;
  import supernode_pkg::*;
  import fabric_pkg::*;
#(
    parameter  int unsigned Size        = 10,           // inputs, and outputs
    parameter  int unsigned ClassDepth  = 24,           // words that an input buffers of each class
    parameter  int unsigned SharedDepth = 40,           // and of any
    localparam int unsigned IndexWidth  = $clog2(Size)
) (
    input logic clk_i,
    input logic rst_ni,
    input logic [ChipWidth-1:0] chip_i,  // snoops to this chip get the port they leave at as unit
    input weight_t [NumClasses-1:0] class_weights_i,
    input logic [Size-1:0] output_dead_i,
    input logic [Size-1:0] write_i,
    input class_e write_class_i[Size],
    input logic [Size-1:0] write_outputs_i[Size],  // mask; several only for one-word SNP
    input slot_t write_slot_i[Size],
    input logic [Size-1:0][NumClasses-1:0] drop_i,  // classes of credits that only return
    output logic [Size-1:0][NumClasses-1:0] rx_credit_o,  // pulses to the senders
    output link_word_t tx_o[Size],
    input logic [Size-1:0][NumClasses-1:0] tx_credit_i,  // pulses from the receivers
    output fabric_events_t [Size-1:0] events_o,  // by input, a cycle late
    // By bit, input, class of the credit: the most words that the buffer has held since reset.
    output logic [Size-1:0][NumClasses-1:0] high_water_o[CreditWidth]
);

  logic [NumClasses-1:0][Size-1:0] waiting[Size];
  logic [NumClasses-1:0][Size-1:0] more   [Size];
  logic [NumClasses-1:0][Size-1:0] tail   [Size];
  logic [NumClasses-1:0][Size-1:0] high   [Size];
  logic [NumClasses-1:0][Size-1:0] grant  [Size];
  logic [NumClasses-1:0][Size-1:0] credit, credits;
  logic [Size-1:0] active, several;
  logic [NumClasses-1:0][Size-1:0] sent, underway;
  logic [Size-1:0] fresh, direct;
  link_word_t                            word        [Size];
  logic       [Size-1:0]                 read;
  logic       [Size-1:0][IndexWidth-1:0] read_output;
  class_e     [Size-1:0]                 read_class;
  logic       [Size-1:0][      Size-1:0] send_input;
  stall_t     [Size-1:0]                 stall;
  logic [Size-1:0][NumClasses-1:0] kept, freed;  // by input, class of the credit

  for (genvar i = 0; i < Size; i++) begin : gen_input
    input_buffer #(
        .Outputs    (Size),
        .ClassDepth (ClassDepth),
        .SharedDepth(SharedDepth)
    ) u_input_buffer (
        .clk_i,
        .rst_ni,
        .write_i        (write_i[i]),
        .write_class_i  (write_class_i[i]),
        .write_outputs_i(write_outputs_i[i]),
        .write_slot_i   (write_slot_i[i]),
        .waiting_o      (waiting[i]),
        .active_o       (active[i]),
        .several_o      (several[i]),
        .tail_o         (tail[i]),
        .high_o         (high[i]),
        .more_o         (more[i]),
        .grant_i        (grant[i]),
        .read_i         (read[i]),
        .read_class_i   (read_class[i]),
        .read_output_i  (read_output[i]),
        .fresh_o        (fresh[i]),
        .direct_i       (direct[i]),
        .word_o         (word[i]),
        .free_o         (freed[i])
    );

    assign kept[i] = NumClasses'(write_i[i]) << write_slot_i[i].credit_class;
    assign events_o[i] = '{grant: read[i], stall: stall[i]};
  end

  buffer_credits #(
      .Size       (Size),
      .ClassDepth (ClassDepth),
      .SharedDepth(SharedDepth)
  ) u_buffer_credits (
      .clk_i,
      .rst_ni,
      .keep_i  (kept),
      .drop_i,
      .free_i  (freed),
      .credit_o(rx_credit_o),
      .high_water_o
  );

  allocator #(
      .Size(Size)
  ) u_allocator (
      .clk_i,
      .rst_ni,
      .weights_i (class_weights_i),
      .active_i  (active),
      .several_i (several),
      .waiting_i (waiting),
      .more_i    (more),
      .tail_i    (tail),
      .high_i    (high),
      .credit_i  (credit),
      .credits_i (credits),
      .sent_o    (sent),
      .underway_o(underway),
      .grant_o   (grant),
      .read_o    (read),
      .class_o   (read_class),
      .output_o  (read_output),
      .input_o   (send_input),
      .stall_o   (stall)
  );

  egress #(
      .Size(Size)
  ) u_egress (
      .clk_i,
      .rst_ni,
      .chip_i,
      .dead_i    (output_dead_i),
      .sent_i    (sent),
      .underway_i(underway),
      .input_i   (send_input),
      .read_i    (read),
      .fresh_i   (fresh),
      .direct_o  (direct),
      .word_i    (word),
      .credit_i  (tx_credit_i),
      .credit_o  (credit),
      .credits_o (credits),
      .tx_o
  );

endmodule
