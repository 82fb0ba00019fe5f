//! The text of what is generated: the C++ shim of each variant and the Rust struct of a model.

use super::compile::{self, Files, SEAM_INCLUDE};
use super::coverage::{self, Counters};
use super::edge;
use super::error::Error;
use super::header::{self, HeaderPort};
use super::snapshot;
use super::verilator::Job;
use super::{Context, Model, Variant};
use crate::port::Dir;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

/// Name of a job's shim.
pub fn shim_file(job: &Job) -> String {
    format!("{}__verilated_rs.cpp", job.prefix)
}

/// Symbol of a job's table of functions.
fn table_symbol(job: &Job) -> String {
    format!("vrs_{}", job.prefix)
}

/// Write the shims of all variants of a model, and its Rust file, whose path is returned.
pub fn model(context: &Context, model: &Model, jobs: &[&Job]) -> Result<PathBuf, Error> {
    let mut ports: Option<Vec<HeaderPort>> = None;
    let mut counters = Vec::new();
    let mut states = Vec::new();
    for job in jobs {
        let path = job.output(".h");
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let own = header::ports(&text, &path)?;
        if ports.as_ref().is_some_and(|first| *first != own) {
            let reason = "the variants of the model differ in their ports".into();
            return Err(Error::Output { file: path, reason });
        }
        let files = Files::of(job)?;
        let sources: Vec<_> = files.fast.into_iter().chain(files.slow).collect();
        let own_counters = match job.variant.counts() {
            true => coverage::counters(job, &sources)?,
            false => Counters::default(),
        };
        let mut shim = shim(job, &own, &own_counters, remembered(job, model, &own)?);
        let mut state = None;
        if model.snapshots {
            let (name, text) = snapshot::function(job)?;
            shim += &text;
            state = Some(name);
        }
        compile::write(&job.dir.join(shim_file(job)), &shim)?;
        states.push(state);
        compile::write(&points_file(job), &own_counters.table)?;
        counters.push(own_counters);
        ports.get_or_insert(own);
    }
    let ports = ports.unwrap_or_default();
    let clock = match &model.clock {
        Some(name) => Some(clock_port(model, name, &ports)?),
        None => None,
    };
    let path = context.out_dir.join(format!("{}.rs", model.name));
    compile::write(&path, &rust(model, &ports, jobs, &counters, &states, clock))?;
    Ok(path)
}

/// The member in which a variant remembers the level of its clock, if a cycle of it needs but one
/// evaluation. Waves show both halves of a cycle, and so need both.
fn remembered(
    job: &Job,
    model: &Model,
    ports: &[HeaderPort],
) -> Result<Option<(String, String)>, Error> {
    let Some(name) = model
        .clock
        .as_ref()
        .filter(|_| job.variant != Variant::Wave)
    else {
        return Ok(None);
    };
    let clock = &clock_port(model, name, ports)?.member;
    let mut sources = Vec::new();
    for file in Files::of(job)?.fast {
        // The model's own file only hands the ports out.
        if file != format!("{}.cpp", job.prefix) {
            let path = job.dir.join(file);
            sources.push(fs::read_to_string(&path).map_err(Error::io(&path))?);
        }
    }
    let found = edge::remembered(sources.iter().map(String::as_str), clock);
    Ok(found.map(|member| (clock.clone(), member)))
}

fn points_file(job: &Job) -> PathBuf {
    job.output("__coverage.txt")
}

fn clock_port<'a>(
    model: &Model,
    name: &str,
    ports: &'a [HeaderPort],
) -> Result<&'a HeaderPort, Error> {
    let found = ports.iter().find(|port| port.name == name);
    let fits = |port: &&HeaderPort| {
        port.dir == Dir::In && port.shape().width() == 1 && port.dims.is_empty()
    };
    found.filter(fits).ok_or_else(|| Error::Description {
        model: model.name.clone(),
        reason: format!("the clock `{name}` is not a one-bit input of the top module"),
    })
}

