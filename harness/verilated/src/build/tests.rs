//! Tests of the build side on real and on fake tools.

use super::{Artifacts, Context, Error, Model, Variant, build_in, default_cache, header};
use crate::port::Dir;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const COUNTER: &str = "
module counter #(parameter int unsigned Width = 8) (
  input  logic             clk_i,
  output logic [Width-1:0] count_o
);
  `include \"step.svh\"
  always_ff @(posedge clk_i) count_o <= count_o + Width'(Step);
endmodule
";

/// A package directory of its own, removed at the end.
struct Package {
    root: PathBuf,
    context: Context,
}

impl Package {
    fn new(test: &str) -> Self {
        let root = std::env::temp_dir().join(format!("verilated-{}-{test}", std::process::id()));
        fs::create_dir_all(root.join("out")).expect("the temporary directory is writable");
        let this = std::env::current_exe().expect("a test knows its own path");
        let context = Context {
            package_dir: root.clone(),
            out_dir: root.join("out"),
            package: test.to_string(),
            jobs: 2,
            verilator: std::env::var_os("VERILATOR")
                .unwrap_or("verilator".into())
                .into(),
            compilers: vec![std::env::var("CXX").unwrap_or("c++".into())],
            archiver: "ar".into(),
            // Shared with the other tests and runs: the runtime is compiled once.
            cache: default_cache(&this),
        };
        let package = Package { root, context };
        package.write("counter.sv", COUNTER);
        package.write("step.svh", "localparam int unsigned Step = 1;\n");
        package
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::write(&path, text).expect("the temporary directory is writable");
        path
    }

    fn build(&self, models: &[Model]) -> Result<Artifacts, Error> {
        build_in(&self.context, models)
    }

    fn error(&self, models: &[Model]) -> String {
        match self.build(models) {
            Ok(_) => panic!("the build should fail"),
            Err(error) => error.to_string(),
        }
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        // What is left over in a temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.root);
    }
}

#[test]
fn objects_are_kept_in_the_target_directory_even_without_a_tag() {
    let root = std::env::temp_dir().join(format!("verilated-{}-untagged", std::process::id()));
    let cache = root.join("verilated-cache");
    assert_eq!(default_cache(&root.join("release/build/it-01/out")), cache);
    assert_eq!(default_cache(&root.join("release/deps/it-01")), cache);
    assert_eq!(default_cache(&root), cache);
}

/// A tool that misbehaves.
fn fake(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fake")
        .join(name)
}

fn counter(name: &str) -> Model {
    Model::new(name)
        .top("counter")
        .source("counter.sv")
        .include_dir(".")
        .clock("clk_i")
}

#[test]
fn a_missing_verilator_is_told_with_the_way_to_install_it() {
    let mut package = Package::new("missing");
    package.context.verilator = package.root.join("nowhere/verilator");
    let error = package.error(&[counter("counter")]);
    let start = "verilator not found: install Verilator >= 5.006, e.g. `apt-get install verilator`, \
                 or set VERILATOR to its path";
    assert!(error.starts_with(start), "{error}");
    assert!(
        error.contains("nowhere/verilator`: No such file"),
        "{error}"
    );
}

#[test]
fn an_old_verilator_is_told_with_version_and_path() {
    let mut package = Package::new("old");
    let old = fake("old-verilator");
    package.context.verilator = old.clone();
    let error = package.error(&[counter("counter")]);
    assert_eq!(
        error,
        format!(
            "verilator too old: needs >= 5.006, found 5.004 at {}; install a newer one or set \
             VERILATOR to its path",
            old.display()
        )
    );
}

#[test]
fn a_verilator_that_fails_is_told_with_its_own_words() {
    let mut package = Package::new("broken");
    package.context.verilator = fake("broken-verilator");
    let error = package.error(&[counter("counter")]);
    assert!(error.contains("no perl"), "{error}");
}

