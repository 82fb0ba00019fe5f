// The sources of the switch, packages first, then each module after those it uses.
// Paths are relative to this file.
supernode_pkg.sv