/// The C++ that gives Rust access to one variant.
fn shim(
    job: &Job,
    ports: &[HeaderPort],
    counters: &Counters,
    remembered: Option<(String, String)>,
) -> String {
    let prefix = &job.prefix;
    let mut addresses = String::new();
    for (i, port) in ports.iter().enumerate() {
        let bytes = port.shape().stride() * port.elements();
        let member = &port.member;
        let _ = writeln!(
            addresses,
            "        static_assert(sizeof(model.{member}) == {bytes}, \"size of a port\");"
        );
        let _ = writeln!(addresses, "        out[{i}] = &model.{member};");
    }
    let count = counters.count;
    let coverage = if count == 0 {
        "        return nullptr;\n".to_string()
    } else {
        format!(
            "        auto& counters = model.rootp->vlSymsp->__Vcoverage;\n        \
             static_assert(sizeof(counters) == {count} * sizeof(uint32_t), \"counters\");\n        \
             return reinterpret_cast<uint32_t*>(&counters[0]);\n"
        )
    };
    let one_evaluation = remembered.is_some();
    let level = remembered.map_or(String::new(), |(clock, member)| {
        format!("        model.{clock} = level;\n        model.rootp->{member} = 0;\n")
    });
    format!(
        "// Generated by the crate `verilated`.
{SEAM_INCLUDE}

#include \"{prefix}.h\"
#include \"{prefix}__Syms.h\"

namespace {{
struct Traits {{
    using Model = {prefix};
    static constexpr unsigned Threads = {threads};
    static void ports(Model& model, void** out) {{
{addresses}    }}
    static uint32_t* coverage(Model& model) {{
{coverage}    }}
    static constexpr bool OneEvaluation = {one_evaluation};
    static void level(Model& model, uint8_t level) {{
{level}    }}
}};
}}  // namespace

extern \"C\" {{
extern const VrsModel {table};
const VrsModel {table} = vrs::Shim<Traits>::table();
}}
",
        threads = job.threads,
        table = table_symbol(job),
    )
}

/// The Rust type of one element of a port.
fn rust_type(port: &HeaderPort) -> String {
    let shape = port.shape();
    match shape.stride() {
        bytes @ (1 | 2 | 4 | 8) if shape.width() <= 64 => format!("u{}", 8 * bytes),
        _ => format!("[u32; {}]", shape.words()),
    }
}