#[test]
fn rejected_rtl_is_told_with_place_and_reason() {
    let package = Package::new("rejected");
    package.write(
        "counter.sv",
        &COUNTER.replace("count_o + ", "count_o + nonsense + "),
    );
    let error = package.error(&[counter("counter")]);
    assert!(
        error.starts_with("verilator rejected model `counter`:\n%Error: "),
        "{error}"
    );
    assert!(error.contains("counter.sv:7:"), "{error}");
    assert!(error.contains("nonsense"), "{error}");
    assert!(!error.contains("Exiting due to"), "{error}");
}

#[test]
fn a_missing_source_is_told_by_name() {
    let package = Package::new("nosource");
    let error = package.error(&[counter("counter").source("absent.sv")]);
    assert!(error.contains("absent.sv"), "{error}");
}

#[test]
fn a_failing_compiler_is_told_with_its_file_and_messages() {
    let mut package = Package::new("compiler");
    let compiler = fake("failing-c++");
    package.context.compilers = vec![compiler.display().to_string()];
    let error = package.error(&[counter("counter")]);
    assert!(error.contains("failing-c++` failed on"), "{error}");
    assert!(error.contains("fatal: no space left"), "{error}");
    package.context.compilers = vec!["no-such-compiler".into()];
    let error = package.error(&[counter("counter")]);
    assert!(
        error.starts_with("no C++ compiler found: install one"),
        "{error}"
    );
    assert!(error.contains("no-such-compiler"), "{error}");
}

#[test]
fn a_wrong_description_is_told_before_anything_runs() {
    let mut package = Package::new("description");
    package.context.verilator = "/nowhere".into();
    let error = |models: &[Model]| package.error(models);
    assert!(error(&[counter("Counter")]).contains("`Counter`: the name must be"));
    assert!(error(&[Model::new("counter")]).contains("no source given"));
    assert!(error(&[counter("counter").variants([])]).contains("at least one variant"));
    assert!(error(&[counter("counter"), counter("counter")]).contains("two models"));
}

#[test]
fn the_clock_has_to_be_a_one_bit_input() {
    let package = Package::new("clock");
    for clock in ["clock", "count_o"] {
        let error = package.error(&[counter("counter").clock(clock)]);
        assert!(
            error.contains(&format!("the clock `{clock}` is not a one-bit input")),
            "{error}"
        );
    }
}

#[test]
fn only_what_changed_is_built_again() -> Result<(), Error> {
    let package = Package::new("stamp");
    let models = |width| {
        let all = [Variant::Fast, Variant::Wave];
        [
            counter("plain").variants(all),
            counter("sized").param("Width", width),
        ]
    };
    let first = package.build(&models(12))?;
    assert_eq!(first.verilated, 3);
    let library = fs::read(&first.library).map_err(Error::io(&first.library))?;

    let again = package.build(&models(12))?;
    assert_eq!((again.verilated, again.compiled), (0, 0), "nothing changed");

    package.write("counter.sv", COUNTER);
    let again = package.build(&models(12))?;
    assert_eq!(
        (again.verilated, again.compiled),
        (0, 0),
        "only the time of the file changed"
    );

    let again = package.build(&models(13))?;
    assert_eq!(again.verilated, 1, "a parameter of one model changed");
    assert!(again.compiled <= 2, "only that model's files are compiled");

    package.write("step.svh", "localparam int unsigned Step = 3;\n");
    let again = package.build(&models(13))?;
    assert_eq!(again.verilated, 3, "an included file of all models changed");
    let changed = fs::read(&again.library).map_err(Error::io(&again.library))?;
    assert_ne!(library, changed);

    package.write("step.svh", "localparam int unsigned Step = 1;\n");
    let again = package.build(&models(12))?;
    assert_eq!(
        (again.verilated, again.compiled),
        (3, 0),
        "the objects of before are still there"
    );
    let same = fs::read(&again.library).map_err(Error::io(&again.library))?;
    assert!(library == same, "and make the same library");
    Ok(())
}

#[test]
fn sources_come_from_a_file_list_too() -> Result<(), Error> {
    let package = Package::new("list");
    package.write("counter.f", "// the counter\n+incdir+.\ncounter.sv\n");
    let model = Model::new("counter").file_list("counter.f");
    assert_eq!(package.build(std::slice::from_ref(&model))?.verilated, 1);
    assert_eq!(package.build(std::slice::from_ref(&model))?.verilated, 0);
    package.write("counter.f", "+incdir+.\n+define+UNUSED\ncounter.sv\n");
    assert_eq!(
        package.build(&[model])?.verilated,
        1,
        "the list is a source"
    );
    Ok(())
}

