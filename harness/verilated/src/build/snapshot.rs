//! Which part of a model is its state, for models that can be saved and put back.
//!
//! Verilator keeps the state of all modules in members of one object, side by side; names of scopes
//! and coverage counters come after. What is between is copied as bytes, which is right as long as no
//! member owns memory elsewhere; so a model with strings, queues or classes is refused.

use super::error::Error;
use super::verilator::Job;
use std::fs;

/// Where the members begin in the header of the symbol table.
const SECTION: &str = "// MODULE INSTANCE STATE\n";
/// Types of members that own memory elsewhere.
const OWNERS: [&str; 5] = [
    "VlQueue",
    "VlAssocArray",
    "VlClassRef",
    "std::string ",
    "std::vector",
];

/// The C++ function that tells where the state of an instance is, and its name.
pub fn function(job: &Job) -> Result<(String, String), Error> {
    let path = job.output("__Syms.h");
    let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
    let output = |reason: String| Error::Output {
        file: path.clone(),
        reason,
    };
    let members = members(&text).ok_or_else(|| output("no members with state".into()))?;
    for entry in fs::read_dir(&job.dir).map_err(Error::io(&job.dir))? {
        let path = entry.map_err(Error::io(&job.dir))?.path();
        if path.extension().is_some_and(|ending| ending == "h") {
            let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
            if let Some(member) = owner(&text) {
                return Err(Error::Output {
                    file: path,
                    reason: format!("a model with `{member}` cannot be saved"),
                });
            }
        }
    }
    let (first, last) = (members[0], members[members.len() - 1]);
    let name = format!("vrs_{}_state", job.prefix);
    let text = format!(
        "
extern \"C\" void {name}(VrsInstance* instance, void** begin, size_t* bytes) {{
    auto& syms = *vrs::Shim<Traits>::self(instance)->model->rootp->vlSymsp;
    char* const first = reinterpret_cast<char*>(&syms.{first});
    char* const last = reinterpret_cast<char*>(&syms.{last});
    *begin = first;
    *bytes = last - first + sizeof(syms.{last});
}}
"
    );
    Ok((name, text))
}

/// The names of the members with state.
fn members(syms: &str) -> Option<Vec<&str>> {
    let (_, section) = syms.split_once(SECTION)?;
    let names: Vec<&str> = section
        .lines()
        .map_while(|line| line.trim().strip_suffix(';')?.split_whitespace().last())
        .collect();
    (!names.is_empty()).then_some(names)
}

/// A member, of those that a header declares, that owns memory elsewhere.
fn owner(header: &str) -> Option<&str> {
    let is_member = |line: &&str| line.ends_with(';') && !line.contains('(');
    (header.lines().map(str::trim).filter(is_member))
        .find(|line| OWNERS.iter().any(|owner| line.contains(owner)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_members_with_state_are_found_and_those_that_own_memory_refused() {
        let syms = "    bool __Vm_didInit = false;\n\n    // MODULE INSTANCE STATE\n    \
                    Vx___024root                   TOP;\n    Vx_pkg TOP__pkg;\n\n    // COVERAGE\n    \
                    vrs::Counter __Vcoverage[7];\n";
        assert_eq!(members(syms), Some(vec!["TOP", "TOP__pkg"]));
        assert_eq!(members("class X {};\n"), None);
        let plain = "    VlUnpacked<VlWide<5>, 4> a;\nstd::string VL_TO_STRING(const T& obj);\n";
        assert_eq!(owner(plain), None);
        assert_eq!(owner("  VlQueue<IData> q;\n"), Some("VlQueue<IData> q;"));
        assert_eq!(owner("  std::string text;\n"), Some("std::string text;"));
    }
}