fn rust(
    model: &Model,
    ports: &[HeaderPort],
    jobs: &[&Job],
    counters: &[Counters],
    states: &[Option<String>],
    clock: Option<&HeaderPort>,
) -> String {
    let name = &model.name;
    let type_name = camel_case(name);
    let variants: Vec<_> = jobs
        .iter()
        .map(|job| format!("{:?}", job.variant))
        .collect();
    let variants: Vec<_> = variants
        .iter()
        .map(|v| format!("::verilated::Variant::{v}"))
        .collect();

    let mut descriptions = String::new();
    let mut fields = String::new();
    let mut inits = String::new();
    let mut accessors = String::new();
    for (i, port) in ports.iter().enumerate() {
        let field = identifier(&port.member);
        let ty = rust_type(port);
        let _ = writeln!(
            descriptions,
            "        ::verilated::Port {{ name: {:?}, dir: ::verilated::Dir::{:?}, msb: {}, lsb: {}, dims: &{:?} }},",
            port.name, port.dir, port.msb, port.lsb, port.dims
        );
        let _ = writeln!(fields, "    {field}: ::verilated::Scalar<{ty}>,");
        let _ = writeln!(
            inits,
            "                {field}: ::verilated::Scalar::new(instance.port({i})),"
        );
        accessors += &port_accessors(port);
    }

    let mut tables = String::new();
    let mut arms = String::new();
    for (((job, variant), counters), state) in jobs.iter().zip(&variants).zip(counters).zip(states)
    {
        let table = table_symbol(job);
        if let Some(name) = state {
            let _ = writeln!(
                tables,
                "            fn {name}(
                instance: *mut ::verilated::ffi::RawInstance,
                begin: *mut *mut ::std::ffi::c_void,
                bytes: *mut usize,
            );"
            );
        }
        let state = state
            .as_ref()
            .map_or("None".into(), |name| format!("Some({name})"));
        let _ = writeln!(
            tables,
            "            static {table}: ::verilated::ffi::ModelTable;"
        );
        let _ = writeln!(
            arms,
            "            {variant} => (unsafe {{ &{table} }}, {state}, {}, include_str!({:?})),",
            counters.count,
            points_file(job)
        );
    }
    let clocked = clock.map_or(String::new(), |port| {
        let field = identifier(&port.member);
        format!(
            "
impl ::verilated::Clocked for {type_name} {{
    #[inline(always)]
    fn set_clock(&mut self, level: bool) {{
        // SAFETY: the pointer leads into `self.verilated_instance`, which `self` borrows.
        unsafe {{ self.{field}.set(0, u8::from(level)) }}
    }}
}}
"
        )
    });
    let top = model.top_module();
    let count = variants.len();
    let list = variants.join(", ");
    format!(
        "// Generated by the crate `verilated`.

/// Verilated module `{top}`.
#[allow(dead_code, non_snake_case, reason = \"the caller uses what it needs; names are the RTL's\")]
pub struct {type_name} {{
{fields}    verilated_instance: ::verilated::Instance,
}}

#[allow(dead_code, non_snake_case, clippy::all, reason = \"as above, and nobody reads it\")]
impl {type_name} {{
{accessors}}}

impl ::verilated::Model for {type_name} {{
    const NAME: &'static str = {name:?};
    const PORTS: &'static [::verilated::Port] = &[
{descriptions}    ];
    const VARIANTS: &'static [::verilated::Variant] = &[{list}];

    #[allow(clippy::all, unreachable_patterns, reason = \"every variant may be built\")]
    fn with_variant(
        variant: ::verilated::Variant,
    ) -> ::std::result::Result<Self, ::verilated::VariantError> {{
        unsafe extern \"C\" {{
{tables}        }}
        // SAFETY: the tables are constants of the library built together with this file.
        let (table, state, counters, points): (_, ::std::option::Option<::verilated::ffi::StateFunction>, _, _) = match variant {{
{arms}            _ => {{
                return Err(::verilated::VariantError {{
                    model: Self::NAME,
                    wanted: variant,
                    built: Self::VARIANTS,
                }});
            }}
        }};
        let about = ::verilated::Description {{
            model: Self::NAME,
            variant,
            ports: Self::PORTS,
            state,
            counters,
            points,
        }};
        // SAFETY: table, description and the types of the ports were generated together, and the
        // pointers live as long as the instance beside them.
        unsafe {{
            let instance = ::verilated::Instance::new(table, about);
            Ok({type_name} {{
{inits}                verilated_instance: instance,
            }})
        }}
    }}

    #[inline(always)]
    fn shared(&self) -> ::verilated::Handle<&::verilated::Instance> {{
        ::verilated::Handle::shared(&self.verilated_instance)
    }}

    #[inline(always)]
    fn exclusive(&mut self) -> ::verilated::Handle<&mut ::verilated::Instance> {{
        ::verilated::Handle::exclusive(&mut self.verilated_instance)
    }}
}}
{clocked}
impl ::std::fmt::Debug for {type_name} {{
    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {{
        use ::verilated::Model;
        write!(f, \"{type_name}({{}}, time {{}})\", self.variant(), self.time())
    }}
}}

/// {count} variant(s): a model moves between threads, so its struct must be `Send`.
const _: () = {{
    const fn is_send<T: Send>() {{}}
    is_send::<{type_name}>();
}};
"
    )
}