#[test]
fn a_failed_build_is_tried_again() -> Result<(), Error> {
    let package = Package::new("retry");
    package.write("step.svh", "localparam int unsigned Step = ;\n");
    package.error(&[counter("counter")]);
    package.write("step.svh", "localparam int unsigned Step = 1;\n");
    assert_eq!(package.build(&[counter("counter")])?.verilated, 1);
    Ok(())
}

#[test]
fn models_of_two_packages_link_into_one_program() -> Result<(), Error> {
    let (one, two) = (Package::new("one"), Package::new("two"));
    // Same names and other content: nothing may be taken for the other's.
    two.write("step.svh", "localparam int unsigned Step = 5;\n");
    let all = [Variant::Fast, Variant::Wave];
    let first = one.build(&[counter("counter")])?;
    let second = two.build(&[counter("counter").variants(all), counter("other")])?;
    let main = one.write(
        "main.cpp",
        r#"
#include "verilated_rs.h"
extern "C" { extern const VrsModel vrs_Vone_counter_fast, vrs_Vtwo_counter_wave, vrs_Vtwo_other_fast; }
static int third(const VrsModel& model) {
    VrsInstance* const instance = model.create();
    void* ports[2];
    model.ports(instance, ports);
    for (int half = 0; half < 6; ++half) {
        *static_cast<CData*>(ports[0]) = half % 2;
        if (model.eval(instance)) return -1;
    }
    const int count = *static_cast<CData*>(ports[1]);
    model.destroy(instance);
    return count;
}
int main() {
    return third(vrs_Vone_counter_fast) == 3 && third(vrs_Vtwo_counter_wave) == 15
        && third(vrs_Vtwo_other_fast) == 15 ? 0 : 1;
}
"#,
    );
    let program = one.root.join("program");
    let include = super::verilator::Verilator::find(&one.context.verilator)?.include;
    let run = |command: &mut Command| {
        let output = command.output().expect("the compiler ran before");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    run(Command::new(&one.context.compilers[0])
        .arg("-std=gnu++17")
        .arg(format!("-I{}", include.display()))
        .arg(format!(
            "-I{}",
            one.root.join("out/verilated/seam").display()
        ))
        .arg(&main)
        .args([&first.library, &second.library])
        .args(["-pthread", "-o"])
        .arg(&program));
    run(&mut Command::new(&program));
    Ok(())
}

#[test]
fn the_ports_are_read_from_the_header() -> Result<(), Error> {
    let text = "
    // PORTS
    // The application code writes and reads these signals to
    VL_IN8(&clk_i,0,0);
    VL_OUT16(&part_o,19,8);
    VL_INOUT(&bus_io,31,0);
    VL_IN64((&lane_i)[4][2],39,0);
    VL_OUTW(&data__02eword,199,0,7);

    // CELLS
    ";
    let ports = header::ports(text, Path::new("Vx.h"))?;
    let seen: Vec<_> = ports
        .iter()
        .map(|p| {
            (
                p.name.as_str(),
                p.dir,
                p.msb,
                p.lsb,
                p.dims.as_slice(),
                p.shape().stride(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("clk_i", Dir::In, 0, 0, &[][..], 1),
            ("part_o", Dir::Out, 19, 8, &[], 2),
            ("bus_io", Dir::InOut, 31, 0, &[], 4),
            ("lane_i", Dir::In, 39, 0, &[4, 2], 8),
            ("data.word", Dir::Out, 199, 0, &[], 28),
        ]
    );
    assert_eq!(ports[4].member, "data__02eword");
    Ok(())
}

#[test]
fn a_port_that_has_no_bits_is_refused() {
    let text = "// PORTS\n    double (&x_i);\n    // CELLS";
    let error = header::ports(text, Path::new("Vx.h")).expect_err("a real number is no port");
    assert!(
        error
            .to_string()
            .contains("a port of unsupported type: double (&x_i);")
    );
}
