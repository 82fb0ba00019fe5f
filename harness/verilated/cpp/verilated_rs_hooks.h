// Included ahead of every C++ file: what Verilator's runtime prints goes through `vrs_printf`, and
// $stop, $finish and fatal errors through the functions of verilated_rs.cpp.
#ifndef VERILATED_RS_HOOKS_H_
#define VERILATED_RS_HOOKS_H_

extern "C" int vrs_printf(const char* format, ...);

#define VL_PRINTF vrs_printf
#define VL_USER_STOP
#define VL_USER_FATAL
#define VL_USER_FINISH

#endif  // guard