/// Getter, and for inputs the setters, of one port.
fn port_accessors(port: &HeaderPort) -> String {
    let shape = port.shape();
    let (name, width) = (&port.name, shape.width());
    let wide = width > 64;
    let stem = plain(&port.member);
    let getter = identifier(&port.member);
    let field = &getter;
    let ty = rust_type(port);
    let elements = port.elements();
    let direction = match port.dir {
        Dir::In => "Input",
        Dir::Out => "Output",
        Dir::InOut => "Inout",
    };
    let bits = if width == 1 {
        "1 bit".to_string()
    } else {
        format!("{width} bits")
    };
    let array = !port.dims.is_empty();
    let (parameter, index, check, of) = if array {
        (
            ", index: usize",
            "index",
            format!(
                "        assert!(index < {elements}, \"port `{name}` has {elements} elements\");\n"
            ),
            format!(", one of {elements} elements in declaration order"),
        )
    } else {
        ("", "0", String::new(), String::new())
    };
    let safety = "        // SAFETY: the pointer leads into `self.verilated_instance`, which `self` borrows.\n";
    let mut text = String::new();
    if wide {
        let _ = write!(
            text,
            "    /// {direction} `{name}`: {bits}, least significant word first{of}.
    #[inline(always)]
    pub fn {getter}(&self{parameter}) -> &{ty} {{
{check}{safety}        unsafe {{ self.{field}.as_ref({index}) }}
    }}
"
        );
    } else {
        let _ = write!(
            text,
            "    /// {direction} `{name}`: {bits}{of}.
    #[inline(always)]
    pub fn {getter}(&self{parameter}) -> {ty} {{
{check}{safety}        unsafe {{ self.{field}.get({index}) }}
    }}
"
        );
    }
    if port.dir == Dir::Out {
        return text;
    }
    if wide {
        let last = shape.words() - 1;
        let mask = shape.top_mask();
        let _ = write!(
            text,
            "    /// Set `{name}`; bits above its {bits} are ignored.
    #[inline(always)]
    pub fn set_{stem}(&mut self{parameter}, value: &{ty}) {{
        self.update_{stem}({comma}|port| *port = *value);
    }}
    /// Change `{name}` in place; bits above its {bits} are cleared afterwards.
    #[inline(always)]
    pub fn update_{stem}<R>(&mut self{parameter}, change: impl FnOnce(&mut {ty}) -> R) -> R {{
        struct Mask<'a>(&'a mut {ty});
        impl Drop for Mask<'_> {{
            #[inline(always)]
            fn drop(&mut self) {{
                self.0[{last}] &= {mask:#x};
            }}
        }}
{check}{safety}        let port = Mask(unsafe {{ self.{field}.as_mut({index}) }});
        change(&mut *port.0)
    }}
",
            comma = if array { "index, " } else { "" },
        );
    } else {
        let full = width == 8 * shape.stride();
        let value = if full {
            "value".to_string()
        } else {
            format!("value & {:#x}", u64::MAX >> (64 - width))
        };
        let _ = write!(
            text,
            "    /// Set `{name}`; bits above its {bits} are ignored.
    #[inline(always)]
    pub fn set_{stem}(&mut self{parameter}, value: {ty}) {{
{check}{safety}        unsafe {{ self.{field}.set({index}, {value}) }}
    }}
"
        );
    }
    text
}

/// A C++ member name as the inner part of a Rust name: Verilator allows `$` in it, Rust does not.
fn plain(member: &str) -> String {
    member.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
}

/// A C++ member name as a Rust name, raw if it is a keyword.
fn identifier(member: &str) -> String {
    const KEYWORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in",
        "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
        "return", "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe",
        "unsized", "use", "virtual", "where", "while", "yield",
    ];
    let name = plain(member);
    if KEYWORDS.contains(&name.as_str()) {
        format!("r#{name}")
    } else {
        name
    }
}

fn camel_case(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars.next().map_or(String::new(), |c| {
                c.to_ascii_uppercase().to_string() + chars.as_str()
            })
        })
        .collect()
}
