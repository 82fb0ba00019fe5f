//! Looks for the fault in the models that `build.rs` has built of a broken RTL, and says what saw it
//! after how much. `ci/home-mutants.sh` runs `home`, `ci/fuzz-mutants.sh` runs `fuzz` for every fault.

#[cfg(mutant)]
mod fuzz;
#[cfg(mutant)]
mod home;
#[cfg(mutant_switch)]
mod switch;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    if let Err(text) = search(&args) {
        eprintln!("mutant: {text}");
        std::process::exit(1);
    }
}

/// Arguments: what is searched, a name to print, and what that search takes.
fn search(args: &[&str]) -> Result<(), String> {
    match args {
        #[cfg(mutant)]
        ["home", name] => home::search(name),
        #[cfg(mutant)]
        ["fuzz", "home", name, execs, seeds] => fuzz::search(&home::FAULTY, name, execs, seeds),
        #[cfg(mutant_switch)]
        ["fuzz", "switch", name, execs, seeds] => fuzz::search(&switch::FAULTY, name, execs, seeds),
        #[cfg(mutant_switch)]
        ["fuzz", "hostile", name, execs, seeds] => {
            fuzz::search(&switch::HOSTILE, name, execs, seeds)
        }
        _ => Err(
            "no such search in what was built; see ci/home-mutants.sh, ci/fuzz-mutants.sh".into(),
        ),
    }
}
