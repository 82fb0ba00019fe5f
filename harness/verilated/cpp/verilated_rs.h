// The seam between a Verilated model and the crate `verilated`.
//
// Every model is reached from Rust through one constant `VrsModel`, a table of plain C functions.
// The part that does not depend on the model lives in verilated_rs.cpp; `vrs::Shim<Traits>` below
// is the part that does, instantiated once per model by generated code.
#ifndef VERILATED_RS_H_
#define VERILATED_RS_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "verilated.h"

extern "C" {

struct VrsInstance;

// Mirrors `ffi::Failure` on the Rust side. The strings belong to the instance.
struct VrsFailure {
    uint32_t kind;  // vrs::Kind
    uint32_t line;
    uint64_t time;
    const char* file;
    const char* text;
};

// Mirrors `ffi::ModelTable` on the Rust side. Functions that return uint32_t answer 0 for success
// and otherwise leave a failure or an error text in the instance.
struct VrsModel {
    VrsInstance* (*create)();
    void (*destroy)(VrsInstance*);
    uint32_t (*eval)(VrsInstance*);
    // A whole clock cycle in one evaluation; null unless the model looks at rising edges only.
    uint32_t (*cycle)(VrsInstance*);
    uint32_t (*finish)(VrsInstance*);
    void (*ports)(VrsInstance*, void** out);
    uint32_t* (*coverage)(VrsInstance*);
    uint64_t (*get_time)(const VrsInstance*);
    void (*set_time)(VrsInstance*, uint64_t);
    uint32_t (*finished)(const VrsInstance*);
    uint32_t (*take_failure)(VrsInstance*, VrsFailure* out);
    // The trace functions are null unless the model was built for waves.
    uint32_t (*trace_open)(VrsInstance*, const char* path);
    uint32_t (*trace_dump)(VrsInstance*, uint64_t time);
    uint32_t (*trace_close)(VrsInstance*);
    const char* (*trace_error)(const VrsInstance*);
};

}  // extern "C"

namespace vrs {

enum Kind : uint32_t { ASSERTION = 0, STOP = 1, RUNTIME = 2 };

// Thrown where Verilator's own runtime would abort the process; caught by `guarded`.
struct Abort {};

}  // namespace vrs

// What every instance has, whatever its model.
struct VrsInstance {
    VerilatedContext context;
    bool finished = false;  // $finish was called
    bool failed = false;  // a failure waits in the fields below
    bool dead = false;  // the model aborted half-way through an evaluation
    vrs::Kind kind = vrs::ASSERTION;
    uint32_t line = 0;
    uint64_t time = 0;
    std::string file;
    std::string text;
    std::string pending;  // the last %Error text printed, until the $stop that belongs to it
    std::string traceError;
    std::string handedOut[2];  // keeps the strings of the failure taken last alive

    VrsInstance() = default;
    virtual ~VrsInstance() = default;
    VrsInstance(const VrsInstance&) = delete;
    VrsInstance& operator=(const VrsInstance&) = delete;

    // Record a failure; the first of an evaluation wins, as it is the one nearest to the cause.
    void fail(vrs::Kind kind, const char* file, int line, const char* text);
};

namespace vrs {

// The instance on whose behalf this thread runs model code: Verilator's hooks for $stop, $finish
// and printing get no argument that names it.
class Enter final {
public:
    explicit Enter(VrsInstance* instance);
    ~Enter();
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;
};

void recordException(VrsInstance* instance, const char* what);

// Run model code, turning whatever it throws into a recorded failure.
template <class F>
uint32_t guarded(VrsInstance* instance, F&& body) {
    if (VL_UNLIKELY(instance->dead)) {
        instance->fail(RUNTIME, "", 0, "the model aborted earlier and cannot continue");
        return 1;
    }
    const Enter enter{instance};
    try {
        body();
    } catch (const Abort&) {
        instance->dead = true;
    } catch (const std::exception& e) {
        recordException(instance, e.what());
    }
    return instance->failed;
}

uint64_t getTime(const VrsInstance* instance);
void setTime(VrsInstance* instance, uint64_t time);
uint32_t finished(const VrsInstance* instance);
uint32_t takeFailure(VrsInstance* instance, VrsFailure* out);
const char* traceError(const VrsInstance* instance);

}  // namespace vrs

#if VM_TRACE
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "verilated_vcd_c.h"

