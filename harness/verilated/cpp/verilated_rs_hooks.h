// Included ahead of every C++ file: what Verilator's runtime prints goes through `vrs_printf`, and
// $stop, $finish and fatal errors through the functions of verilated_rs.cpp.
#ifndef VERILATED_RS_HOOKS_H_
#define VERILATED_RS_HOOKS_H_

extern "C" int vrs_printf(const char* format, ...);

#define VL_PRINTF vrs_printf
#define VL_USER_STOP
#define VL_USER_FATAL
#define VL_USER_FINISH

#if VM_COVERAGE
#include <atomic>

#include "verilated_cov.h"

// Rust reads the counters in place and knows what they count from the build; registering them with
// the runtime would only make every new instance slow.
#undef VL_COVER_INSERT
#define VL_COVER_INSERT(...) \
    do { \
    } while (false)

namespace vrs {

// Stands in for std::atomic<uint32_t> where the model has one thread only (see `plain_counters` in
// src/build/coverage.rs): an atomic addition costs more than what it counts.
struct Counter {
    uint32_t value;
    Counter& operator=(uint32_t to) {
        value = to;
        return *this;
    }
    void fetch_add(uint32_t by, std::memory_order) { value += by; }
};

}  // namespace vrs
#endif

#endif  // guard
