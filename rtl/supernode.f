// The sources of the switch, packages first, then each module after those it uses.
// Paths are relative to this file.
flit_pkg.sv
supernode_pkg.sv
lib/arbiter_pkg.sv
fabric/fabric_pkg.sv
home/home_pkg.sv
csr/supernode_csr_regs_pkg.sv
csr/supernode_csr_pkg.sv

csr/supernode_csr_regs.sv
csr/csr_counter_bank.sv
csr/csr_error_log.sv
csr/csr_home_counters.sv
csr/csr_partitions.sv
csr/csr_port_counters.sv
csr/csr_regions.sv
csr/supernode_csr.sv

address/address_map.sv
fabric/ingress_check.sv
fabric/ingress_route.sv
fabric/input_buffer.sv
fabric/precedence.sv
fabric/matching.sv
fabric/allocator.sv
fabric/egress.sv
fabric/crossbar.sv
home/home_queue.sv
home/home_set_hash.sv
home/home_rx.sv
home/home_line_buffer.sv
home/home_directory.sv
home/home_ways.sv
home/home_conflicts.sv
home/home_start.sv
home/home_action.sv
home/home_trackers.sv
home/home_tx.sv
home/home_timeouts.sv
home/home_slice.sv
switch_core.sv