namespace vrs {

// A VCD file that remembers the first error instead of ending the process.
class TraceFile final : public VerilatedVcdFile {
    int m_fd = -1;
    std::string& m_error;
    void remember(const char* what) {
        if (m_error.empty()) m_error = std::string{what} + ": " + std::strerror(errno);
    }

public:
    explicit TraceFile(std::string& error)
        : m_error{error} {}
    ~TraceFile() override { close(); }
    bool open(const std::string& name) override {
        m_fd = ::open(name.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0666);
        if (m_fd < 0) remember("cannot open");
        return m_fd >= 0;
    }
    void close() override {
        if (m_fd >= 0 && ::close(m_fd) != 0) remember("cannot close");
        m_fd = -1;
    }
    ssize_t write(const char* data, ssize_t size) override {
        const ssize_t got = ::write(m_fd, data, size);
        if (got >= 0 || errno == EINTR || errno == EAGAIN) return got;
        remember("cannot write");
        return size;  // an error would abort; the caller learns of it from the dump or the close
    }
};

}  // namespace vrs
#endif

namespace vrs {

// Traits of a model, generated: `Model`, `static void ports(Model&, void**)`,
// `static uint32_t* coverage(Model&)`, `static constexpr unsigned Threads`, and for a clock of which
// only rising edges count `static constexpr bool OneEvaluation` with `static void level(Model&,
// uint8_t)`, which sets the clock and makes the model believe that it was low before.
template <class Traits>
struct Shim final : VrsInstance {
    using Model = typename Traits::Model;
#if VM_TRACE
    std::unique_ptr<TraceFile> traceFile;
    std::unique_ptr<VerilatedVcdC> trace;
#endif
    std::unique_ptr<Model> model;
    bool settled = false;  // `cycle` has evaluated the model with its clock low

    static Shim* self(VrsInstance* instance) { return static_cast<Shim*>(instance); }

    Shim() {
        const Enter enter{this};
        context.threads(Traits::Threads);
#if VM_TRACE
        context.traceEverOn(true);
#endif
        model.reset(new Model{&context});
    }
    ~Shim() override {
        const Enter enter{this};
#if VM_TRACE
        trace.reset();
#endif
        model.reset();
    }

    static VrsInstance* create() {
        try {
            return new Shim;
        } catch (...) {
            return nullptr;
        }
    }
    static void destroy(VrsInstance* instance) { delete self(instance); }
    static uint32_t eval(VrsInstance* instance) {
        return guarded(instance, [=] { self(instance)->model->eval(); });
    }
    static uint32_t cycle(VrsInstance* instance) {
        const uint32_t failed = guarded(instance, [=] {
            Model& model = *self(instance)->model;
            if (VL_UNLIKELY(!self(instance)->settled)) {
                // The first evaluation takes the level of the clock for the one before.
                Traits::level(model, 0);
                model.eval();
                self(instance)->settled = true;
            }
            instance->context.timeInc(1);
            Traits::level(model, 1);
            model.eval();
        });
        instance->context.timeInc(1);
        return failed;
    }
    static uint32_t finish(VrsInstance* instance) {
        return guarded(instance, [=] { self(instance)->model->final(); });
    }
    static void ports(VrsInstance* instance, void** out) {
        Traits::ports(*self(instance)->model, out);
    }
    static uint32_t* coverage(VrsInstance* instance) {
        return Traits::coverage(*self(instance)->model);
    }

#if VM_TRACE
    static uint32_t traceOpen(VrsInstance* instance, const char* path) {
        Shim* const s = self(instance);
        traceClose(instance);
        s->traceError.clear();
        guarded(instance, [=] {
            s->traceFile.reset(new TraceFile{s->traceError});
            s->trace.reset(new VerilatedVcdC{s->traceFile.get()});
            s->model->trace(s->trace.get(), 1000);
            s->trace->open(path);
        });
        return !s->traceError.empty() || s->failed;
    }
    static uint32_t traceDump(VrsInstance* instance, uint64_t time) {
        Shim* const s = self(instance);
        guarded(instance, [=] { s->trace->dump(time); });
        return !s->traceError.empty() || s->failed;
    }
    static uint32_t traceClose(VrsInstance* instance) {
        Shim* const s = self(instance);
        const Enter enter{s};
        s->trace.reset();
        s->traceFile.reset();
        return !s->traceError.empty();
    }
#endif

    static constexpr VrsModel table() {
        return VrsModel{
            create,
            destroy,
            eval,
            Traits::OneEvaluation ? cycle : nullptr,
            finish,
            ports,
            coverage,
            vrs::getTime,
            vrs::setTime,
            vrs::finished,
            vrs::takeFailure,
#if VM_TRACE
            traceOpen,
            traceDump,
            traceClose,
#else
            nullptr,
            nullptr,
            nullptr,
#endif
            vrs::traceError,
        };
    }
};

}  // namespace vrs

#endif  // guard
