// The part of the seam that no model changes: the hooks Verilator's runtime calls for $stop,
// $finish, fatal errors and printing (see VL_USER_STOP and its kin in verilated.cpp).
#include "verilated_rs.h"

#include <cstdarg>
#include <cstdio>
#include <vector>

namespace {
thread_local VrsInstance* t_current = nullptr;
}  // namespace

void VrsInstance::fail(vrs::Kind kind_, const char* file_, int line_, const char* text_) {
    if (failed) return;
    failed = true;
    kind = kind_;
    file = file_ ? file_ : "";
    line = line_ > 0 ? static_cast<uint32_t>(line_) : 0;
    time = context.time();
    text = text_;
}

namespace vrs {

Enter::Enter(VrsInstance* instance) {
    t_current = instance;
    Verilated::threadContextp(&instance->context);
}
Enter::~Enter() { t_current = nullptr; }

void recordException(VrsInstance* instance, const char* what) {
    instance->dead = true;
    instance->fail(RUNTIME, "", 0, what);
}

uint64_t getTime(const VrsInstance* instance) { return instance->context.time(); }
void setTime(VrsInstance* instance, uint64_t time) { instance->context.time(time); }
uint32_t finished(const VrsInstance* instance) { return instance->finished; }
const char* traceError(const VrsInstance* instance) { return instance->traceError.c_str(); }

uint32_t takeFailure(VrsInstance* instance, VrsFailure* out) {
    if (!instance->failed) return 0;
    instance->failed = false;
    instance->handedOut[0] = std::move(instance->file);
    instance->handedOut[1] = std::move(instance->text);
    *out = VrsFailure{instance->kind, instance->line, instance->time,
                      instance->handedOut[0].c_str(), instance->handedOut[1].c_str()};
    return 1;
}

}  // namespace vrs

// What the model prints goes to standard output, except the text of an error, which waits for the
// $stop that follows it and becomes the failure's message.
extern "C" int vrs_printf(const char* format, ...) {
    va_list ap;
    va_start(ap, format);
    va_list again;
    va_copy(again, ap);
    const int size = std::vsnprintf(nullptr, 0, format, ap);
    va_end(ap);
    std::vector<char> text(size < 0 ? 1 : size + 1);
    std::vsnprintf(text.data(), text.size(), format, again);
    va_end(again);
    const std::string line{text.data()};
    if (t_current
        && (line.find("%Error: ") != std::string::npos
            || line.find("%Fatal: ") != std::string::npos)) {
        t_current->pending = line;
    } else {
        std::fwrite(line.data(), 1, line.size(), stdout);
    }
    return size;
}

void vl_finish(const char*, int, const char*) {
    if (t_current) t_current->finished = true;
}

void vl_stop(const char* file, int line, const char*) {
    if (!t_current) return;
    const std::string text = std::move(t_current->pending);
    t_current->pending.clear();
    t_current->fail(text.empty() ? vrs::STOP : vrs::ASSERTION, file, line, text.c_str());
}

// Verilator's runtime assumes that this does not return.
void vl_fatal(const char* file, int line, const char*, const char* text) {
    if (t_current) t_current->fail(vrs::RUNTIME, file, line, text);
    throw vrs::Abort{};
}
